//! `satchel-hub script`: looking at and trying load scripts without a hub.

use std::fmt::Write as _;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use satchel_base::{Budget, CancelToken};
use satchel_script::Settings;
use satchel_sources::{FileHost, Roots};
use satchel_syntax::{Diagnostic, Severity, check_script, line_col};
use serde_json::{Value, json};

use super::{Common, Failed, open, output};
use crate::connections::Connections;
use crate::reload::absolute;
use crate::script_host::{DOWNLOADS, ScriptHost};
use crate::system::{SystemClock, days, now_here, random, serial_day};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Look for mistakes in scripts without running them; fails if there are any
    Check {
        /// Script files; - is standard input
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Serve an editor by the Language Server Protocol over standard input and output
    Lsp,
    /// Run a script on files and show the tables; nothing is published
    Run {
        /// The script
        file: PathBuf,
        /// Where relative paths start; else the script's folder
        #[arg(long)]
        folder: Option<PathBuf>,
        /// What lib://data/ means; else the folder's own data
        #[arg(long)]
        data_folder: Option<PathBuf>,
        /// Use the connections of the hub whose folder --data names
        #[arg(long)]
        connections: bool,
        /// Tell of each statement: rows in and out, time, memory
        #[arg(long)]
        trace: bool,
        /// Take at most so many rows of each file
        #[arg(long)]
        limit: Option<usize>,
    },
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<ExitCode> {
    match command {
        Command::Check { files } => check(common, &files),
        Command::Lsp => crate::language::serve().map(|()| ExitCode::SUCCESS),
        Command::Run {
            file,
            folder,
            data_folder,
            connections,
            trace,
            limit,
        } => {
            let own = file.parent().unwrap_or(Path::new(".")).to_owned();
            let folder = absolute(&folder.unwrap_or(own));
            let data = data_folder.map_or_else(|| folder.join("data"), |d| absolute(&d));
            let now = now_here(&SystemClock);
            let settings = Settings {
                now: serial_day(now.utc) + days(now.offset_minutes),
                utc_offset: days(now.offset_minutes),
                seed: u64::from_le_bytes(random()),
                traces: trace,
                row_limit: limit,
                ..Settings::default()
            };
            let roots = Roots::new(folder).with("data", data);
            let known = if connections {
                let store = open(common).await?;
                let all = Connections::every(&store, &CancelToken::default()).await?;
                store.close().await;
                Some(all)
            } else {
                None
            };
            tokio::task::block_in_place(|| try_out(common, &file, roots, known, &settings))
        }
    }
}

/// A script's text, and its name in messages.
fn read(file: &Path) -> Result<(String, String)> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
        return Ok((text, "<stdin>".to_owned()));
    }
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = String::from_utf8(bytes)
        .with_context(|| format!("{} is not UTF-8 text", file.display()))?;
    Ok((text, file.display().to_string()))
}

fn check(common: &Common, files: &[PathBuf]) -> Result<ExitCode> {
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (mut n_errors, mut n_warnings) = (0, 0);
    let mut found: Vec<Value> = Vec::new();
    for file in files {
        let (text, name) = read(file)?;
        for diagnostic in check_script(&text) {
            if diagnostic.is_error() {
                n_errors += 1;
            } else {
                n_warnings += 1;
            }
            if common.json {
                found.push(as_json(&diagnostic, &name, &text));
            } else {
                let rendered = diagnostic.render(&name, &text);
                println!(
                    "{}\n",
                    if colours {
                        coloured(&rendered, diagnostic.severity)
                    } else {
                        rendered
                    }
                );
            }
        }
    }
    if common.json {
        println!("{}", Value::Array(found));
    } else {
        let n = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        println!(
            "{}, {} in {}",
            n(n_errors, "error"),
            n(n_warnings, "warning"),
            n(files.len(), "file")
        );
    }
    Ok(if n_errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn as_json(diagnostic: &Diagnostic, file: &str, text: &str) -> Value {
    let (line, column) = line_col(text, diagnostic.span.start as usize);
    let (end_line, end_column) = line_col(text, diagnostic.span.end as usize);
    json!({
        "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "code": diagnostic.code,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "file": file,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    })
}

/// The rendered diagnostic with the colours compilers use.
fn coloured(rendered: &str, severity: Severity) -> String {
    const BOLD: &str = "\u{1b}[1m";
    const BLUE: &str = "\u{1b}[1;34m";
    const RESET: &str = "\u{1b}[0m";
    let strong = match severity {
        Severity::Error => "\u{1b}[1;31m",
        Severity::Warning => "\u{1b}[1;33m",
    };
    let mut out = String::new();
    for (n, line) in rendered.lines().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        let trimmed = line.trim_start();
        let _ = match line.split_once(": ") {
            Some((head, message)) if n == 0 => {
                write!(out, "{strong}{head}{RESET}{BOLD}: {message}{RESET}")
            }
            _ if trimmed.starts_with("-->") => write!(out, "{BLUE}{line}{RESET}"),
            _ if trimmed.starts_with('=') => write!(out, "{BLUE}{line}{RESET}"),
            _ => match line.split_once('|') {
                Some((gutter, rest)) if rest.trim_start().starts_with('^') => {
                    write!(out, "{BLUE}{gutter}|{strong}{rest}{RESET}")
                }
                Some((gutter, rest)) => write!(out, "{BLUE}{gutter}|{RESET}{rest}"),
                None => write!(out, "{line}"),
            },
        };
    }
    out
}

fn try_out(
    common: &Common,
    file: &Path,
    roots: Roots,
    connections: Option<Connections>,
    settings: &Settings,
) -> Result<ExitCode> {
    let (text, name) = read(file)?;
    let downloads = tempfile::tempdir().context("cannot make a folder for downloads")?;
    let roots = match connections {
        Some(_) => roots.with(DOWNLOADS, downloads.path()),
        None => roots,
    };
    let show = !common.json;
    let files = FileHost::new(roots, |line: &str| {
        if show {
            println!("{line}");
        }
    });
    let mut host = ScriptHost::new(files);
    if let Some(connections) = connections {
        let cancel = CancelToken::default();
        host = host.with_connections(connections, downloads.path().to_owned(), cancel);
    }
    let run = satchel_script::run(&name, &text, &mut host, settings, &Budget::unlimited());
    let result = match run {
        Ok(result) => result,
        Err(failure) => {
            let rendered: Vec<&str> = failure
                .problems
                .iter()
                .map(|p| p.rendered.as_str())
                .collect();
            return Err(Failed {
                code: failure.problems.first().map_or("script.failed", |p| p.code),
                message: format!("the script stopped\n{}", rendered.join("\n")),
            }
            .into());
        }
    };
    if show {
        for warning in &result.warnings {
            println!("{}", warning.rendered);
        }
    }
    let rows: Vec<Vec<String>> = (result.model.tables().iter())
        .map(|table| {
            let fields: Vec<&str> = (table.columns.iter())
                .map(|c| result.model.field(c.field).name.as_str())
                .collect();
            vec![
                table.name.clone(),
                table.n_rows.to_string(),
                fields.join(", "),
            ]
        })
        .collect();
    output::table(common, &["table", "rows", "fields"], &rows);
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_nothing_but_colours() {
        let text = "LOAD a|b FROM x;\nLET v = (;";
        for diagnostic in check_script(text) {
            let plain = diagnostic.render("f", text);
            let mut bare = coloured(&plain, diagnostic.severity);
            while let Some(at) = bare.find('\u{1b}') {
                let end = at + bare[at..].find('m').unwrap();
                bare.replace_range(at..=end, "");
            }
            assert_eq!(bare, plain);
        }
    }
}
