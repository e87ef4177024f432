//! Signatures of JSON Web Tokens. What the claims mean is decided in `gate`.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

/// Longer tokens are refused before anything is read: some 100 groups make 8 KiB.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// Which algorithms may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithms {
    /// All with a public key, as providers sign.
    Asymmetric,
    /// RS256, ES256 and EdDSA, as services that embed sign.
    Embedding,
}

impl Algorithms {
    fn read(self, name: &str) -> Option<Algorithm> {
        use Algorithm::*;
        let all = match self {
            Self::Asymmetric => &[
                RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA,
            ][..],
            Self::Embedding => &[RS256, ES256, EdDSA][..],
        };
        let named: Algorithm = name.parse().ok()?;
        all.contains(&named).then_some(named)
    }
}

/// Why a signature is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureProblem {
    #[error("it is longer than a token may be")]
    TooLong,
    #[error("it is no signed token")]
    NotSigned,
    #[error("it is signed in a way this hub does not take")]
    Algorithm,
    #[error("it asks for what this hub does not understand")]
    Critical,
    #[error("it is signed with a key nobody knows")]
    UnknownKey,
    #[error("it does not say which of several keys signed it")]
    AmbiguousKey,
    #[error("its signature is wrong")]
    Wrong,
}

impl SignatureProblem {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "token.too_long",
            Self::NotSigned => "token.not_signed",
            Self::Algorithm => "token.algorithm",
            Self::Critical => "token.critical",
            Self::UnknownKey => "token.unknown_key",
            Self::AmbiguousKey => "token.ambiguous_key",
            Self::Wrong => "token.wrong_signature",
        }
    }
}

/// The claims of `token`, if one of `keys` signed it.
pub(crate) fn verify(
    token: &str,
    keys: &[Jwk],
    algorithms: Algorithms,
) -> Result<Value, SignatureProblem> {
    let (algorithm, kid) = head(token, algorithms)?;
    let fits = |key: &&Jwk| {
        is_for(key, algorithm)
            && kid
                .as_ref()
                .is_none_or(|kid| key.common.key_id.as_ref() == Some(kid))
    };
    let mut fitting = keys.iter().filter(fits);
    let key = fitting.next().ok_or(SignatureProblem::UnknownKey)?;
    if fitting.next().is_some() {
        return Err(SignatureProblem::AmbiguousKey);
    }
    let key = DecodingKey::from_jwk(key).map_err(|_| SignatureProblem::UnknownKey)?;
    verify_with(token, &key, algorithm)
}

/// The algorithm and the key's name in the head of a token.
pub(crate) fn head(
    token: &str,
    algorithms: Algorithms,
) -> Result<(Algorithm, Option<String>), SignatureProblem> {
    use base64::Engine as _;
    if token.len() > MAX_TOKEN_BYTES {
        return Err(SignatureProblem::TooLong);
    }
    let mut parts = token.split('.');
    let (head, _, _) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(head), Some(claims), Some(signature), None) => (head, claims, signature),
        _ => return Err(SignatureProblem::NotSigned),
    };
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(head)
        .map_err(|_| SignatureProblem::NotSigned)?;
    let head: Value = serde_json::from_slice(&bytes).map_err(|_| SignatureProblem::NotSigned)?;
    let text = |name: &str| head.get(name).and_then(Value::as_str);
    let named = text("alg").ok_or(SignatureProblem::NotSigned)?;
    let algorithm = algorithms.read(named).ok_or(SignatureProblem::Algorithm)?;
    if head.get("crit").is_some() {
        return Err(SignatureProblem::Critical);
    }
    let kid = match head.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return Err(SignatureProblem::NotSigned),
    };
    Ok((algorithm, kid))
}

/// The claims of `token`, if `key` signed it with `algorithm`.
pub(crate) fn verify_with(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<Value, SignatureProblem> {
    // Only the signature: the claims are judged by `gate`, with the hub's clock.
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, key, &rules)
        .map(|data| data.claims)
        .map_err(|_| SignatureProblem::Wrong)
}

/// Whether a key may have signed with an algorithm: kind, use and its own word.
fn is_for(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::*;
    let kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), RS256 | RS384 | RS512 | PS256 | PS384 | PS512) => true,
        (AlgorithmParameters::EllipticCurve(p), ES256) => p.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(p), ES384) => p.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(p), EdDSA) => p.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    let common = &key.common;
    let is_for_signing = common
        .public_key_use
        .as_ref()
        .is_none_or(|u| *u == PublicKeyUse::Signature);
    let may_verify = common
        .key_operations
        .as_ref()
        .is_none_or(|all| all.contains(&KeyOperations::Verify));
    let says = common
        .key_algorithm
        .is_none_or(|a| format!("{a:?}") == format!("{algorithm:?}"));
    kind && is_for_signing && may_verify && says
}
