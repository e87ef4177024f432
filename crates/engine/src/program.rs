//! From the text of a chart expression to programs and the aggregations they need.

use satchel_base::Stop;
use satchel_calc::{
    AggKind, EvalContext, HostArg, HostFunction, HostFunctions, Mode, Program, Scope, Total,
    compile,
};
use satchel_data::{FieldId, Value};
use satchel_syntax::{Diagnostic, ExprKind, Span, expand_dollar, parse_expression};

use crate::records::Records;
use crate::{CalcError, Query, StateCounts};

/// How often expressions may evaluate expressions (`$(=…)`, searches) within each other.
const MAX_NESTING: u32 = 8;

/// A measure: a scalar program over aggregations.
pub(crate) struct Measure {
    pub program: Program,
    /// By index of the program's aggregations: which of the shared list it is.
    pub aggs: Vec<usize>,
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
    /// The fields the arguments read.
    pub fields: Vec<FieldId>,
}

impl AggSpec {
    /// The aggregation's only argument, if it is a bare field.
    pub fn single_field(&self) -> Option<FieldId> {
        match self.args.as_slice() {
            [arg] => arg.as_single_field().map(FieldId),
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

/// The text with `$()` replaced.
pub(crate) fn expand(query: &Query<'_>, text: &str, depth: u32) -> Result<String, CalcError> {
    if depth > MAX_NESTING {
        return Err(invalid(
            "expr.too_deep",
            format!("expressions evaluate each other more than {MAX_NESTING} levels deep"),
        ));
    }
    if !text.contains("$(") {
        return Ok(text.to_owned());
    }
    let mut failed = None;
    let expanded = expand_dollar(text, &mut |name, args| {
        let name = name.trim();
        let mut definition = match name.strip_prefix('=') {
            Some(_) => name.to_owned(),
            None => query.lookup.variable(name)?,
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
                failed.get_or_insert(error);
                None
            }
        }
    });
    match failed {
        Some(error) => Err(error),
        None if expanded.diagnostics.iter().any(Diagnostic::is_error) => {
            Err(CalcError::Expression(expanded.diagnostics))
        }
        None => Ok(expanded.text),
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

fn compiled(
    query: &Query<'_>,
    text: &str,
    mode: Mode,
    depth: u32,
) -> Result<(Program, Vec<Diagnostic>), CalcError> {
    let text = expand(query, text, depth)?;
    let (tree, mut diagnostics) = parse_expression(&text);
    let (program, more) = compile(&tree, mode, &ChartScope(query));
    diagnostics.extend(more);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(CalcError::Expression(diagnostics));
    }
    Ok((program, diagnostics))
}

/// Compiles an expression over one record, such as a dimension; slots are field ids.
pub(crate) fn compile_row(query: &Query<'_>, text: &str, depth: u32) -> Result<Program, CalcError> {
    compiled(query, text, Mode::Row, depth).map(|(program, _)| program)
}

/// Compiles a measure; its aggregations are added to `aggs` unless they are there.
pub(crate) fn compile_measure(
    query: &Query<'_>,
    text: &str,
    aggs: &mut Vec<AggSpec>,
    depth: u32,
) -> Result<Measure, CalcError> {
    let (program, _) = compiled(query, text, Mode::Chart, depth)?;
    let mut diagnostics = Vec::new();
    let mut slots = Vec::new();
    for call in &program.aggs {
        let records = match &call.set {
            None => Records::Selection(query.current()),
            Some(set) => crate::set::resolve(query, set, depth, &mut diagnostics)?,
        };
        let mut fields: Vec<FieldId> = call
            .args
            .iter()
            .flat_map(|a| a.fields.iter().map(|s| FieldId(*s)))
            .collect();
        fields.sort_unstable();
        fields.dedup();
        let spec = AggSpec {
            kind: call.kind,
            distinct: call.distinct,
            total: call.total.as_ref().map(|t| match t {
                Total::All => Vec::new(),
                Total::Except(slots) => slots.iter().map(|s| FieldId(*s)).collect(),
            }),
            records,
            args: call.args.clone(),
            fields,
        };
        slots.push(
            aggs.iter()
                .position(|a| a.same(&spec))
                .unwrap_or(aggs.len()),
        );
        if slots.last() == Some(&aggs.len()) {
            aggs.push(spec);
        }
    }
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(CalcError::Expression(diagnostics));
    }
    Ok(Measure {
        program,
        aggs: slots,
    })
}

/// The names of a chart expression: the visible fields and functions of selections.
struct ChartScope<'a>(&'a Query<'a>);

impl Scope for ChartScope<'_> {
    fn field(&self, name: &str) -> Option<u32> {
        self.0.engine.field(name).map(|f| f.0)
    }

    fn field_names(&self) -> Vec<String> {
        let view = self.0.engine.view();
        view.fields()
            .map(|f| view.model().field(f).name.clone())
            .collect()
    }

    fn host_function(&self, name: &str) -> Option<HostFunction> {
        let most = match name {
            "getcurrentselections" => 0,
            "getfieldselections" => 3,
            "getselectedcount" => 2,
            "getpossiblecount"
            | "getalternativecount"
            | "getexcludedcount"
            | "getnotselectedcount" => 1,
            _ => return None,
        };
        Some(HostFunction {
            least: usize::from(most > 0),
            most,
            args: &[HostArg::Field],
        })
    }
}

/// Functions that tell about the selections of the query's state.
pub(crate) struct SelectionFunctions<'a>(pub &'a Query<'a>);

impl SelectionFunctions<'_> {
    fn counts(&self, field: FieldId) -> Result<StateCounts, Stop> {
        let Query { engine, budget, .. } = self.0;
        let states = engine.field_states(&self.0.current(), field, budget)?;
        Ok(states.counts(engine.view().cardinality(field)))
    }

