//! Every key of a policy: its name, what it takes, and where it is enforced. The one
//! definition; what EMM consoles import is written from it (`cargo xtask emm`).

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Key {
    /// `hubs`
    Hubs,
    /// `hubs_locked`
    HubsLocked,
    /// `ca_certificates`
    CaCertificates,
    /// `certificate_pins`
    CertificatePins,
    /// `common_name_hosts`
    CommonNameHosts,
    /// `require_mutual_tls`
    RequireMutualTls,
    /// `require_lock`
    RequireLock,
    /// `allow_biometric`
    AllowBiometric,
    /// `pin_length`
    PinLength,
    /// `pin_tries`
    PinTries,
    /// `idle_minutes`
    IdleMinutes,
    /// `max_offline_hours`
    MaxOfflineHours,
    /// `allow_downloads`
    AllowDownloads,
    /// `allow_remember`
    AllowRemember,
    /// `allow_export`
    AllowExport,
    /// `wifi_only`
    WifiOnly,
    /// `minimum_client`
    MinimumClient,
    /// `log_level`
    LogLevel,
    /// `launch_app`
    LaunchApp,
}

/// What a key takes, and which of two values is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `true` or `false`; the built-in value is the other than `strict`.
    Switch {
        /// The value that allows less.
        strict: bool,
    },
    /// A number that limits: the lower is the stricter.
    AtMost {
        /// Least that is taken.
        least: u32,
        /// Most that is taken.
        most: u32,
        /// What holds where nobody says anything.
        built_in: u32,
    },
    /// A number that demands: the higher is the stricter.
    AtLeast {
        /// Least that is taken.
        least: u32,
        /// Most that is taken.
        most: u32,
        /// What holds where nobody says anything.
        built_in: u32,
    },
    /// `1.2.3`; the higher is the stricter.
    Version,
    /// One of `error`, `warn`, `info`, `debug`, `trace`; the quieter is the stricter.
    LogLevel,
    /// A title or id. Two sources do not narrow each other: the first one counts.
    Name,
    /// Texts; of two lists only what is in both counts.
    List(Item),
}

/// What is in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// `https://host[:port]`, lower case.
    Hub,
    /// A host name, lower case.
    Host,
    /// A certificate in PEM.
    Certificate,
    /// SHA-256 of a certificate's public key (SubjectPublicKeyInfo), 64 hexadecimal digits.
    Pin,
}

/// Who may say something about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A hub, for its own person, and managed configuration.
    HubToo,
    /// Managed configuration alone: it is about other hubs, or about whom a device trusts.
    ManagedOnly,
}

/// A key, as it is explained to administrators.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// The key.
    pub key: Key,
    /// Its name in every file.
    pub name: &'static str,
    /// A few words, for a console's list.
    pub title: &'static str,
    /// What it does, in sentences.
    pub about: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Who may say something about it.
    pub reach: Reach,
    /// How the client on a computer keeps to it; honest where it does not.
    pub native: &'static str,
}

/// Log levels, the quietest first.
pub(super) const LOG_LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

use Reach::{HubToo, ManagedOnly};

