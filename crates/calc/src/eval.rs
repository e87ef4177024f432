//! Evaluation: a compiled expression against one row.

use satchel_base::Budget;
use satchel_data::Value;
use satchel_syntax::BinaryOp;

use crate::functions::Function;
use crate::locale::Locale;
use crate::operators::{binary, matches_wildcard_within, truth, unary};
use crate::program::{Node, Program};

/// A look at a text up to here is not booked: 64 KiB, more than cells hold, and less work than
/// lies between two looks at a budget if every row of a block has it.
pub(crate) const LONG_TEXT: usize = 64 << 10;

/// So many characters cost about as much as a row.
const CHARACTERS_A_ROW: u64 = 2;

/// Where an expression finds the values of a row.
pub trait RowValues {
    /// The value of the field with this slot in the row.
    fn field(&self, slot: u32) -> Value;

    /// The result of the aggregation with this index in [`Program::aggs`]. Only asked for
    /// programs that have aggregations.
    fn agg(&self, _index: usize) -> Value {
        Value::Null
    }

    /// The result of the function over rows that [`crate::Scope::over_rows`] gave this index;
    /// the first one where it gives several.
    fn over_rows(&self, _index: usize) -> Value {
        Value::Null
    }

    /// All results of that function, appended to `out`, for functions that take any number.
    fn spread(&self, index: usize, out: &mut Vec<Value>) {
        out.push(self.over_rows(index));
    }
}

/// A row without values, for constant expressions.
pub struct NoRow;

impl RowValues for NoRow {
    fn field(&self, _slot: u32) -> Value {
        Value::Null
    }
}

/// Functions that need more than their arguments: `ApplyMap`, `Peek`, `RecNo`, `Rand` and so on.
pub trait HostFunctions {
    /// The value of the function `name` (lower case), or `None` if it does not exist here; that
    /// gives NULL.
    fn call(&self, name: &str, args: &[Value]) -> Option<Value>;
}

/// What evaluation needs beside the row.
#[derive(Clone, Copy)]
pub struct EvalContext<'a> {
    /// How numbers and dates are read and written.
    pub locale: &'a Locale,
    /// The current local time in serial days.
    pub now: f64,
    /// What to add to UTC for local time, in days.
    pub utc_offset: f64,
    /// Functions of the host.
    pub host: Option<&'a dyn HostFunctions>,
    /// What long texts are booked on. When it ends, what is left of an expression is NULL:
    /// whoever evaluates asks it afterwards ([`Budget::settle`]).
    pub budget: Option<&'a Budget>,
}

impl<'a> EvalContext<'a> {
    /// A context in UTC without host functions.
    pub fn new(locale: &'a Locale, now: f64) -> Self {
        Self {
            locale,
            now,
            utc_offset: 0.0,
            host: None,
            budget: None,
        }
    }

    /// Books a look at so many characters; false when it must not be taken.
    pub(crate) fn spend(&self, n_characters: u64) -> bool {
        let rows = n_characters / CHARACTERS_A_ROW;
        self.budget.is_none_or(|b| b.charge_rows(rows).is_ok())
    }

    /// Books a look at those of `values` that are long texts.
    fn spend_on(&self, values: &[Value]) -> bool {
        let long = values.iter().map(long_text).sum::<usize>();
        long == 0 || self.spend(long as u64)
    }
}

/// The length of a long text; 0 for all else.
fn long_text(value: &Value) -> usize {
    match value {
        Value::Num(_) | Value::Null => 0,
        Value::Text(text) | Value::Dual { text, .. } => text.len().saturating_sub(LONG_TEXT),
    }
}

/// The value of a function, or NULL if the budget has ended.
fn call(function: &Function, args: &[Value], ctx: &EvalContext<'_>) -> Value {
    match ctx.spend_on(args) {
        true => (function.run)(args, ctx),
        false => Value::Null,
    }
}

