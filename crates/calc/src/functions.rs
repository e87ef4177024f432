//! The function library: functions whose result follows from their arguments alone.
//!
//! One file a family, in each a table of its functions: how a function is written, what it
//! gives, an example with its value, and how it is carried out. `docs/functions.md` is made
//! from these tables, and a test runs every example.
//!
//! Reference semantics D2. Arguments are evaluated before the call; NULL handling is each
//! function's own. A function whose arguments lie outside its domain gives NULL.

mod color;
mod conditional;
mod date;
mod distribution;
mod elsewhere;
mod financial;
mod format;
mod geospatial;
mod interval;
mod json;
mod number;
mod range;
mod signature;
mod string;
mod system;

use std::collections::HashMap;
use std::sync::OnceLock;

use satchel_data::Value;

use crate::eval::EvalContext;

/// How a function is carried out.
pub(crate) type Run = fn(&[Value], &EvalContext<'_>) -> Value;

/// A function of the library.
#[derive(Debug)]
pub(crate) struct Function {
    /// How it is written; `[…]` may be left out, `…` repeats what stands before it.
    pub signature: &'static str,
    /// What it gives.
    pub doc: &'static str,
    /// A call and its value, in ISO date formats at 2023-03-15 12:00.
    pub example: (&'static str, &'static str),
    /// What it does.
    pub run: Run,
    /// Whether the value depends on the current time.
    pub reads_clock: bool,
}

pub(crate) const fn function(
    signature: &'static str,
    doc: &'static str,
    example: (&'static str, &'static str),
    run: Run,
) -> Function {
    Function {
        signature,
        doc,
        example,
        run,
        reads_clock: false,
    }
}

impl Function {
    /// The same function, whose value depends on the current time.
    pub const fn by_the_clock(mut self) -> Self {
        self.reads_clock = true;
        self
    }

    /// Fewest and most arguments; `usize::MAX` for any number.
    pub fn counts(&self) -> (usize, usize) {
        signature::counts(self.signature)
    }
}

/// Functions of one kind.
pub(crate) struct Family {
    /// A heading.
    pub title: &'static str,
    pub functions: &'static [Function],
}

/// All families, in the order in which they are documented.
pub(crate) const FAMILIES: &[Family] = &[
    family("Conditions, NULL and logic", conditional::FUNCTIONS),
    family("Numbers", number::FUNCTIONS),
    family("Ranges", range::FUNCTIONS),
    family("Distributions", distribution::FUNCTIONS),
    family("Financial", financial::FUNCTIONS),
    family("Texts", string::FUNCTIONS),
    family("JSON texts", json::FUNCTIONS),
    family("Formats and interpretation", format::FUNCTIONS),
    family("Dates and times", date::FUNCTIONS),
    family("Calendar intervals", interval::FUNCTIONS),
    family("Geometries", geospatial::FUNCTIONS),
    family("Colours", color::FUNCTIONS),
    family("System", system::FUNCTIONS),
];

const fn family(title: &'static str, functions: &'static [Function]) -> Family {
    Family { title, functions }
}

pub(crate) use distribution::{chi_above, normal_inverse, t_beyond, t_inverse};
pub(crate) use elsewhere::elsewhere;
pub use elsewhere::{Elsewhere, ElsewhereKind, functions_elsewhere};
pub(crate) use format::Prepared;
pub use format::{format_date, format_interval, format_number, format_number_with};
pub(crate) use signature::{counts, name, signature};

fn library() -> &'static HashMap<String, &'static Function> {
    static LIBRARY: OnceLock<HashMap<String, &'static Function>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        FAMILIES
            .iter()
            .flat_map(|family| family.functions)
            .map(|f| (name(f.signature).to_lowercase(), f))
            .collect()
    })
}

/// The function called `name` (lower case).
pub(crate) fn by_name(name: &str) -> Option<&'static Function> {
    library().get(name).copied()
}

/// The names of all functions in lower case, sorted.
pub fn function_names() -> Vec<&'static str> {
    let mut names: Vec<_> = library().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The number of argument `i`, reading its text if need be.
pub(crate) fn num(args: &[Value], i: usize, context: &EvalContext<'_>) -> Option<f64> {
    args.get(i)
        .and_then(|v| crate::operators::number(v, context.locale))
}

/// The number of argument `i`, or another one if it is missing or NULL; none if it is no number.
pub(crate) fn num_or(args: &[Value], i: usize, context: &EvalContext<'_>, or: f64) -> Option<f64> {
    match args.get(i) {
        None | Some(Value::Null) => Some(or),
        Some(_) => num(args, i, context),
    }
}

/// The text of argument `i`; none for NULL or a missing argument.
pub(crate) fn text(args: &[Value], i: usize) -> Option<String> {
    args.get(i).filter(|v| !v.is_null()).map(Value::to_text)
}
