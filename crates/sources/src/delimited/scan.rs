//! Where the cells of some rows lie. Cells that are written as most are, are found here;
//! whatever is odd is left to the ways of the script room, which say what is right.

use satchel_script::{Dialect, first_cell, skip_line};

/// Which column of the file goes where.
pub(super) struct Layout {
    pub n_columns: usize,
    /// By column of the file.
    pub place: Vec<Option<usize>>,
}

/// What is wrong with a row, counted from 1 within its piece.
pub(super) enum Damage {
    /// Its quote is never closed.
    Unclosed(usize),
    /// With how many there are.
    TooManyCells(usize, usize),
}

/// Where a cell lies: in the piece, or among the texts that differ from the file's bytes.
#[derive(Clone, Copy)]
pub(super) struct Cell(u64);

impl Cell {
    /// The [`Self::place`] of a cell that is not there.
    pub const MISSING: (bool, usize, usize) = (true, Self::MOST, Self::MOST);

    /// The largest offset and length: 2 GiB.
    const MOST: usize = (1 << 31) - 1;

    #[inline]
    fn new(is_unquoted: bool, start: usize, len: usize) -> Self {
        Self(u64::from(is_unquoted) << 63 | (start as u64) << 32 | len as u64)
    }

    /// Whether it lies among the unquoted texts, where it begins, and its length.
    #[inline]
    pub fn place(self) -> (bool, usize, usize) {
        let start = (self.0 >> 32) as usize & Self::MOST;
        (self.0 >> 63 == 1, start, self.0 as u32 as usize)
    }
}

/// The rows of a piece.
#[derive(Default)]
pub(super) struct Scan {
    pub n_rows: usize,
    /// By column, then by row.
    pub columns: Vec<Vec<Cell>>,
    /// Texts of cells with doubled quotes.
    pub unquoted: Vec<u8>,
    /// Where the last row ends in the text.
    pub end: usize,
}

/// Finds rows in a text.
pub(super) struct Scanner<'a> {
    pub text: &'a str,
    /// Whether nothing follows the text.
    pub is_last: bool,
    pub dialect: &'a Dialect,
    pub layout: &'a Layout,
}

/// Why a row is not one.
enum Broken {
    Unclosed,
    TooManyCells(usize),
}

impl Scanner<'_> {
    /// The rows that begin from `start` on and before `end`, where a line ends. A row that may
    /// go on behind the text ends them earlier.
    pub fn scan(&self, start: usize, end: usize) -> Result<Scan, Damage> {
        let n_rows_guess = (end - start) / (8 * self.layout.place.len().max(1));
        let mut out = Scan {
            columns: (0..self.layout.n_columns)
                .map(|_| Vec::with_capacity(n_rows_guess))
                .collect(),
            ..Scan::default()
        };
        let bytes = self.text.as_bytes();
        let may_skip = self.dialect.comment.is_some() || self.dialect.spaces;
        let plain = Plain::of(self.dialect);
        let mut at = start;
        while at < end {
            // Lines that are no rows begin with a line break or a blank, or are comments.
            if (may_skip || bytes[at] <= b' ' || !bytes[at].is_ascii())
                && let Some(rest) = skip_line(&self.text[at..], self.dialect)
            {
                at = bytes.len() - rest.len();
                continue;
            }
            let row = match &plain {
                Some(plain) => self.row(plain, start, at, &mut out),
                None => self.odd_row(at, &mut out),
            };
            let is_open =
                |next: usize| !self.is_last && next == bytes.len() && bytes[next - 1] != b'\n';
            match row {
                Ok(next) if !is_open(next) => at = next,
                Err(Broken::TooManyCells(n)) => {
                    return Err(Damage::TooManyCells(out.n_rows + 1, n));
                }
                Err(Broken::Unclosed) if self.is_last => {
                    return Err(Damage::Unclosed(out.n_rows + 1));
                }
                Ok(_) | Err(Broken::Unclosed) => {
                    for column in &mut out.columns {
                        column.truncate(out.n_rows);
                    }
                    break;
                }
            }
            out.n_rows += 1;
        }
        out.end = at;
        Ok(out)
    }

    /// The cells of the row at `at`, in a dialect of one delimiter; where the next begins.
    #[inline]
    fn row(
        &self,
        plain: &Plain,
        start: usize,
        mut at: usize,
        out: &mut Scan,
    ) -> Result<usize, Broken> {
        let bytes = self.text.as_bytes();
        let mut n_cells = 0;
        let mut is_surplus = false;
        loop {
            let (cell, len, next, is_last) = match plain.cell(bytes, at) {
                Some(found) => found,
                None => {
                    let found = first_cell(&self.text[at..], self.dialect);
                    let (cell, rest, is_last) = found.ok_or(Broken::Unclosed)?;
                    let next = bytes.len() - rest.len();
                    if matches!(self.layout.place.get(n_cells), Some(Some(_))) {
                        self.put(n_cells, &cell, out)?;
                    }
                    is_surplus |= n_cells >= self.layout.place.len() && !cell.is_empty();
                    n_cells += 1;
                    if is_last {
                        return self.finish(n_cells, is_surplus, next, out);
                    }
                    at = next;
                    continue;
                }
            };
            match self.layout.place.get(n_cells) {
                Some(Some(place)) => {
                    if cell - start > Cell::MOST || len > Cell::MOST {
                        return Err(Broken::Unclosed);
                    }
                    out.columns[*place].push(Cell::new(false, cell - start, len));
                }
                Some(None) => {}
                None => is_surplus |= len > 0,
            }
            n_cells += 1;
            if is_last {
                return self.finish(n_cells, is_surplus, next, out);
            }
            at = next;
        }
    }

    /// As [`Self::row`], in any dialect.
    fn odd_row(&self, mut at: usize, out: &mut Scan) -> Result<usize, Broken> {
        let mut n_cells = 0;
        let mut is_surplus = false;
        loop {
            let found = first_cell(&self.text[at..], self.dialect);
            let (cell, rest, is_last) = found.ok_or(Broken::Unclosed)?;
            at = self.text.len() - rest.len();
            if matches!(self.layout.place.get(n_cells), Some(Some(_))) {
                self.put(n_cells, &cell, out)?;
            }
            is_surplus |= n_cells >= self.layout.place.len() && !cell.is_empty();
            n_cells += 1;
            if is_last {
                return self.finish(n_cells, is_surplus, at, out);
            }
        }
    }

    /// A text that is copied.
    fn put(&self, n_cells: usize, cell: &str, out: &mut Scan) -> Result<(), Broken> {
        let at = out.unquoted.len();
        if at + cell.len() >= Cell::MOST {
            return Err(Broken::Unclosed);
        }
        out.unquoted.extend_from_slice(cell.as_bytes());
        if let Some(Some(place)) = self.layout.place.get(n_cells) {
            out.columns[*place].push(Cell::new(true, at, cell.len()));
        }
        Ok(())
    }

    fn finish(
        &self,
        n_cells: usize,
        is_surplus: bool,
        next: usize,
        out: &mut Scan,
    ) -> Result<usize, Broken> {
        if is_surplus {
            return Err(Broken::TooManyCells(n_cells));
        }
        for place in self.layout.place.iter().skip(n_cells).flatten() {
            out.columns[*place].push(Cell::new(true, Cell::MOST, Cell::MOST));
        }
        Ok(next)
    }
}

