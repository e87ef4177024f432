//! What connections mean: from what the repository holds to a database or a site.

use std::path::PathBuf;

use satchel_base::{CancelToken, Secret};
use satchel_script::HostError;
use satchel_sources::object::ObjectStore;
use satchel_sources::sql::{DatabaseAddress, DatabaseKind, Encryption};
use satchel_sources::web::{Web, WebSite};
use satchel_store::{Connection, Store, StoreError, User};
use serde::{Deserialize, Serialize};

/// The most bytes of one file of a site, if the administrator says nothing else.
const MAX_WEB_MIB: u64 = 256;

/// Where a connection leads, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Target {
    /// SQLite: the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The server, or where its socket is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The way to the server is not encrypted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// A CA beside the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Web: how addresses begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Web: the header the secret is sent in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Object stores: the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Object stores: the folder of the bucket that scripts see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Object stores: the region requests are signed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Object stores: the bucket is part of the host's name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bucket_in_host: bool,
    /// Web and object stores: it may be in a private network.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Web and object stores: the most MiB of one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_mib: Option<u64>,
}

impl Target {
    /// In one line, for people.
    pub fn describe(&self) -> String {
        if let Some(url) = &self.url {
            let parts = [Some(url), self.bucket.as_ref(), self.folder.as_ref()];
            let parts: Vec<&str> = (parts.into_iter().flatten())
                .map(|p| p.trim_matches('/'))
                .collect();
            return if self.bucket.is_some() {
                parts.join("/")
            } else {
                url.clone()
            };
        }
        if let Some(file) = &self.file {
            return file.display().to_string();
        }
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let port = self.port.map_or_else(String::new, |p| format!(":{p}"));
        format!(
            "{}@{}{port}/{}",
            text(&self.user),
            text(&self.host),
            text(&self.database)
        )
    }
}

/// The connections one run may use.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    databases: Vec<(String, DatabaseAddress)>,
    /// The sites, and who ends a transfer.
    pub web: Web,
}

impl Connections {
    /// Those that scripts of `user` may use; `cancel` ends what they do.
    pub async fn of(store: &Store, user: &User, cancel: &CancelToken) -> Result<Self, StoreError> {
        let mut all = Self::default();
        all.web.cancel = cancel.clone();
        for known in store.connections().await? {
            if known.is_for(&user.id, &user.groups) {
                let (connection, secret) = store.connection(&known.name).await?;
                all.add(&connection, secret)?;
            }
        }
        Ok(all)
    }

    /// Every connection of the hub, for who administers it.
    pub async fn every(store: &Store, cancel: &CancelToken) -> Result<Self, StoreError> {
        let mut all = Self::default();
        all.web.cancel = cancel.clone();
        for known in store.connections().await? {
            let (connection, secret) = store.connection(&known.name).await?;
            all.add(&connection, secret)?;
        }
        Ok(all)
    }

    /// One connection, whoever may use it.
    pub fn only(
        connection: &Connection,
        secret: Option<Secret<String>>,
    ) -> Result<Self, StoreError> {
        let mut all = Self::default();
        all.add(connection, secret)?;
        Ok(all)
    }

    fn add(
        &mut self,
        connection: &Connection,
        secret: Option<Secret<String>>,
    ) -> Result<(), StoreError> {
        let target: Target =
            serde_json::from_value(connection.target.clone()).map_err(|_| StoreError::Damaged {
                what: format!("the connection '{}'", connection.name),
            })?;
        let kind = match connection.kind.as_str() {
            "sqlite" => DatabaseKind::Sqlite,
            "postgres" => DatabaseKind::Postgres,
            "mysql" => DatabaseKind::MySql,
            "s3" => {
                self.web
                    .stores
                    .push(object_store(&connection.name, target, secret));
                return Ok(());
            }
            _ => {
                self.web.sites.push(WebSite {
                    name: connection.name.clone(),
                    prefix: target.url.unwrap_or_default(),
                    header: target.header.zip(secret),
                    allows_private: target.private,
                    ca: target.ca,
                    max_bytes: target.max_mib.unwrap_or(MAX_WEB_MIB) << 20,
                });
                return Ok(());
            }
        };
        let address = DatabaseAddress {
            kind,
            file: target.file.unwrap_or_default(),
            host: target.host.unwrap_or_default(),
            port: target.port,
            database: target.database.unwrap_or_default(),
            user: target.user.unwrap_or_default(),
            password: secret,
            encryption: if target.plain {
                Encryption::Off
            } else {
                Encryption::Verified
            },
            ca: target.ca,
        };
        self.databases.push((connection.name.clone(), address));
        Ok(())
    }

    /// The database that `LIB CONNECT TO 'name'` means.
    pub fn database(&self, name: &str) -> Result<&DatabaseAddress, HostError> {
        let found = (self.databases.iter())
            .find(|(known, _)| known.to_lowercase() == name.trim().to_lowercase());
        found.map(|(_, address)| address).ok_or_else(|| {
            let known: Vec<&str> = self.databases.iter().map(|(n, _)| n.as_str()).collect();
            HostError::new(
                "source.connection_unknown",
                format!("there is no connection called `{name}` that this script may use"),
            )
            .with_hint(if known.is_empty() {
                "ask an administrator to define it with `satchel-hub connection add`".to_owned()
            } else {
                format!("the connections are {}", known.join(", "))
            })
        })
    }
}

/// The object store that a connection leads to.
pub(crate) fn object_store(
    name: &str,
    target: Target,
    secret: Option<Secret<String>>,
) -> ObjectStore {
    ObjectStore {
        name: name.to_owned(),
        endpoint: target.url.unwrap_or_default(),
        bucket: target.bucket.unwrap_or_default(),
        folder: target.folder.unwrap_or_default(),
        region: target.region.unwrap_or_else(|| "us-east-1".to_owned()),
        key: target.user.zip(secret),
        in_host: target.bucket_in_host,
        allows_private: target.private,
        ca: target.ca,
        max_bytes: target.max_mib.unwrap_or(MAX_WEB_MIB) << 20,
    }
}
