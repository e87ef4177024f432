//! From the text of a chart expression to programs and the aggregations they need.

use std::cell::RefCell;
use std::sync::Arc;

use satchel_base::Stop;
use satchel_calc::{
    AggKind, Computed, EvalContext, HostFunction, Mode, Program, Scope, Total, compile,
};
use satchel_data::FieldId;
use satchel_syntax::{
    Call, Diagnostic, Expansion, Expr, ExprKind, SetExpr, Span, expand_dollar, parse_expression,
};

use crate::aggr::Virtual;
use crate::over_rows::OverRows;
use crate::records::Records;
use crate::selection_functions::SelectionFunctions;
use crate::{CalcError, MeasureDef, Query};

/// Slots from here on are virtual fields.
pub(crate) const FIRST_VIRTUAL: u32 = 1 << 30;

/// How often expressions may evaluate expressions (`$(=…)`, searches) within each other.
const MAX_NESTING: u32 = 8;

/// A measure: a scalar program over aggregations.
pub(crate) struct Measure {
    pub program: Program,
    /// By index of the program's aggregations: which of the shared list it is.
    pub aggs: Vec<usize>,
    /// The functions over rows that the program names by index.
    pub over_rows: Vec<OverRows>,
}

/// An expression over one record.
pub(crate) struct RowProgram {
    pub program: Program,
    /// The fields it reads, also through virtual ones.
    pub fields: Vec<FieldId>,
    /// The virtual fields it reads, by slot.
    pub virtuals: Vec<(u32, Arc<Virtual>)>,
}

/// One aggregation, its set of records resolved.
pub(crate) struct AggSpec {
    pub kind: AggKind,
    pub distinct: bool,
    /// `Some`: over all dimensions but those of these fields.
    pub total: Option<Vec<FieldId>>,
    pub records: Records,
    /// Row expressions; slots are field ids. Empty for `Count(*)`.
    pub args: Vec<Program>,
    /// The fields the arguments read, also through virtual ones.
    pub fields: Vec<FieldId>,
    /// The virtual fields the arguments read, by slot.
    pub virtuals: Vec<(u32, Arc<Virtual>)>,
}

impl AggSpec {
    /// The aggregation's only argument, if it is a bare field.
    pub fn single_field(&self) -> Option<FieldId> {
        match self.args.as_slice() {
            [arg] if self.virtuals.is_empty() => arg.as_single_field().map(FieldId),
            _ => None,
        }
    }

    fn same(&self, other: &Self) -> bool {
        self.single_field().is_some()
            && self.single_field() == other.single_field()
            && (self.kind, self.distinct) == (other.kind, other.distinct)
            && self.total == other.total
            && self.records == other.records
    }
}

fn invalid(code: &'static str, message: String) -> CalcError {
    CalcError::Expression(vec![Diagnostic::error(code, Span::default(), message)])
}

fn check_depth(depth: u32) -> Result<(), CalcError> {
    if depth <= MAX_NESTING {
        return Ok(());
    }
    Err(invalid(
        "expr.too_deep",
        format!("expressions evaluate each other more than {MAX_NESTING} levels deep"),
    ))
}

/// The text with `$()` replaced.
pub(crate) fn expand(query: &Query<'_>, text: &str, depth: u32) -> Result<String, CalcError> {
    expanded(query, text, depth).map(|e| e.text)
}

/// Calls `f` with the text with `$()` replaced; what is wrong with it is told in places of the
/// text as it was written.
pub(crate) fn with_expanded<T>(
    query: &Query<'_>,
    text: &str,
    depth: u32,
    f: impl FnOnce(&str) -> Result<T, CalcError>,
) -> Result<T, CalcError> {
    let expansion = expanded(query, text, depth)?;
    f(&expansion.text).map_err(|error| match error {
        CalcError::Expression(mut all) if expansion.changed => {
            for diagnostic in &mut all {
                diagnostic.span = expansion.source_span(diagnostic.span);
            }
            CalcError::Expression(all)
        }
        error => error,
    })
}

/// The error with all its places moved to one: for a text within another.
pub(crate) fn all_at(error: CalcError, span: Span) -> CalcError {
    match error {
        CalcError::Expression(mut all) => {
            all.iter_mut().for_each(|d| d.span = span);
            CalcError::Expression(all)
        }
        error => error,
    }
}

fn expanded(query: &Query<'_>, text: &str, depth: u32) -> Result<Expansion, CalcError> {
    check_depth(depth)?;
    if !text.contains("$(") {
        return Ok(expand_dollar(text, &mut |_, _| None));
    }
    let mut failed: Option<(CalcError, usize)> = None;
    // How many names stood for nothing before the one that failed.
    let mut n_missing = 0;
    let expanded = expand_dollar(text, &mut |name, args| {
        if failed.is_some() {
            return None;
        }
        let name = name.trim();
        let definition = match name.strip_prefix('=') {
            Some(_) => Some(name.to_owned()),
            None => query.lookup.variable(name),
        };
        let Some(mut definition) = definition else {
            n_missing += usize::from(!name.is_empty());
            return None;
        };
        if !definition.trim_start().starts_with('=') {
            return Some(definition);
        }
        for (i, arg) in args.iter().enumerate() {
            definition = definition.replace(&format!("${}", i + 1), arg);
        }
        match crate::evaluate::evaluate_at(query, &definition, depth + 1) {
            Ok(value) => Some(value.to_text()),
            Err(error) => {
                failed.get_or_insert((error, n_missing));
                n_missing += 1;
                None
            }
        }
    });
    match failed {
        Some((error, at)) => {
            let whole = expanded.missing_at.get(at).copied().unwrap_or_default();
            Err(all_at(error, whole))
        }
        None if expanded.diagnostics.iter().any(Diagnostic::is_error) => {
            Err(CalcError::Expression(expanded.diagnostics))
        }
        None => Ok(expanded),
    }
}

