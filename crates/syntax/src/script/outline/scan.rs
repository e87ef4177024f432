//! How far parts of a script reach: to a `;`, a line's end or a keyword, outside quotes,
//! parentheses and comments.

use super::Scanner;
use crate::lexer::{comment_end, quoted_end, skip_blank, unclosed, unquote, word_end};
use crate::{Diagnostic, Name, Span};

/// Where a scan stops.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// At a `;`.
    Semicolon,
    /// At a `;`, whatever quotes stand before it.
    FirstSemicolon,
    /// At a `;` or line end outside parentheses.
    LineEnd,
    /// At the word outside parentheses, or at a `;`.
    Word(&'static str),
}

impl<'a> Scanner<'a> {
    pub(super) fn word(&self, at: usize) -> &'a str {
        &self.text[at..word_end(self.text, at)]
    }

    pub(super) fn next_word(&self, at: usize) -> (usize, String) {
        let start = skip_blank(self.text, at);
        (start, self.word(start).to_ascii_lowercase())
    }

    /// A name at `at`: a word, or anything in quotes. Empty if there is none.
    pub(super) fn name(&self, at: usize) -> Name {
        let end = match self.text[at..].chars().next() {
            Some('\'' | '"' | '[' | '`') => quoted_end(self.text, at).unwrap_or(at),
            _ => {
                // A name may be made of expansions: `$(v)_x`.
                let mut end = word_end(self.text, at);
                while self.text[..end].ends_with('$') && self.text[end..].starts_with('(') {
                    match self.text[end..].find(')') {
                        Some(n) => end = word_end(self.text, end + n + 1),
                        None => break,
                    }
                }
                end
            }
        };
        Name {
            text: unquote(&self.text[at..end]),
            span: Span::new(at, end),
        }
    }

    /// Moves from `start` to where `until` says; the trimmed text between. Always moves on
    /// by whole characters and never past the end.
    pub(super) fn scan(&mut self, start: usize, until: Until) -> Span {
        let bytes = self.text.as_bytes();
        let mut i = start.min(self.text.len());
        let mut open = 0_i32;
        let mut content_end = i;
        let mut is_word_start = true;
        while i < bytes.len() {
            let byte = bytes[i];
            if byte == b';' || byte == b'\n' && until == Until::LineEnd && open <= 0 {
                break;
            }
            if until != Until::FirstSemicolon {
                if matches!(byte, b'/')
                    && let Some(end) = comment_end(self.text, i)
                {
                    i = end;
                    is_word_start = true;
                    continue;
                }
                if matches!(byte, b'\'' | b'"' | b'[' | b'`') {
                    match quoted_end(self.text, i) {
                        Some(end) => {
                            i = end;
                            content_end = i;
                            is_word_start = true;
                            continue;
                        }
                        None => {
                            if self.diagnostics.len() < 200 {
                                self.diagnostics.push(unclosed(self.text, i));
                            }
                            // One report is enough: read on without minding quotes.
                            let stop = self.text[i..].find(';').map_or(self.text.len(), |n| i + n);
                            content_end = stop;
                            i = stop;
                            break;
                        }
                    }
                }
                match byte {
                    b'(' => open += 1,
                    b')' => open -= 1,
                    _ => {}
                }
                if let Until::Word(word) = until
                    && is_word_start
                    && open <= 0
                    && self.word(i).eq_ignore_ascii_case(word)
                {
                    break;
                }
            }
            let c = self.text[i..].chars().next().unwrap_or(' ');
            i += c.len_utf8();
            is_word_start = !crate::lexer::is_word_char(c);
            if !c.is_whitespace() {
                content_end = i;
            }
        }
        self.at = i;
        let first = skip_blank(self.text, start.min(self.text.len())).min(content_end.max(start));
        Span::new(first, content_end.max(first))
    }

    /// `a STEP b` into its two parts.
    pub(super) fn split_at_word(&self, span: Span, word: &str) -> (Span, Option<Span>) {
        let text = span.text(self.text);
        let mut i = 0;
        let mut open = 0_i32;
        while i < text.len() {
            let c = text[i..].chars().next().unwrap_or(' ');
            if matches!(c, '\'' | '"' | '[' | '`')
                && let Some(end) = quoted_end(text, i)
            {
                i = end;
                continue;
            }
            match c {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if crate::lexer::is_word_char(c) {
                let end = word_end(text, i);
                if open <= 0 && text[i..end].eq_ignore_ascii_case(word) {
                    let start = span.start as usize;
                    let first = text[..i].trim_end().len();
                    let second = skip_blank(text, end);
                    return (
                        Span::new(start, start + first),
                        Some(Span::new(start + second, start + text.len())),
                    );
                }
                i = end;
                continue;
            }
            i += c.len_utf8();
        }
        (span, None)
    }

    /// Ends a control statement: skips the rest of its line, up to a `;`.
    pub(super) fn line_end(&mut self) {
        self.scan(self.at, Until::LineEnd);
    }

    /// Ends `END IF` and the like: only a `;` is skipped, so a statement may follow at once.
    pub(super) fn line_end_word(&mut self) {
        let next = skip_blank(self.text, self.at);
        if self.text[next..].starts_with(';') {
            self.at = next + 1;
        }
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: String) {
        if self.diagnostics.len() < 200 {
            self.diagnostics
                .push(Diagnostic::error(code, span, message));
        }
    }
}
