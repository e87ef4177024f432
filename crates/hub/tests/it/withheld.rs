//! What a person may not see does not exist for them, whichever way they ask, and whoever asked
//! before them.

use serde_json::{Value, json};

use crate::apps::{app_id, hub_with_app};
use crate::harness::{Hub, Socket};

/// A session of its own with the app open, and its handle.
async fn open(hub: &Hub, token: &str, app: &str, session: &str) -> (Socket, i64) {
    let own = [("origin", "https://hub.example.org")];
    let path = format!("/app/{app}/identity/{session}");
    let mut socket = hub.socket(&path, token, &own).await.ok().unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    let opened = socket.call(-1, "OpenDoc", json!([app])).await;
    let handle = opened["result"]["qReturn"]["qHandle"].as_i64().unwrap();
    (socket, handle)
}

/// Every way to name a field; `FIELD` stands for its name.
fn questions() -> Vec<(&'static str, Value)> {
    let cube = json!([{"qInfo": {"qType": "t"}, "qHyperCubeDef": {
        "qDimensions": [{"qDef": {"qFieldDefs": ["FIELD"]}}],
        "qMeasures": [{"qDef": {"qDef": "Sum(FIELD)"}}],
        "qInitialDataFetch": [{"qTop": 0, "qLeft": 0, "qWidth": 2, "qHeight": 10}]}}]);
    let list = json!([{"qInfo": {"qType": "t"}, "qListObjectDef": {
        "qDef": {"qFieldDefs": ["FIELD"]},
        "qInitialDataFetch": [{"qTop": 0, "qLeft": 0, "qWidth": 1, "qHeight": 10}]}}]);
    let sorted = json!([{"qInfo": {"qType": "t"}, "qListObjectDef": {
        "qDef": {"qFieldDefs": ["Region"],
                 "qSortCriterias": [{"qSortByExpression": 1, "qExpression": {"qv": "Sum(FIELD)"}}]},
        "qInitialDataFetch": [{"qTop": 0, "qLeft": 0, "qWidth": 1, "qHeight": 10}]}}]);
    let mut questions = vec![
        ("GetField", json!(["FIELD"])),
        ("GetFieldDescription", json!(["FIELD"])),
        (
            "SearchResults",
            json!([{}, ["FIELD"], {"qOffset": 0, "qCount": 5}]),
        ),
        ("SearchSuggest", json!([{}, ["FIELD"]])),
        (
            "SearchResults",
            json!([{"qSearchFields": ["FIELD"]}, ["1"], {"qOffset": 0, "qCount": 5}]),
        ),
        ("CheckExpression", json!(["Sum(FIELD)"])),
        ("CheckNumberOrExpression", json!(["=Sum(FIELD)"])),
        ("CreateSessionObject", cube),
        ("CreateSessionObject", list),
        ("CreateSessionObject", sorted),
        ("GetMatchingFields", json!([["FIELD"]])),
        (
            "GetFieldAndColumnSamples",
            json!([[{"qFieldName": "FIELD"}], 3]),
        ),
        ("ClearAll", json!([])),
    ];
    for expression in [
        "Sum(FIELD)",
        "Count([FIELD])",
        "Only(FIELD)",
        "FIELD",
        "Sum({1} FIELD)",
        "Sum({<FIELD={1}>} Amount)",
        "Sum({<Region=P({1} FIELD)>} Amount)",
        "GetFieldSelections(FIELD)",
        "FieldIndex('FIELD', 1)",
        "FieldValue('FIELD', 1)",
        "FieldValueCount('FIELD')",
        "Sum(Aggr(Sum(FIELD), Region))",
        "Sum(TOTAL <FIELD> Amount)",
        "GetCurrentSelections()",
        "Concat(DISTINCT FIELD, ',')",
        "$(=Sum(FIELD))",
        "MinString(FIELD)",
        "FieldName(3, 'Sales')",
        "GetSelectedCount(FIELD)",
        "NoOfFields('Sales')",
        "Sum(Amount) + Sum(FIELD)",
    ] {
        questions.push(("EvaluateEx", json!([expression])));
        questions.push(("Evaluate", json!([expression])));
    }
    questions
}

/// The answer, and what an object that was made shows; handles and made-up ids left out.
async fn answer(socket: &mut Socket, doc: i64, method: &str, params: Value) -> String {
    let mut reply = socket.call(doc, method, params).await;
    let mut shown = Value::Null;
    if let Some(handle) = reply["result"]["qReturn"]["qHandle"].as_i64()
        && reply["result"]["qReturn"]["qType"] == "GenericObject"
    {
        shown = socket.call(handle, "GetLayout", json!([])).await;
        let id = shown["result"]["qLayout"]["qInfo"]["qId"].take();
        assert!(id.is_string());
        reply["result"]["qReturn"] = Value::Null;
        reply["result"]["qInfo"] = Value::Null;
    }
    for part in [&mut reply, &mut shown] {
        if let Some(object) = part.as_object_mut() {
            object.remove("change");
        }
    }
    format!("{reply} {shown}")
}

