//! `cargo xtask bench`: our engine and its peers in the same run.

use anyhow::{Result, bail};

use crate::hub;
use crate::process::{command, root, run, step};
use crate::setup::{self, cache_folder};

/// The workloads there are.
const WORKLOADS: [&str; 4] = ["w1", "load", "open", "size"];

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
    let venv = cache_folder().join("bench-python");
    let python = venv.join("bin/python");
    if !python.exists() {
        let mut make = command("python3", ["-m", "venv"]);
        step("making a Python environment for the peers", make.arg(&venv))?;
    }
    let mut install = command(
        &python.to_string_lossy(),
        ["-m", "pip", "install", "--quiet"],
    );
    install.args(["polars", "duckdb", "pyarrow"]);
    step("installing the peers: polars and duckdb", &mut install)?;
    let mut build = command("cargo", ["build", "--quiet", "--release", "-p", "bench"]);
    step("building the benchmark", &mut build)?;
    let mut compare = command(&python.to_string_lossy(), ["bench/compare.py"]);
    compare.arg("--files").arg(&files);
    compare
        .arg("--ours")
        .arg(crate::process::target_dir().join("release/satchel-bench"));
    compare.args(only).current_dir(root());
    run(&mut compare)
}
