//! Virtual fields: `Aggr`, and aggregations with `TOTAL` within others.
//!
//! `Aggr(expression, A, B)` calculates the expression for each combination of A and B, as a
//! chart with these dimensions would. A record has the value of its combination. An aggregation
//! over it takes the value of each combination once, `NODISTINCT` in every combination with the
//! chart's dimensions (public reference of `Aggr`).

use rustc_hash::FxHashMap;
use satchel_calc::within;
use satchel_data::{FieldId, Value};
use satchel_syntax::{Call, Diagnostic, Expr, ExprKind, Name, SetExpr};

use crate::calculate::calculate;
use crate::dimension::{Dim, Source};
use crate::evaluate::measure_values;
use crate::over_rows::Layout;
use crate::program::measure_of;
use crate::{CalcError, Query, SortCriterion, SortOrder};

/// A field that is calculated for one question.
pub(crate) struct Virtual {
    dims: Vec<Dim>,
    /// By codes of the dimensions.
    values: FxHashMap<Vec<u32>, Value>,
    /// Whether each record has the value, not only the first one of a combination.
    pub every: bool,
}

impl std::fmt::Debug for Virtual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Virtual")
            .field("n_values", &self.values.len())
            .finish_non_exhaustive()
    }
}

impl Virtual {
    /// The fields that tell which value a record has.
    pub fn fields(&self) -> impl Iterator<Item = FieldId> {
        self.dims.iter().filter_map(Dim::field)
    }

    /// The combination that a record belongs to.
    pub fn key(&self, codes: &[(FieldId, u32)]) -> Vec<u32> {
        self.dims.iter().map(|d| d.code_of(codes)).collect()
    }

    /// The value for a record given by the codes of fields.
    pub fn value(&self, codes: &[(FieldId, u32)]) -> Value {
        self.of_key(&self.key(codes))
    }

    /// The value of a combination.
    pub fn of_key(&self, key: &[u32]) -> Value {
        self.values.get(key).cloned().unwrap_or(Value::Null)
    }
}

/// The virtual field that a call stands for, if it stands for one; `set` is the set around it.
pub(crate) fn virtual_field(
    query: &Query<'_>,
    call: &Call,
    set: Option<&SetExpr>,
    depth: u32,
) -> Option<Result<Virtual, CalcError>> {
    if call.name.eq_ignore_ascii_case("aggr") {
        return Some(aggr(query, call, set, depth));
    }
    // `Max(TOTAL Date)` within another aggregation: one value for all records.
    call.total.as_ref().filter(|fields| fields.is_empty())?;
    let expr = Expr {
        kind: ExprKind::Call(Box::new(call.clone())),
        span: call.name_span,
    };
    Some(calculated(query, &with_set(&expr, set), Vec::new(), &[], depth).map(every))
}

fn every(field: Virtual) -> Virtual {
    Virtual {
        every: true,
        ..field
    }
}

fn with_set(expr: &Expr, set: Option<&SetExpr>) -> Expr {
    match set {
        None => expr.clone(),
        Some(set) => Expr {
            span: expr.span,
            kind: ExprKind::WithSet {
                set: Box::new(set.clone()),
                expr: Box::new(expr.clone()),
            },
        },
    }
}

fn aggr(
    query: &Query<'_>,
    call: &Call,
    set: Option<&SetExpr>,
    depth: u32,
) -> Result<Virtual, CalcError> {
    let Some((expr, by)) = call.args.split_first().filter(|(_, by)| !by.is_empty()) else {
        let problem = Diagnostic::error(
            "expr.arguments",
            call.name_span,
            "`Aggr` takes an expression and at least one dimension",
        );
        return Err(wrong(
            problem.with_hint("write `Aggr(Sum(Sales), Customer)`"),
        ));
    };
    let mut dims = Vec::new();
    let mut sorts = Vec::new();
    for arg in by {
        let (arg, sort) = match &arg.kind {
            ExprKind::Sorted { expr, by } => (&**expr, criterion(by)?),
            _ => (arg, SortCriterion::default()),
        };
        let dim = Dim::of_tree(query, arg, depth + 1)?;
        if matches!(dim.source, Source::Rows(..) | Source::Made) {
            let problem = Diagnostic::error(
                "expr.not_supported",
                arg.span,
                "a dimension of `Aggr` over several fields or none is not supported",
            );
            let hint = "make it a field in the load script, or name the fields one by one";
            return Err(wrong(problem.with_hint(hint)));
        }
        dims.push(dim);
        sorts.push(sort);
    }
    let set = match &call.set {
        Some(own) => Some(within(own, set)),
        None => set.cloned(),
    };
    let field = calculated(query, &with_set(expr, set.as_ref()), dims, &sorts, depth)?;
    Ok(if call.no_distinct {
        every(field)
    } else {
        field
    })
}

fn calculated(
    query: &Query<'_>,
    expr: &Expr,
    dims: Vec<Dim>,
    sorts: &[SortCriterion],
    depth: u32,
) -> Result<Virtual, CalcError> {
    let mut aggs = Vec::new();
    let measure = measure_of(query, expr, &mut aggs, depth + 1, &[])?;
    let calculated = calculate(query, &dims, &aggs)?;
    let layout = if measure.over_rows.is_empty() {
        Layout::unordered(dims.len())
    } else {
        Layout::sorted(query, &dims, sorts, &calculated)?
    };
    let values = measure_values(query, &calculated, &measure, &layout)?;
    query
        .budget
        .charge_bytes((values.len() * (64 + 4 * dims.len())) as u64)?;
    let values = values
        .into_iter()
        .enumerate()
        .map(|(row, value)| (calculated.tuple(row).to_vec(), value))
        .collect();
    Ok(Virtual {
        dims,
        values,
        every: false,
    })
}

/// The order that words such as `NUMERIC, DESCENDING` ask for.
fn criterion(words: &[Name]) -> Result<SortCriterion, CalcError> {
    let mut sort = SortCriterion::default();
    let mut order = SortOrder::Ascending;
    let mut kind = None;
    for word in words {
        match word.text.to_ascii_uppercase().as_str() {
            "TEXT" | "NUMERIC" | "FREQUENCY" | "LOADORDER" => kind = Some(word),
            "ASC" | "ASCENDING" => order = SortOrder::Ascending,
            "DESC" | "DESCENDING" | "REVERSE" => order = SortOrder::Descending,
            _ => {
                let problem = Diagnostic::error(
                    "expr.unknown_order",
                    word.span,
                    format!("`{}` is no order", word.text),
                );
                let hint = "write TEXT, NUMERIC, FREQUENCY or LOADORDER, then ASCENDING or \
                            DESCENDING";
                return Err(wrong(problem.with_hint(hint)));
            }
        }
    }
    let kind = kind.map(|k| k.text.to_ascii_uppercase());
    match kind.as_deref() {
        Some("TEXT") => sort.ascii = order,
        Some("FREQUENCY") => sort.frequency = order,
        Some("LOADORDER") => sort.load_order = order,
        _ => sort.numeric = order,
    }
    Ok(sort)
}

fn wrong(problem: Diagnostic) -> CalcError {
    CalcError::Expression(vec![problem])
}
