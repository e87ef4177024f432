//! Which names of fields stand in an expression, wherever they stand.

use satchel_syntax::{
    Call, ElementSet, ElementSetKind, Expr, ExprKind, SetExpr, SetExprKind, parse_expression,
};

use crate::program::expand;
use crate::{CalcError, Query};

impl Query<'_> {
    /// The names an expression has for fields, each once, in order of first appearance: in
    /// arguments, after `TOTAL`, and in sets. Whether there are such fields is not asked.
    ///
    /// # Errors
    /// [`CalcError`] if a `$()` in it is wrong, it cannot be parsed, or the budget ends.
    pub fn names_in(&self, text: &str) -> Result<Vec<String>, CalcError> {
        let text = expand(self, text, 0)?;
        let (expr, diagnostics) = parse_expression(&text);
        if diagnostics.iter().any(satchel_syntax::Diagnostic::is_error) {
            return Err(CalcError::Expression(diagnostics));
        }
        let mut found = Names(Vec::new());
        found.expr(&expr);
        Ok(found.0)
    }
}

struct Names(Vec<String>);

impl Names {
    fn add(&mut self, name: &str) {
        if !self.0.iter().any(|n| n == name) {
            self.0.push(name.to_owned());
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Field(name) => self.add(name),
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Sorted { expr, .. } => self.expr(expr),
            ExprKind::Call(call) => self.call(call),
            ExprKind::WithSet { set, expr } => {
                self.set(set);
                self.expr(expr);
            }
            ExprKind::Error | ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Star => {}
        }
    }

    fn call(&mut self, call: &Call) {
        if let Some(set) = &call.set {
            self.set(set);
        }
        for name in call.total.iter().flatten() {
            self.add(&name.text);
        }
        for arg in &call.args {
            self.expr(arg);
        }
    }

    fn set(&mut self, set: &SetExpr) {
        match &set.kind {
            SetExprKind::Entity { modifiers, .. } => {
                for modifier in modifiers {
                    self.add(&modifier.field.text);
                    if let Some(elements) = &modifier.elements {
                        self.elements(elements);
                    }
                }
            }
            SetExprKind::Operation { left, right, .. } => {
                self.set(left);
                self.set(right);
            }
        }
    }

    fn elements(&mut self, elements: &ElementSet) {
        match &elements.kind {
            ElementSetKind::List(_) => {}
            ElementSetKind::Field { field, .. } => self.add(&field.text),
            ElementSetKind::Function { set, field, .. } => {
                if let Some(set) = set {
                    self.set(set);
                }
                if let Some(field) = field {
                    self.add(&field.text);
                }
            }
            ElementSetKind::Complement(inner) => self.elements(inner),
            ElementSetKind::Operation { left, right, .. } => {
                self.elements(left);
                self.elements(right);
            }
        }
    }
}