/// A dialect with a delimiter of one byte.
struct Plain {
    delimiter: u8,
    quotes: bool,
    single_quotes: bool,
    trims: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that is zero, up to the first exactly.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

impl Plain {
    fn of(dialect: &Dialect) -> Option<Self> {
        let [delimiter] = *dialect.delimiter.as_bytes() else {
            return None;
        };
        (!dialect.spaces && delimiter != b'\n').then_some(Self {
            delimiter,
            quotes: dialect.quotes,
            single_quotes: dialect.single_quotes,
            trims: dialect.trims,
        })
    }

    /// Where the cell at `at` begins, its length, where the next begins, and whether it was the
    /// row's last. `None` for an odd one.
    #[inline]
    fn cell(&self, bytes: &[u8], at: usize) -> Option<(usize, usize, usize, bool)> {
        match bytes.get(at) {
            None => return Some((at, 0, at, true)),
            Some(b) if *b == self.delimiter => return Some((at, 0, at + 1, false)),
            Some(b'"') if self.quotes => return self.quoted(bytes, at),
            Some(b'\'') if self.quotes && self.single_quotes => return None,
            Some(b' ' | b'\t') if self.quotes && self.trims => {
                let blank = bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t'));
                match bytes.get(at + blank.count()) {
                    Some(b'"') => return None,
                    Some(b'\'') if self.single_quotes => return None,
                    _ => {}
                }
            }
            Some(_) => {}
        }
        let end = self.cell_end(bytes, at);
        let is_last = bytes.get(end) != Some(&self.delimiter);
        let next = (end + 1).min(bytes.len());
        let mut cell = &bytes[at..end];
        if is_last {
            cell = cell.strip_suffix(b"\r").unwrap_or(cell);
        }
        if !self.trims {
            return Some((at, cell.len(), next, is_last));
        }
        let (skipped, len) = trimmed(cell);
        Some((at + skipped, len, next, is_last))
    }

    #[inline]
    fn quoted(&self, bytes: &[u8], at: usize) -> Option<(usize, usize, usize, bool)> {
        let len = memchr::memchr(b'"', &bytes[at + 1..])?;
        let after = at + len + 2;
        match bytes.get(after) {
            None => Some((at + 1, len, after, true)),
            Some(b) if *b == self.delimiter => Some((at + 1, len, after + 1, false)),
            Some(b'\n') => Some((at + 1, len, after + 1, true)),
            Some(b'\r') if bytes.get(after + 1) == Some(&b'\n') => {
                Some((at + 1, len, after + 2, true))
            }
            Some(_) => None,
        }
    }

