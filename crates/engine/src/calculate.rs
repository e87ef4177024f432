//! Aggregations grouped by dimensions.
//!
//! The records of an aggregation are the rows of the join of the tables that hold its fields,
//! under its set. A record counts once in every group whose dimension values it is associated
//! with. Where every dimension is reached by lookups, that is one group a row and a pass over
//! the table; otherwise the tables are joined and repetitions dropped.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use satchel_calc::{AggKind, EvalContext};
use satchel_data::{FieldId, TableId, Value};

use crate::aggregate::of_nothing;
use crate::dimension::{Dim, LaneSource};
use crate::graph::Core;
use crate::group::Grouper;
use crate::pass::run;
use crate::program::{AggSpec, with_context};
use crate::records::Records;
use crate::results::Asked;
use crate::{CalcError, Query};

/// Rows of a calculation, each with its dimension codes in another one.
pub(crate) type TakenRows = Vec<(usize, Vec<u32>)>;

/// Groups with the results of aggregations.
#[derive(Clone, Debug)]
pub(crate) struct Calculated {
    n_dims: usize,
    /// Dimension codes, `n_dims` a row.
    pub codes: Vec<u32>,
    pub n_rows: usize,
    columns: Vec<Column>,
    /// By aggregation: the result over all records, where it came along.
    pub totals: Vec<Option<Value>>,
    /// By dimension: its values by code, if they are in no table.
    made: Vec<Option<Vec<Value>>>,
}

#[derive(Clone, Debug)]
struct Column {
    values: Vec<Value>,
    /// Which value by row; `None`: the one at the row. Past the end: over nothing.
    at: Option<Vec<u32>>,
    nothing: Value,
}

impl Calculated {
    /// One row with the results over all records, if all came along.
    pub fn total_row(&self) -> Option<Self> {
        let columns = self.totals.iter().map(|total| {
            Some(Column {
                values: vec![total.clone()?],
                at: None,
                nothing: Value::Null,
            })
        });
        Some(Self {
            n_dims: 0,
            codes: Vec::new(),
            n_rows: 1,
            columns: columns.collect::<Option<_>>()?,
            totals: Vec::new(),
            made: Vec::new(),
        })
    }

    /// Rows of several calculations of the same aggregations as one: the rows to take of each,
    /// with their dimension codes.
    pub fn joined(dims: &[Dim], aggs: &[AggSpec], parts: Vec<(Self, TakenRows)>) -> Self {
        let n_dims = dims.len();
        let n_rows = parts.iter().map(|(_, rows)| rows.len()).sum();
        let mut codes = Vec::with_capacity(n_rows * n_dims);
        let mut columns: Vec<Column> = aggs
            .iter()
            .map(|agg| Column {
                values: Vec::with_capacity(n_rows),
                at: None,
                nothing: of_nothing(agg),
            })
            .collect();
        let totals = parts
            .first()
            .map_or_else(Vec::new, |(p, _)| p.totals.clone());
        for (part, rows) in &parts {
            for (row, tuple) in rows {
                codes.extend_from_slice(tuple);
                for (agg, column) in columns.iter_mut().enumerate() {
                    column.values.push(part.value(agg, *row));
                }
            }
        }
        Self {
            n_dims,
            codes,
            n_rows,
            columns,
            totals,
            made: made(dims),
        }
    }

    /// Adds rows without records. An aggregation over all of some dimensions has the value
    /// there that it has beside the same values of these elsewhere.
    pub fn add_empty(&mut self, dims: &[Dim], aggs: &[AggSpec], tuples: &[Vec<u32>]) {
        let before = self.n_rows;
        self.n_rows += tuples.len();
        for (agg, spec) in aggs.iter().enumerate() {
            let kept: Vec<usize> = match &spec.total {
                None => (0..self.n_dims).collect(),
                Some(fields) => (0..self.n_dims)
                    .filter(|d| dims[*d].total_field().is_some_and(|f| fields.contains(&f)))
                    .collect(),
            };
            let part = |tuple: &[u32]| kept.iter().map(|d| tuple[*d]).collect::<Vec<_>>();
            let mut known: FxHashMap<Vec<u32>, Value> = FxHashMap::default();
            if spec.total.is_some() {
                for row in 0..before {
                    known
                        .entry(part(self.tuple(row)))
                        .or_insert_with(|| self.value(agg, row));
                }
            }
            let nothing = of_nothing(spec);
            let mut values: Vec<Value> = (0..before).map(|row| self.value(agg, row)).collect();
            values.extend(
                tuples
                    .iter()
                    .map(|t| known.get(&part(t)).unwrap_or(&nothing).clone()),
            );
            self.columns[agg] = Column {
                values,
                at: None,
                nothing,
            };
        }
        tuples.iter().for_each(|t| self.codes.extend_from_slice(t));
    }

