//! Pivot mode: dimensions at the left and at the top, measures where they cross.
//!
//! A value that is not expanded shows the measures over everything below it, aggregated anew
//! from the records. Several measures stand side by side as a pseudo dimension, which is always
//! expanded. A pivot table indents when an expanded value has a row of its own before the rows
//! of what is below it.

mod header;

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use satchel_data::Value;

use self::header::{Header, Leaf};
use super::{CubeDef, DimensionDef};
use crate::calculate::Calculated;
use crate::dimension::Dim;
use crate::evaluate::{measure_values, values_by};
use crate::limit::{Limits, calculate_limited};
use crate::order::Ranking;
use crate::over_rows::Layout;
use crate::program::{AggSpec, Measure, compile_column};
use crate::{CalcError, Query, Rect};

/// A pivot table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PivotDef {
    /// Its dimensions and measures.
    pub cube: CubeDef,
    /// What stands at the left. Dimensions named nowhere are left out.
    pub left: Vec<PivotAxis>,
    /// What stands at the top. Several measures that stand nowhere come last here.
    pub top: Vec<PivotAxis>,
    /// Show every level, whatever is expanded.
    pub fully_expanded: bool,
    /// Expanded values at the left, as paths of element numbers.
    pub expanded_left: BTreeSet<Vec<i64>>,
    /// Expanded values at the top.
    pub expanded_top: BTreeSet<Vec<i64>>,
    /// Totals stand before the values they are of.
    pub totals_first: bool,
    /// Expanded values at the left have a row of their own.
    pub indent: bool,
    /// Cells without a record show 0.
    pub populate_missing: bool,
}

/// What stands on an axis of a pivot table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PivotAxis {
    /// A dimension by its position in the cube.
    Dimension(usize),
    /// The measures side by side.
    Measures,
}

/// A value in a header of a pivot table.
#[derive(Clone, Debug, PartialEq)]
pub struct PivotNode {
    /// What it is.
    pub kind: PivotKind,
    /// Its text.
    pub text: String,
    /// Its value.
    pub value: Value,
    /// Element number; -1 for a total, -2 for NULL, -3 for the others, -4 for a node that only
    /// fills its level; the position of a measure.
    pub element: i64,
    /// The position of its dimension in the cube; that of the measure for a measure.
    pub column: usize,
    /// Whether a level below can be shown.
    pub can_expand: bool,
    /// Whether the level below can be hidden.
    pub can_collapse: bool,
    /// Values of the dimension's attribute expressions.
    pub attributes: Vec<Value>,
    /// Leaves below it that a page leaves out before its first one.
    pub n_before: usize,
    /// Leaves below it that a page leaves out after its last one.
    pub n_after: usize,
    /// The level below.
    pub children: Vec<PivotNode>,
}

/// What a header node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PivotKind {
    /// A value.
    Normal,
    /// NULL.
    Null,
    /// The values that a limit leaves out.
    Others,
    /// The total of its siblings.
    Total,
    /// A measure.
    Measure,
    /// Nothing: a level that is shown elsewhere is not shown here. Where a level has totals,
    /// such a node is one of these.
    Empty,
}

/// Where a row and a column cross.
#[derive(Clone, Debug, PartialEq)]
pub struct PivotCell {
    /// The measure's value.
    pub value: Value,
    /// The measure's position.
    pub measure: usize,
    /// Values of the measure's attribute expressions.
    pub attributes: Vec<Value>,
}

/// A calculated pivot table.
#[derive(Debug)]
pub struct Pivot {
    /// The header at the left.
    pub left: Vec<PivotNode>,
    /// The header at the top.
    pub top: Vec<PivotNode>,
    /// By leaf at the left, by leaf at the top.
    cells: Vec<Vec<PivotCell>>,
    n_columns: usize,
}

/// Part of a pivot table.
#[derive(Clone, Debug, PartialEq)]
pub struct PivotPage {
    /// What it covers.
    pub area: Rect,
    /// The parts of the left header beside it.
    pub left: Vec<PivotNode>,
    /// The parts of the top header above it.
    pub top: Vec<PivotNode>,
    /// Measures, row by row.
    pub data: Vec<Vec<PivotCell>>,
}

