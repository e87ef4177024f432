//! Range functions: aggregations over the arguments of a call.
//!
//! A text that reads as a number counts as one.

use satchel_data::Value;

use super::financial::money;
use super::{Function, function};
use crate::accumulator::Accumulator;
use crate::aggregate::AggKind;
use crate::cash_flow::{
    internal_rate, internal_rate_by_dates, present_value, present_value_by_dates,
};
use crate::eval::EvalContext;
use crate::operators::number;
use crate::statistics::{correlation, fractile, fractile_exclusive, kurtosis, skewness};

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "RangeSum(expression [, …])",
        "The sum of the numbers; 0 if there are none.",
        ("RangeSum(1, 2, 4)", "7"),
        |a, c| fold(AggKind::Sum, a, c),
    ),
    function(
        "RangeAvg(expression [, …])",
        "The mean of the numbers.",
        ("RangeAvg(1, 2, 4)", "2.3333333333333"),
        |a, c| fold(AggKind::Avg, a, c),
    ),
    function(
        "RangeMin(expression [, …])",
        "The smallest number.",
        ("RangeMin(1, 2, 4)", "1"),
        |a, c| fold(AggKind::Min, a, c),
    ),
    function(
        "RangeMax(expression [, …])",
        "The largest number.",
        ("RangeMax(1, 2, 4)", "4"),
        |a, c| fold(AggKind::Max, a, c),
    ),
    function(
        "RangeCount(expression [, …])",
        "How many arguments are not NULL.",
        ("RangeCount(1, 2, 4)", "3"),
        |a, c| fold(AggKind::Count, a, c),
    ),
    function(
        "RangeOnly(expression [, …])",
        "The value, if there is only one.",
        ("RangeOnly(5)", "5"),
        |a, c| fold(AggKind::Only, a, c),
    ),
    function(
        "RangeMode(expression [, …])",
        "The commonest value; NULL if several are.",
        ("RangeMode(1, 2, 9, 2, 4)", "2"),
        |a, c| fold(AggKind::Mode, a, c),
    ),
    function(
        "RangeStdev(expression [, …])",
        "The sample standard deviation.",
        ("RangeStdev(1, 2, 4)", "1.5275252316519"),
        |a, c| fold(AggKind::Stdev, a, c),
    ),
    function(
        "RangeMinString(expression [, …])",
        "The first text in order.",
        ("RangeMinString('1','2','4')", "1"),
        |a, c| fold(AggKind::MinString, a, c),
    ),
    function(
        "RangeMaxString(expression [, …])",
        "The last text in order.",
        ("RangeMaxString('xyz','abc')", "'xyz'"),
        |a, c| fold(AggKind::MaxString, a, c),
    ),
    function(
        "RangeNullCount(expression [, …])",
        "How many arguments are NULL.",
        ("RangeNullCount(null(), null())", "2"),
        |a, c| fold(AggKind::NullCount, a, c),
    ),
    function(
        "RangeNumericCount(expression [, …])",
        "How many arguments are numbers.",
        ("RangeNumericCount(1,'xyz','2')", "2"),
        |a, c| fold(AggKind::NumericCount, a, c),
    ),
    function(
        "RangeTextCount(expression [, …])",
        "How many arguments are texts.",
        ("RangeTextCount(1,'xyz','2')", "1"),
        |a, c| fold(AggKind::TextCount, a, c),
    ),
    function(
        "RangeMissingCount(expression [, …])",
        "How many arguments are no numbers.",
        ("RangeMissingCount('a',null(), 1)", "2"),
        |a, c| fold(AggKind::MissingCount, a, c),
    ),
    function(
        "RangeFractile(share, expression [, …])",
        "The number below which a share of the numbers lies, interpolated between neighbours.",
        ("RangeFractile(0.24, 1, 2, 4, 6)", "1.72"),
        |a, c| of_share(a, c, fractile),
    ),
    function(
        "RangeFractileExc(share, expression [, …])",
        "The number below which a share of the numbers lies, the least and the greatest excluded.",
        ("RangeFractileExc(0.25, 1, 2, 4, 6)", "1.25"),
        |a, c| of_share(a, c, fractile_exclusive),
    ),
    function(
        "RangeSkew(expression [, …])",
        "The skewness of the sample.",
        ("RangeSkew(1, 2, 4)", "0.93521952958282"),
        |a, c| Value::num(skewness(&numbers(a, c))),
    ),
    function(
        "RangeKurtosis(expression [, …])",
        "The excess kurtosis of the sample.",
        ("RangeKurtosis(1, 2, 4, 7)", "-0.28571428571429"),
        |a, c| Value::num(kurtosis(&numbers(a, c))),
    ),
    function(
        "RangeCorrel(x, y [, x, y, …])",
        "The correlation coefficient of pairs; NULL if one is not of numbers.",
        ("RangeCorrel(2, 3, 6, 8, 9, 4, 8, 5)", "0.24922239313961"),
        |a, c| {
            let all: Option<Vec<f64>> = a.iter().map(|v| number(v, c.locale)).collect();
            match all {
                Some(all) if all.len().is_multiple_of(2) => {
                    let pairs: Vec<_> = all.chunks_exact(2).map(|p| (p[0], p[1])).collect();
                    Value::num(correlation(&pairs))
                }
                _ => Value::Null,
            }
        },
    ),
    function(
        "RangeIRR(payment [, …])",
        "The rate a period at which payments at regular intervals are worth nothing.",
        (
            "RangeIRR(-70000, 12000, 15000, 18000, 21000, 26000)",
            "0.086630948036532",
        ),
        |a, c| Value::num(internal_rate(&numbers(a, c))),
    ),
    function(
        "RangeNPV(rate, payment [, …])",
        "The present value of payments at the end of each period.",
        (
            "RangeNPV(0.1, -10000, 3000, 4200, 6800)",
            "$1,188.44 (1188.4434123352)",
        ),
        |a, c| {
            let Some(rate) = number(&a[0], c.locale) else {
                return Value::Null;
            };
            let payments = numbers(&a[1..], c);
            if payments.is_empty() {
                return Value::Null;
            }
            money(present_value(payments.into_iter().map(|p| (rate, p))), c)
        },
    ),
    function(
        "RangeXIRR(payment, date [, payment, date, …])",
        "The rate a year of 365 days at which payments on dates are worth nothing.",
        (
            "RangeXIRR(-2500, '2008-01-01', 2750, '2008-09-01')",
            "0.15323917190945",
        ),
        |a, c| Value::num(internal_rate_by_dates(&dated(a, c))),
    ),
    function(
        "RangeXNPV(rate, payment, date [, payment, date, …])",
        "The present value, at the first date, of payments on dates.",
        (
            "RangeXNPV(0.1, -2500, '2008-01-01', 2750, '2008-09-01')",
            "$80.25 (80.25107293225)",
        ),
        |a, c| {
            let Some(rate) = number(&a[0], c.locale) else {
                return Value::Null;
            };
            let payments: Vec<_> = dated(&a[1..], c)
                .into_iter()
                .map(|(p, day)| (rate, p, day))
                .collect();
            money(present_value_by_dates(&payments), c)
        },
    ),
];

