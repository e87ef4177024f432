//! The lease of this browser, for the worker to keep.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use satchel_base::{DeviceId, SubjectId};
use satchel_contract::HubIdentity;
use satchel_device::{LeaseError, LeaseState, LeaseStatus, verify_grant};
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::failure::{other, thrown};
use crate::millis;

/// How long downloads open, for one person on this device at one hub.
#[wasm_bindgen]
pub struct Lease {
    state: LeaseState,
    hub: HubIdentity,
    user: SubjectId,
    device: DeviceId,
}

#[wasm_bindgen]
impl Lease {
    /// A lease before its first grant.
    pub fn empty(hub: &str, user: &str, device: &str, hub_key: &str) -> Lease {
        Self {
            state: LeaseState::default(),
            hub: HubIdentity {
                id: hub.to_owned(),
                name: String::new(),
                signing_key: hub_key.to_owned(),
            },
            user: SubjectId::parse(user),
            device: DeviceId::new(device),
        }
    }

    /// The lease that [`Self::save`] wrote.
    pub fn load(
        saved: &str,
        hub: &str,
        user: &str,
        device: &str,
        hub_key: &str,
    ) -> Result<Lease, JsValue> {
        let state = serde_json::from_str(saved).map_err(|_| {
            other(
                "lease.damaged",
                "the record of how long this device may open its downloads cannot be read",
                "Sign in at the hub again; your downloads stay.",
            )
        })?;
        let mut lease = Self::empty(hub, user, device, hub_key);
        lease.state = state;
        Ok(lease)
    }

    /// What to keep: JSON.
    pub fn save(&self) -> Result<String, JsValue> {
        serde_json::to_string(&self.state)
            .map_err(|_| other("lease.damaged", "the lease cannot be written", ""))
    }

    /// A log-in: takes the grant (base64) the hub signed.
    pub fn accept(&mut self, grant: &str, now: f64) -> Result<(), JsValue> {
        let envelope = STANDARD
            .decode(grant)
            .map_err(|_| thrown(LeaseError::GrantNotGenuine))?;
        let grant = verify_grant(&envelope, &self.hub, &self.user, &self.device).map_err(thrown)?;
        self.state.log_in(grant, millis(now)).map_err(thrown)
    }

    /// The client was started or unlocked.
    pub fn launch(&mut self, now: f64) {
        self.state.launch(millis(now));
    }

    /// Looks at the clock and says how it stands, as JSON: `{"state": "open"|"closed",
    /// "started", "until", "hours", "failure"}`. Before the hours have started, `until` is
    /// when they would end if they started now.
    pub fn status(&mut self, now: f64) -> String {
        self.state.observe(millis(now));
        let view = self.state.view(millis(now));
        let open = view.status != LeaseStatus::Closed;
        let failure = (!open).then(|| {
            json!({
                "code": view.code, "message": view.message, "next": view.next, "status": 0
            })
        });
        json!({
            "state": if open { "open" } else { "closed" },
            "started": view.status == LeaseStatus::Running,
            "until": view.ends_at,
            "hours": view.offline_hours,
            "failure": failure,
        })
        .to_string()
    }
}
