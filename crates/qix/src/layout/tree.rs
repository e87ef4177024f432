//! Tree mode: nodes with their measures, one level a dimension.
//!
//! Rules: the public reference of `GetHyperCubeTreeData`, `NxTreeDataOption` and `NxTreeNode`.

use satchel_engine::{Tree, TreeKind, TreeNode};
use serde_json::{Map, Value, json};

use crate::layout::Env;
use crate::layout::column::formatted;
use crate::layout::hypercube::{Computed, attributes, state_letter};
use crate::wire::number::num;

/// Which part of a tree is asked for.
pub(crate) struct Part {
    /// By level: the first of the siblings and how many; all without an entry.
    pages: Vec<(usize, usize)>,
    /// The first dimension shown; with the first one comes the root.
    first: usize,
    /// How many levels.
    depth: usize,
    /// The most nodes; breadth first.
    most: usize,
}

impl Part {
    /// Reads `qNodeOptions`.
    pub fn read(options: &Value) -> Self {
        let n = |value: Option<&Value>, name: &str| {
            value
                .and_then(|v| v.get(name))
                .and_then(crate::params::whole)
                .and_then(|n| usize::try_from(n).ok())
        };
        let pages = options
            .get("qTreeNodes")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|page| {
                let area = page.get("qArea");
                let height = n(area, "qHeight").filter(|h| *h > 0).unwrap_or(usize::MAX);
                (n(area, "qTop").unwrap_or(0), height)
            })
            .collect();
        let levels = options.get("qTreeLevels");
        Self {
            pages,
            first: n(levels, "qLeft").unwrap_or(0),
            depth: n(levels, "qDepth").unwrap_or(usize::MAX),
            most: n(Some(options), "qMaxNbrOfNodes")
                .filter(|n| *n > 0)
                .unwrap_or(usize::MAX),
        }
    }
}

/// How many nodes an answer would have.
pub(crate) fn size(tree: &Tree, part: &Part) -> usize {
    fn below(node: &TreeNode, part: &Part, level: usize) -> usize {
        let own = usize::from(level >= part.first);
        let children = page(node, part, level);
        own + children
            .iter()
            .map(|c| below(c, part, level + 1))
            .sum::<usize>()
    }
    page(&tree.root, part, 0)
        .iter()
        .map(|c| below(c, part, 0))
        .sum::<usize>()
        .min(part.most)
}

/// The children of a node that are asked for; they are at `level`.
fn page<'t>(node: &'t TreeNode, part: &Part, level: usize) -> &'t [TreeNode] {
    if level >= part.first.saturating_add(part.depth) {
        return &[];
    }
    let (top, height) = part.pages.get(level).copied().unwrap_or((0, usize::MAX));
    let from = top.min(node.children.len());
    let to = top.saturating_add(height).min(node.children.len());
    &node.children[from..to]
}

/// `qNodes`: the root with what is below it, or the nodes of the first level asked for.
pub(crate) fn nodes(env: &Env<'_>, computed: &Computed, tree: &Tree, part: &Part) -> Value {
    let mut left = part.most;
    let mut all: Vec<&TreeNode> = vec![&tree.root];
    let mut level = 0;
    while part.first > 0 && level <= part.first {
        all = all
            .iter()
            .flat_map(|n| page_above(n, part, level))
            .collect();
        level += 1;
    }
    let writer = Writer {
        env,
        computed,
        part,
    };
    if part.first == 0 {
        return json!([writer.node(&tree.root, None, &mut left)]);
    }
    let list: Vec<Value> = all
        .iter()
        .map_while(|n| writer.take(n, part.first, &mut left))
        .collect();
    Value::Array(list)
}

/// The children of a node above the first level shown.
fn page_above<'t>(node: &'t TreeNode, part: &Part, level: usize) -> &'t [TreeNode] {
    let (top, height) = part.pages.get(level).copied().unwrap_or((0, usize::MAX));
    let from = top.min(node.children.len());
    let to = top.saturating_add(height).min(node.children.len());
    &node.children[from..to]
}

struct Writer<'a> {
    env: &'a Env<'a>,
    computed: &'a Computed,
    part: &'a Part,
}

impl Writer<'_> {
    fn take(&self, node: &TreeNode, level: usize, left: &mut usize) -> Option<Value> {
        *left = left.checked_sub(1)?;
        Some(self.node(node, Some(level), left))
    }

    /// A node of the dimension at `level`; the root without one.
    fn node(&self, node: &TreeNode, level: Option<usize>, left: &mut usize) -> Value {
        let next = level.map_or(0, |l| l + 1);
        let children: Vec<Value> = page(node, self.part, next)
            .iter()
            .map_while(|c| self.take(c, next, left))
            .collect();
        let wire = &self.computed.wire;
        let dimension = level.and_then(|l| wire.dimensions.get(l));
        let format = dimension.and_then(|d| d.format.as_ref());
        let locale = &self.env.locale;
        let (kind, state) = match node.kind {
            TreeKind::Root => ("R", None),
            TreeKind::Value(state) => ("N", Some(state_letter(state))),
            TreeKind::Null => ("U", None),
            TreeKind::Others => ("O", None),
        };
        let values: Vec<Value> = node
            .values
            .iter()
            .zip(&wire.measures)
            .map(|(value, measure)| {
                json!({
                    "qText": formatted(value, measure.format.as_ref(), locale),
                    "qValue": num(value.as_num().unwrap_or(f64::NAN)),
                })
            })
            .collect();
        let text = match node.kind {
            TreeKind::Root => String::new(),
            _ => formatted(&node.value, format, locale),
        };
        let sums = |list: &[f64]| list.iter().map(|n| num(*n)).collect::<Vec<_>>();
        let mut out = Map::new();
        for (name, value) in [
            ("qText", json!(text)),
            ("qValue", num(node.value.as_num().unwrap_or(f64::NAN))),
            ("qElemNo", json!(node.element)),
            ("qGroupPos", json!(node.position)),
            ("qGroupSize", json!(node.children.len())),
            ("qRow", json!(node.row)),
            ("qType", json!(kind)),
            ("qValues", json!(values)),
            ("qNodes", json!(children)),
            ("qMaxPos", json!(sums(&node.max_positive))),
            ("qMinNeg", json!(sums(&node.min_negative))),
            ("qCanExpand", json!(false)),
            ("qCanCollapse", json!(false)),
        ] {
            out.insert(name.to_owned(), value);
        }
        if let Some(state) = state {
            out.insert("qState".to_owned(), state.into());
        }
        if !node.attributes.is_empty() {
            out.insert("qAttrExps".to_owned(), attributes(&node.attributes));
        }
        Value::Object(out)
    }
}
