//! The passes of a calculation over records: over one table with lookups, over a join of
//! tables, over the values of a key, over combinations.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashSet;
use satchel_base::Stop;
use satchel_calc::EvalContext;
use satchel_data::{BLOCK, BitSet, FieldId, TableId};

use crate::aggregate::Aggregate;
use crate::calculate::{Base, Batch};
use crate::dimension::{Dim, LaneSource};
use crate::graph::Core;
use crate::group::{Grouper, WideTuples};
use crate::join::{NO_ROW, outer_join};
use crate::program::AggSpec;
use crate::records::Records;
use crate::scan::{codes_in, each_block};
use crate::{Engine, Query};

type Totals<'a> = (Grouper, Vec<Aggregate<'a>>);

/// Passes over the records of a batch: the groups found, and the running totals in them.
pub(crate) fn run<'a>(
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
        Base::Numbers(root, tables) if pass.lanes(*root).is_some() => {
            let rows = batch.records.rows(query, *root)?;
            pass.table(*root, rows.as_deref())?;
            pass.beside(batch.records, *root, tables)?;
        }
        Base::Join(base) | Base::Numbers(_, base) => {
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
        let Some((mut dims, mut fields)) = self.lanes(root) else {
            return Ok(());
        };
        let core: &'a Core = &self.engine.core;
        let n_rows = core.model().table(root).n_rows;
        let n_wanted = rows.map_or(n_rows, BitSet::count);
        let query = self.query;
        let near = self.core();
        let kept = |field: FieldId| LaneSource::for_pass(near, root, field, n_wanted, query.budget);
        for (dim, source) in self.dims.iter().zip(&mut dims) {
            if let Some(field) = dim.plain_field()
                && let Some(by_row) = kept(field)?
            {
                *source = by_row;
            }
        }
        // Fields that no aggregation reads by code.
        let mut unread: Vec<FieldId> = fields.iter().map(|(f, _)| *f).collect();
        for (total, spec) in self.totals.iter_mut().zip(&self.specs) {
            let without = total.pass_over(core, root, n_wanted, query.budget)?;
            unread.retain(|f| !spec.fields.contains(f) || without.contains(f));
        }
        for (field, source) in fields.iter_mut().filter(|(f, _)| !unread.contains(f)) {
            if let Some(by_row) = kept(*field)? {
                *source = by_row;
            }
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
        let mut numbers = [0u32; BLOCK];
        let Self {
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
            grouper.numbers(&dim_lanes, n, &mut numbers);
            let groups = match dim_lanes.as_slice() {
                [codes] if grouper.are_codes(1) => codes,
                _ => &numbers,
            };
            let first = groups[0];
            let one = first == groups[n - 1] && groups[..n].iter().all(|g| *g == first);
            let one = (dims.is_empty() || one).then_some(first);
            for (total, places) in totals.iter_mut().zip(&places) {
                total.grow(grouper.len(), query.budget)?;
                let lanes: Vec<&[u32; BLOCK]> = places.iter().map(|p| &field_lanes[*p]).collect();
                total.push(query, ctx, (groups, one), &lanes, Some(block), n)?;
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
            total.push(
                self.query,
                self.ctx,
                (&groups, Some(group)),
                &lanes,
                None,
                1,
            )?;
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

    /// The groups of those rows of the join of `base` that have no row of `root`, one of them.
    /// The other tables are looked up from there.
    fn beside(&mut self, records: &Records, root: TableId, base: &[TableId]) -> Result<(), Stop> {
        if self.dims.is_empty() {
            return Ok(());
        }
        let (query, core) = (self.query, self.core());
        let mut tables = base.to_vec();
        tables.extend(self.dim_tables_of(records, Some(root))?);
        let group = crate::join::connect(core, &tables);
        let group = group.into_iter().find(|g| g.contains(&root));
        let group = group.unwrap_or_default();
        let n_rows = |t: TableId| core.model().table(t).n_rows;
        let all = |t: TableId| -> Result<BitSet, Stop> {
            query.budget.charge_bytes(n_rows(t) as u64 / 4)?;
            let rows = records.rows(query, t)?;
            Ok(rows.map_or_else(|| BitSet::all(n_rows(t)), |r| (*r).clone()))
        };
        // By table: rows that stand in the join without a row of the root, and those that only
        // stand there with one.
        let mut known = vec![(root, BitSet::none(n_rows(root)), all(root)?)];
        let mut at = 0;
        while at < known.len() {
            let from = known[at].0;
            for hop in core.hops(from).filter(|h| group.contains(&h.to)) {
                if known.iter().any(|(t, ..)| *t == hop.to) {
                    continue;
                }
                let (_, without, with) = &known[at];
                let codes = &core.model().table(from).columns[hop.from_column].codes;
                let n = core.n_symbols(hop.key);
                let mut led_to = codes_in(codes, n, Some(with), query.budget)?;
                led_to.subtract(&codes_in(codes, n, Some(without), query.budget)?);
                let mut with = all(hop.to)?;
                let mut without = with.clone();
                let codes = &core.model().table(hop.to).columns[hop.to_column].codes;
                crate::scan::keep_codes(&mut with, codes, &led_to, query.budget)?;
                without.subtract(&with);
                known.push((hop.to, without, with));
            }
            at += 1;
        }
        let is_there =
            |(t, without, _): &(TableId, BitSet, BitSet)| base.contains(t) && without.any();
        if !known.iter().any(is_there) {
            return Ok(());
        }
        let known: Vec<_> = known
            .into_iter()
            .map(|(table, without, _)| (table, std::sync::Arc::new(without)))
            .collect();
        self.join_where(records, tables, base.to_vec(), base.to_vec(), &|t| {
            let rows = known.iter().find(|(table, _)| *table == t);
            Ok(rows.map(|(_, without)| without.clone()))
        })
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
