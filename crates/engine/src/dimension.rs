//! Dimensions: what the rows of a cube are grouped by, as codes of their own.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};
use satchel_calc::{RowValues, eval};
use satchel_data::{Codes, FieldId, SymbolKey, TableId, Value, View};
use satchel_syntax::{Diagnostic, Expr, ExprKind, Span, parse_expression};

use crate::aggr::Virtual;
use crate::code_map::CodeMap;
use crate::graph::{Core, Hop};
use crate::program::{RowProgram, row_program, single_field, with_context};
use crate::scan::{Block, Lane};
use crate::{CalcError, Query};

/// Where a dimension's codes come from. NULL's code is one past the others.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A field.
    Field(FieldId),
    /// An expression over one field: its code by code of the field, NULL's included.
    Mapped(FieldId, Arc<Vec<u32>>),
    /// An expression over several fields of one table: its code by row.
    Rows(TableId, Arc<Vec<u32>>),
    /// An expression without fields.
    Constant,
    /// One code for all records.
    Other(u32),
    /// Values that are in no table: each record belongs to all of them.
    Made,
}

/// A dimension.
#[derive(Clone, Debug)]
pub(crate) struct Dim {
    pub source: Source,
    /// The values of an expression by code, in order of first appearance.
    pub values: Vec<Value>,
    /// How many codes there are, NULL's not counted.
    pub n_codes: usize,
    /// The field whose values it groups although it is not the field itself.
    pub groups: Option<FieldId>,
}

impl Dim {
    pub fn of_field(query: &Query<'_>, field: FieldId) -> Self {
        Self {
            source: Source::Field(field),
            values: Vec::new(),
            n_codes: query.engine.core.n_symbols(field),
            groups: None,
        }
    }

    /// Whether its values are in no table.
    pub fn is_made(&self) -> bool {
        matches!(self.source, Source::Made)
    }

    /// A dimension with one value.
    pub fn constant() -> Self {
        Self {
            source: Source::Constant,
            values: vec![Value::Null],
            n_codes: 1,
            groups: None,
        }
    }

    /// The dimension with the values that do not stay grouped as one: their code is NULL's
    /// before, and NULL's is the next.
    pub fn limited(&self, stays: &dyn Fn(u32) -> bool) -> Self {
        let null = self.null();
        let code = |c: u32| match stays(c) {
            true if c == null => null + 1,
            true => c,
            false => null,
        };
        let map = |codes: &[u32]| Arc::new(codes.iter().map(|c| code(*c)).collect::<Vec<_>>());
        let source = match &self.source {
            Source::Field(field) => Source::Mapped(*field, map(&(0..=null).collect::<Vec<_>>())),
            Source::Mapped(field, codes) => Source::Mapped(*field, map(codes)),
            Source::Rows(table, codes) => Source::Rows(*table, map(codes)),
            // Its only code is 0; where that does not stay it is the others.
            Source::Constant if stays(0) => Source::Constant,
            Source::Constant | Source::Other(_) => Source::Other(code(0)),
            Source::Made => return self.clone(),
        };
        Self {
            source,
            values: Vec::new(),
            n_codes: self.n_codes + 1,
            groups: self.plain_field().or(self.groups),
        }
    }

    /// The field that `TOTAL <…>` names to keep this dimension.
    pub fn total_field(&self) -> Option<FieldId> {
        self.plain_field().or(self.groups)
    }

    /// The dimension that `text` defines.
    pub fn of_text(query: &Query<'_>, text: &str, depth: u32) -> Result<Self, CalcError> {
        crate::program::with_expanded(query, text, depth, |text| {
            if let Some(field) = single_field(query, text) {
                return Ok(Self::of_field(query, field));
            }
            let (tree, diagnostics) = parse_expression(text);
            if diagnostics.iter().any(Diagnostic::is_error) {
                return Err(CalcError::Expression(diagnostics));
            }
            Self::of_tree(query, &tree, depth)
        })
    }

