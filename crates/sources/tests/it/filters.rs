//! A filter that a QVD file's symbols decide leaves the rows that one row by row leaves.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{folder, load};

const FILTERS: [&str; 14] = [
    "Exists(K)",
    "NOT Exists(K)",
    "Exists(K, A)",
    "NOT Exists(K, A)",
    "Exists(A)",
    "NOT Exists(A)",
    "Exists('A')",
    "NOT (Exists(A))",
    "Exists(K, A) AND A > 1",
    "Exists(K, A + 1)",
    "A > 1",
    "IsNull(A)",
    "NOT Exists(B, A)",
    "Exists(Out, B)",
];

const FIELDS: [&str; 5] = [
    "*",
    "A, B",
    "B AS A, A AS B",
    "A AS Out, B",
    "A & 'x' AS B, B AS K",
];

/// A script that stores a table of two fields, knows some values of `K`, and loads by a filter.
fn script(rows: &[(u8, u8)], known: &[u8], fields: &str, filter: &str, how: &str) -> String {
    let mut text = String::from("SET NullInterpret='';\nAll: LOAD * INLINE [\nA, B\n");
    for (a, b) in rows {
        // Two texts of one symbol, and NULL.
        let cell = |n: &u8| match n {
            0 => String::new(),
            1 => "1".to_owned(),
            2 => "01".to_owned(),
            n => format!("{}", n - 1),
        };
        let _ = writeln!(text, "{}, {}", cell(a), cell(b));
    }
    text += "];\nSTORE All INTO [t.qvd] (qvd);\nDROP TABLE All;\nKnown: LOAD * INLINE [\nK\n";
    for k in known {
        let _ = writeln!(text, "{k}");
    }
    let _ = write!(
        text,
        "];\nT: NOCONCATENATE LOAD {fields}{how} FROM [t.qvd] (qvd) WHERE {filter};\n\
         LET n = '';\nFOR EACH f IN 'A', 'B', 'Out'\nLET n = n & FieldValueCount(f) & ' ';\nNEXT\nDROP TABLE Known;\n"
    );
    text
}

/// Rows of the only table, the count of distinct values in the script, or the problem.
fn outcome(script: &str, n_columns: usize) -> String {
    let folder = folder();
    match load(folder.path(), script) {
        Ok(result) => {
            let n = result.variables.iter().find(|(n, _)| n == "n").unwrap();
            let tables = result.model.tables();
            let mut shown = String::new();
            for table in tables {
                for row in 0..table.n_rows {
                    for c in &table.columns[..n_columns.min(table.columns.len())] {
                        let field = &result.model.fields()[c.field.index()];
                        let _ = write!(shown, "{:?} ", field.symbols.value(c.codes.at(row)));
                    }
                    shown.push('\n');
                }
            }
            format!("{}\n{shown}", n.1.to_text())
        }
        Err(failure) => format!("{}", failure.problems[0].code),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var("SLOW").is_ok() { 5_000 } else { 150 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn by_symbols_equals_row_by_row(
        rows in prop::collection::vec((0u8..6, 0u8..6), 0..20),
        known in prop::collection::vec(0u8..6, 1..4),
        fields in prop::sample::select(&FIELDS[..]),
        filter in prop::sample::select(&FILTERS[..]),
    ) {
        let n_columns = if fields == "*" { 2 } else { fields.split(',').count() };
        let by_symbol = outcome(&script(&rows, &known, fields, filter, ""), n_columns);
        // A function that counts rows makes it go row by row.
        let by_row = outcome(&script(&rows, &known, fields, filter, ", RecNo() AS R"), n_columns);
        prop_assert_eq!(by_symbol, by_row);
    }
}
