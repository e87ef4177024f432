//! `cargo xtask bench`: our engine and its peers in the same run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::hub;
use crate::process::{command, root, run, step};
use crate::setup;

/// The workloads there are.
const WORKLOADS: [&str; 7] = ["w1", "w1-tpch", "load", "csv", "qvd", "open", "size"];

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
    let mut build = command("cargo", ["build", "--quiet", "--release", "-p", "bench"]);
    step("building the benchmark", &mut build)?;
    let mut compare = command(&python.to_string_lossy(), ["bench/compare.py"]);
    compare.arg("--files").arg(&files);
    if only.is_empty() || only.iter().any(|w| w == "w1-tpch") {
        compare.arg("--tpch").arg(tpch_files(&python)?);
    }
    compare
        .arg("--ours")
        .arg(crate::process::target_dir().join("release/satchel-bench"));
    compare.args(only).current_dir(root());
    run(&mut compare)
}

/// Makes the Parquet files of TPC-H at scale factor 1 (350 MB), unless they are there.
fn tpch_files(python: &Path) -> Result<PathBuf> {
    let files = setup::cache_folder().join("tpch1");
    if files.join("complete").exists() {
        return Ok(files);
    }
    let _ = fs::remove_dir_all(&files);
    fs::create_dir_all(&files)?;
    let generator = python.with_file_name("tpchgen-cli");
    let mut make = command(
        &generator.to_string_lossy(),
        ["parquet", "--quiet", "--scale-factor", "1", "--output-dir"],
    );
    step(
        "making the TPC-H data (6 million rows, 350 MB)",
        make.arg(&files),
    )?;
    fs::write(files.join("complete"), "")?;
    Ok(files)
}
