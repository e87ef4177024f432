//! Delimited text to rows of cells: inline tables, and files that need more than the fast way.

use std::borrow::Cow;

/// How delimited text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// What separates cells; not empty.
    pub delimiter: String,
    /// Whether `"` quotes cells.
    pub quotes: bool,
    /// Whether `'` does too.
    pub single_quotes: bool,
    /// Whether a line break may stand between single quotes.
    pub lines_in_single: bool,
    /// Whether any run of blanks and control characters is one delimiter, instead of
    /// `delimiter`.
    pub spaces: bool,
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
    row: impl FnMut(usize, &[Cow<'a, str>]) -> bool,
) -> Result<(), usize> {
    split_delimited_until(text, text.len(), dialect, row).map(|_| ())
}

/// As [`split_delimited`], but no row begins at or behind `until`: where the last ended.
///
/// # Errors
/// As [`split_delimited`].
pub fn split_delimited_until<'a>(
    text: &'a str,
    until: usize,
    dialect: &Dialect,
    mut row: impl FnMut(usize, &[Cow<'a, str>]) -> bool,
) -> Result<usize, usize> {
    let mut rest = text;
    let mut number = 0;
    let mut cells: Vec<Cow<'a, str>> = Vec::new();
    while !rest.is_empty() && text.len() - rest.len() < until {
        if let Some(after) = skip_line(rest, dialect) {
            rest = after;
            continue;
        }
        number += 1;
        cells.clear();
        loop {
            let (cell, after, last) = first_cell(rest, dialect).ok_or(number)?;
            cells.push(cell);
            rest = after;
            if last {
                break;
            }
        }
        if !row(number, &cells) {
            break;
        }
    }
    Ok(text.len() - rest.len())
}

/// The first cell of `text`, what follows it and what ends it, and whether it was its row's
/// last. `None` if its quote is never closed.
pub fn first_cell<'a>(text: &'a str, dialect: &Dialect) -> Option<(Cow<'a, str>, &'a str, bool)> {
    if dialect.spaces {
        spaced_cell(text, dialect)
    } else {
        cell(text, dialect)
    }
}

/// If the first line of `rest` is empty or a comment: what follows it.
pub fn skip_line<'a>(rest: &'a str, dialect: &Dialect) -> Option<&'a str> {
    let end = rest.find('\n').map_or(rest.len(), |n| n + 1);
    let line = &rest[..end];
    let is_empty = line.trim_end_matches(['\n', '\r']).is_empty()
        || (dialect.trims || dialect.spaces) && line.trim().is_empty();
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
    if dialect.quotes && (body.starts_with('"') || dialect.single_quotes && body.starts_with('\''))
    {
        let quote = body.as_bytes()[0];
        if let Some(end) = closing_quote(body, quote, dialect) {
            let after = &body[end..];
            let gap = after.len() - after.trim_start_matches([' ', '\t', '\r']).len();
            // A blank may be the delimiter itself.
            let gap = after[..gap].find(&dialect.delimiter).unwrap_or(gap);
            let tail = if dialect.trims { &after[gap..] } else { after };
            if let Some((rest, last)) = separator(tail, dialect) {
                return Some((unquoted(&body[1..end - 1], quote), rest, last));
            }
        } else if quote == b'"' {
            return None;
        }
    }
    let end = match dialect.delimiter.as_bytes() {
        [delimiter] => (text.bytes())
            .position(|b| b == *delimiter || b == b'\n')
            .unwrap_or(text.len()),
        _ => {
            let line_end = text.find('\n').unwrap_or(text.len());
            (text[..line_end].find(&dialect.delimiter)).unwrap_or(line_end)
        }
    };
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

/// As [`cell`], where runs of blanks and control characters separate. They count neither at the
/// beginning nor at the end of a row.
fn spaced_cell<'a>(text: &'a str, dialect: &Dialect) -> Option<(Cow<'a, str>, &'a str, bool)> {
    let is_blank = |c: char| c <= ' ' && c != '\n' && c != '\r';
    let body = text.trim_start_matches(is_blank);
    let quote = match body.as_bytes().first() {
        Some(quote @ b'"') if dialect.quotes => Some(*quote),
        Some(quote @ b'\'') if dialect.quotes && dialect.single_quotes => Some(*quote),
        _ => None,
    };
    let closed = quote.and_then(|quote| Some((quote, closing_quote(body, quote, dialect)?)));
    let (cell, after) = match closed {
        Some((quote, end)) if body[end..].chars().next().is_none_or(|c| c <= ' ') => {
            (unquoted(&body[1..end - 1], quote), &body[end..])
        }
        None if quote == Some(b'"') => return None,
        _ => {
            let end = body.find(|c: char| c <= ' ').unwrap_or(body.len());
            (Cow::Borrowed(&body[..end]), &body[end..])
        }
    };
    let after = after.trim_start_matches(is_blank);
    let rest = (after.strip_prefix("\r\n"))
        .or_else(|| after.strip_prefix('\n'))
        .or_else(|| after.strip_prefix('\r'));
    Some(match rest {
        Some(rest) => (cell, rest, true),
        None => (cell, after, after.is_empty()),
    })
}

/// What stands between quotes.
fn unquoted(raw: &str, quote: u8) -> Cow<'_, str> {
    let doubled = if quote == b'"' { "\"\"" } else { "''" };
    if raw.contains(doubled) {
        Cow::Owned(raw.replace(doubled, &doubled[..1]))
    } else {
        Cow::Borrowed(raw)
    }
}

/// Offset after the quote that closes the one `text` begins with. In a file a single quote is
/// more often an apostrophe: it ends in its line or is none.
fn closing_quote(text: &str, quote: u8, dialect: &Dialect) -> Option<usize> {
    let text = match text.find('\n') {
        Some(end) if quote == b'\'' && !dialect.lines_in_single => &text[..end],
        _ => text,
    };
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
            single_quotes: trims,
            lines_in_single: trims,
            spaces: false,
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
    fn blanks_separate_too() {
        let dialect = Dialect {
            delimiter: " ".into(),
            quotes: true,
            single_quotes: true,
            lines_in_single: false,
            spaces: true,
            trims: true,
            comment: None,
        };
        let mut shown = String::new();
        let text = "  a   b\t c \r\n\n \n\"x y\" 'z  w' it's\n'tis on\nlast";
        split_delimited(text, &dialect, |_, cells| {
            shown += &format!("{}/", cells.join("|"));
            true
        })
        .unwrap();
        assert_eq!(shown, "a|b|c/x y|z  w|it's/'tis|on/last/");
    }

    #[test]
    fn a_tab_behind_a_quote_is_a_delimiter() {
        let dialect = Dialect {
            delimiter: "\t".into(),
            quotes: true,
            single_quotes: true,
            lines_in_single: false,
            spaces: false,
            trims: true,
            comment: None,
        };
        let mut shown = String::new();
        split_delimited("\"a\tb\"\t\"c\" \t'd'\n", &dialect, |_, cells| {
            shown += &cells.join("|");
            true
        })
        .unwrap();
        assert_eq!(shown, "a\tb|c|d");
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
