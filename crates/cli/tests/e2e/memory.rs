//! What a running `satchel open` has in its memory, read as a debugger would.
//!
//! Each search is first made while the device is open, and must then find what it is for.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use satchel_base::KeyBytes;
use satchel_device::{VaultFile, VaultKey};
use serde_json::{Value, json};

use crate::bench::{Bench, Device, PASSWORD};
use crate::served::{Served, Session, serve};

/// Cells of the sales app that fay may see; nothing else has these texts.
const CELLS: [&str; 2] = ["Gamma Trading", "Epsilon Interior"];
const PIN: &str = "pin-71c4-of-this-test";

/// What must not be there, with a name for each.
type Secrets = Vec<(&'static str, Vec<u8>)>;

/// Names of the secrets that lie in the writable memory of a process, and where.
fn found(process: u32, secrets: &Secrets) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut found = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // A region may have gone since the list was made; a part of one is still looked at.
        let n = memory.read_at(&mut bytes, from).unwrap_or(0);
        for (name, secret) in secrets {
            for at in memmem::find_iter(&bytes[..n], secret) {
                let at = from + at as u64;
                let region = words.clone().nth(3).unwrap_or("anonymous");
                found.push(format!("{name} at {at:x} in {range} {region}"));
            }
        }
    }
    found
}

/// Whether each of the secrets is there.
fn assert_all_found(process: u32, secrets: &Secrets) {
    let found = found(process, secrets);
    for (name, _) in secrets {
        let is_there = found.iter().any(|place| place.starts_with(name));
        assert!(is_there, "the search does not find {name}: {found:#?}");
    }
}

/// Returns once none of the secrets is there any more; what was told to go may still be going.
fn wait_until_none_is_found(process: u32, secrets: &Secrets) {
    let begun = Instant::now();
    loop {
        let left = found(process, secrets);
        if left.is_empty() {
            return;
        }
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(30), "still there: {left:#?}");
        std::thread::yield_now();
    }
}

/// A device of fay's with a PIN and the sales app, unlocked.
fn device(bench: &Bench) -> Device {
    let device = bench.device_with_hub();
    let arguments = ["sign-in", "--user", r"DEMO\fay", "--pin"];
    let input = format!("{PASSWORD}\n{PIN}");
    device.satchel_with_input(&arguments, &input).done();
    device.satchel(&["download", "Sales"]).done();
    device
}

/// The keys of a device that is unlocked: the vault's and those in it.
fn keys(device: &Device) -> Secrets {
    let session = fs::read_dir(device.home().with_file_name("run")).unwrap();
    let session = session
        .map(|entry| entry.unwrap().path().join("key"))
        .next();
    let session = fs::read(session.unwrap()).unwrap();
    let key = &session[16..];
    let vault = fs::read(device.home().join("vault.json")).unwrap();
    let vault = VaultFile::from_json(&vault).unwrap();
    let opened = VaultKey::new(KeyBytes::from_slice(key).unwrap());
    let body: Value = serde_json::from_slice(&vault.load_body(&opened).unwrap()).unwrap();
    let mut secrets = vec![("the vault's key", key.to_vec())];
    for (name, text, seed) in [
        ("the sealing seed as text", "the sealing seed", "kem_seed"),
        (
            "the signing seed as text",
            "the signing seed",
            "signing_seed",
        ),
    ] {
        let encoded = body["accounts"][0]["keys"][seed].as_str().unwrap();
        secrets.push((name, encoded.as_bytes().to_vec()));
        secrets.push((text, STANDARD.decode(encoded).unwrap()));
    }
    secrets
}

fn cells() -> Secrets {
    CELLS.map(|cell| (cell, cell.as_bytes().to_vec())).into()
}

/// Looks at the cells as a page would.
fn look(served: &Served) -> Session {
    let mut session = served.session();
    let doc = session.open(&served.app);
    let answer = session.call(
        doc,
        "EvaluateEx",
        &json!(["Concat(DISTINCT Customer, ';')"]),
    );
    let text = answer["result"]["qValue"]["qText"].as_str().unwrap();
    for cell in CELLS {
        assert!(text.contains(cell), "{text}");
    }
    session
}

// threat: T-02 T-20
#[test]
fn a_lock_leaves_neither_keys_nor_cells_in_memory() {
    let bench = Bench::new();
    let device = device(&bench);
    let keys = keys(&device);
    let served = serve(&device);
    let process = served.child.id();
    let mut session = look(&served);
    assert_all_found(process, &keys[..1].to_vec());
    assert_all_found(process, &cells());
    device.satchel(&["lock"]).done();
    session.end();
    drop(session);
    let mut all = keys.clone();
    all.extend(cells());
    all.push(("the PIN", PIN.as_bytes().to_vec()));
    wait_until_none_is_found(process, &all);

    // Unlocked in the page, by the PIN, and locked there.
    let unlocked = served.post("/api/v1/device/unlock", &json!({ "pin": PIN }).to_string());
    assert!(unlocked.starts_with("HTTP/1.1 204"), "{unlocked}");
    let mut session = look(&served);
    assert_all_found(process, &keys[..1].to_vec());
    assert_all_found(process, &cells());
    let locked = served.post("/api/v1/device/lock", "");
    assert!(locked.starts_with("HTTP/1.1 204"), "{locked}");
    session.end();
    drop(session);
    wait_until_none_is_found(process, &all);
}

// threat: T-02
#[test]
fn an_app_that_nobody_has_open_any_more_leaves_memory() {
    let bench = Bench::new();
    let device = device(&bench);
    let keys = keys(&device);
    let served = serve(&device);
    let process = served.child.id();
    let session = look(&served);
    assert_all_found(process, &cells());
    drop(session);
    wait_until_none_is_found(process, &cells());
    // It is open all the same, with the one copy of its key.
    let places = found(process, &keys[..1].to_vec());
    assert_eq!(places.len(), 1, "{places:#?}");
    look(&served);
    assert_all_found(process, &cells());
}
