//! Delimited text to columns of raw texts. The file passes through a window of some megabytes;
//! what is in it is cut at ends of lines, the pieces are searched for cells on all cores, and
//! then each column takes its cells, again on all cores.
//!
//! Where cells are quoted, a line break may stand within one.

mod input;
mod scan;

use std::fs::File;

use rayon::prelude::*;
use satchel_data::{Batch, Cells, RawColumn, Read};
use satchel_script::{
    Dialect, HostError, Labels, Quotes, ReadRequest, RowSource, split_delimited_until,
};

use input::Input;
pub(crate) use input::text_of;
use scan::{Cell, Damage, Layout, Scan, Scanner};

/// 1 MiB: where the cells of a piece lie fits in the second-level cache beside it.
const PIECE_BYTES: usize = 1 << 20;

/// Opens a file, which is not read as a whole if it need not be.
pub(crate) fn open(file: File, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    Ok(Box::new(Rows::new(
        Input::of_file(file, request)?,
        request,
    )?))
}

struct Rows {
    columns: Vec<String>,
    layout: Layout,
    input: Input,
    /// Rows read so far, for messages.
    row: usize,
    dialect: Dialect,
}

impl Rows {
    fn new(mut input: Input, request: &ReadRequest) -> Result<Self, HostError> {
        let format = &request.format;
        let is_tabbed = request.path.to_ascii_lowercase().ends_with(".tsv");
        let default = if is_tabbed { "\t" } else { "," };
        let dialect = Dialect {
            delimiter: format
                .delimiter
                .clone()
                .unwrap_or_else(|| default.to_owned()),
            quotes: format.quotes != Some(Quotes::None),
            single_quotes: !matches!(format.quotes, Some(Quotes::None | Quotes::Modern)),
            lines_in_single: false,
            spaces: format.delimiter_is_spaces,
            trims: !request.verbatim,
            comment: format.comment.clone(),
        };
        let head = loop {
            if let Some(head) = Head::read(&input, format.header_lines as usize, &dialect) {
                break head;
            }
            input.fill(2 * input.text().len().max(PIECE_BYTES))?;
        };
        let first = head.first.map_err(|()| unclosed(1))?;
        let (all, skip_first): (Vec<String>, _) = match format.labels {
            Some(Labels::None) => ((1..=first.len()).map(|n| format!("@{n}")).collect(), false),
            Some(Labels::Embedded | Labels::Explicit) | None => (first, true),
        };
        // Positions keep their meaning only if all columns are there.
        let wanted = request.wanted.as_ref();
        let place: Vec<Option<usize>> = {
            let mut n = 0;
            (all.iter().enumerate())
                .map(|(i, name)| {
                    let is_wanted = wanted.is_none_or(|w| w.contains(name))
                        && !(wanted.is_some() && all[..i].contains(name));
                    is_wanted.then(|| {
                        n += 1;
                        n - 1
                    })
                })
                .collect()
        };
        let columns: Vec<String> = (all.iter().zip(&place))
            .filter(|(_, p)| p.is_some())
            .map(|(name, _)| name.clone())
            .collect();
        input.consume(if skip_first { head.end } else { head.start });
        Ok(Self {
            layout: Layout {
                n_columns: columns.len(),
                place,
            },
            columns,
            input,
            row: usize::from(skip_first),
            dialect,
        })
    }

    /// The next rows, as far as the window holds them; none at the end.
    fn scan(&mut self) -> Result<Vec<Piece>, HostError> {
        let n_threads = rayon::current_num_threads();
        let mut window = n_threads * PIECE_BYTES;
        loop {
            self.input.fill(window)?;
            let is_last = self.input.is_last();
            let pieces = self.scan_window(n_threads, is_last)?;
            if !pieces.is_empty() || is_last {
                return Ok(pieces);
            }
            // Not a single row ends in the window.
            window = 2 * self.input.text().len().max(window);
        }
    }

