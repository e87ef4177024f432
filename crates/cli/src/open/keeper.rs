//! Owns the client while apps are served: opens packages, watches lock and lease, and drops
//! everything when either ends.
//!
//! One thread, so that the vault is never used twice at a time; the server's threads ask
//! through a [`Desk`]. Another run of the client may lock, sign out, download or wipe meanwhile;
//! every second the vault is read anew.

use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use satchel_base::{AppId, UnixMillis};
use satchel_contract::ApiError;
use satchel_data::View;
use satchel_device::{Account, HubEntry, LeaseStatus, VaultError, VaultKey};
use satchel_engine::Engine;
use satchel_qix::{AppMeta, OpenApp, UserInfo};
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use zeroize::Zeroizing;

use super::standing::Standing;
use crate::carried::Carried;
use crate::context::Context;
use crate::output::Failure;
use crate::session;

/// How often lock and lease are looked at.
const WATCH: Duration = Duration::from_secs(1);

/// How often the time of the last use is written where other runs of the client see it.
const KEEP_SESSION: Duration = Duration::from_secs(30);

/// How long an app that nobody has open any more is kept, so that a page may be loaded anew.
const KEEP_UNUSED: Duration = Duration::from_secs(5);

/// What the server asks.
enum Ask {
    State(oneshot::Sender<Value>),
    Apps(oneshot::Sender<Vec<AppMeta>>),
    Open(AppId, oneshot::Sender<Result<OpenApp, ApiError>>),
    Unlock(
        Option<Zeroizing<String>>,
        oneshot::Sender<Result<(), ApiError>>,
    ),
    Lock(oneshot::Sender<()>),
    Used,
    Stop,
}

/// The client, and what it has open.
pub struct Keeper {
    context: Context,
    hub: HubEntry,
    account: Option<Account>,
    open: HashMap<AppId, OpenPackage>,
    /// Whether another run of the client locks this one by removing the session it keeps.
    follows_session: bool,
    session_kept: Instant,
    standing: watch::Sender<Standing>,
    asks: mpsc::Receiver<Ask>,
    desk: Desk,
}

struct OpenPackage {
    file: String,
    app: OpenApp,
    /// Since when nobody but the keeper has it.
    unused: Option<Instant>,
}

impl OpenPackage {
    /// Whether somebody has it open, or had it a moment ago.
    fn is_wanted(&mut self) -> bool {
        if Arc::strong_count(&self.app.engine) > 1 {
            self.unused = None;
            return true;
        }
        self.unused.get_or_insert_with(Instant::now).elapsed() < KEEP_UNUSED
    }
}

/// Where the server's threads ask.
#[derive(Clone)]
pub struct Desk {
    asks: mpsc::Sender<Ask>,
    standing: watch::Receiver<Standing>,
    user: Arc<std::sync::Mutex<Option<UserInfo>>>,
}

impl Keeper {
    /// Takes over an unlocked client; refuses if nothing would open.
    pub fn new(context: Context, hub: HubEntry) -> Result<Self, Failure> {
        let (asks_in, asks) = mpsc::channel();
        let (standing, seen) = watch::channel(Standing::default());
        let desk = Desk {
            asks: asks_in,
            standing: seen,
            user: Arc::default(),
        };
        let mut keeper = Self {
            context,
            hub,
            account: None,
            open: HashMap::new(),
            follows_session: false,
            session_kept: Instant::now(),
            standing,
            asks,
            desk,
        };
        keeper.follow_session();
        keeper.look();
        match &keeper.standing.borrow().closed {
            Some(error) => Err(Failure(error.clone())),
            None => Ok(()),
        }?;
        Ok(keeper)
    }

