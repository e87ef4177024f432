//! Signing in with a passkey: whether what a browser brings is right.
//!
//! Web Authentication Level 3, §7.1 (registration) and §7.2 (sign-in), for what a hub needs: no
//! attestation, so that the maker of an authenticator does not matter; user verification
//! always. Browsers hand the public key over in the form every library reads
//! (`getPublicKey()`, §5.2.1), so nothing here reads CBOR: of the authenticator's data only the
//! parts of fixed place and length are looked at. Checking the signature itself is the
//! caller's, as this room has no cryptography beyond hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Algorithms a passkey may sign with, as COSE numbers them: ES256, EdDSA with Ed25519, RS256.
pub const PASSKEY_ALGORITHMS: [i64; 3] = [-7, -8, -257];

/// The longest id of a credential (§4, credential ID).
const MAX_CREDENTIAL_BYTES: usize = 1023;

/// What a ceremony must have been made for.
#[derive(Clone, Copy, Debug)]
pub struct Ceremony<'a> {
    /// Making a passkey, or signing in with one.
    pub kind: CeremonyKind,
    /// The bytes the hub gave out for it.
    pub challenge: &'a [u8],
    /// The page it must come from, to the letter: `https://hub.example.org`.
    pub origin: &'a str,
    /// The domain passkeys of that page belong to.
    pub rp_id: &'a str,
}

/// See [`Ceremony::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CeremonyKind {
    /// `webauthn.create`
    Register,
    /// `webauthn.get`
    SignIn,
}

/// Why a passkey is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyProblem {
    /// Not what browsers send.
    Malformed,
    /// Made for the other ceremony.
    WrongType,
    /// Not the bytes the hub gave out.
    WrongChallenge,
    /// Made on another page.
    WrongOrigin,
    /// Made in a frame of another site.
    CrossOrigin,
    /// A passkey of another domain.
    WrongRpId,
    /// Nobody was there.
    NotPresent,
    /// Neither finger, face nor PIN showed who was there.
    NotVerified,
    /// The data are about another credential.
    WrongCredential,
    /// A kind of key the hub does not take.
    Algorithm,
}

impl PasskeyProblem {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "passkey.malformed",
            Self::WrongType => "passkey.wrong_type",
            Self::WrongChallenge => "passkey.wrong_challenge",
            Self::WrongOrigin => "passkey.wrong_origin",
            Self::CrossOrigin => "passkey.cross_origin",
            Self::WrongRpId => "passkey.wrong_rp_id",
            Self::NotPresent => "passkey.not_present",
            Self::NotVerified => "passkey.not_verified",
            Self::WrongCredential => "passkey.wrong_credential",
            Self::Algorithm => "passkey.algorithm",
        }
    }
}

/// What an authenticator says about a credential it has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attested {
    /// How often it signed, 0 for one that does not count.
    pub sign_count: u32,
    /// Whether its maker keeps a copy of it elsewhere.
    pub is_backed_up: bool,
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<String>,
}

/// Checks a new passkey with the id `credential`, of which the browser says that its key is of
/// `algorithm`.
///
/// # Errors
/// The first thing that is not as it must be.
pub fn check_registration(
    ceremony: Ceremony<'_>,
    client_data: &[u8],
    authenticator_data: &[u8],
    credential: &[u8],
    algorithm: i64,
) -> Result<Attested, PasskeyProblem> {
    check_client_data(ceremony, client_data)?;
    let (attested, rest, flags) = check_authenticator_data(ceremony, authenticator_data)?;
    if flags & ATTESTED == 0 {
        return Err(PasskeyProblem::Malformed);
    }
    // 16 bytes name the kind of authenticator, 2 count the bytes of the id.
    let named = rest.split_first_chunk::<16>().map(|(_, rest)| rest);
    let (length, rest) =
        (named.and_then(|rest| rest.split_first_chunk::<2>())).ok_or(PasskeyProblem::Malformed)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > MAX_CREDENTIAL_BYTES || rest.len() <= length {
        return Err(PasskeyProblem::Malformed);
    }
    if rest[..length] != *credential {
        return Err(PasskeyProblem::WrongCredential);
    }
    if !PASSKEY_ALGORITHMS.contains(&algorithm) {
        return Err(PasskeyProblem::Algorithm);
    }
    Ok(attested)
}

/// Checks a sign-in but for its signature, which must be over [`signed_bytes`].
///
/// # Errors
/// The first thing that is not as it must be.
pub fn check_assertion(
    ceremony: Ceremony<'_>,
    client_data: &[u8],
    authenticator_data: &[u8],
) -> Result<Attested, PasskeyProblem> {
    check_client_data(ceremony, client_data)?;
    let (attested, rest, flags) = check_authenticator_data(ceremony, authenticator_data)?;
    if flags & (ATTESTED | EXTENSIONS) == 0 && !rest.is_empty() {
        return Err(PasskeyProblem::Malformed);
    }
    Ok(attested)
}

