//! Format specifications: `(txt, utf8, embedded labels, delimiter is ',', msq)`.

use super::{FormatSpec, Labels, Quotes};
use crate::lexer::{TokenKind, unquote};
use crate::parser::Parser;
use crate::{Diagnostic, Name};

/// File kinds by their names in format specifications.
const KINDS: [&str; 14] = [
    "txt",
    "csv",
    "fix",
    "dif",
    "biff",
    "ooxml",
    "html",
    "xml",
    "xmlsimple",
    "qvd",
    "qvx",
    "json",
    "kml",
    "parquet",
];

/// Character sets that are named without `codepage is`.
const CODEPAGES: [&str; 7] = ["utf8", "utf16", "unicode", "ansi", "oem", "mac", "utf-8"];

impl Parser<'_> {
    /// The parenthesised format, if one is next.
    pub(super) fn format_spec(&mut self) -> FormatSpec {
        let mut spec = FormatSpec {
            span: self.peek().span,
            ..FormatSpec::default()
        };
        if !self.eat_sign("(") {
            spec.span.end = spec.span.start;
            return spec;
        }
        while !self.at_end() && !self.is_sign(")") {
            self.format_item(&mut spec);
            if !self.eat_sign(",") && !self.is_sign(")") {
                let found = self.describe_next();
                let span = self.peek().span;
                self.push(Diagnostic::error(
                    "script.unexpected_token",
                    span,
                    format!("expected `,` or `)` in the format, found {found}"),
                ));
                while !self.at_end() && !self.is_sign(",") && !self.is_sign(")") {
                    self.bump();
                }
                self.eat_sign(",");
            }
        }
        self.expect_sign(")", "script.unexpected_token");
        spec.span = self.span_from(spec.span);
        spec
    }

    fn format_item(&mut self, spec: &mut FormatSpec) {
        let start = self.peek();
        let word = self.token_text(start).to_ascii_lowercase();
        if self.eat_words(&["embedded", "labels"]) {
            spec.labels = Some(Labels::Embedded);
        } else if self.eat_words(&["no", "labels"]) {
            spec.labels = Some(Labels::None);
        } else if self.eat_words(&["explicit", "labels"]) {
            spec.labels = Some(Labels::Explicit);
        } else if self.eat_words(&["no", "quotes"]) {
            spec.quotes = Some(Quotes::None);
        } else if self.eat_words(&["no", "eof"]) {
            // Files end where their bytes end.
        } else if self.eat_word("msq") {
            spec.quotes = Some(Quotes::Modern);
        } else if self.eat_words(&["delimiter", "is"]) {
            spec.delimiter = self.delimiter();
        } else if self.eat_words(&["codepage", "is"]) {
            spec.codepage = self.name("a codepage").map(lower);
        } else if self.eat_words(&["header", "is"]) {
            spec.header_lines = self.header_lines();
        } else if self.eat_words(&["comment", "is"]) {
            spec.comment = Some(self.one_text());
        } else if self.eat_words(&["table", "is"]) || self.eat_words(&["record", "is"]) {
            let is_table = self.eat_sign("@");
            let name = self.name("a table");
            self.eat_word("lines");
            if !is_table {
                spec.table = name;
            }
        } else if KINDS.contains(&word.as_str()) {
            self.bump();
            spec.kind = Some(Name {
                text: word,
                span: start.span,
            });
        } else if CODEPAGES.contains(&word.as_str()) {
            self.bump();
            spec.codepage = Some(Name {
                text: word.replace('-', ""),
                span: start.span,
            });
            // `utf-8` is three tokens.
        } else if (word == "utf") && self.sign_at(1, "-") {
            self.bump();
            self.bump();
            let number = self.bump();
            spec.codepage = Some(Name {
                text: format!("utf{}", self.token_text(number)),
                span: self.span_from(start.span),
            });
        } else {
            let found = self.describe_next();
            self.push(
                Diagnostic::error(
                    "script.unknown_format_option",
                    start.span,
                    format!("{found} is not an option of a file format"),
                )
                .with_hint(
                    "options are txt, parquet, utf8, codepage is 1252, embedded labels, no labels, \
                     delimiter is ',', msq, no quotes, header is 2 lines",
                ),
            );
            while !self.at_end() && !self.is_sign(",") && !self.is_sign(")") {
                self.bump();
            }
        }
    }

    /// A quoted text, an escape such as `\t`, a word such as `spaces`, or one sign.
    fn delimiter(&mut self) -> Option<String> {
        let text = self.one_text();
        Some(match text.to_ascii_lowercase().as_str() {
            "\\t" | "tab" => "\t".to_owned(),
            "\\\\" => "\\".to_owned(),
            "spaces" | "space" => " ".to_owned(),
            "" => return None,
            _ => text,
        })
    }

    fn header_lines(&mut self) -> u32 {
        if self.eat_word("line") {
            return 1;
        }
        let token = self.peek();
        let n_lines = self.token_text(token).parse();
        match n_lines {
            Ok(n) => {
                self.bump();
                if !self.eat_word("lines") {
                    self.eat_word("line");
                }
                n
            }
            Err(_) => {
                let found = self.describe_next();
                self.push(
                    Diagnostic::error(
                        "script.unknown_format_option",
                        token.span,
                        format!("expected a number of lines, found {found}"),
                    )
                    .with_hint("write header is 2 lines"),
                );
                0
            }
        }
    }

    fn one_text(&mut self) -> String {
        let token = self.bump();
        match token.kind {
            TokenKind::End => String::new(),
            _ => unquote(self.token_text(token)),
        }
    }
}

fn lower(name: Name) -> Name {
    Name {
        text: name.text.to_ascii_lowercase(),
        span: name.span,
    }
}
