//! From our values to JSON as clients read it.

pub(crate) mod meta;
pub(crate) mod number;
pub(crate) mod time;
