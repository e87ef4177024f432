//! Where a request comes from: another site must neither act nor listen in a person's name.

/// What a request says about where it comes from. Header values as sent; absent is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Provenance<'a> {
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `Sec-Fetch-Site`, which a page cannot forge.
    pub fetch_site: Option<&'a str>,
    /// `X-Satchel-Client`, which a page of another site cannot send without asking first
    /// (a CORS preflight, and this hub answers none).
    pub client: Option<&'a str>,
}

impl Provenance<'_> {
    /// Whether a program sent this that is no browser: those name their page or its site in
    /// every request that changes something.
    pub fn is_program(&self) -> bool {
        self.origin.is_none() && self.fetch_site.is_none()
    }

    /// Whether a native client, not a page in a browser, sent this.
    pub fn is_native(&self) -> bool {
        self.client.is_some() && self.origin.is_none() && self.fetch_site.is_none()
    }
}

/// May a request that changes something proceed? Only if it shows that it comes from this
/// hub's own pages, from no page at all (typed, bookmarked), or from a native client.
pub fn is_own_request(from: Provenance<'_>, own_origins: &[String]) -> bool {
    if let Some(origin) = from.origin
        && !is_listed(origin, own_origins)
    {
        return false;
    }
    match from.fetch_site {
        Some("same-origin" | "none") => true,
        Some(_) => false,
        None => from.origin.is_some() || from.client.is_some(),
    }
}

/// May a socket be opened? A browser always sends `Origin`, and it must be one of ours to the
/// letter. Without it only a native client may, which no browser can pretend to be.
pub fn is_socket_origin(from: Provenance<'_>, own_origins: &[String]) -> bool {
    match from.origin {
        Some(origin) => is_listed(origin, own_origins),
        None => from.is_native(),
    }
}

fn is_listed(origin: &str, own_origins: &[String]) -> bool {
    own_origins.iter().any(|own| own == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Vec<String> {
        vec![
            "https://hub.example.org".into(),
            "https://localhost:4443".into(),
        ]
    }

    // threat: T-27
    #[test]
    fn only_the_exact_origin_opens_a_socket() {
        let opens = |origin| {
            is_socket_origin(
                Provenance {
                    origin,
                    ..Provenance::default()
                },
                &own(),
            )
        };
        assert!(opens(Some("https://hub.example.org")));
        for bad in [
            "null",
            "",
            "http://hub.example.org",
            "https://HUB.example.org",
            "https://hub.example.org:443",
            "https://hub.example.org.evil.org",
            "https://evil-hub.example.org",
            "https://sub.hub.example.org",
            "https://hub.example.org/",
            "https://localhost:4444",
        ] {
            assert!(!opens(Some(bad)), "{bad}");
        }
        assert!(!opens(None));
    }

    // threat: T-27
    #[test]
    fn a_native_client_needs_no_origin_but_a_page_cannot_pretend() {
        let native = Provenance {
            client: Some("satchel 0.1.0"),
            ..Provenance::default()
        };
        assert!(is_socket_origin(native, &own()));
        assert!(is_own_request(native, &own()));
        let page = Provenance {
            fetch_site: Some("cross-site"),
            ..native
        };
        assert!(!is_socket_origin(page, &own()));
        assert!(!is_own_request(page, &own()));
        assert!(!is_own_request(
            Provenance {
                origin: Some("https://evil.org"),
                ..native
            },
            &own()
        ));
    }

    // threat: T-28
    #[test]
    fn changing_requests_must_show_where_they_come_from() {
        let request = |origin, fetch_site| {
            is_own_request(
                Provenance {
                    origin,
                    fetch_site,
                    client: None,
                },
                &own(),
            )
        };
        assert!(request(Some("https://localhost:4443"), Some("same-origin")));
        assert!(request(Some("https://localhost:4443"), None));
        assert!(request(None, Some("same-origin")));
        assert!(request(None, Some("none")));
        assert!(!request(None, None));
        assert!(!request(None, Some("same-site")));
        assert!(!request(None, Some("cross-site")));
        assert!(!request(Some("null"), Some("same-origin")));
        assert!(!request(Some("https://localhost:4443"), Some("cross-site")));
    }
}
