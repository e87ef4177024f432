//! A client that is killed, or whose disk is full, at any step of any write: its next start
//! finds the state before or after, and nothing can be read that must not be.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::{Bench, Device, Outcome, PASSWORD, Saved, Time};

const DOWNLOAD: [&str; 2] = ["download", "Sales"];
const ASK: [&str; 3] = ["ask", "Sales", "Sum(AMOUNT)"];

/// Kills the client at its first step, its second, and so on until it lives; `restore` sets the
/// device up and `check` looks at it afterwards, with whether the command came to its end.
/// How many steps there were.
fn at_every_step(
    restore: impl Fn(),
    run: impl Fn(&str) -> Outcome,
    mut check: impl FnMut(u32, bool, &Outcome),
) -> u32 {
    for n in 1.. {
        restore();
        let outcome = run(&format!("die@{n}"));
        check(n, !outcome.was_killed(), &outcome);
        if !outcome.was_killed() {
            outcome.done();
            return n - 1;
        }
    }
    unreachable!()
}

/// Nothing of the app's data, of keys or of the password lies in clear in the state folder.
fn assert_unreadable(device: &Device) {
    for path in device.files("") {
        let bytes = fs::read(&path).unwrap();
        for secret in ["FURNITURE", "AMOUNT", "__Host-satchel-session", PASSWORD] {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{secret} can be read in {}", path.display());
        }
    }
}

fn accounts(device: &Device) -> Vec<Value> {
    let status = device.satchel(&["status"]).done();
    status["accounts"].as_array().unwrap().clone()
}

fn reload_of(device: &Device) -> u64 {
    let accounts = accounts(device);
    let downloads = accounts[0]["downloads"].as_array().unwrap();
    assert_eq!(downloads.len(), 1);
    downloads[0]["manifest"]["reload"].as_u64().unwrap()
}

/// A device of ben's with an older reload of the sales app than the hub has.
fn with_old_sales(bench: &Bench) -> (Device, Saved, u64) {
    let device = bench.device_with_sales("ben");
    let old = reload_of(&device);
    bench.administer(&["app", "reload", "Sales", "--quiet"]);
    let saved = device.saved();
    (device, saved, old)
}

#[test]
fn a_client_killed_while_it_downloads_has_the_old_app_or_the_new() {
    let bench = Bench::new();
    let (device, saved, old) = with_old_sales(&bench);
    let mut seen = Vec::new();
    let n_steps = at_every_step(
        || device.restore(&saved),
        |fault| device.satchel_with_fault(fault, &DOWNLOAD, ""),
        |n, is_done, _| {
            assert_unreadable(&device);
            assert_eq!(device.sales(), 6995.0, "step {n}");
            let now = reload_of(&device);
            assert!(now == old || now == old + 1, "step {n}: {now}");
            assert!(!is_done || now == old + 1, "step {n}");
            assert_eq!(device.files("package-").len(), 1, "step {n}");
            seen.push(now);
            if n % 4 == 0 {
                device.satchel(&DOWNLOAD).done();
                assert_eq!(reload_of(&device), old + 1, "step {n}");
                assert_eq!(device.files("part-").len(), 0, "step {n}");
            }
        },
    );
    assert!(n_steps > 20, "{n_steps} steps");
    assert!(seen.contains(&old) && seen.is_sorted(), "{seen:?}");
}

#[test]
fn a_first_log_in_that_is_killed_is_made_again() {
    let bench = Bench::new();
    let device = bench.device_with_hub();
    let saved = device.saved();
    let arguments = ["sign-in", "--user", r"DEMO\ben"];
    let n_steps = at_every_step(
        || {
            bench.revoke_devices();
            device.restore(&saved);
        },
        |fault| device.satchel_with_fault(fault, &arguments, PASSWORD),
        |n, is_done, _| {
            assert_unreadable(&device);
            let accounts = accounts(&device);
            assert!(accounts.len() == 1 || !is_done, "step {n}");
            device.sign_in("ben").done();
            device.satchel(&DOWNLOAD).done();
            assert_eq!(device.sales(), 6995.0, "step {n}");
        },
    );
    assert!(n_steps > 12, "{n_steps} steps");
}

