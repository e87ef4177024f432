//! `cargo xtask bench`: our engine and its peers in the same run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::build::{self, Profile};
use crate::hub;
use crate::process::{command, root, run, step, target_dir};
use crate::setup;
use crate::test::Demo;

/// The workloads there are.
const WORKLOADS: [&str; 14] = [
    "w1", "w1-tpch", "w2", "w3", "w5", "w6", "w6-tpch", "hostile", "load", "csv", "qvd", "open",
    "size", IN_BROWSER,
];

/// The one that runs in Chromium.
const IN_BROWSER: &str = "w7";

/// Those that need the Parquet files of TPC-H.
const ON_TPCH: [&str; 4] = ["w1-tpch", "w3", "w5", "w6-tpch"];

/// Runs the workloads named in `only`, or all, and prints tables.
pub fn run_workloads(only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|w| !WORKLOADS.contains(&w.as_str())) {
        bail!(
            "no workload is called `{unknown}`; there are: {}",
            WORKLOADS.join(" ")
        );
    }
    setup::for_building()?;
    let files = hub::flights_files()?;
    let packages = [
        "polars",
        "duckdb",
        "pyarrow",
        "tpchgen-cli",
        "pyqvd",
        "qvdrs",
    ];
    let python = setup::python("bench-python", &packages)?;
    let wants = |workload: &str| only.is_empty() || only.iter().any(|w| w == workload);
    let natively: Vec<&str> = WORKLOADS
        .into_iter()
        .filter(|w| *w != IN_BROWSER && wants(w))
        .collect();
    if !natively.is_empty() {
        run_natively(&natively, &python, &files)?;
    }
    if wants(IN_BROWSER) {
        run_in_browser(&python, &files)?;
    }
    Ok(())
}

fn run_natively(workloads: &[&str], python: &Path, files: &Path) -> Result<()> {
    let mut build = command("cargo", ["build", "--quiet", "--release", "-p", "bench"]);
    step("building the benchmark", &mut build)?;
    let mut compare = command(&python.to_string_lossy(), ["bench/compare.py"]);
    compare.arg("--files").arg(files);
    if ON_TPCH.iter().any(|w| workloads.contains(w)) {
        compare.arg("--tpch").arg(tpch_files(python, "parquet")?);
    }
    if workloads.contains(&"w2") {
        compare.arg("--tpch-csv").arg(tpch_files(python, "csv")?);
    }
    compare
        .arg("--ours")
        .arg(target_dir().join("release/satchel-bench"));
    compare.args(workloads).current_dir(root());
    run(&mut compare)
}

/// The browser engine as it is shipped, in an app that Chromium downloads from a hub.
fn run_in_browser(python: &Path, files: &Path) -> Result<()> {
    const TITLE: &str = "Flights of W1";
    setup::for_tests()?;
    let packages = setup::node_packages("duckdb-wasm", "@duckdb/duckdb-wasm", "1.32.0")?;
    build::all(Profile::Release)?;
    let demo = Demo::prepare("bench", Profile::Release)?;
    demo.add_app(TITLE, &root().join("bench/w1_flights.qvs"))?;
    let flat = target_dir().join("bench/flat.csv");
    let mut join = command(&python.to_string_lossy(), ["bench/flat.py"]);
    step(
        "joining the tables for DuckDB-WASM",
        join.arg(files).arg(&flat).current_dir(root()),
    )?;
    let mut clicks = command("node", ["bench/clicks.mjs", TITLE]);
    clicks
        .arg(flat)
        .arg(packages.join("@duckdb/duckdb-wasm"))
        .current_dir(root().join("web"));
    demo.against_hub(&mut clicks)
}

/// Makes the files of TPC-H at scale factor 1, unless they are there: all tables as Parquet
/// (350 MB), or lineitem as CSV (770 MB).
fn tpch_files(python: &Path, format: &str) -> Result<PathBuf> {
    let (folder, about): (_, &[&str]) = match format {
        "csv" => ("tpch1-csv", &["--tables", "lineitem"]),
        _ => ("tpch1", &[]),
    };
    let files = setup::cache_folder().join(folder);
    if files.join("complete").exists() {
        return Ok(files);
    }
    let _ = fs::remove_dir_all(&files);
    fs::create_dir_all(&files)?;
    let generator = python.with_file_name("tpchgen-cli");
    let mut make = command(
        &generator.to_string_lossy(),
        [format, "--quiet", "--scale-factor", "1", "--output-dir"],
    );
    step(
        "making the TPC-H data (6 million rows, up to 770 MB)",
        make.arg(&files).args(about),
    )?;
    fs::write(files.join("complete"), "")?;
    Ok(files)
}
