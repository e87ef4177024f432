//! The world outside a QIX session, at the hub: apps this person may open, saving, the clock.
//!
//! Called on threads that may block; the store is asked through the runtime's handle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use satchel_base::{AppId, CancelToken, Entropy, UnixMillis};
use satchel_contract::policy::Key;
use satchel_data::{Model, View};
use satchel_engine::Engine;
use satchel_gate::Action;
use satchel_qix::{
    AppContent, AppMeta, ExportFile, ExportRows, Host, Now, OpenApp, OpenFailure, OpenMode,
    Refusal, ReloadProgress, Reloaded, UserInfo,
};
use satchel_store::{App, StoreError, TokenHash, User};
use tokio::runtime::Handle;

use crate::apps::{self, OpenError};
use crate::exports::{ExportError, Owner};
use crate::reload;
use crate::rights::Rights;
use crate::sign_in::note_about;
use crate::state::HubState;
use crate::system::SystemEntropy;

/// The hub as one person's session sees it.
pub(crate) struct HubHost {
    pub state: Arc<HubState>,
    pub user: Arc<User>,
    pub runtime: Handle,
    pub doings: Arc<Doings>,
}

/// The most lines of a reload's log that are told while it runs.
const MAX_PROGRESS_LINES: usize = 1000;

/// What a session has done that is asked about from outside while the session is busy or has
/// nobody connected: the app it opened, and the reload that runs or ran last.
#[derive(Default)]
pub(crate) struct Doings(Mutex<Done>);

#[derive(Default)]
struct Done {
    /// The app and the number of the reload whose data is open.
    opened: Option<(String, u64)>,
    began: Option<UnixMillis>,
    ended: Option<UnixMillis>,
    log: Vec<String>,
    cancel: CancelToken,
    /// The log-in whose request is carried out; connections of several may share a session.
    asking: Option<TokenHash>,
}

impl Doings {
    fn lock(&self) -> MutexGuard<'_, Done> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The app that is open and the number of the reload its data is from.
    pub fn opened(&self) -> Option<(String, u64)> {
        self.lock().opened.clone()
    }

    /// From here on requests of this log-in are carried out. For who holds the session's lock.
    pub fn is_asked_by(&self, token: Option<TokenHash>) {
        self.lock().asking = token;
    }

    /// How the reload goes or went.
    pub fn progress(&self, now: UnixMillis) -> ReloadProgress {
        let done = self.lock();
        ReloadProgress {
            started: done.began.is_some(),
            finished: done.ended.is_some(),
            millis: done
                .began
                .map_or(0, |began| done.ended.unwrap_or(now).since_ms(began)),
            log: done.log.clone(),
        }
    }

    /// Whether a reload runs.
    pub fn is_reloading(&self) -> bool {
        let done = self.lock();
        done.began.is_some() && done.ended.is_none()
    }

    /// Ends the reload that runs, if one does.
    pub fn cancel_reload(&self) {
        self.lock().cancel.cancel();
    }

    fn begin_reload(&self, now: UnixMillis) -> CancelToken {
        let mut done = self.lock();
        done.began = Some(now);
        done.ended = None;
        done.log.clear();
        done.cancel = CancelToken::default();
        done.cancel.clone()
    }
}

impl HubHost {
    /// The app if this person, as the hub knows them now, may see it. Who is somebody else by
    /// now (other groups, other roles) must come back: their socket is about to close.
    fn app(&self, id: &str) -> Result<(App, Rights), OpenFailure> {
        let store = &self.state.store;
        let found = self.runtime.block_on(async {
            Ok::<_, StoreError>((
                store.app(&AppId::new(id)).await?,
                Rights::load(store).await?,
                store.user(&self.user.id).await?,
            ))
        });
        match found {
            Ok((Some(app), rights, Some(user)))
                if user == *self.user && apps::may_see(&app, &user, &rights) =>
            {
                Ok((app, rights))
            }
            Ok(_) => Err(OpenFailure::AccessDenied),
            Err(error) => Err(unavailable(&error)),
        }
    }

    fn own_meta(&self, app: &App, rights: &Rights) -> AppMeta {
        let meta = apps::meta(app, &self.user, rights);
        AppMeta {
            may_export: meta.may_export && self.state.lets(&self.user.id, Key::AllowExport),
            ..meta
        }
    }