/// Measures, and by measure its attribute expressions, by codes of the dimensions shown.
type Values = FxHashMap<Vec<u32>, (Vec<Value>, Vec<Vec<Value>>)>;

/// What a pivot table is made of: dimensions in the order of its axes.
struct Parts<'a> {
    query: &'a Query<'a>,
    def: &'a PivotDef,
    /// The positions in the cube.
    columns: Vec<usize>,
    dims: Vec<Dim>,
    n_left: usize,
    ranks: Vec<FxHashMap<u32, usize>>,
    measures: Vec<Measure>,
    attributes: Vec<Vec<Measure>>,
    aggs: Vec<AggSpec>,
}

impl Parts<'_> {
    fn dimension(&self, place: usize) -> &DimensionDef {
        &self.def.cube.dimensions[self.columns[place]]
    }

    /// The first `left` dimensions at the left and the first `top` ones at the top, as places.
    fn shown(&self, left: usize, top: usize) -> Vec<usize> {
        (0..left).chain(self.n_left..self.n_left + top).collect()
    }

    fn calculate(&self, left: usize, top: usize) -> Result<Calculated, CalcError> {
        let places = self.shown(left, top);
        let dims: Vec<Dim> = places.iter().map(|p| self.dims[*p].clone()).collect();
        let of = |p: &usize| self.dimension(*p);
        let limits = Limits {
            limits: places.iter().map(|p| of(p).limit.as_ref()).collect(),
            suppress_null: places.iter().map(|p| of(p).suppress_null).collect(),
            second_axis: left,
            measures: &self.def.cube.measures,
        };
        calculate_limited(self.query, &dims, &limits, &self.aggs)
    }

    /// Where the cells of some dimensions at the left and some at the top stand.
    fn layout(&self, left: usize, top: usize, calculated: &Calculated) -> Layout {
        let places = self.shown(left, top);
        let mut order: Vec<u32> = (0..calculated.n_rows as u32).collect();
        order.sort_by_cached_key(|row| -> Vec<usize> {
            let tuple = calculated.tuple(*row as usize);
            places
                .iter()
                .zip(tuple)
                .map(|(p, code)| self.ranks[*p].get(code).copied().unwrap_or(usize::MAX))
                .collect()
        });
        Layout::ordered(places.len(), left, order)
    }

    /// The measures of some dimensions at the left and some at the top.
    fn values(&self, left: usize, top: usize) -> Result<Values, CalcError> {
        let calculated = self.calculate(left, top)?;
        let layout = self.layout(left, top, &calculated);
        let column = |m: &Measure| measure_values(self.query, &calculated, m, &layout);
        let columns = self
            .measures
            .iter()
            .map(column)
            .collect::<Result<Vec<_>, _>>()?;
        let attributes = self
            .attributes
            .iter()
            .map(|all| all.iter().map(column).collect::<Result<Vec<_>, _>>())
            .collect::<Result<Vec<_>, _>>()?;
        let n_values = self.measures.len() + self.attributes.iter().map(Vec::len).sum::<usize>();
        let bytes = calculated.n_rows * (64 + 32 * n_values);
        self.query.budget.charge_bytes(bytes as u64)?;
        Ok((0..calculated.n_rows)
            .map(|r| {
                let of = |c: &Vec<Value>| c[r].clone();
                let beside = |all: &Vec<Vec<Value>>| all.iter().map(of).collect();
                (
                    calculated.tuple(r).to_vec(),
                    (
                        columns.iter().map(of).collect(),
                        attributes.iter().map(beside).collect(),
                    ),
                )
            })
            .collect())
    }

    /// The combinations of all dimensions that the table shows, and the ranks of their codes.
    fn tuples(&mut self) -> Result<Vec<Vec<u32>>, CalcError> {
        let (left, top) = (self.n_left, self.dims.len() - self.n_left);
        let full = self.calculate(left, top)?;
        let shows = |tuple: &[u32]| {
            let is_null = |(p, c): (usize, &u32)| {
                self.dimension(p).suppress_null && *c == self.dims[p].null()
            };
            !tuple.iter().enumerate().any(is_null)
        };
        let mut rows: Vec<usize> = (0..full.n_rows).filter(|r| shows(full.tuple(*r))).collect();
        let mut ranks = Vec::new();
        for (p, dim) in self.dims.iter().enumerate() {
            let mut codes: Vec<u32> = rows.iter().map(|r| full.tuple(*r)[p]).collect();
            codes.sort_unstable();
            codes.dedup();
            // The others come last, whatever the order.
            codes.retain(|c| *c <= dim.null());
            let query = self.query;
            let states = match dim.plain_field() {
                Some(field) => Some(query.engine.field_states(
                    &query.current(),
                    field,
                    query.budget,
                )?),
                None => None,
            };
            Ranking::new(query, dim, &self.dimension(p).sort, states.as_ref())?.sort(&mut codes);
            ranks.push(codes.into_iter().zip(0usize..).collect());
        }
        self.ranks = ranks;
        let cube = &self.def.cube;
        if (cube.suppress_zero || cube.suppress_missing) && !self.measures.is_empty() {
            let layout = self.layout(left, top, &full);
            let columns = self
                .measures
                .iter()
                .map(|m| measure_values(self.query, &full, m, &layout))
                .collect::<Result<Vec<_>, _>>()?;
            let zero = |v: &Value| v.is_null() || v.as_num() == Some(0.0);
            rows.retain(|r| {
                !(cube.suppress_zero && columns.iter().all(|c| zero(&c[*r]))
                    || cube.suppress_missing && columns.iter().all(|c| c[*r].is_null()))
            });
        }
        Ok(rows.into_iter().map(|r| full.tuple(r).to_vec()).collect())
    }
}

