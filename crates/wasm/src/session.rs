//! An open package and the engine sessions on it.

use std::sync::{Arc, Mutex, PoisonError};

use satchel_base::{Budget, CancelToken, Entropy as _, Limits, SubjectId};
use satchel_data::{Model, View};
use satchel_device::DeviceError;
use satchel_engine::Engine;
use satchel_qix::{
    AppContent, AppImage, AppMeta, Host, Now, OpenApp, OpenFailure, OpenMode, Refusal, Reloaded,
    SessionConfig, UserInfo,
};
use satchel_sealed::package;
use wasm_bindgen::prelude::*;

use crate::device::{Keys, Stretched, binding, verifying_key};
use crate::failure::{other, thrown};
use crate::millis;

/// 1.5 GiB: a browser gives a worker at most 4 GiB, and computing needs room too.
const MAX_MODEL_BYTES: u64 = 3 << 29;

/// A download, decrypted and loaded. It holds only what its owner may see.
#[wasm_bindgen]
pub struct OpenPackage {
    engine: Arc<Engine>,
    content: Arc<AppContent>,
    meta: AppMeta,
    user: SubjectId,
}

#[wasm_bindgen]
impl OpenPackage {
    /// Opens a package: signed by the pinned hub, for this person, device and app.
    pub fn open(
        bytes: &[u8],
        keys: &Keys,
        hub: &str,
        user: &str,
        device: &str,
        app: &str,
        hub_key: &str,
    ) -> Result<OpenPackage, JsValue> {
        let expected = binding(hub, user, device, app);
        let opened = package::open(bytes, &expected, &verifying_key(hub_key)?, &keys.kem)
            .map_err(|error| thrown(DeviceError::from(error)))?;
        let image = AppImage::decode(&opened.payload)
            .map_err(|error| other("app.damaged", &error.to_string(), "Download the app again."))?;
        drop(opened);
        let model = Model::from_snapshot(&image.snapshot, MAX_MODEL_BYTES)
            .map_err(|error| other("app.damaged", &error.to_string(), "Download the app again."))?;
        // The hub reduced the model before it was sealed, so nothing is left to hide.
        let view = Arc::new(View::unrestricted(Arc::new(model)));
        Ok(Self {
            engine: Engine::new(view),
            content: Arc::new(image.content),
            meta: image.meta,
            user: SubjectId::parse(user),
        })
    }

    /// A new session on this app. `seed` is at least 32 unpredictable bytes.
    ///
    /// `own` are the bookmarks [`Session::take_own_bookmarks`] gave for this app: all there
    /// are, or, if the package was sealed after them, to be added to those it brings.
    pub fn session(
        &self,
        seed: &[u8],
        now: f64,
        own: Option<String>,
        package_is_newer: bool,
    ) -> Result<Session, JsValue> {
        let mut content = self.content.clone();
        if let Some(own) = own {
            let content = Arc::make_mut(&mut content);
            if !package_is_newer {
                content.bookmarks.retain(|b| !b.is_own(&self.user));
            }
            content.add_own_bookmarks(&own).map_err(|error| {
                other(
                    "device.bookmarks_damaged",
                    &format!("the bookmarks on this device cannot be read: {error}"),
                    "Remove the app from this device and download it again.",
                )
            })?;
        }
        let kept = Arc::default();
        let host = PackageHost {
            engine: self.engine.clone(),
            content,
            kept: Arc::clone(&kept),
            meta: self.meta.clone(),
            user: self.user.clone(),
            entropy: Stretched::new(seed),
            clock: std::sync::Arc::default(),
        };
        let clock = host.clock.clone();
        clock.set(now, 0);
        Ok(Session {
            session: satchel_qix::Session::new(SessionConfig::default(), Box::new(host)),
            clock,
            kept,
        })
    }
}

/// One connection to the engine in this worker.
#[wasm_bindgen]
pub struct Session {
    session: satchel_qix::Session,
    clock: Arc<WorkerClock>,
    kept: Kept,
}

/// The reader's own bookmarks, once they changed, until the worker took them.
type Kept = Arc<Mutex<Option<String>>>;

#[wasm_bindgen]
impl Session {
    /// The frames a client gets before it asks anything.
    pub fn greeting(&self) -> Vec<String> {
        self.session.greeting()
    }

    /// Carries out one frame at `now`, where local time is `offset_minutes` ahead of UTC.
    pub fn handle(&mut self, frame: &str, now: f64, offset_minutes: i32) -> Vec<String> {
        self.clock.set(now, offset_minutes);
        let budget = Budget::new(Limits::INTERACTIVE, CancelToken::default());
        self.session.handle(frame, &budget)
    }

    /// The reader's own bookmarks of this app as JSON, if the last frame changed them. To be
    /// sealed and written down before the reply is handed on.
    pub fn take_own_bookmarks(&mut self) -> Option<String> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// The worker's clock, as the last frame brought it.
#[derive(Default)]
struct WorkerClock {
    utc_ms: std::sync::atomic::AtomicI64,
    offset_minutes: std::sync::atomic::AtomicI32,
}

impl WorkerClock {
    fn set(&self, now: f64, offset_minutes: i32) {
        use std::sync::atomic::Ordering::Relaxed;
        self.utc_ms.store(millis(now).0, Relaxed);
        self.offset_minutes.store(offset_minutes, Relaxed);
    }
}

/// What a session finds outside: one app, one person, and no way to change either.
struct PackageHost {
    engine: Arc<Engine>,
    content: Arc<AppContent>,
    meta: AppMeta,
    user: SubjectId,
    entropy: Stretched,
    clock: Arc<WorkerClock>,
    kept: Kept,
}

impl Host for PackageHost {
    fn doc_list(&mut self) -> Vec<AppMeta> {
        vec![self.meta.clone()]
    }

    fn open(&mut self, app: &str, _mode: OpenMode) -> Result<OpenApp, OpenFailure> {
        if app != self.meta.id {
            return Err(OpenFailure::AccessDenied);
        }
        Ok(OpenApp {
            engine: self.engine.clone(),
            content: self.content.clone(),
            meta: self.meta.clone(),
        })
    }

    fn save(&mut self, _app: &str, _content: &AppContent) -> Result<(), Refusal> {
        Err(Refusal::NotHere)
    }

    fn keep_bookmarks(&mut self, _app: &str, own: &str) -> Result<(), Refusal> {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(own.to_owned());
        Ok(())
    }

    fn reload(&mut self, _: &str, _: &AppContent, _: bool) -> Result<Reloaded, Refusal> {
        Err(Refusal::NotHere)
    }

    fn user(&self) -> UserInfo {
        UserInfo {
            id: self.user.clone(),
            name: self.user.name().to_owned(),
        }
    }

    fn now(&self) -> Now {
        use std::sync::atomic::Ordering::Relaxed;
        Now {
            utc: satchel_base::UnixMillis(self.clock.utc_ms.load(Relaxed)),
            offset_minutes: self.clock.offset_minutes.load(Relaxed),
        }
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        self.entropy.fill(bytes);
    }

    fn product_version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }
}
