//! Files on the web, over HTTPS, from the sites an administrator allows.
//!
//! A site is the beginning of an address. Host names are resolved here, and an address that
//! is not public is refused after that, so that no name leads a script into the hub's own
//! network; a site may be in a private network only if the administrator said so. Redirects
//! are followed by hand: each target is judged as the first address was. Size, time and the
//! number of redirects are limited, and a cancelled script ends the transfer.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use satchel_base::{CancelToken, Secret};
use satchel_script::HostError;
use ureq::http::{StatusCode, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::object::ObjectStore;

/// More redirects than this are a loop.
const MAX_REDIRECTS: usize = 5;

/// The whole of one transfer may take so long.
const TIME: Duration = Duration::from_secs(300);

/// A server that cannot be reached in this time is not there.
const CONNECT: Duration = Duration::from_secs(15);

/// A site scripts may read from.
#[derive(Clone, Debug)]
pub struct WebSite {
    /// What scripts call it in `lib://name/…`.
    pub name: String,
    /// How its addresses begin: `https://example.org/data/`.
    pub prefix: String,
    /// A header that is sent to this site only, such as `Authorization`.
    pub header: Option<(String, Secret<String>)>,
    /// Whether it may be in a private network.
    pub allows_private: bool,
    /// A CA beside the system's, as PEM.
    pub ca: Option<PathBuf>,
    /// The most bytes of one file.
    pub max_bytes: u64,
}

/// The sites and object stores of a script, and who may end its transfers.
#[derive(Clone, Debug, Default)]
pub struct Web {
    /// The sites.
    pub sites: Vec<WebSite>,
    /// The object stores.
    pub stores: Vec<ObjectStore>,
    /// Cancelled with the script.
    pub cancel: CancelToken,
}

impl Web {
    /// The address that a path in a script means, if it means one: `https://…` itself, or
    /// `lib://name/rest` where `name` is a site.
    pub fn address(&self, path: &str) -> Option<String> {
        let lower = path.to_ascii_lowercase();
        if lower.starts_with("https://") || lower.starts_with("http://") {
            return Some(path.to_owned());
        }
        let rest = lower.starts_with("lib://").then(|| &path[6..])?;
        let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let site = (self.sites.iter()).find(|s| s.name.to_lowercase() == name.to_lowercase())?;
        Some(if rest.is_empty() {
            site.prefix.clone()
        } else {
            format!("{}/{rest}", site.prefix.trim_end_matches('/'))
        })
    }

    /// The content of the file at `address`. Blocks.
    ///
    /// # Errors
    /// `source.address_not_allowed`, `source.address_private`, `source.web_too_large`,
    /// `source.web_failed`.
    pub fn fetch(&self, address: &str) -> Result<Vec<u8>, HostError> {
        let mut address = address.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            match self.get(self.site(&address)?, &address, shown(&address))? {
                Answer::Content(bytes) => return Ok(bytes),
                Answer::Elsewhere(target) => address = joined(&address, &target)?,
                Answer::Refused(status) => {
                    return Err(failed(shown(&address), &format!("it answers {status}")));
                }
            }
        }
        Err(HostError::new(
            "source.web_failed",
            format!("the site redirects more than {MAX_REDIRECTS} times"),
        ))
    }

    fn site(&self, address: &str) -> Result<&WebSite, HostError> {
        let uri = parsed(address)?;
        (self.sites.iter())
            .find(|site| is_within(&uri, &site.prefix))
            .ok_or_else(|| {
                HostError::new(
                    "source.address_not_allowed",
                    format!("`{}` is not on a site this script may read", shown(address)),
                )
                .with_hint(
                    "ask an administrator to allow the site with `satchel-hub connection add`",
                )
            })
    }

    /// What `address`, which belongs to `site`, answers. Messages call it `name`.
    pub(crate) fn get(
        &self,
        site: &WebSite,
        address: &str,
        name: &str,
    ) -> Result<Answer, HostError> {
        let failed = |why: String| failed(name, &why);
        let settings = ureq::Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(TIME))
            .tls_config(
                TlsConfig::builder()
                    .unversioned_rustls_crypto_provider(Arc::new(
                        rustls::crypto::aws_lc_rs::default_provider(),
                    ))
                    .root_certs(roots(site)?)
                    .build(),
            )
            .build();
        let resolver = PublicOnly {
            allows_private: site.allows_private,
        };
        let agent = ureq::Agent::with_parts(settings, DefaultConnector::default(), resolver);
        let mut request = agent.get(address);
        if let Some((name, value)) = &site.header {
            request = request.header(name.as_str(), value.expose().as_str());
        }
        let response = request.call().map_err(|error| match error {
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                private(name)
            }
            ureq::Error::Timeout(_) => failed("no answer in time".to_owned()),
            other => failed(other.to_string()),
        })?;
        let status = response.status();
        if status.is_redirection() {
            let target = response
                .headers()
                .get("location")
                .and_then(|l| l.to_str().ok());
            return target
                .map(|target| Answer::Elsewhere(target.to_owned()))
                .ok_or_else(|| failed(format!("it answers {status} without saying where to")));
        }
        if !status.is_success() {
            return Ok(Answer::Refused(status));
        }
        self.content(response.into_body().into_reader(), site.max_bytes)
            .map_err(|why| match why {
                Broken::Cancelled => {
                    HostError::new("script.cancelled", "the transfer was cancelled")
                }
                Broken::TooLarge => HostError::new(
                    "source.web_too_large",
                    format!(
                        "`{name}` is larger than {}",
                        satchel_base::ByteSize(site.max_bytes)
                    ),
                )
                .with_hint("an administrator may allow more for this connection"),
                Broken::Read(error) => failed(error.to_string()),
            })
            .map(Answer::Content)
    }

    fn content(&self, mut body: impl std::io::Read, max_bytes: u64) -> Result<Vec<u8>, Broken> {
        /// Between two looks whether the script was cancelled.
        const PIECE: u64 = 256 << 10;
        let mut bytes = Vec::new();
        loop {
            if self.cancel.is_cancelled() {
                return Err(Broken::Cancelled);
            }
            let n = (&mut body)
                .take(PIECE)
                .read_to_end(&mut bytes)
                .map_err(Broken::Read)?;
            if bytes.len() as u64 > max_bytes {
                return Err(Broken::TooLarge);
            }
            if n == 0 {
                return Ok(bytes);
            }
        }
    }
}

