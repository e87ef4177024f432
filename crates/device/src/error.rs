//! Everything that can go wrong on a device, with the code, the words and the next step.

use satchel_base::AppId;
use satchel_contract::ApiError;
use satchel_sealed::OpenError;

use crate::{HubUrlError, LeaseError, PolicyRefusal, VaultError};

/// A file could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// No room left.
    #[error("there is no room left on this device to write {name}")]
    Full {
        /// The file.
        name: String,
    },
    /// The system refused.
    #[error("{name} cannot be {action}: {reason}")]
    Failed {
        /// The file.
        name: String,
        /// `read`, `written`, `removed`, `renamed`, `listed`.
        action: &'static str,
        /// The system's words.
        reason: String,
    },
}

/// A hub did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HubFailure {
    /// No answer, or none that can be trusted.
    #[error("{}", .0.message)]
    Unreachable(ApiError),
    /// The hub refused, in its own words.
    #[error("{}", error.message)]
    Refused {
        /// HTTP status.
        status: u16,
        /// The hub's error.
        error: ApiError,
    },
    /// The sink refused to go on.
    #[error(transparent)]
    Sink(StorageError),
}

/// What a command on a device can end with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// Lease.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// Vault and lock.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Policy.
    #[error(transparent)]
    Policy(#[from] PolicyRefusal),
    /// A package was not accepted.
    #[error("the download cannot be opened: {0}")]
    Package(#[from] OpenError),
    /// A file.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The hub.
    #[error(transparent)]
    Hub(#[from] HubFailure),
    /// Not an address.
    #[error(transparent)]
    HubUrl(#[from] HubUrlError),
    /// No hub was added, or not this one.
    #[error("this device does not know the hub {url}")]
    NoSuchHub {
        /// Address, or `-` if none was named.
        url: String,
    },
    /// There is no account at this hub, or its session is over.
    #[error("nobody is signed in at {url}")]
    NotSignedIn {
        /// The hub.
        url: String,
    },
    /// Another person's downloads are on this device.
    #[error("this device is enrolled for {user} at this hub")]
    OtherUser {
        /// Who enrolled.
        user: String,
    },
    /// The hub's id or signing key is not the pinned one.
    #[error(
        "the hub at {url} is not the one this device was enrolled at: its identity has changed"
    )]
    IdentityChanged {
        /// The hub.
        url: String,
    },
    /// The answer does not make sense.
    #[error("the hub's answer to {to} cannot be understood")]
    BadAnswer {
        /// The request.
        to: String,
    },
    /// The account in the vault has no usable keys.
    #[error("the keys of this device's account are damaged")]
    AccountDamaged,
    /// The app is not on this device.
    #[error("the app {app} is not on this device")]
    NotDownloaded {
        /// What was asked for.
        app: String,
    },
    /// More than one app has this name.
    #[error("{name} may mean {} apps: {}", ids.len(), ids.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The ids of those that fit.
        ids: Vec<String>,
    },
    /// What came is not what the hub announced.
    #[error("the download of {app} arrived damaged and was thrown away")]
    DownloadDamaged {
        /// The app.
        app: AppId,
    },
    /// The connection broke during the download, several times.
    #[error("the connection broke after {received} of {size} bytes: {reason}")]
    DownloadInterrupted {
        /// Bytes here.
        received: u64,
        /// Bytes there.
        size: u64,
        /// Why.
        reason: String,
    },
    /// The hub could not prepare the download.
    #[error("{}", .0.message)]
    DownloadFailed(ApiError),
    /// The hub sent an older reload than the one that is here.
    #[error("the hub sent reload {sent} of {app}, but reload {held} is already here")]
    OlderDownload {
        /// The app.
        app: AppId,
        /// Reload here.
        held: u64,
        /// Reload sent.
        sent: u64,
    },
}

