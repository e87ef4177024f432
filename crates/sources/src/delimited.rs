//! Delimited text to batches: the file is cut at row boundaries, the pieces are read on all
//! cores, and each distinct text of a column is delivered once a piece.
//!
//! Where cells are quoted, a line break may stand within one.

use std::borrow::Cow;
use std::collections::VecDeque;

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use satchel_data::{Batch, Cells, NULL_CODE};
use satchel_script::{
    Dialect, FormatSpec, HostError, Labels, Quotes, ReadRequest, RowSource, split_delimited_until,
};

use crate::codepage::decode;

/// 2 MiB: large enough that dictionaries repeat seldom, small enough that two cores share
/// files of a few megabytes.
const PIECE_BYTES: usize = 2 << 20;

/// Ctrl-Z, which ends a text file of old.
const END_OF_FILE: u8 = 0x1a;

/// Opens the file whose content is `bytes`.
pub(crate) fn open(bytes: Vec<u8>, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    let format = &request.format;
    let text = text_of(bytes, format)?;
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
    let mut at = 0;
    for _ in 0..format.header_lines {
        at = text[at..].find('\n').map_or(text.len(), |n| at + n + 1);
    }
    let mut first: Option<Vec<String>> = None;
    let behind_first = split_delimited_until(&text[at..], text.len(), &dialect, |_, cells| {
        first = Some(cells.iter().map(|c| c.clone().into_owned()).collect());
        false
    })
    .map_err(|_| unclosed(1))?;
    let first = first.unwrap_or_default();
    let (all, skip_first) = match format.labels {
        Some(Labels::None) => ((1..=first.len()).map(|n| format!("@{n}")).collect(), false),
        Some(Labels::Embedded | Labels::Explicit) | None => (first, true),
    };
    let all: Vec<String> = all;
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
    let layout = Layout {
        n_columns: columns.len(),
        place,
    };
    if skip_first {
        at += behind_first;
    }
    let is_fast = !dialect.spaces
        && dialect.delimiter.len() == 1
        && dialect.comment.is_none()
        && !has_quotes(&text[at..], &dialect);
    Ok(Box::new(Rows {
        columns,
        layout,
        text,
        at,
        row: usize::from(skip_first),
        dialect,
        is_fast,
        ready: VecDeque::new(),
    }))
}

/// The text of a file, up to its end-of-file character unless that is an ordinary one.
pub(crate) fn text_of(mut bytes: Vec<u8>, format: &FormatSpec) -> Result<String, HostError> {
    bytes.drain(..(format.header_bytes as usize).min(bytes.len()));
    let codepage = format.codepage.as_ref().map(|c| c.text.as_str());
    let mut text = decode(bytes, codepage)?;
    if !format.no_eof
        && let Some(end) = memchr::memchr(END_OF_FILE, text.as_bytes())
    {
        text.truncate(end);
    }
    Ok(text)
}

/// Whether a quote may begin a cell of `text`.
fn has_quotes(text: &str, dialect: &Dialect) -> bool {
    let bytes = text.as_bytes();
    if !dialect.quotes {
        return false;
    }
    if memchr::memchr(b'"', bytes).is_some() {
        return true;
    }
    let delimiter = dialect.delimiter.as_bytes()[0];
    // An apostrophe within a word is none.
    dialect.single_quotes
        && memchr::memchr_iter(b'\'', bytes).any(|at| match at.checked_sub(1) {
            Some(before) => bytes[before] <= b' ' || bytes[before] == delimiter,
            None => true,
        })
}

/// Which column of the file goes where.
struct Layout {
    n_columns: usize,
    /// By column of the file.
    place: Vec<Option<usize>>,
}

struct Rows {
    columns: Vec<String>,
    layout: Layout,
    text: String,
    at: usize,
    /// Rows before `at`.
    row: usize,
    dialect: Dialect,
    is_fast: bool,
    ready: VecDeque<Batch>,
}

impl RowSource for Rows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, HostError> {
        if let Some(batch) = self.ready.pop_front() {
            return Ok(Some(batch));
        }
        if self.at >= self.text.len() {
            return Ok(None);
        }
        if self.is_fast {
            self.read_pieces()?;
        } else {
            self.read_quoted()?;
        }
        Ok(self.ready.pop_front())
    }
}

