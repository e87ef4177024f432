//! What a script needs from outside: rows of files, places to store, somebody who listens.

use std::cell::RefCell;

use satchel_base::{Budget, Stop};
use satchel_data::{Batch, Frame, FrameColumn, RawColumn, Value};
use satchel_syntax::FormatSpec;

use crate::outcome::AppData;

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

    /// The files that fit `mask`, a path with `*` and `?` in its last part, as `FROM` takes
    /// them, in order of their names.
    ///
    /// # Errors
    /// As [`Host::open`]; no file at all is no error.
    fn list_files(
        &mut self,
        mask: &str,
        directory: Option<&str>,
    ) -> Result<Vec<String>, HostError> {
        let _ = directory;
        Err(no_listing(mask))
    }

    /// The folders that fit `mask`, as [`Host::list_files`].
    ///
    /// # Errors
    /// As [`Host::open`].
    fn list_folders(
        &mut self,
        mask: &str,
        directory: Option<&str>,
    ) -> Result<Vec<String>, HostError> {
        let _ = directory;
        Err(no_listing(mask))
    }

    /// What is known of the file at `path`; `None` if it is not there or may not be read.
    fn file_info(&mut self, path: &str, directory: Option<&str>) -> Option<FileInfo> {
        let _ = (path, directory);
        None
    }

    /// What the head of the QVD file at `path` says; `None` if it is not there, may not be read
    /// or is none.
    fn qvd_info(&mut self, path: &str, directory: Option<&str>) -> Option<QvdInfo> {
        let _ = (path, directory);
        None
    }

    /// Takes the connection called `name` for the queries that follow.
    ///
    /// # Errors
    /// If no connection of that name is defined, or the person may not use it.
    fn connect(&mut self, name: &str) -> Result<(), HostError> {
        Err(HostError::new(
            "source.connection_unknown",
            format!("no connection called `{name}` is defined"),
        )
        .with_hint("ask an administrator to define it, or load from a file"))
    }

    /// The rows of a query to the connection taken last.
    ///
    /// # Errors
    /// If the database refuses it.
    fn query(&mut self, sql: &str) -> Result<Box<dyn RowSource>, HostError> {
        let _ = sql;
        Err(HostError::new(
            "source.not_connected",
            "there is no connection to a database",
        )
        .with_hint("write LIB CONNECT TO 'name' before it"))
    }

    /// Ends the connection taken last.
    fn disconnect(&mut self) {}

    /// The data of another app, for `BINARY`, as far as whoever reloads may see it.
    ///
    /// # Errors
    /// If there is no such app, or it may not be read.
    fn binary(&mut self, app: &str) -> Result<AppData, HostError> {
        Err(HostError::new(
            "source.binary_not_available",
            format!("the data of app `{app}` cannot be loaded here"),
        )
        .with_hint("STORE its tables into files, and load those"))
    }

    /// Hears a line of the log as it is written.
    fn log(&mut self, line: &str);

    /// Hears how many rows of the file `path` were read so far, some times a second.
    fn progress(&mut self, path: &str, n_rows: u64) {
        let _ = (path, n_rows);
    }

    /// Hears of a statement that ran, if the settings ask for it.
    fn step(&mut self, step: &Step) {
        let _ = step;
    }

    /// Waits, for `SLEEP`. A host that does not wait does nothing.
    fn sleep(&mut self, milliseconds: u64);
}

/// A statement that ran. How long it took, the host knows: steps follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The script file.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// How it begins, on one line.
    pub text: String,
    /// Rows it read of files, tables and queries.
    pub rows_in: u64,
    /// Rows that came out of it.
    pub rows_out: u64,
    /// About how many bytes all tables hold after it.
    pub n_bytes: u64,
}

/// The host of a run, which statements and the functions in expressions both ask.
pub(crate) struct SharedHost<'a>(RefCell<&'a mut dyn Host>);

impl<'a> SharedHost<'a> {
    pub(crate) fn new(host: &'a mut dyn Host) -> Self {
        Self(RefCell::new(host))
    }

    /// Asks the host. What is asked must not ask again.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&mut dyn Host) -> T) -> T {
        question(&mut **self.0.borrow_mut())
    }

    pub(crate) fn log(&self, line: &str) {
        self.ask(|host| host.log(line));
    }
}

/// What functions may ask about files.
pub(crate) trait FileFacts {
    fn file_info(&self, path: &str, directory: Option<&str>) -> Option<FileInfo>;
    fn qvd_info(&self, path: &str, directory: Option<&str>) -> Option<QvdInfo>;
}

impl FileFacts for SharedHost<'_> {
    fn file_info(&self, path: &str, directory: Option<&str>) -> Option<FileInfo> {
        self.ask(|host| host.file_info(path, directory))
    }

    fn qvd_info(&self, path: &str, directory: Option<&str>) -> Option<QvdInfo> {
        self.ask(|host| host.qvd_info(path, directory))
    }
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FileInfo {
    /// Its size in bytes.
    pub n_bytes: u64,
    /// When it was written last: serial days, local time.
    pub modified: f64,
}

