//! Passkeys: challenges, and checking what comes back.
//!
//! A challenge is not kept: it says itself until when it is good and is authenticated by the
//! hub, and once it was used its hash is (T-37). So asking for challenges fills nothing.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    VerificationAlgorithm,
};
use axum::http::{HeaderMap, StatusCode};
use satchel_base::{SubjectId, UnixMillis};
use satchel_gate::{PasskeyProblem, rp_id};
use sha2::{Digest, Sha256};

use crate::guard::provenance;
use crate::refusal::Refused;
use crate::state::HubState;
use crate::system::random;

/// Five minutes to find the phone, or the key in the drawer.
const CHALLENGE_MS: i64 = 5 * 60_000;

/// What a challenge is for; it is good for nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'a> {
    /// A new passkey of this person.
    Register(&'a SubjectId),
    /// Signing in.
    SignIn,
}

/// The page a request comes from, as one of ours, and the domain of its passkeys.
pub(crate) fn page<'h>(
    state: &HubState,
    headers: &'h HeaderMap,
) -> Result<(&'h str, &'h str), Refused> {
    let origin = provenance(headers).origin;
    let origin = origin.filter(|o| state.origins.iter().any(|own| own == o));
    let page = origin.and_then(|origin| Some((origin, rp_id(origin)?)));
    page.ok_or_else(|| {
        Refused::bad_request(
            "sign_in.unknown_address",
            "passkeys do not work at this address of the hub",
            "Open the hub's own address in a browser; an administrator can list further origins.",
        )
    })
}

/// A new challenge.
pub(crate) fn challenge(
    state: &HubState,
    purpose: Purpose<'_>,
    rp_id: &str,
    now: UnixMillis,
) -> Vec<u8> {
    let ends = now.plus_ms(CHALLENGE_MS);
    let mut bytes = random::<16>().to_vec();
    bytes.extend_from_slice(&ends.0.to_be_bytes());
    let mac = mac(state, purpose, rp_id, &bytes);
    bytes.extend_from_slice(mac.as_bytes());
    bytes
}

/// Uses a challenge up: false if it is none of ours, for something else, too old or used.
pub(crate) async fn take_challenge(
    state: &HubState,
    purpose: Purpose<'_>,
    rp_id: &str,
    challenge: &[u8],
    now: UnixMillis,
) -> Result<bool, Refused> {
    let Some((bytes, given)) = challenge.split_last_chunk::<32>() else {
        return Ok(false);
    };
    // Compares in constant time.
    if mac(state, purpose, rp_id, bytes) != blake3::Hash::from(*given) {
        return Ok(false);
    }
    let Some(ends) = bytes.last_chunk::<8>() else {
        return Ok(false);
    };
    let ends = UnixMillis(i64::from_be_bytes(*ends));
    if now >= ends {
        return Ok(false);
    }
    let key = Sha256::digest(challenge).into();
    Ok(state.store.use_once(&key, ends, now).await?)
}

fn mac(state: &HubState, purpose: Purpose<'_>, rp_id: &str, bytes: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&key(state, "satchel 2026 passkey challenges v1"));
    let purpose = match purpose {
        Purpose::Register(user) => format!("register\0{user}\0{rp_id}\0"),
        Purpose::SignIn => format!("sign in\0{rp_id}\0"),
    };
    hasher.update(purpose.as_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// What authenticators call a person: it tells nobody who they are (Web Authentication §14.6.1).
pub(crate) fn user_handle(state: &HubState, user: &SubjectId) -> [u8; 32] {
    let key = key(state, "satchel 2026 passkey user handles v1");
    *blake3::keyed_hash(&key, user.as_str().as_bytes()).as_bytes()
}

fn key(state: &HubState, purpose: &'static str) -> [u8; 32] {
    blake3::derive_key(purpose, state.store.hub().signing_seed.expose())
}

fn algorithm(number: i64) -> Option<&'static dyn VerificationAlgorithm> {
    match number {
        -7 => Some(&ECDSA_P256_SHA256_ASN1),
        -8 => Some(&ED25519),
        -257 => Some(&RSA_PKCS1_2048_8192_SHA256),
        _ => None,
    }
}

/// Whether a public key is one of its algorithm.
pub(crate) fn is_key(number: i64, public_key: &[u8]) -> bool {
    algorithm(number).is_some_and(|a| ParsedPublicKey::new(a, public_key).is_ok())
}

/// Whether a signature over `message` is that key's.
pub(crate) fn verifies(number: i64, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    algorithm(number)
        .and_then(|a| ParsedPublicKey::new(a, public_key).ok())
        .is_some_and(|key| key.verify_sig(message, signature).is_ok())
}

/// A passkey that is not taken.
pub(crate) fn refused(problem: PasskeyProblem) -> Refused {
    let (message, next) = match problem {
        PasskeyProblem::NotVerified | PasskeyProblem::NotPresent => (
            "the passkey was used without showing who you are",
            "Use one that asks for your finger, face or PIN.",
        ),
        PasskeyProblem::Algorithm => (
            "the hub does not take passkeys with this kind of key",
            "Use another authenticator.",
        ),
        PasskeyProblem::Malformed
        | PasskeyProblem::WrongType
        | PasskeyProblem::WrongChallenge
        | PasskeyProblem::WrongOrigin
        | PasskeyProblem::CrossOrigin
        | PasskeyProblem::WrongRpId
        | PasskeyProblem::WrongCredential => (
            "this passkey was not used for this hub, here and now",
            "Begin again on the hub's own page.",
        ),
    };
    Refused::new(StatusCode::UNAUTHORIZED, problem.code(), message, next)
}