impl Query<'_> {
    /// Calculates a pivot table.
    ///
    /// # Errors
    /// [`CalcError`] if an expression is wrong or the budget ends.
    pub fn pivot(&self, def: &PivotDef) -> Result<Pivot, CalcError> {
        super::check_size(&def.cube)?;
        let (left_axis, top_axis) = axes(def);
        let columns: Vec<usize> = positions(&left_axis).chain(positions(&top_axis)).collect();
        let mut aggs: Vec<AggSpec> = Vec::new();
        let mut measures = Vec::new();
        let mut attributes = Vec::new();
        for measure in &def.cube.measures {
            let mut compile =
                |text: &str| compile_column(self, text, &mut aggs, 0, &def.cube.measures);
            measures.push(compile(&measure.def)?);
            let beside = measure.attributes.iter().map(|text| compile(text));
            attributes.push(beside.collect::<Result<Vec<_>, _>>()?);
        }
        let mut dims = Vec::new();
        let mut beside = Vec::new();
        for column in &columns {
            let dimension = &def.cube.dimensions[*column];
            let dim = Dim::of_text(self, &dimension.def, 0)?;
            let values = dimension
                .attributes
                .iter()
                .map(|a| values_by(self, &dim, a));
            beside.push(values.collect::<Result<Vec<_>, _>>()?);
            dims.push(dim);
        }
        let mut parts = Parts {
            query: self,
            def,
            n_left: positions(&left_axis).count(),
            columns,
            dims,
            ranks: Vec::new(),
            measures,
            attributes,
            aggs,
        };
        let tuples = parts.tuples()?;
        let (n_left, n_dims) = (parts.n_left, parts.dims.len());
        let mut left = Header::new(&parts, &beside, &left_axis, 0..n_left, &def.expanded_left);
        left.indent = def.indent;
        let left_nodes = left.nodes(&tuples);
        let mut top = Header::new(
            &parts,
            &beside,
            &top_axis,
            n_left..n_dims,
            &def.expanded_top,
        );
        let top_nodes = top.nodes(&tuples);
        let (left, top): (Vec<Leaf>, Vec<Leaf>) = (left.leaves, top.leaves);
        self.budget
            .charge_bytes(64 * (left.len() * top.len()) as u64)?;
        let mut by_depth: FxHashMap<(usize, usize), Values> = FxHashMap::default();
        let mut cells = Vec::with_capacity(left.len());
        for row in &left {
            let mut line = Vec::with_capacity(top.len());
            for column in &top {
                let depth = (row.codes.len(), column.codes.len());
                let values = match by_depth.entry(depth) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(parts.values(depth.0, depth.1)?),
                };
                let key: Vec<u32> = row.codes.iter().chain(&column.codes).copied().collect();
                let measure = row.measure.or(column.measure).unwrap_or(0);
                let found = values.get(&key);
                let value = found.and_then(|(v, _)| v.get(measure).cloned());
                let value = match value.unwrap_or(Value::Null) {
                    Value::Null if def.populate_missing => Value::num(0.0),
                    value => value,
                };
                line.push(PivotCell {
                    value,
                    measure,
                    attributes: found
                        .and_then(|(_, a)| a.get(measure).cloned())
                        .unwrap_or_default(),
                });
            }
            cells.push(line);
        }
        Ok(Pivot {
            left: left_nodes,
            top: top_nodes,
            n_columns: top.len(),
            cells,
        })
    }
}