    /// The dimension that a tree defines.
    pub fn of_tree(query: &Query<'_>, tree: &Expr, depth: u32) -> Result<Self, CalcError> {
        if let ExprKind::Field(name) = &tree.kind
            && let Some(field) = query.engine.field(name)
        {
            return Ok(Self::of_field(query, field));
        }
        if let ExprKind::Call(call) = &tree.kind
            && let Some(values) = crate::made::values(query, call, depth)
        {
            let values = values?;
            return Ok(Self {
                source: Source::Made,
                n_codes: values.len(),
                values,
                groups: None,
            });
        }
        let program = row_program(query, tree, depth)?;
        let mut dict = Dict::default();
        let source = match program.fields.as_slice() {
            [] => {
                dict.code(Value::Num(0.0), u32::MAX);
                let row = CodeRow {
                    query,
                    codes: &[],
                    virtuals: &program.virtuals,
                };
                let value = with_context(query, |ctx| eval(&program.program, &row, ctx))?;
                dict.values[0] = value;
                Source::Constant
            }
            [field] => Source::Mapped(*field, map_field(query, &program, *field, &mut dict)?),
            _ => map_rows(query, &program, &mut dict)?,
        };
        if matches!(source, Source::Constant) && dict.values[0].is_null() {
            dict.values.clear();
        }
        Ok(Self {
            source,
            n_codes: dict.values.len(),
            values: dict.values,
            groups: None,
        })
    }

    /// The field that the dimension is, or is an expression of.
    pub fn field(&self) -> Option<FieldId> {
        match &self.source {
            Source::Field(field) | Source::Mapped(field, _) => Some(*field),
            Source::Rows(..) | Source::Constant | Source::Other(_) | Source::Made => None,
        }
    }

    /// The field itself.
    pub fn plain_field(&self) -> Option<FieldId> {
        match &self.source {
            Source::Field(field) => Some(*field),
            _ => None,
        }
    }

    /// The code for a record given by the codes of fields; NULL's if they do not tell it.
    pub fn code_of(&self, codes: &[(FieldId, u32)]) -> u32 {
        let of = |field: &FieldId| codes.iter().find(|(f, _)| f == field).map(|(_, c)| *c);
        match &self.source {
            Source::Field(field) => of(field).unwrap_or(self.null()),
            Source::Mapped(field, map) => of(field).map_or(self.null(), |c| map[c as usize]),
            Source::Constant => 0,
            Source::Other(code) => *code,
            Source::Rows(..) | Source::Made => self.null(),
        }
    }

    pub fn null(&self) -> u32 {
        self.n_codes as u32
    }

    pub fn value(&self, view: &View, code: u32) -> Value {
        match &self.source {
            Source::Field(field) => view.value(*field, code),
            _ => self
                .values
                .get(code as usize)
                .cloned()
                .unwrap_or(Value::Null),
        }
    }

    /// The number of a code's value; NaN if it has none.
    pub fn num(&self, view: &View, code: u32) -> f64 {
        match &self.source {
            Source::Field(field) => view.num(*field, code),
            _ => self
                .values
                .get(code as usize)
                .and_then(Value::as_num)
                .unwrap_or(f64::NAN),
        }
    }

    /// The element number of a code; -2 for NULL.
    pub fn element(&self, view: &View, code: u32) -> i64 {
        match &self.source {
            _ if code == self.null() => -2,
            Source::Field(field) => view.elem_of(*field, code).map_or(-2, i64::from),
            _ => i64::from(code),
        }
    }

    /// How many values there are for this view.
    pub fn cardinality(&self, view: &View) -> usize {
        match &self.source {
            Source::Field(field) => view.cardinality(*field),
            _ => self.n_codes,
        }
    }

