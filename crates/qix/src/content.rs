//! What an app holds beside its data: properties, objects, master items, variables,
//! bookmarks and the load script.
//!
//! The JSON form is stable and meant to be written by hand. An object may be given as a
//! property tree (`{"qProperty": {…}, "qChildren": […]}`) or as its properties with the
//! children inside; it is always written as a tree.

use satchel_base::{SubjectId, UnixMillis};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The properties of something in an app: a JSON object whose members keep their order.
pub type Properties = Map<String, Value>;

/// An app without its data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppContent {
    /// `qTitle`, `description`, `qThumbnail` and whatever else a client stored.
    pub properties: Properties,
    /// The load script.
    pub script: String,
    /// Sheets, charts, stories: the roots, with their children inside.
    pub objects: Vec<ObjectTree>,
    /// Master dimensions (`qInfo`, `qDim`, `qMetaDef`).
    pub dimensions: Vec<Entity>,
    /// Master measures (`qInfo`, `qMeasure`, `qMetaDef`).
    pub measures: Vec<Entity>,
    /// Variables (`qInfo`, `qName`, `qDefinition`, `qComment`).
    pub variables: Vec<Entity>,
    /// Bookmarks with the selections they stand for.
    pub bookmarks: Vec<Bookmark>,
    /// Alternate states beside the default one.
    pub alternate_states: Vec<String>,
}

impl AppContent {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// If `json` is not JSON, or a member has the wrong type; the message says where.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The JSON form, indented for people.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Adds a reader's own bookmarks, as [`crate::Host::keep_bookmarks`] got them. One that
    /// the app has under the same id is replaced.
    ///
    /// # Errors
    /// If `own` is not a JSON list of bookmarks.
    pub fn add_own_bookmarks(&mut self, own: &str) -> Result<(), serde_json::Error> {
        let own: Vec<Bookmark> = serde_json::from_str(own)?;
        self.bookmarks
            .retain(|b| own.iter().all(|o| o.entity.id() != b.entity.id()));
        self.bookmarks.extend(own);
        Ok(())
    }

    /// Drops from every bookmark the fields and values that `engine`'s view does not have, so
    /// that none tells its reader of data they may not see.
    pub fn restrict_bookmarks(&mut self, engine: &satchel_engine::Engine) {
        for bookmark in &mut self.bookmarks {
            bookmark.stored = crate::doc::stored::visible(engine, &bookmark.stored);
        }
    }

    /// The app's title; empty if it has none.
    pub fn title(&self) -> &str {
        self.properties
            .get("qTitle")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Names the app.
    pub fn set_title(&mut self, title: impl Into<String>) {
        self.properties
            .insert("qTitle".to_owned(), Value::String(title.into()));
    }
}

/// Who made something and when, as the hub keeps it. Never set by a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EntityMeta {
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<UnixMillis>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<UnixMillis>,
    /// Whose it is; the app owner's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<SubjectId>,
    /// Visible to all who may open the app.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub published: bool,
    /// Approved as part of the app's base sheets.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub approved: bool,
}

/// Properties with their history. In JSON: the properties, and `qMeta` for the history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entity {
    /// As a client wrote them; `qInfo.qId` is its id.
    pub properties: Properties,
    /// Who and when.
    pub meta: EntityMeta,
}

impl Entity {
    /// `qInfo.qId`; empty if absent.
    pub fn id(&self) -> &str {
        info_member(&self.properties, "qId")
    }

    /// `qInfo.qType`; empty if absent.
    pub fn kind(&self) -> &str {
        info_member(&self.properties, "qType")
    }

    /// Whether every reader of the app may see it: published, or written into the app by hand.
    pub fn is_shared(&self) -> bool {
        self.meta.published || self.meta.owner.is_none()
    }

    fn from_map(mut properties: Properties) -> Result<Self, String> {
        let meta = match properties.shift_remove("qMeta") {
            Some(meta) => serde_json::from_value(meta).map_err(|e| format!("qMeta: {e}"))?,
            None => EntityMeta::default(),
        };
        Ok(Self { properties, meta })
    }

    fn to_map(&self) -> Properties {
        let mut map = self.properties.clone();
        if self.meta != EntityMeta::default()
            && let Ok(meta) = serde_json::to_value(&self.meta)
        {
            map.insert("qMeta".to_owned(), meta);
        }
        map
    }
}

/// A member of `qInfo`; empty if absent.
pub(crate) fn info_member<'a>(properties: &'a Properties, member: &str) -> &'a str {
    properties
        .get("qInfo")
        .and_then(|info| info.get(member))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// An object and its children, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectTree {
    /// The object itself.
    pub object: Entity,
    /// What stands in it.
    pub children: Vec<ObjectTree>,
}

