//! The headers of a pivot table as trees.

use std::collections::BTreeSet;
use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_data::Value;

use super::{Parts, PivotAxis, PivotKind, PivotNode, positions};
use crate::cube::shown;

/// The element number of a node that only fills its level.
const EMPTY: i64 = -4;

/// A leaf of a header: codes of the dimensions shown, and perhaps a measure.
pub(super) struct Leaf {
    pub codes: Vec<u32>,
    pub measure: Option<usize>,
}

/// A header while it is made.
pub(super) struct Header<'a> {
    parts: &'a Parts<'a>,
    /// By place: values of attribute expressions by code.
    attributes: &'a [Vec<Vec<Value>>],
    axis: &'a [PivotAxis],
    /// The places of its dimensions.
    places: Range<usize>,
    expanded: &'a BTreeSet<Vec<i64>>,
    /// Whether expanded values have a leaf of their own.
    pub indent: bool,
    /// How many of its dimensions are shown somewhere in it.
    n_shown: usize,
    pub leaves: Vec<Leaf>,
}

/// Where in the header we are.
#[derive(Default)]
struct At {
    /// Levels above, measures included.
    depth: usize,
    codes: Vec<u32>,
    path: Vec<i64>,
    measure: Option<usize>,
}

impl<'a> Header<'a> {
    pub fn new(
        parts: &'a Parts<'a>,
        attributes: &'a [Vec<Vec<Value>>],
        axis: &'a [PivotAxis],
        places: Range<usize>,
        expanded: &'a BTreeSet<Vec<i64>>,
    ) -> Self {
        Self {
            parts,
            attributes,
            axis,
            places,
            expanded,
            indent: false,
            n_shown: 0,
            leaves: Vec::new(),
        }
    }

    /// The tree over the combinations of all dimensions; its leaves are in `leaves` then.
    pub fn nodes(&mut self, tuples: &[Vec<u32>]) -> Vec<PivotNode> {
        let mut seen = FxHashSet::default();
        let own: Vec<&[u32]> = tuples
            .iter()
            .map(|t| &t[self.places.clone()])
            .filter(|t| seen.insert(*t))
            .collect();
        // Every branch reaches as deep as the deepest one: clients lay the levels out as columns
        // and match them by position. How deep that is shows only once all is expanded that is.
        let n_dims = self.places.len();
        self.n_shown = if self.parts.def.fully_expanded {
            n_dims
        } else {
            n_dims.min(1)
        };
        if !self.parts.def.fully_expanded && !self.expanded.is_empty() && n_dims > 1 {
            let _ = self.level(&own, &mut At::default());
            self.leaves.clear();
        }
        self.level(&own, &mut At::default())
    }

    /// What stands under a value that is not expanded and under a total: a node a measure, and
    /// empty nodes at the levels that are shown elsewhere.
    fn closed(&mut self, at: &At) -> Vec<PivotNode> {
        self.closed_at(at.depth, at.measure, &at.codes)
    }

    fn closed_at(&mut self, depth: usize, measure: Option<usize>, codes: &[u32]) -> Vec<PivotNode> {
        match self.axis.get(depth) {
            None => {
                self.leaves.push(Leaf {
                    codes: codes.to_vec(),
                    measure,
                });
                Vec::new()
            }
            Some(PivotAxis::Measures) => (0..self.parts.measures.len())
                .map(|measure| {
                    let children = self.closed_at(depth + 1, Some(measure), codes);
                    self.measure_node(measure, children)
                })
                .collect(),
            Some(PivotAxis::Dimension(column)) => {
                let above = positions(&self.axis[..depth]).count();
                let children = self.closed_at(depth + 1, measure, codes);
                if above >= self.n_shown {
                    return children;
                }
                let shows_total = self.parts.def.cube.dimensions[*column].show_total;
                vec![PivotNode {
                    kind: if shows_total {
                        PivotKind::Total
                    } else {
                        PivotKind::Empty
                    },
                    element: EMPTY,
                    ..PivotNode::blank(*column, children)
                }]
            }
        }
    }

    fn measure_node(&self, measure: usize, children: Vec<PivotNode>) -> PivotNode {
        PivotNode {
            kind: PivotKind::Measure,
            text: self.parts.def.cube.measures[measure].def.clone(),
            element: measure as i64,
            ..PivotNode::blank(measure, children)
        }
    }

