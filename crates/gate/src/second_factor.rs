//! The second factor beside a password: codes of an authenticator app (TOTP), and recovery
//! codes for the day the phone is gone.
//!
//! Codes are those every app makes: RFC 6238 with SHA-1, six digits and thirty seconds. A code
//! counts from one step before its own to one after it, and once: the store keeps the step of
//! the last code that was taken, and only a later one is taken next (RFC 6238 §5.2).

use satchel_base::UnixMillis;
use totp_rs::{Algorithm, Builder, Secret};

/// Bytes of a secret: 160 bits, as RFC 4226 §4 recommends.
pub const CODE_SECRET_BYTES: usize = 20;

/// Bytes of a recovery code: 80 bits, so that its plain hash may be kept.
pub const RECOVERY_BYTES: usize = 10;

/// Recovery codes a person gets at a time.
pub const N_RECOVERY_CODES: usize = 10;

const STEP_SECONDS: u64 = 30;
const RECOVERY_CHARS: usize = 16;

/// What somebody typed where a code is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// Six digits: a code of the app.
    App(String),
    /// A recovery code, as [`spell_recovery`] made it but for case, blanks and hyphens; here in
    /// the form to compare.
    Recovery(String),
}

/// Reads what was typed; none if it can be no code at all.
pub fn typed(text: &str) -> Option<Typed> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let is_base32 = |c: char| matches!(c, 'A'..='Z' | '2'..='7');
    if plain.len() == 6 && plain.bytes().all(|b| b.is_ascii_digit()) {
        Some(Typed::App(plain))
    } else if plain.len() == RECOVERY_CHARS && plain.chars().all(is_base32) {
        Some(Typed::Recovery(plain))
    } else {
        None
    }
}

/// The step whose code this is, of those that count at `now`; none if the code is wrong. The
/// caller takes it only if it is later than the last one taken.
pub fn matching_step(secret: &[u8], code: &str, now: UnixMillis) -> Option<u64> {
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(STEP_SECONDS)
        .with_secret(secret.to_vec())
        .build()
        .ok()?;
    let seconds = u64::try_from(now.0).ok()? / 1000;
    totp.check(code, seconds)
}

/// A secret as people type it into an app: base32, without blanks.
pub fn spell_secret(secret: &[u8]) -> String {
    Secret::new(secret.into()).to_base32()
}

/// A recovery code as people write it down: `ABCD-EFGH-2345-WXYZ`.
pub fn spell_recovery(bytes: [u8; RECOVERY_BYTES]) -> String {
    let plain = Secret::new(bytes.into()).to_base32();
    let parts: Vec<&str> = (0..RECOVERY_CHARS / 4)
        .filter_map(|i| plain.get(i * 4..i * 4 + 4))
        .collect();
    parts.join("-")
}

/// What the QR code says: the secret, whose it is and for which hub.
pub fn enrolment_uri(hub: &str, user: &str, secret: &[u8]) -> String {
    let (hub, user) = (percent_encoded(hub), percent_encoded(user));
    let secret = spell_secret(secret);
    format!("otpauth://totp/{hub}:{user}?secret={secret}&issuer={hub}")
}

/// As a part of an address; apps do not take `+` for a blank.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret and the codes of RFC 6238, appendix B, cut to six digits.
    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> UnixMillis {
        UnixMillis(seconds * 1000)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = u64::try_from(seconds / 30).unwrap();
            assert_eq!(matching_step(SECRET, code, at(seconds)), Some(step));
        }
    }

    // threat: T-34
    #[test]
    fn a_code_counts_for_its_step_and_the_ones_beside_it() {
        let step = 1_234_567_890 / 30;
        let matches = |steps: i64| matching_step(SECRET, "005924", at((step + steps) * 30));
        assert_eq!(matches(-2), None);
        for beside in [-1, 0, 1] {
            assert_eq!(matches(beside), u64::try_from(step).ok());
        }
        assert_eq!(matches(2), None);
        for wrong in ["005925", "", "5924", "00592４", "0059241"] {
            assert_eq!(matching_step(SECRET, wrong, at(step * 30)), None, "{wrong}");
        }
        assert_eq!(matching_step(b"", "005924", at(step * 30)), None);
        assert_eq!(matching_step(SECRET, "005924", UnixMillis(-1)), None);
    }

    #[test]
    fn what_was_typed_is_read_as_people_type_it() {
        assert_eq!(typed(" 005 924 "), Some(Typed::App("005924".into())));
        let code = spell_recovery([7; RECOVERY_BYTES]);
        assert_eq!(code.len(), RECOVERY_CHARS + 3);
        let plain = Typed::Recovery(code.replace('-', ""));
        assert_eq!(typed(&code), Some(plain.clone()));
        assert_eq!(typed(&code.to_lowercase().replace('-', " ")), Some(plain));
        for not in [
            "",
            "12345",
            "1234567",
            "ABCD-EFGH-2345-WXY1",
            "ÄBCDEFGH2345WXYZ",
            "٠٠٥٩٢٤",
        ] {
            assert_eq!(typed(not), None, "{not}");
        }
    }

    #[test]
    fn the_uri_names_hub_and_person() {
        assert_eq!(
            enrolment_uri("Demo hub", "DEMO\\ANN", SECRET),
            "otpauth://totp/Demo%20hub:DEMO%5CANN?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Demo%20hub"
        );
    }
}
