//! Pivot mode: dimensions at the left and at the top, measures where they cross.
//!
//! A value that is not expanded shows the measures over everything below it, aggregated anew
//! from the records. With several measures a pseudo dimension stands last at the top.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_data::Value;

use super::{CubeDef, shown};
use crate::calculate::{Calculated, calculate};
use crate::dimension::Dim;
use crate::evaluate::measure_values;
use crate::order::Ranking;
use crate::over_rows::Layout;
use crate::program::{AggSpec, compile_column};
use crate::{CalcError, Query, Rect};

/// A pivot table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PivotDef {
    /// Its dimensions, left ones first, and measures.
    pub cube: CubeDef,
    /// How many dimensions stand at the left.
    pub n_left: usize,
    /// Show every level, whatever is expanded.
    pub fully_expanded: bool,
    /// Expanded values at the left, as paths of element numbers.
    pub expanded_left: BTreeSet<Vec<i64>>,
    /// Expanded values at the top.
    pub expanded_top: BTreeSet<Vec<i64>>,
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
    /// Element number; -2 for NULL, -1 for a total, -1, -2 … for measures.
    pub element: i64,
    /// Whether a level below can be shown.
    pub can_expand: bool,
    /// Whether the level below can be hidden.
    pub can_collapse: bool,
    /// Header rows of siblings and descendants before the page and after it.
    pub children: Vec<PivotNode>,
}

/// What a header node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PivotKind {
    /// A value.
    Normal,
    /// NULL.
    Null,
    /// The total of its siblings.
    Total,
    /// A measure.
    Measure,
}

/// A calculated pivot table.
#[derive(Debug)]
pub struct Pivot {
    /// The header at the left.
    pub left: Vec<PivotNode>,
    /// The header at the top.
    pub top: Vec<PivotNode>,
    /// By leaf at the left, by leaf at the top.
    cells: Vec<Vec<Value>>,
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
    pub data: Vec<Vec<Value>>,
}

/// A leaf of a header: codes of the dimensions shown, and perhaps a measure.
#[derive(Clone)]
struct Leaf {
    codes: Vec<u32>,
    /// How deep it is in its header's dimensions.
    measure: usize,
}

/// Measures by codes of the left and top dimensions shown.
type Values = FxHashMap<Vec<u32>, Vec<Value>>;

impl Query<'_> {
    /// Calculates a pivot table.
    ///
    /// # Errors
    /// [`CalcError`] if an expression is wrong or the budget ends.
    pub fn pivot(&self, def: &PivotDef) -> Result<Pivot, CalcError> {
        super::check_size(&def.cube)?;
        let mut dims = Vec::new();
        for dimension in &def.cube.dimensions {
            dims.push(Dim::of_text(self, &dimension.def, 0)?);
        }
        let mut aggs: Vec<AggSpec> = Vec::new();
        let mut measures = Vec::new();
        for measure in &def.cube.measures {
            measures.push(compile_column(
                self,
                &measure.def,
                &mut aggs,
                0,
                &def.cube.measures,
            )?);
        }
        let n_left = def.n_left.min(dims.len());
        let full = calculate(self, &dims, &aggs)?;
        let tuples: Vec<&[u32]> = (0..full.n_rows)
            .map(|r| full.tuple(r))
            .filter(|t| {
                t.iter()
                    .zip(&dims)
                    .zip(&def.cube.dimensions)
                    .all(|((c, d), def)| !(def.suppress_null && *c == d.null()))
            })
            .collect();
        let mut ranks = Vec::new();
        for (i, dim) in dims.iter().enumerate() {
            let mut codes: Vec<u32> = tuples.iter().map(|t| t[i]).collect();
            codes.sort_unstable();
            codes.dedup();
            let states = match dim.plain_field() {
                Some(field) => Some(self.engine.field_states(
                    &self.current(),
                    field,
                    self.budget,
                )?),
                None => None,
            };
            Ranking::new(self, dim, &def.cube.dimensions[i].sort, states.as_ref())?
                .sort(&mut codes);
            ranks.push(
                codes
                    .into_iter()
                    .zip(0usize..)
                    .collect::<FxHashMap<u32, usize>>(),
            );
        }
        let names: Vec<String> = if measures.len() > 1 {
            def.cube.measures.iter().map(|m| m.def.clone()).collect()
        } else {
            Vec::new()
        };
        let part = |from: usize, to: usize| -> Vec<&[u32]> {
            let mut seen = FxHashSet::default();
            tuples
                .iter()
                .map(|t| &t[from..to])
                .filter(|t| seen.insert(*t))
                .collect()
        };
        let mut left = Header {
            query: self,
            def,
            dims: &dims[..n_left],
            first: 0,
            ranks: &ranks[..n_left],
            expanded: &def.expanded_left,
            names: &[],
            leaves: Vec::new(),
        };
        let left_nodes = left.level(&part(0, n_left), 0, &mut Vec::new(), &mut Vec::new());
        let mut top = Header {
            query: self,
            def,
            dims: &dims[n_left..],
            first: n_left,
            ranks: &ranks[n_left..],
            expanded: &def.expanded_top,
            names: &names,
            leaves: Vec::new(),
        };
        let top_nodes = top.level(
            &part(n_left, dims.len()),
            0,
            &mut Vec::new(),
            &mut Vec::new(),
        );
        self.budget
            .charge_bytes(32 * (left.leaves.len() * top.leaves.len()) as u64)?;
        let mut by_depth: FxHashMap<(usize, usize), Values> = FxHashMap::default();
        let mut cells = Vec::with_capacity(left.leaves.len());
        for row in &left.leaves {
            let mut line = Vec::with_capacity(top.leaves.len());
            for column in &top.leaves {
                let depth = (row.codes.len(), column.codes.len());
                if let Entry::Vacant(place) = by_depth.entry(depth) {
                    let shown: Vec<Dim> = dims[..depth.0]
                        .iter()
                        .chain(&dims[n_left..n_left + depth.1])
                        .cloned()
                        .collect();
                    let calculated = calculate(self, &shown, &aggs)?;
                    let layout = layout(depth, n_left, &ranks, &calculated);
                    let columns = measures
                        .iter()
                        .map(|m| measure_values(self, &calculated, m, &layout))
                        .collect::<Result<Vec<Vec<Value>>, _>>()?;
                    let values: Values = (0..calculated.n_rows)
                        .map(|r| {
                            (
                                calculated.tuple(r).to_vec(),
                                columns.iter().map(|c| c[r].clone()).collect(),
                            )
                        })
                        .collect();
                    place.insert(values);
                }
                let key: Vec<u32> = row.codes.iter().chain(&column.codes).copied().collect();
                let value = by_depth
                    .get(&depth)
                    .and_then(|v| v.get(&key))
                    .and_then(|v| v.get(column.measure))
                    .cloned()
                    .unwrap_or(Value::Null);
                line.push(value);
            }
            cells.push(line);
        }
        Ok(Pivot {
            left: left_nodes,
            top: top_nodes,
            n_columns: top.leaves.len(),
            cells,
        })
    }
}

