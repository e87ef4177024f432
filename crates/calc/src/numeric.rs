//! Arithmetic over whole blocks of numbers, without a value per cell.

use satchel_data::Value;
use satchel_syntax::{BinaryOp, UnaryOp};

use crate::operators::arithmetic;
use crate::program::Node;

/// Nesting beyond this is left to the general evaluator.
const MOST_DEPTH: usize = 32;

/// An expression of fields, numbers and `+ - * / ^`, evaluated block by block. NaN is NULL.
#[derive(Clone, Debug)]
pub struct NumProgram {
    ops: Vec<Op>,
    slots: Vec<u32>,
    depth: usize,
}

/// An instruction for a stack of blocks.
#[derive(Clone, Copy, Debug)]
enum Op {
    Column(usize),
    Number(f64),
    Negate,
    Binary(BinaryOp),
    /// The top block with a number on its right: saves filling a block.
    BinaryNumber(BinaryOp, f64),
    /// The top block with a column on its right.
    BinaryColumn(BinaryOp, usize),
    /// A number with a column on its right: a block of its own.
    NumberColumn(BinaryOp, f64, usize),
    /// The top block with a column on its left.
    ColumnBinary(BinaryOp, usize),
}

impl NumProgram {
    /// The block form of a node, if it is pure arithmetic.
    pub(crate) fn of(node: &Node) -> Option<Self> {
        let mut program = Self {
            ops: Vec::new(),
            slots: Vec::new(),
            depth: 0,
        };
        program.push(node, 1)?;
        Some(program)
    }

    /// The field slots, in the order in which `eval_batch` takes their columns.
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Evaluates a block: `columns[i]` holds the numbers of field `slots()[i]`, NaN for NULL,
    /// and must be at least as long as `out`. A shorter or missing column gives NaN.
    pub fn eval_batch(&self, columns: &[&[f64]], out: &mut [f64]) {
        let n = out.len();
        if self
            .slots
            .iter()
            .enumerate()
            .any(|(i, _)| columns.get(i).is_none_or(|c| c.len() < n))
        {
            out.fill(f64::NAN);
            return;
        }
        // The bottom of the stack is `out` itself; only nested operands need blocks of their own.
        let mut spare = vec![0.0; n * (self.depth - 1)];
        let mut top = 0;
        for op in &self.ops {
            match *op {
                Op::Column(i) => {
                    block(out, &mut spare, n, top).copy_from_slice(&columns[i][..n]);
                    top += 1;
                }
                Op::Number(number) => {
                    block(out, &mut spare, n, top).fill(number);
                    top += 1;
                }
                Op::Negate => {
                    for x in block(out, &mut spare, n, top - 1) {
                        *x = -*x;
                    }
                }
                Op::BinaryNumber(op, number) => {
                    apply_number(op, block(out, &mut spare, n, top - 1), number);
                }
                Op::BinaryColumn(op, i) => {
                    apply(op, block(out, &mut spare, n, top - 1), &columns[i][..n]);
                }
                Op::NumberColumn(op, number, i) => {
                    let block = block(out, &mut spare, n, top);
                    combine(op, block, &columns[i][..n], |_, b| (number, b));
                    top += 1;
                }
                Op::ColumnBinary(op, i) => {
                    let block = block(out, &mut spare, n, top - 1);
                    combine(op, block, &columns[i][..n], |a, b| (b, a));
                }
                Op::Binary(op) => {
                    top -= 1;
                    if top == 1 {
                        apply(op, out, &spare[..n]);
                    } else {
                        let (low, high) = spare.split_at_mut((top - 1) * n);
                        apply(op, &mut low[(top - 2) * n..], &high[..n]);
                    }
                }
            }
        }
    }

