//! Signing in without a person's doing: tokens of services that embed the hub, one-time tickets,
//! and the header of a trusted proxy. Each is off until an administrator sets it up.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;
use satchel_base::{Secret, SubjectId, UnixMillis};
use satchel_gate::{Expected, address_key, check_token, claimed, is_name};
use satchel_store::{Arrival, Outsider, StoreError, TokenIssuer, TrustedProxy, User};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::provider::{Algorithms, BadProvider, head, read_keys, read_secret, verify, verify_with};
use crate::refusal::Refused;
use crate::sign_in::{note_about, succeeded, throttle};
use crate::state::HubState;

/// An issuer of tokens as the hub uses it.
pub(crate) struct Issuer {
    pub config: TokenIssuer,
    keys: IssuerKeys,
}

enum IssuerKeys {
    Set(Vec<Jwk>),
    /// The text of a public key or certificate; what it is, the token's algorithm tells.
    Pem(Vec<u8>),
}

impl Issuer {
    pub fn new(config: TokenIssuer) -> Result<Self, BadProvider> {
        let bad = || BadProvider::Keys(config.keys.display().to_string());
        let bytes = std::fs::read(&config.keys).map_err(|_| bad())?;
        let keys = match serde_json::from_slice::<Value>(&bytes) {
            Ok(set) => IssuerKeys::Set(read_keys(set).map_err(|_| bad())?),
            Err(_) => {
                let reads = [
                    DecodingKey::from_rsa_pem(&bytes).is_ok(),
                    DecodingKey::from_ec_pem(&bytes).is_ok(),
                    DecodingKey::from_ed_pem(&bytes).is_ok(),
                ];
                // A private key has no place here.
                let is_private = bytes.windows(11).any(|w| w == b"PRIVATE KEY");
                if is_private || !reads.contains(&true) {
                    return Err(bad());
                }
                IssuerKeys::Pem(bytes)
            }
        };
        Ok(Self { config, keys })
    }

    fn verify(&self, token: &str) -> Result<Value, crate::provider::SignatureProblem> {
        use crate::provider::SignatureProblem;
        use jsonwebtoken::Algorithm;
        match &self.keys {
            IssuerKeys::Set(keys) => verify(token, keys, Algorithms::Embedding),
            IssuerKeys::Pem(pem) => {
                let (algorithm, _) = head(token, Algorithms::Embedding)?;
                let key = match algorithm {
                    Algorithm::ES256 => DecodingKey::from_ec_pem(pem),
                    Algorithm::EdDSA => DecodingKey::from_ed_pem(pem),
                    _ => DecodingKey::from_rsa_pem(pem),
                };
                let key = key.map_err(|_| SignatureProblem::UnknownKey)?;
                verify_with(token, &key, algorithm)
            }
        }
    }
}

/// The person a bearer token in the headers speaks for.
pub(crate) async fn with_token(
    state: &HubState,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<User, Refused> {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok());
    let given = given.and_then(|v| v.split_once(' '));
    let token = given
        .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = token else {
        return Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            "token.missing",
            "there is no bearer token",
            "Send Authorization: Bearer with the token of the service that embeds the hub.",
        ));
    };
    let address = address_key(address);
    // Nobody guesses a token, so only the address counts, and the same token again and again.
    let account = format!("bearer {}", blake3::hash(token.as_bytes()).to_hex());
    throttle(state, &account, &address)?;
    match judge(state, token).await {
        Ok(user) => {
            succeeded(state, &account, &address);
            Ok(user)
        }
        Err((code, message)) => {
            let nobody = SubjectId::new("TOKEN", "?");
            note_about(state, &nobody, "sign_in.token", "", &code, Value::Null).await?;
            Err(Refused::new(
                StatusCode::UNAUTHORIZED,
                &code,
                &message,
                "Ask the service that embeds the hub for a new token.",
            ))
        }
    }
}

async fn judge(state: &HubState, token: &str) -> Result<User, (String, String)> {
    let now = state.now();
    let refused = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    let internal = |error: StoreError| {
        tracing::error!(%error, "somebody who came with a token could not be noted");
        refused("hub.internal", "the hub could not do this")
    };
    // The issuer is what the token says; whether it may say so, its signature tells.
    let says = unverified_issuer(token);
    let issuer = state
        .issuers
        .iter()
        .find(|i| Some(&i.config.issuer) == says.as_ref());
    let Some(issuer) = issuer else {
        return Err(refused(
            "token.wrong_issuer",
            "the token was issued by somebody unknown here",
        ));
    };
    let claims = issuer
        .verify(token)
        .map_err(|p| refused(p.code(), &format!("the token is not believed: {p}")))?;
    let expected = Expected {
        issuer: &issuer.config.issuer,
        audience: &issuer.config.audience,
        sole_audience: false,
        nonce: None,
        longest_life_ms: Some(i64::from(issuer.config.longest_minutes) * 60_000),
        longest_age_ms: None,
    };
    let subject = check_token(&claims, &expected, now)
        .map_err(|p| refused(p.code(), p.message()))?
        .to_owned();
    let person =
        claimed(&claims, &issuer.config.mapping).map_err(|p| refused(p.code(), p.message()))?;
    if issuer.config.once {
        let jti = claims
            .get("jti")
            .and_then(Value::as_str)
            .filter(|j| !j.is_empty());
        let jti = jti.ok_or_else(|| refused("token.no_id", "the token has no jti"))?;
        let mut hasher = Sha256::new();
        for part in ["jti", &issuer.config.issuer, jti] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        // Longer than any token lives, clocks that differ included.
        let ends = now.plus_ms((i64::from(issuer.config.longest_minutes) + 5) * 60_000);
        let key: [u8; 32] = hasher.finalize().into();
        if !state
            .store
            .use_once(&key, ends, now)
            .await
            .map_err(internal)?
        {
            return Err(refused("token.replayed", "the token was used before"));
        }
    }
    let who = Outsider {
        issuer: issuer.config.issuer.clone(),
        subject,
        id: person.id,
        display_name: person.display_name,
        email: person.email,
        groups: person.groups,
    };
    match state
        .store
        .arrive(&who, issuer.config.adds_people, now)
        .await
    {
        Ok(Arrival::Person(user)) => Ok(user),
        Ok(Arrival::NameTaken) => Err(refused(
            "sign_in.name_taken",
            "the name is taken by somebody who signs in another way",
        )),
        Ok(Arrival::Unknown) => Err(refused(
            "sign_in.unknown_person",
            "the hub does not know this person",
        )),
        Err(error) => Err(internal(error)),
    }
}

