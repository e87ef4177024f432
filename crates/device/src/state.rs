//! The files of the state folder, and how all of them go.
//!
//! A wipe is noted before anything is removed. Whoever finds the note goes on with it before
//! anything else, so that a wipe that began is a wipe. Format: `docs/formats/vault.md`.

use crate::StorageError;
use crate::downloads::is_package_file;
use crate::ports::Storage;

/// The hubs.
pub const HUBS_FILE: &str = "hubs.json";
/// The vault.
pub const VAULT_FILE: &str = "vault.json";
/// The vault's outside key, where it is kept in a file.
pub const KEY_FILE: &str = "vault.key";
/// Begins the names of CA certificates added by hand.
pub const CA_PREFIX: &str = "ca-";
/// There while a wipe is under way.
pub const WIPE_FILE: &str = "wipe-begun";

/// Whether a wipe began that did not come to its end.
///
/// # Errors
/// [`StorageError`].
pub fn is_wiping(storage: &dyn Storage) -> Result<bool, StorageError> {
    Ok(storage.len(WIPE_FILE)?.is_some())
}

/// Notes that everything is to go. On a full disk the wipe goes on without the note, as it
/// makes room.
///
/// # Errors
/// [`StorageError`].
pub fn begin_wipe(storage: &mut dyn Storage) -> Result<(), StorageError> {
    match storage.write(WIPE_FILE, b"") {
        Err(StorageError::Full { .. }) => Ok(()),
        other => other,
    }
}

/// Removes everything of the client's: keys first, so that whatever is left at any instant
/// opens nothing, and the note last. What others put into the folder stays.
///
/// # Errors
/// [`StorageError`]; calling again goes on.
pub fn finish_wipe(storage: &mut dyn Storage) -> Result<(), StorageError> {
    storage.remove(KEY_FILE)?;
    storage.remove(VAULT_FILE)?;
    for name in storage.list()? {
        if is_package_file(&name) || name.starts_with(CA_PREFIX) {
            storage.remove(&name)?;
        }
    }
    storage.remove(HUBS_FILE)?;
    storage.remove(WIPE_FILE)
}
