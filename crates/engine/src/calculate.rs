//! Aggregations grouped by dimensions.
//!
//! The records of an aggregation are the rows of the join of the tables that hold its fields,
//! under its set. A record counts once in every group whose dimension values it is associated
//! with. Where every dimension is reached by lookups, that is one group a row and a pass over
//! the table; otherwise the tables are joined and repetitions dropped.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_base::Stop;
use satchel_calc::{AggKind, EvalContext};
use satchel_data::{BLOCK, BitSet, FieldId, TableId, Value};

use crate::aggregate::{Aggregate, of_nothing};
use crate::dimension::{Dim, LaneSource};
use crate::graph::Core;
use crate::group::{Grouper, WideTuples};
use crate::join::{NO_ROW, outer_join};
use crate::program::{AggSpec, with_context};
use crate::records::Records;
use crate::scan::{codes_in, each_block};
use crate::{CalcError, Engine, Query};

/// Rows of a calculation, each with its dimension codes in another one.
pub(crate) type TakenRows = Vec<(usize, Vec<u32>)>;

/// Groups with the results of aggregations.
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
struct Batch<'a> {
    records: &'a Records,
    base: Base,
    /// Positions of the dimensions that group.
    dims: Vec<usize>,
    aggs: Vec<usize>,
}

/// What the records of an aggregation are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Base {
    /// The groups themselves: an aggregation without fields.
    Groups,
    /// The rows of a table, other fields looked up.
    Table(TableId),
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
    with_context(query, |ctx| assemble(query, ctx, dims, aggs, &batches))
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
        if matches!(&batch.base, Base::Table(t) if by.iter().all(|d| d.lane(core, *t).is_some())) {
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
                Some(root) if strict => Base::Table(*root),
                _ => Base::Join(tables),
            }
        }
    }
}

type Totals<'a> = (Grouper, Vec<Aggregate<'a>>);

fn run<'a>(
    query: &Query<'a>,
    ctx: &EvalContext<'_>,
    dims: &[&Dim],
    aggs: &'a [AggSpec],
    batch: &Batch<'_>,
    wide: &Rc<RefCell<WideTuples>>,
) -> Result<Totals<'a>, Stop> {
    let grouper = Grouper::new(dims, wide, query.budget)?;
    let specs: Vec<&AggSpec> = batch.aggs.iter().map(|a| &aggs[*a]).collect();
    let totals = specs
        .iter()
        .map(|s| Aggregate::new(query, s, grouper.len()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut pass = Pass {
        query,
        engine: query.engine,
        ctx,
        dims,
        specs,
        grouper,
        totals,
    };
    match &batch.base {
        Base::Groups if dims.is_empty() => {
            let group = pass.grouper.number(&[]);
            pass.push_one(group, &[])?;
        }
        Base::Groups => {
            if let [dim] = dims
                && let Some(key) = dim
                    .plain_field()
                    .filter(|f| !pass.core().links(*f).is_empty())
                && batch.aggs.is_empty()
            {
                let tables: Vec<TableId> = pass.core().links(key).iter().map(|l| l.0).collect();
                pass.key(batch.records, key, &tables)?;
                return Ok((pass.grouper, pass.totals));
            }
            let tables = pass.dim_tables_of(batch.records, None)?;
            match tables.as_slice() {
                [] => {
                    let codes: Vec<u32> = dims.iter().map(|_| 0).collect();
                    let group = pass.grouper.number(&codes);
                    pass.push_one(group, &[])?;
                }
                [table] if batch.aggs.is_empty() && pass.lanes(*table).is_some() => {
                    let rows = batch.records.rows(query, *table)?;
                    pass.table(*table, rows.as_deref())?;
                }
                tables => pass.join(batch.records, tables.to_vec(), Vec::new(), Vec::new())?,
            }
        }
        Base::Table(table) if pass.lanes(*table).is_some() => {
            let rows = batch.records.rows(query, *table)?;
            pass.table(*table, rows.as_deref())?;
        }
        Base::Table(table) => {
            // A record is still one row of the table, together with those looked up.
            let read = pass.field_tables(*table);
            let mut tables = read.clone();
            tables.extend(pass.dim_tables_of(batch.records, Some(*table))?);
            pass.join(batch.records, tables, vec![*table], read)?;
        }
        Base::Join(base) => {
            let mut tables = base.clone();
            tables.extend(pass.dim_tables_of(batch.records, base.first().copied())?);
            pass.join(batch.records, tables, base.clone(), base.clone())?;
        }
        Base::Key(key, tables) => pass.key(batch.records, *key, tables)?,
        Base::Combinations(_) => pass.combinations(batch.records)?,
    }
    Ok((pass.grouper, pass.totals))
}

/// Where the codes of the dimensions and of the fields come from.
type Lanes<'c> = (Vec<LaneSource<'c>>, Vec<(FieldId, LaneSource<'c>)>);

struct Pass<'p, 'q, 'a> {
    query: &'p Query<'q>,
    engine: &'a Engine,
    ctx: &'p EvalContext<'p>,
    dims: &'p [&'p Dim],
    specs: Vec<&'a AggSpec>,
    grouper: Grouper,
    totals: Vec<Aggregate<'a>>,
}

