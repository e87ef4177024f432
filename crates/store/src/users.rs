//! People.

use satchel_base::{SubjectId, UnixMillis};
use satchel_gate::Role;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::{from_json, to_json};
use crate::{Store, StoreError};

/// A person known to the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `DIRECTORY\NAME`.
    pub id: SubjectId,
    /// The name to show.
    pub display_name: String,
    /// E-mail address, may be empty.
    pub email: String,
    /// Groups, as section access compares them.
    pub groups: Vec<String>,
    /// What they administer.
    pub roles: Vec<Role>,
    /// argon2id in PHC form; absent: no log-in with a password.
    pub password_hash: Option<String>,
}

impl Store {
    /// Adds a person.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the id is taken.
    pub async fn add_user(&self, user: &User, now: UnixMillis) -> Result<(), StoreError> {
        let result = sqlx::query(
            "INSERT INTO user (id, display_name, email, groups, roles, password_hash, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )
        .bind(user.id.as_str())
        .bind(&user.display_name)
        .bind(&user.email)
        .bind(to_json(&user.groups)?)
        .bind(roles_json(&user.roles)?)
        .bind(&user.password_hash)
        .bind(now.0)
        .execute(&self.pool)
        .await?;
        if result.rows_affected() == 0 {
            return Err(StoreError::Exists {
                what: "user",
                name: user.id.to_string(),
            });
        }
        Ok(())
    }

    /// Replaces what is known about a person. A changed password ends all their sessions.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such person.
    pub async fn save_user(&self, user: &User) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let old: Option<Option<String>> =
            sqlx::query("SELECT password_hash FROM user WHERE id = ?1")
                .bind(user.id.as_str())
                .fetch_optional(&mut *tx)
                .await?
                .map(|row| row.try_get(0))
                .transpose()?;
        let Some(old_hash) = old else {
            return Err(unknown(&user.id));
        };
        sqlx::query(
            "UPDATE user SET display_name = ?2, email = ?3, groups = ?4, roles = ?5,
                             password_hash = ?6 WHERE id = ?1",
        )
        .bind(user.id.as_str())
        .bind(&user.display_name)
        .bind(&user.email)
        .bind(to_json(&user.groups)?)
        .bind(roles_json(&user.roles)?)
        .bind(&user.password_hash)
        .execute(&mut *tx)
        .await?;
        if old_hash != user.password_hash {
            sqlx::query("DELETE FROM session WHERE user = ?1")
                .bind(user.id.as_str())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Removes a person with their sessions, devices and access type.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such person.
    pub async fn remove_user(&self, id: &SubjectId, now: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        crate::licences::release_in(&mut tx, id, now).await?;
        let result = sqlx::query("DELETE FROM user WHERE id = ?1")
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        if result.rows_affected() == 0 {
            return Err(unknown(id));
        }
        tx.commit().await?;
        Ok(())
    }

    /// One person, if known.
    ///
    /// # Errors
    /// Database errors.
    pub async fn user(&self, id: &SubjectId) -> Result<Option<User>, StoreError> {
        sqlx::query("SELECT * FROM user WHERE id = ?1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// Everybody, by id.
    ///
    /// # Errors
    /// Database errors.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        sqlx::query("SELECT * FROM user ORDER BY id")
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(read)
            .collect()
    }
}

pub(crate) fn unknown(id: &SubjectId) -> StoreError {
    StoreError::NotFound {
        what: "user",
        name: id.to_string(),
    }
}

pub(crate) fn read(row: &SqliteRow) -> Result<User, StoreError> {
    let roles: Vec<String> = from_json("a user's roles", row.try_get("roles")?)?;
    Ok(User {
        id: SubjectId::parse(row.try_get("id")?),
        display_name: row.try_get("display_name")?,
        email: row.try_get("email")?,
        groups: from_json("a user's groups", row.try_get("groups")?)?,
        // A role this version does not know gives no right.
        roles: roles.iter().filter_map(|r| r.parse().ok()).collect(),
        password_hash: row.try_get("password_hash")?,
    })
}

fn roles_json(roles: &[Role]) -> Result<String, StoreError> {
    to_json(&roles.iter().map(|r| r.name()).collect::<Vec<_>>())
}
