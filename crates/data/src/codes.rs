//! Bit-packed vectors of symbol numbers.

/// A vector of small numbers, packed to the narrowest of 0, 1, 2, 4, 8, 16 or 32 bits each.
///
/// Only powers of two are used, so that a number never straddles two words and a block can be
/// unpacked without branches; the price against exact packing is at most half a width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codes {
    /// Every number is 0; nothing is stored.
    Zero {
        /// How many there are.
        len: usize,
    },
    /// 1, 2 or 4 bits each, lowest bits first.
    Packed {
        /// Bits per number: 1, 2 or 4.
        bits: u8,
        /// `64 / bits` numbers a word.
        words: Vec<u64>,
        /// How many there are.
        len: usize,
    },
    /// 8 bits each.
    U8(Vec<u8>),
    /// 16 bits each.
    U16(Vec<u16>),
    /// 32 bits each.
    U32(Vec<u32>),
}

/// How many numbers [`Codes::for_each_block`] unpacks at a time: 4 KiB, a tenth of a first-level cache.
pub const BLOCK: usize = 1024;

impl Codes {
    /// Packs `codes` in the narrowest width that holds all of them.
    pub fn pack(codes: &[u32]) -> Self {
        let max = codes.iter().copied().max().unwrap_or(0);
        match max {
            0 => Self::Zero { len: codes.len() },
            1 => Self::pack_words(codes, 1),
            2..=3 => Self::pack_words(codes, 2),
            4..=15 => Self::pack_words(codes, 4),
            16..=0xff => Self::U8(codes.iter().map(|c| *c as u8).collect()),
            0x100..=0xffff => Self::U16(codes.iter().map(|c| *c as u16).collect()),
            _ => Self::U32(codes.to_vec()),
        }
    }

