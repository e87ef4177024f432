//! What a session promises: the conversations in `corpus/rpc`, and that no frame breaks it.

#[path = "sharing.rs"]
mod sharing;

#[path = "tier1.rs"]
mod tier1;

#[path = "host.rs"]
mod host;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use satchel_base::{Budget, CancelToken, Limits};
use satchel_qix::{Greeting, Session, SessionConfig};
use serde_json::{Value, json};

const APP: &str = "11111111-1111-4111-8111-111111111111";

fn session() -> Session {
    Session::new(SessionConfig::default(), Box::new(host::TestHost::new()))
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/rpc")
}

/// Every file is one conversation: a request line, then its reply line. `UPDATE=1` rewrites
/// the replies; lines beginning with `#` are comments.
#[test]
fn conversations_go_as_written() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(corpus())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no conversations in {:?}", corpus());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut session = session();
        let (mut out, mut wrong) = (String::new(), Vec::new());
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            out.push_str(line);
            out.push('\n');
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            let replies = session.handle(line, &Budget::unlimited());
            assert_eq!(replies.len(), 1, "{line}");
            if std::env::var_os("UPDATE").is_some() {
                if lines.peek().is_some_and(|l| is_reply(l)) {
                    lines.next();
                }
            } else {
                let want = lines.next().unwrap_or_default();
                if want != replies[0] {
                    wrong.push(format!("{line}\n  want {want}\n  got  {}", replies[0]));
                }
            }
            out.push_str(&replies[0]);
            out.push('\n');
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, out).unwrap();
        }
        assert!(
            wrong.is_empty(),
            "{}:\n{}",
            file.display(),
            wrong.join("\n")
        );
    }
}

fn is_reply(line: &str) -> bool {
    serde_json::from_str::<Value>(line)
        .is_ok_and(|v| v.get("result").is_some() || v.get("error").is_some())
}

#[test]
fn greetings_are_two_frames_through_a_proxy_and_one_from_the_engine() {
    assert_eq!(session().greeting().len(), 2);
    let config = SessionConfig {
        greeting: Greeting::Direct,
        ..SessionConfig::default()
    };
    let mut direct = Session::new(config, Box::new(host::TestHost::new()));
    assert_eq!(direct.greeting().len(), 1);
    assert!(direct.greeting()[0].contains("SESSION_CREATED"));
    let second = direct.attach();
    assert_eq!(direct.greeting_on(second).len(), 1);
    assert!(direct.greeting_on(second)[0].contains("SESSION_ATTACHED"));
}

fn ask(session: &mut Session, budget: &Budget, frame: &Value) -> Value {
    let replies = session.handle(&frame.to_string(), budget);
    serde_json::from_str(&replies[0]).unwrap()
}

fn open(session: &mut Session) {
    let frame = json!({"id": 1, "handle": -1, "method": "OpenDoc", "params": [APP]});
    assert_eq!(
        ask(session, &Budget::unlimited(), &frame)["result"]["qReturn"]["qHandle"],
        1
    );
}

// threat: T-32 T-33
#[test]
fn a_cancelled_request_is_aborted_and_a_large_one_too_large() {
    let mut session = session();
    open(&mut session);
    let evaluate = json!({"id": 2, "handle": 1, "method": "EvaluateEx", "params": ["Sum(Sales)"]});
    let cancelled = CancelToken::default();
    cancelled.cancel();
    let reply = ask(
        &mut session,
        &Budget::new(Limits::UNLIMITED, cancelled),
        &evaluate,
    );
    assert_eq!(reply["error"]["code"], 15);
    let small = Limits {
        rows: 3,
        bytes: 1 << 20,
    };
    let reply = ask(
        &mut session,
        &Budget::new(small, CancelToken::default()),
        &evaluate,
    );
    assert_eq!(reply["error"]["code"], 7003);
    let reply = ask(&mut session, &Budget::unlimited(), &evaluate);
    assert_eq!(reply["result"]["qValue"]["qNumber"], 36952);
}

// threat: T-32
#[test]
fn a_frame_that_is_too_long_is_refused() {
    let config = SessionConfig {
        max_frame_bytes: 10,
        ..SessionConfig::default()
    };
    let mut session = Session::new(config, Box::new(host::TestHost::new()));
    let replies = session.handle("{\"method\":\"EngineVersion\"}", &Budget::unlimited());
    assert!(replies[0].contains("-32600"));
}

/// Values that confuse: wrong types, wild numbers, definitions that are nearly right.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3i64..12).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "$",
            "kpi1",
            "sheet1",
            "l",
            "c",
            "p",
            "Region",
            "Year",
            "/qListObjectDef",
            "/qHyperCubeDef",
            "Sum(Sales)",
            "=Region",
            "Sum({<Year={2022}>} Sales)",
            "Sum(",
            "a*",
            ">2021",
            "b-south",
            "d-region",
            "m-sales",
            "L",
            "T",
            "D",
            "add",
            "remove",
            "/qHyperCubeDef/qMode",
            "\"P\"",
            "/",
            "vYear",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop::sample::select(vec![
            "qInfo",
            "qId",
            "qType",
            "qHyperCubeDef",
            "qListObjectDef",
            "qDef",
            "qFieldDefs",
            "qDimensions",
            "qMeasures",
            "qMode",
            "qInitialDataFetch",
            "qTop",
            "qLeft",
            "qWidth",
            "qHeight",
            "qPath",
            "qOp",
            "qValue",
            "qChildren",
            "qProperty",
            "qSortCriterias",
            "qInterColumnSortOrder",
            "qStringExpression",
            "qRow",
            "qCol",
            "qRange",
            "qMin",
            "qSelectionObjectDef",
            "qFieldListDef",
            "qNoOfLeftDims",
            "qName",
            "title",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5).prop_map(|members| {
                Value::Object(
                    members
                        .into_iter()
                        .map(|(k, v)| (k.to_owned(), v))
                        .collect(),
                )
            }),
        ]
    })
}

