//! A hub that is killed or whose disk is full: nothing is lost, nothing half-visible stays.

use std::time::{Duration, Instant, SystemTime};

use satchel_contract::AccessType;
use serde_json::{Value, json};

use crate::apps::{app_id, enrol, evaluate, import, prepare};
use crate::harness::{Hub, PASSWORD, credentials};
use crate::process::{Process, names, spawn, wait_until};

const PEOPLE: [AccessType; 2] = [AccessType::Professional, AccessType::Analyzer];

/// A hub with the app `sales`, reloaded once, that nobody serves yet.
async fn prepared() -> Hub {
    let hub = Hub::prepared(&PEOPLE).await;
    import(&hub);
    hub
}

/// The data of the app is now this many rows, whose amounts are all `amount`.
fn write_rows(hub: &Hub, n_rows: u64, amount: u64) {
    let mut text = String::from("Region,Amount,Margin\n");
    for row in 0..n_rows {
        text += &format!("R{row},{amount},{row}\n");
    }
    std::fs::write(hub.dir.path().join("sales/sales.csv"), text).unwrap();
}

async fn sum(hub: &Hub) -> u64 {
    let value = evaluate(hub, "analyzer", "Sum(Amount)").await;
    value["qNumber"]
        .as_f64()
        .unwrap_or_else(|| panic!("{value}")) as u64
}

pub async fn set_script(hub: &Hub, change: impl Fn(&str) -> String) {
    let store = hub.store().await;
    let app = store.find_app("sales").await.unwrap();
    let content = store.blobs().read(&app.content).unwrap();
    let mut content: Value = serde_json::from_slice(&content).unwrap();
    content["script"] = change(content["script"].as_str().unwrap()).into();
    let blob = store.blobs().put(content.to_string().as_bytes()).unwrap();
    store
        .save_content(&app.id, &blob, app.modified_at)
        .await
        .unwrap();
    store.close().await;
}

/// Whatever the instant, the old data is served or the new, whole, and what a kill leaves on
/// the disk does not stay for ever.
// threat: T-23
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_killed_at_any_instant_is_there_or_not() {
    const ROWS: u64 = 20_000;
    const KILLS: u32 = 16;
    let mut hub = prepared().await;
    let process = Process::serve(&mut hub);
    write_rows(&hub, ROWS, 1);
    let began = Instant::now();
    hub.command(&["app", "reload", "sales"]).unwrap();
    let whole = began.elapsed();
    let store = hub.store().await;
    let mut served = (store.find_app("sales").await.unwrap().reload, 1);
    for kill in 0..KILLS {
        let amount = u64::from(kill) + 2;
        write_rows(&hub, ROWS, amount);
        let mut reload = spawn(&hub, &["app", "reload", "sales"]);
        let at = Instant::now() + whole * kill / (KILLS - 2);
        while Instant::now() < at {
            std::thread::yield_now();
        }
        let _ = reload.kill();
        reload.wait().unwrap();
        let now = store.find_app("sales").await.unwrap().reload;
        if now != served.0 {
            assert_eq!(now, served.0 + 1);
            served = (now, amount);
        }
        assert_eq!(sum(&hub).await, ROWS * served.1, "kill {kill} of {KILLS}");
    }

    // Hours later, the hub having been killed as well.
    process.kill();
    let blobs = hub.dir.path().join("hub/blobs");
    std::fs::write(blobs.join(".new-1-1"), "half").unwrap();
    let old = SystemTime::now() - Duration::from_secs(7_200);
    for name in names(&blobs) {
        let file = std::fs::File::options().write(true).open(blobs.join(name));
        file.unwrap().set_modified(old).unwrap();
    }
    let process = Process::serve(&mut hub);
    let app = store.find_app("sales").await.unwrap();
    let mut wanted = vec![".lock".to_owned(), app.content.as_str().into()];
    wanted.push(app.data.unwrap().as_str().into());
    wanted.sort();
    wait_until("only what is used is kept", || names(&blobs) == wanted);
    assert_eq!(sum(&hub).await, ROWS * served.1);
    assert!(hub.command(&["audit", "verify"]).is_ok());
    drop(process);
}

