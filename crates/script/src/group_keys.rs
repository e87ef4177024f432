//! Which group a row belongs to, for `GROUP BY`, and which place, for `ORDER BY`.
//!
//! Fields are compared by the number of their symbol: a value is looked at once, not once a row.

use rustc_hash::FxHashMap;
use satchel_calc::Program;
use satchel_data::{FrameColumn, NULL_CODE, SymbolKey, Value};

use crate::evaluate::Source;

/// Groups of rows whose keys are fields of the source.
pub(crate) struct FieldGroups<'a> {
    keys: Vec<Key<'a>>,
}

/// One field of the key.
struct Key<'a> {
    column: &'a FrameColumn,
    /// The symbol of each code; texts that show one number are one symbol.
    symbols: Vec<u32>,
    /// From the group of the fields before and the symbol of this one to the group of both.
    groups: FxHashMap<u64, u32>,
}

impl<'a> FieldGroups<'a> {
    /// Groups by the fields that `programs` are; none if one of them is more than a field.
    pub(crate) fn new(programs: &[Program], source: &'a Source) -> Option<Self> {
        let keys = (programs.iter())
            .map(|program| {
                let slot = program.as_single_field()? as usize;
                let column = source.frame.columns.get(slot)?;
                Some(Key {
                    symbols: symbols_of(column.dict.values()),
                    column,
                    groups: FxHashMap::default(),
                })
            })
            .collect::<Option<Vec<_>>>()?;
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// The group of a row, from 0 in the order in which groups first appear.
    pub(crate) fn of(&mut self, row: usize) -> usize {
        let mut group = 0_u32;
        for key in &mut self.keys {
            let code = key.column.codes[row];
            let symbol = key.symbols.get(code as usize).copied().unwrap_or(NULL_CODE);
            let next = key.groups.len() as u32;
            let at = u64::from(group) << 32 | u64::from(symbol);
            group = *key.groups.entry(at).or_insert(next);
        }
        group as usize
    }
}

/// A number for each value: the same for values that are one symbol.
fn symbols_of(values: &[Value]) -> Vec<u32> {
    let mut known: FxHashMap<SymbolKey, u32> = FxHashMap::default();
    (values.iter())
        .map(|value| {
            let next = known.len() as u32;
            SymbolKey::of(value).map_or(NULL_CODE, |key| *known.entry(key).or_insert(next))
        })
        .collect()
}

/// The place of each value among all in their order: equal ones have the same.
pub(crate) fn places(values: &[Value]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_by(|a, b| values[*a as usize].order(&values[*b as usize]));
    let mut out = vec![0; values.len()];
    let mut place = 0;
    for (n, at) in order.iter().enumerate() {
        if n > 0
            && values[order[n - 1] as usize]
                .order(&values[*at as usize])
                .is_ne()
        {
            place += 1;
        }
        out[*at as usize] = place;
    }
    out
}

/// The place of each row by a field.
pub(crate) fn places_of_rows(column: &FrameColumn) -> Vec<u32> {
    let mut values = column.dict.values().to_vec();
    values.push(Value::Null);
    let places = places(&values);
    let null = places[values.len() - 1];
    (column.codes.iter())
        .map(|code| places.get(*code as usize).copied().unwrap_or(null))
        .collect()
}