/// A bookmark.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bookmark {
    /// Its properties (`qInfo`, `qMetaDef`, …).
    pub entity: Entity,
    /// What it selects. In JSON the member `selections`.
    pub stored: StoredSelections,
}

/// Selections and variables written down by value, so that they survive a reload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredSelections {
    /// One entry a state with selections; the default state is `$`.
    pub states: Vec<StoredState>,
    /// Definitions of variables, if the bookmark includes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<StoredVariable>,
}

/// The selections of one state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredState {
    /// `$` or an alternate state's name.
    pub state: String,
    /// Fields with selections, in the order they were made.
    pub fields: Vec<StoredField>,
}

/// The selection in one field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredField {
    /// The field's name.
    pub field: String,
    /// The selected values: a JSON number for a value with a number, else its text.
    pub values: Vec<Value>,
    /// Whether the field was locked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
}

/// A variable's definition at the time of the bookmark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredVariable {
    /// Its name.
    pub name: String,
    /// Its definition.
    pub definition: String,
}

impl Bookmark {
    /// Whether `user` made it for themselves: theirs, and not published to other readers.
    pub fn is_own(&self, user: &SubjectId) -> bool {
        !self.entity.meta.published && self.entity.meta.owner.as_ref() == Some(user)
    }

    /// Whether every reader of the app may see it: published, or written into the app by hand.
    pub fn is_shared(&self) -> bool {
        self.entity.is_shared()
    }
}

impl Serialize for Entity {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.to_map().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::from_map(Properties::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Bookmark {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = self.entity.to_map();
        let stored = serde_json::to_value(&self.stored).map_err(serde::ser::Error::custom)?;
        map.insert("selections".to_owned(), stored);
        map.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Bookmark {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let mut map = Properties::deserialize(from)?;
        let stored = match map.shift_remove("selections") {
            Some(stored) => serde_json::from_value(stored).map_err(D::Error::custom)?,
            None => StoredSelections::default(),
        };
        Ok(Self {
            entity: Entity::from_map(map).map_err(D::Error::custom)?,
            stored,
        })
    }
}

impl Serialize for ObjectTree {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Tree<'a> {
            #[serde(rename = "qProperty")]
            object: &'a Entity,
            #[serde(rename = "qChildren")]
            children: &'a [ObjectTree],
        }
        Tree {
            object: &self.object,
            children: &self.children,
        }
        .serialize(to)
    }
}

impl<'de> Deserialize<'de> for ObjectTree {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let mut map = Properties::deserialize(from)?;
        let children = match map.shift_remove("qChildren") {
            Some(children) => serde_json::from_value(children)
                .map_err(|e| D::Error::custom(format!("qChildren: {e}")))?,
            None => Vec::new(),
        };
        let properties = match map.shift_remove("qProperty") {
            Some(Value::Object(properties)) => properties,
            Some(_) => return Err(D::Error::custom("qProperty is not an object")),
            None => map,
        };
        Ok(Self {
            object: Entity::from_map(properties).map_err(D::Error::custom)?,
            children,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_HAND: &str = r#"{
        "properties": {"qTitle": "Sales"},
        "objects": [{
            "qInfo": {"qId": "sheet1", "qType": "sheet"},
            "qMetaDef": {"title": "Overview"},
            "qChildren": [{"qInfo": {"qId": "kpi1", "qType": "kpi"}, "color": {"auto": true}}]
        }],
        "bookmarks": [{
            "qInfo": {"qId": "b1", "qType": "bookmark"},
            "selections": {"states": [{"state": "$", "fields": [{"field": "Year", "values": [2013]}]}]}
        }]
    }"#;

    #[test]
    fn content_written_by_hand_survives_a_round_trip() {
        let content = AppContent::from_json(BY_HAND).unwrap();
        assert_eq!(content.title(), "Sales");
        assert_eq!(content.objects[0].object.kind(), "sheet");
        assert_eq!(content.objects[0].children[0].object.id(), "kpi1");
        assert!(
            !content.objects[0]
                .object
                .properties
                .contains_key("qChildren")
        );
        assert_eq!(
            content.bookmarks[0].stored.states[0].fields[0].field,
            "Year"
        );
        assert!(
            !content.bookmarks[0]
                .entity
                .properties
                .contains_key("selections")
        );
        assert_eq!(AppContent::from_json(&content.to_json()).unwrap(), content);
    }

    #[test]
    fn history_stays_out_of_the_properties() {
        let json =
            r#"{"dimensions":[{"qInfo":{"qId":"d"},"qMeta":{"owner":"D\\ANN","created":5}}]}"#;
        let content = AppContent::from_json(json).unwrap();
        assert!(!content.dimensions[0].properties.contains_key("qMeta"));
        assert_eq!(content.dimensions[0].meta.created, Some(UnixMillis(5)));
        assert_eq!(AppContent::from_json(&content.to_json()).unwrap(), content);
    }
}
