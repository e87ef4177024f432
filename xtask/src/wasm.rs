//! The browser engine: `crates/wasm` compiled, bound and optimised into `web/src/wasm`.
//!
//! wasm-bindgen's library is used instead of its command, so that tool and crate are of one
//! version, pinned by `Cargo.lock`. wasm-opt comes from the npm package `binaryen`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::build::web_packages;
use crate::process::{command, root, step, target_dir};
use crate::setup;

/// The features the compiler used, named one by one: `-all` makes files that do not load.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-simd",
];

/// Builds the engine module, unless the compiled code is the one bound last time.
pub fn build_wasm() -> Result<()> {
    let toolchain = setup::wasm_toolchain()?;
    web_packages()?;
    let target = target_dir().join("wasm");
    let mut build = command("cargo", &toolchain.select);
    build
        .args([
            "build",
            "--quiet",
            "--profile",
            "wasm",
            "-p",
            "satchel-wasm",
        ])
        .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
        .arg(&target)
        .env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            "-C target-feature=+simd128",
        )
        // This program is itself run by cargo, whose choice of compiler must not be handed on.
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTC")
        .env_remove("CARGO");
    step("compiling the browser engine", &mut build)?;

    let compiled = target.join("wasm32-unknown-unknown/wasm/satchel_wasm.wasm");
    let out = root().join("web/src/wasm");
    let bound_from = out.join("bound-from");
    let print = fingerprint(&compiled)?;
    if fs::read_to_string(&bound_from).is_ok_and(|last| last == print) {
        return Ok(());
    }
    if out.exists() {
        fs::remove_dir_all(&out).context("cannot remove the last browser engine")?;
    }
    Bindgen::new()
        .input_path(&compiled)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(false)
        .generate(&out)
        .context("wasm-bindgen cannot bind the browser engine")?;
    optimise(&out.join("satchel_wasm_bg.wasm"))?;
    fs::write(&bound_from, print).context("cannot note what was bound")
}

fn optimise(module: &Path) -> Result<()> {
    let tool = root().join("web/node_modules/binaryen/bin/wasm-opt");
    if !tool.exists() {
        bail!("{} is missing; run `npm ci` in web/", tool.display());
    }
    let smaller = module.with_extension("opt.wasm");
    let mut optimise = command("node", [tool.as_os_str()]);
    optimise
        .arg("-O2")
        .args(FEATURES)
        .arg(module)
        .arg("-o")
        .arg(&smaller);
    step("optimising the browser engine", &mut optimise)?;
    fs::rename(&smaller, module).context("cannot replace the module by the optimised one")
}

/// Length and time of the compiled file: cargo leaves it alone when nothing changed.
fn fingerprint(compiled: &Path) -> Result<String> {
    let meta =
        fs::metadata(compiled).with_context(|| format!("{} was not built", compiled.display()))?;
    Ok(format!("{} {:?}", meta.len(), meta.modified()?))
}
