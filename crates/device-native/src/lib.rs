//! The device's ports on an operating system: files, key file, clock, time zone, entropy, and TLS to hubs.
//!
//! TLS has one code path and no way around it ([`HubConnection`]): no option, environment
//! variable or flag makes a certificate pass that does not.

mod ca_file;
mod certificate;
pub mod fault;
mod files;
mod http;
mod key_file;
mod system;
mod tls_failure;
mod verifier;

pub use ca_file::{CaFileError, read_certificates};
pub use files::Files;
pub use http::HubConnection;
pub use key_file::KeyFile;
pub use system::{SystemClock, SystemEntropy, local_offset_minutes};
pub use tls_failure::TlsFailure;
pub use verifier::{HubVerifier, Roots};
