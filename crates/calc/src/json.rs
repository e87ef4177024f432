//! JSON texts, for `JsonGet` and its kin. The names in an object keep their order.

use std::fmt;

use satchel_data::Value;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;

/// The longest text that is read: 16 MiB, as for texts that functions make.
const MAX_TEXT: usize = 16 << 20;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text; `None` if it is no JSON.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// The value as JSON.
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The value as a value of an expression: lists and objects as JSON.
    pub fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::text(truth.to_string()),
            Self::Number(number) => number
                .as_f64()
                .map_or(Value::Null, |num| Value::dual(num, number.to_string())),
            Self::Text(text) => Value::text(text.as_str()),
            Self::List(_) | Self::Object(_) => Value::text(self.write()),
        }
    }

    /// Whether the value is of a kind, by its name without regard to case.
    pub fn is(&self, kind: &str) -> bool {
        match kind.to_lowercase().as_str() {
            "value" => true,
            "null" => matches!(self, Self::Null),
            "boolean" => matches!(self, Self::Bool(_)),
            "number" => matches!(self, Self::Number(_)),
            "string" => matches!(self, Self::Text(_)),
            "array" => matches!(self, Self::List(_)),
            "object" => matches!(self, Self::Object(_)),
            _ => false,
        }
    }

    /// The part at a path (RFC 6901): `/a/0`; an empty path is the whole.
    pub fn at(&self, path: &str) -> Option<&Self> {
        steps(path)?.iter().try_fold(self, |at, step| match at {
            Self::Object(parts) => parts.iter().find(|(name, _)| name == step).map(|p| &p.1),
            Self::List(parts) => parts.get(index(step)?),
            _ => None,
        })
    }

    /// Puts a value at a path: in the place of what is there, as a new name of an object, or
    /// after the last part of a list (`-` or its length). `None` if the path leads nowhere.
    pub fn set(&mut self, path: &str, value: Self) -> Option<()> {
        let steps = steps(path)?;
        let mut at = self;
        for step in &steps {
            at = match at {
                Self::Object(parts) => {
                    let place = parts.iter().position(|(name, _)| name == step);
                    let place = place.unwrap_or_else(|| {
                        parts.push((step.clone(), Self::Null));
                        parts.len() - 1
                    });
                    &mut parts[place].1
                }
                Self::List(parts) => {
                    let place = if step == "-" {
                        parts.len()
                    } else {
                        index(step)?
                    };
                    if place == parts.len() {
                        parts.push(Self::Null);
                    }
                    parts.get_mut(place)?
                }
                _ => return None,
            };
        }
        *at = value;
        Some(())
    }
}

/// The steps of a path, with `~1` for `/` and `~0` for `~`.
fn steps(path: &str) -> Option<Vec<String>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let steps = path.strip_prefix('/')?.split('/');
    Some(
        steps
            .map(|step| step.replace("~1", "/").replace("~0", "~"))
            .collect(),
    )
}

fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with('0') && step.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| step.parse().ok())?
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(part) = parts.next_element()? {
            list.push(part);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(part) = parts.next_entry()? {
            object.push(part);
        }
        Ok(Json::Object(object))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(parts) => serializer.collect_seq(parts),
            Self::Object(parts) => {
                let mut map = serializer.serialize_map(Some(parts.len()))?;
                for (name, part) in parts {
                    map.serialize_entry(name, part)?;
                }
                map.end()
            }
        }
    }
}
