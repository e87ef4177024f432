//! Steps back and forward through selections, and modal selecting.
//!
//! Every confirmed change is one step over all alternate states. While selecting is modal,
//! changes are live for everybody but only the end decides whether they become a step.

use crate::{Selections, StateSelections};
use std::sync::Arc;

/// How many steps are remembered: enough for a day's clicking, small enough to keep.
const MAX_STEPS: usize = 100;

/// The selections of a session with their history.
#[derive(Clone, Debug, Default)]
pub struct History {
    current: Selections,
    back: Vec<Selections>,
    forward: Vec<Selections>,
    modal: Option<Selections>,
}

impl History {
    /// Starts with `current` and no history.
    pub fn new(current: Selections) -> Self {
        Self {
            current,
            ..Self::default()
        }
    }

    /// The selections in force.
    pub fn current(&self) -> &Selections {
        &self.current
    }

    /// Puts `next` in force. Outside modal selecting that is a step of its own, if it differs.
    pub fn apply(&mut self, next: Selections) {
        if self.modal.is_none() && next != self.current {
            self.push_back(self.current.clone());
        }
        self.current = next;
    }

    fn push_back(&mut self, step: Selections) {
        self.back.push(step);
        if self.back.len() > MAX_STEPS {
            self.back.remove(0);
        }
        self.forward.clear();
    }

    /// How many steps back there are.
    pub fn n_back(&self) -> usize {
        self.back.len()
    }

    /// How many steps forward there are.
    pub fn n_forward(&self) -> usize {
        self.forward.len()
    }

    /// One step back. False if there is none or selecting is modal.
    pub fn back(&mut self) -> bool {
        if self.modal.is_some() {
            return false;
        }
        let Some(step) = self.back.pop() else {
            return false;
        };
        self.forward
            .push(std::mem::replace(&mut self.current, step));
        true
    }

    /// One step forward. False if there is none or selecting is modal.
    pub fn forward(&mut self) -> bool {
        if self.modal.is_some() {
            return false;
        }
        let Some(step) = self.forward.pop() else {
            return false;
        };
        self.back.push(std::mem::replace(&mut self.current, step));
        true
    }

    /// The selections `n` steps back in a state (`$1` is one step), for set expressions.
    pub fn steps_back(&self, state: &str, n: usize) -> Option<Arc<StateSelections>> {
        let step = match n {
            0 => &self.current,
            n => self.back.get(self.back.len().checked_sub(n)?)?,
        };
        step.state(state).cloned()
    }

    /// The selections `n` steps forward in a state, for set expressions.
    pub fn steps_forward(&self, state: &str, n: usize) -> Option<Arc<StateSelections>> {
        let step = match n {
            0 => &self.current,
            n => self.forward.get(self.forward.len().checked_sub(n)?)?,
        };
        step.state(state).cloned()
    }

    /// Begins modal selecting. False if it has begun already.
    pub fn begin_modal(&mut self) -> bool {
        let begun = self.modal.is_some();
        if !begun {
            self.modal = Some(self.current.clone());
        }
        !begun
    }

    /// Whether selecting is modal.
    pub fn is_modal(&self) -> bool {
        self.modal.is_some()
    }

    /// Undoes what was changed since modal selecting began, which goes on.
    pub fn reset_modal(&mut self) {
        if let Some(before) = &self.modal {
            self.current = before.clone();
        }
    }

    /// Ends modal selecting. What was changed becomes one step.
    pub fn accept_modal(&mut self) {
        if let Some(before) = self.modal.take()
            && before != self.current
        {
            self.push_back(before);
        }
    }

    /// Ends modal selecting and undoes what was changed.
    pub fn abort_modal(&mut self) {
        if let Some(before) = self.modal.take() {
            self.current = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use satchel_data::{BitSet, FieldId};

    use super::*;

    fn select(history: &mut History, n: usize) {
        let mut next = history.current().clone();
        let mut set = BitSet::none(8);
        set.insert(n);
        next.state_mut("$").unwrap().set(FieldId(0), set);
        history.apply(next);
    }

    fn selected(history: &History) -> Option<usize> {
        history
            .current()
            .default_state()
            .field(FieldId(0))
            .and_then(|s| s.codes.iter().next())
    }

    #[test]
    fn back_and_forward_walk_the_steps() {
        let mut history = History::default();
        select(&mut history, 1);
        select(&mut history, 2);
        assert!(history.back());
        assert_eq!(selected(&history), Some(1));
        assert!(history.steps_back("$", 1).unwrap().is_empty());
        assert!(history.steps_back("$", 2).is_none());
        assert!(history.forward());
        assert_eq!(selected(&history), Some(2));
        assert!(!history.forward());
        history.back();
        select(&mut history, 3);
        assert_eq!((history.n_back(), history.n_forward()), (2, 0));
    }

    #[test]
    fn an_aborted_modal_leaves_no_trace_and_an_accepted_one_is_one_step() {
        let mut history = History::default();
        select(&mut history, 1);
        assert!(history.begin_modal());
        assert!(!history.begin_modal());
        select(&mut history, 2);
        assert!(!history.back());
        history.abort_modal();
        assert_eq!((selected(&history), history.n_back()), (Some(1), 1));
        history.begin_modal();
        select(&mut history, 3);
        select(&mut history, 4);
        history.accept_modal();
        assert_eq!((selected(&history), history.n_back()), (Some(4), 2));
        history.back();
        assert_eq!(selected(&history), Some(1));
    }
}
