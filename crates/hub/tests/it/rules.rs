//! Who may do what, and by which rule, as the hub carries it out.

use serde_json::Value;

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
