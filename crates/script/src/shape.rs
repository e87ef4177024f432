//! Loads that change the shape of what they loaded: tables to tables, nothing else.
//!
//! Rules: reference semantics D1, "Script prefixes" of the Qlik Core reference.

mod crosstable;
mod hierarchy;
mod interval;
mod merge;

pub(crate) use crosstable::{crosstable, generic};
pub(crate) use hierarchy::{Wanted, hierarchy, hierarchy_belongs_to};
pub(crate) use interval::interval_match;
pub(crate) use merge::{Change, merge};
