//! Administrators and the owner of a stream, whom section access does not let in: every address
//! of the hub and every method of the socket, and nothing of the data in any answer.

use satchel_contract::AccessType;
use satchel_gate::{Method, Route};
use serde_json::{Value, json};

use crate::apps::{app_id, enrol, import, prepare};
use crate::harness::{Hub, PASSWORD, run};

/// Cells of the app's data; nothing else at the hub has these texts.
const CELLS: [&str; 3] = ["NORTHQUAY77", "SOUTHQUAY77", "7714159"];

const ROLES: [&str; 5] = [
    "RootAdmin",
    "ContentAdmin",
    "SecurityAdmin",
    "DeploymentAdmin",
    "AuditAdmin",
];

fn assert_nothing_of_the_data(bytes: &[u8], asked: &str) {
    for cell in CELLS {
        let found = bytes.windows(cell.len()).any(|w| w == cell.as_bytes());
        assert!(!found, "{cell} in the answer to {asked}");
    }
}

/// Methods of the global handle, and of a document's in case one was given.
fn methods(app: &str) -> Vec<(i64, &'static str, Value)> {
    let cube = json!([{"qInfo": {"qType": "t"}, "qHyperCubeDef": {
        "qDimensions": [{"qDef": {"qFieldDefs": ["Region"]}}],
        "qMeasures": [{"qDef": {"qDef": "Sum(Amount)"}}],
        "qInitialDataFetch": [{"qTop": 0, "qLeft": 0, "qWidth": 2, "qHeight": 10}]}}]);
    let mut methods = vec![
        (-1, "GetDocList", json!([])),
        (-1, "OpenDoc", json!([app])),
        (-1, "OpenDoc", json!([app, "", "", "", true])),
        (-1, "GetActiveDoc", json!([])),
        (-1, "CreateSessionAppFromApp", json!([app])),
        (-1, "CopyApp", json!([app, app, []])),
        (-1, "ExportApp", json!(["x", app])),
        (-1, "GetAppEntry", json!([app])),
    ];
    for handle in [1, 2] {
        methods.extend([
            (
                handle,
                "EvaluateEx",
                json!(["Concat(Region) & Sum(Amount)"]),
            ),
            (handle, "Evaluate", json!(["Concat(Region)"])),
            (handle, "CreateSessionObject", cube.clone()),
            (handle, "GetField", json!(["Region"])),
            (handle, "GetTablesAndKeys", json!([{}, {}, 30, true, false])),
            (handle, "GetTableData", json!([0, 10, false, "Sales"])),
            (
                handle,
                "GetFieldAndColumnSamples",
                json!([[{"qFieldName": "Region"}], 10]),
            ),
            (
                handle,
                "SearchResults",
                json!([{}, ["NORTHQUAY"], {"qOffset": 0, "qCount": 5}]),
            ),
            (handle, "ExportData", json!(["CSV_C", "", "", "P"])),
        ]);
    }
    methods
}

// threat: T-08
#[tokio::test(flavor = "multi_thread")]
async fn no_role_shows_data_that_section_access_withholds() {
    let hub = Hub::start(&[AccessType::Professional, AccessType::Analyzer]).await;
    import(&hub);
    let sales = "Region,Amount,Margin\nNORTHQUAY77,7714159,0.1\nSOUTHQUAY77,2,0.2\n";
    std::fs::write(hub.dir.path().join("sales/sales.csv"), sales).unwrap();
    hub.command(&["app", "reload", "sales"]).unwrap();
    // There is something to be found: whom section access lets in sees it.
    let admitted = hub.sign_in("analyzer").await;
    let app = app_id(&hub, &admitted).await;
    let seen = open_and_ask(&hub, &admitted, &app).await;
    assert!(seen.iter().any(|answer| answer.contains(CELLS[0])));
    // And a package of theirs lies at the hub.
    let device = enrol(&hub, "analyzer").await;
    let ready = prepare(&hub, &device, &app).await;
    let download = ready["id"].as_str().unwrap();

    for role in ROLES {
        let name = role.to_lowercase();
        let id = format!("TEST\\{name}");
        let add = ["user", "add", &id, "--role", role, "--password-stdin"];
        run(hub.dir.path(), &add, Some(PASSWORD)).unwrap();
        hub.command(&["licence", "assign", &id, "professional"])
            .unwrap();
        let token = hub.sign_in(&name).await;
        for answer in open_and_ask(&hub, &token, &app).await {
            assert_nothing_of_the_data(answer.as_bytes(), &format!("the socket, {role}"));
        }
        let own = enrol(&hub, &name).await;
        for route in Route::ALL {
            if matches!(route, Route::SignOut | Route::Socket) {
                continue;
            }
            let (method, path) = route.pattern();
            let verb = match method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Delete => "DELETE",
            };
            for device in [&own.id, &device.id] {
                let path = path
                    .replace("{*path}", "index.html")
                    .replace("{provider}", "nobody")
                    .replace("{device}", device)
                    .replace("{app}", &app)
                    .replace("{id}", download)
                    .replace("{file}", "sales.csv")
                    .replace("{download}", download);
                let path = match route {
                    Route::Search => format!("{path}?q=NORTHQUAY"),
                    Route::RulesExplain => {
                        format!("{path}?user=TEST%5CANALYZER&action=read&resource=app:sales")
                    }
                    _ => path,
                };
                let body = (method == Method::Post).then(|| json!({ "device": device }));
                let asked = format!("{verb} {path}");
                for native in [false, true] {
                    let answer = match native {
                        true => hub.native(&asked, &own.token, body.clone()).await,
                        false => hub.browser(&asked, &token, &[], body.clone()).await,
                    };
                    assert_nothing_of_the_data(&answer.body, &format!("{asked}, {role}"));
                    if route == Route::DownloadPreview {
                        assert!(answer.status >= 400, "{asked}, {role}: {answer:?}");
                    }
                    // It is begun, as whoever asks hears nothing of who is admitted; and fails.
                    if route == Route::StartDownload && answer.status == 201 {
                        let id = answer.json()["id"].as_str().unwrap().to_owned();
                        let begun = how_it_ends(&hub, &own.token, &id).await;
                        assert_nothing_of_the_data(&begun, &format!("{asked}, {role}"));
                    }
                    if route == Route::DownloadPackage {
                        assert!(answer.status >= 400, "{asked}, {role}");
                    }
                }
            }
        }
    }
    hub.stop().await;
}

/// Every method on a session of its own; the answers as texts.
async fn open_and_ask(hub: &Hub, token: &str, app: &str) -> Vec<String> {
    let own = [("origin", "https://hub.example.org")];
    let path = format!("/app/{app}/identity/roles");
    let mut socket = hub.socket(&path, token, &own).await.ok().unwrap();
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(socket.read().await.unwrap().to_string());
    }
    for (handle, method, params) in methods(app) {
        answers.push(socket.call(handle, method, params).await.to_string());
    }
    answers
}

/// The answer about a download once it is decided, which must be that it failed.
async fn how_it_ends(hub: &Hub, token: &str, download: &str) -> Vec<u8> {
    let status = format!("GET /api/v1/downloads/{download}");
    loop {
        let answer = hub.native(&status, token, None).await;
        match answer.json()["state"].as_str().unwrap() {
            "preparing" => tokio::task::yield_now().await,
            "failed" => return answer.body,
            other => panic!("{other}"),
        }
    }
}
