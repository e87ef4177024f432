//! Checking and compiling: names are resolved, arguments counted, aggregations taken out.

use std::sync::Arc;

use satchel_data::Value;
use satchel_syntax::{
    Call, Diagnostic, Expr, ExprKind, SetExpr, SetExprKind, SetIdentifier, SetModifier, Span,
    UnaryOp,
};

use crate::aggregate::{AggKind, aggregations};
use crate::functions::{self, Prepared};
use crate::program::{AggCall, Node, Program, Total};
use crate::suggest::nearest;

/// Nesting beyond this is refused, so that neither compiling nor evaluating overflows a stack.
const MOST_DEPTH: usize = 200;

/// A master measure within another counts as so many levels.
const MEASURE_DEPTH: usize = 25;

/// Where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In a record: fields are the record's values, no aggregations.
    Row,
    /// In a `LOAD … GROUP BY`: aggregations over the group, bare fields if grouped.
    Group,
    /// In a chart: a bare field outside an aggregation means `Only(field)`.
    Chart,
}

/// What names mean where an expression stands. Shows only what its reader may see.
pub trait Scope {
    /// The slot of a field.
    fn field(&self, name: &str) -> Option<u32>;

    /// All visible field names, for "did you mean".
    fn field_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether a field is in the `GROUP BY` list. Only asked in [`Mode::Group`].
    fn is_grouped(&self, _slot: u32) -> bool {
        false
    }

    /// A call that stands for a field of its own, such as `Aggr` or an aggregation with `TOTAL`
    /// within another one: its slot, or what is wrong with it. `set` is the set around it.
    fn virtual_field(&self, _call: &Call, _set: Option<&SetExpr>) -> Option<Computed<u32>> {
        None
    }

    /// A function over the rows of a chart, such as `Above` or `Rank`: its index for
    /// [`crate::RowValues::over_rows`], or what is wrong with it. Only asked in [`Mode::Chart`].
    fn over_rows(&self, _call: &Call, _set: Option<&SetExpr>) -> Option<Computed<usize>> {
        None
    }

    /// The expression of a master measure that is called `name`. Only asked in
    /// [`Mode::Chart`] for names that are no field.
    fn measure(&self, _name: &str) -> Option<Expr> {
        None
    }

    /// A function of the host by its lower-case name; these win over built-in ones.
    fn host_function(&self, _name: &str) -> Option<HostFunction> {
        None
    }
}

/// What a host made of a call, or what is wrong with it.
pub type Computed<T> = Result<T, Vec<Diagnostic>>;

/// The shape of a host function.
#[derive(Clone, Copy, Debug)]
pub struct HostFunction {
    /// Fewest arguments.
    pub least: usize,
    /// Most arguments.
    pub most: usize,
    /// What the first arguments are; those not listed are values.
    pub args: &'static [HostArg],
}

/// What an argument of a host function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostArg {
    /// Any expression; its value is passed.
    Value,
    /// A field, which must exist; its name is passed.
    Field,
    /// A field's name, bare or as a text; it is passed without a check.
    FieldName,
    /// A field's name as [`HostArg::FieldName`]; if it is the only argument written, the
    /// field's value in the record is passed after it, as `Exists(F)` needs.
    FieldNameAndValue,
}

/// Compiles a tree. Always gives a program; where something is wrong it evaluates to NULL and
/// a diagnostic says what.
pub fn compile(expr: &Expr, mode: Mode, scope: &dyn Scope) -> (Program, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let program = compile_part(expr, mode, scope, None, &mut diagnostics);
    (program, diagnostics)
}

