//! Twins at the protocol: whole conversations, byte for byte, with a session on the mask and one
//! on the reduced model, and no canary of a hidden row or withheld field in any reply or in what
//! would lie on a device.
//!
//! `SLOW=1` runs 100,000 cases, else 2,000; the number is printed. Models are shared by the
//! people asked about, so a case costs a decision, two sessions and some thirty requests.

use std::sync::Arc;

use satchel_access::{Rules, Subject, decide, mask, reduce};
use satchel_base::{Budget, SubjectId, UnixMillis};
use satchel_data::{AccessTable, AccessTables, Frame, Model, ModelBuilder, Value, View};
use satchel_engine::Engine;
use satchel_qix::{
    AppContent, AppMeta, ExportFile, ExportRows, Host, Now, OpenApp, OpenFailure, OpenMode,
    Refusal, Reloaded, Session, SessionConfig, UserInfo,
};
use serde_json::{Value as Json, json};

/// People asked about each model.
const PEOPLE: usize = 25;

/// A tree of keys; every table has a canary column, `X` with its name.
const SHAPES: [(&str, &[&str]); 4] = [
    ("A", &["K1", "K2", "R", "N"]),
    ("B", &["K1", "S"]),
    ("C", &["K2", "T", "M"]),
    ("D", &["W"]),
];

/// What may reduce: plain fields, a key, and a field of a table that stands alone.
const REDUCED: [&str; 5] = ["R", "S", "T", "K1", "W"];

/// `splitmix64`: the same cases in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

fn canary(table: &str, row: usize) -> String {
    format!("CANARY<{table}{row}>")
}

fn model(random: &mut Random) -> Model {
    let mut builder = ModelBuilder::new();
    for (name, columns) in SHAPES {
        let own = format!("X{name}");
        let all = columns.iter().copied().chain([own.as_str()]);
        let mut frame = Frame::new(name, all);
        for row in 0..1 + random.below(9) {
            let mut cells: Vec<Value> = columns
                .iter()
                .map(|column| match (random.below(6), *column) {
                    (0, _) => Value::Null,
                    (n, "N" | "M") => Value::dual(n as f64 * 1.5, format!("{} €", n)),
                    // The same number in several spellings: the first seen one shows.
                    (n, "T") => Value::dual(n as f64, format!("{}t{}", n, random.below(2))),
                    (n, _) => Value::text(format!("V{n}")),
                })
                .collect();
            cells.push(Value::text(canary(name, row)));
            frame.push_row(&cells);
        }
        builder = builder.table(frame);
    }
    builder.build().expect("small")
}

/// Rows of access for one person: some reduction fields, some values, sometimes an OMIT.
fn access(random: &mut Random) -> AccessTables {
    let mut fields: Vec<&str> = REDUCED.to_vec();
    while fields.len() > 1 && random.below(3) > 0 {
        fields.remove(random.below(fields.len()));
    }
    let mut columns: Vec<String> = ["ACCESS", "USERID", "OMIT"].map(str::to_owned).to_vec();
    columns.extend(fields.iter().map(|f| (*f).to_owned()));
    let rows = (0..1 + random.below(4))
        .map(|_| {
            let kind = if random.below(8) == 0 {
                "ADMIN"
            } else {
                "USER"
            };
            let omit = match random.below(4) {
                0 => *random.pick(&["N", "S", "XC", "K2", "T", "*"]),
                _ => "",
            };
            let mut row = vec![kind, "D\\ANN", omit].into_iter().map(Value::text);
            let mut row: Vec<Value> = row.by_ref().collect();
            row.extend(fields.iter().map(|field| match random.below(8) {
                0 => Value::text("*"),
                1 if kind == "ADMIN" => Value::text(""),
                n if *field == "T" => Value::num(n as f64 % 6.0),
                n => Value::text(format!("V{}", n % 6)),
            }));
            row
        })
        .collect();
    AccessTables {
        tables: vec![AccessTable {
            name: "SA".into(),
            columns,
            rows,
        }],
    }
}

struct TwinHost {
    engine: Arc<Engine>,
    content: Arc<AppContent>,
    next: u8,
}

