//! Numbers of expressions row by row, for those that are asked for again and again.
//!
//! A chart calculates the same arithmetic for every click and beside many dimensions. Like an
//! index it depends on the data alone, not on what is selected or who looks.

use std::sync::{Arc, Mutex, PoisonError};

use crate::TableId;

/// Tables with fewer rows are calculated anew each time: that costs less than a millisecond.
const FEWEST_ROWS: usize = 1 << 16;

/// All rows must have been calculated so often before their numbers are kept.
const WORTH_KEEPING: u64 = 2;

/// So many expressions are watched or kept.
const MOST: usize = 32;

/// What is kept, the latest used last.
#[derive(Debug, Default)]
pub(crate) struct Derived(Mutex<Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    table: TableId,
    expression: String,
    /// Rows calculated before its numbers were kept.
    n_passed: u64,
    numbers: Option<Arc<Vec<f64>>>,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.numbers.as_ref().map_or(0, |n| n.len() * 8)
    }
}

impl Derived {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`crate::Model::derived_numbers`].
    pub fn numbers<E>(
        &self,
        (table, n_rows): (TableId, usize),
        expression: &str,
        n_wanted: usize,
        most_bytes: impl FnOnce() -> usize,
        make: impl FnOnce() -> Result<Vec<f64>, E>,
    ) -> Result<Option<Arc<Vec<f64>>>, E> {
        if n_rows < FEWEST_ROWS {
            return Ok(None);
        }
        let is_it = |e: &Entry| e.table == table && e.expression == expression;
        {
            let mut entries = self.lock();
            let mut entry = match entries.iter().position(is_it) {
                Some(at) => entries.remove(at),
                None => Entry {
                    table,
                    expression: expression.to_owned(),
                    n_passed: 0,
                    numbers: None,
                },
            };
            let numbers = entry.numbers.clone();
            entry.n_passed = entry.n_passed.saturating_add(n_wanted as u64);
            let enough = entry.n_passed > WORTH_KEEPING * n_rows as u64;
            entries.push(entry);
            if entries.len() > MOST {
                entries.remove(0);
            }
            if numbers.is_some() || !enough {
                return Ok(numbers);
            }
        }
        let most_bytes = most_bytes();
        if n_rows * 8 > most_bytes {
            return Ok(None);
        }
        let numbers = Arc::new(make()?);
        let mut entries = self.lock();
        if let Some(entry) = entries.iter_mut().find(|e| is_it(e)) {
            entry.numbers = Some(numbers.clone());
        }
        let mut bytes: usize = entries.iter().map(Entry::bytes).sum();
        for entry in entries.iter_mut().filter(|e| !is_it(e)) {
            if bytes > most_bytes && entry.numbers.is_some() {
                bytes -= entry.bytes();
                entry.numbers = None;
                entry.n_passed = 0;
            }
        }
        Ok(Some(numbers))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.lock().iter().map(Entry::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const N: usize = FEWEST_ROWS;

    fn ask(derived: &Derived, expression: &str, n_wanted: usize) -> Option<f64> {
        let make = || Ok::<_, Infallible>(vec![expression.len() as f64; N]);
        let table = (TableId(0), N);
        let numbers = derived.numbers(table, expression, n_wanted, || 2 * N * 8, make);
        numbers.unwrap().map(|n| n[0])
    }

    #[test]
    fn what_is_asked_for_often_is_kept_and_the_rest_makes_room() {
        let derived = Derived::default();
        assert_eq!(ask(&derived, "a", N), None);
        assert_eq!(ask(&derived, "a", N), None);
        assert_eq!(ask(&derived, "a", 1), Some(1.0));
        assert_eq!(ask(&derived, "bb", 3 * N), Some(2.0));
        assert_eq!(derived.bytes(), 2 * N * 8);
        assert_eq!(ask(&derived, "a", 0), Some(1.0));
        assert_eq!(ask(&derived, "ccc", 3 * N), Some(3.0));
        assert_eq!(derived.bytes(), 2 * N * 8);
        assert_eq!(ask(&derived, "a", 0), Some(1.0));
        assert_eq!(ask(&derived, "bb", 0), None);
    }

    #[test]
    fn what_does_not_fit_is_not_made() {
        let derived = Derived::default();
        let table = (TableId(0), N);
        let numbers = derived.numbers(table, "a", 9 * N, || N, || Err(()));
        assert_eq!(numbers, Ok(None));
        let small = derived.numbers((TableId(1), N - 1), "a", 9 * N, || usize::MAX, || Err(()));
        assert_eq!(small, Ok(None));
        assert_eq!(derived.bytes(), 0);
    }
}
