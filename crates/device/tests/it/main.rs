//! What `device` promises: the lease's borders, the vault's tries, and downloads that are
//! whole or absent.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its case should stop"
)]

mod client;
mod faults;
mod lease;
mod policy;
mod vault;
mod world;
