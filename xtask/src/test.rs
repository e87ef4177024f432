//! `cargo xtask test`: every test there is, in the order in which failures are cheapest.

use std::process::Command;

use anyhow::{Result, bail};

use crate::build::{self, Profile};
use crate::hub::{self, Place, Running};
use crate::process::{self, command, exists, root, target_dir};
use crate::{rooms, setup, threats, wasm};

/// The parts, in order.
const PARTS: [&str; 5] = ["rooms", "lint", "unit", "e2e", "browser"];

/// Runs the parts named in `only`, or all.
pub fn run(only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|p| !PARTS.contains(&p.as_str())) {
        bail!(
            "no part is called `{unknown}`; there are: {}",
            PARTS.join(" ")
        );
    }
    let wanted = |part: &str| only.is_empty() || only.iter().any(|p| p == part);
    setup::for_tests()?;
    if wanted("rooms") {
        rooms::check()?;
        threats::check()?;
    }
    if wanted("lint") {
        println!("— formatting and lints");
        process::run(&mut command("cargo", ["fmt", "--all", "--check"]))?;
        process::run(&mut command(
            "cargo",
            ["clippy", "--quiet", "--workspace", "--", "-D", "warnings"],
        ))?;
        build::web_packages()?;
        let mut lint = command("npm", ["run", "--silent", "lint"]);
        process::run(lint.current_dir(root().join("web")))?;
    }
    if wanted("unit") {
        println!("— unit, corpus and property tests, and the hub end to end");
        if exists("cargo-nextest") {
            process::run(&mut command(
                "cargo",
                ["nextest", "run", "--workspace", "--no-fail-fast"],
            ))?;
        } else {
            process::run(&mut command(
                "cargo",
                ["test", "--workspace", "--all-targets", "--no-fail-fast"],
            ))?;
        }
    }
    if wanted("e2e") {
        qvd_readers()?;
        databases()?;
    }
    if wanted("e2e") || wanted("browser") {
        wasm::build_wasm()?;
        build::web()?;
        build::binaries(Profile::Dev)?;
        end_to_end(wanted("e2e"), wanted("browser"))?;
    }
    Ok(())
}

/// Our QVD files in independent readers, and theirs in ours.
fn qvd_readers() -> Result<()> {
    println!("— QVD files against independent readers");
    let python = setup::python("qvd-readers", &["pyqvd", "qvdrs", "qvd-utils"])?;
    let mut tests = command("cargo", ["test", "--quiet", "-p", "satchel-sources"]);
    tests
        .args(["--features", "e2e", "--test", "readers"])
        .env("SATCHEL_QVD_PYTHON", python);
    process::run(&mut tests)
}

/// Queries of load scripts to servers, which the tests start.
fn databases() -> Result<()> {
    println!("— queries to PostgreSQL and MariaDB");
    process::run(&mut command(
        "cargo",
        [
            "test",
            "--quiet",
            "-p",
            "satchel-sources",
            "--features",
            "e2e",
            "--test",
            "databases",
        ],
    ))
}

/// API clients from PyPI, as they are. Two of them insist on the port 4747.
fn api_clients(binary: &std::path::Path, place: &Place) -> Result<()> {
    println!("— API clients from PyPI");
    let python = setup::python(
        "api-clients",
        &[
            "pyqlikengine==0.0.2",
            "qe-api-client==3.1.0",
            "qlikconnect==1.0.2",
            "qsea==1.0.0",
            "openpyxl",
            "websocket-client",
        ],
    )?;
    let hub = Running::start_with(binary, place, "127.0.0.1:0", Some("127.0.0.1:4747"))?;
    let mut clients = command(
        &python.to_string_lossy(),
        ["crates/hub/tests/python/clients.py"],
    );
    clients
        .env("SATCHEL_URL", &hub.url)
        .env("SATCHEL_CLIENT_CERTIFICATES", place.tls.join("clients"));
    process::run(&mut clients)?;
    hub.stop()
}

/// The demo hub with its apps, and real clients against it.
fn end_to_end(clients: bool, browser: bool) -> Result<()> {
    let folder = target_dir().join("e2e");
    let _ = std::fs::remove_dir_all(&folder);
    let place = Place::at(&folder)?;
    let binary = build::binary("satchel-hub", Profile::Dev);
    hub::prepare(&binary, &place)?;
    let environment = |command: &mut Command, url: &str| {
        command
            .env("SATCHEL_URL", url)
            .env("SATCHEL_CA", place.tls.join("ca.pem"))
            .env("SATCHEL_HUB_BIN", &binary)
            .env("SATCHEL_HUB_DATA", &place.data)
            .env("SATCHEL_HUB_TLS", &place.tls)
            .env("SATCHEL_BIN", build::binary("satchel", Profile::Dev));
    };
    if clients {
        println!("— the native client against a hub, online, offline and under a false clock");
        let hub = Running::start(&binary, &place, "127.0.0.1:0")?;
        let mut tests = command(
            "cargo",
            [
                "test",
                "--quiet",
                "-p",
                "satchel-cli",
                "--features",
                "e2e",
                "--test",
                "e2e",
            ],
        );
        environment(&mut tests, &hub.url);
        process::run(&mut tests)?;
        hub.stop()?;
        api_clients(&binary, &place)?;
    }
    if browser {
        println!("— enigma.js, nebula.js and the web UI in headless Chromium");
        let hub = Running::start(&binary, &place, "127.0.0.1:0")?;
        let mut tests = command("npm", ["run", "--silent", "e2e"]);
        tests.current_dir(root().join("web"));
        environment(&mut tests, &hub.url);
        process::run(&mut tests)?;
        hub.stop()?;
    }
    Ok(())
}
