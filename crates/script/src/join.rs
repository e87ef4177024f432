//! Joins and keeps: natural, on all columns that both tables have.
//!
//! NULL matches nothing. Without a common column every row matches every other.

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};
use satchel_data::{Frame, FrameColumn, NULL_CODE, SymbolKey};
use satchel_syntax::JoinKind;

use crate::symbol_filter::forget_unused;

/// Pairs of matching rows of two tables; [`NULL_CODE`] where a side has no partner.
struct Matches {
    pairs: Vec<(u32, u32)>,
    right_matched: Vec<bool>,
}

/// `left` joined with `right`: the rows of `left` in order with their partners, then the rows
/// of `right` without one.
pub(crate) fn join(
    left: &Frame,
    right: &Frame,
    kind: JoinKind,
    budget: &Budget,
) -> Result<Frame, Stop> {
    let keeps_left = matches!(kind, JoinKind::Left | JoinKind::Outer);
    let keeps_right = matches!(kind, JoinKind::Right | JoinKind::Outer);
    let mut found = matches(left, right, keeps_left, budget)?;
    if keeps_right {
        for (row, matched) in found.right_matched.iter().enumerate() {
            if !matched {
                found.pairs.push((NULL_CODE, row as u32));
            }
        }
    }
    let mut out = Frame {
        name: left.name.clone(),
        columns: Vec::new(),
    };
    for column in &left.columns {
        let other = right.column_index(&column.name).map(|i| &right.columns[i]);
        let mut joined = FrameColumn {
            name: column.name.clone(),
            dict: column.dict.clone(),
            codes: Vec::with_capacity(found.pairs.len()),
        };
        let map: Vec<u32> = match other {
            Some(other) => other
                .dict
                .values()
                .iter()
                .map(|v| joined.dict.intern(v))
                .collect(),
            None => Vec::new(),
        };
        for (l, r) in &found.pairs {
            let code = match (column.codes.get(*l as usize), other) {
                (Some(code), _) => *code,
                (None, Some(other)) => other
                    .codes
                    .get(*r as usize)
                    .and_then(|c| map.get(*c as usize))
                    .copied()
                    .unwrap_or(NULL_CODE),
                (None, None) => NULL_CODE,
            };
            joined.codes.push(code);
        }
        forget_unused(&mut joined);
        out.columns.push(joined);
    }
    for column in &right.columns {
        if left.column_index(&column.name).is_none() {
            let mut joined = FrameColumn {
                name: column.name.clone(),
                dict: column.dict.clone(),
                codes: found
                    .pairs
                    .iter()
                    .map(|(_, r)| column.codes.get(*r as usize).copied().unwrap_or(NULL_CODE))
                    .collect(),
            };
            forget_unused(&mut joined);
            out.columns.push(joined);
        }
    }
    Ok(out)
}

/// The rows of `left` and of `right` that have a partner in the other.
pub(crate) fn partners(
    left: &Frame,
    right: &Frame,
    budget: &Budget,
) -> Result<(Vec<u32>, Vec<u32>), Stop> {
    let found = matches(left, right, false, budget)?;
    let mut left_rows: Vec<u32> = found.pairs.iter().map(|(l, _)| *l).collect();
    left_rows.dedup();
    let right_rows = found
        .right_matched
        .iter()
        .enumerate()
        .filter(|(_, matched)| **matched)
        .map(|(row, _)| row as u32)
        .collect();
    Ok((left_rows, right_rows))
}

fn matches(
    left: &Frame,
    right: &Frame,
    keeps_left: bool,
    budget: &Budget,
) -> Result<Matches, Stop> {
    let common: Vec<(usize, usize)> = left
        .columns
        .iter()
        .enumerate()
        .filter_map(|(i, c)| Some((i, right.column_index(&c.name)?)))
        .collect();
    let mut symbols = Symbols::new();
    let right_keys = row_keys(right, common.iter().map(|(_, r)| *r), &mut symbols);
    let left_keys = row_keys(left, common.iter().map(|(l, _)| *l), &mut symbols);
    let mut by_key: FxHashMap<&[u32], Vec<u32>> = FxHashMap::default();
    let width = common.len();
    for row in 0..right.n_rows() {
        let key = &right_keys[row * width..(row + 1) * width];
        if !key.contains(&NULL_CODE) {
            by_key.entry(key).or_default().push(row as u32);
        }
    }
    let mut out = Matches {
        pairs: Vec::new(),
        right_matched: vec![false; right.n_rows()],
    };
    for row in 0..left.n_rows() {
        let key = &left_keys[row * width..(row + 1) * width];
        let partners = if key.contains(&NULL_CODE) {
            None
        } else {
            by_key.get(key)
        };
        let n_pairs = partners.map_or(1, Vec::len) as u64;
        budget.charge_rows(n_pairs)?;
        budget.charge_bytes(n_pairs * 8 * (left.columns.len() + right.columns.len()) as u64)?;
        match partners {
            Some(rows) => {
                for r in rows {
                    out.right_matched[*r as usize] = true;
                    out.pairs.push((row as u32, *r));
                }
            }
            None if keeps_left => out.pairs.push((row as u32, NULL_CODE)),
            None => {}
        }
    }
    Ok(out)
}

type Symbols = Vec<FxHashMap<SymbolKey, u32>>;

/// Key columns of every row, row after row, in codes that are equal where symbols are.
fn row_keys(
    frame: &Frame,
    columns: impl Iterator<Item = usize>,
    symbols: &mut Symbols,
) -> Vec<u32> {
    let columns: Vec<usize> = columns.collect();
    let width = columns.len();
    let mut out = vec![NULL_CODE; frame.n_rows() * width];
    for (k, c) in columns.iter().enumerate() {
        if symbols.len() <= k {
            symbols.push(FxHashMap::default());
        }
        let known = &mut symbols[k];
        let map: Vec<u32> = frame.columns[*c]
            .dict
            .values()
            .iter()
            .map(|value| match SymbolKey::of(value) {
                Some(key) => {
                    let next = known.len() as u32;
                    *known.entry(key).or_insert(next)
                }
                None => NULL_CODE,
            })
            .collect();
        for (row, code) in frame.columns[*c].codes.iter().enumerate() {
            if let Some(key) = map.get(*code as usize) {
                out[row * width + k] = *key;
            }
        }
    }
    out
}
