//! The manifest of a download: what was kept, for whom, and why.

use satchel_base::{AppId, DeviceId, SubjectId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::TableRows;

/// Signed by the hub and carried in clear text in front of the sealed payload.
///
/// It names no withheld field and no withheld value: only how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The app.
    pub app: AppId,
    /// Its title at the time.
    pub title: String,
    /// When the data was loaded.
    pub data_as_of: UnixMillis,
    /// Which reload of the app this is; grows by one with each published reload.
    pub reload: u64,
    /// The hub's id.
    pub hub: String,
    /// For whom it was reduced.
    pub user: SubjectId,
    /// To which device it is sealed.
    pub device: DeviceId,
    /// When it was sealed.
    pub sealed_at: UnixMillis,
    /// Rows in and out, table by table.
    pub tables: Vec<TableRows>,
    /// How many fields section access withheld.
    pub fields_withheld: u32,
    /// BLAKE3 of the access rules that were applied, hex.
    pub access_fingerprint: String,
    /// The grant under which it was made.
    pub grant: String,
}
