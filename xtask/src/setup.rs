//! What building and testing need from the machine: installed if it can be, named if not.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::process::{command, exists, read, root, step};

/// The compiler that can build for the browser, and how to call it.
pub struct WasmToolchain {
    /// The `+name` argument for cargo; empty when the default toolchain has the target.
    pub select: Vec<String>,
}

/// Everything `cargo xtask build` needs.
pub fn for_building() -> Result<()> {
    require_node()?;
    debian(&[
        ("cc", "build-essential"),
        ("python3", "python3"),
        ("pip", "python3-pip"),
    ])?;
    wasm_toolchain()?;
    Ok(())
}

/// Everything `cargo xtask test` needs.
pub fn for_tests() -> Result<()> {
    for_building()?;
    debian(&[
        ("chromium", "chromium"),
        ("faketime", "faketime"),
        ("certutil", "libnss3-tools"),
        ("sqlite3", "sqlite3"),
        ("mariadb-install-db", "mariadb-server-core"),
    ])?;
    // Debian puts the programs of each version of PostgreSQL into a folder of their own.
    if !std::path::Path::new("/usr/lib/postgresql").is_dir() {
        debian_packages(&["postgresql"])?;
    }
    Ok(())
}

/// Everything `cargo xtask fuzz` needs.
pub fn for_fuzzing() -> Result<()> {
    debian(&[("c++", "build-essential")])
}

/// The interpreter of the Python environment `name`, made if it is not there, with `packages`.
pub fn python(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let venv = cache_folder().join(name);
    let python = venv.join("bin/python");
    if !python.exists() {
        // Debian's Python comes without what makes environments.
        if read(&mut command("python3", ["-c", "import ensurepip"])).is_err() {
            debian_packages(&["python3-venv"])?;
        }
        let mut make = command("python3", ["-m", "venv"]);
        step("making a Python environment", make.arg(&venv))?;
    }
    let mut install = command(
        &python.to_string_lossy(),
        ["-m", "pip", "install", "--quiet"],
    );
    install.args(packages);
    step(&format!("installing {}", packages.join(", ")), &mut install)?;
    Ok(python)
}

/// The folder `node_modules` of `name` in the cache, with the npm package `package`, which is
/// installed if it is not there.
pub fn node_packages(name: &str, package: &str, version: &str) -> Result<PathBuf> {
    let folder = cache_folder().join(name);
    let packages = folder.join("node_modules");
    if !packages.join(package).exists() {
        let mut install = command("npm", ["install", "--no-audit", "--no-fund"]);
        install
            .args(["--ignore-scripts", "--silent", "--prefix"])
            .arg(&folder)
            .arg(format!("{package}@{version}"));
        step(&format!("installing {package}"), &mut install)?;
    }
    Ok(packages)
}

fn require_node() -> Result<()> {
    if !exists("node") || !exists("npm") {
        bail!(
            "Node.js 20 or newer with npm is needed for the web UI; install it and run this again"
        );
    }
    Ok(())
}

/// Installs the Debian package of each program that is missing.
fn debian(wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(program, _)| !on_path(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    debian_packages(&missing)
}

/// Installs Debian packages, or says how to.
fn debian_packages(missing: &[&str]) -> Result<()> {
    if !on_path("apt-get") || !is_root()? {
        bail!(
            "these Debian packages are missing: {0}\n  install them with: sudo apt-get install {0}",
            missing.join(" ")
        );
    }
    step(
        "reading Debian's package lists",
        &mut command("apt-get", ["update", "-qq"]),
    )?;
    let mut install = command(
        "apt-get",
        ["install", "-y", "-qq", "--no-install-recommends"],
    );
    install
        .args(missing)
        .env("DEBIAN_FRONTEND", "noninteractive");
    step(&format!("installing {}", missing.join(", ")), &mut install)
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> Result<bool> {
    Ok(read(&mut command("id", ["-u"]))?.trim() == "0")
}

/// Finds or makes a compiler for `wasm32-unknown-unknown`.
///
/// The installed target if there is one, else rustup's, else one built from Debian's
/// `rustc-web` packages and kept in the user's cache folder.
pub fn wasm_toolchain() -> Result<WasmToolchain> {
    let default = || WasmToolchain { select: Vec::new() };
    if has_wasm_target() {
        return Ok(default());
    }
    if exists("rustup") {
        let added = command("rustup", ["target", "add", "wasm32-unknown-unknown"]).output();
        if added.is_ok_and(|o| o.status.success()) && has_wasm_target() {
            return Ok(default());
        }
    }
    let folder = cache_folder().join("wasm-toolchain");
    if !folder.join("complete").exists() {
        let script = root().join("xtask/wasm-toolchain.sh");
        let mut make = command("bash", [script.as_os_str(), folder.as_os_str()]);
        step(
            "making a compiler for the browser from Debian's packages (about 2 minutes)",
            &mut make,
        )?;
        std::fs::write(folder.join("complete"), "")?;
    }
    let name = "satchel-wasm";
    let mut link = command("rustup", ["toolchain", "link", name]);
    link.arg(&folder);
    read(&mut link)?;
    Ok(WasmToolchain {
        select: vec![format!("+{name}")],
    })
}

fn has_wasm_target() -> bool {
    read(&mut command(
        "rustc",
        [
            "--print",
            "target-libdir",
            "--target",
            "wasm32-unknown-unknown",
        ],
    ))
    .is_ok_and(|folder| PathBuf::from(folder.trim()).is_dir())
}

/// Where things are kept that every clone of the repository may share.
pub fn cache_folder() -> PathBuf {
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cache")))
        .unwrap_or_else(|| root().join(".satchel"))
        .join("satchel")
}
