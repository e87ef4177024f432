//! What the hub writes into its log when it is told to write everything.

use std::path::Path;

use satchel_contract::AccessType;
use serde_json::json;

use crate::apps::{app_id, enrol, import, prepare};
use crate::harness::{Hub, PASSWORD, credentials};
use crate::process::Process;

/// A cell's text and number, and what people type: none of it may be in a log.
const CELL: &str = "QUAYSIDE-CELL-4b1d";
const NUMBER: &str = "31415926.53";
const TYPED: &str = "typed-in-93c7";

/// Everything that was written so far.
fn written(log: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(log).unwrap()).into_owned()
}

/// A session that looks at the cell, names it, and gets errors about it.
async fn look(hub: &Hub, app: &str, token: &str) {
    let own = [("origin", "https://hub.example.org")];
    let path = format!("/app/{app}/identity/logs");
    let mut socket = hub.socket(&path, token, &own).await.ok().unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    let opened = socket.call(-1, "OpenDoc", json!([app])).await;
    let doc = opened["result"]["qReturn"]["qHandle"].as_i64().unwrap();
    let shown = socket
        .call(
            doc,
            "EvaluateEx",
            json!(["Concat(Region, ';') & Max(Amount)"]),
        )
        .await
        .to_string();
    assert!(shown.contains(CELL) && shown.contains(NUMBER), "{shown}");
    for (method, params) in [
        (
            "EvaluateEx",
            json!([format!("Sum({{<Region={{'{CELL}'}}>}} Amount")]),
        ),
        ("EvaluateEx", json!([format!("{TYPED}(1)")])),
        ("GetField", json!([TYPED])),
        ("GetObject", json!([TYPED])),
        ("NoSuchMethod", json!([CELL, TYPED])),
        (
            "SearchResults",
            json!([{}, [CELL], {"qOffset": 0, "qCount": 5}]),
        ),
    ] {
        socket.call(doc, method, params).await;
    }
    // A script whose errors show the cell to its author, run by the hub.
    let script = format!("LET v = Nonsense('{CELL}');\nLOAD * FROM [lib://{TYPED}/a.csv];\n");
    socket.call(doc, "SetScript", json!([script])).await;
    socket.call(doc, "DoReload", json!([0, false, false])).await;
    socket.call(doc, "CheckScriptSyntax", json!([])).await;
    let field = socket.call(doc, "GetField", json!(["Region"])).await;
    let field = field["result"]["qReturn"]["qHandle"].as_i64().unwrap();
    let select = json!([[{ "qText": CELL }], false, false]);
    let selected = socket.call(field, "SelectValues", select).await;
    assert_eq!(selected["result"]["qReturn"], true, "{selected}");
    socket.write(&format!("{{\"{TYPED}\": \"{CELL}\"")).await;
    let _ = socket.read().await;
}

// threat: T-20
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_says_everything_says_no_cell_and_no_secret() {
    let mut hub = Hub::prepared(&[AccessType::Professional, AccessType::Analyzer]).await;
    import(&hub);
    let sales = format!("Region,Amount,Margin\n{CELL},{NUMBER},0.1\nNORTH,1,0.2\n");
    std::fs::write(hub.dir.path().join("sales/sales.csv"), sales).unwrap();
    let log = hub.dir.path().join("log");
    hub.command(&["app", "reload", "sales"]).unwrap();
    let process = Process::serve_with_log(&mut hub, &log, "trace");

    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    look(&hub, &app, &token).await;
    let wrong = credentials("analyzer", TYPED);
    let refused = hub.native("POST /api/v1/sign-in", "", Some(wrong)).await;
    assert_eq!(refused.status, 401);
    let device = enrol(&hub, "analyzer").await;
    let ready = prepare(&hub, &device, &app).await;
    let package = format!(
        "GET /api/v1/downloads/{}/package",
        ready["id"].as_str().unwrap()
    );
    let package = hub.native(&package, &device.token, None).await;
    assert_eq!(package.status, 200);
    process.kill();

    let said = written(&log);
    assert!(
        said.contains("DEBUG") && said.len() > 10_000,
        "{}",
        said.len()
    );
    let secrets = [CELL, "31415926", TYPED, PASSWORD, &token, &device.token];
    for secret in secrets {
        let line = said.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
    }
}
