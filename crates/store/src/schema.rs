//! The schema, and how an older one is brought up to date.

use sqlx::{Row, SqlitePool};

use crate::StoreError;

/// Each step brings the schema from its position to the next; never changed once released.
const STEPS: &[&str] = &[
    include_str!("../migrations/0001_repository.sql"),
    include_str!("../migrations/0002_bookmarks.sql"),
    include_str!("../migrations/0003_session_device.sql"),
    include_str!("../migrations/0004_connections.sql"),
    include_str!("../migrations/0005_device_wipe.sql"),
    include_str!("../migrations/0006_sign_in.sql"),
    include_str!("../migrations/0007_tickets.sql"),
    include_str!("../migrations/0008_device_copies.sql"),
    include_str!("../migrations/0009_second_factor.sql"),
    include_str!("../migrations/0010_passkeys.sql"),
];

/// Brings the database to the newest version, each step in one transaction.
pub(crate) async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let supported = STEPS.len() as i64;
    loop {
        let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
        let found: i64 = sqlx::query("PRAGMA user_version")
            .fetch_one(&mut *tx)
            .await?
            .try_get(0)?;
        if found > supported {
            return Err(StoreError::TooNew { found, supported });
        }
        let Some(step) = usize::try_from(found).ok().and_then(|i| STEPS.get(i)) else {
            return Ok(());
        };
        sqlx::raw_sql(*step).execute(&mut *tx).await?;
        // PRAGMA takes no parameters; the number is our own.
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "PRAGMA user_version = {}",
            found + 1
        )))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
    }
}
