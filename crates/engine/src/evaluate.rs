//! Expressions without dimensions, and expressions evaluated for each value of a field.

use std::sync::Arc;

use satchel_base::Stop;
use satchel_calc::{RowValues, eval, eval_truth};
use satchel_data::{BitSet, FieldId, Value};

use crate::calculate::{Calculated, calculate};
use crate::dimension::Dim;
use crate::over_rows::{Column, Layout};
use crate::program::{AggSpec, Measure, compile_measure, with_context};
use crate::{CalcError, Query, StateSelections};

/// After so many rows of expressions a calculation looks whether it is cancelled: some
/// milliseconds even for long ones.
const CHECKED_EVERY: usize = 1024;

/// A row of results, for the part of an expression outside its aggregations.
struct Results<'a> {
    calculated: &'a Calculated,
    measure: &'a Measure,
    /// Of the measure's functions over rows.
    over_rows: &'a [Column],
    row: usize,
}

impl RowValues for Results<'_> {
    fn field(&self, _slot: u32) -> Value {
        Value::Null
    }

    fn agg(&self, index: usize) -> Value {
        match self.measure.aggs.get(index) {
            Some(agg) => self.calculated.value(*agg, self.row),
            None => Value::Null,
        }
    }

    fn over_rows(&self, index: usize) -> Value {
        self.over_rows
            .get(index)
            .and_then(|c| c.results(self.row).first())
            .cloned()
            .unwrap_or(Value::Null)
    }

    fn spread(&self, index: usize, out: &mut Vec<Value>) {
        if let Some(column) = self.over_rows.get(index) {
            out.extend_from_slice(column.results(self.row));
        }
    }
}

/// The results of the functions over rows of a measure.
fn over_rows(
    query: &Query<'_>,
    calculated: &Calculated,
    measure: &Measure,
    layout: &Layout,
) -> Result<Vec<Column>, Stop> {
    let functions = measure.over_rows.iter();
    functions
        .map(|f| f.column(query, calculated, layout))
        .collect()
}

/// The value of a measure in each row.
pub(crate) fn measure_values(
    query: &Query<'_>,
    calculated: &Calculated,
    measure: &Measure,
    layout: &Layout,
) -> Result<Vec<Value>, Stop> {
    if let (Some(_), [agg]) = (measure.program.as_single_agg(), measure.aggs.as_slice()) {
        return Ok((0..calculated.n_rows)
            .map(|row| calculated.value(*agg, row))
            .collect());
    }
    let over_rows = over_rows(query, calculated, measure, layout)?;
    with_context(query, |ctx| {
        (0..calculated.n_rows)
            .map(|row| {
                if row % CHECKED_EVERY == 0 {
                    query.budget.check()?;
                }
                let results = Results {
                    calculated,
                    measure,
                    over_rows: &over_rows,
                    row,
                };
                Ok(eval(&measure.program, &results, ctx))
            })
            .collect()
    })?
}

impl Query<'_> {
    /// The value of an expression over all dimensions; a leading `=` is allowed.
    ///
    /// # Errors
    /// [`CalcError`] if the text is wrong or the budget ends.
    pub fn evaluate(&self, text: &str) -> Result<Value, CalcError> {
        evaluate_at(self, text, 0)
    }

    /// The text with every `$()` replaced.
    ///
    /// # Errors
    /// [`CalcError`] if an expression in it is wrong or the budget ends.
    pub fn expand(&self, text: &str) -> Result<String, CalcError> {
        crate::program::expand(self, text, 0)
    }

    /// What is wrong with an expression, without evaluating it.
    ///
    /// # Errors
    /// [`CalcError`] as an evaluation would give it.
    pub fn check(&self, text: &str) -> Result<(), CalcError> {
        compile_measure(self, text, &mut Vec::new(), 0).map(|_| ())
    }
}

pub(crate) fn evaluate_at(query: &Query<'_>, text: &str, depth: u32) -> Result<Value, CalcError> {
    // Variables may stand in variables, so that short texts ask for very many evaluations.
    query.budget.check()?;
    let mut aggs: Vec<AggSpec> = Vec::new();
    let measure = compile_measure(query, text, &mut aggs, depth)?;
    let calculated = calculate(query, &[], &aggs)?;
    Ok(
        measure_values(query, &calculated, &measure, &Layout::unordered(0))?
            .into_iter()
            .next()
            .unwrap_or(Value::Null),
    )
}

/// Rows in load order, if the measure looks at other rows at all.
pub(crate) fn layout_for(
    query: &Query<'_>,
    dims: &[Dim],
    measure: &Measure,
    calculated: &Calculated,
) -> Result<Layout, CalcError> {
    if measure.over_rows.is_empty() {
        return Ok(Layout::unordered(dims.len()));
    }
    Layout::sorted(query, dims, &[], calculated)
}

/// The codes of `field` for which an expression is true under some selections.
pub(crate) fn values_where(
    query: &Query<'_>,
    field: FieldId,
    text: &str,
    selections: &Arc<StateSelections>,
    depth: u32,
) -> Result<BitSet, CalcError> {
    let mut all = query.selections.clone();
    all.set_state(query.state, selections.clone());
    let query = Query {
        selections: &all,
        ..*query
    };
    let mut aggs = Vec::new();
    let measure = compile_measure(&query, text, &mut aggs, depth)?;
    let dims = [Dim::of_field(&query, field)];
    let calculated = calculate(&query, &dims, &aggs)?;
    // NULL is no value that could be found.
    let layout = layout_for(&query, &dims, &measure, &calculated)?
        .without(|row| calculated.tuple(row)[0] == dims[0].null());
    let over_rows = over_rows(&query, &calculated, &measure, &layout)?;
    let mut codes = BitSet::none(query.engine.core.n_symbols(field));
    with_context(&query, |ctx| {
        for row in 0..calculated.n_rows {
            if row % CHECKED_EVERY == 0 {
                query.budget.check()?;
            }
            let results = Results {
                calculated: &calculated,
                measure: &measure,
                over_rows: &over_rows,
                row,
            };
            if eval_truth(&measure.program, &results, ctx) {
                codes.insert(calculated.tuple(row)[0] as usize);
            }
        }
        Ok::<_, Stop>(())
    })??;
    Ok(codes)
}

/// The value of an expression for each code of a dimension's values; NULL for those without
/// a record.
pub(crate) fn values_by(query: &Query<'_>, dim: &Dim, text: &str) -> Result<Vec<Value>, CalcError> {
    let mut aggs = Vec::new();
    let measure = compile_measure(query, text, &mut aggs, 0)?;
    let calculated = calculate(query, std::slice::from_ref(dim), &aggs)?;
    let layout = layout_for(query, std::slice::from_ref(dim), &measure, &calculated)?;
    query.budget.charge_bytes(24 * (dim.n_codes as u64 + 1))?;
    let mut values = vec![Value::Null; dim.n_codes + 1];
    for (row, value) in measure_values(query, &calculated, &measure, &layout)?
        .into_iter()
        .enumerate()
    {
        values[calculated.tuple(row)[0] as usize] = value;
    }
    Ok(values)
}
