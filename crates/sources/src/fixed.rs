//! Records of fixed width: fields are named by the positions they stand at, `@1:4`, `@5:n`.
//!
//! Positions count bytes from 1, as widths of such files do; in a file of UTF-16 they count
//! characters.

use satchel_script::{HostError, ReadRequest, RecordSize, RowSource};

use crate::codepage::decode;
use crate::grid::Grid;

/// A field of a record, in bytes from 0.
struct Field {
    name: String,
    start: usize,
    /// Behind the last byte; `None` to the end of the record.
    end: Option<usize>,
}

/// Opens the file whose content is `bytes`.
pub(crate) fn open(
    mut bytes: Vec<u8>,
    request: &ReadRequest,
) -> Result<Box<dyn RowSource>, HostError> {
    let format = &request.format;
    let fields = fields(request)?;
    bytes.drain(..(format.header_bytes as usize).min(bytes.len()));
    let codepage = format.codepage.as_ref().map(|c| c.text.as_str());
    let is_wide = bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || matches!(codepage, Some("unicode" | "utf16" | "1200" | "1201"));
    let mut narrow_codepage = codepage;
    if is_wide {
        // Characters past the first 256 would take several bytes: one each, then back.
        return wide(decode(bytes, codepage)?, fields, request);
    }
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        bytes.drain(..3);
        narrow_codepage = Some("utf8");
    }
    if !format.no_eof
        && let Some(end) = memchr::memchr(0x1a, &bytes)
    {
        bytes.truncate(end);
    }
    // Without a codepage the file as a whole decides, not each cell by itself.
    if narrow_codepage.is_none() && std::str::from_utf8(&bytes).is_err() {
        narrow_codepage = Some("ansi");
    }
    let mut rest = &bytes[..];
    for _ in 0..format.header_lines {
        rest = line(rest).1;
    }
    let mut grid = Grid::default();
    let mut row = 0;
    while let Some(record) = record(&mut rest, format.record) {
        let record = expanded(&record, format.tab_size);
        grid.reach(row);
        for (column, field) in fields.iter().enumerate() {
            let end = field.end.unwrap_or(record.len()).min(record.len());
            let cell = record.get(field.start..end).unwrap_or_default();
            let text = decode(cell.to_vec(), narrow_codepage)?;
            let text = if request.verbatim {
                &text[..]
            } else {
                text.trim()
            };
            grid.put_text(row, column, text)?;
        }
        row += 1;
    }
    finished(grid, fields, request)
}

/// As [`open`] for text whose characters, not bytes, are counted.
fn wide(
    text: String,
    fields: Vec<Field>,
    request: &ReadRequest,
) -> Result<Box<dyn RowSource>, HostError> {
    let mut grid = Grid::default();
    let lines = text.lines().skip(request.format.header_lines as usize);
    for (row, line) in lines.filter(|l| !l.is_empty()).enumerate() {
        let characters: Vec<char> = line.chars().collect();
        grid.reach(row);
        for (column, field) in fields.iter().enumerate() {
            let end = field.end.unwrap_or(characters.len()).min(characters.len());
            let cell: String = characters
                .get(field.start..end)
                .unwrap_or_default()
                .iter()
                .collect();
            let cell = if request.verbatim {
                &cell[..]
            } else {
                cell.trim()
            };
            grid.put_text(row, column, cell)?;
        }
    }
    finished(grid, fields, request)
}

fn finished(
    grid: Grid,
    fields: Vec<Field>,
    request: &ReadRequest,
) -> Result<Box<dyn RowSource>, HostError> {
    Ok(grid.with_names(fields.into_iter().map(|f| f.name).collect(), request))
}

/// The fields the load names, which are the only ones there are.
fn fields(request: &ReadRequest) -> Result<Vec<Field>, HostError> {
    let unknown = |message: String| {
        Err(HostError::new("source.no_positions", message)
            .with_hint("name fields of a file of fixed width by where they stand: LOAD @1:4 AS Id, @5:n AS Name"))
    };
    let Some(wanted) = &request.wanted else {
        return unknown(format!(
            "the load from `{}` does not say where its fields are",
            request.path
        ));
    };
    let mut out = Vec::new();
    for name in wanted {
        let Some(field) = field(name) else {
            return unknown(format!(
                "`{name}` does not say where in `{}` it is",
                request.path
            ));
        };
        out.push(field);
    }
    Ok(out)
}

fn field(name: &str) -> Option<Field> {
    let (first, last) = name.strip_prefix('@')?.split_once(':')?;
    let start = first.trim().parse::<usize>().ok()?.checked_sub(1)?;
    let last = last.trim();
    let end: Option<usize> = match last {
        "n" | "N" => None,
        number => Some(number.parse().ok()?),
    };
    (end.is_none_or(|end| end > start)).then(|| Field {
        name: name.to_owned(),
        start,
        end,
    })
}

/// The next record; empty lines are none.
fn record(rest: &mut &[u8], size: Option<RecordSize>) -> Option<Vec<u8>> {
    match size.unwrap_or(RecordSize::Lines(1)) {
        RecordSize::Bytes(n) => {
            let n = (n.max(1) as usize).min(rest.len());
            let (record, after) = rest.split_at(n);
            *rest = after;
            // A line break at the end is not a record.
            let is_left_over = record.iter().all(|b| matches!(b, b'\r' | b'\n'));
            (!is_left_over).then(|| record.to_vec())
        }
        RecordSize::Lines(n) => {
            let mut record = Vec::new();
            while !rest.is_empty() && record.is_empty() {
                for _ in 0..n.max(1) {
                    let (line, after) = line(rest);
                    record.extend_from_slice(line);
                    *rest = after;
                }
            }
            (!record.is_empty()).then_some(record)
        }
    }
}

/// The first line without its end, and what follows.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', text);
    let (line, rest) = match end {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[][..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// With spaces up to the next multiple of `tab_size` instead of tabs.
fn expanded(record: &[u8], tab_size: Option<u32>) -> Vec<u8> {
    /// Wider tabs than a terminal has columns.
    const MOST: u32 = 256;
    let Some(size) = tab_size.map(|n| n.clamp(1, MOST) as usize) else {
        return record.to_vec();
    };
    let mut out = Vec::with_capacity(record.len());
    for byte in record {
        match byte {
            b'\t' => out.resize((out.len() / size + 1) * size, b' '),
            other => out.push(*other),
        }
    }
    out
}