    /// Packs `len` numbers, none above `max`, which `fill` gives block by block in row order: the
    /// first row and where to put the numbers.
    ///
    /// # Errors
    /// That of `fill`.
    pub fn pack_blocks<E>(
        len: usize,
        max: u32,
        mut fill: impl FnMut(usize, &mut [u32]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut packed = match max {
            0 => return Ok(Self::Zero { len }),
            1..=15 => {
                let bits = match max {
                    1 => 1,
                    2..=3 => 2,
                    _ => 4,
                };
                let words = Vec::with_capacity(len.div_ceil(64 / usize::from(bits)));
                Self::Packed { bits, words, len }
            }
            16..=0xff => Self::U8(Vec::with_capacity(len)),
            0x100..=0xffff => Self::U16(Vec::with_capacity(len)),
            _ => Self::U32(Vec::with_capacity(len)),
        };
        let mut buffer = [0u32; BLOCK];
        let mut start = 0;
        while start < len {
            let block = &mut buffer[..BLOCK.min(len - start)];
            fill(start, block)?;
            match &mut packed {
                Self::Zero { .. } => {}
                Self::Packed { bits, words, .. } => words.extend(words_of(block, *bits)),
                Self::U8(codes) => codes.extend(block.iter().map(|c| *c as u8)),
                Self::U16(codes) => codes.extend(block.iter().map(|c| *c as u16)),
                Self::U32(codes) => codes.extend_from_slice(block),
            }
            start += block.len();
        }
        Ok(packed)
    }

    fn pack_words(codes: &[u32], bits: u8) -> Self {
        Self::Packed {
            bits,
            words: words_of(codes, bits).collect(),
            len: codes.len(),
        }
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Zero { len } | Self::Packed { len, .. } => *len,
            Self::U8(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::U32(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bits per number.
    pub fn width(&self) -> u8 {
        match self {
            Self::Zero { .. } => 0,
            Self::Packed { bits, .. } => *bits,
            Self::U8(_) => 8,
            Self::U16(_) => 16,
            Self::U32(_) => 32,
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Zero { .. } => 0,
            Self::Packed { words, .. } => words.len() * 8,
            Self::U8(v) => v.len(),
            Self::U16(v) => v.len() * 2,
            Self::U32(v) => v.len() * 4,
        }
    }

    /// The number at `i`.
    ///
    /// # Panics
    /// If `i` is not below [`Self::len`].
    #[inline]
    pub fn at(&self, i: usize) -> u32 {
        match self {
            Self::Zero { len } => {
                assert!(i < *len, "row {i} of {len}");
                0
            }
            Self::Packed { bits, words, len } => {
                assert!(i < *len, "row {i} of {len}");
                let per_word = 64 / usize::from(*bits);
                let shift = (i % per_word) * usize::from(*bits);
                (words[i / per_word] >> shift) as u32 & ((1 << bits) - 1)
            }
            Self::U8(v) => u32::from(v[i]),
            Self::U16(v) => u32::from(v[i]),
            Self::U32(v) => v[i],
        }
    }

    /// Unpacks the numbers from `start` on into the whole of `out`.
    ///
    /// # Panics
    /// If `start + out.len()` is more than [`Self::len`].
    pub fn unpack(&self, start: usize, out: &mut [u32]) {
        match self {
            Self::Zero { len } => {
                assert!(start + out.len() <= *len, "rows past the end");
                out.fill(0);
            }
            Self::Packed { bits, words, len } => {
                assert!(start + out.len() <= *len, "rows past the end");
                let bits = usize::from(*bits);
                let (per_word, mask) = (64 / bits, (1u64 << bits) - 1);
                let mut done = 0;
                while done < out.len() {
                    let i = start + done;
                    let mut word = words[i / per_word] >> ((i % per_word) * bits);
                    let n = (per_word - i % per_word).min(out.len() - done);
                    for slot in &mut out[done..done + n] {
                        *slot = (word & mask) as u32;
                        word >>= bits;
                    }
                    done += n;
                }
            }
            Self::U8(v) => {
                let rows = &v[start..start + out.len()];
                for (slot, c) in out.iter_mut().zip(rows) {
                    *slot = u32::from(*c);
                }
            }
            Self::U16(v) => {
                let rows = &v[start..start + out.len()];
                for (slot, c) in out.iter_mut().zip(rows) {
                    *slot = u32::from(*c);
                }
            }
            Self::U32(v) => out.copy_from_slice(&v[start..start + out.len()]),
        }
    }

    /// Calls `visit` with the first row and the numbers of each block of at most [`BLOCK`] rows.
    pub fn for_each_block(&self, mut visit: impl FnMut(usize, &[u32])) {
        let mut buffer = [0u32; BLOCK];
        let mut start = 0;
        while start < self.len() {
            let n = BLOCK.min(self.len() - start);
            self.unpack(start, &mut buffer[..n]);
            visit(start, &buffer[..n]);
            start += n;
        }
    }

    /// All numbers, unpacked.
    pub fn to_vec(&self) -> Vec<u32> {
        let mut out = vec![0; self.len()];
        self.unpack(0, &mut out);
        out
    }
}

/// Numbers of `bits` bits as words, lowest bits first.
fn words_of(codes: &[u32], bits: u8) -> impl Iterator<Item = u64> + '_ {
    let bits = usize::from(bits);
    codes.chunks(64 / bits).map(move |chunk| {
        let numbers = chunk.iter().enumerate();
        numbers.fold(0, |word, (i, code)| word | u64::from(*code) << (i * bits))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packing_keeps_every_number(max in prop::sample::select(vec![0u32, 1, 3, 15, 255, 65_535, u32::MAX]), seed in prop::collection::vec(any::<u32>(), 0..3000), start in 0usize..300) {
            let codes: Vec<u32> = seed.iter().map(|s| if max == u32::MAX { *s } else { s % (max + 1) }).collect();
            let packed = Codes::pack(&codes);
            prop_assert_eq!(packed.len(), codes.len());
            prop_assert_eq!(&packed.to_vec(), &codes);
            let by_blocks = Codes::pack_blocks(codes.len(), codes.iter().copied().max().unwrap_or(0), |first, out| {
                out.copy_from_slice(&codes[first..first + out.len()]);
                Ok::<_, ()>(())
            });
            prop_assert_eq!(by_blocks.as_ref(), Ok(&packed));
            for (i, c) in codes.iter().enumerate() {
                prop_assert_eq!(packed.at(i), *c);
            }
            let start = start.min(codes.len());
            let mut out = vec![0; codes.len() - start];
            packed.unpack(start, &mut out);
            prop_assert_eq!(&out[..], &codes[start..]);
        }
    }
}
