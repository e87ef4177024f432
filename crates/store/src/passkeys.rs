//! Passkeys people sign in with. Here are public keys only; whether a sign-in is right, `gate`
//! and the hub say.

use satchel_base::{SubjectId, UnixMillis};
use satchel_gate::may_follow;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::{Store, StoreError};

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// UUID, ours.
    pub id: String,
    /// Whose.
    pub user: SubjectId,
    /// What the authenticator calls it.
    pub credential: Vec<u8>,
    /// The domain it belongs to.
    pub rp_id: String,
    /// `SubjectPublicKeyInfo`, DER.
    pub public_key: Vec<u8>,
    /// As COSE numbers it.
    pub algorithm: i64,
    /// How often it has signed, as it says itself.
    pub sign_count: u32,
    /// Whether its maker keeps a copy of it elsewhere.
    pub is_backed_up: bool,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub created_at: UnixMillis,
    /// When it last signed in.
    pub last_used: Option<UnixMillis>,
}

impl Store {
    /// Adds a passkey: false if the credential is known already.
    ///
    /// # Errors
    /// Database errors.
    pub async fn add_passkey(&self, passkey: &Passkey) -> Result<bool, StoreError> {
        let result = sqlx::query(
            "INSERT INTO passkey (id, user, credential, rp_id, public_key, algorithm, sign_count,
                                  backed_up, name, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
        )
        .bind(&passkey.id)
        .bind(passkey.user.as_str())
        .bind(&passkey.credential)
        .bind(&passkey.rp_id)
        .bind(&passkey.public_key)
        .bind(passkey.algorithm)
        .bind(passkey.sign_count)
        .bind(passkey.is_backed_up)
        .bind(&passkey.name)
        .bind(passkey.created_at.0)
        .execute(&self.pool)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    /// A person's passkeys, oldest first.
    ///
    /// # Errors
    /// Database errors.
    pub async fn passkeys(&self, user: &SubjectId) -> Result<Vec<Passkey>, StoreError> {
        sqlx::query("SELECT * FROM passkey WHERE user = ?1 ORDER BY created_at, id")
            .bind(user.as_str())
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// The passkey with what the authenticator calls it.
    ///
    /// # Errors
    /// Database errors.
    pub async fn passkey(&self, credential: &[u8]) -> Result<Option<Passkey>, StoreError> {
        sqlx::query("SELECT * FROM passkey WHERE credential = ?1")
            .bind(credential)
            .fetch_optional(&self.pool)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// Notes a sign-in: false if the count does not follow the last one, as it is where there
    /// are two copies of what can have no copy. Of two at the same time one follows.
    ///
    /// # Errors
    /// Database errors.
    pub async fn use_passkey(
        &self,
        id: &str,
        sign_count: u32,
        is_backed_up: bool,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let last = sqlx::query("SELECT sign_count FROM passkey WHERE id = ?1")
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?;
        let last: Option<u32> = last.map(|row| row.try_get(0)).transpose()?;
        if !last.is_some_and(|last| may_follow(last, sign_count)) {
            return Ok(false);
        }
        sqlx::query(
            "UPDATE passkey SET sign_count = ?2, backed_up = ?3, last_used = ?4 WHERE id = ?1",
        )
        .bind(id)
        .bind(sign_count)
        .bind(is_backed_up)
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Gives a person's passkey another name: whether it is there.
    ///
    /// # Errors
    /// Database errors.
    pub async fn rename_passkey(
        &self,
        user: &SubjectId,
        id: &str,
        name: &str,
    ) -> Result<bool, StoreError> {
        let result = sqlx::query("UPDATE passkey SET name = ?3 WHERE id = ?1 AND user = ?2")
            .bind(id)
            .bind(user.as_str())
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(result.rows_affected() == 1)
    }

    /// Removes a person's passkey: whether it was there.
    ///
    /// # Errors
    /// Database errors.
    pub async fn remove_passkey(&self, user: &SubjectId, id: &str) -> Result<bool, StoreError> {
        let result = sqlx::query("DELETE FROM passkey WHERE id = ?1 AND user = ?2")
            .bind(id)
            .bind(user.as_str())
            .execute(&self.pool)
            .await?;
        Ok(result.rows_affected() == 1)
    }
}

fn read(row: &SqliteRow) -> Result<Passkey, StoreError> {
    Ok(Passkey {
        id: row.try_get("id")?,
        user: SubjectId::parse(row.try_get("user")?),
        credential: row.try_get("credential")?,
        rp_id: row.try_get("rp_id")?,
        public_key: row.try_get("public_key")?,
        algorithm: row.try_get("algorithm")?,
        sign_count: row.try_get("sign_count")?,
        is_backed_up: row.try_get("backed_up")?,
        name: row.try_get("name")?,
        created_at: UnixMillis(row.try_get("created_at")?),
        last_used: row.try_get::<Option<i64>, _>("last_used")?.map(UnixMillis),
    })
}
