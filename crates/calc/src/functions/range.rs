//! Range functions: aggregations over the arguments of a call.

use satchel_data::Value;

use super::statistics::fractile;
use super::{ANY, Function, Run, function};
use crate::accumulator::Accumulator;
use crate::aggregate::AggKind;
use crate::eval::EvalContext;
use crate::operators::number;

pub(super) const FUNCTIONS: &[Function] = &[
    over("rangesum", |a, c| fold(AggKind::Sum, a, c)),
    over("rangeavg", |a, c| fold(AggKind::Avg, a, c)),
    over("rangemin", |a, c| fold(AggKind::Min, a, c)),
    over("rangemax", |a, c| fold(AggKind::Max, a, c)),
    over("rangecount", |a, c| fold(AggKind::Count, a, c)),
    over("rangeonly", |a, c| fold(AggKind::Only, a, c)),
    over("rangemode", |a, c| fold(AggKind::Mode, a, c)),
    over("rangestdev", |a, c| fold(AggKind::Stdev, a, c)),
    over("rangeminstring", |a, c| fold(AggKind::MinString, a, c)),
    over("rangemaxstring", |a, c| fold(AggKind::MaxString, a, c)),
    over("rangenullcount", |a, c| fold(AggKind::NullCount, a, c)),
    over("rangenumericcount", |a, c| {
        fold(AggKind::NumericCount, a, c)
    }),
    over("rangetextcount", |a, c| fold(AggKind::TextCount, a, c)),
    over("rangemissingcount", |a, c| {
        fold(AggKind::MissingCount, a, c)
    }),
    function("rangefractile", 2, ANY, range_fractile),
];

const fn over(name: &'static str, run: Run) -> Function {
    function(name, 1, ANY, run)
}

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

/// `RangeFractile(share, …)`.
fn range_fractile(args: &[Value], context: &EvalContext<'_>) -> Value {
    let numbers = args[1..].iter().filter_map(|v| number(v, context.locale));
    match number(&args[0], context.locale) {
        Some(share) => fractile(numbers.collect(), share),
        None => Value::Null,
    }
}
