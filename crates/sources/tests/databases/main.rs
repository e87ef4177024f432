//! Queries to real servers: what types become, streaming, cancelling, and that nothing writes.
//!
//! `cargo xtask test --only e2e` installs PostgreSQL and MariaDB; the tests start them.

mod servers;

use satchel_base::CancelToken;
use satchel_data::{Cells, Value};
use satchel_script::HostError;
use satchel_sources::sql::{DatabaseAddress, Encryption, query};
use servers::{Server, wait_until};

/// All rows of a query, with the names of its columns.
fn rows(address: &DatabaseAddress, sql: &str) -> Result<(Vec<String>, Vec<Vec<Value>>), HostError> {
    let mut source = query(address, sql, &CancelToken::default())?;
    let mut out = Vec::new();
    while let Some(batch) = source.next_batch()? {
        for row in 0..batch.n_rows {
            let cell = |cells: &Cells| match cells {
                Cells::Values(values) => values[row].clone(),
                _ => panic!("values are expected"),
            };
            out.push(batch.columns.iter().map(cell).collect());
        }
    }
    Ok((source.columns().to_vec(), out))
}

#[track_caller]
fn check(address: &DatabaseAddress, sql: &str, want: &[(&str, Option<f64>, &str)]) {
    let (names, found) = rows(address, sql).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    let got: Vec<(String, Option<f64>, String)> = (names.into_iter())
        .zip(&found[0])
        .map(|(name, value)| (name, value.as_num(), value.to_text()))
        .collect();
    let want: Vec<_> = (want.iter())
        .map(|(name, num, text)| ((*name).to_owned(), *num, (*text).to_owned()))
        .collect();
    assert_eq!(got, want);
}

/// The words of the server, or of the guard before it.
#[track_caller]
fn refused(address: &DatabaseAddress, sql: &str, code: &str) -> String {
    let error = rows(address, sql).unwrap_err();
    assert_eq!(error.code, code, "{error:?}");
    error.message
}

// threat: T-26
#[test]
#[ignore = "needs the database servers that `cargo xtask test --only e2e` installs"]
fn postgres_reads_and_only_reads() {
    let server = Server::postgres();
    let at = &server.address;
    check(
        at,
        "SELECT 1::int2 AS a, -2::bigint AS b, 12.50::numeric(10,2) AS c, 0.5::float8 AS d, true AS e, \
         date '2024-03-01' AS f, timestamp '2024-03-01 12:00' AS g, time '06:00' AS h, 'Zoë'::text AS i, \
         NULL::int AS j, '007' AS k, 12345678901234567.89::numeric AS l",
        &[
            ("a", Some(1.0), "1"),
            ("b", Some(-2.0), "-2"),
            ("c", Some(12.5), "12.5"),
            ("d", Some(0.5), "0.5"),
            ("e", Some(1.0), "1"),
            ("f", Some(45_352.0), "2024-03-01"),
            ("g", Some(45_352.5), "2024-03-01 12:00:00"),
            ("h", Some(0.25), "06:00:00"),
            ("i", None, "Zoë"),
            ("j", None, ""),
            ("k", None, "007"),
            ("l", Some(12_345_678_901_234_567.89), "12345678901234567.89"),
        ],
    );
    let (names, none) = rows(at, "SELECT 1 AS x, 2 AS y WHERE false").unwrap();
    assert_eq!((names.join(" "), none.len()), ("x y".to_owned(), 0));
    let (_, many) = rows(
        at,
        "SELECT n, n * 2 FROM generate_series(1, 20000) AS t(n);",
    )
    .unwrap();
    assert_eq!(many.len(), 20_000);
    assert_eq!(many[19_999][1].as_num(), Some(40_000.0));

    let said = refused(at, "SELECT nothing FROM nowhere", "source.sql_failed");
    assert!(said.contains("nowhere"), "{said}");
    refused(at, "CREATE TABLE t (a int)", "source.sql_not_reading");
    refused(at, "SELECT 1; SELECT 2", "source.sql_not_reading");
    // What looks like reading and is not, the server refuses.
    let writes = "WITH x AS (DELETE FROM pg_database RETURNING 1) SELECT * FROM x";
    let said = refused(at, writes, "source.sql_failed");
    assert!(said.contains("read-only"), "{said}");
    let said = refused(
        at,
        "SELECT relname FROM pg_class FOR UPDATE",
        "source.sql_failed",
    );
    assert!(said.contains("read-only"), "{said}");

    let encrypted = DatabaseAddress {
        encryption: Encryption::Verified,
        host: "localhost".to_owned(),
        port: Some(1),
        ..at.clone()
    };
    refused(&encrypted, "SELECT 1", "source.sql_unreachable");
}

