//! Operators on values, and how a value counts as a number or a truth.
//!
//! Reference semantics E4: a text is read as a number where a number is needed; relational
//! operators compare numbers if both sides have one, else texts, exactly (`'a' = 'A'` is
//! false, as for `Match`); `like` disregards case, as `WildMatch` does. True is -1.

use std::cmp::Ordering;

use satchel_base::matches_wildcard_while;
use satchel_data::Value;
use satchel_syntax::{BinaryOp, UnaryOp};

use crate::eval::EvalContext;
use crate::interpret::interpret_number;
use crate::locale::Locale;

/// The number of a value, reading its text if it has no other.
pub fn number(value: &Value, locale: &Locale) -> Option<f64> {
    match value {
        Value::Num(num) | Value::Dual { num, .. } => Some(*num),
        Value::Null => None,
        Value::Text(text) => interpret_number(text, locale),
    }
}

/// Whether a value counts as true: a number that is not 0. NULL and other texts do not.
pub fn truth(value: &Value, locale: &Locale) -> bool {
    number(value, locale).is_some_and(|num| num != 0.0)
}

/// An operator before one operand.
pub(crate) fn unary(op: UnaryOp, operand: &Value, locale: &Locale) -> Value {
    match op {
        UnaryOp::Plus => number(operand, locale).map_or(Value::Null, Value::num),
        UnaryOp::Minus => number(operand, locale).map_or(Value::Null, |num| Value::num(-num)),
        UnaryOp::Not if operand.is_null() => Value::Null,
        UnaryOp::Not => Value::boolean(!truth(operand, locale)),
        UnaryOp::BitNot => bits(operand, locale).map_or(Value::Null, |n| int(!n)),
    }
}

/// An operator between two operands.
pub(crate) fn binary(op: BinaryOp, left: &Value, right: &Value, locale: &Locale) -> Value {
    match op {
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow => {
            match (number(left, locale), number(right, locale)) {
                (Some(a), Some(b)) => Value::num(arithmetic(op, a, b)),
                _ => Value::Null,
            }
        }
        BinaryOp::Concat => concat(left, right),
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            relation(op, left, right, locale)
        }
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => {
            if left.is_null() && right.is_null() {
                return Value::Null;
            }
            let (a, b) = (truth(left, locale), truth(right, locale));
            Value::boolean(match op {
                BinaryOp::And => a && b,
                BinaryOp::Or => a || b,
                _ => a != b,
            })
        }
        BinaryOp::Like | BinaryOp::Precedes | BinaryOp::Follows => {
            let (Some(a), Some(b)) = (left.as_text(), right.as_text()) else {
                return Value::Null;
            };
            Value::boolean(match op {
                BinaryOp::Like => matches_wildcard(&a, &b),
                BinaryOp::Precedes => a < b,
                _ => a > b,
            })
        }
        BinaryOp::BitAnd
        | BinaryOp::BitOr
        | BinaryOp::BitXor
        | BinaryOp::ShiftLeft
        | BinaryOp::ShiftRight => {
            let (Some(a), Some(b)) = (bits(left, locale), bits(right, locale)) else {
                return Value::Null;
            };
            match op {
                BinaryOp::BitAnd => int(a & b),
                BinaryOp::BitOr => int(a | b),
                BinaryOp::BitXor => int(a ^ b),
                _ => {
                    let Ok(steps) = u32::try_from(b) else {
                        return Value::Null;
                    };
                    let shifted = if op == BinaryOp::ShiftLeft {
                        a.checked_shl(steps).unwrap_or(0)
                    } else {
                        a.checked_shr(steps).unwrap_or(if a < 0 { -1 } else { 0 })
                    };
                    int(shifted)
                }
            }
        }
    }
}

/// `+ - * / ^` on numbers; NaN where there is no result.
pub(crate) fn arithmetic(op: BinaryOp, a: f64, b: f64) -> f64 {
    let result = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Pow => a.powf(b),
        _ => f64::NAN,
    };
    if result.is_finite() { result } else { f64::NAN }
}

/// 16 MiB: a longer text is of no use to anybody, and one that doubles itself gets there soon.
const MAX_TEXT: usize = 16 << 20;

