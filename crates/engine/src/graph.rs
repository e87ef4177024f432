//! The tree of tables and keys, row indexes and n:1 maps: all that depends on the view alone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};
use satchel_data::{BitSet, Codes, FieldId, KeyIndex, Model, TableId, View};

use crate::code_map::CodeMap;
use crate::known::{Keepers, Known};
use crate::lanes::RowLanes;

/// A step from a table over a key into another table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hop {
    /// The key both tables hold.
    pub key: FieldId,
    /// The key's column in the table the step leaves.
    pub from_column: usize,
    /// The table the step enters.
    pub to: TableId,
    /// The key's column there.
    pub to_column: usize,
}

/// Codes of one field by code of a key, with one more entry for NULL's code at the end.
type KeyMap = Arc<CodeMap>;

/// By table and the key that is not passed over: fields.
type Reaches = FxHashMap<(TableId, Option<FieldId>), Arc<BitSet>>;

type Maps = Mutex<FxHashMap<(Hop, FieldId), KeyMap>>;

/// What follows from a model whoever looks at it: maps over keys that are unique in all rows.
/// Rows that a view hides are in them, too, but are never reached: the partner of a visible row
/// is visible.
#[derive(Debug, Default)]
struct Shared {
    maps: Maps,
    lanes: RowLanes,
    keepers: Keepers,
}

fn bytes_of(maps: &Maps) -> usize {
    let maps = maps.lock().unwrap_or_else(PoisonError::into_inner);
    maps.values().map(|m| m.bytes()).sum()
}

/// What an engine derives from its view. Everything here counts visible rows only.
#[derive(Debug)]
pub(crate) struct Core {
    pub view: Arc<View>,
    /// By field: the columns through which it links tables.
    links: Vec<Vec<(TableId, usize)>>,
    /// By table: its link fields with their columns.
    keys: Vec<Vec<(FieldId, usize)>>,
    /// By table: which tables hang together.
    component: Vec<usize>,
    /// By table and column: whether no code stands in more than one visible row.
    unique: Vec<Vec<OnceLock<bool>>>,
    /// Those over keys that only this view finds unique.
    maps: Maps,
    reaches: Mutex<Reaches>,
    /// By field: of its visible values.
    extents: Vec<OnceLock<Extent>>,
    text_ranks: Vec<OnceLock<Arc<Vec<u32>>>>,
}

/// What the visible values of a field span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Smallest number; NaN if there is none.
    pub min: f64,
    /// Largest number.
    pub max: f64,
    /// Length of the longest text, in characters.
    pub longest: usize,
}

impl Core {
    pub fn new(view: Arc<View>) -> Self {
        let model = view.model();
        let n_tables = model.tables().len();
        let links: Vec<_> = (0..model.fields().len() as u32)
            .map(|f| model.links(FieldId(f)))
            .collect();
        let mut keys = vec![Vec::new(); n_tables];
        for (f, columns) in links.iter().enumerate() {
            for (table, column) in columns {
                keys[table.index()].push((FieldId(f as u32), *column));
            }
        }
        let mut component: Vec<usize> = (0..n_tables).collect();
        for columns in &links {
            for (table, _) in columns.iter().skip(1) {
                let (a, b) = (component[columns[0].0.index()], component[table.index()]);
                for c in &mut component {
                    if *c == b {
                        *c = a;
                    }
                }
            }
        }
        let unique = model
            .tables()
            .iter()
            .map(|t| t.columns.iter().map(|_| OnceLock::new()).collect())
            .collect();
        Self {
            links,
            keys,
            component,
            unique,
            maps: Mutex::default(),
            reaches: Mutex::default(),
            extents: model.fields().iter().map(|_| OnceLock::new()).collect(),
            text_ranks: model.fields().iter().map(|_| OnceLock::new()).collect(),
            view,
        }
    }

    pub fn model(&self) -> &Model {
        self.view.model()
    }

    /// How many symbols a field has, hidden ones included.
    pub fn n_symbols(&self, field: FieldId) -> usize {
        self.model().field(field).symbols.len()
    }

    pub fn links(&self, field: FieldId) -> &[(TableId, usize)] {
        &self.links[field.index()]
    }

    pub fn keys(&self, table: TableId) -> &[(FieldId, usize)] {
        &self.keys[table.index()]
    }

    pub fn component(&self, table: TableId) -> usize {
        self.component[table.index()]
    }

