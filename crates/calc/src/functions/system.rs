//! Functions of the engine itself.

use satchel_data::Value;

use super::{Function, function};

/// The version all crates have.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "EngineVersion()",
        "The version of the engine.",
        (
            "EngineVersion()",
            concat!("'", env!("CARGO_PKG_VERSION"), "'"),
        ),
        |_, _| Value::text(VERSION),
    ),
    function(
        "ProductVersion()",
        "The version of the engine.",
        (
            "ProductVersion()",
            concat!("'", env!("CARGO_PKG_VERSION"), "'"),
        ),
        |_, _| Value::text(VERSION),
    ),
];