/// The field that the whole text names: `Region`, `Order Date`, `[Order Date]`, `=Region`.
pub(crate) fn single_field(query: &Query<'_>, text: &str) -> Option<FieldId> {
    if let Some(field) = query.engine.field(text) {
        return Some(field);
    }
    let (tree, diagnostics) = parse_expression(text);
    match tree.kind {
        ExprKind::Field(name) if !diagnostics.iter().any(Diagnostic::is_error) => {
            query.engine.field(&name)
        }
        _ => None,
    }
}

/// What an expression says of its values: `$date`, `$timestamp`.
pub(crate) fn date_tags_of(query: &Query<'_>, text: &str) -> &'static [&'static str] {
    match expand(query, text, 0) {
        Ok(text) => satchel_calc::date_tags(&parse_expression(&text).0),
        Err(_) => &[],
    }
}

/// Compiles an expression over one record, such as a dimension.
pub(crate) fn row_program(
    query: &Query<'_>,
    tree: &Expr,
    depth: u32,
) -> Result<RowProgram, CalcError> {
    let scope = ChartScope::new(query, Vec::new(), depth, &[]);
    let (program, diagnostics) = compile(tree, Mode::Row, &scope);
    scope.finish(&diagnostics)?;
    let virtuals = scope.virtuals_of(std::iter::once(&program));
    Ok(RowProgram {
        fields: real_fields(std::iter::once(&program), &virtuals),
        program,
        virtuals,
    })
}

/// Compiles a measure; its aggregations are added to `aggs` unless they are there.
pub(crate) fn compile_measure(
    query: &Query<'_>,
    text: &str,
    aggs: &mut Vec<AggSpec>,
    depth: u32,
) -> Result<Measure, CalcError> {
    compile_column(query, text, aggs, depth, &[])
}

/// Compiles a measure of a chart whose measures are `columns`, for `Column(n)`.
pub(crate) fn compile_column(
    query: &Query<'_>,
    text: &str,
    aggs: &mut Vec<AggSpec>,
    depth: u32,
    columns: &[MeasureDef],
) -> Result<Measure, CalcError> {
    with_expanded(query, text, depth, |text| {
        let (tree, diagnostics) = parse_expression(text);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(CalcError::Expression(diagnostics));
        }
        measure_of(query, &tree, aggs, depth, columns)
    })
}

/// Compiles the tree of a measure.
pub(crate) fn measure_of(
    query: &Query<'_>,
    tree: &Expr,
    aggs: &mut Vec<AggSpec>,
    depth: u32,
    columns: &[MeasureDef],
) -> Result<Measure, CalcError> {
    check_depth(depth)?;
    let scope = ChartScope::new(query, std::mem::take(aggs), depth, columns);
    let measure = scope.measure_of(tree);
    // Also after an error: measures that are there already name them by place.
    *aggs = scope.aggs.take();
    measure.map(|(program, slots)| Measure {
        program,
        aggs: slots,
        over_rows: scope.over_rows.into_inner(),
    })
}

/// The place of an aggregation among the shared ones.
fn add_spec(aggs: &mut Vec<AggSpec>, spec: AggSpec) -> usize {
    if let Some(known) = aggs.iter().position(|a| a.same(&spec)) {
        return known;
    }
    aggs.push(spec);
    aggs.len() - 1
}

/// The fields that programs read, those behind virtual ones included.
fn real_fields<'p>(
    programs: impl IntoIterator<Item = &'p Program>,
    virtuals: &[(u32, Arc<Virtual>)],
) -> Vec<FieldId> {
    let mut fields: Vec<FieldId> = programs
        .into_iter()
        .flat_map(|p| &p.fields)
        .filter(|s| **s < FIRST_VIRTUAL)
        .map(|s| FieldId(*s))
        .chain(virtuals.iter().flat_map(|(_, v)| v.fields()))
        .collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// The names of a chart expression: the visible fields, master measures, and what charts alone
/// can calculate.
struct ChartScope<'a> {
    query: &'a Query<'a>,
    depth: u32,
    /// The measures of the chart.
    columns: &'a [MeasureDef],
    aggs: RefCell<Vec<AggSpec>>,
    virtuals: RefCell<Vec<Arc<Virtual>>>,
    over_rows: RefCell<Vec<OverRows>>,
    /// Why compiling ended before its time.
    stopped: RefCell<Option<CalcError>>,
}

