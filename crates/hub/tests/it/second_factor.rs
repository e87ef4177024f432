//! The second factor beside a password.

use satchel_base::Clock as _;
use satchel_contract::AccessType;
use serde_json::{Value, json};

use crate::harness::{Answer, Hub, PASSWORD};

const WHO: &str = "TEST\\analyzer";

async fn post(hub: &Hub, path: &str, code: Option<&str>) -> Answer {
    let mut body = json!({ "user": WHO, "password": PASSWORD });
    if let Some(code) = code {
        body["code"] = code.into();
    }
    let request = format!("POST /api/v1/{path}");
    hub.browser(&request, "", &[], Some(body)).await
}

/// What an authenticator app shows for a secret now.
fn app(hub: &Hub, secret: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let seconds = u64::try_from(hub.clock.now().0).unwrap() / 1000;
    totp.generate(seconds).to_string()
}

/// Sets one up: the secret and the recovery codes.
async fn set_up(hub: &Hub) -> (String, Vec<String>) {
    let proposal = post(hub, "second-factor", None).await;
    assert_eq!(proposal.status, 200, "{proposal:?}");
    assert_eq!(proposal.headers["cache-control"], "no-store");
    let proposal = proposal.json();
    let secret = proposal["secret"].as_str().unwrap().to_owned();
    assert!(proposal["uri"].as_str().unwrap().contains(&secret));
    assert!(proposal["qr"]["size"].as_u64().unwrap() > 20);
    let on = post(hub, "second-factor/confirm", Some(&app(hub, &secret))).await;
    assert_eq!(on.status, 200, "{on:?}");
    assert!(!on.token().is_empty());
    let on = on.json();
    assert_eq!(
        on["me"]["second_factor"],
        json!({ "on": true, "required": false, "recovery_codes": 10 })
    );
    let codes: Vec<String> = serde_json::from_value(on["recovery_codes"].clone()).unwrap();
    (secret, codes)
}

fn code_of(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

// threat: T-34 T-35
#[tokio::test(flavor = "multi_thread")]
async fn a_password_alone_does_not_sign_in_where_there_is_a_second_factor() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let before = hub.sign_in("analyzer").await;
    let (secret, codes) = set_up(&hub).await;
    let me = hub.browser("GET /api/v1/me", &before, &[], None).await;
    assert_eq!(
        me.status, 401,
        "who was signed in without it is not any more"
    );

    let needed = (401, "sign_in.code_needed".to_owned());
    let wrong = (401, "sign_in.code_wrong".to_owned());
    assert_eq!(code_of(&post(&hub, "sign-in", None).await), needed);
    // The code that confirmed it was used by that.
    let used = app(&hub, &secret);
    assert_eq!(code_of(&post(&hub, "sign-in", Some(&used)).await), wrong);
    hub.clock.advance(30_000);
    let code = app(&hub, &secret);
    let (first, second) = tokio::join!(
        post(&hub, "sign-in", Some(&code)),
        post(&hub, "sign-in", Some(&code))
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "of two at once one is taken");
    assert_eq!(code_of(&post(&hub, "sign-in", Some(&code)).await), wrong);

    // A recovery code works once, however it is typed.
    let spelled = codes[0].to_lowercase().replace('-', " ");
    assert_eq!(post(&hub, "sign-in", Some(&spelled)).await.status, 200);
    assert_eq!(
        code_of(&post(&hub, "sign-in", Some(&codes[0])).await),
        wrong
    );
    // A wrong password is told nothing about codes.
    let body = json!({ "user": WHO, "password": "wrong", "code": codes[1] });
    let refused = hub
        .browser("POST /api/v1/sign-in", "", &[], Some(body))
        .await;
    assert_eq!(code_of(&refused), (401, "sign_in.failed".into()));

    // What is kept is neither the secret nor a code.
    let bytes = std::fs::read(hub.dir.path().join("hub/repository.sqlite")).unwrap();
    let plain = totp_rs::Secret::try_from_base32(&secret).unwrap();
    assert!(!bytes.windows(20).any(|w| w == plain.as_bytes()));
    let log = hub.command(&["audit", "show"]).unwrap();
    for (what, is_there) in [
        ("second_factor.on", true),
        ("sign_in.code_wrong", true),
        ("second_factor.recovery_code", true),
        (secret.as_str(), false),
        (codes[0].as_str(), false),
    ] {
        assert_eq!(log.contains(what), is_there, "{what}");
    }
    hub.stop().await;
}

