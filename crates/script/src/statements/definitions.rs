//! `DECLARE` and `DERIVE`: fields made of other fields at the end of the run, such as the
//! year of a date, called `Field.Definition.Year`.

use rustc_hash::FxHashMap;
use satchel_calc::{Mode, compile};
use satchel_data::{FrameColumn, Value};
use satchel_syntax::{
    Declare, Derive, DeriveFrom, DerivedField, Diagnostic, Expr, ExprKind, Name, Statement,
};

use crate::evaluate::{Rows, Source, SourceScope, rewrite};
use crate::run::{Place, Run, Runner};
use crate::tables::Section;

/// What was declared, and what is to be derived.
#[derive(Default)]
pub(crate) struct Definitions {
    by_name: FxHashMap<String, Declare>,
    wanted: Vec<(Place, Derive)>,
}

impl Runner<'_> {
    pub(super) fn declare(
        &mut self,
        place: &Place,
        statement: &Statement,
        declare: &Declare,
    ) -> Run<()> {
        let Some(label) = &statement.label else {
            return Err(place.fail(
                Diagnostic::error(
                    "script.definition_needs_label",
                    statement.span,
                    "a field definition needs a name",
                )
                .with_hint("write Name: DECLARE FIELD DEFINITION …"),
            ));
        };
        let mut declare = declare.clone();
        if let Some(using) = &declare.using {
            let base = self.definition(place, using)?;
            let mut parameters = base.parameters.clone();
            for (name, value) in declare.parameters {
                match parameters.iter_mut().find(|(n, _)| n.text == name.text) {
                    Some(place) => place.1 = value,
                    None => parameters.push((name, value)),
                }
            }
            declare.parameters = parameters;
            declare.fields = base.fields.clone();
            if declare.tags.is_empty() {
                declare.tags = base.tags.clone();
            }
        }
        self.definitions.by_name.insert(label.text.clone(), declare);
        Ok(())
    }

    fn definition(&self, place: &Place, name: &Name) -> Run<&Declare> {
        self.definitions.by_name.get(&name.text).ok_or_else(|| {
            place.fail(
                Diagnostic::error(
                    "script.unknown_definition",
                    name.span,
                    format!("there is no field definition called `{}`", name.text),
                )
                .with_hint("write Name: DECLARE FIELD DEFINITION … before it"),
            )
        })
    }

    pub(super) fn derive(&mut self, place: Place, derive: &Derive) -> Run<()> {
        self.definition(&place, &derive.using)?;
        self.definitions.wanted.push((place, derive.clone()));
        Ok(())
    }

    /// Adds the derived fields to the tables that hold what they derive from.
    pub(crate) fn derive_fields(&mut self) -> Run<()> {
        for (place, derive) in std::mem::take(&mut self.definitions.wanted) {
            let definition = self.definition(&place, &derive.using)?.clone();
            let fields = match &derive.from {
                DeriveFrom::Fields(names) => names.iter().map(|n| n.text.clone()).collect(),
                DeriveFrom::Explicit(tags) => {
                    self.tagged(&tags.iter().map(|t| t.text.as_str()).collect::<Vec<_>>())
                }
                DeriveFrom::Implicit => self.tagged(
                    &definition
                        .tags
                        .iter()
                        .map(String::as_str)
                        .collect::<Vec<_>>(),
                ),
            };
            for field in fields {
                for derived in &definition.fields {
                    let name = format!("{field}.{}.{}", derive.using.text, derived.name.text);
                    self.derive_one(&place, &field, &name, derived, &definition.parameters)?;
                }
            }
        }
        Ok(())
    }

    /// Fields with one of `tags`: those the script tagged, and for `$date` and `$timestamp`
    /// those whose values are all numbers shown as something else.
    fn tagged(&self, tags: &[&str]) -> Vec<String> {
        let mut out: Vec<String> = (self.tags.iter())
            .filter(|(_, tag)| tags.contains(&tag.as_str()))
            .map(|(field, _)| field.clone())
            .collect();
        if tags.contains(&"$date") || tags.contains(&"$timestamp") {
            for table in self.tables.visible(Section::Application) {
                for column in &table.columns {
                    let values = column.dict.values();
                    if !values.is_empty()
                        && values.iter().all(|v| matches!(v, Value::Dual { .. }))
                        && !out.contains(&column.name)
                    {
                        out.push(column.name.clone());
                    }
                }
            }
        }
        out
    }

    fn derive_one(
        &mut self,
        place: &Place,
        field: &str,
        name: &str,
        derived: &DerivedField,
        parameters: &[(Name, Expr)],
    ) -> Run<()> {
        let at = self.tables.list.iter().position(|t| {
            t.section == Section::Application && t.frame.column_index(field).is_some()
        });
        let Some(at) = at else {
            return Ok(());
        };
        let frame = &self.tables.list[at].frame;
        if frame.column_index(name).is_some() {
            return Ok(());
        }
        let Some(c) = frame.column_index(field) else {
            return Ok(());
        };
        // Each distinct value is computed once: a frame of them alone, NULL last.
        let column = &frame.columns[c];
        let n_values = column.dict.len();
        let mut codes: Vec<u32> = (0..n_values as u32).collect();
        codes.push(satchel_data::NULL_CODE);
        let values = Source::of(satchel_data::Frame {
            name: String::new(),
            columns: vec![FrameColumn {
                name: column.name.clone(),
                dict: column.dict.clone(),
                codes,
            }],
        });
        let mut expr = derived.expr.clone();
        substitute(&mut expr, field, parameters);
        rewrite(&mut expr, &mut Vec::new());
        let scope = SourceScope {
            frame: &values.frame,
            grouped: &[],
        };
        let (program, diagnostics) = compile(&expr, Mode::Row, &scope);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(place.halt(diagnostics));
        }
        let mut fresh = FrameColumn::new(name);
        let mut map = Vec::with_capacity(n_values + 1);
        {
            let around = self.around("");
            let rows = Rows::new(&values, Vec::new(), satchel_data::Frame::default());
            for row in 0..=n_values {
                rows.row.set(row);
                map.push(
                    fresh
                        .dict
                        .intern(&around.eval(&program, &rows, Some(&rows))),
                );
            }
        }
        fresh.codes = (column.codes.iter())
            .map(|code| map[(*code as usize).min(n_values)])
            .collect();
        self.tables.list[at].frame.columns.push(fresh);
        for tag in &derived.tags {
            self.tags.push((name.to_owned(), tag.clone()));
        }
        Ok(())
    }
}

/// Puts the field for `$1` and the values of parameters for their names.
fn substitute(expr: &mut Expr, field: &str, parameters: &[(Name, Expr)]) {
    match &mut expr.kind {
        ExprKind::Field(name) => {
            if name == "$1" {
                field.clone_into(name);
            } else if let Some((_, value)) = parameters.iter().find(|(n, _)| n.text == *name) {
                expr.kind = value.kind.clone();
            }
        }
        ExprKind::Unary { operand, .. } => substitute(operand, field, parameters),
        ExprKind::Binary { left, right, .. } => {
            substitute(left, field, parameters);
            substitute(right, field, parameters);
        }
        ExprKind::WithSet { expr, .. } | ExprKind::Sorted { expr, .. } => {
            substitute(expr, field, parameters);
        }
        ExprKind::Call(call) => {
            for arg in &mut call.args {
                substitute(arg, field, parameters);
            }
        }
        _ => {}
    }
}
