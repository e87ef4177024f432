//! The thread of a query: connects, streams rows, cancels.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use futures_util::StreamExt as _;
use satchel_base::CancelToken;
use satchel_data::{Batch, Cells, Value};
use satchel_script::HostError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, Row as _,
    SqlSafeStr as _, Statement as _, TypeInfo as _, ValueRef as _,
};

use super::values::Reading;
use super::{DatabaseAddress, DatabaseKind, Encryption, cancelled, refused};

/// Rows that are handed over at a time: some thousand, so that a channel's cost does not count.
const BATCH_ROWS: usize = 4096;

/// How often a cancelled script is noticed while the database is silent.
const LOOK: Duration = Duration::from_millis(50);

/// A server that does not answer for so long is not there.
const CONNECT: Duration = Duration::from_secs(15);

/// What the thread says: the columns, then batches.
enum Said {
    Columns(Vec<String>),
    Rows(Batch),
}

type Answer = Result<Said, HostError>;

/// The rows of a running query.
pub(super) struct Rows {
    pub columns: Vec<String>,
    answers: Receiver<Answer>,
    cancel: CancelToken,
    /// Ends the query when nobody takes its rows any more.
    gone: CancelToken,
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}

impl Rows {
    pub fn next(&mut self) -> Result<Option<Batch>, HostError> {
        match self.take()? {
            Some(Said::Rows(batch)) => Ok(Some(batch)),
            _ => Ok(None),
        }
    }

