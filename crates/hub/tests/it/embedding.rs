//! Signing in with tokens of a service, one-time tickets, and a trusted proxy's header.

use satchel_base::Clock;
use satchel_contract::AccessType;
use serde_json::{Value, json};

use crate::harness::{Answer, Hub, send_over};
use crate::hostile_provider::Key;

const ISSUER: &str = "https://portal.example";
const AUDIENCE: &str = "https://hub.example.org";
const PROXY_SECRET: &str = "only the proxy knows";

fn path(hub: &Hub, file: &str) -> String {
    hub.dir.path().join(file).to_str().unwrap().to_owned()
}

/// A hub that takes tokens of a portal, and once each those of a shop.
async fn hub_with_issuers() -> (Hub, Key) {
    let mut hub = Hub::prepared(&[AccessType::Analyzer]).await;
    let key = Key::make("one");
    let set = json!({ "keys": [key.jwk()] }).to_string();
    std::fs::write(hub.dir.path().join("keys.json"), set).unwrap();
    let keys = path(&hub, "keys.json");
    let add = |name: &str, issuer: &str, more: &[&str]| {
        let mut command = vec![
            "sign-in",
            "add-issuer",
            name,
            "--issuer",
            issuer,
            "--audience",
            AUDIENCE,
            "--keys",
            &keys,
        ];
        command.extend_from_slice(more);
        hub.command(&command)
    };
    add("portal", ISSUER, &["--groups-claim", "groups"]).unwrap();
    add("shop", "https://shop.example", &["--once"]).unwrap();
    assert!(add("other", ISSUER, &[]).unwrap_err().contains("already"));
    assert!(
        add("other", "x", &["--directory", "PORTAL"])
            .unwrap_err()
            .contains("belongs to")
    );
    hub.serve().await;
    (hub, key)
}

fn claims(hub: &Hub) -> Value {
    let now = hub.clock.now().0 / 1000;
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 300, "groups": ["Sales"]})
}

