//! `cargo xtask demo`: from a fresh clone to a running hub with apps and users.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::build::{self, Profile};
use crate::hub::{self, PASSWORD, Place, USERS};
use crate::process::root;
use crate::setup;

/// Builds, prepares and starts the demo hub on `listen`; returns when it is stopped.
pub fn run(listen: &str, fresh: bool, prepare_only: bool) -> Result<()> {
    println!(
        "Satchel demo: the first run builds everything and takes a while; later ones start in seconds."
    );
    setup::for_building()?;
    build::all(Profile::Release)?;
    let folder = root().join(".satchel/demo");
    if fresh && folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let place = Place::at(&folder)?;
    let binary = build::binary("satchel-hub", Profile::Release);
    hub::prepare(&binary, &place)?;
    if prepare_only {
        return Ok(());
    }
    welcome(&place, listen);
    let status = hub::serve_command(&binary, &place, listen).status()?;
    if !status.success() {
        bail!("the hub ended with {status}");
    }
    Ok(())
}

fn welcome(place: &Place, listen: &str) {
    let port = listen.rsplit(':').next().unwrap_or("4443");
    let url = format!("https://localhost:{port}");
    let ca = place.tls.join("ca.pem");
    let ca = ca.display();
    let satchel = build::binary("satchel", Profile::Release);
    let satchel = satchel.strip_prefix(root()).unwrap_or(&satchel).display();
    println!("\n  The hub:        {url}");
    println!("  Its CA file:    {ca}");
    println!(
        "                  (let your browser or device trust it; there is no way around a certificate)"
    );
    println!("  The password of everybody below is {PASSWORD}\n");
    for user in &USERS {
        println!(
            "  DEMO\\{:<5} {:<18} {}",
            user.name,
            user.access.unwrap_or("(none)"),
            user.sees
        );
    }
    println!("\n  Three things to try next:");
    println!("  1. open {url} and sign in as ben, then as ada in a private window");
    println!("  2. {satchel} hub add {url} --ca {ca}");
    println!("     {satchel} sign-in --user 'DEMO\\ben' && {satchel} download Sales");
    println!("  3. stop this hub (Ctrl-C), then: {satchel} open Sales");
    println!("     or one question: {satchel} ask Sales 'Sum(AMOUNT)' --by COUNTRY\n");
}
