//! Values, symbol tables, bit-packed columns, tables, the associative model, and views of it.
//!
//! A load script fills [`Frame`]s; [`ModelBuilder`] turns them into an immutable [`Model`]
//! whose fields have one symbol table each. Nobody computes on a model directly: engines
//! receive a [`View`], which is what one subject may see. This room knows nothing of
//! selections, expressions, files or encryption.

mod access_tables;
mod bitset;
mod build;
mod cells;
mod codes;
mod derived;
mod dict;
mod frame;
mod frames;
mod hash;
mod key_index;
mod loops;
mod model;
mod raw_column;
mod retain;
mod row_numbers;
mod snapshot;
mod symbols;
mod synthetic;
mod texts;
mod value;
mod view;
mod view_order;

pub use access_tables::{AccessTable, AccessTables};
pub use bitset::BitSet;
pub use build::ModelBuilder;
pub use cells::{Batch, Cells};
pub use codes::{BLOCK, Codes};
pub use dict::{Dict, NULL_CODE, Read};
pub use frame::{Frame, FrameColumn};
pub use key_index::{KeyIndex, KeyRows};
pub use model::{
    Aside, Column, Field, FieldId, FieldKind, Model, ModelNote, Table, TableId, TableKind,
};
pub use raw_column::RawColumn;
pub use row_numbers::RowNumbers;
pub use snapshot::{SNAPSHOT_VERSION, SnapshotError};
pub use symbols::{Symbols, TooLarge};
pub use value::{SymbolKey, Value, number_text, text_order};
pub use view::{FieldFacts, View};
