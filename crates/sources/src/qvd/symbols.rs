//! Symbol tables: a byte that says what follows, then a number, a text, or both.

use satchel_data::Value;

/// A 32-bit whole number.
const WHOLE: u8 = 1;
/// A 64-bit floating-point number.
const FLOAT: u8 = 2;
/// A text, ended by a NUL byte.
const TEXT: u8 = 4;
/// A whole number and its text.
const WHOLE_DUAL: u8 = 5;
/// A floating-point number and its text.
const FLOAT_DUAL: u8 = 6;

/// Reads all of `bytes` as `n_symbols` values. What is no number (NaN) becomes NULL.
pub(super) fn parse(bytes: &[u8], n_symbols: usize) -> Result<Vec<Value>, String> {
    // The header was checked: two bytes a value at least.
    let mut out = Vec::with_capacity(n_symbols.min(bytes.len() / 2));
    let mut rest = bytes;
    for n in 1..=n_symbols {
        let cut = || format!("is cut off in value {n} of {n_symbols}");
        let (kind, after) = rest.split_first().ok_or_else(cut)?;
        rest = after;
        let num = match *kind {
            WHOLE | WHOLE_DUAL => {
                let (bytes, after) = rest.split_first_chunk().ok_or_else(cut)?;
                rest = after;
                f64::from(i32::from_le_bytes(*bytes))
            }
            FLOAT | FLOAT_DUAL => {
                let (bytes, after) = rest.split_first_chunk().ok_or_else(cut)?;
                rest = after;
                f64::from_le_bytes(*bytes)
            }
            TEXT => 0.0,
            other => {
                return Err(format!(
                    "has the unknown kind {other} at value {n} of {n_symbols}"
                ));
            }
        };
        if matches!(*kind, WHOLE | FLOAT) {
            out.push(Value::num(num));
            continue;
        }
        let end = memchr::memchr(0, rest).ok_or_else(cut)?;
        let text = String::from_utf8_lossy(&rest[..end]);
        rest = &rest[end + 1..];
        out.push(if *kind == TEXT {
            Value::text(text.as_ref())
        } else {
            Value::dual(num, text.as_ref())
        });
    }
    if rest.is_empty() {
        Ok(out)
    } else {
        Err(format!(
            "holds more than the {n_symbols} values it announces"
        ))
    }
}

/// Appends `value` to `out`; `false` if its text holds a NUL byte, which cannot be written.
#[must_use]
pub(super) fn push(out: &mut Vec<u8>, value: &Value) -> bool {
    let (num, text) = match value {
        Value::Null => return true,
        Value::Num(num) => (Some(*num), None),
        Value::Text(text) => (None, Some(text)),
        Value::Dual { num, text } => (Some(*num), Some(text)),
    };
    let whole = num.and_then(exact_i32);
    out.push(match (whole, num, text) {
        (Some(_), _, None) => WHOLE,
        (Some(_), _, Some(_)) => WHOLE_DUAL,
        (None, Some(_), None) => FLOAT,
        (None, Some(_), Some(_)) => FLOAT_DUAL,
        (None, None, _) => TEXT,
    });
    if let Some(whole) = whole {
        out.extend_from_slice(&whole.to_le_bytes());
    } else if let Some(num) = num {
        out.extend_from_slice(&num.to_le_bytes());
    }
    if let Some(text) = text {
        if text.contains('\0') {
            return false;
        }
        out.extend_from_slice(text.as_bytes());
        out.push(0);
    }
    true
}

fn exact_i32(num: f64) -> Option<i32> {
    let whole = num as i32;
    (f64::from(whole) == num).then_some(whole)
}
