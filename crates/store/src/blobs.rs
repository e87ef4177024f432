//! Blobs: contents in a folder, named by their BLAKE3, written whole or not at all.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use crate::StoreError;
use crate::error::at;

/// The name of a blob: BLAKE3 of its contents, 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobName(String);

impl BlobName {
    /// Reads a name; `None` if it is not 64 lower-case hex digits, so that no name can leave
    /// the folder.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            .then(|| Self(text.to_owned()))
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A folder of blobs.
#[derive(Clone, Debug)]
pub struct Blobs {
    dir: PathBuf,
}

/// A blob nobody refers to is kept this long: somebody may be about to refer to it.
const KEEP_UNREFERENCED: Duration = Duration::from_secs(3600);

/// Held shared by who stores a blob and alone by who sweeps, in whatever process: a blob that
/// was found to be there already is not swept before its new time is seen.
const LOCK: &str = ".lock";

impl Blobs {
    /// Opens the folder, making it if need be, and removes what a kill left half-written.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        make_private_dir(dir)?;
        Ok(Self { dir: dir.into() })
    }

    /// Stores `bytes` and gives their name. When this returns they are on the disk.
    ///
    /// # Errors
    /// If the disk is full or cannot be written; nothing is left behind then.
    pub fn put(&self, bytes: &[u8]) -> Result<BlobName, StoreError> {
        let name = BlobName(blake3::hash(bytes).to_hex().to_string());
        let path = self.path(&name);
        let lock = self.lock_file()?;
        lock.lock_shared().map_err(at(&self.dir))?;
        if let Ok(file) = OpenOptions::new().write(true).open(&path)
            && file.metadata().is_ok_and(|m| m.len() == bytes.len() as u64)
        {
            // Counts as new for the sweep.
            step().map_err(at(&path))?;
            file.set_modified(SystemTime::now()).map_err(at(&path))?;
            return Ok(name);
        }
        write_atomically(&path, bytes)?;
        Ok(name)
    }

    /// The contents of a blob, checked against its name.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the bytes are not those that were stored.
    pub fn read(&self, name: &BlobName) -> Result<Vec<u8>, StoreError> {
        let path = self.path(name);
        let bytes = fs::read(&path).map_err(at(&path))?;
        if blake3::hash(&bytes).to_hex().as_str() != name.as_str() {
            return Err(StoreError::damaged(format!("blob {}", name.as_str())));
        }
        Ok(bytes)
    }

    /// Opens a blob to read parts of it, with its length.
    ///
    /// # Errors
    /// If there is none or it cannot be read.
    pub fn open_file(&self, name: &BlobName) -> Result<(File, u64), StoreError> {
        let path = self.path(name);
        let file = File::open(&path).map_err(at(&path))?;
        let len = file.metadata().map_err(at(&path))?.len();
        Ok((file, len))
    }

    /// Whether there is a blob of this name.
    pub fn contains(&self, name: &BlobName) -> bool {
        self.path(name).exists()
    }

    /// Waits until nobody stores a blob, and keeps everybody from it while the answer lives.
    /// Blocks.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn begin_sweep(&self) -> Result<Sweep<'_>, StoreError> {
        let lock = self.lock_file()?;
        lock.lock().map_err(at(&self.dir))?;
        Ok(Sweep {
            blobs: self,
            _lock: lock,
        })
    }

    /// Closing the file gives the lock back, whoever dies.
    fn lock_file(&self) -> Result<File, StoreError> {
        let path = self.dir.join(LOCK);
        owner_only(OpenOptions::new().write(true).create(true).truncate(false))
            .open(&path)
            .map_err(at(&path))
    }

    fn path(&self, name: &BlobName) -> PathBuf {
        self.dir.join(name.as_str())
    }
}

/// The folder of blobs while nobody stores one.
#[derive(Debug)]
pub struct Sweep<'a> {
    blobs: &'a Blobs,
    _lock: File,
}

