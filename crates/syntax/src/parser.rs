//! A cursor over tokens, shared by the expression and the statement parsers.

use crate::lexer::{Token, TokenKind, tokens, unquote};
use crate::{Diagnostic, Name, Span};

/// The cursor and what was found wrong so far.
pub(crate) struct Parser<'a> {
    pub(crate) text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// How deeply expressions, sets and blocks are nested here.
    pub(crate) depth: u32,
    /// How many set operations were parsed; each may nest the tree one level deeper.
    pub(crate) n_set_operations: u32,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let (tokens, diagnostics) = tokens(text);
        Self {
            text,
            tokens,
            at: 0,
            depth: 0,
            n_set_operations: 0,
            diagnostics,
        }
    }

    pub(crate) fn peek(&self) -> Token {
        self.peek_at(0)
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> Token {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + ahead).min(last)]
    }

    /// The next token, which is then behind the cursor. The end stays.
    pub(crate) fn bump(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn go_to(&mut self, position: usize) {
        self.at = position;
    }

    pub(crate) fn at_end(&self) -> bool {
        self.peek().kind == TokenKind::End
    }

    pub(crate) fn token_text(&self, token: Token) -> &'a str {
        token.span.text(self.text)
    }

    /// Whether the token `ahead` is the sign `sign`.
    pub(crate) fn sign_at(&self, ahead: usize, sign: &str) -> bool {
        let token = self.peek_at(ahead);
        token.kind == TokenKind::Sign && self.token_text(token) == sign
    }

    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.sign_at(0, sign)
    }

    /// Whether the token `ahead` is the unquoted word `word`, in any case.
    pub(crate) fn word_at(&self, ahead: usize, word: &str) -> bool {
        let token = self.peek_at(ahead);
        token.kind == TokenKind::Word && self.token_text(token).eq_ignore_ascii_case(word)
    }

    /// Whether the token `ahead` is a name or text in quotes.
    pub(crate) fn is_quoted_at(&self, ahead: usize) -> bool {
        matches!(
            self.peek_at(ahead).kind,
            TokenKind::SingleQuoted
                | TokenKind::DoubleQuoted
                | TokenKind::Bracketed
                | TokenKind::Backticked
        )
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.word_at(0, word)
    }

    pub(crate) fn eat_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.bump();
        }
        found
    }

    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.bump();
        }
        found
    }

    /// Eats the words in order if all of them are next, else nothing.
    pub(crate) fn eat_words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(i, w)| self.word_at(i, w));
        if found {
            self.at += words.len();
        }
        found
    }

    /// Eats `sign` or says that it is missing.
    pub(crate) fn expect_sign(&mut self, sign: &str, code: &'static str) -> bool {
        if self.eat_sign(sign) {
            return true;
        }
        let found = self.describe_next();
        let span = self.peek().span;
        self.push(Diagnostic::error(
            code,
            span,
            format!("expected `{sign}`, found {found}"),
        ));
        false
    }

    /// A name: a word, number or anything in quotes.
    pub(crate) fn eat_name(&mut self) -> Option<Name> {
        let token = self.peek();
        let text = match token.kind {
            TokenKind::Word | TokenKind::Number => self.token_text(token).to_owned(),
            TokenKind::SingleQuoted
            | TokenKind::DoubleQuoted
            | TokenKind::Bracketed
            | TokenKind::Backticked => unquote(self.token_text(token)),
            TokenKind::Sign | TokenKind::Stray | TokenKind::End => return None,
        };
        self.bump();
        Some(Name {
            text,
            span: token.span,
        })
    }

    /// The next token in words for a message.
    pub(crate) fn describe_next(&self) -> String {
        let token = self.peek();
        if token.kind == TokenKind::End {
            return "the end".to_owned();
        }
        let text = self.token_text(token);
        let mut shown: String = text.chars().take(30).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        format!("`{shown}`")
    }

    /// The span of the token before the cursor.
    pub(crate) fn token_before(&self) -> Span {
        match self.at.checked_sub(1) {
            Some(last) => self.tokens[last].span,
            None => Span::default(),
        }
    }

    /// Where the token before the cursor ends.
    pub(crate) fn end_of_last(&self) -> u32 {
        match self.at.checked_sub(1) {
            Some(last) => self.tokens[last].span.end,
            None => 0,
        }
    }

    /// From `start` to the end of the token before the cursor.
    pub(crate) fn span_from(&self, start: Span) -> Span {
        Span {
            start: start.start,
            end: self.end_of_last().max(start.start),
        }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        /// More than a person reads; keeps hostile text from filling memory.
        const MOST: usize = 200;
        // A second complaint about one place follows from the first.
        let is_new = self
            .diagnostics
            .last()
            .is_none_or(|last| last.span.start != diagnostic.span.start);
        if is_new && self.diagnostics.len() < MOST {
            self.diagnostics.push(diagnostic);
        }
    }
}
