//! Bookmarks are a person's own, and search finds nothing in an app that stays closed.

use serde_json::{Value, json};

use crate::apps::{app_id, hub_with_app};
use crate::harness::Hub;

/// Opens the app as `who`, makes each call on the app's handle, and gives the last answer.
async fn in_app(hub: &Hub, who: &str, calls: &[(&str, Value)]) -> Value {
    let token = hub.sign_in(who).await;
    let id = app_id(hub, &token).await;
    let own = [("origin", "https://hub.example.org")];
    let socket = hub.socket(&format!("/app/{id}"), &token, &own).await;
    let mut socket = socket.ok().unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    let opened = socket.call(-1, "OpenDoc", json!([id])).await;
    let handle = opened["result"]["qReturn"]["qHandle"].as_i64().unwrap();
    let mut last = Value::Null;
    for (method, params) in calls {
        last = socket.call(handle, method, params.clone()).await;
    }
    last
}

async fn titles(hub: &Hub, who: &str) -> Value {
    let options = json!([{"qTypes": ["bookmark"], "qData": {"title": "/qMetaDef/title"}}]);
    let list = in_app(hub, who, &[("GetBookmarks", options)]).await;
    let list = list["result"]["qList"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    list.iter().map(|b| b["qData"]["title"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bookmark_outlives_its_session_and_is_its_makers_alone() {
    let hub = hub_with_app().await;
    let make =
        json!([{"qInfo": {"qId": "mine", "qType": "bookmark"}, "qMetaDef": {"title": "Mine"}}]);
    in_app(&hub, "professional", &[("CreateBookmark", make)]).await;
    assert_eq!(titles(&hub, "professional").await, json!(["Mine"]));
    // Neither the owner of the app nor what the owner saves knows of it.
    assert_eq!(titles(&hub, "analyzer").await, json!([]));
    in_app(&hub, "analyzer", &[("DoSave", json!([]))]).await;
    assert_eq!(titles(&hub, "professional").await, json!(["Mine"]));
    in_app(
        &hub,
        "professional",
        &[("DestroyBookmark", json!(["mine"]))],
    )
    .await;
    assert_eq!(titles(&hub, "professional").await, json!([]));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owners_bookmark_stays_out_of_the_app_when_it_is_saved() {
    let hub = hub_with_app().await;
    let make =
        json!([{"qInfo": {"qId": "own", "qType": "bookmark"}, "qMetaDef": {"title": "Own"}}]);
    let calls = [("CreateBookmark", make), ("DoSave", json!([]))];
    in_app(&hub, "analyzer", &calls).await;
    assert_eq!(titles(&hub, "professional").await, json!([]));
    assert_eq!(titles(&hub, "analyzer").await, json!(["Own"]));
    in_app(&hub, "analyzer", &[("DestroyBookmark", json!(["own"]))]).await;
    assert_eq!(titles(&hub, "analyzer").await, json!([]));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_finds_sheets_only_for_whom_the_app_opens() {
    let hub = hub_with_app().await;
    let sheet =
        json!([{"qInfo": {"qId": "s1", "qType": "sheet"}, "qMetaDef": {"title": "Über alles"}}]);
    let calls = [("CreateObject", sheet), ("DoSave", json!([]))];
    in_app(&hub, "analyzer", &calls).await;
    // `user` sees the app in the list, but section access does not let them in.
    for (who, n_hits) in [("analyzer", 1), ("professional", 1), ("user", 0)] {
        let token = hub.sign_in(who).await;
        let found = hub
            .browser("GET /api/v1/search?q=%C3%BCber+ALL", &token, &[], None)
            .await
            .json();
        let hits = found["hits"].as_array().unwrap();
        assert_eq!(hits.len(), n_hits, "{who}: {found}");
        if let Some(hit) = hits.first() {
            assert_eq!(
                (&hit["sheet"], &hit["title"]),
                (&json!("s1"), &json!("Über alles"))
            );
        }
    }
    hub.stop().await;
}
