//! `satchel-hub policy`: what holds for the whole hub.

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, json};

use super::{Common, note, open, output};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what holds
    Show,
    /// Change it; a hub that runs takes it up when it is started again
    Set(Changes),
}

#[derive(Args)]
pub(crate) struct Changes {
    /// Whether people may export data from apps on the hub
    #[arg(long)]
    export: Option<Switch>,
    /// Whether a device may remember the log-in
    #[arg(long)]
    remember: Option<Switch>,
    /// Whether people who are not signed in may see the list of apps in a browser
    #[arg(long)]
    anonymous: Option<Switch>,
    /// Longest time a download may stay open without contact, at most 240
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u16).range(0..=240))]
    offline_hours: Option<u16>,
    /// Whom refusals tell people to ask, such as 'Ann (ann@example.org)'
    #[arg(long)]
    contact: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Switch {
    fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<()> {
    let store = open(common).await?;
    match command {
        Command::Show => {
            let settings = store.settings().await?;
            let switch = |on| if on { "on" } else { "off" }.to_owned();
            let row = |name: &str, value: String| vec![name.to_owned(), value];
            let rows = [
                row("export", switch(settings.may_export)),
                row("remember", switch(settings.may_remember)),
                row("anonymous", switch(settings.anonymous_viewing)),
                row("offline-hours", settings.offline_hours.to_string()),
                row("contact", settings.contact),
            ];
            output::table(common, &["policy", "value"], &rows);
        }
        Command::Set(changes) => {
            let mut settings = store.settings().await?;
            let mut about = Map::new();
            let mut set = |name: &str, value: serde_json::Value| {
                about.insert(name.to_owned(), value);
            };
            if let Some(switch) = changes.export {
                settings.may_export = switch.is_on();
                set("export", json!(switch.is_on()));
            }
            if let Some(switch) = changes.remember {
                settings.may_remember = switch.is_on();
                set("remember", json!(switch.is_on()));
            }
            if let Some(switch) = changes.anonymous {
                settings.anonymous_viewing = switch.is_on();
                set("anonymous", json!(switch.is_on()));
            }
            if let Some(hours) = changes.offline_hours {
                settings.offline_hours = hours;
                set("offline_hours", json!(hours));
            }
            if let Some(contact) = changes.contact {
                set("contact", json!(contact));
                settings.contact = contact;
            }
            if about.is_empty() {
                bail!("nothing to change; see satchel-hub policy set --help");
            }
            store.save_settings(&settings).await?;
            note(&store, "policy.set", "", about.into()).await?;
            output::done(
                common,
                "changed; a hub that runs takes it up when it is started again",
            );
        }
    }
    store.close().await;
    Ok(())
}
