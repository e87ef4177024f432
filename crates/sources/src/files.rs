//! The host of a script: opens, includes and stores files.

use std::time::Duration;

use satchel_base::Held;
use satchel_data::{Batch, Frame, FrameColumn, RawColumn, Value};
use satchel_script::{
    FileInfo, Host, HostError, QvdInfo, ReadRequest, RowSource, StoreRequest, WholeSize,
};

use crate::codepage::decode;
use crate::listing::Entries;
use crate::{
    Roots, delimited, dif, excel, fixed, html, json, kml, moment, parquet_read, parquet_write, qvd,
    qvx, store, xml,
};

/// Hears how many rows of a file were read.
type Progress<'a> = Box<dyn FnMut(&str, u64) + 'a>;

/// Files inside [`Roots`], and somebody who hears the log.
pub struct FileHost<'a> {
    roots: Roots,
    log: Box<dyn FnMut(&str) + 'a>,
    progress: Progress<'a>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Parquet,
    Qvd,
    Excel,
    Fixed,
    Dif,
    Json,
    Xml,
    Kml,
    Html,
    Qvx,
}

impl Kind {
    /// About how many bytes a reader holds for each byte of the file, if it takes the file as a
    /// whole: its text, or a tree or grid of it, or what a spreadsheet inflates to.
    fn held_bytes(self) -> Option<u64> {
        match self {
            Self::Qvd | Self::Parquet | Self::Text => None,
            Self::Fixed | Self::Dif | Self::Qvx => Some(2),
            Self::Json | Self::Xml | Self::Kml | Self::Html => Some(4),
            Self::Excel => Some(8),
        }
    }
}

/// Rows, and the memory that is booked for where they come from.
struct Holding {
    rows: Box<dyn RowSource>,
    _held: Held,
}

impl RowSource for Holding {
    fn columns(&self) -> &[String] {
        self.rows.columns()
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, HostError> {
        self.rows.next_batch()
    }

    fn is_raw(&self) -> bool {
        self.rows.is_raw()
    }

    fn read_raw(&mut self, columns: &mut [RawColumn]) -> Result<bool, HostError> {
        self.rows.read_raw(columns)
    }

    fn whole(&self) -> Option<WholeSize> {
        self.rows.whole()
    }

    fn symbols(&mut self, column: usize) -> Result<Option<&[Value]>, HostError> {
        self.rows.symbols(column)
    }

    fn keep_rows(&mut self, column: usize, keep: &[bool]) -> Result<WholeSize, HostError> {
        self.rows.keep_rows(column, keep)
    }

    fn take_whole(&mut self) -> Result<Vec<FrameColumn>, HostError> {
        self.rows.take_whole()
    }
}

impl<'a> FileHost<'a> {
    /// A host that reads and writes inside `roots` and hands every line of the log to `log`.
    pub fn new(roots: Roots, log: impl FnMut(&str) + 'a) -> Self {
        Self {
            roots,
            log: Box::new(log),
            progress: Box::new(|_, _| {}),
        }
    }

    /// Hands the path of the file being read and the rows read so far to `progress`.
    #[must_use]
    pub fn with_progress(mut self, progress: impl FnMut(&str, u64) + 'a) -> Self {
        self.progress = Box::new(progress);
        self
    }
}

impl Host for FileHost<'_> {
    fn open(&mut self, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
        let kind = kind(
            &request.path,
            request.format.kind.as_ref().map(|k| k.text.as_str()),
        )?;
        let path = (self.roots).existing(&request.path, request.directory.as_deref())?;
        let cannot = |error: std::io::Error| {
            HostError::new(
                "source.cannot_read",
                format!("cannot read `{}`: {error}", request.path),
            )
        };
        // Before anything of the file is read.
        let held = match kind.held_bytes() {
            Some(each) => {
                let n_bytes = std::fs::metadata(&path).map_err(cannot)?.len();
                Some((request.budget).hold_bytes(n_bytes.saturating_mul(each))?)
            }
            None => None,
        };
        let content = || std::fs::read(&path).map_err(cannot);
        let rows = match kind {
            Kind::Text => {
                let file = std::fs::File::open(&path).map_err(cannot)?;
                delimited::open(file, request)
            }
            Kind::Fixed => fixed::open(content()?, request),
            Kind::Dif => dif::open(content()?, request),
            Kind::Json => json::open(content()?, request),
            Kind::Xml => xml::open(content()?, request),
            Kind::Kml => kml::open(content()?, request),
            Kind::Html => html::open(content()?, request),
            Kind::Qvx => qvx::open(content()?, request),
            Kind::Parquet => {
                let file = std::fs::File::open(&path).map_err(cannot)?;
                parquet_read::open(file, request)
            }
            Kind::Qvd => {
                let file = std::fs::File::open(&path).map_err(cannot)?;
                qvd::open(file, request)
            }
            Kind::Excel => {
                let file = std::fs::File::open(&path).map_err(cannot)?;
                excel::open(file, request)
            }
        }?;
        match held {
            Some(held) => Ok(Box::new(Holding { rows, _held: held })),
            None => Ok(rows),
        }
    }

