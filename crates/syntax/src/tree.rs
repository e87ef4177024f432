//! The tree of an expression, with a span on every node.
//!
//! A tree is only syntax: whether a field or function exists, and whether a call is an
//! aggregation, is decided by who compiles it. Text after `$()` expansion.

use crate::Span;

/// A name with its place: a field, a table, a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name without its quotes.
    pub text: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// An expression and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands; parentheses around it are not included.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// Something that could not be parsed; a diagnostic says why.
    Error,
    /// A numeric literal.
    Number(f64),
    /// A text literal: `'…'`, with `''` undoubled.
    Text(String),
    /// A field: `Sales`, `[Order Date]`, `"Order Date"`, `` `Order Date` ``, `@3`.
    Field(String),
    /// The lone star of `Count(*)`; only ever the single argument of a call.
    Star,
    /// A dimension of `Aggr` with its order: `(Year, (NUMERIC, DESCENDING))`. Only ever an
    /// argument of a call.
    Sorted {
        /// The dimension.
        expr: Box<Expr>,
        /// The words of the order.
        by: Vec<Name>,
    },
    /// An operator before its operand.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// An operator between two operands.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// A function call.
    Call(Box<Call>),
    /// A set expression before an expression, which applies to every aggregation in it that
    /// has none of its own: `{<Year={2013}>} Sum(A) / Sum(B)`.
    WithSet {
        /// The set.
        set: Box<SetExpr>,
        /// The expression it applies to.
        expr: Box<Expr>,
    },
}

/// A function call: `Sum({<Year={2013}>} TOTAL <Region> DISTINCT Sales)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function as written; names compare without regard to case.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// `DISTINCT` was written.
    pub distinct: bool,
    /// `NODISTINCT` was written (only meaningful to `Aggr`).
    pub no_distinct: bool,
    /// `TOTAL` gives `Some(vec![])`, `TOTAL <A, B>` the fields. `ALL` is `{1} TOTAL`.
    pub total: Option<Vec<Name>>,
    /// The set expression between braces.
    pub set: Option<SetExpr>,
    /// The arguments in order.
    pub args: Vec<Expr>,
}

/// Operators before one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-x`
    Minus,
    /// `+x`
    Plus,
    /// `not x`
    Not,
    /// `bitnot x`
    BitNot,
}

/// Operators between two operands, loosest binding first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `xor`
    Xor,
    /// `and`
    And,
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `like`, with `*` and `?`
    Like,
    /// `precedes`: text order
    Precedes,
    /// `follows`: text order
    Follows,
    /// `bitor`
    BitOr,
    /// `bitxor`
    BitXor,
    /// `bitand`
    BitAnd,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `&`: joins texts
    Concat,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `^`: power
    Pow,
}

/// A set of records an aggregation works on: what stands between the braces.
#[derive(Clone, Debug, PartialEq)]
pub struct SetExpr {
    /// What it is.
    pub kind: SetExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What a set expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum SetExprKind {
    /// An identifier and its modifiers: `$<Year={2013}>`.
    Entity {
        /// The set to start from.
        identifier: SetIdentifier,
        /// What to change in its selections, in order.
        modifiers: Vec<SetModifier>,
    },
    /// Two sets combined; left to right, `*` and `/` bind tighter than `+` and `-`.
    Operation {
        /// How.
        op: SetOp,
        /// Left set.
        left: Box<SetExpr>,
        /// Right set.
        right: Box<SetExpr>,
    },
}

/// Where a set starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetIdentifier {
    /// Nothing is written before the modifiers: the set around it, or `$` if there is none.
    Inherited,
    /// `$`: the current selections.
    Current,
    /// `1`: all records, no selections.
    All,
    /// `0`: no records.
    Empty,
    /// `$n`: the selections `n` steps back; `$0` is the current ones.
    Back(u32),
    /// `$_n`: the selections `n` steps forward.
    Forward(u32),
    /// An alternate state or a bookmark, by name or id.
    Named(String),
}

/// How two sets combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOp {
    /// `+`: in either
    Union,
    /// `-`: in the left, not in the right
    Difference,
    /// `*`: in both
    Intersection,
    /// `/`: in exactly one
    SymmetricDifference,
}

/// A change to the selection in one field: `Year += {2013, 2014}`.
#[derive(Clone, Debug, PartialEq)]
pub struct SetModifier {
    /// The field.
    pub field: Name,
    /// `None` for `=`; `+=` and so on combine with the present selection in the field.
    pub op: Option<SetOp>,
    /// The values; `None` for `Year=` or a lone `Year`: no selection in the field.
    pub elements: Option<ElementSet>,
    /// The whole modifier.
    pub span: Span,
}

/// A set of values of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct ElementSet {
    /// What it is.
    pub kind: ElementSetKind,
    /// Where it stands.
    pub span: Span,
}

/// What a set of values is.
#[derive(Clone, Debug, PartialEq)]
pub enum ElementSetKind {
    /// `{2013, 'x', "a*"}`; `{}` selects nothing at all.
    List(Vec<Element>),
    /// The selected values of another field, perhaps of another state: `= [Other]`, `= S2::Other`.
    Field {
        /// The state before `::`.
        state: Option<SetIdentifier>,
        /// The field.
        field: Name,
    },
    /// `P({set} Field)` or `E({set} Field)`: the values possible or excluded in a set.
    Function {
        /// Which of the two.
        function: ElementFunction,
        /// The set; the current selections if absent.
        set: Option<Box<SetExpr>>,
        /// The field; the modified field itself if absent.
        field: Option<Name>,
    },
    /// `- {…}`: all values of the field but these.
    Complement(Box<ElementSet>),
    /// Two sets of values combined.
    Operation {
        /// How.
        op: SetOp,
        /// Left.
        left: Box<ElementSet>,
        /// Right.
        right: Box<ElementSet>,
    },
}

/// The two functions from a set of records to values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementFunction {
    /// `P()`
    Possible,
    /// `E()`
    Excluded,
}

/// One entry of a value list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// What it is.
    pub kind: ElementKind,
    /// Where it stands.
    pub span: Span,
}

/// What an entry of a value list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// `'…'`: exactly this value.
    Literal(String),
    /// Unquoted: a number or word, meant as a value.
    Bare(String),
    /// `"…"`, `[…]`, or unquoted with `*`, `?` or a leading `<`, `>`, `=`: a search text.
    /// One that begins with `=` is an expression search; its text parses with
    /// [`parse_expression`](crate::parse_expression).
    Search(String),
}
