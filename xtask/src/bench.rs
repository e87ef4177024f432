//! `cargo xtask bench`: our engine and its peers in the same run.

use anyhow::{Result, bail};

use crate::hub;
use crate::process::{command, root, run, step};
use crate::setup;

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
    let python = setup::python("bench-python", &["polars", "duckdb", "pyarrow"])?;
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
