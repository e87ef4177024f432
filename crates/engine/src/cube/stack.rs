//! Stacked mode: a cube's rows as a tree, one level a dimension.

use satchel_data::Value;

use super::Cube;
use crate::Rect;

/// A node of the tree. A leaf is a measure's value.
#[derive(Clone, Debug, PartialEq)]
pub struct StackNode {
    /// Whether this is a measure's value.
    pub is_leaf: bool,
    /// Whether this is NULL in a dimension.
    pub is_null: bool,
    /// Whether this is the values that a limit leaves out.
    pub is_others: bool,
    /// The dimension value or the measure.
    pub value: Value,
    /// Element number; -2 for NULL, -3 for the others; the measure's position for a leaf.
    pub element: i64,
    /// Sum of the positive values below.
    pub max_positive: f64,
    /// Sum of the negative values below.
    pub min_negative: f64,
    /// Its place among its siblings.
    pub row: usize,
    /// Values of the column's attribute expressions.
    pub attributes: Vec<Value>,
    /// One a value of the next dimension.
    pub children: Vec<StackNode>,
}

impl Cube {
    /// The values of the first dimension from `rect.top` on, each with what is below it; the
    /// second level from `rect.left` on. The rows must be sorted by the dimensions in order.
    pub fn stacked(&self, rect: Rect) -> (Rect, Vec<StackNode>) {
        let rows: Vec<usize> = (0..self.n_rows()).collect();
        let mut nodes = self.stack_level(&rows, 0);
        let widest = nodes.iter().map(|n| n.children.len()).max().unwrap_or(0);
        let rect = rect.clipped(widest.max(1), nodes.len());
        nodes = nodes.drain(rect.top..rect.top + rect.height).collect();
        for node in &mut nodes {
            let end = (rect.left + rect.width).min(node.children.len());
            node.children.truncate(end);
            node.children.drain(..rect.left.min(end));
        }
        (rect, nodes)
    }

    /// Rows and columns of the tree: values of the first dimension, and most values below one.
    pub fn stacked_size(&self) -> (usize, usize) {
        let rows: Vec<usize> = (0..self.n_rows()).collect();
        let nodes = self.stack_level(&rows, 0);
        let widest = nodes.iter().map(|n| n.children.len()).max().unwrap_or(0);
        (widest, nodes.len())
    }

    fn stack_level(&self, rows: &[usize], dimension: usize) -> Vec<StackNode> {
        if dimension >= self.dimensions.len() {
            let Some(row) = rows.first() else {
                return Vec::new();
            };
            return (0..self.measures.len())
                .map(|m| {
                    let cell = self.cell(*row, self.dimensions.len() + m);
                    let num = cell.value.as_num().unwrap_or(0.0);
                    StackNode {
                        is_leaf: true,
                        is_null: false,
                        is_others: false,
                        element: m as i64,
                        max_positive: num.max(0.0),
                        min_negative: num.min(0.0),
                        row: m,
                        attributes: cell.attributes,
                        value: cell.value,
                        children: Vec::new(),
                    }
                })
                .collect();
        }
        let mut groups: Vec<(i64, Vec<usize>)> = Vec::new();
        let mut places = rustc_hash::FxHashMap::default();
        for row in rows {
            let element = self.cell(*row, dimension).element;
            let at = *places.entry(element).or_insert_with(|| {
                groups.push((element, Vec::new()));
                groups.len() - 1
            });
            groups[at].1.push(*row);
        }
        groups
            .into_iter()
            .enumerate()
            .map(|(i, (element, rows))| {
                let cell = self.cell(rows[0], dimension);
                let children = self.stack_level(&rows, dimension + 1);
                StackNode {
                    is_leaf: false,
                    is_null: cell.kind == super::CellKind::Null,
                    is_others: cell.kind == super::CellKind::Others,
                    value: cell.value,
                    element,
                    max_positive: children.iter().map(|c| c.max_positive).sum(),
                    min_negative: children.iter().map(|c| c.min_negative).sum(),
                    row: i,
                    attributes: cell.attributes,
                    children,
                }
            })
            .collect()
    }
}