/// What the signature of a sign-in is over.
pub fn signed_bytes(client_data: &[u8], authenticator_data: &[u8]) -> Vec<u8> {
    let hash = Sha256::digest(client_data);
    [authenticator_data, hash.as_slice()].concat()
}

/// The host of an origin, which is the domain its passkeys belong to.
pub fn rp_id(origin: &str) -> Option<&str> {
    let host = origin.strip_prefix("https://")?.split(':').next()?;
    (!host.is_empty() && !host.contains(['/', '@', '['])).then_some(host)
}

/// Whether a sign count may follow the last one: it grows, or the authenticator does not count.
pub const fn may_follow(last: u32, now: u32) -> bool {
    now > last || (last == 0 && now == 0)
}

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const MAY_BE_BACKED_UP: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

fn check_client_data(ceremony: Ceremony<'_>, bytes: &[u8]) -> Result<(), PasskeyProblem> {
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| PasskeyProblem::Malformed)?;
    let kind = match ceremony.kind {
        CeremonyKind::Register => "webauthn.create",
        CeremonyKind::SignIn => "webauthn.get",
    };
    if data.kind != kind {
        return Err(PasskeyProblem::WrongType);
    }
    let challenge = URL_SAFE_NO_PAD
        .decode(&data.challenge)
        .map_err(|_| PasskeyProblem::WrongChallenge)?;
    if challenge != ceremony.challenge {
        return Err(PasskeyProblem::WrongChallenge);
    }
    if data.origin != ceremony.origin {
        return Err(PasskeyProblem::WrongOrigin);
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(PasskeyProblem::CrossOrigin);
    }
    Ok(())
}

