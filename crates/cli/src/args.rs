//! What people type.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Carry governed analytics apps with you.
///
/// First: satchel hub add URL, satchel sign-in, satchel apps, satchel download APP.
/// Then, with or without a connection: satchel open APP, or satchel ask APP EXPRESSION.
#[derive(Debug, Parser)]
#[command(name = "satchel", version)]
pub struct Arguments {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// The hub to use, if you have added several.
    #[arg(long, global = true, value_name = "URL")]
    pub hub: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add, list, remove or check hubs.
    Hub {
        /// What to do.
        #[command(subcommand)]
        command: HubCommand,
    },
    /// Sign in at a hub and enrol this device there.
    SignIn(SignIn),
    /// Sign out. Downloads stay on this device, closed.
    SignOut,
    /// Who is signed in, how long downloads open, what is on this device.
    Status,
    /// Lock this device now.
    Lock,
    /// Unlock this device with your PIN.
    Unlock,
    /// Set, change or remove the PIN of this device.
    Pin {
        /// What to do.
        #[command(subcommand)]
        command: PinCommand,
    },
    /// What administrators let this device do, and who decided what.
    Policy,
    /// List the apps at the hub, or those on this device if it cannot be reached.
    Apps,
    /// Download an app; goes on where an interrupted download stopped.
    Download {
        /// Title, the beginning of one, or id.
        app: String,
    },
    /// Ask a downloaded app a question; needs no connection.
    ///
    /// Example: satchel ask Sales 'Sum(Sales)' --by Region --select Year=2024
    Ask(Ask),
    /// Open downloaded apps in your browser; needs no connection.
    ///
    /// Serves the same pages as the hub, to you alone, on this computer alone, and opens your
    /// browser there. Ctrl-C closes everything. Nothing of the data is written to the disk.
    ///
    /// Example: satchel open Sales
    Open(Open),
    /// Remove a download from this device.
    Remove {
        /// Title, the beginning of one, or id.
        app: String,
    },
    /// Remove everything Satchel keeps on this device.
    Wipe {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// The PIN.
#[derive(Debug, Subcommand)]
pub enum PinCommand {
    /// Set or change the PIN. What is downloaded stays as it is.
    Set,
    /// Remove the PIN: the key then lies in a file of your account.
    Remove,
}

/// Hubs.
#[derive(Debug, Subcommand)]
pub enum HubCommand {
    /// Add a hub. Its certificate must pass every check.
    Add {
        /// https://host[:port]
        url: String,
        /// A file with the CA certificate that signs the hub's, if your system does not trust it.
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// List hubs.
    List,
    /// Remove a hub, with its downloads.
    Remove {
        /// https://host[:port]
        url: String,
    },
    /// Check the certificate of a hub, added or not.
    Check {
        /// https://host[:port]; all added hubs if not given.
        url: Option<String>,
        /// A file with the CA certificate that signs the hub's.
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
}

/// Options of sign-in.
#[derive(Debug, Args)]
pub struct SignIn {
    /// DIRECTORY\name; a name alone is in the hub's own directory, LOCAL. Asked for if not
    /// given.
    #[arg(long)]
    pub user: Option<String>,
    /// Let this device sign in again by itself.
    #[arg(long)]
    pub remember: bool,
    /// Protect this device's downloads with a PIN (asked for, or the second line of standard
    /// input).
    #[arg(long)]
    pub pin: bool,
    /// What to call this device in the hub's list.
    #[arg(long, value_name = "NAME")]
    pub device_name: Option<String>,
}

/// A question.
#[derive(Debug, Args)]
pub struct Ask {
    /// Title of the app, the beginning of one, or id.
    pub app: String,
    /// Measures, such as 'Sum(Sales)'.
    #[arg(required = true, value_name = "EXPRESSION")]
    pub measures: Vec<String>,
    /// A field, or an expression over fields, to divide by; may be given several times.
    #[arg(long, value_name = "FIELD")]
    pub by: Vec<String>,
    /// A selection; may be given several times, values of one field are united.
    #[arg(long, value_name = "FIELD=VALUE")]
    pub select: Vec<String>,
    /// Rows to show.
    #[arg(long, default_value_t = 1000)]
    pub limit: usize,
}

/// What to open, and where.
#[derive(Debug, Args)]
pub struct Open {
    /// Title of the app, the beginning of one, or id; the list of downloaded apps if not given.
    pub app: Option<String>,
    /// Serve on this port of 127.0.0.1; a free one if not given.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// Print the address only, and leave the browser alone.
    #[arg(long)]
    pub no_browser: bool,
}