const METHODS: &[&str] = &[
    "GetLayout",
    "GetProperties",
    "SetProperties",
    "ApplyPatches",
    "GetEffectiveProperties",
    "SetFullPropertyTree",
    "GetFullPropertyTree",
    "CreateSessionObject",
    "CreateObject",
    "DestroyObject",
    "GetObject",
    "GetListObjectData",
    "GetHyperCubeData",
    "GetHyperCubePivotData",
    "GetHyperCubeStackData",
    "GetHyperCubeReducedData",
    "SelectListObjectValues",
    "SelectHyperCubeValues",
    "SelectHyperCubeCells",
    "SelectPivotCells",
    "BeginSelections",
    "EndSelections",
    "ResetMadeSelections",
    "SearchListObjectFor",
    "AcceptListObjectSearch",
    "RangeSelectHyperCubeValues",
    "ExpandLeft",
    "CollapseTop",
    "DrillUp",
    "ClearSelections",
    "Lock",
    "Unlock",
    "Back",
    "Forward",
    "ClearAll",
    "GetField",
    "SelectValues",
    "Select",
    "SelectExcluded",
    "Clear",
    "CreateBookmark",
    "ApplyBookmark",
    "CreateDimension",
    "CreateVariableEx",
    "SetStringValue",
    "Evaluate",
    "CheckExpression",
    "AddAlternateState",
    "GetTableData",
    "GetTablesAndKeys",
    "CreateChild",
    "SetChildArrayOrder",
    "CopyFrom",
    "OpenDoc",
    "DoSave",
    "StepCycle",
    "NoSuchMethod",
    "GetAppLayout",
    "GetObjects",
];

fn cases() -> u32 {
    if std::env::var_os("SLOW").is_some() {
        4000
    } else {
        200
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn every_request_gets_one_reply(
        requests in prop::collection::vec(
            (-2i64..9, prop::sample::select(METHODS), prop::collection::vec(any_value(), 0..4)),
            1..12,
        )
    ) {
        let mut session = session();
        open(&mut session);
        let budget = Budget::unlimited();
        for object in [
            json!({"qInfo": {"qId": "l", "qType": "l"},
                   "qListObjectDef": {"qDef": {"qFieldDefs": ["Region"]}}}),
            json!({"qInfo": {"qId": "c", "qType": "c"},
                   "qHyperCubeDef": {"qDimensions": [{"qDef": {"qFieldDefs": ["Region"]}}],
                                     "qMeasures": [{"qDef": {"qDef": "Sum(Sales)"}}]}}),
            json!({"qInfo": {"qId": "p", "qType": "p"},
                   "qHyperCubeDef": {"qMode": "P", "qNoOfLeftDims": 1,
                                     "qDimensions": [{"qDef": {"qFieldDefs": ["Region"]}},
                                                     {"qDef": {"qFieldDefs": ["Year"]}}],
                                     "qMeasures": [{"qDef": {"qDef": "Sum(Sales)"}}]}}),
        ] {
            let frame = json!({"id": 2, "handle": 1, "method": "CreateSessionObject", "params": [object]});
            prop_assert!(ask(&mut session, &budget, &frame).get("result").is_some());
        }
        for (id, (handle, method, params)) in requests.into_iter().enumerate() {
            let frame = json!({"id": id, "handle": handle, "method": method, "params": params});
            let replies = session.handle(&frame.to_string(), &budget);
            prop_assert_eq!(replies.len(), 1);
            let reply: Value = serde_json::from_str(&replies[0]).unwrap();
            prop_assert_eq!(&reply["id"], &json!(id));
            prop_assert!(reply.get("result").is_some() != reply.get("error").is_some());
        }
    }

    #[test]
    fn text_that_is_no_request_gets_an_error(text in ".{0,60}") {
        let replies = session().handle(&text, &Budget::unlimited());
        prop_assert_eq!(replies.len(), 1);
        let reply: Value = serde_json::from_str(&replies[0]).unwrap();
        prop_assert!(reply["error"]["code"].as_i64().unwrap() <= -32600);
    }
}

// threat: T-19
#[test]
fn a_bookmark_names_only_values_the_reader_may_see() {
    let mut content = satchel_qix::AppContent::default();
    let shared = json!([{
        "qInfo": {"qId": "b", "qType": "bookmark"},
        "selections": {"states": [{"state": "$", "fields": [
            {"field": "Region", "values": ["North", "a hidden region"]},
            {"field": "A hidden field", "values": [1]},
        ]}]},
    }]);
    content.add_own_bookmarks(&shared.to_string()).unwrap();
    content.restrict_bookmarks(&host::engine());
    let left = serde_json::to_value(&content.bookmarks).unwrap();
    assert!(!left.to_string().contains("hidden"), "{left}");
    assert!(left.to_string().contains("North"), "{left}");
}