fn meta() -> AppMeta {
    let mut meta = AppMeta::new("app", "Twins", SubjectId::new("D", "ROOT"));
    meta.may_export = true;
    meta
}

impl Host for TwinHost {
    fn doc_list(&mut self) -> Vec<AppMeta> {
        vec![meta()]
    }

    fn open(&mut self, _: &str, _: OpenMode) -> Result<OpenApp, OpenFailure> {
        Ok(OpenApp {
            engine: self.engine.clone(),
            content: self.content.clone(),
            meta: meta(),
        })
    }

    fn save(&mut self, _: &str, _: &AppContent) -> Result<(), Refusal> {
        Ok(())
    }

    fn reload(&mut self, _: &str, _: &AppContent, _: bool) -> Result<Reloaded, Refusal> {
        Err(Refusal::NotHere)
    }

    /// The "address" is the file itself.
    fn export(&mut self, file: &ExportFile, rows: &mut ExportRows<'_>) -> Result<String, Refusal> {
        let mut text = file.columns.join(";");
        for row in rows {
            let row = row.map_err(|stop| Refusal::Failed {
                message: stop.to_string(),
            })?;
            for cell in row.iter() {
                text += &format!("|{} {:?}", cell.text, cell.num);
            }
        }
        Ok(text)
    }

    fn user(&self) -> UserInfo {
        UserInfo {
            id: SubjectId::new("D", "ANN"),
            name: "Ann".to_owned(),
        }
    }

    fn now(&self) -> Now {
        Now {
            utc: UnixMillis(1_790_000_000_000),
            offset_minutes: 0,
        }
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        self.next = self.next.wrapping_add(1);
        bytes.fill(self.next);
    }

    fn product_version(&self) -> String {
        "0.1.0".to_owned()
    }
}

/// Sums, counts, texts, set analysis, totals, `Aggr`, ranks, and what is wrong.
const EXPRESSIONS: [&str; 18] = [
    "Sum(N)",
    "Count(K1)",
    "Count(DISTINCT R)",
    "Concat(DISTINCT S, ',')",
    "MaxString(XA) & MinString(XB)",
    "Only(T)",
    "Sum({1} M)",
    "Count({<R={'V1'}>} K2)",
    "Count({<S=P({1} S)>} XA)",
    "Count({<R=E({<S={'V1'}>} R)>} K1)",
    "Sum(TOTAL N)",
    "Sum(N) / Sum(TOTAL <R> N)",
    "Sum(Aggr(Count(S), R))",
    "Rank(Sum(N))",
    "Concat({1-$} XA)",
    "Count({<XA={\"*CANARY*\"}>} XA)",
    "Sum(NoSuchField)",
    "Sum(",
];

const FIELDS: [&str; 12] = [
    "K1", "K2", "R", "N", "S", "T", "M", "W", "XA", "XB", "XC", "XD",
];

