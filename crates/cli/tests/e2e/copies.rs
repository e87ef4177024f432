//! Two of one device: its folder copied to another computer, or put back from a backup.

use crate::bench::{Bench, Device, PASSWORD};

const ASK: [&str; 3] = ["ask", "Sales", "Sum(AMOUNT)"];

/// How the administrator sees the devices there are now, each in a word or two.
fn states(bench: &Bench) -> Vec<String> {
    let devices = bench.administer(&["device", "list"]);
    let states = devices.as_array().unwrap().iter();
    let states = states.map(|device| device["state"].as_str().unwrap().to_owned());
    states
        .filter(|state| !state.starts_with("revoked"))
        .collect()
}

/// Its account, and what was downloaded for it, are gone.
fn assert_stopped(device: &Device) {
    assert_eq!(device.satchel(&ASK).code(), "auth.not_signed_in");
    assert!(device.files("package-").is_empty());
}

fn assert_told_of_the_copy(refusal: &serde_json::Value) {
    assert_eq!(refusal["code"], "device.revoked", "{refusal}");
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains("copied or restored"), "{refusal}");
}

// threat: T-03
#[test]
fn a_copied_folder_stops_both_at_the_next_contact() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let copy = device.copy_without(&[]);
    assert_eq!(device.sales(), 6995.0);
    assert_eq!(copy.sales(), 6995.0, "without the hub nobody can know");
    let before = states(&bench).len();

    device.sign_in("ben").done();
    assert_told_of_the_copy(&copy.sign_in("ben").refusal());
    assert_stopped(&copy);
    let download = device.satchel(&["download", "Sales"]);
    assert_told_of_the_copy(&download.refusal());
    assert_stopped(&device);

    let seen = states(&bench);
    assert!(
        seen.iter().any(|state| state.starts_with("found twice")),
        "{seen:?}"
    );
    assert_eq!(seen.len(), before);
    let audit = bench
        .administer(&["audit", "show", "--limit", "20"])
        .to_string();
    assert!(audit.contains("device.copied"), "{audit}");

    // Who has the password begins anew, with keys of their own.
    device.sign_in("ben").done();
    device.satchel(&["download", "Sales"]).done();
    assert_eq!(device.sales(), 6995.0);
}

// threat: T-03
#[test]
fn a_copy_fetches_nothing_by_the_session_it_copied() {
    let bench = Bench::new();
    let device = bench.device_of("ben");
    let copy = device.copy_without(&[]);
    device.sign_in("ben").done();
    assert_told_of_the_copy(&copy.satchel(&["download", "Sales"]).refusal());
    assert_eq!(copy.satchel(&["apps"]).code(), "auth.not_signed_in");
}

// threat: T-04
#[test]
fn a_backup_put_back_is_found_at_the_next_contact() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let backup = device.saved();
    device.sign_in("ben").done();
    device.restore(&backup);
    assert_told_of_the_copy(&device.sign_in("ben").refusal());
    assert_stopped(&device);
}

#[test]
fn one_device_that_renews_in_many_processes_is_no_copy() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    for round in 0..3 {
        let arguments = ["sign-in", "--user", r"DEMO\ben"];
        let clients: Vec<_> = (0..3)
            .map(|_| {
                let mut client = device.start(&arguments);
                let mut input = client.stdin.take().unwrap();
                std::io::Write::write_all(&mut input, format!("{PASSWORD}\n").as_bytes()).unwrap();
                client
            })
            .collect();
        for client in clients {
            let output = client.wait_with_output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "round {round}: {error}");
        }
        device.satchel(&["download", "Sales"]).done();
        assert_eq!(device.sales(), 6995.0, "round {round}");
    }
    assert_eq!(
        states(&bench).iter().filter(|s| *s == "enrolled").count(),
        1
    );
}
