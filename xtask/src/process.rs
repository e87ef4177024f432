//! Running other programs: quiet while all goes well, everything shown when it does not.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program and its arguments, to be run in the repository's root.
pub fn command<S: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// A cargo command over the whole workspace but this program, which has a profile of its own.
///
/// The tests build nothing by `-p`: cargo unites the features of what is selected, and another
/// selection would compile most crates once more.
pub fn cargo<'a>(action: &[&str], more: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = command("cargo", action);
    command
        .args(["--workspace", "--exclude", "xtask"])
        .args(more);
    command
}

/// Runs `command` with its output shown as it comes.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = describe(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs `command` behind a spinner that says `title`; its output is shown only if it fails.
pub fn step(title: &str, command: &mut Command) -> Result<()> {
    let shown = describe(command);
    let bar = spinner(title);
    let start = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    bar.finish_and_clear();
    if output.status.success() {
        println!("  ✓ {title} ({:.1} s)", start.elapsed().as_secs_f64());
        return Ok(());
    }
    eprintln!("{}", String::from_utf8_lossy(&output.stdout));
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    bail!("{title}: `{shown}` failed ({})", output.status)
}

/// Runs `command` and returns what it printed.
pub fn read(command: &mut Command) -> Result<String> {
    let shown = describe(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        bail!("`{shown}` failed ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether `program` can be started.
pub fn exists(program: &str) -> bool {
    let quiet = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .status();
    quiet.is_ok_and(|s| s.success())
}

/// A spinner that says what is going on; a plain line where the output is not a terminal.
fn spinner(title: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.set_message(title.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    if bar.is_hidden() {
        println!("  … {title}");
    }
    bar
}

fn describe(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}
