//! One statement's text to its tree: label, guard, prefixes, then the statement by keyword.

use super::{Guard, Prefix, PrefixKind, Statement, StatementKind};
use crate::lexer::TokenKind;
use crate::parser::Parser;
use crate::{Diagnostic, Name, Span};

/// Parses one statement, without its `;` and after `$()` expansion. Never fails: broken text
/// gives [`StatementKind::Nothing`] or the part that was understood, and a diagnostic.
pub fn parse_statement(text: &str) -> (Statement, Vec<Diagnostic>) {
    let mut parser = Parser::new(text);
    let statement = parser.statement();
    (statement, parser.diagnostics)
}

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Statement {
        let mut label = self.label();
        let mut guard = self.guard();
        if guard.is_some() && label.is_none() {
            label = self.label();
        }
        let prefixes = self.prefixes(&mut label);
        let kind = self.kind(&prefixes);
        if guard.is_none() {
            guard = self.guard();
        }
        if !self.at_end() {
            self.leftover();
        }
        let end = self.text.trim_end().len();
        let start = crate::lexer::skip_blank(self.text, 0);
        Statement {
            label,
            guard,
            prefixes,
            kind,
            span: Span::new(start, end.max(start)),
        }
    }

    fn leftover(&mut self) {
        let found = self.describe_next();
        let token = self.peek();
        let starts_statement = token.kind == TokenKind::Word
            && is_statement_word(&self.token_text(token).to_ascii_lowercase());
        // One mistake is enough to report; the rest is likely to follow from it.
        if self.diagnostics.iter().any(Diagnostic::is_error) {
            return;
        }
        let hint = if starts_statement {
            "is a `;` missing before it?"
        } else {
            "is a comma, an operator or a `;` missing before it?"
        };
        self.push(
            Diagnostic::error(
                "script.unexpected_token",
                token.span,
                format!("the statement ends before {found}"),
            )
            .with_hint(hint),
        );
    }

    pub(super) fn label(&mut self) -> Option<Name> {
        let token = self.peek();
        let is_name = matches!(
            token.kind,
            TokenKind::Word
                | TokenKind::Number
                | TokenKind::DoubleQuoted
                | TokenKind::Bracketed
                | TokenKind::SingleQuoted
                | TokenKind::Backticked
        );
        if is_name && self.sign_at(1, ":") {
            let name = self.eat_name();
            self.bump();
            return name;
        }
        None
    }

    fn guard(&mut self) -> Option<Guard> {
        let holds = if self.is_word("when") {
            true
        } else if self.is_word("unless") {
            false
        } else {
            return None;
        };
        self.bump();
        Some(Guard {
            holds,
            condition: self.expression(),
        })
    }

    fn kind(&mut self, prefixes: &[Prefix]) -> StatementKind {
        let first = self.peek();
        let word = self.token_text(first).to_ascii_lowercase();
        if first.kind == TokenKind::Word && word == "load" {
            self.bump();
            return self.load(first.span);
        }
        let takes_prefix = matches!(word.as_str(), "select" | "sql" | "with" | "direct")
            || word == "map"
                && matches!(
                    prefixes.last().map(|p| &p.kind),
                    Some(PrefixKind::Partial(..))
                );
        if let Some(prefix) = prefixes.last()
            && !takes_prefix
        {
            let span = prefix.span;
            let found = self.describe_next();
            self.push(
                Diagnostic::error(
                    "script.unexpected_token",
                    span,
                    format!("a prefix must stand before LOAD, found {found}"),
                )
                .with_hint("write the prefix, then LOAD, in one statement"),
            );
            self.skip_rest();
            return StatementKind::Nothing;
        }
        self.other(first, &word)
    }

    /// A name, or a diagnostic that `what` is missing.
    pub(super) fn name(&mut self, what: &str) -> Option<Name> {
        let name = self.eat_name();
        if name.is_none() {
            let found = self.describe_next();
            let span = self.peek().span;
            self.push(
                Diagnostic::error(
                    "script.unexpected_token",
                    span,
                    format!("expected {what}, found {found}"),
                )
                .with_hint("put names with spaces or signs into [brackets] or \"quotes\""),
            );
        }
        name
    }

    /// Names separated by commas, at least one; a `*` may be part of each.
    pub(super) fn names(&mut self, what: &str) -> Vec<Name> {
        let mut out = Vec::new();
        loop {
            let start = self.peek().span;
            if self.is_sign("*") {
                self.bump();
                while self.peek().span.start == self.end_of_last() && !self.is_sign(",") {
                    if self.at_end() {
                        break;
                    }
                    self.bump();
                }
            } else {
                let Some(name) = self.name(what) else { break };
                if !(self.is_sign("*") && self.peek().span.start == name.span.end) {
                    out.push(name);
                    if self.eat_sign(",") {
                        continue;
                    }
                    break;
                }
                self.bump();
            }
            let span = self.span_from(start);
            out.push(Name {
                text: span.text(self.text).to_owned(),
                span,
            });
            if !self.eat_sign(",") {
                break;
            }
        }
        out
    }

    /// A file name: quoted, or everything up to white space, `(` or `,`. What follows a quoted
    /// name without a space belongs to it: `[lib://a/b].qvd`.
    pub(super) fn path(&mut self) -> Option<Name> {
        let first = self.peek();
        if !matches!(
            first.kind,
            TokenKind::Word | TokenKind::Sign | TokenKind::Number | TokenKind::Stray
        ) || self.is_sign("(")
        {
            let mut name = self.name("a file")?;
            let next = self.peek();
            let text = self.token_text(next);
            if next.span.start == name.span.end
                && next.kind == TokenKind::Word
                && text.starts_with('.')
            {
                self.bump();
                name.text.push_str(text);
                name.span = name.span.to(next.span);
            }
            return Some(name);
        }
        let start = first.span.start as usize;
        let length = self.text[start..]
            .find(|c: char| c.is_whitespace() || c == '(' || c == ',')
            .unwrap_or(self.text.len() - start);
        let span = Span::new(start, start + length);
        while !self.at_end() && self.peek().span.start < span.end {
            self.bump();
        }
        Some(Name {
            text: span.text(self.text).to_owned(),
            span,
        })
    }

    pub(super) fn skip_rest(&mut self) {
        while !self.at_end() {
            self.bump();
        }
    }
}

/// Words that begin statements, for hints.
fn is_statement_word(word: &str) -> bool {
    [
        "load",
        "set",
        "let",
        "drop",
        "store",
        "trace",
        "if",
        "for",
        "do",
        "sub",
        "call",
        "rename",
        "section",
        "left",
        "right",
        "inner",
        "outer",
        "join",
        "concatenate",
        "mapping",
        "sql",
        "select",
        "noconcatenate",
    ]
    .contains(&word)
}
