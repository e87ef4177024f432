//! How two tables could hang together, what an expression reads, and which field of a cyclic
//! dimension shows.
//!
//! Everything is counted over the rows the reader sees.

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};
use satchel_data::{FieldId, FieldKind, TableId, TableKind};
use satchel_engine::CalcError;
use serde_json::{Value, json};

use crate::doc::Doc;
use crate::doc::items::Kind;
use crate::doc::selection_methods::selections_changed;
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::layout::Env;
use crate::session::Call;

type Done = Result<(), RpcError>;

/// The fields an expression reads, among those there are.
pub(crate) fn get_fields_from_expression(call: &mut Call<'_>) -> Done {
    let text = call.args.text(0)?;
    let now = call.state.host.now();
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let names = match Env::new(doc, now, &budget).query("").names_in(&text) {
        Ok(names) => names,
        Err(CalcError::Stop(stop)) => return Err(stop.into()),
        Err(_) => return Err(RpcError::about(Code::InvalidParameters, "qExpr")),
    };
    // A name of a hidden field is one of no field.
    let known: Vec<String> = names
        .into_iter()
        .filter(|name| doc.engine.field(name).is_some())
        .collect();
    call.put("qFieldNames", known);
    Ok(())
}

/// The values of a column as one compares them across fields, and how many rows have each.
struct Column {
    name: String,
    field: FieldId,
    /// A synthetic key, whose values are combinations.
    is_key: bool,
    is_numeric: bool,
    n_rows: usize,
    n_values: u64,
    times: FxHashMap<Key, u64>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Number(u64),
    Text(String),
}

/// How well each field of one table fits each of another.
pub(crate) fn get_association_scores(call: &mut Call<'_>) -> Done {
    let (one, other) = (call.args.text(0)?, call.args.text(1)?);
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let (one, other) = (
        columns(doc, table(doc, &one)?, &budget)?,
        columns(doc, table(doc, &other)?, &budget)?,
    );
    let mut scores = Vec::with_capacity(one.len() * other.len());
    for a in &one {
        for b in &other {
            budget.charge_rows(a.times.len().min(b.times.len()) as u64)?;
            let (of_a, of_b) = (Scores::of(a, b), Scores::of(b, a));
            scores.push(json!({
                "qFieldPairName": format!("{} / {}", a.name, b.name),
                "qScoreSummary": summary(a, b),
                "qField1Scores": of_a.shown(a),
                "qField2Scores": of_b.shown(b),
            }));
        }
    }
    call.put("qScore", scores);
    Ok(())
}

fn table(doc: &Doc, name: &str) -> Result<TableId, RpcError> {
    let view = doc.engine.view();
    let found = view.tables().find(|t| {
        let table = view.model().table(*t);
        table.kind == TableKind::Data && table.name == name
    });
    found.ok_or_else(|| RpcError::about(Code::NotFound, name))
}

fn columns(doc: &Doc, id: TableId, budget: &Budget) -> Result<Vec<Column>, Stop> {
    let view = doc.engine.view();
    let model = view.model();
    let table = model.table(id);
    let mut list = Vec::new();
    for column in &table.columns {
        let field = column.field;
        if !view.is_visible(field) {
            continue;
        }
        let n_symbols = model.field(field).symbols.len();
        budget.charge_rows(table.n_rows as u64)?;
        budget.charge_bytes(64 * n_symbols as u64)?;
        let mut by_code = vec![0u64; n_symbols];
        for row in (0..table.n_rows).filter(|r| view.row_is_visible(id, *r as u32)) {
            if let Some(n) = by_code.get_mut(column.codes.at(row) as usize) {
                *n += 1;
            }
        }
        let is_key = model.field(field).kind != FieldKind::Data;
        let mut times = FxHashMap::default();
        let mut is_numeric = true;
        for (code, n) in by_code.iter().enumerate().filter(|(_, n)| **n > 0) {
            let code = code as u32;
            let number = view.num(field, code);
            let key = if is_key {
                Key::Number(u64::from(code))
            } else if number.is_nan() {
                is_numeric = false;
                Key::Text(view.text(field, code).into_owned())
            } else {
                Key::Number(number.to_bits())
            };
            *times.entry(key).or_default() += n;
        }
        let name = &model.field(field).name;
        list.push(Column {
            name: if is_key {
                format!("[Synthetic key]:{name}")
            } else {
                name.clone()
            },
            field,
            is_key,
            is_numeric,
            n_rows: view.n_rows(id),
            n_values: by_code.iter().sum(),
            times,
        });
    }
    Ok(list)
}

