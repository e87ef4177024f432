//! Reading a text as a number: the cascade every text from a file or a literal goes through.
//!
//! Reference semantics E4: the first of these that fits gives the number, and the text stays:
//! 1 number in the default format, 2 date, 3 timestamp and 4 time in the default formats,
//! 5 `YYYY-MM-DD`, 6 `YYYY-MM-DD hh:mm[:ss[.fff]]`, 7 `hh:mm[:ss[.fff]]`, 8 money,
//! 9 number with `.` and `,` (if neither default separator is `,`), 10 number with `,` and `.`
//! (if neither default separator is `.`), 11 text.

use std::sync::Arc;

use satchel_data::{Read, Value};

use crate::calendar::{DAY_MS, valid_day};
use crate::locale::Locale;
use crate::number_pattern::read_number;

/// The value of a text: a number with that text if the text reads as one, else the text.
///
/// The text itself is kept, spaces and all: `01` is the number 1 that shows `01`.
pub fn interpret(text: &str, locale: &Locale) -> Value {
    read_text(text, locale).value(text)
}

/// Like [`interpret`], for a text that is shared already.
pub fn interpret_shared(text: &Arc<str>, locale: &Locale) -> Value {
    read_text(text, locale).value(text.clone())
}

/// What [`interpret`] makes of a text, without the text.
pub fn read_text(text: &str, locale: &Locale) -> Read {
    if let Some(num) = integer(text) {
        return Read::Number(num);
    }
    if let Some(read) = decimal(text, locale) {
        return read;
    }
    match interpret_number(text, locale) {
        Some(num) => Read::number(num, text),
        None => Read::Text,
    }
}

/// The number a text reads as, if any. Never NaN or infinite.
pub fn interpret_number(text: &str, locale: &Locale) -> Option<f64> {
    let trimmed = text.trim_matches(' ');
    let bytes = trimmed.as_bytes();
    let first = *bytes.first()?;
    // Nothing longer than a spelled-out timestamp is a number or date.
    if bytes.len() > 64 || !bytes.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let plain = first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.' | b',');
    if !plain && !may_begin(trimmed, locale) {
        return None;
    }
    default_number(trimmed, locale)
        .or_else(|| temporal(trimmed, locale))
        .or_else(|| money(trimmed, locale))
        .or_else(|| other_separators(trimmed, locale))
}

/// Whole numbers of up to 14 digits written plainly, the commonest text of all.
fn integer(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digits = match bytes {
        [b'-', rest @ ..] => rest,
        rest => rest,
    };
    if digits.is_empty() || digits.len() > 14 || (digits[0] == b'0' && bytes.len() > 1) {
        return None;
    }
    let mut n = 0i64;
    for b in digits {
        if !b.is_ascii_digit() {
            return None;
        }
        n = n * 10 + i64::from(b - b'0');
    }
    Some(if bytes[0] == b'-' {
        -n as f64
    } else {
        n as f64
    })
}

/// Numbers such as `17.25`, where the point is the decimal separator, up to 14 digits: the
/// second commonest. Dividing two whole numbers that are exact gives the number nearest to the
/// text, as parsing it does. `None` leaves the text to the cascade.
fn decimal(text: &str, locale: &Locale) -> Option<Read> {
    const POWERS: [f64; 15] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
    ];
    if locale.decimal_sep != "." || locale.thousand_sep == "." {
        return None;
    }
    let bytes = text.as_bytes();
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if digits.len() < 3 || digits.len() > 15 || !digits[0].is_ascii_digit() {
        return None;
    }
    let (mut whole, mut point) = (0_u64, None);
    for (i, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => whole = whole * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(i),
            _ => return None,
        }
    }
    let point = point?;
    let n_decimals = digits.len() - point - 1;
    if n_decimals == 0 || whole == 0 {
        return None;
    }
    let size = whole as f64 / POWERS[n_decimals];
    // Below that a number shows with an exponent.
    if size < 1e-4 {
        return None;
    }
    let num = if bytes[0] == b'-' { -size } else { size };
    let is_plain = digits[digits.len() - 1] != b'0' && (digits[0] != b'0' || point == 1);
    Some(match is_plain {
        true => Read::Number(num),
        false => Read::Dual(num),
    })
}

/// Whether a text that begins with neither digit, sign nor separator may be a date or money.
fn may_begin(text: &str, locale: &Locale) -> bool {
    let formats = [&locale.date, &locale.time, &locale.timestamp];
    formats.iter().any(|format| format.begins_with_letter)
        || text.starts_with('(')
        || text
            .chars()
            .next()
            .is_some_and(|c| locale.money.begins_with(c))
        || (!locale.decimal_sep.is_empty() && text.starts_with(&locale.decimal_sep))
}

fn default_number(text: &str, locale: &Locale) -> Option<f64> {
    signed(text, |digits| {
        read_number(digits, &locale.decimal_sep, &locale.thousand_sep)
    })
}

fn signed(text: &str, read: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    match text.as_bytes() {
        [b'-', ..] => read(text[1..].trim_start_matches(' ')).map(|n| -n),
        [b'+', ..] => read(&text[1..]),
        _ => read(text),
    }
}

/// Steps 2 to 7: dates and times.
fn temporal(text: &str, locale: &Locale) -> Option<f64> {
    for format in [&locale.date, &locale.timestamp, &locale.time] {
        if !format.is_empty()
            && let Some(serial) = format.read(text, locale)
        {
            return Some(serial);
        }
    }
    iso(text)
}

