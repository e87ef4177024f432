//! `satchel-hub sign-in`: the ways to sign in.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use satchel_base::{Clock, SubjectId};
use satchel_gate::{AddressRange, Condition, Mapping};
use satchel_store::{
    ClientAuthentication, OidcProvider, SecretFrom, SignInSettings, Store, TokenIssuer,
    TrustedProxy,
};
use serde_json::json;

use super::{Common, Failed, note, open, output};
use crate::embedding::{Issuer, Proxy};
use crate::provider::{Provider, is_sound_issuer};
use crate::reload::absolute;
use crate::system::SystemClock;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the ways to sign in; never their secrets
    Show,
    /// Let people sign in with an OpenID Connect provider, or replace the one of this name
    AddProvider(Box<New>),
    /// See whether a provider answers as it should
    Test {
        /// Its name
        name: String,
    },
    /// Remove a provider; people stay, and their sessions until they end
    RemoveProvider {
        /// Its name
        name: String,
    },
    /// Let a service that embeds the hub sign people in with tokens it signs (JWT)
    AddIssuer(Box<NewIssuer>),
    /// Take no tokens of a service any longer
    RemoveIssuer {
        /// Its name
        name: String,
    },
    /// Let a proxy that signs people in say who they are in a header
    TrustProxy(Proxied),
    /// Heed no proxy's header any longer
    DistrustProxy,
    /// Whether passwords of the hub's own are taken
    Passwords {
        /// on or off
        #[arg(value_enum)]
        switch: Switch,
    },
    /// Whether passkeys are taken; those people have stay for when they are again
    Passkeys {
        /// on or off
        #[arg(value_enum)]
        switch: Switch,
    },
    /// When a code is required beside a password; for one person, see `user second-factor`
    SecondFactor {
        /// A condition on user and environment as in rules, such as 'user.roles like "*"'; an
        /// empty one means always
        #[arg(long, required_unless_present = "never")]
        when: Option<String>,
        /// For nobody, but those of whom it is required one by one
        #[arg(long, conflicts_with = "when")]
        never: bool,
    },
    /// Forget with whom a person signs in: whoever comes next under their name is they
    Unlink {
        /// DIRECTORY\name
        user: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

// No doc comment: clap would show it in place of the command's own.
#[derive(Args)]
pub(crate) struct New {
    /// Its name in addresses: the provider sends people back to
    /// https://HUB/api/v1/sign-in/with/NAME/back
    name: String,
    /// The issuer, exactly as the provider writes it
    #[arg(long)]
    issuer: String,
    /// Who this hub is at the provider
    #[arg(long)]
    client_id: String,
    /// The file whose first line is the client's secret; read when the hub starts
    #[arg(long, conflicts_with = "secret_env")]
    secret_file: Option<PathBuf>,
    /// The variable of the hub's environment that holds the client's secret
    #[arg(long)]
    secret_env: Option<String>,
    /// How the secret is shown to the provider
    #[arg(long, value_enum, default_value = "basic")]
    secret_in: SecretIn,
    /// What people see on the button
    #[arg(long)]
    title: Option<String>,
    /// The user directory of everybody who comes this way; the name if absent
    #[arg(long)]
    directory: Option<String>,
    /// The claim with the name in that directory
    #[arg(long, default_value = "sub")]
    name_claim: String,
    /// The claim with the name to show
    #[arg(long, default_value = "name")]
    display_name_claim: String,
    /// The claim with the e-mail address
    #[arg(long, default_value = "email")]
    email_claim: String,
    /// Take the address also where the provider does not say that it is verified
    #[arg(long)]
    trust_email: bool,
    /// The claim with the groups, such as groups or realm_access.roles; without it the hub's
    /// own groups of a person stay
    #[arg(long, default_value = "")]
    groups_claim: String,
    /// Let in only people of this group
    #[arg(long, default_value = "", requires = "groups_claim")]
    required_group: String,
    /// A scope to ask for beside openid, such as profile, email or groups; may be repeated
    #[arg(long)]
    scope: Vec<String>,
    /// Ask for claims at the provider's userinfo address too
    #[arg(long)]
    userinfo: bool,
    /// Let in only people added with `user add --no-password`
    #[arg(long)]
    known_people_only: bool,
    /// A CA that signed the provider's certificate, PEM, beside the system's
    #[arg(long)]
    ca: Option<PathBuf>,
    /// How many seconds the provider may take for an answer
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=60))]
    timeout: u16,
}