/// What is in it, what follows its head, and its flags.
fn check_authenticator_data<'d>(
    ceremony: Ceremony<'_>,
    bytes: &'d [u8],
) -> Result<(Attested, &'d [u8], u8), PasskeyProblem> {
    let malformed = PasskeyProblem::Malformed;
    let (rp_hash, rest) = bytes.split_first_chunk::<32>().ok_or(malformed)?;
    let ([flags], rest) = rest.split_first_chunk::<1>().ok_or(malformed)?;
    let (count, rest) = rest.split_first_chunk::<4>().ok_or(malformed)?;
    if rp_hash[..] != Sha256::digest(ceremony.rp_id.as_bytes())[..] {
        return Err(PasskeyProblem::WrongRpId);
    }
    if flags & PRESENT == 0 {
        return Err(PasskeyProblem::NotPresent);
    }
    if flags & VERIFIED == 0 {
        return Err(PasskeyProblem::NotVerified);
    }
    // What cannot be backed up is not.
    if flags & BACKED_UP != 0 && flags & MAY_BE_BACKED_UP == 0 {
        return Err(malformed);
    }
    let attested = Attested {
        sign_count: u32::from_be_bytes(*count),
        is_backed_up: flags & BACKED_UP != 0,
    };
    Ok((attested, rest, *flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &[u8] = b"some bytes the hub gave out";
    const ORIGIN: &str = "https://hub.example.org";
    const ID: &[u8] = b"a credential";

    fn ceremony(kind: CeremonyKind) -> Ceremony<'static> {
        Ceremony {
            kind,
            challenge: CHALLENGE,
            origin: ORIGIN,
            rp_id: "hub.example.org",
        }
    }

    fn client_data(kind: &str, challenge: &[u8], origin: &str, more: &str) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{more}}}"#)
            .into_bytes()
    }

    fn authenticator_data(rp_id: &str, flags: u8, rest: &[u8]) -> Vec<u8> {
        let hash = Sha256::digest(rp_id.as_bytes());
        [&hash[..], &[flags], &7u32.to_be_bytes(), rest].concat()
    }

    fn credential_data(id: &[u8]) -> Vec<u8> {
        let length = u16::try_from(id.len()).unwrap().to_be_bytes();
        [&[0; 16][..], &length, id, &[0xa0]].concat()
    }

    const GOOD: u8 = PRESENT | VERIFIED;

    // threat: T-37
    #[test]
    fn a_sign_in_is_right_in_every_part_or_refused() {
        use PasskeyProblem::*;
        let good = client_data("webauthn.get", CHALLENGE, ORIGIN, "");
        let head = |flags| authenticator_data("hub.example.org", flags, b"");
        let check = |client: &[u8], authenticator: &[u8]| {
            check_assertion(ceremony(CeremonyKind::SignIn), client, authenticator)
        };
        let attested = Attested {
            sign_count: 7,
            is_backed_up: false,
        };
        assert_eq!(check(&good, &head(GOOD)), Ok(attested));
        let backed_up = head(GOOD | MAY_BE_BACKED_UP | BACKED_UP);
        assert!(check(&good, &backed_up).unwrap().is_backed_up);
        let unframed = client_data("webauthn.get", CHALLENGE, ORIGIN, r#","crossOrigin":false"#);
        assert!(check(&unframed, &head(GOOD)).is_ok());
        let extended = authenticator_data("hub.example.org", GOOD | EXTENSIONS, &[0xa0]);
        assert!(check(&good, &extended).is_ok());

        let client = |kind, challenge, origin, more| client_data(kind, challenge, origin, more);
        for (why, bad) in [
            (WrongType, client("webauthn.create", CHALLENGE, ORIGIN, "")),
            (WrongChallenge, client("webauthn.get", b"other", ORIGIN, "")),
            (WrongChallenge, client("webauthn.get", b"", ORIGIN, "")),
            (
                WrongOrigin,
                client("webauthn.get", CHALLENGE, "https://evil.example", ""),
            ),
            (
                WrongOrigin,
                client(
                    "webauthn.get",
                    CHALLENGE,
                    "https://hub.example.org:8443",
                    "",
                ),
            ),
            (
                WrongOrigin,
                client("webauthn.get", CHALLENGE, "http://hub.example.org", ""),
            ),
            (
                WrongOrigin,
                client("webauthn.get", CHALLENGE, "https://a.hub.example.org", ""),
            ),
            (
                WrongOrigin,
                client("webauthn.get", CHALLENGE, "https://hub.example.org/", ""),
            ),
            (
                CrossOrigin,
                client("webauthn.get", CHALLENGE, ORIGIN, r#","crossOrigin":true"#),
            ),
            (
                CrossOrigin,
                client(
                    "webauthn.get",
                    CHALLENGE,
                    ORIGIN,
                    r#","topOrigin":"https://evil.example""#,
                ),
            ),
            (Malformed, b"{}".to_vec()),
            (Malformed, b"[1".to_vec()),
            (Malformed, Vec::new()),
        ] {
            assert_eq!(check(&bad, &head(GOOD)), Err(why));
        }
        for (why, bad) in [
            (WrongRpId, authenticator_data("example.org", GOOD, b"")),
            (
                WrongRpId,
                authenticator_data("https://hub.example.org", GOOD, b""),
            ),
            (NotPresent, head(VERIFIED)),
            (NotVerified, head(PRESENT)),
            (Malformed, head(GOOD | BACKED_UP)),
            (
                Malformed,
                authenticator_data("hub.example.org", GOOD, b"more"),
            ),
            (Malformed, head(GOOD)[..36].to_vec()),
            (Malformed, Vec::new()),
        ] {
            assert_eq!(check(&good, &bad), Err(why));
        }
    }

    // threat: T-37
    #[test]
    fn a_new_passkey_is_right_in_every_part_or_refused() {
        use PasskeyProblem::*;
        let good = client_data("webauthn.create", CHALLENGE, ORIGIN, "");
        let data = |flags, rest: &[u8]| authenticator_data("hub.example.org", flags, rest);
        let check = |client: &[u8], data: &[u8], algorithm| {
            check_registration(
                ceremony(CeremonyKind::Register),
                client,
                data,
                ID,
                algorithm,
            )
        };
        let right = data(GOOD | ATTESTED, &credential_data(ID));
        for algorithm in PASSKEY_ALGORITHMS {
            assert!(check(&good, &right, algorithm).is_ok());
        }
        let kind = client_data("webauthn.get", CHALLENGE, ORIGIN, "");
        assert_eq!(check(&kind, &right, -7), Err(WrongType));
        assert_eq!(check(&good, &right, -65_535), Err(Algorithm));
        for (why, bad) in [
            (NotVerified, data(PRESENT | ATTESTED, &credential_data(ID))),
            (Malformed, data(GOOD, &credential_data(ID))),
            (
                WrongCredential,
                data(GOOD | ATTESTED, &credential_data(b"another one!")),
            ),
            (Malformed, data(GOOD | ATTESTED, &credential_data(b""))),
            (
                Malformed,
                data(GOOD | ATTESTED, &credential_data(&[1; 1024])),
            ),
        ] {
            assert_eq!(check(&good, &bad, -7), Err(why));
        }
        // Cut anywhere, it is refused, and nothing panics.
        for end in 0..right.len() {
            assert!(check(&good, &right[..end], -7).is_err(), "{end}");
        }
    }

    #[test]
    fn counts_grow_or_stay_nothing() {
        for (last, now, may) in [
            (0, 0, true),
            (0, 1, true),
            (1, 2, true),
            (1, 1, false),
            (2, 1, false),
            (1, 0, false),
        ] {
            assert_eq!(may_follow(last, now), may, "{last} {now}");
        }
    }

    #[test]
    fn passkeys_belong_to_hosts() {
        assert_eq!(rp_id("https://hub.example.org"), Some("hub.example.org"));
        assert_eq!(rp_id("https://localhost:4443"), Some("localhost"));
        for not in [
            "http://hub.example.org",
            "https://",
            "https://[::1]:4443",
            "null",
            "",
        ] {
            assert_eq!(rp_id(not), None, "{not}");
        }
    }
}
