//! `satchel-hub audit`

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use satchel_store::AuditVerdict;

use super::{Common, open, output};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the latest entries, newest last
    Show {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Check that no entry was changed or removed; fails if one was
    Verify,
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<ExitCode> {
    let store = open(common).await?;
    let mut code = ExitCode::SUCCESS;
    match command {
        Command::Show { limit } => {
            let rows: Vec<Vec<String>> = store
                .audit_entries(limit)
                .await?
                .into_iter()
                .map(|e| {
                    let detail = if e.detail.is_null() {
                        String::new()
                    } else {
                        e.detail.to_string()
                    };
                    vec![
                        e.seq.to_string(),
                        output::time(e.at),
                        e.actor,
                        e.action,
                        e.object,
                        e.outcome,
                        detail,
                    ]
                })
                .collect();
            output::table(
                common,
                &["nr", "time", "who", "what", "object", "outcome", "detail"],
                &rows,
            );
        }
        Command::Verify => {
            let sentence = match store.verify_audit().await? {
                AuditVerdict::Intact { n_entries } => format!("intact: {n_entries} entries"),
                AuditVerdict::Changed { seq } => {
                    code = ExitCode::FAILURE;
                    format!("entry {seq} or the one before it was changed")
                }
                AuditVerdict::Missing { seq } => {
                    code = ExitCode::FAILURE;
                    format!("entry {seq} is missing")
                }
            };
            output::done(common, &sentence);
        }
    }
    store.close().await;
    Ok(code)
}