/// `A & B`; NULL adds nothing, and NULL with NULL stays NULL. NULL if it would be longer than
/// [`MAX_TEXT`].
fn concat(left: &Value, right: &Value) -> Value {
    match (left.as_text(), right.as_text()) {
        (None, None) => Value::Null,
        (Some(text), None) | (None, Some(text)) => Value::text(text.as_ref()),
        (Some(a), Some(b)) if a.len() + b.len() > MAX_TEXT => Value::Null,
        (Some(a), Some(b)) => {
            let mut joined = String::with_capacity(a.len() + b.len());
            joined.push_str(&a);
            joined.push_str(&b);
            Value::text(joined)
        }
    }
}

/// Relational operators with their rule for NULL: with one NULL only `<>` is true.
fn relation(op: BinaryOp, left: &Value, right: &Value, locale: &Locale) -> Value {
    if left.is_null() || right.is_null() {
        return if left.is_null() && right.is_null() {
            Value::Null
        } else {
            Value::boolean(op == BinaryOp::Ne)
        };
    }
    let order = compare(left, right, locale);
    Value::boolean(match op {
        BinaryOp::Eq => order == Ordering::Equal,
        BinaryOp::Ne => order != Ordering::Equal,
        BinaryOp::Lt => order == Ordering::Less,
        BinaryOp::Le => order != Ordering::Greater,
        BinaryOp::Gt => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

/// By number if both can be read as one, else by text. Neither may be NULL.
pub(crate) fn compare(left: &Value, right: &Value, locale: &Locale) -> Ordering {
    if let (Value::Num(a), Value::Num(b)) = (left, right) {
        return a.partial_cmp(b).unwrap_or(Ordering::Equal);
    }
    if let (Value::Text(a), Value::Text(b)) = (left, right)
        && a == b
    {
        return Ordering::Equal;
    }
    // The right side is the constant in most expressions: if it is no number, the left is
    // not read either.
    if let Some(b) = number(right, locale)
        && let Some(a) = number(left, locale)
    {
        return a.partial_cmp(&b).unwrap_or(Ordering::Equal);
    }
    match (left.as_text(), right.as_text()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => Ordering::Equal,
    }
}

/// The operand of a bit operator: truncated to 32 bits.
fn bits(value: &Value, locale: &Locale) -> Option<i32> {
    number(value, locale).map(|num| (num as i64) as i32)
}

fn int(n: i32) -> Value {
    Value::Num(f64::from(n))
}

/// Whether the whole of `text` matches `pattern`, in which `*` stands for any characters and
/// `?` for one; letters match without regard to case.
pub fn matches_wildcard(text: &str, pattern: &str) -> bool {
    matches(text, pattern, &|_| true)
}

/// As [`matches_wildcard`]; false when the budget has ended.
pub(crate) fn matches_wildcard_within(text: &str, pattern: &str, ctx: &EvalContext<'_>) -> bool {
    matches(text, pattern, &|n| ctx.spend(n))
}

fn matches(text: &str, pattern: &str, spend: &dyn Fn(u64) -> bool) -> bool {
    if text.is_ascii() && pattern.is_ascii() {
        let same = |a: u8, b: u8| a.eq_ignore_ascii_case(&b);
        let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
        return matches_wildcard_while(text, pattern, (b'*', Some(b'?')), same, spend);
    }
    let fold = |s: &str| {
        s.chars()
            .flat_map(char::to_lowercase)
            .collect::<Vec<char>>()
    };
    let same = |a, b| a == b;
    matches_wildcard_while(&fold(text), &fold(pattern), ('*', Some('?')), same, spend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_whole_texts() {
        for (text, pattern, want) in [
            ("abc", "a*", true),
            ("abcd", "a?c*", true),
            ("abc", "a??bc", false),
            ("ABC", "abc", true),
            ("", "*", true),
            ("", "?", false),
            ("aXbXc", "a*b*c", true),
            ("Århus", "å*S", true),
        ] {
            assert_eq!(
                matches_wildcard(text, pattern),
                want,
                "{text} like {pattern}"
            );
        }
    }
}
