//! Circular references: a loop of tables is broken by making one of them loosely coupled.
//!
//! Rules: reference semantics E3: the longest table of the loop is loosened, with a warning.

use crate::build::Draft;
use crate::model::ModelNote;

/// Loosens tables until tables and shared fields form no loop.
pub(crate) fn resolve(draft: &mut Draft) -> Vec<ModelNote> {
    let mut notes = Vec::new();
    while let Some(cycle) = find_loop(draft) {
        let Some(longest) = cycle
            .iter()
            .copied()
            .max_by_key(|t| (draft.tables[*t].n_rows, usize::MAX - t))
        else {
            break;
        };
        draft.tables[longest].loose = true;
        notes.push(ModelNote::LooseTable {
            table: draft.tables[longest].name.clone(),
            tables: cycle
                .iter()
                .map(|t| draft.tables[*t].name.clone())
                .collect(),
        });
    }
    notes
}

/// Whether `tables`, each given by its fields, form a loop through shared fields.
pub(crate) fn has_loop(tables: &[Vec<usize>], n_fields: usize) -> bool {
    loop_of(tables, n_fields).is_some()
}

/// The tables of some loop among those that are not loose, or none.
fn find_loop(draft: &Draft) -> Option<Vec<usize>> {
    let tables: Vec<Vec<usize>> = draft
        .tables
        .iter()
        .map(|t| match t.loose {
            true => Vec::new(),
            false => t.columns.iter().map(|c| c.field).collect(),
        })
        .collect();
    loop_of(&tables, draft.fields.len())
}

/// Nodes are tables and the fields at least two of them share; a depth-first walk that meets
/// a node twice has found a loop.
fn loop_of(tables: &[Vec<usize>], n_fields: usize) -> Option<Vec<usize>> {
    let n_tables = tables.len();
    let mut tables_of = vec![Vec::new(); n_fields];
    for (t, fields) in tables.iter().enumerate() {
        for field in fields {
            tables_of[*field].push(t);
        }
    }
    let neighbours = |node: usize| -> Vec<usize> {
        if node < n_tables {
            let keys = tables[node].iter().filter(|f| tables_of[**f].len() > 1);
            keys.map(|f| n_tables + f).collect()
        } else {
            tables_of[node - n_tables].clone()
        }
    };
    let mut parent = vec![None; n_tables + n_fields];
    let mut seen = vec![false; n_tables + n_fields];
    for start in 0..n_tables {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut stack = vec![start];
        while let Some(node) = stack.pop() {
            for next in neighbours(node) {
                if parent[node] == Some(next) {
                    continue;
                }
                if seen[next] {
                    return Some(loop_tables(&parent, node, next, n_tables));
                }
                seen[next] = true;
                parent[next] = Some(node);
                stack.push(next);
            }
        }
    }
    None
}

/// The tables on the tree paths from `a` and `b` to where they meet.
fn loop_tables(parent: &[Option<usize>], a: usize, b: usize, n_tables: usize) -> Vec<usize> {
    let path = |mut node: usize| {
        let mut path = vec![node];
        while let Some(up) = parent[node] {
            path.push(up);
            node = up;
        }
        path
    };
    let (a, b) = (path(a), path(b));
    let meet = a.iter().copied().find(|n| b.contains(n));
    let until = |path: &[usize]| {
        path.iter()
            .copied()
            .take_while(|n| Some(*n) != meet)
            .collect::<Vec<_>>()
    };
    let mut nodes = until(&a);
    nodes.extend(meet);
    nodes.extend(until(&b));
    nodes.retain(|n| *n < n_tables);
    nodes.sort_unstable();
    nodes
}
