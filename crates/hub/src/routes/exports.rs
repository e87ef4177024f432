//! Exported files: served once, to the log-in that made them.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use satchel_qix::ExportKind;
use tokio::io::AsyncReadExt;

use crate::exports::{Export, Owner};
use crate::guard::Asker;
use crate::refusal::Refused;
use crate::state::HubState;

/// Bytes sent at a time.
const BLOCK: usize = 64 * 1024;

/// `GET /tempcontent/{id}/{file}`
pub(crate) async fn fetch(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    method: Method,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let owner = Owner {
        user: asker.person()?.id.clone(),
        token: asker.token,
    };
    // Asking only what would come must not use it up.
    if method == Method::HEAD {
        return Ok(StatusCode::METHOD_NOT_ALLOWED.into_response());
    }
    let export = state.exports.take(&id, &file, &owner, state.now());
    let export = export.ok_or_else(Refused::not_found)?;
    Ok(serve(export))
}

fn serve(export: Export) -> Response {
    let kind = match export.kind {
        ExportKind::Csv => "text/csv; charset=utf-8",
        ExportKind::Tsv => "text/tab-separated-values; charset=utf-8",
        ExportKind::Workbook => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    };
    let name = disposition(&export.name);
    let file = tokio::fs::File::from_std(export.file);
    let stream = futures_util::stream::try_unfold(file, |mut file| async move {
        let mut block = vec![0; BLOCK];
        let n = file.read(&mut block).await?;
        block.truncate(n);
        Ok::<_, std::io::Error>((n > 0).then(|| (Bytes::from(block), file)))
    });
    let mut response = Body::from_stream(stream).into_response();
    let mut set = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, kind.into());
    set(header::CONTENT_LENGTH, export.size.to_string());
    set(header::CONTENT_DISPOSITION, name);
    set(header::CACHE_CONTROL, "no-store".into());
    response
}

/// `Content-Disposition` with the name in ASCII and in full (RFC 6266).
fn disposition(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| match c {
            ' '..='~' if !matches!(c, '"' | '\\' | '%') => c,
            _ => '_',
        })
        .collect();
    let full: String = name
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => (b as char).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{full}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_said_in_ascii_and_in_full() {
        assert_eq!(
            disposition("Über \"uns\".csv"),
            "attachment; filename=\"_ber _uns_.csv\"; filename*=UTF-8''%C3%9Cber%20%22uns%22.csv"
        );
    }
}
