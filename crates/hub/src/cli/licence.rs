//! `satchel-hub licence`

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use satchel_base::Clock;
use satchel_contract::AccessType;
use satchel_gate::Release;
use serde_json::json;

use super::user::known;
use super::{Common, note, open, output};
use crate::system::SystemClock;

/// The types that can be assigned.
pub(crate) const ASSIGNABLE: [AccessType; 5] = [
    AccessType::Professional,
    AccessType::Analyzer,
    AccessType::User,
    AccessType::AnalyzerCapacity,
    AccessType::Login,
];

/// An access type on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// A named person who may do everything their rights allow
    Professional,
    /// A named person who looks at apps
    Analyzer,
    /// A named person under a token licence
    User,
    /// A share of a pool of six-minute units a month; not on devices
    #[value(alias = "analyzer_capacity")]
    AnalyzerCapacity,
    /// Passes of an hour, ten to a token; not on devices
    Login,
}

impl Kind {
    fn access_type(self) -> AccessType {
        ASSIGNABLE[self as usize]
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show how many of each type there are and who has one
    Show,
    /// Say how many of a type there are
    Set {
        /// The type
        kind: Kind,
        /// Licences, units a month, or tokens of ten passes
        quantity: u64,
    },
    /// Give a person an access type
    Assign {
        /// DIRECTORY\name
        user: String,
        /// The type
        kind: Kind,
    },
    /// Take a person's access type away
    Release {
        /// DIRECTORY\name
        user: String,
    },
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<()> {
    let store = open(common).await?;
    let now = SystemClock.now();
    match command {
        Command::Show => {
            let rows: Vec<Vec<String>> = store
                .pool_use(now)
                .await?
                .into_iter()
                .map(|p| {
                    vec![
                        p.access_type.title().to_owned(),
                        p.quantity.to_string(),
                        p.assigned.to_string(),
                        p.quarantined.to_string(),
                        p.used.to_string(),
                    ]
                })
                .collect();
            output::table(
                common,
                &[
                    "access type",
                    "there are",
                    "assigned",
                    "quarantined",
                    "used",
                ],
                &rows,
            );
            if !common.json {
                println!();
                for a in store.assignments().await? {
                    println!("{}  {}", a.user, a.access_type.title());
                }
            }
        }
        Command::Set { kind, quantity } => {
            store.set_licences(kind.access_type(), quantity).await?;
            let name = kind.access_type().title();
            note(&store, "licence.set", name, json!({ "quantity": quantity })).await?;
            output::done(common, &format!("there are now {quantity} of {name}"));
        }
        Command::Assign { user, kind } => {
            let user = known(&store, &user).await?;
            store.assign(&user.id, kind.access_type(), now).await?;
            let name = kind.access_type().title();
            note(
                &store,
                "licence.assign",
                user.id.as_str(),
                json!({ "access_type": name }),
            )
            .await?;
            output::done(common, &format!("{} now has {name} access", user.id));
        }
        Command::Release { user } => {
            let user = known(&store, &user).await?;
            let sentence = match store.release(&user.id, now).await? {
                None => format!("{} had no access type", user.id),
                Some(Release::Free) => format!("{} has no access type any more", user.id),
                Some(_) => format!(
                    "{} has no access type any more; the licence was used lately and is in quarantine for seven days",
                    user.id
                ),
            };
            note(&store, "licence.release", user.id.as_str(), json!({})).await?;
            output::done(common, &sentence);
        }
    }
    store.close().await;
    Ok(())
}