const fn key(
    key: Key,
    name: &'static str,
    kind: Kind,
    reach: Reach,
    (title, about, native): (&'static str, &'static str, &'static str),
) -> Definition {
    Definition {
        key,
        name,
        title,
        about,
        kind,
        reach,
        native,
    }
}

const fn switch(strict: bool) -> Kind {
    Kind::Switch { strict }
}

/// In the order of [`Key`].
const DEFINITIONS: [Definition; 19] = [
    key(
        Key::Hubs,
        "hubs",
        Kind::List(Item::Hub),
        ManagedOnly,
        (
            "Hubs",
            "Hubs that are in the person's list from the start.",
            "Enforced.",
        ),
    ),
    key(
        Key::HubsLocked,
        "hubs_locked",
        switch(true),
        ManagedOnly,
        (
            "Only these hubs",
            "No hub but the listed ones may be added or used.",
            "Enforced.",
        ),
    ),
    key(
        Key::CaCertificates,
        "ca_certificates",
        Kind::List(Item::Certificate),
        ManagedOnly,
        (
            "CA certificates",
            "Authorities that hubs' certificates may be signed by, beside those of the system.",
            "Enforced; every other check of a certificate stays.",
        ),
    ),
    key(
        Key::CertificatePins,
        "certificate_pins",
        Kind::List(Item::Pin),
        ManagedOnly,
        (
            "Certificate pins",
            "A hub's chain must hold one of these public keys.",
            "Enforced on the chain the hub sends.",
        ),
    ),
    key(
        Key::CommonNameHosts,
        "common_name_hosts",
        Kind::List(Item::Host),
        ManagedOnly,
        (
            "Hosts with a common name only",
            "Legacy hubs whose certificate names them in its common name alone.",
            "Not there yet: such certificates are refused, whatever this list says.",
        ),
    ),
    key(
        Key::RequireMutualTls,
        "require_mutual_tls",
        switch(true),
        ManagedOnly,
        (
            "Require a client certificate",
            "The device must show a certificate of its own to the hub.",
            "This client cannot show one yet, and so refuses to connect.",
        ),
    ),
    key(
        Key::RequireLock,
        "require_lock",
        switch(true),
        HubToo,
        (
            "Require a lock",
            "Downloads open only on a device that is locked by a PIN or passkey.",
            "Enforced: without a PIN nothing is downloaded or opened.",
        ),
    ),
    key(
        Key::AllowBiometric,
        "allow_biometric",
        switch(false),
        HubToo,
        (
            "Allow biometric unlocking",
            "Whether a fingerprint or face may stand for the PIN.",
            "Nothing to forbid: this client unlocks by PIN only.",
        ),
    ),
    key(
        Key::PinLength,
        "pin_length",
        Kind::AtLeast {
            least: 4,
            most: 64,
            built_in: 4,
        },
        HubToo,
        (
            "Least PIN length",
            "Characters a PIN must have.",
            "Enforced: a shorter PIN opens nothing until it is changed.",
        ),
    ),
    key(
        Key::PinTries,
        "pin_tries",
        Kind::AtMost {
            least: 3,
            most: 10,
            built_in: 10,
        },
        HubToo,
        (
            "PIN tries",
            "Wrong PINs in a row after which the vault is destroyed.",
            "Enforced.",
        ),
    ),
    key(
        Key::IdleMinutes,
        "idle_minutes",
        Kind::AtMost {
            least: 1,
            most: 60,
            built_in: 15,
        },
        HubToo,
        (
            "Idle minutes",
            "Minutes without use after which the device locks.",
            "Enforced where there is a PIN.",
        ),
    ),
    key(
        Key::MaxOfflineHours,
        "max_offline_hours",
        Kind::AtMost {
            least: 0,
            most: 240,
            built_in: 240,
        },
        HubToo,
        (
            "Longest time offline",
            "Hours a download opens without contact to the hub; 0 forbids it.",
            "Enforced.",
        ),
    ),
    key(
        Key::AllowDownloads,
        "allow_downloads",
        switch(false),
        HubToo,
        (
            "Allow downloads",
            "Whether apps may be downloaded and opened from the device.",
            "Enforced.",
        ),
    ),
    key(
        Key::AllowRemember,
        "allow_remember",
        switch(false),
        HubToo,
        (
            "Allow remembering credentials",
            "Whether the device may sign in again by itself.",
            "Enforced.",
        ),
    ),
    key(
        Key::AllowExport,
        "allow_export",
        switch(false),
        HubToo,
        (
            "Allow sharing and exporting",
            "Whether data and pictures of charts may be taken out of an app.",
            "Enforced on the hub's exports; this client has none of its own, but what a person sees they can copy.",
        ),
    ),
    key(
        Key::WifiOnly,
        "wifi_only",
        switch(true),
        HubToo,
        (
            "Download over Wi-Fi only",
            "Whether mobile networks are left alone.",
            "Not enforced: a computer does not say reliably what its connection costs.",
        ),
    ),
    key(
        Key::MinimumClient,
        "minimum_client",
        Kind::Version,
        HubToo,
        (
            "Least version of the client",
            "Older clients must be updated before they can be used.",
            "Enforced, by the hub as well.",
        ),
    ),
    key(
        Key::LogLevel,
        "log_level",
        Kind::LogLevel,
        HubToo,
        (
            "Log level",
            "How much the client may log.",
            "Nothing to limit: this client keeps no log.",
        ),
    ),
    key(
        Key::LaunchApp,
        "launch_app",
        Kind::Name,
        HubToo,
        (
            "App to begin with",
            "Title or id of the app that opens at the start.",
            "`satchel open` without a name opens it.",
        ),
    ),
];

/// What there is to know about a key.
pub fn definition(key: Key) -> &'static Definition {
    &DEFINITIONS[key as usize]
}

impl Key {
    /// Every key, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        DEFINITIONS.iter().map(|definition| definition.key)
    }

    /// The key of that name.
    pub fn named(name: &str) -> Option<Self> {
        let found = DEFINITIONS
            .iter()
            .find(|definition| definition.name == name);
        found.map(|definition| definition.key)
    }
}

impl Kind {
    /// What it takes, to go on after "takes".
    pub fn takes(self) -> String {
        match self {
            Self::Switch { .. } => "true or false".to_owned(),
            Self::AtMost { least, most, .. } | Self::AtLeast { least, most, .. } => {
                format!("a whole number from {least} to {most}")
            }
            Self::Version => "a version such as 1.2.3".to_owned(),
            Self::LogLevel => format!("one of {}", LOG_LEVELS.join(", ")),
            Self::Name => "a title or id of at most 200 characters".to_owned(),
            Self::List(Item::Hub) => {
                "a list of addresses such as https://hub.example.org, in lower case".to_owned()
            }
            Self::List(Item::Host) => "a list of host names in lower case".to_owned(),
            Self::List(Item::Certificate) => "a list of certificates in PEM".to_owned(),
            Self::List(Item::Pin) => {
                "a list of SHA-256 of public keys, 64 hexadecimal digits each, in lower case"
                    .to_owned()
            }
        }
    }
}

impl Definition {
    /// What holds where nobody says anything, as people read it.
    pub fn built_in_shown(&self) -> String {
        match self.kind {
            Kind::Switch { strict } => if strict { "off" } else { "on" }.to_owned(),
            Kind::AtMost { built_in, .. } | Kind::AtLeast { built_in, .. } => built_in.to_string(),
            _ => "–".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_at_its_place_and_has_a_name_of_its_own() {
        let mut names: Vec<_> = DEFINITIONS.iter().map(|d| d.name).collect();
        for (at, definition) in DEFINITIONS.iter().enumerate() {
            assert_eq!(definition.key as usize, at, "{}", definition.name);
            assert_eq!(Key::named(definition.name), Some(definition.key));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DEFINITIONS.len());
    }
}
