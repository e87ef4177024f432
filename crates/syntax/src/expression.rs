//! The expression parser: precedence climbing with error recovery.
//!
//! From loosest to tightest: `or`/`xor`, `and`, `not`, comparisons, `bitor`/`bitxor`,
//! `bitand`, shifts, `&`, `+`/`-`, `*`/`/`, unary signs, `^`.

use crate::SetExpr;
use crate::lexer::{TokenKind, unquote};
use crate::parser::Parser;
use crate::{
    BinaryOp, Call, Diagnostic, Expr, ExprKind, Name, SetExprKind, SetIdentifier, Span, UnaryOp,
};

/// Nesting beyond this is refused: whoever walks the tree does so recursively.
pub const MAX_DEPTH: u32 = 200;

/// Height beyond this is refused: `a+a+…` nests to the left once per operator.
const MAX_HEIGHT: u32 = 600;

/// Parses one expression, as in a chart measure or a script field. A leading `=` is allowed.
/// The text must already be `$()`-expanded. Never fails: broken parts become
/// [`ExprKind::Error`] and have a diagnostic.
pub fn parse_expression(text: &str) -> (Expr, Vec<Diagnostic>) {
    let mut parser = Parser::new(text);
    parser.eat_sign("=");
    let expr = parser.expression();
    if !parser.at_end() {
        let found = parser.describe_next();
        let span = parser.peek().span;
        let hint = if parser.is_sign(")") {
            "remove it, or add the `(` it closes"
        } else {
            "is an operator or a comma missing before it?"
        };
        parser.push(
            Diagnostic::error(
                "expr.unexpected_token",
                span,
                format!("the expression ends before {found}"),
            )
            .with_hint(hint),
        );
    }
    (expr, parser.diagnostics)
}

/// An expression and how many levels it has.
type Tall = (Expr, u32);

