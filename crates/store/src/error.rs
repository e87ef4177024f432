//! What can go wrong in the repository.

use std::path::PathBuf;

/// Why the repository could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no repository in the folder.
    #[error("there is no hub in {dir}; run `satchel-hub init --data {dir}` first", dir = dir.display())]
    NotInitialised {
        /// The folder.
        dir: PathBuf,
    },
    /// There is one already.
    #[error("there is already a hub in {dir}", dir = dir.display())]
    AlreadyInitialised {
        /// The folder.
        dir: PathBuf,
    },
    /// A newer hub wrote the repository.
    #[error(
        "the repository has version {found}, newer than {supported}, the newest this hub reads; update satchel-hub"
    )]
    TooNew {
        /// Version found.
        found: i64,
        /// Newest version known.
        supported: i64,
    },
    /// No such user, app, stream or device.
    #[error("there is no {what} '{name}'")]
    NotFound {
        /// `user`, `app` …
        what: &'static str,
        /// As asked for.
        name: String,
    },
    /// Several apps have this title.
    #[error(
        "{} apps are called '{title}': {}; name one of them by its id [app.ambiguous]",
        ids.len(),
        ids.join(", ")
    )]
    Ambiguous {
        /// As asked for.
        title: String,
        /// Their ids, in order.
        ids: Vec<String>,
    },
    /// The name is taken.
    #[error("there is already a {what} '{name}'")]
    Exists {
        /// `user`, `app` …
        what: &'static str,
        /// As asked for.
        name: String,
    },
    /// All licences of the type are in use or in quarantine.
    #[error(
        "all {total} {access_type} licences are assigned or in quarantine; add some with `satchel-hub licence set` or release one"
    )]
    NoLicenceLeft {
        /// The access type, as people read it.
        access_type: &'static str,
        /// How many there are.
        total: u64,
    },
    /// Something stored is not what was stored.
    #[error("{what} is damaged")]
    Damaged {
        /// What was read.
        what: String,
    },
    /// A newer reload was published while this one ran.
    #[error("another reload of the app was published in the meantime")]
    Superseded,
    /// A file could not be read or written.
    #[error("cannot use the file {path}", path = path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database could not be read or written.
    #[error("the repository database cannot be used")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    /// Whether the disk, or the hub's share of it, has no room left.
    pub fn is_full(&self) -> bool {
        match self {
            Self::File { source, .. } => is_full(source),
            Self::Database(sqlx::Error::Io(source)) => is_full(source),
            Self::Database(sqlx::Error::Database(error)) => error
                .try_downcast_ref::<sqlx::sqlite::SqliteError>()
                .and_then(sqlx::error::DatabaseError::code)
                .is_some_and(|code| FULL.contains(&code.as_ref())),
            _ => false,
        }
    }
}

/// What SQLite says when there is no room: SQLITE_FULL, and SQLITE_IOERR_SHMSIZE when the
/// index of the write-ahead log cannot grow (<https://sqlite.org/rescode.html>).
const FULL: [&str; 2] = ["13", "4874"];

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// Turns an error of the disk into one that says which file.
pub(crate) fn at(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> StoreError + '_ {
    move |source| StoreError::File {
        path: path.into(),
        source,
    }
}

/// Reads a stored JSON document.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(
    what: &str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::damaged(what))
}

/// Writes a JSON document. The types stored here have string keys only, so this cannot fail.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::damaged("a document to be stored"))
}
