//! What an administrator lets people's devices do, as the hub holds them to it and tells them.

use satchel_contract::policy::Key;
use satchel_contract::{AccessType, PolicyDocument};
use satchel_sealed::signed;
use serde_json::json;

use crate::apps::{app_id, enrol, from_base64, hub_with_app, import};
use crate::harness::Hub;

/// A hub with the app, on which these keys were set.
async fn hub_with(set: &[&str]) -> Hub {
    let types = [AccessType::Professional, AccessType::Analyzer];
    let mut command = vec!["policy", "set"];
    command.extend_from_slice(set);
    let hub = Hub::start_with(&types, &command).await;
    import(&hub);
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_a_signed_policy_of_their_own() {
    let set = ["--key", "idle_minutes=5", "--user", r"TEST\PROFESSIONAL"];
    let hub = hub_with(&set).await;
    let document = async |who: &str, key: Key| {
        let device = enrol(&hub, who).await;
        let lease = format!("POST /api/v1/devices/{}/lease", device.id);
        let lease = hub.native(&lease, &device.token, None).await.json();
        let envelope = from_base64(lease["policy"].as_str().unwrap());
        let payload = signed::verify(&device.hub_key, signed::POLICY, &envelope).unwrap();
        let document: PolicyDocument = serde_json::from_slice(payload).unwrap();
        assert!(
            document
                .user
                .as_str()
                .eq_ignore_ascii_case(&format!(r"TEST\{who}"))
        );
        document.policy.number(key)
    };
    assert_eq!(document("professional", Key::IdleMinutes).await, 5);
    assert_eq!(document("analyzer", Key::IdleMinutes).await, 15);
    let shown = hub
        .command(&["policy", "show", r"test\professional"])
        .unwrap();
    let line = shown
        .lines()
        .find(|line| line.starts_with("idle_minutes"))
        .unwrap();
    assert!(
        line.contains('5') && line.ends_with(r"TEST\PROFESSIONAL"),
        "{shown}"
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_hub_takes_up_what_is_changed() {
    let hub = hub_with(&["--key", "idle_minutes=15"]).await;
    let device = enrol(&hub, "professional").await;
    let app = app_id(&hub, &device.token).await;
    let download = async || {
        let path = format!("POST /api/v1/apps/{app}/downloads");
        let body = json!({ "device": device.id });
        hub.native(&path, &device.token, Some(body)).await.code()
    };
    let shown = async || {
        hub.native("GET /api/v1/me", &device.token, None)
            .await
            .json()
    };
    assert_eq!(download().await, "");
    let set = |pair: &str| hub.command(&["policy", "set", "--key", pair]).unwrap();
    set("allow_downloads=off");
    set("max_offline_hours=12");
    assert_eq!(download().await, "policy.no_downloads");
    let me = shown().await;
    let line = |key: &str| {
        let lines = me["policy"].as_array().unwrap();
        let line = lines.iter().find(|line| line["key"] == key);
        line.unwrap_or_else(|| panic!("{key}: {me}")).clone()
    };
    assert_eq!(me["offline_hours"], 12);
    assert_eq!(line("max_offline_hours")["value"], "12");
    assert_eq!(line("allow_downloads")["decided_by"], json!(["everybody"]));
    set("allow_downloads=on");
    assert_eq!(download().await, "");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_may_not_download_and_another_may() {
    let set = ["--key", "allow_downloads=off", "--user", r"TEST\ANALYZER"];
    let hub = hub_with(&set).await;
    for (who, want) in [("analyzer", "policy.no_downloads"), ("professional", "")] {
        let device = enrol(&hub, who).await;
        let app = app_id(&hub, &device.token).await;
        let start = format!("POST /api/v1/apps/{app}/downloads");
        let body = Some(json!({ "device": device.id }));
        let started = hub.native(&start, &device.token, body).await;
        assert_eq!(started.code(), want, "{who}: {started:?}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_and_remembering_follow_the_strictest() {
    let set = [
        "--offline-hours",
        "100",
        "--key",
        "max_offline_hours=50",
        "--key",
        "allow_remember=off",
    ];
    let hub = hub_with(&set).await;
    let me = hub.sign_in_natively("analyzer").await.json();
    assert_eq!(
        (&me["offline_hours"], &me["may_remember"]),
        (&json!(50), &json!(false))
    );
    let shown = me["policy"].as_array().unwrap();
    let hours = shown
        .iter()
        .find(|line| line["key"] == "max_offline_hours")
        .unwrap();
    assert_eq!(hours["value"], "50");
    assert_eq!(hours["decided_by"], json!(["everybody"]));
    hub.stop().await;
}

// threat: T-39
#[tokio::test(flavor = "multi_thread")]
async fn an_old_client_is_refused_where_it_would_carry_data() {
    let hub = hub_with(&["--key", "minimum_client=0.2.0"]).await;
    let token = hub.sign_in_natively("analyzer").await.token();
    for (client, code) in [
        ("satchel/0.1.9", "policy.client_too_old"),
        ("satchel", "policy.client_too_old"),
        ("satchel/0.2.0", "request.malformed"),
        ("satchel 1.0.0", "request.malformed"),
    ] {
        let headers = [("x-satchel-client", client)];
        let answer = hub
            .send("POST /api/v1/devices", &token, &headers, Some(json!({})))
            .await;
        let found = answer.code();
        if code.starts_with("policy") {
            assert_eq!(found, code, "{client}");
        } else {
            assert_ne!(found, "policy.client_too_old", "{client}");
            assert_eq!(answer.status, 400, "it got as far as its body: {answer:?}");
        }
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_none_are_refused() {
    let hub = hub_with_app().await;
    for (set, said) in [
        (vec!["--key", "pin_tries=11"], "a whole number from 3 to 10"),
        (vec!["--key", "teleport=on"], "there is no key teleport"),
        (
            vec!["--key", "hubs=https://evil.example"],
            "managed configuration of devices alone",
        ),
        (vec!["--key", "pin_tries"], "no KEY=VALUE"),
        (
            vec!["--key", "pin_tries=3", "--user", r"TEST\NOBODY"],
            "there is no user",
        ),
    ] {
        let mut command = vec!["policy", "set"];
        command.extend(set);
        let refused = hub.command(&command).unwrap_err();
        assert!(refused.contains(said), "{refused}");
    }
    hub.command(&["policy", "set", "--key", "pin_tries=3"])
        .unwrap();
    assert!(
        hub.command(&["policy", "show"])
            .unwrap()
            .contains("pin_tries")
    );
    hub.command(&["policy", "set", "--unset", "pin_tries"])
        .unwrap();
    assert!(
        !hub.command(&["policy", "show"])
            .unwrap()
            .contains("pin_tries")
    );
    hub.stop().await;
}
