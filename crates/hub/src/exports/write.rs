//! Rows into files: values between commas or tabs (RFC 4180, UTF-8), and workbooks.
//!
//! A spreadsheet takes text that begins with `=`, `+`, `-` or `@` in a text file for a formula
//! and runs it. Such texts get an apostrophe in front; numbers do not. In a workbook texts are
//! texts.

use std::io::{BufWriter, Seek, Write};

use rust_xlsxwriter::{Format, Workbook, XlsxError};
use satchel_base::Stop;
use satchel_qix::{ExportCell, ExportFile, ExportKind, ExportRows};

/// The longest text a cell of a workbook may have, in characters.
const MAX_CELL: usize = 32_767;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ExportError {
    /// The budget of the request ended.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// More bytes than a file may have.
    #[error("the exported file would be too large; export fewer rows or columns")]
    TooLarge,
    /// The disk, mostly.
    #[error("the hub cannot write the exported file now; tell the administrator")]
    Io(#[from] std::io::Error),
    /// The writer of workbooks refused something.
    #[error("the workbook cannot be written")]
    Workbook(#[from] XlsxError),
}

/// Writes the file; how many rows it has below its heading.
pub(crate) fn write(
    to: &mut (impl Write + Seek + Send),
    wanted: &ExportFile,
    rows: &mut ExportRows<'_>,
    max_bytes: u64,
) -> Result<u64, ExportError> {
    match wanted.kind {
        ExportKind::Csv => separated(to, ',', wanted, rows, max_bytes),
        ExportKind::Tsv => separated(to, '\t', wanted, rows, max_bytes),
        ExportKind::Workbook => workbook(to, wanted, rows),
    }
}

fn separated(
    to: &mut impl Write,
    separator: char,
    wanted: &ExportFile,
    rows: &mut ExportRows<'_>,
    max_bytes: u64,
) -> Result<u64, ExportError> {
    let mut to = BufWriter::new(to);
    let mut line = String::new();
    let mut put = |cells: &mut dyn Iterator<Item = (&str, bool)>, written: &mut u64| {
        line.clear();
        for (i, (text, is_num)) in cells.enumerate() {
            if i > 0 {
                line.push(separator);
            }
            field(&mut line, text, is_num, separator);
        }
        line.push_str("\r\n");
        *written += line.len() as u64;
        if *written > max_bytes {
            return Err(ExportError::TooLarge);
        }
        to.write_all(line.as_bytes())?;
        Ok(())
    };
    let (mut written, mut n_rows) = (0, 0);
    put(
        &mut wanted.columns.iter().map(|c| (c.as_str(), false)),
        &mut written,
    )?;
    for row in rows {
        let row = row?;
        put(
            &mut row.iter().map(|c| (c.text.as_str(), c.num.is_some())),
            &mut written,
        )?;
        n_rows += 1;
    }
    to.flush()?;
    Ok(n_rows)
}

/// Adds one value to a line, quoted if need be.
fn field(line: &mut String, text: &str, is_num: bool, separator: char) {
    let guard = is_formula(text, is_num);
    let quoted = text.contains([separator, '"', '\r', '\n'])
        || text.starts_with(char::is_whitespace)
        || text.ends_with(char::is_whitespace);
    if quoted {
        line.push('"');
    }
    if guard {
        line.push('\'');
    }
    for c in text.chars() {
        if c == '"' {
            line.push('"');
        }
        line.push(c);
    }
    if quoted {
        line.push('"');
    }
}

/// Whether a spreadsheet would take the text for a formula. A number with its sign is none.
fn is_formula(text: &str, is_num: bool) -> bool {
    let looks = text.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    let is_plain_number = || {
        text.chars().all(|c| {
            c.is_ascii_digit()
                || matches!(
                    c,
                    '.' | ',' | '\'' | ' ' | '\u{a0}' | '\u{202f}' | '%' | '-' | '+' | 'e' | 'E'
                )
        }) && !text.starts_with(['=', '@'])
            && text.trim_start_matches(['-', '+']).len() + 1 == text.len()
            && !text[1..].contains(['+', '-'])
    };
    looks && !(is_num && is_plain_number())
}

fn workbook(
    to: &mut (impl Write + Seek + Send),
    wanted: &ExportFile,
    rows: &mut ExportRows<'_>,
) -> Result<u64, ExportError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let bold = Format::new().set_bold();
    for (column, title) in (0u16..).zip(&wanted.columns) {
        sheet.write_string_with_format(0, column, cell_text(title), &bold)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    let mut n_rows = 0;
    for (at, row) in (1u32..).zip(rows) {
        for (column, ExportCell { text, num }) in (0u16..).zip(&row?) {
            match num {
                Some(n) => sheet.write_number(at, column, *n)?,
                None if text.is_empty() => continue,
                None => sheet.write_string(at, column, cell_text(text))?,
            };
        }
        n_rows += 1;
    }
    workbook.save_to_writer(to)?;
    Ok(n_rows)
}

/// A text as long as a cell may have it.
fn cell_text(text: &str) -> &str {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn csv(kind: ExportKind, cells: &[(&str, Option<f64>)]) -> String {
        let wanted = ExportFile {
            app: String::new(),
            name: String::new(),
            kind,
            columns: vec!["Name, first".into()],
        };
        let mut rows = cells.iter().map(|(text, num)| {
            Ok(vec![ExportCell {
                text: (*text).to_owned(),
                num: *num,
            }])
        });
        let mut to = Cursor::new(Vec::new());
        write(&mut to, &wanted, &mut rows, 1 << 20).unwrap();
        String::from_utf8(to.into_inner()).unwrap()
    }

    #[test]
    fn values_are_quoted_where_they_must_be() {
        let cells = [
            ("a,b", None),
            ("say \"hi\"", None),
            ("two\nlines", None),
            ("", None),
        ];
        assert_eq!(
            csv(ExportKind::Csv, &cells),
            "\"Name, first\"\r\n\"a,b\"\r\n\"say \"\"hi\"\"\"\r\n\"two\nlines\"\r\n\r\n"
        );
        assert_eq!(
            csv(ExportKind::Tsv, &[("a,b", None), ("a\tb", None)]),
            "Name, first\r\na,b\r\n\"a\tb\"\r\n"
        );
    }

    // threat: T-30
    #[test]
    fn text_that_a_spreadsheet_would_run_is_made_harmless() {
        for text in [
            "=1+1",
            "+1",
            "-x",
            "@SUM(A1)",
            "-2+3+cmd|' /C calc'!A0",
            "\u{ff1d}1",
        ] {
            assert_eq!(
                csv(ExportKind::Csv, &[(text, None)]).lines().nth(1),
                Some(format!("'{text}").as_str())
            );
        }
        // Numbers keep their sign, also with separators; a number whose text is none does not.
        for text in ["-5", "-1,234.50", "+7", "-12 %"] {
            let line = csv(ExportKind::Tsv, &[(text, Some(1.0))]);
            assert_eq!(line.lines().nth(1), Some(text));
        }
        for text in ["=5", "-5-5", "--5"] {
            let line = csv(ExportKind::Tsv, &[(text, Some(1.0))]);
            assert_eq!(line.lines().nth(1), Some(format!("'{text}").as_str()));
        }
    }

    #[test]
    fn a_file_that_grows_too_large_is_none() {
        let wanted = ExportFile {
            app: String::new(),
            name: String::new(),
            kind: ExportKind::Csv,
            columns: vec!["A".into()],
        };
        let mut rows = std::iter::repeat_with(|| {
            Ok(vec![ExportCell {
                text: "x".repeat(100),
                num: None,
            }])
        });
        let done = write(&mut Cursor::new(Vec::new()), &wanted, &mut rows, 1_000);
        assert!(matches!(done, Err(ExportError::TooLarge)));
    }
}
