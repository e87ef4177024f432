//! Keeps a device unlocked between two commands: the vault's key in memory-backed storage,
//! never on a disk, gone at log-out or reboot, and unused after the idle time.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{fs, io};

use satchel_base::{KeyBytes, UnixMillis};
use satchel_device::{CLOCK_SLACK_MS, DEFAULT_IDLE_MS, VaultKey};
use satchel_device_native::fault::{self, Step};
use zeroize::Zeroizing;

#[cfg(unix)]
use crate::private::is_private;

/// Where a session of the state folder `home` may be kept; `None` where the system has no
/// memory-backed folder, and then the PIN is asked for each time.
fn folder(home: &Path) -> Option<PathBuf> {
    let canonical = home.canonicalize().ok()?;
    let name = blake3::hash(canonical.to_string_lossy().as_bytes()).to_hex();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let base = [runtime, Some(PathBuf::from("/dev/shm"))]
        .into_iter()
        .flatten()
        .find(|folder| folder.is_absolute() && folder.is_dir())?;
    Some(base.join(format!("satchel-{}", &name.as_str()[..24])))
}

/// Keeps the key, for `idle_ms` without use. Whether that was possible.
pub fn save(home: &Path, key: &VaultKey, now: UnixMillis, idle_ms: i64) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        let Some(folder) = folder(home) else {
            return false;
        };
        let _ = fs::DirBuilder::new().mode(0o700).create(&folder);
        if !is_private(&folder, home) {
            return false;
        }
        // Of its whole length at once: what grows leaves the key behind where it was.
        let mut bytes = Zeroizing::new(Vec::with_capacity(48));
        bytes.extend_from_slice(&now.0.to_be_bytes());
        bytes.extend_from_slice(&idle_ms.to_be_bytes());
        bytes.extend_from_slice(key.expose());
        let path = folder.join("key");
        let temporary = folder.join("key.tmp");
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| fault::write_all(&mut file, &bytes))
            .and_then(|()| fault::point(Step::Other))
            .and_then(|()| fs::rename(&temporary, &path))
            .is_ok()
    }
    #[cfg(not(unix))]
    {
        let _ = (home, key, now, idle_ms);
        false
    }
}

/// The key kept and the milliseconds since its last use, unless the idle time is over or the
/// clock was set back.
pub fn load(home: &Path, now: UnixMillis) -> Option<(VaultKey, i64)> {
    let folder = folder(home)?;
    #[cfg(unix)]
    if !is_private(&folder, home) {
        return None;
    }
    let Ok(mut file) = fs::File::open(folder.join("key")) else {
        remove_left_over(&folder, now);
        return None;
    };
    let (mut stamp, mut most) = ([0; 8], [0; 8]);
    file.read_exact(&mut stamp).ok()?;
    file.read_exact(&mut most).ok()?;
    let mut read = Ok(());
    let key = KeyBytes::filled(|bytes| read = file.read_exact(bytes));
    read.ok()?;
    let idle = now.since_ms(UnixMillis(i64::from_be_bytes(stamp)));
    if !(-CLOCK_SLACK_MS..i64::from_be_bytes(most)).contains(&idle) {
        let _ = remove(home);
        return None;
    }
    Some((VaultKey::new(key), idle))
}

/// Removes what a kill left of a key that was being kept, once its time would be over; sooner
/// it may be another run's that is writing it now.
fn remove_left_over(folder: &Path, now: UnixMillis) {
    let path = folder.join("key.tmp");
    let written = fs::metadata(&path).and_then(|metadata| metadata.modified());
    let Some(since) = written
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
    else {
        return;
    };
    let since = UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    if now.since_ms(since) >= DEFAULT_IDLE_MS {
        let _ = fs::remove_file(path);
    }
}

/// Forgets the key.
///
/// # Errors
/// If it is still there.
pub fn remove(home: &Path) -> io::Result<()> {
    let Some(folder) = folder(home) else {
        return Ok(());
    };
    match fault::point(Step::Other).and_then(|()| fs::remove_dir_all(folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
