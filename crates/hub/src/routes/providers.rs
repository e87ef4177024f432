//! Going to a provider to sign in, and coming back.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use satchel_base::SubjectId;
use satchel_contract::{SignInProvider, SignInWays};
use satchel_gate::{Client, address_key};
use serde_json::json;

use crate::guard::{cookie, token};
use crate::provider::{Back, FLOW_COOKIE, FLOW_MS, Flow, Provider, is_local_path, refused};
use crate::refusal::{self, Refused};
use crate::sign_in::{self, note_about};
use crate::state::HubState;

/// `GET /api/v1/sign-in/ways`
pub(crate) async fn ways(State(state): State<Arc<HubState>>) -> Json<SignInWays> {
    let providers = state.providers.iter().map(|p| SignInProvider {
        name: p.config.name.clone(),
        title: p.config.title.clone(),
        path: format!("/api/v1/sign-in/with/{}", p.config.name),
    });
    Json(SignInWays {
        password: state.sign_in.passwords,
        passkey: state.sign_in.passkeys,
        providers: providers.collect(),
    })
}

/// `GET /api/v1/sign-in/with/{provider}`: to the provider.
pub(crate) async fn start(
    State(state): State<Arc<HubState>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let to = query
        .as_deref()
        .and_then(|q| form_urlencoded::parse(q.as_bytes()).find(|(k, _)| k == "to"))
        .map(|(_, v)| v.into_owned())
        .filter(|to| is_local_path(to))
        .unwrap_or_else(|| "/".to_owned());
    let going = to_provider(&state, &name, &to, &uri, &headers).await;
    going.unwrap_or_else(|refused| refusal::page(&headers, refused))
}

async fn to_provider(
    state: &HubState,
    name: &str,
    to: &str,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, Refused> {
    let provider = named(state, name)?;
    let back = back_address(state, uri, headers, name)?;
    let now = state.now();
    let flow = Flow::begin(name, to, now);
    let going = provider.where_to(&flow, &state.flow_key, &back, now).await;
    let location = going.map_err(|problem| {
        tracing::warn!(provider = %name, %problem, "nobody can sign in with a provider");
        refused(&problem)
    })?;
    redirect(&location, &flow.to_cookie(&state.flow_key), FLOW_MS / 1000)
}

/// `GET /api/v1/sign-in/with/{provider}/back`: from the provider.
pub(crate) async fn back(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let arrived = from_provider(&state, &name, query.as_deref(), &uri, &headers, address).await;
    arrived.unwrap_or_else(|refused| refusal::page(&headers, refused))
}

async fn from_provider(
    state: &HubState,
    name: &str,
    query: Option<&str>,
    uri: &Uri,
    headers: &HeaderMap,
    address: SocketAddr,
) -> Result<Response, Refused> {
    let provider = named(state, name)?;
    let back = back_address(state, uri, headers, name)?;
    let (flow, parameters) = answered(state, name, query, headers).await?;
    // Counts against the address alone, and is given back with the sign-in.
    let (account, address) = (flow.account(&state.flow_key), address_key(address.ip()));
    sign_in::throttle(state, &account, &address)?;
    let user = match provider.who(state, &flow, &back, &parameters).await {
        Ok(user) => user,
        Err(problem) => {
            tracing::warn!(provider = %name, %problem, "a sign-in with a provider failed");
            audit(state, name, &problem.code()).await?;
            return Err(refused(&problem));
        }
    };
    let begun = sign_in::begin(state, &user, Client::Browser, "sign_in.provider").await?;
    sign_in::succeeded(state, &account, &address);
    // Whoever signs in anew leaves the session they had.
    if let Some(old) = token(headers) {
        state.store.end_session(old).await?;
    }
    let mut response = redirect(&flow.to, "", 0)?;
    response
        .headers_mut()
        .append(header::SET_COOKIE, begun.cookie);
    Ok(response)
}

/// The flow a redirect answers, used up now.
async fn answered(
    state: &HubState,
    name: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<(Flow, Back), Refused> {
    let no_flow = || {
        Refused::bad_request(
            "sign_in.not_begun",
            "this sign-in was not begun in this browser, or took too long",
            "Sign in again from the hub's own page.",
        )
    };
    let flow = cookie(headers, FLOW_COOKIE)
        .and_then(|c| Flow::from_cookie(c, &state.flow_key, state.now()))
        .filter(|flow| flow.provider == name)
        .ok_or_else(no_flow)?;
    let wrong = || {
        Refused::bad_request(
            "sign_in.wrong_state",
            "the answer belongs to another sign-in",
            "Sign in again from the hub's own page.",
        )
    };
    let parameters = Back::read(query.unwrap_or_default()).ok_or_else(wrong)?;
    let is_answer = |given: &String| flow.is_answered_by(given, &state.flow_key);
    if !parameters.state.as_ref().is_some_and(is_answer) {
        audit(state, name, "sign_in.wrong_state").await?;
        return Err(wrong());
    }
    let once = flow.once(&state.flow_key);
    if !state
        .store
        .use_once(&once, flow.ends(), state.now())
        .await?
    {
        audit(state, name, "sign_in.replayed").await?;
        return Err(Refused::bad_request(
            "sign_in.replayed",
            "this answer was used before",
            "Sign in again from the hub's own page.",
        ));
    }
    Ok((flow, parameters))
}

async fn audit(state: &HubState, provider: &str, outcome: &str) -> Result<(), Refused> {
    let nobody = SubjectId::new(provider, "?");
    let about = json!({ "provider": provider });
    note_about(state, &nobody, "sign_in.provider", provider, outcome, about).await
}

fn named<'s>(state: &'s HubState, name: &str) -> Result<&'s Arc<Provider>, Refused> {
    let found = state.providers.iter().find(|p| p.config.name == name);
    found.ok_or_else(Refused::not_found)
}

/// The address of this hub that people come back to: the one they are at, if it is ours.
fn back_address(
    state: &HubState,
    uri: &Uri,
    headers: &HeaderMap,
    provider: &str,
) -> Result<String, Refused> {
    let host = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(header::HOST).and_then(|h| h.to_str().ok()),
    };
    let origin = host.map(|h| format!("https://{h}"));
    let origin = origin.filter(|o| state.origins.contains(o));
    let origin = origin.ok_or_else(|| {
        Refused::bad_request(
            "sign_in.unknown_address",
            "nobody may come back to this address of the hub",
            "Open the hub's own address; an administrator can list further origins.",
        )
    })?;
    Ok(format!("{origin}/api/v1/sign-in/with/{provider}/back"))
}

/// Elsewhere, with the cookie of a flow, which ends after so many seconds.
fn redirect(location: &str, flow: &str, seconds: i64) -> Result<Response, Refused> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Refused::internal());
    let cookie =
        format!("{FLOW_COOKIE}={flow}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, value(location)?);
    headers.insert(header::SET_COOKIE, value(&cookie)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
