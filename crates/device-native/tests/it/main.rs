//! Certificates over real TLS on loopback, and files.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its case should stop"
)]

mod certificates;
mod files;
#[cfg(unix)]
mod managed;
mod server;
mod vectors;