    /// Bytes held, about.
    pub fn bytes(&self) -> usize {
        let of_column = |c: &Column| {
            let texts = c.values.iter().filter_map(|v| match v {
                Value::Num(_) | Value::Null => None,
                text => text.as_text().map(|t| t.len() + 16),
            });
            let at = c.at.as_ref().map_or(0, |at| at.len() * 4);
            texts.sum::<usize>() + c.values.len() * size_of::<Value>() + at
        };
        let columns: usize = self.columns.iter().map(of_column).sum();
        columns + self.codes.len() * 4 + size_of::<Self>()
    }

    /// The dimension codes of a row.
    pub fn tuple(&self, row: usize) -> &[u32] {
        &self.codes[row * self.n_dims..(row + 1) * self.n_dims]
    }

    /// The value in each row of the dimension that makes up these values; NULL without one.
    pub fn made_values(&self, values: &[Value]) -> Vec<Value> {
        let same = |known: &Vec<Value>| {
            known.len() == values.len() && known.iter().zip(values).all(|(a, b)| a.same_symbol(b))
        };
        let at = self.made.iter().position(|m| m.as_ref().is_some_and(same));
        (0..self.n_rows)
            .map(|row| {
                let code = at.and_then(|d| self.tuple(row).get(d).copied());
                let value = code.and_then(|c| values.get(c as usize).cloned());
                value.unwrap_or(Value::Null)
            })
            .collect()
    }

    /// The result of an aggregation in a row.
    pub fn value(&self, agg: usize, row: usize) -> Value {
        let column = &self.columns[agg];
        let at = column.at.as_ref().map_or(row, |at| at[row] as usize);
        column.values.get(at).unwrap_or(&column.nothing).clone()
    }
}

fn made(dims: &[Dim]) -> Vec<Option<Vec<Value>>> {
    let values = |d: &Dim| d.is_made().then(|| d.values.clone());
    dims.iter().map(values).collect()
}

/// Aggregations that one pass serves.
pub(crate) struct Batch<'a> {
    pub records: &'a Records,
    pub base: Base,
    /// Positions of the dimensions that group.
    pub dims: Vec<usize>,
    /// Positions of the aggregations.
    pub aggs: Vec<usize>,
}

/// What the records of an aggregation are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The groups themselves: an aggregation without fields.
    Groups,
    /// The rows of a table, other fields looked up.
    Table(TableId),
    /// Rows of the join of tables as far as they give a number: the rows of the first one,
    /// other fields looked up. Rows of the others without one of the first have a group alone.
    Numbers(TableId, Vec<TableId>),
    /// Distinct values of a key: the rows of each of its tables, where the earlier ones do
    /// not have the value.
    Key(FieldId, Vec<TableId>),
    /// Rows of the join of tables.
    Join(Vec<TableId>),
    /// The combinations of the dimensions' values with those of the fields that an aggregation
    /// over virtual fields reads: these, so that no other aggregation adds combinations.
    Combinations(Vec<FieldId>),
}