impl Rows {
    fn read_pieces(&mut self) -> Result<(), HostError> {
        let text = self.text.as_bytes();
        let mut pieces = Vec::new();
        while pieces.len() < rayon::current_num_threads() && self.at < text.len() {
            let goal = (self.at + PIECE_BYTES).min(text.len());
            let end = memchr::memchr(b'\n', &text[goal..]).map_or(text.len(), |n| goal + n + 1);
            pieces.push(&text[self.at..end]);
            self.at = end;
        }
        let delimiter = self.dialect.delimiter.as_bytes()[0];
        let (layout, trims) = (&self.layout, self.dialect.trims);
        let batches: Vec<Result<Batch, (usize, usize)>> = (pieces.par_iter())
            .map(|piece| read_piece(piece, delimiter, trims, layout))
            .collect();
        for batch in batches {
            let batch = batch.map_err(|(row, n_cells)| {
                too_many_cells(self.row + row, n_cells, self.layout.place.len())
            })?;
            self.row += batch.n_rows;
            self.ready.push_back(batch);
        }
        Ok(())
    }

    /// As [`Rows::read_pieces`], with quotes. A piece that begins within a quoted cell is
    /// noticed, as the one before does not end where it begins, and read again.
    fn read_quoted(&mut self) -> Result<(), HostError> {
        let text = self.text.as_str();
        let mut pieces = Vec::new();
        let mut start = self.at;
        while pieces.len() < rayon::current_num_threads() && start < text.len() {
            let goal = (start + PIECE_BYTES).min(text.len());
            let bytes = &text.as_bytes()[goal..];
            let end = memchr::memchr(b'\n', bytes).map_or(text.len(), |n| goal + n + 1);
            pieces.push((start, end));
            start = end;
        }
        let (dialect, layout) = (&self.dialect, &self.layout);
        let read: Vec<Result<(Batch, usize), Damage>> = (pieces.par_iter())
            .map(|(start, end)| read_quoted_piece(text, *start, *end, dialect, layout))
            .collect();
        for ((start, end), piece) in pieces.into_iter().zip(read) {
            if end <= self.at {
                continue;
            }
            let piece = if start == self.at {
                piece
            } else {
                read_quoted_piece(text, self.at, end, dialect, layout)
            };
            let (batch, at) = piece.map_err(|damage| match damage {
                Damage::Unclosed(row) => unclosed(self.row + row),
                Damage::TooManyCells(row, n) => {
                    too_many_cells(self.row + row, n, layout.place.len())
                }
            })?;
            self.at = at;
            self.row += batch.n_rows;
            self.ready.push_back(batch);
        }
        Ok(())
    }
}

/// What is wrong with a row, counted from 1 within its piece.
enum Damage {
    Unclosed(usize),
    /// With how many there are.
    TooManyCells(usize, usize),
}

