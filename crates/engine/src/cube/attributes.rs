//! Attribute dimensions: what else is known of each value of a dimension.

use satchel_data::{FieldId, Value};

use super::keep_error;
use crate::calculate::calculate;
use crate::dimension::Dim;
use crate::{CalcError, Query};

/// What is known of an attribute dimension.
#[derive(Clone, Debug)]
pub struct AttributeDimensionInfo {
    /// The field that it is, if it is one.
    pub field: Option<FieldId>,
    /// Why it could not be calculated.
    pub error: Option<CalcError>,
    /// How many values it has in the view.
    pub cardinal: usize,
    /// Whether the field's selection is locked.
    pub locked: bool,
}

/// The value of an attribute dimension beside a value.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeCell {
    /// The value; NULL if there is none or more than one.
    pub value: Value,
    /// Its element number; -2 for NULL.
    pub element: i64,
}

impl Default for AttributeCell {
    fn default() -> Self {
        Self {
            value: Value::Null,
            element: -2,
        }
    }
}

impl Query<'_> {
    /// An attribute dimension: its value for each code of a dimension.
    pub(super) fn attribute_dimension(
        &self,
        dim: &Dim,
        text: &str,
    ) -> Result<(AttributeDimensionInfo, Vec<AttributeCell>), CalcError> {
        let (attribute, error) = keep_error(Dim::of_text(self, text, 0))?;
        let mut info = AttributeDimensionInfo {
            field: None,
            error,
            cardinal: 0,
            locked: false,
        };
        self.budget.charge_bytes(48 * (dim.n_codes as u64 + 1))?;
        let mut cells = vec![AttributeCell::default(); dim.n_codes + 1];
        let Some(attribute) = attribute else {
            return Ok((info, cells));
        };
        let view = self.engine.view();
        info.field = attribute.plain_field();
        info.cardinal = attribute.cardinality(view);
        info.locked = info.field.is_some_and(|f| self.current().is_locked(f));
        let both = calculate(self, &[dim.clone(), attribute.clone()], &[])?;
        let mut codes: Vec<Option<u32>> = vec![None; dim.n_codes + 1];
        for row in 0..both.n_rows {
            let tuple = both.tuple(row);
            if tuple[1] != attribute.null() {
                let slot = &mut codes[tuple[0] as usize];
                *slot = match *slot {
                    None => Some(tuple[1]),
                    // Several: none of them is the value.
                    Some(_) => Some(attribute.null()),
                };
            }
        }
        for (cell, code) in cells.iter_mut().zip(codes) {
            if let Some(code) = code.filter(|c| *c != attribute.null()) {
                cell.value = attribute.value(view, code);
                cell.element = attribute.element(view, code);
            }
        }
        Ok((info, cells))
    }
}
