//! Delimited text to batches: the file is cut at row boundaries, the pieces are read on all
//! cores, and each distinct text of a column is delivered once a piece.
//!
//! Files with quotes are read in one piece after another, as a line break may be inside one.

use std::borrow::Cow;
use std::collections::VecDeque;

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use satchel_data::{Batch, Cells, NULL_CODE};
use satchel_script::{Dialect, HostError, Labels, Quotes, ReadRequest, RowSource, split_delimited};

use crate::codepage::decode;

/// 2 MiB: large enough that dictionaries repeat seldom, small enough that two cores share
/// files of a few megabytes.
const PIECE_BYTES: usize = 2 << 20;

/// Opens the file whose content is `bytes`.
pub(crate) fn open(bytes: Vec<u8>, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    let format = &request.format;
    let text = decode(bytes, format.codepage.as_ref().map(|c| c.text.as_str()))?;
    let is_tabbed = request.path.to_ascii_lowercase().ends_with(".tsv");
    let default = if is_tabbed { "\t" } else { "," };
    let dialect = Dialect {
        delimiter: format
            .delimiter
            .clone()
            .unwrap_or_else(|| default.to_owned()),
        quotes: format.quotes != Some(Quotes::None),
        trims: false,
        comment: format.comment.clone(),
    };
    let mut at = 0;
    for _ in 0..format.header_lines {
        at = text[at..].find('\n').map_or(text.len(), |n| at + n + 1);
    }
    let mut first: Option<Vec<String>> = None;
    split_delimited(&text[at..], &dialect, |_, cells| {
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
    let body_has_quotes = dialect.quotes && text[at..].contains('"');
    let is_fast = !body_has_quotes && dialect.delimiter.len() == 1 && dialect.comment.is_none();
    if is_fast && skip_first {
        at = skip_row(&text, at);
    }
    Ok(Box::new(Rows {
        columns,
        layout,
        text,
        at,
        row: usize::from(skip_first),
        dialect,
        skips_first: skip_first && !is_fast,
        is_fast,
        ready: VecDeque::new(),
    }))
}

/// Behind the first line that is not empty.
fn skip_row(text: &str, mut at: usize) -> usize {
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |n| at + n + 1);
        let is_empty = text[at..end].trim_end_matches(['\n', '\r']).is_empty();
        at = end;
        if !is_empty {
            break;
        }
    }
    at
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
    skips_first: bool,
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
        let layout = &self.layout;
        let batches: Vec<Result<Batch, (usize, usize)>> = (pieces.par_iter())
            .map(|piece| read_piece(piece, delimiter, layout))
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

    /// All the rest, with quotes.
    fn read_quoted(&mut self) -> Result<(), HostError> {
        let body = &self.text[self.at..];
        let mut columns: Vec<Coder<'_>> = Vec::new();
        columns.resize_with(self.layout.n_columns, Coder::default);
        let mut n_rows = 0;
        let mut problem = None;
        let skips_first = self.skips_first;
        let outcome = split_delimited(body, &self.dialect, |row, cells| {
            if skips_first && row == 1 {
                return true;
            }
            let n_cells = self.layout.place.len();
            if cells.len() > n_cells && cells[n_cells..].iter().any(|c| !c.is_empty()) {
                problem = Some(too_many_cells(row, cells.len(), n_cells));
                return false;
            }
            for (i, place) in self.layout.place.iter().enumerate() {
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
        outcome.map_err(unclosed)?;
        let batch = Batch {
            n_rows,
            columns: columns.into_iter().map(Coder::finish).collect(),
        };
        self.at = self.text.len();
        self.ready.push_back(batch);
        Ok(())
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

/// Rows without quotes. On an error the row within the piece, from 1, and its cells.
fn read_piece(piece: &[u8], delimiter: u8, layout: &Layout) -> Result<Batch, (usize, usize)> {
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
        if line.is_empty() {
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
                Some(Some(place)) => columns[*place].push(&line[start..stop]),
                Some(None) => {}
                None if start == stop => {}
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
