//! What goes into a run beside the script, and what comes out.

use satchel_data::{AccessTables, Frame, Model, Value};
use satchel_syntax::{Diagnostic, Severity, line_col};

/// What a run knows of the world.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The local time at the start, in serial days (1899-12-30 is 0).
    pub now: f64,
    /// What to add to UTC for local time, in days.
    pub utc_offset: f64,
    /// Where `Rand()` starts from.
    pub seed: u64,
    /// What `DocumentName()` and `DocumentTitle()` say.
    pub app_name: String,
    /// What `OSUser()` says: who runs the reload.
    pub user: String,
    /// Variables that exist before the first statement.
    pub variables: Vec<(String, Value)>,
    /// The data of the last reload, for a partial one: only loads with `ADD`, `REPLACE` or
    /// `MERGE` run then. `None` for a full reload.
    pub previous: Option<AppData>,
    /// Whether the host hears of each statement that ran.
    pub traces: bool,
    /// The most rows that are taken of one file or query, or made by one `AUTOGENERATE`, to
    /// try a script out.
    pub row_limit: Option<usize>,
}

/// The data of an app that was loaded before.
#[derive(Clone, Debug, Default)]
pub struct AppData {
    /// Its application tables.
    pub tables: Vec<Frame>,
    /// The tables of its access section, upper case.
    pub access: AccessTables,
    /// Fields and the tags scripts gave them.
    pub tags: Vec<(String, String)>,
}

impl AppData {
    /// What `model` and `access` hold.
    pub fn of(model: &Model, access: AccessTables) -> Self {
        let tags = (model.fields().iter())
            .flat_map(|f| f.tags.iter().map(|tag| (f.name.clone(), tag.clone())))
            .collect();
        Self {
            tables: model.to_frames(),
            access,
            tags,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            now: 0.0,
            utc_offset: 0.0,
            seed: 1,
            app_name: String::new(),
            user: String::new(),
            variables: Vec::new(),
            previous: None,
            traces: false,
            row_limit: None,
        }
    }
}

/// A script that ran to its end.
#[derive(Debug)]
pub struct LoadResult {
    /// The application tables.
    pub model: Model,
    /// The tables of the access section, upper case.
    pub access: AccessTables,
    /// Variables by name, in the order they were first set.
    pub variables: Vec<(String, Value)>,
    /// What happened, line by line.
    pub log: Vec<String>,
    /// What works but is probably not meant.
    pub warnings: Vec<Problem>,
    /// Whether the access tables came with the data of another app, by `BINARY`.
    pub inherits_access: bool,
    /// Comments on tables and fields: whether it is a table, the name, the text.
    pub comments: Vec<(bool, String, String)>,
}

/// A script that stopped.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Why, at least one.
    pub problems: Vec<Problem>,
    /// What happened before.
    pub log: Vec<String>,
}

/// Something wrong at a place of a script file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Stable code, such as `script.unknown_table`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The script file.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// All of it for people, with the text around.
    pub rendered: String,
}

impl Problem {
    pub(crate) fn new(diagnostic: Diagnostic, file: &str, text: &str) -> Self {
        let (line, column) = line_col(text, diagnostic.span.start as usize);
        Self {
            severity: diagnostic.severity,
            code: diagnostic.code,
            rendered: diagnostic.render(file, text),
            message: diagnostic.message,
            hint: diagnostic.hint,
            file: file.to_owned(),
            line,
            column,
        }
    }
}
