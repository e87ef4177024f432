//! `HIERARCHY` and `HIERARCHYBELONGSTO`: from nodes with parents to levels, paths, ancestors.
//!
//! A node whose parent is not among the nodes is a root. Nodes that no root leads to are left
//! out, so that loops end. A node with several parents has several paths.

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};
use satchel_data::{Frame, FrameColumn, SymbolKey, Value};

use crate::tables::gather;

/// Deeper trees are cut: real ones have tens of levels, and each level is a column.
const MAX_DEPTH: usize = 500;

/// The new fields of a `HIERARCHY`, by position and name.
pub(crate) struct Wanted<'a> {
    pub(crate) node: usize,
    pub(crate) parent: usize,
    pub(crate) name: usize,
    /// What levels are called: this and a number.
    pub(crate) level: &'a str,
    pub(crate) parent_name: Option<&'a str>,
    pub(crate) path_source: usize,
    pub(crate) path: Option<&'a str>,
    pub(crate) delimiter: &'a str,
    pub(crate) depth: Option<&'a str>,
}

/// For each row and each path to it, in row order: the rows from the root to it, itself last.
fn paths(
    frame: &Frame,
    node: usize,
    parent: usize,
    budget: &Budget,
) -> Result<Vec<Vec<u32>>, Stop> {
    let key = |column: usize, row: usize| SymbolKey::of(&frame.columns[column].value(row));
    let mut children: FxHashMap<SymbolKey, Vec<u32>> = FxHashMap::default();
    let mut nodes: FxHashMap<SymbolKey, ()> = FxHashMap::default();
    for row in 0..frame.n_rows() {
        if let Some(key) = key(node, row) {
            nodes.insert(key, ());
        }
        if let Some(key) = key(parent, row) {
            children.entry(key).or_default().push(row as u32);
        }
    }
    let mut open: Vec<Vec<u32>> = (0..frame.n_rows())
        .rev()
        .filter(|row| key(parent, *row).is_none_or(|p| !nodes.contains_key(&p)))
        .map(|row| vec![row as u32])
        .collect();
    let mut found: Vec<Vec<u32>> = Vec::new();
    while let Some(path) = open.pop() {
        budget.charge_rows(1)?;
        budget.charge_bytes(8 * path.len() as u64)?;
        let last = path[path.len() - 1] as usize;
        if path.len() < MAX_DEPTH
            && let Some(key_of_last) = key(node, last)
            && let Some(rows) = children.get(&key_of_last)
        {
            for row in rows.iter().rev() {
                let is_loop = path
                    .iter()
                    .any(|r| key(node, *r as usize) == key(node, *row as usize));
                if !is_loop {
                    let mut longer = path.clone();
                    longer.push(*row);
                    open.push(longer);
                }
            }
        }
        found.push(path);
    }
    found.sort_by_key(|path| path[path.len() - 1]);
    Ok(found)
}

/// The rows with their levels `Name1`, `Name2` …, and what else is wanted.
pub(crate) fn hierarchy(
    frame: &Frame,
    wanted: &Wanted<'_>,
    budget: &Budget,
) -> Result<Frame, Stop> {
    let found = paths(frame, wanted.node, wanted.parent, budget)?;
    let last: Vec<u32> = found.iter().map(|p| p[p.len() - 1]).collect();
    let mut out = gather(frame, &last);
    let names = &frame.columns[wanted.name];
    let deepest = found.iter().map(Vec::len).max().unwrap_or(0);
    budget.charge_bytes((4 * deepest * found.len()) as u64)?;
    for level in 0..deepest {
        let mut column = FrameColumn::new(format!("{}{}", wanted.level, level + 1));
        column.dict = names.dict.clone();
        column.codes = (found.iter())
            .map(|path| {
                path.get(level)
                    .map_or(satchel_data::NULL_CODE, |row| names.codes[*row as usize])
            })
            .collect();
        out.columns.push(column);
    }
    if let Some(name) = wanted.parent_name {
        let mut column = FrameColumn::new(name);
        for path in &found {
            column.push(&match path.len().checked_sub(2) {
                Some(i) => names.value(path[i] as usize),
                None => Value::Null,
            });
        }
        out.columns.push(column);
    }
    if let Some(name) = wanted.path {
        let source = &frame.columns[wanted.path_source];
        let mut column = FrameColumn::new(name);
        for path in &found {
            let parts: Vec<String> = (path.iter())
                .map(|row| source.value(*row as usize).to_text())
                .collect();
            let text = parts.join(wanted.delimiter);
            budget.charge_bytes(text.len() as u64)?;
            column.push(&Value::text(text));
        }
        out.columns.push(column);
    }
    if let Some(name) = wanted.depth {
        let mut column = FrameColumn::new(name);
        for path in &found {
            column.push(&Value::num(path.len() as f64));
        }
        out.columns.push(column);
    }
    Ok(out)
}

/// For each row a row for each of its ancestors, itself first: without the parent's field,
/// with the ancestor's id and name and, if wanted, how far above it is.
pub(crate) fn hierarchy_belongs_to(
    frame: &Frame,
    [node, parent, name]: [usize; 3],
    [ancestor, ancestor_name]: [&str; 2],
    depth_difference: Option<&str>,
    budget: &Budget,
) -> Result<Frame, Stop> {
    let found = paths(frame, node, parent, budget)?;
    let mut rows: Vec<u32> = Vec::new();
    let mut ids = FrameColumn::new(ancestor);
    let mut names = FrameColumn::new(ancestor_name);
    let mut differences = FrameColumn::new(depth_difference.unwrap_or_default());
    for path in &found {
        budget.charge_rows(path.len() as u64)?;
        budget.charge_bytes((4 * path.len() * (frame.columns.len() + 3)) as u64)?;
        for (difference, row) in path.iter().rev().enumerate() {
            rows.push(path[path.len() - 1]);
            ids.push(&frame.columns[node].value(*row as usize));
            names.push(&frame.columns[name].value(*row as usize));
            differences.push(&Value::num(difference as f64));
        }
    }
    let mut out = gather(frame, &rows);
    out.columns.remove(parent);
    out.columns.push(ids);
    out.columns.push(names);
    if depth_difference.is_some() {
        out.columns.push(differences);
    }
    Ok(out)
}