    fn open_app(&self, app: &App, rights: &Rights, mode: OpenMode) -> Result<OpenApp, OpenFailure> {
        let may_edit = apps::may_edit(app, &self.user, rights);
        let mut variables = Vec::new();
        let engine = match mode {
            OpenMode::NoData if may_edit => {
                Engine::new(Arc::new(View::unrestricted(Arc::new(Model::default()))))
            }
            OpenMode::NoData => return Err(OpenFailure::AccessDenied),
            OpenMode::WithData => match self.state.apps.load(&self.state, app) {
                Ok(loaded) => {
                    variables = loaded.variables.clone();
                    loaded.engine(&apps::subject(&self.user)).map_err(failure)?
                }
                // A new app that was never reloaded opens empty for who may reload it.
                Err(OpenError::NoData) if may_edit => {
                    Engine::new(Arc::new(View::unrestricted(Arc::new(Model::default()))))
                }
                Err(error) => return Err(failure(error)),
            },
        };
        let mut content = apps::content(&self.state, app, may_edit).map_err(failure)?;
        apps::add_variables(&mut content, &variables);
        apps::add_own_bookmarks(&self.state, &self.runtime, app, &self.user, &mut content);
        Ok(OpenApp {
            engine,
            content: Arc::new(content),
            meta: self.own_meta(app, rights),
        })
    }

    /// Whether the event is in the audit log now.
    fn note(&self, action: &'static str, app: &str, outcome: &str) -> bool {
        self.note_about(action, app, outcome, serde_json::Value::Null)
    }

    fn note_about(
        &self,
        action: &'static str,
        app: &str,
        outcome: &str,
        about: serde_json::Value,
    ) -> bool {
        let entry = note_about(&self.state, &self.user.id, action, app, outcome, about);
        let noted = self.runtime.block_on(entry).is_ok();
        if !noted {
            tracing::error!(
                action,
                app.id = app,
                "an event could not be written to the audit log"
            );
        }
        noted
    }
}

impl Host for HubHost {
    fn doc_list(&mut self) -> Vec<AppMeta> {
        let store = &self.state.store;
        let found = self.runtime.block_on(async {
            Ok::<_, StoreError>((store.apps().await?, Rights::load(store).await?))
        });
        let Ok((all, rights)) = found else {
            return Vec::new();
        };
        all.iter()
            .filter(|app| apps::may_see(app, &self.user, &rights))
            .map(|app| self.own_meta(app, &rights))
            .collect()
    }

    fn open(&mut self, app: &str, mode: OpenMode) -> Result<OpenApp, OpenFailure> {
        let opened = self.app(app).and_then(|(app, rights)| {
            let opened = self.open_app(&app, &rights, mode)?;
            self.doings.lock().opened = Some((app.id.as_str().to_owned(), app.reload));
            Ok(opened)
        });
        let outcome = match &opened {
            Ok(_) => "ok",
            Err(OpenFailure::AccessDenied) => "access.denied",
            Err(_) => "app.unavailable",
        };
        // What is not in the log must not happen.
        if !self.note("app.open", app, outcome) && opened.is_ok() {
            return Err(OpenFailure::Unavailable {
                message: "the hub cannot write its audit log now; tell the administrator"
                    .to_owned(),
            });
        }
        opened
    }

    fn reopen(&mut self, id: &str, mode: OpenMode) -> Result<Option<OpenApp>, OpenFailure> {
        let (app, _) = self.app(id)?;
        let opened = self.doings.opened();
        if opened.is_some_and(|(opened, reload)| opened == id && reload == app.reload) {
            return Ok(None);
        }
        self.open(id, mode).map(Some)
    }

    fn save(&mut self, id: &str, content: &AppContent) -> Result<(), Refusal> {
        let (app, rights) = self.app(id).map_err(|_| Refusal::AccessDenied)?;
        if !apps::may_edit(&app, &self.user, &rights) {
            return Err(Refusal::AccessDenied);
        }
        let failed = |error: StoreError| Refusal::Failed {
            message: error.to_string(),
        };
        // The reader's own bookmarks are kept beside the app, not in it.
        let mut content = content.clone();
        content.bookmarks.retain(|b| !b.is_own(&self.user.id));
        let blob = self
            .state
            .store
            .blobs()
            .put(content.to_json().as_bytes())
            .map_err(failed)?;
        let saved = self
            .state
            .store
            .save_content(&app.id, &blob, self.state.now());
        self.runtime.block_on(saved).map_err(failed)?;
        self.note("app.save", id, "ok");
        Ok(())
    }

    fn keep_bookmarks(&mut self, id: &str, own: &str) -> Result<(), Refusal> {
        let (app, _) = self.app(id).map_err(|_| Refusal::AccessDenied)?;
        let saved = self.state.store.save_bookmarks(&app.id, &self.user.id, own);
        self.runtime
            .block_on(saved)
            .map_err(|error| Refusal::Failed {
                message: error.to_string(),
            })
    }

