//! Refusals and failures as HTTP answers.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use satchel_contract::{ApiError, ErrorBody};
use satchel_gate::RefusalKind;
use satchel_store::StoreError;

/// An answer with a status of 400 or above.
#[derive(Debug)]
pub(crate) struct Refused {
    pub status: StatusCode,
    pub error: ApiError,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

impl Refused {
    pub fn new(status: StatusCode, code: &str, message: &str, next: &str) -> Self {
        let error = ApiError {
            code: code.into(),
            message: message.into(),
            next: next.into(),
        };
        Self {
            status,
            error,
            retry_after: None,
        }
    }

    pub fn bad_request(code: &str, message: &str, next: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message, next)
    }

    /// The same answer for what is not there and for what is not the asker's.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing here for you",
            "Check the address, or go back to the list of apps.",
        )
    }

    pub fn access_denied() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "access.denied",
            "you have no access to this app",
            "Ask the owner of the app to be let in.",
        )
    }

    /// The disk of the hub is full: what was there stays, nothing new is kept.
    pub fn full() -> Self {
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "storage.full",
            "there is no room left on the hub's disk",
            "Nothing was lost. Tell the administrator to make room, then try again.",
        )
    }

    /// An administrator revoked the device this comes from.
    pub fn device_revoked() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "device.revoked",
            "the administrator has revoked this device",
            "Enrol it again if you are told that you may.",
        )
    }

    /// There are two of the asker's device. To a client it is a revocation like any other.
    pub fn device_copied() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "device.revoked",
            "this device's files were copied or restored from an older state, so every copy of them was stopped",
            "If you restored a backup, sign in to enrol this device anew; if not, tell the administrator at once: somebody else may have your files.",
        )
    }

    /// Something broke here; the reason is in the log, not in the answer.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "hub.internal",
            "the hub could not do this",
            "Try again; if it stays so, tell the administrator the time it happened.",
        )
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, source = ?std::error::Error::source(&error).map(ToString::to_string), "the repository failed");
        if error.is_full() {
            return Self::full();
        }
        Self::internal()
    }
}

impl From<satchel_gate::Refusal> for Refused {
    fn from(refusal: satchel_gate::Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::SignInFirst => StatusCode::UNAUTHORIZED,
            RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        };
        Self::new(status, refusal.code, &refusal.message, &refusal.next)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(ErrorBody { error: self.error })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The answer to whoever may be a person in front of a browser: a page that says what was
/// refused, why, and what to do, or the same as JSON.
pub(crate) fn page(headers: &HeaderMap, refused: Refused) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    if !accept.is_some_and(|a| a.contains("text/html")) {
        return refused.into_response();
    }
    let ApiError {
        code,
        message,
        next,
    } = &refused.error;
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content='width=device-width'><title>Not signed in</title>\
         <body style='font:1.1rem/1.5 system-ui;max-width:34rem;margin:12vh auto;padding:0 1rem'>\
         <h1 style='font-size:1.5rem'>You are not signed in</h1><p>{}.</p><p>{}</p>\
         <p><a href='/'>Back to the hub</a></p><p style='opacity:.7'><code>{}</code></p>",
        escaped(&capitalised(message)),
        escaped(next),
        escaped(code)
    );
    let mut response = refused.into_response();
    *response.body_mut() = Body::from(html);
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
