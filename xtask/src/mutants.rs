//! `cargo xtask mutants`: changes the code of what guards data, one small change at a time, and
//! sees whether a test notices. What no test notices is listed by file.
//!
//! Takes long: every change is a build and a run of that crate's tests. It changes files in
//! place and puts them back, so nothing else may work in the tree meanwhile.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{self, command, exists, root, target_dir};

/// Package and files; a folder is all of its files.
const GUARDS: [(&str, &str); 6] = [
    ("satchel-gate", "crates/gate/src/**/*.rs"),
    ("satchel-device", "crates/device/src/lease.rs"),
    ("satchel-device", "crates/device/src/lock.rs"),
    ("satchel-device", "crates/device/src/vault.rs"),
    ("satchel-sealed", "crates/sealed/src/**/*.rs"),
    ("satchel-access", "crates/access/src/**/*.rs"),
];

/// A run of tests that takes longer than this many seconds hangs, which counts as noticed.
const TIMEOUT: &str = "120";

/// What became of a file's mutants.
#[derive(Default)]
struct Tally {
    caught: usize,
    missed: Vec<String>,
}

/// Runs the mutants of the files that contain `only`, or all.
pub fn run(only: Option<&str>) -> Result<()> {
    if !exists("cargo-mutants") {
        println!("  installing cargo-mutants");
        process::run(&mut command(
            "cargo",
            ["install", "--locked", "cargo-mutants"],
        ))?;
    }
    let mut files: BTreeMap<String, Tally> = BTreeMap::new();
    for (package, pattern) in GUARDS {
        if only.is_some_and(|only| !pattern.contains(only)) {
            continue;
        }
        println!("— {pattern}");
        let out = target_dir()
            .join("mutants")
            .join(pattern.replace(['/', '*', '.'], "_"));
        fs::create_dir_all(&out)?;
        let mut mutants = command(
            "cargo",
            [
                "mutants",
                "--in-place",
                "--no-shuffle",
                "--timeout",
                TIMEOUT,
            ],
        );
        mutants
            .args(["--package", package, "--file", pattern, "--output"])
            .arg(&out);
        mutants.current_dir(root());
        // It ends with a failure where a mutant lived; what lived is told below.
        let _ = mutants.status().context("cargo mutants")?;
        let outcomes = out.join("mutants.out/outcomes.json");
        let text = fs::read_to_string(&outcomes).with_context(|| outcomes.display().to_string())?;
        add(&mut files, &serde_json::from_str(&text)?);
    }
    if files.is_empty() {
        bail!(
            "no such files; there are: {}",
            GUARDS.map(|(_, pattern)| pattern).join(" ")
        );
    }
    for (file, tally) in &files {
        let all = tally.caught + tally.missed.len();
        println!(
            "{:3} % of {all:4} caught  {file}",
            tally.caught * 100 / all.max(1)
        );
        for missed in &tally.missed {
            println!("      missed: {missed}");
        }
    }
    Ok(())
}

/// Those that do not compile count neither way; a hang was noticed.
fn add(files: &mut BTreeMap<String, Tally>, outcomes: &Value) {
    for outcome in outcomes["outcomes"].as_array().into_iter().flatten() {
        let mutant = &outcome["scenario"]["Mutant"];
        let Some(file) = mutant["file"].as_str() else {
            continue;
        };
        let tally = files.entry(file.to_owned()).or_default();
        match outcome["summary"].as_str() {
            Some("CaughtMutant" | "Timeout") => tally.caught += 1,
            Some("MissedMutant") => {
                let name = mutant["name"].as_str().unwrap_or("?");
                tally.missed.push(name.to_owned());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_by_file() {
        let outcome = |summary: &str| {
            serde_json::json!({
                "scenario": {"Mutant": {"file": "a.rs", "name": "a.rs:1: replace f"}},
                "summary": summary,
            })
        };
        let mut files = BTreeMap::new();
        let all = ["CaughtMutant", "Timeout", "MissedMutant", "Unviable"].map(outcome);
        add(
            &mut files,
            &serde_json::json!({"outcomes": [{"scenario": "Baseline", "summary": "Success"}]}),
        );
        add(&mut files, &serde_json::json!({ "outcomes": all }));
        let tally = &files["a.rs"];
        assert_eq!((tally.caught, tally.missed.len()), (2, 1));
    }
}
