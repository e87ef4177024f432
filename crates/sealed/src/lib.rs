//! Sealing: what leaves the hub for one person on one device, and what the hub signs.
//!
//! Two things live here, and nothing else:
//! * [`signed`]: an envelope for a small document (a grant, a manifest) that only the hub's
//!   key can have made;
//! * [`package`]: the container of a download. Its payload is opaque bytes to this room; it
//!   is encrypted to one device and bound to hub, user, device, app and manifest.
//!
//! Pure: keys and entropy are handed in. Every length is checked before memory is taken, and
//! no input can panic. Formats, byte by byte: `docs/formats/package.md`, `docs/formats/grant.md`.
#![forbid(unsafe_code)]

mod error;
mod keys;
pub mod package;
pub mod signed;

pub use error::{KeyError, OpenError, SealError};
pub use keys::{DevicePublicKey, DeviceSecretKey, SigningKey, VerifyingKey};
