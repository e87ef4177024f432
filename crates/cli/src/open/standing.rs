//! How it stands: whether downloads are open, for how long, and what there is. The keeper says
//! it; every session and every request looks at it.

use satchel_base::UnixMillis;
use satchel_contract::ApiError;
use satchel_device::{DeviceError, LeaseState};

use crate::output::Failure;

/// How it stands at a time.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Why everything is closed; none while it is open.
    pub closed: Option<ApiError>,
    /// The lease as last looked at.
    pub lease: LeaseState,
    /// Ids of the apps on this device.
    pub apps: Vec<String>,
    /// Whether the program ends.
    pub stopping: bool,
}

impl Standing {
    /// Why nothing opens at `now`, if so. Exact to the millisecond, whenever the keeper looked.
    pub fn refusal(&self, now: UnixMillis) -> Option<ApiError> {
        if self.closed.is_some() {
            return self.closed.clone();
        }
        let error = self.lease.remaining(now).err()?;
        Some(Failure::from(DeviceError::from(error)).0)
    }

    /// The same for somebody who has `app` open.
    pub fn refusal_of(&self, app: Option<&str>, now: UnixMillis) -> Option<ApiError> {
        self.refusal(now).or_else(|| {
            let app = app.filter(|app| !self.apps.iter().any(|here| here == app))?;
            let app = app.to_owned();
            Some(Failure::from(DeviceError::NotDownloaded { app }).0)
        })
    }
}
