//! Passing over the rows of a table in blocks.

use satchel_base::{Budget, Stop};
use satchel_data::{BLOCK, BitSet, Codes, KeyIndex, RowNumbers};

/// Up to [`BLOCK`] rows of a table that take part in something.
pub(crate) enum Block<'a> {
    /// So many from the first on.
    All { start: usize, len: usize },
    /// These, ascending.
    Picked(&'a [u32]),
}

/// One code a row of a block.
pub(crate) type Lane = [u32; BLOCK];

impl Block<'_> {
    /// How many rows take part.
    #[inline]
    pub fn n(&self) -> usize {
        match self {
            Self::All { len, .. } => *len,
            Self::Picked(rows) => rows.len(),
        }
    }

    /// The row number of the `i`th row that takes part.
    #[inline]
    pub fn row(&self, i: usize) -> usize {
        match self {
            Self::All { start, .. } => start + i,
            Self::Picked(rows) => rows[i] as usize,
        }
    }

    /// The codes of the rows that take part, into the front of `out`.
    pub fn gather(&self, codes: &Codes, out: &mut Lane) {
        self.gather_with(codes, out, |code| code);
    }

    /// What `of` tells of the codes of the rows that take part, into the front of `out`.
    #[inline(always)]
    pub fn gather_with<T: Copy>(&self, codes: &Codes, out: &mut [T; BLOCK], of: impl Fn(u32) -> T) {
        match codes {
            Codes::Zero { .. } => out[..self.n()].fill(of(0)),
            Codes::Packed { bits, words, .. } => match bits {
                1 => self.unpack::<1, T>(words, out, of),
                2 => self.unpack::<2, T>(words, out, of),
                _ => self.unpack::<4, T>(words, out, of),
            },
            Codes::U8(codes) => self.pick(codes, out, of),
            Codes::U16(codes) => self.pick(codes, out, of),
            Codes::U32(codes) => self.pick(codes, out, of),
        }
    }

    /// As [`Self::gather_with`] from codes of `BITS` bits.
    #[inline(always)]
    fn unpack<const BITS: usize, T: Copy>(
        &self,
        words: &[u64],
        out: &mut [T; BLOCK],
        of: impl Fn(u32) -> T,
    ) {
        let per_word = 64 / BITS;
        let mask = (1u64 << BITS) - 1;
        match self {
            // Blocks of all rows begin with a word.
            Self::All { start, len } if start % per_word == 0 => {
                let words = &words[start / per_word..];
                for (slots, word) in out[..*len].chunks_mut(per_word).zip(words) {
                    for (i, slot) in slots.iter_mut().enumerate() {
                        *slot = of((word >> (i * BITS) & mask) as u32);
                    }
                }
            }
            Self::All { start, len } => {
                for (slot, row) in out.iter_mut().zip(*start..*start + *len) {
                    *slot = of((words[row / per_word] >> (row % per_word * BITS) & mask) as u32);
                }
            }
            Self::Picked(rows) => {
                for (slot, row) in out.iter_mut().zip(*rows) {
                    let row = *row as usize;
                    *slot = of((words[row / per_word] >> (row % per_word * BITS) & mask) as u32);
                }
            }
        }
    }

    #[inline(always)]
    fn pick<C: Copy + Into<u32>, T>(
        &self,
        codes: &[C],
        out: &mut [T; BLOCK],
        of: impl Fn(u32) -> T,
    ) {
        match self {
            Self::All { start, len } => {
                for (slot, code) in out.iter_mut().zip(&codes[*start..*start + *len]) {
                    *slot = of((*code).into());
                }
            }
            Self::Picked(rows) => {
                for (slot, row) in out.iter_mut().zip(*rows) {
                    *slot = of(codes[*row as usize].into());
                }
            }
        }
    }

    /// The numbers of the rows that take part, into the front of `out`.
    pub fn numbers(&self, numbers: &RowNumbers, out: &mut [f64; BLOCK]) {
        match self {
            Self::All { start, len } => numbers.read(*start, &mut out[..*len]),
            Self::Picked(rows) => numbers.pick(rows, out),
        }
    }

    /// The numbers of the rows that take part, given all of the table, into the front of `out`.
    pub fn derived(&self, numbers: &[f64], out: &mut [f64; BLOCK]) {
        match self {
            Self::All { start, len } => out[..*len].copy_from_slice(&numbers[*start..start + len]),
            Self::Picked(rows) => {
                for (slot, row) in out.iter_mut().zip(*rows) {
                    *slot = numbers[*row as usize];
                }
            }
        }
    }

    /// As [`Self::gather`] from a plain vector of one number a row.
    pub fn gather_vec(&self, codes: &[u32], out: &mut Lane) {
        self.pick(codes, out, |code| code);
    }
}

