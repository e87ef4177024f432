//! How people may sign in, as an administrator set it. Secrets are named here, not kept.

use std::path::PathBuf;

use satchel_gate::{AddressRange, Mapping};
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::error::{from_json, to_json};
use crate::{Store, StoreError};

/// The ways to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignInSettings {
    /// Whether passwords of the hub's own do.
    pub passwords: bool,
    /// Whether passkeys do.
    pub passkeys: bool,
    /// OpenID Connect providers, in the order to show them.
    pub providers: Vec<OidcProvider>,
    /// Services that embed the hub and sign people in with tokens.
    pub issuers: Vec<TokenIssuer>,
    /// A proxy that signs people in.
    pub proxy: Option<TrustedProxy>,
    /// When a second factor is required beside a password: a condition on user and environment,
    /// as in rules. One this hub does not understand requires it of everybody.
    pub second_factor: Option<String>,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self {
            passwords: true,
            passkeys: true,
            providers: Vec::new(),
            issuers: Vec::new(),
            proxy: None,
            second_factor: None,
        }
    }
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcProvider {
    /// Its name in addresses and commands: letters, digits, hyphens.
    pub name: String,
    /// What people see.
    pub title: String,
    /// The issuer, to the letter.
    pub issuer: String,
    /// Who this hub is there.
    pub client_id: String,
    /// Where the secret is.
    pub secret: SecretFrom,
    /// How the secret is shown to the provider.
    pub authentication: ClientAuthentication,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// Which claim says what.
    pub mapping: Mapping,
    /// Whether claims are asked for at the userinfo address too.
    pub userinfo: bool,
    /// Whether people who come for the first time are added.
    pub adds_people: bool,
    /// CAs of the provider's certificate beside the system's, a PEM file.
    pub ca: Option<PathBuf>,
    /// How long the provider may take for an answer.
    pub timeout_seconds: u16,
}

/// A service whose tokens sign people in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenIssuer {
    /// Its name in commands.
    pub name: String,
    /// `iss`, to the letter.
    pub issuer: String,
    /// `aud`, to the letter.
    pub audience: String,
    /// Its public keys: a PEM file or a JWK set.
    pub keys: PathBuf,
    /// Which claim says what.
    pub mapping: Mapping,
    /// Whether people who come for the first time are added.
    pub adds_people: bool,
    /// The longest life of a token.
    pub longest_minutes: u16,
    /// Whether each token works once; then it must have a `jti`.
    pub once: bool,
}

/// A proxy that has signed people in and says who they are in a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedProxy {
    /// The header.
    pub header: String,
    /// Where its requests come from.
    pub addresses: Vec<AddressRange>,
    /// Where the secret is that it sends along.
    pub secret: SecretFrom,
    /// The user directory of everybody who comes this way.
    pub directory: String,
}

/// Where a secret is found when the hub starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretFrom {
    /// There is none: a public client, which PKCE alone protects.
    Nowhere,
    /// The first line of a file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
}

/// How a client shows its secret at the token address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// In the header (`client_secret_basic`).
    Basic,
    /// In the form (`client_secret_post`).
    Post,
}

impl Store {
    /// How people may sign in.
    ///
    /// # Errors
    /// Database errors; [`StoreError::Damaged`] if the settings cannot be read.
    pub async fn sign_in_settings(&self) -> Result<SignInSettings, StoreError> {
        let row = sqlx::query("SELECT value FROM setting WHERE key = 'sign_in'")
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => from_json("the settings of signing in", row.try_get("value")?),
            None => Ok(SignInSettings::default()),
        }
    }

    /// Replaces how people may sign in.
    ///
    /// # Errors
    /// Database errors.
    pub async fn save_sign_in_settings(&self, settings: &SignInSettings) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO setting (key, value) VALUES ('sign_in', ?1)
             ON CONFLICT (key) DO UPDATE SET value = ?1",
        )
        .bind(to_json(settings)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
