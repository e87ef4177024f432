//! What would take too much is refused before it is begun, and says what it would take.

use std::sync::Arc;

use satchel_base::{Budget, CancelToken, Limits, Stop};
use satchel_calc::Locale;
use satchel_data::{Frame, ModelBuilder, Value, View};
use satchel_engine::*;

const N_ROWS: u32 = 100_000;

/// Two tables that nothing connects.
fn islands() -> Arc<Engine> {
    let table = |name: &str, fields: [&str; 2]| {
        let mut frame = Frame::new(name, fields);
        for i in 0..N_ROWS {
            frame.push_row(&[Value::num(f64::from(i)), Value::num(f64::from(i % 7))]);
        }
        frame
    };
    let model = ModelBuilder::new()
        .table(table("Left", ["A", "X"]))
        .table(table("Right", ["B", "Y"]));
    Engine::new(Arc::new(View::unrestricted(Arc::new(
        model.build().unwrap(),
    ))))
}

fn ask(engine: &Engine, limits: Limits, dims: &[&str], measure: &str) -> Result<usize, CalcError> {
    let (selections, locale) = (Selections::new(), Locale::default());
    let query = Query {
        engine,
        selections: &selections,
        state: "$",
        lookup: &NoLookup,
        locale: &locale,
        now: 45_000.0,
        utc_offset: 0.0,
        budget: &Budget::new(limits, CancelToken::default()),
    };
    let dimensions = dims.iter().map(|d| DimensionDef {
        def: (*d).to_owned(),
        ..DimensionDef::default()
    });
    let cube = query.cube(&CubeDef {
        dimensions: dimensions.collect(),
        measures: vec![MeasureDef {
            def: measure.to_owned(),
            ..MeasureDef::default()
        }],
        ..CubeDef::default()
    })?;
    Ok(cube.n_rows())
}

#[test]
fn a_product_of_islands_is_refused() {
    let engine = islands();
    let cases: [(&[&str], &str); 5] = [
        (&["A", "B"], "1"),
        (&["A", "B"], "Sum(X)"),
        (&["B"], "Sum(X)"),
        (&[], "Sum(X * Y)"),
        (&["A"], "Sum(Aggr(Sum(X), A, B))"),
    ];
    for (dims, measure) in cases {
        let refused = ask(&engine, Limits::INTERACTIVE, dims, measure);
        assert!(
            matches!(refused, Err(CalcError::Stop(Stop::TooManyRows { .. }))),
            "{dims:?} {measure}: {refused:?}"
        );
    }
    assert_eq!(ask(&engine, Limits::INTERACTIVE, &["X"], "Sum(A)"), Ok(7));
}

#[test]
fn texts_that_take_for_ever_are_refused() {
    let engine = islands();
    // Each is work for hours, in one value.
    let pattern = "'*' & Repeat('a', 8000000) & 'b'";
    let cases = [
        format!("WildMatch(Repeat('a', 16000000), {pattern})"),
        format!("Repeat('a', 16000000) like {pattern}"),
        format!("WildMatch('é' & Repeat('a', 14000000), {pattern})"),
    ];
    let limits = Limits {
        rows: Limits::INTERACTIVE.rows / 20,
        ..Limits::INTERACTIVE
    };
    for measure in cases {
        let refused = ask(&engine, limits, &[], &measure);
        assert!(
            matches!(refused, Err(CalcError::Stop(Stop::TooManyRows { .. }))),
            "{measure}: {refused:?}"
        );
    }
    // And these in each of many rows.
    let cases = [
        "Sum(Len(Repeat('a', 4000000 + A)))",
        "Sum(LevenshteinDist(Repeat('a', 3000 + X), Repeat('b', 3000)))",
        "Max(Len(KeepChar(Repeat('a', 4000000), Repeat('b', 4000000)) & A))",
    ];
    for measure in cases {
        let refused = ask(&engine, limits, &[], measure);
        assert!(
            matches!(refused, Err(CalcError::Stop(Stop::TooManyRows { .. }))),
            "{measure}: {refused:?}"
        );
    }
    let fine = "WildMatch(Repeat('a', 100000) & 'b', '*' & Repeat('a', 10) & 'b')";
    assert_eq!(ask(&engine, Limits::INTERACTIVE, &[], fine), Ok(1));
}

