//! Apps in memory: one model for all, and for each decision of section access one engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use satchel_access::{Decision, Rules, Subject, decide, fingerprint, mask};
use satchel_base::{AppId, ByteSize};
use satchel_contract::AppEntry;
use satchel_data::{Model, Value, View};
use satchel_engine::Engine;
use satchel_gate::Action;
use satchel_qix::{AppContent, AppMeta, Entity, StreamRef};
use satchel_store::{App, User};
use tokio::runtime::Handle;

use crate::data_image::{DataImage, MAX_DATA_BYTES};
use crate::rights::Rights;
use crate::state::HubState;

/// Apps that are loaded, by id. The last published reload of each.
#[derive(Default)]
pub(crate) struct Apps {
    loaded: Mutex<HashMap<AppId, Arc<LoadedApp>>>,
}

/// The data of one published reload.
pub(crate) struct LoadedApp {
    pub reload: u64,
    pub model: Arc<Model>,
    pub rules: Rules,
    /// What the script left in its variables.
    pub variables: Vec<(String, Value)>,
    /// Engines by fingerprint of the decision; subjects who see the same share one.
    engines: Mutex<HashMap<String, Arc<Engine>>>,
}

/// 64 different views of one app are kept; beyond, all but the newest are let go.
const MAX_ENGINES: usize = 64;

/// Why an app cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum OpenError {
    /// Not there, not theirs, or section access does not admit them.
    #[error("access denied")]
    Denied,
    /// It was never reloaded.
    #[error("the app has no data yet; its owner must reload it")]
    NoData,
    /// It cannot be read.
    #[error("the app's data cannot be read")]
    Unreadable,
}

impl LoadedApp {
    pub fn of(reload: u64, image: DataImage) -> Result<Self, OpenError> {
        let model = Model::from_snapshot(&image.snapshot, MAX_DATA_BYTES)
            .map_err(|_| OpenError::Unreadable)?;
        let (rules, _) = Rules::read(&image.access, &model);
        Ok(Self {
            reload,
            model: Arc::new(model),
            rules,
            variables: image.variables,
            engines: Mutex::default(),
        })
    }

    /// What section access decides for a subject.
    pub fn decide(&self, subject: &Subject) -> Decision {
        decide(&self.rules, subject)
    }

    /// The engine on what `subject` may see.
    pub fn engine(&self, subject: &Subject) -> Result<Arc<Engine>, OpenError> {
        if !self.rules.has_section_access() {
            let all = || Some(View::unrestricted(self.model.clone()));
            return self.shared(String::new(), all).ok_or(OpenError::Denied);
        }
        let decision = self.decide(subject);
        if matches!(decision, Decision::Denied(_)) {
            return Err(OpenError::Denied);
        }
        self.shared(fingerprint(&decision), || {
            mask(&decision, self.model.clone()).ok()
        })
        .ok_or(OpenError::Denied)
    }

    fn shared(&self, key: String, make: impl FnOnce() -> Option<View>) -> Option<Arc<Engine>> {
        let lock = || self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = lock().get(&key) {
            return Some(engine.clone());
        }
        let engine = Engine::new(Arc::new(make()?));
        let mut engines = lock();
        if engines.len() >= MAX_ENGINES {
            engines.clear();
        }
        engines.insert(key, engine.clone());
        Some(engine)
    }
}

impl Apps {
    /// The data of an app's last published reload; read if it is not in memory. Blocks.
    pub fn load(&self, state: &HubState, app: &App) -> Result<Arc<LoadedApp>, OpenError> {
        let lock = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = lock().get(&app.id).filter(|l| l.reload == app.reload) {
            return Ok(loaded.clone());
        }
        let blob = app.data.as_ref().ok_or(OpenError::NoData)?;
        let bytes = state.store.blobs().read(blob).map_err(|error| {
            tracing::error!(app.id = app.id.as_str(), %error, "the data of an app cannot be read");
            OpenError::Unreadable
        })?;
        let image = DataImage::decode(&bytes).map_err(|_| OpenError::Unreadable)?;
        let loaded = Arc::new(LoadedApp::of(app.reload, image)?);
        lock().insert(app.id.clone(), loaded.clone());
        Ok(loaded)
    }
}

/// The subject section access compares: a person as the hub knows them.
pub(crate) fn subject(user: &User) -> Subject {
    Subject {
        name: Some(user.display_name.clone()),
        email: Some(user.email.clone()).filter(|e| !e.is_empty()),
        groups: user.groups.clone(),
        ..Subject::new(user.id.clone())
    }
}

