//! A person's own bookmarks of an app, as the engine wrote them: text this room does not read.

use satchel_base::{AppId, SubjectId};
use sqlx::Row;

use crate::{Store, StoreError};

impl Store {
    /// The bookmarks `user` made in `app`; none if they never made one.
    ///
    /// # Errors
    /// Database errors.
    pub async fn bookmarks(
        &self,
        app: &AppId,
        user: &SubjectId,
    ) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT own FROM bookmarks WHERE app = ?1 AND user = ?2")
            .bind(app.as_str())
            .bind(user.as_str())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get("own")).transpose()?)
    }

    /// Keeps `own` as all the bookmarks `user` made in `app`.
    ///
    /// # Errors
    /// Database errors, also if there is no such app or user.
    pub async fn save_bookmarks(
        &self,
        app: &AppId,
        user: &SubjectId,
        own: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO bookmarks (app, user, own) VALUES (?1, ?2, ?3)
             ON CONFLICT (app, user) DO UPDATE SET own = excluded.own",
        )
        .bind(app.as_str())
        .bind(user.as_str())
        .bind(own)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