/// What is said in one case: frames with `HANDLE` of the object made `n` requests before.
fn conversation(random: &mut Random) -> Vec<Json> {
    let doc = 1;
    let mut out = vec![json!({"handle": -1, "method": "OpenDoc", "params": ["app"]})];
    let mut say = |handle: i64, method: &str, params: Json| {
        out.push(json!({"handle": handle, "method": method, "params": params}));
    };
    let field = |random: &mut Random| *random.pick(&FIELDS);
    let list = field(random);
    let sort = match random.below(5) {
        0 => json!({"qSortByAscii": 1}),
        1 => json!({"qSortByNumeric": -1}),
        2 => json!({"qSortByFrequency": -1, "qSortByAscii": 1}),
        3 => json!({"qSortByState": 1, "qSortByLoadOrder": 1}),
        _ => json!({"qSortByExpression": -1, "qExpression": {"qv": "Sum(N)"}}),
    };
    let page = json!([{"qTop": 0, "qLeft": 0, "qWidth": 6, "qHeight": 40}]);
    // Handle 2.
    say(
        doc,
        "CreateSessionObject",
        json!([{
            "qInfo": {"qId": "l", "qType": "list"},
            "qListObjectDef": {
                "qFrequencyMode": "V", "qShowAlternatives": true,
                "qDef": {"qFieldDefs": [list], "qSortCriterias": [sort]},
                "qInitialDataFetch": page,
            },
        }]),
    );
    say(2, "GetLayout", json!([]));
    // Handle 3.
    let mode = *random.pick(&["S", "S", "P", "K"]);
    let expression = |random: &mut Random| *random.pick(&EXPRESSIONS);
    say(
        doc,
        "CreateSessionObject",
        json!([{
            "qInfo": {"qId": "c", "qType": "chart"},
            "qHyperCubeDef": {
                "qMode": mode, "qAlwaysFullyExpanded": true, "qNoOfLeftDims": 1,
                "qDimensions": [
                    {"qDef": {"qFieldDefs": [field(random)], "qSortCriterias": [{"qSortByAscii": 1}]},
                     "qNullSuppression": random.below(2) == 0},
                    {"qDef": {"qFieldDefs": [field(random)]},
                     "qOtherTotalSpec": {"qOtherMode": if random.below(3) == 0 { "OTHER_COUNTED" } else { "OTHER_OFF" }, "qOtherCounted": {"qv": "2"}}},
                ],
                "qMeasures": [
                    {"qDef": {"qDef": expression(random)}, "qSortBy": {"qSortByNumeric": -1}},
                    {"qDef": {"qDef": expression(random)}},
                ],
                "qInterColumnSortOrder": [random.below(3), 0],
                "qSuppressZero": random.below(3) == 0,
                "qInitialDataFetch": page,
            },
        }]),
    );
    // Handle 4: the fields and tables there are.
    say(
        doc,
        "CreateSessionObject",
        json!([{
            "qInfo": {"qId": "f", "qType": "FieldList"},
            "qFieldListDef": {"qShowSystem": true, "qShowSemantic": true, "qShowSrcTables": true},
        }]),
    );
    say(4, "GetLayout", json!([]));
    say(doc, "GetTablesAndKeys", json!([{}, {}, 30, true, false]));
    for round in 0..2 {
        let values: Vec<usize> = (0..1 + random.below(2)).map(|_| random.below(6)).collect();
        say(
            2,
            "SelectListObjectValues",
            json!(["/qListObjectDef", values, round == 1]),
        );
        say(2, "GetLayout", json!([]));
        say(3, "GetLayout", json!([]));
    }
    let get = match mode {
        "S" => "GetHyperCubeData",
        _ => "GetHyperCubePivotData",
    };
    say(3, get, json!(["/qHyperCubeDef", page]));
    say(
        3,
        "ExportData",
        json!(["CSV_C", "/qHyperCubeDef", "Mine", "P"]),
    );
    say(
        doc,
        "CreateBookmark",
        json!([{"qInfo": {"qId": "b", "qType": "bookmark"}, "qMetaDef": {"title": "B"}}]),
    );
    say(doc, "ClearAll", json!([]));
    say(
        2,
        "SearchListObjectFor",
        json!([
            "/qListObjectDef",
            random.pick(&["*", "v1", "can*", ">2", "=Sum(N)>2"])
        ]),
    );
    say(2, "GetLayout", json!([]));
    say(doc, "ApplyBookmark", json!(["b"]));
    say(3, "GetLayout", json!([]));
    let term = *random.pick(&["v", "canary", "V1", "2", "t0"]);
    say(
        doc,
        "SearchSuggest",
        json!([{"qContext": "Cleared"}, [term]]),
    );
    say(
        doc,
        "SearchResults",
        json!([
            {"qContext": "CurrentSelections"}, [term], {"qOffset": 0, "qCount": 9, "qMaxNbrFieldMatches": 9},
        ]),
    );
    say(
        doc,
        "SearchAssociations",
        json!([
            {"qContext": "Cleared"}, [term, "v2"], {"qOffset": 0, "qCount": 5, "qMaxNbrFieldMatches": -1},
        ]),
    );
    say(doc, "EvaluateEx", json!([expression(random)]));
    let named = field(random);
    say(doc, "GetFieldDescription", json!([named]));
    say(doc, "GetTableProfileData", json!([random.pick(&SHAPES).0]));
    say(
        doc,
        "GetFieldAndColumnSamples",
        json!([[{"qFieldName": named, "qTableName": ""}], 5, 0]),
    );
    say(
        doc,
        "GetAssociationScores",
        json!(["A", random.pick(&SHAPES).0]),
    );
    say(
        doc,
        "GetTableData",
        json!([-1, 20, true, random.pick(&SHAPES).0]),
    );
    say(doc, "GetField", json!([field(random)]));
    out
}

