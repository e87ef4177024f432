//! Addresses that may be used.

use axum::http::Uri;

/// An absolute https address without credentials, fragment or strange bytes.
pub(crate) fn is_https(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else {
        return false;
    };
    address.bytes().all(|b| b.is_ascii_graphic())
        && !address.contains(['#', '\\'])
        && uri.scheme_str() == Some("https")
        && uri.host().is_some_and(|h| !h.is_empty())
        && uri.authority().is_some_and(|a| !a.as_str().contains('@'))
}

/// An issuer: https, and neither query nor fragment (OpenID Connect Discovery §3).
pub(crate) fn is_sound_issuer(issuer: &str) -> bool {
    is_https(issuer) && !issuer.contains('?')
}

/// A path on this hub, to be gone to after signing in. Browsers take `//` and `/\` for another
/// host, and skip tabs and line ends.
pub(crate) fn is_local_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 1024
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_without_credentials() {
        assert!(is_https("https://id.example:8443/a?b=c"));
        for bad in [
            "",
            "http://id.example",
            "https://",
            "https:///x",
            "https://a@id.example/",
            "ftp://x",
            "https://id.example/#x",
            "//id.example",
            "/x",
            "https://id.example/ x",
            "https://id\\x",
            "javascript:alert(1)",
        ] {
            assert!(!is_https(bad), "{bad}");
        }
        assert!(!is_sound_issuer("https://id.example/?x"));
    }

    #[test]
    fn only_paths_of_this_hub() {
        assert!(is_local_path("/app/x?select=1"));
        for bad in [
            "",
            "x",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\tx",
            "/\n",
            "/a\\b",
            "/é",
        ] {
            assert!(!is_local_path(bad), "{bad}");
        }
    }
}
