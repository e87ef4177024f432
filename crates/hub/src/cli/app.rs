//! `satchel-hub app`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use satchel_base::{AppId, CancelToken, Clock};
use satchel_qix::AppContent;
use satchel_store::{App, NewApp, Store};
use serde_json::json;

use super::{Common, note, open, output};
use crate::access_tests;
use crate::reload::{self, Folders, absolute};
use crate::system::{SystemClock, make_uuid, now_here};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Import a folder with app.json (sheets) and load.qvs (script)
    Import {
        /// The folder
        folder: PathBuf,
        /// The title; else the one in app.json, else the folder's name
        #[arg(long)]
        name: Option<String>,
        /// Who owns it: DIRECTORY\name
        #[arg(long)]
        owner: String,
        /// Publish it into this stream, made if need be
        #[arg(long)]
        stream: Option<String>,
        /// What the script's lib://data/ means; else the folder's own data
        #[arg(long)]
        data_folder: Option<PathBuf>,
    },
    /// List apps
    List,
    /// Run an app's load script and publish the data
    Reload {
        /// Title or id
        app: String,
        /// Confirm what a waiting reload named, such as column:REGION; may be repeated
        #[arg(long)]
        confirm: Vec<String>,
        /// Run only loads with ADD, REPLACE or MERGE, on the data of the last reload
        #[arg(long)]
        partial: bool,
        /// Tell of each statement: rows in and out, time, memory
        #[arg(long)]
        trace: bool,
        /// Try the script with at most so many rows of each file; nothing is published
        #[arg(long)]
        limit: Option<usize>,
        /// Say less
        #[arg(long)]
        quiet: bool,
        #[command(flatten)]
        limits: super::limits::Reloads,
    },
    /// Publish an app into a stream
    Publish {
        /// Title or id
        app: String,
        /// The stream, made if need be
        #[arg(long)]
        stream: String,
    },
    /// Write an app's sheets (app.json) and script (load.qvs) into a folder, for `app import`;
    /// no data, and no bookmarks people made for themselves
    Export {
        /// Title or id
        app: String,
        /// The folder; it is made, and must not hold either file yet
        #[arg(long)]
        to: PathBuf,
    },
    /// Remove an app
    Remove {
        /// Title or id
        app: String,
    },
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<ExitCode> {
    let store = open(common).await?;
    let mut code = ExitCode::SUCCESS;
    match command {
        Command::Import {
            folder,
            name,
            owner,
            stream,
            data_folder,
        } => {
            let id = import(&store, &folder, name, &owner, data_folder).await?;
            if let Some(stream) = stream {
                publish(&store, &id, &stream).await?;
            }
            output::done(common, &format!("imported {} as {id}", folder.display()));
        }
        Command::List => {
            let streams = store.streams().await?;
            let rows: Vec<Vec<String>> = store
                .apps()
                .await?
                .into_iter()
                .map(|a| {
                    let stream = a
                        .stream
                        .and_then(|id| streams.iter().find(|s| s.id == id).map(|s| s.name.clone()));
                    vec![
                        a.id.to_string(),
                        a.title,
                        stream.unwrap_or_default(),
                        a.owner.to_string(),
                        a.reload.to_string(),
                        a.data_as_of.map(output::time).unwrap_or_default(),
                        a.data_size.to_string(),
                        a.pending
                            .map_or_else(String::new, |_| "waits for confirmation".into()),
                    ]
                })
                .collect();
            output::table(
                common,
                &[
                    "app",
                    "title",
                    "stream",
                    "owner",
                    "reload",
                    "data as of",
                    "size",
                    "note",
                ],
                &rows,
            );
        }
        Command::Reload {
            app,
            confirm,
            partial,
            trace,
            limit,
            quiet,
            limits,
        } => {
            let running = limits.read().begin(CancelToken::default());
            let task = reload::Task {
                who: None,
                now: now_here(&SystemClock),
                budget: &running.budget,
                partial,
                traces: trace,
                row_limit: limit,
            };
            code = reload_app(common, &store, &app, &confirm, &task, quiet).await?;
        }
        Command::Publish { app, stream } => {
            let app = store.find_app(&app).await?;
            publish(&store, &app.id, &stream).await?;
            output::done(common, &format!("published {} into {stream}", app.title));
        }
        Command::Export { app, to } => {
            let app = store.find_app(&app).await?;
            export(&store, &app, &to)?;
            note(
                &store,
                "app.export",
                app.id.as_str(),
                json!({ "title": app.title }),
            )
            .await?;
            output::done(
                common,
                &format!("exported {} into {}", app.title, to.display()),
            );
        }
        Command::Remove { app } => {
            let app = store.find_app(&app).await?;
            // Noted first: what the log cannot tell of does not happen.
            note(
                &store,
                "app.remove",
                app.id.as_str(),
                json!({ "title": app.title }),
            )
            .await?;
            store.remove_app(&app.id).await?;
            store.sweep_blobs().await?;
            output::done(common, &format!("removed {}", app.title));
        }
    }
    store.close().await;
    Ok(code)
}

