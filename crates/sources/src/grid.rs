//! A table while its cells are put together from a file that is read as a whole.

use rustc_hash::FxHashMap;
use satchel_data::{Batch, Cells, NULL_CODE, Value};
use satchel_script::{FormatSpec, HostError, Labels, ReadRequest, RowSource};

/// 256 million cells take a gigabyte. A small file may announce far more.
const MOST_CELLS: usize = 256 << 20;

/// Cells by row and column; those nothing was put into are NULL. A text is raw: it still has
/// to be interpreted as number, date or text.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    columns: Vec<Column>,
    n_rows: usize,
    n_cells: usize,
}

#[derive(Debug, Default)]
struct Column {
    /// Of the rows up to the last that has a cell.
    codes: Vec<u32>,
    values: Vec<Value>,
    known: FxHashMap<Value, u32>,
}

impl Grid {
    /// How many columns have a cell.
    pub(crate) fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// Makes rows up to `row` exist.
    pub(crate) fn reach(&mut self, row: usize) {
        self.n_rows = self.n_rows.max(row + 1);
    }

    /// Puts `value` into a cell. Rows of a column come in ascending order; what comes later
    /// for an earlier row replaces what is there.
    pub(crate) fn put(&mut self, row: usize, column: usize, value: Value) -> Result<(), HostError> {
        if value.is_null() {
            return Ok(());
        }
        if self.columns.len() <= column {
            self.columns.resize_with(column + 1, Column::default);
        }
        let into = &mut self.columns[column];
        let more = (row + 1).saturating_sub(into.codes.len());
        if self.n_cells.saturating_add(more) > MOST_CELLS {
            return Err(HostError::new(
                "source.too_large",
                format!("there are more than {MOST_CELLS} cells"),
            )
            .with_hint(
                "is there a stray value far below or right of the table? Else split the file",
            ));
        }
        self.n_cells += more;
        if more > 0 {
            into.codes.resize(row + 1, NULL_CODE);
        }
        let next = into.values.len() as u32;
        into.codes[row] = match into.known.get(&value) {
            Some(code) => *code,
            None => {
                into.values.push(value.clone());
                into.known.insert(value, next);
                next
            }
        };
        self.reach(row);
        Ok(())
    }

    /// Puts raw text into a cell.
    pub(crate) fn put_text(
        &mut self,
        row: usize,
        column: usize,
        text: &str,
    ) -> Result<(), HostError> {
        self.put(row, column, Value::text(text))
    }

    /// The text of a cell; empty for NULL.
    fn text(&self, row: usize, column: usize) -> String {
        let column = &self.columns[column];
        let code = column.codes.get(row).copied().unwrap_or(NULL_CODE);
        column
            .values
            .get(code as usize)
            .map_or_else(String::new, Value::to_text)
    }

    /// The table below the header that `format` tells of, whose first row may hold the names.
    /// A column without a name is called as `unnamed` says.
    pub(crate) fn labelled(
        self,
        request: &ReadRequest,
        unnamed: impl Fn(usize) -> String,
    ) -> Box<dyn RowSource> {
        let FormatSpec {
            labels,
            header_lines,
            ..
        } = &request.format;
        let header = *header_lines as usize;
        let has_labels = *labels != Some(Labels::None);
        let names = (0..self.columns.len())
            .map(|i| match has_labels {
                true => Some(self.text(header, i).trim().to_owned())
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| unnamed(i)),
                false => unnamed(i),
            })
            .collect();
        self.named(names, header + usize::from(has_labels), request)
    }

    /// The table from row `first` on with columns called `names`, of which those that are
    /// wanted stay.
    pub(crate) fn named(
        self,
        names: Vec<String>,
        first: usize,
        request: &ReadRequest,
    ) -> Box<dyn RowSource> {
        let n_rows = self.n_rows.saturating_sub(first);
        let mut columns = Vec::new();
        let mut cells = Vec::new();
        for (name, mut column) in names.into_iter().zip(self.columns) {
            if (request.wanted.as_ref()).is_some_and(|w| !w.contains(&name)) {
                continue;
            }
            column.codes.drain(..first.min(column.codes.len()));
            column.codes.resize(n_rows, NULL_CODE);
            columns.push(name);
            cells.push(Cells::PartlyRaw {
                values: without_unused(&mut column.codes, column.values),
                codes: column.codes,
            });
        }
        Box::new(Whole {
            columns,
            batch: Some(Batch {
                n_rows,
                columns: cells,
            }),
        })
    }

    /// The table with columns called `names`, which may be more than have cells.
    pub(crate) fn with_names(
        mut self,
        names: Vec<String>,
        request: &ReadRequest,
    ) -> Box<dyn RowSource> {
        self.columns.resize_with(names.len(), Column::default);
        self.named(names, 0, request)
    }
}

/// Leaves the values that no code names out.
fn without_unused(codes: &mut [u32], values: Vec<Value>) -> Vec<Value> {
    let mut is_used = vec![false; values.len()];
    for code in codes.iter() {
        if let Some(used) = is_used.get_mut(*code as usize) {
            *used = true;
        }
    }
    let mut kept = Vec::with_capacity(values.len());
    let map: Vec<u32> = (values.into_iter().zip(is_used))
        .map(|(value, used)| {
            if used {
                kept.push(value);
            }
            kept.len().wrapping_sub(1) as u32
        })
        .collect();
    for code in codes {
        *code = map.get(*code as usize).copied().unwrap_or(NULL_CODE);
    }
    kept
}

/// Column names of a spreadsheet: A, B … Z, AA …
pub(crate) fn letters(column: usize) -> String {
    let mut out = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        rest -= 1;
        out.push(b'A' + (rest % 26) as u8);
        rest /= 26;
    }
    out.reverse();
    out.into_iter().map(char::from).collect()
}

/// Column names by position: `@1`, `@2` …
pub(crate) fn positions(column: usize) -> String {
    format!("@{}", column + 1)
}

/// A table in one batch.
struct Whole {
    columns: Vec<String>,
    batch: Option<Batch>,
}

impl RowSource for Whole {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, HostError> {
        Ok(self.batch.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_in_letters() {
        let names: Vec<String> = [0, 25, 26, 701, 702, 16_383].map(letters).into();
        assert_eq!(names, ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }
}
