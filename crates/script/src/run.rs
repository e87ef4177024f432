//! The course of a run: items in order, blocks, subs, includes, variables.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};
use satchel_calc::{Locale, Mode, compile, interpret};
use satchel_data::{AccessTable, AccessTables, ModelBuilder, Value, number_text};
use satchel_syntax::{
    Condition, Diagnostic, ExitTarget, Expansion, Expr, ExprKind, Item, ItemKind, Span,
    expand_dollar, parse_expression, parse_script, split_list,
};

use crate::evaluate::{Surroundings, VariableScope, rewrite};
use crate::functions::Session;
use crate::host::{Host, HostError};
use crate::outcome::{Failure, LoadResult, Problem, Settings};
use crate::statements::Pending;
use crate::tables::{Section, Tables};

/// Includes and calls nested beyond this are refused.
const MAX_NESTING: u32 = 40;

/// Runs the script `text`, whose file is called `file` in messages.
///
/// # Errors
/// [`Failure`] with the problems that stopped it; nothing was published then.
pub fn run(
    file: &str,
    text: &str,
    host: &mut dyn Host,
    settings: &Settings,
    budget: &Budget,
) -> Result<LoadResult, Failure> {
    let mut runner = Runner::new(host, settings, budget);
    let unit = Rc::new(Unit {
        file: file.to_owned(),
        text: text.to_owned(),
    });
    match runner.unit(&unit).and_then(|_| runner.finish(&unit)) {
        Ok(result) => Ok(result),
        Err(halt) => Err(Failure {
            problems: halt.problems,
            log: runner.log,
        }),
    }
}

/// A script file.
pub(crate) struct Unit {
    pub(crate) file: String,
    pub(crate) text: String,
}

/// Where an expanded text stands in its file.
pub(crate) struct Place {
    pub(crate) unit: Rc<Unit>,
    pub(crate) start: u32,
    pub(crate) expansion: Expansion,
}

impl Place {
    /// A diagnostic about the expanded text as a problem of the file.
    pub(crate) fn problem(&self, mut diagnostic: Diagnostic) -> Problem {
        let source = self
            .expansion
            .source_span(diagnostic.span)
            .shifted(self.start);
        if self.expansion.changed && source.text(&self.unit.text).contains("$(") {
            /// A line of a terminal.
            const SHOWN: usize = 80;
            let mut reads: String = self.expansion.text.chars().take(SHOWN).collect();
            if reads.len() < self.expansion.text.len() {
                reads.push('…');
            }
            let note = format!("after expansion it reads `{}`", reads.replace('\n', " "));
            diagnostic.hint = Some(match diagnostic.hint {
                Some(hint) => format!("{hint}; {note}"),
                None => note,
            });
        }
        diagnostic.span = source;
        Problem::new(diagnostic, &self.unit.file, &self.unit.text)
    }

    pub(crate) fn halt(&self, diagnostics: Vec<Diagnostic>) -> Halt {
        Halt {
            problems: (diagnostics.into_iter().filter(Diagnostic::is_error))
                .map(|d| self.problem(d))
                .collect(),
            is_stop: false,
        }
    }

    pub(crate) fn fail(&self, diagnostic: Diagnostic) -> Halt {
        self.halt(vec![diagnostic])
    }

    pub(crate) fn host_error(&self, span: Span, error: HostError) -> Halt {
        let mut diagnostic = Diagnostic::error(error.code, span, error.message);
        diagnostic.hint = error.hint;
        self.fail(diagnostic)
    }

    pub(crate) fn stop(&self, stop: Stop) -> Halt {
        let code = match stop {
            Stop::Cancelled => "script.cancelled",
            Stop::TooManyRows { .. } => "script.too_many_rows",
            Stop::TooManyBytes { .. } => "script.too_many_bytes",
        };
        let mut halt = self.fail(Diagnostic::error(code, Span::default(), stop.to_string()));
        halt.is_stop = true;
        halt
    }
}

/// Why the run does not go on.
pub(crate) struct Halt {
    pub(crate) problems: Vec<Problem>,
    /// Stopped from outside; no error mode lets it go on.
    pub(crate) is_stop: bool,
}

pub(crate) type Run<T> = Result<T, Halt>;

