//! The vault's key in a file: for machines without an OS keystore, when no PIN is wanted.

use satchel_base::KeyBytes;
use satchel_device::StorageError;
use satchel_device::ports::{Keystore, Storage as _};
use satchel_device::state::KEY_FILE as NAME;

use zeroize::Zeroizing;

use crate::Files;

/// A key file beside the vault, readable by its owner only.
#[derive(Clone, Debug)]
pub struct KeyFile {
    files: Files,
}

impl KeyFile {
    /// The key file of a state folder.
    pub fn new(files: Files) -> Self {
        Self { files }
    }
}

impl Keystore for KeyFile {
    fn name(&self) -> &str {
        "file"
    }

    fn statement(&self) -> String {
        format!(
            "No PIN protects this device's downloads: the key lies in {}, readable by your account only. Whoever can read your files, or has this disk unencrypted, can open them until the lease ends.",
            self.files.folder().join(NAME).display()
        )
    }

    fn load(&self) -> Result<Option<KeyBytes>, StorageError> {
        let Some(bytes) = self.files.read(NAME)?.map(Zeroizing::new) else {
            return Ok(None);
        };
        KeyBytes::from_slice(&bytes)
            .map(Some)
            .ok_or_else(|| StorageError::Failed {
                name: NAME.into(),
                action: "read",
                reason: "it does not have 32 bytes".into(),
            })
    }

    fn save(&mut self, key: &[u8; 32]) -> Result<(), StorageError> {
        self.files.write(NAME, key)
    }

    fn remove(&mut self) -> Result<(), StorageError> {
        self.files.remove(NAME)
    }
}
