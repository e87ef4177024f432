//! Access types: who has which, and the pools that are used up.

use satchel_base::{SubjectId, UnixMillis};
use satchel_contract::AccessType;
use satchel_gate::{
    CapacityUse, LOGIN_PASS_RETURN_MS, PassUse, Release, may_assign, month_bounds, release,
    touch_capacity, touch_pass,
};
use sqlx::{Row, Sqlite, Transaction};

use crate::users::unknown;
use crate::{Store, StoreError};

/// A person and their access type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Who.
    pub user: SubjectId,
    /// Which type. For Analyzer capacity and Login: may draw on the pool.
    pub access_type: AccessType,
    /// Since when.
    pub assigned_at: UnixMillis,
    /// When it was last used, to within ten minutes; absent if never.
    pub last_used: Option<UnixMillis>,
}

/// How much of an access type is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// Which type.
    pub access_type: AccessType,
    /// How many there are: licences, units a month, or tokens of ten passes.
    pub quantity: u64,
    /// Licences assigned; for Analyzer capacity and Login, people who may draw on the pool.
    pub assigned: u64,
    /// Licences in quarantine.
    pub quarantined: u64,
    /// Units begun this month, or passes that are out.
    pub used: u64,
}

/// What is in force for a person now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InForce {
    /// A named type.
    Named(AccessType),
    /// A type drawn from a pool, until then.
    Drawn {
        /// Analyzer capacity or Login.
        access_type: AccessType,
        /// First instant it is no longer covered.
        until: UnixMillis,
    },
    /// The pool is empty.
    Exhausted {
        /// Analyzer capacity or Login.
        access_type: AccessType,
        /// When there is something in it again, if ever.
        again_at: Option<UnixMillis>,
    },
    /// Nothing is assigned.
    Nothing,
}

impl InForce {
    /// The type a decision is made with; an empty pool is like no type at all.
    pub const fn access_type(self) -> AccessType {
        match self {
            Self::Named(t) | Self::Drawn { access_type: t, .. } => t,
            Self::Exhausted { .. } | Self::Nothing => AccessType::None,
        }
    }
}

/// How exact `last_used` is: one write in ten minutes per person, not one per request.
const LAST_USED_STEP_MS: i64 = 10 * 60_000;

