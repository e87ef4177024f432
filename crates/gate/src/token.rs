//! What a signed token of somebody else must say before it is believed.
//!
//! The signature is checked before this; here is what the claims mean. Pure: the caller hands
//! in the time. Rules: OpenID Connect Core 1.0 §3.1.3.7, RFC 7519 §4.1, RFC 8725 §3.

use satchel_base::UnixMillis;
use serde_json::{Map, Value};

/// How far the clocks of two machines may differ.
const CLOCK_SLACK_MS: i64 = 60_000;

/// A subject is at most 255 ASCII characters (OpenID Connect Core §2); others write longer ones.
const MAX_SUBJECT_BYTES: usize = 512;

/// What a token must be for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who must have issued it, to the letter.
    pub issuer: &'a str,
    /// For whom it must be.
    pub audience: &'a str,
    /// Whether it may be for others too, if `azp` says that it was issued to `audience`.
    pub sole_audience: bool,
    /// The `nonce` it must repeat.
    pub nonce: Option<&'a str>,
    /// The longest time from `iat`, or from now where there is none, to `exp`.
    pub longest_life_ms: Option<i64>,
    /// The longest time since `iat`; then there must be one.
    pub longest_age_ms: Option<i64>,
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenProblem {
    /// It is no object, or a claim has the wrong type.
    Malformed,
    /// Somebody else issued it.
    WrongIssuer,
    /// It is for somebody else.
    WrongAudience,
    /// It was issued to somebody else (`azp`), or is for several and does not say to whom.
    WrongParty,
    /// It has no end.
    NoExpiry,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYet,
    /// It says nothing about when it was issued.
    NoIssueTime,
    /// It was issued in the future.
    FromTheFuture,
    /// It was issued too long ago.
    TooOld,
    /// It lives longer than such tokens may.
    LivesTooLong,
    /// It names nobody.
    NoSubject,
    /// It answers another question than ours.
    WrongNonce,
}

impl TokenProblem {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Malformed,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::WrongParty,
        Self::NoExpiry,
        Self::Expired,
        Self::NotYet,
        Self::NoIssueTime,
        Self::FromTheFuture,
        Self::TooOld,
        Self::LivesTooLong,
        Self::NoSubject,
        Self::WrongNonce,
    ];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "token.malformed",
            Self::WrongIssuer => "token.wrong_issuer",
            Self::WrongAudience => "token.wrong_audience",
            Self::WrongParty => "token.wrong_party",
            Self::NoExpiry => "token.no_expiry",
            Self::Expired => "token.expired",
            Self::NotYet => "token.not_yet",
            Self::NoIssueTime => "token.no_issue_time",
            Self::FromTheFuture => "token.from_the_future",
            Self::TooOld => "token.too_old",
            Self::LivesTooLong => "token.lives_too_long",
            Self::NoSubject => "token.no_subject",
            Self::WrongNonce => "token.wrong_nonce",
        }
    }

    /// One sentence.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Malformed => "the token is not written as such tokens are",
            Self::WrongIssuer => "the token was issued by somebody else",
            Self::WrongAudience => "the token is not for this hub",
            Self::WrongParty => "the token was issued to another program",
            Self::NoExpiry => "the token has no end",
            Self::Expired => "the token has expired",
            Self::NotYet => "the token is not valid yet",
            Self::NoIssueTime => "the token does not say when it was issued",
            Self::FromTheFuture => "the token was issued in the future",
            Self::TooOld => "the token was issued too long ago",
            Self::LivesTooLong => "the token is valid for longer than this hub allows",
            Self::NoSubject => "the token names nobody",
            Self::WrongNonce => "the token does not answer this sign-in",
        }
    }
}

