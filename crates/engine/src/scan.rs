//! Passing over the rows of a table in blocks.

use satchel_base::{Budget, Stop};
use satchel_data::{BLOCK, BitSet, Codes};

/// Up to [`BLOCK`] rows of a table, of which some take part.
pub(crate) struct Block<'a> {
    /// The first row.
    start: usize,
    /// Rows from `start` on that the block covers.
    len: usize,
    /// The offsets from `start` that take part, ascending; `None` when all do.
    pick: Option<&'a [u16]>,
}

/// One code a row of a block.
pub(crate) type Lane = [u32; BLOCK];

impl Block<'_> {
    /// How many rows take part.
    #[inline]
    pub fn n(&self) -> usize {
        self.pick.map_or(self.len, <[u16]>::len)
    }

    /// The row number of the `i`th row that takes part.
    #[inline]
    pub fn row(&self, i: usize) -> usize {
        self.start + self.pick.map_or(i, |p| usize::from(p[i]))
    }

    /// The codes of the rows that take part, into the front of `out`.
    pub fn gather(&self, codes: &Codes, out: &mut Lane) {
        let Some(pick) = self.pick else {
            codes.unpack(self.start, &mut out[..self.len]);
            return;
        };
        let end = self.start + self.len;
        match codes {
            Codes::Zero { .. } => out[..pick.len()].fill(0),
            Codes::Packed { bits, words, .. } => {
                let bits = usize::from(*bits);
                let (per_word_log, mask) = ((64 / bits).trailing_zeros(), (1u64 << bits) - 1);
                for (slot, i) in out.iter_mut().zip(pick) {
                    let row = self.start + usize::from(*i);
                    let shift = (row & ((1 << per_word_log) - 1)) * bits;
                    *slot = (words[row >> per_word_log] >> shift & mask) as u32;
                }
            }
            Codes::U8(v) => {
                let v = &v[self.start..end];
                for (slot, i) in out.iter_mut().zip(pick) {
                    *slot = u32::from(v[usize::from(*i)]);
                }
            }
            Codes::U16(v) => {
                let v = &v[self.start..end];
                for (slot, i) in out.iter_mut().zip(pick) {
                    *slot = u32::from(v[usize::from(*i)]);
                }
            }
            Codes::U32(v) => {
                let v = &v[self.start..end];
                for (slot, i) in out.iter_mut().zip(pick) {
                    *slot = v[usize::from(*i)];
                }
            }
        }
    }

    /// As [`Self::gather`] from a plain vector of one number a row.
    pub fn gather_vec(&self, codes: &[u32], out: &mut Lane) {
        let rows = &codes[self.start..self.start + self.len];
        match self.pick {
            None => out[..self.len].copy_from_slice(rows),
            Some(pick) => {
                for (slot, i) in out.iter_mut().zip(pick) {
                    *slot = rows[usize::from(*i)];
                }
            }
        }
    }
}

