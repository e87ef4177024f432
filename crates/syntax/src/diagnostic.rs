//! Diagnostics: what is wrong where, and how it is shown to a person.
//!
//! Finding and rendering are separate: parsers and checkers return [`Diagnostic`] values with
//! byte spans, and only [`Diagnostic::render`] knows lines, columns and carets.

use std::fmt::Write as _;

/// A range of byte offsets in a text: `start..end`, end exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte; equal to `start` for a position between two characters.
    pub end: u32,
}

impl Span {
    /// `start..end`; offsets beyond 4 GiB are clamped.
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// This span moved right by `offset` bytes.
    #[must_use]
    pub fn shifted(self, offset: u32) -> Self {
        Self {
            start: self.start.saturating_add(offset),
            end: self.end.saturating_add(offset),
        }
    }

    /// Whether it covers no byte.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The text under the span; empty if the span does not fit `text`.
    pub fn text(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It works, but probably not as meant.
    Warning,
    /// It does not work.
    Error,
}

/// One thing to say about a text a user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable machine-readable code, such as `expr.unexpected_token`.
    pub code: &'static str,
    /// Where it is, in bytes of the text that was parsed.
    pub span: Span,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error without a hint.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            span,
            message: message.into(),
            hint: None,
        }
    }

    /// A warning without a hint.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with its span moved right by `offset` bytes.
    #[must_use]
    pub fn shifted(mut self, offset: u32) -> Self {
        self.span = self.span.shifted(offset);
        self
    }

    /// Whether this makes the text unusable.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The diagnostic for people: message, `file:line:column`, the line with a caret below
    /// the place, and the hint. Ends without a line break.
    ///
    /// ```text
    /// error[expr.unexpected_token]: expected an expression, found `)`
    ///  --> sales.qvs:3:9
    ///   |
    /// 3 | Sum(A + )
    ///   |         ^
    ///   = hint: put a field, number or function after `+`
    /// ```
    pub fn render(&self, file: &str, text: &str) -> String {
        let (line, column) = line_col(text, self.span.start as usize);
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut out = format!("{severity}[{}]: {}\n", self.code, self.message);
        let number = line.to_string();
        let pad = " ".repeat(number.len());
        let _ = writeln!(out, "{pad}--> {file}:{line}:{column}");
        let _ = writeln!(out, "{pad} |");
        let source = text.lines().nth(line as usize - 1).unwrap_or_default();
        let (shown, lead) = window(source, column as usize - 1);
        let _ = writeln!(out, "{number} | {shown}");
        let before: String = shown
            .chars()
            .take(lead)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let under = self.span.text(text);
        let wide = under.lines().next().unwrap_or_default().chars().count();
        let room = shown.chars().count().saturating_sub(lead);
        let carets = "^".repeat(wide.min(room).max(1));
        let _ = write!(out, "{pad} | {before}{carets}");
        if let Some(hint) = &self.hint {
            let _ = write!(out, "\n{pad} = hint: {hint}");
        }
        out
    }
}

/// Line and column of a byte offset, both from 1; columns count characters. An offset past
/// the end gives the position after the last character.
pub fn line_col(text: &str, offset: usize) -> (u32, u32) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[start..].chars().count() + 1;
    (
        u32::try_from(line).unwrap_or(u32::MAX),
        u32::try_from(column).unwrap_or(u32::MAX),
    )
}

/// A readable piece of a long line around character `at`, and where `at` is in the piece.
fn window(line: &str, at: usize) -> (String, usize) {
    /// A terminal's width less the gutter.
    const WIDTH: usize = 100;
    let n_chars = line.chars().count();
    if n_chars <= WIDTH {
        return (line.to_owned(), at.min(n_chars));
    }
    let start = at.saturating_sub(WIDTH / 2).min(n_chars - WIDTH);
    let mut shown: String = line.chars().skip(start).take(WIDTH).collect();
    let mut lead = at.saturating_sub(start);
    if start > 0 {
        shown.insert(0, '…');
        lead += 1;
    }
    if start + WIDTH < n_chars {
        shown.push('…');
    }
    (shown, lead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        assert_eq!(line_col("a\nåb", 4), (2, 2));
        assert_eq!(line_col("", 9), (1, 1));
    }

    #[test]
    fn a_span_outside_the_text_renders() {
        let shown = Diagnostic::error("x.y", Span::new(90, 99), "m").render("f", "ab");
        assert_eq!(shown, "error[x.y]: m\n --> f:1:3\n  |\n1 | ab\n  |   ^");
    }
}
