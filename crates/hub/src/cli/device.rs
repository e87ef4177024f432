//! `satchel-hub device`

use anyhow::Result;
use clap::Subcommand;
use satchel_base::{Clock, DeviceId};
use serde_json::json;

use super::{Common, note, open, output};
use crate::system::SystemClock;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List devices
    List,
    /// Stop a device: no more log-ins, renewals or downloads from it
    Revoke {
        /// The device's id, as `device list` shows it
        id: String,
    },
    /// Stop a lost device, and have it remove this hub's keys and downloads at its next contact;
    /// `device list` shows whether it has been told
    Wipe {
        /// The device's id, as `device list` shows it
        id: String,
    },
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<()> {
    let store = open(common).await?;
    match command {
        Command::List => {
            let rows: Vec<Vec<String>> = store
                .devices()
                .await?
                .into_iter()
                .map(|d| {
                    let state = match (d.revoked_at, d.wipe_at, d.wipe_told_at) {
                        _ if let Some(at) = d.copied_at => {
                            format!("found twice and stopped {}", output::time(at))
                        }
                        (_, Some(_), Some(at)) => format!("told to wipe {}", output::time(at)),
                        (_, Some(at), None) => format!("to be wiped since {}", output::time(at)),
                        (Some(at), ..) => format!("revoked {}", output::time(at)),
                        (None, ..) => "enrolled".to_owned(),
                    };
                    vec![
                        d.id.to_string(),
                        d.user.to_string(),
                        d.name,
                        d.platform,
                        output::time(d.last_seen),
                        state,
                    ]
                })
                .collect();
            output::table(
                common,
                &["device", "user", "name", "platform", "last seen", "state"],
                &rows,
            );
        }
        Command::Revoke { id } => {
            store
                .revoke_device(&DeviceId::new(&id), SystemClock.now())
                .await?;
            note(&store, "device.revoke", &id, json!({})).await?;
            output::done(common, &format!("revoked {id}"));
        }
        Command::Wipe { id } => {
            store
                .wipe_device(&DeviceId::new(&id), SystemClock.now())
                .await?;
            note(&store, "device.wipe", &id, json!({})).await?;
            output::done(
                common,
                &format!(
                    "revoked {id}; it is told to remove this hub's keys and downloads at its next contact"
                ),
            );
        }
    }
    store.close().await;
    Ok(())
}
