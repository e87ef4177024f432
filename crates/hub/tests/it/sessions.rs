//! Sessions that are shared, kept and dropped; requests that are cancelled.

use serde_json::{Value, json};

use crate::apps::{app_id, hub_with_app};
use crate::harness::{Hub, Socket};

/// A socket after its two greeting frames, with what the second says.
async fn connect(hub: &Hub, token: &str, path: &str) -> (Socket, String) {
    let own = [("origin", "https://hub.example.org")];
    let mut socket = hub.socket(path, token, &own).await.ok().unwrap();
    let first = socket.read().await.unwrap();
    assert_eq!(first["method"], "OnAuthenticationInformation");
    let second = socket.read().await.unwrap();
    assert_eq!(second["method"], "OnConnected");
    let state = second["params"]["qSessionState"].as_str().unwrap();
    (socket, state.to_owned())
}

async fn ask(socket: &mut Socket, id: i64, handle: i64, method: &str, params: Value) -> Value {
    let request = json!({"id": id, "handle": handle, "method": method, "params": params});
    socket.write(&request.to_string()).await;
    let reply = socket.read().await.unwrap();
    assert_eq!(reply["id"], id, "{reply}");
    reply
}

/// Opens the app and makes a list of regions: handle 1 is the app, 2 the list.
async fn open(socket: &mut Socket, app: &str) {
    ask(socket, 1, -1, "OpenDoc", json!([app])).await;
    let list = json!({
        "qInfo": {"qType": "list"},
        "qListObjectDef": {"qDef": {"qFieldDefs": ["Region"]}},
    });
    let made = ask(socket, 2, 1, "CreateSessionObject", json!([list])).await;
    assert_eq!(made["result"]["qReturn"]["qHandle"], 2, "{made}");
}

async fn select(socket: &mut Socket, id: i64) {
    let selected = ask(
        socket,
        id,
        2,
        "SelectListObjectValues",
        json!(["/qListObjectDef", [0], false]),
    );
    assert_eq!(selected.await["change"], json!([2]));
}

async fn back_count(socket: &mut Socket, id: i64) -> Value {
    ask(socket, id, 1, "BackCount", json!([])).await["result"]["qReturn"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sockets_of_one_person_at_one_address_share_selections() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    let path = format!("/app/{app}");
    let (mut one, state) = connect(&hub, &token, &path).await;
    assert_eq!(state, "SESSION_CREATED");
    open(&mut one, &app).await;
    let (mut two, state) = connect(&hub, &token, &path).await;
    assert_eq!(state, "SESSION_ATTACHED");
    open(&mut two, &app).await;
    select(&mut two, 3).await;
    assert_eq!(
        one.read().await.unwrap(),
        json!({"jsonrpc": "2.0", "change": [2]})
    );
    assert_eq!(back_count(&mut one, 3).await, 1);

    // An identity of its own, and another person, find sessions of their own.
    let (mut own, state) = connect(&hub, &token, &format!("{path}/identity/own")).await;
    assert_eq!(state, "SESSION_CREATED");
    open(&mut own, &app).await;
    assert_eq!(back_count(&mut own, 3).await, 0);
    let other = hub.sign_in("professional").await;
    let (_, state) = connect(&hub, &other, &path).await;
    assert_eq!(state, "SESSION_CREATED");
    hub.stop().await;
}

/// Leaves a session with one selection at `path` and waits until the hub knows.
async fn leave(hub: &Hub, token: &str, app: &str, path: &str) {
    let (mut socket, _) = connect(hub, token, path).await;
    open(&mut socket, app).await;
    select(&mut socket, 3).await;
    socket.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_a_ttl_waits_for_its_person() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    let path = format!("/app/{app}/ttl/60");
    leave(&hub, &token, &app, &path).await;
    let (mut socket, state) = connect(&hub, &token, &path).await;
    assert_eq!(state, "SESSION_ATTACHED");
    let active = ask(&mut socket, 1, -1, "GetActiveDoc", json!([])).await;
    assert_eq!(active["result"]["qReturn"]["qGenericId"], app);
    assert_eq!(back_count(&mut socket, 2).await, 1);
    socket.close().await;

    // Its time is over.
    hub.clock.advance(61_000);
    let (socket, state) = connect(&hub, &token, &path).await;
    assert_eq!(state, "SESSION_CREATED");
    drop(socket);

    // Without a ttl nothing is kept.
    let path = format!("/app/{app}/identity/brief");
    leave(&hub, &token, &app, &path).await;
    assert_eq!(connect(&hub, &token, &path).await.1, "SESSION_CREATED");
    hub.stop().await;
}

// threat: T-18 T-35
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_session_is_not_given_back_after_signing_out_or_new_data() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    let path = format!("/app/{app}/ttl/600");
    leave(&hub, &token, &app, &path).await;
    hub.browser("POST /api/v1/sign-out", &token, &[], None)
        .await;
    let token = hub.sign_in("analyzer").await;
    let (_, state) = connect(&hub, &token, &path).await;
    assert_eq!(
        state, "SESSION_CREATED",
        "the sign-in it was left with has ended"
    );

    let path = format!("/app/{app}/identity/data/ttl/600");
    leave(&hub, &token, &app, &path).await;
    hub.command(&["app", "reload", "sales"]).unwrap();
    let (_, state) = connect(&hub, &token, &path).await;
    assert_eq!(state, "SESSION_CREATED", "who sees what may have changed");
    hub.stop().await;
}

