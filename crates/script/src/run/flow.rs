//! Control statements as they run: blocks, loops, subs, includes.

use std::rc::Rc;

use satchel_data::Value;
use satchel_syntax::{
    Condition, Diagnostic, ExitTarget, Expr, ExprKind, Item, ItemKind, Span, parse_expression,
    split_list,
};

use super::{Flow, MAX_NESTING, Run, Runner, Sub, Unit};

impl Runner<'_> {
    pub(super) fn item(&mut self, unit: &Rc<Unit>, item: &Item) -> Run<Flow> {
        self.budget
            .charge_rows(1)
            .map_err(|stop| self.here(unit, item.span).stop(stop))?;
        if !matches!(item.kind, ItemKind::Statement) {
            self.no_pending()?;
        }
        match &item.kind {
            ItemKind::Statement => {
                let flow = self.raw_statement(unit, item.span)?;
                self.settle(unit, item.span)?;
                Ok(flow)
            }
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

    /// Whether what expressions booked was there.
    pub(super) fn settle(&self, unit: &Rc<Unit>, span: Span) -> Run<()> {
        self.budget
            .settle()
            .map_err(|stop| self.here(unit, span).stop(stop))
    }

    /// Books a turn of a loop, so that endless ones end.
    pub(super) fn turn(&mut self, unit: &Rc<Unit>, span: Span) -> Run<()> {
        self.budget
            .charge_rows(1)
            .map_err(|stop| self.here(unit, span).stop(stop))
    }

    pub(super) fn nested<T>(
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

    pub(super) fn include(&mut self, unit: &Rc<Unit>, path: Span, required: bool) -> Run<Flow> {
        let place = self.expanded(unit, path)?;
        let raw = place.expansion.text.trim();
        let file = raw.trim_matches(['[', ']', '\'', '"']).to_owned();
        let text = match self.host.ask(|host| host.include(&file)) {
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

    pub(super) fn call(
        &mut self,
        unit: &Rc<Unit>,
        name: &satchel_syntax::Name,
        arguments: Span,
    ) -> Run<Flow> {
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
    pub(super) fn list(&mut self, unit: &Rc<Unit>, span: Span) -> Run<Vec<Value>> {
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
                        .any(|n| call.name.eq_ignore_ascii_case(n))
                        && call.args.len() == 1 =>
                {
                    let mask = self.evaluate(&call.args[0], &place)?.to_text();
                    let directory = self.directory.clone();
                    let is_file = call.name.eq_ignore_ascii_case("filelist");
                    let found = self.host.ask(|host| {
                        if is_file {
                            host.list_files(&mask, directory.as_deref())
                        } else {
                            host.list_folders(&mask, directory.as_deref())
                        }
                    });
                    let whole = Span::new(0, place.expansion.text.len());
                    let found = found.map_err(|error| place.host_error(whole, error))?;
                    out.extend(found.iter().map(|f| Value::text(f.as_str())));
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

    pub(super) fn condition(
        &mut self,
        unit: &Rc<Unit>,
        condition: Option<&Condition>,
    ) -> Run<bool> {
        match condition {
            Some(condition) => Ok(self.holds(unit, condition.span)? == condition.holds),
            None => Ok(true),
        }
    }

    pub(super) fn holds(&mut self, unit: &Rc<Unit>, span: Span) -> Run<bool> {
        let value = self.value(unit, span)?;
        Ok(satchel_calc::truth(&value, &self.locale))
    }
}
