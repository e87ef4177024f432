//! Enrolled devices, their challenges, their grants, and what they hold.

use satchel_base::{AppId, DeviceId, SubjectId, UnixMillis};
use satchel_contract::{AccessType, Grant};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::{Store, StoreError};

/// An enrolled device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// UUID.
    pub id: DeviceId,
    /// Whose.
    pub user: SubjectId,
    /// What its owner calls it.
    pub name: String,
    /// `browser`, `linux` …
    pub platform: String,
    /// Client name and version.
    pub client: String,
    /// X-Wing public key, to which packages are sealed.
    pub kem_key: Vec<u8>,
    /// ed25519 public key, with which it signs in again.
    pub signing_key: Vec<u8>,
    /// Whether it may sign in without a password.
    pub remember: bool,
    /// When it was enrolled.
    pub enrolled_at: UnixMillis,
    /// When it last talked to the hub.
    pub last_seen: UnixMillis,
    /// When it was revoked.
    pub revoked_at: Option<UnixMillis>,
    /// When an administrator asked for it to be wiped.
    pub wipe_at: Option<UnixMillis>,
    /// When it was first told so: it proved who it is, and got that as the answer.
    pub wipe_told_at: Option<UnixMillis>,
    /// When the newest grant was issued that it says it keeps.
    pub kept_grant: Option<UnixMillis>,
    /// When it was found that there are two of it: somebody copied or restored its files.
    pub copied_at: Option<UnixMillis>,
}

/// A device to enrol.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// UUID.
    pub id: DeviceId,
    /// Whose.
    pub user: SubjectId,
    /// What its owner calls it.
    pub name: String,
    /// `browser`, `linux` …
    pub platform: String,
    /// Client name and version.
    pub client: String,
    /// X-Wing public key.
    pub kem_key: Vec<u8>,
    /// ed25519 public key.
    pub signing_key: Vec<u8>,
    /// Whether it may sign in without a password.
    pub remember: bool,
}

/// A grant as the hub remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedGrant {
    /// UUID.
    pub id: String,
    /// When it was issued.
    pub issued_at: UnixMillis,
    /// Hours from the first launch.
    pub offline_hours: u16,
    /// The access type it was issued for.
    pub access_type: AccessType,
}