/// `YYYY-MM-DD`, with ` hh:mm[:ss[.fff]]` or `T…`, or `hh:mm[:ss[.fff]]` alone.
pub(crate) fn iso(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    if bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-' {
        let number = |from: usize, to: usize| all_digits(&bytes[from..to]);
        let day = valid_day(number(0, 4)?, number(5, 7)?, number(8, 10)?)? as f64;
        return match &bytes[10..] {
            [] => Some(day),
            [b' ' | b'T', time @ ..] => Some(day + zoned_time(time)?),
            _ => None,
        };
    }
    clock(bytes).map(|ms| ms / DAY_MS as f64)
}

/// A time of day with an optional `Z` or `+hh:mm` after it; the result is in UTC then.
fn zoned_time(time: &[u8]) -> Option<f64> {
    let day = DAY_MS as f64;
    if let Some(time) = time.strip_suffix(b"Z") {
        return clock(time).map(|ms| ms / day);
    }
    let Some(at) = time.iter().position(|b| matches!(b, b'+' | b'-')) else {
        return clock(time).map(|ms| ms / day);
    };
    let (time, zone) = time.split_at(at);
    let sign = if zone[0] == b'+' { 1.0 } else { -1.0 };
    let (hours, minutes) = match &zone[1..] {
        [h1, h2] => (all_digits(&[*h1, *h2])?, 0),
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => {
            (all_digits(&[*h1, *h2])?, all_digits(&[*m1, *m2])?)
        }
        _ => return None,
    };
    let offset_ms = sign * (hours * 60 + minutes) as f64 * 60_000.0;
    Some((clock(time)? - offset_ms) / day)
}

/// `h:mm[:ss[.fff]]` as milliseconds.
fn clock(text: &[u8]) -> Option<f64> {
    let mut parts = text.splitn(3, |b| *b == b':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    if hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute) = (all_digits(hour)?, all_digits(minute)?);
    let mut ms = 0.0;
    if let Some(rest) = parts.next() {
        let (second, fraction) = match rest.iter().position(|b| *b == b'.') {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        if second.len() != 2 {
            return None;
        }
        let second = all_digits(second)?;
        if second > 59 {
            return None;
        }
        ms = second as f64 * 1000.0;
        if let Some(fraction) = fraction {
            if fraction.is_empty() || fraction.len() > 9 {
                return None;
            }
            let scale = 10f64.powi(i32::try_from(fraction.len()).ok()?);
            ms += (all_digits(fraction)? as f64 / scale * 1000.0).round();
        }
    }
    (hour <= 23 && minute <= 59).then(|| ms + (hour * 60 + minute) as f64 * 60_000.0)
}

fn all_digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0i64, |n, b| {
        b.is_ascii_digit()
            .then(|| n.wrapping_mul(10).wrapping_add(i64::from(b - b'0')))
    })
}

/// Step 8: money in the default format.
fn money(text: &str, locale: &Locale) -> Option<f64> {
    locale.money.read(text)
}

/// Steps 9 and 10: numbers with the separators of elsewhere.
fn other_separators(text: &str, locale: &Locale) -> Option<f64> {
    let neither_is = |sep: &str| locale.decimal_sep != sep && locale.thousand_sep != sep;
    if neither_is(",")
        && let Some(num) = signed(text, |digits| read_number(digits, ".", ","))
    {
        return Some(num);
    }
    if neither_is(".") {
        return signed(text, |digits| read_number(digits, ",", "."));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(locale: &Locale, text: &str, want: Option<f64>) {
        let value = interpret(text, locale);
        assert_eq!(value.as_num(), want, "{text}");
        assert_eq!(value.to_text(), text);
    }

    #[test]
    fn texts_read_as_numbers_where_they_are() {
        let locale = Locale::default();
        for (text, want) in [
            ("42", Some(42.0)),
            ("-42", Some(-42.0)),
            ("007", Some(7.0)),
            ("0", Some(0.0)),
            ("1,234.5", Some(1234.5)),
            ("1,23", None),
            ("1.5e3", Some(1500.0)),
            ("1e999", None),
            (" 12 ", Some(12.0)),
            ("12%", None),
            ("1 2", None),
            ("8/6/1997", Some(35_648.0)),
            ("1997-08-06", Some(35_648.0)),
            ("1997-08-06 12:00", Some(35_648.5)),
            ("1997-08-06T12:00:00Z", Some(35_648.5)),
            ("1997-08-06T14:00:00+0200", Some(35_648.5)),
            ("8/6/1997 12:00:00 PM", Some(35_648.5)),
            ("6:00", Some(0.25)),
            ("6:00:00 PM", Some(0.75)),
            ("$1,234.50", Some(1234.5)),
            ("-$5.00", Some(-5.0)),
            ("", None),
            ("-", None),
            ("33Red", None),
            ("A1", None),
            ("INF", None),
            ("nan", None),
            ("0x10", None),
            ("12345678901234567890", Some(12_345_678_901_234_567_890.0)),
        ] {
            check(&locale, text, want);
        }
    }

    proptest::proptest! {
        #[test]
        fn short_ways_read_as_the_cascade_does(text in "-?[0-9]{0,9}\\.?[0-9]{0,9}") {
            let locale = Locale::default();
            let slow = match interpret_number(&text, &locale) {
                Some(num) => Value::dual(num, text.as_str()),
                None => Value::text(text.as_str()),
            };
            proptest::prop_assert_eq!(interpret(&text, &locale), slow);
        }
    }

    #[test]
    fn the_separators_of_elsewhere_are_tried_last() {
        let mut locale = Locale::default();
        locale.set("ThousandSep", " ");
        locale.set("DecimalSep", ",");
        locale.set("MoneyThousandSep", " ");
        locale.set("MoneyDecimalSep", ",");
        check(&locale, "1 234,5", Some(1234.5));
        check(&locale, "1.234,5", Some(1234.5));
        check(&locale, "1.5", None);
        locale.set("DecimalSep", ";");
        check(&locale, "1,234.5", Some(1234.5));
    }
}