/// The `iss` of a token nobody has verified yet.
fn unverified_issuer(token: &str) -> Option<String> {
    use base64::Engine as _;
    let claims = token.split('.').nth(1).filter(|c| c.len() <= 64 * 1024)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

/// A proxy that signs people in, as the hub uses it.
pub(crate) struct Proxy {
    config: TrustedProxy,
    secret: Secret<String>,
}

/// The header in which a proxy shows that it is the one.
const PROXY_SECRET: &str = "x-satchel-proxy-secret";

impl Proxy {
    pub fn new(config: TrustedProxy) -> Result<Self, BadProvider> {
        let missing = || BadProvider::Secret {
            name: "trusted proxy".into(),
            place: "nowhere".into(),
        };
        let secret = read_secret("trusted proxy", &config.secret)?.ok_or_else(missing)?;
        Ok(Self { config, secret })
    }

    fn is_itself(&self, headers: &HeaderMap, address: IpAddr) -> bool {
        let shown = headers
            .get(PROXY_SECRET)
            .map(|v| blake3::hash(v.as_bytes()));
        // Comparing hashes takes the same time wherever they differ.
        let is_right = shown == Some(blake3::hash(self.secret.expose().as_bytes()));
        is_right
            && self
                .config
                .addresses
                .iter()
                .any(|range| range.contains(address))
    }
}

/// The person a trusted proxy names, if the request comes with its header.
pub(crate) async fn with_header(
    state: &HubState,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Option<Arc<User>>, Refused> {
    let Some(proxy) = &state.proxy else {
        return Ok(None);
    };
    let mut named = headers.get_all(proxy.config.header.as_str()).iter();
    let Some(name) = named.next() else {
        return Ok(None);
    };
    let name = name.to_str().unwrap_or_default();
    let is_single = named.next().is_none();
    let trusted = address.is_some_and(|a| proxy.is_itself(headers, a));
    let id = SubjectId::new(&proxy.config.directory, name);
    if !trusted || !is_single || !is_name(name) {
        let from = address.map(address_key).unwrap_or_default();
        // So that nobody fills the log.
        if throttle(state, "header", &from).is_ok() {
            let about = json!({ "address": from });
            note_about(
                state,
                &id,
                "sign_in.header",
                "",
                "header.not_trusted",
                about,
            )
            .await?;
        }
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "header.not_trusted",
            "this request says who somebody is, and may not",
            "Open the hub's own address without that header.",
        ));
    }
    match state.store.user(&id).await? {
        Some(user) => Ok(Some(Arc::new(user))),
        None => {
            note_about(
                state,
                &id,
                "sign_in.header",
                "",
                "header.unknown_user",
                Value::Null,
            )
            .await?;
            Err(Refused::new(
                StatusCode::FORBIDDEN,
                "header.unknown_user",
                "this hub does not know the person the proxy names",
                "Ask the administrator of this hub to add you.",
            ))
        }
    }
}

/// One minute: a service asks, its page is loaded, the ticket is used.
pub(crate) const TICKET_MS: i64 = 60_000;

/// A ticket for a person; what is kept of it is its hash.
pub(crate) async fn make_ticket(
    state: &HubState,
    user: &SubjectId,
    now: UnixMillis,
) -> Result<String, Refused> {
    use base64::Engine as _;
    let bytes = crate::system::random::<32>();
    let ticket = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let ends = now.plus_ms(TICKET_MS);
    state
        .store
        .add_ticket(&ticket_key(&ticket), user, ends, now)
        .await?;
    Ok(ticket)
}

/// The person of a ticket, which is used up now.
pub(crate) async fn with_ticket(
    state: &HubState,
    ticket: &str,
    address: IpAddr,
) -> Result<User, Refused> {
    let address = address_key(address);
    let account = format!("ticket {}", blake3::hash(ticket.as_bytes()).to_hex());
    throttle(state, &account, &address)?;
    let now = state.now();
    let user = match state.store.take_ticket(&ticket_key(ticket), now).await? {
        Some(id) => state.store.user(&id).await?,
        None => None,
    };
    let Some(user) = user else {
        let nobody = SubjectId::new("TICKET", "?");
        note_about(
            state,
            &nobody,
            "sign_in.ticket",
            "",
            "ticket.not_good",
            Value::Null,
        )
        .await?;
        return Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            "ticket.not_good",
            "the ticket was used before, is too old, or was never given",
            "Go back to where you came from and try again.",
        ));
    };
    succeeded(state, &account, &address);
    Ok(user)
}

fn ticket_key(ticket: &str) -> [u8; 32] {
    Sha256::digest(ticket.as_bytes()).into()
}
