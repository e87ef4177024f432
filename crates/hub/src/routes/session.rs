//! Signing in and out.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use satchel_contract::{Me, SignIn};
use satchel_gate::Client;

use crate::guard::{Asker, COOKIE, provenance, token};
use crate::refusal::Refused;
use crate::sign_in::{self, Begun};
use crate::state::HubState;

/// `POST /api/v1/sign-in`
pub(crate) async fn sign_in(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<SignIn>, axum::extract::rejection::JsonRejection>,
) -> Result<Response, Refused> {
    let Json(body) = body.map_err(|_| malformed())?;
    let client = client(&headers);
    let begun = sign_in::with_password(&state, body, client, address.ip()).await?;
    // Whoever signs in anew leaves the session they had.
    if let Some(old) = token(&headers) {
        state.store.end_session(old).await?;
    }
    Ok(answer(begun))
}

/// `POST /api/v1/sign-out`
pub(crate) async fn sign_out(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
) -> Result<Response, Refused> {
    let user = asker.person()?;
    if let Some(token) = asker.token {
        state.store.end_session(token).await?;
    }
    sign_in::note(&state, &user.id, "sign_out", "ok").await?;
    let gone = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(cookie) = HeaderValue::from_str(&gone) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `GET /api/v1/me`
pub(crate) async fn me(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
) -> Result<Json<Me>, Refused> {
    let me = sign_in::me(&state, asker.person()?, asker.access).await?;
    Ok(Json(me))
}

/// The person and the cookie.
pub(crate) fn answer(begun: Begun) -> Response {
    let mut response = Json(begun.me).into_response();
    response
        .headers_mut()
        .insert(header::SET_COOKIE, begun.cookie);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a log-in comes from.
pub(crate) fn client(headers: &HeaderMap) -> Client {
    if provenance(headers).is_native() {
        Client::Device
    } else {
        Client::Browser
    }
}

/// A body that is not what the route takes.
pub(crate) fn malformed() -> Refused {
    Refused::bad_request(
        "request.malformed",
        "the request is not what this address takes",
        "Update the client; if it stays so, report it.",
    )
}
