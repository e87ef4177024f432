//! Dimension limits: the values of a dimension that are shown one by one, and the others
//! together.
//!
//! Which values stay is decided by a measure over the values of the dimension, within each
//! combination of the dimensions before it unless the limit is global. The others are
//! aggregated anew from their records, not added up. Rules: the public reference of
//! `OtherTotalSpecProp`.

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_data::Value;

use crate::calculate::{Calculated, calculate};
use crate::dimension::Dim;
use crate::evaluate::measure_values;
use crate::over_rows::Layout;
use crate::program::{AggSpec, compile_column};
use crate::{CalcError, MeasureDef, Query};

/// Which values of a dimension are shown one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Which ones.
    pub keep: Keep,
    /// Whether values count from the largest or from the smallest.
    pub from: End,
    /// What it is about; the first measure if that is not given.
    pub expression: Option<String>,
    /// Whether the rest stands together as one value.
    pub others: Others,
    /// What the rest is called.
    pub label: String,
    /// Whether the dimensions before it are left aside.
    pub global: bool,
    /// Whether the dimensions after it are left out where it shows the rest.
    pub collapse_inner: bool,
    /// Whether values stay whose measure is a text.
    pub keep_texts: bool,
}

/// Which values of a dimension stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keep {
    /// So many.
    Count(usize),
    /// Those whose measure compares so.
    Each(Comparison, Amount),
    /// As many as are needed until their sum reaches an amount. With [`Comparison::AtLeast`]
    /// and [`Comparison::Above`] the value that reaches it stays, too.
    Until(Comparison, Amount),
}

/// An amount as itself or as a share of the sum of all values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// In the measure's own unit.
    Absolute(f64),
    /// 0.1 is a tenth.
    Share(f64),
}

/// How a measure compares with an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
}

/// From which end values count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The largest first.
    Largest,
    /// The smallest first.
    Smallest,
}

/// What becomes of the values that do not stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// One value for them together.
    Shown,
    /// Nothing.
    Hidden,
}

impl Comparison {
    fn holds(self, value: f64, amount: f64) -> bool {
        match self {
            Self::AtLeast => value >= amount,
            Self::AtMost => value <= amount,
            Self::Above => value > amount,
            Self::Below => value < amount,
        }
    }
}

impl Limit {
    /// The codes that stay of candidates with their measures.
    fn kept(&self, candidates: &[(u32, Value)]) -> FxHashSet<u32> {
        let mut ranked: Vec<(u32, f64)> = Vec::new();
        let mut kept = FxHashSet::default();
        for (code, value) in candidates {
            match value.as_num().filter(|n| !n.is_nan()) {
                Some(num) => ranked.push((*code, num)),
                None if self.keep_texts && !value.is_null() => {
                    kept.insert(*code);
                }
                // Without a measure it comes last from either end.
                None => {}
            }
        }
        ranked.sort_by(|a, b| match self.from {
            End::Largest => b.1.total_cmp(&a.1),
            End::Smallest => a.1.total_cmp(&b.1),
        });
        let sum: f64 = ranked.iter().map(|(_, n)| n).sum();
        let absolute = |amount: Amount| match amount {
            Amount::Absolute(amount) => amount,
            Amount::Share(share) => share * sum,
        };
        match self.keep {
            Keep::Count(n) => {
                let bare = candidates.iter().filter(|(c, v)| {
                    let known = v.as_num().is_some_and(|n| !n.is_nan());
                    !known && !kept.contains(c)
                });
                let last: Vec<u32> = bare.map(|(c, _)| *c).collect();
                let all = ranked.iter().map(|(c, _)| *c).chain(last);
                kept = all.take(n).chain(kept.iter().copied()).collect();
            }
            Keep::Each(comparison, amount) => {
                let amount = absolute(amount);
                let stays = |(_, num): &&(u32, f64)| comparison.holds(*num, amount);
                kept.extend(ranked.iter().filter(stays).map(|(c, _)| *c));
            }
            Keep::Until(comparison, amount) => {
                let target = absolute(amount);
                let mut before = 0.0;
                for (code, num) in &ranked {
                    let stays = match comparison {
                        Comparison::AtLeast => before < target,
                        Comparison::Above => before <= target,
                        Comparison::AtMost => before + num <= target,
                        Comparison::Below => before + num < target,
                    };
                    if !stays {
                        break;
                    }
                    before += num;
                    kept.insert(*code);
                }
            }
        }
        kept
    }
}