fn compile_part(
    expr: &Expr,
    mode: Mode,
    scope: &dyn Scope,
    inside: Option<AggKind>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Program {
    let mut compiler = Compiler {
        mode,
        scope,
        inside,
        diagnostics,
        aggs: Vec::new(),
        fields: Vec::new(),
        calls_host: false,
        reads_clock: false,
    };
    let root = compiler.node(expr, None, 0);
    let mut fields = compiler.fields;
    fields.sort_unstable();
    fields.dedup();
    Program {
        root,
        aggs: compiler.aggs,
        fields,
        calls_host: compiler.calls_host,
        reads_clock: compiler.reads_clock,
    }
}

/// The set `inner` within the set `outer`: modifiers without an identifier change the outer
/// set, an identifier stands for itself.
pub fn within(inner: &SetExpr, outer: Option<&SetExpr>) -> SetExpr {
    let Some(outer) = outer else {
        return inner.clone();
    };
    let kind = match &inner.kind {
        SetExprKind::Operation { op, left, right } => SetExprKind::Operation {
            op: *op,
            left: Box::new(within(left, Some(outer))),
            right: Box::new(within(right, Some(outer))),
        },
        SetExprKind::Entity {
            identifier: SetIdentifier::Inherited,
            modifiers,
        } => modified(outer, modifiers),
        SetExprKind::Entity { .. } => inner.kind.clone(),
    };
    SetExpr {
        kind,
        span: inner.span,
    }
}

/// `set` with further modifiers on each of its parts.
fn modified(set: &SetExpr, more: &[SetModifier]) -> SetExprKind {
    match &set.kind {
        SetExprKind::Operation { op, left, right } => {
            let part = |set: &SetExpr| {
                Box::new(SetExpr {
                    kind: modified(set, more),
                    span: set.span,
                })
            };
            SetExprKind::Operation {
                op: *op,
                left: part(left),
                right: part(right),
            }
        }
        SetExprKind::Entity {
            identifier,
            modifiers,
        } => SetExprKind::Entity {
            identifier: identifier.clone(),
            modifiers: modifiers.iter().chain(more).cloned().collect(),
        },
    }
}

struct Compiler<'a> {
    mode: Mode,
    scope: &'a dyn Scope,
    /// The aggregation whose argument this is.
    inside: Option<AggKind>,
    diagnostics: &'a mut Vec<Diagnostic>,
    aggs: Vec<AggCall>,
    fields: Vec<u32>,
    calls_host: bool,
    reads_clock: bool,
}

