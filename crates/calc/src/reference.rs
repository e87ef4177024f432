//! What `docs/functions.md` and tools know about the functions.

use crate::aggregate;
use crate::functions;

/// A function and how it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionDoc {
    /// The heading it stands under.
    pub family: &'static str,
    /// Whether it aggregates rows.
    pub kind: FunctionKind,
    /// How it is written: `[…]` may be left out, `…` repeats what stands before it.
    pub signature: &'static str,
    /// What it gives, in a sentence.
    pub doc: &'static str,
    /// A call.
    pub example: &'static str,
    /// The value of the example, as the reference shows it.
    pub value: &'static str,
}

/// How a function takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// From one row.
    Scalar,
    /// From all rows of a group or of a dimension value.
    Aggregation,
}

/// All functions of the library, by family.
pub fn function_docs() -> Vec<FunctionDoc> {
    let aggregations = aggregate::FAMILIES.iter().flat_map(|(family, all)| {
        all.iter().map(|known| FunctionDoc {
            family,
            kind: FunctionKind::Aggregation,
            signature: known.signature,
            doc: known.doc,
            example: known.example.0,
            value: known.example.1,
        })
    });
    let scalars = functions::FAMILIES.iter().flat_map(|family| {
        family.functions.iter().map(|known| FunctionDoc {
            family: family.title,
            kind: FunctionKind::Scalar,
            signature: known.signature,
            doc: known.doc,
            example: known.example.0,
            value: known.example.1,
        })
    });
    aggregations.chain(scalars).collect()
}