    /// How a table's rows find their codes by lookups alone; `None` if they do not.
    pub fn lane<'c>(&self, core: &'c Core, root: TableId) -> Option<LaneSource<'c>> {
        match &self.source {
            Source::Constant => Some(LaneSource::Constant(0)),
            Source::Other(code) => Some(LaneSource::Constant(*code)),
            // Its values are put beside the groups of the other dimensions.
            Source::Made => Some(LaneSource::Constant(0)),
            Source::Field(field) => LaneSource::of_field(core, root, *field),
            Source::Mapped(field, map) => {
                LaneSource::of_field(core, root, *field).map(|lane| lane.then(map))
            }
            Source::Rows(table, codes) if *table == root => Some(LaneSource::Plain(codes.clone())),
            Source::Rows(table, codes) => {
                let path = core.path(root, |t| t == *table)?;
                lookups(core, &path)?;
                let (last, before) = path.split_last()?;
                let null = self.null();
                let mut map = core.map_with(last, null, |row| codes[row]);
                let mut next = last;
                for hop in before.iter().rev() {
                    let via = &core.model().table(hop.to).columns[next.from_column].codes;
                    map = core.map_with(hop, null, |row| map[via.at(row) as usize]);
                    next = hop;
                }
                let via = &core.model().table(root).columns[next.from_column].codes;
                Some(LaneSource::Lookup(via, Arc::new(CodeMap::of(&map))))
            }
        }
    }

    /// A table that holds what the dimension is made of, near `root` if that is given.
    pub fn table(&self, core: &Core, root: Option<TableId>) -> Option<TableId> {
        match &self.source {
            Source::Constant | Source::Other(_) | Source::Made => None,
            Source::Rows(table, _) => Some(*table),
            Source::Field(field) | Source::Mapped(field, _) => {
                let near = root.and_then(|r| {
                    core.path_to_field(r, *field)
                        .map(|p| p.last().map_or(r, |h| h.to))
                });
                near.or_else(|| core.home(*field).map(|(t, _)| t))
            }
        }
    }

    /// The code in a joined row.
    pub fn joined_code(&self, core: &Core, joined: &crate::join::Joined, row: &[u32]) -> u32 {
        match &self.source {
            Source::Constant | Source::Made => 0,
            Source::Other(code) => *code,
            Source::Field(field) => joined.code(core, row, *field),
            Source::Mapped(field, map) => map[joined.code(core, row, *field) as usize],
            Source::Rows(table, codes) => joined
                .tables
                .iter()
                .position(|t| t == table)
                .and_then(|at| codes.get(row[at] as usize).copied())
                .unwrap_or(self.null()),
        }
    }
}

fn lookups(core: &Core, path: &[Hop]) -> Option<()> {
    path.iter().all(|hop| core.is_lookup(hop)).then_some(())
}

/// Where one code a row of a table comes from.
pub(crate) enum LaneSource<'c> {
    Direct(&'c Codes),
    Lookup(&'c Codes, Arc<CodeMap>),
    Kept(Arc<Codes>),
    Plain(Arc<Vec<u32>>),
    Constant(u32),
}

impl<'c> LaneSource<'c> {
    pub fn of_field(core: &'c Core, root: TableId, field: FieldId) -> Option<Self> {
        let path = core.path_to_field(root, field)?;
        let table = core.model().table(root);
        let Some(first) = path.first() else {
            return Some(Self::Direct(&table.columns[table.column_of(field)?].codes));
        };
        lookups(core, &path)?;
        let map = core.map(&path, field)?;
        Some(Self::Lookup(&table.columns[first.from_column].codes, map))
    }

    /// As [`Self::of_field`] for a pass over `n_wanted` rows: by row, if that is kept.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn for_pass(
        core: &'c Core,
        root: TableId,
        field: FieldId,
        n_wanted: usize,
        budget: &Budget,
    ) -> Result<Option<Self>, Stop> {
        let Some(source) = Self::of_field(core, root, field) else {
            return Ok(None);
        };
        let Self::Lookup(..) = source else {
            return Ok(Some(source));
        };
        let path = core.path_to_field(root, field).unwrap_or_default();
        let kept = core.lane(root, &path, field, n_wanted, budget)?;
        Ok(Some(kept.map_or(source, Self::Kept)))
    }

    fn then(self, onward: &[u32]) -> Self {
        match self {
            Self::Direct(codes) => Self::Lookup(codes, Arc::new(CodeMap::of(onward))),
            Self::Lookup(codes, map) => Self::Lookup(codes, Arc::new(map.then(onward))),
            other => other,
        }
    }

    pub fn fill(&self, block: &Block<'_>, out: &mut Lane) {
        match self {
            Self::Direct(codes) => block.gather(codes, out),
            Self::Lookup(codes, map) => {
                map.gather(block, codes, out);
            }
            Self::Kept(codes) => block.gather(codes, out),
            Self::Plain(codes) => block.gather_vec(codes, out),
            Self::Constant(code) => out[..block.n()].fill(*code),
        }
    }
}

