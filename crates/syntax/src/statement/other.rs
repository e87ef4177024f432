//! Every statement but `LOAD`, by its keyword.

use super::{ForceCase, Renames, StatementKind, Store};
use crate::lexer::{Token, TokenKind, quoted_end, unquote};
use crate::parser::Parser;
use crate::{Diagnostic, Name, Span};

/// Statements that change nothing here: a log to flush, a search index, the case of texts in
/// QlikView's list boxes, inputs that Sense has none of.
const NO_EFFECT: [&str; 3] = ["flushlog", "search", "inputfield"];

/// Statements whose rest is free text.
const FREE_TEXT: [&str; 5] = ["trace", "rem", "execute", "sql", "select"];

impl Parser<'_> {
    /// The statement whose first word is `word`.
    pub(super) fn other(&mut self, first: Token, word: &str) -> StatementKind {
        if first.kind == TokenKind::End {
            return StatementKind::Nothing;
        }
        let is_word = first.kind == TokenKind::Word;
        if self.sign_at(1, "=")
            && first.kind != TokenKind::Sign
            && !(first.kind == TokenKind::Word && FREE_TEXT.contains(&word))
        {
            return self.let_statement();
        }
        if first.kind == TokenKind::Bracketed && self.peek_at(1).kind == TokenKind::End {
            return self.stop();
        }
        if !is_word {
            return self.unknown(first.span);
        }
        self.bump();
        match word {
            "set" => self.set_statement(),
            "let" => self.let_statement(),
            "trace" => {
                let text = self.raw_rest(first.span);
                StatementKind::Trace(text.to_owned())
            }
            "rem" => {
                self.raw_rest(first.span);
                StatementKind::Remark
            }
            "drop" => self.drop_statement(),
            "rename" => self.rename_statement(),
            "store" => self.store_statement(),
            "section" => self.section_statement(),
            "qualify" => StatementKind::Qualify(self.names("a field")),
            "unqualify" => StatementKind::Unqualify(self.names("a field")),
            "nullasvalue" => StatementKind::NullAsValue(self.names("a field")),
            "nullasnull" => StatementKind::NullAsNull(self.names("a field")),
            "tag" => self.tag_statement(true),
            "untag" => self.tag_statement(false),
            "comment" => self.comment_statement(),
            "alias" => self.alias_statement(),
            "directory" => self.directory(first.span),
            "sleep" => StatementKind::Sleep(self.expression()),
            "loosen" => {
                if !self.eat_word("table") && !self.eat_word("tables") {
                    return self.unknown(first.span);
                }
                StatementKind::LoosenTables(self.names("a table"))
            }
            "sql" => self.select(first, true),
            "select" | "with" => self.select(first, false),
            "connect" | "connect32" | "connect64" => {
                self.go_to(self.position() - 1);
                self.connect(false)
            }
            "lib" if self.at_connect() => self.connect(true),
            "odbc" | "oledb" | "custom" if self.at_connect() => self.connect(false),
            "disconnect" => {
                self.skip_rest();
                StatementKind::Disconnect
            }
            "declare" => self.declare(),
            "derive" => self.derive(),
            "map" => self.map_statement(),
            "unmap" => StatementKind::Unmap(self.names("a field")),
            "autonumber" => {
                let fields = self.names("a field");
                let counter = if self.eat_word("using") {
                    self.name("a 'counter'")
                } else {
                    None
                };
                StatementKind::AutoNumber { fields, counter }
            }
            "star" => self.star_statement(),
            "force" => self.force_statement(),
            "binary" => match self.path() {
                Some(path) => StatementKind::Binary(path),
                None => StatementKind::Nothing,
            },
            "execute" => {
                self.raw_rest(first.span);
                StatementKind::Execute
            }
            "direct" if self.is_word("query") => self.direct_query(first),
            "sqlcolumns" | "sqltables" | "sqltypes" => {
                self.skip_rest();
                StatementKind::Select(word.to_owned())
            }
            "throw" if self.is_sign("(") || self.at_end() => {
                let text = self.raw_rest(first.span).to_owned();
                let inner = text.strip_prefix('(').and_then(|t| t.strip_suffix(')'));
                let said = unquote(inner.unwrap_or(&text).trim());
                self.stops_here(first.span);
                StatementKind::Stop(if said.is_empty() {
                    "throw".into()
                } else {
                    said
                })
            }
            _ => {
                if let Some(keyword) = NO_EFFECT.iter().find(|k| **k == word) {
                    self.raw_rest(first.span);
                    return StatementKind::NoEffect(keyword);
                }
                self.unknown(first.span)
            }
        }
    }

    /// The rest after `DIRECTORY`: a path in quotes, or all that follows, spaces included.
    fn directory(&mut self, word: Span) -> StatementKind {
        if self.at_end() {
            return StatementKind::Directory(None);
        }
        if self.is_quoted_at(0) {
            return StatementKind::Directory(self.eat_name());
        }
        let start = self.peek().span;
        let text = self.raw_rest(word).to_owned();
        let span = Span::new(start.start as usize, start.start as usize + text.len());
        StatementKind::Directory(Some(Name { text, span }))
    }

    /// `MAP a, b* USING map`
    fn map_statement(&mut self) -> StatementKind {
        let fields = self.names("a field");
        if !self.eat_word("using") {
            return self.expected("USING", "write MAP Field USING MappingTable");
        }
        match self.name("a mapping table") {
            Some(map) => StatementKind::MapUsing { fields, map },
            None => StatementKind::Nothing,
        }
    }

    /// `STAR IS *`, `STAR IS`, `STAR *`
    fn star_statement(&mut self) -> StatementKind {
        if !self.eat_word("is") {
            return self.expected("IS", "write STAR IS *");
        }
        let symbol = match self.peek().kind {
            TokenKind::End => None,
            TokenKind::Sign | TokenKind::Stray => {
                let token = self.bump();
                Some(self.token_text(token).to_owned())
            }
            _ => self.name("a symbol").map(|n| n.text),
        };
        StatementKind::Star(symbol.filter(|s| !s.is_empty()))
    }

    /// `FORCE CAPITALIZATION`, `FORCE CASE UPPER|LOWER|MIXED`
    fn force_statement(&mut self) -> StatementKind {
        let case = if self.eat_word("capitalization") {
            Some(ForceCase::Capital)
        } else if self.eat_words(&["case", "upper"]) {
            Some(ForceCase::Upper)
        } else if self.eat_words(&["case", "lower"]) {
            Some(ForceCase::Lower)
        } else if self.eat_words(&["case", "mixed"]) {
            None
        } else {
            return self.expected(
                "CAPITALIZATION or CASE",
                "write FORCE CAPITALIZATION or FORCE CASE UPPER, LOWER or MIXED",
            );
        };
        StatementKind::Force(case)
    }

    /// `[Some text];`: no statement at all, which scripts use to stop with a message.
    fn stop(&mut self) -> StatementKind {
        let name = self.bump();
        let text = unquote(self.token_text(name));
        self.stops_here(name.span);
        StatementKind::Stop(text)
    }

    fn stops_here(&mut self, span: Span) {
        self.push(
            Diagnostic::warning(
                "script.stops_here",
                span,
                "this is no statement: a script that comes here stops with it as its message",
            )
            .with_hint("put a `:` after it if it names a table"),
        );
    }

    fn unknown(&mut self, span: Span) -> StatementKind {
        if is_sentence(self.text) {
            let text = self.text.trim().to_owned();
            self.skip_rest();
            self.diagnostics.clear();
            self.stops_here(span);
            return StatementKind::Stop(text);
        }
        let text: String = span.text(self.text).chars().take(30).collect();
        self.diagnostics.clear();
        self.push(
            Diagnostic::error(
                "script.unknown_statement",
                span,
                format!("`{text}` does not begin a statement"),
            )
            .with_hint("statements begin with LOAD, SET, LET, DROP, STORE, IF, FOR …; is a `;` missing or too many before it?"),
        );
        self.skip_rest();
        StatementKind::Nothing
    }

    /// The raw text after the word at `word`; quotes in it mean nothing.
    pub(super) fn raw_rest(&mut self, word: Span) -> &str {
        self.skip_rest();
        self.forget_quotes();
        self.text
            .get(word.end as usize..)
            .unwrap_or_default()
            .trim()
    }

    /// Quotes in free text need no closing.
    pub(super) fn forget_quotes(&mut self) {
        self.diagnostics
            .retain(|d| d.code != "syntax.unclosed_quote");
    }

    fn set_statement(&mut self) -> StatementKind {
        let Some(name) = self.name("a variable") else {
            self.skip_rest();
            return StatementKind::Nothing;
        };
        if self.at_end() {
            let span = self.peek().span;
            self.push(
                Diagnostic::warning(
                    "script.set_without_value",
                    span,
                    "this SET gives no text, so the variable becomes empty",
                )
                .with_hint("write SET name = text; or SET name =; if that is meant"),
            );
            let value = String::new();
            return StatementKind::Set { name, value };
        }
        if !self.expect_sign("=", "script.unexpected_token") {
            self.skip_rest();
            return StatementKind::Nothing;
        }
        let equals = self.token_before();
        let value = self.raw_rest(equals);
        let is_quoted =
            value.starts_with(['\'', '"', '[', '`']) && quoted_end(value, 0) == Some(value.len());
        let value = if is_quoted {
            unquote(value)
        } else {
            value.to_owned()
        };
        StatementKind::Set { name, value }
    }

    fn let_statement(&mut self) -> StatementKind {
        let Some(name) = self.name("a variable") else {
            self.skip_rest();
            return StatementKind::Nothing;
        };
        if self.at_end() {
            let span = self.peek().span;
            self.push(
                Diagnostic::warning("script.let_without_value", span, "this LET gives no value")
                    .with_hint("write LET name = expression; the variable becomes NULL"),
            );
            return StatementKind::Let { name, value: None };
        }
        if !self.expect_sign("=", "script.unexpected_token") {
            self.skip_rest();
            return StatementKind::Nothing;
        }
        let value = (!self.at_end()).then(|| {
            self.eat_sign("=");
            self.expression()
        });
        StatementKind::Let { name, value }
    }

    fn drop_statement(&mut self) -> StatementKind {
        if self.eat_word("table") || self.eat_word("tables") {
            return StatementKind::DropTables(self.names("a table"));
        }
        if self.eat_word("field") || self.eat_word("fields") {
            let fields = self.names("a field");
            let tables = if self.eat_word("from") {
                self.names("a table")
            } else {
                Vec::new()
            };
            return StatementKind::DropFields { fields, tables };
        }
        self.expected("TABLE or FIELD", "write DROP TABLE Name or DROP FIELD Name")
    }

    fn rename_statement(&mut self) -> StatementKind {
        if self.eat_word("table") || self.eat_word("tables") {
            return match self.renames("a table", "to") {
                Some(renames) => StatementKind::RenameTables(renames),
                None => StatementKind::Nothing,
            };
        }
        if self.eat_word("field") || self.eat_word("fields") {
            return match self.renames("a field", "to") {
                Some(renames) => StatementKind::RenameFields(renames),
                None => StatementKind::Nothing,
            };
        }
        self.expected("TABLE or FIELD", "write RENAME FIELD Old TO New")
    }

    fn renames(&mut self, what: &str, between: &str) -> Option<Renames> {
        if self.eat_word("using") {
            return self.name("a mapping table").map(Renames::Using);
        }
        self.pairs(what, between).map(Renames::Pairs)
    }

    fn pairs(&mut self, what: &str, between: &str) -> Option<Vec<(Name, Name)>> {
        let mut pairs = Vec::new();
        loop {
            let old = self.name(what)?;
            if !self.eat_word(between) {
                self.expected(
                    &between.to_uppercase(),
                    "write the old name first, then the new one",
                );
                return None;
            }
            let new = self.name("the new name")?;
            pairs.push((old, new));
            if !self.eat_sign(",") {
                return Some(pairs);
            }
        }
    }

    fn alias_statement(&mut self) -> StatementKind {
        match self.pairs("a field", "as") {
            Some(pairs) => StatementKind::Alias(pairs),
            None => StatementKind::Nothing,
        }
    }

    /// `STORE t INTO p (f)`, `STORE * FROM t INTO p`, `STORE a, b AS c FROM t INTO p`.
    fn store_statement(&mut self) -> StatementKind {
        let parsed = self.store();
        match parsed {
            Some(store) => StatementKind::Store(Box::new(store)),
            None => {
                self.skip_rest();
                StatementKind::Nothing
            }
        }
    }

    fn store(&mut self) -> Option<Store> {
        let mut fields = Vec::new();
        let mut table = None;
        if self.eat_sign("*") {
            if !self.eat_word("from") {
                self.expected(
                    "FROM",
                    "write STORE * FROM Table INTO [lib://folder/file.csv] (txt)",
                );
                return None;
            }
        } else {
            let first = self.name("a table or field")?;
            if self.is_word("into") {
                table = Some(first);
            } else {
                let new = self.new_name(&first)?;
                fields.push((first, new));
                while self.eat_sign(",") {
                    let field = self.name("a field")?;
                    let new = self.new_name(&field)?;
                    fields.push((field, new));
                }
                if !self.eat_word("from") {
                    self.expected(
                        "INTO or FROM",
                        "write STORE Table INTO [lib://folder/file.csv] (txt)",
                    );
                    return None;
                }
            }
        }
        let table = match table {
            Some(table) => table,
            None => self.name("a table")?,
        };
        if !self.eat_word("into") {
            self.expected(
                "INTO",
                "write STORE Table INTO [lib://folder/file.csv] (txt)",
            );
            return None;
        }
        let path = self.path()?;
        let format = self.format_spec();
        Some(Store {
            fields,
            table,
            path,
            format,
        })
    }

    fn new_name(&mut self, field: &Name) -> Option<Name> {
        if self.eat_word("as") {
            self.name("the field's new name")
        } else {
            Some(field.clone())
        }
    }

    fn section_statement(&mut self) -> StatementKind {
        if self.eat_word("access") {
            StatementKind::SectionAccess
        } else if self.eat_word("application") {
            StatementKind::SectionApplication
        } else {
            self.expected(
                "ACCESS or APPLICATION",
                "write SECTION ACCESS or SECTION APPLICATION",
            )
        }
    }

    pub(super) fn expected(&mut self, what: &str, hint: &str) -> StatementKind {
        let found = self.describe_next();
        let span = self.peek().span;
        self.push(
            Diagnostic::error(
                "script.unexpected_token",
                span,
                format!("expected {what}, found {found}"),
            )
            .with_hint(hint),
        );
        self.skip_rest();
        StatementKind::Nothing
    }
}

/// Whether a text is written for people, which scripts put where they want to stop with a
/// message: several words, the first with a capital, that end as sentences do.
fn is_sentence(text: &str) -> bool {
    let text = text.trim();
    let is_word = |w: &&str| w.chars().any(char::is_alphabetic);
    text.starts_with(char::is_uppercase)
        && text.ends_with(['.', '!', '?'])
        && text.split_whitespace().filter(is_word).count() >= 4
        && !text.contains(['=', '(', '[', '{', ':'])
}
