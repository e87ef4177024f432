//! Laws: the engine agrees with the naive join; a masked view agrees with the reduced model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use satchel_base::Budget;
use satchel_calc::Locale;
use satchel_data::{BitSet, FieldId, TableId, View};
use satchel_engine::*;

use crate::naive::{self, Selection, Table};

const FIELDS: [&str; 11] = ["k1", "k2", "k3", "a", "x", "b", "y", "c", "d", "z", "e"];

fn cell(max: u8) -> impl Strategy<Value = Option<u8>> {
    prop_oneof![1 => Just(None), 6 => (0..max).prop_map(Some)]
}

fn table(name: &'static str, fields: Vec<&'static str>) -> impl Strategy<Value = Table> {
    let columns: Vec<_> = fields.iter().map(|_| cell(4)).collect();
    prop::collection::vec(columns, 0..7).prop_map(move |rows| Table {
        name,
        fields: fields.clone(),
        rows,
    })
}

/// A tree of tables: `E`, `B` and `A` share k1, `C` and `D` hang further out.
fn tables() -> impl Strategy<Value = Vec<Table>> {
    at_least(1)
}

fn at_least(n: usize) -> impl Strategy<Value = Vec<Table>> {
    (
        table("A", vec!["k1", "k2", "a", "x"]),
        table("B", vec!["k1", "k3", "b", "y"]),
        table("C", vec!["k2", "c"]),
        table("D", vec!["k3", "d", "z"]),
        table("E", vec!["k1", "e"]),
        n..=5,
    )
        .prop_map(|(a, b, c, d, e, n)| vec![a, b, c, d, e].into_iter().take(n).collect())
}

fn selection() -> impl Strategy<Value = Selection> {
    let field = prop::sample::select(FIELDS.to_vec());
    prop::collection::btree_map(field, prop::collection::btree_set(0u8..4, 1..3), 0..3)
}

struct App {
    engine: Arc<Engine>,
    selections: Selections,
    budget: Budget,
    locale: Locale,
}

impl App {
    fn new(view: View, selection: &Selection) -> Self {
        let mut app = Self {
            engine: Engine::new(Arc::new(view)),
            selections: Selections::new(),
            budget: Budget::unlimited(),
            locale: Locale::default(),
        };
        for (field, values) in selection {
            let Some(id) = app.engine.field(field) else {
                continue;
            };
            // Set directly: a selection of values that do not exist selects nothing here.
            let view = app.engine.view();
            let mut codes = BitSet::none(view.model().field(id).symbols.len());
            for code in view.codes(id).iter() {
                if values.contains(&(view.num(id, *code) as u8)) {
                    codes.insert(*code as usize);
                }
            }
            app.selections.state_mut("$").unwrap().set(id, codes);
        }
        app
    }

    fn query(&self) -> Query<'_> {
        Query {
            engine: &self.engine,
            selections: &self.selections,
            state: "$",
            lookup: &NoLookup,
            locale: &self.locale,
            now: 45000.0,
            utc_offset: 0.0,
            budget: &self.budget,
        }
    }

    fn cube(&self, dims: &[&str], measures: &[&str]) -> Cube {
        self.query()
            .cube(&CubeDef {
                dimensions: dims
                    .iter()
                    .map(|d| DimensionDef {
                        def: (*d).to_owned(),
                        sort: SortCriterion::ascending(),
                        ..DimensionDef::default()
                    })
                    .collect(),
                measures: measures
                    .iter()
                    .map(|m| MeasureDef {
                        def: (*m).to_owned(),
                        ..MeasureDef::default()
                    })
                    .collect(),
                ..CubeDef::default()
            })
            .unwrap()
    }

    fn rows(&self, dims: &[&str], measures: &[&str]) -> BTreeMap<Vec<String>, Vec<String>> {
        let cube = self.cube(dims, measures);
        assert_eq!(cube.error().map(ToString::to_string), None);
        let all = Rect {
            width: 99,
            height: 9999,
            ..Rect::default()
        };
        let (_, rows) = cube.page(all);
        rows.into_iter()
            .map(|r| {
                let texts: Vec<String> = r.iter().map(Cell::text).collect();
                (texts[..dims.len()].to_vec(), texts[dims.len()..].to_vec())
            })
            .collect()
    }
}

fn shown(value: &Option<u8>) -> String {
    value.map_or("-".to_owned(), |v| v.to_string())
}

