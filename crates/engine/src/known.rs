//! What selections imply for one table, kept for the next click that shares them.
//!
//! What remains of a table follows from those selections alone that reach it. A click changes
//! one field; on the other sides of the model everything stays, whatever the click was.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use satchel_data::{BitSet, FieldId, TableId};

use crate::StateSelections;
use crate::inference::RowSet;

/// At least so many entries are kept, however large.
const FEWEST: usize = 12;

/// Entries beyond the fewest may hold so much, and those of all views of a model together:
/// 32 MiB.
const MAX_BYTES: usize = 32 << 20;

/// Who keeps something of a model, the latest used ones last. A hundred users who have gone for
/// lunch shall not hold the memory of a hundred.
#[derive(Debug, Default)]
pub(crate) struct Keepers(Mutex<VecDeque<Weak<Known>>>);

impl Keepers {
    /// Takes note that `known` is in use; those unused for longest let go of what they have
    /// when all have too much.
    pub fn used(&self, known: &Arc<Known>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|k| k.strong_count() > 0 && !std::ptr::eq(k.as_ptr(), Arc::as_ptr(known)));
        all.push_back(Arc::downgrade(known));
        let mut bytes: usize = all
            .iter()
            .filter_map(Weak::upgrade)
            .map(|k| k.bytes())
            .sum();
        for other in all.iter().filter_map(Weak::upgrade) {
            if bytes <= MAX_BYTES || Arc::ptr_eq(&other, known) {
                break;
            }
            bytes -= other.bytes();
            other.forget();
        }
    }
}

/// The latest used ones, latest last.
#[derive(Debug, Default)]
pub(crate) struct Known {
    entries: Mutex<VecDeque<Entry>>,
}

#[derive(Debug)]
struct Entry {
    table: TableId,
    /// Those that reach the table, and no others.
    selections: StateSelections,
    found: Found,
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// The rows that remain.
    Rows(RowSet),
    /// The codes of a key in the rows that remain.
    Codes(FieldId, Arc<BitSet>),
}

impl Found {
    fn bytes(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.set().map_or(0, BitSet::len) / 8,
            Self::Codes(_, codes) => codes.len() / 8,
        }
    }

    fn key(&self) -> Option<FieldId> {
        match self {
            Self::Rows(_) => None,
            Self::Codes(key, _) => Some(*key),
        }
    }
}

impl Known {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a table (`key` none) or the codes of a key in them.
    pub fn get(
        &self,
        table: TableId,
        key: Option<FieldId>,
        selections: &StateSelections,
    ) -> Option<Found> {
        let mut entries = self.lock();
        let at = entries.iter().position(|e| {
            e.table == table && e.found.key() == key && e.selections.same_values(selections)
        })?;
        let entry = entries.remove(at)?;
        let found = entry.found.clone();
        entries.push_back(entry);
        Some(found)
    }

    /// Keeps what was found, and lets go of what was not used for longest.
    pub fn keep(&self, table: TableId, selections: StateSelections, found: Found) {
        let mut entries = self.lock();
        entries.push_back(Entry {
            table,
            selections,
            found,
        });
        let mut bytes: usize = entries.iter().map(|e| e.found.bytes()).sum();
        while entries.len() > FEWEST && bytes > MAX_BYTES {
            bytes -= entries.pop_front().map_or(0, |e| e.found.bytes());
        }
    }

    /// Lets go of everything.
    pub fn forget(&self) {
        self.lock().clear();
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.lock().iter().map(|e| e.found.bytes()).sum()
    }
}
