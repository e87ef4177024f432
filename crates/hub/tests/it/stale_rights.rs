//! Rights and confirmations of before do not count for what comes after.

use std::cell::RefCell;

use satchel_contract::AccessType;
use serde_json::{Value, json};

use crate::apps::{app_id, hub_with_app};
use crate::faults::set_script;
use crate::harness::{Hub, Socket};

const OWN: [(&str, &str); 1] = [("origin", "https://hub.example.org")];

/// A socket of somebody in which the app is open, and the handle of the app.
async fn opened(hub: &Hub, who: &str) -> (Socket, String, i64) {
    let token = hub.sign_in(who).await;
    let id = app_id(hub, &token).await;
    let path = format!("/app/{id}");
    let mut socket = hub.socket(&path, &token, &OWN).await.ok().unwrap();
    for _ in 0..2 {
        socket.read().await.unwrap();
    }
    let opened = socket.call(-1, "OpenDoc", json!([id])).await;
    let handle = opened["result"]["qReturn"]["qHandle"].as_i64().unwrap();
    (socket, id, handle)
}

async fn save(socket: &mut Socket, doc: i64) -> Value {
    socket.call(doc, "DoSave", json!([])).await
}

// threat: T-24
#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_other_groups_now_opens_nothing_more_and_must_come_back() {
    let hub = hub_with_app().await;
    let (mut socket, id, _) = opened(&hub, "professional").await;
    hub.command(&["user", "set", "TEST\\PROFESSIONAL", "--group", "ELSEWHERE"])
        .unwrap();
    let again = socket.call(-1, "OpenDoc", json!([id])).await;
    assert!(again["error"]["code"].is_i64(), "{again}");
    hub.clock.advance(10_000);
    socket
        .write(&json!({"id": 9, "handle": -1, "method": "EngineVersion", "params": []}).to_string())
        .await;
    assert_eq!(socket.read().await, Err(1012));
    // As who they are now, they are let in again.
    opened(&hub, "professional").await;
    hub.stop().await;
}

// threat: T-24
#[tokio::test(flavor = "multi_thread")]
async fn who_may_edit_since_they_opened_an_app_does_not_save_what_they_were_shown() {
    let hub = hub_with_app().await;
    hub.command(&["user", "set", "TEST\\PROFESSIONAL", "--group", "field"])
        .unwrap();
    let (mut reader, id, doc) = opened(&hub, "professional").await;
    hub.command(&[
        "rules",
        "add",
        "Editors",
        "--filter",
        "App_*",
        "--action",
        "update",
        "--when",
        r#"user.groups = "field""#,
    ])
    .unwrap();
    hub.command(&["app", "reload", "sales"]).unwrap();
    reader.call(-1, "OpenDoc", json!([id])).await;
    let refused = save(&mut reader, doc).await;
    assert!(refused["error"]["code"].is_i64(), "{refused}");
    let (mut owner, _, doc) = opened(&hub, "analyzer").await;
    let script = owner.call(doc, "GetScript", json!([])).await;
    let script = script["result"]["qScript"].as_str().unwrap();
    assert!(script.contains("SECTION ACCESS"), "{script}");
    hub.stop().await;
}

// threat: T-16
#[tokio::test(flavor = "multi_thread")]
async fn what_an_editor_keeps_for_themselves_is_in_no_readers_app() {
    let hub = hub_with_app().await;
    let (mut owner, id, doc) = opened(&hub, "analyzer").await;
    for kind in ["sheet", "snapshot"] {
        let properties =
            json!({"qInfo": {"qId": format!("my-{kind}"), "qType": kind}, "title": "SOUTH 4"});
        let made = owner.call(doc, "CreateObject", json!([properties])).await;
        let handle = made["result"]["qReturn"]["qHandle"].as_i64().unwrap();
        if kind == "snapshot" {
            owner.call(handle, "Publish", json!([])).await;
        }
    }
    assert!(save(&mut owner, doc).await["error"].is_null());
    let (mut reader, _, doc) = opened(&hub, "professional").await;
    for kind in ["sheet", "snapshot"] {
        let found = reader
            .call(doc, "GetObject", json!([format!("my-{kind}")]))
            .await;
        assert_eq!(found["error"]["code"], 2, "{found}");
    }
    let all = reader.call(doc, "GetAllInfos", json!([])).await;
    assert!(!all.to_string().contains("my-"), "{all}");
    let (mut again, _, doc) = opened(&hub, "analyzer").await;
    let found = again.call(doc, "GetObject", json!(["my-sheet"])).await;
    assert!(found["error"].is_null(), "{found} of {id}");
    hub.stop().await;
}

// threat: T-20
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_section_access_is_confirmed_each_time() {
    let hub = hub_with_app().await;
    let without = |script: &str| {
        let at = script.find("SECTION APPLICATION;").unwrap();
        script[at..].to_owned()
    };
    let before = RefCell::new(String::new());
    for _ in 0..2 {
        set_script(&hub, |script| {
            *before.borrow_mut() = script.to_owned();
            without(script)
        })
        .await;
        hub.command(&["app", "reload", "sales"]).unwrap_err();
        hub.command(&[
            "app",
            "reload",
            "sales",
            "--confirm",
            "section-access:removed",
        ])
        .unwrap();
        set_script(&hub, |_| before.borrow().clone()).await;
        hub.command(&["app", "reload", "sales"]).unwrap();
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_one_person_are_kept_by_nobody_on_the_way() {
    let hub = Hub::start(&[AccessType::Professional]).await;
    let token = hub.sign_in("professional").await;
    for request in ["GET /api/v1/me", "GET /api/v1/apps", "GET /api/v1/nothing"] {
        let answer = hub.browser(request, &token, &[], None).await;
        assert_eq!(answer.headers["cache-control"], "no-store", "{request}");
    }
    hub.stop().await;
}
