//! Formatting functions (`Num`, `Date`, …) and interpretation functions (`Num#`, `Date#`, …).

use satchel_data::Value;

use super::{Function, function, num, text};
use crate::date_pattern::DatePattern;
use crate::eval::EvalContext;
use crate::locale::Locale;
use crate::number_pattern::{NumberPattern, read_number};
use crate::operators::number;

pub(super) const FUNCTIONS: &[Function] = &[
    function("dual", 2, 2, |args, context| {
        match (text(args, 0), num(args, 1, context)) {
            (Some(t), Some(n)) => Value::dual(n, t),
            _ => Value::Null,
        }
    }),
    function("text", 1, 1, |args, _| {
        text(args, 0).map_or(Value::Null, Value::text)
    }),
    function("num", 1, 4, num_format),
    function("money", 1, 4, |args, context| {
        let Some(n) = num(args, 0, context) else {
            return Value::Null;
        };
        match text(args, 1) {
            Some(_) => num_format(args, context),
            None => Value::dual(n, context.locale.money.format(n, context.locale)),
        }
    }),
    function("date", 1, 2, |args, c| dated(args, c, |l| &l.date)),
    function("time", 1, 2, |args, c| dated(args, c, |l| &l.time)),
    function("timestamp", 1, 2, |args, c| {
        dated(args, c, |l| &l.timestamp)
    }),
    function("interval", 1, 2, |args, context| {
        let Some(n) = num(args, 0, context) else {
            return Value::Null;
        };
        let shown = match text(args, 1) {
            Some(format) => DatePattern::parse(&format).format_interval(n),
            None => context.locale.time.format_interval(n),
        };
        shown.map_or(Value::Null, |t| Value::dual(n, t))
    }),
    function("num#", 1, 4, |args, context| {
        let decimal = text(args, 2).unwrap_or_else(|| context.locale.decimal_sep.clone());
        let thousand = text(args, 3).unwrap_or_else(|| context.locale.thousand_sep.clone());
        interpreted(args, |t| match text(args, 1) {
            Some(format) => NumberPattern::parse(&format, &decimal, &thousand).read(t),
            None => read_number(t.trim(), &decimal, &thousand),
        })
    }),
    function("money#", 1, 4, |args, context| {
        let locale = context.locale;
        interpreted(args, |t| match text(args, 1) {
            Some(format) => NumberPattern::parse(
                &format,
                &locale.money_decimal_sep,
                &locale.money_thousand_sep,
            )
            .read(t),
            None => locale.money.read(t),
        })
    }),
    function("date#", 1, 2, |args, c| read(args, c, |l| &l.date)),
    function("time#", 1, 2, |args, c| read(args, c, |l| &l.time)),
    function("timestamp#", 1, 2, |args, c| {
        read(args, c, |l| &l.timestamp)
    }),
    function("interval#", 1, 2, |args, context| {
        interpreted(args, |t| match text(args, 1) {
            Some(format) => DatePattern::parse(&format).read_interval(t, context.locale),
            None => context.locale.time.read_interval(t, context.locale),
        })
    }),
];

/// A number shown by a number format: `1.234,50` for `Num(1234.5, '#.##0,00', ',', '.')`.
pub fn format_number(num: f64, format: &str, locale: &Locale) -> String {
    NumberPattern::parse(format, &locale.decimal_sep, &locale.thousand_sep).format(num, locale)
}

/// As [`format_number`], with separators of its own.
pub fn format_number_with(
    num: f64,
    format: &str,
    decimal_sep: &str,
    thousand_sep: &str,
    locale: &Locale,
) -> String {
    NumberPattern::parse(format, decimal_sep, thousand_sep).format(num, locale)
}

/// A serial day shown by a date format; `None` outside the years 1 to 9999.
pub fn format_date(serial: f64, format: &str, locale: &Locale) -> Option<String> {
    DatePattern::parse(format).format(serial, locale)
}

/// An interval in days shown by a format such as `h:mm:ss`, hours running past 24.
pub fn format_interval(days: f64, format: &str) -> Option<String> {
    DatePattern::parse(format).format_interval(days)
}

fn num_format(args: &[Value], context: &EvalContext<'_>) -> Value {
    let Some(n) = num(args, 0, context) else {
        return Value::Null;
    };
    let Some(format) = text(args, 1) else {
        return Value::num(n);
    };
    let decimal = text(args, 2).unwrap_or_else(|| context.locale.decimal_sep.clone());
    let thousand = text(args, 3).unwrap_or_else(|| context.locale.thousand_sep.clone());
    Value::dual(
        n,
        NumberPattern::parse(&format, &decimal, &thousand).format(n, context.locale),
    )
}

fn dated(args: &[Value], context: &EvalContext<'_>, default: fn(&Locale) -> &DatePattern) -> Value {
    let Some(n) = args.first().and_then(|v| number(v, context.locale)) else {
        return Value::Null;
    };
    let shown = match text(args, 1) {
        Some(format) => DatePattern::parse(&format).format(n, context.locale),
        None => default(context.locale).format(n, context.locale),
    };
    shown.map_or(Value::Null, |t| Value::dual(n, t))
}

/// The text with the number it reads as; the bare text if it does not read.
fn interpreted(args: &[Value], read: impl Fn(&str) -> Option<f64>) -> Value {
    match text(args, 0) {
        Some(t) => match read(&t) {
            Some(n) => Value::dual(n, t),
            None => Value::text(t),
        },
        None => Value::Null,
    }
}

fn read(args: &[Value], context: &EvalContext<'_>, default: fn(&Locale) -> &DatePattern) -> Value {
    interpreted(args, |t| match text(args, 1) {
        Some(format) => DatePattern::parse(&format).read(t, context.locale),
        None => default(context.locale).read(t, context.locale),
    })
}