    /// The selected values joined, or how many of how many if they are more than `most`.
    fn selected(&self, field: FieldId, separator: &str, most: usize) -> Option<String> {
        let current = self.0.current();
        let selected = &current.field(field)?.codes;
        let view = self.0.engine.view();
        let (n, all) = (selected.count(), view.cardinality(field));
        if n > most {
            return Some(if n == all {
                "ALL".to_owned()
            } else {
                format!("{n} of {all}")
            });
        }
        let texts: Vec<_> = view
            .codes(field)
            .iter()
            .filter(|c| selected.contains(**c as usize))
            .map(|c| view.text(field, *c).into_owned())
            .collect();
        Some(texts.join(separator))
    }

    fn all_selected(&self) -> String {
        let view = self.0.engine.view();
        let current = self.0.current();
        let lines: Vec<String> = current
            .fields()
            .filter(|(f, _)| view.is_visible(*f))
            .filter_map(|(f, _)| {
                let name = &view.model().field(f).name;
                Some(format!("{name}: {}", self.selected(f, ", ", 6)?))
            })
            .collect();
        lines.join("\r\n")
    }
}

impl HostFunctions for SelectionFunctions<'_> {
    fn call(&self, name: &str, args: &[Value]) -> Option<Value> {
        if name == "getcurrentselections" {
            return Some(Value::text(self.all_selected()));
        }
        let field = self.0.engine.field(&args.first()?.to_text())?;
        let count: fn(&StateCounts) -> u64 = match name {
            "getfieldselections" => {
                let separator = args.get(1).map_or(", ".to_owned(), Value::to_text);
                let most = args.get(2).and_then(Value::as_num).unwrap_or(6.0);
                let text = self.selected(field, &separator, most.max(0.0) as usize);
                return Some(text.map_or(Value::Null, Value::text));
            }
            "getselectedcount" => StateCounts::in_selection,
            "getpossiblecount" => StateCounts::possible,
            "getalternativecount" => |c| c.alternative,
            "getexcludedcount" => |c| c.excluded + c.alternative,
            "getnotselectedcount" => |c| c.optional + c.alternative + c.excluded,
            _ => return None,
        };
        Some(match self.counts(field) {
            Ok(counts) => Value::num(count(&counts) as f64),
            Err(_) => Value::Null,
        })
    }
}

/// Calls `with` the context programs are evaluated in.
pub(crate) fn with_context<R>(query: &Query<'_>, with: impl FnOnce(&EvalContext<'_>) -> R) -> R {
    let host = SelectionFunctions(query);
    with(&EvalContext {
        locale: query.locale,
        now: query.now,
        utc_offset: query.utc_offset,
        host: Some(&host),
    })
}
