//! Downloads over a network that breaks, and a client that is killed while it downloads.

use std::fs;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::bench::{Bench, Device, text};
use crate::relay::{Plan, Relay};

const MIB: u64 = 1 << 20;
const DOWNLOAD: [&str; 2] = ["download", "flights"];

/// A device of ada, who sees every flight, behind a relay.
fn device(bench: &Bench) -> (Relay, Device) {
    let relay = Relay::to(&bench.url);
    let device = bench.device();
    let add = ["hub", "add", &relay.url, "--ca", text(&bench.ca)];
    device.satchel(&add).done();
    device.sign_in("ada").done();
    relay.take_passed();
    (relay, device)
}

/// Bytes of an unfinished download on the disk.
fn kept(device: &Device) -> u64 {
    let parts = device.files("part-");
    parts
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum()
}

fn flights(device: &Device) -> f64 {
    let ask = ["ask", "flights", "Count(FlightId)"];
    device.satchel(&ask).total()
}

#[test]
fn a_download_goes_on_where_the_connection_broke() {
    let bench = Bench::new();
    let (relay, device) = device(&bench);
    relay.set(Plan::CutAfter(MIB));
    let size = device.satchel(&DOWNLOAD).done()["size"].as_u64().unwrap();
    assert!(size > 3 * MIB, "{size} bytes do not try this");
    // Each break costs at most what was on its way; from the start each time it would be
    // several times the size, and never end.
    let passed = relay.take_passed();
    assert!(passed < size + size / 2, "{passed} bytes for {size}");
    assert_eq!(flights(&device), 336_776.0);
}

#[test]
fn a_client_killed_while_downloading_goes_on_later() {
    let bench = Bench::new();
    let (relay, device) = device(&bench);
    let (held, is_held) = mpsc::channel();
    relay.set(Plan::HoldAfter(2 * MIB, held));
    let mut client = device.start(&DOWNLOAD);
    is_held.recv().unwrap();
    // What has passed is on its way to the disk.
    let give_up = Instant::now() + Duration::from_secs(60);
    while kept(&device) < MIB {
        assert!(Instant::now() < give_up, "{} bytes kept", kept(&device));
        std::thread::yield_now();
    }
    client.kill().unwrap();
    client.wait().unwrap();
    let kept = kept(&device);

    let status = device.satchel(&["status"]).done();
    let account = &status["accounts"][0];
    assert_eq!(account["partial"].as_array().unwrap().len(), 1);
    assert_eq!(account["downloads"].as_array().unwrap().len(), 0);
    let ask = ["ask", "flights", "Count(FlightId)"];
    assert_eq!(device.satchel(&ask).code(), "app.not_downloaded");

    relay.set(Plan::Pass);
    relay.take_passed();
    let size = device.satchel(&DOWNLOAD).done()["size"].as_u64().unwrap();
    let passed = relay.take_passed();
    // Besides the rest there are handshakes and the list of apps.
    assert!(
        passed < size - kept + 128 * 1024,
        "{passed} bytes came, although {kept} of {size} were there"
    );
    assert_eq!(flights(&device), 336_776.0);
}