    fn take(&mut self) -> Result<Option<Said>, HostError> {
        loop {
            match self.answers.recv_timeout(LOOK) {
                Ok(answer) => return answer.map(Some),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if self.cancel.is_cancelled() => {
                    self.gone.cancel();
                    return Err(cancelled());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// Starts the thread and waits for the columns.
pub(super) fn start(
    address: DatabaseAddress,
    sql: String,
    cancel: CancelToken,
) -> Result<Rows, HostError> {
    // Two batches: one is taken while the next is made.
    let (tell, answers) = sync_channel(2);
    let gone = CancelToken::default();
    let stop = Stop {
        cancel: cancel.clone(),
        gone: gone.clone(),
    };
    let failed = |error: std::io::Error| {
        HostError::new(
            "source.sql_unreachable",
            format!("cannot start a query: {error}"),
        )
    };
    std::thread::Builder::new()
        .name("sql query".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let outcome = match runtime {
                Ok(runtime) => runtime.block_on(run(&address, &sql, &tell, &stop)),
                Err(error) => Err(failed(error)),
            };
            if let Err(error) = outcome {
                // Nobody may be there to hear it any more.
                let _ = tell.send(Err(error));
            }
        })
        .map_err(failed)?;
    let mut rows = Rows {
        columns: Vec::new(),
        answers,
        cancel,
        gone,
    };
    if let Some(Said::Columns(columns)) = rows.take()? {
        rows.columns = columns;
    }
    Ok(rows)
}

/// Who may end the query.
struct Stop {
    cancel: CancelToken,
    gone: CancelToken,
}

impl Stop {
    /// Ends when somebody asked for it.
    async fn asked(&self) {
        while !self.is_asked() {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_asked(&self) -> bool {
        self.cancel.is_cancelled() || self.gone.is_cancelled()
    }
}

async fn run(
    address: &DatabaseAddress,
    sql: &str,
    tell: &SyncSender<Answer>,
    stop: &Stop,
) -> Result<(), HostError> {
    let sql = sql.trim().trim_end_matches(';');
    match address.kind {
        DatabaseKind::Sqlite => sqlite(address, sql, tell, stop).await,
        DatabaseKind::Postgres => postgres(address, sql, tell, stop).await,
        DatabaseKind::MySql => mysql(address, sql, tell, stop).await,
    }
}

/// The CAs that this machine trusts and the one of the connection, as PEM.
fn roots(address: &DatabaseAddress) -> Result<Vec<u8>, HostError> {
    use base64::Engine as _;
    let mut pem = String::new();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // A system may trust certificates of forms that are not read here.
        if rustls::RootCertStore::empty()
            .add(certificate.clone())
            .is_err()
        {
            continue;
        }
        let text = base64::engine::general_purpose::STANDARD.encode(&certificate);
        pem += "-----BEGIN CERTIFICATE-----\n";
        pem += &text;
        pem += "\n-----END CERTIFICATE-----\n";
    }
    if let Some(path) = &address.ca {
        pem += &std::fs::read_to_string(path).map_err(|error| {
            HostError::new(
                "source.sql_unreachable",
                format!("the CA of the connection cannot be read: {error}"),
            )
        })?;
    }
    Ok(pem.into_bytes())
}

/// A connection, or that there is none; cancelling ends the wait.
async fn reached<T>(
    connecting: impl Future<Output = Result<T, sqlx::Error>>,
    stop: &Stop,
) -> Result<T, HostError> {
    let unreachable = |why: String| {
        HostError::new(
            "source.sql_unreachable",
            format!("the database cannot be reached: {why}"),
        )
        .with_hint(
            "ask the administrator to look at the connection with `satchel-hub connection test`",
        )
    };
    tokio::select! {
        found = tokio::time::timeout(CONNECT, connecting) => match found {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(unreachable(error.to_string())),
            Err(_) => Err(unreachable("no answer".to_owned())),
        },
        () = stop.asked() => Err(cancelled()),
    }
}

async fn postgres(
    address: &DatabaseAddress,
    sql: &str,
    tell: &SyncSender<Answer>,
    stop: &Stop,
) -> Result<(), HostError> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&address.host)
        .database(&address.database)
        .username(&address.user)
        .application_name("satchel")
        .ssl_mode(match address.encryption {
            Encryption::Verified => PgSslMode::VerifyFull,
            Encryption::Off => PgSslMode::Disable,
        });
    if let Some(port) = address.port {
        options = options.port(port);
    }
    if let Some(password) = &address.password {
        options = options.password(password.expose());
    }
    if address.encryption == Encryption::Verified {
        options = options.ssl_root_cert_from_pem(roots(address)?);
    }
    let options = options.disable_statement_logging();
    let mut connection: PgConnection = reached(options.connect(), stop).await?;
    let id: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut connection)
        .await
        .map_err(|e| refused(&e))?;
    connection
        .execute("BEGIN TRANSACTION READ ONLY")
        .await
        .map_err(|e| refused(&e))?;
    let columns = prepared(&mut connection, sql).await?;
    let n = columns.len();
    let _ = tell.send(Ok(Said::Columns(columns)));
    // The plain protocol answers in text, whatever types there are.
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch(&mut connection);
    let mut readings: Vec<Reading> = Vec::new();
    let read = |row: &PgRow, cells: &mut [Vec<Value>]| {
        if readings.is_empty() {
            readings = (row.columns().iter())
                .map(|c| Reading::of(c.type_info().name()))
                .collect();
        }
        for (i, (cell, reading)) in cells.iter_mut().zip(&readings).enumerate() {
            let text: Option<&str> = row.try_get_unchecked(i)?;
            cell.push(text.map_or(Value::Null, |t| reading.value(t)));
        }
        Ok(())
    };
    if stream(rows, n, read, tell, stop).await? {
        let mut other: PgConnection = reached(options.connect(), &Stop::never()).await?;
        let _ = sqlx::query("SELECT pg_cancel_backend($1)")
            .bind(id)
            .execute(&mut other)
            .await;
        let _ = other.close().await;
    } else {
        let _ = connection.close().await;
    }
    Ok(())
}

async fn mysql(
    address: &DatabaseAddress,
    sql: &str,
    tell: &SyncSender<Answer>,
    stop: &Stop,
) -> Result<(), HostError> {
    let mut options = MySqlConnectOptions::new()
        .database(&address.database)
        .username(&address.user)
        .charset("utf8mb4")
        .ssl_mode(match address.encryption {
            Encryption::Verified => MySqlSslMode::VerifyIdentity,
            Encryption::Off => MySqlSslMode::Disabled,
        });
    options = if address.host.starts_with('/') {
        options.socket(&address.host)
    } else {
        options.host(&address.host)
    };
    if let Some(port) = address.port {
        options = options.port(port);
    }
    if let Some(password) = &address.password {
        options = options.password(password.expose());
    }
    if address.encryption == Encryption::Verified {
        options = options.ssl_ca_from_pem(roots(address)?);
    }
    let options = options.disable_statement_logging();
    let mut connection: MySqlConnection = reached(options.connect(), stop).await?;
    let id: u64 = sqlx::query_scalar("SELECT CONNECTION_ID()")
        .fetch_one(&mut connection)
        .await
        .map_err(|e| refused(&e))?;
    (connection.execute(sqlx::raw_sql("START TRANSACTION READ ONLY")))
        .await
        .map_err(|e| refused(&e))?;
    let columns = prepared(&mut connection, sql).await?;
    let n = columns.len();
    let _ = tell.send(Ok(Said::Columns(columns)));
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch(&mut connection);
    let mut readings: Vec<Reading> = Vec::new();
    let read = |row: &MySqlRow, cells: &mut [Vec<Value>]| {
        if readings.is_empty() {
            readings = (row.columns().iter())
                .map(|c| Reading::of(c.type_info().name()))
                .collect();
        }
        for (i, (cell, reading)) in cells.iter_mut().zip(&readings).enumerate() {
            let bytes: Option<&[u8]> = row.try_get_unchecked(i)?;
            cell.push(bytes.map_or(Value::Null, |bytes| {
                reading.value(&String::from_utf8_lossy(bytes))
            }));
        }
        Ok(())
    };
    if stream(rows, n, read, tell, stop).await? {
        let mut other: MySqlConnection = reached(options.connect(), &Stop::never()).await?;
        // A number of the server's own.
        let kill = AssertSqlSafe(format!("KILL QUERY {id}"));
        let _ = other.execute(sqlx::raw_sql(kill)).await;
        let _ = other.close().await;
    } else {
        let _ = connection.close().await;
    }
    Ok(())
}

async fn sqlite(
    address: &DatabaseAddress,
    sql: &str,
    tell: &SyncSender<Answer>,
    stop: &Stop,
) -> Result<(), HostError> {
    let options = SqliteConnectOptions::new()
        .filename(&address.file)
        .read_only(true)
        .create_if_missing(false)
        .pragma("query_only", "1")
        .busy_timeout(CONNECT)
        .disable_statement_logging();
    let mut connection: SqliteConnection = reached(options.connect(), stop).await?;
    let (cancel, gone) = (stop.cancel.clone(), stop.gone.clone());
    /// Steps of SQLite's machine between two looks: well under a millisecond.
    const STEPS: i32 = 10_000;
    connection
        .lock_handle()
        .await
        .map_err(|e| refused(&e))?
        .set_progress_handler(STEPS, move || {
            !cancel.is_cancelled() && !gone.is_cancelled()
        });
    let columns = prepared(&mut connection, sql).await?;
    let n = columns.len();
    let _ = tell.send(Ok(Said::Columns(columns)));
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch(&mut connection);
    let read = |row: &SqliteRow, cells: &mut [Vec<Value>]| {
        for (i, cell) in cells.iter_mut().enumerate() {
            let raw = row.try_get_raw(i)?;
            let is_null = raw.is_null();
            let kind = raw.type_info().name().to_owned();
            cell.push(match kind.as_str() {
                _ if is_null => Value::Null,
                "INTEGER" => {
                    let whole: i64 = row.try_get_unchecked(i)?;
                    Reading::Number.value(&whole.to_string())
                }
                "REAL" => Value::num(row.try_get_unchecked(i)?),
                "TEXT" => Value::text(row.try_get_unchecked::<&str, _>(i)?),
                _ => {
                    let bytes: &[u8] = row.try_get_unchecked(i)?;
                    Value::text(String::from_utf8_lossy(bytes).into_owned())
                }
            });
        }
        Ok(())
    };
    if !stream(rows, n, read, tell, stop).await? {
        let _ = connection.close().await;
    }
    Ok(())
}

impl Stop {
    fn never() -> Self {
        Self {
            cancel: CancelToken::default(),
            gone: CancelToken::default(),
        }
    }
}

/// The names of the columns. Servers prepare one statement only, so this also refuses two.
async fn prepared<C>(connection: &mut C, sql: &str) -> Result<Vec<String>, HostError>
where
    C: sqlx::Connection,
    for<'c> &'c mut C: sqlx::Executor<'c, Database = C::Database>,
{
    let statement = connection
        .prepare(AssertSqlSafe(sql.to_owned()).into_sql_str())
        .await
        .map_err(|e| refused(&e))?;
    Ok((statement.columns().iter())
        .map(|c| c.name().to_owned())
        .collect())
}

/// Hands rows over in batches. Whether it was told to stop before the end.
async fn stream<R>(
    mut rows: impl futures_util::Stream<Item = Result<R, sqlx::Error>> + Unpin,
    n_columns: usize,
    mut read: impl FnMut(&R, &mut [Vec<Value>]) -> Result<(), sqlx::Error>,
    tell: &SyncSender<Answer>,
    stop: &Stop,
) -> Result<bool, HostError> {
    let mut cells: Vec<Vec<Value>> = vec![Vec::new(); n_columns];
    let mut n_rows = 0;
    loop {
        let row = tokio::select! {
            biased;
            row = rows.next() => row,
            () = stop.asked() => return Ok(true),
        };
        let is_last = row.is_none();
        if let Some(row) = row {
            let row = match row {
                Ok(row) => row,
                Err(_) if stop.is_asked() => return Ok(true),
                Err(error) => return Err(refused(&error)),
            };
            read(&row, &mut cells).map_err(|e| refused(&e))?;
            n_rows += 1;
        }
        if n_rows == BATCH_ROWS || is_last && n_rows > 0 {
            let batch = Batch {
                n_rows,
                columns: (cells.iter_mut())
                    .map(|c| Cells::Values(std::mem::take(c)))
                    .collect(),
            };
            n_rows = 0;
            if tell.send(Ok(Said::Rows(batch))).is_err() || stop.is_asked() {
                return Ok(true);
            }
        }
        if is_last {
            return Ok(false);
        }
    }
}