impl Sweep<'_> {
    /// Removes blobs that are not in `referenced` and were not written within the last hour,
    /// and half-written files as old. Returns how many were removed.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn run(self, referenced: &HashSet<BlobName>) -> Result<u64, StoreError> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.blobs.dir).map_err(at(&self.blobs.dir))? {
            let entry = entry.map_err(at(&self.blobs.dir))?;
            if entry.file_name() == LOCK {
                continue;
            }
            let old = entry
                .metadata()
                .and_then(|m| m.modified())
                .is_ok_and(|t| t.elapsed().is_ok_and(|age| age > KEEP_UNREFERENCED));
            let wanted = entry
                .file_name()
                .to_str()
                .and_then(BlobName::parse)
                .is_some_and(|name| referenced.contains(&name));
            if old && !wanted && fs::remove_file(entry.path()).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Writes a file whole or not at all: a temporary beside it, synced, renamed, folder synced.
/// Only the owner may read it.
///
/// # Errors
/// If the disk is full or cannot be written; the old file, if any, is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let dir = path.parent().unwrap_or(Path::new("."));
    let temporary = dir.join(format!(
        ".new-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Relaxed)
    ));
    let written = (|| {
        step()?;
        let mut file = owner_only(OpenOptions::new().write(true).create(true).truncate(true))
            .open(&temporary)?;
        let (first, second) = bytes.split_at(bytes.len() / 2);
        file.write_all(first)?;
        step()?;
        file.write_all(second)?;
        step()?;
        file.sync_all()?;
        step()?;
        fs::rename(&temporary, path)?;
        step()?;
        File::open(dir)?.sync_all()
    })();
    if written.is_err() {
        #[cfg(test)]
        if crate::faults::is_dead() {
            // Whoever is dead tidies nothing.
            return written.map_err(at(path));
        }
        // Nothing is lost if this fails too: the sweep finds it.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(at(path))
}

/// A step at which tests let the disk fail.
fn step() -> std::io::Result<()> {
    #[cfg(test)]
    crate::faults::step()?;
    Ok(())
}

/// Files made with these options are their owner's alone.
fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes a folder only its owner can enter.
pub(crate) fn make_private_dir(dir: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(at(dir))
}

/// Reads a whole small file.
pub(crate) fn read_small(path: &Path, limit: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|f| f.take(limit).read_to_end(&mut bytes))
        .map_err(at(path))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_and_damage_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&dir.path().join("b")).unwrap();
        let name = blobs.put(b"hello").unwrap();
        assert_eq!(blobs.put(b"hello").unwrap(), name);
        assert_eq!(blobs.read(&name).unwrap(), b"hello");
        fs::write(blobs.path(&name), b"hellO").unwrap();
        assert!(matches!(blobs.read(&name), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        assert!(BlobName::parse("../../etc/passwd").is_none());
        assert!(BlobName::parse(&"A".repeat(64)).is_none());
        assert!(BlobName::parse(&"a".repeat(64)).is_some());
    }

    #[test]
    fn the_sweep_keeps_what_is_referenced_or_new() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let old = SystemTime::now() - Duration::from_secs(7200);
        let make = |text: &[u8], aged| {
            let name = blobs.put(text).unwrap();
            if aged {
                let file = OpenOptions::new()
                    .write(true)
                    .open(blobs.path(&name))
                    .unwrap();
                file.set_modified(old).unwrap();
            }
            name
        };
        let (kept, gone, new) = (
            make(b"kept", true),
            make(b"gone", true),
            make(b"new", false),
        );
        assert_eq!(
            blobs
                .begin_sweep()
                .unwrap()
                .run(&HashSet::from([kept.clone()]))
                .unwrap(),
            1
        );
        assert!(blobs.read(&kept).is_ok() && blobs.read(&new).is_ok());
        assert!(blobs.read(&gone).is_err());
    }
}
