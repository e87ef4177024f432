//! Scripts without an end, connections that are too many, too slow or silent: each ends, the
//! hub says why where it can, and nobody else notices.

use std::time::Duration;

use satchel_contract::AccessType;
use satchel_hub::{ConnectionLimits, ReloadLimits};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::apps::{app_id, evaluate, import};
use crate::harness::{Hub, Socket};

const PEOPLE: [AccessType; 2] = [AccessType::Professional, AccessType::Analyzer];

/// Long enough for an honest peer on a busy machine, short enough to wait for.
const SHORT: Duration = Duration::from_millis(1_500);

async fn with_reloads(reloads: ReloadLimits) -> Hub {
    let hub = Hub::start_limited(&PEOPLE, &[], ConnectionLimits::default(), reloads).await;
    import(&hub);
    hub
}

async fn with_connections(change: impl FnOnce(&mut ConnectionLimits)) -> Hub {
    let mut limits = ConnectionLimits::default();
    change(&mut limits);
    let hub = Hub::start_limited(&PEOPLE, &[], limits, ReloadLimits::default()).await;
    import(&hub);
    hub
}

async fn connect(hub: &Hub, who: &str) -> (Socket, i64) {
    let token = hub.sign_in(who).await;
    let app = app_id(hub, &token).await;
    let own = [("origin", "https://hub.example.org")];
    let path = format!("/app/{app}");
    let mut socket = hub.socket(&path, &token, &own).await.ok().unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    let opened = socket.call(-1, "OpenDoc", json!([app])).await;
    let handle = opened["result"]["qReturn"]["qHandle"].as_i64().unwrap();
    (socket, handle)
}

/// Reloads with this script, in a session; what the log says.
async fn reload(socket: &mut Socket, handle: i64, script: &str) -> Value {
    socket.call(handle, "SetScript", json!([script])).await;
    socket.call(handle, "DoReloadEx", json!([{}])).await["result"]["qResult"].clone()
}

