//! `satchel open`: the web UI and the engine on loopback, and who is let in.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::bench::{Bench, PASSWORD, Time, false_clock, text};
use crate::served::{OPEN, Served, serve};

#[test]
fn the_present_time_of_a_session_is_that_of_this_computer() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let mut there = Command::new(device.program());
    there.env("TZ", "IST-5:30");
    let served = Served::new(device.spawn(there, &OPEN));
    let mut session = served.session();
    let doc = session.open(&served.app);
    for now in ["Now()", "LocalTime()"] {
        let ahead = session.sum(doc, &format!("Round(({now} - UTC()) * 1440)"));
        assert_eq!(ahead, 330.0, "{now}");
    }
}

#[test]
fn an_app_opens_with_the_hub_down_and_agrees_with_ask() {
    let bench = Bench::new();
    let mut hub = bench.second_hub("127.0.0.1");
    let url = format!("https://127.0.0.1:{}", hub.port);
    let device = bench.device();
    device
        .satchel(&["hub", "add", &url, "--ca", text(&bench.ca)])
        .done();
    device.sign_in("ben").done();
    device.satchel(&["download", "Sales"]).done();
    hub.stop();

    let served = serve(&device);
    let mut session = served.session();
    let doc = session.open(&served.app);
    assert_eq!(session.sum(doc, "Sum(AMOUNT)"), device.sales());
    let save = session.call(doc, "DoSave", &json!([]));
    assert!(save["error"].is_object(), "nothing is saved here: {save}");

    let page = served.get_as_owner("/");
    assert!(page.contains("satchel-place"), "{page}");
    assert!(page.contains("cache-control: no-store"), "{page}");
    assert!(page.contains("default-src 'none'"), "{page}");
    for absent in ["/sw.js", "/api/v1/me", "/package-1"] {
        let answer = served.get_as_owner(absent);
        assert!(answer.starts_with("HTTP/1.1 404"), "{absent}: {answer}");
    }
    let state = served.get_as_owner("/api/v1/device");
    assert!(state.contains(r#""title":"Sales""#), "{state}");
}

// threat: T-42
#[test]
fn nobody_else_is_let_in() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let served = serve(&device);
    for path in ["/", "/api/v1/device", "/icon.svg", served.path.as_str()] {
        let answer = served.get(path, &[]);
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
        assert!(!answer.contains("Sales"), "{answer}");
    }
    let cookie = ("cookie", served.cookie.as_str());
    let foreign_host = ("host", "evil.example");
    let answer = served.get("/api/v1/device", &[cookie, foreign_host]);
    assert!(answer.contains("loopback.foreign_host"), "{answer}");
    assert_eq!(served.connect(&[]).err(), Some(403), "no cookie");
    assert_eq!(served.connect(&[cookie, foreign_host]).err(), Some(403));
    for origin in ["https://evil.example", "http://127.0.0.1:1", "null"] {
        let refused = served.connect(&[cookie, ("origin", origin)]);
        assert_eq!(refused.err(), Some(403), "{origin}");
    }
    let own = format!("http://{}", served.host());
    assert!(served.connect(&[cookie, ("origin", &own)]).is_ok());
}

// threat: T-05
#[test]
fn the_end_of_the_lease_closes_what_is_open() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    device.sign_in("ben").done();
    let launch = Time::in_an_hour();
    let clock = device.home().with_file_name("clock");
    let set = |time: Time| {
        // Replaced as a whole: the client reads it at every look at the time.
        let next = clock.with_extension("next");
        fs::write(&next, time.to_text()).unwrap();
        fs::rename(next, &clock).unwrap();
    };
    device.satchel_at(launch, &["status"]).done();
    set(launch.plus(239, 3599));
    let mut faked = Command::new(device.program());
    false_clock(&mut faked)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_TIMESTAMP_FILE", &clock);
    let served = Served::new(device.spawn(faked, &OPEN));
    let mut session = served.session();
    let doc = session.open(&served.app);
    assert_eq!(session.sum(doc, "Sum(AMOUNT)"), 6995.0, "a second is left");
    set(launch.plus(240, 0));
    let end = session.end();
    assert_eq!(
        (u16::from(end.code), end.reason.as_str()),
        (4100, "lease.expired")
    );
    let mut late = served.session();
    assert_eq!(late.end().reason.as_str(), "lease.expired");
    let state = served.get_as_owner("/api/v1/device");
    assert!(state.contains(r#""code":"lease.expired""#), "{state}");
    let refused = device.satchel_at(launch.plus(240, 0), &OPEN);
    assert_eq!(refused.code(), "lease.expired");
}

// threat: T-02
#[test]
fn locking_elsewhere_closes_what_is_open() {
    let bench = Bench::new();
    let device = bench.device_with_hub();
    let arguments = ["sign-in", "--user", r"DEMO\fay", "--pin"];
    let input = format!("{PASSWORD}\n2580");
    device.satchel_with_input(&arguments, &input).done();
    device.satchel(&["download", "Sales"]).done();
    let served = serve(&device);
    let mut session = served.session();
    session.open(&served.app);
    device.satchel(&["lock"]).done();
    assert_eq!(session.end().reason.as_str(), "vault.locked");
    let state = served.get_as_owner("/api/v1/device");
    assert!(state.contains(r#""locked":true"#), "{state}");
    assert!(!state.contains("Sales"), "{state}");
    assert_eq!(device.satchel(&OPEN).code(), "vault.locked");
}

#[test]
fn what_ask_refuses_is_not_served() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let package = device.package();
    let genuine = fs::read(&package).unwrap();
    let mut changed = genuine.clone();
    changed[genuine.len() / 2] ^= 1;
    fs::write(&package, &changed).unwrap();
    let code = device.satchel(&OPEN).code();
    assert!(code.starts_with("package."), "{code}");
    let other = bench.device_with_sales("ada");
    fs::write(&package, fs::read(other.package()).unwrap()).unwrap();
    assert_eq!(device.satchel(&OPEN).code(), "package.wrong_user");
    fs::write(&package, &genuine).unwrap();
    let served = serve(&device);
    device.satchel(&["sign-out"]).done();
    assert_eq!(served_end(&served), "lease.not_signed_in");
    assert_eq!(device.satchel(&OPEN).code(), "lease.not_signed_in");
}

/// How a session that does nothing ends.
fn served_end(served: &Served) -> String {
    served.session().end().reason.as_str().to_owned()
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_in_order() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let mut served = serve(&device);
    let mut session = served.session();
    session.open(&served.app);
    let pid = served.child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    assert_eq!(u16::from(session.end().code), 1001);
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}
