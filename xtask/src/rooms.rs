//! The dependency test of the rooms: `[workspace.metadata.rooms]` is law.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;

/// Crates that bring I/O, a clock, entropy, threads or a runtime; pure rooms name none of them.
const IMPURE: [&str; 12] = [
    "tokio",
    "axum",
    "sqlx",
    "rustls",
    "ureq",
    "getrandom",
    "rand",
    "rayon",
    "hyper",
    "reqwest",
    "parquet",
    "object_store",
];

/// Rooms that do no I/O.
const PURE: [&str; 12] = [
    "base", "syntax", "data", "sealed", "contract", "gate", "calc", "engine", "access", "script",
    "qix", "device",
];

/// Paths of the standard library a pure room may not name.
const FORBIDDEN_PATHS: [&str; 10] = [
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::env",
    "std::thread",
    "std::process",
    "SystemTime",
    "Instant::now",
];

/// Checks that every room depends only on rooms it may see, and that pure rooms stay pure.
///
/// # Errors
/// Names every violation.
pub fn check() -> Result<()> {
    let metadata = process::read(&mut process::command(
        "cargo",
        [
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ],
    ))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let allowed: BTreeMap<String, BTreeSet<String>> =
        serde_json::from_value(metadata["metadata"]["rooms"].clone())
            .context("the root manifest has no [workspace.metadata.rooms]")?;
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let Some(room) = package["name"]
            .as_str()
            .and_then(|n| n.strip_prefix("satchel-"))
        else {
            continue;
        };
        let Some(may_see) = allowed.get(room) else {
            wrong.push(format!(
                "room `{room}` is not in [workspace.metadata.rooms]"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"].as_str() == Some("dev") {
                continue;
            }
            let name = dependency["name"].as_str().unwrap_or_default();
            if let Some(other) = name.strip_prefix("satchel-")
                && !may_see.contains(other)
            {
                wrong.push(format!("`{room}` may not see `{other}`"));
            }
            if PURE.contains(&room) && IMPURE.contains(&name) {
                wrong.push(format!("`{room}` is pure and may not depend on `{name}`"));
            }
        }
        if PURE.contains(&room) {
            wrong.extend(impure_paths(room)?);
        }
    }
    if !wrong.is_empty() {
        bail!(
            "the rooms are not as the root manifest says:\n  {}",
            wrong.join("\n  ")
        );
    }
    println!("  ✓ rooms: {} crates see only what they may", allowed.len());
    Ok(())
}

/// Uses of the operating system in a pure room's sources, tests excepted.
fn impure_paths(room: &str) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut folders = vec![process::root().join("crates").join(room).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|e| e != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path)?;
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (n, line) in code.lines().enumerate() {
                let line = line.split("//").next().unwrap_or_default();
                for path_name in FORBIDDEN_PATHS.iter().filter(|p| line.contains(**p)) {
                    wrong.push(format!("{}:{}: `{path_name}`", path.display(), n + 1));
                }
            }
        }
    }
    Ok(wrong)
}
