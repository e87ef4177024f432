//! A table whose columns come into being with the names in a file.

use rustc_hash::FxHashMap;
use satchel_data::Value;
use satchel_script::{HostError, ReadRequest, RowSource};

use crate::grid::Grid;

/// More names than these are values in the wrong place.
const MOST_COLUMNS: usize = 10_000;

/// Cells by row and name; the columns stand in the order in which their names came.
#[derive(Debug, Default)]
pub(crate) struct NamedGrid {
    grid: Grid,
    names: Vec<String>,
    at: FxHashMap<String, usize>,
}

impl NamedGrid {
    /// Makes rows up to `row` exist.
    pub(crate) fn reach(&mut self, row: usize) {
        self.grid.reach(row);
    }

    /// Puts a value into a cell.
    pub(crate) fn put(&mut self, row: usize, name: &str, value: Value) -> Result<(), HostError> {
        let column = self.column(name)?;
        self.grid.put(row, column, value)
    }

    /// Puts a text that still has to be interpreted into a cell.
    pub(crate) fn put_text(&mut self, row: usize, name: &str, text: &str) -> Result<(), HostError> {
        let column = self.column(name)?;
        self.grid.put_text(row, column, text)
    }

    fn column(&mut self, name: &str) -> Result<usize, HostError> {
        let next = self.names.len();
        match self.at.get(name) {
            Some(column) => Ok(*column),
            None if next >= MOST_COLUMNS => Err(HostError::new(
                "source.too_large",
                format!("there are more than {MOST_COLUMNS} different names"),
            )
            .with_hint("are there values where names should be?")),
            None => {
                self.at.insert(name.to_owned(), next);
                self.names.push(name.to_owned());
                Ok(next)
            }
        }
    }

    /// The table, of whose columns those that are wanted stay.
    pub(crate) fn finish(self, request: &ReadRequest) -> Box<dyn RowSource> {
        self.grid.with_names(self.names, request)
    }
}