/// The value of an operator, or NULL if the budget has ended.
fn operate(op: BinaryOp, left: &Value, right: &Value, ctx: &EvalContext<'_>) -> Value {
    let long = long_text(left) + long_text(right);
    if long == 0 {
        return binary(op, left, right, ctx.locale);
    }
    match op {
        _ if !ctx.spend(long as u64) => Value::Null,
        BinaryOp::Like if !left.is_null() && !right.is_null() => Value::boolean(
            matches_wildcard_within(&left.to_text(), &right.to_text(), ctx),
        ),
        _ => binary(op, left, right, ctx.locale),
    }
}

/// The value of `program` for a row. Never panics; what has no value is NULL.
pub fn eval(program: &Program, row: &dyn RowValues, ctx: &EvalContext<'_>) -> Value {
    eval_node(&program.root, row, ctx, &mut Vec::new())
}

/// Whether the value of `program` counts as true for a row, as in a `WHERE` clause.
pub fn eval_truth(program: &Program, row: &dyn RowValues, ctx: &EvalContext<'_>) -> bool {
    truth(&eval(program, row, ctx), ctx.locale)
}

/// `stack` holds the arguments of the calls being evaluated; each leaves it as it was.
fn eval_node(
    node: &Node,
    row: &dyn RowValues,
    ctx: &EvalContext<'_>,
    stack: &mut Vec<Value>,
) -> Value {
    match node {
        Node::Const(value) => value.clone(),
        Node::Field(slot) => row.field(*slot),
        Node::Agg(index) => row.agg(*index),
        Node::Unary(op, operand) => unary(*op, &eval_node(operand, row, ctx, stack), ctx.locale),
        Node::Chain { first, rest } => {
            let mut value = eval_node(first, row, ctx, stack);
            for (op, operand) in rest {
                let right = eval_node(operand, row, ctx, stack);
                value = operate(*op, &value, &right, ctx);
            }
            value
        }
        Node::If {
            condition,
            then,
            otherwise,
        } => {
            let holds = truth(&eval_node(condition, row, ctx, stack), ctx.locale);
            eval_node(if holds { then } else { otherwise }, row, ctx, stack)
        }
        Node::Call { function, args } => match args.as_slice() {
            // Few arguments stand in an array: no list is made for a row.
            [] => call(function, &[], ctx),
            [a] => call(function, &[eval_node(a, row, ctx, stack)], ctx),
            [a, b] => {
                let a = eval_node(a, row, ctx, stack);
                let b = eval_node(b, row, ctx, stack);
                call(function, &[a, b], ctx)
            }
            [a, b, c] => {
                let a = eval_node(a, row, ctx, stack);
                let b = eval_node(b, row, ctx, stack);
                let c = eval_node(c, row, ctx, stack);
                call(function, &[a, b, c], ctx)
            }
            args => {
                let base = stack.len();
                for arg in args {
                    let value = eval_node(arg, row, ctx, stack);
                    stack.push(value);
                }
                let value = call(function, &stack[base..], ctx);
                stack.truncate(base);
                value
            }
        },
        Node::OverRows(index) => row.over_rows(*index),
        Node::Spread { function, args } => {
            let base = stack.len();
            for arg in args {
                match arg {
                    Node::OverRows(index) => row.spread(*index, stack),
                    arg => {
                        let value = eval_node(arg, row, ctx, stack);
                        stack.push(value);
                    }
                }
            }
            let value = call(function, &stack[base..], ctx);
            stack.truncate(base);
            value
        }
        Node::Format { call, value } => call.value(&eval_node(value, row, ctx, stack), ctx.locale),
        Node::Host { name, args } => {
            let base = stack.len();
            for arg in args {
                let value = eval_node(arg, row, ctx, stack);
                stack.push(value);
            }
            let value = ctx.host.and_then(|host| host.call(name, &stack[base..]));
            stack.truncate(base);
            value.unwrap_or(Value::Null)
        }
    }
}
