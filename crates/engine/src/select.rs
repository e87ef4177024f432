//! Changing selections as a user does.
//!
//! Rules: reference semantics E2. Values are given by element number or as values; a selection
//! that would be empty is removed. Locked fields refuse unless locks are overridden.

use satchel_base::{Budget, Stop};
use satchel_data::{BitSet, FieldId, Value};

use crate::search::Search;
use crate::{Engine, Locks, Selections, StateSelections};

/// What to do with the values given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toggle {
    /// They become the selection.
    Replace,
    /// Each is taken out if it is selected and added if it is not.
    Flip,
    /// They are added.
    Add,
}

/// A change to the selection in one field.
#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    /// Values by element number; unknown numbers are ignored.
    Elements(Vec<u32>, Toggle),
    /// Values by number or text; unknown ones are ignored. A value without a number also
    /// matches the text of a dual.
    Values(Vec<Value>, Toggle),
    /// Values a search text finds, as typed into a search box.
    Search(String, Toggle),
    /// Values whose number lies in one of the ranges.
    Ranges(Vec<NumberRange>, Toggle),
    /// All values.
    All,
    /// The possible ones.
    Possible,
    /// The excluded and alternative ones.
    Excluded,
    /// The alternative ones.
    Alternative,
    /// Nothing.
    Clear,
}

/// Numbers from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberRange {
    /// Lower end.
    pub low: f64,
    /// Whether the lower end belongs.
    pub low_inclusive: bool,
    /// Upper end.
    pub high: f64,
    /// Whether the upper end belongs.
    pub high_inclusive: bool,
}

impl NumberRange {
    fn contains(&self, num: f64) -> bool {
        (num > self.low || (self.low_inclusive && num == self.low))
            && (num < self.high || (self.high_inclusive && num == self.high))
    }
}

/// Why a selection was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// The field's selection is locked.
    #[error("the selection in the field is locked; unlock it first")]
    Locked,
    /// There is no such alternate state.
    #[error("there is no such alternate state")]
    NoSuchState,
    /// The budget ended.
    #[error(transparent)]
    Stop(#[from] Stop),
}

impl Engine {
    /// Carries out `select` in a state. Whether anything changed.
    ///
    /// # Errors
    /// See [`SelectError`]; then nothing has changed.
    pub fn select(
        &self,
        selections: &mut Selections,
        state: &str,
        field: FieldId,
        select: &Select,
        locks: Locks,
        budget: &Budget,
    ) -> Result<bool, SelectError> {
        let current = selections.state(state).ok_or(SelectError::NoSuchState)?;
        if locks == Locks::Respect && current.is_locked(field) {
            return Err(SelectError::Locked);
        }
        let next = match select {
            Select::Clear => None,
            Select::All => Some(self.visible_codes(field)),
            Select::Possible => {
                Some((*self.field_states(current, field, budget)?.possible()).clone())
            }
            Select::Alternative => {
                let states = self.field_states(current, field, budget)?;
                let mut codes = (*states.without_own).clone();
                match &states.selected {
                    Some(own) => codes.subtract(own),
                    None => codes = BitSet::none(codes.len()),
                }
                Some(codes)
            }
            Select::Excluded => {
                let mut codes = self.visible_codes(field);
                codes.subtract(&self.field_states(current, field, budget)?.possible());
                Some(codes)
            }
            Select::Elements(_, toggle)
            | Select::Values(_, toggle)
            | Select::Search(_, toggle)
            | Select::Ranges(_, toggle) => {
                let named = self.named_codes(field, select);
                combine(current, field, named, *toggle)
            }
        };
        let next = next.filter(BitSet::any);
        if current.field(field).map(|s| &*s.codes) == next.as_ref() {
            return Ok(false);
        }
        let state = selections
            .state_mut(state)
            .ok_or(SelectError::NoSuchState)?;
        match next {
            Some(codes) => state.set(field, codes),
            None => {
                state.remove(field);
            }
        }
        Ok(true)
    }