// threat: T-33
#[tokio::test(flavor = "multi_thread")]
async fn a_script_without_an_end_is_ended_and_the_last_good_data_stays() {
    let hub = with_reloads(ReloadLimits {
        rows: 100_000,
        bytes: 8 << 20,
        time: SHORT,
    })
    .await;
    let table = "T: LOAD RecNo() AS X AUTOGENERATE 2000;";
    for (script, code, at) in [
        ("DO\nLOOP", "script.too_many_rows", "1:1"),
        (
            "T: LOAD 1 AS X AUTOGENERATE 1e12;",
            "script.too_many_rows",
            "1:1",
        ),
        (
            "T: LOAD 1 AS X AUTOGENERATE 1 WHILE 1=1;",
            "script.too_many_rows",
            "1:1",
        ),
        (
            &format!("{table}\nJOIN LOAD RecNo() AS Y AUTOGENERATE 2000;"),
            "script.too_many_rows",
            "2:",
        ),
        (
            "T: LOAD Repeat('x', 1000) & RecNo() AS X AUTOGENERATE 40000;",
            "script.too_many_bytes",
            "1:1",
        ),
        ("LET v = 1;\nSleep 600000;", "script.too_long", "2:1"),
    ] {
        // Every look at the data is a log-in of its own, and one too many ends the oldest.
        let (mut socket, handle) = connect(&hub, "analyzer").await;
        let result = reload(&mut socket, handle, script).await;
        assert_eq!(result["qSuccess"], false, "{script}");
        let log = result["qScriptLogFile"].as_str().unwrap();
        assert!(log.contains(&format!("error[{code}]")), "{script}: {log}");
        assert!(log.contains(&format!(":{at}")), "{script}: {log}");
        let value = evaluate(&hub, "analyzer", "Sum(Amount)").await;
        assert_eq!(value["qNumber"], 15, "{script}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrators_reload_has_limits_too() {
    let hub = with_reloads(ReloadLimits::default()).await;
    crate::faults::set_script(&hub, |_| "DO\nLOOP".to_owned()).await;
    let reload = ["app", "reload", "sales", "--reload-rows", "100000"];
    let refused = hub.command(&reload).unwrap_err();
    assert!(refused.contains("error[script.too_many_rows]"), "{refused}");
    let reload = ["app", "reload", "sales", "--reload-seconds", "1"];
    let refused = hub.command(&reload).unwrap_err();
    assert!(refused.contains("error[script.too_long]"), "{refused}");
    assert_eq!(
        evaluate(&hub, "analyzer", "Sum(Amount)").await["qNumber"],
        15
    );
    hub.stop().await;
}

/// What comes until the hub closes.
async fn rest(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

// threat: T-32
#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_with_a_handshake_a_head_or_a_body_is_left() {
    let hub = with_connections(|limits| {
        limits.handshake = SHORT;
        limits.head = SHORT;
        limits.body = SHORT;
    })
    .await;
    let mut silent = TcpStream::connect(hub.address).await.unwrap();
    let mut half = TcpStream::connect(hub.address).await.unwrap();
    half.write_all(&[22, 3, 1]).await.unwrap();
    let mut no_head = hub.tls().await;
    let mut half_head = hub.tls().await;
    half_head
        .write_all(b"GET / HTTP/1.1\r\nhost:")
        .await
        .unwrap();
    let mut idle = hub.tls().await;
    let whole = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    idle.write_all(whole).await.unwrap();
    let mut half_body = hub.tls().await;
    let request = "POST /api/v1/sign-in HTTP/1.1\r\nhost: localhost\r\n\
        sec-fetch-site: same-origin\r\ncontent-type: application/json\r\n\
        content-length: 50\r\n\r\n{\"user\":";
    half_body.write_all(request.as_bytes()).await.unwrap();

    assert_eq!(rest(&mut silent).await, "");
    rest(&mut half).await;
    assert_eq!(rest(&mut no_head).await, "");
    let answer = rest(&mut half_head).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
    let answer = rest(&mut idle).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1);
    let answer = rest(&mut half_body).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("request.too_slow"), "{answer}");
    assert_eq!(
        evaluate(&hub, "analyzer", "Sum(Amount)").await["qNumber"],
        15
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_whose_peer_is_gone_ends_and_one_that_is_quiet_stays() {
    let hub = with_connections(|limits| limits.silence = SHORT).await;
    let (gone, _) = connect(&hub, "analyzer").await;
    let (mut quiet, handle) = connect(&hub, "professional").await;
    let mut quiet_until = tokio::spawn(async move {
        // Reading answers the questions for a sign of life; nothing else comes.
        let read = tokio::time::timeout(SHORT * 3, quiet.read()).await;
        assert!(read.is_err(), "{read:?}");
        let asked = quiet
            .call(handle, "EvaluateEx", json!(["Sum(Amount)"]))
            .await;
        assert_eq!(asked["result"]["qValue"]["qNumber"], 3);
    });
    tokio::select! {
        _ = gone.drain() => {}
        ended = &mut quiet_until => panic!("the other one should have ended first: {ended:?}"),
    }
    quiet_until.await.unwrap();
    hub.stop().await;
}

// threat: T-32
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_much_and_reads_nothing_is_left_and_others_are_served() {
    let hub = with_connections(|limits| limits.stall = SHORT).await;
    let (mut greedy, handle) = connect(&hub, "analyzer").await;
    let request = json!({
        "id": 1, "handle": handle, "method": "EvaluateEx",
        "params": ["=Repeat('x', 1000000)"],
    });
    let request = request.to_string();
    let mut asking = tokio::spawn(async move {
        let mut asked = 0;
        while greedy.try_write(&request).await {
            asked += 1;
        }
        asked
    });
    let mut served = 0;
    let asked: u64 = loop {
        tokio::select! {
            asked = &mut asking => break asked.unwrap(),
            value = evaluate(&hub, "professional", "Sum(Amount)") => {
                assert_eq!(value["qNumber"], 3);
                served += 1;
            }
        }
    };
    assert!(asked > 256 && served > 0, "{asked} asked, {served} served");
    assert_eq!(
        evaluate(&hub, "analyzer", "Sum(Amount)").await["qNumber"],
        15
    );
    hub.stop().await;
}

// threat: T-32
#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_connections_and_no_more() {
    let hub = with_connections(|limits| limits.per_address = 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(hub.tls().await);
    }
    let mut fourth = TcpStream::connect(hub.address).await.unwrap();
    assert_eq!(rest(&mut fourth).await, "");
    held.clear();
    // The hub learns of it when it reads the end of them.
    let give_up = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let mut tcp = TcpStream::connect(hub.address).await.unwrap();
        let sent = tcp
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await;
        if sent.is_ok() && rest(&mut tcp).await.starts_with("HTTP/1.1 308") {
            break;
        }
        assert!(std::time::Instant::now() < give_up);
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_there_are_wait_for_their_turn() {
    let hub = with_connections(|limits| limits.connections = 2).await;
    let (one, two) = (hub.tls().await, hub.tls().await);
    let address = hub.address;
    let third = tokio::spawn(async move {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
        tcp.write_all(request).await.unwrap();
        rest(&mut tcp).await
    });
    drop(one);
    let answer = third.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    drop(two);
    hub.stop().await;
}
