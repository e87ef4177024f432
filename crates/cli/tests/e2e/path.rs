//! The path of somebody who takes an app along.

use serde_json::{Value, json};

use crate::bench::{Bench, PASSWORD, text};

/// Rows of a manifest: table, of how many, kept.
fn rows(manifest: &Value) -> Vec<(String, u64, u64)> {
    let tables = manifest["tables"].as_array().unwrap();
    let row = |table: &Value| {
        let number = |name: &str| table[name].as_u64().unwrap();
        let name = table["name"].as_str().unwrap().to_owned();
        (name, number("rows_in"), number("rows_out"))
    };
    let mut rows: Vec<_> = tables.iter().map(row).collect();
    rows.sort();
    rows
}

#[test]
fn sign_in_download_and_ask() {
    let bench = Bench::new();
    let device = bench.device();
    assert_eq!(device.satchel(&["apps"]).code(), "hub.unknown");
    let added = device.satchel(&["hub", "add", &bench.url, "--ca", text(&bench.ca)]);
    assert_eq!(added.done(), json!({ "added": bench.url }));
    assert_eq!(device.satchel(&["apps"]).code(), "auth.not_signed_in");

    let signed_in = device.sign_in("ben").done();
    assert_eq!(signed_in["user"], r"DEMO\BEN");
    assert_eq!(signed_in["access_type"], "analyzer");
    assert_eq!(signed_in["offline_hours"], 240);
    assert_eq!(signed_in["newly_enrolled"], true);

    let apps = device.satchel(&["apps"]).done();
    assert_eq!(apps["online"], true);
    let titles: Vec<&str> = apps["apps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|app| app["title"].as_str().unwrap())
        .collect();
    assert!(titles.contains(&"Sales"), "{titles:?}");
    assert!(titles.contains(&"Flights from New York"), "{titles:?}");
    let ask = ["ask", "Sales", "Sum(AMOUNT)", "--by", "COUNTRY"];
    assert_eq!(device.satchel(&ask).code(), "app.not_downloaded");

    let downloaded = device.satchel(&["download", "sales"]).done();
    let manifest = &downloaded["manifest"];
    assert_eq!(manifest["user"], r"DEMO\BEN");
    assert_eq!(manifest["fields_withheld"], 1);
    assert_eq!(
        rows(manifest),
        [("Customers".into(), 6, 3), ("Sales".into(), 16, 6)]
    );

    let answer = device.satchel(&ask).done();
    assert_eq!(answer["columns"], json!(["COUNTRY", "Sum(AMOUNT)"]));
    assert_eq!(answer["rows"], json!([["GERMANY", 6995.0]]));
    let refused = |arguments: &[&str]| device.satchel(arguments).code();
    assert_eq!(
        refused(&["ask", "Sales", "Sum(DISCOUNT)"]),
        "expr.unknown_field",
        "a withheld field is not there"
    );
    let hidden = ["ask", "Sales", "Count(Order)", "--select", "COUNTRY=FRANCE"];
    assert_eq!(refused(&hidden), "select.no_such_value");

    let status = device.satchel(&["status"]).done();
    let account = &status["accounts"][0];
    assert_eq!(account["user"], r"DEMO\BEN");
    assert_eq!(account["lease"]["status"], "running");
    assert_eq!(account["downloads"][0]["title"], "Sales");

    device.satchel(&["remove", "Sales"]).done();
    assert_eq!(device.satchel(&ask).code(), "app.not_downloaded");
    assert!(device.files("package-").is_empty());
}

#[test]
fn everybody_sees_their_own_sums() {
    let bench = Bench::new();
    let expected = [
        (
            "ada",
            json!([["FRANCE", 4815.0], ["GERMANY", 6995.0], ["SWEDEN", 5590.0]]),
        ),
        ("ben", json!([["GERMANY", 6995.0]])),
        ("cleo", json!([["FRANCE", 4815.0], ["GERMANY", 6995.0]])),
        ("fay", json!([["FRANCE", 4815.0], ["GERMANY", 6995.0]])),
    ];
    for (user, rows) in expected {
        let device = bench.device_with_sales(user);
        let ask = ["ask", "Sales", "Sum(AMOUNT)", "--by", "COUNTRY"];
        assert_eq!(device.satchel(&ask).done()["rows"], rows, "{user}");
    }
}

#[test]
fn a_large_app_by_the_beginning_of_its_title() {
    let bench = Bench::new();
    let expected = [("ben", vec!["UA"]), ("cleo", vec!["AA", "DL"])];
    for (user, carriers) in expected {
        let device = bench.device_of(user);
        let manifest = &device.satchel(&["download", "flights"]).done()["manifest"];
        assert_eq!(manifest["title"], "Flights from New York");
        let of_flights = rows(manifest)
            .into_iter()
            .find(|(table, ..)| table == "Flights");
        let (_, all, kept) = of_flights.unwrap();
        assert_eq!(all, 336_776);
        let ask = ["ask", "flights", "Count(FlightId)", "--by", "CARRIER"];
        let answer = device.satchel(&ask).done();
        let found: Vec<&str> = answer["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[0].as_str().unwrap())
            .collect();
        assert_eq!(found, carriers, "{user}");
        assert_eq!(answer["totals"][0].as_f64().unwrap(), kept as f64);
    }
}

#[test]
fn downloads_open_when_the_hub_is_gone() {
    let bench = Bench::new();
    let mut hub = bench.second_hub("127.0.0.1");
    let url = format!("https://127.0.0.1:{}", hub.port);
    let device = bench.device();
    device
        .satchel(&["hub", "add", &url, "--ca", text(&bench.ca)])
        .done();
    device.sign_in("cleo").done();
    device.satchel(&["download", "Sales"]).done();
    hub.stop();

    assert_eq!(device.sales(), 11810.0);
    let selected = ["ask", "Sales", "Sum(AMOUNT)", "--select", "COUNTRY=FRANCE"];
    assert_eq!(device.satchel(&selected).total(), 4815.0);
    let status = device.satchel(&["status"]).done();
    assert_eq!(status["accounts"][0]["lease"]["status"], "running");
    let apps = device.satchel(&["apps"]).done();
    assert_eq!(apps["online"], false);
    assert_eq!(apps["downloads"][0]["title"], "Sales");
    assert_eq!(
        device.satchel(&["download", "Sales"]).code(),
        "hub.unreachable"
    );
    assert_eq!(device.sign_in("cleo").code(), "hub.unreachable");
    assert_eq!(device.sales(), 11810.0, "a failed log-in costs nothing");

    let signed_out = device.satchel(&["sign-out"]).done();
    assert_eq!(signed_out["hub_told"], false);
    let ask = ["ask", "Sales", "Sum(AMOUNT)"];
    assert_eq!(device.satchel(&ask).code(), "lease.not_signed_in");
    assert_eq!(device.files("package-").len(), 1, "the download stays");
}

#[test]
fn signing_in_again_opens_what_signing_out_closed() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    assert_eq!(device.satchel(&["sign-out"]).done()["hub_told"], true);
    let ask = ["ask", "Sales", "Sum(AMOUNT)"];
    assert_eq!(device.satchel(&ask).code(), "lease.not_signed_in");
    assert_eq!(device.satchel(&["apps"]).code(), "auth.not_signed_in");
    let again = device.sign_in("ben").done();
    assert_eq!(again["newly_enrolled"], false);
    assert_eq!(again["removed"], json!([]));
    assert_eq!(device.sales(), 6995.0);
}

#[test]
fn a_remembered_device_signs_in_by_itself() {
    let bench = Bench::new();
    // Six log-ins: the hub keeps five sessions of a person, so the first one is over.
    let log_in = |remember: bool| {
        let device = bench.device_with_hub();
        let mut arguments = vec!["sign-in", "--user", r"DEMO\ada"];
        arguments.extend(remember.then_some("--remember"));
        let signed_in = device.satchel_with_input(&arguments, PASSWORD).done();
        assert_eq!(signed_in["remembered"], remember);
        device
    };
    let remembered = log_in(true);
    let forgotten = log_in(false);
    let others: Vec<_> = (0..5).map(|_| log_in(false)).collect();
    assert_eq!(forgotten.satchel(&["apps"]).code(), "auth.not_signed_in");
    assert_eq!(remembered.satchel(&["apps"]).done()["online"], true);
    drop(others);
}

#[test]
fn a_pin_locks_and_unlocks_offline() {
    let bench = Bench::new();
    let device = bench.device_with_hub();
    let arguments = ["sign-in", "--user", r"DEMO\fay", "--pin"];
    let input = format!("{PASSWORD}\n2580");
    let signed_in = device.satchel_with_input(&arguments, &input).done();
    assert_eq!(signed_in["pin"], true);
    device.satchel(&["download", "Sales"]).done();
    device.satchel(&["lock"]).done();
    let ask = ["ask", "Sales", "Sum(AMOUNT)"];
    assert_eq!(device.satchel(&ask).code(), "vault.locked");
    assert_eq!(device.satchel(&["status"]).code(), "vault.locked");
    let unlock = |pin: &str| device.satchel_with_input(&["unlock"], pin);
    assert_eq!(unlock("0000").code(), "vault.wrong_pin");
    assert_eq!(device.satchel(&ask).code(), "vault.locked");
    unlock("2580").done();
    assert_eq!(device.sales(), 11810.0);
}

// threat: T-06
#[test]
fn wiping_leaves_nothing() {
    let bench = Bench::new();
    let device = bench.device_with_sales("cleo");
    device.satchel(&["wipe", "--yes"]).done();
    assert!(device.files("").is_empty(), "{:?}", device.files(""));
    assert_eq!(device.satchel(&["apps"]).code(), "hub.unknown");
}
