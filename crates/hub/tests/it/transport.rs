//! TLS, the redirect, headers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::Hub;

/// What comes back for these bytes on a plain connection.
async fn plain(hub: &Hub, bytes: &[u8]) -> Vec<u8> {
    let mut tcp = TcpStream::connect(hub.address).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is fine.
    let _ = tcp.read_to_end(&mut answer).await;
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_gets_a_redirect_and_nothing_else() {
    let hub = Hub::start(&[]).await;
    let answer = plain(
        &hub,
        b"GET /api/v1/me?x=1 HTTP/1.1\r\nHost: hub.example.org:4443\r\n\r\n",
    )
    .await;
    let text = String::from_utf8(answer).unwrap();
    assert!(text.starts_with("HTTP/1.1 308 "), "{text}");
    assert!(
        text.contains("\r\nlocation: https://hub.example.org:4443/api/v1/me?x=1\r\n"),
        "{text}"
    );
    assert!(text.ends_with("\r\n\r\n"), "no body: {text}");
    for bad in [
        &b"GET / HTTP/1.1\r\nHost: evil.org/@x\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
    ] {
        let answer = String::from_utf8(plain(&hub, bad).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    hub.stop().await;
}

// threat: T-11
#[tokio::test(flavor = "multi_thread")]
async fn tls_1_1_is_refused() {
    let hub = Hub::start(&[]).await;
    // A client hello that offers at most TLS 1.1 (0x0302).
    let mut hello = vec![0x03, 0x02];
    hello.extend_from_slice(&[7; 32]);
    hello.extend_from_slice(&[0, 0, 4, 0xc0, 0x14, 0x00, 0x2f, 1, 0]);
    let mut handshake = vec![1, 0, 0, hello.len() as u8];
    handshake.extend_from_slice(&hello);
    let mut record = vec![22, 0x03, 0x01, 0, handshake.len() as u8];
    record.extend_from_slice(&handshake);
    let answer = plain(&hub, &record).await;
    assert_eq!(
        answer.first(),
        Some(&21),
        "an alert, not a handshake: {answer:?}"
    );
    assert_eq!(answer[5], 2, "a fatal one");
    hub.stop().await;
}

// threat: T-28 T-29 T-40
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_security_headers() {
    let hub = Hub::start(&[]).await;
    for request in [
        "GET /healthz",
        "GET /",
        "GET /api/v1/me",
        "GET /api/v1/nothing",
        "POST /api/v1/sign-in",
    ] {
        let answer = hub.browser(request, "", &[], None).await;
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers["strict-transport-security"].contains("max-age="));
        if request.contains("/api/") {
            assert!(
                answer.status >= 400 && !answer.code().is_empty(),
                "{answer:?}"
            );
            assert!(answer.json()["error"]["next"].is_string());
        }
    }
    hub.stop().await;
}

// threat: T-32
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused() {
    let hub = Hub::start(&[]).await;
    let body = serde_json::json!({ "user": "x".repeat(100_000), "password": "" });
    let answer = hub
        .browser("POST /api/v1/sign-in", "", &[], Some(body))
        .await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    hub.stop().await;
}
