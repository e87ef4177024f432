//! Compiled expressions: what `compile` returns and `eval` runs.

use std::sync::Arc;

use satchel_data::Value;
use satchel_syntax::{BinaryOp, SetExpr, Span, UnaryOp};

use crate::aggregate::AggKind;
use crate::functions::{Function, Prepared};
use crate::numeric::NumProgram;

/// A compiled expression.
///
/// Immutable and shareable; evaluate it with [`crate::eval`] against a row.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) root: Node,
    /// The aggregations the expression needs, in the order of their [`crate::RowValues::agg`]
    /// index. Empty for row expressions.
    pub aggs: Vec<AggCall>,
    /// The slots of the fields read per row (not those inside aggregations), ascending.
    pub fields: Vec<u32>,
    /// Whether a host function is called, so that the value may depend on more than the row.
    pub calls_host: bool,
    /// Whether the value depends on the current time.
    pub reads_clock: bool,
}

/// One aggregation of a [`Program`].
#[derive(Clone, Debug)]
pub struct AggCall {
    /// Which aggregation.
    pub kind: AggKind,
    /// `DISTINCT`: equal values count once.
    pub distinct: bool,
    /// `TOTAL`: beyond the current dimension values.
    pub total: Option<Total>,
    /// The set of records to aggregate over; `None` is the current selections.
    pub set: Option<SetExpr>,
    /// Row-level arguments, as [`crate::Accumulator::push`] takes them. Empty for `Count(*)`.
    pub args: Vec<Program>,
    /// Where the call stands.
    pub span: Span,
}

/// How far a `TOTAL` reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// Over all dimensions.
    All,
    /// Over all dimensions but these fields (slots).
    Except(Vec<u32>),
}

/// A node of a compiled expression.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Const(Value),
    Field(u32),
    Agg(usize),
    Unary(UnaryOp, Box<Node>),
    /// A run of left-associative operators, kept flat so that long sums need no deep stack.
    Chain {
        first: Box<Node>,
        rest: Vec<(BinaryOp, Node)>,
    },
    If {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Box<Node>,
    },
    Call {
        function: &'static Function,
        args: Vec<Node>,
    },
    /// A formatting function whose format is a constant.
    Format {
        call: Box<Prepared>,
        value: Box<Node>,
    },
    Host {
        name: Arc<str>,
        args: Vec<Node>,
    },
    /// A function over the rows of a chart, by its index.
    OverRows(usize),
    /// A call that takes each value of the functions over rows among its arguments.
    Spread {
        function: &'static Function,
        args: Vec<Node>,
    },
}

impl Program {
    /// The slot, if the expression is a bare field.
    pub fn as_single_field(&self) -> Option<u32> {
        match self.root {
            Node::Field(slot) => Some(slot),
            _ => None,
        }
    }

    /// The value, if the expression is a constant.
    pub fn as_constant(&self) -> Option<&Value> {
        match &self.root {
            Node::Const(value) => Some(value),
            _ => None,
        }
    }

    /// The aggregation, if the expression is nothing else: `Sum(Sales)`.
    pub fn as_single_agg(&self) -> Option<&AggCall> {
        match self.root {
            Node::Agg(index) => self.aggs.get(index),
            _ => None,
        }
    }

    /// The block form, if the expression is arithmetic over fields and numbers only.
    ///
    /// Exact for numeric columns; a column with texts that would be read as numbers must be
    /// converted by the caller, or evaluated by [`crate::eval`].
    pub fn as_numeric(&self) -> Option<NumProgram> {
        NumProgram::of(&self.root)
    }
}
