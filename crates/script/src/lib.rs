//! Runs a load script against a [`Host`] that hands it bytes and rows.
//!
//! No I/O, clock or randomness of its own: files come from the host, the time and the seed
//! from [`Settings`]. A run ends in a [`LoadResult`] or in a [`Failure`] whose [`Problem`]s
//! say file, line, column and what to do. Rules: reference semantics A1, D and E4, DESIGN §3
//! for section access.

mod columns;
mod delimited;
mod evaluate;
mod functions;
mod group_keys;
mod held;
mod host;
mod join;
mod load;
mod outcome;
mod run;
mod shape;
mod statements;
mod symbol_filter;
mod tables;

pub use delimited::{Dialect, first_cell, skip_line, split_delimited, split_delimited_until};
pub use host::{
    FileInfo, Host, HostError, QvdInfo, ReadRequest, RowSource, Step, StoreRequest, WholeSize,
};
pub use outcome::{AppData, Failure, LoadResult, Problem, Settings};
pub use run::run;
pub use satchel_calc::matches_wildcard;
pub use satchel_syntax::{FormatSpec, Labels, Quotes, RecordSize};
