//! What the data room promises, checked over generated models.

mod support;

mod loaded;
mod snapshots;
mod views;