impl Compiler<'_> {
    fn node(&mut self, expr: &Expr, set: Option<&SetExpr>, depth: usize) -> Node {
        if depth > MOST_DEPTH {
            return self.fail(Diagnostic::error(
                "expr.too_deep",
                expr.span,
                format!("the expression is nested more than {MOST_DEPTH} levels deep"),
            ));
        }
        match &expr.kind {
            ExprKind::Error => Node::Const(Value::Null),
            ExprKind::Number(num) => Node::Const(Value::num(*num)),
            ExprKind::Text(text) => Node::Const(Value::text(text.as_str())),
            ExprKind::Field(name) => self.field(name, expr.span, set, depth),
            ExprKind::Star => self.fail(Diagnostic::error(
                "expr.star",
                expr.span,
                "`*` only stands alone in `Count(*)`",
            )),
            ExprKind::Unary { op, operand } => match (op, self.node(operand, set, depth + 1)) {
                (UnaryOp::Minus, Node::Const(Value::Num(num))) => Node::Const(Value::num(-num)),
                (op, operand) => Node::Unary(*op, Box::new(operand)),
            },
            ExprKind::Binary { .. } => self.chain(expr, set, depth),
            ExprKind::Sorted { .. } => self.fail(
                Diagnostic::error(
                    "expr.unexpected_token",
                    expr.span,
                    "only a dimension of `Aggr` has an order",
                )
                .with_hint("write one expression without an order"),
            ),
            ExprKind::WithSet { set: inner, expr } => {
                self.node(expr, Some(&within(inner, set)), depth + 1)
            }
            ExprKind::Call(call) => self.call(call, expr.span, set, depth),
        }
    }

    /// Goes down the left side of a run of operators in a loop, not by recursion.
    fn chain(&mut self, expr: &Expr, set: Option<&SetExpr>, depth: usize) -> Node {
        let mut spine = Vec::new();
        let mut at = expr;
        while let ExprKind::Binary {
            op, left, right, ..
        } = &at.kind
        {
            spine.push((*op, right.as_ref()));
            at = left;
        }
        let first = Box::new(self.node(at, set, depth + 1));
        let rest = spine
            .into_iter()
            .rev()
            .map(|(op, right)| (op, self.node(right, set, depth + 1)))
            .collect();
        Node::Chain { first, rest }
    }

    fn field(&mut self, name: &str, span: Span, set: Option<&SetExpr>, depth: usize) -> Node {
        if self.mode == Mode::Chart
            && self.scope.field(name).is_none()
            && let Some(measure) = self.scope.measure(name)
        {
            // Deeper than any text nests, so that measures that name each other come to an end.
            return self.node(&measure, set, depth + MEASURE_DEPTH);
        }
        match self.slot(name, span) {
            Some(slot) => self.read(slot, span, set, name),
            None => Node::Const(Value::Null),
        }
    }

    /// Reads the field of a slot, called `name`.
    fn read(&mut self, slot: u32, span: Span, set: Option<&SetExpr>, name: &str) -> Node {
        match self.mode {
            Mode::Chart => {
                let arg = Program {
                    root: Node::Field(slot),
                    aggs: Vec::new(),
                    fields: vec![slot],
                    calls_host: false,
                    reads_clock: false,
                };
                self.aggs.push(AggCall {
                    kind: AggKind::Only,
                    distinct: false,
                    total: None,
                    set: set.cloned(),
                    args: vec![arg],
                    span,
                });
                Node::Agg(self.aggs.len() - 1)
            }
            Mode::Group if !self.scope.is_grouped(slot) => self.fail(
                Diagnostic::error(
                    "expr.not_grouped",
                    span,
                    format!("field `{name}` is neither aggregated nor in GROUP BY"),
                )
                .with_hint(format!("add `{name}` to GROUP BY or write `Only({name})`")),
            ),
            Mode::Row | Mode::Group => {
                self.fields.push(slot);
                Node::Field(slot)
            }
        }
    }

    fn slot(&mut self, name: &str, span: Span) -> Option<u32> {
        let slot = self.scope.field(name);
        if slot.is_none() {
            let mut problem = Diagnostic::error(
                "expr.unknown_field",
                span,
                format!("field not found: {name}"),
            );
            let names = self.scope.field_names();
            if let Some(near) = nearest(name, names.iter().map(String::as_str)) {
                problem = problem.with_hint(format!("did you mean `{near}`?"));
            }
            self.diagnostics.push(problem);
        }
        slot
    }

    fn call(&mut self, call: &Call, span: Span, set: Option<&SetExpr>, depth: usize) -> Node {
        let name = call.name.to_lowercase();
        let nested = self.inside.is_some() && AggKind::by_name(&name).is_some();
        if name == "aggr" || (nested && call.total.is_some()) {
            match self.scope.virtual_field(call, set) {
                Some(Ok(slot)) => return self.read(slot, span, set, &call.name),
                Some(Err(problems)) => return self.fail_all(problems),
                None => {}
            }
        }
        if self.mode == Mode::Chart {
            match self.scope.over_rows(call, set) {
                Some(Ok(index)) => return Node::OverRows(index),
                Some(Err(problems)) => return self.fail_all(problems),
                None => {}
            }
        }
        if let Some(host) = self.scope.host_function(&name) {
            return self.host(call, &name, host, set, depth);
        }
        if let Some((kind, least, most)) = AggKind::by_name(&name) {
            return self.aggregation(call, span, kind, (least, most), set);
        }
        if (call.distinct || call.total.is_some() || call.set.is_some())
            && functions::elsewhere(&name).is_none()
        {
            return self.fail(Diagnostic::error(
                "expr.not_an_aggregation",
                call.name_span,
                format!(
                    "`{}` is not an aggregation and takes no set, TOTAL or DISTINCT",
                    call.name
                ),
            ));
        }
        if name == "if" {
            if !self.count(call, 2, 3) {
                return Node::Const(Value::Null);
            }
            let mut part = |at: usize| match call.args.get(at) {
                Some(arg) => Box::new(self.node(arg, set, depth + 1)),
                None => Box::new(Node::Const(Value::Null)),
            };
            return Node::If {
                condition: part(0),
                then: part(1),
                otherwise: part(2),
            };
        }
        let Some(function) = functions::by_name(&name) else {
            if let Some((documented, hint)) = functions::elsewhere(&name) {
                return self.fail(
                    Diagnostic::error(
                        "expr.not_supported",
                        call.name_span,
                        format!("`{documented}` is not supported here"),
                    )
                    .with_hint(hint),
                );
            }
            let mut problem = Diagnostic::error(
                "expr.unknown_function",
                call.name_span,
                format!("function not found: {}", call.name),
            );
            let aggregations = aggregations().map(|known| functions::name(known.signature));
            let functions = functions::function_names();
            let names = functions.into_iter().chain(aggregations);
            if let Some(near) = nearest(&name, names) {
                problem = problem.with_hint(format!("did you mean `{near}`?"));
            }
            return self.fail(problem);
        };
        let (least, most) = function.counts();
        if !self.count(call, least, most) {
            return Node::Const(Value::Null);
        }
        self.reads_clock |= function.reads_clock;
        let mut args: Vec<Node> = call
            .args
            .iter()
            .map(|arg| self.node(arg, set, depth + 1))
            .collect();
        let format: Option<Vec<Value>> = args.get(1..).and_then(|rest| {
            let constant = |node: &Node| match node {
                Node::Const(value) => Some(value.clone()),
                _ => None,
            };
            rest.iter().map(constant).collect()
        });
        if let Some(prepared) = format.and_then(|rest| Prepared::of(&name, &rest)) {
            return Node::Format {
                call: Box::new(prepared),
                value: Box::new(args.swap_remove(0)),
            };
        }
        if most == usize::MAX && args.iter().any(|a| matches!(a, Node::OverRows(_))) {
            return Node::Spread { function, args };
        }
        Node::Call { function, args }
    }

    fn host(
        &mut self,
        call: &Call,
        name: &str,
        host: HostFunction,
        set: Option<&SetExpr>,
        depth: usize,
    ) -> Node {
        if !self.count(call, host.least, host.most) {
            return Node::Const(Value::Null);
        }
        self.calls_host = true;
        let mut args = Vec::with_capacity(call.args.len() + 1);
        for (index, arg) in call.args.iter().enumerate() {
            let kind = host.args.get(index).copied().unwrap_or(HostArg::Value);
            match (&arg.kind, kind) {
                (ExprKind::Field(field), HostArg::Field) => {
                    self.slot(field, arg.span);
                    args.push(Node::Const(Value::text(field.as_str())));
                }
                (ExprKind::Field(field), HostArg::FieldName | HostArg::FieldNameAndValue) => {
                    args.push(Node::Const(Value::text(field.as_str())));
                    if kind == HostArg::FieldNameAndValue && call.args.len() == 1 {
                        args.push(self.node(arg, set, depth + 1));
                    }
                }
                _ => args.push(self.node(arg, set, depth + 1)),
            }
        }
        Node::Host {
            name: Arc::from(name),
            args,
        }
    }

    fn aggregation(
        &mut self,
        call: &Call,
        span: Span,
        kind: AggKind,
        (least, most): (usize, usize),
        set: Option<&SetExpr>,
    ) -> Node {
        if let Some(outer) = self.inside {
            return self.fail(
                Diagnostic::error(
                    "expr.not_supported",
                    call.name_span,
                    format!(
                        "`{}` stands inside `{}`, and aggregations do not nest",
                        call.name,
                        outer.name()
                    ),
                )
                .with_hint(format!(
                    "write `Aggr({}(…), Dimension)` or `{}(TOTAL …)` inside",
                    call.name, call.name
                )),
            );
        }
        if self.mode == Mode::Row {
            return self.fail(
                Diagnostic::error(
                    "expr.aggregation_not_allowed",
                    call.name_span,
                    format!("`{}` aggregates, and there is one record here", call.name),
                )
                .with_hint("aggregations need GROUP BY"),
            );
        }
        if !self.count(call, least, most) {
            return Node::Const(Value::Null);
        }
        let star = matches!(call.args.as_slice(), [arg] if arg.kind == ExprKind::Star);
        let args = if star && kind == AggKind::Count {
            Vec::new()
        } else {
            let part = |arg| compile_part(arg, Mode::Row, self.scope, Some(kind), self.diagnostics);
            call.args.iter().map(part).collect()
        };
        let total = call.total.as_ref().map(|names| {
            if names.is_empty() {
                return Total::All;
            }
            let slots = names
                .iter()
                .filter_map(|name| self.slot(&name.text, name.span));
            Total::Except(slots.collect())
        });
        self.aggs.push(AggCall {
            kind,
            distinct: call.distinct,
            total,
            set: match &call.set {
                Some(own) => Some(within(own, set)),
                None => set.cloned(),
            },
            args,
            span,
        });
        Node::Agg(self.aggs.len() - 1)
    }

    /// Whether the call has a fitting number of arguments; reports it if not.
    fn count(&mut self, call: &Call, least: usize, most: usize) -> bool {
        let n = call.args.len();
        if (least..=most).contains(&n) {
            return true;
        }
        let want = match (least, most) {
            (least, most) if least == most => format!("{least}"),
            (least, usize::MAX) => format!("at least {least}"),
            (least, most) => format!("{least} to {most}"),
        };
        let noun = if least == 1 && most == 1 {
            "argument"
        } else {
            "arguments"
        };
        let mut problem = Diagnostic::error(
            "expr.arguments",
            call.name_span,
            format!("`{}` takes {want} {noun}, found {n}", call.name),
        );
        if let Some(signature) = functions::signature(&call.name) {
            problem = problem.with_hint(format!("write `{signature}`"));
        }
        self.diagnostics.push(problem);
        false
    }

    fn fail_all(&mut self, problems: Vec<Diagnostic>) -> Node {
        self.diagnostics.extend(problems);
        Node::Const(Value::Null)
    }

    fn fail(&mut self, problem: Diagnostic) -> Node {
        self.diagnostics.push(problem);
        Node::Const(Value::Null)
    }
}
