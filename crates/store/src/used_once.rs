//! What may be used once: states of a sign-in, tickets, identifiers of tokens.

use satchel_base::UnixMillis;

use crate::{Store, StoreError};

impl Store {
    /// Uses up `key`, which means nothing after `expires_at`: whether this is the first time.
    /// Of two at the same time one is the first.
    ///
    /// # Errors
    /// Database errors.
    pub async fn use_once(
        &self,
        key: &[u8; 32],
        expires_at: UnixMillis,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM used_once WHERE expires_at < ?1")
            .bind(now.0)
            .execute(&mut *tx)
            .await?;
        let result = sqlx::query(
            "INSERT INTO used_once (key, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )
        .bind(key.as_slice())
        .bind(expires_at.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(result.rows_affected() == 1)
    }
}