/// What a session on `view` answers.
fn replies(view: View, frames: &[Json]) -> Vec<String> {
    let host = TwinHost {
        engine: Engine::new(Arc::new(view)),
        content: Arc::new(AppContent::default()),
        next: 0,
    };
    let mut session = Session::new(SessionConfig::default(), Box::new(host));
    let mut out = Vec::new();
    for (id, frame) in frames.iter().enumerate() {
        let mut frame = frame.clone();
        frame["jsonrpc"] = "2.0".into();
        frame["id"] = (id + 1).into();
        out.extend(session.handle(&frame.to_string(), &Budget::unlimited()));
    }
    out
}

// threat: T-13 T-14 T-15 T-16
#[test]
fn conversations_on_the_mask_and_on_the_reduced_model_are_the_same() {
    let wanted = match std::env::var_os("SLOW") {
        Some(_) => 100_000,
        None => 2_000,
    };
    let ann = Subject::new(SubjectId::new("D", "ANN"));
    let (mut n_cases, mut n_denied, mut n_results, mut n_errors) = (0, 0, 0, 0);
    let mut seed = 0_u64;
    while n_cases < wanted {
        seed += 1;
        let mut random = Random(seed);
        let model = Arc::new(model(&mut random));
        for _ in 0..PEOPLE {
            let (rules, _) = Rules::read(&access(&mut random), &model);
            let decision = decide(&rules, &ann);
            let (masked, reduced) = (mask(&decision, model.clone()), reduce(&decision, &model));
            assert_eq!(masked.is_ok(), reduced.is_ok(), "seed {seed}");
            let (Ok(masked), Ok(reduced)) = (masked, reduced) else {
                n_denied += 1;
                continue;
            };
            n_cases += 1;
            let hidden = hidden(&model, &masked);
            let kept = reduced.model.to_snapshot();
            let frames = conversation(&mut random);
            let on_mask = replies(masked, &frames);
            let on_reduced = replies(View::unrestricted(Arc::new(reduced.model)), &frames);
            for ((frame, a), b) in frames.iter().zip(&on_mask).zip(&on_reduced) {
                assert_eq!(a, b, "seed {seed}, {frame}");
                if a.contains("\"error\":") {
                    n_errors += 1;
                } else {
                    n_results += 1;
                }
                for word in &hidden {
                    assert!(!a.contains(word.as_str()), "seed {seed}: {word} in {a}");
                }
            }
            for word in &hidden {
                let has = kept.windows(word.len()).any(|w| w == word.as_bytes());
                assert!(!has, "seed {seed}: {word} in the reduced model");
            }
        }
    }
    println!(
        "{n_cases} cases of {seed} models, {n_denied} denials beside them, {n_results} answers and {n_errors} errors compared"
    );
    // A conversation of errors would prove nothing.
    assert!(
        n_results > 10 * n_errors,
        "{n_results} answers, {n_errors} errors"
    );
}

/// The canaries of rows and fields that `view` does not show.
fn hidden(model: &Model, view: &View) -> Vec<String> {
    let mut out = Vec::new();
    for (t, table) in model.tables().iter().enumerate() {
        let Some((name, _)) = SHAPES.iter().find(|(name, _)| *name == table.name) else {
            continue;
        };
        let id = (view.tables()).find(|id| id.index() == t);
        let shows = view.field_by_name(&format!("X{name}")).is_some();
        let n_rows = table.n_rows as u32;
        let gone =
            (0..n_rows).filter(|row| !shows || !id.is_some_and(|id| view.row_is_visible(id, *row)));
        out.extend(gone.map(|row| canary(name, row as usize)));
    }
    out
}
