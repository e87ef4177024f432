//! Conditional, logical and NULL functions. `If` is compiled, since it evaluates one branch.

use satchel_data::{Value, number_text};

use super::{ANY, Function, function, num};
use crate::eval::EvalContext;
use crate::locale::Locale;
use crate::operators::{compare, matches_wildcard, number};

pub(super) const FUNCTIONS: &[Function] = &[
    function("alt", 1, ANY, |args, context| {
        args.iter()
            .find(|v| number(v, context.locale).is_some())
            .or(args.last())
            .cloned()
            .unwrap_or(Value::Null)
    }),
    function("coalesce", 1, ANY, |args, _| {
        args.iter()
            .find(|v| !v.is_null())
            .cloned()
            .unwrap_or(Value::Null)
    }),
    function("class", 2, 4, class),
    function("match", 2, ANY, |args, context| {
        position(args, |a, b| same(a, b, context.locale))
    }),
    function("mixmatch", 2, ANY, |args, context| {
        position(args, |a, b| {
            same(a, b, context.locale) || a.to_text().to_lowercase() == b.to_text().to_lowercase()
        })
    }),
    function("wildmatch", 2, ANY, |args, _| {
        position(args, |a, b| matches_wildcard(&a.to_text(), &b.to_text()))
    }),
    function("pick", 2, ANY, |args, context| {
        match num(args, 0, context) {
            Some(n) if n >= 1.0 => args.get(n as usize).cloned().unwrap_or(Value::Null),
            _ => Value::Null,
        }
    }),
    function("null", 0, 0, |_, _| Value::Null),
    function("isnull", 1, 1, |args, _| Value::boolean(args[0].is_null())),
    function("nullif", 2, 2, |args, context| {
        if same(&args[0], &args[1], context.locale) {
            Value::Null
        } else {
            args[0].clone()
        }
    }),
    function("emptyisnull", 1, 1, |args, _| {
        if args[0].to_text().is_empty() {
            Value::Null
        } else {
            args[0].clone()
        }
    }),
    function("isnum", 1, 1, |args, context| {
        Value::boolean(number(&args[0], context.locale).is_some())
    }),
    function("istext", 1, 1, |args, context| {
        Value::boolean(!args[0].is_null() && number(&args[0], context.locale).is_none())
    }),
    function("true", 0, 0, |_, _| Value::boolean(true)),
    function("false", 0, 0, |_, _| Value::boolean(false)),
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
