//! Connections: where load scripts may get data from beside files. An administrator defines
//! them; a script names them and never sees what is behind the name.

use satchel_base::{Secret, SubjectId};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::{from_json, to_json};
use crate::sealing::SealNonce;
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

const PURPOSE: &str = "satchel 2026 secrets of connections v1";

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
            Some(secret) => Some(self.seal_secret(&connection.name, secret.expose(), nonce)?),
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
            Some(sealed) => Some(self.unseal_secret(&connection.name, &sealed)?),
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

    fn seal_secret(
        &self,
        name: &str,
        secret: &str,
        nonce: SealNonce,
    ) -> Result<Vec<u8>, StoreError> {
        self.seal(PURPOSE, &name.to_lowercase(), secret.as_bytes(), nonce)
            .ok_or_else(|| StoreError::damaged("the secret to be sealed"))
    }

    fn unseal_secret(&self, name: &str, sealed: &[u8]) -> Result<Secret<String>, StoreError> {
        self.unseal(PURPOSE, &name.to_lowercase(), sealed)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(Secret::new)
            .ok_or_else(|| StoreError::damaged(format!("the secret of the connection '{name}'")))
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
