//! Values that are in the data although the selections exclude them.

use rustc_hash::FxHashSet;

use super::CubeDef;
use crate::calculate::{Calculated, calculate};
use crate::dimension::Dim;
use crate::program::AggSpec;
use crate::{CalcError, Query};

impl Query<'_> {
    /// The rows with those added that dimensions showing all values ask for: combinations of
    /// the whole data in which the other dimensions have values that are there anyway. Where
    /// values are limited nothing is added.
    pub(super) fn with_all(
        &self,
        def: &CubeDef,
        dims: &[Dim],
        aggs: &[AggSpec],
        mut calculated: Calculated,
    ) -> Result<Calculated, CalcError> {
        let all: Vec<bool> = def.dimensions.iter().map(|d| d.show_all).collect();
        if !all.contains(&true) || def.dimensions.iter().any(|d| d.limit.is_some()) {
            return Ok(calculated);
        }
        let mut selections = self.selections.clone();
        selections.set_state(self.state, std::sync::Arc::default());
        let everything = Query {
            selections: &selections,
            ..*self
        };
        let whole = calculate(&everything, dims, &[])?;
        self.budget
            .charge_bytes((whole.n_rows * (24 + 4 * dims.len())) as u64)?;
        let known: FxHashSet<&[u32]> = (0..calculated.n_rows)
            .map(|row| calculated.tuple(row))
            .collect();
        let present: Vec<FxHashSet<u32>> = (0..dims.len())
            .map(|d| known.iter().map(|t| t[d]).collect())
            .collect();
        let fits = |tuple: &[u32]| {
            let there = |d: usize| match all[d] {
                // NULL is no value that could be shown.
                true => tuple[d] != dims[d].null(),
                false => present[d].contains(&tuple[d]),
            };
            (0..dims.len()).all(there) && !known.contains(tuple)
        };
        let more: Vec<Vec<u32>> = (0..whole.n_rows)
            .map(|row| whole.tuple(row))
            .filter(|t| fits(t))
            .map(<[u32]>::to_vec)
            .collect();
        calculated.add_empty(dims, aggs, &more);
        Ok(calculated)
    }
}
