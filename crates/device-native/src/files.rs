//! Files under the client's state folder, readable by their owner only.
//!
//! Several processes may use one folder. Whoever writes holds an advisory lock on the file
//! `.lock` in it, which the system takes back when a process ends, however that happens.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use satchel_device::StorageError;
use satchel_device::ports::{Storage, StorageLock};

use crate::fault::{self, Step};

/// Ends the names of files that are being written.
const TEMPORARY: &str = ".tmp";

/// Whoever holds a lock on it may write.
const LOCK: &str = ".lock";

/// Begins the names of claims.
const CLAIM_PREFIX: &str = ".claim-";

/// The state folder. Clones share the lock: what holds it in one holds it in all, so they
/// belong to one thread at a time.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
    held: Arc<Mutex<Held>>,
}

/// A claim; its file goes with it.
struct Claim {
    file: File,
    path: PathBuf,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Still locked: whoever opened it meanwhile finds that it is gone and makes a new one.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// The lock, as often as it was taken.
#[derive(Debug, Default)]
struct Held {
    n: usize,
    file: Option<File>,
}

fn held(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the lock back.
struct Release(Arc<Mutex<Held>>);

impl Drop for Release {
    fn drop(&mut self) {
        let mut held = held(&self.0);
        held.n -= 1;
        if held.n == 0 {
            held.file = None;
        }
    }
}

impl Files {
    /// Opens the folder, making it (mode 0700) if it is not there. Half-written files of a
    /// process that was killed are removed.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let files = Self {
            folder: folder.into(),
            held: Arc::default(),
        };
        let name = files.folder.display().to_string();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&files.folder)
            .map_err(|error| failed(&name, "written", &error))?;
        let is_left = |name: &String| name.ends_with(TEMPORARY);
        if files.names()?.iter().any(is_left) {
            // Not one that another process is writing now.
            let _alone = files.lock()?;
            for name in files.names()?.iter().filter(|name| is_left(name)) {
                remove(&files.folder.join(name), name)?;
            }
        }
        Ok(files)
    }

    /// Removes what the lock leaves behind, for a folder in which nothing is to remain.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn remove_lock_file(&self) -> Result<(), StorageError> {
        // Whoever waits for it now finds that it is gone and makes a new one.
        let _alone = self.lock()?;
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            // Claims of processes that were killed.
            if let Ok(name) = entry.file_name().into_string()
                && name.starts_with(CLAIM_PREFIX)
            {
                remove(&entry.path(), &name)?;
            }
        }
        remove(&self.folder.join(LOCK), LOCK)
    }

    /// Waits for the lock.
    fn wait_for_lock(&self) -> io::Result<File> {
        let path = self.folder.join(LOCK);
        loop {
            let file = owner_only(OpenOptions::new().write(true).create(true)).open(&path)?;
            file.lock()?;
            if is_still_at(&file, &path) {
                return Ok(file);
            }
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, name: &str) -> Result<PathBuf, StorageError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(StorageError::Failed {
                name: name.to_owned(),
                action: "read",
                reason: "this is not a plain file name".into(),
            });
        }
        Ok(self.folder.join(name))
    }

    fn names(&self) -> Result<Vec<String>, StorageError> {
        let failed = |error| failed(&self.folder.display().to_string(), "listed", &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_file()
                && let Ok(name) = entry.file_name().into_string()
                && name != LOCK
                && !name.starts_with(CLAIM_PREFIX)
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Makes names in the folder durable.
    fn sync_folder(&self, name: &str) -> Result<(), StorageError> {
        #[cfg(unix)]
        fault::point(Step::Other)
            .and_then(|()| File::open(&self.folder))
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed(name, "written", &error))?;
        let _ = name;
        Ok(())
    }
}

