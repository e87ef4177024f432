//! The distinct values of a column that is being built.
//!
//! Numbers stand in one vector and texts end to end in another, so that a value costs no
//! allocation of its own; they are looked up by a table of positions, made when it is needed.

use std::sync::{Arc, OnceLock};

use hashbrown::HashTable;

use crate::Value;
use crate::hash::{hash_bytes, hash_words};
use crate::texts::Texts;
use crate::value::is_number_text;

/// The code for NULL in a frame's column.
pub const NULL_CODE: u32 = u32::MAX;

/// The distinct values of a frame's column in order of first appearance.
///
/// Values that are one symbol but show different texts are separate entries here; they become
/// one symbol when a [`crate::Model`] is built. NULL is never an entry. Clones share what they
/// hold until one of them changes.
#[derive(Clone, Debug, Default)]
pub struct Dict(Arc<Inner>);

#[derive(Clone, Debug, Default)]
struct Inner {
    /// By code; NaN where there is no number.
    nums: Vec<f64>,
    /// Only if any value shows something else than its number.
    texts: Option<Texts>,
    /// Positions, found by number and text. Made when it is first asked for: a dictionary
    /// taken over as it is may never be.
    index: OnceLock<HashTable<u32>>,
    /// All as values, once they were asked for.
    values: OnceLock<Vec<Value>>,
    /// Whether some values were only promised to be distinct and no NULL.
    is_promised: bool,
}

impl Dict {
    /// The code of `value`, which is added if it is new; [`NULL_CODE`] for NULL.
    pub fn intern(&mut self, value: &Value) -> u32 {
        let Some((num, text)) = parts(value) else {
            return NULL_CODE;
        };
        let found = self.0.find(num, text);
        match found {
            Some(code) => code,
            None => {
                let inner = Arc::make_mut(&mut self.0);
                if let Some(values) = inner.values.get_mut() {
                    values.push(value.clone());
                }
                inner.add(num, text)
            }
        }
    }

    /// Takes over distinct, non-NULL `values` as they are, code = position. The caller's promise
    /// is relied on by lookups only: a model is right if it does not hold.
    pub fn from_distinct(values: Vec<Value>) -> Self {
        let mut inner = Inner {
            is_promised: true,
            ..Inner::default()
        };
        for value in &values {
            // A NULL keeps its place.
            let (num, text) = parts(value).unwrap_or((f64::NAN, None));
            inner.push(num, text);
        }
        inner.values = OnceLock::from(values);
        Self(Arc::new(inner))
    }

    /// Appends a value that is not there yet, a promise as that of [`Self::from_distinct`]: a
    /// number, a text, or a number with a text of its own, as [`Value::dual`] has it. Neither
    /// gives a code that shows as NULL.
    pub fn push_distinct(&mut self, num: Option<f64>, text: Option<&str>) {
        let inner = Arc::make_mut(&mut self.0);
        inner.is_promised = true;
        if inner.values.get().is_some() {
            inner.values = OnceLock::new();
        }
        if inner.index.get().is_some() {
            inner.index = OnceLock::new();
        }
        inner.push(num.unwrap_or(f64::NAN), text);
    }

    /// Values that are known to be distinct: `nums` are NaN where there is no number, and then
    /// there is a text.
    pub(crate) fn from_parts(nums: Vec<f64>, texts: Option<Texts>) -> Self {
        Self(Arc::new(Inner {
            nums,
            texts,
            ..Inner::default()
        }))
    }