/// What a server answers.
pub(crate) enum Answer {
    Content(Vec<u8>),
    Elsewhere(String),
    Refused(StatusCode),
}

enum Broken {
    Cancelled,
    TooLarge,
    Read(std::io::Error),
}

fn failed(name: &str, why: &str) -> HostError {
    HostError::new("source.web_failed", format!("`{name}`: {why}"))
        .with_hint("open the address in a browser to see what it answers")
}

fn private(name: &str) -> HostError {
    HostError::new(
        "source.address_private",
        format!("`{name}` is in a private network"),
    )
    .with_hint("an administrator may allow that for the connection")
}

/// An address without what may be secret in it.
fn shown(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

fn parsed(address: &str) -> Result<Uri, HostError> {
    let bad = || {
        HostError::new(
            "source.address_not_allowed",
            format!(
                "`{}` is not an address like https://host/path",
                shown(address)
            ),
        )
        .with_hint("only https is read, without user names in the address")
    };
    let uri: Uri = address.parse().map_err(|_| bad())?;
    let authority = uri.authority().ok_or_else(bad)?;
    if uri.scheme_str() != Some("https") || authority.as_str().contains('@') {
        return Err(bad());
    }
    Ok(uri)
}

/// Whether an address lies under the prefix: the same host and port, and a path below it,
/// part by part.
fn is_within(uri: &Uri, prefix: &str) -> bool {
    let Ok(prefix) = parsed(prefix) else {
        return false;
    };
    let same_host = match (uri.host(), prefix.host()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    };
    let port = |u: &Uri| u.port_u16().unwrap_or(443);
    let base = prefix.path().trim_end_matches('/');
    // What a server makes of dots and of encoded signs, we cannot know.
    let lower = uri.path().to_ascii_lowercase();
    let is_plain = !["/../", "/./", "%2e", "%2f", "%5c", "\\"]
        .iter()
        .any(|odd| lower.contains(odd))
        && !lower.ends_with("/..");
    let below = (uri.path().strip_prefix(base)).is_some_and(|r| r.is_empty() || r.starts_with('/'));
    same_host && port(uri) == port(&prefix) && below && is_plain
}

/// Where a redirect leads that may be relative.
fn joined(from: &str, target: &str) -> Result<String, HostError> {
    if target.contains("://") {
        return Ok(target.to_owned());
    }
    let uri = parsed(from)?;
    let authority = uri.authority().map_or("", |a| a.as_str());
    Ok(if let Some(rest) = target.strip_prefix("//") {
        format!("https://{rest}")
    } else if target.starts_with('/') {
        format!("https://{authority}{target}")
    } else {
        let folder = uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("https://{authority}{folder}/{target}")
    })
}

fn roots(site: &WebSite) -> Result<RootCerts, HostError> {
    let mut all: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|c| Certificate::from_der(c).to_owned())
        .collect();
    if let Some(path) = &site.ca {
        let unreadable = || {
            HostError::new(
                "source.web_failed",
                "the CA of the connection cannot be read",
            )
            .with_hint("ask the administrator to look at the connection")
        };
        let pem = std::fs::read(path).map_err(|_| unreadable())?;
        let before = all.len();
        all.extend(parse_pem(&pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        }));
        if all.len() == before {
            return Err(unreadable());
        }
    }
    Ok(RootCerts::Specific(Arc::new(all)))
}

