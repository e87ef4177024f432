//! Master dimensions and measures, variables and bookmarks of an app.

use rustc_hash::FxHashSet;

use crate::content::{Bookmark, Entity, StoredSelections};
use crate::doc::objects::set_id;

/// All of them, each kind in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items {
    pub dimensions: Vec<Entity>,
    pub measures: Vec<Entity>,
    pub variables: Vec<Entity>,
    bookmarks: Vec<Entity>,
    /// By position, what each bookmark selects.
    stored: Vec<StoredSelections>,
    /// Ids of variables and names of states that belong to the session.
    session: FxHashSet<String>,
    /// The active field of cyclic and drill-down master dimensions, by id.
    pub active: rustc_hash::FxHashMap<String, usize>,
}

/// The kinds of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Dimension,
    Measure,
    Variable,
    Bookmark,
}

impl Items {
    pub fn new(
        dimensions: Vec<Entity>,
        measures: Vec<Entity>,
        variables: Vec<Entity>,
        bookmarks: Vec<Bookmark>,
    ) -> Self {
        let (bookmarks, stored) = bookmarks.into_iter().map(|b| (b.entity, b.stored)).unzip();
        let mut items = Self {
            dimensions,
            measures,
            variables,
            bookmarks,
            stored,
            ..Self::default()
        };
        for (kind, word) in [
            (Kind::Dimension, "dimension"),
            (Kind::Measure, "measure"),
            (Kind::Variable, "variable"),
            (Kind::Bookmark, "bookmark"),
        ] {
            for (i, entity) in items.list_mut(kind).iter_mut().enumerate() {
                if entity.id().is_empty() {
                    set_id(&mut entity.properties, &format!("{word}-{}", i + 1));
                }
            }
        }
        items
    }

    pub fn list(&self, kind: Kind) -> &[Entity] {
        match kind {
            Kind::Dimension => &self.dimensions,
            Kind::Measure => &self.measures,
            Kind::Variable => &self.variables,
            Kind::Bookmark => &self.bookmarks,
        }
    }

    fn list_mut(&mut self, kind: Kind) -> &mut Vec<Entity> {
        match kind {
            Kind::Dimension => &mut self.dimensions,
            Kind::Measure => &mut self.measures,
            Kind::Variable => &mut self.variables,
            Kind::Bookmark => &mut self.bookmarks,
        }
    }

    pub fn get(&self, kind: Kind, id: &str) -> Option<&Entity> {
        self.list(kind).iter().find(|e| e.id() == id)
    }

    pub fn get_mut(&mut self, kind: Kind, id: &str) -> Option<&mut Entity> {
        self.list_mut(kind).iter_mut().find(|e| e.id() == id)
    }

    /// Adds an item whose id is new.
    pub fn add(&mut self, kind: Kind, entity: Entity) {
        self.list_mut(kind).push(entity);
        if kind == Kind::Bookmark {
            self.stored.push(StoredSelections::default());
        }
    }

    /// Removes an item. Whether it was there.
    pub fn remove(&mut self, kind: Kind, id: &str) -> bool {
        let list = self.list_mut(kind);
        let Some(at) = list.iter().position(|e| e.id() == id) else {
            return false;
        };
        list.remove(at);
        if kind == Kind::Bookmark {
            self.stored.remove(at);
        }
        self.session.remove(id);
        true
    }

    /// What a bookmark selects.
    pub fn stored(&self, id: &str) -> Option<&StoredSelections> {
        let at = self.bookmarks.iter().position(|e| e.id() == id)?;
        self.stored.get(at)
    }

    /// Sets what a bookmark selects.
    pub fn set_stored(&mut self, id: &str, stored: StoredSelections) {
        if let Some(at) = self.bookmarks.iter().position(|e| e.id() == id)
            && let Some(slot) = self.stored.get_mut(at)
        {
            *slot = stored;
        }
    }

    pub fn bookmarks(&self) -> Vec<Bookmark> {
        self.bookmarks
            .iter()
            .zip(&self.stored)
            .map(|(entity, stored)| Bookmark {
                entity: entity.clone(),
                stored: stored.clone(),
            })
            .collect()
    }

    /// The variable called `name`.
    pub fn variable(&self, name: &str) -> Option<&Entity> {
        self.variables
            .iter()
            .find(|v| v.properties.get("qName").and_then(|n| n.as_str()) == Some(name))
    }

    pub fn is_session(&self, id: &str) -> bool {
        self.session.contains(id)
    }

    pub fn mark_session(&mut self, id: &str) {
        self.session.insert(id.to_owned());
    }
}

/// A text among the properties; empty if absent. A number is given as text.
pub(crate) fn text(entity: &Entity, member: &str) -> String {
    match entity.properties.get(member) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Number(n)) => n.to_string(),
        _ => String::new(),
    }
}
