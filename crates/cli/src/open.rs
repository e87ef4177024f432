//! `satchel open`: the web UI on loopback, over what is downloaded, with or without the hub.
//!
//! Refuses in the terminal whatever `satchel ask` would refuse, before anything is served; and
//! goes on looking while it serves. When the lease ends or the vault locks, every session is
//! closed and the data dropped. Who is let in, and why nobody else: [`door`].
//!
//! The main thread owns the client ([`keeper`]); the server's threads ask it.

mod door;
mod host;
mod keeper;
mod launcher;
mod peer;
mod routes;
mod server;
mod socket;
mod standing;

use std::io::Write as _;
use std::sync::Arc;

use satchel_contract::policy::Key;
use satchel_device_native::SystemEntropy;
use serde_json::json;

use crate::args::Open;
use crate::context::Context;
use crate::output::{Failure, Output};
use door::Door;
use keeper::Keeper;
use launcher::Redirect;

/// Serves until Ctrl-C.
pub fn open(mut context: Context, options: &Open) -> Result<Output, Failure> {
    let json = context.json;
    let home = context.files.folder().to_owned();
    let hub = context.signed_in_hub()?;
    let policy = context.client.policy(&hub.url)?.policy;
    let wanted = match (&options.app, policy.text(Key::LaunchApp)) {
        (Some(named), _) => Some(context.client.find_download(&hub.url, named)?),
        // What it begins with need not be here yet.
        (None, Some(named)) => context.client.find_download(&hub.url, named).ok(),
        (None, None) => None,
    };
    let mut keeper = Keeper::new(context, hub)?;
    if let Some(entry) = &wanted {
        keeper.app(&entry.app)?;
    }
    let page = match &wanted {
        Some(entry) => format!("/#/local/{}", entry.app.as_str()),
        None => "/#/device".to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| server::cannot_serve(&error))?;
    let listener = runtime.block_on(server::listen(options.port))?;
    let port = server::port_of(&listener)?;
    let door = Door::make(port, page, &mut SystemEntropy);
    let url = door.url();
    let shows = !options.no_browser && !json && launcher::has_desktop();
    // Where it cannot be written, the printed address is what there is.
    let redirect = shows.then(|| Redirect::write(&home, port, &url).ok());
    let redirect = redirect.flatten().map(Arc::new);
    let served = server::serve(listener, door, keeper.desk(), redirect.clone());
    let serving = runtime.spawn(served);

    say(json, wanted.as_ref(), &url, port);
    if let Some(redirect) = &redirect {
        redirect.open_browser();
    }
    // Returns when Ctrl-C was pressed; by then every session was told and the keys are gone.
    keeper.run();
    runtime.block_on(server::ended(serving));
    if let Some(redirect) = redirect {
        redirect.remove();
    }
    if !json {
        println!("Closed.");
    }
    Ok(Output::nothing())
}

fn say(json: bool, wanted: Option<&satchel_device::Entry>, url: &str, port: u16) {
    if json {
        let app = wanted.map(|entry| &entry.app);
        println!("{}", json!({ "url": url, "port": port, "app": app }));
    } else {
        let what = wanted.map_or("What is on this device", |entry| &entry.manifest.title);
        println!("{what} opens in your browser at\n\n  {url}\n");
        println!("The address is for you alone and works once. Press Ctrl-C to close everything.");
    }
    // Whoever reads this through a pipe waits for it.
    let _ = std::io::stdout().flush();
}
