//! Judging a hub's certificate: what a phone does on every connection, and what tells an
//! administrator beforehand what phones will say.
//!
//! There is one verifier ([`HubVerifier`]) and no way around it. Devices connect with it; the
//! hub only looks at certificates with it. Rules: reference security, "Certificates".

mod certificate;
mod tls_failure;
mod verifier;

pub use certificate::{Description, describe};
pub use tls_failure::TlsFailure;
pub use verifier::{FailureCell, HubVerifier, Roots};
