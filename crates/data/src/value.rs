//! Dual values: every value has a text and may have a number.
//!
//! Rules: reference semantics E4. Two values are the same symbol when both have numbers and
//! these are equal, or when neither has a number and the texts are equal byte for byte.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// One cell.
#[derive(Clone, Debug)]
pub enum Value {
    /// No value. Never equal to anything, never selected, never a link.
    Null,
    /// A number whose text is the plain rendering of [`number_text`]. Never NaN.
    Num(f64),
    /// Text without a number.
    Text(Arc<str>),
    /// A number shown as a text of its own, such as a formatted date. The number is never NaN.
    Dual {
        /// What it counts as.
        num: f64,
        /// What it shows.
        text: Arc<str>,
    },
}

impl Value {
    /// A number; NaN and infinities become NULL, as results out of a function's domain do.
    pub fn num(num: f64) -> Self {
        if num.is_finite() {
            Self::Num(if num == 0.0 { 0.0 } else { num })
        } else {
            Self::Null
        }
    }

    /// Text without a number.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A number with a text; plain [`Value::Num`] when the text is the number's own.
    pub fn dual(num: f64, text: impl Into<Arc<str>> + AsRef<str>) -> Self {
        match Self::num(num) {
            Self::Null => Self::Text(text.into()),
            plain => {
                if is_number_text(num, text.as_ref()) {
                    plain
                } else {
                    Self::Dual {
                        num: if num == 0.0 { 0.0 } else { num },
                        text: text.into(),
                    }
                }
            }
        }
    }

    /// True is -1 and false is 0 (reference semantics E4).
    pub fn boolean(truth: bool) -> Self {
        Self::Num(if truth { -1.0 } else { 0.0 })
    }

    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The number, if there is one.
    pub fn as_num(&self) -> Option<f64> {
        match self {
            Self::Num(n) | Self::Dual { num: n, .. } => Some(*n),
            Self::Null | Self::Text(_) => None,
        }
    }

    /// The text; NULL has none.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null => None,
            Self::Num(n) => Some(Cow::Owned(number_text(*n))),
            Self::Text(t) | Self::Dual { text: t, .. } => Some(Cow::Borrowed(t)),
        }
    }

    /// The text as an owned string; NULL gives the empty string.
    pub fn to_text(&self) -> String {
        self.as_text().map_or_else(String::new, Cow::into_owned)
    }

    /// Whether both are the same symbol. NULL is not the same as NULL.
    pub fn same_symbol(&self, other: &Self) -> bool {
        match (self.as_num(), other.as_num()) {
            (Some(a), Some(b)) => a == b,
            (None, None) => match (self, other) {
                (Self::Text(a), Self::Text(b)) => a == b,
                _ => false,
            },
            _ => false,
        }
    }

    /// The order of a sort by value: numbers ascending, then texts, then NULL.
    ///
    /// Texts compare without regard to case first, and by code point where that is a tie.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self.as_num(), other.as_num()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => match (self, other) {
                (Self::Text(a), Self::Text(b)) => text_order(a, b),
                (Self::Text(_), _) => Ordering::Less,
                (_, Self::Text(_)) => Ordering::Greater,
                _ => Ordering::Equal,
            },
        }
    }
}

/// Byte-for-byte equality of number and text; use [`Value::same_symbol`] for symbols.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Num(a), Self::Num(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Dual { num: a, text: s }, Self::Dual { num: b, text: t }) => a == b && s == t,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        if let Some(num) = self.as_num() {
            num.to_bits().hash(state);
        }
        if let Self::Text(t) | Self::Dual { text: t, .. } = self {
            t.hash(state);
        }
    }
}

/// What decides whether two values are one symbol, as a hash-map key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SymbolKey {
    /// A value with a number: the bits of the number, with one zero.
    Num(u64),
    /// A value without a number.
    Text(Arc<str>),
}

impl SymbolKey {
    /// The key of `value`; NULL has none.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Num(n) | Value::Dual { num: n, .. } => Some(Self::Num(n.to_bits())),
            Value::Text(t) => Some(Self::Text(t.clone())),
        }
    }
}

/// Order of texts: letters without regard to case, then by code point.
pub fn text_order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        let folded = a
            .bytes()
            .map(|c| c.to_ascii_lowercase())
            .cmp(b.bytes().map(|c| c.to_ascii_lowercase()));
        return folded.then_with(|| a.cmp(b));
    }
    let fold = |s: &str| s.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    fold(a).cmp(&fold(b)).then_with(|| a.cmp(b))
}

/// Whether `text` is what [`number_text`] gives for `num`.
pub(crate) fn is_number_text(num: f64, text: &str) -> bool {
    /// No number's text is longer: a sign, `0.0000`, and 14 digits.
    const LONGEST: usize = 22;
    text.len() <= LONGEST && number_text(num) == text
}

/// A number as text when no format says otherwise: up to 14 significant digits, no trailing
/// zeros, and an exponent (`1e+15`, `1e-05`) outside 1e-5 ≤ |n| < 1e15.
pub fn number_text(num: f64) -> String {
    if num == num.trunc() && num.abs() < 1e14 {
        return format!("{}", num as i64);
    }
    if !num.is_finite() {
        return String::new();
    }
    let scientific = format!("{num:.13e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let Ok(exponent) = exponent.parse::<i32>() else {
        return scientific;
    };
    let trim = |s: &str| {
        if s.contains('.') {
            s.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            s.to_owned()
        }
    };
    if (-5..15).contains(&exponent) {
        let decimals = usize::try_from((13 - exponent).max(0)).unwrap_or(0);
        trim(&format!("{num:.decimals$}"))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{}{:02}", trim(digits), sign, exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_plainly() {
        for (num, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (42.0, "42"),
            (-7.5, "-7.5"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.33333333333333"),
            (1e20, "1e+20"),
            (1.5e-7, "1.5e-07"),
            (123_456_789_012_345.0, "123456789012345"),
            (2.5e14, "250000000000000"),
        ] {
            assert_eq!(number_text(num), text);
        }
    }

    #[test]
    fn same_number_is_one_symbol_whatever_the_text() {
        assert!(Value::dual(1.0, "01").same_symbol(&Value::num(1.0)));
        assert!(!Value::text("1").same_symbol(&Value::num(1.0)));
        assert!(!Value::Null.same_symbol(&Value::Null));
        assert!(!Value::text("a").same_symbol(&Value::text("A")));
    }

    #[test]
    fn order_is_numbers_texts_null() {
        let mut values = vec![
            Value::Null,
            Value::text("b"),
            Value::num(10.0),
            Value::text("A"),
            Value::num(9.0),
        ];
        values.sort_by(Value::order);
        let texts: Vec<_> = values.iter().map(Value::to_text).collect();
        assert_eq!(texts, ["9", "10", "A", "b", ""]);
    }
}
