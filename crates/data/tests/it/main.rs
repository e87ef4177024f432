//! What the data room promises, checked over generated models.

mod support;

mod snapshots;
mod views;
