//! Exporting data: what is in the file, who may fetch it, how often, and who may not at all.

use serde_json::{Value, json};

use crate::apps::{app_id, hub_with_app, import};
use crate::harness::{Answer, Hub, Socket};

const OWN: [(&str, &str); 1] = [("origin", "https://hub.example.org")];

/// A socket with the app open and a table of regions and amounts: handle 1 is the app, 2 the
/// table.
async fn table(hub: &Hub, token: &str, path: &str, app: &str) -> Socket {
    let mut socket = hub.socket(path, token, &OWN).await.ok().unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    socket.call(-1, "OpenDoc", json!([app])).await;
    let table = json!({
        "qInfo": {"qType": "table"}, "title": "1/Umsätze",
        "qHyperCubeDef": {
            "qDimensions": [{"qDef": {"qFieldDefs": ["Region"]}}],
            "qMeasures": [{"qDef": {"qDef": "Sum(Amount)", "qLabel": "='=Amount'"}}],
        },
    });
    let made = socket.call(1, "CreateSessionObject", json!([table])).await;
    assert_eq!(made["result"]["qReturn"]["qHandle"], 2, "{made}");
    socket
}

async fn export(socket: &mut Socket, params: Value) -> Value {
    socket.call(2, "ExportData", params).await
}

fn url(reply: &Value) -> String {
    reply["result"]["qUrl"]
        .as_str()
        .unwrap_or_else(|| panic!("{reply}"))
        .to_owned()
}

async fn fetch(hub: &Hub, token: &str, url: &str) -> Answer {
    hub.browser(&format!("GET {url}"), token, &[], None).await
}

// threat: T-19
#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_what_its_reader_sees_and_is_served_once_to_their_log_in() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("professional").await;
    let app = app_id(&hub, &token).await;
    let mut socket = table(&hub, &token, "/app/engineData", &app).await;
    let made = export(&mut socket, json!(["CSV_C", "/qHyperCubeDef", "", "A"])).await;
    let url = url(&made);
    assert!(url.starts_with("/tempcontent/"), "{url}");
    assert!(url.contains(".csv?serverNodeId="), "{url}");
    // Another log-in of the same person, another person, and nobody get nothing.
    let other = hub.sign_in("professional").await;
    let analyzer = hub.sign_in("analyzer").await;
    assert_eq!(fetch(&hub, &other, &url).await.status, 404);
    assert_eq!(fetch(&hub, &analyzer, &url).await.status, 404);
    assert_eq!(fetch(&hub, "", &url).await.status, 401);
    let head = hub.browser(&format!("HEAD {url}"), &token, &[], None).await;
    assert_eq!(head.status, 405);
    let file = fetch(&hub, &token, &url).await;
    assert_eq!(file.status, 200, "{file:?}");
    // Two of four rows. The heading that looks like a formula is made harmless.
    assert_eq!(
        std::str::from_utf8(&file.body).unwrap(),
        "Region,'=Amount\r\nNORTH,3\r\n"
    );
    assert_eq!(file.headers["cache-control"], "no-store");
    assert_eq!(
        file.headers["content-disposition"],
        "attachment; filename=\"1_Ums_tze.csv\"; filename*=UTF-8''1_Ums%C3%A4tze.csv"
    );
    assert_eq!(fetch(&hub, &token, &url).await.status, 404, "once only");
    // A field that is withheld from this reader is a field there never was.
    let asked = ["Margin", "Nonsense"].map(|field| {
        json!([{"qInfo": {"qType": "table"}, "qHyperCubeDef": {
            "qDimensions": [{"qDef": {"qFieldDefs": [field]}}], "qMeasures": []}}])
    });
    for (handle, table) in (3..).zip(asked) {
        socket.call(1, "CreateSessionObject", table).await;
        let params = json!(["CSV_C", "/qHyperCubeDef"]);
        let refused = socket.call(handle, "ExportData", params).await;
        assert_eq!(refused["error"]["code"], 8, "{refused}");
    }
    let audit = hub.command(&["audit", "show", "--json"]).unwrap();
    assert!(audit.contains("data.export"), "{audit}");
    socket.close().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_is_one_and_an_export_nobody_fetched_is_gone() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    let mut socket = table(&hub, &token, "/app/engineData", &app).await;
    let made = export(
        &mut socket,
        json!({"qFileType": "OOXML", "qFileName": "Numbers"}),
    )
    .await;
    let file = fetch(&hub, &token, &url(&made)).await;
    assert_eq!(file.status, 200);
    assert!(file.body.starts_with(b"PK"), "a zip archive");
    assert!(file.headers["content-disposition"].contains("Numbers.xlsx"));
    let made = export(&mut socket, json!([1, "/qHyperCubeDef"])).await;
    hub.clock.advance(10 * 60_000);
    assert_eq!(fetch(&hub, &token, &url(&made)).await.status, 404);
    for (params, code) in [
        (json!(["CSV_C"]), 8),
        (json!(["PARQUET", "/qHyperCubeDef"]), 8),
        (json!(["CSV_C", "/nope"]), 4),
    ] {
        let refused = export(&mut socket, params).await;
        assert_eq!(refused["error"]["code"], code, "{refused}");
    }
    socket.close().await;
    hub.stop().await;
}

// threat: T-19
#[tokio::test(flavor = "multi_thread")]
async fn where_export_is_off_nobody_exports() {
    let hub = Hub::start_with(
        &[satchel_contract::AccessType::Analyzer],
        &["policy", "set", "--export", "off"],
    )
    .await;
    import(&hub);
    let token = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &token).await;
    let mut socket = table(&hub, &token, "/app/engineData", &app).await;
    let refused = export(&mut socket, json!(["CSV_C", "/qHyperCubeDef"])).await;
    assert_eq!(refused["error"]["code"], 5, "{refused}");
    let layout = socket.call(2, "GetLayout", json!([])).await;
    let privileges = layout["result"]["qLayout"]["qMeta"]["privileges"].to_string();
    assert!(!privileges.contains("exportdata"), "{privileges}");
    let shown = hub.command(&["policy", "show", "--json"]).unwrap();
    assert!(shown.contains("\"export\""), "{shown}");
    socket.close().await;
    hub.stop().await;
}