/// What is limited, and how.
pub(crate) struct Limits<'a> {
    /// By dimension.
    pub limits: Vec<Option<&'a Limit>>,
    /// By dimension: rows where it is NULL are left out, so that NULL is not among the others.
    pub suppress_null: Vec<bool>,
    /// The first dimension of the second axis of a pivot table; dimensions of one axis do not
    /// limit those of the other.
    pub second_axis: usize,
    /// The measures of the chart.
    pub measures: &'a [MeasureDef],
}

/// Which rows of a region count.
enum Condition {
    /// The dimensions at these places have one of these combinations.
    OneOf(Vec<usize>, FxHashSet<Vec<u32>>),
    NotOthers(usize),
    OnlyOthers(usize),
}

/// Part of a cube in which each limited dimension keeps the same values throughout.
struct Region {
    dims: Vec<Dim>,
    limited: Vec<bool>,
    collapsed: Vec<bool>,
    conditions: Vec<Condition>,
}

impl Region {
    /// A tuple of its dimensions, some of them, in the codes of the original ones: past NULL's
    /// code comes that of the others.
    fn original(&self, places: &[usize], tuple: &[u32], originals: &[Dim]) -> Vec<u32> {
        places
            .iter()
            .zip(tuple)
            .map(|(place, code)| {
                let null = originals[*place].null();
                match code {
                    _ if self.collapsed[*place] => null + 1,
                    _ if !self.limited[*place] => *code,
                    c if *c == null => null + 1,
                    c if *c == null + 1 => null,
                    c => *c,
                }
            })
            .collect()
    }

    /// Whether a tuple counts, as far as the dimensions it tells of say.
    fn counts(&self, places: &[usize], tuple: &[u32], originals: &[Dim]) -> bool {
        let code = |place: usize| {
            let at = places.iter().position(|p| *p == place)?;
            Some(tuple[at])
        };
        let others = |place: usize| Some(code(place)? == originals[place].null() + 1);
        self.conditions.iter().all(|condition| match condition {
            Condition::OneOf(of, tuples) => {
                let part: Option<Vec<u32>> = of.iter().map(|p| code(*p)).collect();
                part.is_none_or(|part| tuples.contains(&part))
            }
            Condition::NotOthers(place) => others(*place) != Some(true),
            Condition::OnlyOthers(place) => others(*place) != Some(false),
        })
    }
}

/// [`calculate`] with the values that limits leave out grouped as others, whose code is one
/// past NULL's.
pub(crate) fn calculate_limited(
    query: &Query<'_>,
    dims: &[Dim],
    limits: &Limits<'_>,
    aggs: &[AggSpec],
) -> Result<Calculated, CalcError> {
    if limits.limits.iter().all(Option::is_none) {
        return calculate(query, dims, aggs);
    }
    let mut regions = vec![Region {
        dims: dims.to_vec(),
        limited: vec![false; dims.len()],
        collapsed: vec![false; dims.len()],
        conditions: Vec::new(),
    }];
    for (place, limit) in limits.limits.iter().enumerate() {
        if let Some(limit) = limit {
            let mut next = Vec::new();
            for region in regions {
                split(query, dims, limits, region, place, limit, &mut next)?;
            }
            regions = next;
        }
    }
    let places: Vec<usize> = (0..dims.len()).collect();
    let mut parts = Vec::with_capacity(regions.len());
    for region in &regions {
        let calculated = calculate(query, &region.dims, aggs)?;
        query
            .budget
            .charge_bytes((calculated.n_rows * (16 + 4 * dims.len())) as u64)?;
        let rows: Vec<(usize, Vec<u32>)> = (0..calculated.n_rows)
            .map(|row| (row, region.original(&places, calculated.tuple(row), dims)))
            .filter(|(_, tuple)| region.counts(&places, tuple, dims))
            .collect();
        parts.push((calculated, rows));
    }
    Ok(Calculated::joined(dims, aggs, parts))
}

