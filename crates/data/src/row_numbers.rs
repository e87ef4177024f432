//! The numbers of a column row by row, for columns whose symbols are too many for a cache.
//!
//! An aggregation reads numbers in row order. Through the symbol table of a field with a million
//! prices each of them would be a miss of the processor's cache; side by side they stream.

use crate::Codes;

/// Symbol tables up to here are looked up: 256 KiB, half of a second-level cache.
const FEW_SYMBOLS: usize = 1 << 15;

/// Stands for "no number" among whole numbers.
const NONE: u32 = u32::MAX;

/// One number a row; NaN where there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum RowNumbers {
    /// Decimal numbers as whole numbers of units, which a division gives back exactly.
    Decimal {
        /// Units by row; [`u32::MAX`] for no number.
        units: Vec<u32>,
        /// How many units are one: a power of ten.
        per_one: f64,
    },
    /// As they are.
    Plain(Vec<f64>),
}

impl RowNumbers {
    /// The numbers of a column, unless its symbols are few or stand in row order anyway.
    /// `nums` has one number a symbol and NULL's NaN at the end.
    pub(crate) fn of(codes: &Codes, nums: &[f64]) -> Option<Self> {
        if nums.len() <= FEW_SYMBOLS || codes.len() < 2 * nums.len() {
            return None;
        }
        if let Some((units, per_one)) = [1.0, 10.0, 100.0, 1e3, 1e4]
            .into_iter()
            .find_map(|per_one| Some((as_units(nums, per_one)?, per_one)))
        {
            let mut by_row = Vec::with_capacity(codes.len());
            codes.for_each_block(|_, block| {
                by_row.extend(block.iter().map(|c| units[*c as usize]));
            });
            return Some(Self::Decimal {
                units: by_row,
                per_one,
            });
        }
        let mut by_row = Vec::with_capacity(codes.len());
        codes.for_each_block(|_, block| by_row.extend(block.iter().map(|c| nums[*c as usize])));
        Some(Self::Plain(by_row))
    }

    /// Numbers of the rows from `start` on, into the whole of `out`.
    ///
    /// # Panics
    /// If there are not as many rows.
    pub fn read(&self, start: usize, out: &mut [f64]) {
        let rows = start..start + out.len();
        match self {
            Self::Decimal { units, per_one } => {
                for (slot, u) in out.iter_mut().zip(&units[rows]) {
                    *slot = number(*u, *per_one);
                }
            }
            Self::Plain(numbers) => out.copy_from_slice(&numbers[rows]),
        }
    }

    /// Numbers of some rows, into the front of `out`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn pick(&self, rows: &[u32], out: &mut [f64]) {
        match self {
            Self::Decimal { units, per_one } => {
                for (slot, row) in out.iter_mut().zip(rows) {
                    *slot = number(units[*row as usize], *per_one);
                }
            }
            Self::Plain(numbers) => {
                for (slot, row) in out.iter_mut().zip(rows) {
                    *slot = numbers[*row as usize];
                }
            }
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Decimal { units, .. } => units.len() * 4,
            Self::Plain(numbers) => numbers.len() * 8,
        }
    }
}

#[inline]
fn number(units: u32, per_one: f64) -> f64 {
    let number = f64::from(units) / per_one;
    if units == NONE { f64::NAN } else { number }
}

/// The numbers in units, if each comes back from them bit for bit.
fn as_units(nums: &[f64], per_one: f64) -> Option<Vec<u32>> {
    nums.iter()
        .map(|num| {
            if num.is_nan() {
                return Some(NONE);
            }
            let units = (num * per_one).round();
            let fits = (0.0..f64::from(NONE)).contains(&units);
            (fits && (units / per_one).to_bits() == num.to_bits()).then_some(units as u32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_have_the_numbers_of_their_symbols(
            kind in 0u8..4,
            seed in prop::collection::vec((0u32..40_000, any::<bool>()), 1..100),
            rows in prop::collection::btree_set(0u32..60_000, 1..50),
        ) {
            let n = FEW_SYMBOLS as u32 + 5000;
            let mut nums: Vec<f64> = (0..n).map(|i| match kind {
                0 => f64::from(i),
                1 => f64::from(i * 7) / 100.0,
                2 => f64::from(i) / 3.0,
                _ => -f64::from(i) / 10.0,
            }).collect();
            for (i, is_null) in &seed {
                if *is_null {
                    nums[*i as usize % n as usize] = f64::NAN;
                }
            }
            nums.push(f64::NAN);
            let codes: Vec<u32> = (0..2 * nums.len() as u32).map(|i| (i * 31 + seed[0].0) % (n + 1)).collect();
            let numbers = RowNumbers::of(&Codes::pack(&codes), &nums).unwrap();
            let is_decimal = matches!(numbers, RowNumbers::Decimal { .. });
            prop_assert_eq!(is_decimal, kind < 2);
            let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            let mut out = vec![0.0; 1000];
            numbers.read(77, &mut out);
            for (i, x) in out.iter().enumerate() {
                prop_assert!(same(*x, nums[codes[77 + i] as usize]));
            }
            let picked: Vec<u32> = rows.into_iter().collect();
            numbers.pick(&picked, &mut out);
            for (i, row) in picked.iter().enumerate() {
                prop_assert!(same(out[i], nums[codes[*row as usize] as usize]));
            }
        }
    }
}
