//! Errors as clients read them: a number they act on, a text some of them compare, and a
//! parameter that says which thing is meant.
//!
//! Numbers: reference qix §3 "Error codes clients act on".

use satchel_base::Stop;
use serde_json::{Value, json};

use crate::host::{OpenFailure, Refusal};

/// Every error a session answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The frame is not JSON.
    Parse,
    /// The frame is JSON but no request.
    InvalidRequest,
    /// The object behind the handle has no such method.
    MethodNotFound,
    /// A parameter has the wrong type, or the handle is none of ours.
    InvalidParams,
    /// Nothing has this id or name.
    NotFound,
    /// Something has this id or name already.
    AlreadyExists,
    /// A path into properties leads nowhere.
    InvalidPath,
    /// The user may not do this.
    AccessDenied,
    /// A parameter's value makes no sense.
    InvalidParameters,
    /// The work was cancelled.
    Aborted,
    /// An app is open already on this connection.
    AppAlreadyOpen,
    /// The app is open with data and was asked for without, or the other way round.
    OpenInOtherMode,
    /// The app cannot be loaded.
    AppInvalid,
    /// Saving failed.
    AppSaveFailed,
    /// The app does not fit this machine.
    AppSizeExceeded,
    /// No app is open.
    AppNotOpen,
    /// The object is in the wrong state for this.
    InvalidObjectState,
    /// Another object is being selected in.
    Modal,
    /// The result needs more than one request may use.
    TooLarge,
    /// More cells than one answer may have.
    PagesTooLarge,
    /// There is nothing to export.
    NothingToExport,
    /// This host does not do this.
    NotSupportedHere,
}

impl Code {
    /// The number.
    pub fn number(self) -> i64 {
        match self {
            Self::Parse => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
            Self::NotFound => 2,
            Self::AlreadyExists => 3,
            Self::InvalidPath => 4,
            Self::AccessDenied => 5,
            Self::InvalidParameters => 8,
            Self::Aborted => 15,
            Self::NotSupportedHere => 17,
            Self::AppAlreadyOpen => 1002,
            Self::AppSaveFailed => 1005,
            Self::AppInvalid => 1007,
            Self::OpenInOtherMode => 1009,
            Self::AppSizeExceeded => 1015,
            Self::AppNotOpen => 1017,
            Self::InvalidObjectState => 6002,
            Self::Modal => 6003,
            Self::TooLarge => 7003,
            Self::PagesTooLarge => 7009,
            Self::NothingToExport => 13001,
        }
    }

    /// The text. "Object not found" is compared by clients and must stay as it is.
    pub fn message(self) -> &'static str {
        match self {
            Self::Parse => "Parse error",
            Self::InvalidRequest => "Invalid Request",
            Self::MethodNotFound => "Method not found",
            Self::InvalidParams => "Invalid method parameter(s)",
            Self::NotFound => "Object not found",
            Self::AlreadyExists => "Object already exists",
            Self::InvalidPath => "Invalid path",
            Self::AccessDenied => "Access denied",
            Self::InvalidParameters => "Invalid parameters",
            Self::Aborted => "Request aborted",
            Self::NotSupportedHere => "Not supported here",
            Self::AppAlreadyOpen => "App already open",
            Self::AppSaveFailed => "App could not be saved",
            Self::OpenInOtherMode => "App already open in a different mode",
            Self::AppInvalid => "App could not be opened",
            Self::AppSizeExceeded => "App is too large to open here",
            Self::AppNotOpen => "No app is open",
            Self::InvalidObjectState => "Invalid object state",
            Self::Modal => "Another object is in modal selection state",
            Self::TooLarge => "Result too large",
            Self::PagesTooLarge => "Requested pages are too large",
            Self::NothingToExport => "There is no data to export",
        }
    }
}

/// An error and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcError {
    /// Which error.
    pub code: Code,
    /// The name, id or path it is about, or what to do; may be empty.
    pub parameter: String,
}

impl RpcError {
    /// An error about `parameter`.
    pub fn about(code: Code, parameter: impl Into<String>) -> Self {
        Self {
            code,
            parameter: parameter.into(),
        }
    }

    /// The `error` member of a reply.
    pub fn to_json(&self) -> Value {
        json!({
            "code": self.code.number(),
            "parameter": self.parameter,
            "message": self.code.message(),
        })
    }
}

impl From<Code> for RpcError {
    fn from(code: Code) -> Self {
        Self::about(code, "")
    }
}

impl From<Stop> for RpcError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cancelled | Stop::TimeIsUp => Code::Aborted.into(),
            Stop::TooManyRows { .. } | Stop::TooManyBytes { .. } => {
                Self::about(Code::TooLarge, stop.to_string())
            }
        }
    }
}

impl From<OpenFailure> for RpcError {
    fn from(failure: OpenFailure) -> Self {
        match failure {
            OpenFailure::AccessDenied => Code::AccessDenied.into(),
            OpenFailure::Unavailable { message } => Self::about(Code::AppInvalid, message),
            OpenFailure::TooLarge => Code::AppSizeExceeded.into(),
        }
    }
}

impl From<Refusal> for RpcError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AccessDenied => Code::AccessDenied.into(),
            Refusal::NotHere => Code::NotSupportedHere.into(),
            Refusal::Failed { message } => Self::about(Code::AppSaveFailed, message),
        }
    }
}
