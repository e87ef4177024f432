//! A sign-in under way, as the person's browser carries it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use satchel_base::{Secret, UnixMillis};
use sha2::{Digest, Sha256};

use crate::system::random;

/// The cookie of a flow. A page of another site can neither set nor read it.
pub(crate) const FLOW_COOKIE: &str = "__Host-satchel-sign-in";

/// Ten minutes to sign in at the provider, second factor and lost phone included.
pub(crate) const FLOW_MS: i64 = 10 * 60_000;

/// The key all flows of a hub hang on.
pub(crate) struct FlowKey(Secret<[u8; 32]>);

impl FlowKey {
    pub fn new(signing_seed: &[u8; 32]) -> Self {
        let key = blake3::derive_key("satchel 2026 flows of signing in v1", signing_seed);
        Self(Secret::new(key))
    }

    fn mac(&self, what: &str, bytes: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(self.0.expose());
        hasher.update(what.as_bytes());
        hasher.update(&[0]);
        hasher.update(bytes);
        hasher.finalize()
    }
}

/// A flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    /// 32 random bytes.
    id: [u8; 32],
    /// When it began.
    began: UnixMillis,
    /// The provider's name.
    pub provider: String,
    /// Where to go afterwards.
    pub to: String,
}

impl Flow {
    pub fn begin(provider: &str, to: &str, now: UnixMillis) -> Self {
        Self {
            id: random(),
            began: now,
            provider: provider.to_owned(),
            to: to.to_owned(),
        }
    }

    /// What the cookie holds.
    pub fn to_cookie(&self, key: &FlowKey) -> String {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.began.0.to_be_bytes());
        bytes.extend_from_slice(self.provider.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(self.to.as_bytes());
        let mac = key.mac("cookie", &bytes);
        bytes.extend_from_slice(mac.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cookie; none if the hub did not make it or it is too old.
    pub fn from_cookie(cookie: &str, key: &FlowKey, now: UnixMillis) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (bytes, mac) = bytes.split_last_chunk::<32>()?;
        // Compares in constant time.
        if key.mac("cookie", bytes) != blake3::Hash::from(*mac) {
            return None;
        }
        let (id, rest) = bytes.split_first_chunk::<32>()?;
        let (began, rest) = rest.split_first_chunk::<8>()?;
        let (provider, to) = std::str::from_utf8(rest).ok()?.split_once('\0')?;
        let flow = Self {
            id: *id,
            began: UnixMillis(i64::from_be_bytes(*began)),
            provider: provider.to_owned(),
            to: to.to_owned(),
        };
        (0..FLOW_MS)
            .contains(&now.since_ms(flow.began))
            .then_some(flow)
    }

    /// Whether a redirect answers this flow.
    pub fn is_answered_by(&self, state: &str, key: &FlowKey) -> bool {
        blake3::hash(state.as_bytes()) == blake3::hash(self.state(key).as_bytes())
    }

    /// What makes it work once.
    pub fn once(&self, key: &FlowKey) -> [u8; 32] {
        *key.mac("once", &self.id).as_bytes()
    }

    /// What its attempts are counted under: nobody is named yet.
    pub fn account(&self, key: &FlowKey) -> String {
        format!("flow {}", key.mac("account", &self.id).to_hex())
    }

    /// When it means nothing any more.
    pub fn ends(&self) -> UnixMillis {
        self.began.plus_ms(FLOW_MS)
    }

    pub fn state(&self, key: &FlowKey) -> String {
        self.derived("state", key)
    }

    pub fn nonce(&self, key: &FlowKey) -> String {
        self.derived("nonce", key)
    }

    /// The PKCE verifier: 43 characters (RFC 7636 §4.1).
    pub fn verifier(&self, key: &FlowKey) -> String {
        self.derived("verifier", key)
    }

    pub fn challenge(&self, key: &FlowKey) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier(key).as_bytes()))
    }

    fn derived(&self, what: &str, key: &FlowKey) -> String {
        URL_SAFE_NO_PAD.encode(key.mac(what, &self.id).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    #[test]
    fn a_cookie_is_ours_and_young() {
        let key = FlowKey::new(&[1; 32]);
        let flow = Flow::begin("corp", "/app/x", NOW);
        let cookie = flow.to_cookie(&key);
        let read = |c: &str, at| Flow::from_cookie(c, &key, at);
        assert_eq!(read(&cookie, NOW.plus_ms(FLOW_MS - 1)), Some(flow.clone()));
        assert_eq!(read(&cookie, NOW.plus_ms(FLOW_MS)), None);
        assert_eq!(read(&cookie, NOW.plus_ms(-1)), None);
        assert_eq!(read("", NOW), None);
        assert_eq!(
            Flow::from_cookie(&cookie, &FlowKey::new(&[2; 32]), NOW),
            None
        );
        let bytes = URL_SAFE_NO_PAD.decode(&cookie).unwrap();
        for i in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[i] ^= 1;
            assert_eq!(read(&URL_SAFE_NO_PAD.encode(changed), NOW), None, "{i}");
        }
    }

    #[test]
    fn what_is_derived_differs_and_the_challenge_is_that_of_the_rfc() {
        let key = FlowKey::new(&[1; 32]);
        let flow = Flow::begin("corp", "/", NOW);
        let other = Flow::begin("corp", "/", NOW);
        let all = [
            flow.state(&key),
            flow.nonce(&key),
            flow.verifier(&key),
            other.state(&key),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 4);
        assert!(flow.is_answered_by(&all[0], &key) && !flow.is_answered_by(&all[3], &key));
        assert_eq!(flow.verifier(&key).len(), 43);
        // RFC 7636, appendix B.
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ));
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
