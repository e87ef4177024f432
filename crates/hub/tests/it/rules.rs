//! Who may do what, and by which rule, as the hub carries it out.

use serde_json::{Value, json};

use crate::apps::{app_id, hub_with_app};
use crate::harness::{Hub, PASSWORD, run};

async fn list(hub: &Hub, token: &str) -> Value {
    hub.browser("GET /api/v1/apps", token, &[], None)
        .await
        .json()
}

// threat: T-06
#[tokio::test(flavor = "multi_thread")]
async fn offline_access_is_a_right_of_its_own() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("professional").await;
    let app = app_id(&hub, &token).await;
    let preview = format!("GET /api/v1/apps/{app}/download-preview");
    assert_eq!(hub.browser(&preview, &token, &[], None).await.status, 200);
    assert_eq!(list(&hub, &token).await["apps"][0]["may_download"], true);
    hub.command(&["rules", "set", "AccessOffline", "off"])
        .unwrap();
    let refused = hub.browser(&preview, &token, &[], None).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "access.not_offline")
    );
    let apps = list(&hub, &token).await;
    assert_eq!(apps["apps"][0]["may_download"], false, "{apps}");
    // Those of a group may, by a rule of this hub's own.
    hub.command(&[
        "rules",
        "add",
        "FieldOffline",
        "--filter",
        "App_*",
        "--action",
        "access-offline",
        "--when",
        r#"user.groups = "field" and resource.stream.HasPrivilege("read")"#,
    ])
    .unwrap();
    assert_eq!(hub.browser(&preview, &token, &[], None).await.status, 403);
    hub.command(&["user", "set", "TEST\\professional", "--group", "Field"])
        .unwrap();
    assert_eq!(hub.browser(&preview, &token, &[], None).await.status, 200);
    let explained = hub
        .command(&[
            "rules",
            "explain",
            "TEST\\professional",
            "access-offline",
            "app:sales",
        ])
        .unwrap();
    assert!(explained.contains("FieldOffline"), "{explained}");
    hub.command(&["rules", "remove", "FieldOffline"]).unwrap();
    let explained = hub
        .command(&[
            "rules",
            "explain",
            "TEST\\professional",
            "access-offline",
            "app:sales",
        ])
        .unwrap();
    assert!(explained.contains("no rule allows it"), "{explained}");
    hub.stop().await;
}

// threat: T-08
#[tokio::test(flavor = "multi_thread")]
async fn who_sees_what_and_who_may_ask() {
    let hub = hub_with_app().await;
    let professional = hub.sign_in("professional").await;
    let ask = async |token: &str| {
        let query = "user=TEST%5CPROFESSIONAL&action=read&resource=app:sales";
        let request = format!("GET /api/v1/rules/explain?{query}");
        hub.browser(&request, token, &[], None).await
    };
    assert_eq!(ask(&professional).await.code(), "rules.not_yours");
    for (name, role) in [
        ("sec", "SecurityAdmin"),
        ("aud", "AuditAdmin"),
        ("dep", "DeploymentAdmin"),
    ] {
        let id = format!("TEST\\{name}");
        let add = ["user", "add", &id, "--role", role, "--password-stdin"];
        run(hub.dir.path(), &add, Some(PASSWORD)).unwrap();
        hub.command(&["licence", "assign", &id, "professional"])
            .unwrap();
        let token = hub.sign_in(name).await;
        let answer = ask(&token).await;
        if role == "DeploymentAdmin" {
            assert_eq!(answer.code(), "rules.not_yours");
        } else {
            assert_eq!(answer.json()["allowed"], true);
            assert_eq!(answer.json()["rules"][0]["name"], "Stream");
        }
    }
    // Without the stream nobody but owners and administrators of content sees the app.
    hub.command(&["rules", "set", "Stream", "off"]).unwrap();
    let apps = list(&hub, &professional).await;
    assert!(apps["apps"].as_array().is_some_and(Vec::is_empty), "{apps}");
    assert_eq!(ask(&professional).await.code(), "rules.not_yours");
    let refused = hub
        .command(&["rules", "set", "RootAdmin", "off"])
        .unwrap_err();
    assert!(refused.contains("cannot be switched off"), "{refused}");
    for (when, says) in [("user.", "column 6"), ("x = \"y\"", "column 1")] {
        let add = [
            "rules", "add", "X", "--filter", "*", "--action", "read", "--when", when,
        ];
        let refused = hub.command(&add).unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }
    let listed = hub.command(&["rules", "list"]).unwrap();
    assert!(
        listed.contains("RootAdmin") && listed.contains("off"),
        "{listed}"
    );
    hub.stop().await;
}

