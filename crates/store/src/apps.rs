//! Apps: what they are called, where they are, and which data is published.

use std::collections::HashSet;

use satchel_base::{AppId, ByteSize, SubjectId, UnixMillis};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::{from_json, to_json};
use crate::{BlobName, Store, StoreError};

/// An app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// UUID.
    pub id: AppId,
    /// Its title.
    pub title: String,
    /// One line, may be empty.
    pub description: String,
    /// The stream's id; absent if only its owner has it.
    pub stream: Option<String>,
    /// Who owns it.
    pub owner: SubjectId,
    /// Sheets, objects, master items, script.
    pub content: BlobName,
    /// Data of the last published reload.
    pub data: Option<BlobName>,
    /// Size of that data.
    pub data_size: ByteSize,
    /// Grows by one with each published reload; 0 before the first.
    pub reload: u64,
    /// When the data was loaded.
    pub data_as_of: Option<UnixMillis>,
    /// BLAKE3 of the access rules, hex; absent without section access or data.
    pub access_fingerprint: Option<String>,
    /// Columns of the access section an owner confirmed although they reduce nothing.
    pub confirmed_columns: Vec<String>,
    /// Why the last reload is not published, as JSON, if it waits for a confirmation.
    pub pending: Option<String>,
    /// When anything about it last changed.
    pub modified_at: UnixMillis,
    /// When it was published into its stream.
    pub published_at: Option<UnixMillis>,
}

/// A new app.
#[derive(Clone, Debug)]
pub struct NewApp {
    /// UUID.
    pub id: AppId,
    /// Its title.
    pub title: String,
    /// One line, may be empty.
    pub description: String,
    /// Who owns it.
    pub owner: SubjectId,
    /// Sheets, objects, master items, script.
    pub content: BlobName,
}

/// What a reload publishes.
#[derive(Clone, Debug)]
pub struct PublishedReload {
    /// The reload this one was started on; publishing fails if another came first.
    pub after: u64,
    /// The data.
    pub data: BlobName,
    /// Its size.
    pub data_size: ByteSize,
    /// When it was loaded.
    pub data_as_of: UnixMillis,
    /// BLAKE3 of the access rules, hex; absent without section access.
    pub access_fingerprint: Option<String>,
}

impl Store {
    /// Adds an app, or replaces title, description and content of the one with this id.
    ///
    /// # Errors
    /// Database errors.
    pub async fn put_app(&self, app: &NewApp, now: UnixMillis) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO app (id, title, description, owner, content_blob, created_at, modified_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
             ON CONFLICT (id) DO UPDATE SET title = ?2, description = ?3, content_blob = ?5,
                                            modified_at = ?6",
        )
        .bind(app.id.as_str())
        .bind(&app.title)
        .bind(&app.description)
        .bind(app.owner.as_str())
        .bind(app.content.as_str())
        .bind(now.0)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Replaces the content (sheets, objects, script) of an app.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such app.
    pub async fn save_content(
        &self,
        id: &AppId,
        content: &BlobName,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let result =
            sqlx::query("UPDATE app SET content_blob = ?2, modified_at = ?3 WHERE id = ?1")
                .bind(id.as_str())
                .bind(content.as_str())
                .bind(now.0)
                .execute(&self.pool)
                .await?;
        found(result.rows_affected(), id)
    }

