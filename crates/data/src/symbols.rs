//! The distinct values of one field.

use std::sync::Arc;

use crate::{Codes, Dict, Value, number_text};

/// A field's distinct values, numbered from 0 in order of first appearance.
///
/// In columns the code [`Symbols::null_code`] (= the number of symbols) stands for NULL.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// One a symbol and one more for NULL; NaN where there is no number.
    nums: Vec<f64>,
    /// One a symbol, only if any symbol shows something else than its number.
    texts: Option<Texts>,
}

/// Texts end to end; an absent text means the number's own.
#[derive(Clone, Debug, Default)]
struct Texts {
    /// One more than symbols.
    ends: Vec<u32>,
    /// Which symbols have a text of their own, one byte each.
    own: Vec<bool>,
    bytes: String,
}

impl Symbols {
    /// Numbers the `values` in the order given. They are distinct symbols and none is NULL;
    /// both is the caller's promise.
    ///
    /// # Errors
    /// [`TooLarge`] if the texts together pass 4 GiB or there are more than 2³¹ values.
    pub fn from_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> Result<Self, TooLarge> {
        let mut dict = Dict::default();
        for value in values {
            match value {
                Value::Null => dict.push_distinct(None, None),
                Value::Num(num) => dict.push_distinct(Some(*num), None),
                Value::Text(text) => dict.push_distinct(None, Some(text)),
                Value::Dual { num, text } => dict.push_distinct(Some(*num), Some(text)),
            }
        }
        Self::from_dict(dict, None)
    }

    /// The values of a dictionary in the order given, or all in their own. They are distinct
    /// symbols, which is the caller's promise.
    ///
    /// # Errors
    /// As [`Self::from_values`].
    pub(crate) fn from_dict(dict: Dict, order: Option<&[u32]>) -> Result<Self, TooLarge> {
        let (mut nums, texts) = match order {
            None => dict.into_parts(),
            Some(order) => {
                let mut nums = Vec::with_capacity(order.len() + 1);
                nums.extend(order.iter().map(|code| dict.nums()[*code as usize]));
                let texts = dict.has_texts().then(|| {
                    let mut texts = crate::texts::Texts::default();
                    for code in order {
                        texts.push(dict.own_text(*code));
                    }
                    texts
                });
                (nums, texts)
            }
        };
        if nums.len() >= 1 << 31 {
            return Err(TooLarge);
        }
        nums.push(f64::NAN);
        nums.shrink_to_fit();
        let texts = texts.map(crate::texts::Texts::into_raw);
        let texts = texts.filter(|(_, own, _)| own.contains(&true));
        let texts = texts.map(|(ends, own, mut bytes)| {
            bytes.shrink_to_fit();
            u32::try_from(bytes.len()).map_err(|_| TooLarge)?;
            // The last is the length, so that all of them fit.
            let ends = std::iter::once(0).chain(ends.iter().map(|end| *end as u32));
            Ok(Texts {
                ends: ends.collect(),
                own,
                bytes,
            })
        });
        Ok(Self {
            nums,
            texts: texts.transpose()?,
        })
    }

    /// Symbols from numbers (NULL's NaN at the end) and the texts end to end; `lengths` has one
    /// number a symbol, 0 for "no text of its own" and otherwise 1 + its bytes. None if a text
    /// would begin or end within a character or past the end.
    pub(crate) fn from_parts(nums: Vec<f64>, lengths: &Codes, bytes: String) -> Option<Self> {
        let mut texts = Texts {
            ends: vec![0],
            own: Vec::new(),
            bytes,
        };
        let (mut end, mut ok, mut any) = (0u32, true, false);
        if lengths.width() > 0 {
            texts.ends.reserve_exact(lengths.len());
            texts.own.reserve_exact(lengths.len());
            lengths.for_each_block(|_, block| {
                for length in block {
                    let sum = end.checked_add(length.saturating_sub(1));
                    ok &= sum.is_some();
                    end = sum.unwrap_or(end);
                    ok &= texts.bytes.is_char_boundary(end as usize);
                    any |= *length > 0;
                    texts.ends.push(end);
                    texts.own.push(*length > 0);
                }
            });
        }
        ok.then_some(Self {
            nums,
            texts: any.then_some(texts),
        })
    }

    /// The symbols as a dictionary, code for code.
    pub(crate) fn to_dict(&self) -> Dict {
        let texts = self.texts.as_ref().map(|_| {
            let mut out = crate::texts::Texts::default();
            for code in 0..self.len() as u32 {
                out.push(self.own_text(code));
            }
            out
        });
        Dict::from_parts(self.nums[..self.len()].to_vec(), texts)
    }

    /// How many symbols there are; NULL is not one.
    pub fn len(&self) -> usize {
        self.nums.len().saturating_sub(1)
    }

    /// Whether there is no symbol.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code that stands for NULL in columns of this field.
    pub fn null_code(&self) -> u32 {
        self.len() as u32
    }

    /// Whether any symbol shows something else than its number.
    pub fn has_texts(&self) -> bool {
        self.texts.is_some()
    }

    /// The number of a symbol; NaN if it has none, if `code` is NULL's or past the end.
    #[inline]
    pub fn num(&self, code: u32) -> f64 {
        self.nums.get(code as usize).copied().unwrap_or(f64::NAN)
    }

    /// The numbers by code, NULL's NaN at the end: `len() + 1` of them (none for a field
    /// that was never given symbols).
    pub fn nums(&self) -> &[f64] {
        &self.nums
    }

    /// The text a symbol carries itself; `None` if it shows as its number, or past the end.
    pub fn own_text(&self, code: u32) -> Option<&str> {
        let texts = self.texts.as_ref()?;
        let i = code as usize;
        if !*texts.own.get(i)? {
            return None;
        }
        texts
            .bytes
            .get(texts.ends[i] as usize..texts.ends[i + 1] as usize)
    }

    /// The text to show for a symbol; empty past the end.
    pub fn text(&self, code: u32) -> std::borrow::Cow<'_, str> {
        match self.own_text(code) {
            Some(text) => text.into(),
            None => number_text(self.num(code)).into(),
        }
    }

    /// The symbol as a value; NULL past the end.
    pub fn value(&self, code: u32) -> Value {
        let num = self.num(code);
        match self.own_text(code) {
            Some(text) if num.is_nan() => Value::Text(Arc::from(text)),
            Some(text) => Value::Dual {
                num,
                text: Arc::from(text),
            },
            None if num.is_nan() => Value::Null,
            None => Value::Num(num),
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.nums.len() * 8
            + self
                .texts
                .as_ref()
                .map_or(0, |t| t.ends.len() * 4 + t.own.len() + t.bytes.len())
    }
}

/// A field's symbols do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a field holds more than 2^31 distinct values or 4 GiB of text")]
pub struct TooLarge;
