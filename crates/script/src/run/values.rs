//! Variables, `$()` expansion, and expressions outside loads.

use std::cell::RefCell;
use std::rc::Rc;

use satchel_calc::{Mode, compile, interpret};
use satchel_data::{Value, number_text};
use satchel_syntax::{Diagnostic, Expansion, Expr, Span, expand_dollar, parse_expression};

use super::{Halt, Place, Run, Runner, Unit};
use crate::evaluate::{Surroundings, VariableScope, rewrite};
use crate::outcome::Problem;

impl Runner<'_> {
    /// The value of an expression in the script, over variables.
    pub(super) fn value(&mut self, unit: &Rc<Unit>, span: Span) -> Run<Value> {
        let place = self.expanded(unit, span)?;
        let text = place.expansion.text.clone();
        self.constant(&text, &place)
    }

    /// The value of `text`, which is all of `place` or an entry of a list there.
    pub(super) fn constant(&self, text: &str, place: &Place) -> Run<Value> {
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

    pub(super) fn evaluate_or_say(&self, expr: &Expr) -> (Value, Vec<Diagnostic>) {
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
            files: &self.host,
            directory: self.directory.as_deref(),
            is_partial: self.is_partial(),
            budget: self.budget,
        }
    }

    /// A place without expansion.
    pub(crate) fn here(&self, unit: &Rc<Unit>, span: Span) -> Place {
        let mut whole = |name: &str, _: &[String]| Some(name.to_owned());
        let mut expansion = expand_dollar(span.text(&unit.text), &mut whole);
        expansion.changed = false;
        self.place(unit, span, expansion)
    }

    pub(super) fn place(&self, unit: &Rc<Unit>, span: Span, expansion: Expansion) -> Place {
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

    pub(super) fn stands_for(&self, name: &str) -> Option<String> {
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
}
