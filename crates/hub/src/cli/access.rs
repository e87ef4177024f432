//! `satchel-hub access`

use anyhow::{Context, Result};
use clap::Subcommand;
use satchel_access::{Decision, Subject, Why, explain, lint};
use satchel_base::SubjectId;
use satchel_store::Store;
use serde_json::json;

use super::{Common, open, output};
use crate::apps::{LoadedApp, subject};
use crate::data_image::DataImage;

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
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<()> {
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
            let rows: Vec<Vec<String>> = lint(&loaded.rules, &loaded.model)
                .into_iter()
                .map(|f| vec![f.code.to_owned(), f.message, f.fix])
                .collect();
            output::table(common, &["code", "finding", "fix"], &rows);
        }
    }
    store.close().await;
    Ok(())
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