// No doc comment: clap would show it in place of the command's own.
#[derive(Args)]
pub(crate) struct NewIssuer {
    /// What it is called in commands
    name: String,
    /// What its tokens say as `iss`
    #[arg(long)]
    issuer: String,
    /// What its tokens say as `aud`: this hub
    #[arg(long)]
    audience: String,
    /// Its public keys: a PEM file with a key or certificate, or a JWK set; read when the hub
    /// starts
    #[arg(long)]
    keys: PathBuf,
    /// The user directory of everybody who comes this way; the name if absent
    #[arg(long)]
    directory: Option<String>,
    /// The claim with the name in that directory
    #[arg(long, default_value = "sub")]
    name_claim: String,
    /// The claim with the groups; without it the hub's own groups of a person stay
    #[arg(long, default_value = "")]
    groups_claim: String,
    /// Take the address also where the token does not say that it is verified
    #[arg(long)]
    trust_email: bool,
    /// Let in only people added with `user add --no-password`
    #[arg(long)]
    known_people_only: bool,
    /// The longest life of a token, in minutes
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=60))]
    longest_minutes: u16,
    /// Each token works once; it must have a `jti`
    #[arg(long)]
    once: bool,
}

// No doc comment: clap would show it in place of the command's own.
#[derive(Args)]
pub(crate) struct Proxied {
    /// The header with the name of the person
    #[arg(long)]
    header: String,
    /// Where its requests come from: an address or a range such as 10.1.0.0/16; may be repeated
    #[arg(long, required = true)]
    address: Vec<AddressRange>,
    /// The file with the secret it sends as X-Satchel-Proxy-Secret
    #[arg(
        long,
        required_unless_present = "secret_env",
        conflicts_with = "secret_env"
    )]
    secret_file: Option<PathBuf>,
    /// The variable of the hub's environment with that secret
    #[arg(long)]
    secret_env: Option<String>,
    /// The user directory of everybody who comes this way
    #[arg(long)]
    directory: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum SecretIn {
    /// In the header
    Basic,
    /// In the form
    Post,
}

const TAKEN_UP: &str = "changed; a hub that runs takes it up when it is started again";

/// The trusted proxy among the ways; no provider may have a blank in its name.
const PROXY: &str = "trusted proxy";

/// Directories that are the hub's own.
const OWN_DIRECTORIES: [&str; 2] = ["LOCAL", "INTERNAL"];

