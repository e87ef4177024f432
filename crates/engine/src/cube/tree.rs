//! Tree mode: a node a dimension value, each with the measures over everything below it.

use rustc_hash::FxHashMap;
use satchel_data::Value;

use super::{CellKind, Cube, CubeDef, CubeDim, limits};
use crate::calculate::Calculated;
use crate::evaluate::measure_values;
use crate::limit::{Limits, calculate_limited};
use crate::over_rows::Layout;
use crate::program::{AggSpec, Measure, compile_column};
use crate::{CalcError, Query, ValueState};

/// A cube as a tree.
#[derive(Debug)]
pub struct Tree {
    /// The node over everything.
    pub root: TreeNode,
    /// By dimension: how many nodes it has.
    pub n_nodes: Vec<usize>,
}

/// A node of a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeNode {
    /// What it is.
    pub kind: TreeKind,
    /// The dimension value.
    pub value: Value,
    /// Element number; -1 for the root, -2 for NULL, -3 for the others.
    pub element: i64,
    /// Its place among the nodes of its dimension.
    pub row: usize,
    /// Its place among its siblings.
    pub position: usize,
    /// The measures over everything below, aggregated from the records.
    pub values: Vec<Value>,
    /// By measure: the sum of the positive values of its children.
    pub max_positive: Vec<f64>,
    /// By measure: the sum of the negative values of its children.
    pub min_negative: Vec<f64>,
    /// Values of the dimension's attribute expressions.
    pub attributes: Vec<Value>,
    /// One a value of the next dimension.
    pub children: Vec<TreeNode>,
}

/// What a node of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// Over everything.
    Root,
    /// A value.
    Value(ValueState),
    /// NULL.
    Null,
    /// The values that a limit leaves out.
    Others,
}

/// Measures by dimension codes.
type Level = FxHashMap<Vec<u32>, Vec<Value>>;

impl Query<'_> {
    /// Calculates a cube as a tree; `cube` is the same definition calculated.
    ///
    /// # Errors
    /// [`CalcError`] if an expression is wrong or the budget ends.
    pub fn tree(&self, def: &CubeDef, cube: &Cube) -> Result<Tree, CalcError> {
        if let Some(error) = cube.error() {
            return Err(error.clone());
        }
        let n_dims = cube.dims.len();
        let mut aggs: Vec<AggSpec> = Vec::new();
        let mut measures: Vec<Measure> = Vec::new();
        for measure in &def.measures {
            measures.push(compile_column(
                self,
                &measure.def,
                &mut aggs,
                0,
                &def.measures,
            )?);
        }
        let dims: Vec<_> = cube.dims.iter().map(|d| d.dim.clone()).collect();
        let mut levels: Vec<Level> = Vec::with_capacity(n_dims + 1);
        for depth in 0..=n_dims {
            let all = limits(def, n_dims);
            let limits = Limits {
                limits: all.limits[..depth].to_vec(),
                suppress_null: all.suppress_null[..depth].to_vec(),
                second_axis: depth,
                measures: all.measures,
            };
            let calculated = calculate_limited(self, &dims[..depth], &limits, &aggs)?;
            self.budget
                .charge_bytes((calculated.n_rows * (48 + 24 * measures.len())) as u64)?;
            let layout = ordered(&cube.dims[..depth], &calculated);
            let columns = measures
                .iter()
                .map(|m| measure_values(self, &calculated, m, &layout))
                .collect::<Result<Vec<_>, _>>()?;
            let level = (0..calculated.n_rows).map(|row| {
                let values = columns.iter().map(|c| c[row].clone()).collect();
                (calculated.tuple(row).to_vec(), values)
            });
            levels.push(level.collect());
        }
        let rows: Vec<usize> = (0..cube.n_rows()).collect();
        let mut maker = Maker {
            cube,
            levels: &levels,
            n_nodes: vec![0; n_dims],
        };
        let mut root = TreeNode {
            kind: TreeKind::Root,
            value: Value::Null,
            element: -1,
            row: 0,
            position: 0,
            values: maker.values(&[]),
            max_positive: Vec::new(),
            min_negative: Vec::new(),
            attributes: Vec::new(),
            children: maker.children(&rows, &mut Vec::new()),
        };
        root.sum_up(def.measures.len());
        Ok(Tree {
            root,
            n_nodes: maker.n_nodes,
        })
    }
}

fn ordered(dims: &[CubeDim], calculated: &Calculated) -> Layout {
    let mut order: Vec<u32> = (0..calculated.n_rows as u32).collect();
    order.sort_by_cached_key(|row| -> Vec<u32> {
        let tuple = calculated.tuple(*row as usize);
        let rank = |(d, c): (&CubeDim, &u32)| d.ranks.get(*c as usize).copied();
        dims.iter().zip(tuple).filter_map(rank).collect()
    });
    Layout::ordered(dims.len(), dims.len(), order)
}

struct Maker<'a> {
    cube: &'a Cube,
    levels: &'a [Level],
    n_nodes: Vec<usize>,
}

impl Maker<'_> {
    fn values(&self, codes: &[u32]) -> Vec<Value> {
        let known = self.levels.get(codes.len()).and_then(|l| l.get(codes));
        let none = || vec![Value::Null; self.cube.measures.len()];
        known.cloned().unwrap_or_else(none)
    }

    /// The nodes below some codes, of these rows of the cube.
    fn children(&mut self, rows: &[usize], codes: &mut Vec<u32>) -> Vec<TreeNode> {
        let depth = codes.len();
        let n_dims = self.cube.dims.len();
        let Some(dim) = self.cube.dims.get(depth) else {
            return Vec::new();
        };
        let mut groups: Vec<(u32, Vec<usize>)> = Vec::new();
        let mut places = FxHashMap::default();
        for row in rows {
            let code = self.cube.codes[row * n_dims + depth];
            let at = *places.entry(code).or_insert_with(|| {
                groups.push((code, Vec::new()));
                groups.len() - 1
            });
            groups[at].1.push(*row);
        }
        let mut nodes = Vec::with_capacity(groups.len());
        for (position, (code, rows)) in groups.into_iter().enumerate() {
            let row = self.n_nodes[depth];
            self.n_nodes[depth] += 1;
            let cell = self.cube.cell(rows[0], depth);
            codes.push(code);
            let mut node = TreeNode {
                kind: match dim.kind(code) {
                    CellKind::Dimension(state) => TreeKind::Value(state),
                    CellKind::Null | CellKind::Measure => TreeKind::Null,
                    CellKind::Others => TreeKind::Others,
                },
                value: cell.value,
                element: cell.element,
                row,
                position,
                values: self.values(codes),
                max_positive: Vec::new(),
                min_negative: Vec::new(),
                attributes: cell.attributes,
                children: self.children(&rows, codes),
            };
            codes.pop();
            node.sum_up(self.cube.measures.len());
            nodes.push(node);
        }
        nodes
    }
}

impl TreeNode {
    fn sum_up(&mut self, n_measures: usize) {
        let num = |n: &TreeNode, m: usize| n.values[m].as_num().filter(|n| n.is_finite());
        for m in 0..n_measures {
            let numbers = || self.children.iter().filter_map(|c| num(c, m));
            let (up, down) = (
                numbers().fold(0.0, |sum, n| sum + n.max(0.0)),
                numbers().fold(0.0, |sum, n| sum + n.min(0.0)),
            );
            self.max_positive.push(up);
            self.min_negative.push(down);
        }
    }
}
