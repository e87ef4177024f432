//! Who gets in: passwords, sessions, origins, access types.

use satchel_base::Clock as _;
use satchel_contract::AccessType;
use satchel_gate::{Client, Method, Policy, Route, SESSION_IDLE_MS, decide};
use serde_json::json;

use crate::harness::{Hub, PASSWORD, credentials};

// threat: T-35
#[tokio::test(flavor = "multi_thread")]
async fn signing_in_gives_a_session_and_signing_out_ends_it() {
    let hub = Hub::start(&[AccessType::Professional]).await;
    let token = hub.sign_in("professional").await;
    let me = hub
        .browser("GET /api/v1/me", &token, &[], None)
        .await
        .json();
    assert_eq!(me["user"], "TEST\\PROFESSIONAL");
    assert_eq!(me["access_type"], "professional");
    assert_eq!(me["offline_hours"], 240);
    let out = hub
        .browser("POST /api/v1/sign-out", &token, &[], None)
        .await;
    assert_eq!(out.status, 204);
    let gone = hub.browser("GET /api/v1/me", &token, &[], None).await;
    assert_eq!(
        (gone.status, gone.code().as_str()),
        (401, "session.required")
    );
    hub.stop().await;
}

// threat: T-21 T-34
#[tokio::test(flavor = "multi_thread")]
async fn unknown_people_and_wrong_passwords_get_the_same_answer_and_are_slowed_down() {
    let hub = Hub::start(&[AccessType::Professional, AccessType::Analyzer]).await;
    let attempt = async |name: &str, password: &str| {
        hub.browser(
            "POST /api/v1/sign-in",
            "",
            &[],
            Some(credentials(name, password)),
        )
        .await
    };
    let wrong = attempt("professional", "wrong password").await;
    let unknown = attempt("nobody", "wrong password").await;
    assert_eq!(
        (wrong.status, wrong.code().as_str()),
        (401, "sign_in.failed")
    );
    assert_eq!((unknown.status, &unknown.body), (401, &wrong.body));
    for _ in 0..4 {
        attempt("professional", "wrong password").await;
    }
    let throttled = attempt("professional", PASSWORD).await;
    assert_eq!(
        (throttled.status, throttled.code().as_str()),
        (429, "sign_in.throttled")
    );
    assert!(throttled.headers["retry-after"].parse::<u64>().unwrap() > 0);
    assert_eq!(
        attempt("analyzer", PASSWORD).await.status,
        200,
        "others are not slowed down"
    );
    hub.clock.advance(60_000);
    assert_eq!(attempt("professional", PASSWORD).await.status, 200);

    let log = hub.command(&["audit", "show"]).unwrap();
    assert!(
        log.contains("sign_in.failed") && log.contains("sign_in.throttled"),
        "{log}"
    );
    assert!(!log.contains("wrong password"));
    hub.stop().await;
}

// threat: T-35
#[tokio::test(flavor = "multi_thread")]
async fn idle_and_made_up_sessions_are_refused() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let token = hub.sign_in("analyzer").await;
    let status = async |token: &str| hub.browser("GET /api/v1/me", token, &[], None).await.status;
    assert_eq!(status(&token).await, 200);
    hub.clock.advance(SESSION_IDLE_MS - 1);
    assert_eq!(status(&token).await, 200);
    hub.clock.advance(SESSION_IDLE_MS);
    assert_eq!(status(&token).await, 401);
    assert_eq!(
        status("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").await,
        401
    );
    hub.stop().await;
}

// threat: T-28
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_change_something_must_come_from_our_own_pages() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let token = hub.sign_in("analyzer").await;
    let out = |headers: Vec<(&'static str, &'static str)>| {
        let (hub, token) = (&hub, &token);
        async move {
            hub.send("POST /api/v1/sign-out", token, &headers, None)
                .await
        }
    };
    for foreign in [
        vec![],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null"), ("sec-fetch-site", "same-origin")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![
            ("sec-fetch-site", "cross-site"),
            ("x-satchel-client", "satchel"),
        ],
    ] {
        let answer = out(foreign.clone()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "request.foreign_origin"),
            "{foreign:?}"
        );
    }
    assert_eq!(
        hub.browser("GET /api/v1/me", &token, &[], None)
            .await
            .status,
        200,
        "nothing changed"
    );
    assert_eq!(
        out(vec![("origin", "https://hub.example.org")])
            .await
            .status,
        204
    );
    hub.stop().await;
}

// threat: T-27
#[tokio::test(flavor = "multi_thread")]
async fn only_our_own_origins_open_a_socket() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let token = hub.sign_in("analyzer").await;
    let own = format!("https://localhost:{}", hub.address.port());
    for good in [own.as_str(), "https://hub.example.org"] {
        assert!(
            hub.socket("/app/engineData", &token, &[("origin", good)])
                .await
                .is_ok(),
            "{good}"
        );
    }
    for bad in [
        "null",
        "https://evil.example",
        "https://localhost",
        "http://hub.example.org",
        "https://HUB.example.org",
        "https://hub.example.org.evil.org",
        "https://a.hub.example.org",
    ] {
        let refused = hub
            .socket("/app/engineData", &token, &[("origin", bad)])
            .await
            .err()
            .unwrap();
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "request.foreign_origin"),
            "{bad}"
        );
    }
    assert!(
        hub.socket("/app/engineData", &token, &[]).await.is_err(),
        "a browser sends its origin"
    );
    let no_session = hub
        .socket("/app/engineData", "x", &[("origin", &own)])
        .await
        .err()
        .unwrap();
    assert_eq!(no_session.status, 401);
    hub.stop().await;
}