/// Aggregates. The rows are the groups with a record of any aggregation that is not `TOTAL`;
/// without such an aggregation, the possible combinations of dimension values.
pub(crate) fn calculate(
    query: &Query<'_>,
    dims: &[Dim],
    aggs: &[AggSpec],
) -> Result<Calculated, CalcError> {
    if dims.iter().any(Dim::is_made) {
        return crate::made::beside(query, dims, aggs);
    }
    let Some(asked) = Asked::of(query, dims, aggs) else {
        return calculate_anew(query, dims, aggs);
    };
    if let Some(known) = query.engine.results.get(&asked, query.locale) {
        query.budget.charge_bytes(known.bytes() as u64)?;
        return Ok((*known).clone());
    }
    let calculated = calculate_anew(query, dims, aggs)?;
    (query.engine.results).keep(asked, query.locale, &calculated);
    Ok(calculated)
}

fn calculate_anew(
    query: &Query<'_>,
    dims: &[Dim],
    aggs: &[AggSpec],
) -> Result<Calculated, CalcError> {
    let core = &query.engine.core;
    let mut batches: Vec<Batch<'_>> = Vec::new();
    let current = Records::Selection(query.current());
    let all_dims: Vec<usize> = (0..dims.len()).collect();
    for (i, agg) in aggs.iter().enumerate() {
        let keep: Vec<usize> = match &agg.total {
            None => all_dims.clone(),
            Some(fields) => all_dims
                .iter()
                .copied()
                .filter(|d| dims[*d].total_field().is_some_and(|f| fields.contains(&f)))
                .collect(),
        };
        let base = base_of(core, agg);
        let known = batches
            .iter_mut()
            .find(|b| b.base == base && b.dims == keep && *b.records == agg.records);
        match known {
            Some(batch) => batch.aggs.push(i),
            None => batches.push(Batch {
                records: &agg.records,
                base,
                dims: keep,
                aggs: vec![i],
            }),
        }
    }
    let grouping = |b: &Batch<'_>| {
        b.dims.len() == dims.len() && b.aggs.iter().any(|a| aggs[*a].total.is_none())
    };
    if !batches.iter().any(grouping) {
        batches.push(Batch {
            records: &current,
            base: Base::Groups,
            dims: all_dims,
            aggs: Vec::new(),
        });
    }
    with_context(query, |ctx| assemble(query, ctx, dims, aggs, &batches))?
}

