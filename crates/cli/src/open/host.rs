//! The world outside a QIX session on this device: what is downloaded, and no way to change it.

use satchel_base::{AppId, Clock as _, Entropy as _, SubjectId};
use satchel_device_native::{SystemClock, SystemEntropy};
use satchel_qix::{
    AppContent, AppMeta, Host, Now, OpenApp, OpenFailure, OpenMode, Refusal, Reloaded, UserInfo,
};

use super::keeper::Desk;

/// What one session finds outside. Called on threads that may wait.
pub struct DeviceHost {
    /// Where downloads are opened.
    pub desk: Desk,
}

impl Host for DeviceHost {
    fn doc_list(&mut self) -> Vec<AppMeta> {
        self.desk.apps_now()
    }

    fn open(&mut self, app: &str, _mode: OpenMode) -> Result<OpenApp, OpenFailure> {
        self.desk.open_now(AppId::new(app)).map_err(|error| {
            if error.code == "app.not_downloaded" {
                OpenFailure::AccessDenied
            } else {
                OpenFailure::Unavailable {
                    message: format!("{} [{}]", error.message, error.code),
                }
            }
        })
    }

    fn save(&mut self, _app: &str, _content: &AppContent) -> Result<(), Refusal> {
        Err(Refusal::NotHere)
    }

    fn reload(&mut self, _: &str, _: &AppContent, _: bool) -> Result<Reloaded, Refusal> {
        Err(Refusal::NotHere)
    }

    fn user(&self) -> UserInfo {
        self.desk.user().unwrap_or_else(|| UserInfo {
            id: SubjectId::parse(""),
            name: String::new(),
        })
    }

    fn now(&self) -> Now {
        let utc = SystemClock.now();
        Now {
            utc,
            offset_minutes: SystemClock.local_offset_minutes(utc),
        }
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        SystemEntropy.fill(bytes);
    }

    fn product_version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }
}
