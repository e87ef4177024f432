//! Load scripts on the hub: partial reloads, the data of other apps, checking and trying out.

use satchel_contract::AccessType;
use serde_json::{Value, json};

use crate::apps::hub_with_app;
use crate::harness::{Hub, Socket, run};

/// Imports an app with this script into the stream everybody sees.
pub fn import(hub: &Hub, title: &str, owner: &str, script: &str) {
    let folder = hub.dir.path().join(title);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("load.qvs"), script).unwrap();
    let import = [
        "app",
        "import",
        folder.to_str().unwrap(),
        "--owner",
        owner,
        "--stream",
        "Everyone",
        "--name",
        title,
    ];
    hub.command(&import).unwrap();
}

/// Opens an app as somebody; the answer if it is refused.
pub async fn open(hub: &Hub, who: &str, title: &str) -> Result<(Socket, i64), Value> {
    let token = hub.sign_in(who).await;
    let apps = hub
        .browser("GET /api/v1/apps", &token, &[], None)
        .await
        .json();
    let id = (apps["apps"].as_array().unwrap().iter())
        .find(|a| a["title"] == title)
        .map(|a| a["id"].as_str().unwrap().to_owned())
        .unwrap();
    let own = [("origin", "https://hub.example.org")];
    let mut socket = hub
        .socket(&format!("/app/{id}"), &token, &own)
        .await
        .ok()
        .unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    let opened = socket.call(-1, "OpenDoc", json!([id])).await;
    match opened["result"]["qReturn"]["qHandle"].as_i64() {
        Some(handle) => Ok((socket, handle)),
        None => Err(opened),
    }
}

/// A number as somebody sees it in an app.
pub async fn number(hub: &Hub, who: &str, title: &str, expression: &str) -> Value {
    match open(hub, who, title).await {
        Ok((mut socket, handle)) => {
            let answer = socket.call(handle, "EvaluateEx", json!([expression])).await;
            answer["result"]["qValue"]["qNumber"].clone()
        }
        Err(refused) => refused["error"]["code"].clone(),
    }
}

