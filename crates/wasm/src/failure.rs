//! Failures as the worker and the page read them.

use satchel_contract::ApiError;
use satchel_device::DeviceError;
use wasm_bindgen::JsValue;

/// `error` as JSON text.
pub fn thrown(error: impl Into<DeviceError>) -> JsValue {
    text(&error.into().explain())
}

/// A failure of these bindings themselves.
pub fn other(code: &str, message: &str, next: &str) -> JsValue {
    text(&ApiError {
        code: code.to_owned(),
        message: message.to_owned(),
        next: next.to_owned(),
    })
}

fn text(error: &ApiError) -> JsValue {
    JsValue::from_str(&serde_json::to_string(error).unwrap_or_else(|_| error.message.clone()))
}
