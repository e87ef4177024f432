//! Our QVD files read by independent readers, and files of theirs read by us, value for value.
//!
//! `SATCHEL_QVD_PYTHON` is a Python with pyqvd, qvdrs and qvd-utils; `cargo xtask test --only e2e`
//! makes one.

use std::fs;
use std::path::Path;
use std::process::Command;

use satchel_base::Budget;
use satchel_data::{Model, Value};
use satchel_script::{Settings, run};
use satchel_sources::{FileHost, Roots};
use serde_json::Value as Json;
use tempfile::TempDir;

fn load(folder: &Path, script: &str) -> Model {
    let mut host = FileHost::new(Roots::new(folder), |_| {});
    let budget = Budget::unlimited();
    let result = run("t.qvs", script, &mut host, &Settings::default(), &budget)
        .unwrap_or_else(|f| panic!("{}", f.problems[0].rendered));
    result.model
}

fn python(verb: &str, path: &Path) -> String {
    let python = std::env::var("SATCHEL_QVD_PYTHON").expect("cargo xtask test sets it");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/readers.py");
    let out = (Command::new(python).arg(script).arg(verb).arg(path))
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap()
}

/// The cells of the field `name` of the only table.
fn cells(model: &Model, name: &str) -> Vec<Value> {
    let table = &model.tables()[0];
    let field = model.field_by_name(name).unwrap();
    let column = table.column_of(field).unwrap();
    (0..table.n_rows)
        .map(|row| {
            let code = table.columns[column].codes.at(row);
            model.field(field).symbols.value(code)
        })
        .collect()
}

/// Texts as a reader shows them: numbers compare as numbers, others byte for byte.
#[track_caller]
fn check_same(ours: &[Value], theirs: &Json, what: &str) {
    let theirs = theirs.as_array().expect(what);
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (row, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        let same = match (ours, theirs.as_str()) {
            (Value::Null, None) => true,
            (Value::Num(n), Some(text)) => text.parse::<f64>() == Ok(*n),
            (Value::Text(t) | Value::Dual { text: t, .. }, Some(text)) => **t == *text,
            _ => false,
        };
        assert!(same, "{what}, row {row}: {ours:?} is read as {theirs}");
    }
}

#[test]
#[ignore = "needs the readers of QVD files that `cargo xtask test --only e2e` installs"]
fn three_readers_read_what_we_write() {
    let folder = TempDir::new().unwrap();
    let model = load(
        folder.path(),
        "T: LOAD RecNo() AS Id, RecNo() / 8 AS Part, If(Mod(RecNo(), 3) = 0, Null(), RecNo() * 1e9) AS Large,
             'é €' & Mod(RecNo(), 40) AS Word, Date(45000 + Mod(RecNo(), 400)) AS Day,
             Dual('<' & Mod(RecNo(), 7) & '>', Mod(RecNo(), 7) / 2) AS Half,
             7 AS One, Null() AS None, If(Even(RecNo()), RecNo(), 't' & RecNo()) AS [Mixed & <x>]
         AUTOGENERATE 1000;
         STORE T INTO [ours.qvd] (qvd);",
    );
    let read: Json =
        serde_json::from_str(&python("read", &folder.path().join("ours.qvd"))).unwrap();
    for reader in ["pyqvd", "qvdrs", "qvd-utils"] {
        for name in [
            "Id",
            "Part",
            "Large",
            "Word",
            "Day",
            "Half",
            "One",
            "None",
            "Mixed & <x>",
        ] {
            let what = format!("{reader}, field {name}");
            check_same(&cells(&model, name), &read[reader][name], &what);
        }
    }
}

#[test]
#[ignore = "needs the readers of QVD files that `cargo xtask test --only e2e` installs"]
fn we_read_what_others_write() {
    let folder = TempDir::new().unwrap();
    python("write", folder.path());
    for file in ["pyqvd.qvd", "qvdrs.qvd"] {
        assert!(fs::exists(folder.path().join(file)).unwrap());
        let model = load(folder.path(), &format!("T: LOAD * FROM [{file}] (qvd);"));
        for (name, theirs) in [
            (
                "N",
                serde_json::json!(["1", "2", null, "-300", "2000000000"]),
            ),
            (
                "R",
                serde_json::json!(["0.5", null, "-2.25", "1e300", "0.5"]),
            ),
            (
                "T",
                serde_json::json!(["a", "é €", null, "with \"quotes\", commas", "a"]),
            ),
            ("C", serde_json::json!(["7", "7", "7", "7", "7"])),
            ("E", serde_json::json!([null, null, null, null, null])),
        ] {
            check_same(
                &cells(&model, name),
                &theirs,
                &format!("{file}, field {name}"),
            );
        }
    }
}
