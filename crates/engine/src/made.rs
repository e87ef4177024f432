//! Dimensions whose values are in no table: `ValueList` and `ValueLoop`.
//!
//! A chart shows each of their values beside each group of its other dimensions. A measure asks
//! for the value of its row by writing the same call again. Rules: the public reference of the
//! synthetic dimension functions.

use rustc_hash::FxHashSet;
use satchel_calc::eval;
use satchel_data::{SymbolKey, Value};
use satchel_syntax::{Call, Diagnostic};

use crate::calculate::{Calculated, calculate};
use crate::dimension::{CodeRow, Dim};
use crate::program::{AggSpec, row_program, with_context};
use crate::{CalcError, Query};

/// At most so many values: more than any chart shows.
const MAX_VALUES: usize = 100_000;

/// The values that a call makes up, each once; `None` if it is another call.
pub(crate) fn values(
    query: &Query<'_>,
    call: &Call,
    depth: u32,
) -> Option<Result<Vec<Value>, CalcError>> {
    match call.name.to_lowercase().as_str() {
        "valuelist" => Some(list(query, call, depth)),
        "valueloop" => Some(range(query, call, depth)),
        _ => None,
    }
}

fn list(query: &Query<'_>, call: &Call, depth: u32) -> Result<Vec<Value>, CalcError> {
    if call.args.is_empty() {
        return Err(wrong(
            call,
            "`ValueList` takes at least 1 argument, found 0",
        ));
    }
    let mut seen = FxHashSet::default();
    let mut values = arguments(query, call, depth)?;
    values.retain(|v| SymbolKey::of(v).is_some_and(|key| seen.insert(key)));
    Ok(values)
}

fn range(query: &Query<'_>, call: &Call, depth: u32) -> Result<Vec<Value>, CalcError> {
    let n = call.args.len();
    if !(1..=3).contains(&n) {
        let message = format!("`ValueLoop` takes 1 to 3 arguments, found {n}");
        return Err(wrong(call, message));
    }
    let given = arguments(query, call, depth)?;
    let number = |at: usize| given.get(at).map(|v| v.as_num().filter(|n| n.is_finite()));
    let from = number(0).flatten();
    let to = number(1).unwrap_or(from);
    let (Some(from), Some(to), Some(step)) = (from, to, number(2).unwrap_or(Some(1.0))) else {
        return Err(wrong(call, "`ValueLoop` takes numbers"));
    };
    if step == 0.0 {
        return Err(wrong(call, "the step of `ValueLoop` is 0"));
    }
    let n = ((to - from) / step).floor();
    if n < 0.0 {
        return Ok(Vec::new());
    }
    if n >= MAX_VALUES as f64 {
        let message = format!("`ValueLoop` makes more than {MAX_VALUES} values");
        return Err(wrong(call, message));
    }
    Ok((0..=n as usize)
        .map(|i| Value::num(from + i as f64 * step))
        .collect())
}

/// The arguments, which no record tells.
fn arguments(query: &Query<'_>, call: &Call, depth: u32) -> Result<Vec<Value>, CalcError> {
    call.args
        .iter()
        .map(|arg| {
            let program = row_program(query, arg, depth + 1)?;
            if !program.fields.is_empty() {
                let problem = Diagnostic::error(
                    "expr.not_constant",
                    arg.span,
                    format!("`{}` takes values that no record changes", call.name),
                );
                let hint = "write a number, a text, or $(=Max(Field))";
                return Err(CalcError::Expression(vec![problem.with_hint(hint)]));
            }
            let row = CodeRow {
                query,
                codes: &[],
                virtuals: &program.virtuals,
            };
            Ok(with_context(query, |ctx| {
                eval(&program.program, &row, ctx)
            })?)
        })
        .collect()
}

fn wrong(call: &Call, message: impl Into<String>) -> CalcError {
    let problem = Diagnostic::error("expr.arguments", call.name_span, message);
    let hint = "as in ValueList('Plan', 'Actual') or ValueLoop(1, 12)";
    CalcError::Expression(vec![problem.with_hint(hint)])
}

/// [`calculate`] with made-up dimensions: the groups of the others, beside each of their values.
pub(crate) fn beside(
    query: &Query<'_>,
    dims: &[Dim],
    aggs: &[AggSpec],
) -> Result<Calculated, CalcError> {
    let real: Vec<usize> = (0..dims.len()).filter(|d| !dims[*d].is_made()).collect();
    let shown: Vec<Dim> = real.iter().map(|d| dims[*d].clone()).collect();
    let calculated = calculate(query, &shown, aggs)?;
    let mut rows: Vec<(usize, Vec<u32>)> = Vec::new();
    for row in 0..calculated.n_rows {
        let mut tuples = vec![vec![0; dims.len()]];
        for (place, code) in real.iter().zip(calculated.tuple(row)) {
            tuples[0][*place] = *code;
        }
        for (place, dim) in dims.iter().enumerate().filter(|(_, d)| d.is_made()) {
            let n = tuples.len() * dim.n_codes;
            query.budget.charge_rows(n as u64)?;
            query
                .budget
                .charge_bytes((n * (48 + 4 * dims.len())) as u64)?;
            tuples = tuples
                .iter()
                .flat_map(|tuple| {
                    (0..dim.n_codes as u32).map(|code| {
                        let mut tuple = tuple.clone();
                        tuple[place] = code;
                        tuple
                    })
                })
                .collect();
        }
        rows.extend(tuples.into_iter().map(|tuple| (row, tuple)));
    }
    Ok(Calculated::joined(dims, aggs, vec![(calculated, rows)]))
}