/// May this person see that the app exists, and open it?
pub(crate) fn may_see(app: &App, user: &User, rights: &Rights) -> bool {
    rights.may(user, Action::Read, app)
}

/// May this person change script and sheets?
pub(crate) fn may_edit(app: &App, user: &User, rights: &Rights) -> bool {
    rights.may(user, Action::Update, app)
}

/// The size of all of an app's data, to those who may know how much that is: with section
/// access it tells how much others see, so only who may edit the app learns it.
fn shown_size(app: &App, user: Option<&User>, rights: &Rights) -> ByteSize {
    let is_whole = app.access_fingerprint.is_none();
    if is_whole || user.is_some_and(|u| may_edit(app, u, rights)) {
        app.data_size
    } else {
        ByteSize(0)
    }
}

/// The app as a list shows it to `user`.
pub(crate) fn entry(
    app: &App,
    user: Option<&User>,
    rights: &Rights,
    may_use_device: bool,
) -> AppEntry {
    let offline = |u: &User| rights.may(u, Action::AccessOffline, app);
    let may_download = may_use_device && user.is_some_and(offline);
    AppEntry {
        id: app.id.clone(),
        title: app.title.clone(),
        description: app.description.clone(),
        stream: app.stream.clone(),
        owner: app.owner.clone(),
        data_as_of: app.data_as_of,
        size: shown_size(app, user, rights),
        may_download: may_download && app.data.is_some(),
    }
}

/// The app as the protocol describes it to `user`.
pub(crate) fn meta(app: &App, user: &User, rights: &Rights) -> AppMeta {
    let stream = app
        .stream
        .as_ref()
        .and_then(|id| rights.streams.iter().find(|s| s.id == *id));
    AppMeta {
        description: app.description.clone(),
        owner_name: app.owner.name().to_owned(),
        stream: stream.map(|s| StreamRef {
            id: s.id.clone(),
            name: s.name.clone(),
        }),
        modified: Some(app.modified_at),
        published: app.published_at,
        last_reload: app.data_as_of,
        data_bytes: shown_size(app, Some(user), rights).0,
        has_section_access: app.access_fingerprint.is_some(),
        may_edit: may_edit(app, user, rights),
        may_reload: may_edit(app, user, rights),
        may_export: rights.may(user, Action::ExportData, app),
        ..AppMeta::new(app.id.as_str(), app.title.clone(), app.owner.clone())
    }
}

/// Sheets, objects and script of an app. Who may not edit it does not get the script, which
/// can hold connection names and inline data, nor what others made for themselves or keep as
/// pictures of what they saw.
pub(crate) fn content(
    state: &HubState,
    app: &App,
    may_edit: bool,
) -> Result<AppContent, OpenError> {
    let bytes = state
        .store
        .blobs()
        .read(&app.content)
        .map_err(|_| OpenError::Unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| OpenError::Unreadable)?;
    let mut content = AppContent::from_json(&text).map_err(|_| OpenError::Unreadable)?;
    if !may_edit {
        content.script.clear();
        let is_shared = |e: &Entity| e.is_shared() && e.kind() != "snapshot";
        content.objects.retain(|tree| is_shared(&tree.object));
        content.dimensions.retain(is_shared);
        content.measures.retain(is_shared);
        content.bookmarks.retain(satchel_qix::Bookmark::is_shared);
    }
    Ok(content)
}

/// Adds the bookmarks `user` made in the app. An app opens without them rather than not at
/// all. Blocks.
pub(crate) fn add_own_bookmarks(
    state: &HubState,
    runtime: &Handle,
    app: &App,
    user: &User,
    content: &mut AppContent,
) {
    let added = match runtime.block_on(state.store.bookmarks(&app.id, &user.id)) {
        Ok(Some(own)) => content.add_own_bookmarks(&own).map_err(|e| e.to_string()),
        Ok(None) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = added {
        tracing::error!(app.id = app.id.as_str(), error, "bookmarks cannot be read");
    }
}

/// Puts the variables a script left behind into the app's content, where expressions and the
/// number and date formats of charts find them. A script's value replaces a stored one.
pub(crate) fn add_variables(content: &mut AppContent, variables: &[(String, Value)]) {
    for (name, value) in variables {
        content
            .variables
            .retain(|v| v.properties.get("qName").and_then(|n| n.as_str()) != Some(name));
        let properties = serde_json::json!({
            "qInfo": { "qId": format!("script-variable-{name}"), "qType": "variable" },
            "qName": name,
            "qDefinition": value.to_text(),
        });
        if let serde_json::Value::Object(properties) = properties {
            content.variables.push(Entity {
                properties,
                ..Entity::default()
            });
        }
    }
}
