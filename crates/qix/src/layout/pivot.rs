//! Pivot mode: headers at the left and at the top, measures where they cross.

use satchel_engine::{PivotKind, PivotNode, Rect};
use serde_json::{Value, json};

use crate::layout::Env;
use crate::layout::column::{formatted, measure_title};
use crate::layout::hypercube::Computed;
use crate::layout::pages;
use crate::wire::number::num;

/// `qPivotDataPages`.
pub(crate) fn pages(env: &Env<'_>, computed: &Computed, fetch: &[Rect]) -> Value {
    let Some(pivot) = &computed.pivot else {
        return json!([]);
    };
    let n_dims = computed.wire.dimensions.len();
    let n_left = usize::try_from(computed.wire.n_left)
        .unwrap_or(n_dims)
        .min(n_dims);
    let list: Vec<Value> = fetch
        .iter()
        .map(|rect| {
            let page = pivot.page(*rect);
            let data: Vec<Value> = page
                .data
                .iter()
                .map(|row| {
                    row.iter()
                        .enumerate()
                        .map(|(i, value)| {
                            let measures = &computed.wire.measures;
                            let at = (page.area.left + i) % measures.len().max(1);
                            let format = measures.get(at).and_then(|m| m.format.as_ref());
                            json!({
                                "qText": formatted(value, format, &env.locale),
                                "qNum": num(value.as_num().unwrap_or(f64::NAN)),
                                "qType": if value.is_null() { "U" } else { "V" },
                            })
                        })
                        .collect()
                })
                .collect();
            let nodes = |list: &[PivotNode], first: usize| -> Vec<Value> {
                list.iter().map(|n| node(env, computed, n, first)).collect()
            };
            json!({
                "qLeft": nodes(&page.left, 0),
                "qTop": nodes(&page.top, n_left),
                "qData": data,
                "qArea": pages::area(page.area),
            })
        })
        .collect();
    Value::Array(list)
}

fn node(env: &Env<'_>, computed: &Computed, n: &PivotNode, depth: usize) -> Value {
    let children: Vec<Value> = n
        .children
        .iter()
        .map(|c| node(env, computed, c, depth + 1))
        .collect();
    let text = match n.kind {
        PivotKind::Measure => usize::try_from(-1 - n.element)
            .ok()
            .and_then(|at| computed.wire.measures.get(at))
            .and_then(|m| measure_title(env, &computed.wire.state, m).ok())
            .unwrap_or_else(|| n.text.clone()),
        PivotKind::Normal => {
            let format = computed
                .wire
                .dimensions
                .get(depth)
                .and_then(|d| d.format.as_ref());
            formatted(&n.value, format, &env.locale)
        }
        PivotKind::Null | PivotKind::Total => n.text.clone(),
    };
    let kind = match n.kind {
        PivotKind::Normal => "N",
        PivotKind::Null => "U",
        PivotKind::Total => "T",
        PivotKind::Measure => "P",
    };
    json!({
        "qText": text,
        "qElemNo": n.element,
        "qValue": num(n.value.as_num().unwrap_or(f64::NAN)),
        "qType": kind,
        "qUp": 0,
        "qDown": 0,
        "qCanExpand": n.can_expand,
        "qCanCollapse": n.can_collapse,
        "qSubNodes": children,
    })
}

/// The elements on the way to a node: its ancestors and itself, with the place of its
/// dimension in its header.
pub(crate) struct Place {
    /// Element numbers from the root down.
    pub elements: Vec<i64>,
    pub kind: PivotKind,
}

/// The node that covers leaf `leaf` at level `level`.
pub(crate) fn place(nodes: &[PivotNode], leaf: usize, level: usize) -> Option<Place> {
    let mut elements = Vec::new();
    let (mut nodes, mut leaf) = (nodes, leaf);
    for depth in 0.. {
        let node = nodes.iter().find(|n| {
            let width = n_leaves(n);
            if leaf < width {
                true
            } else {
                leaf -= width;
                false
            }
        })?;
        elements.push(node.element);
        if depth == level {
            return Some(Place {
                elements,
                kind: node.kind,
            });
        }
        nodes = &node.children;
    }
    None
}

fn n_leaves(node: &PivotNode) -> usize {
    if node.children.is_empty() {
        1
    } else {
        node.children.iter().map(n_leaves).sum()
    }
}
