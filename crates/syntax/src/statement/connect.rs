//! Statements that talk to databases: `CONNECT`, `SELECT` and their kin. What stands in them
//! is for the database, so their text is kept as it is.

use super::StatementKind;
use crate::Name;
use crate::lexer::{Token, TokenKind};
use crate::parser::Parser;

/// `[LIB|ODBC|OLEDB|CUSTOM] CONNECT[32|64] TO name`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// The connection's name or, without `LIB`, its connection string.
    pub name: Name,
    /// `LIB`: the name of a connection that is defined on the hub.
    pub is_defined: bool,
}

impl Parser<'_> {
    /// `CONNECT …`; the words before it are behind the cursor.
    pub(super) fn connect(&mut self, is_defined: bool) -> StatementKind {
        if !self.eat_word("connect") && !self.eat_word("connect32") {
            self.eat_word("connect64");
        }
        if !self.eat_word("to") {
            return self.expected("TO", "write LIB CONNECT TO 'name'");
        }
        let Some(name) = self.path() else {
            self.skip_rest();
            return StatementKind::Nothing;
        };
        // `(XUserId is …, XPassword is …)` and the like are the connection's own.
        self.skip_rest();
        self.forget_quotes();
        StatementKind::Connect(Connect { name, is_defined })
    }

    /// `SQL SELECT …` and `SELECT …`: the text is the database's.
    pub(super) fn select(&mut self, first: Token, is_sql: bool) -> StatementKind {
        let text = if is_sql {
            self.raw_rest(first.span).to_owned()
        } else {
            self.skip_rest();
            self.forget_quotes();
            self.text
                .get(first.span.start as usize..)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        StatementKind::Select(text)
    }

    /// Whether `LIB`, `ODBC`, `OLEDB` or `CUSTOM` is followed by `CONNECT`.
    pub(super) fn at_connect(&self) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Word
            && self
                .token_text(token)
                .to_ascii_lowercase()
                .starts_with("connect")
    }
}