    fn reload(
        &mut self,
        id: &str,
        content: &AppContent,
        partial: bool,
    ) -> Result<Reloaded, Refusal> {
        let (app, rights) = self.app(id).map_err(|_| Refusal::AccessDenied)?;
        if !apps::may_edit(&app, &self.user, &rights) {
            return Err(Refusal::AccessDenied);
        }
        self.save(id, content)?;
        let mut log = Vec::new();
        let cancel = self.doings.begin_reload(self.state.now());
        let running = {
            let _guard = self.runtime.enter();
            self.state.reloads.begin(cancel)
        };
        let task = reload::Task {
            who: Some(&self.user),
            now: self.state.now_here(),
            budget: &running.budget,
            partial,
            traces: false,
            row_limit: None,
        };
        let result = self.runtime.block_on(reload::run_and_publish(
            &self.state.store,
            &app.id,
            &task,
            &mut |line| {
                let mut done = self.doings.lock();
                if done.log.len() < MAX_PROGRESS_LINES {
                    done.log.push(line.to_owned());
                }
                log.push(line.to_owned());
            },
        ));
        self.doings.lock().ended = Some(self.state.now());
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(error) => {
                self.note("app.reload", id, error.code());
                log.push(error.to_string());
                return Ok(Reloaded {
                    success: false,
                    log: log.join("\n"),
                    app: None,
                });
            }
        };
        self.note(
            "app.reload",
            id,
            if outcome.pending.is_empty() {
                "ok"
            } else {
                "app.pending"
            },
        );
        log.extend(
            outcome
                .pending
                .iter()
                .map(|p| format!("not published: confirm {p} first")),
        );
        let app = self.app(id).ok().and_then(|(app, rights)| {
            let opened = self.open_app(&app, &rights, OpenMode::WithData).ok()?;
            self.doings.lock().opened = Some((app.id.as_str().to_owned(), app.reload));
            Some(opened)
        });
        Ok(Reloaded {
            success: outcome.pending.is_empty(),
            log: log.join("\n"),
            app,
        })
    }

    fn export(&mut self, file: &ExportFile, rows: &mut ExportRows<'_>) -> Result<String, Refusal> {
        let by_rule = self
            .app(&file.app)
            .is_ok_and(|(app, rights)| rights.may(&self.user, Action::ExportData, &app));
        if !self.state.lets(&self.user.id, Key::AllowExport) || !by_rule {
            self.note("data.export", &file.app, "access.denied");
            return Err(Refusal::AccessDenied);
        }
        let owner = Owner {
            user: self.user.id.clone(),
            token: self.doings.lock().asking,
        };
        let folder = self.state.store.dir().to_owned();
        let now = self.state.now();
        let made = self.state.exports.make(&folder, owner, file, rows, now);
        let (address, n_rows) = made.map_err(|error| {
            match &error {
                ExportError::Io(source) => tracing::error!(%source, "an export cannot be written"),
                ExportError::Workbook(source) => {
                    tracing::error!(%source, "a workbook cannot be written");
                }
                ExportError::Stop(_) | ExportError::TooLarge => {}
            }
            Refusal::Failed {
                message: error.to_string(),
            }
        })?;
        let about = serde_json::json!({
            "kind": file.kind.extension(), "rows": n_rows, "columns": file.columns,
        });
        // What is not in the log must not happen.
        if !self.note_about("data.export", &file.app, "ok", about) {
            return Err(Refusal::Failed {
                message: "the hub cannot write its audit log now; tell the administrator"
                    .to_owned(),
            });
        }
        Ok(format!(
            "{address}?serverNodeId={}",
            self.state.store.hub().id
        ))
    }

    fn reload_progress(&self) -> Option<ReloadProgress> {
        Some(self.doings.progress(self.state.now()))
    }

    fn user(&self) -> UserInfo {
        UserInfo {
            id: self.user.id.clone(),
            name: self.user.display_name.clone(),
        }
    }

    fn now(&self) -> Now {
        self.state.now_here()
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        SystemEntropy.fill(bytes);
    }

    fn product_version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }
}

fn unavailable(error: &StoreError) -> OpenFailure {
    tracing::error!(%error, "the repository failed");
    OpenFailure::Unavailable {
        message: "the hub cannot open apps now; try again".to_owned(),
    }
}

fn failure(error: OpenError) -> OpenFailure {
    match error {
        OpenError::Denied => OpenFailure::AccessDenied,
        other => OpenFailure::Unavailable {
            message: other.to_string(),
        },
    }
}