impl Storage for Files {
    fn lock(&self) -> Result<StorageLock, StorageError> {
        let mut held = held(&self.held);
        if held.n == 0 {
            let file = self.wait_for_lock();
            held.file = Some(file.map_err(|error| failed(LOCK, "locked", &error))?);
        }
        held.n += 1;
        Ok(Box::new(Release(self.held.clone())))
    }

    fn claim(&self, work: &str) -> Result<Option<StorageLock>, StorageError> {
        let name = format!("{CLAIM_PREFIX}{work}");
        let failed = |error| failed(&name, "locked", &error);
        self.path(work)?;
        let path = self.folder.join(&name);
        loop {
            let mut options = OpenOptions::new();
            let file = owner_only(options.write(true).create(true)).open(&path);
            let file = file.map_err(failed)?;
            match file.try_lock() {
                Ok(()) if is_still_at(&file, &path) => {
                    return Ok(Some(Box::new(Claim { file, path })));
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        match fs::read(self.path(name)?) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(name, "read", &error)),
        }
    }

    fn read_pieces(&self, name: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), StorageError> {
        let failed = |error| failed(name, "read", &error);
        let mut file = match File::open(self.path(name)?) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        let mut piece = vec![0; 256 * 1024];
        loop {
            match file.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(n) => sink(&piece[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let path = self.path(name)?;
        let temporary = self.path(&format!("{name}{TEMPORARY}"))?;
        let _alone = self.lock()?;
        let write = || {
            fault::point(Step::Grow)?;
            let mut options = OpenOptions::new();
            let mut file =
                owner_only(options.write(true).create(true).truncate(true)).open(&temporary)?;
            fault::write_all(&mut file, bytes)?;
            fault::point(Step::Other)?;
            file.sync_all()?;
            fault::point(Step::Other)?;
            fs::rename(&temporary, &path)
        };
        let written = write();
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(failed(name, "written", &error));
        }
        self.sync_folder(name)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let path = self.path(name)?;
        let _alone = self.lock()?;
        fault::point(Step::Grow)
            .and_then(|()| owner_only(OpenOptions::new().append(true).create(true)).open(path))
            .and_then(|mut file| fault::write_all(&mut file, bytes))
            .map_err(|error| failed(name, "written", &error))
    }

    fn len(&self, name: &str) -> Result<Option<u64>, StorageError> {
        match fs::metadata(self.path(name)?) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(name, "read", &error)),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError> {
        let (from_path, to_path) = (self.path(from)?, self.path(to)?);
        let _alone = self.lock()?;
        fault::point(Step::Other)
            .and_then(|()| File::open(&from_path))
            .and_then(|file| file.sync_all())
            .and_then(|()| fault::point(Step::Other))
            .and_then(|()| fs::rename(&from_path, &to_path))
            .map_err(|error| failed(from, "renamed", &error))?;
        self.sync_folder(to)
    }

    fn remove(&mut self, name: &str) -> Result<(), StorageError> {
        let path = self.path(name)?;
        let _alone = self.lock()?;
        remove(&path, name)?;
        self.sync_folder(name)
    }

    fn list(&self) -> Result<Vec<String>, StorageError> {
        self.names()
    }
}

/// Whether the file opened is the one that has the name now.
fn is_still_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        match (file.metadata(), fs::metadata(path)) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }
    // Elsewhere a file that is open keeps its name.
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

/// Files made with these options are their owner's alone.
fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn remove(path: &Path, name: &str) -> Result<(), StorageError> {
    match fault::point(Step::Other).and_then(|()| fs::remove_file(path)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(name, "removed", &error)),
    }
}

fn failed(name: &str, action: &'static str, error: &io::Error) -> StorageError {
    if error.kind() == io::ErrorKind::StorageFull || error.kind() == io::ErrorKind::QuotaExceeded {
        StorageError::Full {
            name: name.to_owned(),
        }
    } else {
        StorageError::Failed {
            name: name.to_owned(),
            action,
            reason: error.to_string(),
        }
    }
}
