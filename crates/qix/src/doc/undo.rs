//! Undoing and doing again what was done to objects and master items in a session.
//!
//! A step holds what it changed as it was before: objects, master dimensions and measures,
//! variables, and the app's properties. Bookmarks are no part of it, as they are kept at once
//! and belong to their reader, nor are selections, which have steps of their own. Undoing puts
//! back what lists and layouts read, so clients are told that these are out of date.

use crate::content::{Entity, Properties};
use crate::doc::Doc;
use crate::doc::items::{Items, Kind};
use crate::doc::methods::content_changed;
use crate::doc::objects::{Node, Objects};
use crate::errors::RpcError;
use crate::handles::Target;
use crate::session::Call;

type Done = Result<(), RpcError>;

/// How many steps are kept: an afternoon of editing.
const MAX_STEPS: usize = 50;

/// What may be undone of a document.
#[derive(Clone)]
pub(crate) struct Before {
    objects: Objects,
    items: Parts,
    properties: Properties,
}

#[derive(Clone, PartialEq)]
struct Parts {
    dimensions: Vec<Entity>,
    measures: Vec<Entity>,
    variables: Vec<Entity>,
}

impl Parts {
    fn of(items: &Items) -> Self {
        Self {
            dimensions: items.dimensions.clone(),
            measures: items.measures.clone(),
            variables: items.variables.clone(),
        }
    }
}

/// What one request changed, as it was.
pub(crate) struct Step {
    objects: Vec<(String, Option<Node>)>,
    order: Vec<String>,
    items: Option<Parts>,
    properties: Option<Properties>,
}

/// The steps of a session.
#[derive(Default)]
pub(crate) struct Undo {
    done: Vec<Step>,
    undone: Vec<Step>,
}

impl Undo {
    /// How many steps can be undone, and done again.
    pub fn counts(&self) -> (usize, usize) {
        (self.done.len(), self.undone.len())
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Methods whose changes can be undone, by name.
const METHODS: [&str; 28] = [
    "ApplyPatches",
    "Approve",
    "CloneDimension",
    "CloneMeasure",
    "CloneObject",
    "CommitDraft",
    "CopyFrom",
    "CreateChild",
    "CreateDimension",
    "CreateMeasure",
    "CreateObject",
    "CreateVariableEx",
    "DestroyAllChildren",
    "DestroyChild",
    "DestroyDimension",
    "DestroyMeasure",
    "DestroyObject",
    "DestroyVariableById",
    "DestroyVariableByName",
    "Publish",
    "SetAppProperties",
    "SetChildArrayOrder",
    "SetDualValue",
    "SetFullPropertyTree",
    "SetNumValue",
    "SetProperties",
    "SetStringValue",
    "UnPublish",
];

/// What there is before `method` is carried out, if it can be undone.
pub(crate) fn before(doc: &Doc, method: &str) -> Option<Before> {
    METHODS.contains(&method).then(|| Before {
        objects: doc.objects.clone(),
        items: Parts::of(&doc.items),
        properties: doc.properties.clone(),
    })
}

/// Remembers what a request changed, if it changed anything.
pub(crate) fn remember(doc: &mut Doc, before: Before) {
    if let Some(step) = difference(doc, before) {
        doc.undo.done.push(step);
        if doc.undo.done.len() > MAX_STEPS {
            doc.undo.done.remove(0);
        }
        doc.undo.undone.clear();
    }
}

fn difference(doc: &Doc, before: Before) -> Option<Step> {
    let mut objects = Vec::new();
    for node in before.objects.iter() {
        if !doc
            .objects
            .get(node.id())
            .is_some_and(|n| n.says_the_same(node))
        {
            objects.push((node.id().to_owned(), Some(node.clone())));
        }
    }
    for node in doc.objects.iter() {
        if before.objects.get(node.id()).is_none() {
            objects.push((node.id().to_owned(), None));
        }
    }
    let items = (Parts::of(&doc.items) != before.items).then_some(before.items);
    let properties = (doc.properties != before.properties).then_some(before.properties);
    let changed = !objects.is_empty() || items.is_some() || properties.is_some();
    changed.then(|| Step {
        objects,
        order: before.objects.order().to_vec(),
        items,
        properties,
    })
}

pub(crate) fn undo(call: &mut Call<'_>) -> Done {
    let step = call.doc()?.undo.done.pop();
    let done = take_back(call, step, |undo, step| undo.undone.push(step))?;
    call.put("qSuccess", done);
    Ok(())
}

pub(crate) fn redo(call: &mut Call<'_>) -> Done {
    let step = call.doc()?.undo.undone.pop();
    let done = take_back(call, step, |undo, step| undo.done.push(step))?;
    call.put("qSuccess", done);
    Ok(())
}

pub(crate) fn clear(call: &mut Call<'_>) -> Done {
    call.doc()?.undo.clear();
    content_changed(call);
    Ok(())
}

/// Puts things back as a step has them, and keeps how they were in the other direction.
fn take_back(
    call: &mut Call<'_>,
    step: Option<Step>,
    keep: impl FnOnce(&mut Undo, Step),
) -> Result<bool, RpcError> {
    let Some(step) = step else { return Ok(false) };
    let doc = call.doc()?;
    let now = Before {
        objects: doc.objects.clone(),
        items: Parts::of(&doc.items),
        properties: doc.properties.clone(),
    };
    let touched: Vec<String> = step.objects.iter().map(|(id, _)| id.clone()).collect();
    doc.objects.put_back(step.objects, step.order);
    let items_changed = step.items.is_some();
    if let Some(items) = step.items {
        doc.items.dimensions = items.dimensions;
        doc.items.measures = items.measures;
        doc.items.variables = items.variables;
    }
    let properties_changed = step.properties.is_some();
    if let Some(properties) = step.properties {
        doc.properties = properties;
    }
    // An object that is gone while somebody selects in it ends the selecting.
    let gone = |id: &String| doc.objects.get(id).is_none();
    let ended = doc.modal.as_ref().is_some_and(|m| gone(&m.object));
    let removed: Vec<String> = touched.iter().filter(|id| gone(id)).cloned().collect();
    if ended {
        doc.modal = None;
        doc.history.accept_modal();
    }
    let gone_items = if items_changed {
        gone_items(&now.items, &doc.items)
    } else {
        Vec::new()
    };
    if let Some(back) = difference(doc, now) {
        keep(&mut doc.undo, back);
    }
    for target in gone_items {
        call.close(&target);
    }
    for id in removed {
        call.close(&Target::Object(id));
    }
    call.changed(|t| match t {
        Target::Object(id) => items_changed || touched.contains(id),
        Target::Dimension(_) | Target::Measure(_) | Target::Variable(_) => items_changed,
        Target::Doc => properties_changed,
        Target::Bookmark(_) | Target::Field { .. } => false,
    });
    content_changed(call);
    Ok(true)
}

/// What of `before` there is no more.
fn gone_items(before: &Parts, items: &Items) -> Vec<Target> {
    let gone = |kind, list: &[Entity], target: fn(String) -> Target| -> Vec<Target> {
        list.iter()
            .filter(|e| items.get(kind, e.id()).is_none())
            .map(|e| target(e.id().to_owned()))
            .collect()
    };
    let mut all = gone(Kind::Dimension, &before.dimensions, Target::Dimension);
    all.extend(gone(Kind::Measure, &before.measures, Target::Measure));
    all.extend(gone(Kind::Variable, &before.variables, Target::Variable));
    all
}