/// Whatever the instant, the app is there as it was or it is gone, and then its data goes too.
#[tokio::test(flavor = "multi_thread")]
async fn the_removal_of_an_app_killed_at_any_instant_is_done_or_not() {
    const KILLS: u32 = 10;
    let mut hub = prepared().await;
    let mut process = Process::serve(&mut hub);
    let began = Instant::now();
    hub.command(&["app", "remove", "sales"]).unwrap();
    let whole = began.elapsed();
    let store = hub.store().await;
    let mut n_removed = 0;
    for kill in 0..KILLS {
        import(&hub);
        let removed = if kill % 3 == 2 {
            // The hub that serves it dies as well.
            let mut removal = spawn(&hub, &["app", "remove", "sales"]);
            process.kill();
            process = Process::serve(&mut hub);
            removal.wait().unwrap();
            true
        } else {
            let mut removal = spawn(&hub, &["app", "remove", "sales"]);
            let at = Instant::now() + whole * kill / (KILLS - 2);
            while Instant::now() < at {
                std::thread::yield_now();
            }
            let _ = removal.kill();
            removal.wait().unwrap();
            false
        };
        match store.find_app("sales").await {
            Ok(app) => {
                assert!(!removed, "kill {kill}");
                assert_eq!(sum(&hub).await, 15, "kill {kill}");
                assert!(store.blobs().read(&app.content).is_ok());
                hub.command(&["app", "remove", "sales"]).unwrap();
            }
            Err(_) => {
                n_removed += 1;
                let token = hub.sign_in("analyzer").await;
                let apps = hub.browser("GET /api/v1/apps", &token, &[], None).await;
                assert_eq!(apps.json()["apps"], json!([]), "kill {kill}");
            }
        }
        assert!(hub.command(&["audit", "verify"]).is_ok(), "kill {kill}");
    }
    assert!(n_removed > 0);
    // Nothing of them stays once it is old enough.
    let blobs = hub.dir.path().join("hub/blobs");
    let old = SystemTime::now() - Duration::from_secs(7_200);
    for name in names(&blobs) {
        let file = std::fs::File::options().write(true).open(blobs.join(name));
        file.unwrap().set_modified(old).unwrap();
    }
    process.kill();
    let process = Process::serve(&mut hub);
    wait_until("nothing is kept", || names(&blobs) == [".lock"]);
    drop(process);
}

