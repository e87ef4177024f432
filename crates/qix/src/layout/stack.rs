//! Stacked mode: one tree a page, one level a dimension, measures as leaves.

use satchel_engine::{Rect, StackNode};
use serde_json::{Map, Value, json};

use crate::layout::Env;
use crate::layout::column::formatted;
use crate::layout::hypercube::{Computed, attributes};
use crate::layout::pages;
use crate::wire::number::num;

/// `qStackedDataPages`.
pub(crate) fn pages(env: &Env<'_>, computed: &Computed, fetch: &[Rect]) -> Value {
    let list: Vec<Value> = fetch
        .iter()
        .map(|rect| {
            let (area, nodes) = computed.cube.stacked(*rect);
            let (up, down) = nodes.iter().fold((0.0, 0.0), |(up, down), n| {
                (up + n.max_positive, down + n.min_negative)
            });
            let children: Vec<Value> = nodes.iter().map(|n| node(env, computed, n, 0)).collect();
            json!({
                "qData": [{
                    "qElemNo": 0,
                    "qValue": "NaN",
                    "qType": "R",
                    "qMaxPos": num(up),
                    "qMinNeg": num(down),
                    "qUp": 0,
                    "qDown": 0,
                    "qRow": 0,
                    "qSubNodes": children,
                }],
                "qArea": pages::area(area),
            })
        })
        .collect();
    Value::Array(list)
}

fn node(env: &Env<'_>, computed: &Computed, n: &StackNode, depth: usize) -> Value {
    let wire = &computed.wire;
    let format = if n.is_leaf {
        let at = usize::try_from(n.element).unwrap_or(0);
        wire.measures.get(at).and_then(|m| m.format.as_ref())
    } else {
        wire.dimensions.get(depth).and_then(|d| d.format.as_ref())
    };
    let mut out = Map::new();
    let children: Vec<Value> = n
        .children
        .iter()
        .map(|c| node(env, computed, c, depth + 1))
        .collect();
    let kind = match n {
        n if n.is_leaf => "V",
        n if n.is_null => "U",
        n if n.is_others => "O",
        _ => "N",
    };
    for (name, value) in [
        ("qText", json!(formatted(&n.value, format, &env.locale))),
        ("qElemNo", json!(n.element)),
        ("qValue", num(n.value.as_num().unwrap_or(f64::NAN))),
        ("qType", json!(kind)),
        ("qMaxPos", num(n.max_positive)),
        ("qMinNeg", num(n.min_negative)),
        ("qUp", json!(0)),
        ("qDown", json!(0)),
        ("qRow", json!(n.row)),
        ("qSubNodes", json!(children)),
    ] {
        out.insert(name.to_owned(), value);
    }
    if !n.attributes.is_empty() {
        out.insert("qAttrExps".to_owned(), attributes(&n.attributes));
    }
    Value::Object(out)
}
