//! Codes of fields beyond keys row by row, for those that are asked for again and again.
//!
//! A region of customers stands three keys away from a line of an order. Found through the keys
//! it costs a look into a map for every line; side by side the codes of all lines stream, and
//! are a byte each or less. Like an index they depend on the data alone, not on what is selected
//! or who looks.

use std::sync::{Arc, Mutex, PoisonError};

use satchel_base::Stop;
use satchel_data::{Codes, FieldId, TableId};

/// In tables with fewer rows the keys are looked up each time: that costs less than a
/// millisecond.
pub(crate) const FEWEST_ROWS: usize = 1 << 16;

/// As many rows as the table has must have been asked for so often before codes are kept.
const WORTH_KEEPING: u64 = 2;

/// So many fields are watched or kept.
const MOST: usize = 64;

/// What is kept, the latest used last.
#[derive(Debug, Default)]
pub(crate) struct RowLanes(Mutex<Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    table: TableId,
    field: FieldId,
    /// Rows asked for before the codes were kept.
    n_asked: u64,
    codes: Option<Arc<Codes>>,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.codes.as_ref().map_or(0, |c| c.bytes())
    }
}

/// Bytes of the codes of `n_rows` rows, none above `max`.
pub(crate) fn bytes_of(n_rows: usize, max: u32) -> usize {
    match max {
        0 => 0,
        1 => n_rows / 8,
        2..=3 => n_rows / 4,
        4..=15 => n_rows / 2,
        16..=0xff => n_rows,
        0x100..=0xffff => n_rows * 2,
        _ => n_rows * 4,
    }
}

impl RowLanes {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The codes of a field in the `n_rows` rows of a table, if `n_wanted` rows more make it
    /// worth while to keep them. All of them together take `most_bytes` at most.
    ///
    /// # Errors
    /// That of `make`.
    pub fn codes(
        &self,
        (table, field, n_rows, n_wanted): (TableId, FieldId, usize, usize),
        most_bytes: impl FnOnce() -> usize,
        make: impl FnOnce() -> Result<Option<Codes>, Stop>,
    ) -> Result<Option<Arc<Codes>>, Stop> {
        if n_rows < FEWEST_ROWS {
            return Ok(None);
        }
        let is_it = |e: &Entry| e.table == table && e.field == field;
        {
            let mut entries = self.lock();
            let mut entry = match entries.iter().position(is_it) {
                Some(at) => entries.remove(at),
                None => Entry {
                    table,
                    field,
                    n_asked: 0,
                    codes: None,
                },
            };
            let codes = entry.codes.clone();
            entry.n_asked = entry.n_asked.saturating_add(n_wanted as u64);
            let enough = entry.n_asked > WORTH_KEEPING * n_rows as u64;
            entries.push(entry);
            if entries.len() > MOST {
                entries.remove(0);
            }
            if codes.is_some() || !enough {
                return Ok(codes);
            }
        }
        let most_bytes = most_bytes();
        let Some(codes) = make()?.filter(|codes| codes.bytes() <= most_bytes) else {
            return Ok(None);
        };
        let codes = Arc::new(codes);
        let mut entries = self.lock();
        if let Some(entry) = entries.iter_mut().find(|e| is_it(e)) {
            entry.codes = Some(codes.clone());
        }
        let mut bytes: usize = entries.iter().map(Entry::bytes).sum();
        for entry in entries.iter_mut().filter(|e| !is_it(e)) {
            if bytes > most_bytes && entry.codes.is_some() {
                bytes -= entry.bytes();
                entry.codes = None;
                entry.n_asked = 0;
            }
        }
        Ok(Some(codes))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.lock().iter().map(Entry::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = FEWEST_ROWS;

    fn ask(lanes: &RowLanes, field: u32, n_wanted: usize) -> Option<u32> {
        let make = || Ok(Some(Codes::U8(vec![field as u8; N])));
        let asked = (TableId(0), FieldId(field), N, n_wanted);
        let codes = lanes.codes(asked, || 2 * N, make).unwrap();
        codes.map(|c| c.at(0))
    }

    #[test]
    fn what_is_asked_for_often_is_kept_and_the_rest_makes_room() {
        let lanes = RowLanes::default();
        assert_eq!(ask(&lanes, 1, N), None);
        assert_eq!(ask(&lanes, 1, N), None);
        assert_eq!(ask(&lanes, 1, 1), Some(1));
        assert_eq!(ask(&lanes, 2, 3 * N), Some(2));
        assert_eq!(lanes.bytes(), 2 * N);
        assert_eq!(ask(&lanes, 1, 0), Some(1));
        assert_eq!(ask(&lanes, 3, 3 * N), Some(3));
        assert_eq!(lanes.bytes(), 2 * N);
        assert_eq!(ask(&lanes, 1, 0), Some(1));
        assert_eq!(ask(&lanes, 2, 0), None);
    }

    #[test]
    fn what_does_not_fit_is_not_kept() {
        let lanes = RowLanes::default();
        let asked = (TableId(0), FieldId(0), N, 9 * N);
        let make = || Ok(Some(Codes::U8(vec![0; N])));
        assert_eq!(lanes.codes(asked, || N - 1, make), Ok(None));
        assert_eq!(lanes.bytes(), 0);
    }
}
