//! Text to tokens. Shared by expressions and statements.
//!
//! Comments (`//` to the end of the line, `/* */`) and white space are skipped. The slashes
//! of `lib://`, `http://`, `https://` and `file://` are not a comment.

use crate::{Diagnostic, Span};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A word: field, function or keyword.
    Word,
    /// Digits with an optional fraction and exponent.
    Number,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `[…]`
    Bracketed,
    /// `` `…` ``
    Backticked,
    /// An operator or other sign; the text tells which.
    Sign,
    /// A character that begins no token.
    Stray,
    /// After the last token.
    End,
}

/// A token and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

const TWO_BYTE_SIGNS: [&str; 6] = ["<>", "<=", ">=", "<<", ">>", "::"];

/// All tokens of `text`, closed by one of kind [`TokenKind::End`].
pub(crate) fn tokens(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut out = Vec::new();
    let mut diagnostics = Vec::new();
    let mut at = 0;
    loop {
        at = skip_blank(text, at);
        let Some(first) = text[at..].chars().next() else {
            break;
        };
        let (kind, end) = match first {
            '\'' | '"' | '[' | '`' => {
                let end = quoted_end(text, at).unwrap_or_else(|| {
                    diagnostics.push(unclosed(text, at));
                    text.len()
                });
                (quoted_kind(first), end)
            }
            '0'..='9' | '.' => number_or_word(text, at),
            '‘' | '“' if typographic_end(text, at).is_some() => {
                let end = typographic_end(text, at).unwrap_or(text.len());
                diagnostics.push(
                    Diagnostic::warning(
                        "syntax.typographic_quotes",
                        Span::new(at, end),
                        "these quotes are those of printed text; they are read as plain ones",
                    )
                    .with_hint("write ' around a text, and \" around a field"),
                );
                (quoted_kind(first), end)
            }
            c if is_word_char(c) => (TokenKind::Word, word_end(text, at)),
            _ => {
                let two = text.get(at..at + 2).unwrap_or_default();
                if TWO_BYTE_SIGNS.contains(&two) {
                    (TokenKind::Sign, at + 2)
                } else if "()+-*/&^=<>,;:{}!|".contains(first) {
                    (TokenKind::Sign, at + 1)
                } else {
                    (TokenKind::Stray, at + first.len_utf8())
                }
            }
        };
        out.push(Token {
            kind,
            span: Span::new(at, end),
        });
        at = end;
    }
    out.push(Token {
        kind: TokenKind::End,
        span: Span::new(text.len(), text.len()),
    });
    (out, diagnostics)
}

/// The diagnostic for a quote at `at` that nothing closes.
pub(crate) fn unclosed(text: &str, at: usize) -> Diagnostic {
    let open = text[at..].chars().next().unwrap_or('\'');
    let close = if open == '[' { ']' } else { open };
    Diagnostic::error(
        "syntax.unclosed_quote",
        Span::new(at, at + open.len_utf8()),
        format!("`{open}` is never closed"),
    )
    .with_hint(format!("put a `{close}` where the name or text ends"))
}

fn quoted_kind(open: char) -> TokenKind {
    match open {
        '\'' | '‘' => TokenKind::SingleQuoted,
        '"' | '“' => TokenKind::DoubleQuoted,
        '[' => TokenKind::Bracketed,
        _ => TokenKind::Backticked,
    }
}

/// Offset after the closing quote of the quote that opens at `at`; a doubled closing quote
/// stands for itself. `None` if nothing closes it.
pub(crate) fn quoted_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let close = match bytes.get(at)? {
        b'[' => b']',
        other => *other,
    };
    let mut i = at + 1;
    while i < bytes.len() {
        if bytes[i] == close {
            if bytes.get(i + 1) == Some(&close) && close != b'`' {
                i += 2;
                continue;
            }
            return Some(i + 1);
        }
        i += 1;
    }
    None
}

/// Offset after the quote of printed text that closes the one at `at`, in the same line and
/// without a `;` between.
fn typographic_end(text: &str, at: usize) -> Option<usize> {
    let mut chars = text[at..].char_indices();
    let close = match chars.next()? {
        (_, '‘') => '’',
        _ => '”',
    };
    for (n, c) in chars {
        if c == close {
            return Some(at + n + c.len_utf8());
        }
        if matches!(c, '\n' | ';') {
            return None;
        }
    }
    None
}

