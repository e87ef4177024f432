//! The function library: functions whose result follows from their arguments alone.
//!
//! Reference semantics D2. Arguments are evaluated before the call; NULL handling is each
//! function's own. A function whose arguments lie outside its domain gives NULL.

mod color;
mod conditional;
mod date;
mod format;
mod interval;
mod number;
mod range;
mod signature;
pub(crate) mod statistics;
mod string;

use std::collections::HashMap;
use std::sync::OnceLock;

use satchel_data::Value;

use crate::eval::EvalContext;

/// How a function is carried out.
pub(crate) type Run = fn(&[Value], &EvalContext<'_>) -> Value;

/// A function of the library.
#[derive(Debug)]
pub(crate) struct Function {
    /// Lower case.
    pub name: &'static str,
    /// Fewest arguments.
    pub least: usize,
    /// Most arguments; `usize::MAX` for any number.
    pub most: usize,
    /// What it does.
    pub run: Run,
}

/// Any number of arguments.
pub(crate) const ANY: usize = usize::MAX;

pub(crate) const fn function(name: &'static str, least: usize, most: usize, run: Run) -> Function {
    Function {
        name,
        least,
        most,
        run,
    }
}

pub(crate) use format::Prepared;
pub use format::{format_date, format_interval, format_number, format_number_with};
pub(crate) use signature::{elsewhere, signature};

fn library() -> &'static HashMap<&'static str, &'static Function> {
    static LIBRARY: OnceLock<HashMap<&'static str, &'static Function>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let families: [&'static [Function]; 8] = [
            color::FUNCTIONS,
            conditional::FUNCTIONS,
            date::FUNCTIONS,
            format::FUNCTIONS,
            interval::FUNCTIONS,
            number::FUNCTIONS,
            range::FUNCTIONS,
            string::FUNCTIONS,
        ];
        families
            .into_iter()
            .flatten()
            .map(|f| (f.name, f))
            .collect()
    })
}

/// The function called `name` (lower case).
pub(crate) fn by_name(name: &str) -> Option<&'static Function> {
    library().get(name).copied()
}

/// The names of all functions, sorted.
pub fn function_names() -> Vec<&'static str> {
    let mut names: Vec<_> = library().keys().copied().collect();
    names.sort_unstable();
    names
}

/// The number of argument `i`, reading its text if need be.
pub(crate) fn num(args: &[Value], i: usize, context: &EvalContext<'_>) -> Option<f64> {
    args.get(i)
        .and_then(|v| crate::operators::number(v, context.locale))
}

/// The text of argument `i`; none for NULL or a missing argument.
pub(crate) fn text(args: &[Value], i: usize) -> Option<String> {
    args.get(i).filter(|v| !v.is_null()).map(Value::to_text)
}

impl Function {
    /// Whether the value depends on the current time.
    pub fn reads_clock(&self) -> bool {
        matches!(self.name, "now" | "today" | "yeartodate")
    }
}
