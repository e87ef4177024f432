//! Signing in with an OpenID Connect provider: authorisation code with PKCE, and nothing else.
//!
//! The hub keeps nothing while a person is away. Their browser carries a cookie with a random
//! flow, when it began and where to go afterwards, under a key of the hub; state, nonce and the
//! PKCE verifier are derived from the flow and never leave the hub but as they must. A flow
//! works once. People are known by issuer and subject alone. Rules: OpenID Connect Core 1.0 §3.1,
//! RFC 7636, RFC 9207, RFC 9700.

mod address;
mod fetch;
mod flow;
mod keys;
mod token;

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use satchel_base::{Secret, UnixMillis};
use satchel_gate::{Expected, TokenProblem, check_token, claimed};
use satchel_store::{Arrival, ClientAuthentication, OidcProvider, Outsider, SecretFrom, User};
use serde_json::Value;
use tokio::sync::Mutex;

pub(crate) use address::{is_local_path, is_sound_issuer};
pub(crate) use fetch::{Fetch, FetchProblem};
pub(crate) use flow::{FLOW_COOKIE, FLOW_MS, Flow, FlowKey};
pub(crate) use keys::{Keys, read_keys};
pub(crate) use token::{Algorithms, SignatureProblem, head, verify, verify_with};

use crate::refusal::Refused;
use crate::state::HubState;

/// How long what a provider says about itself is believed without asking again.
const METADATA_MS: i64 = 3_600_000;

/// An id token is made while the hub waits for it.
const LONGEST_AGE_MS: i64 = 10 * 60_000;

/// A provider as the hub uses it.
pub(crate) struct Provider {
    pub config: OidcProvider,
    secret: Option<Secret<String>>,
    fetch: Fetch,
    metadata: Mutex<Option<(UnixMillis, Arc<Metadata>)>>,
    keys: Keys,
}

/// What the provider says about itself.
#[derive(Debug)]
struct Metadata {
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    /// Whether it says who it is when it sends people back (RFC 9207).
    names_itself: bool,
}

