//! What a script needs from outside: rows of files, places to store, somebody who listens.

use satchel_data::{Batch, Frame};
use satchel_syntax::FormatSpec;

/// Does what a script cannot do itself. File names are as written in the script; the host
/// decides what they mean and what may be read.
pub trait Host {
    /// Opens a file for reading rows.
    ///
    /// # Errors
    /// If the file may not be read, is not there, or is not of the format.
    fn open(&mut self, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError>;

    /// The text of a script file that is included.
    ///
    /// # Errors
    /// As [`Host::open`].
    fn include(&mut self, path: &str) -> Result<String, HostError>;

    /// Writes a table to a file; the number of bytes written.
    ///
    /// # Errors
    /// If the file may not be written or the format cannot be.
    fn store(&mut self, request: &StoreRequest, table: &Frame) -> Result<u64, HostError>;

    /// Hears a line of the log as it is written.
    fn log(&mut self, line: &str);

    /// Hears how many rows of the file `path` were read so far, some times a second.
    fn progress(&mut self, path: &str, n_rows: u64) {
        let _ = (path, n_rows);
    }

    /// Waits, for `SLEEP`. A host that does not wait does nothing.
    fn sleep(&mut self, milliseconds: u64);
}

/// A file to read rows from.
#[derive(Clone, Debug, Default)]
pub struct ReadRequest {
    /// The path as written.
    pub path: String,
    /// The folder that `DIRECTORY` set, if any.
    pub directory: Option<String>,
    /// How the file is written.
    pub format: FormatSpec,
    /// The columns that are needed; `None` for all. A source may deliver more.
    pub wanted: Option<Vec<String>>,
}

/// A file to write a table to.
#[derive(Clone, Debug, Default)]
pub struct StoreRequest {
    /// The path as written.
    pub path: String,
    /// The folder that `DIRECTORY` set, if any.
    pub directory: Option<String>,
    /// How to write it.
    pub format: FormatSpec,
}

/// An open file: its columns, then its rows in batches.
pub trait RowSource {
    /// The names of the columns, in the order of the columns of each batch.
    fn columns(&self) -> &[String];

    /// The next rows; `None` after the last.
    ///
    /// # Errors
    /// If the file cannot be read on, or is malformed.
    fn next_batch(&mut self) -> Result<Option<Batch>, HostError>;
}

/// Why a host could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    /// Stable code, such as `source.outside_root`.
    pub code: &'static str,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl HostError {
    /// An error without a hint.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
