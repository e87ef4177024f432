//! What expressions may name beside fields: variables, bookmarks, steps of the history.

use std::sync::Arc;

use satchel_engine::{DEFAULT_STATE, Lookup, StateSelections};

use crate::doc::Doc;
use crate::doc::items::{Kind, text};
use crate::doc::stored::state_of;

impl Lookup for Doc {
    fn variable(&self, name: &str) -> Option<String> {
        self.items.variable(name).map(|v| text(v, "qDefinition"))
    }

    fn measure(&self, name: &str) -> Option<String> {
        let part = |e: &crate::Entity, of: &str, member: &str| {
            let found = e.properties.get(of)?.get(member)?.as_str()?;
            Some(found.to_owned())
        };
        let named = |e: &&crate::Entity| {
            part(e, "qMetaDef", "title").as_deref() == Some(name)
                || part(e, "qMeasure", "qLabel").as_deref() == Some(name)
        };
        part(self.items.measures.iter().find(named)?, "qMeasure", "qDef")
    }

    fn bookmark(&self, name: &str) -> Option<Arc<StateSelections>> {
        let titled = |e: &&crate::Entity| {
            e.id() == name
                || e.properties
                    .get("qMetaDef")
                    .and_then(|m| m.get("title"))
                    .and_then(|t| t.as_str())
                    == Some(name)
        };
        let id = self.items.list(Kind::Bookmark).iter().find(titled)?.id();
        let stored = self.items.stored(id)?;
        let state = stored
            .states
            .iter()
            .find(|s| s.state.is_empty() || s.state == DEFAULT_STATE);
        Some(Arc::new(state.map_or_else(StateSelections::default, |s| {
            state_of(&self.engine, s)
        })))
    }

    fn step(&self, state: &str, n: i64) -> Option<Arc<StateSelections>> {
        let steps = usize::try_from(n.unsigned_abs()).ok()?;
        if n >= 0 {
            self.history.steps_back(state, steps)
        } else {
            self.history.steps_forward(state, steps)
        }
    }
}
