//! Passkeys: adding, listing, renaming and removing them, and signing in with one.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use satchel_contract::{
    NewPasskey, Passkey as Listed, PasskeyChallenge, PasskeyName, PasskeyOptions, PasskeySignIn,
};
use satchel_gate::{
    Ceremony, CeremonyKind, Client, PasskeyProblem, address_key, check_assertion,
    check_registration, signed_bytes,
};
use satchel_store::{Passkey, User};
use serde_json::json;

use super::session::{answer, malformed};
use crate::guard::{Asker, token};
use crate::passkeys::{
    Purpose, challenge, is_key, page, refused, take_challenge, user_handle, verifies,
};
use crate::refusal::Refused;
use crate::sign_in::{self, note_about, succeeded, throttle};
use crate::state::{HubState, base64, from_base64};
use crate::system::make_uuid;

/// Passkeys a person may have.
const MAX_PASSKEYS: usize = 20;

/// Adding one takes a sign-in of the last quarter of an hour: who finds a screen unlocked must
/// not leave a key behind.
const FRESH_MS: i64 = 15 * 60_000;

const MAX_NAME_CHARS: usize = 60;

/// `POST /api/v1/sign-in/passkey/challenge`
pub(crate) async fn sign_in_challenge(
    State(state): State<Arc<HubState>>,
    headers: HeaderMap,
) -> Result<Json<PasskeyChallenge>, Refused> {
    allowed(&state)?;
    let (_, rp_id) = page(&state, &headers)?;
    let challenge = challenge(&state, Purpose::SignIn, rp_id, state.now());
    Ok(Json(PasskeyChallenge {
        challenge: base64(&challenge),
        rp_id: rp_id.to_owned(),
    }))
}

/// `POST /api/v1/sign-in/passkey`
pub(crate) async fn sign_in(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<PasskeySignIn>, JsonRejection>,
) -> Result<Response, Refused> {
    allowed(&state)?;
    let Json(body) = body.map_err(|_| malformed())?;
    let sent = Sent::read(&body).ok_or_else(malformed)?;
    let page = page(&state, &headers)?;
    let account = format!("passkey {}", body.credential);
    let address = address_key(address.ip());
    throttle(&state, &account, &address)?;
    let known = state.store.passkey(&sent.credential).await?;
    let known = known.filter(|passkey| passkey.rp_id == page.1);
    let Some(passkey) = known else {
        return Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            "passkey.unknown",
            "this passkey signs nobody in here",
            "Choose another one, or sign in as usual and add it in Settings. The passkey that \
             opens your downloads is not the one that signs you in.",
        ));
    };
    let checked = check(&state, page, &sent, &passkey).await;
    let attested = match checked {
        Ok(attested) => attested,
        Err(refused) => {
            let code = refused.error.code.clone();
            let about = json!({ "passkey": passkey.name });
            note_about(
                &state,
                &passkey.user,
                "sign_in.passkey",
                &passkey.id,
                &code,
                about,
            )
            .await?;
            return Err(refused);
        }
    };
    let user = state.store.user(&passkey.user).await?;
    let user = user.ok_or_else(Refused::not_found)?;
    let follows = state
        .store
        .use_passkey(
            &passkey.id,
            attested.sign_count,
            attested.is_backed_up,
            state.now(),
        )
        .await?;
    if !follows {
        let (code, about) = ("passkey.counted_back", json!({ "passkey": passkey.name }));
        note_about(
            &state,
            &user.id,
            "sign_in.passkey",
            &passkey.id,
            code,
            about,
        )
        .await?;
        return Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            code,
            "this passkey was used less often than the hub has seen, so there may be a copy of it",
            "Sign in another way, remove this passkey in Settings, and tell the administrator.",
        ));
    }
    succeeded(&state, &account, &address);
    let begun = sign_in::begin(&state, &user, Client::Browser, "sign_in.passkey").await?;
    if let Some(old) = token(&headers) {
        state.store.end_session(old).await?;
    }
    Ok(answer(begun))
}

/// What a sign-in sent.
struct Sent {
    credential: Vec<u8>,
    challenge: Vec<u8>,
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
    user_handle: Vec<u8>,
}

impl Sent {
    fn read(body: &PasskeySignIn) -> Option<Self> {
        Some(Self {
            credential: from_base64(&body.credential)?,
            challenge: from_base64(&body.challenge)?,
            client_data: from_base64(&body.client_data)?,
            authenticator_data: from_base64(&body.authenticator_data)?,
            signature: from_base64(&body.signature)?,
            user_handle: from_base64(&body.user_handle)?,
        })
    }
}

async fn check(
    state: &HubState,
    (origin, rp_id): (&str, &str),
    sent: &Sent,
    passkey: &Passkey,
) -> Result<satchel_gate::Attested, Refused> {
    let purpose = Purpose::SignIn;
    if !take_challenge(state, purpose, rp_id, &sent.challenge, state.now()).await? {
        return Err(refused(PasskeyProblem::WrongChallenge));
    }
    let ceremony = Ceremony {
        kind: CeremonyKind::SignIn,
        challenge: &sent.challenge,
        origin,
        rp_id,
    };
    let attested =
        check_assertion(ceremony, &sent.client_data, &sent.authenticator_data).map_err(refused)?;
    if sent.user_handle != user_handle(state, &passkey.user) {
        return Err(refused(PasskeyProblem::WrongCredential));
    }
    let message = signed_bytes(&sent.client_data, &sent.authenticator_data);
    if !verifies(
        passkey.algorithm,
        &passkey.public_key,
        &message,
        &sent.signature,
    ) {
        return Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            "passkey.bad_signature",
            "this passkey was not used for this hub, here and now",
            "Begin again on the hub's own page.",
        ));
    }
    Ok(attested)
}

