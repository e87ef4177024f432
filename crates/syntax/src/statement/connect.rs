//! Statements that talk to databases: `CONNECT`, `SELECT` and their kin. What stands in them
//! is for the database, so their text is kept as it is.

use super::StatementKind;
use crate::lexer::{Token, TokenKind};
use crate::parser::Parser;
use crate::{Diagnostic, Name};

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

    /// `DIRECT QUERY DIMENSION a, b [MEASURE c] [DETAIL d] FROM t [WHERE …]`: a query for all its
    /// fields, whose rows are loaded.
    pub(super) fn direct_query(&mut self, first: Token) -> StatementKind {
        let text = self.raw_rest(first.span).to_owned();
        let span = self.span_from(first.span);
        self.push(
            Diagnostic::warning(
                "script.direct_query_loads",
                span,
                "the rows of a DIRECT QUERY are loaded into memory, as those of a SELECT are",
            )
            .with_hint("name few fields, or sum up in the database, if the table is large"),
        );
        match direct_to_select(&text) {
            Some(sql) => StatementKind::Select(sql),
            None => self.expected(
                "DIMENSION and FROM",
                "write DIRECT QUERY DIMENSION a, b MEASURE c FROM table",
            ),
        }
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

/// The `SELECT` for what follows `DIRECT`: the lists of its fields one after the other, `NATIVE`
/// expressions as they are.
fn direct_to_select(text: &str) -> Option<String> {
    let (tokens, _) = crate::lexer::tokens(text);
    let word = |i: usize| {
        let token = tokens.get(i)?;
        (token.kind == TokenKind::Word).then(|| token.span.text(text).to_ascii_lowercase())
    };
    let mut fields = String::new();
    let mut open = 0_i32;
    let mut i = usize::from(word(0).as_deref() == Some("query"));
    let mut has_list = false;
    while i < tokens.len() {
        let token = tokens[i];
        let raw = token.span.text(text);
        match (word(i).as_deref(), raw) {
            (Some("dimension" | "measure" | "detail" | "detach"), _) if open == 0 => {
                if has_list && !fields.trim_end().ends_with(',') {
                    fields.push(',');
                }
                has_list = true;
            }
            (Some("from"), _) if open == 0 => {
                let rest = text[token.span.start as usize..].trim_end();
                let fields = fields.trim().trim_end_matches(',');
                return (has_list && !fields.is_empty()).then(|| format!("SELECT {fields} {rest}"));
            }
            (Some("native"), _) => {
                let inside = tokens.get(i + 2)?;
                fields.push(' ');
                fields.push_str(&crate::lexer::unquote(inside.span.text(text)));
                i += 4;
                continue;
            }
            (_, sign) => {
                match sign {
                    "(" => open += 1,
                    ")" => open -= 1,
                    _ => {}
                }
                let follows = i > 0 && tokens[i - 1].span.end == token.span.start;
                if !follows {
                    fields.push(' ');
                }
                fields.push_str(raw);
            }
        }
        i += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::direct_to_select;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        assert_eq!(direct_to_select(text).as_deref(), want);
    }

    #[test]
    fn a_direct_query_asks_for_all_its_fields() {
        check(
            "QUERY DIMENSION a, \"b c\" AS B MEASURE c DETAIL d FROM s.t WHERE x = 'DETAIL'",
            Some("SELECT a, \"b c\" AS B, c, d FROM s.t WHERE x = 'DETAIL'"),
        );
        check(
            "QUERY DIMENSION NATIVE('year([d])') AS y, Sum(MEASURE) FROM t",
            Some("SELECT year([d]) AS y, Sum(MEASURE) FROM t"),
        );
        check("QUERY DIMENSION FROM t", None);
        check("QUERY a FROM t", None);
        check("QUERY DIMENSION a", None);
    }
}