#[test]
fn ten_levels_of_values_within_values_are_booked() {
    let engine = islands();
    let mut nested = "Sum(X)".to_owned();
    for level in 0..10 {
        nested = format!("Sum(Aggr({nested} + {level}, A))");
    }
    let limits = Limits {
        rows: u64::from(N_ROWS) / 2,
        ..Limits::INTERACTIVE
    };
    let refused = ask(&engine, limits, &["X"], &nested);
    assert!(
        matches!(refused, Err(CalcError::Stop(Stop::TooManyRows { .. }))),
        "{refused:?}"
    );
    assert_eq!(ask(&engine, Limits::INTERACTIVE, &["X"], &nested), Ok(7));
}

#[test]
fn a_cube_with_more_rows_than_memory_is_refused() {
    let engine = islands();
    // As much for each row as ten million of them have.
    let limits = Limits {
        rows: Limits::INTERACTIVE.rows,
        bytes: Limits::INTERACTIVE.bytes / 10_000_000 * u64::from(N_ROWS),
    };
    let measure = "Concat(Repeat('abcdefgh', 50) & A)";
    let refused = ask(&engine, limits, &["A"], measure);
    assert!(
        matches!(refused, Err(CalcError::Stop(Stop::TooManyBytes { .. }))),
        "{refused:?}"
    );
    assert_eq!(ask(&engine, limits, &["X"], "Sum(A)"), Ok(7));
}

#[test]
fn caches_that_stay_are_paid_for_by_who_builds_them() {
    let mut facts = Frame::new("Facts", ["Key", "Fact"]);
    let mut about = Frame::new("About", ["Key", "Kind"]);
    for i in 0..N_ROWS {
        let key = Value::num(f64::from(i * 7919 % 5000));
        facts.push_row(&[key, Value::num(f64::from(i))]);
    }
    for i in 0..5000 {
        about.push_row(&[Value::num(f64::from(i)), Value::num(f64::from(i % 100))]);
    }
    let model = ModelBuilder::new().table(facts).table(about);
    let model = Arc::new(model.build().unwrap());
    let engine = Engine::new(Arc::new(View::unrestricted(model.clone())));
    let kind = engine.field("Kind").unwrap();
    let mut selections = Selections::new();
    let select = Select::Elements(vec![3], Toggle::Replace);
    let budget = Budget::unlimited();
    engine
        .select(&mut selections, "$", kind, &select, Locks::Respect, &budget)
        .unwrap();
    let state = selections.default_state();
    // Enough for the answer, but not for the index of 100,000 rows that it builds.
    let small = || {
        let limits = Limits {
            rows: u64::MAX,
            bytes: 4 * u64::from(N_ROWS),
        };
        Budget::new(limits, CancelToken::default())
    };
    let table = model
        .tables()
        .iter()
        .position(|t| t.name == "Facts")
        .unwrap();
    let table = satchel_data::TableId(table as u32);
    let refused = engine.possible_rows(&state, table, &small());
    assert!(matches!(refused, Err(Stop::TooManyBytes { .. })));
    // What says which keys are of which kind may be there; the index is not.
    assert!(engine.shared_bytes() < N_ROWS as usize);
    let rows = engine.possible_rows(&state, table, &budget).unwrap();
    assert_eq!(rows.set().map(satchel_data::BitSet::count), Some(1000));
    assert!(engine.shared_bytes() >= 4 * N_ROWS as usize);
    engine.forget();
    assert!(engine.possible_rows(&state, table, &small()).is_ok());
}

#[test]
fn a_term_that_is_nowhere_ends_a_search_at_once() {
    // Seven terms that are everywhere could be given to thirty fields in 30^7 ways.
    let names: Vec<String> = (0..30).map(|i| format!("F{i}")).collect();
    let mut frame = Frame::new("T", names.iter().map(String::as_str));
    frame.push_row(&vec![Value::text("x"); names.len()]);
    let model = ModelBuilder::new().table(frame).build().unwrap();
    let engine = Engine::new(Arc::new(View::unrestricted(Arc::new(model))));
    let fields: Vec<_> = names.iter().map(|n| engine.field(n).unwrap()).collect();
    let mut terms = vec!["x".to_owned(); 7];
    terms.push("nowhere".to_owned());
    let base = Selections::new().default_state();
    let budget = Budget::new(Limits::INTERACTIVE, CancelToken::default());
    let found = engine
        .associations(&fields, &terms, &base, &budget)
        .unwrap();
    assert!(!found.is_empty(), "the seven are found without the eighth");
}
