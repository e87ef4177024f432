//! People who sign in elsewhere: which person of this hub is meant by an issuer and a subject.

use satchel_base::{SubjectId, UnixMillis};
use sqlx::Row;

use crate::error::to_json;
use crate::{Store, StoreError, User};

/// Somebody another party vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outsider {
    /// Who vouches.
    pub issuer: String,
    /// Whom they mean.
    pub subject: String,
    /// Who that is here if they are new.
    pub id: SubjectId,
    /// The name to show, where it is told.
    pub display_name: Option<String>,
    /// A verified e-mail address, where it is told.
    pub email: Option<String>,
    /// All groups, where they are told; they replace those there were.
    pub groups: Option<Vec<String>>,
}

/// What became of somebody who arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The person, known before or added now.
    Person(User),
    /// Nobody of that name, and nobody is to be added.
    Unknown,
    /// The name belongs to somebody who signs in another way.
    NameTaken,
}

impl Store {
    /// The person `who` is here, brought up to date. A person is found by issuer and subject;
    /// one who comes for the first time takes the name, if it is free or was added for this
    /// (no password, no other link), and is added if `adds`.
    ///
    /// # Errors
    /// Database errors.
    pub async fn arrive(
        &self,
        who: &Outsider,
        adds: bool,
        now: UnixMillis,
    ) -> Result<Arrival, StoreError> {
        let mut tx = self.write().await?;
        let linked = sqlx::query("SELECT user FROM identity WHERE issuer = ?1 AND subject = ?2")
            .bind(&who.issuer)
            .bind(&who.subject)
            .fetch_optional(&mut *tx)
            .await?
            .map(|row| row.try_get::<String, _>(0))
            .transpose()?;
        let id = linked
            .as_deref()
            .map_or_else(|| who.id.clone(), SubjectId::parse);
        let known = sqlx::query("SELECT * FROM user WHERE id = ?1")
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await?
            .map(|row| crate::users::read(&row))
            .transpose()?;
        let user = match known {
            None if !adds => return Ok(Arrival::Unknown),
            None => {
                let user = User {
                    display_name: who.display_name.clone().unwrap_or(id.name().to_owned()),
                    email: who.email.clone().unwrap_or_default(),
                    groups: who.groups.clone().unwrap_or_default(),
                    roles: Vec::new(),
                    password_hash: None,
                    id,
                };
                sqlx::query(
                    "INSERT INTO user (id, display_name, email, groups, roles, created_at)
                     VALUES (?1, ?2, ?3, ?4, '[]', ?5)",
                )
                .bind(user.id.as_str())
                .bind(&user.display_name)
                .bind(&user.email)
                .bind(to_json(&user.groups)?)
                .bind(now.0)
                .execute(&mut *tx)
                .await?;
                user
            }
            Some(mut user) => {
                if linked.is_none() {
                    let others = sqlx::query("SELECT 1 FROM identity WHERE user = ?1")
                        .bind(user.id.as_str())
                        .fetch_optional(&mut *tx)
                        .await?;
                    if user.password_hash.is_some() || others.is_some() {
                        return Ok(Arrival::NameTaken);
                    }
                }
                if let Some(name) = &who.display_name {
                    user.display_name.clone_from(name);
                }
                if let Some(email) = &who.email {
                    user.email.clone_from(email);
                }
                if let Some(groups) = &who.groups {
                    user.groups.clone_from(groups);
                }
                sqlx::query(
                    "UPDATE user SET display_name = ?2, email = ?3, groups = ?4 WHERE id = ?1",
                )
                .bind(user.id.as_str())
                .bind(&user.display_name)
                .bind(&user.email)
                .bind(to_json(&user.groups)?)
                .execute(&mut *tx)
                .await?;
                user
            }
        };
        if linked.is_none() {
            sqlx::query(
                "INSERT INTO identity (issuer, subject, user, linked_at) VALUES (?1, ?2, ?3, ?4)",
            )
            .bind(&who.issuer)
            .bind(&who.subject)
            .bind(user.id.as_str())
            .bind(now.0)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(Arrival::Person(user))
    }

    /// Forgets through whom a person signs in: the next who comes with their name is linked
    /// anew. How many links there were.
    ///
    /// # Errors
    /// Database errors.
    pub async fn unlink(&self, user: &SubjectId) -> Result<u64, StoreError> {
        let result = sqlx::query("DELETE FROM identity WHERE user = ?1")
            .bind(user.as_str())
            .execute(&self.pool)
            .await?;
        Ok(result.rows_affected())
    }
}
