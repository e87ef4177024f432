//! QVD files: an XML header, a symbol table for each field, and bit-packed records.
//!
//! Symbol tables are taken over as they are: nothing is interpreted again, whatever the number
//! of rows. Files with a compression, or without the parts `docs/formats/qvd.md` names, are
//! refused; every count of a header is held against the size of the file before memory is
//! asked for.

mod header;
mod read;
mod symbols;
mod write;

pub(crate) use read::{info, open};
pub(crate) use write::write;

#[cfg(test)]
mod tests;
