//! `LOAD`: field list, source, clauses.

use super::{Load, LoadField, LoadSource, OrderBy, StatementKind};
use crate::lexer::TokenKind;
use crate::parser::Parser;
use crate::{Diagnostic, Expr, ExprKind, Name, Span};

/// Words that end a field list.
const CLAUSES: [&str; 11] = [
    "from",
    "from_field",
    "inline",
    "resident",
    "autogenerate",
    "extension",
    "where",
    "while",
    "group",
    "order",
    "as",
];

/// Those of them that begin a source.
const SOURCES: [&str; 4] = ["from", "from_field", "resident", "autogenerate"];

impl Parser<'_> {
    /// The rest after `LOAD`.
    pub(super) fn load(&mut self, start: Span) -> StatementKind {
        let mut load = Load {
            distinct: self.eat_word("distinct"),
            fields: Vec::new(),
            source: LoadSource::Preceding,
            filter: None,
            repeat: None,
            group_by: Vec::new(),
            order_by: Vec::new(),
            span: start,
        };
        load.fields = self.load_fields();
        if let Some(source) = self.load_source() {
            load.source = source;
        }
        self.clauses(&mut load);
        load.span = self.span_from(start);
        if load.fields.is_empty() && !self.diagnostics.iter().any(Diagnostic::is_error) {
            self.push(
                Diagnostic::error("script.no_fields", start, "this LOAD names no fields")
                    .with_hint("write LOAD * or LOAD Field, Other AS Name"),
            );
        }
        StatementKind::Load(Box::new(load))
    }

    /// Whether the clause word `word` is next, and not a field of that name.
    fn at_clause(&self, word: &str) -> bool {
        self.is_word(word)
            && !self.sign_at(1, ",")
            && !self.word_at(1, "as")
            && match word {
                "group" | "order" => self.word_at(1, "by"),
                // `From FROM file`: the first is a field.
                "from" | "where" | "while" => !SOURCES.iter().any(|s| self.word_at(1, s)),
                _ => true,
            }
    }

    fn at_any_clause(&self) -> bool {
        CLAUSES.iter().any(|c| self.at_clause(c))
    }

    fn load_fields(&mut self) -> Vec<LoadField> {
        let mut out = Vec::new();
        while !self.at_end() && !self.at_any_clause() {
            if self.is_sign("*") {
                out.push(LoadField::Star(self.bump().span));
            } else {
                let before = self.position();
                out.push(self.load_field());
                if self.position() == before {
                    break;
                }
            }
            if !self.eat_sign(",") {
                break;
            }
            if self.at_end() || self.at_any_clause() {
                let found = self.describe_next();
                let span = self.peek().span;
                self.push(
                    Diagnostic::warning(
                        "script.trailing_comma",
                        span,
                        format!("expected a field after the comma, found {found}"),
                    )
                    .with_hint("remove the comma before it"),
                );
            }
        }
        out
    }

    fn load_field(&mut self) -> LoadField {
        let expr = self.expression();
        let renamed = self.eat_word("as");
        let own = Name {
            text: own_name(&expr, self.text),
            span: expr.span,
        };
        let name = if renamed {
            self.new_field_name().unwrap_or(own)
        } else {
            own
        };
        LoadField::Column {
            expr,
            name,
            renamed,
        }
    }

    /// The name after `AS`. Without quotes it may hold signs, up to a blank: `AS L^1`.
    fn new_field_name(&mut self) -> Option<Name> {
        let mut name = self.name("the field's new name")?;
        if self.text[name.span.start as usize..].starts_with(['\'', '"', '[', '`', '‘', '“']) {
            return Some(name);
        }
        while self.peek().span.start == name.span.end
            && (["^", "-", "+", "&", "/", "!"]
                .iter()
                .any(|s| self.is_sign(s))
                || matches!(self.peek().kind, TokenKind::Word | TokenKind::Number))
        {
            let token = self.bump();
            name.span = name.span.to(token.span);
        }
        name.text = name.span.text(self.text).to_owned();
        Some(name)
    }

    fn load_source(&mut self) -> Option<LoadSource> {
        let start = self.peek().span;
        if self.eat_word("from") {
            let path = self.path()?;
            let format = self.format_spec();
            Some(LoadSource::File { path, format })
        } else if self.eat_word("inline") {
            let data = self.name("the inline data in [brackets]")?;
            let format = self.format_spec();
            Some(LoadSource::Inline { data, format })
        } else if self.eat_word("resident") {
            self.name("a table").map(LoadSource::Resident)
        } else if self.eat_word("autogenerate") {
            Some(LoadSource::Autogenerate(self.expression()))
        } else if self.eat_word("from_field") {
            self.expect_sign("(", "script.unexpected_token");
            let table = self.name("a table")?;
            self.expect_sign(",", "script.unexpected_token");
            let field = self.name("a field")?;
            self.expect_sign(")", "script.unexpected_token");
            let format = self.format_spec();
            Some(LoadSource::Field {
                table,
                field,
                format,
            })
        } else if self.eat_word("extension") {
            self.name("the extension's function");
            self.skip_parentheses();
            let span = self.span_from(start);
            self.push(
                Diagnostic::warning(
                    "script.extension_not_available",
                    span,
                    "EXTENSION asks an analytics plug-in for rows, and a hub has none",
                )
                .with_hint("run the computation before the reload, and load the file it writes"),
            );
            Some(LoadSource::Extension(span))
        } else {
            None
        }
    }

    fn clauses(&mut self, load: &mut Load) {
        loop {
            let start = self.peek().span;
            if self.eat_word("where") {
                let filter = self.expression();
                self.once(&mut load.filter, filter, "WHERE", start);
            } else if self.eat_word("while") {
                let repeat = self.expression();
                self.once(&mut load.repeat, repeat, "WHILE", start);
            } else if self.eat_words(&["group", "by"]) {
                loop {
                    load.group_by.push(self.expression());
                    if !self.eat_sign(",") {
                        break;
                    }
                }
            } else if self.eat_words(&["order", "by"]) {
                loop {
                    let expr = self.expression();
                    let descending = self.eat_word("desc");
                    if !descending {
                        self.eat_word("asc");
                    }
                    load.order_by.push(OrderBy { expr, descending });
                    if !self.eat_sign(",") {
                        break;
                    }
                }
            } else {
                return;
            }
        }
    }

    fn once(&mut self, place: &mut Option<Expr>, expr: Expr, clause: &str, span: Span) {
        if place.is_some() {
            self.push(
                Diagnostic::error(
                    "script.duplicate_clause",
                    span,
                    format!("there is more than one {clause}"),
                )
                .with_hint("join the conditions with AND"),
            );
        }
        *place = Some(expr);
    }
}

/// What a column is called without `AS`.
fn own_name(expr: &Expr, text: &str) -> String {
    match &expr.kind {
        ExprKind::Field(name) => name.clone(),
        _ => expr.span.text(text).to_owned(),
    }
}
