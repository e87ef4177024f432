//! JSON: an array of objects is a table, a nested object gives columns `outer/inner`.
//!
//! `table is 'Root/orders/lines'` names the array; `Root` is the document itself, and arrays on
//! the way count as what they hold. A file of one object a line is an array too. Arrays within
//! a row are shown as their JSON text: they are tables of their own.

use satchel_data::Value;
use satchel_script::{HostError, ReadRequest, RowSource};
use serde_json::{Map, Value as Json};

use crate::delimited::text_of;
use crate::named_grid::NamedGrid;

/// Opens the file whose content is `bytes`.
pub(crate) fn open(bytes: Vec<u8>, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    let text = text_of(bytes, &request.format)?;
    let document = document(&text, &request.path)?;
    let rows = match &request.format.table {
        Some(table) => table_at(&document, &table.text, &request.path)?,
        None => first_table(&document).ok_or_else(|| unknown(&document, "", &request.path))?,
    };
    let mut table = NamedGrid::default();
    for (row, json) in rows.into_iter().enumerate() {
        table.reach(row);
        match json {
            Json::Object(object) => put_object(&mut table, row, "", object)?,
            other => table.put(row, "Value", value(other))?,
        }
    }
    Ok(table.finish(request))
}

/// One document, or one a line.
fn document(text: &str, path: &str) -> Result<Json, HostError> {
    let mut found = Vec::new();
    for json in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
        found.push(json.map_err(|error| {
            HostError::new("source.malformed", format!("`{path}` is not JSON: {error}"))
                .with_hint("was it written completely?")
        })?);
    }
    Ok(match found.len() {
        1 => found.remove(0),
        _ => Json::Array(found),
    })
}

/// The rows of the array, or the one object, that `path` leads to.
fn table_at<'a>(document: &'a Json, path: &str, file: &str) -> Result<Vec<&'a Json>, HostError> {
    let mut at: Vec<&Json> = vec![document];
    let parts = (path.split('/')).filter(|p| !p.is_empty());
    for (i, part) in parts.enumerate() {
        if i == 0 && part.eq_ignore_ascii_case("root") && !has_member(document, part) {
            continue;
        }
        at = (at.into_iter().flat_map(elements))
            .filter_map(|json| json.get(part))
            .collect();
    }
    if at.is_empty() {
        return Err(unknown(document, path, file));
    }
    Ok(at.into_iter().flat_map(elements).collect())
}

fn has_member(json: &Json, name: &str) -> bool {
    json.get(name).is_some()
}

/// The elements of an array; anything else itself.
fn elements(json: &Json) -> Vec<&Json> {
    match json {
        Json::Array(elements) => elements.iter().collect(),
        other => vec![other],
    }
}

/// Without a name: the document if it is an array, else its first array of objects, else the
/// one object.
fn first_table(document: &Json) -> Option<Vec<&Json>> {
    match document {
        Json::Array(_) => Some(elements(document)),
        Json::Object(object) => {
            let is_table = |json: &&Json| match json {
                Json::Array(a) => a.first().is_some_and(Json::is_object),
                _ => false,
            };
            Some((object.values().find(is_table)).map_or_else(|| vec![document], elements))
        }
        _ => None,
    }
}

fn unknown(document: &Json, path: &str, file: &str) -> HostError {
    let mut known = vec!["Root".to_owned()];
    paths_of(document, "Root", &mut known);
    let message = match path {
        "" => format!("`{file}` holds no table"),
        path => format!("`{file}` has no table `{path}`"),
    };
    HostError::new("source.unknown_table", message)
        .with_hint(format!("the tables are {}", known.join(", ")))
}

/// Paths of arrays of objects within the first element.
fn paths_of(json: &Json, at: &str, out: &mut Vec<String>) {
    /// More than that is no help.
    const MOST: usize = 20;
    let first = match json {
        Json::Array(elements) => elements.first(),
        other => Some(other),
    };
    let Some(Json::Object(object)) = first else {
        return;
    };
    for (name, value) in object {
        if out.len() >= MOST {
            return;
        }
        let path = format!("{at}/{name}");
        if matches!(value, Json::Array(a) if a.first().is_some_and(Json::is_object)) {
            out.push(path.clone());
        }
        paths_of(value, &path, out);
    }
}

fn put_object(
    table: &mut NamedGrid,
    row: usize,
    prefix: &str,
    object: &Map<String, Json>,
) -> Result<(), HostError> {
    for (name, json) in object {
        let name = match prefix {
            "" => name.clone(),
            prefix => format!("{prefix}/{name}"),
        };
        match json {
            Json::Object(inner) => put_object(table, row, &name, inner)?,
            other => table.put(row, &name, value(other))?,
        }
    }
    Ok(())
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(true) => Value::dual(-1.0, "true"),
        Json::Bool(false) => Value::dual(0.0, "false"),
        Json::Number(number) => number.as_f64().map_or(Value::Null, Value::num),
        Json::String(text) => Value::text(text.as_str()),
        other => Value::text(other.to_string()),
    }
}