/// Resolves names, and lets only addresses through that everybody on the internet reaches.
#[derive(Debug)]
struct PublicOnly {
    allows_private: bool,
}

impl Resolver for PublicOnly {
    fn resolve(
        &self,
        uri: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(443);
        let found: Vec<_> = (host, port)
            .to_socket_addrs()
            .map_err(|_| ureq::Error::HostNotFound)?
            .collect();
        // One private address among public ones is a trick too.
        if !self.allows_private && found.iter().any(|a| !is_public(a.ip())) {
            let refused = std::io::ErrorKind::PermissionDenied;
            return Err(ureq::Error::Io(refused.into()));
        }
        let mut out = self.empty();
        /// As many as the list holds.
        const MOST: usize = 16;
        for address in found.into_iter().take(MOST) {
            out.push(address);
        }
        if out.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        Ok(out)
    }
}

/// Whether everybody on the internet reaches the address (IANA's special-purpose registries).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match embedded_v4(ip) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        // Carriers' own networks, protocol assignments, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19)))
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let parts = ip.segments();
    // Global unicast is 2000::/3; of it, documentation, Teredo, ORCHID and the like are not.
    (parts[0] & 0xe000) == 0x2000
        && !(parts[0] == 0x2001 && (parts[1] < 0x0200 || parts[1] == 0x0db8))
        && !(parts[0] == 0x3fff && parts[1] < 0x1000)
}

/// The IPv4 address inside a mapped, translated (NAT64) or 6to4 address.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = ip.segments();
    let two = |hi: u16, lo: u16| {
        let ([a, b], [c, d]) = (hi.to_be_bytes(), lo.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, hi, lo] => Some(two(hi, lo)),
        [0x64, 0xff9b, _, _, _, _, hi, lo] => Some(two(hi, lo)),
        [0x2002, hi, lo, ..] => Some(two(hi, lo)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat: T-25
    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "93.184.216.34",
            "8.8.8.8",
            "2606:2800:220:1::1",
            "172.32.0.1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    // threat: T-25
    #[test]
    fn an_address_lies_within_a_site_part_by_part() {
        let within =
            |address: &str| is_within(&parsed(address).unwrap(), "https://data.example.org/open");
        for good in [
            "https://data.example.org/open",
            "https://DATA.example.org:443/open/a.csv?x=1",
            "https://data.example.org/open/a/b",
        ] {
            assert!(within(good), "{good}");
        }
        for bad in [
            "https://data.example.org/opener",
            "https://data.example.org/",
            "https://data.example.org.evil.test/open/a",
            "https://data.example.org:8443/open/a",
            "https://data.example.org/open/../secret",
            "https://data.example.org/open/%2e%2e/secret",
        ] {
            assert!(!within(bad), "{bad}");
        }
        for broken in [
            "http://data.example.org/open",
            "https://a@data.example.org/open",
            "ftp://x",
        ] {
            assert!(parsed(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn redirects_may_be_relative() {
        let from = "https://a.test/x/y.csv";
        for (target, want) in [
            ("z.csv", "https://a.test/x/z.csv"),
            ("/z.csv", "https://a.test/z.csv"),
            ("//b.test/z", "https://b.test/z"),
            ("https://b.test/z", "https://b.test/z"),
        ] {
            assert_eq!(joined(from, target).unwrap(), want);
        }
    }
}
