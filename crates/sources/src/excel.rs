//! Spreadsheets of Excel: `ooxml` (xlsx, xlsm) and `biff` (xls). What a file is decides its
//! content, not what the script calls it.
//!
//! Dates and times keep the serial number of the cell and show ISO text; errors and blank cells
//! are NULL; other texts are interpreted as those of a text file are. Formulas count as the
//! value that was saved with them.

mod limits;

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, ExcelDateTime, Reader, Xls, Xlsx};
use satchel_data::Value;
use satchel_script::{HostError, ReadRequest, RowSource};

use crate::grid::{Grid, letters};
use crate::moment;

/// What a sheet of Excel has at most.
const MOST_ROWS: u32 = 1 << 20;
const MOST_COLUMNS: u32 = 1 << 14;

/// Days from 1899-12-30 to 1904-01-01, where some workbooks count from.
const DAYS_TO_1904: f64 = 1_462.0;

/// Opens a spreadsheet.
pub(crate) fn open(file: File, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    // The library takes files as they should be; a damaged one may take it by surprise.
    let read = catch_unwind(AssertUnwindSafe(|| read(file, request)));
    let grid =
        read.unwrap_or_else(|_| Err(malformed(&request.path, "its parts contradict each other")))?;
    Ok(grid.labelled(request, letters))
}

fn read(mut file: File, request: &ReadRequest) -> Result<Grid, HostError> {
    let path = &request.path;
    let mut magic = [0; 8];
    let n = (file.read(&mut magic)).and_then(|n| file.rewind().map(|()| n));
    n.map_err(|error| {
        HostError::new(
            "source.cannot_read",
            format!("cannot read `{path}`: {error}"),
        )
    })?;
    if magic.starts_with(b"PK") {
        limits::check_zip(&mut file).map_err(|why| malformed(path, &why))?;
        new_workbook(BufReader::new(file), request)
    } else if magic == [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1] {
        limits::check_biff(&mut file).map_err(|why| malformed(path, &why))?;
        old_workbook(BufReader::new(file), request)
    } else {
        Err(malformed(
            path,
            "it is neither a zip archive (xlsx) nor a compound file (xls)",
        ))
    }
}

fn new_workbook(file: BufReader<File>, request: &ReadRequest) -> Result<Grid, HostError> {
    let path = &request.path;
    let broken = |error: calamine::XlsxError| malformed(path, &error.to_string());
    let mut book = Xlsx::new(file).map_err(broken)?;
    let sheet = sheet_name(&book.sheet_names(), request)?;
    let is_1904 = book.has_1904_epoch();
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(broken)?;
    let mut grid = Grid::default();
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (row, column) = place(cell.get_position(), path)?;
        let value = match cell.get_value() {
            DataRef::SharedString(text) => text_value(text),
            other => value_of(&Data::from(other.clone()), is_1904),
        };
        grid.put(row, column, value)?;
    }
    Ok(grid)
}

fn old_workbook(file: BufReader<File>, request: &ReadRequest) -> Result<Grid, HostError> {
    let path = &request.path;
    let mut book: Xls<_> = Xls::new(file).map_err(|error| malformed(path, &error.to_string()))?;
    let sheet = sheet_name(&book.sheet_names(), request)?;
    let is_1904 = book.has_1904_epoch();
    let range = (book.worksheet_range(&sheet)).map_err(|e| malformed(path, &e.to_string()))?;
    let mut grid = Grid::default();
    let start = range.start().unwrap_or_default();
    for (row, column, cell) in range.used_cells() {
        let at = (row as u32 + start.0, column as u32 + start.1);
        let (row, column) = place(at, path)?;
        grid.put(row, column, value_of(cell, is_1904))?;
    }
    Ok(grid)
}

fn place((row, column): (u32, u32), path: &str) -> Result<(usize, usize), HostError> {
    if row >= MOST_ROWS || column >= MOST_COLUMNS {
        return Err(malformed(
            path,
            &format!(
                "it has a cell in row {}, column {}",
                u64::from(row) + 1,
                u64::from(column) + 1
            ),
        ));
    }
    Ok((row as usize, column as usize))
}

/// The sheet that `table is` names: by name (perhaps with the `$` of older drivers), by number
/// as `@2`; without it the first.
fn sheet_name(sheets: &[String], request: &ReadRequest) -> Result<String, HostError> {
    let wanted = match &request.format.table {
        None => {
            return sheets
                .first()
                .cloned()
                .ok_or_else(|| malformed(&request.path, "it has no sheets"));
        }
        Some(table) => table.text.trim(),
    };
    let same = |name: &str| (sheets.iter()).find(|s| s.to_lowercase() == name.to_lowercase());
    let bare = wanted
        .trim_matches('\'')
        .trim_end_matches('$')
        .trim_matches('\'');
    let numbered = (wanted.strip_prefix('@'))
        .and_then(|n| n.parse::<usize>().ok())
        .and_then(|n| sheets.get(n.checked_sub(1)?));
    (same(wanted).or_else(|| same(bare)).or(numbered).cloned()).ok_or_else(|| {
        /// More than that is no help.
        const MOST: usize = 20;
        let mut known: Vec<&str> = sheets.iter().take(MOST).map(String::as_str).collect();
        if sheets.len() > MOST {
            known.push("…");
        }
        HostError::new(
            "source.unknown_table",
            format!("`{}` has no sheet called `{wanted}`", request.path),
        )
        .with_hint(format!("the sheets are {}", known.join(", ")))
    })
}

fn value_of(cell: &Data, is_1904: bool) -> Value {
    match cell {
        Data::Int(n) => Value::num(*n as f64),
        Data::Float(n) => Value::num(*n),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text_value(text),
        Data::Bool(truth) => Value::boolean(*truth),
        Data::DateTime(at) => date(at, is_1904),
        Data::Error(_) | Data::Empty => Value::Null,
    }
}

fn text_value(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        Value::text(text)
    }
}

fn date(at: &ExcelDateTime, is_1904: bool) -> Value {
    if at.is_duration() {
        return moment::interval(at.as_f64());
    }
    let serial = at.as_f64() + if is_1904 { DAYS_TO_1904 } else { 0.0 };
    moment::of_serial(serial)
}

fn malformed(path: &str, why: &str) -> HostError {
    HostError::new(
        "source.malformed",
        format!("`{path}` is not a readable spreadsheet: {why}"),
    )
    .with_hint("was it written completely, without a password? Save it again in Excel if it can be")
}
