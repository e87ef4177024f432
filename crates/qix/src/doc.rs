//! An open app: its content, its selections, and what a session added.

use std::sync::Arc;

use satchel_engine::{Engine, History, Selections};

use crate::content::AppContent;
use crate::host::{OpenApp, OpenMode};
use crate::image::AppMeta;

/// The app a session has open.
pub(crate) struct Doc {
    pub meta: AppMeta,
    pub mode: OpenMode,
    pub engine: Arc<Engine>,
    pub content: AppContent,
    pub history: History,
}

impl Doc {
    pub fn new(app: OpenApp, mode: OpenMode) -> Self {
        let content = (*app.content).clone();
        let mut selections = Selections::new();
        for state in &content.alternate_states {
            selections.add_state(state);
        }
        Self {
            meta: app.meta,
            mode,
            engine: app.engine,
            content,
            history: History::new(selections),
        }
    }
}
