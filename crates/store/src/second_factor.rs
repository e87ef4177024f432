//! The second factor beside a password. Whether a code is right, `gate` says; here is what must
//! happen once, and at once.

use satchel_base::{Secret, SubjectId, UnixMillis};
use sqlx::{Row, Sqlite, Transaction};

use crate::sealing::SealNonce;
use crate::users::unknown;
use crate::{Store, StoreError};

const PURPOSE: &str = "satchel 2026 secrets of second factors v1";

/// The authenticator app of a person.
#[derive(Clone, Debug)]
pub struct SecondFactor {
    /// What its codes are made of.
    pub secret: Secret<Vec<u8>>,
    /// Whether a first code has shown that the app has it; until then it is a proposal.
    pub is_confirmed: bool,
}

/// Where a person stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecondFactorState {
    /// Whether codes are asked for.
    pub is_on: bool,
    /// Whether an administrator requires it of this person.
    pub is_required: bool,
    /// Recovery codes that are left.
    pub n_recovery_codes: u16,
}

/// What becomes of a person's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenSessions {
    /// They end: somebody else may have what they were begun with.
    End,
    /// They go on.
    Stay,
}

impl Store {
    /// Keeps a secret for a person until a first code confirms it, in place of an earlier
    /// proposal. False if a secret is confirmed already; that one stays.
    ///
    /// # Errors
    /// Database errors.
    pub async fn propose_second_factor(
        &self,
        user: &SubjectId,
        secret: &[u8],
        nonce: SealNonce,
    ) -> Result<bool, StoreError> {
        let sealed = self
            .seal(PURPOSE, user.as_str(), secret, nonce)
            .ok_or_else(|| StoreError::damaged("the secret to be sealed"))?;
        let result = sqlx::query(
            "INSERT INTO second_factor (user, secret, last_step) VALUES (?1, ?2, 0)
             ON CONFLICT (user) DO UPDATE SET secret = ?2, last_step = 0
             WHERE confirmed_at IS NULL",
        )
        .bind(user.as_str())
        .bind(sealed)
        .execute(&self.pool)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    /// The secret of a person, confirmed or proposed.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it was sealed by another hub or was changed.
    pub async fn second_factor(
        &self,
        user: &SubjectId,
    ) -> Result<Option<SecondFactor>, StoreError> {
        let row = sqlx::query("SELECT secret, confirmed_at FROM second_factor WHERE user = ?1")
            .bind(user.as_str())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: Vec<u8> = row.try_get("secret")?;
        let secret = self
            .unseal(PURPOSE, user.as_str(), &sealed)
            .ok_or_else(|| StoreError::damaged(format!("the second factor of {user}")))?;
        Ok(Some(SecondFactor {
            secret: Secret::new(secret),
            is_confirmed: row.try_get::<Option<i64>, _>("confirmed_at")?.is_some(),
        }))
    }

    /// Where a person stands; as somebody without any if there is no such person.
    ///
    /// # Errors
    /// Database errors.
    pub async fn second_factor_state(
        &self,
        user: &SubjectId,
    ) -> Result<SecondFactorState, StoreError> {
        let row = sqlx::query(
            "SELECT second_factor_required AS required,
                    EXISTS (SELECT 1 FROM second_factor
                            WHERE user = user.id AND confirmed_at IS NOT NULL) AS is_on,
                    (SELECT count(*) FROM recovery_code WHERE user = user.id) AS n
             FROM user WHERE id = ?1",
        )
        .bind(user.as_str())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok(SecondFactorState::default());
        };
        Ok(SecondFactorState {
            is_on: row.try_get::<i64, _>("is_on")? != 0,
            is_required: row.try_get::<i64, _>("required")? != 0,
            n_recovery_codes: row.try_get("n")?,
        })
    }

