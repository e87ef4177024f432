//! The device's ports on an operating system: files, key file, clock, time zone, entropy, and TLS to hubs.
//!
//! TLS has one code path and no way around it ([`HubConnection`]): no option, environment
//! variable or flag makes a certificate pass that does not.

mod ca_file;
pub mod fault;
mod files;
mod http;
mod key_file;
mod managed;
mod system;

pub use ca_file::{CaFileError, read_certificates};
pub use files::Files;
pub use http::{HubConnection, Trust};
pub use key_file::KeyFile;
#[cfg(unix)]
pub use managed::read_managed;
pub use managed::{MANAGED_FILE, ManagedError, POLICY_VARIABLE, managed_policies};
pub use satchel_trust::{HubVerifier, Roots, TlsFailure};
pub use system::{SystemClock, SystemEntropy};
