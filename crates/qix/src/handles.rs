//! Handles: the numbers by which one connection names the objects it holds.
//!
//! The same object has the same handle for as long as it lives; a freed number is not used
//! again, so a late request can never reach another object.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

/// What a handle stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Target {
    Doc,
    Object(String),
    Dimension(String),
    Measure(String),
    Bookmark(String),
    Variable(String),
    /// A field in a state.
    Field {
        name: String,
        state: String,
    },
}

impl Target {
    /// The class name clients know.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Doc => "Doc",
            Self::Object(_) => "GenericObject",
            Self::Dimension(_) => "GenericDimension",
            Self::Measure(_) => "GenericMeasure",
            Self::Bookmark(_) => "GenericBookmark",
            Self::Variable(_) => "GenericVariable",
            Self::Field { .. } => "Field",
        }
    }
}

/// The handles of one connection.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    by_handle: BTreeMap<i64, Target>,
    by_target: FxHashMap<Target, i64>,
    last: i64,
}

impl Handles {
    /// The handle of `target`, which gets one if it has none.
    pub fn of(&mut self, target: Target) -> i64 {
        if let Some(handle) = self.by_target.get(&target) {
            return *handle;
        }
        self.last += 1;
        self.by_handle.insert(self.last, target.clone());
        self.by_target.insert(target, self.last);
        self.last
    }

    /// What a handle stands for.
    pub fn target(&self, handle: i64) -> Option<&Target> {
        self.by_handle.get(&handle)
    }

    /// Forgets `target`; returns its handle if it had one.
    pub fn free(&mut self, target: &Target) -> Option<i64> {
        let handle = self.by_target.remove(target)?;
        self.by_handle.remove(&handle);
        Some(handle)
    }

    /// All handles with their targets, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Target)> {
        self.by_handle.iter().map(|(h, t)| (*h, t))
    }
}
