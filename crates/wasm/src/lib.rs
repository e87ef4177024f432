//! Thin bindings for a browser worker: device keys, the lease, packages, and the engine.
//!
//! Decides nothing: every rule lives in `device`, `sealed` and `qix`. The worker hands in time
//! and bytes and keeps what it is given. A failure is thrown as JSON text
//! `{"code", "message", "next"}`, the shape the hub uses too.

mod device;
mod failure;
mod lease;
mod session;

use wasm_bindgen::prelude::*;

pub use device::{Blake3, Keys};
pub use lease::Lease;
pub use session::{OpenPackage, Session};

/// Makes a panic readable in the console. To be called once, before anything else.
#[wasm_bindgen]
pub fn start() {
    std::panic::set_hook(Box::new(|info| report(&info.to_string())));
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn report(message: &str);
}

/// A JavaScript time: milliseconds since 1970, as `Date.now()` gives it.
fn millis(now: f64) -> satchel_base::UnixMillis {
    satchel_base::UnixMillis(now as i64)
}