/// A request of a service, which is no browser and not our client either.
async fn with_bearer(hub: &Hub, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    hub.send("POST /api/v1/sign-in/token", "", &headers, None)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_known_service_signs_in() {
    let (hub, key) = hub_with_issuers().await;
    let answer = with_bearer(&hub, &key.sign(&key.header(), &claims(&hub))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["user"], "PORTAL\\ANN");
    let me = hub
        .browser("GET /api/v1/me", &answer.token(), &[], None)
        .await;
    assert_eq!(me.json()["user"], "PORTAL\\ANN");
    let log = hub.command(&["audit", "show"]).unwrap();
    assert!(log.contains("sign_in.token"), "{log}");

    for (name, value, code) in [
        ("iss", json!("https://evil.example"), "token.wrong_issuer"),
        ("aud", json!("another hub"), "token.wrong_audience"),
        ("exp", json!(null), "token.no_expiry"),
        (
            "exp",
            json!(hub.clock.now().0 / 1000 + 601),
            "token.lives_too_long",
        ),
        ("exp", json!(hub.clock.now().0 / 1000 - 61), "token.expired"),
        (
            "iat",
            json!(hub.clock.now().0 / 1000 + 90),
            "token.from_the_future",
        ),
        ("sub", json!(null), "token.no_subject"),
        ("sub", json!("LOCAL\\boss"), "sign_in.no_name"),
    ] {
        let mut claims = claims(&hub);
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        let answer = with_bearer(&hub, &key.sign(&key.header(), &claims)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, code),
            "{claims}"
        );
    }
    let other = Key::make("one");
    let forged = with_bearer(&hub, &other.sign(&other.header(), &claims(&hub))).await;
    assert_eq!(forged.code(), "token.wrong_signature");
    assert_eq!(
        with_bearer(&hub, "a.b.c").await.code(),
        "token.wrong_issuer"
    );
    let none = hub.send("POST /api/v1/sign-in/token", "", &[], None).await;
    assert_eq!(none.code(), "token.missing");
    // A page of another site has no business here, even with a token.
    let token = format!("Bearer {}", key.sign(&key.header(), &claims(&hub)));
    let headers = [
        ("authorization", token.as_str()),
        ("origin", "https://evil.example"),
    ];
    let foreign = hub
        .send("POST /api/v1/sign-in/token", "", &headers, None)
        .await;
    assert_eq!(foreign.code(), "request.foreign_origin");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_works_once_works_once() {
    let (hub, key) = hub_with_issuers().await;
    let mut claims = claims(&hub);
    claims["iss"] = json!("https://shop.example");
    let without = with_bearer(&hub, &key.sign(&key.header(), &claims)).await;
    assert_eq!(without.code(), "token.no_id");
    claims["jti"] = json!("first");
    let token = key.sign(&key.header(), &claims);
    let both = tokio::join!(with_bearer(&hub, &token), with_bearer(&hub, &token));
    let mut codes = [both.0.code(), both.1.code()];
    codes.sort();
    assert_eq!(codes, ["", "token.replayed"]);
    claims["jti"] = json!("second");
    let next = with_bearer(&hub, &key.sign(&key.header(), &claims)).await;
    assert_eq!(next.status, 200, "{next:?}");
    hub.stop().await;
}

/// A service with a certificate asks for a ticket.
async fn ask_for_ticket(hub: &Hub, query: &str, headers: &[(&str, &str)], user: &str) -> Answer {
    let stream = hub.direct_tls(Some("client")).await;
    let body = json!({"UserDirectory": "TEST", "UserId": user});
    let request = format!("POST /qps/ticket{query}");
    send_over(stream, &request, "", headers, Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_works_once_and_for_a_minute() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let key = [("x-qlik-xrfkey", "0123456789abcdef")];
    let query = "?xrfkey=0123456789abcdef";
    for (query, headers) in [
        ("", &key[..]),
        (query, &key[..0]),
        ("?xrfkey=0123456789abcdeg", &key[..]),
    ] {
        let refused = ask_for_ticket(&hub, query, headers, "analyzer").await;
        assert_eq!(refused.code(), "request.no_xrfkey");
    }
    let unknown = ask_for_ticket(&hub, query, &key, "nobody").await;
    assert_eq!(unknown.code(), "direct.unknown_user");
    let page = [key[0], ("origin", "https://evil.example")];
    let foreign = ask_for_ticket(&hub, query, &page, "analyzer").await;
    assert_eq!(foreign.code(), "request.foreign_origin");

    let ticket = async || {
        let given = ask_for_ticket(&hub, query, &key, "analyzer").await;
        assert_eq!(given.status, 201, "{given:?}");
        given.json()["Ticket"].as_str().unwrap().to_owned()
    };
    let redeem = async |ticket: &str, to: &str| {
        let path = format!("GET /api/v1/sign-in/ticket?qlikTicket={ticket}&to={to}");
        hub.send(&path, "", &[("sec-fetch-site", "cross-site")], None)
            .await
    };
    let first = ticket().await;
    let answer = redeem(&first, "/app/x").await;
    assert_eq!(
        (answer.status, answer.headers["location"].as_str()),
        (303, "/app/x")
    );
    let me = hub
        .browser("GET /api/v1/me", &answer.token(), &[], None)
        .await;
    assert_eq!(me.json()["user"], "TEST\\ANALYZER");
    assert_eq!(redeem(&first, "/").await.code(), "ticket.not_good");
    let second = ticket().await;
    let away = redeem(&second, "https://evil.example/").await;
    assert_eq!(away.headers["location"], "/");
    let third = ticket().await;
    hub.clock.advance(60_000);
    assert_eq!(redeem(&third, "/").await.code(), "ticket.not_good");
    let fourth = ticket().await;
    let both = tokio::join!(redeem(&fourth, "/"), redeem(&fourth, "/"));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 401]);
    // On the hub's own address nobody gets tickets.
    let wrong = hub
        .browser("POST /qps/ticket", "", &[], Some(json!({})))
        .await;
    assert!(wrong.status == 404 || wrong.status == 405, "{wrong:?}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_trusted_proxy_says_who_somebody_is() {
    let named = [("x-remote-user", "analyzer")];
    let secret = ("x-satchel-proxy-secret", PROXY_SECRET);
    let ask = async |hub: &Hub, headers: &[(&str, &str)]| {
        hub.browser("GET /api/v1/me", "", headers, None).await
    };
    // Off by default.
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    assert_eq!(
        ask(&hub, &[named[0], secret]).await.code(),
        "session.required"
    );
    hub.stop().await;

    for (address, is_trusted) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
        let mut hub = Hub::prepared(&[AccessType::Analyzer]).await;
        std::fs::write(hub.dir.path().join("secret"), PROXY_SECRET).unwrap();
        let file = path(&hub, "secret");
        let trust = [
            "sign-in",
            "trust-proxy",
            "--header",
            "X-Remote-User",
            "--address",
            address,
            "--secret-file",
            &file,
            "--directory",
            "TEST",
        ];
        hub.command(&trust).unwrap();
        hub.serve().await;
        let answer = ask(&hub, &[named[0], secret]).await;
        if is_trusted {
            assert_eq!(answer.json()["user"], "TEST\\ANALYZER");
            let own = [("origin", "https://hub.example.org"), named[0], secret];
            assert!(hub.socket("/app/engineData", "", &own).await.is_ok());
            let unknown = ask(&hub, &[("x-remote-user", "nobody"), secret]).await;
            assert_eq!(unknown.code(), "header.unknown_user");
            let two = [named[0], ("x-remote-user", "boss"), secret];
            assert_eq!(ask(&hub, &two).await.code(), "header.not_trusted");
        } else {
            assert_eq!(answer.code(), "header.not_trusted");
        }
        for wrong in [
            &named[..],
            &[named[0], ("x-satchel-proxy-secret", "guessed")],
        ] {
            assert_eq!(ask(&hub, wrong).await.code(), "header.not_trusted");
        }
        // A session does not make the header good, and whoever sends none signs in as ever.
        let token = hub.sign_in("analyzer").await;
        let refused = hub.browser("GET /api/v1/me", &token, &named, None).await;
        assert_eq!(refused.code(), "header.not_trusted");
        let me = hub.browser("GET /api/v1/me", &token, &[], None).await;
        assert_eq!(me.status, 200);
        let log = hub.command(&["audit", "show"]).unwrap();
        assert!(log.contains("header.not_trusted"), "{log}");
        hub.stop().await;
    }
}