async fn import(
    store: &Store,
    folder: &Path,
    name: Option<String>,
    owner: &str,
    data_folder: Option<PathBuf>,
) -> Result<AppId> {
    let owner = super::user::known(store, owner).await?.id;
    let script = std::fs::read_to_string(folder.join("load.qvs"))
        .with_context(|| format!("cannot read {}", folder.join("load.qvs").display()))?;
    let tests = folder.join(access_tests::FILE);
    let access_tests = match std::fs::read_to_string(&tests) {
        Ok(text) => access_tests::parse(&text)
            .map_err(|why| anyhow::anyhow!("{}: {why}", tests.display()))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => bail!("cannot read {}: {e}", tests.display()),
    };
    let path = folder.join("app.json");
    let mut content = match std::fs::read_to_string(&path) {
        Ok(text) => AppContent::from_json(&text)
            .with_context(|| format!("{} is not an app", path.display()))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => AppContent::default(),
        Err(e) => bail!("cannot read {}: {e}", path.display()),
    };
    content.script = script;
    let folder_name = folder
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into());
    let title = match (name, content.title()) {
        (Some(name), _) => name,
        (None, "") => folder_name,
        (None, title) => title.to_owned(),
    };
    content
        .properties
        .insert("qTitle".into(), title.clone().into());
    let description = content
        .properties
        .get("description")
        .and_then(|d| d.as_str())
        .unwrap_or("")
        .to_owned();
    let id = AppId::new(make_uuid());
    let blob = store.blobs().put(content.to_json().as_bytes())?;
    let app = NewApp {
        id: id.clone(),
        title,
        description,
        owner,
        content: blob,
    };
    store.put_app(&app, SystemClock.now()).await?;
    let app_folder = absolute(folder);
    let data = data_folder.map_or_else(|| app_folder.join("data"), |d| absolute(&d));
    Folders {
        app: app_folder,
        data,
        access_tests,
        gain_limits: crate::gain_approval::Limits::default(),
    }
    .save(store, &id)?;
    note(
        store,
        "app.import",
        id.as_str(),
        json!({ "title": app.title }),
    )
    .await?;
    Ok(id)
}