/// The values of an expression, numbered as they come.
#[derive(Default)]
struct Dict {
    values: Vec<Value>,
    codes: FxHashMap<SymbolKey, u32>,
}

impl Dict {
    fn code(&mut self, value: Value, null: u32) -> u32 {
        let Some(key) = SymbolKey::of(&value) else {
            return null;
        };
        let next = self.values.len() as u32;
        let code = *self.codes.entry(key).or_insert(next);
        if code == next {
            self.values.push(value);
        }
        code
    }
}

/// A record given by the codes of some fields.
pub(crate) struct CodeRow<'a> {
    pub query: &'a Query<'a>,
    pub codes: &'a [(FieldId, u32)],
    pub virtuals: &'a [(u32, Arc<Virtual>)],
}

impl RowValues for CodeRow<'_> {
    fn field(&self, slot: u32) -> Value {
        if let Some((f, c)) = self.codes.iter().find(|(f, _)| f.0 == slot) {
            return self.query.engine.view().value(*f, *c);
        }
        match self.virtuals.iter().find(|(s, _)| *s == slot) {
            Some((_, field)) => field.value(self.codes),
            None => Value::Null,
        }
    }
}

fn map_field(
    query: &Query<'_>,
    program: &RowProgram,
    field: FieldId,
    dict: &mut Dict,
) -> Result<Arc<Vec<u32>>, Stop> {
    let n = query.engine.core.n_symbols(field);
    charge(query.budget, n)?;
    let mut map = vec![u32::MAX; n + 1];
    with_context(query, |ctx| {
        let codes = query.engine.view().codes(field);
        for code in codes.iter().copied().chain([n as u32]) {
            let row = CodeRow {
                query,
                codes: &[(field, code)],
                virtuals: &program.virtuals,
            };
            map[code as usize] = dict.code(eval(&program.program, &row, ctx), u32::MAX);
        }
    })?;
    seal(&mut map, dict);
    Ok(Arc::new(map))
}

fn map_rows(query: &Query<'_>, program: &RowProgram, dict: &mut Dict) -> Result<Source, CalcError> {
    let core = &query.engine.core;
    let fields = &program.fields;
    // The first table whose rows know all fields, directly or by lookups.
    let found = query.engine.view().tables().find_map(|table| {
        let lanes: Option<Vec<_>> = fields
            .iter()
            .map(|f| LaneSource::of_field(core, table, *f))
            .collect();
        Some((table, lanes?))
    });
    let Some((table, lanes)) = found else {
        return Err(CalcError::Expression(vec![
            Diagnostic::error(
                "expr.not_supported",
                Span::default(),
                "a dimension over fields that no table knows together is not supported",
            )
            .with_hint("join the fields into one table in the load script"),
        ]));
    };
    let n_rows = core.model().table(table).n_rows;
    charge(query.budget, n_rows)?;
    let mut codes = vec![u32::MAX; n_rows];
    let mut buffers = vec![[0u32; satchel_data::BLOCK]; lanes.len()];
    let mask = query.engine.view().row_mask(table);
    with_context(query, |ctx| {
        crate::scan::each_block(n_rows, mask, query.budget, |block| {
            for (lane, buffer) in lanes.iter().zip(&mut buffers) {
                lane.fill(block, buffer);
            }
            for i in 0..block.n() {
                let record: Vec<_> = fields
                    .iter()
                    .copied()
                    .zip(buffers.iter().map(|b| b[i]))
                    .collect();
                let row = CodeRow {
                    query,
                    codes: &record,
                    virtuals: &program.virtuals,
                };
                codes[block.row(i)] = dict.code(eval(&program.program, &row, ctx), u32::MAX);
            }
            Ok(true)
        })
    })??;
    seal(&mut codes, dict);
    Ok(Source::Rows(table, Arc::new(codes)))
}

/// Gives NULL its code, now that the others are counted.
fn seal(codes: &mut [u32], dict: &Dict) {
    let null = dict.values.len() as u32;
    for code in codes.iter_mut().filter(|c| **c == u32::MAX) {
        *code = null;
    }
}

fn charge(budget: &Budget, n: usize) -> Result<(), Stop> {
    budget.charge_rows(n as u64)?;
    budget.charge_bytes(8 * n as u64)
}
