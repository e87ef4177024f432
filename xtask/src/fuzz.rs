//! `cargo xtask fuzz TARGET`: libFuzzer on one of the readers, with the compiler that is there.
//!
//! The coverage that libFuzzer steers by comes from a pass every compiler has, so neither a
//! nightly compiler nor another cargo command is needed. Only our own crates are instrumented
//! ([`rustc`]); what they depend on is what every other build uses, so that a first build takes
//! minutes. No sanitizer: our own code has no `unsafe` in what is fuzzed, and without one three
//! times as much is tried.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{command, root, run, target_dir};
use crate::setup;

/// Each target, and the folders of seeds it begins with.
const TARGETS: [(&str, &[&str]); 8] = [
    ("package", &["corpus/sealed"]),
    ("signed", &["fuzz/seeds/signed"]),
    ("expression", &["fuzz/seeds/expression"]),
    ("script", &["fuzz/seeds/script"]),
    ("qix_frames", &["fuzz/seeds/qix_frames", "corpus/rpc"]),
    ("snapshot", &["fuzz/seeds/snapshot"]),
    ("csv", &["fuzz/seeds/csv"]),
    ("parquet", &["fuzz/seeds/parquet"]),
];

/// What makes the compiler count edges and comparisons for libFuzzer, and optimise as is worth
/// it for something that runs a million times.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Copt-level=2",
];

/// Set where this program stands in for the compiler.
pub const AS_COMPILER: &str = "SATCHEL_XTASK_RUSTC";

/// Builds the fuzzer of `target`, which must be one; where it is then.
pub fn build(target: &str) -> Result<PathBuf> {
    if !TARGETS.iter().any(|(name, _)| *name == target) {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        bail!(
            "no target is called `{target}`; there are: {}",
            names.join(" ")
        );
    }
    setup::for_fuzzing()?;
    let this = std::env::current_exe().context("this program has no path")?;
    let mut build = command("cargo", ["build", "-p", "fuzz", "--features", "libfuzzer"]);
    build
        .args(["--bin", target])
        .env("RUSTC_WORKSPACE_WRAPPER", this)
        .env(AS_COMPILER, "1")
        .env("CARGO_INCREMENTAL", "0");
    run(&mut build)?;
    // Another build of the same name must not take its place while it runs.
    let built = target_dir().join("debug").join(target);
    let folder = target_dir().join("fuzzing").join(target);
    fs::create_dir_all(folder.join("corpus")).with_context(|| folder.display().to_string())?;
    let binary = folder.join("fuzzer");
    fs::copy(&built, &binary).with_context(|| built.display().to_string())?;
    Ok(binary)
}

/// Fuzzes `target` for `seconds`; `more` goes to libFuzzer as it is.
pub fn fuzz(target: &str, seconds: u32, more: &[String]) -> Result<()> {
    let binary = build(target)?;
    let seeds = TARGETS.iter().find(|(name, _)| *name == target);
    let found = target_dir().join("fuzzing").join(target);
    let mut fuzzer = command(&binary.to_string_lossy(), [found.join("corpus")]);
    fuzzer
        .args(seeds.iter().flat_map(|s| s.1).map(|s| root().join(s)))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg(format!("-max_total_time={seconds}"))
        .args(["-timeout=5", "-rss_limit_mb=2048", "-max_len=65536"])
        .args(more);
    run(&mut fuzzer).with_context(|| format!("the input that did it is in {}", found.display()))
}

/// Stands in for the compiler of our own crates: cargo hands over its path and arguments. What
/// runs while building is compiled as ever.
pub fn rustc(mut args: impl Iterator<Item = OsString>) -> Result<std::process::ExitCode> {
    let compiler = args.next().context("no compiler was named")?;
    let args: Vec<OsString> = args.collect();
    let value_of = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1)?.to_str()
    };
    let crate_name = value_of("--crate-name").unwrap_or("___");
    let is_for_building = crate_name == "___"
        || crate_name.starts_with("build_script_")
        || value_of("--crate-type") == Some("proc-macro");
    let mut compile = Command::new(compiler);
    compile.args(&args).env_remove(AS_COMPILER);
    if !is_for_building {
        compile.args(COVERAGE);
    }
    let status = compile.status().context("the compiler does not start")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(1).into())
}
