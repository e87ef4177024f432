//! `satchel-hub policy`: what holds for the whole hub.

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use satchel_base::SubjectId;
use satchel_contract::policy::{Key, Reach, Value, definition};
use satchel_store::{Settings, Store};
use serde_json::{Map, json};

use super::{Common, note, open, output};
use crate::policy::effective;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what holds, for the hub or for one person and who decided it
    Show {
        /// `DIRECTORY\\name`
        user: Option<String>,
    },
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
    /// Set a key of the policy that devices are told, such as pin_length=6 or require_lock=on;
    /// `policy show USER` lists them. Lists are divided by commas
    #[arg(long, value_name = "KEY=VALUE")]
    key: Vec<String>,
    /// Take back a key
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// Set or take back keys for this person only; that can only be stricter than for everybody
    #[arg(long, value_name = "USER")]
    user: Option<String>,
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
        Command::Show { user: Some(user) } => show_for(common, &store, &user).await?,
        Command::Show { user: None } => {
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
            let mut rows = rows.to_vec();
            let said = settings.policy.said();
            rows.extend(said.map(|(key, value)| row(definition(key).name, value.shown())));
            for (user, policy) in &settings.policies {
                let said = policy.said();
                rows.extend(said.map(|(key, value)| {
                    row(
                        &format!("{} for {user}", definition(key).name),
                        value.shown(),
                    )
                }));
            }
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
            change_keys(
                &store,
                &mut settings,
                &changes.key,
                &changes.unset,
                changes.user.as_deref(),
                &mut set,
            )
            .await?;
            if about.is_empty() {
                bail!("nothing to change; see satchel-hub policy set --help");
            }
            store.save_settings(&settings).await?;
            note(&store, "policy.set", "", about.into()).await?;
            output::done(
                common,
                "changed; a hub that runs has taken it up, and devices hear of it when they next contact it",
            );
        }
    }
    store.close().await;
    Ok(())
}

/// What a person's devices are told, key by key.
async fn show_for(common: &Common, store: &Store, user: &str) -> Result<()> {
    let user = known(store, user).await?;
    let effective = effective(&store.settings().await?, &user);
    let rows: Vec<Vec<String>> = Key::all()
        .filter(|key| definition(*key).reach == Reach::HubToo)
        .map(|key| {
            let deciding = effective.decided_by(key);
            let by = if deciding.is_empty() {
                "built in".to_owned()
            } else {
                deciding.join(", ")
            };
            vec![definition(key).name.to_owned(), effective.shown(key), by]
        })
        .collect();
    output::table(common, &["policy", "value", "decided by"], &rows);
    Ok(())
}

async fn known(store: &Store, user: &str) -> Result<SubjectId> {
    let id = SubjectId::parse(user);
    match store.user(&id).await? {
        Some(user) => Ok(user.id),
        None => bail!(
            "there is no user {}; see satchel-hub user list",
            id.as_str()
        ),
    }
}

/// Sets and takes back keys, for everybody or for one person.
async fn change_keys(
    store: &Store,
    settings: &mut Settings,
    set: &[String],
    unset: &[String],
    user: Option<&str>,
    noted: &mut impl FnMut(&str, serde_json::Value),
) -> Result<()> {
    if set.is_empty() && unset.is_empty() {
        if user.is_some() {
            bail!("--user goes with --key or --unset");
        }
        return Ok(());
    }
    let user = match user {
        Some(user) => Some(known(store, user).await?),
        None => None,
    };
    let policy = match &user {
        Some(user) => settings
            .policies
            .entry(user.as_str().to_owned())
            .or_default(),
        None => &mut settings.policy,
    };
    let whom = user.as_ref().map_or("everybody", |user| user.as_str());
    for text in set {
        let (name, value) = text
            .split_once('=')
            .with_context(|| format!("{text} is no KEY=VALUE"))?;
        let key = of_hub(name)?;
        let value = Value::typed(key, value)?;
        noted(name, json!({ "for": whom, "value": value }));
        policy.set(key, value)?;
    }
    for name in unset {
        policy.unset(of_hub(name)?);
        noted(name, json!({ "for": whom, "value": null }));
    }
    settings.policies.retain(|_, policy| !policy.is_empty());
    Ok(())
}

/// The key of that name, if a hub has a say in it.
fn of_hub(name: &str) -> Result<Key> {
    let key = Key::named(name);
    match key.filter(|key| definition(*key).reach == Reach::HubToo) {
        Some(key) => Ok(key),
        None if key.is_some() => {
            bail!("{name} is for managed configuration of devices alone; see docs/emm")
        }
        None => {
            let names: Vec<&str> = Key::all()
                .filter(|key| definition(*key).reach == Reach::HubToo)
                .map(|key| definition(key).name)
                .collect();
            bail!("there is no key {name}; there are: {}", names.join(", "))
        }
    }
}
