//! Drafts: a copy of an object to work on, which then takes its place.
//!
//! A draft belongs to the session until it is committed; it is never saved. Its objects have
//! ids of their own, and what in their properties names one of the source's objects (a sheet's
//! cells do) names the draft's instead; a commit turns that around.

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::content::ObjectTree;
use crate::doc::methods::{content_changed, editable, remove_object};
use crate::doc::objects::set_id;
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::object::properties::set_tree;
use crate::session::Call;

type Done = Result<(), RpcError>;

/// Gives every object of the tree a new id, and what names one of them the new name. By new
/// id, the old one.
pub(crate) fn renew_ids(call: &mut Call<'_>, tree: &mut ObjectTree) -> FxHashMap<String, String> {
    let mut new_by_old = FxHashMap::default();
    collect(call, tree, &mut new_by_old);
    rename(tree, &new_by_old);
    new_by_old
        .into_iter()
        .map(|(old, new)| (new, old))
        .collect()
}

fn collect(call: &mut Call<'_>, tree: &ObjectTree, ids: &mut FxHashMap<String, String>) {
    ids.insert(tree.object.id().to_owned(), call.make_id());
    for child in &tree.children {
        collect(call, child, ids);
    }
}

/// Members of properties that name another object: a sheet's cells, a container's children.
const REFERENCES: [&str; 6] = ["name", "id", "refId", "childRefId", "objectId", "objId"];

/// Replaces ids, and what in the properties names one of them.
fn rename(tree: &mut ObjectTree, names: &FxHashMap<String, String>) {
    for (name, value) in tree.object.properties.iter_mut() {
        rename_in(name, value, names);
    }
    if let Some(new) = names.get(tree.object.id()).cloned() {
        set_id(&mut tree.object.properties, &new);
    }
    for child in &mut tree.children {
        rename(child, names);
    }
}

fn rename_in(name: &str, value: &mut Value, names: &FxHashMap<String, String>) {
    match value {
        Value::String(text) if REFERENCES.contains(&name) => {
            if let Some(new) = names.get(text.as_str()) {
                text.clone_from(new);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| rename_in(name, v, names)),
        Value::Object(map) => map.iter_mut().for_each(|(n, v)| rename_in(n, v, names)),
        _ => {}
    }
}

pub(crate) fn create(call: &mut Call<'_>) -> Done {
    let source = call.args.text(0)?;
    let doc = editable(call)?;
    let node = doc.objects.get(&source);
    let node = node.ok_or_else(|| RpcError::about(Code::NotFound, source.clone()))?;
    let mut tree = doc.objects.tree(node);
    let source_of = renew_ids(call, &mut tree);
    tree.object
        .properties
        .insert("sourceObject".to_owned(), source.into());
    let doc = call.doc()?;
    let id = doc.objects.add_tree(tree, None, true, &mut String::new);
    doc.drafts.insert(id.clone(), source_of);
    call.put("qDraftId", id);
    Ok(())
}

/// The source of a draft, and the old id of each of its objects.
fn draft(call: &mut Call<'_>, id: &str) -> Result<FxHashMap<String, String>, RpcError> {
    let found = call.doc()?.drafts.get(id).cloned();
    found.ok_or_else(|| RpcError::about(Code::NotFound, id))
}

pub(crate) fn commit(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    editable(call)?;
    let source_of = draft(call, &id)?;
    let doc = call.doc()?;
    let node = doc.objects.get(&id);
    let node = node.ok_or_else(|| RpcError::about(Code::NotFound, id.clone()))?;
    let mut tree = doc.objects.tree(node);
    let source = source_of.get(&id).cloned().unwrap_or_default();
    if doc.objects.get(&source).is_none() {
        return Err(RpcError::about(Code::NotFound, source));
    }
    tree.object.properties.shift_remove("sourceObject");
    rename(&mut tree, &source_of);
    remove_object(call, &id)?;
    call.doc()?.drafts.remove(&id);
    set_tree(call, &source, tree)
}

pub(crate) fn destroy(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    let source = call.args.text(1)?;
    editable(call)?;
    let source_of = call.doc()?.drafts.get(&id).cloned();
    let is_its = source_of.is_some_and(|names| names.get(&id) == Some(&source));
    if is_its {
        remove_object(call, &id)?;
        call.doc()?.drafts.remove(&id);
        call.changed(|t| matches!(t, Target::Object(other) if *other == source));
        content_changed(call);
    }
    call.put("qSuccess", is_its);
    Ok(())
}