/// Reloads as somebody from inside the app; whether it worked, and the log.
async fn reload(hub: &Hub, who: &str, title: &str, partial: bool) -> (bool, String) {
    let (mut socket, handle) = open(hub, who, title).await.unwrap();
    let answer = socket
        .call(handle, "DoReloadEx", json!([{ "qPartial": partial }]))
        .await;
    let result = &answer["result"]["qResult"];
    (
        result["qSuccess"] == true,
        result["qScriptLogFile"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_reload_adds_to_what_is_there() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let script = "Base: LOAD RecNo() AS N AUTOGENERATE 3;\n\
                  Base: ADD LOAD 10 AS N AUTOGENERATE 1;\n\
                  Base: ADD ONLY LOAD 100 AS N AUTOGENERATE 1;\n";
    import(&hub, "grows", "TEST\\ANALYZER", script);
    hub.command(&["app", "reload", "grows"]).unwrap();
    assert_eq!(number(&hub, "analyzer", "grows", "Sum(N)").await, 16);
    hub.command(&["app", "reload", "grows", "--partial"])
        .unwrap();
    assert_eq!(number(&hub, "analyzer", "grows", "Sum(N)").await, 126);
    assert!(reload(&hub, "analyzer", "grows", true).await.0);
    assert_eq!(number(&hub, "analyzer", "grows", "Sum(N)").await, 236);
    let (mut socket, handle) = open(&hub, "analyzer", "grows").await.unwrap();
    let plain = socket
        .call(handle, "DoReload", json!([0, true, false]))
        .await;
    assert_eq!(plain["result"]["qReturn"], true, "{plain}");
    assert_eq!(number(&hub, "analyzer", "grows", "Sum(N)").await, 346);
    assert!(reload(&hub, "analyzer", "grows", false).await.0);
    assert_eq!(number(&hub, "analyzer", "grows", "Sum(N)").await, 16);
    hub.stop().await;
}

/// `Now()` is the time of the place where the hub stands, in scripts and in charts.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_and_charts_tell_the_local_time() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let script = "T: LOAD Round((Now() - UTC()) * 24 * 60) AS Ahead AUTOGENERATE 1;";
    import(&hub, "clock", "TEST\\ANALYZER", script);
    hub.command(&["app", "reload", "clock"]).unwrap();
    assert!(reload(&hub, "analyzer", "clock", false).await.0);
    assert_eq!(number(&hub, "analyzer", "clock", "Ahead").await, 330);
    let chart = "Round((Now() - UTC()) * 24 * 60)";
    assert_eq!(number(&hub, "analyzer", "clock", chart).await, 330);
    hub.stop().await;
}

/// The scheduler has no row in the app's section access: what it keeps would be nothing.
// threat: T-23
#[tokio::test(flavor = "multi_thread")]
async fn a_partial_reload_needs_all_of_the_data_and_keeps_section_access() {
    let hub = hub_with_app().await;
    let refused = hub
        .command(&["app", "reload", "sales", "--partial"])
        .unwrap_err();
    assert!(refused.contains("would lose the rest"), "{refused}");
    assert_eq!(number(&hub, "analyzer", "sales", "Sum(Amount)").await, 15);
    let (success, log) = reload(&hub, "analyzer", "sales", true).await;
    assert!(success, "{log}");
    assert_eq!(number(&hub, "analyzer", "sales", "Sum(Amount)").await, 15);
    assert_eq!(
        number(&hub, "professional", "sales", "Sum(Amount)").await,
        3
    );
    assert_eq!(number(&hub, "user", "sales", "Sum(Amount)").await, 5);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_brings_the_other_apps_data_and_its_section_access() {
    let hub = hub_with_app().await;
    let script = "BINARY [lib://Apps/sales.qvf];\nMore: LOAD 1 AS One AUTOGENERATE 1;";
    import(&hub, "child", "TEST\\ANALYZER", script);
    // No row admits the scheduler, so it may not read the data.
    let refused = hub.command(&["app", "reload", "child"]).unwrap_err();
    assert!(refused.contains("source.app_denied"), "{refused}");
    let (success, log) = reload(&hub, "analyzer", "child", false).await;
    assert!(success, "{log}");
    assert_eq!(number(&hub, "analyzer", "child", "Sum(Amount)").await, 15);
    assert_eq!(
        number(&hub, "professional", "child", "Sum(Amount)").await,
        3
    );
    assert_eq!(number(&hub, "user", "child", "Sum(Amount)").await, 5);

    // A section access beside it could show more than the other app does.
    let wider = "BINARY sales;\nSECTION ACCESS;\nLOAD * INLINE [\nACCESS,USERID\nADMIN,*\n];\nSECTION APPLICATION;";
    import(&hub, "wider", "TEST\\ANALYZER", wider);
    let (success, log) = reload(&hub, "analyzer", "wider", false).await;
    assert!(!success && log.contains("script.access_inherited"), "{log}");

    // Without the field that is reduced on, everybody would see everything.
    let bare = "BINARY sales;\nDROP FIELD REGION;";
    import(&hub, "bare", "TEST\\ANALYZER", bare);
    let (success, log) = reload(&hub, "analyzer", "bare", false).await;
    assert!(!success && log.contains("column:REGION"), "{log}");
    hub.stop().await;
}

/// Somebody who sees two of four rows, and not the margin, loads no more into an app of theirs.
// threat: T-08 T-25
#[tokio::test(flavor = "multi_thread")]
async fn binary_loads_what_the_one_who_reloads_may_see() {
    let hub = hub_with_app().await;
    let script = "BINARY sales;\n[Own]: LOAD Count(Amount) AS nRows RESIDENT Sales;";
    import(&hub, "mine", "TEST\\PROFESSIONAL", script);
    let (success, log) = reload(&hub, "professional", "mine", false).await;
    assert!(success, "{log}");
    assert_eq!(number(&hub, "professional", "mine", "Sum(nRows)").await, 2);
    // The owner of `sales` sees no more of it either: it is not there.
    assert_eq!(number(&hub, "analyzer", "mine", "Sum(Amount)").await, 3);
    let (mut socket, handle) = open(&hub, "analyzer", "mine").await.unwrap();
    let margin = socket
        .call(handle, "EvaluateEx", json!(["Sum(Margin)"]))
        .await;
    assert_ne!(margin["result"]["qValue"]["qIsNumeric"], true, "{margin}");

    import(
        &hub,
        "nobody",
        "TEST\\PROFESSIONAL",
        "BINARY [no such app];",
    );
    let (success, log) = reload(&hub, "professional", "nobody", false).await;
    assert!(!success && log.contains("source.app_unknown"), "{log}");
    hub.stop().await;
}

#[test]
fn scripts_are_checked_without_a_hub() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.qvs");
    let bad = dir.path().join("bad.qvs");
    std::fs::write(&good, "SET a = 1;\nT: LOAD * INLINE [\nx\n1\n];\n").unwrap();
    std::fs::write(&bad, "T:\nLOAD a b\nFROM x.csv;\nDROP x;\n").unwrap();
    let check = |args: &[&str]| run(dir.path(), &[&["script", "check"], args].concat(), None);
    let clean = check(&[good.to_str().unwrap()]).unwrap();
    assert_eq!(clean, "0 errors, 0 warnings in 1 file\n");
    check(&[bad.to_str().unwrap()]).unwrap_err();

    let output = std::process::Command::new(env!("CARGO_BIN_EXE_satchel-hub"))
        .args(["script", "check", "--json"])
        .arg(&bad)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["code"], "script.unexpected_token", "{found}");
    assert_eq!(
        (&found[0]["line"], &found[0]["column"]),
        (&json!(2), &json!(8))
    );
    assert!(
        found[1]["message"]
            .as_str()
            .unwrap()
            .contains("expected TABLE or FIELD")
    );
    assert!(!String::from_utf8(output.stdout).unwrap().contains('\u{1b}'));
}