    /// Numbers, NaN where there is none, and texts, if there are any.
    pub(crate) fn into_parts(self) -> (Vec<f64>, Option<Texts>) {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => (inner.nums, inner.texts),
            Err(shared) => (shared.nums.clone(), shared.texts.clone()),
        }
    }

    /// The value behind `code`; NULL for [`NULL_CODE`] and past the end.
    pub fn value(&self, code: u32) -> Value {
        match self.0.values.get() {
            Some(values) => values.get(code as usize).cloned().unwrap_or(Value::Null),
            None => self.0.value(code),
        }
    }

    /// The code of `value` if it is there.
    pub fn code_of(&self, value: &Value) -> Option<u32> {
        let (num, text) = parts(value)?;
        self.0.find(num, text)
    }

    /// The values by code. The first call makes all of them, and they are kept: to look at
    /// each only once, [`Self::nums`] and [`Self::own_text`] take no memory.
    pub fn values(&self) -> &[Value] {
        self.0.values.get_or_init(|| {
            let codes = 0..self.0.nums.len() as u32;
            codes.map(|c| self.0.value(c)).collect()
        })
    }

    /// The numbers by code, NaN where there is none.
    pub fn nums(&self) -> &[f64] {
        &self.0.nums
    }

    /// The text a value carries itself; `None` if it shows as its number, or past the end.
    pub fn own_text(&self, code: u32) -> Option<&str> {
        self.0.texts.as_ref()?.own(code as usize)
    }

    /// Whether any value shows something else than its number.
    pub fn has_texts(&self) -> bool {
        self.0.texts.is_some()
    }

    /// Whether the code is one of a value that shows as NULL.
    pub fn is_null(&self, code: u32) -> bool {
        let num = self.0.nums.get(code as usize);
        num.is_none_or(|num| num.is_nan()) && self.own_text(code).is_none()
    }

    /// Whether all values are known to be distinct, and none NULL.
    pub fn is_distinct(&self) -> bool {
        !self.0.is_promised
    }

    /// Leaves out all values but those `kept`, one entry a value; the others keep their order.
    pub fn retain(&mut self, kept: &[bool]) {
        let inner = &*self.0;
        let mut out = Inner {
            is_promised: inner.is_promised,
            ..Inner::default()
        };
        for (code, num) in inner.nums.iter().enumerate() {
            if kept.get(code) == Some(&true) {
                let text = inner.texts.as_ref().and_then(|t| t.own(code));
                out.push(*num, text);
            }
        }
        if let Some(values) = inner.values.get() {
            let values = values.iter().zip(kept).filter(|(_, kept)| **kept);
            out.values = OnceLock::from(values.map(|(v, _)| v.clone()).collect::<Vec<_>>());
        }
        self.0 = Arc::new(out);
    }

    /// How many distinct values there are.
    pub fn len(&self) -> usize {
        self.0.nums.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Inner {
    fn push(&mut self, num: f64, text: Option<&str>) {
        if let Some(texts) = &mut self.texts {
            texts.push(text);
        } else if text.is_some() {
            let mut texts = Texts::without(self.nums.len());
            texts.push(text);
            self.texts = Some(texts);
        }
        self.nums.push(num);
    }

    fn add(&mut self, num: f64, text: Option<&str>) -> u32 {
        let code = self.nums.len() as u32;
        self.push(num, text);
        let (nums, texts) = (&self.nums, self.texts.as_ref());
        if let Some(index) = self.index.get_mut() {
            let hasher = |code: &u32| hash_at(nums, texts, *code);
            index.insert_unique(hash(num, text), code, hasher);
        }
        code
    }

    fn value(&self, code: u32) -> Value {
        let Some(num) = self.nums.get(code as usize).copied() else {
            return Value::Null;
        };
        match self.texts.as_ref().and_then(|t| t.own(code as usize)) {
            Some(text) if num.is_nan() => Value::text(text),
            Some(text) => Value::Dual {
                num,
                text: text.into(),
            },
            None if num.is_nan() => Value::Null,
            None => Value::Num(num),
        }
    }

    fn find(&self, num: f64, text: Option<&str>) -> Option<u32> {
        let (nums, texts) = (&self.nums, self.texts.as_ref());
        let index = self.index.get_or_init(|| {
            let mut index = HashTable::with_capacity(nums.len());
            for code in 0..nums.len() as u32 {
                let hasher = |code: &u32| hash_at(nums, texts, *code);
                index.insert_unique(hash_at(nums, texts, code), code, hasher);
            }
            index
        });
        let is_it = |code: &u32| {
            nums[*code as usize].to_bits() == num.to_bits()
                && texts.and_then(|t| t.own(*code as usize)) == text
        };
        index.find(hash(num, text), is_it).copied()
    }
}

/// Number and own text; `None` for NULL. No number is one certain NaN.
fn parts(value: &Value) -> Option<(f64, Option<&str>)> {
    match value {
        Value::Null => None,
        Value::Num(num) => Some((*num, None)),
        Value::Text(text) => Some((f64::NAN, Some(text))),
        Value::Dual { num, text } => Some((*num, Some(text))),
    }
}

fn hash(num: f64, text: Option<&str>) -> u64 {
    match text {
        None => hash_words(num.to_bits(), 0),
        Some(text) => hash_bytes(text.as_bytes()),
    }
}

fn hash_at(nums: &[f64], texts: Option<&Texts>, code: u32) -> u64 {
    let code = code as usize;
    hash(nums[code], texts.and_then(|t| t.own(code)))
}

/// Finds the entries of a growing dictionary by what makes two values one symbol.
#[derive(Debug, Default)]
pub(crate) struct SymbolIndex(HashTable<u32>);

impl SymbolIndex {
    /// The first entry of `dict` that is one symbol with its entry `code`, which is entered if
    /// there is none.
    pub fn entry(&mut self, dict: &Dict, code: u32) -> u32 {
        let inner = &*dict.0;
        let (num, text) = inner.symbol(code);
        let is_it = |other: &u32| inner.symbol(*other) == (num, text);
        let hasher = |other: &u32| {
            let (num, text) = inner.symbol(*other);
            symbol_hash(num, text)
        };
        let entry = self.0.entry(symbol_hash(num, text), is_it, hasher);
        *entry.or_insert(code).get()
    }

    /// The entry of `dict` that is one symbol with entry `code` of `other`.
    pub fn find(&self, dict: &Dict, other: &Dict, code: u32) -> Option<u32> {
        let (num, text) = other.0.symbol(code);
        let is_it = |known: &u32| dict.0.symbol(*known) == (num, text);
        self.0.find(symbol_hash(num, text), is_it).copied()
    }
}

impl Inner {
    /// The bits of the number, or the text if there is none.
    fn symbol(&self, code: u32) -> (u64, Option<&str>) {
        let num = self.nums[code as usize];
        if num.is_nan() {
            let text = self.texts.as_ref().and_then(|t| t.own(code as usize));
            return (0, Some(text.unwrap_or_default()));
        }
        (num.to_bits(), None)
    }
}

fn symbol_hash(num: u64, text: Option<&str>) -> u64 {
    text.map_or_else(|| hash_words(num, 0), |t| hash_bytes(t.as_bytes()))
}

/// How a raw text reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Read {
    /// It means NULL.
    Null,
    /// A number that shows as [`crate::number_text`] does, which is the text.
    Number(f64),
    /// A number that shows the text.
    Dual(f64),
    /// Only a text.
    Text,
}

impl Read {
    /// The number that `text` reads as; as [`Value::dual`] decides.
    pub fn number(num: f64, text: &str) -> Self {
        if !num.is_finite() {
            return Self::Text;
        }
        let num = if num == 0.0 { 0.0 } else { num };
        if is_number_text(num, text) {
            Self::Number(num)
        } else {
            Self::Dual(num)
        }
    }

    /// The value of `text` that reads so.
    pub fn value(self, text: impl Into<Arc<str>>) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Number(num) => Value::Num(num),
            Self::Dual(num) => Value::Dual {
                num,
                text: text.into(),
            },
            Self::Text => Value::text(text),
        }
    }
}