async fn sum(socket: &mut Socket, id: i64) -> Value {
    let asked = ask(socket, id, 1, "EvaluateEx", json!(["Sum(Amount)"])).await;
    asked["result"]["qValue"]["qNumber"].clone()
}

/// A new reload, in which everything is ten times as much.
fn reload_tenfold(hub: &Hub) {
    let folder = hub.dir.path().join("sales");
    let data = "Region,Amount,Margin\nNORTH,10,0.1\nNORTH,20,0.2\nSOUTH,40,0.3\nWEST,80,0.4\n";
    std::fs::write(folder.join("sales.csv"), data).unwrap();
    hub.command(&["app", "reload", "sales"]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_new_reload_who_comes_sees_the_new_data_and_who_is_there_keeps_the_old() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    let path = format!("/app/{app}");
    let (mut one, _) = connect(&hub, &token, &path).await;
    open(&mut one, &app).await;
    assert_eq!(sum(&mut one, 3).await, 15);
    reload_tenfold(&hub);

    let (mut two, state) = connect(&hub, &token, &path).await;
    assert_eq!(state, "SESSION_CREATED");
    open(&mut two, &app).await;
    assert_eq!(sum(&mut two, 3).await, 150);
    assert_eq!(sum(&mut one, 4).await, 15, "what is open stays as it is");
    // Who comes later shares the newer session.
    let (mut three, state) = connect(&hub, &token, &path).await;
    assert_eq!(state, "SESSION_ATTACHED");
    open(&mut three, &app).await;
    select(&mut three, 3).await;
    assert_eq!(two.read().await.unwrap()["change"], json!([2]));
    assert_eq!(back_count(&mut two, 4).await, 1);
    // And the old one opens the app again.
    ask(&mut one, 5, -1, "OpenDoc", json!([app])).await;
    assert_eq!(sum(&mut one, 6).await, 150);
    hub.stop().await;
}

// threat: T-24
#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_longer_admitted_is_refused_at_the_next_open_in_any_case() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("professional").await;
    let app = app_id(&hub, &token).await;
    let path = format!("/app/{app}");
    let (mut one, _) = connect(&hub, &token, &path).await;
    open(&mut one, &app).await;
    assert_eq!(sum(&mut one, 3).await, 3);
    crate::faults::set_script(&hub, |script| {
        script.replace("USER,TEST\\PROFESSIONAL,NORTH,Margin\n", "")
    })
    .await;
    hub.command(&["app", "reload", "sales"]).unwrap();

    let again = json!({"id": 4, "handle": -1, "method": "OpenDoc", "params": [app]});
    one.write(&again.to_string()).await;
    let refused = one.read().await.unwrap();
    assert!(refused["error"]["code"].is_i64(), "{refused}");
    let (mut two, state) = connect(&hub, &token, &path).await;
    assert_eq!(state, "SESSION_CREATED");
    two.write(&again.to_string()).await;
    let refused = two.read().await.unwrap();
    assert!(refused["error"]["code"].is_i64(), "{refused}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_request_is_cancelled_and_answers_stay_in_order() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    let (mut socket, _) = connect(&hub, &token, &format!("/app/{app}")).await;
    open(&mut socket, &app).await;
    // While the reload runs, the requests behind it have arrived and been looked at.
    for (id, handle, method, params) in [
        (3, 1, "DoReload", json!([])),
        (4, 1, "EvaluateEx", json!(["Sum(Amount)"])),
        (5, 1, "EvaluateEx", json!(["Count(Amount)"])),
        (6, -1, "CancelRequest", json!([4])),
    ] {
        let request = json!({"id": id, "handle": handle, "method": method, "params": params});
        socket.write(&request.to_string()).await;
    }
    let mut replies = Vec::new();
    for _ in 0..4 {
        replies.push(socket.read().await.unwrap());
    }
    let ids: Vec<_> = replies.iter().map(|r| r["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [3, 4, 5, 6]);
    assert_eq!(replies[0]["result"]["qReturn"], true);
    assert_eq!(replies[1]["error"]["code"], 15, "{}", replies[1]);
    assert_eq!(replies[2]["result"]["qValue"]["qNumber"], 4);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_tells_of_the_reload_of_this_session() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    let (mut socket, _) = connect(&hub, &token, &format!("/app/{app}")).await;
    open(&mut socket, &app).await;
    let before = ask(&mut socket, 3, -1, "GetProgress", json!([0])).await;
    assert_eq!(before["result"]["qProgressData"]["qStarted"], false);
    let reloaded = ask(&mut socket, 4, 1, "DoReload", json!([])).await;
    assert_eq!(reloaded["result"]["qReturn"], true, "{reloaded}");
    let after = ask(&mut socket, 5, -1, "GetProgress", json!([0])).await;
    let progress = &after["result"]["qProgressData"];
    assert_eq!(
        (&progress["qStarted"], &progress["qFinished"]),
        (&json!(true), &json!(true))
    );
    hub.stop().await;
}
