//! Results and failures, as text or JSON.

use satchel_contract::ApiError;
use satchel_device::{DeviceError, StorageError, VaultError};
use serde_json::{Value, json};

/// What a command has to say.
pub struct Output {
    /// For people; without a final line break.
    pub text: String,
    /// For programs; null if there is nothing to say.
    pub json: Value,
}

impl Output {
    /// Of a command that said everything while it ran.
    pub fn nothing() -> Self {
        Self {
            text: String::new(),
            json: Value::Null,
        }
    }

    /// Prints it on standard output.
    pub fn print(&self, json: bool) {
        if json {
            if !self.json.is_null() {
                println!("{}", self.json);
            }
        } else if !self.text.is_empty() {
            println!("{}", self.text);
        }
    }
}

/// Why a command ended without doing what was asked.
#[derive(Debug)]
pub struct Failure(pub ApiError);

impl Failure {
    /// A failure of the command line itself.
    pub fn new(code: &str, message: impl Into<String>, next: &str) -> Self {
        Self(ApiError {
            code: code.to_owned(),
            message: message.into(),
            next: next.to_owned(),
        })
    }

    /// Prints it on standard error.
    pub fn print(&self, json: bool) {
        let error = &self.0;
        if json {
            eprintln!("{}", json!({ "error": error }));
            return;
        }
        eprintln!("{}", sentence(&error.message));
        if !error.next.is_empty() {
            eprintln!("{}", error.next);
        }
        eprintln!("[{}]", error.code);
    }
}

/// Messages are lower case and without a full stop; people read sentences. Addresses at the
/// start and drawings of where in a text the mistake is stay as they are.
fn sentence(message: &str) -> String {
    if message.contains('\n') {
        return message.to_owned();
    }
    let begins_with_address = message.split(' ').next().is_some_and(|w| w.contains("://"));
    let mut chars = message.chars();
    let mut text = String::new();
    if !begins_with_address {
        text.extend(chars.next().into_iter().flat_map(char::to_uppercase));
    }
    text.extend(chars);
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        let mut explained = error.explain();
        if matches!(&error, DeviceError::NoSuchHub { url } if url == "-") {
            "no hub has been added on this device yet".clone_into(&mut explained.message);
        }
        // What the hub cannot know: the command that does it.
        let command = match explained.code.as_str() {
            "hub.unknown" => Some("Add the hub first: satchel hub add URL --ca FILE"),
            "auth.not_signed_in" | "lease.not_signed_in" | "session.required" => {
                Some("Sign in: satchel sign-in")
            }
            "lease.expired" | "lease.not_launched_in_time" => Some(
                "Sign in at the hub again: satchel sign-in. Your downloads are kept and open at once afterwards.",
            ),
            "device.revoked" => Some(
                "Its downloads from this hub are gone from it; if you are told that you may, enrol it again: satchel sign-in",
            ),
            "vault.locked" => Some("Unlock with your PIN: satchel unlock"),
            "app.ambiguous" => Some("Give the whole title, or one of these ids."),
            "app.not_downloaded" => {
                Some("Download it while you are connected: satchel download APP")
            }
            _ => None,
        };
        if let Some(command) = command {
            explained.next = command.to_owned();
        }
        Self(explained)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        DeviceError::from(error).into()
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        DeviceError::from(error).into()
    }
}

/// `9 days 3 hours`, `2 hours 5 minutes`, `less than a minute`.
pub fn duration_text(millis: i64) -> String {
    let minutes = millis / 60_000;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let unit = |n: i64, name: &str| format!("{n} {name}{}", if n == 1 { "" } else { "s" });
    match (days, hours, rest) {
        (0, 0, 0) => "less than a minute".into(),
        (0, 0, m) => unit(m, "minute"),
        (0, h, m) => format!("{} {}", unit(h, "hour"), unit(m, "minute")),
        (d, h, _) => format!("{} {}", unit(d, "day"), unit(h, "hour")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(duration_text(240 * 3_600_000), "10 days 0 hours");
        assert_eq!(duration_text(90_000_000), "1 day 1 hour");
        assert_eq!(duration_text(3_661_000), "1 hour 1 minute");
        assert_eq!(duration_text(59_999), "less than a minute");
    }

    #[test]
    fn messages_become_sentences() {
        assert_eq!(sentence("the PIN is wrong"), "The PIN is wrong.");
        assert_eq!(
            sentence("https://hub.example does not answer"),
            "https://hub.example does not answer."
        );
        assert_eq!(sentence("error\n  ^^^"), "error\n  ^^^");
    }
}