    fn include(&mut self, path: &str) -> Result<String, HostError> {
        let real = self.roots.existing(path, None)?;
        let bytes = std::fs::read(real).map_err(|error| {
            HostError::new(
                "source.cannot_read",
                format!("cannot read `{path}`: {error}"),
            )
        })?;
        decode(bytes, None)
    }

    fn store(&mut self, request: &StoreRequest, table: &Frame) -> Result<u64, HostError> {
        let kind = kind(
            &request.path,
            request.format.kind.as_ref().map(|k| k.text.as_str()),
        )?;
        if !matches!(kind, Kind::Text | Kind::Parquet | Kind::Qvd) {
            return Err(HostError::new(
                "source.format_not_supported",
                format!(
                    "`{}`: files of this kind are read, not written",
                    request.path
                ),
            )
            .with_hint("store as (txt), (qvd) or (parquet)"));
        }
        let path = (self.roots).target(&request.path, request.directory.as_deref())?;
        store::write(&path, &request.path, |file| match kind {
            Kind::Parquet => parquet_write::write(file, table),
            Kind::Qvd => qvd::write(file, table, now_utc()),
            _ => store::delimited(file, request, table),
        })
    }

    fn list_files(
        &mut self,
        mask: &str,
        directory: Option<&str>,
    ) -> Result<Vec<String>, HostError> {
        self.roots.list(mask, directory, Entries::Files)
    }

    fn list_folders(
        &mut self,
        mask: &str,
        directory: Option<&str>,
    ) -> Result<Vec<String>, HostError> {
        self.roots.list(mask, directory, Entries::Folders)
    }

    fn file_info(&mut self, path: &str, directory: Option<&str>) -> Option<FileInfo> {
        self.roots.info(path, directory)
    }

    fn qvd_info(&mut self, path: &str, directory: Option<&str>) -> Option<QvdInfo> {
        let real = self.roots.existing(path, directory).ok()?;
        qvd::info(std::fs::File::open(real).ok()?)
    }

    fn log(&mut self, line: &str) {
        (self.log)(line);
    }

    fn progress(&mut self, path: &str, n_rows: u64) {
        (self.progress)(path, n_rows);
    }

    fn sleep(&mut self, milliseconds: u64) {
        std::thread::sleep(Duration::from_millis(milliseconds));
    }
}

/// The kind the script says, else what the file's name ends in.
fn kind(path: &str, said: Option<&str>) -> Result<Kind, HostError> {
    let lower = path.to_ascii_lowercase();
    let ending = lower.rsplit_once('.').map_or("", |(_, ending)| ending);
    match said.unwrap_or(ending) {
        "txt" | "csv" | "tsv" | "tab" => Ok(Kind::Text),
        "parquet" => Ok(Kind::Parquet),
        "qvd" => Ok(Kind::Qvd),
        "ooxml" | "biff" | "xlsx" | "xlsm" | "xls" => Ok(Kind::Excel),
        "fix" => Ok(Kind::Fixed),
        "dif" => Ok(Kind::Dif),
        "json" | "ndjson" | "jsonl" => Ok(Kind::Json),
        "xml" | "xmlsimple" => Ok(Kind::Xml),
        "kml" => Ok(Kind::Kml),
        "html" | "htm" => Ok(Kind::Html),
        "qvx" => Ok(Kind::Qvx),
        other => {
            let message = match (said, other) {
                (None, "") => format!("`{path}` does not say what kind of file it is"),
                _ => format!("files of kind `{other}` are not supported yet"),
            };
            Err(HostError::new("source.format_not_supported", message)
                .with_hint("kinds are txt, fix, dif, ooxml, biff, html, XmlSimple, kml, json, qvd, qvx and parquet"))
        }
    }
}

/// The time in UTC as QVD headers write it.
fn now_utc() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.map_or(0, |d| d.as_secs() as i64);
    let (year, month, day) = moment::civil(seconds / 86_400);
    let rest = seconds % 86_400;
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
