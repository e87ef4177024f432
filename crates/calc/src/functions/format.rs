//! Formatting functions (`Num`, `Date`, …) and interpretation functions (`Num#`, `Date#`, …).
//!
//! A format written in the expression is compiled once, with the expression: see [`Prepared`].

use std::sync::{Arc, OnceLock};

use satchel_data::Value;

use super::{Function, function, num, text};
use crate::code_page::apply;
use crate::date_pattern::DatePattern;
use crate::eval::EvalContext;
use crate::locale::Locale;
use crate::number_pattern::{NumberPattern, read_number};
use crate::operators::number;

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "ApplyCodepage(text, code_page)",
        "A text whose characters up to 255 were bytes of another code page, read in that one: 1250 to 1258, 28591 to 28605 in part, 65001.",
        ("ApplyCodepage('ÁâãÄ', 1253)", "'ΑβγΔ'"),
        |args, context| match (text(args, 0), num(args, 1, context)) {
            (Some(t), Some(page)) => apply(&t, page as u32).map_or(Value::Null, Value::text),
            _ => Value::Null,
        },
    ),
    function(
        "Dual(text, number)",
        "A number shown as a text.",
        ("Dual('one', 1)", "one (1)"),
        |args, context| match (text(args, 0), num(args, 1, context)) {
            (Some(t), Some(n)) => Value::dual(n, t),
            _ => Value::Null,
        },
    ),
    function(
        "Text(expression)",
        "The text a value shows, as a text only.",
        ("Text(dual('one', 1))", "'one'"),
        |args, _| match &args[0] {
            Value::Null => Value::Null,
            Value::Text(t) | Value::Dual { text: t, .. } => Value::Text(t.clone()),
            number => Value::text(number.to_text()),
        },
    ),
    function(
        "Num(number [, format [, decimal_sep [, thousand_sep]]])",
        "The number, shown in a number format.",
        ("Num(35648.375,'#,##0.00')", "35,648.38 (35648.375)"),
        |a, c| formatted("num", a, c),
    ),
    function(
        "Money(number [, format [, decimal_sep [, thousand_sep]]])",
        "The number, shown in a money format; `MoneyFormat` if none is given.",
        ("Money(35648)", "$35,648.00 (35648)"),
        |a, c| formatted("money", a, c),
    ),
    function(
        "Date(number [, format])",
        "The number, shown as a date; `DateFormat` if none is given.",
        ("Date(41234, 'DD.MM.YYYY')", "21.11.2012 (41234)"),
        |a, c| formatted("date", a, c),
    ),
    function(
        "Time(number [, format])",
        "The number, shown as a time; `TimeFormat` if none is given.",
        ("Time(35648.375)", "09:00:00 (35648.375)"),
        |a, c| formatted("time", a, c),
    ),
    function(
        "Timestamp(number [, format])",
        "The number, shown as date and time; `TimestampFormat` if none is given.",
        ("Timestamp(35648.375)", "1997-08-06 09:00:00 (35648.375)"),
        |a, c| formatted("timestamp", a, c),
    ),
    function(
        "Interval(number [, format])",
        "The number of days, shown as an interval; `TimeFormat` if none is given.",
        ("Interval(1.375)", "33:00:00 (1.375)"),
        |a, c| formatted("interval", a, c),
    ),
    function(
        "Num#(text [, format [, decimal_sep [, thousand_sep]]])",
        "A text read as a number in a format; the text stays.",
        ("Num#('35,648.31','#,##0.00')", "35,648.31 (35648.31)"),
        |a, c| formatted("num#", a, c),
    ),
    function(
        "Money#(text [, format [, decimal_sep [, thousand_sep]]])",
        "A text read as money in a format; the text stays.",
        ("Money#('$35,648.37')", "$35,648.37 (35648.37)"),
        |a, c| formatted("money#", a, c),
    ),
    function(
        "Date#(text [, format])",
        "A text read as a date in a format; the text stays.",
        ("Date#('97/08/06','YY/MM/DD')", "97/08/06 (35648)"),
        |a, c| formatted("date#", a, c),
    ),
    function(
        "Time#(text [, format])",
        "A text read as a time in a format; the text stays.",
        ("Time#('09:00','hh:mm')", "09:00 (0.375)"),
        |a, c| formatted("time#", a, c),
    ),
    function(
        "Timestamp#(text [, format])",
        "A text read as date and time in a format; the text stays.",
        (
            "Timestamp#('2012-11-21 06.00','YYYY-MM-DD hh.mm')",
            "2012-11-21 06.00 (41234.25)",
        ),
        |a, c| formatted("timestamp#", a, c),
    ),
    function(
        "Interval#(text [, format])",
        "A text read as an interval in a format; the text stays.",
        ("Interval#('1 06:00','D hh:mm')", "1 06:00 (1.25)"),
        |a, c| formatted("interval#", a, c),
    ),
];