// threat: T-26
#[test]
#[ignore = "needs the database servers that `cargo xtask test --only e2e` installs"]
fn mariadb_reads_and_only_reads() {
    let server = Server::mariadb();
    let at = &server.address;
    check(
        at,
        "SELECT 1 AS a, -2 AS b, CAST(12.50 AS DECIMAL(10,2)) AS c, 0.5e0 AS d, DATE '2024-03-01' AS f, \
         TIMESTAMP '2024-03-01 12:00:00' AS g, TIME '06:00:00' AS h, 'Zoë' AS i, '007' AS k",
        &[
            ("a", Some(1.0), "1"),
            ("b", Some(-2.0), "-2"),
            ("c", Some(12.5), "12.5"),
            ("d", Some(0.5), "0.5"),
            ("f", Some(45_352.0), "2024-03-01"),
            ("g", Some(45_352.5), "2024-03-01 12:00:00"),
            ("h", Some(0.25), "06:00:00"),
            ("i", None, "Zoë"),
            ("k", None, "007"),
        ],
    );
    let (_, null) = rows(at, "SELECT NULL AS n").unwrap();
    assert_eq!(null[0][0], Value::Null);
    let (_, many) = rows(at, "SELECT seq FROM seq_1_to_20000").unwrap();
    assert_eq!(many.len(), 20_000);
    let (_, tables) = rows(at, "SHOW DATABASES").unwrap();
    assert!(tables.iter().any(|row| row[0].to_text() == "test"));
    refused(at, "DROP TABLE t", "source.sql_not_reading");
    refused(
        at,
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "source.sql_not_reading",
    );
    let said = refused(at, "SELECT nothing FROM nowhere", "source.sql_failed");
    assert!(said.contains("nowhere"), "{said}");
}

/// Runs `sql` on a thread, cancels it once `runs` says that the server works on it, and waits
/// until the server does not any more.
fn cancel(address: &DatabaseAddress, sql: &'static str, running: &str) {
    let token = CancelToken::default();
    let n_running = || rows(address, running).unwrap().1[0][0].as_num();
    let query = std::thread::spawn({
        let (address, token) = (address.clone(), token.clone());
        move || {
            let mut source = query(&address, sql, &token)?;
            while source.next_batch()?.is_some() {}
            Ok::<_, HostError>(())
        }
    });
    wait_until("the query runs", || n_running() == Some(1.0));
    token.cancel();
    let error = query.join().unwrap().unwrap_err();
    assert_eq!(error.code, "script.cancelled");
    wait_until("the query is gone", || n_running() == Some(0.0));
}

#[test]
#[ignore = "needs the database servers that `cargo xtask test --only e2e` installs"]
fn a_cancelled_query_ends_at_the_server() {
    let server = Server::postgres();
    cancel(
        &server.address,
        "SELECT pg_sleep(600)",
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(6%' AND pid <> pg_backend_pid()",
    );
    let server = Server::mariadb();
    cancel(
        &server.address,
        "SELECT SLEEP(600) AS x",
        "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'",
    );
}
