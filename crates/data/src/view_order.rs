//! Synthetic tables as they would stand had only the visible rows ever been loaded.
//!
//! The rows of a synthetic table are in order of first appearance in the tables it was made
//! from, and spell their values as the first row there does. Both would tell of hidden rows if
//! a view took them over from the whole model, so a restricted view has synthetic tables of
//! its own; everything else of the model is shared.

use std::sync::Arc;

use crate::model::{Aside, Column, FieldId, FieldKind, Model, Table, TableId, TableKind};
use crate::{BitSet, Codes};

/// A model whose synthetic tables follow the visible rows.
pub(crate) struct Ordered {
    pub model: Arc<Model>,
    /// Visible rows by table.
    pub rows: Vec<Option<BitSet>>,
    /// By table: whether it differs from the one of the model that came in.
    pub changed: Vec<bool>,
}

/// Orders the synthetic tables of `model` by the visible rows, `None` meaning all of a table.
pub(crate) fn by_visible_rows(model: Arc<Model>, mut rows: Vec<Option<BitSet>>) -> Ordered {
    rows.resize(model.tables.len(), None);
    let mut ordered = Ordered {
        changed: vec![false; model.tables.len()],
        model,
        rows,
    };
    if ordered.rows.iter().all(Option::is_none) {
        return ordered;
    }
    for (level, (key, table)) in synthetic(&ordered.model).into_iter().enumerate() {
        ordered.order(level, key, table);
    }
    ordered
}

/// Where a row of a synthetic table first stands in what it was made from.
type Source = Option<(TableId, usize)>;

impl Ordered {
    fn order(&mut self, level: usize, key: FieldId, id: TableId) {
        let model = &*self.model;
        let table = model.table(id);
        let Some(key_at) = table.column_of(key) else {
            return;
        };
        let visible = |t: TableId, row: usize| {
            let mask = self.rows.get(t.index()).and_then(Option::as_ref);
            mask.is_none_or(|set| set.contains(row))
        };
        let index = model.key_index(id, key_at);
        let mut order: Vec<(usize, Source)> = Vec::with_capacity(table.n_rows);
        let mut taken = BitSet::none(table.n_rows);
        for from in (0..id.0).map(TableId) {
            let Some(codes) = codes_through(model, from, key, level) else {
                continue;
            };
            for (row, code) in codes.into_iter().enumerate() {
                if let Some(at) = index.rows(code).first().map(|r| r as usize)
                    && visible(from, row)
                    && visible(id, at)
                    && taken.insert(at)
                {
                    order.push((at, Some((from, row))));
                }
            }
        }
        let rest = |shown: bool| {
            let taken = &taken;
            (0..table.n_rows).filter(move |r| !taken.contains(*r) && visible(id, *r) == shown)
        };
        let unseen: Vec<(usize, Source)> = rest(true).map(|r| (r, None)).collect();
        order.extend(unseen);
        let n_visible = order.len();
        let hidden: Vec<(usize, Source)> = rest(false).map(|r| (r, None)).collect();
        order.extend(hidden);

        let new = reordered(model, table, &order);
        let mask = (n_visible < order.len()).then(|| (0..order.len()).map(|r| r < n_visible));
        let mask = mask.map(Iterator::collect);
        let model = Arc::make_mut(&mut self.model);
        model.tables[id.index()] = new;
        // What was derived from the other order of its rows.
        (model.derived, model.beside) = (Arc::default(), Arc::default());
        self.rows[id.index()] = mask;
        self.changed[id.index()] = true;
    }
}

/// `table` with its rows in this order.
fn reordered(model: &Model, table: &Table, order: &[(usize, Source)]) -> Table {
    let spelled = |field: FieldId| {
        let text = order.iter().map(|(_, source)| {
            let (from, row) = (*source)?;
            let mut aside = model.table(from).aside.iter();
            let known = aside.find(|a| a.field == field)?;
            Some(known.spellings.at(row))
        });
        Codes::pack(&text.map(Option::unwrap_or_default).collect::<Vec<_>>())
    };
    let columns = table.columns.iter().map(|column| {
        let codes: Vec<u32> = order.iter().map(|(r, _)| column.codes.at(*r)).collect();
        let spellings = column.spellings.as_ref().map(|_| spelled(column.field));
        Column::new(column.field, Codes::pack(&codes), spellings)
    });
    let aside = table.aside.iter().map(|aside| Aside {
        field: aside.field,
        spellings: Arc::new(spelled(aside.field)),
    });
    Table {
        columns: columns.collect(),
        aside: aside.collect(),
        name: table.name.clone(),
        ..*table
    }
}

/// Each synthetic key with the table that holds its combinations, in the order they were made.
fn synthetic(model: &Model) -> Vec<(FieldId, TableId)> {
    let keys = model.fields.iter().enumerate();
    let keys = keys.filter(|(_, f)| f.kind == FieldKind::Synthetic);
    let tables = model.tables.iter().enumerate();
    let tables = tables.filter(|(_, t)| t.kind == TableKind::Synthetic);
    keys.zip(tables)
        .map(|((key, _), (table, _))| (FieldId(key as u32), TableId(table as u32)))
        .collect()
}

/// The codes of `field` by row of a table: of its own column, or over the synthetic keys that
/// have taken the field out of it.
pub(crate) fn codes_of(model: &Model, table: TableId, field: FieldId) -> Option<Vec<u32>> {
    let own = model.table(table).column_of(field);
    own.map(|at| model.table(table).columns[at].codes.to_vec())
        .or_else(|| over_keys(model, table, field, 0))
}

/// As [`codes_of`], over keys later than the one of this level alone.
fn codes_through(model: &Model, table: TableId, key: FieldId, level: usize) -> Option<Vec<u32>> {
    match model.table(table).column_of(key) {
        Some(at) => Some(model.table(table).columns[at].codes.to_vec()),
        None => over_keys(model, table, key, level + 1),
    }
}

/// The codes of `field` by row of a table, over synthetic keys from this level on.
fn over_keys(model: &Model, table: TableId, field: FieldId, level: usize) -> Option<Vec<u32>> {
    let null = model.field(field).symbols.null_code();
    let later = synthetic(model).into_iter().enumerate().skip(level);
    for (level, (key, onward)) in later {
        let (Some(at), Some(onward_at)) = (
            model.table(table).column_of(key),
            model.table(onward).column_of(key),
        ) else {
            continue;
        };
        if onward == table {
            continue;
        }
        let Some(codes) = codes_through(model, onward, field, level) else {
            continue;
        };
        let index = model.key_index(onward, onward_at);
        let partner = |code: u32| index.rows(code).first().and_then(|r| codes.get(r as usize));
        let keys = model.table(table).columns[at].codes.to_vec();
        let found = keys.into_iter();
        return Some(found.map(|c| partner(c).copied().unwrap_or(null)).collect());
    }
    None
}