    /// Appends the instructions of `node`, which leaves its result at stack height `height`.
    fn push(&mut self, node: &Node, height: usize) -> Option<()> {
        if height > MOST_DEPTH {
            return None;
        }
        self.depth = self.depth.max(height);
        match node {
            Node::Const(Value::Num(number)) => self.ops.push(Op::Number(*number)),
            Node::Field(slot) => {
                let column = self.column(*slot);
                self.ops.push(Op::Column(column));
            }
            Node::Unary(UnaryOp::Plus, operand) => self.push(operand, height)?,
            Node::Unary(UnaryOp::Minus, operand) => {
                self.push(operand, height)?;
                self.ops.push(Op::Negate);
            }
            Node::Chain { first, rest } => {
                let mut rest = rest.as_slice();
                match (&**first, rest) {
                    (Node::Const(Value::Num(number)), [(op, Node::Field(slot)), ..])
                        if is_arithmetic(*op) =>
                    {
                        let column = self.column(*slot);
                        self.ops.push(Op::NumberColumn(*op, *number, column));
                        rest = &rest[1..];
                    }
                    (Node::Field(slot), [(op, operand @ Node::Chain { .. }), ..])
                        if is_arithmetic(*op) =>
                    {
                        self.push(operand, height)?;
                        let column = self.column(*slot);
                        self.ops.push(Op::ColumnBinary(*op, column));
                        rest = &rest[1..];
                    }
                    _ => self.push(first, height)?,
                }
                for (op, operand) in rest {
                    if !is_arithmetic(*op) {
                        return None;
                    }
                    match operand {
                        Node::Const(Value::Num(number)) => {
                            self.ops.push(Op::BinaryNumber(*op, *number));
                        }
                        Node::Field(slot) => {
                            let column = self.column(*slot);
                            self.ops.push(Op::BinaryColumn(*op, column));
                        }
                        operand => {
                            self.push(operand, height + 1)?;
                            self.ops.push(Op::Binary(*op));
                        }
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn column(&mut self, slot: u32) -> usize {
        match self.slots.iter().position(|s| *s == slot) {
            Some(at) => at,
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        }
    }
}

fn is_arithmetic(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow
    )
}

/// The block at stack position `at`: the output first, spare blocks above it.
fn block<'a>(out: &'a mut [f64], spare: &'a mut [f64], n: usize, at: usize) -> &'a mut [f64] {
    if at == 0 {
        out
    } else {
        &mut spare[(at - 1) * n..at * n]
    }
}

/// `left = left op right`, element by element. An infinite result is NaN, as in `Value::num`.
fn apply(op: BinaryOp, left: &mut [f64], right: &[f64]) {
    combine(op, left, right, |a, b| (a, b));
}

/// `left = x op y` with the operands that `operands` makes of an element of each.
#[inline]
fn combine(
    op: BinaryOp,
    left: &mut [f64],
    right: &[f64],
    operands: impl Fn(f64, f64) -> (f64, f64),
) {
    #[inline]
    fn each(
        left: &mut [f64],
        right: &[f64],
        operands: impl Fn(f64, f64) -> (f64, f64),
        f: impl Fn(f64, f64) -> f64,
    ) {
        for (a, b) in left.iter_mut().zip(right) {
            let (x, y) = operands(*a, *b);
            let result = f(x, y);
            *a = if result.is_finite() { result } else { f64::NAN };
        }
    }
    match op {
        BinaryOp::Add => each(left, right, operands, |a, b| a + b),
        BinaryOp::Sub => each(left, right, operands, |a, b| a - b),
        BinaryOp::Mul => each(left, right, operands, |a, b| a * b),
        BinaryOp::Div => each(left, right, operands, |a, b| a / b),
        op => each(left, right, operands, |a, b| power(op, a, b)),
    }
}

fn apply_number(op: BinaryOp, left: &mut [f64], number: f64) {
    fn each(left: &mut [f64], f: impl Fn(f64) -> f64) {
        for a in left {
            let result = f(*a);
            *a = if result.is_finite() { result } else { f64::NAN };
        }
    }
    match op {
        BinaryOp::Add => each(left, |a| a + number),
        BinaryOp::Sub => each(left, |a| a - number),
        BinaryOp::Mul => each(left, |a| a * number),
        BinaryOp::Div => each(left, |a| a / number),
        op => each(left, |a| power(op, a, number)),
    }
}

/// Powers with NULL: `NaN ^ 0` is NULL here, although it is 1 for a processor.
fn power(op: BinaryOp, a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        arithmetic(op, a, b)
    }
}
