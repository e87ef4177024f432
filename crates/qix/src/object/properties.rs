//! Reading and changing properties; layouts; soft patches.

use serde_json::{Value, json};

use crate::content::{Entity, ObjectTree, Properties};
use crate::doc::methods::content_changed;
use crate::doc::objects::{set_id, set_info};
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::layout::{Env, layout};
use crate::object::this;
use crate::patch::{Patch, patched};
use crate::session::Call;

type Done = Result<(), RpcError>;

pub(crate) fn get_layout(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    let now = call.state.host.now();
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let Some(node) = doc.objects.get(&id) else {
        return Err(RpcError::about(Code::NotFound, id));
    };
    let made = layout(&Env::new(doc, now, &budget), node)?;
    call.put("qLayout", made);
    Ok(())
}

pub(crate) fn get_properties(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    let properties = call
        .doc()?
        .objects
        .get(&id)
        .map(|n| n.entity.properties.clone());
    call.put("qProp", properties.unwrap_or_default());
    Ok(())
}

pub(crate) fn get_effective_properties(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    let properties = match call.doc()?.objects.get(&id) {
        Some(node) => node.effective()?,
        None => Properties::new(),
    };
    call.put("qProp", properties);
    Ok(())
}

pub(crate) fn get_info(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    let doc = call.doc()?;
    let kind = doc.objects.get(&id).map(|n| n.entity.kind().to_owned());
    call.put(
        "qInfo",
        json!({"qId": id, "qType": kind.unwrap_or_default()}),
    );
    Ok(())
}

/// Session objects are the session's own; others need the right to edit the app.
pub(crate) fn may_change(call: &mut Call<'_>, id: &str) -> Done {
    let doc = call.doc()?;
    let session = doc.objects.get(id).is_some_and(|n| n.session);
    if session || doc.meta.may_edit {
        Ok(())
    } else {
        Err(Code::AccessDenied.into())
    }
}

pub(crate) fn set_properties(call: &mut Call<'_>) -> Done {
    let properties = call.args.object(0)?;
    let id = this(call)?;
    replace(call, &id, properties)?;
    finish(call, &id);
    Ok(())
}

fn replace(call: &mut Call<'_>, id: &str, mut properties: Properties) -> Done {
    may_change(call, id)?;
    let now = call.state.host.now().utc;
    if let Some(node) = call.doc()?.objects.get_mut(id) {
        let kind = node.entity.kind().to_owned();
        set_id(&mut properties, id);
        set_info(&mut properties, "qType", &kind);
        // Soft patches that no longer fit are gone; the rest stay.
        if patched(&properties, &node.soft).is_err() {
            node.soft.clear();
        }
        node.entity.properties = properties;
        node.entity.meta.modified = Some(now);
    }
    Ok(())
}

fn finish(call: &mut Call<'_>, id: &str) {
    call.changed(|t| matches!(t, Target::Object(other) if other == id));
    content_changed(call);
}

pub(crate) fn apply_patches(call: &mut Call<'_>) -> Done {
    let list = call.args.list(0)?;
    let soft = call.args.flag(1)?;
    let patches: Vec<Patch> = list.iter().map(Patch::read).collect::<Result<_, _>>()?;
    let id = this(call)?;
    let doc = call.doc()?;
    let Some(node) = doc.objects.get_mut(&id) else {
        return Err(RpcError::about(Code::NotFound, id));
    };
    if soft {
        let mut all = node.soft.clone();
        all.extend(patches);
        patched(&node.entity.properties, &all)?;
        node.soft = all;
    } else {
        let properties = patched(&node.entity.properties, &patches)?;
        replace(call, &id, properties)?;
    }
    finish(call, &id);
    Ok(())
}

pub(crate) fn clear_soft_patches(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    if let Some(node) = call.doc()?.objects.get_mut(&id) {
        node.soft.clear();
    }
    finish(call, &id);
    Ok(())
}

pub(crate) fn get_full_property_tree(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    let doc = call.doc()?;
    let tree = doc.objects.get(&id).map(|n| doc.objects.tree_json(n));
    call.put("qPropEntry", tree.unwrap_or_default());
    Ok(())
}

