//! The audit log: append-only, each entry chained to the one before by a keyed BLAKE3.
//!
//! The key is derived from the hub's signing seed, which is not in the database: whoever can
//! only write the database can neither change an entry, nor drop one, nor cut the end off,
//! without [`Store::verify_audit`] finding it. Restoring an older copy of the whole database
//! is outside what a log beside the data can show.

use satchel_base::UnixMillis;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use crate::error::to_json;
use crate::{Store, StoreError};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// When.
    pub at: UnixMillis,
    /// Who: a subject, or `hub`.
    pub actor: String,
    /// What: `sign_in`, `download.start`.
    pub action: &'static str,
    /// To what: an app, a device, a user; may be empty.
    pub object: String,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// More, never secrets or cell values.
    pub detail: serde_json::Value,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct AuditEntry {
    /// Position, from 1.
    pub seq: i64,
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// More, as JSON.
    pub detail: serde_json::Value,
}

/// What checking the log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditVerdict {
    /// All entries are as they were written.
    Intact {
        /// How many there are.
        n_entries: i64,
    },
    /// The entry at this position was changed, or the one before it was.
    Changed {
        /// Position.
        seq: i64,
    },
    /// The entry at this position is missing.
    Missing {
        /// Position.
        seq: i64,
    },
}

/// Entries read at a time while verifying.
const PAGE: i64 = 1_000;

impl Store {
    /// Appends an event.
    ///
    /// # Errors
    /// Database errors. What is not in the log must not happen: callers refuse then.
    pub async fn audit(&self, event: &AuditEvent) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        self.audit_in(&mut tx, event).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn audit_in(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        let last = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut **tx)
            .await?;
        let (seq, previous): (i64, Vec<u8>) = match last {
            Some(row) => (row.try_get::<i64, _>("seq")? + 1, row.try_get("hash")?),
            None => (1, Vec::new()),
        };
        let detail = to_json(&event.detail)?;
        let hash = self.link(
            &previous,
            seq,
            event.at.0,
            [
                &event.actor,
                event.action,
                &event.object,
                &event.outcome,
                &detail,
            ],
        );
        sqlx::query(
            "INSERT INTO audit (seq, at, actor, action, object, outcome, detail, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .bind(seq)
        .bind(event.at.0)
        .bind(&event.actor)
        .bind(event.action)
        .bind(&event.object)
        .bind(&event.outcome)
        .bind(&detail)
        .bind(hash.as_slice())
        .execute(&mut **tx)
        .await?;
        sqlx::query(
            "INSERT INTO audit_head (one, seq, mac) VALUES (1, ?1, ?2)
             ON CONFLICT (one) DO UPDATE SET seq = ?1, mac = ?2",
        )
        .bind(seq)
        .bind(self.seal_head(seq, &hash).as_slice())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The latest entries, newest last. `limit` is at most 10,000.
    ///
    /// # Errors
    /// Database errors.
    pub async fn audit_entries(&self, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = sqlx::query("SELECT * FROM audit ORDER BY seq DESC LIMIT ?1")
            .bind(i64::from(limit.min(10_000)))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().rev().map(read).collect()
    }

    /// Checks every entry and the end of the log.
    ///
    /// # Errors
    /// Database errors.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        let mut tx = self.pool.begin().await?;
        let mut previous: Vec<u8> = Vec::new();
        let mut seq = 0;
        loop {
            let rows = sqlx::query("SELECT * FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2")
                .bind(seq)
                .bind(PAGE)
                .fetch_all(&mut *tx)
                .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let found: i64 = row.try_get("seq")?;
                if found != seq + 1 {
                    return Ok(AuditVerdict::Missing { seq: seq + 1 });
                }
                seq = found;
                let text = |column| row.try_get::<String, _>(column);
                let hash = self.link(
                    &previous,
                    seq,
                    row.try_get("at")?,
                    [
                        &text("actor")?,
                        &text("action")?,
                        &text("object")?,
                        &text("outcome")?,
                        &text("detail")?,
                    ],
                );
                let stored: Vec<u8> = row.try_get("hash")?;
                if stored != hash {
                    return Ok(AuditVerdict::Changed { seq });
                }
                previous = stored;
            }
        }
        let head = sqlx::query("SELECT seq, mac FROM audit_head")
            .fetch_optional(&mut *tx)
            .await?;
        match head {
            None if seq == 0 => {}
            Some(row) if row.try_get::<i64, _>("seq")? == seq => {
                let mac: Vec<u8> = row.try_get("mac")?;
                if mac != self.seal_head(seq, &previous) {
                    return Ok(AuditVerdict::Changed { seq });
                }
            }
            _ => return Ok(AuditVerdict::Missing { seq: seq + 1 }),
        }
        Ok(AuditVerdict::Intact { n_entries: seq })
    }

    /// The hash of one entry: every part with its length, so that no two entries look alike.
    fn link(&self, previous: &[u8], seq: i64, at: i64, parts: [&str; 5]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.audit_key);
        hasher.update(b"entry");
        hasher.update(&(previous.len() as u64).to_le_bytes());
        hasher.update(previous);
        hasher.update(&seq.to_le_bytes());
        hasher.update(&at.to_le_bytes());
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    fn seal_head(&self, seq: i64, hash: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.audit_key);
        hasher.update(b"head");
        hasher.update(&seq.to_le_bytes());
        hasher.update(hash);
        *hasher.finalize().as_bytes()
    }
}

/// The key of the chain, from the hub's signing seed.
pub(crate) fn derive_key(signing_seed: &[u8; 32]) -> [u8; 32] {
    blake3::derive_key("satchel 2026 audit log chain v1", signing_seed)
}

fn read(row: &SqliteRow) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        seq: row.try_get("seq")?,
        at: UnixMillis(row.try_get("at")?),
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        object: row.try_get("object")?,
        outcome: row.try_get("outcome")?,
        detail: crate::error::from_json("an audit entry", row.try_get("detail")?)?,
    })
}
