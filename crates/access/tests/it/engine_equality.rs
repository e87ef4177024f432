//! An engine on a mask and one on the reduced model answer alike under any selections.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use satchel_access::{Rules, Subject, decide, mask, reduce};
use satchel_base::{Budget, SubjectId};
use satchel_data::{BitSet, View};
use satchel_engine::{DEFAULT_STATE, Engine, NoLookup, Query, Selections, StateSelections};

use crate::twins::{access, build, cases, rows, wanted};

/// Sums, counts, texts, set analysis, totals, Aggr, and expressions on fields that may be withheld.
const EXPRESSIONS: [&str; 16] = [
    "Count(K1)",
    "Count(DISTINCT R)",
    "Concat(DISTINCT S, ',')",
    "MaxString(T) & MinString(V)",
    "Only(R)",
    "Count({1} W)",
    "Count({<R={'V1'}>} K2)",
    "Sum(If(S='V2', 1, 0)) + Count(K3)",
    "Count(NoSuchField)",
    "Count(TOTAL R)",
    "Count({1-$} R)",
    "Count({<R=P({1} S)>} K1)",
    "Count({<R=E({<S={'V1'}>} R)>} K1)",
    "Sum(Aggr(Count(S), R))",
    "Max({1} Aggr(Count(DISTINCT K1), T))",
    "Concat({$*<S={\"V*\"}>} DISTINCT S, '|')",
];

/// Selects elements of some fields and writes out states, frequencies and remaining rows.
fn answers(view: View, selected: &[(usize, Vec<u32>)]) -> String {
    let engine = Engine::new(Arc::new(view));
    let view = engine.view();
    let fields: Vec<_> = view.fields().collect();
    let mut selections = StateSelections::default();
    for (field, elems) in selected {
        let Some(field) = fields.get(field % fields.len().max(1)) else {
            continue;
        };
        let mut codes = BitSet::none(view.model().field(*field).symbols.len());
        let known = elems.iter().filter_map(|e| view.code_of(*field, *e));
        known.for_each(|code| {
            codes.insert(code as usize);
        });
        if codes.count() > 0 {
            selections.set(*field, codes);
        }
    }
    let (selections, budget) = (Arc::new(selections), Budget::unlimited());
    let mut out = String::new();
    for field in &fields {
        let states = engine
            .field_states(&selections, *field, &budget)
            .expect("unlimited");
        let counts = engine
            .frequencies(&selections, *field, &budget)
            .expect("unlimited");
        let n = view.cardinality(*field);
        let _ = writeln!(
            out,
            "{} {:?}",
            view.model().field(*field).name,
            states.counts(n)
        );
        for elem in 0..n as u32 {
            let code = view.code_of(*field, elem).expect("below cardinality");
            let text = view.text(*field, code);
            let _ = writeln!(
                out,
                " {elem} {text} {:?} {}",
                states.of(code),
                counts[code as usize]
            );
        }
    }
    let mut all = Selections::new();
    all.set_state(DEFAULT_STATE, selections.clone());
    let query = Query {
        engine: &engine,
        selections: &all,
        state: DEFAULT_STATE,
        lookup: &NoLookup,
        locale: &Default::default(),
        now: 45_000.0,
        utc_offset: 0.0,
        budget: &budget,
    };
    for text in EXPRESSIONS {
        let _ = writeln!(out, "{text} {:?}", query.evaluate(text));
    }
    for table in view.tables() {
        let kept = engine
            .possible_rows(&selections, table, &budget)
            .expect("unlimited");
        let n = kept
            .set()
            .map_or(view.model().table(table).n_rows, BitSet::count);
        let _ = writeln!(out, "{} {n}", view.model().table(table).name);
    }
    out
}

proptest! {
    #![proptest_config(cases())]

    // threat: T-14 T-15 T-16
    #[test]
    fn masked_and_reduced_engines_answer_alike(rows in rows(), wanted in wanted(), omit in any::<prop::sample::Index>(), selected in prop::collection::vec((0usize..8, prop::collection::vec(0u32..4, 1..3)), 0..4)) {
        let model = Arc::new(build(&rows));
        let mut tables = access(&wanted, &[]);
        let name = &model.fields()[omit.index(model.fields().len())].name;
        tables.tables[0].columns.push("OMIT".into());
        for row in &mut tables.tables[0].rows {
            row.push(satchel_data::Value::text(name.as_str()));
        }
        let (rules, _) = Rules::read(&tables, &model);
        let decision = decide(&rules, &Subject::new(SubjectId::new("D", "ANN")));
        let (Ok(masked), Ok(reduced)) = (mask(&decision, model.clone()), reduce(&decision, &model)) else {
            return Ok(());
        };
        let reduced = View::unrestricted(Arc::new(reduced.model));
        prop_assert_eq!(masked.field_by_name(name), None);
        prop_assert_eq!(answers(masked, &selected), answers(reduced, &selected));
    }
}
