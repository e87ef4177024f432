//! `satchel-hub access`

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use satchel_access::{Change, Decision, Rules, Subject, Why, diff, explain};
use satchel_base::{Budget, SubjectId};
use satchel_store::Store;
use serde_json::json;

use super::{Common, note, open, output};
use crate::access_tests;
use crate::apps::{LoadedApp, subject};
use crate::data_image::DataImage;
use crate::reload::{self, Folders};
use crate::system::{SystemClock, now_here};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what a person sees of an app, and why
    Explain {
        /// Title or id
        app: String,
        /// DIRECTORY\name; need not be known to the hub
        user: String,
        /// Groups, if the person is not known to the hub; may be repeated
        #[arg(long)]
        group: Vec<String>,
    },
    /// Look for mistakes in an app's section access
    Lint {
        /// Title or id
        app: String,
    },
    /// Check what the app's access tests expect; fails if something is not so
    Test {
        /// Title or id
        app: String,
        /// Check this file in place of the tests kept with the app
        #[arg(long)]
        file: Option<PathBuf>,
        /// Keep the tests of the file with the app: each reload checks them
        #[arg(long, requires = "file")]
        keep: bool,
    },
    /// Say how much more people may see after a reload before somebody must approve it
    Limits {
        /// Title or id
        app: String,
        /// People who may be admitted who were denied
        #[arg(long)]
        people: Option<usize>,
        /// Hundredths of a table's rows that somebody may see more
        #[arg(long)]
        rows: Option<f64>,
        /// Fields somebody may see that were withheld from them
        #[arg(long)]
        fields: Option<usize>,
        /// Whether gains wait at all: true or false
        #[arg(long)]
        wait: Option<bool>,
    },
    /// Show what the next reload would change for whom; publishes nothing
    Diff {
        /// Title or id
        app: String,
        /// Only for this person: DIRECTORY\name; may be repeated
        #[arg(long)]
        user: Vec<String>,
    },
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let store = open(common).await?;
    match command {
        Command::Explain { app, user, group } => {
            let loaded = load(&store, &app).await?;
            let id = SubjectId::parse(&user);
            let asker = match store.user(&id).await? {
                Some(user) => subject(&user),
                None => Subject {
                    groups: group,
                    ..Subject::new(id)
                },
            };
            show(common, &loaded, &asker);
        }
        Command::Lint { app } => {
            let loaded = load(&store, &app).await?;
            let found = store.find_app(&app).await?;
            let findings = reload::all_findings(
                &store,
                &found,
                &loaded.rules,
                &loaded.model,
                &loaded.variables,
            )
            .await?;
            let rows: Vec<Vec<String>> = findings
                .into_iter()
                .map(|f| vec![f.code.to_owned(), f.place, f.message, f.fix])
                .collect();
            output::table(common, &["code", "place", "finding", "fix"], &rows);
        }
        Command::Test { app, file, keep } => {
            let found = store.find_app(&app).await?;
            let mut folders = Folders::load(&store, &found.id);
            if let Some(file) = file {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                folders.access_tests = access_tests::parse(&text)
                    .map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))?;
            }
            if keep {
                folders.save(&store, &found.id)?;
                let about = json!({ "tests": folders.access_tests.len() });
                note(&store, "access.tests", found.id.as_str(), about).await?;
            }
            let loaded = load(&store, &app).await?;
            let failed = access_tests::broken(&folders.access_tests, &loaded.rules, &loaded.model);
            let n = folders.access_tests.len();
            if common.json {
                println!("{}", json!({ "tests": n, "failed": failed }));
            } else {
                for line in &failed {
                    println!("{line}");
                }
                println!("{n} access tests, {} broken expectations", failed.len());
            }
            if !failed.is_empty() {
                code = ExitCode::FAILURE;
            }
        }
        Command::Limits {
            app,
            people,
            rows,
            fields,
            wait,
        } => {
            let found = store.find_app(&app).await?;
            let mut folders = Folders::load(&store, &found.id);
            let before = folders.gain_limits;
            let limits = &mut folders.gain_limits;
            limits.people = people.unwrap_or(limits.people);
            limits.rows = rows.unwrap_or(limits.rows);
            limits.fields = fields.unwrap_or(limits.fields);
            limits.on = wait.unwrap_or(limits.on);
            let limits = *limits;
            if limits != before {
                folders.save(&store, &found.id)?;
                note(&store, "access.limits", found.id.as_str(), json!(limits)).await?;
            }
            if common.json {
                println!("{}", json!(limits));
            } else if limits.on {
                println!(
                    "a reload of {} waits for an approval if more than {} people are admitted who were denied, if somebody sees more than {} % of a table's rows in addition, or more than {} fields that were withheld",
                    found.title, limits.people, limits.rows, limits.fields
                );
            } else {
                println!("reloads of {} wait for no approval of gains", found.title);
            }
        }
        Command::Diff { app, user } => show_diff(common, &store, &app, &user).await?,
    }
    store.close().await;
    Ok(code)
}

