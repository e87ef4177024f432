//! Methods that tell of the data model: matching fields, samples, profiles.
//!
//! Everything is counted over the rows the reader sees.

use satchel_base::{Budget, Stop};
use satchel_data::{FieldId, FieldKind, TableId, TableKind};
use serde_json::{Value, json};

use crate::doc::Doc;
use crate::errors::{Code, RpcError};
use crate::session::Call;
use crate::wire::number::num;

type Done = Result<(), RpcError>;

/// The most values of one sample.
const MAX_SAMPLES: usize = 1_000;

/// Fields that hang together with one and have one of the tags.
pub(crate) fn find_matching_fields(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    let tags = call.args.texts(1)?;
    let doc = call.doc()?;
    let engine = &doc.engine;
    let field = engine.field(&name);
    let field = field.ok_or_else(|| RpcError::about(Code::NotFound, name))?;
    let view = engine.view();
    let list: Vec<Value> = view
        .fields()
        .filter(|f| engine.hang_together(*f, field))
        .filter(|f| view.facts(*f).tags.iter().any(|t| tags.contains(t)))
        .map(|f| json!({"qName": view.model().field(f).name, "qTags": view.facts(f).tags}))
        .collect();
    call.put("qFieldNames", list);
    Ok(())
}

/// Some values of fields, or of fields in one table, whose names match.
pub(crate) fn get_samples(call: &mut Call<'_>) -> Done {
    let wanted = call.args.list(0)?;
    let n = call.args.int(1, 0)?;
    let seed = call.args.int(2, 0)?;
    let budget = call.budget.clone();
    let n = usize::try_from(n).unwrap_or(0).min(MAX_SAMPLES);
    let doc = call.doc()?;
    let mut list = Vec::new();
    for one in &wanted {
        let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
        let (field, table) = (text("qFieldName"), text("qTableName"));
        for (id, found) in matching(doc, field, table) {
            let values = sample(doc, id, found, n, seed, &budget)?;
            let view = doc.engine.view();
            let shown = found.map_or("", |t| view.model().table(t).name.as_str());
            list.push(json!({
                "qFieldOrColumn": {
                    "qFieldName": view.model().field(id).name, "qTableName": shown,
                },
                "qValues": values,
            }));
        }
    }
    call.put("qResult", list);
    Ok(())
}

/// Fields, and columns if a table is named, with `*` and `?` for any characters.
fn matching(doc: &Doc, field: &str, table: &str) -> Vec<(FieldId, Option<TableId>)> {
    let view = doc.engine.view();
    let model = view.model();
    let fits = |pattern: &str, name: &str| {
        pattern == name || satchel_engine::Search::exact(pattern).matches(name, f64::NAN)
    };
    let fields: Vec<FieldId> = view
        .fields()
        .filter(|f| model.field(*f).kind == FieldKind::Data)
        .filter(|f| fits(field, &model.field(*f).name))
        .collect();
    if table.is_empty() {
        return fields.into_iter().map(|f| (f, None)).collect();
    }
    let mut found = Vec::new();
    for id in view.tables() {
        let data = model.table(id);
        if data.kind != TableKind::Data || !fits(table, &data.name) {
            continue;
        }
        for column in &data.columns {
            if fields.contains(&column.field) {
                found.push((column.field, Some(id)));
            }
        }
    }
    found
}

/// `n` values, the same for the same seed: from a place that follows from it, onwards.
fn sample(
    doc: &Doc,
    field: FieldId,
    table: Option<TableId>,
    n: usize,
    seed: i64,
    budget: &Budget,
) -> Result<Vec<Value>, Stop> {
    let view = doc.engine.view();
    let codes: Vec<u32> = match table {
        None => view.codes(field).into_owned(),
        Some(id) => {
            let data = view.model().table(id);
            budget.charge_rows(data.n_rows as u64)?;
            let n_symbols = view.model().field(field).symbols.len();
            budget.charge_bytes(n_symbols as u64)?;
            let mut here = vec![false; n_symbols];
            if let Some(at) = data.column_of(field) {
                for row in (0..data.n_rows).filter(|r| view.row_is_visible(id, *r as u32)) {
                    let code = data.columns[at].codes.at(row) as usize;
                    if let Some(seen) = here.get_mut(code) {
                        *seen = true;
                    }
                }
            }
            let codes = view.codes(field);
            let in_table = |c: &u32| here.get(*c as usize).copied().unwrap_or(false);
            codes.iter().copied().filter(in_table).collect()
        }
    };
    let from = match codes.len() {
        0 => 0,
        len => usize::try_from(seed.unsigned_abs() % len as u64).unwrap_or(0),
    };
    let values = codes.iter().cycle().skip(from).take(n.min(codes.len()));
    Ok(values
        .map(|code| {
            let number = view.num(field, *code);
            json!({
                "qText": view.text(field, *code),
                "qIsNumeric": !number.is_nan(),
                "qNumber": num(number),
            })
        })
        .collect())
}

