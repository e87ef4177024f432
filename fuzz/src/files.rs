//! Source files, read by a load script from a folder that holds nothing else.

use std::cell::OnceCell;
use std::fs;

use satchel_base::Budget;
use satchel_script::{Failure, LoadResult, Settings};
use satchel_sources::{FileHost, Roots};
use tempfile::TempDir;

thread_local! {
    /// One folder for all inputs of a thread: making one costs more than reading it.
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// Runs `script` with `input`, if any, as the file `lib://data/in`.
fn run_with(script: &str, input: Option<&[u8]>, budget: &Budget) -> Result<LoadResult, Failure> {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| TempDir::new().expect("a temporary folder"));
        let file = folder.path().join("in");
        match input {
            Some(bytes) => fs::write(file, bytes).expect("the input is written"),
            None => drop(fs::remove_file(file)),
        }
        let roots = match input {
            Some(_) => Roots::new(folder.path()).with("data", folder.path()),
            None => Roots::new(folder.path().join("nothing")),
        };
        let mut host = FileHost::new(roots, |_: &str| {});
        satchel_script::run("fuzz.qvs", script, &mut host, &Settings::default(), budget)
    })
}

/// Runs a script that reaches no file.
pub(crate) fn run(script: &str, budget: &Budget) -> Result<LoadResult, Failure> {
    run_with(script, None, budget)
}

/// Delimited text. The first byte chooses among the ways to read it.
pub fn csv(bytes: &[u8]) {
    const FORMATS: [&str; 6] = [
        "txt, utf8, embedded labels, delimiter is ',', msq",
        "txt, embedded labels, delimiter is ';', msq",
        "txt, codepage is 1252, no labels, delimiter is '\\t'",
        "txt, unicode, explicit labels, delimiter is '|', no quotes",
        "txt, utf8, no labels, delimiter is ',', msq, header is 2 lines",
        "txt, utf8, embedded labels, delimiter is spaces, comment is '#'",
    ];
    let (choice, file) = bytes.split_first().unwrap_or((&0, &[]));
    let format = FORMATS[*choice as usize % FORMATS.len()];
    let script = format!("T: LOAD * FROM [lib://data/in] ({format});");
    let _ = run_with(&script, Some(file), &crate::budget());
}

/// A Parquet file. The library panics on some, which the reader catches; libFuzzer would call
/// that a finding, were it told. What is not caught still ends the fuzzer.
pub fn parquet(bytes: &[u8]) {
    static QUIET: std::sync::Once = std::sync::Once::new();
    if cfg!(feature = "libfuzzer") {
        QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    }
    let script = "T: LOAD * FROM [lib://data/in] (parquet);";
    let _ = run_with(script, Some(bytes), &crate::budget());
}
