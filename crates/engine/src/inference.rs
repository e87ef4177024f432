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
use crate::known::{Found, Known};
use crate::scan::{codes_in, codes_in_by};
use crate::sieve::Sieve;
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
    known: Arc<Known>,
    selections: Arc<StateSelections>,
    possible: Mutex<FxHashMap<FieldId, Arc<BitSet>>>,
}

impl Inference {
    pub(crate) fn new(
        core: Arc<Core>,
        known: Arc<Known>,
        selections: Arc<StateSelections>,
    ) -> Self {
        Self {
            core,
            known,
            selections,
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
        self.remaining(table, None, budget)
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
        let lock = || self.possible.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&field) {
            return Ok(known.clone());
        }
        let found = Arc::new(self.derive_possible(field, budget)?);
        lock().insert(field, found.clone());
        Ok(found)
    }

    fn derive_possible(&self, field: FieldId, budget: &Budget) -> Result<BitSet, Stop> {
        let links = self.core.links(field);
        if !links.is_empty() {
            let mut possible: Option<BitSet> = None;
            for (table, _) in links {
                if let Some(message) = self.message(*table, field, &self.selections, budget)? {
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

    /// The codes of `key` that the side of `table` still has under those of `selections` that
    /// are made on that side; `None` if none is.
    fn message(
        &self,
        table: TableId,
        key: FieldId,
        selections: &StateSelections,
        budget: &Budget,
    ) -> Result<Message, Stop> {
        let behind = selections.within(&self.core.reach(table, Some(key)));
        let data = self.core.model().table(table);
        let Some(column) = data.column_of(key).filter(|_| !behind.is_empty()) else {
            return Ok(None);
        };
        if let Some(Found::Codes(_, codes)) = self.known.get(table, Some(key), &behind) {
            return Ok(Some(codes));
        }
        let rows = self.rows_under(table, &behind, budget)?;
        let codes = &data.columns[column].codes;
        let index = self.core.model().built_key_index(table, column);
        let n_symbols = self.core.n_symbols(key);
        let found = Arc::new(codes_in_by(codes, n_symbols, rows.set(), index, budget)?);
        let kept = Found::Codes(key, found.clone());
        self.known.keep(table, behind, kept);
        Ok(Some(found))
    }

    /// The rows of a table that satisfy the selections in its fields and on its other sides,
    /// leaving aside the field `aside`: its selection and what lies behind it.
    fn remaining(
        &self,
        table: TableId,
        aside: Option<FieldId>,
        budget: &Budget,
    ) -> Result<RowSet, Stop> {
        let is_key = |f: &FieldId| self.core.keys(table).iter().any(|(k, _)| k == f);
        let mut reaching = (self.selections).within(&self.core.reach(table, aside.filter(is_key)));
        if let Some(field) = aside {
            reaching.remove(field);
        }
        self.rows_under(table, &reaching, budget)
    }

    /// The rows of a table under `selections`, all of which reach it.
    fn rows_under(
        &self,
        table: TableId,
        selections: &StateSelections,
        budget: &Budget,
    ) -> Result<RowSet, Stop> {
        let mask = self.core.view.shared_mask(table);
        if selections.is_empty() {
            return Ok(RowSet {
                rows: mask.cloned(),
                restricted: false,
            });
        }
        if let Some(Found::Rows(rows)) = self.known.get(table, None, selections) {
            return Ok(rows);
        }
        let sieves = self.sieves(table, selections, budget)?;
        let n_rows = self.core.model().table(table).n_rows;
        budget.charge_bytes(n_rows as u64 / 8 + 1)?;
        let mut rows: Option<BitSet> = mask.map(|m| (**m).clone());
        for sieve in &sieves {
            sieve.sift(&self.core, table, &mut rows, budget)?;
        }
        let found = RowSet {
            rows: Some(Arc::new(rows.unwrap_or_else(|| BitSet::all(n_rows)))),
            restricted: true,
        };
        let kept = Found::Rows(found.clone());
        self.known.keep(table, selections.clone(), kept);
        Ok(found)
    }

    /// What the columns of a table may have under `selections`, the most selective first.
    fn sieves(
        &self,
        table: TableId,
        selections: &StateSelections,
        budget: &Budget,
    ) -> Result<Vec<Sieve>, Stop> {
        let mut sieves = Vec::new();
        let keys = self.core.keys(table);
        for (column, data) in self.core.model().table(table).columns.iter().enumerate() {
            let field = data.field;
            let mut allowed = selections.field(field).map(|s| s.codes.clone());
            let is_key = keys.iter().any(|(k, _)| *k == field);
            let links = if is_key { self.core.links(field) } else { &[] };
            for (other, _) in links.iter().filter(|(other, _)| *other != table) {
                let Some(message) = self.message(*other, field, selections, budget)? else {
                    continue;
                };
                allowed = Some(match allowed {
                    None => message,
                    Some(set) => {
                        let mut both = (*set).clone();
                        both.intersect(&message);
                        Arc::new(both)
                    }
                });
            }
            if let Some(allowed) = allowed {
                sieves.push(Sieve::new(column, is_key, allowed));
            }
        }
        sieves.sort_by(|a, b| a.passes.total_cmp(&b.passes));
        Ok(sieves)
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
