//! `XmlSimple`: the elements at a path are the rows of a table.
//!
//! Columns are the attributes of a row's element, its children that hold a text, named by the
//! child, and attributes and children further in, `address/city`. A child that a row has
//! several times is a table of its own and no column. The element's own text is under its name.
//! A column `%Key_name_…` of a load gives the number of the element `name` that the row is in,
//! so that tables of nested elements link.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_script::{HostError, ReadRequest, RowSource};

use crate::delimited::text_of;
use crate::markup::{Element, parse};
use crate::named_grid::NamedGrid;

/// A row's element with the elements it is in, outermost first, each with its number.
struct Row<'a> {
    element: &'a Element,
    ancestors: Vec<(&'a str, usize)>,
}

/// Opens the file whose content is `bytes`.
pub(crate) fn open(bytes: Vec<u8>, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    let text = text_of(bytes, &request.format)?;
    let root = parse(&text, &request.path)?;
    let path = match &request.format.table {
        Some(table) => table.text.clone(),
        None => first_table(&root).ok_or_else(|| unknown(&root, "", &request.path))?,
    };
    let rows = rows_at(&root, &path);
    if rows.is_empty() {
        return Err(unknown(&root, &path, &request.path));
    }
    let mut repeated = FxHashSet::default();
    for row in &rows {
        find_repeated(row.element, "", &mut repeated);
    }
    let mut table = NamedGrid::default();
    for (number, row) in rows.iter().enumerate() {
        table.reach(number);
        put_element(&mut table, number, "", row.element, &repeated)?;
    }
    let keys: Vec<&String> = (request.wanted.iter().flatten())
        .filter(|name| name.starts_with("%Key_"))
        .collect();
    for key in keys {
        for (number, row) in rows.iter().enumerate() {
            let of = (row.ancestors.iter().rev()).find(|(name, _)| is_key_of(key, name));
            if let Some((_, n)) = of {
                table.put_text(number, key, &n.to_string())?;
            }
        }
    }
    Ok(table.finish(request))
}

/// `%Key_name_4A3F…` or `%Key_name`.
fn is_key_of(key: &str, name: &str) -> bool {
    let Some(rest) = key.strip_prefix("%Key_").and_then(|k| k.strip_prefix(name)) else {
        return false;
    };
    rest.is_empty()
        || rest
            .strip_prefix('_')
            .is_some_and(|hash| hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The elements at `path`, whose first part is the root.
fn rows_at<'a>(root: &'a Element, path: &str) -> Vec<Row<'a>> {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let Some((first, rest)) = parts.split_first() else {
        return Vec::new();
    };
    if *first != root.name {
        return Vec::new();
    }
    let mut at = vec![Row {
        element: root,
        ancestors: vec![(root.name.as_str(), 1)],
    }];
    for part in rest {
        let mut number = 0;
        let mut next = Vec::new();
        for row in at {
            for child in row.element.children.iter().filter(|c| c.name == *part) {
                number += 1;
                let mut ancestors = row.ancestors.clone();
                ancestors.push((child.name.as_str(), number));
                next.push(Row {
                    element: child,
                    ancestors,
                });
            }
        }
        at = next;
    }
    at
}

/// Paths, from the row, of children that some row has several times.
fn find_repeated(element: &Element, at: &str, out: &mut FxHashSet<String>) {
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    for child in &element.children {
        *seen.entry(&child.name).or_default() += 1;
    }
    for child in &element.children {
        let path = joined(at, &child.name);
        if seen.get(child.name.as_str()).is_some_and(|n| *n > 1) {
            out.insert(path);
        } else {
            find_repeated(child, &path, out);
        }
    }
}

fn joined(at: &str, name: &str) -> String {
    match at {
        "" => name.to_owned(),
        at => format!("{at}/{name}"),
    }
}

/// Without a name: the first elements that stand several times in one another.
fn first_table(root: &Element) -> Option<String> {
    tables(root).into_iter().next()
}

/// Paths of elements that repeat, those nearest to the root first.
fn tables(root: &Element) -> Vec<String> {
    let mut out = Vec::new();
    let mut level: BTreeMap<String, Vec<&Element>> =
        BTreeMap::from([(root.name.clone(), vec![root])]);
    while !level.is_empty() {
        let mut next: BTreeMap<String, Vec<&Element>> = BTreeMap::new();
        for (path, elements) in level {
            if elements.len() > 1
                && elements
                    .iter()
                    .any(|e| !e.children.is_empty() || !e.attributes.is_empty())
            {
                out.push(path.clone());
            }
            for child in elements.iter().flat_map(|e| &e.children) {
                next.entry(format!("{path}/{}", child.name))
                    .or_default()
                    .push(child);
            }
        }
        level = next;
    }
    out
}

fn unknown(root: &Element, path: &str, file: &str) -> HostError {
    /// More than that is no help.
    const MOST: usize = 20;
    let known: Vec<String> = tables(root).into_iter().take(MOST).collect();
    let message = match path {
        "" => format!("`{file}` has no element that repeats"),
        path => format!("`{file}` has no table `{path}`"),
    };
    HostError::new("source.unknown_table", message).with_hint(match known.is_empty() {
        true => format!("write table is [{}] for a single row", root.name),
        false => format!("the tables are {}", known.join(", ")),
    })
}

fn put_element(
    table: &mut NamedGrid,
    row: usize,
    at: &str,
    element: &Element,
    repeated: &FxHashSet<String>,
) -> Result<(), HostError> {
    for (name, value) in &element.attributes {
        table.put_text(row, &joined(at, name), value)?;
    }
    let text = element.text.trim();
    let is_leaf = element.children.is_empty() && element.attributes.is_empty() && !at.is_empty();
    if !text.is_empty() || is_leaf {
        let name = if at.is_empty() { &element.name } else { at };
        table.put_text(row, name, text)?;
    }
    for child in &element.children {
        let path = joined(at, &child.name);
        if !repeated.contains(&path) {
            put_element(table, row, &path, child, repeated)?;
        }
    }
    Ok(())
}