/// `GET /api/v1/passkeys`
pub(crate) async fn list(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
) -> Result<Json<Vec<Listed>>, Refused> {
    let passkeys = state.store.passkeys(&asker.person()?.id).await?;
    Ok(Json(passkeys.into_iter().map(listed).collect()))
}

/// `POST /api/v1/passkeys/challenge`
pub(crate) async fn options(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    headers: HeaderMap,
) -> Result<Json<PasskeyOptions>, Refused> {
    let user = fresh(&state, &asker).await?;
    let (_, rp_id) = page(&state, &headers)?;
    let known = state.store.passkeys(&user.id).await?;
    let challenge = challenge(&state, Purpose::Register(&user.id), rp_id, state.now());
    Ok(Json(PasskeyOptions {
        challenge: base64(&challenge),
        rp_id: rp_id.to_owned(),
        rp_name: state.store.hub().name.clone(),
        user_handle: base64(&user_handle(&state, &user.id)),
        user: user.id.clone(),
        name: user.display_name.clone(),
        exclude: known.iter().map(|p| base64(&p.credential)).collect(),
    }))
}

/// `POST /api/v1/passkeys`
pub(crate) async fn add(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    headers: HeaderMap,
    body: Result<Json<NewPasskey>, JsonRejection>,
) -> Result<Json<Listed>, Refused> {
    let Json(body) = body.map_err(|_| malformed())?;
    let user = fresh(&state, &asker).await?;
    let (origin, rp_id) = page(&state, &headers)?;
    let name = named(&body.name)?;
    let bytes = |text: &str| from_base64(text).ok_or_else(malformed);
    let (sent, credential) = (bytes(&body.challenge)?, bytes(&body.credential)?);
    let (client_data, data) = (bytes(&body.client_data)?, bytes(&body.authenticator_data)?);
    let public_key = bytes(&body.public_key)?;
    let now = state.now();
    let purpose = Purpose::Register(&user.id);
    if !take_challenge(&state, purpose, rp_id, &sent, now).await? {
        return Err(refused(PasskeyProblem::WrongChallenge));
    }
    let ceremony = Ceremony {
        kind: CeremonyKind::Register,
        challenge: &sent,
        origin,
        rp_id,
    };
    let attested = check_registration(ceremony, &client_data, &data, &credential, body.algorithm)
        .map_err(refused)?;
    if !is_key(body.algorithm, &public_key) {
        return Err(refused(PasskeyProblem::Algorithm));
    }
    if state.store.passkeys(&user.id).await?.len() >= MAX_PASSKEYS {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "passkey.too_many",
            "you have twenty passkeys, and that is the most",
            "Remove one you no longer use.",
        ));
    }
    let passkey = Passkey {
        id: make_uuid(),
        user: user.id.clone(),
        credential,
        rp_id: rp_id.to_owned(),
        public_key,
        algorithm: body.algorithm,
        sign_count: attested.sign_count,
        is_backed_up: attested.is_backed_up,
        name,
        created_at: now,
        last_used: None,
    };
    if !state.store.add_passkey(&passkey).await? {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "passkey.known",
            "this passkey is known here already",
            "Use it to sign in, or add another.",
        ));
    }
    let about = json!({ "name": passkey.name });
    note_about(&state, &user.id, "passkey.add", &passkey.id, "ok", about).await?;
    Ok(Json(listed(passkey)))
}

/// `POST /api/v1/passkeys/{passkey}`: another name.
pub(crate) async fn rename(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
    body: Result<Json<PasskeyName>, JsonRejection>,
) -> Result<StatusCode, Refused> {
    let Json(body) = body.map_err(|_| malformed())?;
    let user = asker.person()?;
    let name = named(&body.name)?;
    if !state.store.rename_passkey(&user.id, &id, &name).await? {
        return Err(Refused::not_found());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/passkeys/{passkey}`
pub(crate) async fn remove(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let user = asker.person()?;
    if !state.store.remove_passkey(&user.id, &id).await? {
        return Err(Refused::not_found());
    }
    note_about(&state, &user.id, "passkey.remove", &id, "ok", json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn listed(passkey: Passkey) -> Listed {
    Listed {
        id: passkey.id,
        name: passkey.name,
        created_at: passkey.created_at,
        last_used: passkey.last_used,
        backed_up: passkey.is_backed_up,
    }
}

fn named(name: &str) -> Result<String, Refused> {
    let name = name.trim();
    let fits = (1..=MAX_NAME_CHARS).contains(&name.chars().count());
    match fits && !name.chars().any(char::is_control) {
        true => Ok(name.to_owned()),
        false => Err(Refused::bad_request(
            "passkey.bad_name",
            "a passkey's name has 1 to 60 characters",
            "Give it another name.",
        )),
    }
}

fn allowed(state: &HubState) -> Result<(), Refused> {
    match state.sign_in.passkeys {
        true => Ok(()),
        false => Err(Refused::new(
            StatusCode::FORBIDDEN,
            "sign_in.no_passkeys",
            "passkeys are not taken at this hub",
            "Sign in the way the hub offers.",
        )),
    }
}

/// Whoever asks, if they signed in just now.
async fn fresh(state: &HubState, asker: &Asker) -> Result<Arc<User>, Refused> {
    allowed(state)?;
    let user = asker.person()?;
    let now = state.now();
    let session = match asker.token {
        Some(token) => state.store.touch_session(token, now).await?,
        None => None,
    };
    if session.is_some_and(|s| now.since_ms(s.began) < FRESH_MS) {
        return Ok(user.clone());
    }
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "passkey.sign_in_again",
        "a passkey is added only shortly after signing in",
        "Sign out, sign in again, and add it within a quarter of an hour.",
    ))
}
