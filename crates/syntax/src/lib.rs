//! Text to tokens to trees with spans, for load scripts and expressions.
//!
//! Nothing here fails: every text gives a tree and a list of [`Diagnostic`]s. What the
//! names mean is for the rooms that compile and run the trees.

mod diagnostic;
mod expand;
mod expression;
mod layout;
mod lexer;
mod names;
mod parser;
mod script;
mod set_expression;
mod statement;
mod tree;

pub use diagnostic::{Diagnostic, Severity, Span, line_col};
pub use expand::{Expansion, Lookup, expand_dollar, split_list};
pub use expression::{MAX_DEPTH, parse_expression};
pub use layout::format_script;
pub use names::{NameKind, NameUse, names};
pub use script::{
    Branch, Condition, ExitTarget, Item, ItemKind, Script, Tab, check_script, parse_script,
};
pub use statement::{
    Buffer, Comments, Connect, Declare, Derive, DeriveFrom, DerivedField, ForceCase, FormatSpec,
    Guard, Hierarchy, HierarchyBelongsTo, JoinKind, Labels, Load, LoadField, LoadSource, Merge,
    OrderBy, PartialKind, Prefix, PrefixKind, Quotes, RecordSize, Renames, Statement,
    StatementKind, Store, parse_statement,
};
pub use tree::{
    BinaryOp, Call, Element, ElementFunction, ElementKind, ElementSet, ElementSetKind, Expr,
    ExprKind, Name, SetExpr, SetExprKind, SetIdentifier, SetModifier, SetOp, UnaryOp,
};
