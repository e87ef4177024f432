//! Tables while they are being built: columns of values, each with a dictionary of its own.

use crate::{Dict, Value};

/// One column of a [`Frame`].
#[derive(Clone, Debug, Default)]
pub struct FrameColumn {
    /// The field's name, as written.
    pub name: String,
    /// Its distinct values.
    pub dict: Dict,
    /// One a row: a code of `dict`, or [`crate::NULL_CODE`].
    pub codes: Vec<u32>,
}

impl FrameColumn {
    /// An empty column.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Appends a cell.
    pub fn push(&mut self, value: &Value) {
        let code = self.dict.intern(value);
        self.codes.push(code);
    }

    /// The cell of a row; NULL past the end.
    pub fn value(&self, row: usize) -> Value {
        self.codes
            .get(row)
            .map_or(Value::Null, |c| self.dict.value(*c))
    }
}

/// A table being built. Every column has the same number of rows; names are distinct.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The table's name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<FrameColumn>,
}

impl Frame {
    /// A frame without rows.
    pub fn new<S: Into<String>>(
        name: impl Into<String>,
        columns: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            name: name.into(),
            columns: columns.into_iter().map(FrameColumn::new).collect(),
        }
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.codes.len())
    }

    /// Appends a row; missing cells are NULL, surplus ones are dropped.
    pub fn push_row(&mut self, row: &[Value]) {
        for (i, column) in self.columns.iter_mut().enumerate() {
            column.push(row.get(i).unwrap_or(&Value::Null));
        }
    }

    /// The position of the column called `name`.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}
