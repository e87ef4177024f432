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

/// The tables of some loop, or none. Nodes are tables that are not loose and fields that at
/// least two of them share; a depth-first walk that meets a node twice has found a loop.
fn find_loop(draft: &Draft) -> Option<Vec<usize>> {
    let n_tables = draft.tables.len();
    let mut tables_of = vec![Vec::new(); draft.fields.len()];
    for (t, table) in draft.tables.iter().enumerate().filter(|(_, t)| !t.loose) {
        for column in &table.columns {
            tables_of[column.field].push(t);
        }
    }
    let neighbours = |node: usize| -> Vec<usize> {
        if node < n_tables {
            let mut keys: Vec<usize> = draft.tables[node]
                .columns
                .iter()
                .map(|c| c.field)
                .filter(|f| tables_of[*f].len() > 1)
                .map(|f| n_tables + f)
                .collect();
            if draft.tables[node].loose {
                keys.clear();
            }
            keys
        } else {
            tables_of[node - n_tables].clone()
        }
    };
    let mut parent = vec![None; n_tables + draft.fields.len()];
    let mut seen = vec![false; n_tables + draft.fields.len()];
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