/// Whom the token is about (`sub`), if it may be believed at `now`.
///
/// # Errors
/// The first [`TokenProblem`] found, in the order issuer, audience, time, subject, nonce.
pub fn check_token<'t>(
    claims: &'t Value,
    expected: &Expected<'_>,
    now: UnixMillis,
) -> Result<&'t str, TokenProblem> {
    let claims = claims.as_object().ok_or(TokenProblem::Malformed)?;
    if text(claims, "iss")? != Some(expected.issuer) {
        return Err(TokenProblem::WrongIssuer);
    }
    check_audience(claims, expected)?;
    check_times(claims, expected, now)?;
    let subject = text(claims, "sub")?.ok_or(TokenProblem::NoSubject)?;
    if subject.trim().is_empty() || subject.len() > MAX_SUBJECT_BYTES {
        return Err(TokenProblem::NoSubject);
    }
    if let Some(nonce) = expected.nonce
        && text(claims, "nonce")? != Some(nonce)
    {
        return Err(TokenProblem::WrongNonce);
    }
    Ok(subject)
}

fn check_audience(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<(), TokenProblem> {
    let n_audiences = match claims.get("aud") {
        Some(Value::String(one)) if one == expected.audience => 1,
        Some(Value::Array(all)) => {
            if !all.iter().all(Value::is_string) {
                return Err(TokenProblem::Malformed);
            }
            if !all.iter().any(|a| a == expected.audience) {
                return Err(TokenProblem::WrongAudience);
            }
            all.len()
        }
        None | Some(Value::String(_)) => return Err(TokenProblem::WrongAudience),
        Some(_) => return Err(TokenProblem::Malformed),
    };
    match text(claims, "azp")? {
        Some(party) if expected.sole_audience && party != expected.audience => {
            Err(TokenProblem::WrongParty)
        }
        None if expected.sole_audience && n_audiences > 1 => Err(TokenProblem::WrongParty),
        _ => Ok(()),
    }
}

fn check_times(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
    now: UnixMillis,
) -> Result<(), TokenProblem> {
    let expires = time(claims, "exp")?.ok_or(TokenProblem::NoExpiry)?;
    if now.since_ms(expires) >= CLOCK_SLACK_MS {
        return Err(TokenProblem::Expired);
    }
    if let Some(begins) = time(claims, "nbf")?
        && begins.since_ms(now) > CLOCK_SLACK_MS
    {
        return Err(TokenProblem::NotYet);
    }
    let issued = time(claims, "iat")?;
    if issued.is_some_and(|t| t.since_ms(now) > CLOCK_SLACK_MS) {
        return Err(TokenProblem::FromTheFuture);
    }
    if let Some(longest) = expected.longest_age_ms {
        let issued = issued.ok_or(TokenProblem::NoIssueTime)?;
        if now.since_ms(issued) > longest.saturating_add(CLOCK_SLACK_MS) {
            return Err(TokenProblem::TooOld);
        }
    }
    if let Some(longest) = expected.longest_life_ms
        && expires.since_ms(issued.unwrap_or(now)) > longest
    {
        return Err(TokenProblem::LivesTooLong);
    }
    Ok(())
}

fn text<'t>(claims: &'t Map<String, Value>, name: &str) -> Result<Option<&'t str>, TokenProblem> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenProblem::Malformed),
    }
}