/// The dimensions on an axis.
fn positions(axis: &[PivotAxis]) -> impl Iterator<Item = usize> {
    axis.iter().filter_map(|a| match a {
        PivotAxis::Dimension(at) => Some(*at),
        PivotAxis::Measures => None,
    })
}

/// The axes with each dimension once, and the measures once if there are several.
fn axes(def: &PivotDef) -> (Vec<PivotAxis>, Vec<PivotAxis>) {
    let several = def.cube.measures.len() > 1;
    let mut seen: Vec<PivotAxis> = Vec::new();
    let mut once = |axis: &[PivotAxis]| -> Vec<PivotAxis> {
        let mut kept = Vec::new();
        for entry in axis {
            let exists = match entry {
                PivotAxis::Dimension(at) => *at < def.cube.dimensions.len(),
                PivotAxis::Measures => several,
            };
            if exists && !seen.contains(entry) {
                seen.push(*entry);
                kept.push(*entry);
            }
        }
        kept
    };
    let (left, mut top) = (once(&def.left), once(&def.top));
    if several && !seen.contains(&PivotAxis::Measures) {
        top.push(PivotAxis::Measures);
    }
    (left, top)
}

impl PivotNode {
    fn n_leaves(&self) -> usize {
        if self.children.is_empty() {
            1
        } else {
            self.children.iter().map(Self::n_leaves).sum()
        }
    }
}

/// The parts of a header over the leaves `start..end`.
fn crop(nodes: &[PivotNode], start: usize, end: usize) -> Vec<PivotNode> {
    let mut at = 0;
    let mut kept = Vec::new();
    for node in nodes {
        let n = node.n_leaves();
        if at < end && at + n > start {
            let mut node = node.clone();
            node.n_before = start.saturating_sub(at);
            node.n_after = (at + n).saturating_sub(end);
            node.children = crop(&node.children, start.saturating_sub(at), end - at);
            kept.push(node);
        }
        at += n;
    }
    kept
}

impl Pivot {
    /// Rows and columns of measures.
    pub fn size(&self) -> (usize, usize) {
        (self.cells.len(), self.n_columns)
    }

    /// The measures of a rectangle, clipped to what there is, with the headers beside it.
    pub fn page(&self, rect: Rect) -> PivotPage {
        let area = rect.clipped(self.n_columns, self.cells.len());
        let (right, bottom) = (area.left + area.width, area.top + area.height);
        PivotPage {
            area,
            left: crop(&self.left, area.top, bottom),
            top: crop(&self.top, area.left, right),
            data: self.cells[area.top..bottom]
                .iter()
                .map(|line| line[area.left..right].to_vec())
                .collect(),
        }
    }
}
