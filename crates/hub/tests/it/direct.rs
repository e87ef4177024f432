//! API clients with a certificate, and the prefix of a virtual proxy.

use serde_json::json;

use crate::apps::{app_id, hub_with_app};
use crate::harness::{Hub, send_over, socket_over};

const ANALYZER: (&str, &str) = ("x-qlik-user", "UserDirectory=TEST; UserId=ANALYZER");
const PROFESSIONAL: (&str, &str) = ("X-Qlik-User", "UserDirectory=test;UserID=professional");

async fn evaluate(hub: &Hub, user: (&str, &str), app: &str) -> serde_json::Value {
    let stream = hub.direct_tls(Some("client")).await;
    let mut socket = socket_over(stream, &format!("/app/{app}"), "", &[user])
        .await
        .ok()
        .unwrap();
    // One greeting only, or clients that match no ids are out of step for good.
    assert_eq!(socket.read().await.unwrap()["method"], "OnConnected");
    let opened = socket.call(-1, "OpenDoc", json!([app])).await;
    let handle = opened["result"]["qReturn"]["qHandle"].as_i64().unwrap();
    let value = socket
        .call(handle, "EvaluateEx", json!(["Sum(Amount)"]))
        .await;
    socket.close().await;
    value["result"]["qValue"]["qNumber"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_certificate_sees_what_the_person_it_names_sees() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    assert_eq!(evaluate(&hub, ANALYZER, &app).await, 15);
    assert_eq!(evaluate(&hub, PROFESSIONAL, &app).await, 3);
    let audit = hub.command(&["audit", "show", "--json"]).unwrap();
    assert!(audit.contains("direct.connect"), "{audit}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_of_the_ca_or_a_known_person_nothing_is_answered() {
    let hub = hub_with_app().await;
    // TLS itself refuses: with TLS 1.3 the client hears of it when it reads.
    for certificate in [None, Some("stranger")] {
        let mut stream = hub.direct_tls(certificate).await;
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let _ = stream
            .write_all(b"GET /app HTTP/1.1\r\nhost: x\r\n\r\n")
            .await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "{:?}", String::from_utf8_lossy(&answer));
    }
    let ask = async |headers: &[(&str, &str)]| {
        let stream = hub.direct_tls(Some("client")).await;
        let refused = socket_over(stream, "/app", "", headers).await;
        let refused = refused.err().expect("no socket for this");
        (refused.status, refused.code())
    };
    assert_eq!(ask(&[]).await, (400, "direct.no_user".into()));
    let nobody = ("x-qlik-user", "UserDirectory=TEST; UserId=nobody");
    assert_eq!(ask(&[nobody]).await, (403, "direct.unknown_user".into()));
    // A page in a browser that offers its certificate is none of ours.
    let page = [ANALYZER, ("origin", "https://elsewhere.example")];
    assert_eq!(ask(&page).await, (403, "request.foreign_origin".into()));
    // Libraries name the address itself.
    let stream = hub.direct_tls(Some("client")).await;
    let own = [ANALYZER, ("origin", "https://localhost")];
    assert!(socket_over(stream, "/app", "", &own).await.is_ok());
    // Nothing but the socket and what was exported over it.
    let stream = hub.direct_tls(Some("client")).await;
    let answer = send_over(stream, "GET /api/v1/apps", "", &[ANALYZER], None).await;
    assert_eq!(answer.status, 404);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_also_below_the_prefix() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let apps = hub
        .browser("GET /portal/api/v1/apps", &token, &[], None)
        .await;
    assert_eq!(apps.status, 200);
    assert_eq!(
        hub.browser("GET /other/api/v1/apps", &token, &[], None)
            .await
            .code(),
        ""
    );
    let refused = hub.browser("GET /portal/api/v1/apps", "", &[], None).await;
    assert_eq!(refused.status, 401, "the guard stands there too");
    let own = [("origin", "https://hub.example.org")];
    let app = app_id(&hub, &token).await;
    let mut socket = hub
        .socket(&format!("/portal/app/{app}"), &token, &own)
        .await
        .ok()
        .unwrap();
    assert_eq!(
        socket.read().await.unwrap()["method"],
        "OnAuthenticationInformation"
    );
    assert_eq!(socket.read().await.unwrap()["method"], "OnConnected");
    let opened = socket.call(-1, "OpenDoc", json!([app])).await;
    assert_eq!(opened["result"]["qReturn"]["qType"], "Doc", "{opened}");
    socket.close().await;
    let foreign = [("origin", "https://elsewhere.example")];
    let refused = hub.socket("/portal/app/x", &token, &foreign).await;
    assert_eq!(refused.err().expect("refused").status, 403);
    hub.stop().await;
}
