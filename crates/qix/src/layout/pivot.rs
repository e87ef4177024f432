//! Pivot mode: headers at the left and at the top, measures where they cross.

use satchel_engine::{PivotKind, PivotNode, Rect};
use serde_json::{Value, json};

use crate::layout::Env;
use crate::layout::column::{formatted, measure_title};
use crate::layout::hypercube::{Computed, attributes};
use crate::layout::pages;
use crate::wire::number::num;

/// `qPivotDataPages`.
pub(crate) fn pages(env: &Env<'_>, computed: &Computed, fetch: &[Rect]) -> Value {
    let Some(pivot) = &computed.pivot else {
        return json!([]);
    };
    let list: Vec<Value> = fetch
        .iter()
        .map(|rect| {
            let page = pivot.page(*rect);
            let data: Vec<Value> = page
                .data
                .iter()
                .map(|row| {
                    row.iter()
                        .map(|cell| {
                            let measure = computed.wire.measures.get(cell.measure);
                            let format = measure.and_then(|m| m.format.as_ref());
                            let value = &cell.value;
                            let mut out = json!({
                                "qText": formatted(value, format, &env.locale),
                                "qNum": num(value.as_num().unwrap_or(f64::NAN)),
                                "qType": if value.is_null() { "U" } else { "V" },
                            });
                            if !cell.attributes.is_empty() {
                                out["qAttrExps"] = attributes(&cell.attributes);
                            }
                            out
                        })
                        .collect()
                })
                .collect();
            let nodes = |list: &[PivotNode]| -> Vec<Value> {
                list.iter().map(|n| node(env, computed, n)).collect()
            };
            json!({
                "qLeft": nodes(&page.left),
                "qTop": nodes(&page.top),
                "qData": data,
                "qArea": pages::area(page.area),
            })
        })
        .collect();
    Value::Array(list)
}

fn node(env: &Env<'_>, computed: &Computed, n: &PivotNode) -> Value {
    let children: Vec<Value> = n.children.iter().map(|c| node(env, computed, c)).collect();
    let text = match n.kind {
        PivotKind::Measure => computed
            .wire
            .measures
            .get(n.column)
            .and_then(|m| measure_title(env, &computed.wire.state, m).ok())
            .unwrap_or_else(|| n.text.clone()),
        PivotKind::Normal => {
            let format = computed
                .wire
                .dimensions
                .get(n.column)
                .and_then(|d| d.format.as_ref());
            formatted(&n.value, format, &env.locale)
        }
        PivotKind::Null | PivotKind::Total | PivotKind::Others | PivotKind::Empty => n.text.clone(),
    };
    let kind = match n.kind {
        PivotKind::Normal => "N",
        PivotKind::Null => "U",
        PivotKind::Others => "O",
        PivotKind::Total => "T",
        PivotKind::Measure => "P",
        PivotKind::Empty => "E",
    };
    let mut out = json!({
        "qText": text,
        "qElemNo": n.element,
        "qValue": num(n.value.as_num().unwrap_or(f64::NAN)),
        "qType": kind,
        "qUp": n.n_before,
        "qDown": n.n_after,
        "qCanExpand": n.can_expand,
        "qCanCollapse": n.can_collapse,
        "qSubNodes": children,
    });
    if !n.attributes.is_empty() {
        out["qAttrExps"] = attributes(&n.attributes);
    }
    out
}

/// A node on the way to another one.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub kind: PivotKind,
    /// The position of its dimension, or of the measure.
    pub column: usize,
    pub element: i64,
}

/// The way to the node that covers leaf `leaf` at level `level`: its ancestors and itself.
pub(crate) fn place(nodes: &[PivotNode], leaf: usize, level: usize) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
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
        steps.push(Step {
            kind: node.kind,
            column: node.column,
            element: node.element,
        });
        if depth == level {
            return Some(steps);
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