/// What the columns of a table hold.
pub(crate) fn get_table_profile(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let view = doc.engine.view();
    let model = view.model();
    let found = view.tables().find(|t| model.table(*t).name == name);
    let id = found.ok_or_else(|| RpcError::about(Code::NotFound, name))?;
    let table = model.table(id);
    let mut fields = Vec::new();
    for column in &table.columns {
        if view.is_visible(column.field) {
            fields.push(profile(doc, id, column.field, &budget)?);
        }
    }
    let n_rows = view.n_rows(id);
    call.put(
        "qProfiling",
        json!({"qNoOfRows": n_rows, "qFieldProfiling": fields}),
    );
    Ok(())
}

/// The most frequent values that are told.
const MOST_FREQUENT: usize = 3;

fn profile(doc: &Doc, id: TableId, field: FieldId, budget: &Budget) -> Result<Value, Stop> {
    let view = doc.engine.view();
    let table = view.model().table(id);
    let n_symbols = view.model().field(field).symbols.len();
    budget.charge_rows(table.n_rows as u64)?;
    budget.charge_bytes(8 * n_symbols as u64)?;
    let mut times = vec![0u64; n_symbols];
    let mut n_null = 0u64;
    if let Some(at) = table.column_of(field) {
        for row in (0..table.n_rows).filter(|r| view.row_is_visible(id, *r as u32)) {
            match times.get_mut(table.columns[at].codes.at(row) as usize) {
                Some(n) => *n += 1,
                None => n_null += 1,
            }
        }
    }
    let mut numbers: Vec<(f64, u64)> = Vec::new();
    let mut texts: Vec<(usize, u64)> = Vec::new();
    let (mut n_empty, mut sorted): (u64, Vec<String>) = (0, Vec::new());
    let mut frequent: Vec<(u64, u32)> = Vec::new();
    let codes = view.codes(field);
    for code in codes.iter() {
        let n = times.get(*code as usize).copied().unwrap_or(0);
        if n == 0 {
            continue;
        }
        frequent.push((n, *code));
        let (number, text) = (view.num(field, *code), view.text(field, *code));
        if number.is_nan() {
            texts.push((text.chars().count(), n));
            n_empty += if text.is_empty() { n } else { 0 };
            sorted.push(text.into_owned());
        } else {
            numbers.push((number, n));
        }
    }
    sorted.sort();
    // Equal counts keep the order of the values.
    frequent.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
    let facts = Moments::of(&numbers);
    let count = |test: &dyn Fn(f64) -> bool| -> u64 {
        numbers
            .iter()
            .filter(|(v, _)| test(*v))
            .map(|(_, n)| n)
            .sum()
    };
    let n_texts: u64 = texts.iter().map(|(_, n)| n).sum();
    let text_length: u64 = texts.iter().map(|(len, n)| *len as u64 * n).sum();
    let shown: Vec<Value> = frequent
        .iter()
        .take(MOST_FREQUENT)
        .map(|(n, code)| {
            json!({
                "qSymbol": {
                    "qText": view.text(field, *code), "qNumber": num(view.num(field, *code)),
                },
                "qFrequency": n,
            })
        })
        .collect();
    Ok(json!({
        "qName": view.model().field(field).name,
        "qFieldTags": view.facts(field).tags,
        "qDistinctValues": numbers.len() + texts.len(),
        "qDistinctNumericValues": numbers.len(),
        "qDistinctTextValues": texts.len(),
        "qNumericValues": facts.n,
        "qTextValues": n_texts,
        "qNullValues": n_null,
        "qNegValues": count(&|v| v < 0.0),
        "qZeroValues": count(&|v| v == 0.0),
        "qPosValues": count(&|v| v > 0.0),
        "qMin": num(numbers.first().map_or(f64::NAN, |v| v.0)),
        "qMax": num(numbers.last().map_or(f64::NAN, |v| v.0)),
        "qSum": num(if facts.n == 0 { f64::NAN } else { facts.sum }),
        "qSum2": num(if facts.n == 0 { f64::NAN } else { facts.sum2 }),
        "qAverage": num(facts.average()),
        "qMedian": num(quantile(&numbers, facts.n, 0.5)),
        "qStd": num(facts.deviation()),
        "qFractiles": fractiles(&numbers, facts.n),
        "qEmptyStrings": n_empty,
        "qMinStringLen": texts.iter().map(|(len, _)| *len).min().unwrap_or(0),
        "qMaxStringLen": texts.iter().map(|(len, _)| *len).max().unwrap_or(0),
        "qSumStringLen": text_length,
        "qAvgStringLen": num(if n_texts == 0 { 0.0 } else { text_length as f64 / n_texts as f64 }),
        "qFirstSorted": sorted.first().cloned().unwrap_or_default(),
        "qLastSorted": sorted.last().cloned().unwrap_or_default(),
        "qMostFrequent": shown,
    }))
}