    /// The fields whose selections reach a table without passing over the key `but`.
    pub fn reach(&self, table: TableId, but: Option<FieldId>) -> Arc<BitSet> {
        let lock = || self.reaches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&(table, but)) {
            return known.clone();
        }
        let mut fields = BitSet::none(self.model().fields().len());
        let mut tables = vec![table];
        let mut next = 0;
        while let Some(at) = tables.get(next).copied() {
            next += 1;
            for column in &self.model().table(at).columns {
                fields.insert(column.field.index());
            }
            for (key, _) in self.keys(at).iter().filter(|(k, _)| Some(*k) != but) {
                for (other, _) in self.links(*key) {
                    if !tables.contains(other) {
                        tables.push(*other);
                    }
                }
            }
        }
        if let Some(key) = but {
            fields.remove(key.index());
        }
        let fields = Arc::new(fields);
        lock().insert((table, but), fields.clone());
        fields
    }

    /// The table an aggregation over `field` alone counts in: the one with the most visible
    /// rows among those that hold the field and are not loose (all, if every one is); the
    /// first of these in model order.
    pub fn home(&self, field: FieldId) -> Option<(TableId, usize)> {
        let columns = &self.model().field(field).columns;
        let tight = |t: TableId| !self.model().table(t).loose;
        let any_tight = columns.iter().any(|(t, _)| tight(*t));
        columns
            .iter()
            .copied()
            .filter(|(t, _)| !any_tight || tight(*t))
            .rev()
            .max_by_key(|(t, _)| self.view.n_rows(*t))
    }

    /// Rows by code of a column, hidden ones included.
    pub fn index(&self, table: TableId, column: usize) -> &KeyIndex {
        self.model().key_index(table, column)
    }

    /// Whether every code of a column has at most one visible row.
    pub fn is_unique(&self, table: TableId, column: usize) -> bool {
        *self.unique[table.index()][column].get_or_init(|| {
            if self.index(table, column).is_unique() {
                return true;
            }
            let Some(mask) = self.view.row_mask(table) else {
                return false;
            };
            let column = &self.model().table(table).columns[column];
            let n_symbols = self.n_symbols(column.field);
            let mut seen = BitSet::none(n_symbols);
            mask.iter().all(|row| {
                let code = column.codes.at(row) as usize;
                code >= n_symbols || seen.insert(code)
            })
        })
    }

    /// All steps out of a table, in model order.
    pub fn hops(&self, table: TableId) -> impl Iterator<Item = Hop> + '_ {
        self.keys(table).iter().flat_map(move |(key, from_column)| {
            self.links(*key)
                .iter()
                .filter(move |(to, _)| *to != table)
                .map(move |(to, to_column)| Hop {
                    key: *key,
                    from_column: *from_column,
                    to: *to,
                    to_column: *to_column,
                })
        })
    }

    /// The shortest way from a table to one that satisfies `goal`; empty if it does itself.
    pub fn path(&self, from: TableId, goal: impl Fn(TableId) -> bool) -> Option<Vec<Hop>> {
        let mut arrived: Vec<Option<(TableId, Hop)>> = vec![None; self.model().tables().len()];
        let mut seen = vec![false; arrived.len()];
        seen[from.index()] = true;
        let mut queue = VecDeque::from([from]);
        while let Some(table) = queue.pop_front() {
            if goal(table) {
                let mut path = Vec::new();
                let mut at = table;
                while let Some((before, hop)) = arrived[at.index()] {
                    path.push(hop);
                    at = before;
                }
                path.reverse();
                return Some(path);
            }
            for hop in self.hops(table) {
                if !seen[hop.to.index()] {
                    seen[hop.to.index()] = true;
                    arrived[hop.to.index()] = Some((table, hop));
                    queue.push_back(hop.to);
                }
            }
        }
        None
    }

    /// The shortest way from a table to one that holds `field`.
    pub fn path_to_field(&self, from: TableId, field: FieldId) -> Option<Vec<Hop>> {
        self.path(from, |t| self.model().table(t).column_of(field).is_some())
    }

    /// Whether every code of the key has at most one visible row where the step enters.
    pub fn is_lookup(&self, hop: &Hop) -> bool {
        self.is_unique(hop.to, hop.to_column)
    }

    /// For a way of lookups: the code of `field` in its last table by code of the first key;
    /// NULL's code where there is no partner.
    pub fn map(&self, path: &[Hop], field: FieldId) -> Option<KeyMap> {
        let (hop, rest) = path.split_first()?;
        let known = (*hop, field);
        let maps = match self.model().beside::<Shared>() {
            Some(shared) if self.is_shared(path) => &shared.maps,
            _ => &self.maps,
        };
        let lock = || maps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(map) = lock().get(&known) {
            return Some(map.clone());
        }
        let column = self.model().table(hop.to).column_of(field);
        let null = self.n_symbols(field) as u32;
        let map = if rest.is_empty() {
            let codes = &self.model().table(hop.to).columns[column?].codes;
            self.map_with(hop, null, |row| codes.at(row))
        } else {
            let onward = self.map(rest, field)?;
            let codes = &self.model().table(hop.to).columns[rest[0].from_column].codes;
            self.map_with(hop, null, |row| onward.get(codes.at(row)).unwrap_or(null))
        };
        let map = Arc::new(CodeMap::of(&map));
        lock().insert(known, map.clone());
        Some(map)
    }

    /// Takes note that somebody works with what `known` keeps of this model.
    pub fn used(&self, known: &Arc<Known>) {
        if let Some(shared) = self.model().beside::<Shared>() {
            shared.keepers.used(known);
        }
    }

    /// Whether a way of lookups is one for whoever looks.
    fn is_shared(&self, path: &[Hop]) -> bool {
        let is_shared = |hop: &Hop| self.index(hop.to, hop.to_column).is_unique();
        path.iter().all(is_shared)
    }

    /// The codes of `field` at the end of a way of lookups by row of the table where it begins,
    /// if they were asked for often enough; `n_wanted` rows are asked for now.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn lane(
        &self,
        root: TableId,
        path: &[Hop],
        field: FieldId,
        n_wanted: usize,
        budget: &Budget,
    ) -> Result<Option<Arc<Codes>>, Stop> {
        let (Some(first), Some(shared)) = (path.first(), self.model().beside::<Shared>()) else {
            return Ok(None);
        };
        if !self.is_shared(path) {
            return Ok(None);
        }
        let n_rows = self.model().table(root).n_rows;
        let most_bytes = || self.model().bytes() / 4;
        let asked = (root, field, n_rows, n_wanted);
        shared.lanes.codes(asked, most_bytes, || {
            let Some(map) = self.map(path, field) else {
                return Ok(None);
            };
            let null = self.n_symbols(field) as u32;
            budget.charge_bytes(crate::lanes::bytes_of(n_rows, null) as u64)?;
            let keys = &self.model().table(root).columns[first.from_column].codes;
            Codes::pack_blocks(n_rows, null, |start, out| {
                budget.charge_rows(out.len() as u64)?;
                keys.unpack(start, out);
                for code in out {
                    *code = map.get(*code).unwrap_or(null);
                }
                Ok(())
            })
            .map(Some)
        })
    }

    /// By code of the step's key: `of` the row it leads to, or `null`.
    pub fn map_with(&self, hop: &Hop, null: u32, of: impl Fn(usize) -> u32) -> Vec<u32> {
        let index = self.index(hop.to, hop.to_column);
        (0..=self.n_symbols(hop.key) as u32)
            .map(|code| {
                let rows = index.rows(code);
                let row = match index.is_unique() {
                    true => rows.first(),
                    false => rows.iter().find(|r| self.view.row_is_visible(hop.to, *r)),
                };
                row.map_or(null, |row| of(row as usize))
            })
            .collect()
    }

    /// What the visible values of a field span.
    pub fn extent(&self, field: FieldId) -> Extent {
        *self.extents[field.index()].get_or_init(|| {
            let mut extent = Extent {
                min: f64::NAN,
                max: f64::NAN,
                longest: 0,
            };
            for code in self.view.codes(field).iter() {
                let num = self.view.num(field, *code);
                extent.min = extent.min.min(num);
                extent.max = extent.max.max(num);
                let length = self.view.text(field, *code).chars().count();
                extent.longest = extent.longest.max(length);
            }
            extent
        })
    }

    /// By code: the place of a visible value's text in alphabetical order.
    pub fn text_ranks(&self, field: FieldId) -> Arc<Vec<u32>> {
        let ranks = self.text_ranks[field.index()].get_or_init(|| {
            let codes = self.view.codes(field);
            let texts: Vec<_> = codes.iter().map(|c| self.view.text(field, *c)).collect();
            let mut by_code = vec![u32::MAX; self.n_symbols(field)];
            for (code, rank) in codes.iter().zip(crate::order::rank_texts(&texts)) {
                by_code[*code as usize] = rank;
            }
            Arc::new(by_code)
        });
        ranks.clone()
    }

    /// Bytes held for this view alone: by maps and by orders of values.
    pub fn bytes(&self) -> usize {
        let ranks = self.text_ranks.iter().filter_map(OnceLock::get);
        bytes_of(&self.maps) + ranks.map(|r| r.len() * 4).sum::<usize>()
    }

    /// Bytes held for all views of the model, beside the model itself.
    pub fn shared_bytes(&self) -> usize {
        let shared = self.model().beside::<Shared>();
        let beside = shared.map_or(0, |s| bytes_of(&s.maps) + s.lanes.bytes());
        self.model().derived_bytes() + beside
    }
}
