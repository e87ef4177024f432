//! Taking rows away whose code in a column is not allowed.

use std::sync::Arc;

use satchel_base::{Budget, Stop};
use satchel_data::{BitSet, TableId};

use crate::graph::Core;
use crate::scan::keep_codes;

/// Up to this part of a key's codes, their rows are looked up one by one; beyond it, all rows
/// are passed over. A row found costs about three times as much as a row passed.
const MOST_LOOKED_UP: f64 = 0.3;

/// The codes that a column may have.
pub(crate) struct Sieve {
    column: usize,
    is_key: bool,
    allowed: Arc<BitSet>,
    /// Which part of the codes passes, from 0 to 1: a guess at the part of the rows.
    pub passes: f64,
}

impl Sieve {
    pub fn new(column: usize, is_key: bool, allowed: Arc<BitSet>) -> Self {
        let passes = allowed.count() as f64 / allowed.len().max(1) as f64;
        Self {
            column,
            is_key,
            allowed,
            passes,
        }
    }

    /// Takes away from `rows` (`None`: all rows) what does not pass.
    pub fn sift(
        &self,
        core: &Core,
        table: TableId,
        rows: &mut Option<BitSet>,
        budget: &Budget,
    ) -> Result<(), Stop> {
        let data = core.model().table(table);
        let n_rows = data.n_rows;
        // With few rows left, each of them is looked at.
        let left = rows.as_ref().map_or(n_rows, BitSet::count) as f64;
        let found = self.passes * n_rows as f64;
        if self.is_key && self.passes <= MOST_LOOKED_UP && found < left {
            budget.charge_rows(found as u64 + 1)?;
            if core.model().built_key_index(table, self.column).is_none() {
                // Kept from here on, but somebody has to pay for it.
                let n_symbols = self.allowed.len() as u64;
                budget.charge_rows(2 * n_rows as u64)?;
                budget.charge_bytes(4 * (n_rows as u64 + n_symbols))?;
            }
            let index = core.model().key_index(table, self.column);
            let passing = index.rows_of(&self.allowed, n_rows);
            match rows {
                None => *rows = Some(passing),
                Some(rows) => rows.intersect(&passing),
            }
            return Ok(());
        }
        let rows = rows.get_or_insert_with(|| BitSet::all(n_rows));
        keep_codes(
            rows,
            &data.columns[self.column].codes,
            &self.allowed,
            budget,
        )
    }
}