/// Runs the script without publishing, and compares what everybody sees.
async fn show_diff(common: &Common, store: &Store, name: &str, only: &[String]) -> Result<()> {
    let before = load(store, name).await?;
    let app = store.find_app(name).await?;
    let budget = Budget::unlimited();
    let task = reload::Task {
        who: None,
        now: now_here(&SystemClock),
        budget: &budget,
        partial: false,
        traces: false,
        row_limit: None,
    };
    let made = reload::make(store, &app.id, &task, &mut |_| {})
        .await
        .map_err(|error| super::Failed {
            code: error.code(),
            message: error.to_string(),
        })?;
    let (rules, _) = Rules::read(&made.access, &made.model);
    let mut people: Vec<Subject> = Vec::new();
    if only.is_empty() {
        people.extend(store.users().await?.iter().map(subject));
        people.extend(before.rules.named_subjects());
        people.extend(rules.named_subjects());
    }
    for user in only {
        let id = SubjectId::parse(user);
        people.push(match store.user(&id).await? {
            Some(user) => subject(&user),
            None => Subject::new(id),
        });
    }
    let mut seen: Vec<SubjectId> = Vec::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for person in people {
        if seen.contains(&person.user) {
            continue;
        }
        let changes = diff(
            (&before.rules, &before.model),
            (&rules, &made.model),
            &person,
        );
        rows.extend((changes.iter()).map(|c| vec![person.user.to_string(), describe(c)]));
        seen.push(person.user);
    }
    if rows.is_empty() && !common.json {
        output::done(
            common,
            &format!("nothing changes for any of {} people", seen.len()),
        );
        return Ok(());
    }
    output::table(common, &["who", "what changes"], &rows);
    Ok(())
}

fn describe(change: &Change) -> String {
    /// More values are counted, not named.
    const NAMED: usize = 10;
    let names = |set: &BTreeSet<String>| {
        let some: Vec<&str> = set.iter().take(NAMED).map(String::as_str).collect();
        match set.len().checked_sub(NAMED) {
            Some(more @ 1..) => format!("{} and {more} more", some.join(", ")),
            _ => some.join(", "),
        }
    };
    match change {
        Change::Admitted => "was denied and is admitted".to_owned(),
        Change::Denied(reason) => format!("was admitted and is denied: {reason}"),
        Change::Rows {
            table,
            before,
            after,
        } => match (before, after) {
            (Some(before), Some(after)) => format!("{table}: {before} rows become {after}"),
            (None, Some(after)) => format!("{table}: a new table of {after} rows"),
            (Some(_), None) | (None, None) => format!("{table}: the table is gone"),
        },
        Change::FieldsGained(fields) => format!("sees the fields {} now", names(fields)),
        Change::FieldsLost(fields) => format!("does not see the fields {} any more", names(fields)),
        Change::ValuesGained(field, values) => format!("{field}: sees {} now", names(values)),
        Change::ValuesLost(field, values) => {
            format!("{field}: does not see {} any more", names(values))
        }
    }
}

async fn load(store: &Store, name: &str) -> Result<LoadedApp> {
    let app = store.find_app(name).await?;
    let blob = app
        .data
        .as_ref()
        .with_context(|| format!("{} was never reloaded", app.title))?;
    let image = DataImage::decode(&store.blobs().read(blob)?)?;
    Ok(LoadedApp::of(app.reload, image)?)
}

fn show(common: &Common, loaded: &LoadedApp, asker: &Subject) {
    if !loaded.rules.has_section_access() {
        output::done(
            common,
            "the app has no section access: whoever may open it sees everything",
        );
        return;
    }
    let answer = explain(&loaded.rules, asker, &loaded.model);
    let verdict = match &answer.decision {
        Decision::Denied(reason) => format!("denied: {reason}"),
        Decision::Granted(_) => "admitted".to_owned(),
    };
    let why = |why: &Why| match why {
        Why::Applies(_) => "applies".to_owned(),
        Why::NoAccess => "ACCESS is neither ADMIN nor USER".to_owned(),
        Why::Differs { column } => format!("{column} is blank or names somebody else"),
        Why::OnlyStars => "names everybody by *, and nobody is signed in".to_owned(),
        Why::LinkLoop => "its linked tables form a loop".to_owned(),
    };
    if common.json {
        println!(
            "{}",
            json!({
                "user": asker.user.as_str(),
                "verdict": verdict,
                "rows": answer.rows.iter().map(|r| json!({ "table": r.table, "row": r.row, "why": why(&r.why) })).collect::<Vec<_>>(),
                "fields": answer.fields.iter().map(|f| json!({ "field": f.field, "granted": f.granted, "absent": f.absent })).collect::<Vec<_>>(),
                "withheld": answer.omitted,
                "tables": answer.tables.as_ref().map(|all| all.iter().map(|t| json!({ "table": t.table, "rows_in": t.rows_in, "rows_out": t.rows_out })).collect::<Vec<_>>()),
            })
        );
        return;
    }
    println!("{}: {verdict}\n", asker.user);
    for row in &answer.rows {
        println!("  {} row {:<4} {}", row.table, row.row, why(&row.why));
    }
    for field in &answer.fields {
        let granted = field
            .granted
            .as_ref()
            .map_or_else(|| "everything".to_owned(), |v| v.join(", "));
        println!("  {} = {granted}", field.field);
        if !field.absent.is_empty() {
            println!(
                "    listed but not in the data: {}",
                field.absent.join(", ")
            );
        }
    }
    if !answer.omitted.is_empty() {
        println!("  withheld: {}", answer.omitted.join(", "));
    }
    for table in answer.tables.iter().flatten() {
        println!(
            "  {}: {} of {} rows",
            table.table, table.rows_out, table.rows_in
        );
    }
}