/// Calls `visit` for each block of the `n_rows` rows in which a row of `rows` (`None`: all)
/// takes part, in row order, until it says stop with `false`. Books the rows it covers.
pub(crate) fn each_block(
    n_rows: usize,
    rows: Option<&BitSet>,
    budget: &Budget,
    mut visit: impl FnMut(&Block<'_>) -> Result<bool, Stop>,
) -> Result<(), Stop> {
    let mut offsets = [0u16; BLOCK];
    let mut start = 0;
    while start < n_rows {
        let len = BLOCK.min(n_rows - start);
        budget.charge_rows(len as u64)?;
        let block = match rows {
            None => Block {
                start,
                len,
                pick: None,
            },
            Some(set) => {
                let first = start / 64;
                let words = &set.words()[first..first + len.div_ceil(64)];
                let n = pick_offsets(words, &mut offsets);
                Block {
                    start,
                    len,
                    pick: (n != len).then_some(&offsets[..n]),
                }
            }
        };
        if block.n() > 0 && !visit(&block)? {
            return Ok(());
        }
        start += len;
    }
    Ok(())
}

/// The positions of set bits, ascending; how many there are.
fn pick_offsets(words: &[u64], offsets: &mut [u16; BLOCK]) -> usize {
    let mut n = 0;
    for (w, word) in words.iter().enumerate() {
        let mut rest = *word;
        while rest != 0 {
            offsets[n] = (w * 64) as u16 + rest.trailing_zeros() as u16;
            n += 1;
            rest &= rest - 1;
        }
    }
    n
}

/// Keeps those rows of `rows` whose code is in `allowed`. NULL's code, one past the symbols,
/// is in no set.
pub(crate) fn keep_codes(
    rows: &mut BitSet,
    codes: &Codes,
    allowed: &BitSet,
    budget: &Budget,
) -> Result<(), Stop> {
    let n_rows = codes.len();
    // One more word, so that NULL's code is never past the end.
    let mut sieve = allowed.words().to_vec();
    sieve.push(0);
    let mut lane = [0u32; BLOCK];
    let mut start = 0;
    while start < n_rows {
        let len = BLOCK.min(n_rows - start);
        budget.charge_rows(len as u64)?;
        let first = start / 64;
        let words = &mut rows.words_mut()[first..first + len.div_ceil(64)];
        if words.iter().any(|w| *w != 0) {
            codes.unpack(start, &mut lane[..len]);
            if sieve.len() == 2 {
                let mask = sieve[0];
                sift(
                    words,
                    &lane[..len],
                    |c| {
                        if c < 64 { mask >> c & 1 } else { 0 }
                    },
                );
            } else {
                sift(words, &lane[..len], |c| {
                    sieve
                        .get((c >> 6) as usize)
                        .map_or(0, |w| w >> (c & 63) & 1)
                });
            }
        }
        start += len;
    }
    Ok(())
}

#[inline(always)]
fn sift(words: &mut [u64], lane: &[u32], test: impl Fn(u32) -> u64) {
    for (word, codes) in words.iter_mut().zip(lane.chunks(64)) {
        if *word == 0 {
            continue;
        }
        let mut kept = 0;
        for (i, code) in codes.iter().enumerate() {
            kept |= test(*code) << i;
        }
        *word &= kept;
    }
}

/// The codes below `n_symbols` that stand in `rows` (`None`: all rows).
pub(crate) fn codes_in(
    codes: &Codes,
    n_symbols: usize,
    rows: Option<&BitSet>,
    budget: &Budget,
) -> Result<BitSet, Stop> {
    /// Columns with few symbols often show all of them early; so many blocks between looks.
    const LOOK_EVERY: usize = 8;
    const FEW: usize = 4096;
    budget.charge_bytes(n_symbols as u64 + 1)?;
    let mut seen = vec![0u8; n_symbols + 1];
    let mut lane = [0u32; BLOCK];
    let mut n_blocks = 0;
    each_block(codes.len(), rows, budget, |block| {
        block.gather(codes, &mut lane);
        for code in &lane[..block.n()] {
            seen[*code as usize] = 1;
        }
        n_blocks += 1;
        Ok(n_symbols > FEW || n_blocks % LOOK_EVERY != 0 || seen[..n_symbols].contains(&0))
    })?;
    Ok(seen[..n_symbols].iter().map(|s| *s != 0).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn blocks_show_the_rows_asked_for(
            codes in prop::collection::vec(0u32..300, 0..3000),
            modulus in prop::sample::select(vec![2u32, 3, 5, 17, 300]),
            keep in prop::collection::vec(any::<bool>(), 3000),
        ) {
            let codes: Vec<u32> = codes.iter().map(|c| c % modulus).collect();
            let packed = Codes::pack(&codes);
            let rows: BitSet = keep[..codes.len()].iter().copied().collect();
            let mut lane = [0u32; BLOCK];
            let mut found = Vec::new();
            each_block(codes.len(), Some(&rows), &Budget::unlimited(), |block| {
                block.gather(&packed, &mut lane);
                found.extend((0..block.n()).map(|i| (block.row(i), lane[i])));
                Ok(true)
            }).unwrap();
            prop_assert_eq!(found, rows.iter().map(|r| (r, codes[r])).collect::<Vec<_>>());

            let n = modulus as usize - 1;
            let seen = codes_in(&packed, n, Some(&rows), &Budget::unlimited()).unwrap();
            for c in 0..n {
                prop_assert_eq!(seen.contains(c), rows.iter().any(|r| codes[r] as usize == c));
            }
            let allowed: BitSet = (0..n).map(|c| c % 3 == 1).collect();
            let mut kept = rows.clone();
            keep_codes(&mut kept, &packed, &allowed, &Budget::unlimited()).unwrap();
            let want: Vec<usize> = rows.iter().filter(|r| allowed.contains(codes[*r] as usize)).collect();
            prop_assert_eq!(kept.iter().collect::<Vec<_>>(), want);
        }
    }
}
