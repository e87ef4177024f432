//! The web UI, as the hub serves it.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::refusal::Refused;

/// What is shown where the UI was not built.
const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Satchel</title>\
    <p>This hub was built without its web pages. Run <code>cargo xtask build</code> and start it again.";

/// Files and, for every address of a page, the page itself.
pub(crate) async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        return Refused::not_found().into_response();
    }
    let accepts = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    if let Some(response) = file(path, accepts) {
        return response;
    }
    if satchel_pages::is_file_name(path) {
        return Refused::not_found().into_response();
    }
    file("index.html", accepts).unwrap_or_else(|| {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        (StatusCode::OK, [(header::CONTENT_TYPE, html)], NOT_BUILT).into_response()
    })
}

fn file(path: &str, accepts: &str) -> Option<Response> {
    let file = satchel_pages::file(path, accepts)?;
    let body = match file.bytes {
        Cow::Borrowed(bytes) => axum::body::Body::from(bytes),
        Cow::Owned(bytes) => axum::body::Body::from(bytes),
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static(file.content_type);
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = file.encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    // Files under assets/ carry a hash in their names; all else is asked for anew.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    Some(response)
}