/// The reload runs inside the hub and has come to its last statement but one.
// threat: T-23
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_killed_in_the_middle_of_a_reload_serves_the_last_good_data() {
    let mut hub = prepared().await;
    let process = Process::serve(&mut hub);
    let before = sum(&hub).await;
    write_rows(&hub, 3, 1_000);
    let tail = "\nSTORE Sales INTO [reached.csv] (txt);\nSleep 600000;\n";
    set_script(&hub, |script| format!("{script}{tail}")).await;

    let token = hub.sign_in("analyzer").await;
    let id = app_id(&hub, &token).await;
    let own = [("origin", "https://hub.example.org")];
    let path = format!("/app/{id}");
    let mut socket = hub.socket(&path, &token, &own).await.ok().unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    let opened = socket.call(-1, "OpenDoc", json!([id])).await;
    let handle = &opened["result"]["qReturn"]["qHandle"];
    let reload = json!({ "id": 2, "handle": handle, "method": "DoReload", "params": [] });
    socket.write(&reload.to_string()).await;
    let reached = hub.dir.path().join("sales/reached.csv");
    wait_until("the end of the script", || reached.exists());
    process.kill();

    let process = Process::serve(&mut hub);
    assert_eq!(sum(&hub).await, before);
    set_script(&hub, |script| script.replace(tail, "")).await;
    hub.command(&["app", "reload", "sales"]).unwrap();
    assert_eq!(sum(&hub).await, 3_000);
    drop(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_being_prepared_when_the_hub_is_killed_is_not_waited_for() {
    let mut hub = prepared().await;
    write_rows(&hub, 20_000, 1);
    hub.command(&["app", "reload", "sales"]).unwrap();
    let mut process = Process::serve(&mut hub);
    let device = enrol(&hub, "analyzer").await;
    let app = app_id(&hub, &device.token).await;
    let mut states = Vec::new();
    for _ in 0..6 {
        let start = format!("POST /api/v1/apps/{app}/downloads");
        let body = Some(json!({ "device": device.id }));
        let started = hub.native(&start, &device.token, body).await;
        assert_eq!(started.status, 201, "{started:?}");
        process.kill();
        process = Process::serve(&mut hub);
        let id = started.json()["id"].as_str().unwrap().to_owned();
        let status = format!("GET /api/v1/downloads/{id}");
        let status = hub.native(&status, &device.token, None).await.json();
        let state = status["state"].as_str().unwrap().to_owned();
        match state.as_str() {
            "ready" => {}
            "failed" => assert_eq!(status["error"]["code"], "download.interrupted"),
            _ => panic!("nobody prepares it: {status}"),
        }
        states.push(state);
    }
    assert!(states.iter().any(|s| s == "failed"), "{states:?}");
    prepare(&hub, &device, &app).await;
}

// threat: T-23
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_with_a_full_disk_says_so_serves_on_and_recovers() {
    let mut hub = prepared().await;
    write_rows(&hub, 60_000, 1);
    hub.command(&["app", "reload", "sales"]).unwrap();
    let process = Process::serve_on_small_disk(&mut hub, 32);
    let device = enrol(&hub, "analyzer").await;
    let app = app_id(&hub, &device.token).await;
    let token = hub.sign_in("analyzer").await;
    let own = [("origin", "https://hub.example.org")];
    // Sessions of their own: those at one address are one.
    let path = format!("/app/{app}/identity/open");
    let mut socket = hub.socket(&path, &token, &own).await.ok().unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    let opened = socket.call(-1, "OpenDoc", json!([app])).await;
    let handle = opened["result"]["qReturn"]["qHandle"].as_i64().unwrap();
    let sign_in = async || {
        let body = Some(credentials("professional", PASSWORD));
        hub.browser("POST /api/v1/sign-in", "", &[], body).await
    };
    let start = format!("POST /api/v1/apps/{app}/downloads");
    let body = || Some(json!({ "device": device.id }));

    // Room for a note that it failed, not for the package.
    process.fill(&hub, 256 * 1024);
    let started = hub.native(&start, &device.token, body()).await;
    assert_eq!(started.status, 201, "{started:?}");
    let id = started.json()["id"].as_str().unwrap().to_owned();
    let failed = loop {
        let status = format!("GET /api/v1/downloads/{id}");
        let status = hub.native(&status, &device.token, None).await.json();
        if status["state"] != "preparing" {
            break status;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(failed["state"], "failed", "{failed}");
    assert_eq!(failed["error"]["code"], "storage.full");
    assert_ne!(failed["error"]["next"], "");

    process.fill(&hub, 0);
    write_rows(&hub, 60_000, 2);
    let reload = process.command(&hub, &["app", "reload", "sales"]);
    assert!(
        reload.as_ref().is_err_and(|e| e.contains("storage.full")),
        "{reload:?}"
    );
    for refused in [
        sign_in().await,
        hub.native(&start, &device.token, body()).await,
    ] {
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (507, "storage.full")
        );
    }
    // What cannot be written into the audit log does not happen.
    let again = socket.call(-1, "OpenDoc", json!([app])).await;
    let elsewhere = format!("/app/{app}/identity/other");
    let mut other = hub.socket(&elsewhere, &token, &own).await.ok().unwrap();
    other.read().await.unwrap();
    other.read().await.unwrap();
    let refused = other.call(-1, "OpenDoc", json!([app])).await;
    assert!(refused["error"]["code"].is_i64(), "{refused} after {again}");
    // What is open stays open, and lists are shown.
    let total = socket
        .call(handle, "EvaluateEx", json!(["Sum(Amount)"]))
        .await;
    assert_eq!(total["result"]["qValue"]["qNumber"], 60_000, "{total}");
    let apps = hub.browser("GET /api/v1/apps", &token, &[], None).await;
    assert_eq!(apps.status, 200);

    process.make_room(&hub);
    assert_eq!(sign_in().await.status, 200);
    process.command(&hub, &["app", "reload", "sales"]).unwrap();
    assert_eq!(sum(&hub).await, 120_000);
    prepare(&hub, &device, &app).await;
    process.command(&hub, &["audit", "verify"]).unwrap();
}