/// A call of a formatting or interpretation function, with its format compiled.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    act: Act,
    pattern: Pattern,
}

/// What is done with the pattern.
#[derive(Clone, Copy, Debug)]
enum Act {
    Show,
    Read,
}

#[derive(Clone, Debug)]
enum Pattern {
    Date(DateKind, Option<DatePattern>),
    Number(NumberFormat),
}

/// Which default format stands in for a missing one.
#[derive(Clone, Copy, Debug)]
enum DateKind {
    Date,
    Time,
    Timestamp,
    Interval,
}

/// A number format before its separators are known: the locale comes with each evaluation.
#[derive(Clone, Debug)]
struct NumberFormat {
    money: bool,
    format: Option<Arc<str>>,
    decimal: Option<Arc<str>>,
    thousand: Option<Arc<str>>,
    /// Compiled for the separators of the first evaluation; others compile their own.
    compiled: OnceLock<Separated>,
}

#[derive(Clone, Debug)]
struct Separated {
    decimal: String,
    thousand: String,
    pattern: NumberPattern,
}

impl Prepared {
    /// The call of the function `name` (lower case) with these arguments after the first, NULL
    /// for missing ones; `None` if it is no formatting function.
    pub fn of(name: &str, rest: &[Value]) -> Option<Self> {
        let (name, act) = match name.strip_suffix('#') {
            Some(name) => (name, Act::Read),
            None => (name, Act::Show),
        };
        let part = |i: usize| -> Option<Arc<str>> {
            match rest.get(i)? {
                Value::Null => None,
                Value::Text(t) | Value::Dual { text: t, .. } => Some(t.clone()),
                number => Some(number.to_text().into()),
            }
        };
        let kind = match name {
            "num" | "money" => {
                let number = NumberFormat {
                    money: name == "money",
                    format: part(0),
                    decimal: part(1),
                    thousand: part(2),
                    compiled: OnceLock::new(),
                };
                return Some(Self {
                    act,
                    pattern: Pattern::Number(number),
                });
            }
            "date" => DateKind::Date,
            "time" => DateKind::Time,
            "timestamp" => DateKind::Timestamp,
            "interval" => DateKind::Interval,
            _ => return None,
        };
        let pattern = part(0).map(|format| DatePattern::parse(&format));
        Some(Self {
            act,
            pattern: Pattern::Date(kind, pattern),
        })
    }

    /// The value of the call for the first argument.
    pub fn value(&self, value: &Value, locale: &Locale) -> Value {
        match self.act {
            Act::Show => match number(value, locale) {
                Some(n) => self.show(n, locale),
                None => Value::Null,
            },
            Act::Read => {
                let read = |t: &str| match &self.pattern {
                    Pattern::Date(kind, pattern) => kind.read(pattern.as_ref(), t, locale),
                    Pattern::Number(number) => number.read(t, locale),
                };
                match value {
                    Value::Null => Value::Null,
                    Value::Text(t) | Value::Dual { text: t, .. } => match read(t) {
                        Some(n) => Value::dual(n, t.clone()),
                        None => Value::Text(t.clone()),
                    },
                    Value::Num(_) => {
                        let t = value.to_text();
                        match read(&t) {
                            Some(n) => Value::dual(n, t),
                            None => Value::text(t),
                        }
                    }
                }
            }
        }
    }

