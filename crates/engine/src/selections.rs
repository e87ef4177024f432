//! Which values are selected, by alternate state and field.
//!
//! Plain data: what is possible is [`crate::Inference`]'s to say, and changing a selection as
//! a user does is [`crate::Engine::select`]'s.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use satchel_data::{BitSet, FieldId};

/// The name of the default alternate state.
pub const DEFAULT_STATE: &str = "$";

/// The selection in one field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldSelection {
    /// The selected symbol codes; one bit a symbol of the field.
    pub codes: Arc<BitSet>,
    /// Locked selections are changed by no select or clear unless its caller overrides locks.
    pub locked: bool,
}

/// The selections of one alternate state, by field. A field without an entry has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateSelections {
    fields: BTreeMap<FieldId, FieldSelection>,
    /// The fields in the order their selections began.
    order: Vec<FieldId>,
}

impl Hash for StateSelections {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (field, selection) in &self.fields {
            field.hash(state);
            selection.codes.hash(state);
        }
    }
}

impl StateSelections {
    /// Whether nothing is selected.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The selection in a field.
    pub fn field(&self, field: FieldId) -> Option<&FieldSelection> {
        self.fields.get(&field)
    }

    /// Whether a field's selection is locked.
    pub fn is_locked(&self, field: FieldId) -> bool {
        self.fields.get(&field).is_some_and(|s| s.locked)
    }

    /// The fields with a selection, in the order their selections began.
    pub fn fields(&self) -> impl Iterator<Item = (FieldId, &FieldSelection)> {
        self.order
            .iter()
            .filter_map(|f| self.fields.get(f).map(|s| (*f, s)))
    }

    /// Replaces the selection in a field; a set without members is kept and selects nothing.
    /// A lock stays.
    pub fn set(&mut self, field: FieldId, codes: BitSet) {
        let locked = self.is_locked(field);
        if !self.fields.contains_key(&field) {
            self.order.push(field);
        }
        self.fields.insert(
            field,
            FieldSelection {
                codes: Arc::new(codes),
                locked,
            },
        );
    }

    /// The selections in `fields`, a set of field numbers.
    #[must_use]
    pub(crate) fn within(&self, fields: &BitSet) -> Self {
        let kept = |f: &FieldId| fields.contains(f.index());
        Self {
            fields: (self.fields.iter().filter(|(f, _)| kept(f)))
                .map(|(f, s)| (*f, s.clone()))
                .collect(),
            order: self.order.iter().copied().filter(kept).collect(),
        }
    }

    /// How many fields have a selection.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The selection in one field alone.
    #[must_use]
    pub(crate) fn only(&self, field: FieldId) -> Self {
        let mut only = Self::default();
        if let Some(selection) = self.fields.get(&field) {
            only.fields.insert(field, selection.clone());
            only.order.push(field);
        }
        only
    }

    /// Removes the selection in a field and its lock. Whether there was one.
    pub fn remove(&mut self, field: FieldId) -> bool {
        self.order.retain(|f| *f != field);
        self.fields.remove(&field).is_some()
    }

    /// Locks or unlocks a field's selection. Whether there is one to lock.
    pub fn set_locked(&mut self, field: FieldId, locked: bool) -> bool {
        self.fields
            .get_mut(&field)
            .map(|s| s.locked = locked)
            .is_some()
    }

    /// Removes all selections but the locked ones; those too with [`Locks::Override`].
    pub fn clear(&mut self, locks: Locks) {
        self.fields
            .retain(|_, s| locks == Locks::Respect && s.locked);
        let fields = &self.fields;
        self.order.retain(|f| fields.contains_key(f));
    }

    /// Whether both select the same values, whatever is locked and whatever came first.
    pub fn same_values(&self, other: &Self) -> bool {
        self.fields.len() == other.fields.len()
            && self
                .fields
                .iter()
                .zip(&other.fields)
                .all(|((f, s), (g, t))| {
                    f == g && (Arc::ptr_eq(&s.codes, &t.codes) || s.codes == t.codes)
                })
    }
}

/// Whether an operation may change a locked selection (`qSoftLock`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// Locked selections stay as they are.
    Respect,
    /// Locked selections are changed like others.
    Override,
}

/// All selections of a session: those of the default state and of every alternate state.
/// Cheap to clone; meaningful only with the view they were made on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selections {
    states: Arc<BTreeMap<String, Arc<StateSelections>>>,
}

impl Default for Selections {
    fn default() -> Self {
        Self {
            states: Arc::new(BTreeMap::from([(DEFAULT_STATE.to_owned(), Arc::default())])),
        }
    }
}

impl Selections {
    /// Nothing selected, and only the default state.
    pub fn new() -> Self {
        Self::default()
    }

    /// The selections of a state; the empty name and `$` are the default one.
    pub fn state(&self, name: &str) -> Option<&Arc<StateSelections>> {
        self.states.get(state_key(name))
    }

    /// The selections of the default state.
    pub fn default_state(&self) -> Arc<StateSelections> {
        self.state(DEFAULT_STATE).cloned().unwrap_or_default()
    }

    /// The names of all states, the default one included.
    pub fn state_names(&self) -> impl Iterator<Item = &str> {
        self.states.keys().map(String::as_str)
    }

    /// Adds an alternate state without selections. False if it is there already.
    pub fn add_state(&mut self, name: &str) -> bool {
        if self.state(name).is_some() {
            return false;
        }
        Arc::make_mut(&mut self.states).insert(name.to_owned(), Arc::default());
        true
    }

    /// Removes an alternate state. False if there is none; the default state stays.
    pub fn remove_state(&mut self, name: &str) -> bool {
        state_key(name) != DEFAULT_STATE && Arc::make_mut(&mut self.states).remove(name).is_some()
    }

    /// The selections of a state, to change.
    pub fn state_mut(&mut self, name: &str) -> Option<&mut StateSelections> {
        Arc::make_mut(&mut self.states)
            .get_mut(state_key(name))
            .map(Arc::make_mut)
    }

    /// Replaces the selections of a state, which is added if it is not there.
    pub fn set_state(&mut self, name: &str, selections: Arc<StateSelections>) {
        Arc::make_mut(&mut self.states).insert(state_key(name).to_owned(), selections);
    }
}

fn state_key(name: &str) -> &str {
    if name.is_empty() { DEFAULT_STATE } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clearing_keeps_what_is_locked_unless_told() {
        let mut state = StateSelections::default();
        state.set(FieldId(1), BitSet::all(2));
        state.set(FieldId(0), BitSet::all(2));
        assert!(state.set_locked(FieldId(0), true));
        state.clear(Locks::Respect);
        assert_eq!(state.fields().map(|(f, _)| f.0).collect::<Vec<_>>(), [0]);
        state.clear(Locks::Override);
        assert!(state.is_empty());
    }

    #[test]
    fn clones_do_not_share_changes() {
        let mut a = Selections::new();
        let b = a.clone();
        a.state_mut("").unwrap().set(FieldId(0), BitSet::all(1));
        assert!(b.default_state().is_empty());
        assert!(!a.default_state().is_empty());
        assert!(a.state("S2").is_none());
    }
}
