//! Signing in with a token or a ticket, and asking for tickets.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Extension, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use satchel_base::SubjectId;
use satchel_gate::{Client, is_name};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::session::{answer, client};
use crate::direct::PeerCertificate;
use crate::embedding::{make_ticket, with_ticket, with_token};
use crate::guard::token;
use crate::provider::is_local_path;
use crate::refusal::{self, Refused};
use crate::sign_in::{self, note_about};
use crate::state::HubState;

/// `POST /api/v1/sign-in/token`, with `Authorization: Bearer`.
pub(crate) async fn with_bearer(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let user = with_token(&state, &headers, address.ip()).await?;
    let begun = sign_in::begin(&state, &user, client(&headers), "sign_in.token").await?;
    end_previous(&state, &headers).await?;
    Ok(answer(begun))
}

/// `GET /api/v1/sign-in/ticket?qlikTicket=…&to=/path`
pub(crate) async fn redeem(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let redeemed = redeemed(&state, query.as_deref(), &headers, address).await;
    redeemed.unwrap_or_else(|refused| refusal::page(&headers, refused))
}

async fn redeemed(
    state: &HubState,
    query: Option<&str>,
    headers: &HeaderMap,
    address: SocketAddr,
) -> Result<Response, Refused> {
    let (mut ticket, mut to) = (String::new(), "/".to_owned());
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name.eq_ignore_ascii_case("qlikTicket") {
            ticket = value.into_owned();
        } else if name == "to" && is_local_path(&value) {
            to = value.into_owned();
        }
    }
    let user = with_ticket(state, &ticket, address.ip()).await?;
    let begun = sign_in::begin(state, &user, Client::Browser, "sign_in.ticket").await?;
    end_previous(state, headers).await?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    let to = HeaderValue::from_str(&to).map_err(|_| Refused::internal())?;
    let answer = response.headers_mut();
    answer.insert(header::LOCATION, to);
    answer.insert(header::SET_COOKIE, begun.cookie);
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Whoever signs in anew leaves the session they had.
async fn end_previous(state: &HubState, headers: &HeaderMap) -> Result<(), Refused> {
    if let Some(old) = token(headers) {
        state.store.end_session(old).await?;
    }
    Ok(())
}

/// For whom a ticket is asked.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Wanted {
    user_directory: String,
    user_id: String,
}

/// A ticket, as clients of this API expect it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Ticket {
    user_directory: String,
    user_id: String,
    attributes: [(); 0],
    ticket: String,
    target_uri: Option<String>,
}

/// `POST /qps/ticket?xrfkey=…` on the port for API clients.
pub(crate) async fn ask(
    State(state): State<Arc<HubState>>,
    Extension(certificate): Extension<PeerCertificate>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, Refused> {
    if !has_cross_site_key(query.as_deref(), &headers) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "request.no_xrfkey",
            "the key against cross-site requests is missing, or is not the same in both places",
            "Send 16 letters and digits as ?xrfkey=… and as the header X-Qlik-Xrfkey.",
        ));
    }
    let Json(wanted) = body.map_err(|_| super::session::malformed())?;
    if !is_name(&wanted.user_directory) || !is_name(&wanted.user_id) {
        return Err(super::session::malformed());
    }
    let id = SubjectId::new(&wanted.user_directory, &wanted.user_id);
    let about = json!({ "certificate": certificate.0 });
    if state.store.user(&id).await?.is_none() {
        note_about(&state, &id, "ticket.give", "", "direct.unknown_user", about).await?;
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "direct.unknown_user",
            "this hub does not know the person the ticket is for",
            "Name a person of this hub, or ask the administrator to add them.",
        ));
    }
    let ticket = make_ticket(&state, &id, state.now()).await?;
    note_about(&state, &id, "ticket.give", "", "ok", about).await?;
    let given = Ticket {
        user_directory: wanted.user_directory,
        user_id: wanted.user_id,
        attributes: [],
        ticket,
        target_uri: None,
    };
    let mut response = (StatusCode::CREATED, Json(given)).into_response();
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    Ok(response)
}

/// 16 letters or digits, the same in the query and in the header: no page of another site can
/// send the header.
fn has_cross_site_key(query: Option<&str>, headers: &HeaderMap) -> bool {
    let given = headers.get("x-qlik-xrfkey").and_then(|v| v.to_str().ok());
    let Some(given) = given else { return false };
    given.len() == 16
        && given.bytes().all(|b| b.is_ascii_alphanumeric())
        && form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .any(|(name, value)| name.eq_ignore_ascii_case("xrfkey") && value == given)
}
