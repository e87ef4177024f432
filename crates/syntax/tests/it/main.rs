//! What the room promises: trees for good text, diagnostics for bad, panics for nothing.

mod expressions;
mod forms;
mod scripts;
mod soup;