#[test]
fn a_log_in_that_is_killed_costs_no_download() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let saved = device.saved();
    let arguments = ["sign-in", "--user", r"DEMO\ben"];
    let n_steps = at_every_step(
        || device.restore(&saved),
        |fault| device.satchel_with_fault(fault, &arguments, PASSWORD),
        |n, _, _| assert_eq!(device.sales(), 6995.0, "step {n}"),
    );
    assert!(n_steps > 5, "{n_steps} steps");
}

// threat: T-06
#[test]
fn a_wipe_that_began_comes_to_its_end_before_anything_else() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let saved = device.saved();
    let mut n_before = 0;
    let n_steps = at_every_step(
        || device.restore(&saved),
        |fault| device.satchel_with_fault(fault, &["wipe", "--yes"], ""),
        |n, is_done, _| {
            let began = device.home().join("wipe-begun").exists();
            let has_vault = device.home().join("vault.json").exists();
            if !began && has_vault {
                assert!(!is_done);
                n_before = n;
                assert_eq!(device.sales(), 6995.0, "step {n}: it had not begun");
                return;
            }
            // Whatever is tried first finds nothing, and nothing is left.
            assert_eq!(device.satchel(&ASK).code(), "hub.unknown", "step {n}");
            let left = device.files("");
            let is_lock = left.iter().all(|path| path.ends_with(".lock"));
            assert!(is_lock, "step {n}: {left:?}");
        },
    );
    assert!(n_steps > 10 && n_before < 6, "{n_before} of {n_steps}");
    assert!(device.files("").is_empty(), "{:?}", device.files(""));
}

#[test]
fn a_lock_that_is_killed_is_locked_or_not() {
    let bench = Bench::new();
    let device = bench.device_with_hub();
    let arguments = ["sign-in", "--user", r"DEMO\fay", "--pin"];
    let input = format!("{PASSWORD}\n2580");
    device.satchel_with_input(&arguments, &input).done();
    device.satchel(&DOWNLOAD).done();
    let unlock = || device.satchel_with_input(&["unlock"], "2580").done();
    let is_open_or_locked = |n: u32| {
        let asked = device.satchel(&ASK);
        match asked.is_done() {
            true => assert_eq!(asked.total(), 11810.0, "step {n}"),
            false => assert_eq!(asked.code(), "vault.locked", "step {n}"),
        }
        asked.is_done()
    };
    let n_steps = at_every_step(
        || drop(unlock()),
        |fault| device.satchel_with_fault(fault, &["lock"], ""),
        |n, is_done, _| assert!(!(is_done && is_open_or_locked(n)), "step {n}"),
    );
    assert!(n_steps > 0);
    let n_steps = at_every_step(
        || drop(device.satchel(&["lock"]).done()),
        |fault| device.satchel_with_fault(fault, &["unlock"], "2580"),
        |n, is_done, _| {
            assert!(is_open_or_locked(n) || !is_done, "step {n}");
            assert_unreadable(&device);
        },
    );
    assert!(n_steps > 10, "{n_steps} steps");
    // Right PINs whose try was counted and not told right do not use up the tries for good.
    unlock();
    for guess in 1..=3 {
        let wrong = device.satchel_with_input(&["unlock"], "0000");
        assert_eq!(wrong.code(), "vault.wrong_pin", "guess {guess}");
    }
    unlock();
}

// threat: T-01
#[test]
fn a_wrong_pin_counts_wherever_the_client_is_killed() {
    let bench = Bench::new();
    let device = bench.device_with_hub();
    let arguments = ["sign-in", "--user", r"DEMO\fay", "--pin"];
    let input = format!("{PASSWORD}\n2580");
    device.satchel_with_input(&arguments, &input).done();
    device.satchel(&["lock"]).done();
    let count = || {
        let vault = fs::read(device.home().join("vault.json")).unwrap();
        let vault: Value = serde_json::from_slice(&vault).unwrap();
        vault["wrong_tries"].as_u64().unwrap()
    };
    let saved = device.saved();
    let before = count();
    // The first write is the count; whoever dies after it has used a try.
    for n in [1, 3, 5, 6, 8] {
        device.restore(&saved);
        let fault = format!("die@{n}");
        let killed = device.satchel_with_fault(&fault, &["unlock"], "0000");
        assert!(killed.was_killed(), "step {n}");
        assert_eq!(count(), before + u64::from(n > 4), "step {n}");
    }
}

