//! Format specifications: `(txt, utf8, embedded labels, delimiter is ',', msq)`.

use crate::lexer::{TokenKind, unquote};
use crate::parser::Parser;
use crate::{Diagnostic, Name, Span};

/// A format specification: what stands in parentheses after a file name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FormatSpec {
    /// The kind of file: `txt`, `parquet` … in lower case.
    pub kind: Option<Name>,
    /// `embedded labels`, `no labels`, `explicit labels`
    pub labels: Option<Labels>,
    /// `delimiter is ','`; several characters are one delimiter.
    pub delimiter: Option<String>,
    /// `delimiter is spaces`: any run of blanks is one delimiter.
    pub delimiter_is_spaces: bool,
    /// `no quotes`, `msq`
    pub quotes: Option<Quotes>,
    /// `codepage is 1252`, `utf8`, in lower case: `utf8`, `utf16`, `ansi`, `1252`, `28591` …
    pub codepage: Option<Name>,
    /// `header is 2 lines`: lines to skip.
    pub header_lines: u32,
    /// `header is 20`: bytes to skip.
    pub header_bytes: u32,
    /// `record is line`, `record is 2 lines`, `record is 132`: how long a fixed record is; a
    /// line if absent.
    pub record: Option<RecordSize>,
    /// `tab is 8`: how many spaces a tab is in a fixed record.
    pub tab_size: Option<u32>,
    /// `no eof`: an end-of-file character is an ordinary one.
    pub no_eof: bool,
    /// `comment is #`: lines that start so are skipped.
    pub comment: Option<String>,
    /// `table is [Sheet1]`: a sheet, `@1`, or a path such as `Root/Rows/Row`.
    pub table: Option<Name>,
    /// `URL is '…'`: where it is fetched from instead of the file name.
    pub url: Option<Name>,
    /// `filters(…)`: the steps of a table wizard, as written.
    pub filters: Option<Name>,
    /// The parentheses.
    pub span: Span,
}

/// How long a record of a fixed-width file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordSize {
    /// So many lines.
    Lines(u32),
    /// So many bytes.
    Bytes(u32),
}

/// Where column names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Labels {
    /// In the first row.
    Embedded,
    /// Nowhere: columns are `@1`, `@2` …
    None,
    /// In the first row, in a file of a kind that names types too; read as embedded.
    Explicit,
}

/// How values are quoted in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quotes {
    /// `"…"` around a value, `""` within for one quote.
    Standard,
    /// As standard, and line breaks may stand within.
    Modern,
    /// Quotes are ordinary characters.
    None,
}

/// File kinds by their names in format specifications.
const KINDS: [&str; 17] = [
    "txt",
    "csv",
    "fix",
    "dif",
    "biff",
    "ooxml",
    "html",
    "xml",
    "xmlsimple",
    "xmlsax",
    "xmlgeneric",
    "xlsx",
    "qvd",
    "qvx",
    "json",
    "kml",
    "parquet",
];

/// Character sets that are named without `codepage is`.
const CODEPAGES: [&str; 8] = [
    "utf8", "utf16", "unicode", "ansi", "oem", "mac", "symbol", "utf-8",
];

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
            spec.no_eof = true;
        } else if self.eat_word("msq") {
            spec.quotes = Some(Quotes::Modern);
        } else if self.eat_words(&["delimiter", "is"]) {
            spec.delimiter_is_spaces = {
                let next = self.token_text(self.peek()).to_ascii_lowercase();
                unquote(&next) == "spaces"
            };
            spec.delimiter = self.delimiter();
        } else if self.eat_words(&["codepage", "is"]) {
            spec.codepage = self.name("a codepage").map(lower);
        } else if self.eat_words(&["header", "is"]) {
            match self.record_size() {
                Some(RecordSize::Lines(n)) => spec.header_lines = n,
                Some(RecordSize::Bytes(n)) => spec.header_bytes = n,
                None => {}
            }
        } else if self.eat_words(&["record", "is"]) {
            spec.record = self.record_size();
        } else if self.eat_words(&["tab", "is"]) || self.eat_words(&["tabs", "is"]) {
            spec.tab_size = self.whole_number();
        } else if self.eat_words(&["comment", "is"]) {
            spec.comment = Some(self.one_text());
        } else if self.eat_words(&["table", "is"]) {
            spec.table = self.table_path();
        } else if self.eat_words(&["url", "is"]) {
            spec.url = self.name("an address");
        } else if self.eat_words(&["useragent", "is"])
            || self.eat_words(&["user", "is"])
            || self.eat_words(&["password", "is"])
            || self.eat_words(&["pattern", "is"])
        {
            // For connectors of other makers; nothing here reads them.
            self.one_text();
        } else if word == "filters" && self.sign_at(1, "(") {
            self.bump();
            self.skip_parentheses();
            let span = self.span_from(start.span);
            self.push(
                Diagnostic::warning(
                    "script.filters_not_supported",
                    span,
                    "filters() reshapes a sheet before it is read, which is not done here",
                )
                .with_hint("load the sheet as it is, then use WHERE, CROSSTABLE or a second LOAD"),
            );
            spec.filters = Some(Name {
                text: span.text(self.text).to_owned(),
                span,
            });
        } else if self.eat_words(&["standard", "quotes"]) {
            spec.quotes = Some(Quotes::Standard);
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
                    "options are txt, qvd, ooxml, parquet, utf8, codepage is 1252, embedded labels, no labels, \
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

    /// `line`, `2 lines` or `132`.
    fn record_size(&mut self) -> Option<RecordSize> {
        if self.eat_word("line") {
            return Some(RecordSize::Lines(1));
        }
        let n = self.whole_number()?;
        if self.eat_word("lines") || self.eat_word("line") {
            return Some(RecordSize::Lines(n));
        }
        Some(RecordSize::Bytes(n))
    }

    fn whole_number(&mut self) -> Option<u32> {
        let token = self.peek();
        if let Ok(n) = self.token_text(token).parse() {
            self.bump();
            return Some(n);
        }
        let found = self.describe_next();
        self.push(
            Diagnostic::error(
                "script.unknown_format_option",
                token.span,
                format!("expected a whole number, found {found}"),
            )
            .with_hint("write header is 2 lines, record is 132 or tab is 8"),
        );
        None
    }

    /// A table's name, or a path of names with `/` between them.
    fn table_path(&mut self) -> Option<Name> {
        let first = self.name("a table")?;
        let mut text = first.text;
        while self.is_sign("/") || self.is_sign("$") {
            text.push_str(self.token_text(self.peek()));
            self.bump();
            text.push_str(&self.name("a part of the path")?.text);
        }
        Some(Name {
            text,
            span: self.span_from(first.span),
        })
    }

    /// Behind the `)` that closes the `(` at the cursor, or to the end; nothing without a `(`.
    pub(super) fn skip_parentheses(&mut self) {
        if !self.is_sign("(") {
            return;
        }
        let mut open = 0_u32;
        while !self.at_end() {
            if self.is_sign("(") {
                open += 1;
            } else if self.is_sign(")") {
                open = open.saturating_sub(1);
            }
            self.bump();
            if open == 0 {
                return;
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
