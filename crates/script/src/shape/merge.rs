//! `MERGE`: a log of changes applied to a table.

use rustc_hash::FxHashMap;
use satchel_data::{Frame, SymbolKey, Value};

use crate::tables::{append, gather};

/// What a row of a change log does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The row replaces the one with its key, or is added.
    Put,
    /// The row with its key goes.
    Delete,
}

impl Change {
    /// `Insert`, `Update`, `Delete` or their first letters, in any case.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value.to_text().trim().to_ascii_lowercase().as_str() {
            "insert" | "i" | "update" | "u" => Some(Self::Put),
            "delete" | "d" => Some(Self::Delete),
            _ => None,
        }
    }
}

type Key = Vec<Option<SymbolKey>>;

fn key(frame: &Frame, columns: &[usize], row: usize) -> Key {
    columns
        .iter()
        .map(|c| SymbolKey::of(&frame.columns[*c].value(row)))
        .collect()
}

/// `target` after the changes in `log`: of the rows of the log with one key the latest counts,
/// by the column `sequence` and, where that is equal or absent, by order. `changes` says what
/// each row of the log does.
pub(crate) fn merge(
    target: &Frame,
    target_keys: &[usize],
    log: &Frame,
    log_keys: &[usize],
    sequence: Option<usize>,
    changes: &[Change],
) -> Frame {
    let number = |row: usize| {
        sequence
            .and_then(|c| log.columns[c].value(row).as_num())
            .unwrap_or(0.0)
    };
    let mut latest: FxHashMap<Key, usize> = FxHashMap::default();
    for row in 0..log.n_rows() {
        let place = latest.entry(key(log, log_keys, row)).or_insert(row);
        if number(row) >= number(*place) {
            *place = row;
        }
    }
    let kept: Vec<u32> = (0..target.n_rows())
        .filter(|row| !latest.contains_key(&key(target, target_keys, *row)))
        .map(|row| row as u32)
        .collect();
    let mut put: Vec<u32> = (latest.into_values())
        .filter(|row| changes.get(*row) == Some(&Change::Put))
        .map(|row| row as u32)
        .collect();
    put.sort_unstable();
    let mut out = gather(target, &kept);
    append(&mut out, gather(log, &put));
    out
}
