//! Sessions. The token itself is known to its holder only; here is its hash.

use std::collections::HashSet;

use satchel_base::{DeviceId, SubjectId, UnixMillis};
use satchel_contract::AccessType;
use satchel_gate::{
    Client, SESSION_ABSOLUTE_MS, SESSION_IDLE_MS, SessionState, session_state, sessions_to_end,
};
use sqlx::Row;

use crate::{Store, StoreError};

/// SHA-256 of a session's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub user: SubjectId,
    /// What it was begun with.
    pub client: Client,
    /// When it began.
    pub began: UnixMillis,
    /// The device it comes from was revoked: it opens nothing any more.
    pub is_revoked: bool,
    /// The device it comes from, where that is known.
    pub device: Option<DeviceId>,
}

/// How exact `last_seen` is: one write a minute per session, not one per request.
const LAST_SEEN_STEP_MS: i64 = 60_000;

impl Store {
    /// Begins a session. Ends those of the same person that are too many (idle longest first)
    /// and returns how many that were.
    ///
    /// # Errors
    /// Database errors.
    pub async fn begin_session(
        &self,
        token: TokenHash,
        user: &SubjectId,
        client: Client,
        have: AccessType,
        now: UnixMillis,
    ) -> Result<usize, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM session WHERE last_seen <= ?1 OR began <= ?2")
            .bind(now.plus_ms(-SESSION_IDLE_MS).0)
            .bind(now.plus_ms(-SESSION_ABSOLUTE_MS).0)
            .execute(&mut *tx)
            .await?;
        let rows = sqlx::query("SELECT token_hash, last_seen FROM session WHERE user = ?1")
            .bind(user.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let seen = rows
            .iter()
            .map(|r| r.try_get("last_seen").map(UnixMillis))
            .collect::<Result<Vec<_>, _>>()?;
        let ended = sessions_to_end(have, &seen);
        for &i in &ended {
            sqlx::query("DELETE FROM session WHERE token_hash = ?1")
                .bind(rows[i].try_get::<Vec<u8>, _>("token_hash")?)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query(
            "INSERT INTO session (token_hash, user, client, began, last_seen)
             VALUES (?1, ?2, ?3, ?4, ?4)",
        )
        .bind(token.0.as_slice())
        .bind(user.as_str())
        .bind(match client {
            Client::Browser => "browser",
            Client::Device => "device",
        })
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(ended.len())
    }

    /// The session of a token, if it is live at `now`; being asked for keeps it from idling.
    ///
    /// # Errors
    /// Database errors.
    pub async fn touch_session(
        &self,
        token: TokenHash,
        now: UnixMillis,
    ) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query(
            "SELECT session.user, session.client, began, session.last_seen, revoked_at, device
             FROM session
             LEFT JOIN device ON device.id = session.device WHERE token_hash = ?1",
        )
        .bind(token.0.as_slice())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let began = UnixMillis(row.try_get("began")?);
        let last_seen = UnixMillis(row.try_get("last_seen")?);
        if session_state(began, last_seen, now) != SessionState::Live {
            self.end_session(token).await?;
            return Ok(None);
        }
        if now.since_ms(last_seen) >= LAST_SEEN_STEP_MS {
            let seen = sqlx::query(
                "UPDATE session SET last_seen = max(last_seen, ?2) WHERE token_hash = ?1",
            )
            .bind(token.0.as_slice())
            .bind(now.0)
            .execute(&self.pool)
            .await;
            // On a full disk a session idles out early; it does not end at once.
            match seen.map_err(StoreError::from) {
                Err(error) if !error.is_full() => return Err(error),
                _ => {}
            }
        }
        Ok(Some(Session {
            user: SubjectId::parse(row.try_get("user")?),
            client: match row.try_get("client")? {
                "browser" => Client::Browser,
                // The stricter reading of anything else.
                _ => Client::Device,
            },
            began,
            is_revoked: row.try_get::<Option<i64>, _>("revoked_at")?.is_some(),
            device: row
                .try_get::<Option<String>, _>("device")?
                .map(DeviceId::new),
        }))
    }

    /// Which of these sessions are not live any more, without keeping any from idling.
    ///
    /// # Errors
    /// Database errors.
    pub async fn ended_sessions(
        &self,
        tokens: &[TokenHash],
        now: UnixMillis,
    ) -> Result<Vec<TokenHash>, StoreError> {
        let rows = sqlx::query(
            "SELECT token_hash, began, session.last_seen FROM session
             LEFT JOIN device ON device.id = session.device WHERE revoked_at IS NULL",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut live = HashSet::with_capacity(rows.len());
        for row in rows {
            let began = UnixMillis(row.try_get("began")?);
            let last_seen = UnixMillis(row.try_get("last_seen")?);
            if session_state(began, last_seen, now) == SessionState::Live {
                live.insert(row.try_get::<Vec<u8>, _>("token_hash")?);
            }
        }
        let ended = |token: &&TokenHash| !live.contains(token.0.as_slice());
        Ok(tokens.iter().filter(ended).copied().collect())
    }

    /// Notes that a session is a device's, so that revoking the device ends it.
    ///
    /// # Errors
    /// Database errors.
    pub async fn bind_session(
        &self,
        token: TokenHash,
        device: &DeviceId,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE session SET device = ?2 WHERE token_hash = ?1 AND device IS NOT ?2")
            .bind(token.0.as_slice())
            .bind(device.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Database errors.
    pub async fn end_session(&self, token: TokenHash) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM session WHERE token_hash = ?1")
            .bind(token.0.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
