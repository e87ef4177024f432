//! Properties to layouts: every definition is replaced by its result.
//!
//! Rules: reference qix §0.8 and §6. Members that are not ours pass through as they are.

pub(crate) mod column;
pub(crate) mod cube_def;
pub(crate) mod hypercube;
pub(crate) mod limits;
pub(crate) mod list_object;
pub(crate) mod lists;
pub(crate) mod pages;
pub(crate) mod pivot;
pub(crate) mod selections;
pub(crate) mod stack;
pub(crate) mod tables;
pub(crate) mod tree;
pub(crate) mod trends;

use std::sync::Arc;

use satchel_base::Budget;
use satchel_calc::Locale;
use satchel_data::Value as Data;
use serde_json::{Map, Value, json};

use crate::doc::Doc;
use crate::doc::objects::Node;
use crate::errors::RpcError;
use crate::host::Now;
use crate::wire::{meta, number::num, time};

/// How deep definitions may lie in properties; deeper ones pass through unevaluated.
const MAX_DEPTH: usize = 32;

/// What a layout is made from.
pub(crate) struct Env<'a> {
    pub doc: &'a Doc,
    pub now: Now,
    pub budget: &'a Budget,
    pub locale: Arc<Locale>,
}

impl<'a> Env<'a> {
    pub fn new(doc: &'a Doc, now: Now, budget: &'a Budget) -> Self {
        Self {
            doc,
            now,
            budget,
            locale: doc.cache.locale(doc),
        }
    }

    /// A calculation in a state.
    pub fn query<'e>(&'e self, state: &'e str) -> satchel_engine::Query<'e> {
        satchel_engine::Query {
            engine: &self.doc.engine,
            selections: self.doc.history.current(),
            state: if state.is_empty() {
                satchel_engine::DEFAULT_STATE
            } else {
                state
            },
            lookup: self.doc,
            locale: &self.locale,
            now: time::serial(self.now),
            utc_offset: f64::from(self.now.offset_minutes) / 1440.0,
            budget: self.budget,
        }
    }

    /// The value of an expression; NULL if it is wrong.
    pub fn value(&self, state: &str, text: &str) -> Result<Data, RpcError> {
        if text.trim().is_empty() {
            return Ok(Data::Null);
        }
        match self.query(state).evaluate(text) {
            Ok(value) => Ok(value),
            Err(satchel_engine::CalcError::Stop(stop)) => Err(stop.into()),
            Err(_) => Ok(Data::Null),
        }
    }

    /// The text of an expression if it begins with `=`, else the text itself.
    pub fn text(&self, state: &str, text: &str) -> Result<String, RpcError> {
        if text.trim_start().starts_with('=') {
            Ok(self.value(state, text)?.to_text())
        } else {
            Ok(text.to_owned())
        }
    }
}

/// The layout of an object.
pub(crate) fn layout(env: &Env<'_>, node: &Node) -> Result<Value, RpcError> {
    let properties = node.effective()?;
    let mut layout = Map::new();
    layout.insert(
        "qInfo".to_owned(),
        properties
            .get("qInfo")
            .cloned()
            .unwrap_or_else(|| json!({})),
    );
    let privileges = if node.session {
        let mut all = vec!["read", "update", "delete"];
        if env.doc.meta.may_export {
            all.push("exportdata");
        }
        all
    } else {
        env.doc.privileges()
    };
    layout.insert(
        "qMeta".to_owned(),
        meta::entity(&node.entity, &env.doc.meta, &privileges),
    );
    let selecting = env
        .doc
        .modal
        .as_ref()
        .is_some_and(|m| m.object == node.id());
    layout.insert(
        "qSelectionInfo".to_owned(),
        if selecting {
            json!({"qInSelections": true, "qMadeSelections": env.doc.made_selections()})
        } else {
            json!({})
        },
    );
    if !node.soft.is_empty() {
        layout.insert("qHasSoftPatches".to_owned(), true.into());
    }
    let state = properties
        .get("qStateName")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    for (name, value) in &properties {
        if !matches!(name.as_str(), "qInfo" | "qMetaDef") {
            member(env, node, &mut layout, &state, "", name, value, 0)?;
        }
    }
    Ok(Value::Object(layout))
}

/// Adds one member of the properties to the layout.
#[expect(
    clippy::too_many_arguments,
    reason = "one place, and each is needed at every depth"
)]
fn member(
    env: &Env<'_>,
    node: &Node,
    layout: &mut Map<String, Value>,
    state: &str,
    path: &str,
    name: &str,
    value: &Value,
    depth: usize,
) -> Result<(), RpcError> {
    let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
    let (name, value) = match name {
        "qHyperCubeDef" => (
            "qHyperCube",
            hypercube::layout(env, node, &path, state, value)?,
        ),
        "qListObjectDef" => (
            "qListObject",
            list_object::layout(env, node, &path, state, value)?,
        ),
        "qSelectionObjectDef" => ("qSelectionObject", selections::layout(env, state, value)?),
        "qAppObjectListDef" => ("qAppObjectList", lists::app_objects(env.doc, value)),
        "qFieldListDef" => ("qFieldList", lists::fields(env.doc, value)),
        "qDimensionListDef" => ("qDimensionList", lists::dimensions(env.doc, value)),
        "qMeasureListDef" => ("qMeasureList", lists::measures(env.doc, value)),
        "qBookmarkListDef" => ("qBookmarkList", lists::bookmarks(env.doc, value)),
        "qVariableListDef" => ("qVariableList", lists::variables(env.doc, value)),
        "qChildListDef" => ("qChildList", lists::children(env.doc, node, value)),
        "qMediaListDef" => ("qMediaList", json!({ "qItems": [] })),
        "qUndoInfoDef" => {
            let (done, undone) = env.doc.undo.counts();
            (
                "qUndoInfo",
                json!({ "qUndoCount": done, "qRedoCount": undone }),
            )
        }
        "qLayoutExclude" => return Ok(()),
        "qStaticContentUrlDef" => ("qStaticContentUrl", json!({})),
        _ => (name, evaluated(env, node, state, &path, value, depth)?),
    };
    layout.insert(name.to_owned(), value);
    Ok(())
}

/// A value of the properties with every definition inside replaced.
fn evaluated(
    env: &Env<'_>,
    node: &Node,
    state: &str,
    path: &str,
    value: &Value,
    depth: usize,
) -> Result<Value, RpcError> {
    if depth > MAX_DEPTH {
        return Ok(value.clone());
    }
    match value {
        Value::Object(map) => {
            if let Some(expression) = map.get("qStringExpression") {
                let text = expression_text(expression);
                let value = env.value(state, text)?;
                return Ok(Value::from(value.to_text()));
            }
            if let Some(expression) = map.get("qValueExpression") {
                let value = env.value(state, expression_text(expression))?;
                return Ok(num(value.as_num().unwrap_or(f64::NAN)));
            }
            let mut out = Map::new();
            for (name, value) in map {
                member(env, node, &mut out, state, path, name, value, depth + 1)?;
            }
            Ok(Value::Object(out))
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(i, v)| evaluated(env, node, state, &format!("{path}/{i}"), v, depth + 1))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        plain => Ok(plain.clone()),
    }
}

/// The text of `"…"`, `{"qExpr": "…"}` or `{"qv": "…"}`.
pub(crate) fn expression_text(value: &Value) -> &str {
    let text = |name| value.get(name).and_then(Value::as_str);
    value
        .as_str()
        .or_else(|| text("qExpr"))
        .or_else(|| text("qv"))
        .unwrap_or_default()
}
