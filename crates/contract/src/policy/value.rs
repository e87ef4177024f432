//! Values of policy keys: which are taken, and which of two is the stricter.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::keys::{Item, Key, Kind, LOG_LEVELS, definition};

/// A value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A number.
    Number(u32),
    /// A text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
}

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The key's name.
    pub key: &'static str,
    /// What it takes.
    pub takes: String,
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} takes {}", self.key, self.takes)
    }
}

impl std::error::Error for PolicyError {}

impl Value {
    /// The value, if the key takes it; lists lose what is there twice.
    pub(super) fn checked(self, key: Key) -> Result<Self, PolicyError> {
        let definition = definition(key);
        let refused = || PolicyError {
            key: definition.name,
            takes: definition.kind.takes(),
        };
        match (definition.kind, self) {
            (Kind::Switch { .. }, Self::Switch(on)) => Ok(Self::Switch(on)),
            (
                Kind::AtMost { least, most, .. } | Kind::AtLeast { least, most, .. },
                Self::Number(n),
            ) if (least..=most).contains(&n) => Ok(Self::Number(n)),
            (Kind::Version, Self::Text(text)) if parse_version(&text).is_some() => {
                Ok(Self::Text(text))
            }
            (Kind::LogLevel, Self::Text(text)) if LOG_LEVELS.contains(&text.as_str()) => {
                Ok(Self::Text(text))
            }
            (Kind::Name, Self::Text(text)) if (1..=200).contains(&text.chars().count()) => {
                Ok(Self::Text(text))
            }
            (Kind::List(item), Self::Texts(texts)) if texts.iter().all(|text| item.takes(text)) => {
                Ok(Self::Texts(united(Some(&texts), None).unwrap_or_default()))
            }
            _ => Err(refused()),
        }
    }

    /// A value as typed after `NAME=`: lists are divided by commas, certificates cannot be
    /// typed.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn typed(key: Key, text: &str) -> Result<Self, PolicyError> {
        let definition = definition(key);
        let value = match definition.kind {
            Kind::Switch { .. } => match text {
                "on" | "true" => Some(Self::Switch(true)),
                "off" | "false" => Some(Self::Switch(false)),
                _ => None,
            },
            Kind::AtMost { .. } | Kind::AtLeast { .. } => text.parse().ok().map(Self::Number),
            Kind::Version | Kind::LogLevel | Kind::Name => Some(Self::Text(text.to_owned())),
            Kind::List(_) => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                Some(Self::Texts(items.map(str::to_owned).collect()))
            }
        };
        let refused = || PolicyError {
            key: definition.name,
            takes: definition.kind.takes(),
        };
        value.ok_or_else(refused)?.checked(key)
    }

    /// As people read it; certificates are counted.
    pub fn shown(&self) -> String {
        match self {
            Self::Switch(true) => "on".to_owned(),
            Self::Switch(false) => "off".to_owned(),
            Self::Number(n) => n.to_string(),
            Self::Text(text) => text.clone(),
            Self::Texts(texts) if texts.is_empty() => "none".to_owned(),
            Self::Texts(texts) if texts.iter().any(|text| text.contains("-----BEGIN")) => {
                format!("{} certificates", texts.len())
            }
            Self::Texts(texts) => texts.join(", "),
        }
    }
}

/// The stricter of two values of a key. Hubs are merged with their lock, not here.
pub(super) fn stricter(key: Key, ours: &Value, theirs: &Value) -> Value {
    let is_ours = match (definition(key).kind, ours, theirs) {
        (Kind::Switch { strict }, Value::Switch(ours), _) => *ours == strict,
        (Kind::AtMost { .. }, Value::Number(ours), Value::Number(theirs)) => ours <= theirs,
        (Kind::AtLeast { .. }, Value::Number(ours), Value::Number(theirs)) => ours >= theirs,
        (Kind::Version, Value::Text(ours), Value::Text(theirs)) => {
            parse_version(ours) >= parse_version(theirs)
        }
        (Kind::LogLevel, Value::Text(ours), Value::Text(theirs)) => level(ours) <= level(theirs),
        (Kind::List(_), Value::Texts(ours), Value::Texts(theirs)) => {
            return Value::Texts(common(ours, theirs));
        }
        // A name is no matter of strictness: the first source that has one gives it.
        _ => true,
    };
    if is_ours {
        ours.clone()
    } else {
        theirs.clone()
    }
}

/// Whether `ours` allows nothing that `theirs` does not.
pub(super) fn is_within(key: Key, ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Texts(ours), Value::Texts(theirs)) => ours.iter().all(|text| theirs.contains(text)),
        (Value::Text(a), Value::Text(b)) if definition(key).kind == Kind::Version => {
            parse_version(a) >= parse_version(b)
        }
        (ours, theirs) => ours == &stricter(key, ours, theirs),
    }
}

/// What is in both, in the order of the first.
pub(super) fn common(ours: &[String], theirs: &[String]) -> Vec<String> {
    let both = ours.iter().filter(|text| theirs.contains(text));
    both.cloned().collect()
}

/// What is in either, each once; `None` if both are silent.
pub(super) fn united(ours: Option<&[String]>, theirs: Option<&[String]>) -> Option<Vec<String>> {
    if ours.is_none() && theirs.is_none() {
        return None;
    }
    let mut all: Vec<String> = Vec::new();
    for text in ours.into_iter().chain(theirs).flatten() {
        if !all.contains(text) {
            all.push(text.clone());
        }
    }
    Some(all)
}

fn level(text: &str) -> usize {
    let at = LOG_LEVELS.iter().position(|level| *level == text);
    at.unwrap_or(0)
}

/// `1.2.3` as numbers; missing parts are 0. `None` if it is no version.
pub fn parse_version(text: &str) -> Option<[u32; 3]> {
    let mut version = [0; 3];
    let mut parts = text.split('.');
    for part in &mut version {
        let Some(digits) = parts.next() else { break };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *part = digits.parse().ok()?;
    }
    parts.next().is_none().then_some(version)
}

impl Item {
    /// Whether a text is such an item.
    pub fn takes(self, text: &str) -> bool {
        match self {
            Self::Hub => {
                let rest = text.strip_prefix("https://").unwrap_or_default();
                let plain =
                    |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
                (1..=260).contains(&rest.len())
                    && !rest.starts_with(':')
                    && !rest.ends_with(':')
                    && rest.chars().all(plain)
            }
            Self::Host => {
                let plain =
                    |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
                (1..=253).contains(&text.len()) && text.chars().all(plain)
            }
            Self::Certificate => {
                text.trim_start().starts_with("-----BEGIN CERTIFICATE-----")
                    && text.trim_end().ends_with("-----END CERTIFICATE-----")
            }
            Self::Pin => {
                text.len() == 64
                    && text
                        .bytes()
                        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            }
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Switch(on) => serializer.serialize_bool(*on),
            Self::Number(n) => serializer.serialize_u32(*n),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Texts(texts) => texts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Any {
            Switch(bool),
            Number(u32),
            Text(String),
            Texts(Vec<String>),
        }
        Ok(match Any::deserialize(deserializer)? {
            Any::Switch(on) => Self::Switch(on),
            Any::Number(n) => Self::Number(n),
            Any::Text(text) => Self::Text(text),
            Any::Texts(texts) => Self::Texts(texts),
        })
    }
}
