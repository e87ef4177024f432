//! The hub as its clients meet it: over TLS, with the commands an administrator types.

mod access;
mod apps;
mod audited;
mod connections;
mod direct;
mod embedding;
mod exports;
mod faults;
mod harness;
mod hostile_provider;
mod language;
mod limits;
mod logs;
mod passkeys;
mod policy;
mod process;
mod providers;
mod roles;
mod rules;
mod scripts;
mod second_factor;
mod sessions;
mod stale_rights;
mod tls;
mod transport;
mod withheld;
