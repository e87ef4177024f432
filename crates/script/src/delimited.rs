//! Delimited text to rows of cells: inline tables, and files that need more than the fast way.

use std::borrow::Cow;

/// How delimited text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// What separates cells; not empty.
    pub delimiter: String,
    /// Whether `"` and `'` quote cells.
    pub quotes: bool,
    /// Whether spaces around cells go.
    pub trims: bool,
    /// Lines that start so are skipped.
    pub comment: Option<String>,
}

/// Calls `row` with the number (from 1) and the cells of each row; `false` from it stops.
/// Empty lines are no rows. A cell that begins with `"` ends at the next single `"`; `""`
/// within is one quote, and line breaks may stand within.
///
/// # Errors
/// The number of the row whose quote is never closed.
pub fn split_delimited<'a>(
    text: &'a str,
    dialect: &Dialect,
    mut row: impl FnMut(usize, &[Cow<'a, str>]) -> bool,
) -> Result<(), usize> {
    let mut rest = text;
    let mut number = 0;
    let mut cells: Vec<Cow<'a, str>> = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = skip_line_if(rest, dialect) {
            rest = after;
            continue;
        }
        number += 1;
        cells.clear();
        loop {
            let (cell, after, last) = cell(rest, dialect).ok_or(number)?;
            cells.push(cell);
            rest = after;
            if last {
                break;
            }
        }
        if !row(number, &cells) {
            return Ok(());
        }
    }
    Ok(())
}

/// If the first line is empty or a comment: what follows it.
fn skip_line_if<'a>(rest: &'a str, dialect: &Dialect) -> Option<&'a str> {
    let end = rest.find('\n').map_or(rest.len(), |n| n + 1);
    let line = &rest[..end];
    let is_empty =
        line.trim_end_matches(['\n', '\r']).is_empty() || dialect.trims && line.trim().is_empty();
    let is_comment = dialect
        .comment
        .as_ref()
        .is_some_and(|c| !c.is_empty() && line.starts_with(c.as_str()));
    (is_empty || is_comment).then(|| &rest[end..])
}

/// The first cell, what follows it, and whether it was the row's last.
fn cell<'a>(text: &'a str, dialect: &Dialect) -> Option<(Cow<'a, str>, &'a str, bool)> {
    let blank = if dialect.trims {
        text.len() - text.trim_start_matches([' ', '\t']).len()
    } else {
        0
    };
    // A tab may be the delimiter itself.
    let blank = if text[..blank].contains(&dialect.delimiter) {
        0
    } else {
        blank
    };
    let body = &text[blank..];
    if dialect.quotes && (body.starts_with('"') || dialect.trims && body.starts_with('\'')) {
        let quote = body.as_bytes()[0];
        if let Some(end) = closing_quote(body, quote) {
            let after = &body[end..];
            let gap = after.len() - after.trim_start_matches([' ', '\t', '\r']).len();
            let tail = if dialect.trims { &after[gap..] } else { after };
            if let Some((rest, last)) = separator(tail, dialect) {
                let raw = &body[1..end - 1];
                let doubled = if quote == b'"' { "\"\"" } else { "''" };
                let cell = if raw.contains(doubled) {
                    Cow::Owned(raw.replace(doubled, &doubled[..1]))
                } else {
                    Cow::Borrowed(raw)
                };
                return Some((cell, rest, last));
            }
        } else if quote == b'"' {
            return None;
        }
    }
    let line_end = text.find('\n').unwrap_or(text.len());
    let end = text[..line_end]
        .find(&dialect.delimiter)
        .unwrap_or(line_end);
    let (rest, last) = separator(&text[end..], dialect).unwrap_or(("", true));
    let mut raw = &text[..end];
    if last {
        raw = raw.strip_suffix('\r').unwrap_or(raw);
    }
    if dialect.trims {
        raw = raw.trim();
    }
    Some((Cow::Borrowed(raw), rest, last))
}

/// Offset after the quote that closes the one `text` begins with.
fn closing_quote(text: &str, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut i = 1;
    while i < bytes.len() {
        if bytes[i] == quote {
            if bytes.get(i + 1) == Some(&quote) {
                i += 2;
                continue;
            }
            return Some(i + 1);
        }
        i += 1;
    }
    None
}

/// What follows the delimiter or line break that `text` begins with, and whether it was the
/// latter. `None` if it begins with neither.
fn separator<'a>(text: &'a str, dialect: &Dialect) -> Option<(&'a str, bool)> {
    if let Some(rest) = text.strip_prefix(dialect.delimiter.as_str()) {
        return Some((rest, false));
    }
    if text.is_empty() {
        return Some(("", true));
    }
    let rest = text
        .strip_prefix("\r\n")
        .or_else(|| text.strip_prefix('\n'));
    rest.or_else(|| (text == "\r").then_some(""))
        .map(|rest| (rest, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, trims: bool, want: &str) {
        let dialect = Dialect {
            delimiter: ",".into(),
            quotes: true,
            trims,
            comment: Some("#".into()),
        };
        let mut shown = String::new();
        let result = split_delimited(text, &dialect, |_, cells| {
            shown += &cells.join("|");
            shown.push('/');
            true
        });
        if let Err(row) = result {
            shown += &format!("row {row} unclosed");
        }
        assert_eq!(shown, want);
    }

    #[test]
    fn cells_rows_and_quotes_separate() {
        check("a,b\n1,2\r\n\n#x\n3,", false, "a|b/1|2/3|/");
        check("\"a,\"\"b\",\"c\nd\"\n", false, "a,\"b|c\nd/");
        check(" a , 'b,c' ,\t\"d\" \n", true, "a|b,c|d/");
        check("5\" pipe,x\"y\n", false, "5\" pipe|x\"y/");
        check("\"a\"b,c", false, "\"a\"b|c/");
        check("a\n\"b", false, "a/row 2 unclosed");
        check(",", false, "|/");
    }
}