/// Where a field's records are counted: the biggest of its tables.
fn home(tables: &[Table], field: &str) -> &'static str {
    let holds = tables.iter().filter(|t| t.fields.contains(&field));
    holds.rev().max_by_key(|t| t.rows.len()).unwrap().name
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test may ask how long it may take"
)]
fn cases() -> ProptestConfig {
    let slow = std::env::var_os("SLOW").is_some();
    ProptestConfig::with_cases(if slow { 20_000 } else { 256 })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn states_follow_from_the_full_outer_join(tables in tables(), selection in selection()) {
        let model = naive::model(&tables);
        let joined = naive::full_outer_join(&tables);
        let selection: Selection = selection.into_iter().filter(|(f, _)| model.field_by_name(f).is_some()).collect();
        let app = App::new(View::unrestricted(Arc::new(model)), &selection);
        let view = app.engine.view();
        for id in view.fields().collect::<Vec<_>>() {
            let name = view.model().field(id).name.clone();
            let want = naive::possible(&joined, &name, &selection);
            let states = app.engine.field_states(&app.selections.default_state(), id, &app.budget).unwrap();
            let got: BTreeSet<u8> = view.codes(id).iter().filter(|c| states.without_own.contains(**c as usize)).map(|c| view.num(id, *c) as u8).collect();
            prop_assert_eq!(got, want, "field {}", name);
            let mut counts = StateCounts::default();
            for code in view.codes(id).iter() {
                counts.add(states.of(*code));
            }
            prop_assert_eq!(counts, states.counts(view.cardinality(id)));
        }
        for (t, table) in tables.iter().enumerate() {
            let rows = app.engine.possible_rows(&app.selections.default_state(), TableId(t as u32), &app.budget).unwrap();
            let want: BTreeSet<usize> = joined.iter().filter(|r| naive::satisfies(r, &selection, None)).filter_map(|r| r.rows.get(table.name).copied()).collect();
            let got: BTreeSet<usize> = (0..table.rows.len()).filter(|r| rows.set().is_none_or(|s| s.contains(*r))).collect();
            prop_assert_eq!(got, want, "table {}", table.name);
        }
    }

    #[test]
    fn cubes_follow_from_the_full_outer_join(
        tables in tables(),
        selection in selection(),
        dims in prop::collection::btree_set(prop::sample::select(FIELDS.to_vec()), 0..3),
        field in prop::sample::select(vec!["x", "y", "z", "a", "c", "k1", "k2"]),
    ) {
        let model = naive::model(&tables);
        let exists = |f: &str| model.field_by_name(f).is_some();
        let joined = naive::full_outer_join(&tables);
        let selection: Selection = selection.into_iter().filter(|(f, _)| exists(f)).collect();
        let dims: Vec<&str> = dims.into_iter().filter(|f| exists(f)).collect();
        let field = if exists(field) { field } else { "x" };
        let app = App::new(View::unrestricted(Arc::new(model)), &selection);
        let groups = naive::grouped(&joined, &selection, &dims, &[home(&tables, field)], &[field]);
        let mut want: BTreeMap<Vec<String>, Vec<String>> = groups.iter().map(|(tuple, records)| {
            let values: Vec<u32> = records.iter().filter_map(|r| r[0]).map(u32::from).collect();
            let extreme = |v: Option<&u32>| v.map_or("-".to_owned(), ToString::to_string);
            (tuple.iter().map(shown).collect(), vec![
                values.iter().sum::<u32>().to_string(),
                values.len().to_string(),
                extreme(values.iter().min()),
            ])
        }).collect();
        let min = format!("Min({field})");
        let (sum, count) = (format!("Sum({field})"), format!("Count({field})"));
        let is_key = field.starts_with('k');
        let measures: Vec<&str> = if is_key { vec![&sum, &count] } else { vec![&sum, &count, &min] };
        if is_key {
            want.values_mut().for_each(|v| v.truncate(2));
        }
        if dims.is_empty() && want.is_empty() {
            want.insert(vec![], ["0", "0", "-"][..measures.len()].iter().map(ToString::to_string).collect());
        }
        prop_assert_eq!(app.rows(&dims, &measures), want);

        // Distinct values, of keys over all their tables.
        let holders: Vec<&'static str> = tables.iter().filter(|t| t.fields.contains(&field)).map(|t| t.name).collect();
        let mut want: BTreeMap<Vec<String>, Vec<String>> = naive::grouped(&joined, &selection, &dims, &holders, &[field]).iter().map(|(tuple, records)| {
            let values: BTreeSet<u8> = records.iter().filter_map(|r| r[0]).collect();
            (tuple.iter().map(shown).collect(), vec![values.len().to_string()])
        }).collect();
        if dims.is_empty() && want.is_empty() {
            want.insert(vec![], vec!["0".to_owned()]);
        }
        prop_assert_eq!(app.rows(&dims, &[&format!("Count(DISTINCT {field})")]), want);
    }

    #[test]
    fn aggregations_over_two_tables_join_them(tables in at_least(2), selection in selection(), dim in prop::sample::select(FIELDS.to_vec())) {
        let model = naive::model(&tables);
        let exists = |f: &str| model.field_by_name(f).is_some();
        let joined = naive::full_outer_join(&tables);
        let selection: Selection = selection.into_iter().filter(|(f, _)| exists(f)).collect();
        let dims: Vec<&str> = [dim].into_iter().filter(|f| exists(f)).collect();
        let app = App::new(View::unrestricted(Arc::new(model)), &selection);
        let groups = naive::grouped(&joined, &selection, &dims, &["A", "B"], &["x", "y"]);
        let product: BTreeMap<Vec<String>, u32> = groups.iter().map(|(tuple, records)| {
            let sum = records.iter().filter_map(|r| Some(u32::from(r[0]?) * u32::from(r[1]?))).sum();
            (tuple.iter().map(shown).collect(), sum)
        }).collect();
        let got = app.rows(&dims, &["Sum(x * y)"]);
        // Groups without any number may be left out.
        let got: BTreeMap<_, _> = got.into_iter().filter(|(_, v)| v[0] != "0").collect();
        let want: BTreeMap<_, _> = product.into_iter().filter(|(_, v)| *v != 0).map(|(k, v)| (k, vec![v.to_string()])).collect();
        prop_assert_eq!(got, want);
        let nulls: BTreeMap<Vec<String>, Vec<String>> = groups.iter().map(|(tuple, records)| {
            let n = records.iter().filter(|r| r[0].is_none() || r[1].is_none()).count();
            (tuple.iter().map(shown).collect(), vec![n.to_string()])
        }).collect();
        let got = app.rows(&dims, &["Sum(If(IsNull(x) or IsNull(y), 1, 0))"]);
        if !(dims.is_empty() && nulls.is_empty()) {
            prop_assert_eq!(got, nulls);
        }
    }

    #[test]
    fn a_masked_view_and_the_reduced_model_answer_alike(
        tables in tables(),
        reduction in selection(),
        selection in selection(),
        omit in prop::option::of(prop::sample::select(FIELDS.to_vec())),
    ) {
        let model = Arc::new(naive::model(&tables));
        let reduction: Selection = reduction.into_iter().filter(|(f, _)| model.field_by_name(f).is_some()).collect();
        let whole = App::new(View::unrestricted(model.clone()), &reduction);
        let masks: Vec<Option<BitSet>> = (0..tables.len() as u32).map(|t| {
            let rows = whole.engine.possible_rows(&whole.selections.default_state(), TableId(t), &whole.budget).unwrap();
            rows.rows.map(|r| (*r).clone())
        }).collect();
        let omit: Vec<FieldId> = omit.and_then(|f| model.field_by_name(f)).into_iter().collect();
        let reduced = model.retain(&masks, &omit);
        let masked = App::new(View::restricted(model, masks, &omit), &selection);
        let reduced = App::new(View::unrestricted(Arc::new(reduced)), &selection);
        prop_assert_eq!(everything(&masked), everything(&reduced));
    }

    #[test]
    fn the_order_of_selecting_does_not_matter(tables in tables(), picks in prop::collection::vec((prop::sample::select(FIELDS.to_vec()), 0u32..4), 1..5)) {
        let view = Arc::new(naive::model(&tables));
        let states = |picks: &[(&'static str, u32)]| {
            let mut app = App::new(View::unrestricted(view.clone()), &Selection::new());
            for (field, element) in picks {
                if let Some(id) = app.engine.field(field) {
                    app.engine.select(&mut app.selections, "$", id, &Select::Elements(vec![*element], Toggle::Add), Locks::Respect, &app.budget).unwrap();
                }
            }
            everything(&app)
        };
        let reversed: Vec<_> = picks.iter().rev().copied().collect();
        prop_assert_eq!(states(&picks), states(&reversed));
    }
}

/// All that an app answers, as one text.
fn everything(app: &App) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    let all = Rect {
        left: 0,
        top: 0,
        width: 99,
        height: 9999,
    };
    for field in FIELDS {
        let list = app.query().list(&ListDef {
            def: field.to_owned(),
            frequencies: true,
            search: None,
            sort: SortCriterion {
                state: SortOrder::Ascending,
                ..SortCriterion::default()
            },
        });
        match list {
            Ok(list) => writeln!(
                out,
                "{field}: {} {:?} {:?}",
                list.cardinal,
                list.counts,
                list.page(all)
            )
            .unwrap(),
            Err(error) => writeln!(out, "{field}: {error:?}").unwrap(),
        }
    }
    for dims in [
        vec!["a"],
        vec!["k1", "c"],
        vec!["d", "b"],
        vec!["=x & '|' & a"],
        vec!["=Aggr(Rank(Sum(x), 4), k1)"],
        vec!["=ValueList('p', 'q')", "a"],
        vec![],
    ] {
        let mut cube = app.cube(
            &dims,
            &[
                "Sum(x)",
                "Count(DISTINCT k1)",
                "Avg(y)",
                "Concat(z, ',')",
                "Sum({<a={1}>} TOTAL x)",
                "Count(*)",
                "Sum({1-<b={'2'}>} y)",
                "Only(e)",
                "Sum(Aggr(Max(y), a, k2))",
                "RangeSum(Above(Sum(x), 0, RowNo())) & ' ' & Rank(TOTAL Count(k1), 4)",
                "Count(If(x > Avg(TOTAL x), x))",
                "Sum(If(x = Aggr(NODISTINCT Max(x), k1), y))",
            ],
        );
        // Ids are the model's own and mean nothing outside.
        cube.dimensions.iter_mut().for_each(|d| d.field = None);
        cube.dimensions
            .iter_mut()
            .flat_map(|d| &mut d.attribute_dimensions)
            .for_each(|a| a.field = None);
        writeln!(
            out,
            "{dims:?}: {:?} {:?} {:?} {:?}",
            cube.dimensions,
            cube.measures,
            cube.totals,
            cube.page(all)
        )
        .unwrap();
    }
    shapes(app, &mut out);
    out
}