/// Why a sign-in through a provider failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderProblem {
    #[error("the provider says that it is somebody else: `{0}`")]
    NotTheIssuer(String),
    #[error("the provider's description lacks `{0}` or gives no https address for it")]
    Description(&'static str),
    #[error("the provider does not take PKCE with S256")]
    NoPkce,
    #[error("the provider's description: {0}")]
    Discovery(#[source] FetchProblem),
    #[error("the provider's keys: {0}")]
    Keys(#[source] FetchProblem),
    #[error("the provider refuses the code: {0}")]
    CodeRefused(String),
    #[error("the exchange of the code: {0}")]
    Exchange(#[source] FetchProblem),
    #[error("the provider gives no id token")]
    NoIdToken,
    #[error("the provider gives an access token of a kind that is not Bearer")]
    NotBearer,
    #[error("the id token: {0}")]
    Signature(#[from] SignatureProblem),
    #[error("the id token: {}", .0.message())]
    Token(TokenProblem),
    #[error("what the provider tells about people: {0}")]
    Userinfo(#[source] FetchProblem),
    #[error("what the provider tells is about somebody else")]
    OtherPerson,
    #[error("{}", .0.message())]
    Claims(satchel_gate::ClaimProblem),
    #[error("the hub does not know this person")]
    Unknown,
    #[error("the name is taken by somebody who signs in another way")]
    NameTaken,
    #[error("the person refused, or the provider did: {0}")]
    Declined(String),
    #[error("the answer comes from another provider")]
    MixUp,
    #[error("the answer holds no code")]
    NoCode,
}

impl ProviderProblem {
    /// Stable code.
    pub fn code(&self) -> String {
        match self {
            Self::NotTheIssuer(_) => "provider.not_the_issuer".into(),
            Self::Description(_) => "provider.bad_description".into(),
            Self::NoPkce => "provider.no_pkce".into(),
            Self::Discovery(p) | Self::Keys(p) | Self::Exchange(p) | Self::Userinfo(p) => {
                p.code().into()
            }
            Self::CodeRefused(_) => "provider.code_refused".into(),
            Self::NoIdToken => "provider.no_id_token".into(),
            Self::NotBearer => "provider.not_bearer".into(),
            Self::Signature(p) => p.code().into(),
            Self::Token(p) => p.code().into(),
            Self::OtherPerson => "provider.other_person".into(),
            Self::Claims(p) => p.code().into(),
            Self::Unknown => "sign_in.unknown_person".into(),
            Self::NameTaken => "sign_in.name_taken".into(),
            Self::Declined(_) => "provider.declined".into(),
            Self::MixUp => "provider.mix_up".into(),
            Self::NoCode => "provider.no_code".into(),
        }
    }

    /// What to do next.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Declined(_) => "Sign in again, and allow it.",
            Self::Claims(_) | Self::Unknown | Self::NameTaken => {
                "Ask the administrator of this hub to let you in."
            }
            _ => "Try again; if it stays so, tell the administrator the time and the code.",
        }
    }
}

/// A setting of a provider that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadProvider {
    #[error("the secret of `{name}` cannot be read from {place}")]
    Secret { name: String, place: String },
    #[error("`{0}` is no PEM file of certificates")]
    Ca(String),
    #[error("`{0}` holds no public keys, neither as PEM nor as a JWK set")]
    Keys(String),
}

impl Provider {
    /// Gets ready; asks nobody yet.
    pub fn new(config: OidcProvider) -> Result<Self, BadProvider> {
        let secret = read_secret(&config.name, &config.secret)?;
        let extra = match &config.ca {
            Some(file) => CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .ok()
                .filter(|all| !all.is_empty())
                .ok_or_else(|| BadProvider::Ca(file.display().to_string()))?,
            None => Vec::new(),
        };
        let patience = Duration::from_secs(u64::from(config.timeout_seconds.clamp(1, 60)));
        Ok(Self {
            secret,
            fetch: Fetch::new(extra, patience),
            metadata: Mutex::default(),
            keys: Keys::default(),
            config,
        })
    }

    /// What the provider says about itself, asked for once an hour.
    async fn metadata(&self, now: UnixMillis) -> Result<Arc<Metadata>, ProviderProblem> {
        let mut kept = self.metadata.lock().await;
        if let Some((at, metadata)) = &*kept
            && (0..METADATA_MS).contains(&now.since_ms(*at))
        {
            return Ok(metadata.clone());
        }
        let issuer = &self.config.issuer;
        let address = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let said = (self.fetch.json(&address, None).await).map_err(ProviderProblem::Discovery)?;
        let metadata = Arc::new(read_metadata(issuer, &said)?);
        *kept = Some((now, metadata.clone()));
        Ok(metadata)
    }

    /// Asks the provider for its description and keys, as an administrator's test.
    pub async fn probe(&self, now: UnixMillis) -> Result<usize, ProviderProblem> {
        let metadata = self.metadata(now).await?;
        let set = self.keys.fresh(&self.fetch, &metadata.jwks_uri, now).await;
        Ok(set.map_err(ProviderProblem::Keys)?.len())
    }

    /// Where to send a person who signs in.
    pub async fn where_to(
        &self,
        flow: &Flow,
        key: &FlowKey,
        back: &str,
        now: UnixMillis,
    ) -> Result<String, ProviderProblem> {
        let metadata = self.metadata(now).await?;
        let mut scope = "openid".to_owned();
        for more in &self.config.scopes {
            scope.push(' ');
            scope.push_str(more);
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", back)
            .append_pair("scope", &scope)
            .append_pair("state", &flow.state(key))
            .append_pair("nonce", &flow.nonce(key))
            .append_pair("code_challenge", &flow.challenge(key))
            .append_pair("code_challenge_method", "S256");
        let address = &metadata.authorization_endpoint;
        let joint = if address.contains('?') { '&' } else { '?' };
        Ok(format!("{address}{joint}{}", query.finish()))
    }

    /// Who came back with these parameters, whose state was right.
    pub async fn who(
        &self,
        state: &HubState,
        flow: &Flow,
        back: &str,
        parameters: &Back,
    ) -> Result<User, ProviderProblem> {
        let now = state.now();
        let metadata = self.metadata(now).await?;
        match &parameters.iss {
            Some(issuer) if *issuer != self.config.issuer => return Err(ProviderProblem::MixUp),
            None if metadata.names_itself => return Err(ProviderProblem::MixUp),
            _ => {}
        }
        if let Some(error) = &parameters.error {
            return Err(ProviderProblem::Declined(shown(error)));
        }
        let code = parameters.code.as_deref().ok_or(ProviderProblem::NoCode)?;
        let key = &state.flow_key;
        let (id_token, access_token) = self.exchange(&metadata, flow, key, back, code).await?;
        let claims = self.verified(&metadata, &id_token, now).await?;
        let nonce = flow.nonce(key);
        let expected = Expected {
            issuer: &self.config.issuer,
            audience: &self.config.client_id,
            sole_audience: true,
            nonce: Some(&nonce),
            longest_life_ms: None,
            longest_age_ms: Some(LONGEST_AGE_MS),
        };
        let subject = check_token(&claims, &expected, now)
            .map_err(ProviderProblem::Token)?
            .to_owned();
        let mut claims = claims;
        if self.config.userinfo {
            self.add_userinfo(&metadata, access_token.as_deref(), &subject, &mut claims)
                .await?;
        }
        let person = claimed(&claims, &self.config.mapping).map_err(ProviderProblem::Claims)?;
        self.arrive(state, subject, person, now).await
    }

    async fn arrive(
        &self,
        state: &HubState,
        subject: String,
        person: satchel_gate::Claimed,
        now: UnixMillis,
    ) -> Result<User, ProviderProblem> {
        let who = Outsider {
            issuer: self.config.issuer.clone(),
            subject,
            id: person.id,
            display_name: person.display_name,
            email: person.email,
            groups: person.groups,
        };
        match state.store.arrive(&who, self.config.adds_people, now).await {
            Ok(Arrival::Person(user)) => Ok(user),
            Ok(Arrival::NameTaken) => Err(ProviderProblem::NameTaken),
            Ok(Arrival::Unknown) => Err(ProviderProblem::Unknown),
            Err(error) => {
                tracing::error!(%error, "somebody who signed in could not be noted");
                Err(ProviderProblem::Unknown)
            }
        }
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        flow: &Flow,
        key: &FlowKey,
        back: &str,
        code: &str,
    ) -> Result<(String, Option<String>), ProviderProblem> {
        let (form, header) = self.request_for(&flow.verifier(key), back, code);
        let answer = self
            .fetch
            .post(&metadata.token_endpoint, form, header.as_deref())
            .await
            .map_err(|problem| match problem {
                FetchProblem::Status(400..=499, error) => {
                    ProviderProblem::CodeRefused(shown(&error))
                }
                other => ProviderProblem::Exchange(other),
            })?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let id_token = text("id_token").ok_or(ProviderProblem::NoIdToken)?;
        if !text("token_type").is_some_and(|t| t.eq_ignore_ascii_case("bearer")) {
            return Err(ProviderProblem::NotBearer);
        }
        Ok((id_token.to_owned(), text("access_token").map(str::to_owned)))
    }

    /// The form for the token address, and the header that goes with it.
    fn request_for(&self, verifier: &str, back: &str, code: &str) -> (String, Option<String>) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", back)
            .append_pair("code_verifier", verifier);
        let mut header = None;
        match (&self.secret, self.config.authentication) {
            (Some(secret), ClientAuthentication::Basic) => {
                header = Some(basic(&self.config.client_id, secret.expose()));
            }
            (Some(secret), ClientAuthentication::Post) => {
                form.append_pair("client_id", &self.config.client_id)
                    .append_pair("client_secret", secret.expose());
            }
            (None, _) => {
                form.append_pair("client_id", &self.config.client_id);
            }
        }
        (form.finish(), header)
    }

    /// The claims of a token that a key of the provider signed.
    async fn verified(
        &self,
        metadata: &Metadata,
        token: &str,
        now: UnixMillis,
    ) -> Result<Value, ProviderProblem> {
        let address = &metadata.jwks_uri;
        let kept = self.keys.kept(&self.fetch, address, now).await;
        let kept = kept.map_err(ProviderProblem::Keys)?;
        match verify(token, &kept, Algorithms::Asymmetric) {
            // Perhaps the provider has a new key.
            Err(SignatureProblem::UnknownKey) => {
                let fresh = self.keys.fresh(&self.fetch, address, now).await;
                let fresh = fresh.map_err(ProviderProblem::Keys)?;
                Ok(verify(token, &fresh, Algorithms::Asymmetric)?)
            }
            other => Ok(other?),
        }
    }

    /// Claims that only the userinfo address tells; what the id token says stands.
    async fn add_userinfo(
        &self,
        metadata: &Metadata,
        access_token: Option<&str>,
        subject: &str,
        claims: &mut Value,
    ) -> Result<(), ProviderProblem> {
        let address = (metadata.userinfo_endpoint.as_deref())
            .ok_or(ProviderProblem::Description("userinfo_endpoint"))?;
        let token = access_token.filter(|t| t.bytes().all(|b| b.is_ascii_graphic()));
        let token = token.ok_or(ProviderProblem::NotBearer)?;
        let more = self
            .fetch
            .json(address, Some(&format!("Bearer {token}")))
            .await
            .map_err(ProviderProblem::Userinfo)?;
        if more.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(ProviderProblem::OtherPerson);
        }
        if let (Some(claims), Some(more)) = (claims.as_object_mut(), more.as_object()) {
            for (name, value) in more {
                claims.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(())
    }
}

/// What a provider's redirect says.
#[derive(Debug, Default)]
pub(crate) struct Back {
    pub code: Option<String>,
    pub state: Option<String>,
    pub iss: Option<String>,
    pub error: Option<String>,
}

impl Back {
    /// Reads a query; none if a parameter comes twice (RFC 6749 §3.1).
    pub fn read(query: &str) -> Option<Self> {
        let mut back = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "code" => &mut back.code,
                "state" => &mut back.state,
                "iss" => &mut back.iss,
                "error" => &mut back.error,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        Some(back)
    }
}

fn read_metadata(issuer: &str, said: &Value) -> Result<Metadata, ProviderProblem> {
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let says = text("issuer").unwrap_or_default();
    if says != issuer {
        return Err(ProviderProblem::NotTheIssuer(shown(says)));
    }
    let address = |name: &'static str| {
        text(name)
            .filter(|a| address::is_https(a))
            .map(str::to_owned)
            .ok_or(ProviderProblem::Description(name))
    };
    // Providers that say which methods they take must take ours; many say nothing.
    if let Some(methods) = said.get("code_challenge_methods_supported")
        && !methods
            .as_array()
            .is_some_and(|all| all.iter().any(|m| m == "S256"))
    {
        return Err(ProviderProblem::NoPkce);
    }
    Ok(Metadata {
        authorization_endpoint: address("authorization_endpoint")?,
        token_endpoint: address("token_endpoint")?,
        userinfo_endpoint: address("userinfo_endpoint").ok(),
        jwks_uri: address("jwks_uri")?,
        names_itself: said
            .get("authorization_response_iss_parameter_supported")
            .and_then(Value::as_bool)
            .unwrap_or(false),
    })
}

/// RFC 6749 §2.3.1: both parts form-encoded, then joined.
fn basic(id: &str, secret: &str) -> String {
    let coded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", coded(id), coded(secret));
    format!("Basic {}", crate::state::base64(pair.as_bytes()))
}

/// The first line of what is named.
pub(crate) fn read_secret(
    name: &str,
    from: &SecretFrom,
) -> Result<Option<Secret<String>>, BadProvider> {
    let (text, place) = match from {
        SecretFrom::Nowhere => return Ok(None),
        SecretFrom::File(path) => (
            std::fs::read_to_string(path).ok(),
            format!("the file {}", path.display()),
        ),
        SecretFrom::Environment(variable) => (
            std::env::var(variable).ok(),
            format!("the variable {variable} of the environment"),
        ),
    };
    let first = text
        .as_deref()
        .and_then(|t| t.lines().next())
        .map(str::trim);
    match first.filter(|s| !s.is_empty()) {
        Some(secret) => Ok(Some(Secret::new(secret.to_owned()))),
        None => Err(BadProvider::Secret {
            name: name.to_owned(),
            place,
        }),
    }
}

/// A text of the provider's for logs and answers: short and plain.
fn shown(text: &str) -> String {
    let plain = |c: &char| c.is_ascii_graphic() || *c == ' ';
    text.chars().filter(plain).take(80).collect()
}

/// The answer to a browser.
pub(crate) fn refused(problem: &ProviderProblem) -> Refused {
    let status = match problem {
        ProviderProblem::Claims(_)
        | ProviderProblem::Unknown
        | ProviderProblem::NameTaken
        | ProviderProblem::Declined(_) => axum::http::StatusCode::FORBIDDEN,
        ProviderProblem::MixUp | ProviderProblem::NoCode => axum::http::StatusCode::BAD_REQUEST,
        _ => axum::http::StatusCode::BAD_GATEWAY,
    };
    Refused::new(
        status,
        &problem.code(),
        &problem.to_string(),
        problem.next(),
    )
}