/// What the head of a QVD file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QvdInfo {
    /// The table it was stored from.
    pub table: String,
    /// When it was made: serial days, UTC; `None` if it does not say.
    pub created: Option<f64>,
    /// How many rows it has.
    pub n_rows: u64,
    /// The names of its fields, in order.
    pub fields: Vec<String>,
}

fn no_listing(mask: &str) -> HostError {
    HostError::new(
        "source.listing_not_available",
        format!("the files of `{mask}` cannot be listed here"),
    )
    .with_hint("name the files one by one")
}

/// A file to read rows from.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The path as written.
    pub path: String,
    /// The folder that `DIRECTORY` set, if any.
    pub directory: Option<String>,
    /// How the file is written.
    pub format: FormatSpec,
    /// The columns that are needed; `None` for all. A source may deliver more.
    pub wanted: Option<Vec<String>>,
    /// Whether spaces around values stay.
    pub verbatim: bool,
    /// What a reader asks before it takes memory for a file as a whole.
    pub budget: Budget,
}

impl Default for ReadRequest {
    fn default() -> Self {
        Self {
            path: String::new(),
            directory: None,
            format: FormatSpec::default(),
            wanted: None,
            verbatim: false,
            budget: Budget::unlimited(),
        }
    }
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

    /// Whether the source gives raw texts, row by row, through [`RowSource::read_raw`], which
    /// may stand for all batches then.
    fn is_raw(&self) -> bool {
        false
    }

    /// Appends the next rows to `columns`, which are as [`RowSource::columns`] says; their
    /// texts will be interpreted as those of [`satchel_data::Cells::RawText`] are. `false`
    /// after the last. Only if [`RowSource::is_raw`] says so, and instead of the first batch.
    ///
    /// # Errors
    /// As [`RowSource::next_batch`].
    fn read_raw(&mut self, columns: &mut [RawColumn]) -> Result<bool, HostError> {
        let _ = columns;
        Ok(false)
    }

    /// What all rows need, if every column comes with a dictionary of distinct values that
    /// can be taken over as it is; then [`RowSource::take_whole`] may stand for all batches.
    fn whole(&self) -> Option<WholeSize> {
        None
    }

    /// The values of column `column` by their number, some perhaps NULL; `None` if they are not
    /// known before the rows are. Only after [`RowSource::whole`] gave a size.
    ///
    /// # Errors
    /// As [`RowSource::next_batch`].
    fn symbols(&mut self, column: usize) -> Result<Option<&[Value]>, HostError> {
        let _ = column;
        Ok(None)
    }

    /// Leaves out all rows but those whose value in column `column` is kept: `keep` has an
    /// entry for each of [`RowSource::symbols`] and, last, one for NULL. The size of what is
    /// left.
    ///
    /// # Errors
    /// As [`RowSource::next_batch`].
    fn keep_rows(&mut self, column: usize, keep: &[bool]) -> Result<WholeSize, HostError> {
        let _ = (column, keep);
        Err(HostError::new(
            "source.cannot_read",
            "the rows of this source cannot be chosen beforehand",
        ))
    }

    /// All rows, in columns named and ordered as [`RowSource::columns`]; every value of a
    /// column's dictionary is in some row. Only after
    /// [`RowSource::whole`] gave a size, and instead of the first batch.
    ///
    /// # Errors
    /// As [`RowSource::next_batch`].
    fn take_whole(&mut self) -> Result<Vec<FrameColumn>, HostError> {
        Ok(Vec::new())
    }
}

/// What taking over a source as a whole needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeSize {
    /// Rows there are.
    pub n_rows: u64,
    /// Bytes of memory, at most.
    pub n_bytes: u64,
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

/// Codes of a run that was stopped from outside.
const STOPS: [&str; 4] = [
    "script.cancelled",
    "script.too_long",
    "script.too_many_rows",
    "script.too_many_bytes",
];

impl HostError {
    /// Whether nothing of the run may go on after it.
    pub(crate) fn is_stop(&self) -> bool {
        STOPS.contains(&self.code)
    }
}

impl From<Stop> for HostError {
    fn from(stop: Stop) -> Self {
        let [cancelled, too_long, too_many_rows, too_many_bytes] = STOPS;
        let (code, message) = match stop {
            Stop::Cancelled => (cancelled, "the reload was cancelled".to_owned()),
            Stop::TimeIsUp => (too_long, "the reload took longer than it may".to_owned()),
            Stop::TooManyRows { limit } => (
                too_many_rows,
                format!("the reload handles more than {limit} rows"),
            ),
            Stop::TooManyBytes { limit } => (
                too_many_bytes,
                format!("the reload needs more than {limit} bytes"),
            ),
        };
        let error = Self::new(code, message);
        if stop == Stop::Cancelled {
            return error;
        }
        error.with_hint(
            "look for a loop without an end, or a join of tables without a common field; what a reload may use is set where the hub is started",
        )
    }
}
