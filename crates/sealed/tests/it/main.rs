//! What `sealed` promises: a package opens for whom it was made and for nobody else, and
//! any change to it is found.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its case should stop"
)]

mod corpus;
mod keys;
mod packages;
mod signed;
mod support;
