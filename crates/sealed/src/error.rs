//! What can go wrong, one variant for each thing a caller would do differently.

/// A key that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not as many bytes as such a key has.
    #[error("a {kind} has {expected} bytes, not {found}")]
    Length {
        /// Which kind of key.
        kind: &'static str,
        /// Bytes such a key has.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The right number of bytes, but not a usable key.
    #[error("the bytes are not a valid {kind}")]
    Invalid {
        /// Which kind of key.
        kind: &'static str,
    },
}

/// Why a package could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The manifest is empty or longer than [`crate::package::MAX_MANIFEST_BYTES`].
    #[error("a manifest has 1 to {limit} bytes, not {found}")]
    ManifestSize {
        /// Bytes given.
        found: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// An id is empty or longer than [`crate::package::MAX_ID_BYTES`].
    #[error("the {which} id has 1 to {limit} bytes, not {found}")]
    IdSize {
        /// `hub`, `user`, `device` or `app`.
        which: &'static str,
        /// Bytes given.
        found: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// The payload is longer than [`crate::package::MAX_PAYLOAD_BYTES`].
    #[error("a payload has at most {limit} bytes, not {found}")]
    PayloadSize {
        /// Bytes announced.
        found: u64,
        /// The longest allowed.
        limit: u64,
    },
    /// More or fewer payload bytes were written than announced.
    #[error("{announced} payload bytes were announced, {written} were written")]
    PayloadLength {
        /// Bytes announced at the start.
        announced: u64,
        /// Bytes written.
        written: u64,
    },
    /// The device's public key does not work as one.
    #[error("the package cannot be sealed to this device key")]
    DeviceKey,
    /// The document to sign is longer than [`crate::signed::MAX_DOCUMENT_BYTES`].
    #[error("a signed document has at most {limit} bytes, not {found}")]
    DocumentSize {
        /// Bytes given.
        found: usize,
        /// The longest allowed.
        limit: usize,
    },
}

/// Why bytes were not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a package (or signed document) at all.
    #[error("this is not a {expected}")]
    NotThis {
        /// What it should have been.
        expected: &'static str,
    },
    /// Written by a newer hub. The user must update.
    #[error("format {found} is newer than {supported}, the newest this version reads")]
    TooNew {
        /// Format in the bytes.
        found: u16,
        /// Newest format understood.
        supported: u16,
    },
    /// A set of algorithms this version does not know.
    #[error("unknown cipher suite {found}")]
    Suite {
        /// Number in the bytes.
        found: u16,
    },
    /// A length or reserved field breaks the format's limits.
    #[error("the {field} field is outside its limits")]
    Field {
        /// Which field.
        field: &'static str,
    },
    /// The bytes end too early.
    #[error("the bytes end after {found} of {expected}")]
    Truncated {
        /// Bytes there should be.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Bytes follow after the end.
    #[error("bytes follow after the end at {expected}")]
    Trailing {
        /// Bytes there should be.
        expected: u64,
    },
    /// The hub's signature of the document does not verify with the key given.
    #[error("the signature is not by this hub")]
    Signature,
    /// The package is of another hub than the one asked for.
    #[error("the package comes from another hub")]
    WrongHub,
    /// The package was made for another user.
    #[error("the package was made for another user")]
    WrongUser,
    /// The package was sealed to another device.
    #[error("the package was sealed to another device")]
    WrongDevice,
    /// The package holds another app.
    #[error("the package holds another app")]
    WrongApp,
    /// The device's key does not open the data key.
    #[error("this device's key does not open the package")]
    DataKey,
    /// A chunk is damaged, missing, repeated or out of order; we cannot tell which.
    #[error("chunk {chunk} does not authenticate")]
    Chunk {
        /// Position, from 0.
        chunk: u64,
    },
    /// The hash at the end does not match the bytes.
    #[error("the checksum at the end does not match")]
    Checksum,
}

impl OpenError {
    /// The stable code people and programs see.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotThis { .. } => "package.not_a_package",
            Self::TooNew { .. } | Self::Suite { .. } => "package.too_new",
            Self::Truncated { .. } => "package.truncated",
            Self::Field { .. } | Self::Trailing { .. } | Self::Chunk { .. } | Self::Checksum => {
                "package.damaged"
            }
            Self::Signature => "package.not_signed_by_hub",
            Self::WrongHub => "package.wrong_hub",
            Self::WrongUser => "package.wrong_user",
            Self::WrongDevice | Self::DataKey => "package.wrong_device",
            Self::WrongApp => "package.wrong_app",
        }
    }
}