#[test]
fn a_script_is_tried_out_with_few_rows_and_told_step_by_step() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("load.qvs");
    std::fs::write(dir.path().join("x.csv"), "a\n1\n2\n3\n4\n").unwrap();
    std::fs::write(
        &file,
        "T: LOAD a FROM x.csv (txt);\nU: LOAD a AS b RESIDENT T WHERE a > 1;\n",
    )
    .unwrap();
    let told = run(
        dir.path(),
        &[
            "script",
            "run",
            file.to_str().unwrap(),
            "--trace",
            "--limit",
            "3",
        ],
        None,
    )
    .unwrap();
    let step = |line: &str| {
        let step = told
            .lines()
            .find(|l| l.contains(line))
            .unwrap_or_else(|| panic!("{told}"));
        step.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let first = step("T: LOAD a FROM x.csv");
    assert_eq!(
        (&*first[2], &*first[3], &*first[6]),
        ("ms", "3", "3"),
        "{first:?}"
    );
    let second = step("U: LOAD a AS b");
    assert_eq!((&*second[3], &*second[6]), ("3", "2"), "{second:?}");
    assert!(told.contains("table  rows  fields"), "{told}");
}

// threat: T-23
#[tokio::test(flavor = "multi_thread")]
async fn expectations_about_section_access_guard_publication() {
    let hub = hub_with_app().await;
    let tests = hub.dir.path().join("tests.json");
    let good = r#"[
        {"user": "TEST\\PROFESSIONAL", "rows": {"Sales": 2}, "values": {"REGION": ["NORTH"]}, "withheld": ["Margin"], "fields": ["Amount"]},
        {"user": "test\\nobody", "denied": true},
        {"user": "TEST\\ANALYZER", "rows": {"Sales": 4}}
    ]"#;
    std::fs::write(&tests, good).unwrap();
    let file = tests.to_str().unwrap();
    let told = hub
        .command(&["access", "test", "sales", "--file", file, "--keep"])
        .unwrap();
    assert!(told.contains("3 access tests, 0 broken"), "{told}");
    hub.command(&["app", "reload", "sales"]).unwrap();

    std::fs::write(
        &tests,
        good.replace("NORTH", "SOUTH")
            .replace("\"Sales\": 2", "\"Sales\": 1"),
    )
    .unwrap();
    hub.command(&["access", "test", "sales", "--file", file, "--keep"])
        .unwrap_err();
    let refused = hub.command(&["app", "reload", "sales"]).unwrap_err();
    for line in [
        "TEST\\PROFESSIONAL sees 2 rows of Sales, not 1",
        "TEST\\PROFESSIONAL sees NORTH of REGION too",
        "TEST\\PROFESSIONAL does not see SOUTH of REGION",
    ] {
        assert!(refused.contains(line), "{refused}");
    }
    assert_eq!(number(&hub, "analyzer", "sales", "Sum(Amount)").await, 15);
    std::fs::write(&tests, "[{}]").unwrap();
    let broken = hub
        .command(&["access", "test", "sales", "--file", file])
        .unwrap_err();
    assert!(broken.contains("test 1 names no user"), "{broken}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_says_what_changes_for_whom() {
    let hub = hub_with_app().await;
    let none = hub.command(&["access", "diff", "sales"]).unwrap();
    assert!(none.contains("nothing changes for any of"), "{none}");
    let csv = hub.dir.path().join("sales").join("sales.csv");
    std::fs::write(
        &csv,
        "Region,Amount,Margin\nNORTH,1,0.1\nSOUTH,4,0.3\nWEST,8,0.4\n",
    )
    .unwrap();
    let told = hub.command(&["access", "diff", "sales"]).unwrap();
    let line = |who: &str| {
        told.lines()
            .find(|l| l.starts_with(who))
            .unwrap_or_else(|| panic!("{told}"))
    };
    assert!(
        line("TEST\\PROFESSIONAL").ends_with("Sales: 2 rows become 1"),
        "{told}"
    );
    assert!(
        line("TEST\\ANALYZER").ends_with("Sales: 4 rows become 3"),
        "{told}"
    );
    std::fs::write(&csv, "Region,Amount,Margin\nSOUTH,4,0.3\n").unwrap();
    let told = hub
        .command(&["access", "diff", "sales", "--user", "test\\professional"])
        .unwrap();
    assert!(told.contains("was admitted and is denied"), "{told}");
    assert_eq!(
        number(&hub, "professional", "sales", "Sum(Amount)").await,
        3
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lint_names_a_chart_whose_field_some_do_not_have() {
    let hub = hub_with_app().await;
    let folder = hub.dir.path().join("sales");
    let content = r#"{"properties":{"qTitle":"Sales"},"objects":[{"qInfo":{"qId":"chart1","qType":"barchart"},
        "qHyperCubeDef":{"qMeasures":[{"qDef":{"qDef":"Sum(Margin)"}}]}}]}"#;
    std::fs::write(folder.join("app.json"), content).unwrap();
    hub.command(&["app", "remove", "sales"]).unwrap();
    let import = [
        "app",
        "import",
        folder.to_str().unwrap(),
        "--owner",
        "TEST\\ANALYZER",
    ];
    hub.command(&import).unwrap();
    hub.command(&["app", "reload", "Sales"]).unwrap();
    let told = hub.command(&["access", "lint", "sales"]).unwrap();
    let line = told
        .lines()
        .find(|l| l.starts_with("access.omit_in_charts"));
    assert!(line.is_some_and(|l| l.contains("object chart1")), "{told}");
    hub.stop().await;
}
