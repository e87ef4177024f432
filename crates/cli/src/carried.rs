//! The payload of a package as an app: its description, its objects, its data.

use satchel_data::Model;
use satchel_device::Opened;
use satchel_qix::{AppContent, AppImage, AppMeta};
use zeroize::Zeroizing;

use crate::output::Failure;

/// A quarter of a terabyte would be a forged header; 8 GiB is more than a laptop's share.
const MAX_MODEL_BYTES: u64 = 8 << 30;

/// A downloaded app, decrypted and loaded. It holds only what its owner may see.
pub struct Carried {
    /// What it is.
    pub meta: AppMeta,
    /// Sheets, master items, bookmarks.
    pub content: AppContent,
    /// The data.
    pub model: Model,
}

impl Carried {
    /// Loads what was opened; the decrypted bytes are overwritten.
    pub fn read(opened: Opened) -> Result<Self, Failure> {
        let damaged = |error: &dyn std::fmt::Display| {
            Failure::new(
                "app.damaged",
                format!("the downloaded app cannot be read: {error}"),
                "Update the client, or download the app again.",
            )
        };
        let payload = Zeroizing::new(opened.payload);
        let image = AppImage::decode(&payload).map_err(|error| damaged(&error))?;
        drop(payload);
        let snapshot = Zeroizing::new(image.snapshot);
        let model =
            Model::from_snapshot(&snapshot, MAX_MODEL_BYTES).map_err(|error| damaged(&error))?;
        Ok(Self {
            meta: image.meta,
            content: image.content,
            model,
        })
    }
}
