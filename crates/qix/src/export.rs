//! What a client asked to be exported: handed to the host as columns and rows, one at a time.
//!
//! Texts are as the object shows them. Which file they become, and who may fetch it, is the
//! host's business.

use satchel_base::Stop;

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportKind {
    /// Values with commas between them.
    Csv,
    /// Values with tabs between them.
    Tsv,
    /// A workbook (OOXML).
    Workbook,
}

impl ExportKind {
    /// The ending of such a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Workbook => "xlsx",
        }
    }

    /// The most columns, and the most rows below the heading: reference of `ExportData`.
    pub fn limits(self) -> (usize, usize) {
        match self {
            Self::Csv | Self::Tsv => (1_000, usize::MAX),
            Self::Workbook => (16_384, 1_048_566),
        }
    }

    /// The most cells. A workbook is put together in memory, at some 100 bytes a cell.
    pub fn max_cells(self) -> usize {
        match self {
            Self::Csv | Self::Tsv => 5_000_000,
            Self::Workbook => 2_000_000,
        }
    }
}

/// What to export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFile {
    /// The app's id.
    pub app: String,
    /// What to call the file, without an ending; may be empty, and may hold anything.
    pub name: String,
    /// What file.
    pub kind: ExportKind,
    /// The titles of the columns.
    pub columns: Vec<String>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportCell {
    /// As the object shows it; empty for NULL.
    pub text: String,
    /// The number, if it is one to calculate with: a measure, or a dimension's value whose text
    /// is that number.
    pub num: Option<f64>,
}

/// The rows, until a budget ends.
pub type ExportRows<'a> = dyn Iterator<Item = Result<Vec<ExportCell>, Stop>> + 'a;
