//! `TAG`, `UNTAG` and `COMMENT`: what is said about fields and tables.

use super::{Comments, StatementKind};
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn tag_statement(&mut self, adds: bool) -> StatementKind {
        let is_table =
            (self.is_word("table") || self.is_word("tables")) && !self.word_at(1, "with");
        if is_table || self.is_word("field") || self.is_word("fields") {
            self.bump();
        }
        if self.eat_word("using") {
            return match self.name("a mapping table") {
                Some(map) => StatementKind::TagUsing { adds, map },
                None => StatementKind::Nothing,
            };
        }
        let fields = self.names("a field");
        if self.eat_word("using") {
            return match self.name("a mapping table") {
                Some(map) => StatementKind::TagUsing { adds, map },
                None => StatementKind::Nothing,
            };
        }
        if !self.eat_word("with") {
            return self.expected("WITH", "write TAG FIELD Name WITH 'tag'");
        }
        let has_parenthesis = self.eat_sign("(");
        let tags = self.names("a tag").into_iter().map(|n| n.text).collect();
        if has_parenthesis {
            self.expect_sign(")", "script.unexpected_token");
        }
        if is_table {
            // Tables of a model have no tags.
            return StatementKind::NoEffect("tag");
        }
        StatementKind::Tag { adds, fields, tags }
    }

    pub(super) fn comment_statement(&mut self) -> StatementKind {
        let is_table = self.eat_word("table") || self.eat_word("tables");
        if !is_table && !self.eat_word("field") {
            self.eat_word("fields");
        }
        let mut names = Vec::new();
        if !self.is_word("using") {
            names = self.names(if is_table { "a table" } else { "a field" });
        }
        if self.eat_word("using") {
            return match self.name("a mapping table") {
                Some(map) => StatementKind::Comment {
                    is_table,
                    comments: Comments::Using(map),
                },
                None => StatementKind::Nothing,
            };
        }
        if !self.eat_word("with") {
            return self.expected("WITH", "write COMMENT FIELD Name WITH 'text'");
        }
        match self.name("a 'text'") {
            Some(text) => StatementKind::Comment {
                is_table,
                comments: Comments::Text(names, text.text),
            },
            None => StatementKind::Nothing,
        }
    }
}
