//! Expressions over the rows of a source, or over variables.

use std::cell::{Cell, RefCell};

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_base::Budget;
use satchel_calc::{EvalContext, HostFunction, Locale, Program, RowValues, Scope, eval};
use satchel_data::{Frame, SymbolKey, Value};
use satchel_syntax::{Expr, ExprKind};

use crate::functions::{self, Host, Session};
use crate::host::FileFacts;
use crate::tables::{Section, Tables};

/// Rows to load from: a frame, and how many rows, as a frame without columns has none.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) frame: Frame,
    pub(crate) n_rows: usize,
}

impl Source {
    pub(crate) fn of(frame: Frame) -> Self {
        Self {
            n_rows: frame.n_rows(),
            frame,
        }
    }
}

/// Field names of a source to columns; `@n` is the nth column.
pub(crate) struct SourceScope<'a> {
    pub(crate) frame: &'a Frame,
    /// The columns that `GROUP BY` reads.
    pub(crate) grouped: &'a [u32],
}

impl Scope for SourceScope<'_> {
    fn field(&self, name: &str) -> Option<u32> {
        let position = self.frame.column_index(name).or_else(|| {
            let n: usize = name.strip_prefix('@')?.parse().ok()?;
            n.checked_sub(1).filter(|i| *i < self.frame.columns.len())
        });
        position.map(|i| i as u32)
    }

    fn field_names(&self) -> Vec<String> {
        self.frame.columns.iter().map(|c| c.name.clone()).collect()
    }

    fn is_grouped(&self, slot: u32) -> bool {
        self.grouped.contains(&slot)
    }

    fn host_function(&self, name: &str) -> Option<HostFunction> {
        functions::shape(name)
    }
}

/// Names of variables to values; a name without a variable is NULL.
pub(crate) struct VariableScope<'a> {
    pub(crate) lookup: &'a dyn Fn(&str) -> Value,
    pub(crate) values: RefCell<Vec<Value>>,
}

impl Scope for VariableScope<'_> {
    fn field(&self, name: &str) -> Option<u32> {
        let mut values = self.values.borrow_mut();
        values.push((self.lookup)(name));
        Some(values.len() as u32 - 1)
    }

    fn host_function(&self, name: &str) -> Option<HostFunction> {
        functions::shape(name)
    }
}

impl RowValues for VariableScope<'_> {
    fn field(&self, slot: u32) -> Value {
        self.values
            .borrow()
            .get(slot as usize)
            .cloned()
            .unwrap_or(Value::Null)
    }
}

/// The state of one load while its rows are evaluated.
pub(crate) struct Rows<'a> {
    pub(crate) source: &'a Source,
    /// The source row, from 0.
    pub(crate) row: Cell<usize>,
    /// The turn of `WHILE`, from 1.
    pub(crate) turn: Cell<usize>,
    /// The source row of the record before that was not filtered out.
    pub(crate) previous_row: Cell<Option<usize>>,
    /// Expressions inside `Previous()`, by the number that stands in the call.
    pub(crate) previous: Vec<Program>,
    /// What was loaded so far.
    pub(crate) out: RefCell<Frame>,
    /// Symbols per field that `Exists()` asked for.
    pub(crate) known: RefCell<FxHashMap<String, FxHashSet<SymbolKey>>>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(source: &'a Source, previous: Vec<Program>, out: Frame) -> Self {
        Self {
            source,
            row: Cell::new(0),
            turn: Cell::new(1),
            previous_row: Cell::new(None),
            previous,
            out: RefCell::new(out),
            known: RefCell::default(),
        }
    }

    /// Appends a row to what was loaded; whether a value was new to its column.
    pub(crate) fn push(&self, cells: &[Value]) -> bool {
        let mut out = self.out.borrow_mut();
        let count = |frame: &Frame| frame.columns.iter().map(|c| c.dict.len()).sum::<usize>();
        let n_known = count(&out);
        out.push_row(cells);
        let is_new = count(&out) > n_known;
        let mut known = self.known.borrow_mut();
        if !known.is_empty() {
            for (column, cell) in out.columns.iter().zip(cells) {
                if let (Some(set), Some(key)) = (known.get_mut(&column.name), SymbolKey::of(cell)) {
                    set.insert(key);
                }
            }
        }
        is_new
    }
}

impl RowValues for Rows<'_> {
    fn field(&self, slot: u32) -> Value {
        let Some(column) = self.source.frame.columns.get(slot as usize) else {
            return Value::Null;
        };
        // Values that come again and again are made once.
        if column.dict.len() * 2 <= column.codes.len() {
            column.dict.values();
        }
        column.value(self.row.get())
    }
}

/// A row of the source by number.
pub(crate) struct OneRow<'a>(pub(crate) &'a Frame, pub(crate) usize);

impl RowValues for OneRow<'_> {
    fn field(&self, slot: u32) -> Value {
        self.0
            .columns
            .get(slot as usize)
            .map_or(Value::Null, |c| c.value(self.1))
    }
}

/// What expressions need beside a row.
pub(crate) struct Surroundings<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) section: Section,
    pub(crate) locale: &'a Locale,
    pub(crate) session: &'a RefCell<Session>,
    pub(crate) now: f64,
    pub(crate) utc_offset: f64,
    /// The file being read, as written in the script.
    pub(crate) file: &'a str,
    pub(crate) files: &'a dyn FileFacts,
    pub(crate) directory: Option<&'a str>,
    pub(crate) is_partial: bool,
    pub(crate) budget: &'a Budget,
}

impl Surroundings<'_> {
    /// Evaluates with the host functions, in the load `rows` if there is one.
    pub(crate) fn eval(
        &self,
        program: &Program,
        values: &dyn RowValues,
        rows: Option<&Rows<'_>>,
    ) -> Value {
        let host = Host { around: self, rows };
        let context = EvalContext {
            locale: self.locale,
            now: self.now,
            utc_offset: self.utc_offset,
            host: Some(&host),
            budget: Some(self.budget),
        };
        eval(program, values, &context)
    }

    pub(crate) fn truth(
        &self,
        program: &Program,
        values: &dyn RowValues,
        rows: Option<&Rows<'_>>,
    ) -> bool {
        satchel_calc::truth(&self.eval(program, values, rows), self.locale)
    }
}

/// Makes calls evaluable that need more than values: the expression inside `Previous` moves
/// into `previous`, leaving its number, and `Exists('F')` becomes `Exists('F', F)`.
pub(crate) fn rewrite(expr: &mut Expr, previous: &mut Vec<Expr>) {
    match &mut expr.kind {
        ExprKind::Unary { operand, .. } => rewrite(operand, previous),
        ExprKind::Binary { left, right, .. } => {
            rewrite(left, previous);
            rewrite(right, previous);
        }
        ExprKind::WithSet { expr, .. } | ExprKind::Sorted { expr, .. } => rewrite(expr, previous),
        ExprKind::Call(call) => {
            if call.name.eq_ignore_ascii_case("previous") && call.args.len() == 1 {
                let mut inner = call.args.remove(0);
                rewrite(&mut inner, previous);
                call.args.push(Expr {
                    kind: ExprKind::Number(previous.len() as f64),
                    span: inner.span,
                });
                previous.push(inner);
                return;
            }
            if call.name.eq_ignore_ascii_case("exists")
                && let [only] = &call.args[..]
                && let ExprKind::Text(name) = &only.kind
            {
                let value = Expr {
                    kind: ExprKind::Field(name.clone()),
                    span: only.span,
                };
                call.args.push(value);
            }
            for arg in &mut call.args {
                rewrite(arg, previous);
            }
        }
        _ => {}
    }
}