/// Seconds since 1970, whole or not.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<UnixMillis>, TokenProblem> {
    /// The year 9999; what lies beyond is no time but an attempt to overflow one.
    const LATEST_SECONDS: f64 = 253_402_300_800.0;
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(n)) => match n.as_f64() {
            Some(seconds) if (0.0..LATEST_SECONDS).contains(&seconds) => {
                Ok(Some(UnixMillis((seconds * 1000.0) as i64)))
            }
            _ => Err(TokenProblem::Malformed),
        },
        Some(_) => Err(TokenProblem::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://id.example",
            audience: "hub",
            sole_audience: true,
            nonce: Some("n"),
            longest_life_ms: None,
            longest_age_ms: Some(600_000),
        }
    }

    fn good() -> Value {
        json!({
            "iss": "https://id.example", "aud": "hub", "sub": "ann", "nonce": "n",
            "iat": 1_800_000_000, "exp": 1_800_000_300,
        })
    }

    #[track_caller]
    fn check(change: Value, want: Result<&str, TokenProblem>) {
        let mut claims = good();
        for (name, value) in change.as_object().expect("an object") {
            if value.is_null() {
                claims.as_object_mut().expect("one").remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        assert_eq!(check_token(&claims, &expected(), NOW), want, "{claims}");
    }

    #[test]
    fn each_claim_has_its_own_refusal() {
        use TokenProblem::*;
        check(json!({}), Ok("ann"));
        check(json!({"iss": "https://id.example/"}), Err(WrongIssuer));
        check(json!({"iss": null}), Err(WrongIssuer));
        check(json!({"iss": ["https://id.example"]}), Err(Malformed));
        check(json!({"aud": "other"}), Err(WrongAudience));
        check(json!({"aud": null}), Err(WrongAudience));
        check(json!({"aud": []}), Err(WrongAudience));
        check(json!({"aud": ["hub", 1]}), Err(Malformed));
        check(json!({"aud": ["hub"]}), Ok("ann"));
        check(json!({"aud": ["hub", "other"]}), Err(WrongParty));
        check(json!({"aud": ["hub", "other"], "azp": "hub"}), Ok("ann"));
        check(json!({"azp": "other"}), Err(WrongParty));
        check(json!({"exp": null}), Err(NoExpiry));
        check(json!({"exp": "1800000300"}), Err(Malformed));
        check(json!({"exp": 1e300}), Err(Malformed));
        check(json!({"exp": -1}), Err(Malformed));
        check(json!({"exp": 1_799_999_941}), Ok("ann"));
        check(json!({"exp": 1_799_999_940}), Err(Expired));
        check(json!({"nbf": 1_800_000_061}), Err(NotYet));
        check(json!({"iat": 1_800_000_061}), Err(FromTheFuture));
        check(json!({"iat": 1_799_999_339}), Err(TooOld));
        check(json!({"iat": null}), Err(NoIssueTime));
        check(json!({"sub": null}), Err(NoSubject));
        check(json!({"sub": " "}), Err(NoSubject));
        check(json!({"sub": 7}), Err(Malformed));
        check(json!({"nonce": "m"}), Err(WrongNonce));
        check(json!({"nonce": null}), Err(WrongNonce));
        assert_eq!(check_token(&json!([]), &expected(), NOW), Err(Malformed));
    }

    #[test]
    fn a_token_may_have_to_be_short_lived() {
        let expected = Expected {
            longest_life_ms: Some(300_000),
            longest_age_ms: None,
            sole_audience: false,
            nonce: None,
            ..expected()
        };
        let check = |exp: i64, iat: Option<i64>| {
            let mut claims = good();
            claims["exp"] = exp.into();
            match iat {
                Some(iat) => claims["iat"] = iat.into(),
                None => {
                    claims.as_object_mut().expect("one").remove("iat");
                }
            }
            check_token(&claims, &expected, NOW).map(str::to_owned)
        };
        assert_eq!(check(1_800_000_300, Some(1_800_000_000)), Ok("ann".into()));
        assert_eq!(
            check(1_800_000_301, Some(1_800_000_000)),
            Err(TokenProblem::LivesTooLong)
        );
        assert_eq!(check(1_800_000_301, None), Err(TokenProblem::LivesTooLong));
    }

    #[test]
    fn codes_differ() {
        let codes: std::collections::HashSet<_> =
            TokenProblem::ALL.iter().map(|p| p.code()).collect();
        assert_eq!(codes.len(), TokenProblem::ALL.len());
    }

    proptest! {
        /// Whatever the claims are, nothing panics, and what is believed is ours and in time.
        #[test]
        fn only_ours_is_believed(
            iss in prop_oneof![Just("https://id.example".to_owned()), "https://[a-z]{0,9}"],
            aud in prop_oneof![Just("hub".to_owned()), "[a-z]{0,4}"],
            exp in 1_799_999_000i64..1_800_001_000, iat in 1_799_999_000f64..1_800_001_000.0, nonce in prop_oneof![Just("n".to_owned()), "[a-z]?"],
        ) {
            let claims = json!({"iss": iss, "aud": aud, "exp": exp, "iat": iat, "nonce": nonce, "sub": "ann"});
            if check_token(&claims, &expected(), NOW).is_ok() {
                prop_assert!(iss == "https://id.example" && aud == "hub" && nonce == "n");
                prop_assert!(exp > NOW.0 / 1000 - 60);
            }
        }
    }
}