impl Store {
    /// Sets how many of an access type there are.
    ///
    /// # Errors
    /// Database errors.
    pub async fn set_licences(
        &self,
        access_type: AccessType,
        quantity: u64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO licence_pool (access_type, quantity) VALUES (?1, ?2)
             ON CONFLICT (access_type) DO UPDATE SET quantity = ?2",
        )
        .bind(access_type.name())
        .bind(i64::try_from(quantity).unwrap_or(i64::MAX))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Assigns an access type, instead of the one the person may have had.
    ///
    /// # Errors
    /// [`StoreError::NoLicenceLeft`] if all are assigned or in quarantine.
    pub async fn assign(
        &self,
        user: &SubjectId,
        access_type: AccessType,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let known = sqlx::query("SELECT 1 FROM user WHERE id = ?1")
            .bind(user.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        if known.is_none() {
            return Err(unknown(user));
        }
        if assigned_in(&mut tx, user).await?.map(|a| a.access_type) == Some(access_type) {
            return Ok(());
        }
        release_in(&mut tx, user, now).await?;
        if access_type.may_use_device() {
            let total = quantity_in(&mut tx, access_type).await?;
            let held = count(
                sqlx::query("SELECT count(*) FROM assignment WHERE access_type = ?1")
                    .bind(access_type.name())
                    .fetch_one(&mut *tx)
                    .await?,
            )?;
            let cooling: Vec<(SubjectId, UnixMillis)> =
                sqlx::query("SELECT user, until FROM quarantine WHERE access_type = ?1")
                    .bind(access_type.name())
                    .fetch_all(&mut *tx)
                    .await?
                    .iter()
                    .map(|row| {
                        Ok((
                            SubjectId::parse(row.try_get("user")?),
                            UnixMillis(row.try_get("until")?),
                        ))
                    })
                    .collect::<Result<_, sqlx::Error>>()?;
            if !may_assign(user, total, held, &cooling, now) {
                return Err(StoreError::NoLicenceLeft {
                    access_type: access_type.title(),
                    total,
                });
            }
            sqlx::query("DELETE FROM quarantine WHERE user = ?1 AND access_type = ?2")
                .bind(user.as_str())
                .bind(access_type.name())
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query("INSERT INTO assignment (user, access_type, assigned_at) VALUES (?1, ?2, ?3)")
            .bind(user.as_str())
            .bind(access_type.name())
            .bind(now.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes a person's access type away. `None` if they had none.
    ///
    /// # Errors
    /// Database errors.
    pub async fn release(
        &self,
        user: &SubjectId,
        now: UnixMillis,
    ) -> Result<Option<Release>, StoreError> {
        let mut tx = self.write().await?;
        let released = release_in(&mut tx, user, now).await?;
        tx.commit().await?;
        Ok(released)
    }

    /// Who has which access type, by person.
    ///
    /// # Errors
    /// Database errors.
    pub async fn assignments(&self) -> Result<Vec<Assignment>, StoreError> {
        sqlx::query("SELECT * FROM assignment ORDER BY user")
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// How much of every access type is in use at `now`.
    ///
    /// # Errors
    /// Database errors.
    pub async fn pool_use(&self, now: UnixMillis) -> Result<Vec<PoolUse>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let mut pools = Vec::new();
        for access_type in AccessType::ALL {
            if matches!(access_type, AccessType::Anonymous | AccessType::None) {
                continue;
            }
            let assigned = count(
                sqlx::query("SELECT count(*) FROM assignment WHERE access_type = ?1")
                    .bind(access_type.name())
                    .fetch_one(&mut *tx)
                    .await?,
            )?;
            let quarantined = count(
                sqlx::query(
                    "SELECT count(*) FROM quarantine WHERE access_type = ?1 AND until > ?2",
                )
                .bind(access_type.name())
                .bind(now.0)
                .fetch_one(&mut *tx)
                .await?,
            )?;
            let used = match access_type {
                AccessType::AnalyzerCapacity => units_in(&mut tx, now).await?,
                AccessType::Login => passes_in(&mut tx, now).await?.0,
                _ => assigned,
            };
            pools.push(PoolUse {
                access_type,
                quantity: quantity_in(&mut tx, access_type).await?,
                assigned,
                quarantined,
                used,
            });
        }
        Ok(pools)
    }

    /// The type a person would have, without using anything up.
    ///
    /// # Errors
    /// Database errors.
    pub async fn assigned_type(&self, user: &SubjectId) -> Result<AccessType, StoreError> {
        let mut tx = self.pool.begin().await?;
        Ok(assigned_in(&mut tx, user)
            .await?
            .map_or(AccessType::None, |a| a.access_type))
    }

    /// Somebody does something at `now`: which type is in force? Uses up a unit or a pass if
    /// none is running.
    ///
    /// # Errors
    /// Database errors.
    pub async fn touch_access(
        &self,
        user: &SubjectId,
        now: UnixMillis,
    ) -> Result<InForce, StoreError> {
        let assignment = {
            let mut tx = self.pool.begin().await?;
            assigned_in(&mut tx, user).await?
        };
        let Some(assignment) = assignment else {
            return Ok(InForce::Nothing);
        };
        match assignment.access_type {
            AccessType::AnalyzerCapacity => self.draw_unit(user, now).await,
            AccessType::Login => self.draw_pass(user, now).await,
            named => {
                let stale = assignment
                    .last_used
                    .is_none_or(|used| now.since_ms(used) >= LAST_USED_STEP_MS);
                if stale {
                    let used = sqlx::query("UPDATE assignment SET last_used = ?2 WHERE user = ?1")
                        .bind(user.as_str())
                        .bind(now.0)
                        .execute(&self.pool)
                        .await;
                    // On a full disk people go on with what is theirs by name.
                    match used.map_err(StoreError::from) {
                        Err(error) if !error.is_full() => return Err(error),
                        _ => {}
                    }
                }
                Ok(InForce::Named(named))
            }
        }
    }

    async fn draw_unit(&self, user: &SubjectId, now: UnixMillis) -> Result<InForce, StoreError> {
        let access_type = AccessType::AnalyzerCapacity;
        let mut tx = self.write().await?;
        let last = last_in(
            &mut tx,
            "SELECT max(began) FROM capacity_unit WHERE user = ?1",
            user,
        )
        .await?;
        let used = units_in(&mut tx, now).await?;
        let quota = quantity_in(&mut tx, access_type).await?;
        Ok(match touch_capacity(last, used, quota, now) {
            CapacityUse::Running { until } => InForce::Drawn { access_type, until },
            CapacityUse::Exhausted { again_at } => InForce::Exhausted {
                access_type,
                again_at: Some(again_at),
            },
            CapacityUse::Begins { until } => {
                sqlx::query("INSERT INTO capacity_unit (user, began) VALUES (?1, ?2)")
                    .bind(user.as_str())
                    .bind(now.0)
                    .execute(&mut *tx)
                    .await?;
                tx.commit().await?;
                InForce::Drawn { access_type, until }
            }
        })
    }

    async fn draw_pass(&self, user: &SubjectId, now: UnixMillis) -> Result<InForce, StoreError> {
        let access_type = AccessType::Login;
        let mut tx = self.write().await?;
        let last = last_in(
            &mut tx,
            "SELECT max(began) FROM login_pass WHERE user = ?1",
            user,
        )
        .await?;
        let (out, oldest) = passes_in(&mut tx, now).await?;
        let tokens = quantity_in(&mut tx, access_type).await?;
        Ok(match touch_pass(last, out, oldest, tokens, now) {
            PassUse::Running { until } => InForce::Drawn { access_type, until },
            PassUse::Exhausted { again_at } => InForce::Exhausted {
                access_type,
                again_at,
            },
            PassUse::Begins { until } => {
                sqlx::query("INSERT INTO login_pass (user, began) VALUES (?1, ?2)")
                    .bind(user.as_str())
                    .bind(now.0)
                    .execute(&mut *tx)
                    .await?;
                tx.commit().await?;
                InForce::Drawn { access_type, until }
            }
        })
    }
}

type Tx = Transaction<'static, Sqlite>;

/// Takes the access type away inside a transaction.
pub(crate) async fn release_in(
    tx: &mut Tx,
    user: &SubjectId,
    now: UnixMillis,
) -> Result<Option<Release>, StoreError> {
    let Some(assignment) = assigned_in(tx, user).await? else {
        return Ok(None);
    };
    sqlx::query("DELETE FROM assignment WHERE user = ?1")
        .bind(user.as_str())
        .execute(&mut **tx)
        .await?;
    let released = if assignment.access_type.may_use_device() {
        release(assignment.last_used, now)
    } else {
        Release::Free
    };
    if let Release::Quarantined { until } = released {
        sqlx::query(
            "INSERT INTO quarantine (user, access_type, until) VALUES (?1, ?2, ?3)
             ON CONFLICT (user, access_type) DO UPDATE SET until = ?3",
        )
        .bind(user.as_str())
        .bind(assignment.access_type.name())
        .bind(until.0)
        .execute(&mut **tx)
        .await?;
    }
    Ok(Some(released))
}

async fn assigned_in(tx: &mut Tx, user: &SubjectId) -> Result<Option<Assignment>, StoreError> {
    sqlx::query("SELECT * FROM assignment WHERE user = ?1")
        .bind(user.as_str())
        .fetch_optional(&mut **tx)
        .await?
        .map(|row| read(&row))
        .transpose()
}

async fn quantity_in(tx: &mut Tx, access_type: AccessType) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT quantity FROM licence_pool WHERE access_type = ?1")
        .bind(access_type.name())
        .fetch_optional(&mut **tx)
        .await?;
    row.map_or(Ok(0), count)
}

async fn units_in(tx: &mut Tx, now: UnixMillis) -> Result<u64, StoreError> {
    let (start, end) = month_bounds(now);
    let row = sqlx::query("SELECT count(*) FROM capacity_unit WHERE began >= ?1 AND began < ?2")
        .bind(start.0)
        .bind(end.0)
        .fetch_one(&mut **tx)
        .await?;
    count(row)
}

/// Passes that are out, and when the oldest of them began.
async fn passes_in(tx: &mut Tx, now: UnixMillis) -> Result<(u64, Option<UnixMillis>), StoreError> {
    let row =
        sqlx::query("SELECT count(*) AS n, min(began) AS oldest FROM login_pass WHERE began > ?1")
            .bind(now.plus_ms(-LOGIN_PASS_RETURN_MS).0)
            .fetch_one(&mut **tx)
            .await?;
    let oldest: Option<i64> = row.try_get("oldest")?;
    Ok((count(row)?, oldest.map(UnixMillis)))
}

async fn last_in(
    tx: &mut Tx,
    sql: &'static str,
    user: &SubjectId,
) -> Result<Option<UnixMillis>, StoreError> {
    let row = sqlx::query(sql)
        .bind(user.as_str())
        .fetch_one(&mut **tx)
        .await?;
    Ok(row.try_get::<Option<i64>, _>(0)?.map(UnixMillis))
}

fn count(row: sqlx::sqlite::SqliteRow) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<Assignment, StoreError> {
    Ok(Assignment {
        user: SubjectId::parse(row.try_get("user")?),
        // A type this version does not know gives nothing.
        access_type: AccessType::from_name(row.try_get("access_type")?).unwrap_or(AccessType::None),
        assigned_at: UnixMillis(row.try_get("assigned_at")?),
        last_used: row.try_get::<Option<i64>, _>("last_used")?.map(UnixMillis),
    })
}
