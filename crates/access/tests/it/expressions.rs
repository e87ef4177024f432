//! Random expressions in random states: on a mask and on the reduced model they have the same
//! value, or the same error.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use satchel_access::{Rules, Subject, decide, mask, reduce};
use satchel_base::{Budget, SubjectId};
use satchel_data::{BitSet, View};
use satchel_engine::{DEFAULT_STATE, Engine, NoLookup, Query, Selections, StateSelections};

use crate::twins::{access, build, cases, rows, wanted};

/// The fields of the models, and one that no model has.
const FIELDS: [&str; 9] = ["K1", "K2", "K3", "R", "S", "T", "V", "W", "NoSuch"];
const OTHER_STATE: &str = "Other";

fn field() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(&FIELDS[..])
}

/// What a set expression asks of a field; `inner` is a set of its own.
fn elements(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop_oneof![
        prop::sample::select(
            &[
                "{'V1'}",
                "{'V1','V3'}",
                "{\"V*\"}",
                "{'nobody'}",
                "",
                "{V2}"
            ][..]
        )
        .prop_map(str::to_owned),
        (prop::sample::select(&["P", "E"][..]), inner, field())
            .prop_map(|(which, set, of)| format!("{which}({set} {of})")),
        field().prop_map(|of| format!("{{\"=Count({of})>1\"}}")),
        (field(), field()).prop_map(|(of, by)| format!("{{\"=Sum(Aggr(Count({of}), {by}))>0\"}}")),
    ]
    .boxed()
}

/// A set expression, `{…}`, or nothing.
fn set() -> BoxedStrategy<String> {
    let source = prop::sample::select(&["", "$", "1", "Other", "1-$", "$*1", "$+Other"][..]);
    let leaf = source.prop_map(|source| match source {
        "" => String::new(),
        source => format!("{{{source}}}"),
    });
    leaf.prop_recursive(2, 8, 2, |inner| {
        let modifier = (
            prop::sample::select(&["$", "1", "Other"][..]),
            field(),
            prop::sample::select(&["=", "-=", "*=", "+="][..]),
            elements(inner.boxed()),
        );
        modifier.prop_map(|(source, of, by, what)| format!("{{{source}<{of}{by}{what}>}}"))
    })
    .boxed()
}

fn aggregation() -> BoxedStrategy<String> {
    let name = prop::sample::select(
        &[
            "Count",
            "Count(DISTINCT",
            "NullCount",
            "MissingCount",
            "MinString",
            "MaxString",
            "Mode",
            "Only",
            "Sum",
            "Max",
            "Concat",
            "Concat(DISTINCT",
        ][..],
    );
    let total = prop_oneof![
        4 => Just(String::new()),
        1 => Just("TOTAL ".to_owned()),
        1 => field().prop_map(|by| format!("TOTAL <{by}> ")),
    ];
    let of = prop_oneof![
        3 => field().prop_map(str::to_owned),
        1 => (field(), field()).prop_map(|(a, b)| format!("If({a}='V1', {b})")),
        1 => field().prop_map(|a| format!("Len({a})")),
        1 => (field(), field()).prop_map(|(a, b)| format!("{a} & {b}")),
    ];
    let simple = (name, total, set(), of).prop_map(|(name, total, set, of)| {
        let open = match name.strip_suffix("(DISTINCT") {
            Some(name) => format!("{name}(DISTINCT {total}{set} {of}"),
            None => format!("{name}({total}{set} {of}"),
        };
        match name.starts_with("Concat") {
            true => format!("{open}, '|')"),
            false => format!("{open})"),
        }
    });
    simple
        .prop_recursive(2, 6, 2, |inner| {
            (
                prop::sample::select(&["Sum", "Count", "Max"][..]),
                set(),
                inner,
                prop::collection::vec(field(), 1..3),
            )
                .prop_map(|(name, set, inner, by)| {
                    format!("{name}({set} Aggr({inner}, {}))", by.join(", "))
                })
        })
        .boxed()
}

fn expression() -> BoxedStrategy<String> {
    let about_selections = (
        prop::sample::select(
            &[
                "GetSelectedCount",
                "GetPossibleCount",
                "GetExcludedCount",
                "GetAlternativeCount",
                "GetFieldSelections",
                "FieldValueCount",
            ][..],
        ),
        field(),
    );
    let leaf = prop_oneof![
        6 => aggregation(),
        1 => about_selections.prop_map(|(name, of)| match name {
            "FieldValueCount" => format!("{name}('{of}')"),
            _ => format!("{name}({of})"),
        }),
        1 => (field(), 0u8..4).prop_map(|(of, n)| format!("FieldValue('{of}', {n})")),
        1 => (field(), 1u8..4).prop_map(|(of, n)| format!("FieldIndex('{of}', 'V{n}')")),
        1 => Just("GetCurrentSelections()".to_owned()),
        1 => field().prop_map(str::to_owned),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) + ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) & '/' & ({b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("If(({a}) > ({b}), {c}, {a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("RangeSum({a}, {b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("Alt({a}, {b})")),
        ]
    })
    .boxed()
}

type Chosen = Vec<(usize, Vec<u32>)>;

fn chosen() -> impl Strategy<Value = Chosen> {
    prop::collection::vec((0usize..8, prop::collection::vec(0u32..4, 1..3)), 0..4)
}

/// Selects by the view's own numbers, as a person would who sees nothing else.
fn select(view: &View, chosen: &Chosen) -> Arc<StateSelections> {
    let fields: Vec<_> = view.fields().collect();
    let mut selections = StateSelections::default();
    for (field, elems) in chosen {
        let Some(field) = fields.get(field % fields.len().max(1)) else {
            continue;
        };
        let mut codes = BitSet::none(view.model().field(*field).symbols.len());
        for code in elems.iter().filter_map(|e| view.code_of(*field, *e)) {
            codes.insert(code as usize);
        }
        if codes.count() > 0 {
            selections.set(*field, codes);
        }
    }
    Arc::new(selections)
}

fn values(view: View, chosen: &[Chosen; 2], expressions: &[String]) -> String {
    let engine = Engine::new(Arc::new(view));
    let view = engine.view();
    let mut selections = Selections::new();
    selections.set_state(DEFAULT_STATE, select(view, &chosen[0]));
    selections.set_state(OTHER_STATE, select(view, &chosen[1]));
    let budget = Budget::unlimited();
    let mut out = String::new();
    for state in [DEFAULT_STATE, OTHER_STATE] {
        let query = Query {
            engine: &engine,
            selections: &selections,
            state,
            lookup: &NoLookup,
            locale: &Default::default(),
            now: 45_000.0,
            utc_offset: 0.0,
            budget: &budget,
        };
        for text in expressions {
            let _ = writeln!(out, "{state} {text}: {:?}", query.evaluate(text));
        }
    }
    out
}

proptest! {
    #![proptest_config(cases())]

    // threat: T-16 T-17
    #[test]
    fn random_expressions_in_random_states_tell_the_same(
        rows in rows(),
        wanted in wanted(),
        omit in any::<prop::sample::Index>(),
        chosen in [chosen(), chosen()],
        expressions in prop::collection::vec(expression(), 8),
    ) {
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
        prop_assert_eq!(
            values(masked, &chosen, &expressions),
            values(reduced, &chosen, &expressions)
        );
    }
}
