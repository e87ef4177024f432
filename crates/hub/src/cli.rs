//! The command line of the hub.

mod access;
mod app;
mod audit;
mod connection;
mod device;
mod licence;
mod limits;
mod output;
mod policy;
mod rules;
mod script;
mod serve;
mod sign_in;
mod tls;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use satchel_base::Clock;
use satchel_store::{AuditEvent, Store, StoreError};

use crate::system::{SystemClock, make_uuid, random};

/// A hub that serves governed analytics apps over TLS.
#[derive(Parser)]
#[command(name = "satchel-hub", version, after_help = EXAMPLES)]
struct Command {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "\
Examples:
  satchel-hub init --data /srv/satchel --name 'Field hub'
  satchel-hub user add 'CORP\\ann' --name 'Ann' --data /srv/satchel
  satchel-hub licence assign 'CORP\\ann' professional --data /srv/satchel
  satchel-hub serve --data /srv/satchel --certificate hub.pem --key hub.key";

/// What every command takes.
#[derive(Args, Clone)]
struct Common {
    /// The hub's folder
    #[arg(
        long,
        global = true,
        env = "SATCHEL_HUB_DATA",
        default_value = "satchel-hub-data",
        hide_env_values = true
    )]
    data: PathBuf,
    /// Print JSON for programs
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// Make a new hub in the folder given by --data
    Init {
        /// The name people see
        #[arg(long, default_value = "Satchel hub")]
        name: String,
    },
    /// Serve the hub over TLS
    Serve(serve::Options),
    /// People who may sign in
    #[command(subcommand)]
    User(user::Command),
    /// Ways to sign in: providers, passwords
    #[command(subcommand)]
    SignIn(sign_in::Command),
    /// Access types: how many there are, who has one
    #[command(subcommand)]
    Licence(licence::Command),
    /// What holds for the whole hub: export, remembered log-ins, whom to ask
    #[command(subcommand)]
    Policy(policy::Command),
    /// Apps: import, reload, publish
    #[command(subcommand)]
    App(app::Command),
    /// Connections: databases and sites that load scripts may read
    #[command(subcommand)]
    Connection(connection::Command),
    /// Load scripts: look for mistakes, try one out
    #[command(subcommand)]
    Script(script::Command),
    /// Section access: who sees what, and why
    #[command(subcommand)]
    Access(access::Command),
    /// Who may do what, and by which rule
    #[command(subcommand)]
    Rules(rules::Command),
    /// Enrolled devices
    #[command(subcommand)]
    Device(device::Command),
    /// Certificates: what phones will say
    #[command(subcommand)]
    Tls(tls::Command),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let command = Command::parse();
    let json = command.common.json;
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("satchel-hub: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(command)) {
        Ok(code) => code,
        Err(error) => {
            if json {
                let mut answer = serde_json::json!({ "error": format!("{error:#}") });
                if let Some(code) = code_of(&error) {
                    answer["code"] = code.into();
                }
                println!("{answer}");
            } else {
                eprintln!("satchel-hub: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

/// A command that failed in a way that has a code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Failed {
    code: &'static str,
    message: String,
}

/// The stable code of a failure, where it has one.
fn code_of(error: &anyhow::Error) -> Option<&'static str> {
    if let Some(failed) = error.downcast_ref::<Failed>() {
        return Some(failed.code);
    }
    let store = error.chain().find_map(|e| e.downcast_ref::<StoreError>())?;
    store.is_full().then_some("storage.full")
}

async fn run(command: Command) -> Result<ExitCode> {
    let common = command.common;
    match command.what {
        What::Init { name } => init(&common, &name).await.map(|()| ExitCode::SUCCESS),
        What::Serve(options) => serve::run(&common, options)
            .await
            .map(|()| ExitCode::SUCCESS),
        What::User(command) => user::run(&common, command)
            .await
            .map(|()| ExitCode::SUCCESS),
        What::SignIn(command) => sign_in::run(&common, command).await,
        What::Policy(command) => policy::run(&common, command)
            .await
            .map(|()| ExitCode::SUCCESS),
        What::Licence(command) => licence::run(&common, command)
            .await
            .map(|()| ExitCode::SUCCESS),
        What::App(command) => app::run(&common, command).await,
        What::Connection(command) => connection::run(&common, command)
            .await
            .map(|()| ExitCode::SUCCESS),
        What::Script(command) => script::run(&common, command).await,
        What::Access(command) => access::run(&common, command).await,
        What::Rules(command) => rules::run(&common, command)
            .await
            .map(|()| ExitCode::SUCCESS),
        What::Device(command) => device::run(&common, command)
            .await
            .map(|()| ExitCode::SUCCESS),
        What::Tls(command) => tls::run(&common, command).await,
        What::Audit(command) => audit::run(&common, command).await,
    }
}

async fn init(common: &Common, name: &str) -> Result<()> {
    let seed = random::<32>();
    let store = Store::init(&common.data, &make_uuid(), name, seed, SystemClock.now()).await?;
    // A new hub can be tried out: a small number of every access type, to be set as bought.
    for access_type in licence::ASSIGNABLE {
        store.set_licences(access_type, 10).await?;
    }
    note(&store, "hub.init", "", serde_json::json!({ "name": name })).await?;
    output::done(
        common,
        &format!("made the hub '{name}' in {}", common.data.display()),
    );
    store.close().await;
    Ok(())
}

/// The repository of the command.
async fn open(common: &Common) -> Result<Store> {
    Ok(Store::open(&common.data).await?)
}

/// An entry of the audit log about what an administrator did here.
async fn note(
    store: &Store,
    action: &'static str,
    object: &str,
    detail: serde_json::Value,
) -> Result<()> {
    let event = AuditEvent {
        at: SystemClock.now(),
        actor: "administrator".into(),
        action,
        object: object.to_owned(),
        outcome: "ok".into(),
        detail,
    };
    store
        .audit(&event)
        .await
        .context("the audit log cannot be written")
}
