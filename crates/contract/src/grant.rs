//! The grant a log-in yields: how long a device may open downloads without contact.

use satchel_base::{DeviceId, SubjectId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::AccessType;

/// Ten days, counted from the first launch after the log-in (DESIGN §3). Policy may shorten.
pub const MAX_OFFLINE_HOURS: u16 = 240;

/// A grant that was never launched lapses this many days after the log-in (DESIGN §3).
pub const UNLAUNCHED_DAYS: i64 = 30;

/// What the hub signs at each log-in from a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// UUID of this grant; a new log-in makes a new one.
    pub id: String,
    /// The hub's id.
    pub hub: String,
    /// For whom.
    pub user: SubjectId,
    /// On which device.
    pub device: DeviceId,
    /// When the log-in was, by the hub's clock.
    pub issued_at: UnixMillis,
    /// Hours from the first launch, 0–240.
    pub offline_hours: u16,
    /// The access type at the log-in.
    pub access_type: AccessType,
}