/// Replaces an object and everything below it. Children that keep their id keep their handle.
pub(crate) fn set_full_property_tree(call: &mut Call<'_>) -> Done {
    let entry = call.args.value(0);
    let id = this(call)?;
    let tree: ObjectTree = serde_json::from_value(entry)
        .map_err(|_| RpcError::about(Code::InvalidParams, "qPropEntry"))?;
    set_tree(call, &id, tree)
}

/// See [`set_full_property_tree`].
pub(crate) fn set_tree(call: &mut Call<'_>, id: &str, tree: ObjectTree) -> Done {
    replace(call, id, tree.object.properties)?;
    let children = tree.children.into_iter().collect::<Vec<_>>();
    let mut prepared = Vec::with_capacity(children.len());
    for child in children {
        prepared.push(with_ids(call, child));
    }
    let doc = call.doc()?;
    let old: Vec<String> = match doc.objects.get(id) {
        Some(node) => node.children.clone(),
        None => Vec::new(),
    };
    let session = doc.objects.get(id).is_some_and(|n| n.session);
    let mut gone = Vec::new();
    for child in old {
        gone.extend(doc.objects.remove(&child));
    }
    for child in prepared {
        doc.objects
            .add_tree(child, Some(id), session, &mut String::new);
    }
    let (kept, gone): (Vec<String>, Vec<String>) = gone
        .into_iter()
        .partition(|id| doc.objects.get(id).is_some());
    for id in gone {
        call.close(&Target::Object(id));
    }
    call.changed(|t| matches!(t, Target::Object(other) if kept.contains(other)));
    finish(call, id);
    Ok(())
}

fn with_ids(call: &mut Call<'_>, mut tree: ObjectTree) -> ObjectTree {
    if tree.object.id().is_empty() {
        let id = call.make_id();
        set_id(&mut tree.object.properties, &id);
    }
    let now = call.state.host.now().utc;
    let owner = call.state.host.user().id;
    let meta = &mut tree.object.meta;
    meta.created.get_or_insert(now);
    meta.modified = Some(now);
    meta.owner.get_or_insert(owner);
    tree.children = tree
        .children
        .into_iter()
        .map(|c| with_ids(call, c))
        .collect();
    tree
}

/// Copies another object's properties and children over this one's.
pub(crate) fn copy_from(call: &mut Call<'_>) -> Done {
    let from = call.args.text(0)?;
    let id = this(call)?;
    let doc = call.doc()?;
    let node = doc.objects.get(&from);
    let node = node.ok_or_else(|| RpcError::about(Code::NotFound, from.clone()))?;
    let mut tree = doc.objects.tree(node);
    for child in &mut tree.children {
        clear_ids(child);
    }
    set_tree(call, &id, tree)
}

fn clear_ids(tree: &mut ObjectTree) {
    set_id(&mut tree.object.properties, "");
    for child in &mut tree.children {
        clear_ids(child);
    }
}

pub(crate) fn publish(call: &mut Call<'_>) -> Done {
    set_flag(call, |e| e.meta.published = true)
}

pub(crate) fn unpublish(call: &mut Call<'_>) -> Done {
    set_flag(call, |e| e.meta.published = false)
}

pub(crate) fn approve(call: &mut Call<'_>) -> Done {
    set_flag(call, |e| e.meta.approved = true)
}

pub(crate) fn unapprove(call: &mut Call<'_>) -> Done {
    set_flag(call, |e| e.meta.approved = false)
}

fn set_flag(call: &mut Call<'_>, set: impl Fn(&mut Entity)) -> Done {
    let id = this(call)?;
    if !call.doc()?.meta.may_edit {
        return Err(Code::AccessDenied.into());
    }
    if let Some(node) = call.doc()?.objects.get_mut(&id) {
        set(&mut node.entity);
    }
    finish(call, &id);
    Ok(())
}

/// The objects that extend this one.
pub(crate) fn get_linked_objects(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    let linked: Vec<Value> = call
        .doc()?
        .objects
        .iter()
        .filter(|n| {
            n.entity
                .properties
                .get("qExtendsId")
                .and_then(Value::as_str)
                == Some(&id)
        })
        .map(|n| {
            json!({
                "qRootId": n.id(),
                "qInfo": {"qId": n.id(), "qType": n.entity.kind()},
            })
        })
        .collect();
    call.put("qItems", linked);
    Ok(())
}