// threat: T-34
#[tokio::test(flavor = "multi_thread")]
async fn codes_cannot_be_tried_one_after_the_other() {
    let hub = Hub::start(&[AccessType::Analyzer, AccessType::Professional]).await;
    let (secret, _) = set_up(&hub).await;
    let mut n_tried = 0;
    let throttled = loop {
        n_tried += 1;
        // The password is right each time, and starts nothing afresh.
        let answer = post(&hub, "sign-in", Some("000000")).await;
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(answer.code(), "sign_in.code_wrong");
        assert!(n_tried < 10);
    };
    assert_eq!(throttled.code(), "sign_in.throttled");
    assert!(throttled.headers.contains_key("retry-after"));
    // Not even the right one passes then, nor anywhere else where a code is asked for.
    let code = app(&hub, &secret);
    for path in [
        "sign-in",
        "second-factor/remove",
        "second-factor/recovery-codes",
    ] {
        assert_eq!(post(&hub, path, Some(&code)).await.status, 429, "{path}");
    }
    hub.sign_in("professional").await;
    hub.clock.advance(60_000);
    let code = app(&hub, &secret);
    assert_eq!(post(&hub, "sign-in", Some(&code)).await.status, 200);
    hub.stop().await;
}

// threat: T-35
#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_changed_by_password_and_code_only() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let not_begun = post(&hub, "second-factor/confirm", Some("123456")).await;
    assert_eq!(not_begun.code(), "sign_in.code_wrong");
    let (secret, codes) = set_up(&hub).await;
    let again = post(&hub, "second-factor", None).await;
    assert_eq!(code_of(&again), (409, "second_factor.on".into()));
    for path in ["second-factor/remove", "second-factor/recovery-codes"] {
        assert_eq!(post(&hub, path, None).await.status, 400, "{path}");
        assert_eq!(
            post(&hub, path, Some("zzz")).await.code(),
            "sign_in.code_wrong",
            "{path}"
        );
    }
    hub.clock.advance(30_000);
    let new = post(
        &hub,
        "second-factor/recovery-codes",
        Some(&app(&hub, &secret)),
    )
    .await;
    let new: Value = new.json();
    assert_eq!(new["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(
        post(&hub, "sign-in", Some(&codes[3])).await.code(),
        "sign_in.code_wrong"
    );
    let code = new["recovery_codes"][4].as_str();
    assert_eq!(post(&hub, "second-factor/remove", code).await.status, 204);
    assert_eq!(post(&hub, "sign-in", None).await.status, 200);
    hub.stop().await;
}

// threat: T-34
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_requires_one_and_resets_it() {
    let hub = Hub::start(&[AccessType::Analyzer, AccessType::Professional]).await;
    let required = hub
        .command(&["user", "second-factor", WHO, "--require"])
        .unwrap();
    assert!(required.contains("required, not set up"), "{required}");
    let missing = (403, "sign_in.second_factor_missing".to_owned());
    assert_eq!(code_of(&post(&hub, "sign-in", None).await), missing);
    assert_eq!(
        code_of(&post(&hub, "sign-in", Some("123456")).await),
        missing
    );
    hub.sign_in("professional").await;

    let secret = post(&hub, "second-factor", None).await.json();
    let secret = secret["secret"].as_str().unwrap();
    let on = post(&hub, "second-factor/confirm", Some(&app(&hub, secret))).await;
    let me = &on.json()["me"];
    assert_eq!(me["second_factor"]["required"], true, "{me}");
    let token = on.token();
    hub.clock.advance(30_000);
    let stays = post(&hub, "second-factor/remove", Some(&app(&hub, secret))).await;
    assert_eq!(code_of(&stays), (403, "second_factor.required".into()));

    // A new phone: everything is forgotten, and whoever has the old one is out.
    hub.command(&["user", "second-factor", WHO, "--reset"])
        .unwrap();
    let me = hub.browser("GET /api/v1/me", &token, &[], None).await;
    assert_eq!(me.status, 401);
    assert_eq!(
        code_of(&post(&hub, "sign-in", Some(&app(&hub, secret))).await),
        missing
    );
    hub.command(&["user", "second-factor", WHO, "--relax"])
        .unwrap();
    assert_eq!(post(&hub, "sign-in", None).await.status, 200);
    assert!(
        hub.command(&["user", "second-factor", "TEST\\nobody"])
            .is_err()
    );
    hub.stop().await;
}

// threat: T-34
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_requires_one_of_some_from_somewhere() {
    let rule = r#"user.name = "ANALYZER" and not (environment.ip like "10.*")"#;
    let hub = Hub::start_with(
        &[AccessType::Analyzer, AccessType::Professional],
        &["sign-in", "second-factor", "--when", rule],
    )
    .await;
    hub.sign_in("professional").await;
    let missing = post(&hub, "sign-in", None).await;
    assert_eq!(missing.code(), "sign_in.second_factor_missing");
    assert!(
        hub.command(&["sign-in", "show"])
            .unwrap()
            .contains("environment.ip")
    );
    let refused = hub.command(&["sign-in", "second-factor", "--when", "user.name ="]);
    assert!(refused.unwrap_err().contains("column 12"));
    hub.stop().await;
}
