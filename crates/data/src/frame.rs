//! Tables while they are being built: columns of values, each with a dictionary of its own.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::Value;

/// The distinct values of a frame's column in order of first appearance.
///
/// Values that are one symbol but show different texts are separate entries here; they become
/// one symbol when a [`crate::Model`] is built. NULL is never an entry.
#[derive(Clone, Debug, Default)]
pub struct Dict {
    values: Vec<Value>,
    /// Made when it is first asked for: a dictionary taken over as it is may never be.
    index: OnceLock<FxHashMap<Value, u32>>,
}

/// The code for NULL in a frame's column.
pub const NULL_CODE: u32 = u32::MAX;

impl Dict {
    /// The code of `value`, which is added if it is new; [`NULL_CODE`] for NULL.
    pub fn intern(&mut self, value: &Value) -> u32 {
        if value.is_null() {
            return NULL_CODE;
        }
        let next = self.values.len() as u32;
        if let Some(code) = self.index().get(value) {
            return *code;
        }
        self.values.push(value.clone());
        if let Some(index) = self.index.get_mut() {
            index.insert(value.clone(), next);
        }
        next
    }

    /// Takes over distinct, non-NULL `values` as they are, code = position.
    pub fn from_distinct(values: Vec<Value>) -> Self {
        Self {
            values,
            index: OnceLock::new(),
        }
    }

    /// The value behind `code`; NULL for [`NULL_CODE`] and past the end.
    pub fn value(&self, code: u32) -> Value {
        self.values
            .get(code as usize)
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// The code of `value` if it is there.
    pub fn code_of(&self, value: &Value) -> Option<u32> {
        self.index().get(value).copied()
    }

    fn index(&self) -> &FxHashMap<Value, u32> {
        self.index.get_or_init(|| {
            let mut index = FxHashMap::default();
            index.reserve(self.values.len());
            for (code, value) in self.values.iter().enumerate() {
                index.entry(value.clone()).or_insert(code as u32);
            }
            index
        })
    }

    /// The values by code.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// How many distinct values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// One column of a [`Frame`].
#[derive(Clone, Debug, Default)]
pub struct FrameColumn {
    /// The field's name, as written.
    pub name: String,
    /// Its distinct values.
    pub dict: Dict,
    /// One a row: a code of `dict`, or [`NULL_CODE`].
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
