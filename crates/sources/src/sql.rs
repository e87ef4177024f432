//! Queries to databases: SQLite, PostgreSQL, MySQL and MariaDB, for reading only.
//!
//! A query runs on a thread of its own, which hands rows over as they arrive and no faster
//! than they are taken. When the script is cancelled, or takes no more, the query is cancelled
//! at the server. What a statement may be is decided by [`guard`], by a transaction that is
//! read-only, and by the rights of the database user, which an administrator should keep small.

mod guard;
mod thread;
mod values;

use std::path::PathBuf;

use satchel_base::{CancelToken, Secret};
use satchel_data::Batch;
use satchel_script::{HostError, RowSource};

pub use self::guard::must_only_read;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatabaseKind {
    /// A file.
    Sqlite,
    /// PostgreSQL and what speaks its protocol.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

/// Whether the connection to a server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Encryption {
    /// With a certificate that is valid for the host; else there is no connection.
    #[default]
    Verified,
    /// Not at all: for servers on this machine.
    Off,
}

/// Where a database is and who asks.
#[derive(Clone, Debug)]
pub struct DatabaseAddress {
    /// What it is.
    pub kind: DatabaseKind,
    /// The file, for SQLite.
    pub file: PathBuf,
    /// Host name or address of the server, or the folder (PostgreSQL) or file (MySQL) of its
    /// socket.
    pub host: String,
    /// The server's port; its usual one if absent.
    pub port: Option<u16>,
    /// The database.
    pub database: String,
    /// The database user.
    pub user: String,
    /// Their password.
    pub password: Option<Secret<String>>,
    /// Whether the way there is encrypted.
    pub encryption: Encryption,
    /// The CA that signed the server's certificate, as PEM; the system's if absent.
    pub ca: Option<PathBuf>,
}

/// Starts `sql` at the database and waits until it has columns.
///
/// # Errors
/// `source.sql_not_reading` if it does more than read, `source.sql_unreachable` if the
/// database cannot be reached, `source.sql_failed` with the server's words if it refuses.
pub fn query(
    address: &DatabaseAddress,
    sql: &str,
    cancel: &CancelToken,
) -> Result<Box<dyn RowSource>, HostError> {
    must_only_read(address.kind, sql)?;
    let rows = thread::start(address.clone(), sql.to_owned(), cancel.clone())?;
    Ok(Box::new(rows))
}

impl RowSource for thread::Rows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, HostError> {
        self.next()
    }
}

/// The database refused, or answered nonsense.
fn refused(error: &sqlx::Error) -> HostError {
    let message = match error {
        sqlx::Error::Database(said) => format!("the database says: {}", said.message()),
        other => format!("the database cannot be used: {other}"),
    };
    HostError::new("source.sql_failed", message)
        .with_hint("try the query in a tool of the database")
}

fn cancelled() -> HostError {
    HostError::new("script.cancelled", "the query was cancelled")
}
