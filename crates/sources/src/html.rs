//! Tables of a web page: `table is @1` is the first.
//!
//! Pages are read as browsers do where it matters for tables: end tags may be left out, what
//! stands in scripts and comments is no text, a table within a cell is a table of its own.

use satchel_script::{HostError, ReadRequest, RowSource};

use crate::delimited::text_of;
use crate::grid::{Grid, positions};

/// Wider cells than browsers take.
const MOST_SPAN: usize = 1_000;

/// A table while it is read.
#[derive(Default)]
struct Table {
    grid: Grid,
    n_rows: usize,
    column: usize,
    /// The cell that is open: its text and how many columns it takes.
    cell: Option<(String, usize)>,
    /// For each column, how many rows below a cell from above still takes.
    taken: Vec<usize>,
    is_in_row: bool,
}

/// Opens the file whose content is `bytes`.
pub(crate) fn open(bytes: Vec<u8>, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    let text = text_of(bytes, &request.format)?;
    let mut tables = tables(&text)?;
    let wanted = request
        .format
        .table
        .as_ref()
        .map_or("@1", |t| t.text.trim());
    let number = (wanted.strip_prefix('@')).and_then(|n| n.parse::<usize>().ok());
    let at = number
        .and_then(|n| n.checked_sub(1))
        .filter(|n| *n < tables.len());
    let Some(at) = at else {
        let n = tables.len();
        return Err(HostError::new(
            "source.unknown_table",
            format!("`{}` has no table `{wanted}`", request.path),
        )
        .with_hint(match n {
            0 => "it has no tables at all".to_owned(),
            1 => "it has one table: @1".to_owned(),
            n => format!("it has {n} tables: @1 to @{n}"),
        }));
    };
    Ok(tables.swap_remove(at).labelled(request, positions))
}

/// All tables in the order they begin.
fn tables(text: &str) -> Result<Vec<Grid>, HostError> {
    let mut done: Vec<Option<Grid>> = Vec::new();
    let mut open: Vec<(usize, Table)> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        push_text(&mut open, &rest[..start]);
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(tag) = Tag::of(rest) else {
            push_text(&mut open, "<");
            rest = &rest[1..];
            continue;
        };
        rest = &rest[tag.n_bytes..];
        match (tag.name.as_str(), tag.is_end) {
            ("script" | "style" | "template", false) => {
                let end = format!("</{}", tag.name);
                let lower = rest
                    .as_bytes()
                    .windows(end.len())
                    .position(|w| w.eq_ignore_ascii_case(end.as_bytes()));
                rest = lower.map_or("", |at| &rest[at..]);
            }
            ("table", false) => {
                open.push((done.len(), Table::default()));
                done.push(None);
            }
            ("table", true) => {
                if let Some((number, mut table)) = open.pop() {
                    table.end_row()?;
                    done[number] = Some(table.grid);
                }
            }
            (name, is_end) => {
                let Some((_, table)) = open.last_mut() else {
                    continue;
                };
                match (name, is_end) {
                    ("tr", false) => {
                        table.end_row()?;
                        table.is_in_row = true;
                    }
                    ("tr" | "thead" | "tbody" | "tfoot", true) => table.end_row()?,
                    ("td" | "th", false) => {
                        table.end_cell()?;
                        table.is_in_row = true;
                        let span = |name| tag.number(name).unwrap_or(1).clamp(1, MOST_SPAN);
                        table.begin_cell(span("colspan"), span("rowspan"));
                    }
                    ("td" | "th", true) => table.end_cell()?,
                    ("br" | "p" | "div" | "li", _) => push_text(&mut open, " "),
                    _ => {}
                }
            }
        }
    }
    push_text(&mut open, rest);
    for (number, mut table) in open {
        table.end_row()?;
        done[number] = Some(table.grid);
    }
    Ok(done.into_iter().map(Option::unwrap_or_default).collect())
}

fn push_text(open: &mut [(usize, Table)], text: &str) {
    if let Some((_, table)) = open.last_mut()
        && let Some((cell, _)) = &mut table.cell
    {
        cell.push_str(text);
    }
}

