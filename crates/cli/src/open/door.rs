//! Who is let in on loopback: the browser of the person who ran `satchel open`, and nobody else.
//!
//! A loopback port can be reached by every program on this computer, and by every web page its
//! browser shows. So:
//! - the printed address carries a token that is exchanged, once, for a cookie no script reads;
//! - without that cookie there is a refusal and nothing else;
//! - a request must name our own host and port (a page whose name was made to point here does
//!   not) and, where a browser says where it comes from, come from our own pages;
//! - on Linux a connection of another user of the computer is refused ([`super::peer`]).
//!
//! Cookies do not know ports: a server of the same user on another port of 127.0.0.1 is sent
//! ours if its page is visited. SECURITY.md says so.

use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, Method, header};
use satchel_base::Entropy;
use satchel_contract::ApiError;

use crate::output::Failure;

/// What a request came with, and what it may have.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// Everything.
    Admitted,
    /// Only the page the token leads to, with the cookie to set.
    Exchanged {
        /// The `set-cookie` header.
        cookie: String,
    },
}

/// Token and cookie, as hashes; comparing them takes the same time wherever they differ.
pub struct Door {
    port: u16,
    page: String,
    token_text: String,
    token: Mutex<Option<blake3::Hash>>,
    cookie_text: String,
    cookie: blake3::Hash,
}

impl Door {
    /// A new door on `port`; the token leads to `page`.
    pub fn make(port: u16, page: String, entropy: &mut dyn Entropy) -> Self {
        let mut secret = || {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes);
            blake3::Hash::from_bytes(bytes).to_hex().to_string()
        };
        let (token_text, cookie_text) = (secret(), secret());
        Self {
            port,
            page,
            token: Mutex::new(Some(hash(&token_text))),
            token_text,
            cookie: hash(&cookie_text),
            cookie_text,
        }
    }

    /// The address to print.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/open/{}", self.port, self.token_text)
    }

    /// The port it is on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the token leads.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The origin a page's sockets may name.
    pub fn socket_origins(&self) -> String {
        format!("ws://127.0.0.1:{0} ws://localhost:{0}", self.port)
    }

    /// Lets a request in, or says why not.
    pub fn admit(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Entry, ApiError> {
        let text = |name| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
        let host = text(header::HOST.as_str());
        if !host.is_some_and(|host| self.hosts().iter().any(|ours| ours == host)) {
            return Err(refusal(
                "loopback.foreign_host",
                "this request names another host",
            ));
        }
        let is_foreign_origin = text(header::ORIGIN.as_str()).is_some_and(|origin| {
            let host = origin.strip_prefix("http://");
            host.is_none() || host != text(header::HOST.as_str())
        });
        let comes_from = text("sec-fetch-site");
        // Following a link is harmless: the page that is shown then is ours.
        let is_visit = *method == Method::GET && text("sec-fetch-mode") == Some("navigate");
        let is_foreign_site =
            !is_visit && comes_from.is_some_and(|from| !["same-origin", "none"].contains(&from));
        if is_foreign_origin || is_foreign_site {
            return Err(refusal(
                "loopback.foreign_origin",
                "this request comes from another site",
            ));
        }
        let has_cookie = self.has_cookie(headers);
        if let Some(token) = path.strip_prefix("/open/") {
            return self.exchange(method, token, has_cookie);
        }
        if has_cookie {
            Ok(Entry::Admitted)
        } else {
            Err(refusal(
                "loopback.not_open",
                "this is open for the person who ran satchel open only",
            ))
        }
    }

    /// The token for the cookie, once. Who has the cookie may come again.
    fn exchange(&self, method: &Method, token: &str, has_cookie: bool) -> Result<Entry, ApiError> {
        let mut expected = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if *method == Method::GET && expected.is_some_and(|known| known == hash(token)) {
            *expected = None;
        } else if !has_cookie {
            return Err(refusal(
                "loopback.used",
                "this address was used already, or is not one that satchel open printed",
            ));
        }
        Ok(Entry::Exchanged {
            cookie: format!(
                "{}={}; Path=/; HttpOnly; SameSite=Strict",
                self.cookie_name(),
                self.cookie_text
            ),
        })
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(found, value)| found == name && self.cookie == hash(value))
    }

    fn cookie_name(&self) -> String {
        format!("satchel-open-{}", self.port)
    }

    fn hosts(&self) -> [String; 2] {
        ["127.0.0.1", "localhost"].map(|host| format!("{host}:{}", self.port))
    }
}