/// Sums over numbers with how often each occurs.
struct Moments {
    n: u64,
    sum: f64,
    sum2: f64,
    /// Sum of squared distances from the mean.
    spread: f64,
}

impl Moments {
    fn of(numbers: &[(f64, u64)]) -> Self {
        let n = numbers.iter().map(|(_, n)| n).sum();
        let sum: f64 = numbers.iter().map(|(v, n)| v * *n as f64).sum();
        let mean = sum / n as f64;
        Self {
            n,
            sum,
            sum2: numbers.iter().map(|(v, n)| v * v * *n as f64).sum(),
            spread: numbers
                .iter()
                .map(|(v, n)| (v - mean) * (v - mean) * *n as f64)
                .sum(),
        }
    }

    fn average(&self) -> f64 {
        self.sum / self.n as f64
    }

    /// Of a sample; NaN for less than two numbers.
    fn deviation(&self) -> f64 {
        if self.n < 2 {
            return f64::NAN;
        }
        (self.spread / (self.n - 1) as f64).sqrt()
    }
}

/// The value below which a part of the numbers lies, between neighbours in proportion.
fn quantile(sorted: &[(f64, u64)], n: u64, part: f64) -> f64 {
    if n == 0 {
        return f64::NAN;
    }
    let at = (n - 1) as f64 * part;
    let nth = |wanted: u64| {
        let mut before = 0;
        for (value, times) in sorted {
            before += times;
            if wanted < before {
                return *value;
            }
        }
        f64::NAN
    };
    let (low, high) = (nth(at.floor() as u64), nth(at.ceil() as u64));
    low + (high - low) * at.fract()
}

/// 1, 5, 10, 25, 50, 75, 90, 95 and 99 parts of a hundred.
fn fractiles(sorted: &[(f64, u64)], n: u64) -> Value {
    [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]
        .into_iter()
        .map(|part| num(quantile(sorted, n, part)))
        .collect()
}

/// The functions of expressions, by name. Groups are not told apart, so only all of them can
/// be asked for.
pub(crate) fn get_functions(call: &mut Call<'_>) -> Done {
    let all = match call.args.value(0) {
        Value::Null => true,
        Value::String(group) => matches!(group.as_str(), "" | "ALL" | "FUNC_GROUP_ALL"),
        value => crate::params::whole(&value) == Some(0),
    };
    if !all {
        return Err(RpcError::about(Code::InvalidParameters, "qGroup"));
    }
    let mut functions: Vec<(&str, &str)> = satchel_calc::function_docs()
        .iter()
        .map(|f| {
            (
                f.signature.split(['(', ' ']).next().unwrap_or_default(),
                f.signature,
            )
        })
        .collect();
    functions.sort_unstable();
    let list: Vec<Value> = functions
        .into_iter()
        .map(|(name, signature)| json!({"qName": name, "qSignature": signature}))
        .collect();
    call.put("qFunctions", list);
    Ok(())
}

/// All objects look as their properties say again.
pub(crate) fn clear_all_soft_patches(call: &mut Call<'_>) -> Done {
    let doc = call.doc()?;
    let changed = doc.objects.clear_soft_patches();
    call.changed(|t| matches!(t, crate::handles::Target::Object(id) if changed.contains(id)));
    Ok(())
}

/// Variables somebody marked as favourites, among those there are.
pub(crate) fn get_favourites(call: &mut Call<'_>) -> Done {
    let doc = call.doc()?;
    let names: Vec<Value> = doc
        .properties
        .get(FAVOURITES)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|n| n.as_str().is_some_and(|n| doc.items.variable(n).is_some()))
        .cloned()
        .collect();
    call.put("qNames", names);
    Ok(())
}

pub(crate) fn set_favourites(call: &mut Call<'_>) -> Done {
    let names = call.args.texts(0)?;
    let doc = crate::doc::methods::editable(call)?;
    doc.properties.insert(FAVOURITES.to_owned(), json!(names));
    Ok(())
}

/// Where the app's properties keep them; no member clients know.
const FAVOURITES: &str = "satchelFavouriteVariables";