/// What stands between the quotes, doubled closing quotes undoubled. A text without quotes
/// comes back as it is.
pub(crate) fn unquote(text: &str) -> String {
    let mut chars = text.chars();
    let close = match chars.next() {
        Some('[') => ']',
        Some(c @ ('\'' | '"' | '`')) => c,
        Some('‘') => return inner_of(text, '‘', '’'),
        Some('“') => return inner_of(text, '“', '”'),
        _ => return text.to_owned(),
    };
    let inner = chars.as_str();
    let inner = inner.strip_suffix(close).unwrap_or(inner);
    if close == '`' {
        return inner.to_owned();
    }
    let doubled: String = [close, close].iter().collect();
    inner.replace(&doubled, close.encode_utf8(&mut [0; 4]))
}

fn inner_of(text: &str, open: char, close: char) -> String {
    let inner = text.strip_prefix(open).unwrap_or(text);
    inner.strip_suffix(close).unwrap_or(inner).to_owned()
}

/// Offset of the next character that is neither white space nor in a comment.
pub(crate) fn skip_blank(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start_matches(is_blank);
        at = text.len() - trimmed.len();
        match comment_end(text, at) {
            Some(end) => at = end,
            None => return at,
        }
    }
}

/// White space, and the invisible signs that come along when text is copied from a page.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}')
}

/// If a comment begins at `at`: the offset after it. An unclosed `/*` runs to the end.
pub(crate) fn comment_end(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    if rest.starts_with("//") {
        if is_scheme(&text[..at]) {
            return None;
        }
        return Some(rest.find('\n').map_or(text.len(), |n| at + n));
    }
    let comment = rest.strip_prefix("/*")?;
    Some(comment.find("*/").map_or(text.len(), |n| at + n + 4))
}

/// Whether `before` ends in `lib:` or the like, so that `//` continues an address.
fn is_scheme(before: &str) -> bool {
    let Some(word) = before.strip_suffix(':') else {
        return false;
    };
    let word = word
        .rsplit(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    ["lib", "http", "https", "file"]
        .iter()
        .any(|s| word.eq_ignore_ascii_case(s))
}

/// Characters of an unquoted name, the first one included.
pub(crate) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || "_.#$%@~\\?".contains(c)
}

pub(crate) fn word_end(text: &str, at: usize) -> usize {
    text[at..]
        .char_indices()
        .find(|&(_, c)| !is_word_char(c))
        .map_or(text.len(), |(n, _)| at + n)
}

/// `12`, `1.5`, `.5`, `1e-3` are numbers; `2nd` and `.x` are words.
fn number_or_word(text: &str, at: usize) -> (TokenKind, usize) {
    let bytes = text.as_bytes();
    let digits = |mut i: usize| {
        while bytes.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        i
    };
    let whole = digits(at);
    let mut end = whole;
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    let mut n_digits = end - at;
    if bytes.get(whole) == Some(&b'.') {
        n_digits -= 1;
    }
    if n_digits == 0 {
        return (TokenKind::Word, word_end(text, at).max(at + 1));
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    let word = word_end(text, end);
    if word > end {
        return (TokenKind::Word, word);
    }
    (TokenKind::Number, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[&str]) {
        let (tokens, _) = tokens(text);
        let got: Vec<&str> = tokens.iter().map(|t| t.span.text(text)).collect();
        assert_eq!(&got[..got.len() - 1], want);
    }

    #[test]
    fn words_numbers_and_signs_separate() {
        check("a<=1.5e3", &["a", "<=", "1.5e3"]);
        check("[a]]b] 'it''s'", &["[a]]b]", "'it''s'"]);
        check("Date#(x,'YY') // c", &["Date#", "(", "x", ",", "'YY'", ")"]);
        check("1st 1e x", &["1st", "1e", "x"]);
        check("/* a */ b /* c", &["b"]);
    }

    #[test]
    fn addresses_are_not_comments() {
        check("lib://Data//x", &["lib", ":", "/", "/", "Data"]);
    }

    #[test]
    fn quotes_unescape() {
        assert_eq!(unquote("'it''s'"), "it's");
        assert_eq!(unquote("[a]]b]"), "a]b");
        assert_eq!(unquote("plain"), "plain");
        assert_eq!(unquote("'"), "");
    }
}