/// Writes what [`import`] reads. The script goes last: a folder without it imports nowhere, so
/// an export that was cut short is not taken for one.
fn export(store: &Store, app: &App, folder: &Path) -> Result<()> {
    let bytes = store.blobs().read(&app.content)?;
    let text = String::from_utf8(bytes).context("the app's content cannot be read")?;
    let mut content = AppContent::from_json(&text).context("the app's content cannot be read")?;
    let script = std::mem::take(&mut content.script);
    let content: serde_json::Value = serde_json::from_str(&content.to_json())?;
    let content = serde_json::to_string_pretty(&content)? + "\n";
    let files = [("app.json", content), ("load.qvs", script)];
    for (name, _) in &files {
        let path = folder.join(name);
        if path.exists() {
            bail!(
                "{} is there already; export into another folder",
                path.display()
            );
        }
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in &files {
        let path = folder.join(name);
        satchel_store::write_atomically(&path, text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

async fn publish(store: &Store, id: &AppId, stream: &str) -> Result<()> {
    let known = store
        .streams()
        .await?
        .iter()
        .any(|s| s.name.eq_ignore_ascii_case(stream));
    let found = store.ensure_stream(stream, &make_uuid()).await?;
    if !known {
        // A new stream is for everybody signed in until somebody says otherwise.
        store.set_stream_audience(stream, &["*".to_owned()]).await?;
    }
    store.publish_app(id, &found.id, SystemClock.now()).await?;
    note(
        store,
        "app.publish",
        id.as_str(),
        json!({ "stream": stream }),
    )
    .await
}

async fn reload_app(
    common: &Common,
    store: &Store,
    name: &str,
    confirm: &[String],
    task: &reload::Task<'_>,
    quiet: bool,
) -> Result<ExitCode> {
    let app = store.find_app(name).await?;
    if !confirm.is_empty() {
        reload::confirm(store, &app, confirm).await?;
        note(
            store,
            "app.confirm",
            app.id.as_str(),
            json!({ "confirmed": confirm }),
        )
        .await?;
    }
    let show = !quiet && !common.json;
    let mut log = |line: &str| {
        if show {
            println!("{line}");
        }
    };
    let outcome = reload::run_and_publish(store, &app.id, task, &mut log).await;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            let about = json!({ "failed": error.code() });
            let noted = note(store, "app.reload", app.id.as_str(), about).await;
            let mut message = format!(
                "the reload of {} failed; the last data stays\n{error}",
                app.title
            );
            // Why the reload failed matters more than that the log could not say so.
            if let Err(unnoted) = noted {
                message += &format!("\n{unnoted:#}");
            }
            let code = error.code();
            return Err(super::Failed { code, message }.into());
        }
    };
    if task.row_limit.is_none() {
        let about = json!({ "pending": outcome.pending, "partial": task.partial });
        note(store, "app.reload", app.id.as_str(), about).await?;
    }
    if !common.json {
        for finding in &outcome.findings {
            println!(
                "note[{}]: {}\n  at: {}\n  fix: {}",
                finding.code, finding.message, finding.place, finding.fix
            );
        }
    }
    if !outcome.pending.is_empty() {
        let confirm: Vec<String> = outcome
            .pending
            .iter()
            .map(|p| format!("--confirm '{p}'"))
            .collect();
        let idle: Vec<&str> = (outcome.pending.iter().map(String::as_str))
            .filter(|p| !p.starts_with("gain:"))
            .collect();
        let mut reasons = Vec::new();
        if !idle.is_empty() {
            reasons.push(format!(
                "its section access names {}, which would protect nothing",
                idle.join(", ")
            ));
        }
        if !outcome.gains.is_empty() {
            reasons.push(format!(
                "people would see more than the app's limits allow ({})",
                outcome.gains.join("; ")
            ));
        }
        let sentence = format!(
            "the reload of {0} ran but is not published: {1}. Mend the script, or confirm: satchel-hub app reload {0} {2}",
            app.title,
            reasons.join("; and "),
            confirm.join(" ")
        );
        output::done(common, &sentence);
        return Ok(ExitCode::from(2));
    }
    let rows: usize = outcome.tables.iter().map(|t| t.1).sum();
    if task.row_limit.is_some() {
        let n = outcome.tables.len();
        let sentence = format!(
            "tried {}: {n} tables, {rows} rows; nothing is published",
            app.title
        );
        output::done(common, &sentence);
        return Ok(ExitCode::SUCCESS);
    }
    let number = outcome.reload.unwrap_or_default();
    output::done(
        common,
        &format!(
            "published reload {number} of {}: {} tables, {rows} rows",
            app.title,
            outcome.tables.len()
        ),
    );
    Ok(ExitCode::SUCCESS)
}