fn hash(text: &str) -> blake3::Hash {
    blake3::hash(text.as_bytes())
}

fn refusal(code: &str, message: &str) -> ApiError {
    Failure::new(
        code,
        message,
        "Run satchel open in a terminal, and use the address it prints.",
    )
    .0
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            self.0 += 1;
            bytes.fill(self.0);
        }
    }

    const OURS: (&str, &str) = ("host", "127.0.0.1:8000");

    fn door() -> Door {
        Door::make(8000, "/#/device".into(), &mut Counting(0))
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&'static str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        pairs.iter().map(pair).collect::<HeaderMap>()
    }

    /// The code of the refusal, or what is let in.
    #[track_caller]
    fn check(door: &Door, path: &str, pairs: &[(&'static str, &str)], want: &str) {
        let got = match door.admit(&Method::GET, path, &headers(pairs)) {
            Ok(Entry::Admitted) => "admitted".to_owned(),
            Ok(Entry::Exchanged { .. }) => "exchanged".to_owned(),
            Err(error) => error.code,
        };
        assert_eq!(got, want, "{path} {pairs:?}");
    }

    fn token(door: &Door) -> String {
        door.url().replace("http://127.0.0.1:8000", "")
    }

    fn cookie(door: &Door) -> String {
        let exchange = door.admit(&Method::GET, &token(door), &headers(&[OURS]));
        let Ok(Entry::Exchanged { cookie }) = exchange else {
            panic!("no exchange: {exchange:?}");
        };
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"));
        cookie.split(';').next().unwrap().to_owned()
    }

    // threat: T-42
    #[test]
    fn the_token_works_once() {
        let door = door();
        check(&door, "/", &[OURS], "loopback.not_open");
        check(&door, "/open/0000", &[OURS], "loopback.used");
        let cookie = cookie(&door);
        check(&door, &token(&door), &[OURS], "loopback.used");
        check(&door, "/", &[OURS, ("cookie", &cookie)], "admitted");
        check(
            &door,
            &token(&door),
            &[OURS, ("cookie", &cookie)],
            "exchanged",
        );
        let other = format!("a=b; {cookie}0");
        check(&door, "/", &[OURS, ("cookie", &other)], "loopback.not_open");
    }

    #[test]
    fn looking_ahead_does_not_use_the_token_up() {
        let door = door();
        let ahead = door.admit(&Method::HEAD, &token(&door), &headers(&[OURS]));
        assert!(ahead.is_err());
        cookie(&door);
    }

    // threat: T-42
    #[test]
    fn other_hosts_and_origins_are_refused_even_with_the_cookie() {
        let door = door();
        let cookie = cookie(&door);
        let with = ("cookie", cookie.as_str());
        for host in [
            "evil.example:8000",
            "127.0.0.1",
            "127.0.0.1:8001",
            "localhost",
        ] {
            check(&door, "/", &[("host", host), with], "loopback.foreign_host");
        }
        check(&door, "/", &[with], "loopback.foreign_host");
        for origin in [
            "http://evil.example",
            "http://127.0.0.1:9999",
            "https://127.0.0.1:8000",
            "null",
        ] {
            let foreign = [OURS, with, ("origin", origin)];
            check(&door, "/app/x", &foreign, "loopback.foreign_origin");
        }
        let own = [OURS, with, ("origin", "http://127.0.0.1:8000")];
        check(&door, "/app/x", &own, "admitted");
        for site in ["cross-site", "same-site"] {
            let from = [OURS, with, ("sec-fetch-site", site)];
            check(&door, "/api/v1/device", &from, "loopback.foreign_origin");
            let visit = [
                OURS,
                with,
                ("sec-fetch-site", site),
                ("sec-fetch-mode", "navigate"),
            ];
            check(&door, "/", &visit, "admitted");
        }
    }
}
