//! Which hub this is, and what its administrator set.

use std::path::Path;

use satchel_base::{Secret, UnixMillis};
use sqlx::{Row, SqlitePool};

use crate::blobs::{read_small, write_atomically};
use crate::error::{from_json, to_json};
use crate::{Store, StoreError};

/// Which hub this is. The signing key lives in a file of its own (`hub.key`, readable by its
/// owner only), so that a copy of the database forges nothing.
#[derive(Clone, Debug)]
pub struct HubRecord {
    /// UUID made at `init`.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// The ed25519 seed.
    pub signing_seed: Secret<[u8; 32]>,
}

/// What an administrator set; absent members have the defaults.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Longest time a download may stay open without contact, hours, 0–240.
    pub offline_hours: u16,
    /// Whether a device may remember the log-in.
    pub may_remember: bool,
    /// Whether people who are not signed in may see apps in a browser.
    pub anonymous_viewing: bool,
    /// Whether people may export data from apps on the hub.
    pub may_export: bool,
    /// What every person's devices may do, beside the switches above.
    pub policy: satchel_contract::Policy,
    /// What one person's devices may do, by their id; only ever stricter.
    pub policies: std::collections::BTreeMap<String, satchel_contract::Policy>,
    /// Whom refusals tell people to ask.
    pub contact: String,
    /// Origins under which people reach this hub: `https://hub.example.org`.
    pub public_origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            offline_hours: satchel_contract::MAX_OFFLINE_HOURS,
            may_remember: true,
            anonymous_viewing: false,
            may_export: true,
            policy: satchel_contract::Policy::default(),
            policies: std::collections::BTreeMap::new(),
            contact: String::new(),
            public_origins: Vec::new(),
        }
    }
}

impl Store {
    /// The settings in force.
    ///
    /// # Errors
    /// Database errors; [`StoreError::Damaged`] if they cannot be read.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        let row = sqlx::query("SELECT value FROM setting WHERE key = 'hub'")
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => from_json("the settings", row.try_get("value")?),
            None => Ok(Settings::default()),
        }
    }

    /// Replaces the settings.
    ///
    /// # Errors
    /// Database errors.
    pub async fn save_settings(&self, settings: &Settings) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO setting (key, value) VALUES ('hub', ?1)
             ON CONFLICT (key) DO UPDATE SET value = ?1",
        )
        .bind(to_json(settings)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

const KEY_FILE: &str = "hub.key";

pub(crate) fn write_key(dir: &Path, seed: &[u8; 32]) -> Result<(), StoreError> {
    write_atomically(&dir.join(KEY_FILE), seed)
}

pub(crate) async fn insert(
    pool: &SqlitePool,
    id: &str,
    name: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO hub (one, id, name, created_at) VALUES (1, ?1, ?2, ?3)")
        .bind(id)
        .bind(name)
        .bind(now.0)
        .execute(pool)
        .await?;
    Ok(())
}

pub(crate) async fn load(pool: &SqlitePool, dir: &Path) -> Result<HubRecord, StoreError> {
    let row = sqlx::query("SELECT id, name FROM hub")
        .fetch_optional(pool)
        .await?
        .ok_or_else(|| StoreError::NotInitialised { dir: dir.into() })?;
    let bytes = read_small(&dir.join(KEY_FILE), 33)?;
    let seed: [u8; 32] = bytes
        .try_into()
        .map_err(|_| StoreError::damaged("the key file hub.key"))?;
    Ok(HubRecord {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        signing_seed: Secret::new(seed),
    })
}