/// A path that reaches the handler of a route.
fn path(route: Route) -> String {
    route
        .pattern()
        .1
        .replace("{*path}", "index.html")
        .replace("{*rest}", "engineData")
        .replace("{provider}", "nobody")
        .replace("{passkey}", "00000000-0000-4000-8000-000000000000")
        .replace("{device}", "00000000-0000-4000-8000-000000000000")
        .replace("{app}", "00000000-0000-4000-8000-000000000000")
        .replace("{download}", "00000000-0000-4000-8000-000000000000")
}

// threat: T-07
#[tokio::test(flavor = "multi_thread")]
async fn every_route_for_every_access_type_from_browser_and_device() {
    let people: Vec<AccessType> = AccessType::ALL
        .into_iter()
        .filter(|t| *t != AccessType::Anonymous)
        .collect();
    let hub = Hub::start(&people).await;
    let mut n_refused = 0;
    for have in AccessType::ALL {
        for via in [Client::Browser, Client::Device] {
            for route in Route::ALL {
                let token = match (have, via) {
                    (AccessType::Anonymous, _) => String::new(),
                    (_, Client::Browser) => hub.sign_in(have.name()).await,
                    (_, Client::Device) => {
                        let answer = hub.sign_in_natively(have.name()).await;
                        let wanted = decide(Route::Enrol, have, via, &Policy::default());
                        assert_eq!(answer.status == 200, wanted.is_ok(), "{have:?} {answer:?}");
                        // Who may not begin a session from a device brings one from a browser.
                        if wanted.is_ok() {
                            answer.token()
                        } else {
                            hub.sign_in(have.name()).await
                        }
                    }
                };
                let (method, _) = route.pattern();
                let verb = match method {
                    Method::Get => "GET",
                    Method::Post => "POST",
                    Method::Delete => "DELETE",
                };
                let from = match via {
                    Client::Browser => ("sec-fetch-site", "same-origin"),
                    Client::Device => ("x-satchel-client", "satchel 0.1.0"),
                };
                let answer = if route == Route::Socket {
                    let mut headers = vec![from];
                    if via == Client::Browser {
                        headers.push(("origin", "https://hub.example.org"));
                    }
                    hub.socket(&path(route), &token, &headers).await.err()
                } else {
                    let body = (method == Method::Post).then(|| json!({}));
                    Some(
                        hub.send(&format!("{verb} {}", path(route)), &token, &[from], body)
                            .await,
                    )
                };
                let code = answer.as_ref().map(|a| a.code()).unwrap_or_default();
                match decide(route, have, via, &Policy::default()) {
                    Ok(()) => assert!(
                        !code.starts_with("access_type.") && code != "session.required",
                        "{route:?} {have:?} {via:?}: {code}"
                    ),
                    Err(refusal) => {
                        assert_eq!(code, refusal.code, "{route:?} {have:?} {via:?}");
                        n_refused += 1;
                    }
                }
            }
        }
    }
    assert!(n_refused > 50, "{n_refused}");
    hub.stop().await;
}

/// A refusal costs nothing: the units are for those who view.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_download_draws_no_unit() {
    let hub = Hub::start(&[AccessType::AnalyzerCapacity, AccessType::Login]).await;
    let store = hub.store().await;
    let used = async |access_type: AccessType| {
        let pools = store.pool_use(hub.clock.now()).await.unwrap();
        let pool = pools.into_iter().find(|p| p.access_type == access_type);
        pool.unwrap().used
    };
    for access_type in [AccessType::AnalyzerCapacity, AccessType::Login] {
        let token = hub.sign_in(access_type.name()).await;
        let preview = path(Route::DownloadPreview);
        for (request, body) in [
            (format!("GET {preview}"), None),
            (
                format!("POST {}", path(Route::StartDownload)),
                Some(json!({})),
            ),
            (format!("POST {}", path(Route::Enrol)), Some(json!({}))),
        ] {
            let refused = hub.browser(&request, &token, &[], body).await;
            assert_eq!(refused.code(), "access_type.not_on_device", "{request}");
        }
        let apps = hub.native("GET /api/v1/apps", &token, None).await;
        assert_eq!(apps.code(), "access_type.not_on_device");
        assert_eq!(used(access_type).await, 0, "{access_type:?}");
        let apps = hub.browser("GET /api/v1/apps", &token, &[], None).await;
        assert_eq!(apps.status, 200);
        assert_eq!(used(access_type).await, 1, "{access_type:?}");
    }
    hub.stop().await;
}