/// Limited cubes, all values, pivot tables and trees.
fn shapes(app: &App, out: &mut String) {
    use std::fmt::Write as _;
    let all = Rect {
        left: 0,
        top: 0,
        width: 99,
        height: 9999,
    };
    let query = app.query();
    for (keep, global, dims) in [
        (Keep::Count(1), false, ["a", "c"]),
        (Keep::Count(2), true, ["k1", "d"]),
        (
            Keep::Each(Comparison::AtLeast, Amount::Share(0.4)),
            false,
            ["k2", "b"],
        ),
        (
            Keep::Until(Comparison::AtLeast, Amount::Share(0.5)),
            false,
            ["k1", "a"],
        ),
    ] {
        let dimension = |at: usize| DimensionDef {
            def: dims[at].to_owned(),
            sort: SortCriterion::ascending(),
            attributes: vec!["Sum(x)".to_owned()],
            attribute_dimensions: vec!["b".to_owned()],
            show_total: at == 1,
            limit: Some(Limit {
                keep,
                from: End::Largest,
                expression: None,
                others: Others::Shown,
                label: "Others".to_owned(),
                global,
                collapse_inner: false,
                keep_texts: true,
            }),
            show_all: at == 0,
            ..DimensionDef::default()
        };
        let mut def = CubeDef {
            dimensions: vec![dimension(0), dimension(1)],
            measures: ["Sum(x)", "Count(DISTINCT k1)", "Avg({1} y)"]
                .iter()
                .map(|m| MeasureDef {
                    def: (*m).to_owned(),
                    trends: vec![TrendDef {
                        kind: TrendKind::Linear,
                        along: Some(0),
                        by_number: false,
                        lines: TrendLines::Each,
                        with_r2: true,
                    }],
                    ..MeasureDef::default()
                })
                .collect(),
            ..CubeDef::default()
        };
        for limited in [true, false] {
            if !limited {
                def.dimensions.iter_mut().for_each(|d| d.limit = None);
            }
            let mut cube = query.cube(&def).unwrap();
            for dimension in &mut cube.dimensions {
                dimension.field = None;
                dimension
                    .attribute_dimensions
                    .iter_mut()
                    .for_each(|a| a.field = None);
            }
            writeln!(
                out,
                "{:?} {:?} {:?}",
                cube.dimensions,
                cube.measures,
                cube.page(all)
            )
            .unwrap();
            writeln!(out, "{:?}", query.tree(&def, &cube)).unwrap();
            let pivot = query.pivot(&PivotDef {
                cube: def.clone(),
                left: vec![PivotAxis::Dimension(0), PivotAxis::Measures],
                top: vec![PivotAxis::Dimension(1)],
                fully_expanded: true,
                ..PivotDef::default()
            });
            writeln!(out, "{:?}", pivot.map(|p| p.page(all))).unwrap();
        }
    }
}
