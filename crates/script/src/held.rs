//! What a load holds, booked as it grows: new values of its columns, a good deal at a time.

use std::cell::Cell;

use satchel_base::{Budget, Stop};
use satchel_data::Value;

/// 64 KiB may be held that were not booked.
const BOOK_AT: u64 = 64 << 10;

/// A value's place in a dictionary and in its index, beside its text.
const PLACE: u64 = 2 * size_of::<Value>() as u64;

/// See the module.
pub(crate) struct Held<'a> {
    budget: &'a Budget,
    owed: Cell<u64>,
}

impl<'a> Held<'a> {
    /// Books with `budget`.
    pub(crate) fn new(budget: &'a Budget) -> Self {
        Self {
            budget,
            owed: Cell::new(0),
        }
    }

    /// A value that was not there before.
    pub(crate) fn value(&self, value: &Value) -> Result<(), Stop> {
        let text = match value {
            Value::Text(text) | Value::Dual { text, .. } => text.len(),
            Value::Null | Value::Num(_) => 0,
        };
        self.bytes(PLACE + text as u64)
    }

    /// Some bytes more.
    pub(crate) fn bytes(&self, n: u64) -> Result<(), Stop> {
        self.owed.set(self.owed.get() + n);
        if self.owed.get() >= BOOK_AT {
            self.budget.charge_bytes(self.owed.take())?;
        }
        Ok(())
    }

    /// A turn of a loop over rows: now and then looks whether it may go on.
    pub(crate) fn turn(&self, row: usize) -> Result<(), Stop> {
        if row.is_multiple_of(4_096) {
            self.budget.check()?;
        }
        Ok(())
    }
}
