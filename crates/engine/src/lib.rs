//! The associative engine: selections, inference, list objects, hypercubes, set analysis.
//!
//! Computes on an immutable [`satchel_data::View`] and knows nothing of access rules, wire
//! formats or time. Element numbers, names and texts at its boundary are the view's own, so
//! that a masked view and the physically reduced model answer alike.
//!
//! Semantics (reference semantics E): the records are the rows of the full outer join over the
//! tree of tables; NULL keys link nothing; loose tables are left by no inference.

mod engine;
mod graph;
mod history;
mod inference;
mod scan;
mod search;
mod select;
mod selections;
mod sort;
mod state;

pub use engine::Engine;
pub use history::History;
pub use inference::{FieldStates, Inference, RowSet};
pub use search::{Highlight, Search};
pub use select::{NumberRange, Select, SelectError, Toggle};
pub use selections::{DEFAULT_STATE, FieldSelection, Locks, Selections, StateSelections};
pub use sort::{Rect, SortCriterion, SortOrder};
pub use state::{StateCounts, ValueState};
