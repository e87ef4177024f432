//! The hub as its clients meet it: over TLS, with the commands an administrator types.

mod access;
mod apps;
mod harness;
mod sessions;
mod transport;
