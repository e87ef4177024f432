//! What a device keeps and decides: hubs and their pinned identity, the vault and its lock,
//! the lease, the downloads, and the conversation with the hub.
//!
//! State machines over ports: storage, keystore and hub transport are traits ([`ports`]), time
//! and entropy are values. Everything that is kept is `serde`, so a browser can keep it too.
//!
//! Rules: DESIGN §3 (lease, credentials, lock). Formats: `docs/formats/grant.md`,
//! `docs/formats/vault.md`, `docs/formats/policy.md`.
#![forbid(unsafe_code)]

mod account;
pub mod calls;
mod client;
mod downloads;
mod error;
mod hubs;
mod lease;
mod lock;
mod named;
pub mod policy;
pub mod ports;
pub mod state;
mod vault;

pub use account::{Account, VaultBody};
pub use client::{Client, Credentials, DeviceName, DownloadEvent, Opened, Protection, SignedIn};
pub use downloads::{Catalogue, Entry, Partial};
pub use error::{DeviceError, HubFailure, StorageError};
pub use hubs::{HubEntry, HubList, HubUrlError};
pub use lease::{
    CLOCK_SLACK_MS, LeaseError, LeaseState, LeaseStatus, LeaseView, LeaseWarning, Remaining,
    verify_grant,
};
pub use lock::{DEFAULT_IDLE_MS, Lock};
pub use named::find_named;
pub use policy::{Managed, PolicyRefusal};
pub use satchel_base::utc_text;
pub use vault::{KdfCost, PIN_TRIES, VaultError, VaultFile, VaultKey};
