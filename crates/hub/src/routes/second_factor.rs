//! Setting a second factor up, and off again. Each takes the password, so that a session alone
//! changes nothing about how a person signs in.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use qrcodegen::{QrCode as Squares, QrCodeEcc};
use satchel_contract::{QrCode, RecoveryCodes, SecondFactorOn, SecondFactorProposal, SignIn};
use satchel_gate::{
    CODE_SECRET_BYTES, N_RECOVERY_CODES, RECOVERY_BYTES, Typed, enrolment_uri, spell_recovery,
    spell_secret, typed,
};
use satchel_store::{OpenSessions, User};

use super::session::{client, malformed};
use crate::refusal::Refused;
use crate::second_factor::{first_step, recovery_hash, standing, take};
use crate::sign_in::{self, note, right_password};
use crate::state::HubState;
use crate::system::random;

type Body = Result<Json<SignIn>, JsonRejection>;

/// `POST /api/v1/second-factor`
pub(crate) async fn set_up(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Response, Refused> {
    let (user, _) = person(&state, address, body).await?;
    let secret = random::<CODE_SECRET_BYTES>();
    let kept = state
        .store
        .propose_second_factor(&user.id, &secret, random())
        .await?;
    if !kept {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "second_factor.on",
            "you have a second factor already",
            "Switch it off in Settings first. If your phone is gone, ask the administrator.",
        ));
    }
    let uri = enrolment_uri(&state.store.hub().name, user.id.as_str(), &secret);
    let qr = qr_code(&uri).ok_or_else(Refused::internal)?;
    Ok(private(Json(SecondFactorProposal {
        secret: spell_secret(&secret),
        uri,
        qr,
    })))
}

/// `POST /api/v1/second-factor/confirm`
pub(crate) async fn confirm(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let (user, code) = person(&state, address, body).await?;
    let step = first_step(&state, &user, &code.ok_or_else(malformed)?).await?;
    let (spelled, hashes) = recovery();
    // Whoever was signed in without it is not any more, this page included.
    let confirmed = state
        .store
        .confirm_second_factor(&user.id, step, &hashes, state.now())
        .await?;
    if !confirmed {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "second_factor.not_begun",
            "there is no second factor to confirm",
            "Begin again: another page may have been faster.",
        ));
    }
    note(&state, &user.id, "second_factor.on", "ok").await?;
    let begun = sign_in::begin(&state, &user, client(&headers), "sign_in").await?;
    let on = SecondFactorOn {
        me: begun.me,
        recovery_codes: spelled,
    };
    let mut response = private(Json(on));
    response
        .headers_mut()
        .insert(header::SET_COOKIE, begun.cookie);
    Ok(response)
}

/// `POST /api/v1/second-factor/recovery-codes`
pub(crate) async fn recovery_codes(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Response, Refused> {
    let (user, code) = person(&state, address, body).await?;
    take(&state, &user, &code.ok_or_else(malformed)?).await?;
    let (spelled, hashes) = recovery();
    state
        .store
        .replace_recovery_codes(&user.id, &hashes)
        .await?;
    note(&state, &user.id, "second_factor.recovery_codes", "ok").await?;
    Ok(private(Json(RecoveryCodes {
        recovery_codes: spelled,
    })))
}

/// `POST /api/v1/second-factor/remove`
pub(crate) async fn remove(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<StatusCode, Refused> {
    let (user, code) = person(&state, address, body).await?;
    if standing(&state, &user).await?.is_some_and(|s| s.required) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "second_factor.required",
            "this hub requires your second factor",
            "Ask the administrator to reset it if you have a new phone.",
        ));
    }
    take(&state, &user, &code.ok_or_else(malformed)?).await?;
    state
        .store
        .remove_second_factor(&user.id, OpenSessions::Stay)
        .await?;
    note(&state, &user.id, "second_factor.off", "ok").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose password it is, and the code that came along.
async fn person(
    state: &HubState,
    address: SocketAddr,
    body: Body,
) -> Result<(User, Option<String>), Refused> {
    let Json(body) = body.map_err(|_| malformed())?;
    let user = right_password(state, &body.user, body.password, address.ip()).await?;
    Ok((user, body.code))
}

/// Fresh recovery codes, as they are shown and as they are kept.
fn recovery() -> (Vec<String>, Vec<[u8; 32]>) {
    let spelled: Vec<String> = (0..N_RECOVERY_CODES)
        .map(|_| spell_recovery(random::<RECOVERY_BYTES>()))
        .collect();
    let hashes = spelled
        .iter()
        .filter_map(|code| match typed(code) {
            Some(Typed::Recovery(plain)) => Some(recovery_hash(&plain)),
            _ => None,
        })
        .collect();
    (spelled, hashes)
}

/// None if the text is too long for any such code.
fn qr_code(text: &str) -> Option<QrCode> {
    let squares = Squares::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..squares.size() {
        let mut x = 0;
        while x < squares.size() {
            let run = (x..squares.size())
                .take_while(|&x| squares.get_module(x, y))
                .count();
            let run = i32::try_from(run).ok()?;
            if run > 0 {
                path += &format!("M{x} {y}h{run}v1h-{run}z");
            }
            x += run + 1;
        }
    }
    Some(QrCode {
        size: u16::try_from(squares.size()).ok()?,
        path,
    })
}

fn private(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    response
}
