//! `satchel-hub user`

use std::io::BufRead;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use satchel_base::{Clock, SubjectId};
use satchel_gate::{Role, check_password};
use satchel_store::{OpenSessions, SecondFactorState, Store, User};
use serde_json::json;

use super::{Common, note, open, output};
use crate::sign_in::hash_password;
use crate::system::SystemClock;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a person; asks for the password
    Add {
        /// DIRECTORY\name
        id: String,
        /// The name to show
        #[arg(long)]
        name: Option<String>,
        /// E-mail address
        #[arg(long, default_value = "")]
        email: String,
        /// A group, as section access names it; may be repeated
        #[arg(long)]
        group: Vec<String>,
        /// RootAdmin, ContentAdmin, SecurityAdmin, DeploymentAdmin or AuditAdmin; may be repeated
        #[arg(long)]
        role: Vec<Role>,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        /// No password: they sign in with a provider
        #[arg(long, conflicts_with = "password_stdin")]
        no_password: bool,
    },
    /// Change a person; what is not given stays
    Set {
        /// DIRECTORY\name
        id: String,
        /// The name to show
        #[arg(long)]
        name: Option<String>,
        /// E-mail address
        #[arg(long)]
        email: Option<String>,
        /// All groups, replacing those there were
        #[arg(long)]
        group: Option<Vec<String>>,
        /// All roles, replacing those there were
        #[arg(long)]
        role: Option<Vec<Role>>,
        /// Ask for a new password
        #[arg(long)]
        password: bool,
        /// Read a new password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show a person's second factor, require one, or reset it for a new phone
    SecondFactor {
        /// DIRECTORY\name
        id: String,
        /// Require one from the next sign-in on
        #[arg(long, conflicts_with = "relax")]
        require: bool,
        /// Require none any longer; one that is on stays
        #[arg(long)]
        relax: bool,
        /// Forget it with its recovery codes, and end the person's sessions
        #[arg(long)]
        reset: bool,
    },
    /// List a person's passkeys, or remove one that is lost
    Passkeys {
        /// DIRECTORY\name
        id: String,
        /// The id of the one to remove; people signed in with it stay so until their session ends
        #[arg(long)]
        remove: Option<String>,
    },
    /// List everybody
    List,
    /// Remove a person with their sessions, devices and access type
    Remove {
        /// DIRECTORY\name
        id: String,
    },
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<()> {
    let store = open(common).await?;
    match command {
        Command::Add {
            id,
            name,
            email,
            group,
            role,
            password_stdin,
            no_password,
        } => {
            let id = SubjectId::parse(&id);
            let password = match no_password {
                true => None,
                false => Some(read_password(id.name(), password_stdin)?),
            };
            let user = User {
                display_name: name.unwrap_or_else(|| id.name().to_owned()),
                id,
                email,
                groups: group,
                roles: role,
                password_hash: password.as_deref().map(hash_password),
            };
            store.add_user(&user, SystemClock.now()).await?;
            note(
                &store,
                "user.add",
                user.id.as_str(),
                json!({ "groups": user.groups }),
            )
            .await?;
            output::done(common, &format!("added {}", user.id));
        }
        Command::Set {
            id,
            name,
            email,
            group,
            role,
            password,
            password_stdin,
        } => {
            let mut user = known(&store, &id).await?;
            user.display_name = name.unwrap_or(user.display_name);
            user.email = email.unwrap_or(user.email);
            user.groups = group.unwrap_or(user.groups);
            user.roles = role.unwrap_or(user.roles);
            if password || password_stdin {
                let password = read_password(user.id.name(), password_stdin)?;
                user.password_hash = Some(hash_password(&password));
            }
            store.save_user(&user).await?;
            note(
                &store,
                "user.set",
                user.id.as_str(),
                json!({ "groups": user.groups }),
            )
            .await?;
            output::done(common, &format!("changed {}", user.id));
        }
        Command::SecondFactor {
            id,
            require,
            relax,
            reset,
        } => {
            let user = known(&store, &id).await?;
            second_factor(
                common,
                &store,
                &user,
                require.then_some(true).or(relax.then_some(false)),
                reset,
            )
            .await?;
        }
        Command::Passkeys { id, remove } => {
            let user = known(&store, &id).await?;
            if let Some(passkey) = remove {
                if !store.remove_passkey(&user.id, &passkey).await? {
                    bail!("{} has no passkey {passkey}", user.id);
                }
                let about = json!({ "passkey": passkey });
                note(&store, "passkey.remove", user.id.as_str(), about).await?;
            }
            let time = |at| output::time(at);
            let rows: Vec<Vec<String>> = store
                .passkeys(&user.id)
                .await?
                .into_iter()
                .map(|p| {
                    let used = p.last_used.map_or_else(|| "never".to_owned(), time);
                    vec![p.id, p.name, p.rp_id, time(p.created_at), used]
                })
                .collect();
            let titles = ["passkey", "name", "address", "added", "last used"];
            output::table(common, &titles, &rows);
        }
        Command::List => {
            let mut rows = Vec::new();
            for u in store.users().await? {
                let roles: Vec<&str> = u.roles.iter().map(|r| r.name()).collect();
                let factor = spell(store.second_factor_state(&u.id).await?).to_owned();
                rows.push(vec![
                    u.id.to_string(),
                    u.display_name,
                    u.email,
                    u.groups.join(", "),
                    roles.join(", "),
                    factor,
                ]);
            }
            let titles = ["user", "name", "email", "groups", "roles", "second factor"];
            output::table(common, &titles, &rows);
        }
        Command::Remove { id } => {
            let user = known(&store, &id).await?;
            store.remove_user(&user.id, SystemClock.now()).await?;
            note(&store, "user.remove", user.id.as_str(), json!({})).await?;
            output::done(common, &format!("removed {}", user.id));
        }
    }
    store.close().await;
    Ok(())
}

async fn second_factor(
    common: &Common,
    store: &Store,
    user: &User,
    required: Option<bool>,
    reset: bool,
) -> Result<()> {
    let id = &user.id;
    if let Some(required) = required {
        store.require_second_factor(id, required).await?;
        let about = json!({ "required": required });
        note(store, "user.second_factor", id.as_str(), about).await?;
    }
    if reset {
        let was_on = store.remove_second_factor(id, OpenSessions::End).await?;
        let about = json!({ "reset": was_on });
        note(store, "user.second_factor", id.as_str(), about).await?;
    }
    let standing = store.second_factor_state(id).await?;
    let row = vec![
        id.to_string(),
        spell(standing).to_owned(),
        standing.n_recovery_codes.to_string(),
    ];
    output::table(common, &["user", "second factor", "recovery codes"], &[row]);
    Ok(())
}

const fn spell(standing: SecondFactorState) -> &'static str {
    match (standing.is_on, standing.is_required) {
        (true, true) => "on, required",
        (true, false) => "on",
        (false, true) => "required, not set up",
        (false, false) => "",
    }
}

/// The person called `id`.
pub(crate) async fn known(store: &Store, id: &str) -> Result<User> {
    let id = SubjectId::parse(id);
    let user = store.user(&id).await?;
    user.with_context(|| format!("there is no user {id}; see `satchel-hub user list`"))
}

fn read_password(name: &str, from_stdin: bool) -> Result<String> {
    let password = if from_stdin {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("cannot read the password")?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        let first =
            rpassword::prompt_password("Password: ").context("cannot ask for the password")?;
        let again = rpassword::prompt_password("Again: ").context("cannot ask for the password")?;
        if first != again {
            bail!("the two passwords differ");
        }
        first
    };
    check_password(name, &password).map_err(|problem| anyhow::anyhow!(problem.message()))?;
    Ok(password)
}
