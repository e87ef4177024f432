//! Generated models, and views written out for comparison.

use std::fmt::Write as _;

use proptest::prelude::*;
use satchel_data::{BitSet, Frame, Model, ModelBuilder, Value, View};

/// Cases a property runs; `SLOW=1` runs forty times as many.
pub fn cases() -> ProptestConfig {
    let n = if std::env::var_os("SLOW").is_some() {
        10_000
    } else {
        256
    };
    ProptestConfig {
        cases: n,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A table: its column numbers and its rows.
pub type Plan = Vec<(Vec<usize>, Vec<Vec<Value>>)>;

pub fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        4 => (0i32..5).prop_map(|n| Value::num(f64::from(n))),
        2 => (0i32..4, 0u8..3).prop_map(|(n, w)| Value::dual(f64::from(n), format!("{:01$}", n, usize::from(w)))),
        3 => "[a-dA-D]{0,2}".prop_map(Value::text),
        1 => (0i32..3).prop_map(|n| Value::num(f64::from(n) + 0.5)),
    ]
}

/// Up to four tables over six fields; shared fields make keys, synthetic keys and loops.
pub fn plan() -> impl Strategy<Value = Plan> {
    let columns = prop::sample::subsequence((0usize..6).collect::<Vec<_>>(), 1..4);
    let table = columns.prop_flat_map(|columns| {
        let n = columns.len();
        let rows = prop::collection::vec(prop::collection::vec(value(), n), 0..8);
        (Just(columns), rows)
    });
    prop::collection::vec(table, 1..5)
}

pub fn frames(plan: &Plan) -> Vec<Frame> {
    let frame = |(t, (columns, rows)): (usize, &(Vec<usize>, Vec<Vec<Value>>))| {
        let mut frame = Frame::new(format!("T{t}"), columns.iter().map(|c| format!("F{c}")));
        rows.iter().for_each(|row| frame.push_row(row));
        frame
    };
    plan.iter().enumerate().map(frame).collect()
}

pub fn model(plan: &Plan) -> Model {
    let builder = frames(plan)
        .into_iter()
        .fold(ModelBuilder::new(), ModelBuilder::table);
    builder.tag("F0", "$first").build().expect("small")
}

/// Rows to keep, from an endless list of bits; every third table whole.
pub fn masks(model: &Model, bits: &[bool]) -> Vec<Option<BitSet>> {
    let mut bits = bits.iter().copied().cycle();
    let tables = model.tables().iter().enumerate();
    tables
        .map(|(t, table)| (t % 3 != 2).then(|| bits.by_ref().take(table.n_rows).collect()))
        .collect()
}

/// Everything a view tells, as text.
pub fn show(view: &View) -> String {
    let mut out = String::new();
    for id in view.fields() {
        let field = view.model().field(id);
        let _ = writeln!(
            out,
            "field {} {:?} {:?}",
            field.name,
            field.kind,
            view.facts(id)
        );
        for elem in 0..view.cardinality(id) as u32 {
            let code = view.code_of(id, elem).expect("below cardinality");
            assert_eq!(view.elem_of(id, code), Some(elem));
            let _ = writeln!(
                out,
                "  {elem} {:?} {:?} {:?}",
                view.text(id, code),
                view.num(id, code),
                view.value(id, code)
            );
        }
    }
    for id in view.tables() {
        let table = view.model().table(id);
        let _ = writeln!(
            out,
            "table {} {:?} {} {}",
            table.name,
            table.kind,
            table.loose,
            view.n_rows(id)
        );
        for row in (0..table.n_rows).filter(|r| view.row_is_visible(id, *r as u32)) {
            for column in table.columns.iter().filter(|c| view.is_visible(c.field)) {
                let elem = view.elem_of(column.field, column.codes.at(row));
                let _ = write!(out, " {elem:?}");
            }
            out.push('\n');
        }
    }
    out
}
