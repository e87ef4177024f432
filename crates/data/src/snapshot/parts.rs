//! The parts of a snapshot: what each means and how it is packed.

use std::sync::Arc;

use super::{SnapshotError, damaged, within};
use crate::{Codes, Symbols};

/// What a part is. The numbers are the format's (docs/formats/snapshot.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Field = 1,
    Tag = 2,
    Numbers = 3,
    TextLengths = 4,
    TextBytes = 5,
    Spellings = 6,
    Table = 7,
    Column = 8,
    RowSpellings = 9,
    Aside = 10,
}

/// One part as read: a row of the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub kind: u8,
    /// A kind, flags, a field's position or an encoding.
    pub arg: u32,
    /// Bits per number where `data` holds packed numbers.
    pub width: u8,
    /// How many numbers, symbols or rows.
    pub count: u64,
    pub name: &'a str,
    /// Bytes of `data` once decompressed.
    pub raw_bytes: u64,
    /// 0: as they are, 1: LZ4 block.
    pub codec: u8,
    pub data: &'a [u8],
}

/// One part to write; `data` is not compressed yet.
#[derive(Debug)]
pub(crate) struct NewPart {
    pub kind: Kind,
    pub arg: u32,
    pub width: u8,
    pub count: u64,
    pub name: String,
    pub data: Vec<u8>,
}

/// How the numbers of a field's symbols are kept.
const NO_NUMBERS: u32 = 0;
const INTEGERS: u32 = 1;
const DOUBLES: u32 = 2;

#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub parts: Vec<NewPart>,
}

impl Writer {
    pub fn plain(&mut self, kind: Kind, arg: u32, count: u64, name: &str) {
        self.push(kind, arg, 0, count, name, Vec::new());
    }

    fn push(&mut self, kind: Kind, arg: u32, width: u8, count: u64, name: &str, data: Vec<u8>) {
        self.parts.push(NewPart {
            kind,
            arg,
            width,
            count,
            name: name.to_owned(),
            data,
        });
    }

    pub fn codes(&mut self, kind: Kind, arg: u32, codes: &Codes) {
        let data = match codes {
            Codes::Zero { .. } => Vec::new(),
            Codes::Packed { words, .. } => words.iter().flat_map(|w| w.to_le_bytes()).collect(),
            Codes::U8(v) => v.clone(),
            Codes::U16(v) => v.iter().flat_map(|c| c.to_le_bytes()).collect(),
            Codes::U32(v) => v.iter().flat_map(|c| c.to_le_bytes()).collect(),
        };
        self.push(kind, arg, codes.width(), codes.len() as u64, "", data);
    }

    pub fn symbols(&mut self, symbols: &Symbols) {
        let nums = &symbols.nums()[..symbols.len()];
        let as_integer = |n: &f64| {
            let i = *n as i32;
            (f64::from(i).to_bits() == n.to_bits()).then_some(i)
        };
        let (encoding, data) = if nums.iter().all(|n| n.is_nan()) {
            (NO_NUMBERS, Vec::new())
        } else if let Some(integers) = nums.iter().map(as_integer).collect::<Option<Vec<i32>>>() {
            (
                INTEGERS,
                integers.iter().flat_map(|i| i.to_le_bytes()).collect(),
            )
        } else {
            let canonical = |n: &f64| if n.is_nan() { f64::NAN } else { *n };
            let bytes = nums.iter().flat_map(|n| canonical(n).to_le_bytes());
            (DOUBLES, bytes.collect())
        };
        self.push(Kind::Numbers, encoding, 0, nums.len() as u64, "", data);
        self.texts(
            (0..symbols.len() as u32).map(|c| symbols.own_text(c)),
            Kind::TextLengths,
        );
    }

    /// Lengths plus one (0 for no text), packed, and the texts end to end.
    pub fn texts<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>>, kind: Kind) {
        let mut bytes = Vec::new();
        let lengths: Vec<u32> = texts
            .map(|text| {
                text.map_or(0, |t| {
                    bytes.extend_from_slice(t.as_bytes());
                    t.len() as u32 + 1
                })
            })
            .collect();
        self.codes(kind, 0, &Codes::pack(&lengths));
        let n = bytes.len() as u64;
        self.push(Kind::TextBytes, 0, 0, n, "", bytes);
    }
}

