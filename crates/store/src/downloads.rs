//! Downloads being prepared or ready to be fetched.

use satchel_base::{AppId, ByteSize, DeviceId, SubjectId, UnixMillis};
use satchel_contract::{ApiError, Download, DownloadState, Manifest};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::{from_json, to_json};
use crate::{BlobName, Store, StoreError};

/// A download as the hub remembers it.
#[derive(Clone, Debug, PartialEq)]
pub struct DownloadRecord {
    /// UUID.
    pub id: String,
    /// Of which app.
    pub app: AppId,
    /// For whom.
    pub user: SubjectId,
    /// For which device.
    pub device: DeviceId,
    /// How far it is.
    pub state: DownloadState,
    /// The package, once ready.
    pub package: Option<PackageRecord>,
    /// Why it failed.
    pub error: Option<ApiError>,
    /// When it is removed.
    pub expires_at: UnixMillis,
}

/// A package ready to be fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct PackageRecord {
    /// Its bytes.
    pub blob: BlobName,
    /// How many.
    pub size: ByteSize,
    /// What was kept.
    pub manifest: Manifest,
}

impl DownloadRecord {
    /// As the client sees it.
    pub fn to_wire(&self) -> Download {
        Download {
            id: self.id.clone(),
            state: self.state,
            size: self.package.as_ref().map(|p| p.size),
            blake3: self.package.as_ref().map(|p| p.blob.as_str().to_owned()),
            manifest: self.package.as_ref().map(|p| p.manifest.clone()),
            error: self.error.clone(),
        }
    }
}

impl Store {
    /// Notes that a download is being prepared.
    ///
    /// # Errors
    /// Database errors.
    pub async fn begin_download(
        &self,
        id: &str,
        app: &AppId,
        user: &SubjectId,
        device: &DeviceId,
        now: UnixMillis,
        expires_at: UnixMillis,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO download (id, app, user, device, state, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, 'preparing', ?5, ?6)",
        )
        .bind(id)
        .bind(app.as_str())
        .bind(user.as_str())
        .bind(device.as_str())
        .bind(now.0)
        .bind(expires_at.0)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes that the package is ready. False if the download was removed in the meantime.
    ///
    /// # Errors
    /// Database errors.
    pub async fn finish_download(
        &self,
        id: &str,
        package: &PackageRecord,
    ) -> Result<bool, StoreError> {
        let result = sqlx::query(
            "UPDATE download SET state = 'ready', blob = ?2, size = ?3, manifest = ?4 WHERE id = ?1",
        )
        .bind(id)
        .bind(package.blob.as_str())
        .bind(i64::try_from(package.size.0).unwrap_or(i64::MAX))
        .bind(to_json(&package.manifest)?)
        .execute(&self.pool)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    /// Notes that preparing failed.
    ///
    /// # Errors
    /// Database errors.
    pub async fn fail_download(&self, id: &str, error: &ApiError) -> Result<(), StoreError> {
        sqlx::query("UPDATE download SET state = 'failed', error = ?2 WHERE id = ?1")
            .bind(id)
            .bind(to_json(error)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes, when the hub starts, that nobody prepares the downloads it was preparing.
    ///
    /// # Errors
    /// Database errors.
    pub async fn fail_abandoned_downloads(&self, error: &ApiError) -> Result<u64, StoreError> {
        let result = sqlx::query(
            "UPDATE download SET state = 'failed', error = ?1 WHERE state = 'preparing'",
        )
        .bind(to_json(error)?)
        .execute(&self.pool)
        .await?;
        Ok(result.rows_affected())
    }

    /// A person's download, if it is theirs and has not expired.
    ///
    /// # Errors
    /// Database errors.
    pub async fn download(
        &self,
        id: &str,
        user: &SubjectId,
        now: UnixMillis,
    ) -> Result<Option<DownloadRecord>, StoreError> {
        sqlx::query("SELECT * FROM download WHERE id = ?1 AND user = ?2 AND expires_at > ?3")
            .bind(id)
            .bind(user.as_str())
            .bind(now.0)
            .fetch_optional(&self.pool)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// How many downloads are being prepared for a person.
    ///
    /// # Errors
    /// Database errors.
    pub async fn n_preparing(&self, user: &SubjectId) -> Result<u64, StoreError> {
        let row =
            sqlx::query("SELECT count(*) FROM download WHERE user = ?1 AND state = 'preparing'")
                .bind(user.as_str())
                .fetch_one(&self.pool)
                .await?;
        Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
    }

    /// Removes a person's download. True if there was one.
    ///
    /// # Errors
    /// Database errors.
    pub async fn remove_download(&self, id: &str, user: &SubjectId) -> Result<bool, StoreError> {
        let result = sqlx::query("DELETE FROM download WHERE id = ?1 AND user = ?2")
            .bind(id)
            .bind(user.as_str())
            .execute(&self.pool)
            .await?;
        Ok(result.rows_affected() > 0)
    }

    /// Removes downloads that have expired. Returns how many.
    ///
    /// # Errors
    /// Database errors.
    pub async fn remove_expired_downloads(&self, now: UnixMillis) -> Result<u64, StoreError> {
        let result = sqlx::query("DELETE FROM download WHERE expires_at <= ?1")
            .bind(now.0)
            .execute(&self.pool)
            .await?;
        Ok(result.rows_affected())
    }
}

fn read(row: &SqliteRow) -> Result<DownloadRecord, StoreError> {
    let blob: Option<String> = row.try_get("blob")?;
    let manifest: Option<String> = row.try_get("manifest")?;
    let error: Option<String> = row.try_get("error")?;
    let package = match (blob.as_deref().and_then(BlobName::parse), manifest) {
        (Some(blob), Some(manifest)) => Some(PackageRecord {
            blob,
            size: ByteSize(
                u64::try_from(row.try_get::<Option<i64>, _>("size")?.unwrap_or(0)).unwrap_or(0),
            ),
            manifest: from_json("the manifest of a download", &manifest)?,
        }),
        _ => None,
    };
    Ok(DownloadRecord {
        id: row.try_get("id")?,
        app: AppId::new(row.try_get::<String, _>("app")?),
        user: SubjectId::parse(row.try_get("user")?),
        device: DeviceId::new(row.try_get::<String, _>("device")?),
        state: match row.try_get("state")? {
            "preparing" => DownloadState::Preparing,
            "ready" => DownloadState::Ready,
            _ => DownloadState::Failed,
        },
        package,
        error: error
            .map(|e| from_json("the error of a download", &e))
            .transpose()?,
        expires_at: UnixMillis(row.try_get("expires_at")?),
    })
}