/// What follows an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Exit(ExitTarget),
}

struct Sub {
    unit: Rc<Unit>,
    parameters: Vec<String>,
    body: Rc<[Item]>,
}

pub(crate) struct Runner<'a> {
    pub(crate) host: &'a mut dyn Host,
    pub(crate) settings: &'a Settings,
    pub(crate) budget: &'a Budget,
    pub(crate) tables: Tables,
    pub(crate) locale: Locale,
    pub(crate) session: RefCell<Session>,
    pub(crate) section: Section,
    pub(crate) pending: Vec<Pending>,
    /// `QUALIFY` and `UNQUALIFY` patterns; the last that fits decides.
    pub(crate) qualified: Vec<(bool, String)>,
    pub(crate) null_as_value: Vec<(bool, String)>,
    pub(crate) aliases: Vec<(String, String)>,
    pub(crate) directory: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) comments: Vec<(bool, String, String)>,
    pub(crate) loose: Vec<String>,
    pub(crate) log: Vec<String>,
    pub(crate) warnings: Vec<Problem>,
    variables: Vec<(String, Value)>,
    variable_at: FxHashMap<String, usize>,
    subs: FxHashMap<String, Rc<Sub>>,
    nesting: u32,
}

impl<'a> Runner<'a> {
    fn new(host: &'a mut dyn Host, settings: &'a Settings, budget: &'a Budget) -> Self {
        let mut runner = Self {
            host,
            settings,
            budget,
            tables: Tables::default(),
            locale: Locale::default(),
            session: RefCell::new(Session {
                random: settings.seed,
                app_name: settings.app_name.clone(),
                user: settings.user.clone(),
                ..Session::default()
            }),
            section: Section::Application,
            pending: Vec::new(),
            qualified: Vec::new(),
            null_as_value: Vec::new(),
            aliases: Vec::new(),
            directory: None,
            tags: Vec::new(),
            comments: Vec::new(),
            loose: Vec::new(),
            log: Vec::new(),
            warnings: Vec::new(),
            variables: Vec::new(),
            variable_at: FxHashMap::default(),
            subs: FxHashMap::default(),
            nesting: 0,
        };
        for (name, value) in &settings.variables {
            runner.set_variable(name, value.clone());
        }
        runner
    }

    fn finish(&mut self, unit: &Rc<Unit>) -> Run<LoadResult> {
        let mut builder = ModelBuilder::new();
        let mut access = AccessTables::default();
        for loaded in std::mem::take(&mut self.tables.list) {
            match loaded.section {
                Section::Application => builder = builder.table(loaded.frame),
                Section::Access => {
                    let frame = loaded.frame;
                    access.tables.push(AccessTable {
                        rows: (0..frame.n_rows())
                            .map(|row| frame.columns.iter().map(|c| c.value(row)).collect())
                            .collect(),
                        columns: frame.columns.iter().map(|c| c.name.clone()).collect(),
                        name: frame.name,
                    });
                }
            }
        }
        for name in &self.loose {
            builder = builder.loosen(name.clone());
        }
        for (field, tag) in &self.tags {
            builder = builder.tag(field.clone(), tag.clone());
        }
        let model = builder.build().map_err(|error| {
            let end = Span::new(unit.text.len(), unit.text.len());
            let place = self.place(unit, Span::default(), Expansion::default());
            place.fail(
                Diagnostic::error("script.too_large", end, error.to_string())
                    .with_hint("load fewer distinct values in one field"),
            )
        })?;
        Ok(LoadResult {
            model,
            access,
            variables: std::mem::take(&mut self.variables),
            log: std::mem::take(&mut self.log),
            warnings: std::mem::take(&mut self.warnings),
            comments: std::mem::take(&mut self.comments),
        })
    }

    /// Runs a whole file.
    fn unit(&mut self, unit: &Rc<Unit>) -> Run<Flow> {
        let (script, diagnostics) = parse_script(&unit.text);
        let problems: Vec<Problem> = (diagnostics.into_iter())
            .map(|d| Problem::new(d, &unit.file, &unit.text))
            .collect();
        if !problems.is_empty() {
            return Err(Halt {
                problems,
                is_stop: false,
            });
        }
        let flow = self.items(unit, &script.items)?;
        self.no_pending()?;
        Ok(flow)
    }

