//! List objects: the values of a field with their states.

use std::sync::Arc;

use satchel_data::{FieldId, Value, View};
use satchel_syntax::{Diagnostic, Span};

use crate::dimension::Dim;
use crate::inference::FieldStates;
use crate::order::Ranking;
use crate::program::single_field;
use crate::{CalcError, Highlight, Query, Rect, Search, SortCriterion, StateCounts, ValueState};

/// A list object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListDef {
    /// A field's name.
    pub def: String,
    /// The order of the values.
    pub sort: SortCriterion,
    /// What was typed into the search box; values that do not match are left out.
    pub search: Option<String>,
    /// Whether to count the records of each value.
    pub frequencies: bool,
}

/// A value in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListCell {
    /// The value.
    pub value: Value,
    /// The view's element number.
    pub element: u32,
    /// Its state.
    pub state: ValueState,
    /// How many remaining records have it, if that was asked for.
    pub frequency: Option<u64>,
    /// Where its text matches the search.
    pub highlights: Vec<Highlight>,
}

/// A calculated list object.
#[derive(Debug)]
pub struct ListObject {
    /// The field.
    pub field: FieldId,
    /// How many values the field has in the view, whatever the search.
    pub cardinal: usize,
    /// States of all its values.
    pub counts: StateCounts,
    /// Whether its selection is locked.
    pub locked: bool,
    /// Smallest number; NaN if there is none.
    pub min: f64,
    /// Largest number.
    pub max: f64,
    /// Length of the longest text, in characters.
    pub longest: usize,
    view: Arc<View>,
    states: FieldStates,
    frequencies: Option<Vec<u64>>,
    search: Option<Search>,
    /// In order.
    codes: Vec<u32>,
}

impl Query<'_> {
    /// Calculates a list object.
    ///
    /// # Errors
    /// [`CalcError`] if there is no such field or the budget ends.
    pub fn list(&self, def: &ListDef) -> Result<ListObject, CalcError> {
        let text = crate::program::expand(self, &def.def, 0)?;
        let Some(field) = single_field(self, &text) else {
            return Err(CalcError::Expression(vec![
                Diagnostic::error(
                    "expr.unknown_field",
                    Span::new(0, text.len()),
                    format!("field not found: {text}"),
                )
                .with_hint("a list shows the values of one field; names are case-sensitive"),
            ]));
        };
        let view = self.engine.view().clone();
        let current = self.current();
        let states = self.engine.field_states(&current, field, self.budget)?;
        let cardinal = view.cardinality(field);
        self.budget.charge_rows(cardinal as u64)?;
        self.budget.charge_bytes(4 * cardinal as u64)?;
        let mut codes = view.codes(field).into_owned();
        let extent = self.engine.core.extent(field);
        let search = match &def.search {
            None => None,
            Some(text) => match text.trim_start().strip_prefix('=') {
                Some(expression) => {
                    let mut others = (*current).clone();
                    others.remove(field);
                    let hits = crate::evaluate::values_where(
                        self,
                        field,
                        expression,
                        &Arc::new(others),
                        0,
                    )?;
                    codes.retain(|c| hits.contains(*c as usize));
                    None
                }
                None => {
                    let search = Search::typed(text);
                    codes.retain(|c| search.matches(&view.text(field, *c), view.num(field, *c)));
                    Some(search)
                }
            },
        };
        let dim = Dim::of_field(self, field);
        let ranking = Ranking::new(self, &dim, &def.sort, Some(&states))?;
        // A view lists codes in load order.
        if !ranking.keeps_load_order() {
            ranking.sort(&mut codes);
        }
        let frequencies = match def.frequencies {
            true => Some(self.engine.frequencies(&current, field, self.budget)?),
            false => None,
        };
        Ok(ListObject {
            field,
            cardinal,
            counts: states.counts(cardinal),
            locked: states.locked,
            min: extent.min,
            max: extent.max,
            longest: extent.longest,
            view,
            states,
            frequencies,
            search,
            codes,
        })
    }
}

impl ListObject {
    /// How many values there are to show.
    pub fn n_rows(&self) -> usize {
        self.codes.len()
    }

    /// The element numbers of all values shown, in order; what accepting a search selects.
    pub fn elements(&self) -> Vec<u32> {
        self.codes
            .iter()
            .filter_map(|c| self.view.elem_of(self.field, *c))
            .collect()
    }

    /// The values of a rectangle one column wide, clipped to what there is.
    pub fn page(&self, rect: Rect) -> (Rect, Vec<ListCell>) {
        let rect = rect.clipped(1, self.codes.len());
        if rect.width == 0 {
            return (rect, Vec::new());
        }
        let cells = self.codes[rect.top..rect.top + rect.height]
            .iter()
            .map(|code| ListCell {
                value: self.view.value(self.field, *code),
                element: self.view.elem_of(self.field, *code).unwrap_or(0),
                state: self.states.of(*code),
                frequency: self
                    .frequencies
                    .as_ref()
                    .map(|f| f.get(*code as usize).copied().unwrap_or(0)),
                highlights: match &self.search {
                    Some(search) => search.highlights(&self.view.text(self.field, *code)),
                    None => Vec::new(),
                },
            })
            .collect();
        (rect, cells)
    }
}
