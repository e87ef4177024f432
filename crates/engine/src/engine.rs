//! The engine over one view: shared by all who look at that view.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use satchel_base::{Budget, Stop};
use satchel_data::{FieldId, TableId, View};

use crate::StateSelections;
use crate::graph::Core;
use crate::inference::{FieldStates, Inference, RowSet};
use crate::known::Known;
use crate::results::Results;

/// How many states of selection are remembered: the present one, a few steps back, and those
/// with one field's selection left aside.
const MAX_INFERENCES: usize = 48;

/// Computes on one [`View`]. Shared by everybody who looks at the view; selections and all
/// else that differs between them are handed in.
#[derive(Debug)]
pub struct Engine {
    pub(crate) core: Arc<Core>,
    pub(crate) known: Arc<Known>,
    pub(crate) results: Results,
    /// The latest used ones, latest last.
    inferences: Mutex<VecDeque<Arc<Inference>>>,
}

impl Engine {
    /// An engine without anything cached.
    pub fn new(view: Arc<View>) -> Arc<Self> {
        Arc::new(Self {
            core: Arc::new(Core::new(view)),
            known: Arc::default(),
            results: Results::default(),
            inferences: Mutex::default(),
        })
    }

    /// The view.
    pub fn view(&self) -> &Arc<View> {
        &self.core.view
    }

    /// The visible field called exactly `name`.
    pub fn field(&self, name: &str) -> Option<FieldId> {
        self.view().field_by_name(name)
    }

    /// What `selections` imply.
    pub fn inference(&self, selections: &Arc<StateSelections>) -> Arc<Inference> {
        let mut known = self
            .inferences
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let found = known
            .iter()
            .position(|i| i.selections().same_values(selections))
            .and_then(|at| known.remove(at));
        let inference = found.unwrap_or_else(|| {
            self.core.used(&self.known);
            Arc::new(Inference::new(
                self.core.clone(),
                self.known.clone(),
                selections.clone(),
            ))
        });
        known.push_back(inference.clone());
        if known.len() > MAX_INFERENCES {
            known.pop_front();
        }
        inference
    }

    /// The states of a field's values under `selections`.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn field_states(
        &self,
        selections: &Arc<StateSelections>,
        field: FieldId,
        budget: &Budget,
    ) -> Result<FieldStates, Stop> {
        let own = selections.field(field);
        let without_own = if own.is_some() {
            let mut others = (**selections).clone();
            others.remove(field);
            self.inference(&Arc::new(others))
                .possible_here(field, budget)?
        } else {
            self.inference(selections).possible_here(field, budget)?
        };
        Ok(FieldStates {
            without_own,
            selected: own.map(|s| s.codes.clone()),
            locked: own.is_some_and(|s| s.locked),
        })
    }

    /// The rows of a table that remain under `selections`; hidden rows never do.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn possible_rows(
        &self,
        selections: &Arc<StateSelections>,
        table: TableId,
        budget: &Budget,
    ) -> Result<RowSet, Stop> {
        self.inference(selections).rows(table, budget)
    }

    /// How many remaining records each value has, by code, counted in the field's home table:
    /// the one with the most visible rows of those that hold the field.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn frequencies(
        &self,
        selections: &Arc<StateSelections>,
        field: FieldId,
        budget: &Budget,
    ) -> Result<Vec<u64>, Stop> {
        let n = self.core.n_symbols(field);
        budget.charge_bytes(8 * (n as u64 + 1))?;
        let mut counts = vec![0u64; n + 1];
        if let Some((table, column)) = self.core.home(field) {
            let rows = self.possible_rows(selections, table, budget)?;
            let codes = &self.core.model().table(table).columns[column].codes;
            let mut lane = [0u32; satchel_data::BLOCK];
            crate::scan::each_block(codes.len(), rows.set(), budget, |block| {
                block.gather(codes, &mut lane);
                for code in &lane[..block.n()] {
                    counts[*code as usize] += 1;
                }
                Ok(true)
            })?;
        }
        counts.truncate(n);
        Ok(counts)
    }

    /// Lets go of what selections implied before. Answers stay the same; the next ones are
    /// computed anew.
    pub fn forget(&self) {
        self.known.forget();
        self.results.forget();
        self.inferences
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Bytes held by what was derived from the model and is shared with all engines over it:
    /// indexes of keys, numbers by row, maps from key to field.
    pub fn shared_bytes(&self) -> usize {
        self.core.shared_bytes()
    }

    /// Bytes held by caches that this engine alone has.
    pub fn bytes(&self) -> usize {
        self.core.bytes() + self.known.bytes() + self.results.bytes()
    }
}
