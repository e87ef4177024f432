//! Text to tokens to trees with spans, for load scripts and expressions.
//!
//! Nothing here fails: every text gives a tree and a list of [`Diagnostic`]s. What the
//! names mean is for the rooms that compile and run the trees.

mod diagnostic;
mod expression;
mod lexer;
mod parser;
mod set_expression;
mod tree;

pub use diagnostic::{Diagnostic, Severity, Span, line_col};
pub use expression::{MAX_DEPTH, parse_expression};
pub use tree::{
    BinaryOp, Call, Element, ElementFunction, ElementKind, ElementSet, ElementSetKind, Expr,
    ExprKind, Name, SetExpr, SetExprKind, SetIdentifier, SetModifier, SetOp, UnaryOp,
};