    /// The first code was right: from now on codes are asked for, and there are these recovery
    /// codes. Sessions of this person end. False if there is no proposal, or the step is used.
    ///
    /// # Errors
    /// Database errors.
    pub async fn confirm_second_factor(
        &self,
        user: &SubjectId,
        step: u64,
        recovery: &[[u8; 32]],
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let result = sqlx::query(
            "UPDATE second_factor SET confirmed_at = ?2, last_step = ?3
             WHERE user = ?1 AND confirmed_at IS NULL AND last_step < ?3",
        )
        .bind(user.as_str())
        .bind(now.0)
        .bind(as_integer(step))
        .execute(&mut *tx)
        .await?;
        if result.rows_affected() == 0 {
            return Ok(false);
        }
        put_recovery_codes(&mut tx, user, recovery).await?;
        end_sessions(&mut tx, user).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes the code of a step: false if one of it or of a later step was taken before. Of two
    /// at the same time one is taken.
    ///
    /// # Errors
    /// Database errors.
    pub async fn take_step(&self, user: &SubjectId, step: u64) -> Result<bool, StoreError> {
        let result = sqlx::query(
            "UPDATE second_factor SET last_step = ?2
             WHERE user = ?1 AND confirmed_at IS NOT NULL AND last_step < ?2",
        )
        .bind(user.as_str())
        .bind(as_integer(step))
        .execute(&self.pool)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    /// Uses up a recovery code: whether it was one. Of two at the same time one is taken.
    ///
    /// # Errors
    /// Database errors.
    pub async fn take_recovery_code(
        &self,
        user: &SubjectId,
        hash: &[u8; 32],
    ) -> Result<bool, StoreError> {
        let result = sqlx::query("DELETE FROM recovery_code WHERE user = ?1 AND hash = ?2")
            .bind(user.as_str())
            .bind(hash.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(result.rows_affected() == 1)
    }

    /// Replaces all recovery codes of a person.
    ///
    /// # Errors
    /// Database errors.
    pub async fn replace_recovery_codes(
        &self,
        user: &SubjectId,
        recovery: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        put_recovery_codes(&mut tx, user, recovery).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes a person's second factor with its recovery codes: whether there was one.
    ///
    /// # Errors
    /// Database errors.
    pub async fn remove_second_factor(
        &self,
        user: &SubjectId,
        sessions: OpenSessions,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let result = sqlx::query("DELETE FROM second_factor WHERE user = ?1")
            .bind(user.as_str())
            .execute(&mut *tx)
            .await?;
        put_recovery_codes(&mut tx, user, &[]).await?;
        if sessions == OpenSessions::End {
            end_sessions(&mut tx, user).await?;
        }
        tx.commit().await?;
        Ok(result.rows_affected() == 1)
    }

    /// Whether a second factor is required of a person, from the next sign-in on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such person.
    pub async fn require_second_factor(
        &self,
        user: &SubjectId,
        required: bool,
    ) -> Result<(), StoreError> {
        let result = sqlx::query("UPDATE user SET second_factor_required = ?2 WHERE id = ?1")
            .bind(user.as_str())
            .bind(required)
            .execute(&self.pool)
            .await?;
        match result.rows_affected() {
            0 => Err(unknown(user)),
            _ => Ok(()),
        }
    }
}

/// A step counts half-minutes since 1970; one that does not fit is later than all.
fn as_integer(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

async fn put_recovery_codes(
    tx: &mut Transaction<'static, Sqlite>,
    user: &SubjectId,
    recovery: &[[u8; 32]],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM recovery_code WHERE user = ?1")
        .bind(user.as_str())
        .execute(&mut **tx)
        .await?;
    for hash in recovery {
        sqlx::query("INSERT INTO recovery_code (user, hash) VALUES (?1, ?2)")
            .bind(user.as_str())
            .bind(hash.as_slice())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn end_sessions(
    tx: &mut Transaction<'static, Sqlite>,
    user: &SubjectId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE user = ?1")
        .bind(user.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
