//! The client people run, against a real hub: online, offline, and under a false clock.
//!
//! `cargo xtask test e2e` starts the demo hub and names it in the environment. What people
//! may see of the sales app follows from the section access in `demo/sales/load.qvs`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its case should stop"
)]

mod bench;
mod relay;
mod served;

mod attacks;
mod broken_network;
mod copies;
mod isolation;
mod kills;
#[cfg(target_os = "linux")]
mod memory;
mod open;
mod path;
mod policy;
mod refusals;
mod time;