impl<'a> ChartScope<'a> {
    fn new(
        query: &'a Query<'a>,
        aggs: Vec<AggSpec>,
        depth: u32,
        columns: &'a [MeasureDef],
    ) -> Self {
        Self {
            query,
            depth,
            columns,
            aggs: RefCell::new(aggs),
            virtuals: RefCell::default(),
            over_rows: RefCell::default(),
            stopped: RefCell::default(),
        }
    }

    /// The program of a measure, and the places of its aggregations.
    fn measure_of(&self, tree: &Expr) -> Result<(Program, Vec<usize>), CalcError> {
        let query = self.query;
        let (program, mut diagnostics) = compile(tree, Mode::Chart, self);
        self.finish(&diagnostics)?;
        let mut slots = Vec::new();
        for call in &program.aggs {
            let records = match &call.set {
                None => Records::Selection(query.current()),
                Some(set) => crate::set::resolve(query, set, self.depth, &mut diagnostics)?,
            };
            let virtuals = self.virtuals_of(&call.args);
            let spec = AggSpec {
                kind: call.kind,
                distinct: call.distinct,
                total: call.total.as_ref().map(|t| match t {
                    Total::All => Vec::new(),
                    Total::Except(slots) => slots.iter().map(|s| FieldId(*s)).collect(),
                }),
                records,
                args: call.args.clone(),
                fields: real_fields(&call.args, &virtuals),
                virtuals,
            };
            slots.push(add_spec(&mut self.aggs.borrow_mut(), spec));
        }
        self.finish(&diagnostics)?;
        Ok((program, slots))
    }

    fn finish(&self, diagnostics: &[Diagnostic]) -> Result<(), CalcError> {
        if let Some(stopped) = self.stopped.borrow_mut().take() {
            return Err(stopped);
        }
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(CalcError::Expression(diagnostics.to_vec()));
        }
        Ok(())
    }

    /// The virtual fields that programs read, with their slots.
    fn virtuals_of<'p>(
        &self,
        programs: impl IntoIterator<Item = &'p Program>,
    ) -> Vec<(u32, Arc<Virtual>)> {
        let virtuals = self.virtuals.borrow();
        let mut slots: Vec<u32> = programs
            .into_iter()
            .flat_map(|p| p.fields.iter().copied())
            .filter(|s| *s >= FIRST_VIRTUAL)
            .collect();
        slots.sort_unstable();
        slots.dedup();
        slots
            .into_iter()
            .map(|s| (s, virtuals[(s - FIRST_VIRTUAL) as usize].clone()))
            .collect()
    }

    fn keep<T>(&self, result: Result<T, CalcError>) -> Computed<T> {
        result.map_err(|error| match error {
            CalcError::Expression(diagnostics) => diagnostics,
            stop => {
                self.stopped.borrow_mut().get_or_insert(stop);
                Vec::new()
            }
        })
    }
}

impl Scope for ChartScope<'_> {
    fn field(&self, name: &str) -> Option<u32> {
        self.query.engine.field(name).map(|f| f.0)
    }

    fn field_names(&self) -> Vec<String> {
        let view = self.query.engine.view();
        view.fields()
            .map(|f| view.model().field(f).name.clone())
            .collect()
    }

    fn virtual_field(&self, call: &Call, set: Option<&SetExpr>) -> Option<Computed<u32>> {
        let virtual_field = crate::aggr::virtual_field(self.query, call, set, self.depth)?;
        Some(self.keep(virtual_field).map(|field| {
            let mut virtuals = self.virtuals.borrow_mut();
            virtuals.push(Arc::new(field));
            FIRST_VIRTUAL + virtuals.len() as u32 - 1
        }))
    }

    fn over_rows(&self, call: &Call, set: Option<&SetExpr>) -> Option<Computed<usize>> {
        let compiled = OverRows::of_call(
            self.query,
            call,
            set,
            self.columns,
            &mut self.aggs.borrow_mut(),
            self.depth,
        )?;
        Some(self.keep(compiled).map(|function| {
            let mut all = self.over_rows.borrow_mut();
            all.push(function);
            all.len() - 1
        }))
    }

    fn measure(&self, name: &str) -> Option<Expr> {
        let text = self.query.lookup.measure(name)?;
        let text = self
            .keep(expand(self.query, &text, self.depth + 1))
            .unwrap_or_default();
        Some(parse_expression(&text).0)
    }

    fn host_function(&self, name: &str) -> Option<HostFunction> {
        crate::selection_functions::shape(name)
    }
}

/// Calls `with` the context programs are evaluated in.
///
/// # Errors
/// [`Stop`] when the budget ended meanwhile: some values may not be what they are.
pub(crate) fn with_context<R>(
    query: &Query<'_>,
    with: impl FnOnce(&EvalContext<'_>) -> R,
) -> Result<R, Stop> {
    let host = SelectionFunctions(query);
    let result = with(&EvalContext {
        locale: query.locale,
        now: query.now,
        utc_offset: query.utc_offset,
        host: Some(&host),
        budget: Some(query.budget),
    });
    query.budget.settle()?;
    Ok(result)
}