impl DeviceError {
    /// Whether there was no room left on this device.
    pub const fn is_full(&self) -> bool {
        matches!(
            self,
            Self::Storage(StorageError::Full { .. })
                | Self::Hub(HubFailure::Sink(StorageError::Full { .. }))
        )
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Lease(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::Package(error) => error.code(),
            Self::Storage(error) | Self::Hub(HubFailure::Sink(error)) => storage_code(error),
            Self::Hub(HubFailure::Unreachable(error) | HubFailure::Refused { error, .. })
            | Self::DownloadFailed(error) => &error.code,
            Self::HubUrl(error) => error.code(),
            Self::NoSuchHub { .. } => "hub.unknown",
            Self::NotSignedIn { .. } => "auth.not_signed_in",
            Self::OtherUser { .. } => "device.other_user",
            Self::IdentityChanged { .. } => "hub.identity_changed",
            Self::BadAnswer { .. } => "hub.bad_answer",
            Self::AccountDamaged => "vault.account_damaged",
            Self::NotDownloaded { .. } => "app.not_downloaded",
            Self::Ambiguous { .. } => "app.ambiguous",
            Self::DownloadDamaged { .. } => "download.damaged",
            Self::DownloadInterrupted { .. } => "download.interrupted",
            Self::OlderDownload { .. } => "download.older",
        }
    }

    /// What to do next, one sentence; may be empty where the hub gave none.
    pub fn next(&self) -> &str {
        match self {
            Self::Lease(error) => error.next(),
            Self::Vault(error) => error.next(),
            Self::Policy(error) => error.next(),
            Self::Package(error) => package_next(error),
            Self::Storage(error) | Self::Hub(HubFailure::Sink(error)) => storage_next(error),
            Self::Hub(HubFailure::Unreachable(error) | HubFailure::Refused { error, .. })
            | Self::DownloadFailed(error) => &error.next,
            Self::HubUrl(_) => "Ask the hub's administrator for its address.",
            Self::NoSuchHub { .. } => "Add the hub first.",
            Self::NotSignedIn { .. } => "Sign in.",
            Self::OtherUser { .. } => {
                "Sign in as that person, or wipe this device first; that removes their downloads."
            }
            Self::IdentityChanged { .. } => {
                "Ask the hub's administrator: if the hub was set up anew, remove it from this device and add it again; if not, somebody may be between you and the hub."
            }
            Self::BadAnswer { .. } => {
                "Update the client; if that does not help, tell the hub's administrator."
            }
            Self::AccountDamaged => "Wipe this device and sign in again.",
            Self::NotDownloaded { .. } => "Download it while you are connected.",
            Self::Ambiguous { .. } => "Give the whole title, or the app's id.",
            Self::DownloadDamaged { .. } => "Download it again.",
            Self::DownloadInterrupted { .. } => "Download it again: it goes on where it stopped.",
            Self::OlderDownload { .. } => {
                "Ask the hub's administrator whether the hub was restored from a backup; if so, remove the download and fetch it again."
            }
        }
    }

    /// In the shape errors have on the wire and in `--json`.
    pub fn explain(&self) -> ApiError {
        ApiError {
            code: self.code().to_owned(),
            message: self.to_string(),
            next: self.next().to_owned(),
        }
    }
}

const fn storage_code(error: &StorageError) -> &'static str {
    match error {
        StorageError::Full { .. } => "storage.full",
        StorageError::Failed { .. } => "storage.failed",
    }
}

const fn storage_next(error: &StorageError) -> &'static str {
    match error {
        StorageError::Full { .. } => "Free some room and try again; nothing was lost.",
        StorageError::Failed { .. } => "Check the client's state folder and its permissions.",
    }
}

const fn package_next(error: &OpenError) -> &'static str {
    match error {
        OpenError::TooNew { .. } | OpenError::Suite { .. } => "Update the client.",
        OpenError::WrongUser
        | OpenError::WrongDevice
        | OpenError::DataKey
        | OpenError::WrongApp
        | OpenError::WrongHub => "Download the app on this device, as yourself.",
        OpenError::Signature => {
            "Do not use this file: it was not made by your hub. Download the app again."
        }
        _ => "Download the app again.",
    }
}