    fn scan_window(&self, n_threads: usize, is_last: bool) -> Result<Vec<Piece>, HostError> {
        let text = self.input.text();
        let bytes = text.as_bytes();
        let mut cuts = Vec::new();
        let mut start = 0;
        while cuts.len() < n_threads && start < bytes.len() {
            let goal = (start + PIECE_BYTES).min(bytes.len());
            let end = memchr::memchr(b'\n', &bytes[goal..]).map(|n| goal + n + 1);
            // A line that is not all there is left for the next time.
            let end = match end {
                Some(end) => end,
                None if is_last => bytes.len(),
                None => memchr::memrchr(b'\n', &bytes[start..]).map_or(start, |n| start + n + 1),
            };
            if end == start {
                break;
            }
            cuts.push((start, end));
            start = end;
        }
        let scanner = Scanner {
            text,
            is_last,
            dialect: &self.dialect,
            layout: &self.layout,
        };
        let scans: Vec<Result<Scan, Damage>> = (cuts.par_iter())
            .map(|(start, end)| scanner.scan(*start, *end))
            .collect();
        let mut out: Vec<Piece> = Vec::new();
        let (mut at, mut row) = (0, self.row);
        for ((start, end), scan) in cuts.into_iter().zip(scans) {
            if end <= at {
                continue;
            }
            // A piece that begins within a quoted cell is noticed, as the one before does not
            // end where it begins, and searched again.
            let (start, scan) = match start == at {
                true => (start, scan),
                false => (at, scanner.scan(at, end)),
            };
            let scan = scan.map_err(|damage| match damage {
                Damage::Unclosed(n) => unclosed(row + n),
                Damage::TooManyCells(n, n_cells) => {
                    too_many_cells(row + n, n_cells, self.layout.place.len())
                }
            })?;
            let is_cut = scan.end < end;
            (at, row) = (scan.end, row + scan.n_rows);
            if scan.end > start {
                out.push(Piece { start, scan });
            }
            if is_cut {
                break;
            }
        }
        Ok(out)
    }
}

/// Rows of the window and where they begin in it.
struct Piece {
    start: usize,
    scan: Scan,
}

impl RowSource for Rows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, HostError> {
        let mut columns: Vec<RawColumn> = Vec::new();
        columns.resize_with(self.columns.len(), RawColumn::new);
        let before = self.row;
        if !self.read_raw(&mut columns)? {
            return Ok(None);
        }
        let columns = columns.into_iter().map(|column| {
            let column = column.into_column("", |_| Read::Text);
            Cells::PartlyRaw {
                values: column.dict.values().to_vec(),
                codes: column.codes,
            }
        });
        Ok(Some(Batch {
            n_rows: self.row - before,
            columns: columns.collect(),
        }))
    }

    fn is_raw(&self) -> bool {
        // Rows without a column are counted by batches.
        !self.columns.is_empty()
    }

    fn read_raw(&mut self, columns: &mut [RawColumn]) -> Result<bool, HostError> {
        let pieces = self.scan()?;
        let bytes = self.input.text().as_bytes();
        (columns.par_iter_mut().enumerate()).for_each(|(at, column)| {
            for Piece { start, scan } in &pieces {
                for cell in &scan.columns[at] {
                    match cell.place() {
                        Cell::MISSING => column.push_null(),
                        (true, at, len) => column.push(&scan.unquoted, at, len),
                        (false, at, len) => column.push(bytes, start + at, len),
                    }
                }
            }
        });
        self.row += pieces.iter().map(|p| p.scan.n_rows).sum::<usize>();
        match pieces.last() {
            Some(last) => {
                let end = last.scan.end;
                self.input.consume(end);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// The first row, behind lines that are skipped.
struct Head {
    /// Where it begins.
    start: usize,
    /// Where it ends.
    end: usize,
    /// Its cells, or that its quote is never closed.
    first: Result<Vec<String>, ()>,
}

impl Head {
    /// `None` if the row may go on behind what was read.
    fn read(input: &Input, n_skipped: usize, dialect: &Dialect) -> Option<Self> {
        let text = input.text();
        let is_all = input.is_last();
        let mut start = 0;
        for _ in 0..n_skipped {
            start = match text[start..].find('\n') {
                Some(n) => start + n + 1,
                None if is_all => text.len(),
                None => return None,
            };
        }
        let mut first: Option<Vec<String>> = None;
        let end = split_delimited_until(&text[start..], text.len(), dialect, |_, cells| {
            first = Some(cells.iter().map(|c| c.clone().into_owned()).collect());
            false
        });
        match end {
            // Lines that are no rows may have no end yet.
            Ok(n) if is_all || first.is_some() && start + n < text.len() => Some(Self {
                start,
                end: start + n,
                first: Ok(first.unwrap_or_default()),
            }),
            Err(_) if is_all => Some(Self {
                start,
                end: start,
                first: Err(()),
            }),
            _ => None,
        }
    }
}

fn unclosed(row: usize) -> HostError {
    HostError::new(
        "source.malformed",
        format!("in row {row} a quote is never closed"),
    )
    .with_hint("write \"\" for a quote inside a quoted cell, or use no quotes")
}

fn too_many_cells(row: usize, n_cells: usize, n_columns: usize) -> HostError {
    HostError::new(
        "source.malformed",
        format!("row {row} has {n_cells} cells, and there are {n_columns} columns"),
    )
    .with_hint("check the delimiter, and that cells with delimiters in them are quoted")
}
