//! Children of an object.

use serde_json::{Value, json};

use crate::doc::methods::{add_object, content_changed, remove_object};
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::object::properties::may_change;
use crate::object::this;
use crate::session::Call;

type Done = Result<(), RpcError>;

pub(crate) fn get_child(call: &mut Call<'_>) -> Done {
    let child = call.args.text(0)?;
    let id = this(call)?;
    let node = call.doc()?.objects.get(&child);
    let node = node.filter(|n| n.parent.as_deref() == Some(&id));
    let node = node.ok_or_else(|| RpcError::about(Code::NotFound, child.clone()))?;
    let kind = node.entity.kind().to_owned();
    call.put_object(Target::Object(child.clone()), &kind, &child);
    Ok(())
}

pub(crate) fn get_parent(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    let doc = call.doc()?;
    let parent = doc
        .objects
        .get(&id)
        .and_then(|n| n.parent.as_ref())
        .and_then(|p| doc.objects.get(p));
    let parent = parent.ok_or(RpcError::about(Code::NotFound, id))?;
    let (id, kind) = (parent.id().to_owned(), parent.entity.kind().to_owned());
    call.put_object(Target::Object(id.clone()), &kind, &id);
    Ok(())
}

pub(crate) fn get_child_infos(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    let doc = call.doc()?;
    let infos: Vec<Value> = doc
        .objects
        .get(&id)
        .into_iter()
        .flat_map(|n| &n.children)
        .filter_map(|c| doc.objects.get(c))
        .map(|n| json!({"qId": n.id(), "qType": n.entity.kind()}))
        .collect();
    call.put("qInfos", infos);
    Ok(())
}

/// Changes the parent's properties too, if the client gave them.
fn set_parent(call: &mut Call<'_>, id: &str, at: usize) -> Done {
    if let Value::Object(mut properties) = call.args.value(at)
        && let Some(node) = call.doc()?.objects.get_mut(id)
    {
        crate::doc::objects::set_id(&mut properties, id);
        node.entity.properties = properties;
    }
    call.changed(|t| matches!(t, Target::Object(other) if other == id));
    content_changed(call);
    Ok(())
}

pub(crate) fn create_child(call: &mut Call<'_>) -> Done {
    let properties = call.args.object(0)?;
    let id = this(call)?;
    may_change(call, &id)?;
    let session = call.doc()?.objects.get(&id).is_some_and(|n| n.session);
    add_object(call, properties, Some(id.clone()), session)?;
    set_parent(call, &id, 1)
}

pub(crate) fn destroy_child(call: &mut Call<'_>) -> Done {
    let child = call.args.text(0)?;
    let id = this(call)?;
    may_change(call, &id)?;
    let found = call
        .doc()?
        .objects
        .get(&child)
        .is_some_and(|n| n.parent.as_deref() == Some(&id));
    if found {
        remove_object(call, &child)?;
        set_parent(call, &id, 1)?;
    }
    call.put("qSuccess", found);
    Ok(())
}

pub(crate) fn destroy_all_children(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    may_change(call, &id)?;
    let children = call.doc()?.objects.get(&id).map(|n| n.children.clone());
    for child in children.unwrap_or_default() {
        remove_object(call, &child)?;
    }
    set_parent(call, &id, 0)
}

/// Sets the order of the children; all must be named, each once.
pub(crate) fn set_child_array_order(call: &mut Call<'_>) -> Done {
    let ids = call.args.texts(0)?;
    let id = this(call)?;
    may_change(call, &id)?;
    if let Some(node) = call.doc()?.objects.get_mut(&id) {
        let (mut wanted, mut have) = (ids.clone(), node.children.clone());
        wanted.sort();
        have.sort();
        if wanted != have {
            return Err(RpcError::about(Code::InvalidParameters, "qIds"));
        }
        node.children = ids;
    }
    call.changed(|t| matches!(t, Target::Object(other) if *other == id));
    Ok(())
}
