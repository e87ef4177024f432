//! Building: the browser engine, the web UI, and the two binaries.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::process::{cargo, command, root, step, target_dir};
use crate::wasm;

/// How thoroughly cargo optimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build; what tests use.
    Dev,
    /// What people run.
    Release,
}

impl Profile {
    /// Release if `release`.
    pub fn of(release: bool) -> Self {
        if release { Self::Release } else { Self::Dev }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// Browser engine, web UI, then the binaries, which carry the UI inside.
pub fn all(profile: Profile) -> Result<()> {
    wasm::build_wasm()?;
    web()?;
    binaries(profile)
}

/// The web UI into `web/dist`, unless nothing it is made of has changed.
pub fn web() -> Result<()> {
    let web = root().join("web");
    let built = web.join("dist/index.html");
    if newest(&web, &["dist", "node_modules", "e2e"])? <= modified(&built) {
        return Ok(());
    }
    web_packages()?;
    let mut build = command("npm", ["run", "--silent", "build"]);
    step("building the web UI", build.current_dir(&web))
}

/// What the web UI is built with, as its lock file says.
pub fn web_packages() -> Result<()> {
    let web = root().join("web");
    let locked = modified(&web.join("package-lock.json"));
    if modified(&web.join("node_modules/.package-lock.json")) < locked {
        let mut install = command("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        step(
            "installing the web UI's packages",
            install.current_dir(&web),
        )?;
    }
    Ok(())
}

/// `satchel-hub` and `satchel`.
pub fn binaries(profile: Profile) -> Result<()> {
    let mut build = match profile {
        Profile::Release => command(
            "cargo",
            [
                "build",
                "--release",
                "-p",
                "satchel-hub",
                "-p",
                "satchel-cli",
            ],
        ),
        // Together with a test, as the tests that built them before were.
        Profile::Dev => cargo(
            &["build"],
            [
                "--bin",
                "satchel-hub",
                "--bin",
                "satchel",
                "--test",
                "readers",
            ],
        ),
    };
    step("building satchel-hub and satchel", build.arg("--quiet"))
}

/// Where a binary is after [`binaries`].
pub fn binary(name: &str, profile: Profile) -> PathBuf {
    target_dir().join(profile.folder()).join(name)
}

/// When the newest file under `folder` was changed, leaving out `skip` at its top.
pub fn newest(folder: &Path, skip: &[&str]) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if skip.iter().any(|s| entry.file_name() == *s) {
            continue;
        }
        let path = entry.path();
        newest = newest.max(if path.is_dir() {
            self::newest(&path, &[])?
        } else {
            modified(&path)
        });
    }
    Ok(newest)
}

/// When a file was last changed; the epoch if it is not there.
pub fn modified(path: &Path) -> SystemTime {
    fs::metadata(path)
        .and_then(|m| m.modified())
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