/// Takes parts in order and books the memory they will need before it is taken.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    parts: std::iter::Peekable<std::slice::Iter<'a, Part<'a>>>,
    left: u64,
    limit: u64,
}

impl<'a> Reader<'a> {
    pub fn new(parts: &'a [Part<'a>], limit: u64) -> Self {
        Self {
            parts: parts.iter().peekable(),
            left: limit,
            limit,
        }
    }

    pub fn is_done(&mut self) -> bool {
        self.parts.peek().is_none()
    }

    /// The next part if it is of this kind.
    pub fn next_if(&mut self, kind: Kind) -> Option<Part<'a>> {
        self.parts.next_if(|p| p.kind == kind as u8).copied()
    }

    fn expect(&mut self, kind: Kind) -> Result<Part<'a>, SnapshotError> {
        self.next_if(kind)
            .ok_or_else(|| damaged("parts out of order"))
    }

    fn charge(&mut self, bytes: u64) -> Result<(), SnapshotError> {
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or(SnapshotError::TooLarge { limit: self.limit })?;
        Ok(())
    }

    pub fn name(&mut self, part: &Part<'_>) -> Result<String, SnapshotError> {
        self.charge(part.name.len() as u64 + 64)?;
        Ok(part.name.to_owned())
    }

    pub fn names(&mut self, kind: Kind) -> Result<Vec<String>, SnapshotError> {
        let mut names = Vec::new();
        while let Some(part) = self.next_if(kind) {
            names.push(self.name(&part)?);
        }
        Ok(names)
    }

    /// A count of rows. A bit for each is booked, as selections will need that much.
    pub fn rows(&mut self, count: u64) -> Result<usize, SnapshotError> {
        self.charge(count / 8)?;
        u32::try_from(count)
            .ok()
            .filter(|n| *n < u32::MAX)
            .map(|n| n as usize)
            .ok_or_else(|| damaged("too many rows"))
    }

    /// A count of symbols; their numbers and places of texts are booked.
    fn symbol_count(&mut self, count: u64) -> Result<usize, SnapshotError> {
        if count >= 1 << 31 {
            return Err(damaged("too many symbols"));
        }
        self.charge((count + 1) * 13)?;
        Ok(count as usize)
    }

    fn bytes(&mut self, part: &Part<'_>) -> Result<Vec<u8>, SnapshotError> {
        self.charge(part.raw_bytes)?;
        let n = usize::try_from(part.raw_bytes).map_err(|_| damaged("a part is too large"))?;
        match part.codec {
            0 if part.data.len() == n => Ok(part.data.to_vec()),
            1 => {
                // LZ4 cannot pack more than 255 bytes into one.
                if n / 256 > part.data.len() {
                    return Err(damaged("a part claims more than it can hold"));
                }
                let mut raw = vec![0; n];
                match lz4_flex::block::decompress_into(part.data, &mut raw) {
                    Ok(got) if got == n => Ok(raw),
                    _ => Err(damaged("a part does not decompress")),
                }
            }
            _ => Err(damaged("a part has the wrong length")),
        }
    }

    /// The packed numbers of `part`, which must be `len` numbers of at most `max`.
    pub fn codes(&mut self, part: &Part<'_>, len: usize, max: u32) -> Result<Codes, SnapshotError> {
        let codes = self.unpack(part)?;
        if codes.len() != len {
            return Err(damaged("a column is longer or shorter than its table"));
        }
        if !within(&codes, max) {
            return Err(damaged("a column has a value its field lacks"));
        }
        Ok(codes)
    }

    fn unpack(&mut self, part: &Part<'_>) -> Result<Codes, SnapshotError> {
        let raw = self.bytes(part)?;
        let len = usize::try_from(part.count).map_err(|_| damaged("too many numbers"))?;
        let needed = match part.width {
            0 => Some(0),
            1 | 2 | 4 => Some(len.div_ceil(64 / usize::from(part.width)) * 8),
            8 => Some(len),
            16 => len.checked_mul(2),
            32 => len.checked_mul(4),
            _ => None,
        };
        if needed != Some(raw.len()) {
            return Err(damaged("packed numbers have the wrong length"));
        }
        Ok(match part.width {
            0 => Codes::Zero { len },
            8 => Codes::U8(raw),
            16 => Codes::U16(chunks(&raw, u16::from_le_bytes)),
            32 => Codes::U32(chunks(&raw, u32::from_le_bytes)),
            bits => Codes::Packed {
                bits,
                words: chunks(&raw, u64::from_le_bytes),
                len,
            },
        })
    }

    /// The symbols of a field of loaded data.
    pub fn symbols(&mut self, count: u64) -> Result<Symbols, SnapshotError> {
        let n = self.symbol_count(count)?;
        let part = self.expect(Kind::Numbers)?;
        let raw = self.bytes(&part)?;
        let mut nums: Vec<f64> = match part.arg {
            NO_NUMBERS if raw.is_empty() => vec![f64::NAN; n],
            INTEGERS if raw.len() % 4 == 0 => chunks(&raw, |b| f64::from(i32::from_le_bytes(b))),
            DOUBLES if raw.len() % 8 == 0 => chunks(&raw, f64::from_le_bytes),
            _ => return Err(damaged("unknown encoding of numbers")),
        };
        if nums.len() != n {
            return Err(damaged("a field has more or fewer numbers than values"));
        }
        nums.push(f64::NAN);
        let (lengths, text) = self.lengths(Kind::TextLengths)?;
        if lengths.len() != n {
            return Err(damaged("a field has more or fewer texts than values"));
        }
        Symbols::from_parts(nums, &lengths, text)
            .ok_or_else(|| damaged("texts end within a character"))
    }

    /// Symbols of a key without values of its own: each is its code.
    pub fn numbered(&mut self, count: u64) -> Result<Symbols, SnapshotError> {
        let n = self.symbol_count(count)?;
        let mut nums: Vec<f64> = (0..n).map(|c| c as f64).collect();
        nums.push(f64::NAN);
        let none = Codes::Zero { len: n };
        Symbols::from_parts(nums, &none, String::new()).ok_or_else(|| damaged("too many symbols"))
    }

    /// Texts of symbols that show differently in different rows.
    pub fn spellings(&mut self) -> Result<Vec<Arc<str>>, SnapshotError> {
        let (lengths, text) = self.lengths(Kind::Spellings)?;
        self.charge((lengths.len() as u64).saturating_mul(40))?;
        let mut at = 0;
        (0..lengths.len())
            .map(|i| {
                let end = (lengths.at(i) as usize)
                    .checked_sub(1)
                    .and_then(|n| n.checked_add(at));
                let word = end
                    .and_then(|end| text.get(at..end))
                    .ok_or_else(|| damaged("texts end within a character"))?;
                at += word.len();
                Ok(Arc::from(word))
            })
            .collect()
    }

    fn lengths(&mut self, kind: Kind) -> Result<(Codes, String), SnapshotError> {
        let part = self.expect(kind)?;
        let lengths = self.unpack(&part)?;
        let part = self.expect(Kind::TextBytes)?;
        let bytes = self.bytes(&part)?;
        let text = String::from_utf8(bytes).map_err(|_| damaged("a text is not UTF-8"))?;
        let mut total = 0u64;
        // Numbers of width 0 take no bytes, so a damaged count of them may be any.
        if lengths.width() > 0 {
            lengths.for_each_block(|_, block| {
                total += block
                    .iter()
                    .map(|n| u64::from(n.saturating_sub(1)))
                    .sum::<u64>();
            });
        }
        if total != text.len() as u64 || u32::try_from(total).is_err() {
            return Err(damaged("texts are longer or shorter than stated"));
        }
        Ok((lengths, text))
    }
}

/// `raw` in pieces of `N` bytes, each made a number.
fn chunks<const N: usize, T>(raw: &[u8], make: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (pieces, _) = raw.as_chunks::<N>();
    pieces.iter().map(|p| make(*p)).collect()
}
