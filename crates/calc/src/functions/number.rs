//! General numeric, mathematical, exponential and trigonometric functions.

use std::f64::consts;

use satchel_data::Value;

use super::{Function, function, num};
use crate::eval::EvalContext;

macro_rules! of_one {
    ($name:literal, $f:expr) => {
        function($name, 1, 1, |args, context| {
            let f: fn(f64) -> f64 = $f;
            num(args, 0, context).map_or(Value::Null, |x| Value::num(f(x)))
        })
    };
}

macro_rules! of_two {
    ($name:literal, $f:expr) => {
        function($name, 2, 2, |args, context| {
            let f: fn(f64, f64) -> f64 = $f;
            match (num(args, 0, context), num(args, 1, context)) {
                (Some(x), Some(y)) => Value::num(f(x, y)),
                _ => Value::Null,
            }
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    of_one!("fabs", f64::abs),
    of_one!("sign", |x| if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        0.0
    }),
    of_one!("sqrt", f64::sqrt),
    of_one!("sqr", |x| x * x),
    of_one!("exp", f64::exp),
    of_one!("log", f64::ln),
    of_one!("log10", f64::log10),
    of_one!("frac", |x| x - x.floor()),
    of_one!("even", |x| parity(x, 0.0)),
    of_one!("odd", |x| parity(x, 1.0)),
    of_one!("bitcount", |x| f64::from((x as i64).count_ones())),
    of_one!("fact", |x| {
        if !(0.0..=170.0).contains(&x) {
            f64::NAN
        } else {
            (1..=x as u32).map(f64::from).product()
        }
    }),
    of_one!("sin", f64::sin),
    of_one!("cos", f64::cos),
    of_one!("tan", f64::tan),
    of_one!("asin", f64::asin),
    of_one!("acos", f64::acos),
    of_one!("atan", f64::atan),
    of_one!("sinh", f64::sinh),
    of_one!("cosh", f64::cosh),
    of_one!("tanh", f64::tanh),
    of_two!("atan2", f64::atan2),
    of_two!("pow", f64::powf),
    of_two!("fmod", |x, y| x % y),
    of_two!("mod", |x, y| {
        if x.fract() != 0.0 || y.fract() != 0.0 || y <= 0.0 {
            f64::NAN
        } else {
            x.rem_euclid(y)
        }
    }),
    of_two!("div", |x, y| (x / y).trunc()),
    of_two!("combin", |n, k| choose(n, k)),
    of_two!("permut", |n, k| {
        if k < 0.0 || n < k || k > 1000.0 {
            f64::NAN
        } else {
            (0..k as u32).map(|i| n - f64::from(i)).product()
        }
    }),
    function("pi", 0, 0, |_, _| Value::num(consts::PI)),
    function("e", 0, 0, |_, _| Value::num(consts::E)),
    function("round", 1, 3, |args, context| {
        stepped(args, context, round_half_up)
    }),
    function("floor", 1, 3, |args, context| {
        stepped(args, context, f64::floor)
    }),
    function("ceil", 1, 3, |args, context| {
        stepped(args, context, f64::ceil)
    }),
];

/// -1 if a whole number leaves `rest` when halved, else 0; NULL for a fraction.
fn parity(x: f64, rest: f64) -> f64 {
    if x.fract() != 0.0 {
        f64::NAN
    } else if (x % 2.0).abs() == rest {
        -1.0
    } else {
        0.0
    }
}

fn choose(n: f64, k: f64) -> f64 {
    if k < 0.0 || n < k || k > 1000.0 {
        return f64::NAN;
    }
    (0..k as u32)
        .fold(1.0, |c, i| c * (n - f64::from(i)) / f64::from(i + 1))
        .round()
}

/// Halves go up, also below zero: `Round(-2.5)` is -2.
fn round_half_up(x: f64) -> f64 {
    (x + 0.5).floor()
}

/// `F(x [, step [, offset]])`. Quotients within 1e-10 of a whole number count as it, so that
/// steps such as 0.1 work.
fn stepped(args: &[Value], context: &EvalContext<'_>, f: fn(f64) -> f64) -> Value {
    let Some(x) = num(args, 0, context) else {
        return Value::Null;
    };
    let step = if args.len() > 1 {
        num(args, 1, context)
    } else {
        Some(1.0)
    };
    let offset = if args.len() > 2 {
        num(args, 2, context)
    } else {
        Some(0.0)
    };
    let (Some(step), Some(offset)) = (step, offset) else {
        return Value::Null;
    };
    if step == 0.0 {
        return Value::Null;
    }
    let quotient = (x - offset) / step;
    let whole = quotient.round();
    let near = (quotient - whole).abs() < 1e-10 * whole.abs().max(1.0);
    let result = f(if near { whole } else { quotient }) * step + offset;
    // 3 × 0.1 is not 0.3: round to the 14 digits a number shows.
    Value::num(format!("{result:.13e}").parse().unwrap_or(result))
}
