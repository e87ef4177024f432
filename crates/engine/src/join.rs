//! Rows of the full outer join over a few tables, where lookups alone do not reach.

use satchel_base::{Budget, Stop};
use satchel_data::{BitSet, FieldId, TableId};

use crate::graph::{Core, Hop};

/// Stands for a table that has no row in a joined row.
pub(crate) const NO_ROW: u32 = u32::MAX;

/// Rows of the full outer join over some tables.
pub(crate) struct Joined {
    /// The tables, in the order of a row's entries.
    pub tables: Vec<TableId>,
    /// Row numbers, `tables.len()` a joined row; [`NO_ROW`] where there is no partner.
    pub rows: Vec<u32>,
}

impl Joined {
    /// The joined rows.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.rows.chunks(self.tables.len().max(1))
    }

    /// The code of a field in a joined row: of the first of its tables that has a row.
    pub fn code(&self, core: &Core, row: &[u32], field: FieldId) -> u32 {
        for (table, row) in self.tables.iter().zip(row) {
            if *row != NO_ROW
                && let Some(at) = core.model().table(*table).column_of(field)
            {
                return core.model().table(*table).columns[at]
                    .codes
                    .at(*row as usize);
            }
        }
        core.n_symbols(field) as u32
    }
}

impl Joined {
    /// Drops the rows in which none of the `wanted` tables has a row.
    fn keep_rows_of(&mut self, wanted: &[TableId]) {
        let places: Vec<usize> = (0..self.tables.len())
            .filter(|i| wanted.contains(&self.tables[*i]))
            .collect();
        let kept = self
            .iter()
            .filter(|row| places.iter().any(|i| row[*i] != NO_ROW));
        self.rows = kept.flatten().copied().collect();
    }

    /// As [`Joined::code`], of the tables at some places only.
    pub fn code_in(&self, core: &Core, row: &[u32], places: &[usize], field: FieldId) -> u32 {
        for at in places {
            let table = core.model().table(self.tables[*at]);
            if row[*at] != NO_ROW
                && let Some(column) = table.column_of(field)
            {
                return table.columns[column].codes.at(row[*at] as usize);
            }
        }
        core.n_symbols(field) as u32
    }
}

/// The tables on the ways between `wanted` ones; those that nothing connects come in groups.
pub(crate) fn connect(core: &Core, wanted: &[TableId]) -> Vec<Vec<TableId>> {
    let mut groups: Vec<Vec<TableId>> = Vec::new();
    for table in wanted {
        let group = groups
            .iter_mut()
            .find(|g| core.component(g[0]) == core.component(*table));
        match group {
            None => groups.push(vec![*table]),
            Some(group) => {
                let start = group[0];
                for hop in core.path(start, |t| t == *table).unwrap_or_default() {
                    if !group.contains(&hop.to) {
                        group.push(hop.to);
                    }
                }
            }
        }
    }
    groups
}

/// Joins `tables` (each group connected, groups crossed) over the rows that `rows` tells.
pub(crate) fn outer_join(
    core: &Core,
    wanted: &[TableId],
    rows: &dyn Fn(TableId) -> Result<Option<std::sync::Arc<BitSet>>, Stop>,
    budget: &Budget,
) -> Result<Joined, Stop> {
    let mut all = Joined {
        tables: Vec::new(),
        rows: Vec::new(),
    };
    for group in connect(core, wanted) {
        let mut part = join_group(core, &group, rows, budget)?;
        if group.iter().any(|t| !wanted.contains(t)) {
            part.keep_rows_of(wanted);
        }
        if all.tables.is_empty() {
            all = part;
            continue;
        }
        let mut crossed = Joined {
            tables: [all.tables.clone(), part.tables.clone()].concat(),
            rows: Vec::new(),
        };
        let none = vec![NO_ROW; part.tables.len()];
        let nothing = vec![NO_ROW; all.tables.len()];
        let left: Vec<&[u32]> = or_none(all.iter().collect(), &nothing);
        let right: Vec<&[u32]> = or_none(part.iter().collect(), &none);
        // All of it before any of it is made: a product of large islands is refused at once.
        let n_cells = left.len().saturating_mul(right.len());
        charge(budget, n_cells.saturating_mul(crossed.tables.len()))?;
        for a in &left {
            budget.check()?;
            for b in &right {
                crossed.rows.extend_from_slice(a);
                crossed.rows.extend_from_slice(b);
            }
        }
        all = crossed;
    }
    Ok(all)
}

fn or_none<'a>(rows: Vec<&'a [u32]>, none: &'a [u32]) -> Vec<&'a [u32]> {
    if rows.is_empty() { vec![none] } else { rows }
}

fn charge(budget: &Budget, n: usize) -> Result<(), Stop> {
    budget.charge_rows(n as u64)?;
    budget.charge_bytes((n as u64).saturating_mul(4))
}

fn join_group(
    core: &Core,
    group: &[TableId],
    rows: &dyn Fn(TableId) -> Result<Option<std::sync::Arc<BitSet>>, Stop>,
    budget: &Budget,
) -> Result<Joined, Stop> {
    let mut joined = Joined {
        tables: vec![group[0]],
        rows: Vec::new(),
    };
    let n_rows = |t: TableId| core.model().table(t).n_rows;
    let first = rows(group[0])?;
    charge(budget, n_rows(group[0]))?;
    match &first {
        None => joined.rows = (0..n_rows(group[0]) as u32).collect(),
        Some(set) => joined.rows = set.iter().map(|r| r as u32).collect(),
    }
    while joined.tables.len() < group.len() {
        // The next table that a joined one reaches in one step.
        let next: Option<(usize, Hop)> = joined.tables.iter().enumerate().find_map(|(i, t)| {
            core.hops(*t)
                .find(|h| group.contains(&h.to) && !joined.tables.contains(&h.to))
                .map(|h| (i, h))
        });
        let Some((_, hop)) = next else { break };
        let remaining = rows(hop.to)?;
        let index = core.index(hop.to, hop.to_column);
        let lives = |r: u32| remaining.as_ref().is_none_or(|s| s.contains(r as usize));
        let mut reached = BitSet::none(n_rows(hop.to));
        let mut out = Vec::new();
        for row in joined.iter() {
            // The key may be held by any joined table that has a row here.
            let code = joined.code(core, row, hop.key);
            let mut any = false;
            let partners = index.rows(code);
            charge(budget, (partners.len() + 1) * (row.len() + 1))?;
            for partner in partners.iter().filter(|r| lives(*r)) {
                any = true;
                reached.insert(partner as usize);
                out.extend_from_slice(row);
                out.push(partner);
            }
            if !any {
                out.extend_from_slice(row);
                out.push(NO_ROW);
            }
        }
        let width = joined.tables.len();
        let mut orphan = |r: usize| {
            if !reached.contains(r) {
                out.extend(std::iter::repeat_n(NO_ROW, width));
                out.push(r as u32);
            }
        };
        charge(budget, n_rows(hop.to) * (width + 1))?;
        match &remaining {
            None => (0..n_rows(hop.to)).for_each(&mut orphan),
            Some(set) => set.iter().for_each(&mut orphan),
        }
        joined.tables.push(hop.to);
        joined.rows = out;
    }
    Ok(joined)
}
