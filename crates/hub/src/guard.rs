//! The door every request passes: where it comes from, who is asking, what they may do.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::connect_info::MockConnectInfo;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use satchel_base::{DeviceId, SubjectId, UnixMillis};
use satchel_contract::AccessType;
use satchel_gate::{Audience, Client, Provenance, Route, decide, is_own_request, is_socket_origin};
use satchel_store::{InForce, Session, TokenHash, User};
use sha2::{Digest, Sha256};

use crate::embedding::with_header;
use crate::refusal::Refused;
use crate::sign_in::note_about;
use crate::state::HubState;

/// The session cookie. The prefix makes browsers insist on `Secure`, `Path=/` and no domain.
pub(crate) const COOKIE: &str = "__Host-satchel-session";

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The hub's own address.
    Web,
    /// The port for API clients with a certificate.
    Direct,
}

/// Who is asking, as the door found out; in the extensions of every guarded request.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// The person; none if nobody is signed in.
    pub user: Option<Arc<User>>,
    /// The access type in force.
    pub access: AccessType,
    /// What the request came from.
    pub client: Client,
    /// The session, to end it or to look after it.
    pub token: Option<TokenHash>,
    /// Where the request came in.
    pub door: Door,
}

impl Asker {
    /// The person, for routes that nobody else gets to.
    pub fn person(&self) -> Result<&Arc<User>, Refused> {
        self.user.as_ref().ok_or_else(Refused::internal)
    }
}

/// Lets a request to `route` through or refuses it.
pub(crate) async fn check(
    State((state, route)): State<(Arc<HubState>, Route)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let from = request.extensions().get::<MockConnectInfo<SocketAddr>>();
    let address = from.map(|info| info.0.ip());
    let asker = admit(&state, route, request.headers(), address).await?;
    request.extensions_mut().insert(asker);
    Ok(next.run(request).await)
}

async fn admit(
    state: &HubState,
    route: Route,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Asker, Refused> {
    let from = provenance(headers);
    let foreign = match route {
        Route::Socket => !is_socket_origin(from, &state.origins),
        // A token is nothing a browser sends along by itself.
        Route::TokenSignIn if from.is_program() => false,
        _ => route.pattern().0.changes_state() && !is_own_request(from, &state.origins),
    };
    if foreign {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "request.foreign_origin",
            "this request comes from another site",
            "Open the hub's own address; an administrator can list further origins.",
        ));
    }
    let client = if from.is_native() {
        Client::Device
    } else {
        Client::Browser
    };
    let mut asker = Asker {
        user: None,
        access: AccessType::Anonymous,
        client,
        token: None,
        door: Door::Web,
    };
    if route != Route::Web && route != Route::Health {
        state.read_settings().await?;
    }
    let now = state.now();
    if let Some(user) = with_header(state, headers, address).await? {
        // The proxy's word stands, whatever session the browser had before.
        identify(state, route, &mut asker, user, now).await?;
    } else if let Some(token) = token(headers)
        && let Some(session) = state.store.touch_session(token, now).await?
        && admits(state, &session, route).await?
        && let Some(user) = state.store.user(&session.user).await?
    {
        // What a session was begun with counts, whatever a later request claims to be.
        if session.client == Client::Device {
            asker.client = Client::Device;
        }
        if asker.client == Client::Device && route.audience() == Audience::Devices {
            state.check_client_version(&user.id, from.client)?;
        }
        identify(state, route, &mut asker, user.into(), now).await?;
        asker.token = Some(token);
    }
    decide(route, asker.access, asker.client, &state.policy())?;
    Ok(asker)
}

/// Says who is asking, and with which access type.
async fn identify(
    state: &HubState,
    route: Route,
    asker: &mut Asker,
    user: Arc<User>,
    now: UnixMillis,
) -> Result<(), Refused> {
    asker.access = state.store.assigned_type(&user.id).await?;
    if matches!(route.audience(), Audience::Viewers | Audience::Devices) {
        // Who is refused anyway uses up nothing.
        decide(route, asker.access, asker.client, &state.policy())?;
        let in_force = state.store.touch_access(&user.id, now).await?;
        if let InForce::Exhausted {
            access_type,
            again_at,
        } = in_force
        {
            return Err(exhausted(access_type, again_at.map(|t| t.since_ms(now))));
        }
        asker.access = in_force.access_type();
    }
    asker.user = Some(user);
    Ok(())
}

/// Whether a session counts on this route; one of a revoked device is told so wherever it
/// would matter, and is none where everybody is let in.
async fn admits(state: &HubState, session: &Session, route: Route) -> Result<bool, Refused> {
    match (session.is_revoked, route.audience()) {
        (false, _) => Ok(true),
        (true, Audience::Everyone) => Ok(false),
        (true, _) => match &session.device {
            Some(device) => Err(tell_revoked(state, &session.user, device).await),
            None => Err(Refused::device_revoked()),
        },
    }
}

/// Tells a device that has shown who it is that it is revoked. If it is to be wiped, the first
/// time goes into the audit log.
pub(crate) async fn tell_revoked(state: &HubState, user: &SubjectId, device: &DeviceId) -> Refused {
    let told = state.store.note_wipe_told(device, state.now()).await;
    let noted = match told {
        Ok(true) => {
            let about = serde_json::Value::Null;
            note_about(
                state,
                user,
                "device.wipe_told",
                device.as_str(),
                "ok",
                about,
            )
            .await
        }
        Ok(false) => Ok(()),
        Err(error) => Err(error.into()),
    };
    // What the device must hear does not wait for what the hub should write.
    if noted.is_err() {
        tracing::error!("that a device was told of its wipe could not be noted");
    }
    match state.store.device(device).await {
        Ok(Some(device)) if device.copied_at.is_some() => Refused::device_copied(),
        _ => Refused::device_revoked(),
    }
}

pub(crate) fn exhausted(access_type: AccessType, wait_ms: Option<i64>) -> Refused {
    let mut refused = Refused::new(
        StatusCode::FORBIDDEN,
        "access_type.pool_empty",
        &format!("the pool of {} access is used up", access_type.title()),
        "Try again later, or ask the administrator for more or for a named access type.",
    );
    refused.retry_after = wait_ms.and_then(|ms| u64::try_from(ms / 1000).ok());
    refused
}

/// What the headers say about where a request comes from.
pub(crate) fn provenance(headers: &HeaderMap) -> Provenance<'_> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    Provenance {
        origin: text("origin"),
        fetch_site: text("sec-fetch-site"),
        client: text("x-satchel-client"),
    }
}

/// The hash of the session token in the cookie.
pub(crate) fn token(headers: &HeaderMap) -> Option<TokenHash> {
    cookie(headers, COOKIE).map(hash)
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// Tokens are kept as hashes only, so that a copy of the repository opens no session.
pub(crate) fn hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}
