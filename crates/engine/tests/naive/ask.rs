//! The same questions put to the engine.

use std::sync::Arc;

use satchel_base::Budget;
use satchel_calc::Locale;
use satchel_data::{BitSet, Frame, ModelBuilder, View};
use satchel_engine::{
    Cell, CubeDef, DimensionDef, Engine, ListDef, MeasureDef, NoLookup, Query, Rect, Selections,
    SortCriterion,
};

use crate::case::Case;

/// The lines of [`crate::naive::Answers`].
pub fn answers(case: &Case) -> Vec<String> {
    let mut builder = ModelBuilder::new();
    for table in &case.tables {
        let mut frame = Frame::new(table.name.as_str(), table.fields.iter().map(String::as_str));
        for row in &table.rows {
            frame.push_row(row);
        }
        builder = builder.table(frame);
        if table.loose {
            builder = builder.loosen(table.name.as_str());
        }
    }
    let model = builder.build().expect("small models fit");
    assert!(model.notes().is_empty(), "the tables form a tree");
    let engine = Engine::new(Arc::new(View::unrestricted(Arc::new(model))));
    let view = engine.view().clone();
    let mut selections = Selections::new();
    for (name, (texts, locked)) in &case.selections {
        let field = engine.field(name).expect("the case has the field");
        let mut codes = BitSet::none(view.model().field(field).symbols.len());
        for code in view.codes(field).iter() {
            if texts.contains(&*view.text(field, *code)) {
                codes.insert(*code as usize);
            }
        }
        let state = selections.state_mut("$").expect("the default state");
        state.set(field, codes);
        state.set_locked(field, *locked);
    }
    assert!(selections.add_state("B"));
    for (name, texts) in &case.other {
        let field = engine.field(name).expect("the case has the field");
        let mut codes = BitSet::none(view.model().field(field).symbols.len());
        for code in view.codes(field).iter() {
            if texts.contains(&*view.text(field, *code)) {
                codes.insert(*code as usize);
            }
        }
        let state = selections.state_mut("B").expect("it was added");
        state.set(field, codes);
    }
    let (budget, locale) = (Budget::unlimited(), Locale::default());
    let query = Query {
        engine: &engine,
        selections: &selections,
        state: "$",
        lookup: &NoLookup,
        locale: &locale,
        now: 45_000.0,
        utc_offset: 0.0,
        budget: &budget,
    };
    let all = Rect {
        width: 99,
        height: 9999,
        ..Rect::default()
    };
    let mut lines = Vec::new();
    for name in case.fields() {
        let list = query
            .list(&ListDef {
                def: name.clone(),
                sort: SortCriterion::ascending(),
                search: None,
                frequencies: true,
            })
            .expect("the budget has no end");
        let field = engine.field(&name).expect("the case has the field");
        let columns = &view.model().field(field).columns;
        let tight = columns
            .iter()
            .filter(|(t, _)| !view.model().table(*t).loose);
        let is_key = tight.count() > 1;
        let (_, cells) = list.page(all);
        let mut counts = satchel_engine::StateCounts::default();
        cells.iter().for_each(|c| counts.add(c.state));
        assert_eq!(
            counts, list.counts,
            "the counts of {name} are those of its cells"
        );
        assert_eq!(list.cardinal, cells.len());
        let mut cells: Vec<String> = cells
            .iter()
            .map(|c| {
                let n = match c.frequency {
                    Some(n) if !is_key => n.to_string(),
                    _ => String::new(),
                };
                format!("{} {:?} {n}", c.value.to_text(), c.state)
            })
            .collect();
        cells.sort();
        lines.push(format!("list {name}: {cells:?}"));
    }
    let cube = query
        .cube(&CubeDef {
            dimensions: case
                .dimensions
                .iter()
                .map(|d| DimensionDef {
                    def: d.clone(),
                    sort: SortCriterion::ascending(),
                    ..DimensionDef::default()
                })
                .collect(),
            measures: case
                .measures
                .iter()
                .map(|m| MeasureDef {
                    def: m.to_string(),
                    ..MeasureDef::default()
                })
                .collect(),
            ..CubeDef::default()
        })
        .expect("the budget has no end");
    assert!(cube.error().is_none(), "{:?}", cube.error());
    let (_, rows) = cube.page(all);
    let mut texts: Vec<(Vec<String>, Vec<String>)> = rows
        .iter()
        .map(|row| {
            let texts: Vec<String> = row.iter().map(Cell::text).collect();
            let (tuple, values) = texts.split_at(case.dimensions.len());
            (tuple.to_vec(), values.to_vec())
        })
        .collect();
    texts.sort();
    for (tuple, values) in &texts {
        lines.push(format!("row {tuple:?}: {values:?}"));
    }
    let totals: Vec<String> = cube
        .totals
        .iter()
        .map(|v| {
            v.as_text()
                .map_or_else(|| "-".to_owned(), |t| t.into_owned())
        })
        .collect();
    lines.push(format!("totals: {totals:?}"));
    lines
}
