//! The repository of a hub: the only SQL, and the folder of blobs.
//!
//! One folder holds everything: `repository.sqlite` (write-ahead log, every commit synced),
//! `blobs/` (contents named by their BLAKE3), `sources/` (data files of apps) and `hub.key`.
//! Every change is one transaction or one rename: a kill at any instant leaves the old state
//! or the new one. Times and identities come from the caller; decisions come from `gate`.

mod apps;
mod audit;
mod blobs;
mod bookmarks;
mod connections;
mod devices;
mod downloads;
mod error;
#[cfg(test)]
mod faults;
mod hub;
mod identities;
mod licences;
mod passkeys;
mod rules;
mod schema;
mod sealing;
mod second_factor;
mod sessions;
mod sign_in;
mod streams;
mod tickets;
mod used_once;
mod users;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, SqlitePool};

pub use apps::{App, NewApp, PublishedReload};
pub use audit::{AuditEntry, AuditEvent, AuditVerdict};
pub use blobs::{BlobName, Blobs, Sweep, write_atomically};
pub use connections::Connection;
pub use devices::{Device, IssuedGrant, NewDevice};
pub use downloads::{DownloadRecord, PackageRecord};
pub use error::StoreError;
pub use hub::{HubRecord, Settings};
pub use identities::{Arrival, Outsider};
pub use licences::{Assignment, InForce, PoolUse};
pub use passkeys::Passkey;
pub use rules::{CustomRule, RuleSettings};
pub use sealing::SealNonce;
pub use second_factor::{OpenSessions, SecondFactor, SecondFactorState};
pub use sessions::{Session, TokenHash};
pub use sign_in::{
    ClientAuthentication, OidcProvider, SecretFrom, SignInSettings, TokenIssuer, TrustedProxy,
};
pub use streams::Stream;
pub use users::User;

/// The repository of one hub. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    dir: PathBuf,
    pool: SqlitePool,
    blobs: Blobs,
    hub: HubRecord,
    audit_key: [u8; 32],
}

impl Store {
    /// Makes a new repository in `dir`, which is created if need be.
    ///
    /// `signing_seed` is the hub's ed25519 seed, fresh from the system's entropy.
    ///
    /// # Errors
    /// [`StoreError::AlreadyInitialised`] if there is one; file and database errors.
    pub async fn init(
        dir: &Path,
        id: &str,
        name: &str,
        signing_seed: [u8; 32],
        now: satchel_base::UnixMillis,
    ) -> Result<Self, StoreError> {
        if dir.join(DATABASE).exists() {
            return Err(StoreError::AlreadyInitialised { dir: dir.into() });
        }
        blobs::make_private_dir(dir)?;
        hub::write_key(dir, &signing_seed)?;
        let pool = connect(dir, true).await?;
        schema::migrate(&pool).await?;
        hub::insert(&pool, id, name, now).await?;
        pool.close().await;
        Self::open(dir).await
    }

    /// Opens the repository in `dir` and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::NotInitialised`] if there is none, [`StoreError::TooNew`] if a newer
    /// hub wrote it.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        if !dir.join(DATABASE).exists() {
            return Err(StoreError::NotInitialised { dir: dir.into() });
        }
        let pool = connect(dir, false).await?;
        schema::migrate(&pool).await?;
        let hub = hub::load(&pool, dir).await?;
        let audit_key = audit::derive_key(hub.signing_seed.expose());
        Ok(Self {
            dir: dir.into(),
            pool,
            blobs: Blobs::open(&dir.join("blobs"))?,
            hub,
            audit_key,
        })
    }

    /// The folder of the repository.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Which hub this is.
    pub fn hub(&self) -> &HubRecord {
        &self.hub
    }

    /// The folder of blobs.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Finishes what is being written and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn write(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        // IMMEDIATE takes the write lock at once: a read that later writes could otherwise
        // fail half-way when another connection wrote in between.
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

const DATABASE: &str = "repository.sqlite";

async fn connect(dir: &Path, create: bool) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(dir.join(DATABASE))
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10));
    Ok(SqlitePoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(15))
        .after_release(|connection, _| {
            Box::pin(async move {
                // SQLite ends a transaction by itself when the disk is full; sqlx still counts
                // it then, and would refuse the next one. Such a connection is not used again.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(options)
        .await?)
}
