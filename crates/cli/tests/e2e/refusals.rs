//! Who and what is not let in, and how that is said.

use crate::bench::{Bench, text};

#[test]
fn a_wrong_password_is_refused_and_keeps_nothing() {
    let bench = Bench::new();
    let device = bench.device_with_hub();
    let wrong = |user: &str| {
        let arguments = ["sign-in", "--user", user];
        device.satchel_with_input(&arguments, "wrong").refusal()
    };
    let known = wrong(r"DEMO\ben");
    assert_eq!(known["code"], "sign_in.failed");
    assert_eq!(known, wrong(r"DEMO\nobody"), "who exists must not show");
    assert!(device.files("vault").is_empty());
}

// threat: T-07
#[test]
fn access_types_that_may_not_use_a_device() {
    let bench = Bench::new();
    for (user, code, has) in [
        ("dan", "access_type.not_on_device", "Analyzer capacity"),
        ("eve", "access_type.not_on_device", "Login"),
        ("hal", "access_type.none", "no access type"),
    ] {
        let device = bench.device_with_hub();
        let outcome = device.sign_in(user);
        assert_eq!(outcome.code(), code, "{user}");
        let message = outcome.refusal()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(has), "{message}");
        for would_do in ["Professional", "Analyzer", "User"] {
            assert!(message.contains(would_do), "{message}");
        }
        assert!(device.files("vault").is_empty(), "{user}");
        assert_eq!(device.satchel(&["apps"]).code(), "auth.not_signed_in");
    }
}

// threat: T-22
#[test]
fn section_access_refuses_downloads() {
    let bench = Bench::new();
    let refused = |user: &str, app: &str| {
        let device = bench.device_of(user);
        let outcome = device.satchel(&["download", app]);
        assert_eq!(outcome.code(), "access.denied", "{user}");
        assert!(device.files("package-").is_empty());
        outcome.refusal()
    };
    let gus = refused("gus", "Sales");
    let fay = refused("fay", "Flights from New York");
    assert_eq!(gus, refused("gus", "Flights from New York"));
    assert_eq!(gus["message"], fay["message"], "the reason is not theirs");
}

#[test]
fn an_app_nobody_has() {
    let bench = Bench::new();
    let device = bench.device_of("cleo");
    assert_eq!(
        device.satchel(&["download", "No such"]).code(),
        "app.unknown"
    );
}

// threat: T-10
#[test]
fn certificates_are_checked_every_time() {
    let bench = Bench::new();
    let device = bench.device();
    let refused = |arguments: &[&str]| device.satchel(arguments).code();
    let ca = text(&bench.ca);
    assert_eq!(
        refused(&["hub", "add", &bench.url]),
        "tls.untrusted_issuer",
        "a CA that this device does not know"
    );
    let plain = bench.url.replace("https://", "http://");
    assert_eq!(
        refused(&["hub", "add", &plain, "--ca", ca]),
        "hub.not_https"
    );
    let elsewhere = bench.second_hub("127.0.0.2");
    let url = format!("https://127.0.0.2:{}", elsewhere.port);
    assert_eq!(
        refused(&["hub", "add", &url, "--ca", ca]),
        "tls.name_mismatch"
    );
    let late = device.under_clock("+400d", &["hub", "add", &bench.url, "--ca", ca], "");
    assert_eq!(late.code(), "tls.expired");
    assert_eq!(
        device.satchel(&["hub", "list"]).done()["hubs"],
        serde_json::json!([])
    );

    // Passing once is no pass for later.
    let device = bench.device_with_hub();
    let late = device.under_clock("+400d", &["sign-in", "--user", "ben"], "anything");
    assert_eq!(late.code(), "tls.expired");
    for file in device.files("ca-") {
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(device.sign_in("ben").code(), "tls.untrusted_issuer");
}

// threat: T-06
#[test]
fn a_revoked_device_keeps_nothing_after_the_next_contact() {
    let bench = Bench::new();
    let device = bench.device_with_sales("cleo");
    bench.revoke_devices();
    assert_eq!(device.sales(), 11810.0, "it cannot know yet");
    let contact = device.satchel(&["download", "Sales"]);
    assert_eq!(contact.code(), "device.revoked");
    assert!(device.files("package-").is_empty());
    let ask = ["ask", "Sales", "Sum(AMOUNT)"];
    assert_eq!(device.satchel(&ask).code(), "auth.not_signed_in");
    let status = device.satchel(&["status"]).done();
    assert_eq!(status["accounts"], serde_json::json!([]));
    assert_eq!(device.sign_in("cleo").done()["newly_enrolled"], true);
}