    /// Where to ask.
    pub fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// Answers and watches until told to stop; then nothing is left in memory.
    pub fn run(mut self) {
        loop {
            match self.asks.recv_timeout(WATCH) {
                Ok(Ask::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(ask) => self.answer(ask),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.look();
        }
        self.standing.send_modify(|standing| {
            standing.stopping = true;
        });
        self.drop_all();
    }

    /// The app, opened: lock, lease, signatures, binding, as for `satchel ask`.
    pub fn app(&mut self, app: &AppId) -> Result<OpenApp, Failure> {
        self.context.client.read_again()?;
        let entry = self
            .context
            .client
            .find_download(&self.hub.url, app.as_str())?;
        if let Some(known) = self.open.get(&entry.app)
            && known.file == entry.file
        {
            return Ok(known.app.clone());
        }
        self.open.remove(&entry.app);
        let opened = self.context.client.open(&self.hub.url, &entry.app)?;
        let carried = Carried::read(opened)?;
        // The hub reduced the model before it was sealed, so nothing is left to hide.
        let view = View::unrestricted(Arc::new(carried.model));
        let app = OpenApp {
            engine: Engine::new(Arc::new(view)),
            content: Arc::new(carried.content),
            meta: carried.meta,
        };
        let package = OpenPackage {
            file: entry.file,
            app: app.clone(),
            unused: None,
        };
        self.open.insert(entry.app, package);
        Ok(app)
    }

    fn answer(&mut self, ask: Ask) {
        // Whoever asked may have left; then the answer is nobody's.
        match ask {
            Ask::State(reply) => drop(reply.send(self.state())),
            Ask::Apps(reply) => drop(reply.send(self.metas())),
            Ask::Open(app, reply) => {
                self.used();
                let opened = match self.standing.borrow().refusal(self.now()) {
                    Some(refusal) => Err(Failure(refusal)),
                    None => Ok(()),
                };
                let opened = opened.and_then(|()| self.app(&app));
                drop(reply.send(opened.map_err(|failure| failure.0)));
            }
            Ask::Unlock(pin, reply) => {
                let unlocked = self.unlock(pin.as_deref().map(String::as_str));
                self.look();
                drop(reply.send(unlocked.map_err(|failure| failure.0)));
            }
            Ask::Lock(reply) => {
                let _ = session::remove(self.context.files.folder());
                self.context.client.lock();
                self.look();
                let _ = reply.send(());
            }
            Ask::Used => self.used(),
            Ask::Stop => {}
        }
    }

    fn now(&self) -> UnixMillis {
        self.context.client.now()
    }

    /// Looks at lock and lease, and tells everybody how it stands.
    fn look(&mut self) {
        self.heed_session();
        let watched = self.context.client.watch(&self.hub.url);
        let (closed, account) = match watched {
            Ok(account) => match account.lease.remaining(self.now()) {
                Ok(_) => (None, Some(account)),
                Err(error) => {
                    let error = satchel_device::DeviceError::from(error);
                    (Some(Failure::from(error).0), Some(account))
                }
            },
            Err(error) => (Some(Failure::from(error).0), None),
        };
        if closed.is_some() {
            self.open.clear();
        }
        let entries = account.iter().flat_map(|a| &a.downloads.entries);
        let apps: Vec<String> = entries.map(|e| e.app.as_str().to_owned()).collect();
        self.open
            .retain(|app, package| apps.iter().any(|a| a == app.as_str()) && package.is_wanted());
        let user = account.as_ref().map(|account| UserInfo {
            id: account.user.clone(),
            name: account.name.clone(),
        });
        *self
            .desk
            .user
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = user;
        let lease = account.as_ref().map(|a| a.lease.clone());
        self.account = account;
        self.standing.send_if_modified(|standing| {
            let was = (standing.closed.clone(), std::mem::take(&mut standing.apps));
            standing.closed = closed;
            standing.lease = lease.unwrap_or_default();
            standing.apps = apps;
            was.0 != standing.closed || was.1 != standing.apps
        });
    }

    /// Another run of the client may have locked, or unlocked, meanwhile.
    fn heed_session(&mut self) {
        if !self.context.client.vault().is_some_and(|v| v.has_pin()) {
            return;
        }
        let home = self.context.files.folder().to_owned();
        let kept = session::load(&home, self.now());
        let closed = self.standing.borrow().closed.clone();
        let is_locked = closed.is_some_and(|error| error.code == "vault.locked");
        match kept {
            None if self.follows_session => self.context.client.lock(),
            Some((key, _)) if is_locked => self.unlock_again(key),
            _ => {}
        }
    }

    /// A key that opens nothing leaves it locked.
    fn unlock_again(&mut self, key: VaultKey) {
        let client = &mut self.context.client;
        if client.read_again().is_ok() && client.unlock_with_session(key).is_ok() {
            self.follow_session();
        }
    }

    fn follow_session(&mut self) {
        let has_pin = self.context.client.vault().is_some_and(|v| v.has_pin());
        let home = self.context.files.folder();
        self.follows_session = has_pin && session::load(home, self.context.client.now()).is_some();
        self.session_kept = Instant::now();
    }

    fn used(&mut self) {
        if self.context.client.touch().is_err() || !self.follows_session {
            return;
        }
        if self.session_kept.elapsed() >= KEEP_SESSION && self.context.keep_session().is_ok() {
            self.session_kept = Instant::now();
        }
    }

    fn unlock(&mut self, pin: Option<&str>) -> Result<(), Failure> {
        self.context.client.read_again()?;
        match pin {
            Some(pin) => {
                self.context.client.unlock_with_pin(pin)?;
                self.context.keep_session()?;
            }
            None if self.context.client.vault().is_some_and(|v| v.has_pin()) => {
                return Err(VaultError::Locked.into());
            }
            None => self.context.unlock()?,
        }
        self.follow_session();
        Ok(())
    }

    fn drop_all(&mut self) {
        self.open.clear();
        self.account = None;
        self.context.client.lock();
    }

    /// What the page shows; nothing of what is on this device while it is locked.
    fn state(&self) -> Value {
        let now = self.now();
        let standing = self.standing.borrow();
        let Some(account) = &self.account else {
            return json!({
                "locked": true,
                "pin": self.context.client.vault().is_some_and(|v| v.has_pin()),
                "failure": standing.closed,
                "record": null,
                "apps": [],
                "lease": null,
            });
        };
        let lease = account.lease.view(now);
        let apps: Vec<Value> = account.downloads.entries.iter().map(stored).collect();
        json!({
            "locked": false,
            "pin": self.context.client.vault().is_some_and(|v| v.has_pin()),
            "failure": null,
            "record": {
                "hub": account.hub,
                "device": account.device,
                "user": account.user,
                "userName": account.name,
                "offlineHours": lease.offline_hours,
            },
            "apps": apps,
            "lease": {
                "state": if lease.status == LeaseStatus::Closed { "closed" } else { "open" },
                "started": lease.status == LeaseStatus::Running,
                "until": lease.ends_at,
                "hours": lease.offline_hours,
                "failure": standing.refusal(now),
            },
        })
    }

    fn metas(&self) -> Vec<AppMeta> {
        let Some(account) = self.account.as_ref().filter(|_| !self.is_closed()) else {
            return Vec::new();
        };
        let meta = |entry: &satchel_device::Entry| match self.open.get(&entry.app) {
            Some(open) => open.app.meta.clone(),
            None => {
                let manifest = &entry.manifest;
                let id = entry.app.as_str();
                let mut meta = AppMeta::new(id, &*manifest.title, account.user.clone());
                meta.last_reload = Some(manifest.data_as_of);
                meta
            }
        };
        account.downloads.entries.iter().map(meta).collect()
    }

    fn is_closed(&self) -> bool {
        self.standing.borrow().refusal(self.now()).is_some()
    }
}

fn stored(entry: &satchel_device::Entry) -> Value {
    json!({
        "app": entry.app,
        "file": "",
        "size": entry.size,
        "savedAt": entry.downloaded_at,
        "manifest": entry.manifest,
    })
}

impl Desk {
    /// How it stands, and every change of it.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// What the page shows.
    pub async fn state(&self) -> Value {
        self.ask(Ask::State).await.unwrap_or(Value::Null)
    }

    /// Opens an app, or finds it open.
    pub async fn open(&self, app: AppId) -> Result<(), ApiError> {
        let asked = self.ask(|reply| Ask::Open(app, reply)).await;
        asked.unwrap_or_else(|| Err(ending())).map(drop)
    }

    /// Unlocks, with the PIN or with the key file.
    pub async fn unlock(&self, pin: Option<Zeroizing<String>>) -> Result<(), ApiError> {
        let asked = self.ask(|reply| Ask::Unlock(pin, reply)).await;
        asked.unwrap_or_else(|| Err(ending()))
    }

    /// Locks at once.
    pub async fn lock(&self) {
        self.ask(Ask::Lock).await;
    }

    /// Somebody is there: the idle time starts anew.
    pub fn used(&self) {
        let _ = self.asks.send(Ask::Used);
    }

    /// Ends the program.
    pub fn stop(&self) {
        let _ = self.asks.send(Ask::Stop);
    }

    /// As [`Self::open`], for a thread that may wait.
    pub fn open_now(&self, app: AppId) -> Result<OpenApp, ApiError> {
        let asked = self.ask_now(|reply| Ask::Open(app, reply));
        asked.unwrap_or_else(|| Err(ending()))
    }

    /// The apps there are, for a thread that may wait.
    pub fn apps_now(&self) -> Vec<AppMeta> {
        self.ask_now(Ask::Apps).unwrap_or_default()
    }

    /// Whose apps these are; nobody's while it is locked.
    pub fn user(&self) -> Option<UserInfo> {
        let user = self.user.lock().unwrap_or_else(PoisonError::into_inner);
        user.clone()
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(ask(reply)).ok()?;
        answer.await.ok()
    }

    fn ask_now<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(ask(reply)).ok()?;
        answer.blocking_recv().ok()
    }
}

/// The program is about to end.
fn ending() -> ApiError {
    Failure::new(
        "loopback.stopped",
        "satchel open has ended",
        "Start it again: satchel open",
    )
    .0
}