pub(crate) async fn run(common: &Common, command: Command) -> Result<ExitCode> {
    let store = open(common).await?;
    let mut settings = store.sign_in_settings().await?;
    match command {
        Command::Show => show(common, &settings),
        Command::AddProvider(new) => {
            let provider = read(*new)?;
            let id = provider.name.clone();
            check(&settings, &provider.name, &provider.mapping.directory)?;
            Provider::new(provider.clone())?;
            settings.providers.retain(|p| p.name != id);
            settings.providers.push(provider.clone());
            store.save_sign_in_settings(&settings).await?;
            let about =
                json!({ "issuer": provider.issuer, "directory": provider.mapping.directory });
            note(&store, "sign_in.provider_add", &id, about).await?;
            output::done(
                common,
                &format!(
                    "people can sign in with {} once the hub is started again; let the provider \
                     send them back to https://HUB/api/v1/sign-in/with/{id}/back",
                    provider.title
                ),
            );
        }
        Command::Test { name } => test(common, &settings, &name).await?,
        Command::RemoveProvider { name } => {
            let n = settings.providers.len();
            settings.providers.retain(|p| p.name != name);
            if settings.providers.len() == n {
                bail!("there is no provider {name}; see satchel-hub sign-in show");
            }
            save(&store, &settings, "sign_in.provider_remove", &name).await?;
            output::done(
                common,
                "removed; a hub that runs forgets it when it is started again",
            );
        }
        Command::AddIssuer(new) => {
            let issuer = read_issuer(*new)?;
            check(&settings, &issuer.name, &issuer.mapping.directory)?;
            if let Some(other) = (settings.issuers.iter())
                .find(|i| i.issuer == issuer.issuer && i.name != issuer.name)
            {
                bail!("{} is the issuer {} already", issuer.issuer, other.name);
            }
            Issuer::new(issuer.clone())?;
            settings.issuers.retain(|i| i.name != issuer.name);
            let name = issuer.name.clone();
            settings.issuers.push(issuer);
            save(&store, &settings, "sign_in.issuer_add", &name).await?;
            output::done(common, TAKEN_UP);
        }
        Command::RemoveIssuer { name } => {
            let n = settings.issuers.len();
            settings.issuers.retain(|i| i.name != name);
            if settings.issuers.len() == n {
                bail!("there is no issuer {name}; see satchel-hub sign-in show");
            }
            save(&store, &settings, "sign_in.issuer_remove", &name).await?;
            output::done(common, TAKEN_UP);
        }
        Command::TrustProxy(new) => {
            let proxy = read_proxy(new)?;
            check(&settings, PROXY, &proxy.directory)?;
            Proxy::new(proxy.clone())?;
            let header = proxy.header.clone();
            settings.proxy = Some(proxy);
            save(&store, &settings, "sign_in.proxy_trust", &header).await?;
            output::done(common, TAKEN_UP);
        }
        Command::DistrustProxy => {
            settings.proxy = None;
            save(&store, &settings, "sign_in.proxy_distrust", "").await?;
            output::done(common, TAKEN_UP);
        }
        Command::Passwords { switch } => {
            settings.passwords = matches!(switch, Switch::On);
            if !settings.passwords && settings.providers.is_empty() {
                bail!("nobody could sign in; add a provider first");
            }
            let about = if settings.passwords { "on" } else { "off" };
            save(&store, &settings, "sign_in.passwords", about).await?;
            output::done(
                common,
                "changed; a hub that runs takes it up when it is started again",
            );
        }
        Command::Passkeys { switch } => {
            settings.passkeys = matches!(switch, Switch::On);
            let about = if settings.passkeys { "on" } else { "off" };
            save(&store, &settings, "sign_in.passkeys", about).await?;
            output::done(common, TAKEN_UP);
        }
        Command::SecondFactor { when, never: _ } => {
            if let Some(text) = &when {
                text.parse::<Condition>()
                    .map_err(|problem| anyhow::anyhow!("{problem}"))?;
            }
            let about = when.clone().unwrap_or_else(|| "never".into());
            settings.second_factor = when;
            save(&store, &settings, "sign_in.second_factor", &about).await?;
            output::done(common, TAKEN_UP);
        }
        Command::Unlink { user } => {
            let id = SubjectId::parse(&user);
            let n = store.unlink(&id).await?;
            note(&store, "sign_in.unlink", id.as_str(), json!({ "links": n })).await?;
            output::done(
                common,
                &format!("forgot {n} ways {id} signs in with a provider"),
            );
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn save(
    store: &Store,
    settings: &SignInSettings,
    action: &'static str,
    object: &str,
) -> Result<()> {
    store.save_sign_in_settings(settings).await?;
    note(store, action, object, json!({})).await
}

fn show(common: &Common, settings: &SignInSettings) {
    let passwords = if settings.passwords { "on" } else { "off" };
    let mut rows = vec![vec![
        "passwords".into(),
        passwords.into(),
        String::new(),
        String::new(),
    ]];
    let passkeys = if settings.passkeys { "on" } else { "off" };
    rows.push(vec![
        "passkeys".into(),
        passkeys.into(),
        String::new(),
        String::new(),
    ]);
    if let Some(rule) = &settings.second_factor {
        let when = if rule.is_empty() { "always" } else { rule };
        let kind = format!("required when {when}");
        rows.push(vec![
            "second factor".into(),
            kind,
            String::new(),
            String::new(),
        ]);
    }
    for p in &settings.providers {
        let kind = "OpenID Connect".to_owned();
        rows.push(vec![
            p.name.clone(),
            kind,
            p.issuer.clone(),
            p.mapping.directory.clone(),
        ]);
    }
    for i in &settings.issuers {
        let kind = "token".to_owned();
        rows.push(vec![
            i.name.clone(),
            kind,
            i.issuer.clone(),
            i.mapping.directory.clone(),
        ]);
    }
    if let Some(p) = &settings.proxy {
        let header = p.header.clone();
        rows.push(vec![
            PROXY.into(),
            "header".into(),
            header,
            p.directory.clone(),
        ]);
    }
    output::table(common, &["way", "kind", "issuer", "directory"], &rows);
}

fn read(new: New) -> Result<OidcProvider> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if new.name.is_empty() || new.name.len() > 40 || !new.name.chars().all(fits) {
        bail!("a provider's name is made of lower-case letters, digits and hyphens");
    }
    if !is_sound_issuer(&new.issuer) {
        bail!(
            "{} is no issuer: it begins with https:// and has neither ? nor #",
            new.issuer
        );
    }
    let secret = match (new.secret_file, new.secret_env) {
        (Some(file), _) => SecretFrom::File(absolute(&file)),
        (None, Some(variable)) => SecretFrom::Environment(variable),
        (None, None) => SecretFrom::Nowhere,
    };
    let directory = directory_of(new.directory, &new.name)?;
    Ok(OidcProvider {
        title: new.title.unwrap_or_else(|| new.name.clone()),
        name: new.name,
        issuer: new.issuer,
        client_id: new.client_id,
        secret,
        authentication: match new.secret_in {
            SecretIn::Basic => ClientAuthentication::Basic,
            SecretIn::Post => ClientAuthentication::Post,
        },
        scopes: new.scope,
        mapping: Mapping {
            directory,
            name: new.name_claim,
            display_name: new.display_name_claim,
            email: new.email_claim,
            trust_email: new.trust_email,
            groups: new.groups_claim,
            required_group: new.required_group,
        },
        userinfo: new.userinfo,
        adds_people: !new.known_people_only,
        ca: new.ca.map(|file| absolute(&file)),
        timeout_seconds: new.timeout,
    })
}

fn directory_of(given: Option<String>, name: &str) -> Result<String> {
    let directory = given.unwrap_or_else(|| name.to_owned()).to_uppercase();
    if !satchel_gate::is_name(&directory) {
        bail!("'{directory}' is no name of a directory");
    }
    Ok(directory)
}

fn read_issuer(new: NewIssuer) -> Result<TokenIssuer> {
    if new.issuer.is_empty() || new.audience.is_empty() {
        bail!("tokens must say who issued them and for whom");
    }
    Ok(TokenIssuer {
        mapping: Mapping {
            directory: directory_of(new.directory, &new.name)?,
            name: new.name_claim,
            groups: new.groups_claim,
            trust_email: new.trust_email,
            ..Mapping::default()
        },
        name: new.name,
        issuer: new.issuer,
        audience: new.audience,
        keys: absolute(&new.keys),
        adds_people: !new.known_people_only,
        longest_minutes: new.longest_minutes,
        once: new.once,
    })
}

fn read_proxy(new: Proxied) -> Result<TrustedProxy> {
    let header: axum::http::HeaderName = new
        .header
        .parse()
        .with_context(|| format!("'{}' is no name of a header", new.header))?;
    Ok(TrustedProxy {
        header: header.as_str().to_owned(),
        addresses: new.address,
        secret: match (new.secret_file, new.secret_env) {
            (Some(file), _) => SecretFrom::File(absolute(&file)),
            (None, Some(variable)) => SecretFrom::Environment(variable),
            (None, None) => SecretFrom::Nowhere,
        },
        directory: directory_of(Some(new.directory), PROXY)?,
    })
}

/// A directory belongs to one way to sign in: two could vouch for the same name otherwise.
fn check(settings: &SignInSettings, name: &str, directory: &str) -> Result<()> {
    if OWN_DIRECTORIES.contains(&directory) {
        bail!("the directory {directory} is the hub's own; choose another with --directory");
    }
    let providers = (settings.providers.iter()).map(|p| (p.name.as_str(), &p.mapping.directory));
    let issuers = (settings.issuers.iter()).map(|i| (i.name.as_str(), &i.mapping.directory));
    let proxy = settings.proxy.iter().map(|p| (PROXY, &p.directory));
    for (other, taken) in providers.chain(issuers).chain(proxy) {
        if other != name && taken == directory {
            bail!("the directory {directory} belongs to {other}");
        }
    }
    Ok(())
}

async fn test(common: &Common, settings: &SignInSettings, name: &str) -> Result<()> {
    let config = settings.providers.iter().find(|p| p.name == name);
    let config = config.with_context(|| format!("there is no provider {name}"))?;
    let provider = Provider::new(config.clone())?;
    let n = provider
        .probe(SystemClock.now())
        .await
        .map_err(|problem| Failed {
            code: "sign_in.test_failed",
            message: format!("{problem} [{}]", problem.code()),
        })?;
    output::done(
        common,
        &format!("{name} answers as it should and has {n} keys"),
    );
    Ok(())
}
