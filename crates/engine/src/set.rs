//! Set expressions: from their tree to a set of records.
//!
//! Modifiers change the selections of their identifier, field by field and in order. Values in
//! quotes match exactly, unquoted ones without regard to case or as numbers; searches are
//! those of [`crate::Search`], and one that begins with `=` keeps the values for which the
//! expression is true.

use std::sync::Arc;

use satchel_data::{BitSet, FieldId};
use satchel_syntax::{
    Diagnostic, Element, ElementFunction, ElementKind, ElementSet, ElementSetKind, Name, SetExpr,
    SetExprKind, SetIdentifier, SetOp,
};

use crate::compound::Compound;
use crate::records::Records;
use crate::{CalcError, Query, StateSelections};

/// The records that `set` stands for; what is wrong with it is added to `diagnostics`.
pub(crate) fn resolve(
    query: &Query<'_>,
    set: &SetExpr,
    depth: u32,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Records, CalcError> {
    let mut resolver = Resolver {
        query,
        depth,
        diagnostics,
    };
    resolver.records(set)
}

struct Resolver<'a, 'q> {
    query: &'a Query<'q>,
    depth: u32,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Resolver<'_, '_> {
    fn records(&mut self, set: &SetExpr) -> Result<Records, CalcError> {
        match &set.kind {
            SetExprKind::Operation { op, left, right } => Ok(Records::Combined(
                *op,
                Box::new(self.records(left)?),
                Box::new(self.records(right)?),
            )),
            SetExprKind::Entity {
                identifier,
                modifiers,
            } => {
                let Some(base) = self.identifier(identifier, set)? else {
                    return Ok(Records::Empty);
                };
                let mut selections = (*base).clone();
                for modifier in modifiers {
                    let Some(field) = self.field(&modifier.field) else {
                        continue;
                    };
                    let Some(elements) = &modifier.elements else {
                        selections.remove(field);
                        continue;
                    };
                    let named = self.elements(elements, field, &base)?;
                    let codes = match modifier.op {
                        None => named,
                        Some(op) => {
                            let present = selections
                                .field(field)
                                .map(|s| (*s.codes).clone())
                                .unwrap_or_else(|| self.query.engine.visible_codes(field));
                            combine(op, present, &named)
                        }
                    };
                    selections.set(field, codes);
                }
                Ok(Records::Selection(Arc::new(selections)))
            }
        }
    }

    /// The selections an identifier stands for; none if it stands for no record at all.
    fn identifier(
        &mut self,
        identifier: &SetIdentifier,
        set: &SetExpr,
    ) -> Result<Option<Arc<StateSelections>>, CalcError> {
        let query = self.query;
        Ok(Some(match identifier {
            SetIdentifier::Inherited | SetIdentifier::Current => query.current(),
            SetIdentifier::All => Arc::default(),
            SetIdentifier::Empty => return Ok(None),
            SetIdentifier::Back(n) => return Ok(self.step(i64::from(*n))),
            SetIdentifier::Forward(n) => return Ok(self.step(-i64::from(*n))),
            SetIdentifier::Named(name) => {
                let named = query
                    .selections
                    .state(name)
                    .cloned()
                    .or_else(|| query.lookup.bookmark(name));
                match named {
                    Some(selections) => selections,
                    None => {
                        self.diagnostics.push(
                            Diagnostic::error(
                                "expr.unknown_set",
                                set.span,
                                format!("`{name}` is neither an alternate state nor a bookmark"),
                            )
                            .with_hint(
                                "a set is `$`, `1`, a state, a bookmark or a modifier `<…>`",
                            ),
                        );
                        return Ok(None);
                    }
                }
            }
        }))
    }

    fn step(&self, n: i64) -> Option<Arc<StateSelections>> {
        if n == 0 {
            return Some(self.query.current());
        }
        self.query.lookup.step(self.query.state, n)
    }

    fn field(&mut self, name: &Name) -> Option<FieldId> {
        let field = self.query.engine.field(&name.text);
        if field.is_none() {
            self.diagnostics.push(
                Diagnostic::error(
                    "expr.unknown_field",
                    name.span,
                    format!("field not found: {}", name.text),
                )
                .with_hint("names of fields are case-sensitive"),
            );
        }
        field
    }

    fn elements(
        &mut self,
        set: &ElementSet,
        field: FieldId,
        base: &Arc<StateSelections>,
    ) -> Result<BitSet, CalcError> {
        let engine = self.query.engine;
        Ok(match &set.kind {
            ElementSetKind::List(list) => {
                let mut codes = BitSet::none(engine.core.n_symbols(field));
                for element in list {
                    codes.union(&self.element(element, field, base)?);
                }
                codes
            }
            ElementSetKind::Complement(inner) => {
                let mut codes = engine.visible_codes(field);
                codes.subtract(&self.elements(inner, field, base)?);
                codes
            }
            ElementSetKind::Operation { op, left, right } => {
                let left = self.elements(left, field, base)?;
                combine(*op, left, &self.elements(right, field, base)?)
            }
            ElementSetKind::Field { state, field: from } => {
                let selections = match state {
                    None => base.clone(),
                    Some(identifier) => {
                        let set = SetExpr {
                            kind: SetExprKind::Entity {
                                identifier: identifier.clone(),
                                modifiers: Vec::new(),
                            },
                            span: set.span,
                        };
                        self.identifier(identifier, &set)?.unwrap_or_default()
                    }
                };
                match self.field(from) {
                    None => BitSet::none(engine.core.n_symbols(field)),
                    Some(other) => {
                        // Without a selection there, all its possible values.
                        let codes = match selections.field(other) {
                            Some(own) => own.codes.clone(),
                            None => engine
                                .field_states(&selections, other, self.query.budget)?
                                .possible(),
                        };
                        self.carry(other, &codes, field)
                    }
                }
            }
            ElementSetKind::Function {
                function,
                set: inner,
                field: from,
            } => {
                let records = match inner {
                    Some(set) => self.records(set)?,
                    None => Records::Selection(self.query.current()),
                };
                let from = match from {
                    None => Some(field),
                    Some(name) => self.field(name),
                };
                let Some(from) = from else {
                    return Ok(BitSet::none(engine.core.n_symbols(field)));
                };
                let possible = self.possible(&records, from)?;
                let codes = match function {
                    ElementFunction::Possible => possible,
                    ElementFunction::Excluded => {
                        let mut all = engine.visible_codes(from);
                        all.subtract(&possible);
                        all
                    }
                };
                self.carry(from, &codes, field)
            }
        })
    }

    /// The values of a field in a set of records.
    fn possible(&self, records: &Records, field: FieldId) -> Result<BitSet, CalcError> {
        let engine = self.query.engine;
        Ok(match records {
            Records::Empty => BitSet::none(engine.core.n_symbols(field)),
            Records::Selection(selections) => (*engine
                .field_states(selections, field, self.query.budget)?
                .possible())
            .clone(),
            Records::Combined(op, left, right) => {
                let left = self.possible(left, field)?;
                combine(*op, left, &self.possible(right, field)?)
            }
        })
    }

    /// The codes in `to` of the values that `codes` of `from` have.
    fn carry(&self, from: FieldId, codes: &BitSet, to: FieldId) -> BitSet {
        if from == to {
            return codes.clone();
        }
        let view = self.query.engine.view();
        let mut numbers = rustc_hash::FxHashSet::default();
        let mut texts = rustc_hash::FxHashSet::default();
        for code in codes.iter() {
            let num = view.num(from, code as u32);
            if num.is_nan() {
                texts.insert(view.text(from, code as u32).into_owned());
            } else {
                numbers.insert(num.to_bits());
            }
        }
        self.filter(to, |code| {
            let num = view.num(to, code);
            if num.is_nan() {
                texts.contains(&*view.text(to, code))
            } else {
                numbers.contains(&num.to_bits())
            }
        })
    }

    fn filter(&self, field: FieldId, test: impl Fn(u32) -> bool) -> BitSet {
        let view = self.query.engine.view();
        let mut codes = BitSet::none(self.query.engine.core.n_symbols(field));
        for code in view.codes(field).iter().filter(|c| test(**c)) {
            codes.insert(*code as usize);
        }
        codes
    }

    fn element(
        &mut self,
        element: &Element,
        field: FieldId,
        base: &Arc<StateSelections>,
    ) -> Result<BitSet, CalcError> {
        let view = self.query.engine.view();
        Ok(match &element.kind {
            ElementKind::Literal(text) => self.filter(field, |c| *view.text(field, c) == **text),
            ElementKind::Bare(text) => {
                let num = satchel_calc::interpret_number(text, self.query.locale);
                let folded = text.to_lowercase();
                self.filter(field, |c| {
                    num.is_some_and(|n| view.num(field, c) == n)
                        || view.text(field, c).to_lowercase() == folded
                })
            }
            ElementKind::Search(text) => match text.trim_start().strip_prefix('=') {
                Some(expression) => crate::evaluate::values_where(
                    self.query,
                    field,
                    expression,
                    base,
                    self.depth + 1,
                )
                // The expression is a text within this one.
                .map_err(|error| crate::program::all_at(error, element.span))?,
                None => {
                    let search = Compound::exact(text);
                    self.filter(field, |c| {
                        search.matches(&view.text(field, c), view.num(field, c))
                    })
                }
            },
        })
    }
}

fn combine(op: SetOp, mut left: BitSet, right: &BitSet) -> BitSet {
    match op {
        SetOp::Union => left.union(right),
        SetOp::Difference => left.subtract(right),
        SetOp::Intersection => left.intersect(right),
        SetOp::SymmetricDifference => {
            for (x, y) in left.words_mut().iter_mut().zip(right.words()) {
                *x ^= y;
            }
        }
    }
    left
}
