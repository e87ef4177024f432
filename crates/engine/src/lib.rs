//! The associative engine: selections, inference, list objects, hypercubes, set analysis.
//!
//! Computes on an immutable [`satchel_data::View`] and knows nothing of access rules, wire
//! formats or time. Element numbers, names and texts at its boundary are the view's own, so
//! that a masked view and the physically reduced model answer alike.
//!
//! Semantics (reference semantics E): the records are the rows of the full outer join over the
//! tree of tables; NULL keys link nothing; loose tables are left by no inference. An
//! aggregation works on the rows of the join of the tables that hold its fields:
//! - `Count(*)` counts rows of the table with the most visible rows;
//! - a key field alone is aggregated in the table with the most visible rows that holds it,
//!   but `DISTINCT`, `Only`, `Min` and `Max` take its values from all its tables;
//! - an aggregation without fields takes one record a group;
//! - rows of tables that only lie between those tables are no records, but tell records apart.

mod aggr;
mod aggregate;
mod associations;
mod calculate;
mod code_map;
mod compound;
mod cube;
mod dimension;
mod engine;
mod evaluate;
mod graph;
mod group;
mod history;
mod inference;
mod join;
mod known;
mod lanes;
mod limit;
mod list;
mod made;
mod mentions;
mod order;
mod over_rows;
mod pass;
mod program;
mod query;
mod records;
mod results;
mod scan;
mod search;
mod select;
mod selection_functions;
mod selections;
mod set;
mod sieve;
mod sort;
mod state;

pub use associations::{FieldMatch, MAX_TERMS, Match};
pub use cube::{
    Area, AttributeCell, AttributeDimensionInfo, AttributeInfo, Bin, Binned, Cell, CellKind, Cube,
    CubeDef, DimensionDef, DimensionInfo, MAX_LEVEL, MeasureDef, MeasureInfo, Pivot, PivotAxis,
    PivotCell, PivotDef, PivotKind, PivotNode, PivotPage, StackNode, Thinning, Tree, TreeKind,
    TreeNode, Trend, TrendDef, TrendKind, TrendLines,
};
pub use engine::Engine;
pub use history::History;
pub use inference::{FieldStates, Inference, RowSet};
pub use limit::{Amount, Comparison, End, Keep, Limit, Others};
pub use list::{ListCell, ListDef, ListObject};
pub use query::{CalcError, Lookup, NoLookup, Query};
pub use search::{Highlight, Search};
pub use select::{NumberRange, Select, SelectError, Toggle};
pub use selections::{DEFAULT_STATE, FieldSelection, Locks, Selections, StateSelections};
pub use sort::{Rect, SortCriterion, SortOrder};
pub use state::{StateCounts, ValueState};
