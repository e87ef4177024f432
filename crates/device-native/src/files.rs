//! Files under the client's state folder, readable by their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use satchel_device::StorageError;
use satchel_device::ports::Storage;

/// Ends the names of files that are being written.
const TEMPORARY: &str = ".tmp";

/// The state folder.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
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
        };
        let name = files.folder.display().to_string();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&files.folder)
            .map_err(|error| failed(&name, "written", &error))?;
        for name in files.names()? {
            if name.ends_with(TEMPORARY) {
                remove(&files.folder.join(&name), &name)?;
            }
        }
        Ok(files)
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
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Makes names in the folder durable.
    fn sync_folder(&self, name: &str) -> Result<(), StorageError> {
        #[cfg(unix)]
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed(name, "written", &error))?;
        let _ = name;
        Ok(())
    }
}

impl Storage for Files {
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
        let written = owner_only(OpenOptions::new().write(true).create(true).truncate(true))
            .open(&temporary)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&temporary, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(failed(name, "written", &error));
        }
        self.sync_folder(name)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        owner_only(OpenOptions::new().append(true).create(true))
            .open(self.path(name)?)
            .and_then(|mut file| file.write_all(bytes))
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
        File::open(&from_path)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&from_path, &to_path))
            .map_err(|error| failed(from, "renamed", &error))?;
        self.sync_folder(to)
    }

    fn remove(&mut self, name: &str) -> Result<(), StorageError> {
        remove(&self.path(name)?, name)?;
        self.sync_folder(name)
    }

    fn list(&self) -> Result<Vec<String>, StorageError> {
        self.names()
    }
}

/// Files made with these options are their owner's alone.
fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn remove(path: &Path, name: &str) -> Result<(), StorageError> {
    match fs::remove_file(path) {
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