/// Divides a region by the values that a dimension keeps in it.
fn split(
    query: &Query<'_>,
    dims: &[Dim],
    limits: &Limits<'_>,
    region: Region,
    place: usize,
    limit: &Limit,
    out: &mut Vec<Region>,
) -> Result<(), CalcError> {
    let (axis, axis_end) = if place < limits.second_axis {
        (0, limits.second_axis)
    } else {
        (limits.second_axis, dims.len())
    };
    let first = limits.measures.first().map(|m| m.def.as_str());
    let text = limit.expression.as_deref().or(first);
    let unlimited = region.collapsed[place] || dims[place].is_made();
    let (Some(text), false) = (text, unlimited) else {
        out.push(region);
        return Ok(());
    };
    let mut aggs: Vec<AggSpec> = Vec::new();
    let measure = compile_column(query, text, &mut aggs, 0, limits.measures)?;
    let places: Vec<usize> = if limit.global {
        vec![place]
    } else {
        (axis..=place).collect()
    };
    let shown: Vec<Dim> = places.iter().map(|p| region.dims[*p].clone()).collect();
    let calculated = calculate(query, &shown, &aggs)?;
    let layout = Layout::sorted(query, &shown, &[], &calculated)?;
    let values = measure_values(query, &calculated, &measure, &layout)?;
    query
        .budget
        .charge_bytes((calculated.n_rows * (64 + 4 * dims.len())) as u64)?;
    let mut by_prefix: FxHashMap<Vec<u32>, Vec<(u32, Value)>> = FxHashMap::default();
    let null = dims[place].null();
    for (row, value) in values.into_iter().enumerate() {
        let mut tuple = region.original(&places, calculated.tuple(row), dims);
        let counts = region.counts(&places, &tuple, dims);
        if let (true, Some(code)) = (counts, tuple.pop()) {
            let candidates = by_prefix.entry(tuple).or_default();
            if !(limits.suppress_null[place] && code == null) {
                candidates.push((code, value));
            }
        }
    }
    // Prefixes that keep the same values share a region.
    let mut by_kept: FxHashMap<Vec<u32>, FxHashSet<Vec<u32>>> = FxHashMap::default();
    let view = query.engine.view();
    for (prefix, mut candidates) in by_prefix {
        // Of values that measure the same, the first in the data stay.
        candidates.sort_by_key(|(c, _)| (*c == null, dims[place].element(view, *c)));
        let mut kept: Vec<u32> = limit.kept(&candidates).into_iter().collect();
        if limits.suppress_null[place] {
            kept.push(null);
        }
        kept.sort_unstable();
        by_kept.entry(kept).or_default().insert(prefix);
    }
    if by_kept.is_empty() {
        out.push(region);
        return Ok(());
    }
    let alone = by_kept.len() == 1;
    let before = &places[..places.len() - 1];
    // In an order of their own, so that rows come in the same order each time.
    let mut by_kept: Vec<_> = by_kept.into_iter().collect();
    by_kept.sort_by(|a, b| a.0.cmp(&b.0));
    for (kept, prefixes) in by_kept {
        let kept: FxHashSet<u32> = kept.into_iter().collect();
        let mut dims_here = region.dims.clone();
        dims_here[place] = region.dims[place].limited(&|c| kept.contains(&c));
        let conditions = || {
            let mut all: Vec<Condition> = region.conditions.iter().map(Condition::copy).collect();
            if !alone && !limit.global {
                all.push(Condition::OneOf(before.to_vec(), prefixes.clone()));
            }
            all
        };
        let mut limited = region.limited.clone();
        limited[place] = true;
        let mut main = Region {
            dims: dims_here.clone(),
            limited: limited.clone(),
            collapsed: region.collapsed.clone(),
            conditions: conditions(),
        };
        if limit.others == Others::Hidden || limit.collapse_inner {
            main.conditions.push(Condition::NotOthers(place));
        }
        out.push(main);
        if limit.others == Others::Shown && limit.collapse_inner {
            let mut collapsed = region.collapsed.clone();
            for inner in place + 1..axis_end {
                dims_here[inner] = Dim::constant();
                collapsed[inner] = true;
            }
            let mut conditions = conditions();
            conditions.push(Condition::OnlyOthers(place));
            out.push(Region {
                dims: dims_here,
                limited,
                collapsed,
                conditions,
            });
        }
    }
    Ok(())
}

impl Condition {
    fn copy(&self) -> Self {
        match self {
            Self::OneOf(places, tuples) => Self::OneOf(places.clone(), tuples.clone()),
            Self::NotOthers(place) => Self::NotOthers(*place),
            Self::OnlyOthers(place) => Self::OnlyOthers(*place),
        }
    }
}
