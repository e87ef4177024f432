//! Set expressions: what stands between the braces of an aggregation.
//!
//! Grammar (semantics reference D4 and the public reference of the expression language):
//! `set = entity {(+|-|*|/) entity}`, `entity = identifier [modifier] | modifier | (set)`,
//! `modifier = < field [op] [elements] {, …} >`.

use crate::expression::MAX_DEPTH;
use crate::lexer::{TokenKind, unquote};
use crate::parser::Parser;
use crate::{
    Diagnostic, Element, ElementFunction, ElementKind, ElementSet, ElementSetKind, SetExpr,
    SetExprKind, SetIdentifier, SetModifier, SetOp, Span,
};

/// More operations in the sets of one text are refused; each nests the tree one deeper.
const MAX_OPERATIONS: u32 = 400;

impl Parser<'_> {
    /// `{ set }`; the cursor is on the brace.
    pub(crate) fn braced_set(&mut self) -> SetExpr {
        let open = self.bump().span;
        if self.eat_sign("}") {
            return inherited(open);
        }
        let mut set = self.set_expression();
        set.span = open.to(set.span);
        if !self.eat_sign("}") {
            let found = self.describe_next();
            let span = self.peek().span;
            self.set_error(span, format!("expected `}}` after the set, found {found}"));
            while !self.at_end() && !self.is_sign("}") {
                self.bump();
            }
            self.eat_sign("}");
        }
        set.span = self.span_from(open);
        set
    }

    /// `+` and `-` bind loosest.
    pub(crate) fn set_expression(&mut self) -> SetExpr {
        self.set_operations(&["+", "-"], Self::set_term)
    }

    fn set_term(&mut self) -> SetExpr {
        self.set_operations(&["*", "/"], Self::set_entity)
    }

    fn set_operations(&mut self, signs: &[&str], operand: fn(&mut Self) -> SetExpr) -> SetExpr {
        let mut left = operand(self);
        while let Some(op) = self.set_operator(signs) {
            self.bump();
            let right = operand(self);
            self.n_set_operations += 1;
            if self.n_set_operations > MAX_OPERATIONS {
                self.set_error(right.span, "the set has too many operations".to_owned());
                while !self.at_end() {
                    self.bump();
                }
                break;
            }
            left = SetExpr {
                span: left.span.to(right.span),
                kind: SetExprKind::Operation {
                    op,
                    left: Box::new(left),
                    right: Box::new(right),
                },
            };
        }
        left
    }

    fn set_operator(&self, signs: &[&str]) -> Option<SetOp> {
        let sign = signs.iter().find(|s| self.is_sign(s))?;
        Some(match *sign {
            "+" => SetOp::Union,
            "-" => SetOp::Difference,
            "*" => SetOp::Intersection,
            _ => SetOp::SymmetricDifference,
        })
    }

    fn set_entity(&mut self) -> SetExpr {
        let start = self.peek().span;
        if self.depth >= MAX_DEPTH {
            self.set_error(start, "the set is nested too deeply".to_owned());
            while !self.at_end() {
                self.bump();
            }
            return inherited(start);
        }
        self.depth += 1;
        let set = self.set_entity_inner(start);
        self.depth -= 1;
        set
    }

    fn set_entity_inner(&mut self, start: Span) -> SetExpr {
        if self.eat_sign("(") {
            let inner = self.set_expression();
            self.expect_sign(")", "expr.bad_set");
            return inner;
        }
        let identifier = if self.is_sign("<") {
            Some(SetIdentifier::Inherited)
        } else {
            self.set_identifier()
        };
        let Some(identifier) = identifier else {
            let found = self.describe_next();
            self.push(
                Diagnostic::error(
                    "expr.bad_set",
                    start,
                    format!("expected a set, found {found}"),
                )
                .with_hint(
                    "write $ (current selections), 1 (all records), a state, or <Field={value}>",
                ),
            );
            return inherited(start);
        };
        let mut modifiers = Vec::new();
        while self.eat_sign("<") {
            self.modifiers(&mut modifiers);
        }
        SetExpr {
            kind: SetExprKind::Entity {
                identifier,
                modifiers,
            },
            span: self.span_from(start),
        }
    }

    fn set_identifier(&mut self) -> Option<SetIdentifier> {
        let token = self.peek();
        let text = self.token_text(token);
        let identifier = match token.kind {
            TokenKind::Number if text == "1" => SetIdentifier::All,
            TokenKind::Number if text == "0" => SetIdentifier::Empty,
            TokenKind::Word if text == "$" => SetIdentifier::Current,
            TokenKind::Word if text.starts_with("$_") => match text[2..].parse() {
                Ok(n) => SetIdentifier::Forward(n),
                Err(_) => SetIdentifier::Named(text.to_owned()),
            },
            TokenKind::Word if text.starts_with('$') => match text[1..].parse() {
                Ok(0) => SetIdentifier::Current,
                Ok(n) => SetIdentifier::Back(n),
                Err(_) => SetIdentifier::Named(text.to_owned()),
            },
            TokenKind::End | TokenKind::Sign | TokenKind::Stray => return None,
            _ => SetIdentifier::Named(unquote(text)),
        };
        self.bump();
        Some(identifier)
    }

    /// The modifiers after `<`, the closing `>` included.
    fn modifiers(&mut self, out: &mut Vec<SetModifier>) {
        while !self.at_end() && !self.eat_sign(">") {
            let Some(field) = self.eat_name() else {
                let found = self.describe_next();
                let span = self.peek().span;
                self.push(
                    Diagnostic::error(
                        "expr.bad_set",
                        span,
                        format!("expected a field in the set modifier, found {found}"),
                    )
                    .with_hint("write <Field={value}>; quote names with spaces as [Order Date]"),
                );
                self.skip_modifiers();
                return;
            };
            let mut op = None;
            let mut elements = None;
            if self.eat_modifier_operator(&mut op) && !self.is_sign(",") && !self.is_sign(">") {
                elements = self.element_set();
            }
            out.push(SetModifier {
                span: self.span_from(field.span),
                field,
                op,
                elements,
            });
            if self.eat_sign(",") {
                continue;
            }
            if !self.is_sign(">") {
                let found = self.describe_next();
                let span = self.peek().span;
                self.set_error(span, format!("expected `,` or `>`, found {found}"));
                self.skip_modifiers();
                return;
            }
        }
    }

    /// `=` or `+=`, `-=`, `*=`, `/=`.
    fn eat_modifier_operator(&mut self, op: &mut Option<SetOp>) -> bool {
        if self.eat_sign("=") {
            return true;
        }
        let combined = self.set_operator(&["+", "-", "*", "/"]);
        if combined.is_some() && self.sign_at(1, "=") {
            self.bump();
            self.bump();
            *op = combined;
            return true;
        }
        false
    }

    /// After an error: behind the `>` of these modifiers, or before the closing brace.
    fn skip_modifiers(&mut self) {
        let mut braces = 0;
        while !self.at_end() {
            if self.is_sign("{") {
                braces += 1;
            } else if self.is_sign("}") {
                if braces == 0 {
                    return;
                }
                braces -= 1;
            } else if braces == 0 && self.eat_sign(">") {
                return;
            }
            self.bump();
        }
    }

    fn element_set(&mut self) -> Option<ElementSet> {
        let mut left = self.element_term()?;
        while let Some(op) = self.set_operator(&["+", "-", "*", "/"]) {
            self.bump();
            let right = self.element_term()?;
            self.n_set_operations += 1;
            if self.n_set_operations > MAX_OPERATIONS {
                self.set_error(right.span, "the set has too many operations".to_owned());
                return None;
            }
            left = ElementSet {
                span: left.span.to(right.span),
                kind: ElementSetKind::Operation {
                    op,
                    left: Box::new(left),
                    right: Box::new(right),
                },
            };
        }
        Some(left)
    }

    fn element_term(&mut self) -> Option<ElementSet> {
        let start = self.peek().span;
        if self.depth >= MAX_DEPTH {
            self.set_error(start, "the set is nested too deeply".to_owned());
            return None;
        }
        self.depth += 1;
        let term = self.element_term_inner(start);
        self.depth -= 1;
        term
    }

    fn element_term_inner(&mut self, start: Span) -> Option<ElementSet> {
        let kind = if self.eat_sign("-") {
            ElementSetKind::Complement(Box::new(self.element_term()?))
        } else if self.eat_sign("(") {
            let inner = self.element_set();
            self.expect_sign(")", "expr.bad_set");
            return inner;
        } else if self.is_sign("{") {
            self.bump();
            ElementSetKind::List(self.elements())
        } else if (self.is_word("p") || self.is_word("e")) && self.sign_at(1, "(") {
            self.element_function()
        } else if self.sign_at(1, "::") {
            let state = self.set_identifier();
            self.bump();
            let field = self.eat_name();
            let Some(field) = field else {
                self.no_elements();
                return None;
            };
            ElementSetKind::Field { state, field }
        } else if let Some(field) = self.eat_name() {
            ElementSetKind::Field { state: None, field }
        } else {
            self.no_elements();
            return None;
        };
        Some(ElementSet {
            kind,
            span: self.span_from(start),
        })
    }

    fn no_elements(&mut self) {
        let found = self.describe_next();
        let span = self.peek().span;
        self.push(
            Diagnostic::error(
                "expr.bad_set",
                span,
                format!("expected values, found {found}"),
            )
            .with_hint("write {value, 'text', \"search*\"}, P(), E() or another field"),
        );
    }

    fn element_function(&mut self) -> ElementSetKind {
        let function = if self.is_word("p") {
            ElementFunction::Possible
        } else {
            ElementFunction::Excluded
        };
        self.bump();
        self.bump();
        let set = self.is_sign("{").then(|| Box::new(self.braced_set()));
        let field = self.eat_name();
        self.expect_sign(")", "expr.bad_set");
        ElementSetKind::Function {
            function,
            set,
            field,
        }
    }

    /// The entries up to and with `}`.
    fn elements(&mut self) -> Vec<Element> {
        let mut out = Vec::new();
        loop {
            let first = self.peek();
            if self.eat_sign("}") || self.at_end() {
                if first.kind == TokenKind::End {
                    self.set_error(first.span, "expected `}`, found the end".to_owned());
                }
                return out;
            }
            if self.eat_sign(",") {
                continue;
            }
            let mut n_tokens = 0;
            while !self.at_end() && !self.is_sign(",") && !self.is_sign("}") {
                self.bump();
                n_tokens += 1;
            }
            let span = self.span_from(first.span);
            let text = span.text(self.text);
            let kind = match (n_tokens, first.kind) {
                (1, TokenKind::SingleQuoted) => ElementKind::Literal(unquote(text)),
                (1, TokenKind::DoubleQuoted | TokenKind::Bracketed | TokenKind::Backticked) => {
                    ElementKind::Search(unquote(text))
                }
                _ if text.contains(['*', '?']) || text.starts_with(['<', '>', '=']) => {
                    ElementKind::Search(text.to_owned())
                }
                _ => ElementKind::Bare(text.to_owned()),
            };
            out.push(Element { kind, span });
        }
    }

    fn set_error(&mut self, span: Span, message: String) {
        self.push(
            Diagnostic::error("expr.bad_set", span, message)
                .with_hint("a set looks like {$<Year={2013}, Region={'EU', \"N*\"}>}"),
        );
    }
}

fn inherited(span: Span) -> SetExpr {
    SetExpr {
        kind: SetExprKind::Entity {
            identifier: SetIdentifier::Inherited,
            modifiers: Vec::new(),
        },
        span,
    }
}
