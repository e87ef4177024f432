//! Policy: what administrators let a person's devices do.
//!
//! One definition of every key ([`Key`], [`definition`]) from which everything else is made:
//! reading, merging, the hub's signed document ([`PolicyDocument`]) and the files in
//! `docs/emm/`. Managed configuration of a device and the hub's document are merged by
//! [`Policy::merge`], and a merge never allows more than either of the two.
//!
//! Rules: `docs/formats/policy.md`.

mod keys;
mod value;

use std::collections::BTreeMap;

use satchel_base::{SubjectId, UnixMillis};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use keys::{Definition, Item, Key, Kind, Reach, definition};
pub use value::{PolicyError, Value, parse_version};

/// What one source says; keys it is silent about are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    values: BTreeMap<Key, Value>,
    /// Names this version does not know, to be told to whoever reads the policy.
    unknown: Vec<String>,
}

/// What a hub signs for one person, whole, under the context `satchel policy v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDocument {
    /// The hub's id.
    pub hub: String,
    /// For whom.
    pub user: SubjectId,
    /// When it was signed, by the hub's clock. A device takes no older one than it has.
    pub issued_at: UnixMillis,
    /// What holds.
    pub policy: Policy,
}

impl Policy {
    /// Sets a key.
    ///
    /// # Errors
    /// [`PolicyError`] if the key takes no such value; nothing is changed.
    pub fn set(&mut self, key: Key, value: Value) -> Result<(), PolicyError> {
        let value = value.checked(key)?;
        self.values.insert(key, value);
        Ok(())
    }

    /// Takes back what was set.
    pub fn unset(&mut self, key: Key) {
        self.values.remove(&key);
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What is said about a key, if anything.
    pub fn get(&self, key: Key) -> Option<&Value> {
        self.values.get(&key)
    }

    /// Everything that is said.
    pub fn said(&self) -> impl Iterator<Item = (Key, &Value)> {
        self.values.iter().map(|(key, value)| (*key, value))
    }

    /// Names that this version does not know.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// A switch in force; the built-in value where nothing is said.
    pub fn is_on(&self, key: Key) -> bool {
        match (self.get(key), definition(key).kind) {
            (Some(Value::Switch(on)), _) => *on,
            (_, Kind::Switch { strict }) => !strict,
            _ => false,
        }
    }

    /// A number in force; the built-in value where nothing is said.
    pub fn number(&self, key: Key) -> u32 {
        match (self.get(key), definition(key).kind) {
            (Some(Value::Number(n)), _) => *n,
            (_, Kind::AtMost { built_in, .. } | Kind::AtLeast { built_in, .. }) => built_in,
            _ => 0,
        }
    }

    /// A list; `None` where nothing is said.
    pub fn list(&self, key: Key) -> Option<&[String]> {
        match self.get(key) {
            Some(Value::Texts(texts)) => Some(texts),
            _ => None,
        }
    }

    /// A text; `None` where nothing is said.
    pub fn text(&self, key: Key) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The only hubs that may be used; `None` if any may.
    pub fn only_hubs(&self) -> Option<&[String]> {
        self.is_on(Key::HubsLocked)
            .then(|| self.list(Key::Hubs).unwrap_or_default())
    }

    /// Whether a client of this version may be used.
    pub fn admits_client(&self, version: &str) -> bool {
        let Some(least) = self.text(Key::MinimumClient).and_then(parse_version) else {
            return true;
        };
        parse_version(version).is_some_and(|version| version >= least)
    }

    /// Only what a hub may say: nothing about other hubs, and nothing that makes a device
    /// trust more.
    #[must_use]
    pub fn as_said_by_a_hub(&self) -> Self {
        let of_hub = |key: &Key| definition(*key).reach == Reach::HubToo;
        let values = self.values.iter().filter(|(key, _)| of_hub(key));
        Self {
            values: values.map(|(key, value)| (*key, value.clone())).collect(),
            unknown: Vec::new(),
        }
    }

    /// Both at once: for every key the stricter of the two, lists narrowed to what both have.
    /// Never allows more than either.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let mut merged = self.clone();
        for (key, theirs) in other.said() {
            let value = match self.get(key) {
                Some(ours) => value::stricter(key, ours, theirs),
                None => theirs.clone(),
            };
            merged.values.insert(key, value);
        }
        // Which hubs are allowed follows from two keys.
        let hubs = match (self.only_hubs(), other.only_hubs()) {
            (None, None) => value::united(self.list(Key::Hubs), other.list(Key::Hubs)),
            (Some(only), None) | (None, Some(only)) => Some(only.to_vec()),
            (Some(ours), Some(theirs)) => Some(value::common(ours, theirs)),
        };
        if let Some(hubs) = hubs {
            merged.values.insert(Key::Hubs, Value::Texts(hubs));
        }
        merged.unknown.extend(other.unknown.iter().cloned());
        merged
    }

    /// Whether this allows nothing that `other` does not: the order in which a merge goes down.
    pub fn is_within(&self, other: &Self) -> bool {
        let hubs = match (self.only_hubs(), other.only_hubs()) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(ours), Some(theirs)) => ours.iter().all(|hub| theirs.contains(hub)),
        };
        hubs && other
            .said()
            .all(|(key, theirs)| match (key, self.get(key)) {
                (Key::Hubs | Key::HubsLocked | Key::LaunchApp, _) => true,
                (_, None) => false,
                (_, Some(ours)) => value::is_within(key, ours, theirs),
            })
    }
}

/// Several sources, merged, and which of them decided what.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    /// What holds.
    pub policy: Policy,
    sources: Vec<(String, Policy)>,
}

impl Effective {
    /// Merges sources, each with the name people know it by.
    pub fn of(sources: Vec<(String, Policy)>) -> Self {
        let mut policy = Policy::default();
        for (_, said) in &sources {
            policy = policy.merge(said);
        }
        Self { policy, sources }
    }

    /// The sources that say what holds for a key; where none of them alone does, all that
    /// speak about it; empty where the built-in value holds.
    pub fn decided_by(&self, key: Key) -> Vec<&str> {
        let holds = self.policy.get(key);
        let speaking = || {
            self.sources
                .iter()
                .filter(|(_, said)| said.get(key).is_some())
        };
        let deciding: Vec<&str> = speaking()
            .filter(|(_, said)| said.get(key) == holds)
            .map(|(name, _)| name.as_str())
            .collect();
        if deciding.is_empty() {
            return speaking().map(|(name, _)| name.as_str()).collect();
        }
        deciding
    }

    /// The value in force as people read it.
    pub fn shown(&self, key: Key) -> String {
        match self.policy.get(key) {
            Some(value) => value.shown(),
            None => definition(key).built_in_shown(),
        }
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (key, value) in &self.values {
            map.serialize_entry(definition(*key).name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Policy;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with the keys of a policy")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Policy, A::Error> {
                let mut policy = Policy::default();
                while let Some(name) = map.next_key::<String>()? {
                    match Key::named(&name) {
                        Some(key) if policy.get(key).is_some() => {
                            return Err(A::Error::custom(format!("{name} is there twice")));
                        }
                        Some(key) => {
                            let value: Value = map.next_value()?;
                            policy.set(key, value).map_err(A::Error::custom)?;
                        }
                        None => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                            policy.unknown.push(name);
                        }
                    }
                }
                Ok(policy)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