    /// Where the next delimiter or line break is, or the end.
    #[inline]
    fn cell_end(&self, bytes: &[u8], mut at: usize) -> usize {
        let delimiters = u64::from(self.delimiter) * ONES;
        let breaks = u64::from(b'\n') * ONES;
        while let Some(word) = bytes[at..].first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            let found = zero_bytes(word ^ delimiters) | zero_bytes(word ^ breaks);
            if found != 0 {
                return at + found.trailing_zeros() as usize / 8;
            }
            at += 8;
        }
        let rest = bytes[at..].iter();
        let mut rest = rest.take_while(|b| **b != self.delimiter && **b != b'\n');
        while rest.next().is_some() {
            at += 1;
        }
        at
    }
}

/// How many bytes of white space stand before a cell, and its length without that around it,
/// as `str::trim` takes it away.
#[inline]
fn trimmed(cell: &[u8]) -> (usize, usize) {
    match cell {
        // Most cells begin and end with a letter or digit.
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => (0, cell.len()),
        [only] if only.is_ascii_graphic() => (0, 1),
        _ => std::str::from_utf8(cell).map_or((0, cell.len()), |text| {
            let behind = text.trim_start();
            (text.len() - behind.len(), behind.trim_end().len())
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use satchel_script::split_delimited;

    use super::*;

    fn dialects() -> impl Strategy<Value = Dialect> {
        let delimiter = prop::sample::select(vec![",", ";", "\t", "||", "'", " "]);
        (delimiter, any::<[bool; 5]>()).prop_map(
            |(delimiter, [quotes, single, trims, comment, spaces])| Dialect {
                delimiter: delimiter.into(),
                quotes,
                single_quotes: single,
                lines_in_single: false,
                spaces: spaces && comment,
                trims,
                comment: comment.then(|| "#".into()),
            },
        )
    }

    fn shown(cells: &[&str]) -> String {
        format!("{}\n", cells.join("\u{1f}"))
    }

    proptest! {
        /// The quick way finds what the plain way finds, however the text is cut, and whether
        /// or not all of it is there.
        #[test]
        fn cells_are_where_the_plain_way_finds_them(
            text in "([a1 ,;\t|'\"#\u{e9}\u{a0}-]|\"\"|\r\n|\n){0,60}",
            dialect in dialects(),
            first_line in any::<prop::sample::Index>(),
        ) {
            let mut want = Vec::new();
            let outcome = split_delimited(&text, &dialect, |_, cells| {
                let cells: Vec<&str> = cells.iter().map(|c| &**c).collect();
                want.push(shown(&cells));
                true
            });
            // As many columns as any row has.
            let n = want.iter().map(|r| r.matches('\u{1f}').count() + 1).max().unwrap_or(1);
            let layout = Layout { n_columns: n, place: (0..n).map(Some).collect() };
            let lines: Vec<usize> = text.match_indices('\n').map(|(i, _)| i + 1).chain([text.len()]).collect();
            let cut = lines[first_line.index(lines.len())];
            for (part, is_last) in [(&text[..], true), (&text[..cut], false)] {
                let scanner = Scanner { text: part, is_last, dialect: &dialect, layout: &layout };
                let mut got = Vec::new();
                let mut at = 0;
                let mut broken = None;
                for end in lines.iter().copied().filter(|end| *end <= part.len()) {
                    if end <= at {
                        continue;
                    }
                    match scanner.scan(at, end) {
                        Ok(scan) => {
                            for row in 0..scan.n_rows {
                                let cells = scan.columns.iter().map(|c| match c[row].place() {
                                    Cell::MISSING => None,
                                    (true, at, len) => std::str::from_utf8(&scan.unquoted[at..at + len]).ok(),
                                    (false, start, len) => Some(&part[at + start..at + start + len]),
                                });
                                let cells: Vec<&str> = cells.map_while(|c| c).collect();
                                got.push(shown(&cells));
                            }
                            at = scan.end;
                            if at < end {
                                break;
                            }
                        }
                        Err(Damage::Unclosed(row)) => {
                            broken = Some(got.len() + row);
                            break;
                        }
                        Err(Damage::TooManyCells(..)) => panic!("there are columns for all"),
                    }
                }
                if is_last {
                    prop_assert_eq!(&got, &want, "{:?}", text);
                    prop_assert_eq!(broken, outcome.err());
                } else {
                    // What is not there yet must not change what was found.
                    prop_assert!(want.starts_with(&got), "{:?} cut at {}: {:?}", text, cut, got);
                    prop_assert_eq!(broken, None);
                }
            }
        }
    }
}
