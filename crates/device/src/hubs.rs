//! The list of hubs a device knows, by address. What is pinned about a hub (its id and
//! signing key) is not here but in the vault, with the account ([`crate::Account`]).

use serde::{Deserialize, Serialize};

/// A hub somebody added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubEntry {
    /// `https://host[:port]`, without a path.
    pub url: String,
    /// The name of a stored CA certificate added by hand for this hub, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// The hubs, in the order they were added. The first is used where none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubList {
    /// The hubs.
    pub hubs: Vec<HubEntry>,
    /// Hubs that were removed, whose accounts go as soon as the vault is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<HubEntry>,
}

/// Why an address is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HubUrlError {
    /// Plain HTTP or something else.
    #[error("a hub's address begins with https://")]
    NotHttps,
    /// No host, credentials, a path, or characters no host has.
    #[error("a hub's address is https:// and a host, with a port if it is not 443")]
    Malformed,
}

impl HubUrlError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotHttps => "hub.not_https",
            Self::Malformed => "hub.bad_address",
        }
    }
}

impl HubList {
    /// The address in its one spelling: lower case, no trailing slash, no `:443`. An address
    /// without a scheme gets `https://`.
    ///
    /// # Errors
    /// [`HubUrlError`].
    pub fn normal_url(text: &str) -> Result<String, HubUrlError> {
        let text = text.trim();
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
            Some(_) => return Err(HubUrlError::NotHttps),
            None => text,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let (host, port) = match rest.strip_prefix('[') {
            Some(v6) => {
                let (host, after) = v6.split_once(']').ok_or(HubUrlError::Malformed)?;
                let v6_only = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
                if host.is_empty() || !host.chars().all(v6_only) {
                    return Err(HubUrlError::Malformed);
                }
                let port = match after {
                    "" => None,
                    _ => Some(after.strip_prefix(':').ok_or(HubUrlError::Malformed)?),
                };
                (format!("[{host}]"), port)
            }
            None => {
                let (host, port) = match rest.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (rest.as_str(), None),
                };
                let host_char = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
                if host.is_empty() || host.len() > 253 || !host.chars().all(host_char) {
                    return Err(HubUrlError::Malformed);
                }
                (host.to_owned(), port)
            }
        };
        match port.map(str::parse::<u16>) {
            None | Some(Ok(443)) => Ok(format!("https://{host}")),
            Some(Ok(port)) if port > 0 => Ok(format!("https://{host}:{port}")),
            Some(_) => Err(HubUrlError::Malformed),
        }
    }

    /// Adds a hub, or replaces how it is trusted. The caller has checked its certificate.
    pub fn add(&mut self, entry: HubEntry) {
        match self.hubs.iter_mut().find(|hub| hub.url == entry.url) {
            Some(hub) => *hub = entry,
            None => self.hubs.push(entry),
        }
    }

    /// Lets a hub leave; whether it was there.
    pub fn remove(&mut self, url: &str) -> bool {
        let Some(at) = self.hubs.iter().position(|hub| hub.url == url) else {
            return false;
        };
        self.leaving.push(self.hubs.remove(at));
        true
    }

    /// The hub of that address.
    pub fn find(&self, url: &str) -> Option<&HubEntry> {
        self.hubs.iter().find(|hub| hub.url == url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_spelling() {
        let check = |text: &str, want: &str| {
            assert_eq!(HubList::normal_url(text).as_deref(), Ok(want), "{text}");
        };
        check("https://Hub.Example.com/", "https://hub.example.com");
        check("hub.example.com", "https://hub.example.com");
        check(" https://localhost:4443 ", "https://localhost:4443");
        check("https://h:443", "https://h");
        check("https://[::1]:4443/", "https://[::1]:4443");
    }

    // threat: T-43
    #[test]
    fn what_is_no_hub_address_is_refused() {
        for text in [
            "",
            "https://",
            "https://a/b",
            "https://u:p@h",
            "https://h:0",
            "https://h:99999",
            "https://h:",
            "https://[::1",
            "https://h ost",
            "https://h?x",
            "https://h#x",
        ] {
            assert_eq!(
                HubList::normal_url(text),
                Err(HubUrlError::Malformed),
                "{text}"
            );
        }
        for text in ["http://h", "ftp://h", "file:///etc/passwd"] {
            assert_eq!(HubList::normal_url(text), Err(HubUrlError::NotHttps));
        }
    }
}