/// Calls `visit` for each block of the `n_rows` rows, or of those in `rows`, in row order, until
/// it says stop with `false`. Books the rows it covers.
pub(crate) fn each_block(
    n_rows: usize,
    rows: Option<&BitSet>,
    budget: &Budget,
    mut visit: impl FnMut(&Block<'_>) -> Result<bool, Stop>,
) -> Result<(), Stop> {
    let Some(set) = rows else {
        let mut start = 0;
        while start < n_rows {
            let len = BLOCK.min(n_rows - start);
            budget.charge_rows(len as u64)?;
            if !visit(&Block::All { start, len })? {
                return Ok(());
            }
            start += len;
        }
        return Ok(());
    };
    let mut picked = [0u32; BLOCK];
    let mut n = 0;
    for (chunk, words) in set.words().chunks(BLOCK / 64).enumerate() {
        budget.charge_rows(BLOCK as u64)?;
        for (w, word) in words.iter().enumerate() {
            if *word == 0 {
                continue;
            }
            if n + 64 > BLOCK {
                if !visit(&Block::Picked(&picked[..n]))? {
                    return Ok(());
                }
                n = 0;
            }
            let first = (chunk * BLOCK + w * 64) as u32;
            let mut rest = *word;
            while rest != 0 {
                picked[n] = first + rest.trailing_zeros();
                n += 1;
                rest &= rest - 1;
            }
        }
    }
    if n > 0 {
        visit(&Block::Picked(&picked[..n]))?;
    }
    Ok(())
}

/// Keeps those rows of `rows` whose code is in `allowed`. NULL's code, one past the symbols,
/// is in no set.
pub(crate) fn keep_codes(
    rows: &mut BitSet,
    codes: &Codes,
    allowed: &BitSet,
    budget: &Budget,
) -> Result<(), Stop> {
    // One more word, so that NULL's code is never past the end.
    let mut sieve = allowed.words().to_vec();
    sieve.push(0);
    match codes {
        Codes::Zero { .. } => {
            if passes(&sieve, 0) == 0 {
                *rows = BitSet::none(rows.len());
            }
            Ok(())
        }
        Codes::Packed { bits, words, .. } => {
            keep_packed(rows, words, usize::from(*bits), &sieve, budget)
        }
        Codes::U8(codes) => {
            let table: Vec<u64> = (0..256).map(|c| passes(&sieve, c)).collect();
            keep_in(rows, codes, budget, |c| table[c as usize & 0xff])
        }
        Codes::U16(codes) => keep_in(rows, codes, budget, |c| passes(&sieve, c)),
        Codes::U32(codes) => keep_in(rows, codes, budget, |c| passes(&sieve, c)),
    }
}

/// As [`keep_codes`] for codes of less than a byte: one look a byte of codes.
fn keep_packed(
    rows: &mut BitSet,
    codes: &[u64],
    bits: usize,
    sieve: &[u64],
    budget: &Budget,
) -> Result<(), Stop> {
    let per_byte = 8 / bits;
    let table: Vec<u64> = (0..256u32)
        .map(|byte| {
            (0..per_byte).fold(0, |kept, i| {
                let code = byte >> (i * bits) & ((1 << bits) - 1);
                kept | passes(sieve, code) << i
            })
        })
        .collect();
    // The codes of 64 rows are as many words as a code has bits.
    let chunks = codes.chunks(bits * (BLOCK / 64));
    for (words, codes) in rows.words_mut().chunks_mut(BLOCK / 64).zip(chunks) {
        budget.charge_rows(BLOCK as u64)?;
        for (word, codes) in words.iter_mut().zip(codes.chunks(bits)) {
            if *word == 0 {
                continue;
            }
            let mut kept = 0;
            let mut shift = 0;
            for code in codes {
                for byte in code.to_le_bytes() {
                    kept |= table[usize::from(byte)] << shift;
                    shift += per_byte;
                }
            }
            *word &= kept;
        }
    }
    Ok(())
}

fn keep_in<T: Copy + Into<u32>>(
    rows: &mut BitSet,
    codes: &[T],
    budget: &Budget,
    test: impl Fn(u32) -> u64,
) -> Result<(), Stop> {
    let chunks = codes.chunks(BLOCK);
    for (words, codes) in rows.words_mut().chunks_mut(BLOCK / 64).zip(chunks) {
        budget.charge_rows(codes.len() as u64)?;
        sift(words, codes, &test);
    }
    Ok(())
}

#[inline(always)]
fn passes(sieve: &[u64], code: u32) -> u64 {
    sieve
        .get((code >> 6) as usize)
        .map_or(0, |w| w >> (code & 63) & 1)
}

/// In a word with fewer rows than these, each row is looked at by itself.
const FEW_IN_WORD: u32 = 24;

#[inline(always)]
fn sift<T: Copy + Into<u32>>(words: &mut [u64], codes: &[T], test: impl Fn(u32) -> u64) {
    for (word, codes) in words.iter_mut().zip(codes.chunks(64)) {
        if *word == 0 {
            continue;
        }
        if word.count_ones() < FEW_IN_WORD {
            let mut rest = *word;
            while rest != 0 {
                let i = rest.trailing_zeros();
                let is_out = test(codes[i as usize].into()) ^ 1;
                *word &= !(is_out << i);
                rest &= rest - 1;
            }
            continue;
        }
        let mut kept = 0;
        for (i, code) in codes.iter().enumerate() {
            kept |= test((*code).into()) << i;
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
    codes_in_by(codes, n_symbols, rows, None, budget)
}

/// As [`codes_in`], where an index of the rows by code is at hand: when few codes are left to be
/// seen, their rows are looked at instead of all others.
pub(crate) fn codes_in_by(
    codes: &Codes,
    n_symbols: usize,
    rows: Option<&BitSet>,
    index: Option<&KeyIndex>,
    budget: &Budget,
) -> Result<BitSet, Stop> {
    /// Columns with few symbols often show all of them early; so many blocks between looks.
    const LOOK_EVERY: usize = 8;
    /// A look at so many symbols costs about as much as a block of rows.
    const SYMBOLS_PER_BLOCK: usize = 1 << 14;
    /// Finding a code through the index costs as much as so many rows in order, times the rows
    /// to try until one is in the set.
    const ROWS_PER_TRY: f64 = 6.0;
    budget.charge_bytes(n_symbols as u64 + 1)?;
    let mut seen = vec![0u8; n_symbols + 1];
    let mut lane = [0u32; BLOCK];
    let n_rows = rows.map_or(codes.len(), BitSet::count);
    let tries = codes.len() as f64 / n_rows.max(1) as f64;
    let look_every = LOOK_EVERY.max(LOOK_EVERY * n_symbols / SYMBOLS_PER_BLOCK);
    let (mut n_blocks, mut n_passed, mut ended) = (0, 0, false);
    each_block(codes.len(), rows, budget, |block| {
        block.gather(codes, &mut lane);
        for code in &lane[..block.n()] {
            seen[*code as usize] = 1;
        }
        n_blocks += 1;
        n_passed += block.n();
        if n_blocks % look_every != 0 {
            return Ok(true);
        }
        let seen = &seen[..n_symbols];
        if index.is_none() {
            return Ok(seen.contains(&0));
        }
        let n_seen: usize = seen.chunks(255).map(count_flags).sum();
        let by_index = (n_symbols - n_seen) as f64 * tries * ROWS_PER_TRY;
        ended = by_index < (n_rows - n_passed) as f64;
        Ok(!ended)
    })?;
    if let (true, Some(index)) = (ended, index) {
        let lives = |row: u32| rows.is_none_or(|set| set.contains(row as usize));
        for (code, flag) in seen[..n_symbols].iter_mut().enumerate() {
            if *flag == 0 {
                *flag = index.rows(code as u32).iter().any(lives).into();
            }
        }
    }
    Ok(BitSet::from_flags(&seen[..n_symbols]))
}

/// How many of up to 255 flags are 1.
fn count_flags(flags: &[u8]) -> usize {
    usize::from(flags.iter().sum::<u8>())
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
            let index = KeyIndex::build(&packed, n, None);
            let by_index =
                codes_in_by(&packed, n, Some(&rows), Some(&index), &Budget::unlimited()).unwrap();
            prop_assert_eq!(by_index, seen);
            let allowed: BitSet = (0..n).map(|c| c % 3 == 1).collect();
            let mut kept = rows.clone();
            keep_codes(&mut kept, &packed, &allowed, &Budget::unlimited()).unwrap();
            let want: Vec<usize> = rows.iter().filter(|r| allowed.contains(codes[*r] as usize)).collect();
            prop_assert_eq!(kept.iter().collect::<Vec<_>>(), want);
        }
    }
}
