//! Logical inference: which rows and values are possible under some selections.
//!
//! Rules: reference semantics E2 and E3. The records are the rows of the full outer join over
//! the tree of tables. A row of a table remains when its own fields satisfy the selections and
//! when, over each of its keys, every side that holds a selection has a remaining row with the
//! same key. One message a key and side decides that, so each table is passed a few times at
//! most. NULL keys have no partner. Loose tables are left by no message.

use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};
use satchel_data::{BitSet, FieldId, TableId};

use crate::graph::Core;
use crate::scan::{codes_in, keep_codes};
use crate::{StateCounts, StateSelections, ValueState};

/// Rows of one table.
#[derive(Clone, Debug)]
pub struct RowSet {
    /// The rows; `None` for all rows of the table.
    pub rows: Option<Arc<BitSet>>,
    /// Whether a selection took rows away, be it in this table or on its other sides.
    pub restricted: bool,
}

impl RowSet {
    /// The rows as a set, unless they are all.
    pub fn set(&self) -> Option<&BitSet> {
        self.rows.as_deref()
    }
}

/// What a side of a key allows: the codes it still has, or nothing to say.
type Message = Option<Arc<BitSet>>;

/// What the selections of one state imply. Everything is found when first asked for and kept.
#[derive(Debug)]
pub struct Inference {
    core: Arc<Core>,
    selections: Arc<StateSelections>,
    messages: Mutex<FxHashMap<(TableId, FieldId), Message>>,
    rows: Mutex<FxHashMap<TableId, RowSet>>,
    possible: Mutex<FxHashMap<FieldId, Arc<BitSet>>>,
}

fn kept<K: std::hash::Hash + Eq, V: Clone>(map: &Mutex<FxHashMap<K, V>>, key: &K) -> Option<V> {
    map.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(key)
        .cloned()
}

fn keep<K: std::hash::Hash + Eq, V: Clone>(map: &Mutex<FxHashMap<K, V>>, key: K, value: &V) {
    map.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key, value.clone());
}

impl Inference {
    pub(crate) fn new(core: Arc<Core>, selections: Arc<StateSelections>) -> Self {
        Self {
            core,
            selections,
            messages: Mutex::default(),
            rows: Mutex::default(),
            possible: Mutex::default(),
        }
    }

    /// The selections this follows from.
    pub fn selections(&self) -> &Arc<StateSelections> {
        &self.selections
    }

