//! Policy on a real device and hub: who decides, who sees it, and that the client keeps to it.

use serde_json::json;

use crate::bench::{Bench, Device, PASSWORD};

/// A policy of whoever starts the client, beside what the hub says.
fn with_policy(device: &Device, policy: &serde_json::Value) {
    device.set_policy(&policy.to_string());
}

// threat: T-43
#[test]
fn both_say_something_and_the_stricter_holds() {
    let bench = Bench::new();
    // Another process serves the hub from here on: it reads its settings when it starts.
    bench.administer(&[
        "policy",
        "set",
        "--user",
        r"DEMO\cleo",
        "--key",
        "max_offline_hours=50",
        "--key",
        "idle_minutes=5",
    ]);
    let shown = bench.administer(&["policy", "show", r"DEMO\cleo"]);
    let row = |name: &str| {
        let rows = shown.as_array().unwrap();
        rows.iter()
            .find(|row| row["policy"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (
            row("idle_minutes")["value"].as_str(),
            row("idle_minutes")["decided_by"].as_str()
        ),
        (Some("5"), Some(r"DEMO\CLEO"))
    );
    assert_eq!(row("pin_tries")["decided_by"], "built in");
    let hub = bench.second_hub("127.0.0.1");
    let url = format!("https://127.0.0.1:{}", hub.port);
    let device = bench.device();
    device
        .satchel(&["hub", "add", &url, "--ca", crate::bench::text(&bench.ca)])
        .done();
    let signed_in = device.sign_in("cleo").done();
    assert_eq!(signed_in["offline_hours"], 50);
    device.satchel(&["download", "Sales"]).done();

    let policy = device.satchel(&["policy"]).done();
    assert_eq!(
        policy["policy"]["max_offline_hours"],
        json!({
            "value": 50, "shown": "50", "decided_by": [url], "client": "Enforced."
        })
    );
    with_policy(
        &device,
        &json!({"max_offline_hours": 20, "idle_minutes": 30, "teleport": 1}),
    );
    let policy = device.satchel(&["policy"]).done();
    assert_eq!(policy["policy"]["max_offline_hours"]["value"], 20);
    assert_eq!(policy["policy"]["idle_minutes"]["decided_by"], json!([url]));
    assert_eq!(policy["unknown"], json!(["teleport"]));
    assert_eq!(
        device.satchel(&["status"]).done()["accounts"][0]["lease"]["offline_hours"],
        20
    );
    assert_eq!(device.sales(), 11810.0);

    // What is demanded is demanded of what is here already.
    with_policy(&device, &json!({"require_lock": true}));
    let ask = ["ask", "Sales", "Sum(AMOUNT)"];
    assert_eq!(device.satchel(&ask).code(), "policy.lock_required");
    assert_eq!(
        device.satchel(&["open", "Sales", "--no-browser"]).code(),
        "policy.lock_required"
    );
    device.satchel_with_input(&["pin", "set"], "2580").done();
    assert!(
        device.files("vault.key").is_empty(),
        "no key lies beside the vault"
    );
    assert_eq!(device.sales(), 11810.0);
    assert_eq!(
        device.satchel_with_input(&["pin", "remove"], "2580").code(),
        "policy.lock_required"
    );
    with_policy(&device, &json!({"pin_length": 6}));
    assert_eq!(device.satchel(&ask).code(), "policy.pin_too_short");
    with_policy(&device, &json!({"allow_downloads": false}));
    assert_eq!(device.satchel(&ask).code(), "policy.no_downloads");
    with_policy(&device, &json!({"minimum_client": "99"}));
    assert_eq!(device.satchel(&ask).code(), "policy.client_too_old");
    with_policy(
        &device,
        &json!({"hubs": ["https://other.example"], "hubs_locked": true}),
    );
    assert_eq!(
        device
            .satchel(&["--hub", &url, "ask", "Sales", "Sum(AMOUNT)"])
            .code(),
        "policy.hub_not_allowed"
    );
    with_policy(&device, &json!({"certificate_pins": ["0".repeat(64)]}));
    assert_eq!(
        device.satchel(&["hub", "check", &url]).code(),
        "tls.not_pinned"
    );
    // A policy that is no policy is not passed over.
    with_policy(&device, &json!({"pin_tries": 99}));
    assert_eq!(device.satchel(&["status"]).code(), "policy.unreadable");
    with_policy(&device, &json!({}));
    assert_eq!(device.sales(), 11810.0);
    bench.administer(&[
        "policy",
        "set",
        "--user",
        r"DEMO\cleo",
        "--unset",
        "max_offline_hours",
        "--unset",
        "idle_minutes",
    ]);
}

// threat: T-01
#[test]
fn wrong_pins_destroy_the_vault_as_soon_as_policy_says() {
    let bench = Bench::new();
    let device = bench.device_with_hub();
    with_policy(
        &device,
        &json!({"pin_tries": 3, "require_lock": true, "pin_length": 6}),
    );
    assert_eq!(device.sign_in("cleo").code(), "policy.lock_required");
    let sign_in = ["sign-in", "--user", r"DEMO\cleo", "--pin"];
    let short = device.satchel_with_input(&sign_in, &format!("{PASSWORD}\n2580"));
    assert_eq!(short.code(), "policy.pin_too_short");
    device
        .satchel_with_input(&sign_in, &format!("{PASSWORD}\n258036"))
        .done();
    device.satchel(&["download", "Sales"]).done();
    device.satchel(&["lock"]).done();
    for code in ["vault.wrong_pin", "vault.wrong_pin", "vault.destroyed"] {
        assert_eq!(
            device.satchel_with_input(&["unlock"], "000000").code(),
            code
        );
    }
    assert_eq!(
        device.satchel_with_input(&["unlock"], "258036").code(),
        "vault.destroyed"
    );
    with_policy(&device, &json!({}));
    assert_eq!(
        device.satchel_with_input(&["unlock"], "258036").code(),
        "vault.destroyed"
    );
}

// threat: T-02
#[test]
fn a_stricter_idle_time_locks_what_is_unlocked() {
    let bench = Bench::new();
    let device = bench.device_with_hub();
    let sign_in = ["sign-in", "--user", r"DEMO\cleo", "--pin"];
    device
        .satchel_with_input(&sign_in, &format!("{PASSWORD}\n2580"))
        .done();
    device.satchel(&["download", "Sales"]).done();
    let ask = ["ask", "Sales", "Sum(AMOUNT)"];
    let start = crate::bench::Time::in_an_hour();
    device
        .under_clock(&start.to_text(), &["unlock"], "2580")
        .done();
    let used = start.plus(0, 14 * 60);
    assert_eq!(device.satchel_at(used, &ask).total(), 11810.0);
    with_policy(&device, &json!({"idle_minutes": 3}));
    let later = used.plus(0, 3 * 60 + 1);
    assert_eq!(device.satchel_at(later, &ask).code(), "vault.locked");
    with_policy(&device, &json!({}));
    assert_eq!(
        device.satchel_at(later, &ask).code(),
        "vault.locked",
        "the key is gone"
    );
}
