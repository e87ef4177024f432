//! Results of calculations, kept for whoever asks the same of the same records.
//!
//! An engine belongs to one view, so that a result is shared by those alone who see the same
//! rows and fields. What a result depends on besides is compared in full: the selections behind
//! each set of records, the fields of the dimensions, the aggregations, and how texts are read
//! as numbers. Calculations that depend on more than that (the clock, the session, expressions
//! evaluated by record) are not kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use satchel_calc::{AggKind, Locale};
use satchel_data::FieldId;

use crate::calculate::Calculated;
use crate::dimension::Dim;
use crate::program::AggSpec;
use crate::records::Records;
use crate::{Query, StateSelections};

/// All results together take at most 4 MiB.
const MOST_BYTES: usize = 4 << 20;

/// The latest used ones, latest last.
#[derive(Debug, Default)]
pub(crate) struct Results(Mutex<VecDeque<Entry>>);

#[derive(Debug)]
struct Entry {
    /// Where the groups are those of the selections themselves.
    current: Option<Arc<StateSelections>>,
    locale: Locale,
    dims: Vec<FieldId>,
    aggs: Vec<Agg>,
    result: Arc<Calculated>,
    n_bytes: usize,
}

/// An aggregation as far as its results depend on it.
#[derive(Debug, PartialEq)]
struct Agg {
    kind: AggKind,
    distinct: bool,
    total: Option<Vec<FieldId>>,
    records: Records,
    args: Vec<Arg>,
}

#[derive(Debug, PartialEq)]
enum Arg {
    Field(u32),
    /// Arithmetic, as its instructions read.
    Arithmetic(String),
}

/// What a calculation is recognised by.
pub(crate) struct Asked {
    current: Option<Arc<StateSelections>>,
    dims: Vec<FieldId>,
    aggs: Vec<Agg>,
}

impl Asked {
    /// `None` if the result depends on more than can be compared.
    pub fn of(query: &Query<'_>, dims: &[Dim], aggs: &[AggSpec]) -> Option<Self> {
        let groups_of_records = aggs.iter().any(|a| a.total.is_none());
        Some(Self {
            current: (!groups_of_records).then(|| query.current()),
            dims: dims.iter().map(Dim::plain_field).collect::<Option<_>>()?,
            aggs: aggs.iter().map(agg).collect::<Option<_>>()?,
        })
    }
}

fn agg(spec: &AggSpec) -> Option<Agg> {
    let arg = |program: &satchel_calc::Program| match program.as_single_field() {
        Some(field) => Some(Arg::Field(field)),
        None => Some(Arg::Arithmetic(format!("{:?}", program.as_numeric()?))),
    };
    Some(Agg {
        kind: spec.kind,
        distinct: spec.distinct,
        total: spec.total.clone(),
        records: spec.records.clone(),
        args: match spec.virtuals.as_slice() {
            [] => spec.args.iter().map(arg).collect::<Option<_>>()?,
            _ => return None,
        },
    })
}

impl Entry {
    fn answers(&self, asked: &Asked, locale: &Locale) -> bool {
        let same_current = match (&self.current, &asked.current) {
            (None, None) => true,
            (Some(a), Some(b)) => a.same_values(b),
            _ => false,
        };
        self.dims == asked.dims && self.aggs == asked.aggs && same_current && self.locale == *locale
    }
}

impl Results {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A result that was kept.
    pub fn get(&self, asked: &Asked, locale: &Locale) -> Option<Arc<Calculated>> {
        let mut entries = self.lock();
        let at = entries.iter().position(|e| e.answers(asked, locale))?;
        let entry = entries.remove(at)?;
        let result = entry.result.clone();
        entries.push_back(entry);
        Some(result)
    }

    /// Keeps a result, and lets go of what was not used for longest.
    pub fn keep(&self, asked: Asked, locale: &Locale, result: &Calculated) {
        let n_bytes = result.bytes();
        if n_bytes > MOST_BYTES / 4 {
            return;
        }
        let entry = Entry {
            current: asked.current,
            locale: locale.clone(),
            dims: asked.dims,
            aggs: asked.aggs,
            result: Arc::new(result.clone()),
            n_bytes,
        };
        let mut entries = self.lock();
        entries.push_back(entry);
        let mut bytes: usize = entries.iter().map(|e| e.n_bytes).sum();
        while bytes > MOST_BYTES {
            bytes -= entries.pop_front().map_or(bytes, |e| e.n_bytes);
        }
    }

    /// Lets go of everything.
    pub fn forget(&self) {
        self.lock().clear();
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.lock().iter().map(|e| e.n_bytes).sum()
    }
}
