//! Rows of a table by the code of a key.

use std::ops::Range;

use crate::{BitSet, Codes};

/// Stands for "no row".
const NO_ROW: u32 = u32::MAX;

/// Rows of a table by the code of a key.
#[derive(Clone, Debug)]
pub enum KeyIndex {
    /// No code stands in more than one row: row by code, `u32::MAX` where there is none.
    Unique(Vec<u32>),
    /// The rows of each code stand together: first row and the one after the last, by code.
    Runs {
        /// First row; equal to the end where there is none.
        starts: Vec<u32>,
        /// The row after the last.
        ends: Vec<u32>,
    },
    /// Rows of code `c` are `rows[starts[c]..starts[c + 1]]`, ascending.
    Many {
        /// One more than codes.
        starts: Vec<u32>,
        /// All rows, grouped by code.
        rows: Vec<u32>,
    },
}

/// The rows of one code, ascending.
#[derive(Clone, Debug)]
pub enum KeyRows<'a> {
    /// These.
    Listed(&'a [u32]),
    /// Those from the first up to the second.
    Run(Range<u32>),
}

impl KeyRows<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Listed(rows) => rows.len(),
            Self::Run(rows) => rows.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first one.
    pub fn first(&self) -> Option<u32> {
        match self {
            Self::Listed(rows) => rows.first().copied(),
            Self::Run(rows) => (!rows.is_empty()).then_some(rows.start),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (listed, run) = match self {
            Self::Listed(rows) => (*rows, 0..0),
            Self::Run(rows) => (&[][..], rows.clone()),
        };
        listed.iter().copied().chain(run)
    }
}

impl KeyIndex {
    /// The index of the rows in `mask` (`None`: of all rows). NULL's code, `n_symbols`, has none.
    pub fn build(codes: &Codes, n_symbols: usize, mask: Option<&BitSet>) -> Self {
        let lives = |row: usize| mask.is_none_or(|m| m.contains(row));
        let mut starts = vec![NO_ROW; n_symbols];
        let mut ends = vec![NO_ROW; n_symbols];
        let (mut unique, mut together) = (true, true);
        codes.for_each_block(|first, block| {
            for (row, code) in (first..).zip(block) {
                let code = *code as usize;
                if code >= n_symbols || !lives(row) {
                    continue;
                }
                if starts[code] == NO_ROW {
                    starts[code] = row as u32;
                } else {
                    unique = false;
                    together &= ends[code] == row as u32;
                }
                ends[code] = row as u32 + 1;
            }
        });
        if unique {
            return Self::Unique(starts);
        }
        if together {
            return Self::Runs { starts, ends };
        }
        let mut starts = vec![0u32; n_symbols + 1];
        codes.for_each_block(|first, block| {
            for (row, code) in (first..).zip(block) {
                if (*code as usize) < n_symbols && lives(row) {
                    starts[*code as usize + 1] += 1;
                }
            }
        });
        for i in 0..n_symbols {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut rows = vec![0u32; starts[n_symbols] as usize];
        codes.for_each_block(|first, block| {
            for (row, code) in (first..).zip(block) {
                if (*code as usize) < n_symbols && lives(row) {
                    let at = &mut next[*code as usize];
                    rows[*at as usize] = row as u32;
                    *at += 1;
                }
            }
        });
        Self::Many { starts, rows }
    }

    /// Whether no code stands in more than one row.
    pub fn is_unique(&self) -> bool {
        matches!(self, Self::Unique(_))
    }

    /// The rows of `code`, ascending; none for NULL's code.
    pub fn rows(&self, code: u32) -> KeyRows<'_> {
        let c = code as usize;
        match self {
            Self::Unique(row_of) => KeyRows::Listed(match row_of.get(c) {
                Some(row) if *row != NO_ROW => std::slice::from_ref(row),
                _ => &[],
            }),
            Self::Runs { starts, ends } => KeyRows::Run(match (starts.get(c), ends.get(c)) {
                (Some(start), Some(end)) => *start..*end,
                _ => 0..0,
            }),
            Self::Many { starts, rows } if c + 1 < starts.len() => {
                KeyRows::Listed(&rows[starts[c] as usize..starts[c + 1] as usize])
            }
            Self::Many { .. } => KeyRows::Listed(&[]),
        }
    }

    /// The rows, of `n_rows`, whose code is in `codes`.
    pub fn rows_of(&self, codes: &BitSet, n_rows: usize) -> BitSet {
        let mut set = BitSet::none(n_rows);
        match self {
            Self::Runs { starts, ends } => codes.for_each(|c| {
                if let (Some(start), Some(end)) = (starts.get(c), ends.get(c)) {
                    set.insert_range(*start as usize..*end as usize);
                }
            }),
            _ => {
                // All rows of an index are below `n_rows`; whether they are new does not matter.
                let words = set.words_mut();
                codes.for_each(|c| {
                    for row in self.rows(c as u32).iter() {
                        if let Some(word) = words.get_mut(row as usize >> 6) {
                            *word |= 1 << (row & 63);
                        }
                    }
                });
            }
        }
        set
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Unique(rows) => rows.len() * 4,
            Self::Runs { starts, ends } => (starts.len() + ends.len()) * 4,
            Self::Many { starts, rows } => (starts.len() + rows.len()) * 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_code_has_its_rows(
            codes in prop::collection::vec(0u32..40, 0..200),
            sorted in any::<bool>(),
            spread in prop::sample::select(vec![3u32, 40]),
            masked in any::<bool>(),
            keep in prop::collection::vec(any::<bool>(), 200),
        ) {
            let mut codes: Vec<u32> = codes.iter().map(|c| c % spread).collect();
            if sorted {
                codes.sort_unstable();
            }
            let n_symbols = spread as usize - 1;
            let mask: BitSet = keep[..codes.len()].iter().copied().collect();
            let mask = masked.then_some(&mask);
            let index = KeyIndex::build(&Codes::pack(&codes), n_symbols, mask);
            let wanted: BitSet = (0..n_symbols).map(|c| c % 2 == 0).collect();
            let lives = |row: usize| mask.is_none_or(|m| m.contains(row));
            for code in 0..spread {
                let rows: Vec<u32> = index.rows(code).iter().collect();
                let want: Vec<u32> = (0..codes.len())
                    .filter(|r| (code as usize) < n_symbols && codes[*r] == code && lives(*r))
                    .map(|r| r as u32)
                    .collect();
                prop_assert_eq!(index.rows(code).first(), want.first().copied());
                prop_assert_eq!(index.rows(code).len(), want.len());
                prop_assert_eq!(rows, want);
            }
            let found = index.rows_of(&wanted, codes.len());
            let want = codes.iter().enumerate().map(|(r, c)| wanted.contains(*c as usize) && lives(r));
            prop_assert_eq!(found, want.collect::<BitSet>());
        }
    }
}
