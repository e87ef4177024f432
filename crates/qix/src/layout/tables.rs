//! The tables of an app as its reader sees them: `GetTablesAndKeys` and `GetTableData`.
//!
//! Every number is counted over the visible rows of the table it is told of.

use satchel_base::{Budget, Stop};
use satchel_data::{Column, FieldKind, TableId, TableKind, View};
use satchel_engine::Rect;
use serde_json::{Value, json};

use crate::doc::Doc;
use crate::errors::{Code, RpcError};
use crate::layout::pages;
use crate::wire::number::num;

/// What a column holds in the visible rows of its table.
struct InTable {
    n_rows: usize,
    /// Rows with a value.
    n_present: usize,
    /// Different values.
    n_distinct: usize,
    /// Different values of the field in all its tables.
    n_everywhere: usize,
    /// Whether the field links tables.
    is_key: bool,
}

impl InTable {
    fn count(view: &View, table: TableId, column: &Column, budget: &Budget) -> Result<Self, Stop> {
        let n_rows = view.model().table(table).n_rows;
        let field = view.model().field(column.field);
        let n_symbols = field.symbols.len();
        budget.charge_rows(n_rows as u64)?;
        budget.charge_bytes(n_symbols as u64)?;
        let mut seen = vec![false; n_symbols];
        let mut n_present = 0;
        for row in 0..n_rows {
            if row % 100_000 == 0 {
                budget.check()?;
            }
            // NULL is the code one past the last symbol.
            if view.row_is_visible(table, row as u32)
                && let Some(seen) = seen.get_mut(column.codes.at(row) as usize)
            {
                n_present += 1;
                *seen = true;
            }
        }
        Ok(Self {
            n_rows: view.n_rows(table),
            n_present,
            n_distinct: seen.into_iter().filter(|s| *s).count(),
            n_everywhere: view.cardinality(column.field),
            is_key: field.columns.len() > 1,
        })
    }

    /// `NOT_KEY`; or, by falling strength: each row has its own value and no value is missing
    /// here; each row has its own value; any other key.
    fn key_type(&self) -> &'static str {
        let own_values = self.n_present == self.n_rows && self.n_distinct == self.n_rows;
        match (self.is_key, own_values) {
            (false, _) => "NOT_KEY",
            (true, true) if self.n_distinct == self.n_everywhere => "PERFECT_KEY",
            (true, true) => "PRIMARY_KEY",
            (true, false) => "ANY_KEY",
        }
    }
}

/// A part of a whole; all of nothing is everything.
fn ratio(part: usize, whole: usize) -> Value {
    match whole {
        0 => json!(1),
        _ => num(part as f64 / whole as f64),
    }
}

/// `qtr` and `qk` of `GetTablesAndKeys`.
pub(crate) fn tables_and_keys(
    doc: &Doc,
    synthetic: bool,
    budget: &Budget,
) -> Result<(Value, Value), Stop> {
    let view = doc.engine.view();
    let model = view.model();
    let mut tables = Vec::new();
    for id in view.tables() {
        let table = model.table(id);
        if table.kind == TableKind::Synthetic && !synthetic {
            continue;
        }
        let fields: Vec<Value> = table
            .columns
            .iter()
            .filter(|c| view.is_visible(c.field))
            .map(|c| {
                let facts = view.facts(c.field);
                let field = model.field(c.field);
                let here = InTable::count(view, id, c, budget)?;
                Ok(json!({
                    "qName": field.name,
                    "qPresent": true,
                    "qHasNull": here.n_present < here.n_rows,
                    "qHasWild": false,
                    "qHasDuplicates": here.n_distinct < here.n_present,
                    "qIsSynthetic": field.kind == FieldKind::Synthetic,
                    "qInformationDensity": ratio(here.n_present, here.n_rows),
                    "qnNonNulls": here.n_present,
                    "qnRows": here.n_rows,
                    "qSubsetRatio": ratio(here.n_distinct, here.n_everywhere),
                    "qnTotalDistinctValues": here.n_everywhere,
                    "qnPresentDistinctValues": here.n_distinct,
                    "qKeyType": here.key_type(),
                    "qTags": facts.tags,
                    "qDerivedFields": [],
                    "qComment": "",
                }))
            })
            .collect::<Result<_, Stop>>()?;
        tables.push(json!({
            "qName": table.name,
            "qLoose": table.loose,
            "qNoOfRows": view.n_rows(id),
            "qFields": fields,
            "qPos": {"qx": 0, "qy": 0},
            "qComment": "",
            "qIsDirectDiscovery": false,
            "qIsSynthetic": table.kind == TableKind::Synthetic,
            "qTableTags": [],
            "qProfilingData": {},
        }));
    }
    let keys: Vec<Value> = view
        .fields()
        .filter(|f| model.field(*f).columns.len() > 1)
        .map(|f| {
            let in_tables: Vec<&str> = model
                .field(f)
                .columns
                .iter()
                .map(|(t, _)| model.table(*t))
                .filter(|t| synthetic || t.kind == TableKind::Data)
                .map(|t| t.name.as_str())
                .collect();
            json!({"qKeyFields": [model.field(f).name], "qTables": in_tables})
        })
        .collect();
    Ok((Value::Array(tables), Value::Array(keys)))
}

/// Rows of one table, for `GetTableData`.
pub(crate) fn table_data(
    doc: &Doc,
    name: &str,
    offset: i64,
    rows: i64,
    budget: &Budget,
) -> Result<Value, RpcError> {
    let view = doc.engine.view();
    let model = view.model();
    let found: Option<TableId> = view.tables().find(|t| model.table(*t).name == name);
    let id = found.ok_or_else(|| RpcError::about(Code::NotFound, name))?;
    let table = model.table(id);
    let columns: Vec<_> = table
        .columns
        .iter()
        .filter(|c| view.is_visible(c.field))
        .collect();
    let offset = usize::try_from(offset).unwrap_or(0);
    let wanted = usize::try_from(rows).unwrap_or(0).min(10_000);
    budget.charge_rows(table.n_rows as u64)?;
    pages::check(
        &[Rect {
            left: 0,
            top: 0,
            width: columns.len(),
            height: wanted,
        }],
        columns.len(),
        view.n_rows(id),
    )?;
    let list: Vec<Value> = (0..table.n_rows as u32)
        .filter(|r| view.row_is_visible(id, *r))
        .skip(offset)
        .take(wanted)
        .map(|row| {
            let cells: Vec<Value> = columns
                .iter()
                .map(|c| {
                    let value = view.value(c.field, c.codes.at(row as usize));
                    json!({
                        "qText": value.to_text(),
                        "qIsNumeric": value.as_num().is_some(),
                        "qNumber": num(value.as_num().unwrap_or(f64::NAN)),
                    })
                })
                .collect();
            json!({ "qValue": cells })
        })
        .collect();
    Ok(Value::Array(list))
}
