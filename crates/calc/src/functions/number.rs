//! General numeric, mathematical, exponential and trigonometric functions.

use std::f64::consts;

use satchel_data::Value;

use super::{Function, function, num};
use crate::eval::EvalContext;

macro_rules! of_one {
    ($signature:literal, $doc:literal, $example:expr, $f:expr) => {
        function($signature, $doc, $example, |args, context| {
            let f: fn(f64) -> f64 = $f;
            num(args, 0, context).map_or(Value::Null, |x| Value::num(f(x)))
        })
    };
}

macro_rules! of_two {
    ($signature:literal, $doc:literal, $example:expr, $f:expr) => {
        function($signature, $doc, $example, |args, context| {
            let f: fn(f64, f64) -> f64 = $f;
            match (num(args, 0, context), num(args, 1, context)) {
                (Some(x), Some(y)) => Value::num(f(x, y)),
                _ => Value::Null,
            }
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    of_one!(
        "FAbs(x)",
        "The number without its sign.",
        ("FAbs(2.4)", "2.4"),
        f64::abs
    ),
    of_one!(
        "Sign(x)",
        "1, 0 or -1: above zero, zero, below zero.",
        ("Sign(66)", "1"),
        |x| if x > 0.0 {
            1.0
        } else if x < 0.0 {
            -1.0
        } else {
            0.0
        }
    ),
    of_one!(
        "Sqrt(x)",
        "The square root.",
        ("Sqrt(3)", "1.7320508075689"),
        f64::sqrt
    ),
    of_one!("Sqr(x)", "The square.", ("Sqr(5)", "25"), |x| x * x),
    of_one!(
        "Exp(x)",
        "e to the power of x.",
        ("Exp(3)", "20.085536923188"),
        f64::exp
    ),
    of_one!(
        "Log(x)",
        "The natural logarithm.",
        ("Log(3)", "1.0986122886681"),
        f64::ln
    ),
    of_one!(
        "Log10(x)",
        "The logarithm to base 10.",
        ("Log10(3)", "0.47712125471966"),
        f64::log10
    ),
    of_one!(
        "Frac(x)",
        "What is above the whole number below: `x - Floor(x)`.",
        ("Frac(11.43)", "0.43"),
        |x| x - x.floor()
    ),
    of_one!(
        "Even(n)",
        "Whether a whole number is even.",
        ("Even(3)", "0"),
        |x| parity(x, 0.0)
    ),
    of_one!(
        "Odd(n)",
        "Whether a whole number is odd.",
        ("Odd(3)", "-1"),
        |x| parity(x, 1.0)
    ),
    of_one!(
        "BitCount(n)",
        "How many bits of a whole number are set, of 64.",
        ("BitCount(3)", "2"),
        |x| f64::from((x as i64).count_ones())
    ),
    of_one!(
        "Fact(n)",
        "The factorial of a number that is not negative.",
        ("Fact(5)", "120"),
        |x| {
            if !(0.0..=170.0).contains(&x) {
                f64::NAN
            } else {
                (1..=x as u32).map(f64::from).product()
            }
        }
    ),
    of_one!(
        "Sin(x)",
        "The sine.",
        ("Sin(1)", "0.8414709848079"),
        f64::sin
    ),
    of_one!(
        "Cos(x)",
        "The cosine.",
        ("Cos(1)", "0.54030230586814"),
        f64::cos
    ),
    of_one!(
        "Tan(x)",
        "The tangent.",
        ("Tan(1)", "1.5574077246549"),
        f64::tan
    ),
    of_one!(
        "ASin(x)",
        "The angle with this sine.",
        ("ASin(1)", "1.5707963267949"),
        f64::asin
    ),
    of_one!(
        "ACos(x)",
        "The angle with this cosine.",
        ("ACos(0)", "1.5707963267949"),
        f64::acos
    ),
    of_one!(
        "ATan(x)",
        "The angle with this tangent.",
        ("ATan(1)", "0.78539816339745"),
        f64::atan
    ),
    of_one!(
        "SinH(x)",
        "The hyperbolic sine.",
        ("SinH(1)", "1.1752011936438"),
        f64::sinh
    ),
    of_one!(
        "CosH(x)",
        "The hyperbolic cosine.",
        ("CosH(1)", "1.5430806348152"),
        f64::cosh
    ),
    of_one!(
        "TanH(x)",
        "The hyperbolic tangent.",
        ("TanH(1)", "0.76159415595576"),
        f64::tanh
    ),
    of_one!(
        "ASinH(x)",
        "The number with this hyperbolic sine.",
        ("ASinH(1)", "0.88137358701954"),
        f64::asinh
    ),
    of_one!(
        "ACosH(x)",
        "The number from 0 up with this hyperbolic cosine.",
        ("ACosH(1)", "0"),
        f64::acosh
    ),
    of_one!(
        "ATanH(x)",
        "The number with this hyperbolic tangent.",
        ("ATanH(0.5)", "0.54930614433405"),
        f64::atanh
    ),
    of_two!(
        "ATan2(y, x)",
        "The angle of the point with these coordinates.",
        ("ATan2(1, 2)", "0.46364760900081"),
        f64::atan2
    ),
    of_two!(
        "Pow(x, y)",
        "x to the power of y.",
        ("Pow(3, 3)", "27"),
        f64::powf
    ),
    of_two!(
        "FMod(a, b)",
        "What remains of a when divided by b, with the sign of a.",
        ("FMod(7, 2)", "1"),
        |x, y| x % y
    ),
    of_two!(
        "Mod(n, divisor)",
        "What remains of a whole number when divided by a positive one; never negative.",
        ("Mod(7, 2)", "1"),
        |x, y| {
            if x.fract() != 0.0 || y.fract() != 0.0 || y <= 0.0 {
                f64::NAN
            } else {
                x.rem_euclid(y)
            }
        }
    ),
    of_two!(
        "Div(a, b)",
        "The whole part of a quotient.",
        ("Div(7, 2)", "3"),
        |x, y| (x / y).trunc()
    ),
    of_two!(
        "Combin(n, k)",
        "In how many ways k of n things can be picked.",
        ("Combin(35, 5)", "324632"),
        |n, k| choose(n, k)
    ),
    of_two!(
        "Permut(n, k)",
        "In how many ways k of n things can be picked in order.",
        ("Permut(8, 3)", "336"),
        |n, k| {
            if k < 0.0 || n < k || k > 1000.0 {
                f64::NAN
            } else {
                (0..k as u32).map(|i| n - f64::from(i)).product()
            }
        }
    ),
    function(
        "Pi()",
        "The ratio of a circle's circumference to its diameter.",
        ("Pi()", "3.1415926535898"),
        |_, _| Value::num(consts::PI),
    ),
    function(
        "E()",
        "The base of natural logarithms.",
        ("E()", "2.718281828459"),
        |_, _| Value::num(consts::E),
    ),
    function(
        "Round(x [, step [, offset]])",
        "The nearest multiple of a step, beginning at an offset; halves go up.",
        ("Round(3.8)", "4"),
        |args, context| stepped(args, context, round_half_up),
    ),
    function(
        "Floor(x [, step [, offset]])",
        "The multiple of a step at or below, beginning at an offset.",
        ("Floor(2.4)", "2"),
        |args, context| stepped(args, context, f64::floor),
    ),
    function(
        "Ceil(x [, step [, offset]])",
        "The multiple of a step at or above, beginning at an offset.",
        ("Ceil(2.4)", "3"),
        |args, context| stepped(args, context, f64::ceil),
    ),
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
