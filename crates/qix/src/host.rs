//! What a session asks of the world outside: which apps there are, their data, the user,
//! the time, and unpredictable bytes for ids.
//!
//! The host decides who may do what. A session never widens what it is given.

use std::sync::Arc;

use satchel_base::{SubjectId, UnixMillis};
use satchel_engine::Engine;

use crate::{AppContent, AppMeta, ExportFile, ExportRows};

/// How an app is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenMode {
    /// With its data.
    WithData,
    /// To edit script and objects only (`qNoData`).
    NoData,
}

/// An app that was opened for one subject.
#[derive(Clone)]
pub struct OpenApp {
    /// Computes on what this subject may see (it holds their view). An app without data has
    /// an engine on an empty model. Share one engine between the sessions of a subject: its
    /// caches are worth it.
    pub engine: Arc<Engine>,
    /// Objects and master items this subject may see.
    pub content: Arc<AppContent>,
    /// What else is known of the app, and what the subject may do with it.
    pub meta: AppMeta,
}

/// Why an app was not opened. An app that does not exist and one the user has no right to are
/// both [`OpenFailure::AccessDenied`]: nobody learns more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenFailure {
    /// Not for this user, or not there.
    #[error("access denied")]
    AccessDenied,
    /// It is there and allowed, but cannot be loaded now.
    #[error("{message}")]
    Unavailable {
        /// What is wrong and what to do, for the user.
        message: String,
    },
    /// Its data does not fit this machine.
    #[error("the app is too large to open here")]
    TooLarge,
}

/// Why something the session asked for was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The user has no right to it.
    #[error("access denied")]
    AccessDenied,
    /// This host never does it (a device does not reload).
    #[error("not available here")]
    NotHere,
    /// It was tried and went wrong.
    #[error("{message}")]
    Failed {
        /// What is wrong and what to do, for the user.
        message: String,
    },
}

/// How a reload went.
#[derive(Clone)]
pub struct Reloaded {
    /// Whether the script ran to its end and the data was published.
    pub success: bool,
    /// The log, for people.
    pub log: String,
    /// The app with its new data, if there is any.
    pub app: Option<OpenApp>,
}

/// How far a reload is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadProgress {
    /// Whether one was started in this session.
    pub started: bool,
    /// Whether the last one is over.
    pub finished: bool,
    /// How long it ran, or runs.
    pub millis: i64,
    /// The log, line by line.
    pub log: Vec<String>,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInfo {
    /// `DIRECTORY\user`.
    pub id: SubjectId,
    /// The name to show; may be empty.
    pub name: String,
}

/// The present time where the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// UTC.
    pub utc: UnixMillis,
    /// Local time minus UTC, in minutes.
    pub offset_minutes: i32,
}

/// The world outside a session. Calls may block; the hub runs sessions on its compute pool.
pub trait Host {
    /// The apps this user may open, by title.
    fn doc_list(&mut self) -> Vec<AppMeta>;

    /// Opens an app by id.
    ///
    /// # Errors
    /// See [`OpenFailure`].
    fn open(&mut self, app: &str, mode: OpenMode) -> Result<OpenApp, OpenFailure>;

    /// The app anew, if its data or who may see what of it is not as it was when this session
    /// opened it. Called when an app that is open is opened again.
    ///
    /// # Errors
    /// See [`OpenFailure`].
    fn reopen(&mut self, app: &str, mode: OpenMode) -> Result<Option<OpenApp>, OpenFailure> {
        let _ = (app, mode);
        Ok(None)
    }

    /// Keeps the app's content. Called when a client asks to save.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn save(&mut self, app: &str, content: &AppContent) -> Result<(), Refusal>;

    /// Keeps the reader's own bookmarks of an app, all of them, as JSON. Called after each
    /// change; [`AppContent::add_own_bookmarks`] puts them back when the app is opened.
    ///
    /// # Errors
    /// [`Refusal::NotHere`] where nothing is kept: the bookmarks then last as long as the
    /// session. Any other refusal undoes the change.
    fn keep_bookmarks(&mut self, app: &str, own: &str) -> Result<(), Refusal> {
        let _ = (app, own);
        Err(Refusal::NotHere)
    }

    /// Runs the script of the app as `content` has it.
    ///
    /// # Errors
    /// See [`Refusal`]; a script that stops on an error is `Ok` with `success: false`.
    fn reload(
        &mut self,
        app: &str,
        content: &AppContent,
        partial: bool,
    ) -> Result<Reloaded, Refusal>;

    /// Makes a file of rows for the reader to fetch: its address, relative to the host's own.
    /// Rows end with an error if the budget of the request does; then nothing is kept.
    ///
    /// # Errors
    /// [`Refusal::NotHere`] where no files can be fetched.
    fn export(&mut self, file: &ExportFile, rows: &mut ExportRows<'_>) -> Result<String, Refusal> {
        let _ = (file, rows);
        Err(Refusal::NotHere)
    }

    /// How the reload of this session goes; none if this host never reloads.
    fn reload_progress(&self) -> Option<ReloadProgress> {
        None
    }

    /// Who is asking.
    fn user(&self) -> UserInfo;

    /// The present time.
    fn now(&self) -> Now;

    /// Fills `bytes` with unpredictable bytes.
    fn fill_random(&mut self, bytes: &mut [u8]);

    /// The version of this product: `0.1.0`.
    fn product_version(&self) -> String;
}