    fn level(&mut self, tuples: &[&[u32]], at: &mut At) -> Vec<PivotNode> {
        match self.axis.get(at.depth) {
            None => self.closed(at),
            Some(PivotAxis::Measures) => (0..self.parts.measures.len())
                .map(|measure| {
                    at.measure = Some(measure);
                    at.depth += 1;
                    at.path.push(measure as i64);
                    let children = self.level(tuples, at);
                    at.path.pop();
                    at.depth -= 1;
                    at.measure = None;
                    self.measure_node(measure, children)
                })
                .collect(),
            Some(PivotAxis::Dimension(column)) => self.values(tuples, *column, at),
        }
    }

    /// The values of a dimension.
    fn values(&mut self, tuples: &[&[u32]], column: usize, at: &mut At) -> Vec<PivotNode> {
        let level = at.codes.len();
        let place = self.places.start + level;
        let parts = self.parts;
        let (dim, def) = (&parts.dims[place], parts.dimension(place));
        let mut groups: FxHashMap<u32, Vec<&[u32]>> = FxHashMap::default();
        for tuple in tuples {
            groups.entry(tuple[level]).or_default().push(tuple);
        }
        let mut groups: Vec<(u32, Vec<&[u32]>)> = groups.into_iter().collect();
        let ranks = &parts.ranks[place];
        groups.sort_by_key(|(code, _)| ranks.get(code).copied().unwrap_or(usize::MAX));
        let mut nodes = Vec::with_capacity(groups.len() + 1);
        let own_row = self.indent && at.depth > 0;
        let total = def.show_total && !groups.is_empty();
        if own_row || (total && parts.def.totals_first) {
            nodes.push(self.total(column, at));
        }
        let view = parts.query.engine.view();
        let deeper = self.axis[at.depth + 1..]
            .iter()
            .any(|a| matches!(a, PivotAxis::Dimension(_)));
        for (code, below) in groups {
            let is_others = code == dim.null() + 1;
            let (kind, value, element) = if is_others {
                let label = def.limit.as_ref().map_or("", |l| l.label.as_str());
                (PivotKind::Others, Value::text(label), -3)
            } else if code == dim.null() {
                (PivotKind::Null, Value::Null, -2)
            } else {
                let element = dim.element(view, code);
                (PivotKind::Normal, dim.value(view, code), element)
            };
            at.codes.push(code);
            at.path.push(element);
            at.depth += 1;
            let fully = parts.def.fully_expanded;
            let open = deeper && (fully || self.expanded.contains(&at.path));
            let children = if open {
                self.n_shown = self.n_shown.max(level + 2);
                self.level(&below, at)
            } else {
                self.closed(at)
            };
            at.depth -= 1;
            at.path.pop();
            at.codes.pop();
            let attributes = self.attributes[place]
                .iter()
                .map(|a| a.get(code as usize).cloned().unwrap_or(Value::Null));
            nodes.push(PivotNode {
                kind,
                text: shown(&value),
                value,
                element,
                can_expand: deeper && !open,
                can_collapse: open && !fully,
                attributes: attributes.collect(),
                ..PivotNode::blank(column, children)
            });
        }
        if total && !own_row && !parts.def.totals_first {
            nodes.push(self.total(column, at));
        }
        nodes
    }

    /// The total of the values of a dimension.
    fn total(&mut self, column: usize, at: &At) -> PivotNode {
        let label = &self.parts.def.cube.dimensions[column].total_label;
        let children = self.closed_at(at.depth + 1, at.measure, &at.codes);
        PivotNode {
            kind: PivotKind::Total,
            text: match label.as_str() {
                "" => "Totals".to_owned(),
                label => label.to_owned(),
            },
            element: -1,
            ..PivotNode::blank(column, children)
        }
    }
}

impl PivotNode {
    /// A node without text over `children`.
    fn blank(column: usize, children: Vec<Self>) -> Self {
        Self {
            kind: PivotKind::Empty,
            text: String::new(),
            value: Value::Null,
            element: EMPTY,
            column,
            can_expand: false,
            can_collapse: false,
            attributes: Vec::new(),
            n_before: 0,
            n_after: 0,
            children,
        }
    }
}
