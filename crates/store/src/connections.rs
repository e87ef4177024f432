//! Connections: where load scripts may get data from beside files. An administrator defines
//! them; a script names them and never sees what is behind the name.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use satchel_base::{Secret, SubjectId};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::{from_json, to_json};
use crate::{Store, StoreError};

/// A connection, without its secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// What scripts call it; without regard to case.
    pub name: String,
    /// `sqlite`, `postgres`, `mysql` or `web`.
    pub kind: String,
    /// Where it leads, in the form of its kind.
    pub target: serde_json::Value,
    /// Whose scripts may use it: user ids, group names, or `*` for all.
    pub audience: Vec<String>,
    /// Whether it has a secret.
    pub has_secret: bool,
}

impl Connection {
    /// Whether scripts of somebody with these groups may use it. Without regard to case.
    pub fn is_for(&self, user: &SubjectId, groups: &[String]) -> bool {
        self.audience.iter().any(|who| {
            who == "*"
                || SubjectId::parse(who) == *user && who.contains('\\')
                || groups
                    .iter()
                    .any(|g| g.to_uppercase() == who.to_uppercase())
        })
    }
}

/// Bytes that make each sealed secret unlike every other, fresh from the system's entropy.
pub type SealNonce = [u8; 24];

impl Store {
    /// Defines a connection, or replaces the one of this name.
    ///
    /// # Errors
    /// Database errors.
    pub async fn put_connection(
        &self,
        connection: &Connection,
        secret: Option<&Secret<String>>,
        nonce: SealNonce,
    ) -> Result<(), StoreError> {
        let sealed = match secret {
            Some(secret) => Some(self.seal(&connection.name, secret.expose(), nonce)?),
            None => None,
        };
        sqlx::query(
            "INSERT INTO connection (name, kind, target, audience, secret)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (name) DO UPDATE SET name = ?1, kind = ?2, target = ?3, audience = ?4,
                                              secret = ?5",
        )
        .bind(&connection.name)
        .bind(&connection.kind)
        .bind(connection.target.to_string())
        .bind(to_json(&connection.audience)?)
        .bind(sealed)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All connections, by name.
    ///
    /// # Errors
    /// Database errors.
    pub async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        let rows = sqlx::query("SELECT * FROM connection ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(read).collect()
    }

    /// A connection and its secret, for making the connection; never to be shown.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Damaged`] if the secret was sealed by another
    /// hub or was changed.
    pub async fn connection(
        &self,
        name: &str,
    ) -> Result<(Connection, Option<Secret<String>>), StoreError> {
        let row = sqlx::query("SELECT * FROM connection WHERE name = ?1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?
            .ok_or_else(|| unknown(name))?;
        let connection = read(&row)?;
        let sealed: Option<Vec<u8>> = row.try_get("secret")?;
        let secret = match sealed {
            Some(sealed) => Some(self.unseal(&connection.name, &sealed)?),
            None => None,
        };
        Ok((connection, secret))
    }

    /// Removes a connection.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none of this name.
    pub async fn remove_connection(&self, name: &str) -> Result<(), StoreError> {
        let result = sqlx::query("DELETE FROM connection WHERE name = ?1")
            .bind(name)
            .execute(&self.pool)
            .await?;
        match result.rows_affected() {
            0 => Err(unknown(name)),
            _ => Ok(()),
        }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let seed = self.hub.signing_seed.expose();
        let key = blake3::derive_key("satchel 2026 secrets of connections v1", seed);
        XChaCha20Poly1305::new(&key.into())
    }

    /// The nonce, then what was sealed; bound to the name, so that nobody swaps two rows.
    fn seal(&self, name: &str, secret: &str, nonce: SealNonce) -> Result<Vec<u8>, StoreError> {
        let aad = name.to_lowercase();
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: aad.as_bytes(),
        };
        let sealed = (self.cipher().encrypt(&nonce.into(), payload))
            .map_err(|_| StoreError::damaged("the secret to be sealed"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Secret<String>, StoreError> {
        let damaged = || StoreError::damaged(format!("the secret of the connection '{name}'"));
        let (nonce, sealed) = sealed.split_first_chunk::<24>().ok_or_else(damaged)?;
        let aad = name.to_lowercase();
        let payload = Payload {
            msg: sealed,
            aad: aad.as_bytes(),
        };
        let bytes = (self.cipher().decrypt(&(*nonce).into(), payload)).map_err(|_| damaged())?;
        Ok(Secret::new(
            String::from_utf8(bytes).map_err(|_| damaged())?,
        ))
    }
}

fn unknown(name: &str) -> StoreError {
    StoreError::NotFound {
        what: "connection",
        name: name.to_owned(),
    }
}

fn read(row: &SqliteRow) -> Result<Connection, StoreError> {
    Ok(Connection {
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        target: from_json("a connection", row.try_get("target")?)?,
        audience: from_json("a connection", row.try_get("audience")?)?,
        has_secret: row.try_get::<Option<Vec<u8>>, _>("secret")?.is_some(),
    })
}