/// Where the cells of `depth.0` dimensions at the left and `depth.1` at the top stand.
fn layout(
    depth: (usize, usize),
    n_left: usize,
    ranks: &[FxHashMap<u32, usize>],
    calculated: &Calculated,
) -> Layout {
    let dims: Vec<usize> = (0..depth.0).chain(n_left..n_left + depth.1).collect();
    let mut order: Vec<u32> = (0..calculated.n_rows as u32).collect();
    order.sort_by_cached_key(|row| -> Vec<usize> {
        let tuple = calculated.tuple(*row as usize);
        dims.iter()
            .zip(tuple)
            .map(|(d, code)| ranks[*d].get(code).copied().unwrap_or(usize::MAX))
            .collect()
    });
    Layout::ordered(dims.len(), depth.0, order)
}

struct Header<'a> {
    query: &'a Query<'a>,
    def: &'a PivotDef,
    dims: &'a [Dim],
    /// Position of the first of these dimensions among all.
    first: usize,
    ranks: &'a [FxHashMap<u32, usize>],
    expanded: &'a BTreeSet<Vec<i64>>,
    /// Of the measures, if there are several.
    names: &'a [String],
    leaves: Vec<Leaf>,
}

impl Header<'_> {
    fn leaf(&mut self, codes: &[u32]) -> Vec<PivotNode> {
        for measure in 0..self.names.len().max(1) {
            self.leaves.push(Leaf {
                codes: codes.to_vec(),
                measure,
            });
        }
        self.names
            .iter()
            .enumerate()
            .map(|(i, name)| PivotNode {
                kind: PivotKind::Measure,
                text: name.clone(),
                value: Value::Null,
                element: -1 - i as i64,
                can_expand: false,
                can_collapse: false,
                children: Vec::new(),
            })
            .collect()
    }

    fn level(
        &mut self,
        tuples: &[&[u32]],
        depth: usize,
        codes: &mut Vec<u32>,
        path: &mut Vec<i64>,
    ) -> Vec<PivotNode> {
        let Some(dim) = self.dims.get(depth) else {
            return self.leaf(codes);
        };
        let mut groups: FxHashMap<u32, Vec<&[u32]>> = FxHashMap::default();
        for tuple in tuples {
            groups.entry(tuple[depth]).or_default().push(tuple);
        }
        let mut groups: Vec<(u32, Vec<&[u32]>)> = groups.into_iter().collect();
        groups.sort_by_key(|(code, _)| self.ranks[depth].get(code).copied().unwrap_or(usize::MAX));
        let view = self.query.engine.view();
        let mut nodes = Vec::with_capacity(groups.len());
        for (code, below) in groups {
            let value = dim.value(view, code);
            let element = dim.element(view, code);
            codes.push(code);
            path.push(element);
            let deeper = depth + 1 < self.dims.len();
            let open = deeper && (self.def.fully_expanded || self.expanded.contains(path));
            let children = if open {
                self.level(&below, depth + 1, codes, path)
            } else {
                self.leaf(codes)
            };
            codes.pop();
            path.pop();
            nodes.push(PivotNode {
                kind: if code == dim.null() {
                    PivotKind::Null
                } else {
                    PivotKind::Normal
                },
                text: shown(&value),
                value,
                element,
                can_expand: deeper && !open,
                can_collapse: open && !self.def.fully_expanded,
                children,
            });
        }
        if self.def.cube.dimensions[self.first + depth].show_total && !nodes.is_empty() {
            let children = self.leaf(codes);
            nodes.push(PivotNode {
                kind: PivotKind::Total,
                text: "Totals".to_owned(),
                value: Value::Null,
                element: -1,
                can_expand: false,
                can_collapse: false,
                children,
            });
        }
        nodes
    }
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