/// The rows that begin from `start` on and before `end`, and where the last of them ends.
fn read_quoted_piece(
    text: &str,
    start: usize,
    end: usize,
    dialect: &Dialect,
    layout: &Layout,
) -> Result<(Batch, usize), Damage> {
    let mut columns: Vec<Coder<'_>> = Vec::new();
    columns.resize_with(layout.n_columns, Coder::default);
    let n_cells = layout.place.len();
    let mut n_rows = 0;
    let mut problem = None;
    let outcome = split_delimited_until(&text[start..], end - start, dialect, |row, cells| {
        if cells.len() > n_cells && cells[n_cells..].iter().any(|c| !c.is_empty()) {
            problem = Some(Damage::TooManyCells(row, cells.len()));
            return false;
        }
        for (i, place) in layout.place.iter().enumerate() {
            let Some(place) = place else { continue };
            match cells.get(i) {
                Some(Cow::Borrowed(cell)) => columns[*place].push(cell.as_bytes()),
                Some(Cow::Owned(cell)) => columns[*place].push_owned(cell.as_bytes()),
                None => columns[*place].codes.push(NULL_CODE),
            }
        }
        n_rows += 1;
        true
    });
    if let Some(problem) = problem {
        return Err(problem);
    }
    let n_bytes = outcome.map_err(Damage::Unclosed)?;
    let batch = Batch {
        n_rows,
        columns: columns.into_iter().map(Coder::finish).collect(),
    };
    Ok((batch, start + n_bytes))
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

/// Rows without quotes. On an error the row within the piece, from 1, and its cells.
fn read_piece(
    piece: &[u8],
    delimiter: u8,
    trims: bool,
    layout: &Layout,
) -> Result<Batch, (usize, usize)> {
    let mut columns: Vec<Coder<'_>> = Vec::new();
    columns.resize_with(layout.n_columns, Coder::default);
    let mut n_rows = 0;
    let mut at = 0;
    while at < piece.len() {
        let end = memchr::memchr(b'\n', &piece[at..]).map_or(piece.len(), |n| at + n);
        let mut line = &piece[at..end];
        at = end + 1;
        if let [rest @ .., b'\r'] = line {
            line = rest;
        }
        if line.is_empty() || trims && is_blank(line) {
            continue;
        }
        n_rows += 1;
        let mut start = 0;
        let mut n_cells = 0;
        loop {
            let stop = (line[start..].iter())
                .position(|b| *b == delimiter)
                .map_or(line.len(), |n| start + n);
            match layout.place.get(n_cells) {
                Some(Some(place)) => {
                    let cell = &line[start..stop];
                    columns[*place].push(if trims { trimmed(cell) } else { cell });
                }
                Some(None) => {}
                None if start == stop || trims && is_blank(&line[start..stop]) => {}
                None => {
                    let more = line[stop..].iter().filter(|b| **b == delimiter).count();
                    return Err((n_rows, n_cells + 1 + more));
                }
            }
            n_cells += 1;
            if stop == line.len() {
                break;
            }
            start = stop + 1;
        }
        for place in layout.place.iter().skip(n_cells).flatten() {
            columns[*place].codes.push(NULL_CODE);
        }
    }
    Ok(Batch {
        n_rows,
        columns: columns.into_iter().map(Coder::finish).collect(),
    })
}

/// Without the white space around it, as `str::trim` takes it away.
#[inline]
fn trimmed(cell: &[u8]) -> &[u8] {
    match cell {
        // Most cells begin and end with a letter or digit.
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => cell,
        [only] if only.is_ascii_graphic() => cell,
        _ => std::str::from_utf8(cell).map_or(cell, |text| text.trim().as_bytes()),
    }
}

fn is_blank(text: &[u8]) -> bool {
    trimmed(text).is_empty()
}

/// A column of a piece while it is read: distinct texts and a code for each row.
#[derive(Default)]
struct Coder<'a> {
    /// Texts of up to seven bytes, packed with their length.
    short: FxHashMap<u64, u32>,
    long: FxHashMap<Cow<'a, [u8]>, u32>,
    ends: Vec<u32>,
    bytes: Vec<u8>,
    codes: Vec<u32>,
    last: Option<(&'a [u8], u32)>,
}

impl<'a> Coder<'a> {
    #[inline]
    fn push(&mut self, cell: &'a [u8]) {
        if let Some((last, code)) = self.last
            && last == cell
        {
            self.codes.push(code);
            return;
        }
        let code = match packed(cell) {
            Some(key) => {
                let next = self.ends.len() as u32;
                let code = *self.short.entry(key).or_insert(next);
                if code == next {
                    self.add(cell);
                }
                code
            }
            None => match self.long.get(cell) {
                Some(code) => *code,
                None => {
                    let code = self.add(cell);
                    self.long.insert(Cow::Borrowed(cell), code);
                    code
                }
            },
        };
        self.last = Some((cell, code));
        self.codes.push(code);
    }

    /// A cell whose text differs from the file's bytes.
    fn push_owned(&mut self, cell: &[u8]) {
        let code = match self.long.get(cell) {
            Some(code) => *code,
            None => {
                let code = self.add(cell);
                self.long.insert(Cow::Owned(cell.to_vec()), code);
                code
            }
        };
        self.codes.push(code);
    }

    fn add(&mut self, cell: &[u8]) -> u32 {
        self.bytes.extend_from_slice(cell);
        self.ends.push(self.bytes.len() as u32);
        self.ends.len() as u32 - 1
    }

    fn finish(self) -> Cells {
        Cells::RawCoded {
            codes: self.codes,
            ends: self.ends,
            // Cells are cut at ASCII signs from valid text.
            bytes: String::from_utf8(self.bytes)
                .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
        }
    }
}

/// Up to seven bytes and their number in one word.
#[inline]
fn packed(cell: &[u8]) -> Option<u64> {
    if cell.len() > 7 {
        return None;
    }
    let mut word = [0; 8];
    word[..cell.len()].copy_from_slice(cell);
    word[7] = cell.len() as u8;
    Some(u64::from_le_bytes(word))
}
