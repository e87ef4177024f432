//! `docs/functions.md` is made from the tables of the library, and its examples hold.

use std::fmt::Write as _;
use std::path::Path;

use satchel_calc::{
    ElsewhereKind, FunctionDoc, FunctionKind, Mode, function_docs, functions_elsewhere,
};

use crate::rows::Table;
use crate::{expect_file, shown};

/// The rows over which the examples of aggregations are computed.
const ROWS: &str = "\
| Name | Kind | Half | W | Date | X | Y | Payment |
|---|---|---|---|---|---|---|---|
| Ann | A | 1 | 1 | 2013-01-01 | 1 | 3 | -10000 |
| Bob | A | 2 | 2 | 2013-03-01 | 2 | 5 | 3000 |
| Cid | B | 1 | 1 | 2013-10-30 | 3 | 4 | 4200 |
| Dan | B | 2 | 1 | 2014-02-01 | 4 | 8 | 6800 |
| Eve | B | 2 | 3 | - | 6 | 7 | - |
";

const HEAD: &str = "\
# Functions

Every function of expressions, with an example and its value. Made by `cargo xtask docs` from the
tables of the function library; a test runs every example.

Names are read without regard to case. `[…]` may be left out, `…` repeats what stands before it.
A value is shown as its text, with its number behind it where they differ; `-1` is true and `0`
false. Examples use ISO date formats, US English number formats, and weeks that begin on Monday;
the time is 2023-03-15 12:00.

Unless it says otherwise, a function of NULL is NULL, a text that reads as a number counts as
one, and arguments outside a function's domain give NULL.
";

fn row(out: &mut String, doc: &FunctionDoc) {
    let escaped = |text: &str| text.replace('|', "\\|");
    // A code span that has a backquote within is put between two.
    let quote = if doc.value.contains('`') { "``" } else { "`" };
    let _ = writeln!(
        out,
        "| `{}` | {} | `{}` | {quote}{}{quote} |",
        escaped(doc.signature),
        escaped(doc.doc),
        escaped(doc.example),
        escaped(doc.value)
    );
}

fn markdown() -> String {
    let mut out = HEAD.to_owned();
    let docs = function_docs();
    let _ = write!(
        out,
        "\n{} functions work in load scripts and charts alike, {} of them aggregations. Aggregations need\n\
         `GROUP BY` in a script, or aggregate all rows of a `LOAD`; in a chart they take a set, `DISTINCT`\n\
         and `TOTAL`. Their examples are over these rows, where `-` is NULL:\n\n{ROWS}",
        docs.len(),
        docs.iter()
            .filter(|d| d.kind == FunctionKind::Aggregation)
            .count(),
    );
    let mut family = "";
    for doc in &docs {
        if doc.family != family {
            family = doc.family;
            let _ = write!(
                out,
                "\n## {family}\n\n| function | what it gives | example | value |\n|---|---|---|---|\n"
            );
        }
        row(&mut out, doc);
    }
    for (kind, title, text) in [
        (
            ElsewhereKind::Script,
            "Only in load scripts",
            "By the state of the script: the record being read, tables loaded before, files.",
        ),
        (
            ElsewhereKind::Chart,
            "Only in charts",
            "By the selections, or by other rows of the chart.",
        ),
        (
            ElsewhereKind::Nowhere,
            "What is left out",
            "Documented functions of other products that are not built, and why.",
        ),
    ] {
        let _ = write!(out, "\n## {title}\n\n{text}\n\n| function | |\n|---|---|\n");
        for known in functions_elsewhere()
            .iter()
            .filter(|known| known.kind == kind)
        {
            let _ = writeln!(out, "| `{}` | {} |", known.signature, known.doc);
        }
    }
    out
}

#[test]
fn the_reference_is_what_the_library_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/functions.md");
    expect_file(&path, &markdown());
}

#[test]
fn the_examples_of_the_reference_hold() {
    let rows = Table::read(ROWS);
    let mut wrong = String::new();
    for doc in function_docs() {
        let (name, _) = doc.signature.split_once('(').unwrap();
        assert!(
            doc.example.contains(&format!("{name}(")),
            "{}",
            doc.signature
        );
        assert!(doc.doc.ends_with('.'), "{}", doc.signature);
        let value = match doc.kind {
            FunctionKind::Aggregation => rows.aggregate(doc.example),
            FunctionKind::Scalar => shown(doc.example, Mode::Row),
        };
        if value != doc.value {
            let _ = writeln!(wrong, "{} => {} => {value}", doc.example, doc.value);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn no_function_is_listed_twice() {
    let mut names: Vec<String> = function_docs()
        .iter()
        .map(|doc| doc.signature)
        .chain(functions_elsewhere().iter().map(|known| known.signature))
        .map(|signature| signature.split_once('(').unwrap().0.to_lowercase())
        .collect();
    names.sort_unstable();
    let n = names.len();
    names.dedup();
    assert_eq!(names.len(), n);
}