    fn items(&mut self, unit: &Rc<Unit>, items: &[Item]) -> Run<Flow> {
        for item in items {
            let flow = match self.item(unit, item) {
                Err(halt) if !halt.is_stop && self.error_mode() == 0 => {
                    self.go_on_after(halt);
                    Flow::Next
                }
                other => other?,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// `SET ErrorMode=0` goes on after an error.
    fn error_mode(&self) -> i64 {
        self.variable("ErrorMode")
            .and_then(Value::as_num)
            .map_or(1, |n| n as i64)
    }

    fn go_on_after(&mut self, halt: Halt) {
        self.pending.clear();
        let message = halt
            .problems
            .first()
            .map_or("", |p| p.message.as_str())
            .to_owned();
        let count = self
            .variable("ScriptErrorCount")
            .and_then(Value::as_num)
            .unwrap_or(0.0);
        self.set_variable("ScriptErrorCount", Value::num(count + 1.0));
        self.set_variable("ScriptError", Value::text(message));
        self.warnings.extend(halt.problems);
    }

    fn item(&mut self, unit: &Rc<Unit>, item: &Item) -> Run<Flow> {
        self.budget
            .charge_rows(1)
            .map_err(|stop| self.here(unit, item.span).stop(stop))?;
        if !matches!(item.kind, ItemKind::Statement) {
            self.no_pending()?;
        }
        match &item.kind {
            ItemKind::Statement => self.raw_statement(unit, item.span),
            ItemKind::Include { path, required } => self.include(unit, *path, *required),
            ItemKind::If {
                branches,
                otherwise,
            } => {
                for branch in branches {
                    if self.holds(unit, branch.condition)? {
                        return self.items(unit, &branch.body);
                    }
                }
                self.items(unit, otherwise.as_deref().unwrap_or_default())
            }
            ItemKind::For {
                variable,
                from,
                to,
                step,
                body,
            } => {
                let number = |runner: &mut Self, span: Span| -> Run<f64> {
                    runner.value(unit, span)?.as_num().ok_or_else(|| {
                        runner.here(unit, span).fail(
                            Diagnostic::error(
                                "script.not_a_number",
                                Span::new(0, span.end as usize - span.start as usize),
                                "this bound of the FOR is not a number",
                            )
                            .with_hint("is the variable set, and the table loaded?"),
                        )
                    })
                };
                let name = self.expanded(unit, variable.span)?.expansion.text;
                let (mut at, to) = (number(self, *from)?, number(self, *to)?);
                let step = step.map_or(Ok(1.0), |s| number(self, s))?;
                while if step >= 0.0 { at <= to } else { at >= to } {
                    self.set_variable(&name, Value::num(at));
                    match self.items(unit, body)? {
                        Flow::Exit(ExitTarget::For) => break,
                        Flow::Next => {}
                        exit => return Ok(exit),
                    }
                    at += step;
                    self.turn(unit, item.span)?;
                }
                Ok(Flow::Next)
            }
            ItemKind::ForEach {
                variable,
                list,
                body,
            } => {
                let name = self.expanded(unit, variable.span)?.expansion.text;
                for value in self.list(unit, *list)? {
                    self.set_variable(&name, value);
                    match self.items(unit, body)? {
                        Flow::Exit(ExitTarget::For) => break,
                        Flow::Next => {}
                        exit => return Ok(exit),
                    }
                    self.turn(unit, item.span)?;
                }
                Ok(Flow::Next)
            }
            ItemKind::Do { head, body, tail } => loop {
                if !self.condition(unit, head.as_ref())? {
                    return Ok(Flow::Next);
                }
                match self.items(unit, body)? {
                    Flow::Exit(ExitTarget::Do) => return Ok(Flow::Next),
                    Flow::Next => {}
                    exit => return Ok(exit),
                }
                if !self.condition(unit, tail.as_ref())? {
                    return Ok(Flow::Next);
                }
                self.turn(unit, item.span)?;
            },
            ItemKind::Sub {
                name,
                parameters,
                body,
            } => {
                let sub = Sub {
                    unit: unit.clone(),
                    parameters: parameters.clone(),
                    body: body.clone().into(),
                };
                self.subs.insert(name.text.to_lowercase(), Rc::new(sub));
                Ok(Flow::Next)
            }
            ItemKind::Call { name, arguments } => self.call(unit, name, *arguments),
            ItemKind::Exit { target, condition } => {
                if self.condition(unit, condition.as_ref())? {
                    Ok(Flow::Exit(*target))
                } else {
                    Ok(Flow::Next)
                }
            }
            ItemKind::Switch {
                subject,
                cases,
                otherwise,
            } => {
                let subject = self.value(unit, *subject)?;
                for case in cases {
                    let values = self.list(unit, case.condition)?;
                    if values.iter().any(|v| v.same_symbol(&subject)) {
                        return self.items(unit, &case.body);
                    }
                }
                self.items(unit, otherwise.as_deref().unwrap_or_default())
            }
        }
    }

    /// Books a turn of a loop, so that endless ones end.
    fn turn(&mut self, unit: &Rc<Unit>, span: Span) -> Run<()> {
        self.budget
            .charge_rows(1)
            .map_err(|stop| self.here(unit, span).stop(stop))
    }

    fn nested<T>(
        &mut self,
        unit: &Rc<Unit>,
        span: Span,
        inner: impl FnOnce(&mut Self) -> Run<T>,
    ) -> Run<T> {
        if self.nesting >= MAX_NESTING {
            return Err(self.here(unit, span).fail(
                Diagnostic::error(
                    "script.too_deep",
                    Span::default(),
                    format!("calls and includes are nested more than {MAX_NESTING} deep"),
                )
                .with_hint("does a sub call itself, or a file include itself?"),
            ));
        }
        self.nesting += 1;
        let out = inner(self);
        self.nesting -= 1;
        out
    }

    fn include(&mut self, unit: &Rc<Unit>, path: Span, required: bool) -> Run<Flow> {
        let place = self.expanded(unit, path)?;
        let raw = place.expansion.text.trim();
        let file = raw.trim_matches(['[', ']', '\'', '"']).to_owned();
        let text = match self.host.include(&file) {
            Ok(text) => text,
            Err(error) if required => {
                let span = Span::new(0, place.expansion.text.len());
                return Err(place.host_error(span, error));
            }
            Err(error) => {
                self.write_log(format!("not included: {file}: {}", error.message));
                return Ok(Flow::Next);
            }
        };
        let inner = Rc::new(Unit { file, text });
        let flow = self.nested(unit, path, |runner| runner.unit(&inner))?;
        Ok(flow)
    }

    fn call(&mut self, unit: &Rc<Unit>, name: &satchel_syntax::Name, arguments: Span) -> Run<Flow> {
        let called = self.expanded(unit, name.span)?.expansion.text;
        let Some(sub) = self.subs.get(&called.to_lowercase()).cloned() else {
            return Err(self.here(unit, name.span).fail(
                Diagnostic::error(
                    "script.unknown_sub",
                    Span::new(0, name.span.end as usize - name.span.start as usize),
                    format!("there is no SUB called `{called}`"),
                )
                .with_hint("a SUB must stand before the CALL"),
            ));
        };
        let place = self.expanded(unit, arguments)?;
        let given = split_list(&place.expansion.text);
        let mut values = Vec::new();
        let mut back = Vec::new();
        for (i, argument) in given.iter().enumerate() {
            let (expr, _) = parse_expression(argument);
            if let (ExprKind::Field(variable), Some(parameter)) =
                (&expr.kind, sub.parameters.get(i))
                && self.variable(variable).is_some()
            {
                back.push((parameter.clone(), variable.clone()));
            }
            values.push(if argument.is_empty() {
                Value::Null
            } else {
                self.constant(argument, &place)?
            });
        }
        let mut outside = Vec::new();
        for (i, parameter) in sub.parameters.iter().enumerate() {
            outside.push((parameter.clone(), self.variable(parameter).cloned()));
            let value = values.get(i).cloned().unwrap_or(Value::Null);
            self.set_variable(parameter, value);
        }
        let body = sub.body.clone();
        let flow = self.nested(unit, name.span, |runner| runner.items(&sub.unit, &body))?;
        self.no_pending()?;
        let changed: Vec<(String, Value)> = (back.into_iter())
            .map(|(parameter, variable)| {
                let value = self.variable(&parameter).cloned().unwrap_or(Value::Null);
                (variable, value)
            })
            .collect();
        for (parameter, value) in outside {
            self.set_variable(&parameter, value.unwrap_or(Value::Null));
        }
        for (variable, value) in changed {
            self.set_variable(&variable, value);
        }
        Ok(match flow {
            Flow::Exit(ExitTarget::Script) => flow,
            _ => Flow::Next,
        })
    }

    /// The values of `FOR EACH` and `CASE` lists.
    fn list(&mut self, unit: &Rc<Unit>, span: Span) -> Run<Vec<Value>> {
        let place = self.expanded(unit, span)?;
        let mut out = Vec::new();
        for entry in split_list(&place.expansion.text) {
            let (expr, _) = parse_expression(&entry);
            match &expr.kind {
                ExprKind::Field(word) if self.variable(word).is_none() => {
                    out.push(Value::text(word.as_str()));
                }
                ExprKind::Call(call)
                    if ["filelist", "dirlist"]
                        .iter()
                        .any(|n| call.name.eq_ignore_ascii_case(n)) =>
                {
                    return Err(place.fail(
                        Diagnostic::error(
                            "script.not_supported",
                            Span::new(0, place.expansion.text.len()),
                            format!("{} is not supported yet", call.name),
                        )
                        .with_hint("list the files by name"),
                    ));
                }
                ExprKind::Call(call) if call.name.eq_ignore_ascii_case("fieldvaluelist") => {
                    if let [
                        Expr {
                            kind: ExprKind::Text(f) | ExprKind::Field(f),
                            ..
                        },
                    ] = &call.args[..]
                    {
                        for table in self.tables.visible(self.section) {
                            if let Some(c) = table.column_index(f) {
                                out.extend(table.columns[c].dict.values().iter().cloned());
                            }
                        }
                    }
                }
                _ => out.push(self.constant(&entry, &place)?),
            }
        }
        Ok(out)
    }

    fn condition(&mut self, unit: &Rc<Unit>, condition: Option<&Condition>) -> Run<bool> {
        match condition {
            Some(condition) => Ok(self.holds(unit, condition.span)? == condition.holds),
            None => Ok(true),
        }
    }

    fn holds(&mut self, unit: &Rc<Unit>, span: Span) -> Run<bool> {
        let value = self.value(unit, span)?;
        Ok(satchel_calc::truth(&value, &self.locale))
    }

    /// The value of an expression in the script, over variables.
    fn value(&mut self, unit: &Rc<Unit>, span: Span) -> Run<Value> {
        let place = self.expanded(unit, span)?;
        let text = place.expansion.text.clone();
        self.constant(&text, &place)
    }

    /// The value of `text`, which is all of `place` or an entry of a list there.
    fn constant(&self, text: &str, place: &Place) -> Run<Value> {
        let (expr, mut diagnostics) = parse_expression(text);
        if !diagnostics.is_empty() {
            let at = place.expansion.text.find(text).unwrap_or(0);
            for d in &mut diagnostics {
                d.span = d.span.shifted(u32::try_from(at).unwrap_or(0));
            }
            return Err(place.halt(diagnostics));
        }
        self.evaluate(&expr, place)
    }

    /// The value of an expression over variables; spans are in `place`'s expanded text.
    pub(crate) fn evaluate(&self, expr: &Expr, place: &Place) -> Run<Value> {
        let (value, diagnostics) = self.evaluate_or_say(expr);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(place.halt(diagnostics));
        }
        Ok(value)
    }

    fn evaluate_or_say(&self, expr: &Expr) -> (Value, Vec<Diagnostic>) {
        let mut expr = expr.clone();
        rewrite(&mut expr, &mut Vec::new());
        let lookup = |name: &str| self.variable(name).cloned().unwrap_or(Value::Null);
        let scope = VariableScope {
            lookup: &lookup,
            values: RefCell::default(),
        };
        let (program, diagnostics) = compile(&expr, Mode::Row, &scope);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return (Value::Null, diagnostics);
        }
        (self.around("").eval(&program, &scope, None), diagnostics)
    }

    pub(crate) fn around<'b>(&'b self, file: &'b str) -> Surroundings<'b> {
        Surroundings {
            tables: &self.tables,
            section: self.section,
            locale: &self.locale,
            session: &self.session,
            now: self.settings.now,
            utc_offset: self.settings.utc_offset,
            file,
        }
    }

    /// A place without expansion.
    pub(crate) fn here(&self, unit: &Rc<Unit>, span: Span) -> Place {
        let mut whole = |name: &str, _: &[String]| Some(name.to_owned());
        let mut expansion = expand_dollar(span.text(&unit.text), &mut whole);
        expansion.changed = false;
        self.place(unit, span, expansion)
    }

    fn place(&self, unit: &Rc<Unit>, span: Span, expansion: Expansion) -> Place {
        Place {
            unit: unit.clone(),
            start: span.start,
            expansion,
        }
    }

    /// The text at `span` with every `$()` replaced.
    pub(crate) fn expanded(&mut self, unit: &Rc<Unit>, span: Span) -> Run<Place> {
        let expansion = {
            let mut lookup = |name: &str, _: &[String]| self.stands_for(name);
            expand_dollar(span.text(&unit.text), &mut lookup)
        };
        let place = self.place(unit, span, expansion);
        if !place.expansion.diagnostics.is_empty() {
            let problems = (place.expansion.diagnostics.iter())
                .map(|d| Problem::new(d.clone().shifted(span.start), &unit.file, &unit.text))
                .collect();
            return Err(Halt {
                problems,
                is_stop: false,
            });
        }
        for name in &place.expansion.missing {
            /// A reload that warns more often is not read.
            const MOST: usize = 100;
            if self.warnings.len() < MOST {
                let d = Diagnostic::warning(
                    "script.unknown_variable",
                    span,
                    format!("`$({name})` stands for nothing: there is no such variable or value"),
                )
                .with_hint("SET or LET it before it is used");
                self.warnings.push(Problem::new(d, &unit.file, &unit.text));
            }
        }
        Ok(place)
    }

    fn stands_for(&self, name: &str) -> Option<String> {
        if let Some(text) = name.strip_prefix('=') {
            let (expr, diagnostics) = parse_expression(text);
            if !diagnostics.is_empty() {
                return None;
            }
            let (value, diagnostics) = self.evaluate_or_say(&expr);
            return diagnostics.is_empty().then(|| value.to_text());
        }
        if let Some(plain) = name.strip_prefix('#') {
            let value = self.variable(plain)?;
            return Some(value.as_num().map_or_else(|| value.to_text(), number_text));
        }
        self.variable(name).map(Value::to_text)
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&Value> {
        self.variable_at.get(name).map(|i| &self.variables[*i].1)
    }

    pub(crate) fn set_variable(&mut self, name: &str, value: Value) {
        self.locale.set(name, &value.to_text());
        match self.variable_at.get(name) {
            Some(i) => self.variables[*i].1 = value,
            None => {
                self.variable_at
                    .insert(name.to_owned(), self.variables.len());
                self.variables.push((name.to_owned(), value));
            }
        }
    }

    /// A text as a variable holds it: with its number, if it reads as one.
    pub(crate) fn interpreted(&self, text: &str) -> Value {
        match interpret(text, &self.locale) {
            Value::Num(n) => Value::dual(n, text),
            other => other,
        }
    }

    pub(crate) fn write_log(&mut self, line: String) {
        self.host.log(&line);
        self.log.push(line);
    }

    /// Runs a text that an expansion made of one statement.
    pub(crate) fn again(&mut self, unit: &Rc<Unit>, span: Span, text: String) -> Run<Flow> {
        let inner = Rc::new(Unit {
            file: format!("{} (expanded)", unit.file),
            text,
        });
        self.nested(unit, span, |runner| {
            let (script, diagnostics) = parse_script(&inner.text);
            let problems: Vec<Problem> = (diagnostics.into_iter())
                .map(|d| Problem::new(d, &inner.file, &inner.text))
                .collect();
            if !problems.is_empty() {
                return Err(Halt {
                    problems,
                    is_stop: false,
                });
            }
            runner.items(&inner, &script.items)
        })
    }
}
