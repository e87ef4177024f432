//! Financial functions: annuities and the price of an option.
//!
//! Money paid out is negative, money received positive. What is documented as money shows in
//! the locale's money format.

use satchel_data::Value;

use super::{Function, format_number, function, num, num_or, text};
use crate::cash_flow::root;
use crate::eval::EvalContext;
use crate::statistics::normal_below;

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "BlackAndSchole(strike, time_left, underlying_price, volatility, risk_free_rate, type)",
        "The theoretical price of a European option by the model of Black and Scholes; type is 'c', 'call' or not 0 for a call, 'p', 'put' or 0 for a put.",
        (
            "BlackAndSchole(130, 4, 68.5, 0.4, 0.04, 'call')",
            "11.245096525549",
        ),
        black_and_schole,
    ),
    function(
        "FV(rate, n_periods, payment [, present_value [, type]])",
        "The future value of constant payments; type 1 pays at the beginning of a period.",
        ("FV(0.005, 36, -20)", "$786.72 (786.72209929368)"),
        |args, context| {
            annuity(args, context, |rate, n, payment, present, due| {
                let (growth, series) = growth(rate, n, due);
                -(present * growth + payment * series)
            })
        },
    ),
    function(
        "nPer(rate, payment, present_value [, future_value [, type]])",
        "How many periods constant payments take.",
        ("nPer(0.005, -20, 0, 800)", "36.555396359192"),
        |args, context| {
            numbers(args, context).map_or(Value::Null, |[rate, payment, present, future, due]| {
                Value::num(if rate == 0.0 {
                    -(present + future) / payment
                } else {
                    let part = payment * (1.0 + rate * due) / rate;
                    ((part - future) / (part + present)).ln() / rate.ln_1p()
                })
            })
        },
    ),
    function(
        "Pmt(rate, n_periods, present_value [, future_value [, type]])",
        "The constant payment of a loan.",
        ("Pmt(0.1/12, 8, 20000)", "-$2,594.66 (-2594.6576138435)"),
        |args, context| {
            annuity(args, context, |rate, n, present, future, due| {
                let (growth, series) = growth(rate, n, due);
                -(future + present * growth) / series
            })
        },
    ),
    function(
        "PV(rate, n_periods, payment [, future_value [, type]])",
        "The present value of constant payments.",
        (
            "PV(0.07/12, 12*5, -100, 0, 0)",
            "$5,050.20 (5050.1993501164)",
        ),
        |args, context| {
            annuity(args, context, |rate, n, payment, future, due| {
                let (growth, series) = growth(rate, n, due);
                -(future + payment * series) / growth
            })
        },
    ),
    function(
        "Rate(n_periods, payment, present_value [, future_value [, type]])",
        "The rate a period of constant payments; NULL if none is found.",
        ("Rate(60, -300, 10000)", "2.18% (0.021750422873723)"),
        |args, context| {
            numbers(args, context).map_or(Value::Null, |[n, payment, present, future, due]| {
                let rate = root(&|rate| {
                    let (growth, series) = growth(rate, n, due);
                    future + present * growth + payment * series
                });
                if rate.is_finite() {
                    Value::dual(rate, format_number(rate, "0.00%", context.locale))
                } else {
                    Value::Null
                }
            })
        },
    ),
];

/// Three numbers and two that are 0 if left out; the last counts as 0 or 1.
fn numbers(args: &[Value], context: &EvalContext<'_>) -> Option<[f64; 5]> {
    Some([
        num(args, 0, context)?,
        num(args, 1, context)?,
        num(args, 2, context)?,
        num_or(args, 3, context, 0.0)?,
        f64::from(num_or(args, 4, context, 0.0)? != 0.0),
    ])
}

/// What one unit grows to in `n` periods, and what a payment of one unit a period does.
fn growth(rate: f64, n: f64, due: f64) -> (f64, f64) {
    let growth = (1.0 + rate).powf(n);
    let series = if rate == 0.0 {
        n
    } else {
        // `growth - 1` without loss for small rates.
        (n * rate.ln_1p()).exp_m1() / rate * (1.0 + rate * due)
    };
    (growth, series)
}

fn annuity(
    args: &[Value],
    context: &EvalContext<'_>,
    value: fn(f64, f64, f64, f64, f64) -> f64,
) -> Value {
    numbers(args, context).map_or(Value::Null, |[a, b, c, d, due]| {
        money(value(a, b, c, d, due), context)
    })
}

/// An amount of money in the locale's format.
pub(super) fn money(amount: f64, context: &EvalContext<'_>) -> Value {
    if amount.is_finite() {
        Value::dual(amount, context.locale.money.format(amount, context.locale))
    } else {
        Value::Null
    }
}

fn black_and_schole(args: &[Value], context: &EvalContext<'_>) -> Value {
    let (Some(strike), Some(time), Some(price), Some(volatility), Some(rate)) = (
        num(args, 0, context).filter(|n| *n > 0.0),
        num(args, 1, context).filter(|n| *n > 0.0),
        num(args, 2, context).filter(|n| *n > 0.0),
        num(args, 3, context).filter(|n| *n != 0.0),
        num(args, 4, context).filter(|n| *n != 0.0),
    ) else {
        return Value::Null;
    };
    let call = match (num(args, 5, context), text(args, 5)) {
        (Some(n), _) => n != 0.0,
        (None, Some(kind)) => match kind.to_lowercase().as_str() {
            "c" | "call" => true,
            "p" | "put" => false,
            _ => return Value::Null,
        },
        (None, None) => return Value::Null,
    };
    let spread = volatility * time.sqrt();
    let d1 = ((price / strike).ln() + (rate + volatility * volatility / 2.0) * time) / spread;
    let d2 = d1 - spread;
    let discounted = strike * (-rate * time).exp();
    Value::num(if call {
        price * normal_below(d1) - discounted * normal_below(d2)
    } else {
        discounted * normal_below(-d2) - price * normal_below(-d1)
    })
}
