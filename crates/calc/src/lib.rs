//! Checking and evaluating expressions: compiler, evaluator, functions, aggregations, formats.
//!
//! Used for the expressions of load scripts (one row at a time, or grouped) and for those of
//! charts, where the engine computes the aggregations and this room everything around them.
//! The clock enters as a value ([`EvalContext::now`]); functions that need more than their
//! arguments come from the surroundings ([`HostFunctions`]).
//!
//! Rules: reference semantics D2 and E4.

mod accumulator;
mod aggregate;
mod calendar;
mod cash_flow;
mod code_page;
mod compile;
mod date_pattern;
mod date_tags;
mod eval;
mod evaluate;
mod functions;
mod geometry;
mod hash;
mod interpret;
mod json;
mod locale;
mod number_pattern;
mod numeric;
mod operators;
mod program;
mod reference;
mod statistics;
mod suggest;
mod zone;

pub use accumulator::Accumulator;
pub use aggregate::{AggKind, Whole};
pub use compile::{Computed, HostArg, HostFunction, Mode, Scope, compile, within};
pub use date_tags::date_tags;
pub use eval::{EvalContext, HostFunctions, NoRow, RowValues, eval, eval_truth};
pub use evaluate::evaluate_text;
pub use functions::{
    Elsewhere, ElsewhereKind, format_date, format_interval, format_number, format_number_with,
    function_names, functions_elsewhere,
};
pub use interpret::{interpret, interpret_number, interpret_shared, read_text};
pub use locale::Locale;
pub use numeric::NumProgram;
pub use operators::{matches_wildcard, number, truth};
pub use program::{AggCall, Program, Total};
pub use reference::{FunctionDoc, FunctionKind, function_docs};