fn assemble(
    query: &Query<'_>,
    ctx: &EvalContext<'_>,
    dims: &[Dim],
    aggs: &[AggSpec],
    batches: &[Batch<'_>],
) -> Result<Calculated, CalcError> {
    let core = &*query.engine.core;
    let wide = Rc::default();
    let mut grand: Vec<Option<Value>> = vec![None; aggs.len()];
    let mut columns: Vec<Option<Column>> = aggs.iter().map(|_| None).collect();
    let mut row_of: FxHashMap<u128, u32> = FxHashMap::default();
    let mut keys: Vec<u128> = Vec::new();
    let mut pending = Vec::new();
    let mut decoder = None;
    for batch in batches {
        let by: Vec<&Dim> = batch.dims.iter().map(|d| &dims[*d]).collect();
        let (grouper, totals_of) = run(query, ctx, &by, aggs, batch, &wide)?;
        let groups = grouper.groups();
        // In a pass over one table each row is in one group.
        if matches!(&batch.base, Base::Table(t) | Base::Numbers(t, _) if by.iter().all(|d| d.lane(core, *t).is_some()))
        {
            for (agg, total) in batch.aggs.iter().zip(&totals_of) {
                grand[*agg] = total.total();
            }
        }
        query.budget.charge_bytes(64 * groups.len() as u64)?;
        let results: Vec<(usize, Vec<Value>)> = batch
            .aggs
            .iter()
            .copied()
            .zip(
                totals_of
                    .into_iter()
                    .map(|t| t.finish(groups.iter().map(|g| g.0))),
            )
            .collect();
        let gives_rows = by.len() == dims.len()
            && (batch.aggs.is_empty() || batch.aggs.iter().any(|a| aggs[*a].total.is_none()));
        if gives_rows {
            for (_, key) in &groups {
                let next = keys.len() as u32;
                if *row_of.entry(*key).or_insert(next) == next {
                    keys.push(*key);
                }
            }
        }
        pending.push((batch, groups, results, grouper.key_space(), gives_rows));
        if by.len() == dims.len() {
            decoder = Some(grouper);
        }
    }
    if dims.is_empty() && keys.is_empty() {
        keys.push(0);
    }
    let decoder = match decoder {
        Some(grouper) => grouper,
        None => Grouper::new(&dims.iter().collect::<Vec<_>>(), &wide, query.budget)?,
    };
    let mut codes = Vec::with_capacity(keys.len() * dims.len());
    for key in &keys {
        decoder.key_space().decode(*key, &mut codes);
    }
    let n_rows = keys.len();
    for (batch, groups, results, space, gives_rows) in pending {
        let in_order = gives_rows
            && groups.len() == n_rows
            && groups.iter().zip(&keys).all(|((_, a), b)| a == b);
        let at: Option<Vec<u32>> = (!in_order).then(|| {
            let place: FxHashMap<u128, u32> = groups.iter().map(|(_, k)| *k).zip(0u32..).collect();
            (0..n_rows)
                .map(|row| {
                    let tuple = &codes[row * dims.len()..];
                    let key = space.key(batch.dims.iter().map(|d| tuple[*d]));
                    place.get(&key).copied().unwrap_or(u32::MAX)
                })
                .collect()
        });
        for (agg, values) in results {
            columns[agg] = Some(Column {
                values,
                at: at.clone(),
                nothing: of_nothing(&aggs[agg]),
            });
        }
    }
    Ok(Calculated {
        n_dims: dims.len(),
        codes,
        n_rows,
        columns: columns.into_iter().flatten().collect(),
        totals: grand,
        made: made(dims),
    })
}

/// The tables an aggregation's records come from.
fn base_of(core: &Core, agg: &AggSpec) -> Base {
    if agg.virtuals.iter().any(|(_, field)| !field.every) {
        return Base::Combinations(agg.fields.clone());
    }
    if agg.args.is_empty() {
        let tables = core.view.tables();
        let largest = tables.fold(None, |best: Option<TableId>, t| match best {
            Some(b) if core.view.n_rows(b) >= core.view.n_rows(t) => Some(b),
            _ => Some(t),
        });
        return largest.map_or(Base::Groups, Base::Table);
    }
    if agg.fields.is_empty() {
        return Base::Groups;
    }
    if let [field] = agg.fields.as_slice()
        && !core.links(*field).is_empty()
        && (agg.distinct
            || matches!(
                agg.kind,
                AggKind::Only
                    | AggKind::Min
                    | AggKind::Max
                    | AggKind::MinString
                    | AggKind::MaxString
            ))
    {
        let home = core.home(*field).map(|(t, _)| t);
        let mut tables: Vec<TableId> = home.into_iter().collect();
        tables.extend(
            core.links(*field)
                .iter()
                .map(|(t, _)| *t)
                .filter(|t| Some(*t) != home),
        );
        return Base::Key(*field, tables);
    }
    let mut tables: Vec<TableId> = Vec::new();
    let holds = |t: &TableId, f: FieldId| core.model().table(*t).column_of(f).is_some();
    let (keys, plain): (Vec<FieldId>, Vec<FieldId>) = agg
        .fields
        .iter()
        .copied()
        .partition(|f| core.model().field(*f).columns.len() > 1);
    for field in plain.into_iter().chain(keys) {
        if !tables.iter().any(|t| holds(t, field)) {
            tables.extend(core.home(field).map(|(t, _)| t));
        }
    }
    match tables.as_slice() {
        [table] => Base::Table(*table),
        _ => {
            let counts_nulls = matches!(agg.kind, AggKind::NullCount | AggKind::MissingCount);
            let strict = agg.args.len() == 1
                && agg.args[0].as_numeric().is_some()
                && !counts_nulls
                && agg.virtuals.is_empty();
            let root = tables.iter().find(|t| {
                agg.fields
                    .iter()
                    .all(|f| LaneSource::of_field(core, **t, *f).is_some())
            });
            match root {
                // A record without a row in one of the tables has NULL, and so no number.
                Some(root) if strict => Base::Numbers(*root, tables),
                _ => Base::Join(tables),
            }
        }
    }
}
