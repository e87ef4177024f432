//! What all requests share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use satchel_base::{Clock, UnixMillis};
use satchel_contract::{ApiError, HubIdentity};
use satchel_gate::{Policy, Throttle};
use satchel_qix::Now;
use satchel_sealed::SigningKey;
use satchel_store::{Settings, SignInSettings, Store, StoreError};
use tokio::sync::{Semaphore, watch};

use crate::apps::Apps;
use crate::embedding::{Issuer, Proxy};
use crate::exports::Exports;
use crate::housekeeping::Sockets;
use crate::limits::ReloadLimits;
use crate::provider::{FlowKey, Provider};
use crate::sessions::Sessions;
use crate::system::now_here;

/// The hub while it runs.
pub struct HubState {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    settings: RwLock<Arc<Settings>>,
    /// The ways to sign in.
    pub(crate) sign_in: SignInSettings,
    /// The providers among them.
    pub(crate) providers: Vec<Arc<Provider>>,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) flow_key: FlowKey,
    /// Origins browsers may come from: those in the settings and those given at the start.
    pub(crate) origins: Vec<String>,
    /// What a reload may use.
    pub(crate) reloads: ReloadLimits,
    /// For which the peer of a socket may be silent.
    pub(crate) silence: Duration,
    pub(crate) signing_key: SigningKey,
    pub(crate) throttle: Mutex<Throttle>,
    /// Log-ins whose password is being checked: 19 MiB each.
    pub(crate) hashing: Semaphore,
    /// Calculations under way: as many as there are cores.
    pub(crate) computing: Arc<Semaphore>,
    pub(crate) apps: Apps,
    pub(crate) exports: Exports,
    pub(crate) sessions: Sessions,
    /// Why downloads failed, by id, where the repository could not be told yet.
    pub(crate) unnoted_failures: Mutex<HashMap<String, ApiError>>,
    /// Sockets by the session they belong to.
    pub(crate) sockets: Sockets,
    /// Becomes true when the hub is to stop.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl HubState {
    pub(crate) fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        (settings, sign_in): (Settings, SignInSettings),
        (providers, issuers, proxy): (Vec<Arc<Provider>>, Vec<Issuer>, Option<Proxy>),
        origins: Vec<String>,
        (reloads, silence): (ReloadLimits, Duration),
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let flow_key = FlowKey::new(store.hub().signing_seed.expose());
        let signing_key = SigningKey::from_seed(store.hub().signing_seed.expose());
        Self {
            store,
            clock,
            settings: RwLock::new(Arc::new(settings)),
            sign_in,
            providers,
            issuers,
            proxy,
            flow_key,
            origins,
            reloads,
            silence,
            signing_key,
            throttle: Mutex::default(),
            hashing: Semaphore::new(cores.max(2)),
            computing: Arc::new(Semaphore::new(cores)),
            apps: Apps::default(),
            exports: Exports::default(),
            sessions: Sessions::default(),
            unnoted_failures: Mutex::default(),
            sockets: Sockets::default(),
            stopping,
        }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// The present time, and the local one of this computer.
    pub(crate) fn now_here(&self) -> Now {
        now_here(self.clock.as_ref())
    }

    pub(crate) fn identity(&self) -> HubIdentity {
        let hub = self.store.hub();
        HubIdentity {
            id: hub.id.clone(),
            name: hub.name.clone(),
            signing_key: base64(&self.signing_key.verifying_key().to_bytes()),
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        let settings = self.settings();
        Policy {
            anonymous_viewing: settings.anonymous_viewing,
            contact: settings.contact.clone(),
        }
    }

    /// What the administrator set, as last read.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.clone()
    }

    /// Takes up what the administrator set meanwhile, in this process or another.
    pub(crate) async fn read_settings(&self) -> Result<(), StoreError> {
        let found = self.store.settings().await?;
        if *self.settings() != found {
            let mut settings = self
                .settings
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            *settings = Arc::new(found);
            tracing::info!("took up changed settings");
        }
        Ok(())
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD
        .decode(text)
        .ok()
}