/// A text that reads as a number counts as one.
fn fold(kind: AggKind, args: &[Value], context: &EvalContext<'_>) -> Value {
    let mut accumulator = Accumulator::new(kind, false);
    for value in args {
        match (value, number(value, context.locale)) {
            (Value::Text(text), Some(num)) => {
                accumulator.push(&[Value::dual(num, text.clone())]);
            }
            _ => accumulator.push(std::slice::from_ref(value)),
        }
    }
    accumulator.finish()
}

/// The numbers among the arguments.
fn numbers(args: &[Value], context: &EvalContext<'_>) -> Vec<f64> {
    let numbers = args.iter().filter_map(|v| number(v, context.locale));
    numbers.collect()
}

/// Payments and their dates; a pair that is not of numbers is passed over.
fn dated(args: &[Value], context: &EvalContext<'_>) -> Vec<(f64, f64)> {
    let pair = |pair: &[Value]| {
        Some((
            number(&pair[0], context.locale)?,
            number(&pair[1], context.locale)?,
        ))
    };
    args.chunks_exact(2).filter_map(pair).collect()
}

/// A function of the share in the first argument and the numbers in the others.
fn of_share(args: &[Value], context: &EvalContext<'_>, f: fn(Vec<f64>, f64) -> f64) -> Value {
    match number(&args[0], context.locale) {
        Some(share) => Value::num(f(numbers(&args[1..], context), share)),
        None => Value::Null,
    }
}