/// `Margin` is withheld from this person, `Nofild` never was.
// threat: T-17
#[tokio::test(flavor = "multi_thread")]
async fn a_withheld_field_answers_as_a_name_nobody_ever_used() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("professional").await;
    let app = app_id(&hub, &token).await;
    let (mut withheld, withheld_doc) = open(&hub, &token, &app, "withheld").await;
    let (mut unknown, unknown_doc) = open(&hub, &token, &app, "unknown").await;
    let mut n_of_errors = 0;
    for (method, params) in questions() {
        let named =
            |name: &str| serde_json::from_str(&params.to_string().replace("FIELD", name)).unwrap();
        let ours = answer(&mut withheld, withheld_doc, method, named("Margin")).await;
        let theirs = answer(&mut unknown, unknown_doc, method, named("Nofild")).await;
        n_of_errors += usize::from(ours.contains("\"error\""));
        assert_eq!(
            ours.replace("Margin", "Nofild"),
            theirs,
            "{method} {params}"
        );
        for value in ["0.1", "0.2", "0.3", "0.4"] {
            assert!(
                !ours.contains(&format!("\"{value}\"")),
                "{method} {params}: {ours}"
            );
        }
    }
    assert!(
        n_of_errors > 0,
        "something was refused, so errors were compared"
    );
    withheld.close().await;
    unknown.close().await;
    // Who may see it is answered.
    let token = hub.sign_in("analyzer").await;
    let (mut socket, doc) = open(&hub, &token, &app, "whole").await;
    let sum = socket.call(doc, "EvaluateEx", json!(["Sum(Margin)"])).await;
    assert_eq!(sum["result"]["qValue"]["qNumber"], 1.0);
    socket.close().await;
    hub.stop().await;
}

const EXPRESSIONS: [&str; 8] = [
    "Sum(Amount)",
    "Count(DISTINCT Region)",
    "Concat(DISTINCT Region, ',')",
    "Sum({1} Amount)",
    "Max(TOTAL Amount)",
    "Sum(Aggr(Max(Amount), Region))",
    "Sum(Margin)",
    "Min(TOTAL Amount) + Count(Amount)",
];

async fn evaluated(socket: &mut Socket, doc: i64, which: usize) -> String {
    let reply = socket
        .call(doc, "EvaluateEx", json!([EXPRESSIONS[which]]))
        .await;
    reply["result"].to_string()
}

// threat: T-18
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_before_nobody_gets_anothers_answer() {
    let hub = hub_with_app().await;
    let mut people = Vec::new();
    for who in ["professional", "analyzer"] {
        let token = hub.sign_in(who).await;
        let app = app_id(&hub, &token).await;
        let (socket, doc) = open(&hub, &token, &app, "cold").await;
        people.push((token, app, socket, doc));
    }
    // Cold: one person has answered nothing of what the other asks; each number is known.
    let mut cold = [Vec::new(), Vec::new()];
    for (person, answers) in people.iter_mut().zip(&mut cold) {
        for which in 0..EXPRESSIONS.len() {
            answers.push(evaluated(&mut person.2, person.3, which).await);
        }
    }
    for (person, wanted) in [
        (0, ["3", "1", "NORTH"]),
        (1, ["15", "3", "NORTH,SOUTH,WEST"]),
    ] {
        for (which, text) in wanted.iter().enumerate() {
            assert!(
                cold[person][which].contains(&format!("\"{text}\"")),
                "{}",
                cold[person][which]
            );
        }
    }
    assert_eq!(
        cold[0].iter().zip(&cold[1]).filter(|(a, b)| a == b).count(),
        0
    );
    // Warm: in turns as a shuffle has them, in sessions old and new.
    let mut state = 7_u64;
    for turn in 0..400 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (person, which) = (
            (state >> 33) as usize % 2,
            (state >> 40) as usize % EXPRESSIONS.len(),
        );
        if turn % 50 == 49 {
            let (token, app, ..) = &people[person];
            let (socket, doc) = open(&hub, token, app, &format!("warm{turn}")).await;
            let old = std::mem::replace(&mut people[person].2, socket);
            people[person].3 = doc;
            old.close().await;
        }
        let (_, _, socket, doc) = &mut people[person];
        let doc = *doc;
        assert_eq!(
            evaluated(socket, doc, which).await,
            cold[person][which],
            "turn {turn}"
        );
    }
    for (_, _, socket, _) in people {
        socket.close().await;
    }
    hub.stop().await;
}
