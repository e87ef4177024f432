//! A running calculation ends soon after it is cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use satchel_base::{Budget, CancelToken, Limits, Stop};
use satchel_calc::Locale;
use satchel_data::{Frame, ModelBuilder, Value, View};
use satchel_engine::*;

/// Rows enough that each of the calculations below takes seconds.
const N_ROWS: u32 = 150_000;

/// Tells when a calculation has begun: its text names a variable.
struct Begun(AtomicBool);

impl Lookup for Begun {
    fn variable(&self, _: &str) -> Option<String> {
        self.0.store(true, Ordering::SeqCst);
        Some("1".to_owned())
    }
}

fn engine() -> Arc<Engine> {
    let mut frame = Frame::new("T", ["Id", "Group", "Text", "Num"]);
    for i in 0..N_ROWS {
        let i = f64::from(i);
        frame.push_row(&[
            Value::num(i),
            Value::num(i % 997.0),
            Value::text(format!("t{}", i % 4999.0)),
            Value::num(i * 0.5),
        ]);
    }
    let model = ModelBuilder::new().table(frame).build().unwrap();
    Engine::new(Arc::new(View::unrestricted(Arc::new(model))))
}

/// Cancels a calculation as soon as it has begun. It must end as cancelled, and long before it
/// would have been done; the bound is generous for slow machines.
#[track_caller]
fn check<R: Send>(engine: &Engine, work: impl Fn(&Query<'_>) -> Result<R, CalcError> + Sync) {
    let token = CancelToken::default();
    let budget = Budget::new(Limits::UNLIMITED, token.clone());
    let begun = Begun(AtomicBool::new(false));
    let (selections, locale) = (Selections::new(), Locale::default());
    let (result, late) = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let query = Query {
                engine,
                selections: &selections,
                state: "$",
                lookup: &Named(&begun),
                locale: &locale,
                now: 45_000.0,
                utc_offset: 0.0,
                budget: &budget,
            };
            work(&query).map(|_| ())
        });
        while !begun.0.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        token.cancel();
        let cancelled = Instant::now();
        (running.join().unwrap(), cancelled.elapsed())
    });
    assert_eq!(result, Err(CalcError::Stop(Stop::Cancelled)));
    assert!(late < Duration::from_secs(3), "it went on for {late:?}");
}

struct Named<'a>(&'a Begun);

impl Lookup for Named<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.variable(name)
    }
}

fn cube(dims: &[&str], measure: &str, n: usize) -> CubeDef {
    CubeDef {
        dimensions: dims
            .iter()
            .map(|d| DimensionDef {
                def: (*d).to_owned(),
                sort: SortCriterion::ascending(),
                ..DimensionDef::default()
            })
            .collect(),
        // The variable comes first, so that the work is still ahead when it is asked for.
        measures: std::iter::once("$(vBegin)".to_owned())
            .chain((0..n).map(|i| measure.replace('#', &i.to_string())))
            .map(|def| MeasureDef {
                def,
                ..MeasureDef::default()
            })
            .collect(),
        ..CubeDef::default()
    }
}

// threat: T-33
#[test]
fn cubes_end_when_they_are_cancelled() {
    let engine = engine();
    // A pass over the table for each measure.
    check(&engine, |q| {
        q.cube(&cube(&["Group"], "Sum({1} Num * #)", 60))
    });
    // A group a row, texts, and expressions beside the aggregations.
    check(&engine, |q| {
        q.cube(&cube(&["Id", "Text"], "Concat(Text & #) & Sum(Num)", 20))
    });
    // Other rows.
    check(&engine, |q| {
        q.cube(&cube(&["Id"], "RangeSum(Above(Sum(Num) + #, 0, 50))", 20))
    });
    // Values within values.
    check(&engine, |q| {
        q.cube(&cube(&["Group"], "Sum(Aggr(Sum(Num) + #, Id))", 20))
    });
}

// threat: T-33
#[test]
fn long_texts_end_when_they_are_cancelled() {
    let engine = engine();
    check(&engine, |q| {
        q.evaluate("WildMatch(Repeat('a' & $(vBegin), 8000000), '*' & Repeat('a1', 4000000) & 'b')")
    });
    check(&engine, |q| {
        q.cube(&cube(
            &["Id"],
            "Sum(Len(Repeat('abc', 1000000 + Num + #)))",
            5,
        ))
    });
}

// threat: T-33
#[test]
fn limits_pivots_and_trees_end_when_they_are_cancelled() {
    let engine = engine();
    let mut def = cube(&["Group", "Text"], "Sum(Num) + #", 10);
    def.dimensions[1].limit = Some(Limit {
        keep: Keep::Count(1),
        from: End::Largest,
        expression: None,
        others: Others::Shown,
        label: "Others".to_owned(),
        global: false,
        collapse_inner: false,
        keep_texts: true,
    });
    check(&engine, |q| q.cube(&def));
    let def = PivotDef {
        cube: cube(&["Group", "Text", "Id"], "Sum(Num) + #", 10),
        left: vec![
            PivotAxis::Dimension(0),
            PivotAxis::Dimension(1),
            PivotAxis::Dimension(2),
        ],
        fully_expanded: true,
        ..PivotDef::default()
    };
    check(&engine, |q| q.pivot(&def));
}

/// Variables in variables: thirty of them stand for more evaluations than anybody can wait for.
struct Nested;

impl Lookup for Nested {
    fn variable(&self, name: &str) -> Option<String> {
        let n: u32 = name.strip_prefix('v')?.parse().ok()?;
        Some(match n {
            30 => "=1".to_owned(),
            _ => format!("=$(v{0}) + $(v{0}) + $(v{0})", n + 1),
        })
    }
}

#[test]
fn variables_in_variables_end_with_the_calculation() {
    let token = CancelToken::default();
    let budget = Budget::new(Limits::UNLIMITED, token.clone());
    let engine = engine();
    let (selections, locale) = (Selections::new(), Locale::default());
    let query = Query {
        engine: &engine,
        selections: &selections,
        state: "$",
        lookup: &Nested,
        locale: &locale,
        now: 45_000.0,
        utc_offset: 0.0,
        budget: &budget,
    };
    token.cancel();
    assert_eq!(
        query.evaluate("=$(v1)"),
        Err(CalcError::Stop(Stop::Cancelled))
    );
}