struct Scores {
    symbol: f64,
    row: f64,
}

impl Scores {
    /// How much of `a` is in `b`.
    fn of(a: &Column, b: &Column) -> Self {
        // The codes of a synthetic key mean something in that key only.
        let comparable = a.field == b.field || !(a.is_key || b.is_key);
        let (mut symbols, mut rows) = (0u64, 0u64);
        for (key, n) in a.times.iter().filter(|_| comparable) {
            if b.times.contains_key(key) {
                symbols += 1;
                rows += n;
            }
        }
        Self {
            symbol: ratio(symbols, a.times.len() as u64),
            row: ratio(rows, a.n_values),
        }
    }

    fn shown(&self, of: &Column) -> Value {
        json!({
            "qFieldName": of.name,
            "qCardinalRatio": ratio(of.times.len() as u64, of.n_rows as u64),
            "qSymbolScore": self.symbol,
            "qRowScore": self.row,
        })
    }
}

fn ratio(part: u64, of: u64) -> f64 {
    if of == 0 {
        0.0
    } else {
        part as f64 / of as f64
    }
}

/// Why scores may say little: a sum of what applies, as the protocol counts it.
fn summary(a: &Column, b: &Column) -> i64 {
    let none = |is: bool, what: i64| if is { what } else { 0 };
    none(a.is_numeric != b.is_numeric, -1)
        + none(a.n_rows == 0, -2)
        + none(a.times.is_empty(), -4)
        + none(b.n_rows == 0, -8)
        + none(b.times.is_empty(), -16)
}

/// The fields of a cyclic master dimension.
fn cycle(doc: &Doc, id: &str) -> Option<Vec<String>> {
    let list = doc.items.list(Kind::Dimension);
    let dim = list.iter().find(|d| d.id() == id)?.properties.get("qDim")?;
    let grouping = dim.get("qGrouping")?;
    let is_cyclic = grouping.as_str() == Some("C") || grouping.as_i64() == Some(2);
    let defs = dim.get("qFieldDefs")?.as_array()?;
    is_cyclic.then(|| {
        defs.iter()
            .map(|d| d.as_str().unwrap_or_default().to_owned())
            .collect()
    })
}

/// Which field each cyclic master dimension shows.
pub(crate) fn get_group_states(call: &mut Call<'_>) -> Done {
    let doc = call.doc()?;
    let states: Vec<Value> = doc
        .items
        .list(Kind::Dimension)
        .iter()
        .filter_map(|d| {
            let defs = cycle(doc, d.id())?;
            let at = doc.items.active.get(d.id()).copied().unwrap_or(0);
            Some(json!({
                "qInfo": {"qId": d.id(), "qType": "dimension"},
                "qActiveFieldDef": defs.get(at)?,
            }))
        })
        .collect();
    call.put("qGroupStates", states);
    Ok(())
}

/// Shows the fields that are named; all of them or, if one is not there, none.
pub(crate) fn apply_group_states(call: &mut Call<'_>) -> Done {
    let states = call.args.list(0)?;
    let doc = call.doc()?;
    let mut wanted = Vec::new();
    for state in &states {
        let text = |v: Option<&Value>| v.and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = text(state.get("qInfo").and_then(|i| i.get("qId")));
        let def = text(state.get("qActiveFieldDef"));
        let at = cycle(doc, &id).and_then(|defs| defs.iter().position(|d| *d == def));
        wanted.push(at.map(|at| (id, at)));
    }
    let all: Option<Vec<(String, usize)>> = wanted.into_iter().collect();
    let done = all.is_some();
    for (id, at) in all.into_iter().flatten() {
        call.doc()?.items.active.insert(id.clone(), at);
        call.changed(|t| *t == Target::Dimension(id.clone()));
    }
    if done {
        selections_changed(call);
    }
    call.put("qResult", done);
    Ok(())
}
