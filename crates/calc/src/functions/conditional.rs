//! Conditional, logical and NULL functions. `If` is compiled, so that one branch is evaluated.

use satchel_data::{Value, number_text};

use super::{Function, function, num};
use crate::eval::EvalContext;
use crate::locale::Locale;
use crate::operators::{compare, matches_wildcard_within, number, truth};

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "If(condition, then [, else])",
        "One of two values, by whether a condition holds; NULL without `else`. Only that one is computed.",
        ("If(1 < 2, 'yes', 'no')", "'yes'"),
        |args, context| {
            let at = if truth(&args[0], context.locale) {
                1
            } else {
                2
            };
            args.get(at).cloned().unwrap_or(Value::Null)
        },
    ),
    function(
        "Alt(expression [, …])",
        "The first argument that is a number; the last one if none is.",
        ("Alt('x', 3, 4)", "3"),
        |args, context| {
            args.iter()
                .find(|v| number(v, context.locale).is_some())
                .or(args.last())
                .cloned()
                .unwrap_or(Value::Null)
        },
    ),
    function(
        "Coalesce(expression [, …])",
        "The first argument that is not NULL.",
        ("Coalesce(null(), 1)", "1"),
        |args, _| {
            args.iter()
                .find(|v| !v.is_null())
                .cloned()
                .unwrap_or(Value::Null)
        },
    ),
    function(
        "Class(number, width [, label [, offset]])",
        "The interval of a width that a number falls into, with its lower bound as number.",
        ("Class(23, 10)", "20 <= x < 30 (20)"),
        class,
    ),
    function(
        "Match(text, candidate [, …])",
        "Which candidate equals the text, counted from 1, with regard to case; 0 if none does.",
        ("Match('Feb','Jan','Feb','Mar')", "2"),
        |args, context| position(args, |a, b| same(a, b, context.locale)),
    ),
    function(
        "MixMatch(text, candidate [, …])",
        "Which candidate equals the text, counted from 1, without regard to case; 0 if none does.",
        ("MixMatch('feb','Jan','Feb')", "2"),
        |args, context| {
            position(args, |a, b| {
                same(a, b, context.locale)
                    || a.to_text().to_lowercase() == b.to_text().to_lowercase()
            })
        },
    ),
    function(
        "WildMatch(text, pattern [, …])",
        "Which pattern fits the text, counted from 1: `*` is any text, `?` one character; 0 if none does.",
        ("WildMatch('feb','ja*','fe?','mar')", "2"),
        |args, context| {
            position(args, |a, b| {
                matches_wildcard_within(&a.to_text(), &b.to_text(), context)
            })
        },
    ),
    function(
        "Pick(n, expression [, …])",
        "The nth of the expressions.",
        ("Pick(2,'A','B','C')", "'B'"),
        |args, context| match num(args, 0, context) {
            Some(n) if n >= 1.0 => args.get(n as usize).cloned().unwrap_or(Value::Null),
            _ => Value::Null,
        },
    ),
    function("Null()", "NULL.", ("Null()", "NULL"), |_, _| Value::Null),
    function(
        "IsNull(expression)",
        "Whether the value is NULL.",
        ("IsNull(null())", "-1"),
        |args, _| Value::boolean(args[0].is_null()),
    ),
    function(
        "NullIf(expression, value)",
        "NULL if both are equal, else the first.",
        ("NullIf('a','a')", "NULL"),
        |args, context| {
            if same(&args[0], &args[1], context.locale) {
                Value::Null
            } else {
                args[0].clone()
            }
        },
    ),
    function(
        "EmptyIsNull(expression)",
        "NULL for an empty text, else the value itself.",
        ("EmptyIsNull('')", "NULL"),
        |args, _| {
            if args[0].to_text().is_empty() {
                Value::Null
            } else {
                args[0].clone()
            }
        },
    ),
    function(
        "IsNum(expression)",
        "Whether the value is a number or reads as one.",
        ("IsNum('10')", "-1"),
        |args, context| Value::boolean(number(&args[0], context.locale).is_some()),
    ),
    function(
        "IsText(expression)",
        "Whether the value is a text that does not read as a number.",
        ("IsText('10')", "0"),
        |args, context| {
            Value::boolean(!args[0].is_null() && number(&args[0], context.locale).is_none())
        },
    ),
    function("True()", "True, which is -1.", ("True()", "-1"), |_, _| {
        Value::boolean(true)
    }),
    function("False()", "False, which is 0.", ("False()", "0"), |_, _| {
        Value::boolean(false)
    }),
];

/// Values that read as numbers compare as numbers, others as texts; NULL is like nothing.
fn same(a: &Value, b: &Value, locale: &Locale) -> bool {
    !a.is_null() && !b.is_null() && compare(a, b, locale).is_eq()
}

fn position(args: &[Value], like: impl Fn(&Value, &Value) -> bool) -> Value {
    let Some((wanted, others)) = args.split_first() else {
        return Value::Null;
    };
    if wanted.is_null() {
        return Value::num(0.0);
    }
    let at = others.iter().position(|o| !o.is_null() && like(wanted, o));
    Value::num(at.map_or(0.0, |i| (i + 1) as f64))
}

/// `Class(number, width [, label [, offset]])`: the interval a number falls into, as
/// `a <= x < b` with the lower bound as its number.
fn class(args: &[Value], context: &EvalContext<'_>) -> Value {
    let (Some(x), Some(width)) = (num(args, 0, context), num(args, 1, context)) else {
        return Value::Null;
    };
    if width <= 0.0 {
        return Value::Null;
    }
    let label = args.get(2).map_or_else(|| "x".to_owned(), Value::to_text);
    let offset = num(args, 3, context).unwrap_or(0.0);
    let low = ((x - offset) / width).floor() * width + offset;
    let text = format!(
        "{} <= {label} < {}",
        number_text(low),
        number_text(low + width)
    );
    Value::dual(low, text)
}