impl Parser<'_> {
    /// One expression; on an error the cursor stays before what does not fit.
    pub(crate) fn expression(&mut self) -> Expr {
        self.binary(0).0
    }

    fn binary(&mut self, loosest: u8) -> Tall {
        let (mut left, mut height) = self.unary();
        while let Some((op, binding, n_tokens)) = self.next_operator() {
            if binding < loosest {
                break;
            }
            let op_span = self.peek().span;
            for _ in 0..n_tokens {
                self.bump();
            }
            let (right, right_height) = self.binary(binding + 1);
            height = height.max(right_height) + 1;
            let span = left.span.to(right.span);
            if height > MAX_HEIGHT {
                self.too_deep(op_span);
                left = error(span);
                height = 1;
                self.skip_operand_list();
                break;
            }
            left = Expr {
                span,
                kind: ExprKind::Binary {
                    op,
                    op_span,
                    left: Box::new(left),
                    right: Box::new(right),
                },
            };
        }
        (left, height)
    }

    /// The operator before the cursor, how tightly it binds, and of how many tokens it is.
    fn next_operator(&self) -> Option<(BinaryOp, u8, usize)> {
        let token = self.peek();
        let text = self.token_text(token);
        let (op, binding) = match token.kind {
            TokenKind::Sign => match text {
                "=" => (BinaryOp::Eq, 3),
                "<>" => (BinaryOp::Ne, 3),
                "<" => (BinaryOp::Lt, 3),
                "<=" => (BinaryOp::Le, 3),
                ">" => (BinaryOp::Gt, 3),
                ">=" => (BinaryOp::Ge, 3),
                "<<" => (BinaryOp::ShiftLeft, 6),
                ">>" => (BinaryOp::ShiftRight, 6),
                "&" => (BinaryOp::Concat, 7),
                "+" => (BinaryOp::Add, 8),
                "-" => (BinaryOp::Sub, 8),
                "*" => (BinaryOp::Mul, 9),
                "/" => (BinaryOp::Div, 9),
                "^" => (BinaryOp::Pow, 11),
                _ => return None,
            },
            TokenKind::Word => match text.to_ascii_lowercase().as_str() {
                "or" => (BinaryOp::Or, 0),
                "xor" => (BinaryOp::Xor, 0),
                "and" => (BinaryOp::And, 1),
                "like" => (BinaryOp::Like, 3),
                "precedes" => (BinaryOp::Precedes, 3),
                "follows" => (BinaryOp::Follows, 3),
                "bitor" => (BinaryOp::BitOr, 4),
                "bitxor" => (BinaryOp::BitXor, 4),
                "bitand" => (BinaryOp::BitAnd, 5),
                _ => return None,
            },
            _ => return None,
        };
        Some((op, binding, 1))
    }

    fn unary(&mut self) -> Tall {
        let start = self.peek().span;
        let (op, binding) = if self.is_sign("-") {
            (UnaryOp::Minus, 10)
        } else if self.is_sign("+") {
            (UnaryOp::Plus, 10)
        } else if self.is_word("not") {
            (UnaryOp::Not, 2)
        } else if self.is_word("bitnot") {
            (UnaryOp::BitNot, 10)
        } else {
            return self.nested(start, Self::primary);
        };
        self.bump();
        self.nested(start, |parser| {
            let (operand, height) = parser.binary(binding);
            let kind = match (op, &operand.kind) {
                (UnaryOp::Minus, ExprKind::Number(n)) => ExprKind::Number(-n),
                _ => ExprKind::Unary {
                    op,
                    operand: Box::new(operand),
                },
            };
            (
                Expr {
                    kind,
                    span: parser.span_from(start),
                },
                height + 1,
            )
        })
    }

    /// Runs `inner` one level deeper, or refuses if that is too deep.
    fn nested(&mut self, start: Span, inner: impl FnOnce(&mut Self) -> Tall) -> Tall {
        if self.depth >= MAX_DEPTH {
            self.too_deep(start);
            self.skip_operand_list();
            return (error(start), 1);
        }
        self.depth += 1;
        let out = inner(self);
        self.depth -= 1;
        out
    }

    fn too_deep(&mut self, span: Span) {
        self.push(
            Diagnostic::error("expr.too_deep", span, "the expression is nested too deeply")
                .with_hint("split it: put a part into a variable or a field of its own"),
        );
    }

    /// After a refused part there is nothing more to learn from the text.
    fn skip_operand_list(&mut self) {
        while !self.at_end() {
            self.bump();
        }
    }

    fn primary(&mut self) -> Tall {
        let token = self.peek();
        let text = self.token_text(token);
        let kind = match token.kind {
            TokenKind::Number => {
                self.bump();
                ExprKind::Number(text.parse().unwrap_or(f64::NAN))
            }
            TokenKind::SingleQuoted => {
                self.bump();
                ExprKind::Text(unquote(text))
            }
            TokenKind::DoubleQuoted | TokenKind::Bracketed | TokenKind::Backticked => {
                self.bump();
                ExprKind::Field(unquote(text))
            }
            TokenKind::Word if self.sign_at(1, "(") => return self.call(),
            TokenKind::Word if !is_reserved(text) => {
                self.bump();
                ExprKind::Field(self.fixed_width_field(text))
            }
            TokenKind::Sign if text == "(" => return self.parenthesized(),
            TokenKind::Sign if text == "{" => {
                let set = self.braced_set();
                // The set reaches to the end of the brackets it stands in.
                let (expr, height) = self.binary(0);
                let span = self.span_from(token.span);
                return (
                    Expr {
                        kind: ExprKind::WithSet {
                            set: Box::new(set),
                            expr: Box::new(expr),
                        },
                        span,
                    },
                    height + 1,
                );
            }
            _ => {
                let found = self.describe_next();
                self.push(
                    Diagnostic::error(
                        if token.kind == TokenKind::End {
                            "expr.unexpected_end"
                        } else {
                            "expr.unexpected_token"
                        },
                        token.span,
                        format!("expected an expression, found {found}"),
                    )
                    .with_hint("put a field, a number, a 'text' or a function here"),
                );
                if matches!(token.kind, TokenKind::Stray) {
                    self.bump();
                }
                return (error(token.span), 1);
            }
        };
        (
            Expr {
                kind,
                span: self.span_from(token.span),
            },
            1,
        )
    }

    /// `@3:7` names the characters 3 to 7 of a fixed-width record; `word` is behind us.
    fn fixed_width_field(&mut self, word: &str) -> String {
        let end = self.peek_at(1);
        if word.starts_with('@')
            && word.len() > 1
            && self.is_sign(":")
            && matches!(end.kind, TokenKind::Number | TokenKind::Word)
        {
            self.bump();
            self.bump();
            return format!("{word}:{}", self.token_text(end));
        }
        word.to_owned()
    }

    fn parenthesized(&mut self) -> Tall {
        let open = self.bump().span;
        let inner = self.binary(0);
        self.close(open);
        inner
    }

    /// Eats the `)` of the `(` at `open`, or says that it is missing.
    fn close(&mut self, open: Span) {
        if self.eat_sign(")") {
            return;
        }
        let found = self.describe_next();
        let (code, span, message) = if self.at_end() {
            (
                "expr.unclosed_parenthesis",
                open,
                "this `(` is never closed".to_owned(),
            )
        } else {
            (
                "expr.unexpected_token",
                self.peek().span,
                format!("expected `)`, found {found}"),
            )
        };
        self.push(
            Diagnostic::error(code, span, message)
                .with_hint("add a `)`, or an operator or comma between two expressions"),
        );
        self.skip_to_close();
    }

    /// Moves behind the `)` that closes the present level, if there is one.
    fn skip_to_close(&mut self) {
        let start = self.position();
        let mut open = 0;
        while !self.at_end() {
            if self.is_sign("(") {
                open += 1;
            } else if self.is_sign(")") {
                if open == 0 {
                    self.bump();
                    return;
                }
                open -= 1;
            }
            self.bump();
        }
        self.go_to(start);
    }

    fn call(&mut self) -> Tall {
        let name = self.bump();
        let open = self.bump().span;
        let mut call = Call {
            name: self.token_text(name).to_owned(),
            name_span: name.span,
            distinct: false,
            no_distinct: false,
            total: None,
            set: None,
            args: Vec::new(),
        };
        self.qualifiers(&mut call);
        let mut height = 0;
        if self.is_sign("*") && self.sign_at(1, ")") {
            let star = self.bump().span;
            call.args.push(Expr {
                kind: ExprKind::Star,
                span: star,
            });
        }
        if !self.is_sign(")") {
            loop {
                if !call.args.is_empty() && matches!(call.args[0].kind, ExprKind::Star) {
                    break;
                }
                let (arg, arg_height) = self.argument();
                height = height.max(arg_height);
                call.args.push(arg);
                if !self.eat_sign(",") {
                    break;
                }
                // `If(a, b,)` is written in the world: the last argument is not there.
                if self.is_sign(")") {
                    break;
                }
            }
        }
        self.close(open);
        (
            Expr {
                span: self.span_from(name.span),
                kind: ExprKind::Call(Box::new(call)),
            },
            height + 1,
        )
    }

    fn argument(&mut self) -> Tall {
        if self.is_sign("(")
            && let Some(sorted) = self.sorted_dimension()
        {
            return sorted;
        }
        self.binary(0)
    }

    /// `(Dimension, (NUMERIC, DESCENDING))`; the cursor stays if it is something else.
    fn sorted_dimension(&mut self) -> Option<Tall> {
        let (start, n_known) = (self.position(), self.diagnostics.len());
        let sorted = self.try_sorted_dimension();
        if sorted.is_none() {
            self.go_to(start);
            self.diagnostics.truncate(n_known);
        }
        sorted
    }

    fn try_sorted_dimension(&mut self) -> Option<Tall> {
        // A field's name is all that can stand here; more would be parsed twice at each level.
        if !self.sign_at(2, ",") || !self.sign_at(3, "(") {
            return None;
        }
        let open = self.bump().span;
        let (expr, height) = self.primary();
        self.eat_sign(",");
        self.eat_sign("(");
        let mut by = vec![self.eat_name()?];
        while self.eat_sign(",") {
            by.push(self.eat_name()?);
        }
        if !(self.eat_sign(")") && self.eat_sign(")")) {
            return None;
        }
        let kind = ExprKind::Sorted {
            expr: Box::new(expr),
            by,
        };
        let span = self.span_from(open);
        Some((Expr { kind, span }, height + 1))
    }

    /// `{set}`, `TOTAL <A, B>`, `ALL`, `DISTINCT` and `NODISTINCT`, in any order.
    fn qualifiers(&mut self, call: &mut Call) {
        loop {
            let token = self.peek();
            let is_field = is_operand(self) || self.sign_at(1, "(");
            if self.is_sign("{") && call.set.is_none() {
                call.set = Some(self.braced_set());
            } else if self.is_word("distinct") && !is_operand(self) {
                self.bump();
                call.distinct = true;
            } else if self.is_word("nodistinct") && !is_operand(self) {
                self.bump();
                call.no_distinct = true;
            } else if self.is_word("total")
                && (!is_field
                    || self.sign_at(1, "(")
                    || (self.sign_at(1, "*") && self.sign_at(2, ")")))
            {
                self.bump();
                call.total = Some(self.total_fields());
            } else if self.is_word("all") && !is_field {
                self.bump();
                call.total = Some(Vec::new());
                if call.set.is_none() {
                    call.set = Some(SetExpr {
                        kind: SetExprKind::Entity {
                            identifier: SetIdentifier::All,
                            modifiers: Vec::new(),
                        },
                        span: token.span,
                    });
                }
            } else {
                return;
            }
        }
    }

    fn total_fields(&mut self) -> Vec<Name> {
        let mut fields = Vec::new();
        if !self.eat_sign("<") {
            return fields;
        }
        loop {
            match self.eat_name() {
                Some(name) => fields.push(name),
                None => {
                    let found = self.describe_next();
                    let span = self.peek().span;
                    self.push(
                        Diagnostic::error(
                            "expr.unexpected_token",
                            span,
                            format!("expected a field after TOTAL <, found {found}"),
                        )
                        .with_hint("write TOTAL <Field, [Other field]>"),
                    );
                    break;
                }
            }
            if !self.eat_sign(",") {
                break;
            }
        }
        self.expect_sign(">", "expr.unexpected_token");
        fields
    }
}

/// Whether the qualifier word before the cursor is really a field of that name, as in
/// `Sum(Total)` and `Sum(Total * 2)`.
fn is_operand(parser: &Parser<'_>) -> bool {
    [")", ",", "*", "/", "&", "=", "<>", ">", ">=", "<="]
        .iter()
        .any(|sign| parser.sign_at(1, sign))
}

fn error(span: Span) -> Expr {
    Expr {
        kind: ExprKind::Error,
        span,
    }
}

/// Operators that are words cannot be fields unless quoted.
fn is_reserved(word: &str) -> bool {
    [
        "and", "or", "xor", "not", "like", "precedes", "follows", "bitand", "bitor", "bitxor",
        "bitnot",
    ]
    .iter()
    .any(|w| word.eq_ignore_ascii_case(w))
}
