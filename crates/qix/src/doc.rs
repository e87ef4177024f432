//! An open app: its content, its selections, and what a session added.

pub(crate) mod cache;
pub(crate) mod drafts;
pub(crate) mod expression_methods;
pub(crate) mod field_methods;
pub(crate) mod inspect_methods;
pub(crate) mod items;
pub(crate) mod lookup;
pub(crate) mod master_methods;
pub(crate) mod methods;
pub(crate) mod model_methods;
pub(crate) mod objects;
pub(crate) mod search_methods;
pub(crate) mod search_objects;
pub(crate) mod selection_methods;
pub(crate) mod stored;
pub(crate) mod temp_states;
pub(crate) mod undo;

use std::sync::Arc;

use rustc_hash::FxHashMap;
use satchel_base::SubjectId;
use satchel_engine::{DEFAULT_STATE, Engine, History, Selections};

use crate::content::{AppContent, Entity, Properties, StoredSelections};
use crate::doc::cache::Cache;
use crate::doc::items::Items;
use crate::doc::objects::Objects;
use crate::doc::temp_states::TempState;
use crate::doc::undo::Undo;
use crate::errors::{Code, RpcError};
use crate::host::{OpenApp, OpenMode};
use crate::image::AppMeta;

/// The app a session has open.
pub(crate) struct Doc {
    /// Who has it open.
    pub reader: SubjectId,
    pub meta: AppMeta,
    pub mode: OpenMode,
    pub engine: Arc<Engine>,
    pub properties: Properties,
    pub script: String,
    pub objects: Objects,
    pub items: Items,
    pub history: History,
    /// The object that is being selected in.
    pub modal: Option<Modal>,
    /// Cubes calculated lately.
    pub cache: Cache,
    /// Temporary bookmarks by id.
    pub temporary: FxHashMap<String, StoredSelections>,
    /// Selections put aside, oldest first.
    pub temp_states: Vec<TempState>,
    /// Drafts by id: for each of their objects, the one it is a copy of.
    pub drafts: FxHashMap<String, FxHashMap<String, String>>,
    /// What can be undone.
    pub undo: Undo,
}

/// An object in modal selecting, with the paths it named.
#[derive(Clone, Debug)]
pub(crate) struct Modal {
    pub object: String,
    pub paths: Vec<String>,
    /// The selections when it began.
    pub before: Selections,
}

impl Doc {
    pub fn new(app: OpenApp, mode: OpenMode, reader: SubjectId) -> Self {
        let content = (*app.content).clone();
        let mut selections = Selections::new();
        for state in &content.alternate_states {
            selections.add_state(state);
        }
        Self {
            reader,
            meta: app.meta,
            mode,
            engine: app.engine,
            properties: content.properties,
            script: content.script,
            objects: Objects::from_trees(content.objects),
            items: Items::new(
                content.dimensions,
                content.measures,
                content.variables,
                content.bookmarks,
            ),
            history: History::new(selections),
            modal: None,
            cache: Cache::default(),
            temporary: FxHashMap::default(),
            temp_states: Vec::new(),
            drafts: FxHashMap::default(),
            undo: Undo::default(),
        }
    }

    /// The content to save: everything but what belongs to the session.
    pub fn content(&self) -> AppContent {
        AppContent {
            properties: self.properties.clone(),
            script: self.script.clone(),
            objects: self.objects.trees(),
            dimensions: self.items.dimensions.to_vec(),
            measures: self.items.measures.to_vec(),
            variables: self
                .items
                .variables
                .iter()
                .filter(|v| !self.items.is_session(v.id()))
                .cloned()
                .collect(),
            bookmarks: self.items.bookmarks(),
            alternate_states: self
                .state_names()
                .into_iter()
                .filter(|s| !self.items.is_session(s))
                .collect(),
        }
    }

    /// Takes over new data after a reload. Selections are carried over by value. Rights that
    /// were given meanwhile hold when the app is opened anew: script and sheets are those of
    /// one who had them not.
    pub fn renew(&mut self, app: OpenApp) {
        let stored = stored::write_down(&self.engine, self.history.current());
        self.meta = AppMeta {
            may_edit: self.meta.may_edit && app.meta.may_edit,
            may_reload: self.meta.may_reload && app.meta.may_reload,
            ..app.meta
        };
        self.engine = app.engine;
        let states = self.state_names();
        let mut selections = Selections::new();
        for state in &states {
            selections.add_state(state);
        }
        stored::read_into(&self.engine, &mut selections, &stored);
        self.history = History::new(selections);
        self.modal = None;
        self.cache = Cache::default();
    }

    /// Whether the object being selected in has changed selections.
    pub fn made_selections(&self) -> bool {
        self.modal
            .as_ref()
            .is_some_and(|m| m.before != *self.history.current())
    }

    /// Alternate states, without the default one.
    pub fn state_names(&self) -> Vec<String> {
        self.history
            .current()
            .state_names()
            .filter(|s| *s != DEFAULT_STATE)
            .map(str::to_owned)
            .collect()
    }

    /// Refuses what would change selections while another object is being selected in.
    pub fn refuse_if_modal(&self) -> Result<(), RpcError> {
        match &self.modal {
            Some(modal) => Err(RpcError::about(Code::Modal, modal.object.clone())),
            None => Ok(()),
        }
    }

    /// What the reader may do with something in the app; more if they made it.
    pub fn privileges_on(&self, entity: &Entity) -> Vec<&'static str> {
        let mut privileges = self.privileges();
        if !self.meta.may_edit && entity.meta.owner.as_ref() == Some(&self.reader) {
            privileges.extend(["update", "delete"]);
        }
        privileges
    }

    /// What the reader may do with what is the app's.
    pub fn privileges(&self) -> Vec<&'static str> {
        let mut privileges = vec!["read"];
        if self.meta.may_edit {
            privileges.extend(["update", "delete"]);
        }
        if self.meta.may_export {
            privileges.push("exportdata");
        }
        privileges
    }
}
