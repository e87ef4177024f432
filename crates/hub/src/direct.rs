//! The engine's own port, for API clients that come with a client certificate.
//!
//! Who holds a certificate of the client CA may act as any person of this hub, by name in
//! `X-Qlik-User`, as with the product these clients were written for. So the port is off
//! unless a CA is given for it, that CA should sign nothing else, and every connection is in
//! the audit log with the fingerprint of its certificate. Section access and access types hold
//! as for anybody who signs in: the person must exist and have a type that may view apps.
//!
//! The connection begins with one frame, not two: reference qix §0.4.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use satchel_base::SubjectId;
use satchel_contract::AccessType;
use satchel_gate::{Client, Route, decide};
use satchel_store::InForce;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::guard::{Asker, Door, exhausted};
use crate::refusal::Refused;
use crate::serve::ServeError;
use crate::sign_in::note_about;
use crate::state::HubState;
use crate::{headers, routes, socket};

/// The certificate a connection came with, as the hash of its bytes in hexadecimal.
#[derive(Clone)]
pub(crate) struct PeerCertificate(pub String);

impl PeerCertificate {
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let hash = Sha256::digest(certificate.as_ref());
        Self(hash.iter().map(|b| format!("{b:02x}")).collect())
    }
}

/// Asks every client for a certificate that a CA in `client_ca` (PEM) signed.
pub(crate) fn verifier(
    client_ca: &Path,
    provider: &Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, ServeError> {
    let bad = |reason: String| ServeError::Tls {
        path: client_ca.into(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    let all = CertificateDer::pem_file_iter(client_ca).map_err(|e| bad(e.to_string()))?;
    for certificate in all {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        roots.add(certificate).map_err(|e| bad(e.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|e| bad(e.to_string()))
}

/// What this port answers: the socket, and files exported over it.
pub(crate) fn router(state: Arc<HubState>) -> Router {
    let guarded = || from_fn_with_state(state.clone(), check);
    // A ticket is for somebody else than who asks, and says for whom itself.
    let tickets = Router::new()
        .route("/qps/ticket", post(routes::embedding::ask))
        .route("/qps/{proxy}/ticket", post(routes::embedding::ask))
        .route_layer(from_fn(own_origin))
        .layer(DefaultBodyLimit::max(64 * 1024));
    Router::new()
        .route("/app", get(socket::open))
        .route("/app/", get(socket::open))
        .route("/app/{*rest}", get(socket::open))
        .route("/tempcontent/{id}/{file}", get(routes::exports::fetch))
        .route_layer(guarded())
        .merge(tickets)
        .layer(from_fn(headers::add))
        .with_state(state)
}

async fn check(
    State(state): State<Arc<HubState>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let certificate = request.extensions().get::<PeerCertificate>().cloned();
    let certificate = certificate.ok_or_else(Refused::internal)?;
    if !is_own_origin(request.headers()) {
        return Err(foreign());
    }
    let asker = admit(&state, request.headers(), &certificate).await?;
    request.extensions_mut().insert(asker);
    Ok(next.run(request).await)
}

/// Lets only programs through.
async fn own_origin(request: Request, next: Next) -> Result<Response, Refused> {
    if !is_own_origin(request.headers()) {
        return Err(foreign());
    }
    Ok(next.run(request).await)
}

/// Browsers offer certificates too; a page of another site must not use one. Programs that name
/// an origin name this address, where no pages are.
fn foreign() -> Refused {
    Refused::new(
        StatusCode::FORBIDDEN,
        "request.foreign_origin",
        "this port is for programs, not for pages",
        "Open the hub's own address in the browser.",
    )
}

/// Whether the request names no origin, or the address it was sent to.
fn is_own_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (headers.get("origin"), text("origin"), text("host")) {
        (None, ..) => true,
        (_, Some(origin), Some(host)) => origin.strip_prefix("https://") == Some(host),
        _ => false,
    }
}

async fn admit(
    state: &HubState,
    headers: &HeaderMap,
    certificate: &PeerCertificate,
) -> Result<Asker, Refused> {
    let named = headers.get("x-qlik-user").and_then(|v| v.to_str().ok());
    let Some(id) = named.and_then(named_user) else {
        return Err(Refused::bad_request(
            "direct.no_user",
            "the header X-Qlik-User does not say who is asking",
            "Send X-Qlik-User: UserDirectory=DIRECTORY; UserId=name.",
        ));
    };
    let about = json!({ "certificate": certificate.0 });
    let Some(user) = state.store.user(&id).await? else {
        note_about(
            state,
            &id,
            "direct.connect",
            "",
            "direct.unknown_user",
            about,
        )
        .await?;
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "direct.unknown_user",
            "this hub does not know the person named in X-Qlik-User",
            "Name a person of this hub, or ask the administrator to add them.",
        ));
    };
    let assigned = state.store.assigned_type(&user.id).await?;
    let policy = state.policy();
    decide(Route::Socket, assigned, Client::Browser, &policy)?;
    let in_force = state.store.touch_access(&user.id, state.now()).await?;
    if let InForce::Exhausted {
        access_type,
        again_at,
    } = in_force
    {
        let wait = again_at.map(|t| t.since_ms(state.now()));
        return Err(exhausted(access_type, wait));
    }
    let access: AccessType = in_force.access_type();
    decide(Route::Socket, access, Client::Browser, &policy)?;
    note_about(state, &user.id, "direct.connect", "", "ok", about).await?;
    Ok(Asker {
        user: Some(Arc::new(user)),
        access,
        client: Client::Browser,
        token: None,
        door: Door::Direct,
    })
}

/// `UserDirectory=X; UserId=Y`: names without regard to case, in either order, with or without
/// blanks, values percent-encoded or not.
fn named_user(header: &str) -> Option<SubjectId> {
    let (mut directory, mut name) = (None, None);
    for part in header.split(';') {
        let (key, value) = part.split_once('=')?;
        let value = percent_decoded(value.trim())?;
        match key.trim().to_ascii_lowercase().as_str() {
            "userdirectory" => directory = Some(value),
            "userid" => name = Some(value),
            _ => {}
        }
    }
    let (directory, name) = (directory?, name?);
    let fits = |part: &str| !part.is_empty() && !part.contains(['\\', '\0']);
    (fits(&directory) && fits(&name)).then(|| SubjectId::new(&directory, &name))
}

/// A value with `%41` and the like replaced; none if that gives no text.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |b: u8| (b as char).to_digit(16);
        match (first, tail) {
            (b'%', [a, b, after @ ..]) if hex(*a).is_some() && hex(*b).is_some() => {
                let byte = hex(*a)? * 16 + hex(*b)?;
                bytes.push(u8::try_from(byte).ok()?);
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_a_person_in_whatever_way_clients_write_it() {
        let ann = Some(SubjectId::new("CORP", "ann"));
        for header in [
            "UserDirectory=CORP; UserId=ann",
            "UserDirectory=CORP;UserID=ann",
            "userid=ann ;userdirectory= CORP",
            "UserDirectory=CORP; UserId=%61nn",
        ] {
            assert_eq!(named_user(header), ann, "{header}");
        }
        for header in [
            "",
            "ann",
            "UserId=ann",
            "UserDirectory=; UserId=ann",
            "UserDirectory=A%5CB; UserId=x",
        ] {
            assert_eq!(named_user(header), None, "{header}");
        }
    }
}
