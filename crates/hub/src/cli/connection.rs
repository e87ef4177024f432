//! `satchel-hub connection`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use satchel_base::{CancelToken, Secret};
use satchel_store::{Connection, Store};
use serde_json::json;

use super::{Common, Failed, note, open, output};
use crate::connections::{Connections, Target, object_store};
use crate::reload::absolute;
use crate::system::random;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Define where scripts may get data from, or replace the connection of this name
    Add(Box<New>),
    /// List connections; never their secrets
    List,
    /// See whether a connection works
    Test {
        /// Its name
        name: String,
    },
    /// Remove a connection
    Remove {
        /// Its name
        name: String,
    },
}

// No doc comment: clap would show it in place of the command's own.
#[derive(Args)]
pub(crate) struct New {
    /// What scripts call it: LIB CONNECT TO 'name', FROM [lib://name/path]
    name: String,
    /// What it is
    #[arg(long, value_enum)]
    kind: Kind,
    /// SQLite: the file
    #[arg(long)]
    file: Option<PathBuf>,
    /// The server: a host, or the folder (PostgreSQL) or file (MySQL) of its socket
    #[arg(long)]
    host: Option<String>,
    /// The server's port, if it is not the usual one
    #[arg(long)]
    port: Option<u16>,
    /// The database
    #[arg(long)]
    database: Option<String>,
    /// The database user, or the name of the store's key; give it the right to read and no other
    #[arg(long)]
    user: Option<String>,
    /// Do not encrypt the way to the server: for servers on this machine
    #[arg(long)]
    plain: bool,
    /// A CA that signed the server's certificate, as PEM, beside the system's
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Web: how the addresses begin that scripts may read, https://host/folder/; S3: the
    /// store, https://s3.eu-west-1.amazonaws.com
    #[arg(long)]
    url: Option<String>,
    /// Web: send the secret in this header, such as Authorization
    #[arg(long)]
    header: Option<String>,
    /// S3: the bucket
    #[arg(long)]
    bucket: Option<String>,
    /// S3: the folder of the bucket that scripts see; else all of it
    #[arg(long)]
    folder: Option<String>,
    /// S3: the region of the bucket
    #[arg(long)]
    region: Option<String>,
    /// S3: address the bucket as bucket.host, not as host/bucket
    #[arg(long)]
    bucket_in_host: bool,
    /// Web and S3: the site may be in a private network
    #[arg(long)]
    private: bool,
    /// Web and S3: the most MiB of one file
    #[arg(long)]
    max_mib: Option<u64>,
    /// Whose scripts may use it: DIRECTORY\name or a group; may be repeated; everybody's
    /// if absent
    #[arg(long = "for")]
    audience: Vec<String>,
    /// Read the password, the key, or what the header holds, from standard input
    #[arg(long)]
    secret_stdin: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// A file of SQLite
    Sqlite,
    /// PostgreSQL
    Postgres,
    /// MySQL or MariaDB
    Mysql,
    /// Files over HTTPS
    Web,
    /// Files in an S3-compatible object store
    S3,
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<()> {
    let store = open(common).await?;
    match command {
        Command::Add(new) => add(common, &store, *new).await?,
        Command::List => list(common, &store).await?,
        Command::Test { name } => {
            test(&store, &name).await?;
            output::done(common, &format!("the connection {name} works"));
        }
        Command::Remove { name } => {
            store.remove_connection(&name).await?;
            note(&store, "connection.remove", &name, json!({})).await?;
            output::done(common, &format!("removed the connection {name}"));
        }
    }
    store.close().await;
    Ok(())
}

async fn add(common: &Common, store: &Store, new: New) -> Result<()> {
    let target = Target {
        file: new.file.map(|f| absolute(&f)),
        host: new.host,
        port: new.port,
        database: new.database,
        user: new.user,
        plain: new.plain,
        ca: new.ca.map(|c| absolute(&c)),
        url: new.url,
        header: new.header,
        bucket: new.bucket,
        folder: new.folder,
        region: new.region,
        bucket_in_host: new.bucket_in_host,
        private: new.private,
        max_mib: new.max_mib,
    };
    must_be_whole(new.kind, &target)?;
    let secret = if new.secret_stdin {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        Some(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
    } else {
        None
    };
    if matches!(new.kind, Kind::S3) && target.user.is_some() != secret.is_some() {
        bail!(
            "a key has a name and a secret: --user NAME --secret-stdin, or neither for a bucket that is open to all"
        );
    }
    let kind = match new.kind {
        Kind::Sqlite => "sqlite",
        Kind::Postgres => "postgres",
        Kind::Mysql => "mysql",
        Kind::Web => "web",
        Kind::S3 => "s3",
    };
    let connection = Connection {
        name: new.name,
        kind: kind.to_owned(),
        target: serde_json::to_value(&target)?,
        audience: if new.audience.is_empty() {
            vec!["*".to_owned()]
        } else {
            new.audience
        },
        has_secret: secret.is_some(),
    };
    let put = store.put_connection(&connection, secret.as_ref(), random());
    put.await?;
    let about = json!({ "kind": kind, "target": target.describe(), "for": connection.audience });
    note(store, "connection.add", &connection.name, about).await?;
    let name = &connection.name;
    output::done(common, &format!("defined the connection {name}"));
    Ok(())
}

/// Says what is missing for a connection of the kind.
fn must_be_whole(kind: Kind, target: &Target) -> Result<()> {
    match kind {
        Kind::Sqlite if target.file.is_none() => bail!("say which file: --file sales.sqlite"),
        Kind::Postgres | Kind::Mysql
            if target.host.is_none() || target.database.is_none() || target.user.is_none() =>
        {
            bail!("say where and who: --host db.example.org --database sales --user reader")
        }
        Kind::Web => {
            let url = target.url.as_deref().unwrap_or_default();
            let rest = url.strip_prefix("https://").unwrap_or_default();
            if rest.is_empty() || rest.contains('@') {
                bail!("say how the addresses begin: --url https://example.org/data/");
            }
            Ok(())
        }
        Kind::S3 => {
            let store = object_store("", target.clone(), None);
            if store.check().is_err() {
                bail!(
                    "say where: --url https://s3.eu-west-1.amazonaws.com --bucket sales --region eu-west-1"
                );
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn list(common: &Common, store: &Store) -> Result<()> {
    let rows: Vec<Vec<String>> = (store.connections().await?.into_iter())
        .map(|c| {
            let target: Target = serde_json::from_value(c.target).unwrap_or_default();
            vec![
                c.name,
                c.kind,
                target.describe(),
                c.audience.join(", "),
                if c.has_secret { "sealed" } else { "" }.to_owned(),
            ]
        })
        .collect();
    output::table(
        common,
        &["connection", "kind", "leads to", "for", "secret"],
        &rows,
    );
    Ok(())
}

async fn test(store: &Store, name: &str) -> Result<()> {
    let (connection, secret) = store.connection(name).await?;
    let all = Connections::only(&connection, secret)?;
    let first = (all.web.sites.first(), all.web.stores.first());
    let tried = tokio::task::block_in_place(|| match first {
        (Some(site), _) => all.web.fetch(&site.prefix).map(|_| ()),
        (None, Some(store)) => all.web.list_objects(store, "", false).map(|_| ()),
        (None, None) => {
            let address = all.database(&connection.name)?;
            let mut rows =
                satchel_sources::sql::query(address, "SELECT 1", &CancelToken::default())?;
            rows.next_batch().map(|_| ())
        }
    });
    tried.map_err(|error| {
        let message = match &error.hint {
            Some(hint) => format!("{}\n  hint: {hint}", error.message),
            None => error.message,
        };
        Failed {
            code: error.code,
            message,
        }
        .into()
    })
}
