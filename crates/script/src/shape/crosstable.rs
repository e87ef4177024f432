//! `CROSSTABLE` makes rows of columns, `GENERIC` makes columns of rows.

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};
use satchel_data::{Frame, FrameColumn, NULL_CODE, Value};

use crate::symbol_filter::forget_unused;

/// A row for each value of the columns after the first `n_keys`, with the column's name in the
/// field `attribute` and the value in `data`. NULL gives no row.
pub(crate) fn crosstable(
    frame: &Frame,
    attribute: &str,
    data: &str,
    n_keys: usize,
    budget: &Budget,
) -> Result<Frame, Stop> {
    let n_keys = n_keys.min(frame.columns.len());
    let (keys, wide) = frame.columns.split_at(n_keys);
    let n_cells = (frame.n_rows() * wide.len()) as u64;
    budget.charge_rows(n_cells)?;
    budget.charge_bytes(n_cells.saturating_mul(4 * (n_keys as u64 + 2)))?;
    let mut rows: Vec<u32> = Vec::new();
    let mut names = FrameColumn::new(attribute);
    let mut values = FrameColumn::new(data);
    let name_codes: Vec<u32> = (wide.iter())
        .map(|c| names.dict.intern(&Value::text(c.name.as_str())))
        .collect();
    let maps: Vec<Vec<u32>> = (wide.iter())
        .map(|c| {
            c.dict
                .values()
                .iter()
                .map(|v| values.dict.intern(v))
                .collect()
        })
        .collect();
    for row in 0..frame.n_rows() {
        for ((column, name), map) in wide.iter().zip(&name_codes).zip(&maps) {
            let code = column.codes.get(row).copied().unwrap_or(NULL_CODE);
            if let Some(code) = map.get(code as usize) {
                rows.push(row as u32);
                names.codes.push(*name);
                values.codes.push(*code);
            }
        }
    }
    let mut out = Frame {
        name: frame.name.clone(),
        columns: (keys.iter())
            .map(|c| taken(c, c.name.clone(), &rows))
            .collect(),
    };
    out.columns.push(names);
    out.columns.push(values);
    Ok(out)
}

/// A table for each value of the last but one column, named by it: the columns before it, and
/// the last column under the value's text. In order of first appearance; NULL gives no table.
pub(crate) fn generic(frame: &Frame) -> Vec<Frame> {
    let n_keys = frame.columns.len().saturating_sub(2);
    let [attribute, data] = &frame.columns[n_keys..] else {
        return Vec::new();
    };
    let keys = &frame.columns[..n_keys];
    let mut at: FxHashMap<u32, usize> = FxHashMap::default();
    let mut rows: Vec<(u32, Vec<u32>)> = Vec::new();
    for (row, code) in attribute.codes.iter().enumerate() {
        if *code == NULL_CODE {
            continue;
        }
        let next = rows.len();
        let i = *at.entry(*code).or_insert(next);
        if i == next {
            rows.push((*code, Vec::new()));
        }
        rows[i].1.push(row as u32);
    }
    (rows.into_iter())
        .map(|(code, rows)| {
            let name = attribute.dict.value(code).to_text();
            let mut columns: Vec<FrameColumn> = (keys.iter())
                .map(|c| taken(c, c.name.clone(), &rows))
                .collect();
            columns.push(taken(data, name.clone(), &rows));
            Frame { name, columns }
        })
        .collect()
}

/// The cells of `column` at `rows`, and their values.
fn taken(column: &FrameColumn, name: String, rows: &[u32]) -> FrameColumn {
    let mut out = FrameColumn {
        name,
        dict: column.dict.clone(),
        codes: rows.iter().map(|r| column.codes[*r as usize]).collect(),
    };
    forget_unused(&mut out);
    out
}
