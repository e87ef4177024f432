//! Folders that nobody else on this computer can look into.

use std::path::Path;

/// Whether `folder` is ours alone: owned by who owns the state folder, closed to others.
#[cfg(unix)]
pub fn is_private(folder: &Path, home: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (std::fs::symlink_metadata(folder), std::fs::metadata(home)) {
        (Ok(found), Ok(home)) => {
            found.is_dir() && found.uid() == home.uid() && found.mode() & 0o077 == 0
        }
        _ => false,
    }
}

/// Elsewhere the system does not tell.
#[cfg(not(unix))]
pub fn is_private(_folder: &Path, _home: &Path) -> bool {
    false
}