    fn show(&self, n: f64, locale: &Locale) -> Value {
        let shown = match &self.pattern {
            Pattern::Date(kind, pattern) => kind.show(pattern.as_ref(), n, locale),
            Pattern::Number(number) => match number.show(n, locale) {
                Some(shown) => Some(shown),
                None => return Value::num(n),
            },
        };
        shown.map_or(Value::Null, |t| Value::dual(n, t))
    }
}

impl DateKind {
    fn default_pattern(self, locale: &Locale) -> &DatePattern {
        match self {
            Self::Date => &locale.date,
            Self::Time | Self::Interval => &locale.time,
            Self::Timestamp => &locale.timestamp,
        }
    }

    fn show(self, pattern: Option<&DatePattern>, n: f64, locale: &Locale) -> Option<String> {
        let pattern = pattern.unwrap_or_else(|| self.default_pattern(locale));
        match self {
            Self::Interval => pattern.format_interval(n),
            _ => pattern.format(n, locale),
        }
    }

    fn read(self, pattern: Option<&DatePattern>, t: &str, locale: &Locale) -> Option<f64> {
        let pattern = pattern.unwrap_or_else(|| self.default_pattern(locale));
        match self {
            Self::Interval => pattern.read_interval(t, locale),
            _ => pattern.read(t, locale),
        }
    }
}

impl NumberFormat {
    /// `None` if neither the call nor the locale has a format.
    fn show(&self, n: f64, locale: &Locale) -> Option<String> {
        match &self.format {
            Some(format) => {
                Some(self.with_pattern(format, locale, |pattern| pattern.format(n, locale)))
            }
            None if self.money => Some(locale.money.format(n, locale)),
            None => None,
        }
    }

    fn read(&self, t: &str, locale: &Locale) -> Option<f64> {
        match &self.format {
            Some(format) => self.with_pattern(format, locale, |pattern| pattern.read(t)),
            None if self.money => locale.money.read(t),
            None => {
                let (decimal, thousand) = self.separators(locale);
                read_number(t.trim(), decimal, thousand)
            }
        }
    }

    fn separators<'a>(&'a self, locale: &'a Locale) -> (&'a str, &'a str) {
        let (decimal, thousand) = if self.money {
            (&locale.money_decimal_sep, &locale.money_thousand_sep)
        } else {
            (&locale.decimal_sep, &locale.thousand_sep)
        };
        (
            self.decimal.as_deref().unwrap_or(decimal),
            self.thousand.as_deref().unwrap_or(thousand),
        )
    }

    fn with_pattern<T>(
        &self,
        format: &str,
        locale: &Locale,
        run: impl Fn(&NumberPattern) -> T,
    ) -> T {
        let (decimal, thousand) = self.separators(locale);
        let known = self.compiled.get_or_init(|| Separated {
            decimal: decimal.to_owned(),
            thousand: thousand.to_owned(),
            pattern: NumberPattern::parse(format, decimal, thousand),
        });
        if known.decimal == decimal && known.thousand == thousand {
            run(&known.pattern)
        } else {
            run(&NumberPattern::parse(format, decimal, thousand))
        }
    }
}

fn formatted(name: &str, args: &[Value], context: &EvalContext<'_>) -> Value {
    let Some((value, rest)) = args.split_first() else {
        return Value::Null;
    };
    Prepared::of(name, rest).map_or(Value::Null, |call| call.value(value, context.locale))
}

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
