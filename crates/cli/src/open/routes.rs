//! What is served on loopback: the pages, the state of this device, and the QIX socket.
//!
//! Everything carries `cache-control: no-store`, so that the browser keeps nothing, and a
//! content security policy that lets pages talk to this port only.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use satchel_base::AppId;
use satchel_contract::ApiError;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::door::{Door, Entry};
use super::keeper::Desk;
use super::launcher::Redirect;
use super::peer::{self, Peer};
use super::socket;
use crate::output::Failure;

/// The largest request is a PIN.
const MAX_BODY_BYTES: usize = 1024;

/// Tells the pages where they are: `web/src/client/place.ts` looks for it.
const MARK: &str = r#"<meta name="satchel-place" content="loopback" />"#;

/// The door and the desk, for every request.
pub struct Loopback {
    door: Door,
    policy: HeaderValue,
    redirect: Option<Arc<Redirect>>,
    /// Where downloads are asked for.
    pub desk: Desk,
}

/// Everything behind the door.
pub fn build(door: Door, desk: Desk, redirect: Option<Arc<Redirect>>) -> Router {
    // Charts set styles from scripts, hence `unsafe-inline` for styles. No engine runs in the
    // page, so nothing may compile WebAssembly, and there are no workers.
    let policy = format!(
        "default-src 'none'; script-src 'self'; connect-src 'self' {}; img-src 'self' data: blob:; \
         style-src 'self' 'unsafe-inline'; font-src 'self' data:; manifest-src 'self'; \
         form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        door.socket_origins()
    );
    let loopback = Arc::new(Loopback {
        door,
        policy: HeaderValue::from_str(&policy).expect("the policy is ASCII"),
        redirect,
        desk,
    });
    Router::new()
        .route("/api/v1/device", get(device))
        .route("/api/v1/device/unlock", post(unlock))
        .route("/api/v1/device/lock", post(lock))
        .route("/api/v1/device/used", post(used))
        .route("/api/v1/device/apps/{app}/open", post(open))
        .route("/app", get(socket::open))
        .route("/app/", get(socket::open))
        .route("/app/{*rest}", get(socket::open))
        .fallback(get(page))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(loopback.clone(), guard))
        .with_state(loopback)
}

async fn guard(
    State(loopback): State<Arc<Loopback>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = admitted(&loopback, peer, request, next).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, loopback.policy.clone());
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        headers.insert(name, HeaderValue::from_static("same-origin"));
    }
    response
}

async fn admitted(loopback: &Loopback, peer: SocketAddr, request: Request, next: Next) -> Response {
    if peer::who(peer, loopback.door.port()) == Peer::Foreign {
        return refused(
            StatusCode::FORBIDDEN,
            &Failure::new(
                "loopback.other_user",
                "this is open for another user of this computer",
                "Run satchel open as yourself.",
            )
            .0,
        );
    }
    let (door, method) = (&loopback.door, request.method());
    match door.admit(method, request.uri().path(), request.headers()) {
        Ok(Entry::Admitted) => next.run(request).await,
        Ok(Entry::Exchanged { cookie }) => {
            if let Some(redirect) = &loopback.redirect {
                redirect.remove();
            }
            let mut response = let_in(door.page());
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) if request.uri().path().starts_with("/api/") => {
            refused(StatusCode::FORBIDDEN, &error)
        }
        Err(error) => {
            let text = format!("{}.\n{}\n[{}]\n", error.message, error.next, error.code);
            (StatusCode::FORBIDDEN, text).into_response()
        }
    }
}

/// The answer to the token: a page that goes on to `page`. A redirect would be followed without
/// the cookie, which is `SameSite=Strict`, when the browser came here from a file.
fn let_in(page: &str) -> Response {
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    let html = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Satchel</title>\
         <meta http-equiv=\"refresh\" content=\"0;url={page}\">"
    );
    html_page(html)
}

/// An error as the hub's API words it.
fn refused(status: StatusCode, error: &ApiError) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

fn done(result: Result<(), ApiError>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(StatusCode::CONFLICT, &error),
    }
}

async fn device(State(loopback): State<Arc<Loopback>>) -> Json<Value> {
    Json(loopback.desk.state().await)
}

#[derive(Deserialize)]
struct Unlock {
    pin: Option<String>,
}

async fn unlock(State(loopback): State<Arc<Loopback>>, Json(unlock): Json<Unlock>) -> Response {
    let mut response = done(loopback.desk.unlock(unlock.pin.map(Zeroizing::new)).await);
    // What came over this connection is kept as long as it is: the PIN goes with it.
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn lock(State(loopback): State<Arc<Loopback>>) -> StatusCode {
    loopback.desk.lock().await;
    StatusCode::NO_CONTENT
}

async fn used(State(loopback): State<Arc<Loopback>>) -> StatusCode {
    loopback.desk.used();
    StatusCode::NO_CONTENT
}

async fn open(State(loopback): State<Arc<Loopback>>, Path(app): Path<String>) -> Response {
    done(loopback.desk.open(AppId::new(app)).await)
}

/// Files of the UI and, for every address of a page, the page itself.
async fn page(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.is_empty() || path == "index.html" {
        return index();
    }
    let accepts = headers.get(header::ACCEPT_ENCODING);
    let accepts = accepts.and_then(|v| v.to_str().ok()).unwrap_or("");
    // The service worker would keep the pages, and the engine runs in this program.
    let is_served = path != "sw.js" && !path.ends_with(".wasm");
    let file = is_served
        .then(|| satchel_pages::file(path, accepts))
        .flatten();
    let Some(file) = file else {
        return refused(
            StatusCode::NOT_FOUND,
            &Failure::new("request.not_found", "there is nothing here", "").0,
        );
    };
    let mut response = body(file.bytes).into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static(file.content_type);
    headers.insert(header::CONTENT_TYPE, kind);
    if let Some(encoding) = file.encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The page, told where it is.
fn index() -> Response {
    let html = satchel_pages::file("index.html", "").map_or_else(
        || {
            "<!doctype html><meta charset=utf-8><title>Satchel</title>\
             <p>This client was built without its web pages. Run <code>cargo xtask build</code> and start it again."
                .to_owned()
        },
        |file| String::from_utf8_lossy(&file.bytes).replacen("<head>", &format!("<head>{MARK}"), 1),
    );
    html_page(html)
}

fn html_page(html: String) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], html).into_response()
}

fn body(bytes: Cow<'static, [u8]>) -> Body {
    match bytes {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    }
}