    /// The rows of a table that remain under all selections.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn rows(&self, table: TableId, budget: &Budget) -> Result<RowSet, Stop> {
        if let Some(known) = kept(&self.rows, &table) {
            return Ok(known);
        }
        let found = self.remaining(table, None, budget)?;
        keep(&self.rows, table, &found);
        Ok(found)
    }

    /// The values of a field that remain, **its own selection left aside**, by code.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub(crate) fn possible_here(
        &self,
        field: FieldId,
        budget: &Budget,
    ) -> Result<Arc<BitSet>, Stop> {
        if let Some(known) = kept(&self.possible, &field) {
            return Ok(known);
        }
        let found = Arc::new(self.derive_possible(field, budget)?);
        keep(&self.possible, field, &found);
        Ok(found)
    }

    fn derive_possible(&self, field: FieldId, budget: &Budget) -> Result<BitSet, Stop> {
        let links = self.core.links(field);
        if !links.is_empty() {
            let mut possible: Option<BitSet> = None;
            for (table, _) in links {
                if let Some(message) = self.message(*table, field, budget)? {
                    match &mut possible {
                        None => possible = Some((*message).clone()),
                        Some(set) => set.intersect(&message),
                    }
                }
            }
            return Ok(possible.unwrap_or_else(|| self.visible(field)));
        }
        let model = self.core.model();
        let columns = &model.field(field).columns;
        let tight = columns.iter().find(|(t, _)| !model.table(*t).loose);
        let columns = tight.map_or(columns.as_slice(), std::slice::from_ref);
        let mut union: Option<BitSet> = None;
        let mut any_free = false;
        for (table, column) in columns {
            let rows = self.remaining(*table, Some(field), budget)?;
            if !rows.restricted {
                any_free = true;
                continue;
            }
            let codes = &model.table(*table).columns[*column].codes;
            let found = codes_in(codes, self.core.n_symbols(field), rows.set(), budget)?;
            match &mut union {
                None => union = Some(found),
                Some(set) => set.union(&found),
            }
        }
        Ok(match union {
            Some(set) if !any_free => set,
            _ => self.visible(field),
        })
    }

    /// All codes of a field that the view shows.
    fn visible(&self, field: FieldId) -> BitSet {
        let n = self.core.n_symbols(field);
        if self.core.view.cardinality(field) == n {
            return BitSet::all(n);
        }
        let mut set = BitSet::none(n);
        for code in self.core.view.codes(field).iter() {
            set.insert(*code as usize);
        }
        set
    }

    /// The codes of `key` that the side of `table` still has, leaving the key's own selection
    /// aside; `None` if nothing is selected on that side.
    fn message(&self, table: TableId, key: FieldId, budget: &Budget) -> Result<Message, Stop> {
        if let Some(known) = kept(&self.messages, &(table, key)) {
            return Ok(known);
        }
        let rows = self.remaining(table, Some(key), budget)?;
        let message = if rows.restricted {
            let data = self.core.model().table(table);
            match data.column_of(key) {
                Some(at) => Some(Arc::new(codes_in(
                    &data.columns[at].codes,
                    self.core.n_symbols(key),
                    rows.set(),
                    budget,
                )?)),
                None => None,
            }
        } else {
            None
        };
        keep(&self.messages, (table, key), &message);
        Ok(message)
    }

    /// The rows of a table that satisfy the selections in its fields and on its other sides,
    /// leaving aside the field `aside`: its selection and what lies behind it.
    fn remaining(
        &self,
        table: TableId,
        aside: Option<FieldId>,
        budget: &Budget,
    ) -> Result<RowSet, Stop> {
        if aside.is_some_and(|f| !self.core.keys(table).iter().any(|(k, _)| *k == f))
            && aside.is_some_and(|f| self.selections.field(f).is_none())
        {
            return self.rows(table, budget);
        }
        let data = self.core.model().table(table);
        let mut sieves: Vec<(usize, Arc<BitSet>)> = Vec::new();
        for (at, column) in data.columns.iter().enumerate() {
            if Some(column.field) == aside {
                continue;
            }
            let own = self.selections.field(column.field);
            let mut allowed = own.map(|s| s.codes.clone());
            if self
                .core
                .keys(table)
                .iter()
                .any(|(k, _)| *k == column.field)
            {
                for (other, _) in self.core.links(column.field) {
                    if *other == table {
                        continue;
                    }
                    if let Some(message) = self.message(*other, column.field, budget)? {
                        allowed = Some(match allowed {
                            None => message,
                            Some(set) => {
                                let mut both = (*set).clone();
                                both.intersect(&message);
                                Arc::new(both)
                            }
                        });
                    }
                }
            }
            if let Some(allowed) = allowed {
                sieves.push((at, allowed));
            }
        }
        let mask = self.core.view.row_mask(table);
        if sieves.is_empty() {
            return Ok(RowSet {
                rows: mask.map(|m| Arc::new(m.clone())),
                restricted: false,
            });
        }
        budget.charge_bytes(data.n_rows as u64 / 8 + 1)?;
        let mut rows = mask.cloned().unwrap_or_else(|| BitSet::all(data.n_rows));
        for (at, allowed) in &sieves {
            keep_codes(&mut rows, &data.columns[*at].codes, allowed, budget)?;
        }
        Ok(RowSet {
            rows: Some(Arc::new(rows)),
            restricted: true,
        })
    }
}

/// The states of one field's values under some selections.
#[derive(Clone, Debug)]
pub struct FieldStates {
    /// The codes possible with the field's own selection left aside.
    pub without_own: Arc<BitSet>,
    /// The field's own selection.
    pub selected: Option<Arc<BitSet>>,
    /// Whether that is locked.
    pub locked: bool,
}

impl FieldStates {
    /// The state of a code.
    pub fn of(&self, code: u32) -> ValueState {
        let code = code as usize;
        let possible = self.without_own.contains(code);
        match &self.selected {
            None if possible => ValueState::Optional,
            None => ValueState::Excluded,
            Some(set) if set.contains(code) => match (possible, self.locked) {
                (true, false) => ValueState::Selected,
                (true, true) => ValueState::Locked,
                (false, false) => ValueState::SelectedExcluded,
                (false, true) => ValueState::LockedExcluded,
            },
            Some(_) if possible => ValueState::Alternative,
            Some(_) => ValueState::Excluded,
        }
    }

    /// Whether a code is possible under all selections.
    pub fn is_possible(&self, code: u32) -> bool {
        self.without_own.contains(code as usize)
            && self
                .selected
                .as_ref()
                .is_none_or(|s| s.contains(code as usize))
    }

    /// The codes possible under all selections.
    pub fn possible(&self) -> Arc<BitSet> {
        match &self.selected {
            None => self.without_own.clone(),
            Some(own) => {
                let mut set = (*self.without_own).clone();
                set.intersect(own);
                Arc::new(set)
            }
        }
    }

    /// How many of `n_visible` values are in each state.
    pub fn counts(&self, n_visible: usize) -> StateCounts {
        let n_visible = n_visible as u64;
        let free = self.without_own.count() as u64;
        let Some(own) = &self.selected else {
            return StateCounts {
                optional: free,
                excluded: n_visible.saturating_sub(free),
                ..StateCounts::default()
            };
        };
        let n_own = own.count() as u64;
        let both = self.possible().count() as u64;
        let (in_, out) = (both, n_own - both);
        let mut counts = StateCounts {
            alternative: free - both,
            excluded: n_visible.saturating_sub(free + out),
            ..StateCounts::default()
        };
        if self.locked {
            (counts.locked, counts.locked_excluded) = (in_, out);
        } else {
            (counts.selected, counts.selected_excluded) = (in_, out);
        }
        counts
    }
}
