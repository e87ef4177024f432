//! Which statements a script may send: those that read.
//!
//! This is the first of three guards and only has to be stricter than every dialect, not to
//! understand them: what it cannot tell apart it refuses. After it come a read-only
//! transaction and the rights of the database user.

use satchel_script::HostError;

use super::DatabaseKind;

/// How a statement that reads begins.
const READING: [&str; 9] = [
    "select", "with", "show", "describe", "desc", "explain", "values", "table", "pragma",
];

/// What SQLite may tell about its tables.
const PRAGMAS: [&str; 5] = [
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "foreign_key_list",
];

/// Checks that `sql` is one statement that reads.
///
/// # Errors
/// `source.sql_not_reading`.
pub fn must_only_read(kind: DatabaseKind, sql: &str) -> Result<(), HostError> {
    let text = sql.trim().trim_end_matches(';').trim_end();
    let first = first_word(text);
    if !READING.contains(&first.as_str()) {
        return Err(not_reading(format!(
            "a statement that begins with `{first}` does more than read"
        )));
    }
    if first == "pragma" && (kind != DatabaseKind::Sqlite || !is_known_pragma(text)) {
        return Err(not_reading(
            "this PRAGMA is not one that only reads".to_owned(),
        ));
    }
    // Dialects disagree on what ends a text or a comment, so a `;` is taken for part of a
    // text only where none of what they disagree on is there.
    let is_plain = !["\\", "#", "--", "/*", "$", "`", "\""]
        .iter()
        .any(|sign| text.contains(sign));
    let outside = without_texts(text);
    if (if is_plain { &outside } else { text }).contains(';') {
        return Err(not_reading("there is more than one statement".to_owned()));
    }
    if text.contains("/*!") || text.contains("/*M!") {
        return Err(not_reading(
            "comments that a server runs are not allowed".to_owned(),
        ));
    }
    let has_word = |text: &str, word: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|w| w.eq_ignore_ascii_case(word))
    };
    // `SELECT … INTO` makes a table; in MySQL a file.
    if has_word(&outside, "into") || has_word(text, "outfile") || has_word(text, "dumpfile") {
        return Err(not_reading("INTO writes".to_owned()));
    }
    Ok(())
}

fn not_reading(message: String) -> HostError {
    HostError::new("source.sql_not_reading", message).with_hint(
        "a script may send one SELECT, WITH, VALUES, TABLE, SHOW, DESCRIBE or EXPLAIN at a time",
    )
}

/// The first word, lower case, behind comments and `(`.
fn first_word(text: &str) -> String {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        if let Some(line) = rest.strip_prefix("--") {
            rest = line.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, rest)| rest);
        } else {
            break;
        }
    }
    rest.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect::<String>()
        .to_ascii_lowercase()
}

fn is_known_pragma(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let name = words.by_ref().filter(|w| !w.is_empty()).nth(1);
    name.is_some_and(|n| PRAGMAS.iter().any(|p| n.eq_ignore_ascii_case(p))) && !text.contains('=')
}

/// The text with what stands between single quotes left out.
fn without_texts(text: &str) -> String {
    text.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: DatabaseKind, reads: bool, statements: &[&str]) {
        for sql in statements {
            let got = must_only_read(kind, sql);
            assert_eq!(got.is_ok(), reads, "{sql}: {got:?}");
        }
    }

    #[test]
    fn what_reads_is_sent() {
        check(
            DatabaseKind::MySql,
            true,
            &[
                "SELECT a, b FROM t WHERE c = 'x;y'",
                "  -- why\n select 1;",
                "WITH x AS (SELECT 1) SELECT * FROM x",
                "(SELECT 1) UNION (SELECT 2)",
                "SHOW TABLES",
                "DESCRIBE t",
                "SELECT `into_`, \"b\" FROM t -- the end",
                "VALUES (1), (2)",
            ],
        );
        check(DatabaseKind::Sqlite, true, &["PRAGMA table_info(t)"]);
    }

    // threat: T-26
    #[test]
    fn what_writes_is_not_however_it_is_hidden() {
        for kind in [
            DatabaseKind::MySql,
            DatabaseKind::Postgres,
            DatabaseKind::Sqlite,
        ] {
            check(
                kind,
                false,
                &[
                    "",
                    "INSERT INTO t VALUES (1)",
                    "UPDATE t SET a = 1",
                    "DELETE FROM t",
                    "DROP TABLE t",
                    "EXEC p",
                    "CALL p()",
                    "SET GLOBAL x = 1",
                    "ATTACH 'x' AS y",
                    "COPY t TO '/tmp/x'",
                    "DO $$ BEGIN END $$",
                    "SELECT 1; DROP TABLE t",
                    "SELECT 'a\\''; DROP TABLE t; -- '",
                    "SELECT 1 # '\n; DROP TABLE t; -- '",
                    "SELECT $$ ' $$; DROP TABLE t; SELECT ' '",
                    "SELECT 1 -- '\n; DROP TABLE t --'",
                    "SELECT * INTO u FROM t",
                    "SELECT 1 INTO OUTFILE '/tmp/x'",
                    "SELECT 1 # '\n INTO OUTFILE '/tmp/x'",
                    "SELECT 1 /*! INTO @a */",
                    "/*!50000 DROP TABLE t */",
                    "PRAGMA writable_schema = 1",
                    "PRAGMA table_info(t) = 1",
                    "PRAGMA journal_mode",
                ],
            );
        }
    }
}
