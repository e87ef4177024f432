//! `INTERVALMATCH`: which values lie in which intervals.

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};
use satchel_data::{Frame, FrameColumn, SymbolKey, Value};

use crate::tables::gather;

/// The rows of `intervals`, whose first two columns are limits that belong to the interval,
/// once for each of `values` (values with their keys) that lies within and has the keys of the
/// row's columns `keys`. The values are a further column, `name`. A row whose limit is no
/// number has none.
pub(crate) fn interval_match(
    intervals: &Frame,
    name: &str,
    keys: &[usize],
    values: &[(Value, Vec<Value>)],
    budget: &Budget,
) -> Result<Frame, Stop> {
    let mut by_key: FxHashMap<Vec<SymbolKey>, Vec<(f64, &Value)>> = FxHashMap::default();
    for (value, key) in values {
        let key: Option<Vec<SymbolKey>> = key.iter().map(SymbolKey::of).collect();
        if let (Some(number), Some(key)) = (value.as_num(), key) {
            by_key.entry(key).or_default().push((number, value));
        }
    }
    for list in by_key.values_mut() {
        list.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    let mut rows: Vec<u32> = Vec::new();
    let mut matched = FrameColumn::new(name);
    for row in 0..intervals.n_rows() {
        let limit = |c: usize| intervals.columns.get(c).and_then(|c| c.value(row).as_num());
        let (Some(from), Some(to)) = (limit(0), limit(1)) else {
            continue;
        };
        let key: Option<Vec<SymbolKey>> = (keys.iter())
            .map(|c| SymbolKey::of(&intervals.columns[*c].value(row)))
            .collect();
        let Some(list) = key.and_then(|key| by_key.get(&key)) else {
            continue;
        };
        let first = list.partition_point(|(n, _)| *n < from);
        let within = list[first..].iter().take_while(|(n, _)| *n <= to);
        for (_, value) in within {
            budget.charge_rows(1)?;
            budget.charge_bytes(4 * (intervals.columns.len() as u64 + 1))?;
            rows.push(row as u32);
            matched.push(value);
        }
    }
    let mut out = gather(intervals, &rows);
    out.columns.push(matched);
    Ok(out)
}