// threat: T-05
#[test]
fn what_is_shown_was_written_down_first() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    device.sign_in("ben").done();
    let launch = Time::in_an_hour();
    device.satchel_at(launch, &ASK).done();
    let saved = device.saved();
    let later = launch.plus(2, 0);
    let n_steps = at_every_step(
        || device.restore(&saved),
        |fault| device.faulty_at(fault, later, &ASK),
        |n, is_done, outcome| {
            let earlier = device.satchel_at(launch, &ASK);
            if is_done || outcome.has_result() {
                assert_eq!(earlier.code(), "lease.clock_behind", "step {n}");
            } else if !earlier.is_done() {
                assert_eq!(earlier.code(), "lease.clock_behind", "step {n}");
            }
            assert_eq!(
                device.satchel_at(later, &["status"]).done()["accounts"][0]["user"],
                r"DEMO\BEN"
            );
        },
    );
    assert!(n_steps > 8, "{n_steps} steps");
}

// threat: T-44
#[test]
fn a_full_disk_is_said_and_costs_nothing() {
    let bench = Bench::new();
    let (device, saved, old) = with_old_sales(&bench);
    for n in 1.. {
        device.restore(&saved);
        let full = device.satchel_with_fault(&format!("full@{n}"), &DOWNLOAD, "");
        let is_done = full.is_done();
        if !is_done {
            assert_eq!(full.code(), "storage.full", "step {n}");
        }
        assert_eq!(device.sales(), 6995.0, "step {n}");
        assert!(reload_of(&device) == old + u64::from(is_done), "step {n}");
        if is_done {
            assert!(n > 12, "{n} steps");
            return;
        }
        let failed = device.satchel_with_fault(&format!("fail@{n}"), &["status"], "");
        assert!(
            failed.is_done() || failed.code() == "storage.failed",
            "step {n}"
        );
        assert_eq!(device.sales(), 6995.0, "step {n}");
    }
}

/// A disk of its own of 3 MiB, which the sales app fits on and the flights do not.
// threat: T-44
#[test]
fn a_disk_that_is_really_full() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ada");
    let home = device.home();
    let script = "mv \"$1\" \"$1.real\" && mkdir \"$1\" && \
        mount -t tmpfs -o size=3m,mode=700 none \"$1\" && cp -a \"$1.real/.\" \"$1\" && shift && \
        \"$1\" --json download flights; echo \"download ended with $?\"; \
        \"$1\" --json ask Sales 'Sum(AMOUNT)'; echo \"ask ended with $?\"";
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(&home)
        .arg(device.program());
    let output = device.spawn(command, &[]).wait_with_output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("download ended with 1"), "{said}");
    assert!(said.contains("storage.full"), "{said}");
    // What came of it was given up, so that what is whole stays of use.
    assert!(
        said.contains("ask ended with 0") && said.contains("17400"),
        "{said}"
    );
}

#[test]
fn killed_from_outside_at_any_time() {
    const KILLS: u32 = 8;
    let bench = Bench::new();
    let (device, saved, old) = with_old_sales(&bench);
    let began = Instant::now();
    device.satchel(&DOWNLOAD).done();
    let whole = began.elapsed();
    for kill in 0..KILLS {
        device.restore(&saved);
        let mut client = device.start(&DOWNLOAD);
        let at = Instant::now() + whole * kill / (KILLS - 2);
        while Instant::now() < at {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = client.kill();
        client.wait().unwrap();
        assert_eq!(device.sales(), 6995.0, "kill {kill}");
        assert!(reload_of(&device) - old <= 1, "kill {kill}");
    }
}

#[test]
fn two_clients_at_once_lose_nothing_of_each_other() {
    let bench = Bench::new();
    for round in 0..3 {
        let device = bench.device_of("ben");
        let downloads = [&DOWNLOAD, &["download", "flights"]].map(|d| device.start(d));
        let looks: Vec<_> = (0..4).map(|_| device.start(&["status"])).collect();
        for client in downloads.into_iter().chain(looks) {
            let output = client.wait_with_output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "round {round}: {error}");
        }
        let accounts = accounts(&device);
        let downloads = accounts[0]["downloads"].as_array().unwrap();
        assert_eq!(downloads.len(), 2, "round {round}");
        assert_eq!(device.sales(), 6995.0, "round {round}");
        assert_eq!(device.files("package-").len(), 2, "round {round}");
        bench.revoke_devices();
    }
}