    /// After a user selected in `field`: if none of its selected values is possible, removes
    /// the earlier selections of other fields that exclude them, latest first, locked ones
    /// never. Whether any was removed.
    ///
    /// # Errors
    /// See [`SelectError`].
    pub fn drop_conflicts(
        &self,
        selections: &mut Selections,
        state: &str,
        field: FieldId,
        budget: &Budget,
    ) -> Result<bool, SelectError> {
        let mut dropped = false;
        loop {
            let current = selections.state(state).ok_or(SelectError::NoSuchState)?;
            if current.field(field).is_none()
                || self.field_states(current, field, budget)?.possible().any()
            {
                return Ok(dropped);
            }
            let others: Vec<FieldId> = current
                .fields()
                .filter(|(f, s)| *f != field && !s.locked)
                .map(|(f, _)| f)
                .collect();
            // The first whose removal alone helps, else the latest.
            let mut victim = None;
            for other in others.iter().rev() {
                let mut without = (**current).clone();
                without.remove(*other);
                let without = without.into();
                if self.field_states(&without, field, budget)?.possible().any() {
                    victim = Some(*other);
                    break;
                }
            }
            let Some(victim) = victim.or(others.last().copied()) else {
                return Ok(dropped);
            };
            if let Some(state) = selections.state_mut(state) {
                dropped |= state.remove(victim);
            }
        }
    }

    /// The codes that a search or a list of values names.
    fn named_codes(&self, field: FieldId, select: &Select) -> BitSet {
        let view = self.view();
        let mut codes = BitSet::none(self.core.n_symbols(field));
        let mut keep_if = |test: &dyn Fn(u32) -> bool| {
            for code in view.codes(field).iter().filter(|c| test(**c)) {
                codes.insert(*code as usize);
            }
        };
        match select {
            Select::Elements(elements, _) => {
                for code in elements.iter().filter_map(|e| view.code_of(field, *e)) {
                    codes.insert(code as usize);
                }
            }
            Select::Values(values, _) => {
                let numbers: Vec<u64> = values
                    .iter()
                    .filter_map(|v| v.as_num())
                    .map(|n| (n + 0.0).to_bits())
                    .collect();
                let texts: Vec<String> = values
                    .iter()
                    .filter(|v| v.as_num().is_none() && !v.is_null())
                    .map(Value::to_text)
                    .collect();
                keep_if(&|code| {
                    let num = view.num(field, code);
                    (!num.is_nan() && numbers.contains(&num.to_bits()))
                        || (!texts.is_empty() && {
                            let text = view.text(field, code);
                            texts.iter().any(|t| *t == *text)
                        })
                });
            }
            Select::Search(text, _) => {
                let search = Search::typed(text);
                keep_if(&|code| search.matches(&view.text(field, code), view.num(field, code)));
            }
            Select::Ranges(ranges, _) => {
                keep_if(&|code| ranges.iter().any(|r| r.contains(view.num(field, code))));
            }
            _ => {}
        }
        codes
    }

    /// All visible codes of a field.
    pub(crate) fn visible_codes(&self, field: FieldId) -> BitSet {
        let mut codes = BitSet::none(self.core.n_symbols(field));
        for code in self.view().codes(field).iter() {
            codes.insert(*code as usize);
        }
        codes
    }
}

fn combine(
    current: &StateSelections,
    field: FieldId,
    named: BitSet,
    toggle: Toggle,
) -> Option<BitSet> {
    let Some(own) = current.field(field) else {
        return Some(named);
    };
    match toggle {
        Toggle::Replace => Some(named),
        Toggle::Add => {
            let mut codes = named;
            codes.union(&own.codes);
            Some(codes)
        }
        Toggle::Flip => {
            let mut codes = (*own.codes).clone();
            for (word, flip) in codes.words_mut().iter_mut().zip(named.words()) {
                *word ^= flip;
            }
            Some(codes)
        }
    }
}
