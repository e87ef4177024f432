//! Streams: where published apps are shown, and to whom.

use satchel_base::SubjectId;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::{from_json, to_json};
use crate::{Store, StoreError};

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// UUID.
    pub id: String,
    /// Its name; two streams never differ by case alone.
    pub name: String,
    /// Who sees it: user ids, group names, or `*` for everybody signed in.
    pub audience: Vec<String>,
}

impl Stream {
    /// Whether somebody with these groups sees the stream. Without regard to case.
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

impl Store {
    /// The stream called `name`, made with `id` if there is none.
    ///
    /// # Errors
    /// Database errors.
    pub async fn ensure_stream(&self, name: &str, id: &str) -> Result<Stream, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO stream (id, name, position, audience)
             VALUES (?1, ?2, (SELECT count(*) FROM stream), '[\"*\"]') ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(name)
        .execute(&mut *tx)
        .await?;
        let row = sqlx::query("SELECT * FROM stream WHERE name = ?1")
            .bind(name)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        read(&row)
    }

    /// Says who sees a stream.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such stream.
    pub async fn set_stream_audience(
        &self,
        name: &str,
        audience: &[String],
    ) -> Result<(), StoreError> {
        let result = sqlx::query("UPDATE stream SET audience = ?2 WHERE name = ?1")
            .bind(name)
            .bind(to_json(&audience)?)
            .execute(&self.pool)
            .await?;
        if result.rows_affected() == 0 {
            return Err(StoreError::NotFound {
                what: "stream",
                name: name.into(),
            });
        }
        Ok(())
    }

    /// All streams, in the order to show them.
    ///
    /// # Errors
    /// Database errors.
    pub async fn streams(&self) -> Result<Vec<Stream>, StoreError> {
        sqlx::query("SELECT * FROM stream ORDER BY position, name")
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(read)
            .collect()
    }
}

fn read(row: &SqliteRow) -> Result<Stream, StoreError> {
    Ok(Stream {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        audience: from_json("a stream's audience", row.try_get("audience")?)?,
    })
}
