//! A column of raw texts while a file is read: each distinct text once, and a code a row.
//!
//! What the texts mean is decided when all rows are there, once for each of them.

use hashbrown::HashTable;

use crate::hash::{hash_bytes, hash_words};
use crate::texts::Texts;
use crate::{Dict, FrameColumn, NULL_CODE, Read};

/// Texts up to this length are compared as two words, with their length in the last byte.
const SHORT: usize = 15;

/// See the module.
#[derive(Debug, Default)]
pub struct RawColumn {
    short: HashTable<Short>,
    long: HashTable<Long>,
    /// Where each text ends.
    ends: Vec<usize>,
    bytes: Vec<u8>,
    codes: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Short {
    low: u64,
    high: u64,
    code: u32,
}

#[derive(Clone, Copy, Debug)]
struct Long {
    /// Half of the text's hash; the other half is made of it.
    hash: u32,
    code: u32,
}

/// A hash of which 32 bits are kept.
#[inline]
fn spread(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl RawColumn {
    /// A column without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a cell that is missing.
    pub fn push_null(&mut self) {
        self.codes.push(NULL_CODE);
    }

    /// Appends the cell `buffer[start..start + len]`, which is valid UTF-8. It is quicker if
    /// at least [`Self::SLACK`] bytes follow it in `buffer`.
    ///
    /// # Panics
    /// If `buffer` ends before the cell does.
    #[inline]
    pub fn push(&mut self, buffer: &[u8], start: usize, len: usize) {
        let code = if len <= SHORT {
            let (low, high) = short_words(buffer, start, len);
            self.short_code(low, high, &buffer[start..start + len])
        } else {
            self.long_code(&buffer[start..start + len])
        };
        self.codes.push(code);
    }

    /// How many bytes are best to follow a cell.
    pub const SLACK: usize = 16;

    #[inline]
    fn short_code(&mut self, low: u64, high: u64, text: &[u8]) -> u32 {
        let is_it = |known: &Short| known.low == low && known.high == high;
        let hash = hash_words(low, high);
        if let Some(known) = self.short.find(hash, is_it) {
            return known.code;
        }
        let code = self.add(text);
        let hasher = |known: &Short| hash_words(known.low, known.high);
        self.short
            .insert_unique(hash, Short { low, high, code }, hasher);
        code
    }

    #[inline]
    fn long_code(&mut self, text: &[u8]) -> u32 {
        let half = (hash_bytes(text) >> 32) as u32;
        let (ends, bytes) = (&self.ends, &self.bytes);
        let is_it = |known: &Long| {
            known.hash == half && {
                let code = known.code as usize;
                let start = code.checked_sub(1).map_or(0, |before| ends[before]);
                &bytes[start..ends[code]] == text
            }
        };
        if let Some(known) = self.long.find(spread(half), is_it) {
            return known.code;
        }
        let code = self.add(text);
        let entry = Long { hash: half, code };
        self.long
            .insert_unique(spread(half), entry, |known| spread(known.hash));
        code
    }

    #[inline]
    fn add(&mut self, text: &[u8]) -> u32 {
        let code = self.ends.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        code
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.codes.len()
    }

    /// Leaves the rows from `n_rows` on out.
    pub fn truncate(&mut self, n_rows: usize) {
        self.codes.truncate(n_rows);
    }

    /// About how many bytes it holds.
    pub fn bytes(&self) -> usize {
        let entries =
            self.short.len() * (size_of::<Short>() + 1) + self.long.len() * (size_of::<Long>() + 1);
        self.codes.len() * 4 + self.ends.len() * size_of::<usize>() + self.bytes.len() + entries
    }

    /// The column called `name`, each text read by `read`.
    pub fn into_column(
        self,
        name: impl Into<String>,
        mut read: impl FnMut(&str) -> Read,
    ) -> FrameColumn {
        let Self {
            short,
            long,
            mut ends,
            mut bytes,
            mut codes,
        } = self;
        drop((short, long));
        let n = ends.len();
        let mut nums = Vec::with_capacity(n);
        let mut own = Vec::with_capacity(n);
        // Texts that are read as they show are taken out, so that the others stay end to end.
        let (mut start, mut kept_bytes, mut any) = (0, 0, false);
        let mut nulls: Vec<u32> = Vec::new();
        for code in 0..n {
            let end = ends[code];
            let text = std::str::from_utf8(&bytes[start..end]).unwrap_or_default();
            let (num, is_own) = match read(text) {
                Read::Null => {
                    nulls.push(code as u32);
                    start = end;
                    continue;
                }
                Read::Number(num) => (num, false),
                Read::Dual(num) => (num, true),
                Read::Text => (f64::NAN, true),
            };
            if is_own {
                if kept_bytes != start {
                    bytes.copy_within(start..end, kept_bytes);
                }
                kept_bytes += end - start;
                any = true;
            }
            ends[nums.len()] = kept_bytes;
            nums.push(num);
            own.push(is_own);
            start = end;
        }
        if !nulls.is_empty() {
            for code in codes.iter_mut().filter(|c| **c != NULL_CODE) {
                match nulls.binary_search(code) {
                    Ok(_) => *code = NULL_CODE,
                    Err(before) => *code -= before as u32,
                }
            }
        }
        let texts = any.then(|| {
            bytes.truncate(kept_bytes);
            ends.truncate(nums.len());
            Texts::from_raw(ends, own, bytes)
        });
        let mut column = FrameColumn::new(name);
        column.dict = Dict::from_parts(nums, texts);
        column.codes = codes;
        column
    }
}

/// A text of up to [`SHORT`] bytes as two words.
#[inline]
fn short_words(buffer: &[u8], start: usize, len: usize) -> (u64, u64) {
    let word = match buffer[start..].first_chunk::<16>() {
        // No shift by all bits: an empty text keeps none.
        Some(piece) if len > 0 => u128::from_le_bytes(*piece) & (u128::MAX >> (128 - 8 * len)),
        Some(_) => 0,
        None => {
            let mut piece = [0; 16];
            piece[..len].copy_from_slice(&buffer[start..start + len]);
            u128::from_le_bytes(piece)
        }
    };
    (word as u64, (word >> 64) as u64 | (len as u64) << 56)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Value;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-c]{0,3}",
            "[0-9]{1,2}",
            "[ab\u{e9}]{14,18}",
            "[a-b]{30,33}",
            Just("\0".to_owned()),
            Just("\0\0".to_owned()),
        ]
    }

    proptest! {
        #[test]
        fn a_column_holds_what_was_pushed(cells in prop::collection::vec(prop::option::weighted(0.9, text()), 0..200), slack in prop::bool::ANY) {
            let read = |text: &str| match text {
                "a" => Read::Null,
                text => match text.parse::<f64>() {
                    Ok(num) => Read::number(num, text),
                    Err(_) => Read::Text,
                },
            };
            let mut column = RawColumn::new();
            for cell in &cells {
                match cell {
                    None => column.push_null(),
                    Some(text) => {
                        let mut buffer = format!("<{text}").into_bytes();
                        if slack {
                            buffer.resize(buffer.len() + RawColumn::SLACK, b'x');
                        }
                        column.push(&buffer, 1, text.len());
                    }
                }
            }
            prop_assert_eq!(column.n_rows(), cells.len());
            let column = column.into_column("F", read);
            let mut slow = FrameColumn::new("F");
            for cell in &cells {
                slow.push(&match cell {
                    None => Value::Null,
                    Some(text) => read(text).value(text.as_str()),
                });
            }
            let values = |c: &FrameColumn| (0..cells.len()).map(|r| c.value(r)).collect::<Vec<_>>();
            prop_assert_eq!(values(&column), values(&slow));
            prop_assert_eq!(column.dict.values(), slow.dict.values());
            prop_assert_eq!(&column.codes, &slow.codes);
            for (code, value) in slow.dict.values().iter().enumerate() {
                prop_assert_eq!(column.dict.code_of(value), Some(code as u32));
            }
        }
    }
}
