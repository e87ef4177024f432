//! `cargo xtask fuzz TARGET`: libFuzzer on one of the readers, with the compiler that is there.
//!
//! The coverage that libFuzzer steers by comes from a pass every compiler has, so neither a
//! nightly compiler nor another cargo command is needed. No sanitizer: our own code has no
//! `unsafe` in what is fuzzed, and without one three times as much is tried.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::process::{command, read, root, run, target_dir};

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

/// What makes the compiler count edges and comparisons for libFuzzer.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// Fuzzes `target` for `seconds`; `more` goes to libFuzzer as it is.
pub fn fuzz(target: &str, seconds: u32, more: &[String]) -> Result<()> {
    let Some((_, seeds)) = TARGETS.iter().find(|(name, _)| *name == target) else {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        bail!(
            "no target is called `{target}`; there are: {}",
            names.join(" ")
        );
    };
    // Named, so that build scripts and macros are not instrumented.
    let host = read(&mut command("rustc", ["--print", "host-tuple"]))?;
    let host = host.trim();
    let mut build = command(
        "cargo",
        ["build", "--profile", "fuzz", "-p", "fuzz", "--features"],
    );
    build.args(["libfuzzer", "--bin", target, "--target", host]);
    build.env("RUSTFLAGS", COVERAGE.join(" "));
    run(&mut build)?;
    let found = target_dir().join("fuzzing").join(target);
    let corpus = found.join("corpus");
    fs::create_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
    let binary = target_dir().join(host).join("fuzz").join(target);
    let mut fuzzer = command(&binary.to_string_lossy(), [&corpus]);
    fuzzer
        .args(seeds.iter().map(|s| root().join(s)))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg(format!("-max_total_time={seconds}"))
        .args(["-timeout=5", "-rss_limit_mb=2048", "-max_len=65536"])
        .args(more);
    run(&mut fuzzer).with_context(|| format!("the input that did it is in {}", found.display()))
}
