//! The web UI as both binaries carry it: the files of `web/dist`, inside the binary in a release
//! build, read from the folder otherwise.
//!
//! Knows files and their types. What is served to whom, and under which headers, is decided by
//! who serves them: the hub to everybody, the native client to its own person on loopback.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// A file of the UI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFile {
    /// Its bytes, in the encoding below.
    pub bytes: Cow<'static, [u8]>,
    /// Its type, as `content-type` says it.
    pub content_type: &'static str,
    /// `br` or `gzip` if it is compressed, as `content-encoding` says it.
    pub encoding: Option<&'static str>,
}

/// The file at `path` (`index.html`, `assets/main-1a2b.js`; no slash in front), compressed if
/// the reader's `accept-encoding` header allows it. `None` if the UI has no such file, or was
/// not built.
pub fn file(path: &str, accept_encoding: &str) -> Option<PageFile> {
    let content_type = content_type(path)?;
    let accepts = |name: &str| {
        accept_encoding
            .split(',')
            .any(|accepted| accepted.trim().split(';').next() == Some(name))
    };
    let compressed = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(name, _)| accepts(name))
        .find_map(|(name, ending)| Some((name, Dist::get(&format!("{path}{ending}"))?)));
    let (encoding, file) = match compressed {
        Some((name, file)) => (Some(name), file),
        None => (None, Dist::get(path)?),
    };
    Some(PageFile {
        bytes: file.data,
        content_type,
        encoding,
    })
}

/// Whether `path` names a file: addresses of pages have no dot in their last segment.
pub fn is_file_name(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|last| last.contains('.'))
}

/// The type of a file by its ending; none for endings the UI has no files of.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_ui() {
        for path in [
            "../Cargo.toml",
            "../package.json",
            "assets/../../package.json",
            "/etc/passwd.txt",
            "",
            "index",
        ] {
            assert_eq!(file(path, "br, gzip"), None, "{path}");
        }
    }

    #[test]
    fn pages_have_no_dot_in_their_last_segment() {
        assert!(is_file_name("assets/main.js"));
        assert!(!is_file_name(""));
        assert!(!is_file_name("v1.0/apps"));
    }
}
