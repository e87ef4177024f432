//! Sets of records: what set expressions stand for.

use std::sync::Arc;

use satchel_base::Stop;
use satchel_data::{BitSet, TableId};
use satchel_syntax::SetOp;

use crate::inference::RowSet;
use crate::{Query, StateSelections};

/// A set of records.
#[derive(Clone, Debug)]
pub(crate) enum Records {
    /// No record.
    Empty,
    /// The records that some selections leave.
    Selection(Arc<StateSelections>),
    /// Two sets combined. Records are compared by the rows of the table that is aggregated.
    Combined(SetOp, Box<Records>, Box<Records>),
}

impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Empty, Self::Empty) => true,
            (Self::Selection(a), Self::Selection(b)) => a.same_values(b),
            (Self::Combined(o, a, b), Self::Combined(p, c, d)) => o == p && a == c && b == d,
            _ => false,
        }
    }
}

impl Records {
    /// The rows of a table that belong to the set; `None` for all.
    pub fn rows(&self, query: &Query<'_>, table: TableId) -> Result<Option<Arc<BitSet>>, Stop> {
        self.row_set(query, table).map(|r| r.rows)
    }

    fn row_set(&self, query: &Query<'_>, table: TableId) -> Result<RowSet, Stop> {
        let n = query.engine.core.model().table(table).n_rows;
        match self {
            Self::Empty => Ok(RowSet {
                rows: Some(Arc::new(BitSet::none(n))),
                restricted: true,
            }),
            Self::Selection(selections) => {
                query.engine.possible_rows(selections, table, query.budget)
            }
            Self::Combined(op, left, right) => {
                let full = |r: RowSet| r.rows.map_or_else(|| BitSet::all(n), |s| (*s).clone());
                let mut a = full(left.row_set(query, table)?);
                let b = full(right.row_set(query, table)?);
                match op {
                    SetOp::Union => a.union(&b),
                    SetOp::Difference => a.subtract(&b),
                    SetOp::Intersection => a.intersect(&b),
                    SetOp::SymmetricDifference => {
                        for (x, y) in a.words_mut().iter_mut().zip(b.words()) {
                            *x ^= y;
                        }
                    }
                }
                Ok(RowSet {
                    rows: Some(Arc::new(a)),
                    restricted: true,
                })
            }
        }
    }
}