impl<'p, 'a> Pass<'p, '_, 'a> {
    fn core(&self) -> &'p Core {
        &self.query.engine.core
    }

    /// `root` and the tables near it that hold the fields of the aggregations.
    fn field_tables(&self, root: TableId) -> Vec<TableId> {
        let mut tables = vec![root];
        for field in self.specs.iter().flat_map(|s| &s.fields) {
            let path = self.core().path_to_field(root, *field).unwrap_or_default();
            if let Some(hop) = path.last()
                && !tables.contains(&hop.to)
            {
                tables.push(hop.to);
            }
        }
        tables
    }

    fn dim_tables(&self, root: Option<TableId>) -> Vec<TableId> {
        let mut tables: Vec<TableId> = Vec::new();
        for dim in self.dims {
            let near = root.or(tables.first().copied());
            if let Some(table) = dim.table(self.core(), near)
                && !tables.contains(&table)
            {
                tables.push(table);
            }
        }
        tables
    }

    /// The tables of the dimensions near `root`; of a key that nothing connects with it also
    /// those tables that have values the others lack.
    fn dim_tables_of(
        &self,
        records: &Records,
        root: Option<TableId>,
    ) -> Result<Vec<TableId>, Stop> {
        let (query, core) = (self.query, self.core());
        let mut tables = self.dim_tables(root);
        for field in self.dims.iter().filter_map(|d| d.field()) {
            let links = core.links(field);
            let near = |r: TableId| {
                links
                    .iter()
                    .any(|(t, _)| core.component(*t) == core.component(r))
            };
            if root.is_some_and(near) {
                continue;
            }
            // NULL is one past the symbols.
            let n = core.n_symbols(field) + 1;
            let mut had = BitSet::none(n);
            let (known, more): (Vec<_>, Vec<_>) =
                links.iter().copied().partition(|(t, _)| tables.contains(t));
            for (table, column) in known.into_iter().chain(more) {
                let codes = &core.model().table(table).columns[column].codes;
                let rows = records.rows(query, table)?;
                let mut found = codes_in(codes, n, rows.as_deref(), query.budget)?;
                found.subtract(&had);
                if found.any() && !tables.contains(&table) {
                    tables.push(table);
                }
                // A NULL stands for itself: no row of another table is joined with it.
                found.remove(n - 1);
                had.union(&found);
            }
        }
        Ok(tables)
    }

    /// The lanes of the dimensions and of the fields of all aggregations, if lookups reach them.
    fn lanes(&self, root: TableId) -> Option<Lanes<'p>> {
        let dims = self
            .dims
            .iter()
            .map(|d| d.lane(self.core(), root))
            .collect::<Option<Vec<_>>>()?;
        let mut fields: Vec<(FieldId, LaneSource<'p>)> = Vec::new();
        for field in self.specs.iter().flat_map(|s| &s.fields) {
            if !fields.iter().any(|(f, _)| f == field) {
                fields.push((*field, LaneSource::of_field(self.core(), root, *field)?));
            }
        }
        Some((dims, fields))
    }

    /// One pass over the rows of a table.
    fn table(&mut self, root: TableId, rows: Option<&BitSet>) -> Result<(), Stop> {
        let Some((dims, fields)) = self.lanes(root) else {
            return Ok(());
        };
        let core: &'a Core = &self.engine.core;
        let n_rows = core.model().table(root).n_rows;
        // Fields that no aggregation reads by code.
        let mut unread: Vec<FieldId> = fields.iter().map(|(f, _)| *f).collect();
        for (total, spec) in self.totals.iter_mut().zip(&self.specs) {
            let without = total.pass_over(core, root);
            unread.retain(|f| !spec.fields.contains(f) || without.contains(f));
        }
        let mut dim_lanes = vec![[0u32; BLOCK]; dims.len()];
        let mut field_lanes = vec![[0u32; BLOCK]; fields.len()];
        let places: Vec<Vec<usize>> = self
            .specs
            .iter()
            .map(|s| {
                s.fields
                    .iter()
                    .filter_map(|f| fields.iter().position(|(g, _)| f == g))
                    .collect()
            })
            .collect();
        let mut groups = [0u32; BLOCK];
        let Self {
            query,
            ctx,
            grouper,
            totals,
            ..
        } = self;
        each_block(n_rows, rows, query.budget, |block| {
            let n = block.n();
            for (source, lane) in dims.iter().zip(&mut dim_lanes) {
                source.fill(block, lane);
            }
            for ((field, source), lane) in fields.iter().zip(&mut field_lanes) {
                if !unread.contains(field) {
                    source.fill(block, lane);
                }
            }
            grouper.numbers(&dim_lanes, n, &mut groups);
            for (total, places) in totals.iter_mut().zip(&places) {
                total.grow(grouper.len(), query.budget)?;
                let lanes: Vec<&[u32; BLOCK]> = places.iter().map(|p| &field_lanes[*p]).collect();
                total.push(query, ctx, &groups, &lanes, Some(block), n)?;
            }
            Ok(true)
        })
    }

    /// One record of a group, its codes by aggregation field.
    fn push_one(&mut self, group: u32, code: &[&dyn Fn(FieldId) -> u32]) -> Result<(), Stop> {
        let mut groups = [0u32; BLOCK];
        groups[0] = group;
        for (total, spec) in self.totals.iter_mut().zip(&self.specs) {
            total.grow(self.grouper.len(), self.query.budget)?;
            let lanes: Vec<[u32; BLOCK]> = spec
                .fields
                .iter()
                .map(|f| {
                    let mut lane = [0u32; BLOCK];
                    lane[0] = code.first().map_or(0, |c| c(*f));
                    lane
                })
                .collect();
            let lanes: Vec<&[u32; BLOCK]> = lanes.iter().collect();
            total.push(self.query, self.ctx, &groups, &lanes, None, 1)?;
        }
        Ok(())
    }

    /// The combinations of the dimensions with the fields of the aggregations, in the order of
    /// the view's element numbers.
    fn combinations(&mut self, records: &Records) -> Result<(), Stop> {
        let (query, dims) = (self.query, self.dims);
        let mut fields: Vec<FieldId> = self.specs.iter().flat_map(|s| s.fields.clone()).collect();
        fields.sort_unstable();
        fields.dedup();
        let more: Vec<Dim> = fields.iter().map(|f| Dim::of_field(query, *f)).collect();
        let all: Vec<&Dim> = dims.iter().copied().chain(&more).collect();
        let batch = Batch {
            records,
            base: Base::Groups,
            dims: Vec::new(),
            aggs: Vec::new(),
        };
        let (found, _) = run(query, self.ctx, &all, &[], &batch, &Rc::default())?;
        let groups = found.groups();
        let n = all.len();
        query
            .budget
            .charge_bytes(((4 + 8) * n * groups.len()) as u64)?;
        let mut codes = Vec::with_capacity(groups.len() * n);
        for (_, key) in &groups {
            found.key_space().decode(*key, &mut codes);
        }
        let view = query.engine.view();
        let mut rows: Vec<&[u32]> = codes.chunks_exact(n.max(1)).collect();
        rows.sort_by_cached_key(|row| -> Vec<i64> {
            all.iter()
                .zip(*row)
                .map(|(d, c)| d.element(view, *c))
                .collect()
        });
        // An aggregation takes the value of each combination of a virtual field once.
        let mut seen: FxHashSet<(usize, u32, Vec<u32>)> = FxHashSet::default();
        for row in rows {
            let group = self.grouper.number(&row[..dims.len()]);
            let record: Vec<(FieldId, u32)> = fields
                .iter()
                .copied()
                .zip(row[dims.len()..].iter().copied())
                .collect();
            for (i, (total, spec)) in self.totals.iter_mut().zip(&self.specs).enumerate() {
                total.grow(self.grouper.len(), query.budget)?;
                let mut virtuals = spec.virtuals.clone();
                virtuals.retain(|(slot, field)| {
                    field.every || seen.insert((i, *slot, field.key(&record)))
                });
                query.budget.charge_bytes(64)?;
                total.push_record(query, self.ctx, group, &record, &virtuals);
            }
        }
        Ok(())
    }

    /// The join of `tables`; a record is a row of the join of `base`, or a group if that is
    /// empty. Values are read in the tables `read` and those between them.
    fn join(
        &mut self,
        records: &Records,
        tables: Vec<TableId>,
        base: Vec<TableId>,
        read: Vec<TableId>,
    ) -> Result<(), Stop> {
        self.join_where(records, tables, base, read, &|_| Ok(None))
    }

    fn join_where(
        &mut self,
        records: &Records,
        tables: Vec<TableId>,
        base: Vec<TableId>,
        read: Vec<TableId>,
        only: &dyn Fn(TableId) -> Result<Option<std::sync::Arc<BitSet>>, Stop>,
    ) -> Result<(), Stop> {
        let (query, core) = (self.query, self.core());
        let rows = |t: TableId| match only(t)? {
            Some(rows) => Ok(Some(rows)),
            None => records.rows(query, t),
        };
        let joined = outer_join(core, &tables, &rows, query.budget)?;
        let places = |wanted: &[TableId]| -> Vec<usize> {
            let connected = crate::join::connect(core, wanted).concat();
            let at = joined.tables.iter().enumerate();
            at.filter(|(_, t)| connected.contains(t))
                .map(|(i, _)| i)
                .collect()
        };
        let (base_at, read_at) = (places(&base), places(&read));
        // Rows of tables that only lie between those asked for are no records.
        let asked = if base.is_empty() { &tables } else { &base };
        let exactly = |(i, t): (usize, &TableId)| asked.contains(t).then_some(i);
        let needed: Vec<usize> = joined
            .tables
            .iter()
            .enumerate()
            .filter_map(exactly)
            .collect();
        let mut seen: FxHashSet<(Vec<u32>, u32)> = FxHashSet::default();
        let mut tuple = Vec::with_capacity(self.dims.len());
        for row in joined.iter() {
            let record: Vec<u32> = base_at.iter().map(|i| row[*i]).collect();
            if needed.iter().all(|i| row[*i] == NO_ROW) {
                continue;
            }
            tuple.clear();
            tuple.extend(self.dims.iter().map(|d| d.joined_code(core, &joined, row)));
            let group = self.grouper.number(&tuple);
            query.budget.charge_bytes(16 + 4 * record.len() as u64)?;
            if seen.insert((record, group)) {
                self.push_one(group, &[&|f| joined.code_in(core, row, &read_at, f)])?;
            }
        }
        Ok(())
    }

    /// Distinct values of a key over all its tables.
    fn key(&mut self, records: &Records, key: FieldId, tables: &[TableId]) -> Result<(), Stop> {
        let (query, core) = (self.query, self.core());
        let n = core.n_symbols(key);
        let mut had = BitSet::none(n);
        for table in tables {
            let data = core.model().table(*table);
            let Some(column) = data.column_of(key) else {
                continue;
            };
            let codes = &data.columns[column].codes;
            let mut rows = records.rows(query, *table)?;
            if had.any() {
                let mut fresh = rows
                    .as_deref()
                    .cloned()
                    .unwrap_or_else(|| BitSet::all(data.n_rows));
                // NULL, one past the symbols, is in no earlier table's values.
                let rest: BitSet = (0..=n).map(|c| !had.contains(c)).collect();
                crate::scan::keep_codes(&mut fresh, codes, &rest, query.budget)?;
                if !fresh.any() {
                    continue;
                }
                rows = Some(std::sync::Arc::new(fresh));
            }
            if table != tables.last().unwrap_or(table) {
                had.union(&codes_in(codes, n, rows.as_deref(), query.budget)?);
            }
            if self.lanes(*table).is_some() {
                self.table(*table, rows.as_deref())?;
            } else {
                let mut all = vec![*table];
                all.extend(self.dim_tables_of(records, Some(*table))?);
                self.join_where(records, all, vec![*table], vec![*table], &|t| {
                    Ok(if t == *table { rows.clone() } else { None })
                })?;
            }
        }
        Ok(())
    }
}
