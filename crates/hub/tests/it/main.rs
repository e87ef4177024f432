//! The hub as its clients meet it: over TLS, with the commands an administrator types.

mod access;
mod apps;
mod faults;
mod harness;
mod process;
mod sessions;
mod transport;
