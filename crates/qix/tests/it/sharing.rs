//! Several connections on one session.

use satchel_base::Budget;
use satchel_qix::{ConnectionId, Session};
use serde_json::{Value, json};

use super::{APP, session};

/// Asks on a connection: the reply, and what the other connections hear.
fn ask(
    session: &mut Session,
    on: ConnectionId,
    frame: Value,
) -> (Value, Vec<(ConnectionId, Value)>) {
    let answer = session.handle_on(on, &frame.to_string(), &Budget::unlimited());
    let read = |text: &str| serde_json::from_str(text).unwrap();
    let pushes = answer
        .pushes
        .iter()
        .map(|(id, text)| (*id, read(text)))
        .collect();
    (read(&answer.reply), pushes)
}

/// Opens the app on a connection and makes a list of regions with this id; its handle.
fn list(session: &mut Session, on: ConnectionId, first: i64, id: &str) -> i64 {
    let open = json!({"id": first, "handle": -1, "method": "OpenDoc", "params": [APP]});
    let (reply, _) = ask(session, on, open);
    let doc = &reply["result"]["qReturn"]["qHandle"];
    let list = json!({
        "qInfo": {"qId": id, "qType": "list"},
        "qListObjectDef": {"qDef": {"qFieldDefs": ["Region"]}},
    });
    let make =
        json!({"id": first + 1, "handle": doc, "method": "CreateSessionObject", "params": [list]});
    ask(session, on, make).0["result"]["qReturn"]["qHandle"]
        .as_i64()
        .unwrap()
}

fn select(handle: i64, id: i64, element: i64) -> Value {
    json!({"id": id, "handle": handle, "method": "SelectListObjectValues",
           "params": ["/qListObjectDef", [element], false]})
}

#[test]
fn a_selection_on_one_connection_is_told_to_the_other() {
    let mut session = session();
    let one = list(&mut session, Session::FIRST, 1, "one");
    let second = session.attach();
    let two = list(&mut session, second, 1, "two");
    let (reply, pushes) = ask(&mut session, second, select(two, 3, 0));
    assert_eq!(reply["change"], json!([two]));
    assert_eq!(
        pushes,
        [(Session::FIRST, json!({"jsonrpc": "2.0", "change": [one]}))]
    );
    let state = json!({"id": 3, "handle": one, "method": "GetListObjectData",
        "params": ["/qListObjectDef", [{"qTop": 0, "qLeft": 0, "qWidth": 1, "qHeight": 1}]]});
    let (reply, pushes) = ask(&mut session, Session::FIRST, state);
    assert_eq!(
        reply["result"]["qDataPages"][0]["qMatrix"][0][0]["qState"],
        "S"
    );
    assert!(pushes.is_empty());
}

#[test]
fn an_object_that_is_destroyed_is_closed_everywhere() {
    let mut session = session();
    list(&mut session, Session::FIRST, 1, "one");
    let second = session.attach();
    list(&mut session, second, 1, "two");
    let get = json!({"id": 3, "handle": 1, "method": "GetObject", "params": ["one"]});
    let there = ask(&mut session, second, get).0["result"]["qReturn"]["qHandle"].clone();
    let gone = json!({"id": 3, "handle": 1, "method": "DestroySessionObject", "params": ["one"]});
    let (reply, pushes) = ask(&mut session, Session::FIRST, gone);
    assert_eq!(reply["close"], json!([2]));
    assert_eq!(
        pushes,
        [(second, json!({"jsonrpc": "2.0", "close": [there]}))]
    );
}

/// Some clients take the next frame for their reply; they number no requests.
#[test]
fn a_client_that_does_not_number_its_requests_is_pushed_nothing() {
    let mut session = session();
    list(&mut session, Session::FIRST, 1, "one");
    let ask_again = json!({"id": 1, "handle": -1, "method": "EngineVersion", "params": []});
    ask(&mut session, Session::FIRST, ask_again);
    let second = session.attach();
    let two = list(&mut session, second, 1, "two");
    let (_, pushes) = ask(&mut session, second, select(two, 3, 0));
    assert!(pushes.is_empty(), "{pushes:?}");
}

#[test]
fn a_new_connection_finds_the_session_and_nothing_of_the_handles() {
    let mut session = session();
    let one = list(&mut session, Session::FIRST, 1, "one");
    ask(&mut session, Session::FIRST, select(one, 3, 1));
    assert_eq!(session.detach(Session::FIRST), 0);
    let again = session.attach();
    let get = json!({"id": 1, "handle": one, "method": "GetLayout", "params": []});
    assert_eq!(ask(&mut session, again, get).0["error"]["code"], -32602);
    let active = json!({"id": 2, "handle": -1, "method": "GetActiveDoc", "params": []});
    let (reply, _) = ask(&mut session, again, active);
    assert_eq!(reply["result"]["qReturn"]["qGenericId"], APP);
    let count = json!({"id": 3, "handle": 1, "method": "BackCount", "params": []});
    assert_eq!(ask(&mut session, again, count).0["result"]["qReturn"], 1);
}