// threat: T-22
#[tokio::test(flavor = "multi_thread")]
async fn a_gain_beyond_the_limits_waits_for_the_owner() {
    let hub = hub_with_app().await;
    let store = hub.store().await;
    let before = store.find_app("Sales").await.unwrap();
    let content = String::from_utf8(store.blobs().read(&before.content).unwrap()).unwrap();
    let mut content: Value = serde_json::from_str(&content).unwrap();
    let script = content["script"].as_str().unwrap().to_owned();
    let wider = script.replace(
        "USER,TEST\\PROFESSIONAL,NORTH,Margin",
        "USER,TEST\\PROFESSIONAL,NORTH,\nUSER,TEST\\PROFESSIONAL,SOUTH,",
    );
    assert_ne!(wider, script);
    content["script"] = wider.into();
    let blob = store.blobs().put(content.to_string().as_bytes()).unwrap();
    store
        .save_content(&before.id, &blob, before.modified_at)
        .await
        .unwrap();
    assert!(hub.command(&["app", "reload", "sales"]).is_err());
    let reload = async || store.find_app("Sales").await.unwrap().reload;
    assert_eq!(reload().await, before.reload);
    let (owner, other) = (
        hub.sign_in("analyzer").await,
        hub.sign_in("professional").await,
    );
    let app = app_id(&hub, &owner).await;
    let ask = format!("GET /api/v1/apps/{app}/waiting");
    let confirm = format!("POST /api/v1/apps/{app}/confirm");
    let refused = hub.browser(&ask, &other, &[], None).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "app.not_yours")
    );
    let waiting = hub.browser(&ask, &owner, &[], None).await.json();
    assert_eq!(
        waiting["gains"],
        json!(["TEST\\PROFESSIONAL sees Margin, which was withheld from them"])
    );
    let names = json!({ "names": waiting["confirm"] });
    let body = || Some(names.clone());
    let refused = hub.browser(&confirm, &other, &[], body()).await;
    assert_eq!(refused.status, 403);
    let wrong = Some(json!({ "names": ["gain:000000000000"] }));
    let refused = hub.browser(&confirm, &owner, &[], wrong).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "app.not_waiting")
    );
    let done = hub.browser(&confirm, &owner, &[], body()).await;
    assert_eq!(done.status, 204);
    hub.command(&["app", "reload", "sales"]).unwrap();
    assert_eq!(reload().await, before.reload + 1);
    let log = hub.command(&["audit", "show"]).unwrap();
    assert!(log.contains("app.confirm"), "{log}");
    // Within limits that were set wider, nothing waits.
    let set = [
        "access", "limits", "sales", "--rows", "100", "--fields", "9",
    ];
    hub.command(&set).unwrap();
    content["script"] = script
        .replace("NORTH,Margin", "*,\nADMIN,TEST\\PROFESSIONAL,,")
        .into();
    let blob = store.blobs().put(content.to_string().as_bytes()).unwrap();
    store
        .save_content(&before.id, &blob, before.modified_at)
        .await
        .unwrap();
    hub.command(&["app", "reload", "sales"]).unwrap();
    assert_eq!(reload().await, before.reload + 2);
    hub.stop().await;
}