impl Table {
    fn begin_cell(&mut self, n_columns: usize, n_rows: usize) {
        while self.taken.get(self.column).is_some_and(|n| *n > 0) {
            self.column += 1;
        }
        if n_rows > 1 {
            let end = self.column + n_columns;
            if self.taken.len() < end {
                self.taken.resize(end, 0);
            }
            // The row itself counts down too.
            self.taken[self.column..end].fill(n_rows);
        }
        self.cell = Some((String::new(), n_columns));
    }

    fn end_cell(&mut self) -> Result<(), HostError> {
        if let Some((text, n_columns)) = self.cell.take() {
            let words: Vec<&str> = text.split_whitespace().collect();
            let text = unescaped(&words.join(" "));
            self.grid.put_text(self.n_rows, self.column, text.trim())?;
            self.column += n_columns;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), HostError> {
        self.end_cell()?;
        if self.is_in_row && self.column > 0 {
            self.grid.reach(self.n_rows);
            self.n_rows += 1;
        }
        if self.is_in_row {
            for n in &mut self.taken {
                *n = n.saturating_sub(1);
            }
        }
        self.is_in_row = false;
        self.column = 0;
        Ok(())
    }
}

/// `<name attribute="value">` or `</name>`.
struct Tag<'a> {
    name: String,
    is_end: bool,
    attributes: &'a str,
    n_bytes: usize,
}

impl<'a> Tag<'a> {
    /// The tag that `text` begins with.
    fn of(text: &'a str) -> Option<Self> {
        let body = text.strip_prefix('<')?;
        let is_end = body.starts_with('/');
        let body = body.strip_prefix('/').unwrap_or(body);
        let name_end = body
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(body.len());
        let starts = body.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!' || c == '?');
        if !starts {
            return None;
        }
        /// Longer than any tag of a table; a `<` without a `>` is no reason to look further.
        const MOST: usize = 64 << 10;
        let mut quote = None;
        let mut last = b' ';
        for (i, byte) in body.bytes().take(MOST).enumerate() {
            match (byte, quote) {
                (b'>', None) => {
                    return Some(Self {
                        name: body[..name_end].to_ascii_lowercase(),
                        is_end,
                        attributes: &body[name_end..i],
                        n_bytes: text.len() - body.len() + i + 1,
                    });
                }
                // A quote belongs to a value only behind its `=`.
                (b'"' | b'\'', None) if last == b'=' => quote = Some(byte),
                (byte, Some(open)) if byte == open => quote = None,
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                last = byte;
            }
        }
        None
    }

    fn number(&self, attribute: &str) -> Option<usize> {
        let lower = self.attributes.to_ascii_lowercase();
        let at = lower.find(attribute)? + attribute.len();
        let value = lower[at..].trim_start().strip_prefix('=')?.trim_start();
        let digits = value.trim_start_matches(['"', '\'']);
        let end = digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len());
        digits[..end].parse().ok()
    }
}

/// Names of characters that tables hold most; others stay as they are written.
const NAMED: [(&str, &str); 34] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("euro", "€"),
    ("pound", "£"),
    ("yen", "¥"),
    ("cent", "¢"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("deg", "°"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("middot", "·"),
    ("auml", "ä"),
    ("ouml", "ö"),
    ("uuml", "ü"),
    ("Auml", "Ä"),
    ("Ouml", "Ö"),
    ("Uuml", "Ü"),
    ("szlig", "ß"),
    ("eacute", "é"),
    ("egrave", "è"),
    ("agrave", "à"),
    ("ccedil", "ç"),
    ("ntilde", "ñ"),
    ("aring", "å"),
    ("Aring", "Å"),
    ("oslash", "ø"),
    ("aelig", "æ"),
];

fn unescaped(text: &str) -> String {
    /// Longer than any name of a character.
    const MOST: usize = 12;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(MOST).position(|b| b == b';');
        let found = end.and_then(|end| {
            let name = &rest[1..end];
            let character = match name.strip_prefix('#') {
                Some(number) => {
                    let code = match number.strip_prefix(['x', 'X']) {
                        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(code)?.to_string()
                }
                None => NAMED.iter().find(|(n, _)| *n == name)?.1.to_owned(),
            };
            Some((character, end + 1))
        });
        match found {
            Some((character, n_bytes)) => {
                out.push_str(&character);
                rest = &rest[n_bytes..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}
