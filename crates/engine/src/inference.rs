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

use crate::dimension::LaneSource;
use crate::graph::{Core, Hop};
use crate::known::{Found, Known};
use crate::scan::{codes_in, codes_in_by, each_block, keep_codes};
use crate::sieve::Sieve;
use crate::{StateCounts, StateSelections, ValueState};

/// Fields with more values are not looked up from afar: their codes by row would take as much
/// memory as the keys themselves, and no cache would hold what was seen.
const MOST_FROM_AFAR: usize = 1 << 18;

/// When less than one in so many rows is left, the other selections are looked up for those
/// rows alone.
const FEW_ROWS: usize = 32;

/// When not more than this part of a field's values is selected, their rows are found by keys;
/// otherwise the codes of all rows are passed over, if they are kept by row.
const FEW_VALUES: f64 = 0.01;

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
        if let Some(found) = self.seen_from_afar(field, budget)? {
            return Ok(found);
        }
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

    /// The possible values of a field with few of them, looked up from the rows of the table
    /// farthest away that selections reach: a few rows of it show all values soon, while a way
    /// of messages passes over every table on it. `None` where that is no shorter.
    ///
    /// Every step of the way is a lookup and has selections on its far side. So a row at the
    /// near end remains exactly if a remaining row at the far end leads to it.
    fn seen_from_afar(&self, field: FieldId, budget: &Budget) -> Result<Option<BitSet>, Stop> {
        let core = &*self.core;
        let n_symbols = core.n_symbols(field);
        if n_symbols > MOST_FROM_AFAR || !core.links(field).is_empty() {
            return Ok(None);
        }
        let model = core.model();
        let mut tight = model.field(field).columns.iter();
        let Some((home, _)) = tight.find(|(t, _)| !model.table(*t).loose) else {
            return Ok(None);
        };
        let mut others = (*self.selections).clone();
        others.remove(field);
        let root = self.farthest(*home, &others);
        if root == *home {
            return Ok(None);
        }
        let rows = self.rows_under(root, &others.within(&core.reach(root, None)), budget)?;
        let n_rows = model.table(root).n_rows;
        let n_wanted = rows.set().map_or(n_rows, BitSet::count);
        let Some(lane) = LaneSource::for_pass(core, root, field, n_wanted, budget)? else {
            return Ok(None);
        };
        let visible = self.visible(field);
        // One more for NULL; what the view hides is not waited for.
        let mut seen = vec![0u8; n_symbols + 1];
        for (code, seen) in seen[..n_symbols].iter_mut().enumerate() {
            *seen = u8::from(!visible.contains(code));
        }
        let mut codes = [0u32; satchel_data::BLOCK];
        // A look at all values should cost less than the blocks between two looks.
        let look_every = 1 + n_symbols / satchel_data::BLOCK;
        let mut n_blocks = 0;
        each_block(n_rows, rows.set(), budget, |block| {
            lane.fill(block, &mut codes);
            for code in &codes[..block.n()] {
                seen[*code as usize] = 1;
            }
            n_blocks += 1;
            Ok(n_blocks % look_every != 0 || seen[..n_symbols].contains(&0))
        })?;
        let mut found = BitSet::from_flags(&seen[..n_symbols]);
        found.intersect(&visible);
        Ok(Some(found))
    }

    /// The table at the far end of the longest way out of `table` on which each step back is a
    /// lookup and `selections` reach its far side; of several the one with the most rows.
    fn farthest(&self, table: TableId, selections: &StateSelections) -> TableId {
        let (mut at, mut came) = (table, None);
        while let Some(hop) = self.outward(at, came, selections) {
            (at, came) = (hop.to, Some(hop.key));
        }
        at
    }

    /// The step out of a table, not over `came`, whose way back is a lookup and whose far side
    /// `selections` reach; the one to the most rows, and not to fewer than here. Never two
    /// tables lead to each other.
    fn outward(
        &self,
        from: TableId,
        came: Option<FieldId>,
        selections: &StateSelections,
    ) -> Option<Hop> {
        let core = &*self.core;
        let size = |t: TableId| (core.model().table(t).n_rows, t);
        let reached = |hop: &Hop| {
            let beyond = core.reach(hop.to, Some(hop.key));
            selections.fields().any(|(f, _)| beyond.contains(f.index()))
        };
        core.hops(from)
            .filter(|hop| Some(hop.key) != came && size(hop.to) > size(from))
            .filter(|hop| reached(hop) && core.is_unique(from, hop.from_column))
            .max_by_key(|hop| size(hop.to))
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
        let n_rows = self.core.model().table(table).n_rows;
        budget.charge_bytes(n_rows as u64 / 8 + 1)?;
        let rows = self.derive_rows(table, selections, budget)?;
        let found = RowSet {
            rows: Some(Arc::new(rows)),
            restricted: true,
        };
        let kept = Found::Rows(found.clone());
        self.known.keep(table, selections.clone(), kept);
        Ok(found)
    }

    /// A selection in a field that lookups reach takes rows away whatever else is selected. So
    /// what is left is what all of them leave, and what is left by one is good for the next
    /// click, too.
    fn derive_rows(
        &self,
        table: TableId,
        selections: &StateSelections,
        budget: &Budget,
    ) -> Result<BitSet, Stop> {
        if let Some(rows) = self.rows_with_partners(table, selections, budget)? {
            return Ok(rows);
        }
        let n_rows = self.core.model().table(table).n_rows;
        let mut near: Vec<(FieldId, f64)> = Vec::new();
        let mut far = selections.clone();
        for (field, selection) in selections.fields() {
            if LaneSource::of_field(&self.core, table, field).is_some() {
                let n = selection.codes.len().max(1) as f64;
                near.push((field, selection.codes.count() as f64 / n));
                far.remove(field);
            }
        }
        if near.is_empty() {
            return self.sift(table, selections, budget);
        }
        if let ([(field, part)], true) = (near.as_slice(), far.is_empty()) {
            return self.rows_of_one(table, (*field, *part), selections, budget);
        }
        near.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut rows: Option<BitSet> = match far.is_empty() {
            true => None,
            false => (self.rows_under(table, &far, budget)?.set()).cloned(),
        };
        for (field, _) in near {
            let alone = selections.only(field);
            let few = |set: &BitSet| set.count() < n_rows / FEW_ROWS;
            match &mut rows {
                Some(set) if few(set) && self.known.get(table, None, &alone).is_none() => {
                    self.sift_by_lane(table, field, &alone, set, budget)?;
                }
                Some(set) => {
                    if let Some(other) = self.rows_under(table, &alone, budget)?.set() {
                        set.intersect(other);
                    }
                }
                None => rows = self.rows_under(table, &alone, budget)?.set().cloned(),
            }
        }
        Ok(rows.unwrap_or_else(|| BitSet::all(n_rows)))
    }

    /// The rows of a table that have a remaining row beyond a key that is unique here, where
    /// selections are made on both sides of it: those rows are fewer than the ones that the
    /// selections beyond the key alone leave. `None` if there is no such key.
    fn rows_with_partners(
        &self,
        table: TableId,
        selections: &StateSelections,
        budget: &Budget,
    ) -> Result<Option<BitSet>, Stop> {
        let core = &*self.core;
        let Some(hop) = self.outward(table, None, selections) else {
            return Ok(None);
        };
        if selections.within(&core.reach(hop.to, Some(hop.key))).len() == selections.len() {
            return Ok(None);
        }
        let beyond = self.rows_under(hop.to, selections, budget)?;
        let codes = &core.model().table(hop.to).columns[hop.to_column].codes;
        let n_symbols = core.n_symbols(hop.key);
        let found = codes_in(codes, n_symbols, beyond.set(), budget)?;
        let n_rows = core.model().table(table).n_rows;
        let mut rows = core.index(table, hop.from_column).rows_of(&found, n_rows);
        if let Some(mask) = core.view.row_mask(table) {
            rows.intersect(mask);
        }
        Ok(Some(rows))
    }

    /// The rows of a table that the selection of one field leaves; `part` of its values are
    /// selected.
    fn rows_of_one(
        &self,
        table: TableId,
        (field, part): (FieldId, f64),
        selection: &StateSelections,
        budget: &Budget,
    ) -> Result<BitSet, Stop> {
        let data = self.core.model().table(table);
        let is_small = data.n_rows < crate::lanes::FEWEST_ROWS;
        if data.column_of(field).is_none() && (is_small || part > FEW_VALUES) {
            let source = LaneSource::for_pass(&self.core, table, field, data.n_rows, budget)?;
            if is_small || matches!(source, Some(LaneSource::Kept(_))) {
                let mask = self.core.view.row_mask(table).cloned();
                let mut rows = mask.unwrap_or_else(|| BitSet::all(data.n_rows));
                self.sift_by_lane(table, field, selection, &mut rows, budget)?;
                return Ok(rows);
            }
        }
        self.sift(table, selection, budget)
    }

    /// Keeps those of `rows` in which a field that lookups reach has a selected value.
    fn sift_by_lane(
        &self,
        table: TableId,
        field: FieldId,
        selection: &StateSelections,
        rows: &mut BitSet,
        budget: &Budget,
    ) -> Result<(), Stop> {
        let core = &*self.core;
        let Some(allowed) = selection.field(field).map(|s| &s.codes) else {
            return Ok(());
        };
        match LaneSource::for_pass(core, table, field, rows.count(), budget)? {
            Some(LaneSource::Direct(codes)) => keep_codes(rows, codes, allowed, budget),
            Some(LaneSource::Kept(codes)) => keep_codes(rows, &codes, allowed, budget),
            Some(lane) => {
                let mut kept = BitSet::none(rows.len());
                let mut codes = [0u32; satchel_data::BLOCK];
                each_block(rows.len(), Some(rows), budget, |block| {
                    lane.fill(block, &mut codes);
                    for (i, code) in codes[..block.n()].iter().enumerate() {
                        // NULL's code is past the end of the set.
                        if allowed.contains(*code as usize) {
                            kept.insert(block.row(i));
                        }
                    }
                    Ok(true)
                })?;
                *rows = kept;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The rows of a table that pass what its columns may have, the most selective first.
    fn sift(
        &self,
        table: TableId,
        selections: &StateSelections,
        budget: &Budget,
    ) -> Result<BitSet, Stop> {
        let n_rows = self.core.model().table(table).n_rows;
        let mut rows: Option<BitSet> = self.core.view.row_mask(table).cloned();
        for sieve in &self.sieves(table, selections, budget)? {
            sieve.sift(&self.core, table, &mut rows, budget)?;
        }
        Ok(rows.unwrap_or_else(|| BitSet::all(n_rows)))
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
