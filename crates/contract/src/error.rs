//! Errors as they cross the wire.

use serde::{Deserialize, Serialize};

/// The body of every answer with a status of 400 or above: `{"error": {...}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ApiError,
}

/// A refusal or failure in words a person can act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// Stable: `lease.expired`, `access_type.not_on_device`, `access.denied`.
    pub code: String,
    /// What happened, one sentence.
    pub message: String,
    /// What to do next, one sentence; may be empty.
    pub next: String,
}
