//! One-time tickets. The ticket itself is known to its holder only; here is its hash.

use satchel_base::{SubjectId, UnixMillis};
use sqlx::Row;

use crate::{Store, StoreError};

impl Store {
    /// Notes a ticket for a person, good until `ends`.
    ///
    /// # Errors
    /// Database errors.
    pub async fn add_ticket(
        &self,
        hash: &[u8; 32],
        user: &SubjectId,
        ends: UnixMillis,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM ticket WHERE expires_at < ?1")
            .bind(now.0)
            .execute(&mut *tx)
            .await?;
        sqlx::query("INSERT INTO ticket (hash, user, expires_at) VALUES (?1, ?2, ?3)")
            .bind(hash.as_slice())
            .bind(user.as_str())
            .bind(ends.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Uses a ticket up: whose it was, if it is good. Of two at the same time one gets it.
    ///
    /// # Errors
    /// Database errors.
    pub async fn take_ticket(
        &self,
        hash: &[u8; 32],
        now: UnixMillis,
    ) -> Result<Option<SubjectId>, StoreError> {
        let row = sqlx::query("DELETE FROM ticket WHERE hash = ?1 RETURNING user, expires_at")
            .bind(hash.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let ends = UnixMillis(row.try_get("expires_at")?);
        let user: String = row.try_get("user")?;
        Ok((now < ends).then(|| SubjectId::parse(&user)))
    }
}