    /// Switches an app to the data of a finished reload, in one step. Returns the new number.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] if another reload was published since this one began,
    /// [`StoreError::NotFound`] if the app is gone.
    pub async fn publish_reload(
        &self,
        id: &AppId,
        reload: &PublishedReload,
        now: UnixMillis,
    ) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let current: i64 = sqlx::query("SELECT reload FROM app WHERE id = ?1")
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| unknown(id))?
            .try_get(0)?;
        if u64::try_from(current) != Ok(reload.after) {
            return Err(StoreError::Superseded);
        }
        // A sweep works under the same write lock: what is there now stays.
        if !self.blobs.contains(&reload.data) {
            return Err(StoreError::damaged("the data of a reload"));
        }
        sqlx::query(
            "UPDATE app SET data_blob = ?2, data_size = ?3, data_as_of = ?4,
                            access_fingerprint = ?5, reload = ?6, modified_at = ?7, pending = NULL
             WHERE id = ?1",
        )
        .bind(id.as_str())
        .bind(reload.data.as_str())
        .bind(i64::try_from(reload.data_size.0).unwrap_or(i64::MAX))
        .bind(reload.data_as_of.0)
        .bind(&reload.access_fingerprint)
        .bind(current + 1)
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(reload.after + 1)
    }

    /// Notes that a finished reload waits for a confirmation (`why` is JSON), or that none does.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such app.
    pub async fn set_pending(&self, id: &AppId, why: Option<&str>) -> Result<(), StoreError> {
        let result = sqlx::query("UPDATE app SET pending = ?2 WHERE id = ?1")
            .bind(id.as_str())
            .bind(why)
            .execute(&self.pool)
            .await?;
        found(result.rows_affected(), id)
    }

    /// Replaces the list of confirmed access columns.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such app.
    pub async fn set_confirmed_columns(
        &self,
        id: &AppId,
        columns: &[String],
    ) -> Result<(), StoreError> {
        let result = sqlx::query("UPDATE app SET confirmed_columns = ?2 WHERE id = ?1")
            .bind(id.as_str())
            .bind(to_json(&columns)?)
            .execute(&self.pool)
            .await?;
        found(result.rows_affected(), id)
    }

    /// Publishes an app into a stream.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such app.
    pub async fn publish_app(
        &self,
        id: &AppId,
        stream_id: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let result = sqlx::query(
            "UPDATE app SET stream = ?2, published_at = ?3, modified_at = ?3 WHERE id = ?1",
        )
        .bind(id.as_str())
        .bind(stream_id)
        .bind(now.0)
        .execute(&self.pool)
        .await?;
        found(result.rows_affected(), id)
    }

    /// Removes an app.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such app.
    pub async fn remove_app(&self, id: &AppId) -> Result<(), StoreError> {
        let result = sqlx::query("DELETE FROM app WHERE id = ?1")
            .bind(id.as_str())
            .execute(&self.pool)
            .await?;
        found(result.rows_affected(), id)
    }

    /// One app, if there is one.
    ///
    /// # Errors
    /// Database errors.
    pub async fn app(&self, id: &AppId) -> Result<Option<App>, StoreError> {
        sqlx::query("SELECT * FROM app WHERE id = ?1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// The app with this id, or the only one with this title.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none, [`StoreError::Ambiguous`] if there are several.
    pub async fn find_app(&self, id_or_title: &str) -> Result<App, StoreError> {
        if let Some(app) = self.app(&AppId::new(id_or_title)).await? {
            return Ok(app);
        }
        let rows = sqlx::query("SELECT * FROM app WHERE title = ?1 COLLATE NOCASE ORDER BY id")
            .bind(id_or_title)
            .fetch_all(&self.pool)
            .await?;
        match rows.as_slice() {
            [row] => read(row),
            [] => Err(unknown(&AppId::new(id_or_title))),
            several => {
                let found: Vec<App> = several.iter().map(read).collect::<Result<_, _>>()?;
                Err(StoreError::Ambiguous {
                    title: id_or_title.to_owned(),
                    ids: found.iter().map(|app| app.id.to_string()).collect(),
                })
            }
        }
    }

    /// All apps, by title.
    ///
    /// # Errors
    /// Database errors.
    pub async fn apps(&self) -> Result<Vec<App>, StoreError> {
        sqlx::query("SELECT * FROM app ORDER BY title COLLATE NOCASE, id")
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// Removes blobs nobody refers to any more. Returns how many. Nothing that is stored or
    /// published at the same time, by this process or another, is removed.
    ///
    /// # Errors
    /// Database and file errors.
    pub async fn sweep_blobs(&self) -> Result<u64, StoreError> {
        let store = self.clone();
        let runtime = tokio::runtime::Handle::current();
        let work = move || {
            // In this order: who stores a blob may take long and needs no database meanwhile.
            let sweep = store.blobs.begin_sweep()?;
            let tx = runtime.block_on(store.write())?;
            let (tx, referenced) = runtime.block_on(referenced(tx))?;
            let removed = sweep.run(&referenced);
            runtime.block_on(tx.rollback())?;
            removed
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| StoreError::damaged("the folder of blobs"))?
    }
}

type Tx = sqlx::Transaction<'static, sqlx::Sqlite>;

/// The blobs somebody refers to.
async fn referenced(mut tx: Tx) -> Result<(Tx, HashSet<BlobName>), StoreError> {
    let rows = sqlx::query(
        "SELECT content_blob AS b FROM app UNION SELECT data_blob FROM app
         UNION SELECT blob FROM download",
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut names = HashSet::with_capacity(rows.len());
    for row in rows {
        let name: Option<String> = row.try_get("b")?;
        names.extend(name.as_deref().and_then(BlobName::parse));
    }
    Ok((tx, names))
}

fn unknown(id: &AppId) -> StoreError {
    StoreError::NotFound {
        what: "app",
        name: id.to_string(),
    }
}

fn found(n_rows: u64, id: &AppId) -> Result<(), StoreError> {
    if n_rows == 0 {
        Err(unknown(id))
    } else {
        Ok(())
    }
}

fn read(row: &SqliteRow) -> Result<App, StoreError> {
    let blob = |text: Option<String>| {
        text.map(|t| BlobName::parse(&t).ok_or_else(|| StoreError::damaged("the name of a blob")))
            .transpose()
    };
    let time = |column| {
        row.try_get::<Option<i64>, _>(column)
            .map(|t| t.map(UnixMillis))
    };
    let unsigned = |column| {
        row.try_get::<i64, _>(column)
            .map(|n| u64::try_from(n).unwrap_or(0))
    };
    Ok(App {
        id: AppId::new(row.try_get::<String, _>("id")?),
        title: row.try_get("title")?,
        description: row.try_get("description")?,
        stream: row.try_get("stream")?,
        owner: SubjectId::parse(row.try_get("owner")?),
        content: blob(row.try_get("content_blob")?)?
            .ok_or_else(|| StoreError::damaged("the content of an app"))?,
        data: blob(row.try_get("data_blob")?)?,
        data_size: ByteSize(unsigned("data_size")?),
        reload: unsigned("reload")?,
        data_as_of: time("data_as_of")?,
        access_fingerprint: row.try_get("access_fingerprint")?,
        confirmed_columns: from_json("confirmed columns", row.try_get("confirmed_columns")?)?,
        pending: row.try_get("pending")?,
        modified_at: UnixMillis(row.try_get("modified_at")?),
        published_at: time("published_at")?,
    })
}
