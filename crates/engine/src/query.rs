//! What a calculation needs beside the engine, and what can go wrong in one.

use std::sync::Arc;

use satchel_base::{Budget, Stop};
use satchel_calc::Locale;
use satchel_syntax::Diagnostic;

use crate::{Engine, Selections, StateSelections};

/// What lies outside the engine but may be named in an expression.
pub trait Lookup {
    /// The definition of a variable, for `$(name)`.
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    /// The expression of the master measure with this label.
    fn measure(&self, _name: &str) -> Option<String> {
        None
    }

    /// The selections of a bookmark by name or id, for set expressions.
    fn bookmark(&self, _name: &str) -> Option<Arc<StateSelections>> {
        None
    }

    /// The selections `n` steps back (positive) or forward (negative) in a state.
    fn step(&self, _state: &str, _n: i64) -> Option<Arc<StateSelections>> {
        None
    }
}

/// A lookup that knows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLookup;

impl Lookup for NoLookup {}

/// One calculation: the engine, the selections it is made under, and what it may cost.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// All selections of the session.
    pub selections: &'a Selections,
    /// The alternate state the object is in; `$` is the default one.
    pub state: &'a str,
    /// Variables, bookmarks, history.
    pub lookup: &'a dyn Lookup,
    /// How numbers and dates are read and written.
    pub locale: &'a Locale,
    /// The present time as a serial number of days, local to the user.
    pub now: f64,
    /// What to add to UTC for local time, in days.
    pub utc_offset: f64,
    /// What it may cost.
    pub budget: &'a Budget,
}

impl Query<'_> {
    /// The selections of the query's state; none if there is no such state.
    pub fn current(&self) -> Arc<StateSelections> {
        self.selections
            .state(self.state)
            .cloned()
            .unwrap_or_default()
    }
}

/// Why something could not be calculated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalcError {
    /// The text of an expression is wrong; at least one of these is an error. Spans are in
    /// the text as it was written: what is wrong with the result of a `$()` stands at it.
    #[error("the expression is not valid: {}", .0.iter().find(|d| d.is_error()).map_or("", |d| d.message.as_str()))]
    Expression(Vec<Diagnostic>),
    /// The budget ended.
    #[error(transparent)]
    Stop(#[from] Stop),
}

impl CalcError {
    /// Stable code: that of the first error, or why the budget ended.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expression(all) => all
                .iter()
                .find(|d| d.is_error())
                .map_or("expr.invalid", |d| d.code),
            Self::Stop(Stop::Cancelled) => "calc.cancelled",
            Self::Stop(Stop::TimeIsUp) => "calc.too_long",
            Self::Stop(Stop::TooManyRows { .. }) => "calc.too_many_rows",
            Self::Stop(Stop::TooManyBytes { .. }) => "calc.too_large",
        }
    }
}