impl Store {
    /// Enrols a device.
    ///
    /// # Errors
    /// Database errors.
    pub async fn enrol_device(
        &self,
        device: &NewDevice,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO device (id, user, name, platform, client, kem_key, signing_key, remember,
                                 enrolled_at, last_seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
        )
        .bind(device.id.as_str())
        .bind(device.user.as_str())
        .bind(&device.name)
        .bind(&device.platform)
        .bind(&device.client)
        .bind(&device.kem_key)
        .bind(&device.signing_key)
        .bind(device.remember)
        .bind(now.0)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// One device, revoked or not, if there is one.
    ///
    /// # Errors
    /// Database errors.
    pub async fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError> {
        sqlx::query("SELECT * FROM device WHERE id = ?1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// All devices, by person and name.
    ///
    /// # Errors
    /// Database errors.
    pub async fn devices(&self) -> Result<Vec<Device>, StoreError> {
        sqlx::query("SELECT * FROM device ORDER BY user, name, id")
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// How many live devices a person has.
    ///
    /// # Errors
    /// Database errors.
    pub async fn n_devices(&self, user: &SubjectId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT count(*) FROM device WHERE user = ?1 AND revoked_at IS NULL")
            .bind(user.as_str())
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
    }

    /// Revokes a device and asks for it to be wiped: what it gets at its next contact, before
    /// anything else, is that it is revoked, and a client that hears so removes keys and
    /// downloads of this hub.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device.
    pub async fn wipe_device(&self, id: &DeviceId, now: UnixMillis) -> Result<(), StoreError> {
        self.revoke_device(id, now).await?;
        sqlx::query("UPDATE device SET wipe_at = coalesce(wipe_at, ?2) WHERE id = ?1")
            .bind(id.as_str())
            .bind(now.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes that a device that is to be wiped was told so. Whether that is news.
    ///
    /// # Errors
    /// Database errors.
    pub async fn note_wipe_told(&self, id: &DeviceId, now: UnixMillis) -> Result<bool, StoreError> {
        let result = sqlx::query(
            "UPDATE device SET wipe_told_at = ?2
             WHERE id = ?1 AND wipe_at IS NOT NULL AND wipe_told_at IS NULL",
        )
        .bind(id.as_str())
        .bind(now.0)
        .execute(&self.pool)
        .await?;
        Ok(result.rows_affected() > 0)
    }

    /// Notes that a device keeps the grant issued at `issued_at`, unless it keeps a newer one.
    ///
    /// # Errors
    /// Database errors.
    pub async fn note_kept_grant(
        &self,
        id: &DeviceId,
        issued_at: UnixMillis,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE device SET kept_grant = ?2
             WHERE id = ?1 AND (kept_grant IS NULL OR kept_grant < ?2)",
        )
        .bind(id.as_str())
        .bind(issued_at.0)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Revokes a device of which there are two, and notes why.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device.
    pub async fn stop_copies(&self, id: &DeviceId, now: UnixMillis) -> Result<(), StoreError> {
        self.revoke_device(id, now).await?;
        sqlx::query("UPDATE device SET copied_at = coalesce(copied_at, ?2) WHERE id = ?1")
            .bind(id.as_str())
            .bind(now.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Revokes a device: it may not sign in, renew or download any more, and the sessions of
    /// its owner that come from it, or from no device that is known, are over. A session of
    /// the native client stays only to tell the device so ([`crate::Session::is_revoked`]).
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device.
    pub async fn revoke_device(&self, id: &DeviceId, now: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let result = sqlx::query(
            "UPDATE device SET revoked_at = coalesce(revoked_at, ?2), remember = 0 WHERE id = ?1",
        )
        .bind(id.as_str())
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
        if result.rows_affected() == 0 {
            return Err(StoreError::NotFound {
                what: "device",
                name: id.to_string(),
            });
        }
        sqlx::query(
            "DELETE FROM session WHERE (device = ?1 AND client = 'browser')
               OR (device IS NULL AND client = 'device'
                   AND user = (SELECT user FROM device WHERE id = ?1))",
        )
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Forgets the remembered log-in of a person's device.
    ///
    /// # Errors
    /// Database errors.
    pub async fn forget_remembered(
        &self,
        id: &DeviceId,
        user: &SubjectId,
    ) -> Result<bool, StoreError> {
        let result = sqlx::query("UPDATE device SET remember = 0 WHERE id = ?1 AND user = ?2")
            .bind(id.as_str())
            .bind(user.as_str())
            .execute(&self.pool)
            .await?;
        Ok(result.rows_affected() > 0)
    }

    /// Keeps a challenge until `expires_at`, and forgets those that have expired.
    ///
    /// # Errors
    /// Database errors.
    pub async fn put_challenge(
        &self,
        nonce_hash: [u8; 32],
        device: &DeviceId,
        expires_at: UnixMillis,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM challenge WHERE expires_at <= ?1")
            .bind(now.0)
            .execute(&mut *tx)
            .await?;
        // Whoever asks without end pushes out their own challenges only.
        sqlx::query(
            "DELETE FROM challenge WHERE device = ?1 AND nonce_hash NOT IN
               (SELECT nonce_hash FROM challenge WHERE device = ?1 ORDER BY expires_at DESC LIMIT 15)",
        )
        .bind(device.as_str())
        .execute(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO challenge (nonce_hash, device, expires_at) VALUES (?1, ?2, ?3)")
            .bind(nonce_hash.as_slice())
            .bind(device.as_str())
            .bind(expires_at.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes a challenge: true for one caller only, and only before it expires.
    ///
    /// # Errors
    /// Database errors.
    pub async fn take_challenge(
        &self,
        nonce_hash: [u8; 32],
        device: &DeviceId,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let result = sqlx::query(
            "DELETE FROM challenge WHERE nonce_hash = ?1 AND device = ?2 AND expires_at > ?3",
        )
        .bind(nonce_hash.as_slice())
        .bind(device.as_str())
        .bind(now.0)
        .execute(&self.pool)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    /// Remembers a grant, and that the device was seen.
    ///
    /// # Errors
    /// Database errors.
    pub async fn record_grant(&self, grant: &Grant) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO issued_grant (id, user, device, issued_at, offline_hours, access_type)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(&grant.id)
        .bind(grant.user.as_str())
        .bind(grant.device.as_str())
        .bind(grant.issued_at.0)
        .bind(i64::from(grant.offline_hours))
        .bind(grant.access_type.name())
        .execute(&mut *tx)
        .await?;
        sqlx::query("UPDATE device SET last_seen = ?2 WHERE id = ?1")
            .bind(grant.device.as_str())
            .bind(grant.issued_at.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The latest grant of a device.
    ///
    /// # Errors
    /// Database errors.
    pub async fn latest_grant(&self, device: &DeviceId) -> Result<Option<IssuedGrant>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM issued_grant WHERE device = ?1 ORDER BY issued_at DESC, id LIMIT 1",
        )
        .bind(device.as_str())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(IssuedGrant {
                id: row.try_get("id")?,
                issued_at: UnixMillis(row.try_get("issued_at")?),
                offline_hours: u16::try_from(row.try_get::<i64, _>("offline_hours")?).unwrap_or(0),
                access_type: AccessType::from_name(row.try_get("access_type")?)
                    .unwrap_or(AccessType::None),
            })
        })
        .transpose()
    }

    /// Notes that a device fetched an app.
    ///
    /// # Errors
    /// Database errors.
    pub async fn note_device_app(
        &self,
        device: &DeviceId,
        app: &AppId,
        reload: u64,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO device_app (device, app, reload, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (device, app) DO UPDATE SET reload = ?3, at = ?4",
        )
        .bind(device.as_str())
        .bind(app.as_str())
        .bind(i64::try_from(reload).unwrap_or(i64::MAX))
        .bind(now.0)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The apps a device fetched.
    ///
    /// # Errors
    /// Database errors.
    pub async fn device_apps(&self, device: &DeviceId) -> Result<Vec<AppId>, StoreError> {
        sqlx::query("SELECT app FROM device_app WHERE device = ?1 ORDER BY app")
            .bind(device.as_str())
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(|row| Ok(AppId::new(row.try_get::<String, _>(0)?)))
            .collect()
    }
}

fn read(row: &SqliteRow) -> Result<Device, StoreError> {
    Ok(Device {
        id: DeviceId::new(row.try_get::<String, _>("id")?),
        user: SubjectId::parse(row.try_get("user")?),
        name: row.try_get("name")?,
        platform: row.try_get("platform")?,
        client: row.try_get("client")?,
        kem_key: row.try_get("kem_key")?,
        signing_key: row.try_get("signing_key")?,
        remember: row.try_get("remember")?,
        enrolled_at: UnixMillis(row.try_get("enrolled_at")?),
        last_seen: UnixMillis(row.try_get("last_seen")?),
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(UnixMillis),
        wipe_at: row.try_get::<Option<i64>, _>("wipe_at")?.map(UnixMillis),
        wipe_told_at: row
            .try_get::<Option<i64>, _>("wipe_told_at")?
            .map(UnixMillis),
        kept_grant: row.try_get::<Option<i64>, _>("kept_grant")?.map(UnixMillis),
        copied_at: row.try_get::<Option<i64>, _>("copied_at")?.map(UnixMillis),
    })
}
