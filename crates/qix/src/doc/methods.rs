//! Methods of an app: its properties and layout, its objects, script, saving and reloading.

use serde_json::{Map, Value, json};

use crate::content::{Entity, EntityMeta, Properties, info_member};
use crate::doc::Doc;
use crate::doc::drafts::renew_ids;
use crate::doc::items::Kind;
use crate::doc::objects::{Node, set_id};
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::host::{OpenMode, Refusal};
use crate::layout::{lists, tables};
use crate::session::Call;
use crate::wire::{meta, time};

type Done = Result<(), RpcError>;

pub(crate) fn get_app_layout(call: &mut Call<'_>) -> Done {
    let now = call.state.host.now();
    let layout = app_layout(call.doc()?, now);
    call.put("qLayout", layout);
    Ok(())
}

fn app_layout(doc: &Doc, now: crate::Now) -> Value {
    let mut layout = Map::new();
    let title = match doc.properties.get("qTitle") {
        Some(Value::String(title)) if !title.is_empty() => title.clone(),
        _ => doc.meta.title.clone(),
    };
    let text = |time: Option<_>| time.map_or(String::new(), time::iso);
    for (name, value) in [
        ("qTitle", json!(title)),
        ("qFileName", json!(doc.meta.id)),
        ("qLastReloadTime", json!(text(doc.meta.last_reload))),
        ("qHasScript", json!(!doc.script.is_empty())),
        ("qStateNames", json!(doc.state_names())),
        ("qMeta", meta::app(&doc.meta)),
        ("qLocaleInfo", lists::locale_info(doc, now)),
        (
            "qHasData",
            json!(doc.engine.view().tables().next().is_some()),
        ),
        ("qReadOnly", json!(!doc.meta.may_edit)),
        ("qIsOpenedWithoutData", json!(doc.mode == OpenMode::NoData)),
        ("qIsSessionApp", json!(false)),
        ("qThumbnail", json!({})),
        ("qIsBDILiveMode", json!(false)),
        ("qIsDirectQueryMode", json!(false)),
        ("qUnsupportedFeatures", json!([])),
        (
            "qModifiedDate",
            json!(text(doc.meta.modified.or(doc.meta.created))),
        ),
        ("description", json!(doc.meta.description)),
    ] {
        layout.insert(name.to_owned(), value);
    }
    for (name, value) in &doc.properties {
        if !name.starts_with('q') || name == "qThumbnail" {
            layout.insert(name.clone(), value.clone());
        }
    }
    Value::Object(layout)
}

pub(crate) fn get_app_properties(call: &mut Call<'_>) -> Done {
    let doc = call.doc()?;
    let mut properties = doc.properties.clone();
    properties.insert(
        "qHasSectionAccess".to_owned(),
        doc.meta.has_section_access.into(),
    );
    properties
        .entry("qTitle")
        .or_insert_with(|| doc.meta.title.clone().into());
    call.put("qProp", properties);
    Ok(())
}

pub(crate) fn set_app_properties(call: &mut Call<'_>) -> Done {
    let properties = call.args.object(0)?;
    let doc = editable(call)?;
    doc.properties = properties;
    call.changed(|t| *t == Target::Doc);
    Ok(())
}

pub(crate) fn get_locale_info(call: &mut Call<'_>) -> Done {
    let now = call.state.host.now();
    let info = lists::locale_info(call.doc()?, now);
    call.put("qReturn", info);
    Ok(())
}

/// The open app, if its reader may change it.
pub(crate) fn editable<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Doc, RpcError> {
    let doc = call.doc()?;
    if doc.meta.may_edit {
        Ok(doc)
    } else {
        Err(Code::AccessDenied.into())
    }
}

pub(crate) fn get_script(call: &mut Call<'_>) -> Done {
    let script = editable(call)?.script.clone();
    call.put("qScript", script);
    Ok(())
}

pub(crate) fn get_script_ex(call: &mut Call<'_>) -> Done {
    let script = editable(call)?.script.clone();
    call.put("qScript", json!({"qScript": script, "qMeta": {}}));
    Ok(())
}

pub(crate) fn get_empty_script(call: &mut Call<'_>) -> Done {
    let section = match call.args.text(0)? {
        section if section.is_empty() => "Main".to_owned(),
        section => section,
    };
    let script = format!(
        "///$tab {section}\r\nSET ThousandSep=',';\r\nSET DecimalSep='.';\r\n\
         SET DateFormat='YYYY-MM-DD';\r\nSET TimestampFormat='YYYY-MM-DD hh:mm:ss[.fff]';\r\n"
    );
    call.put("qReturn", script);
    Ok(())
}

pub(crate) fn set_script(call: &mut Call<'_>) -> Done {
    let script = call.args.text(0)?;
    editable(call)?.script = script;
    call.changed(|t| *t == Target::Doc);
    Ok(())
}

/// Saves the app. Who may not edit it may still have session objects, but nothing to save: the
/// content they were given is not the whole.
pub(crate) fn save(call: &mut Call<'_>) -> Done {
    let (id, content) = {
        let doc = call.doc()?;
        if !doc.meta.may_edit {
            return Err(Refusal::AccessDenied.into());
        }
        (doc.meta.id.clone(), doc.content())
    };
    call.state.host.save(&id, &content)?;
    Ok(())
}

pub(crate) fn do_reload(call: &mut Call<'_>) -> Done {
    let partial = call.args.flag(1)?;
    let (success, _) = reload(call, partial)?;
    call.put("qReturn", success);
    Ok(())
}

pub(crate) fn do_reload_ex(call: &mut Call<'_>) -> Done {
    let params = call.args.object(0)?;
    let partial = params.get("qPartial") == Some(&Value::Bool(true));
    let (success, log) = reload(call, partial)?;
    call.put(
        "qResult",
        json!({"qSuccess": success, "qScriptLogFile": log, "qEndedWithMemoryConstraint": false}),
    );
    Ok(())
}

fn reload(call: &mut Call<'_>, partial: bool) -> Result<(bool, String), RpcError> {
    let (id, content) = {
        let doc = call.doc()?;
        if !doc.meta.may_reload {
            return Err(Code::AccessDenied.into());
        }
        (doc.meta.id.clone(), doc.content())
    };
    let reloaded = call.state.host.reload(&id, &content, partial)?;
    if let Some(app) = reloaded.app {
        call.doc()?.renew(app);
        call.changed(|t| !matches!(t, Target::Field { .. }));
    }
    Ok((reloaded.success, reloaded.log))
}

/// Reads the properties of something to make, and gives it an id that is free.
pub(crate) fn new_entity(
    call: &mut Call<'_>,
    mut properties: Properties,
) -> Result<Entity, RpcError> {
    let id = info_member(&properties, "qId").to_owned();
    if id.is_empty() {
        let id = call.make_id();
        set_id(&mut properties, &id);
    } else if id_is_taken(call.doc()?, &id) {
        return Err(RpcError::about(Code::AlreadyExists, id));
    }
    let now = call.state.host.now().utc;
    let owner = call.state.host.user().id;
    Ok(Entity {
        properties,
        meta: EntityMeta {
            created: Some(now),
            modified: Some(now),
            owner: Some(owner),
            published: false,
            approved: false,
        },
    })
}

pub(crate) fn id_is_taken(doc: &Doc, id: &str) -> bool {
    doc.objects.get(id).is_some()
        || [
            Kind::Dimension,
            Kind::Measure,
            Kind::Variable,
            Kind::Bookmark,
        ]
        .into_iter()
        .any(|kind| doc.items.get(kind, id).is_some())
}

pub(crate) fn create_session_object(call: &mut Call<'_>) -> Done {
    let properties = call.args.object(0)?;
    add_object(call, properties, None, true)
}

pub(crate) fn create_object(call: &mut Call<'_>) -> Done {
    let properties = call.args.object(0)?;
    editable(call)?;
    add_object(call, properties, None, false)
}

/// Makes an object and returns it.
pub(crate) fn add_object(
    call: &mut Call<'_>,
    properties: Properties,
    parent: Option<String>,
    session: bool,
) -> Done {
    let id = info_member(&properties, "qId");
    // A client that makes the same session object again means the one it has.
    if session
        && let Some(node) = call.doc()?.objects.get(id)
        && node.session
        && node.parent == parent
    {
        let id = id.to_owned();
        for gone in call.doc()?.objects.remove(&id) {
            call.close(&Target::Object(gone));
        }
    }
    let entity = new_entity(call, properties)?;
    let (id, kind) = (entity.id().to_owned(), entity.kind().to_owned());
    call.doc()?.objects.add(Node {
        entity,
        session,
        parent,
        ..Node::default()
    });
    call.put_object(Target::Object(id.clone()), &kind, &id);
    call.put("qInfo", json!({"qId": id, "qType": kind}));
    content_changed(call);
    Ok(())
}

/// After objects or items came, went or changed: lists of them are out of date.
pub(crate) fn content_changed(call: &mut Call<'_>) {
    let Some(doc) = &call.state.doc else { return };
    let lists: Vec<String> = doc
        .objects
        .iter()
        .filter(|n| lists::lists_content(n))
        .map(|n| n.id().to_owned())
        .collect();
    call.changed(|t| matches!(t, Target::Object(id) if lists.contains(id)));
}

pub(crate) fn destroy_session_object(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    let found = call.doc()?.objects.get(&id).is_some_and(|n| n.session);
    if found {
        remove_object(call, &id)?;
    }
    call.put("qSuccess", found);
    Ok(())
}

pub(crate) fn destroy_object(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    let session = match call.doc()?.objects.get(&id) {
        Some(node) => node.session,
        None => {
            call.put("qSuccess", false);
            return Ok(());
        }
    };
    if !session {
        editable(call)?;
    }
    remove_object(call, &id)?;
    call.put("qSuccess", true);
    Ok(())
}

/// Removes an object, ends selecting in it, and frees the handles of all that is gone.
pub(crate) fn remove_object(call: &mut Call<'_>, id: &str) -> Done {
    let doc = call.doc()?;
    let gone = doc.objects.remove(id);
    let ended = doc.modal.as_ref().is_some_and(|m| gone.contains(&m.object));
    if ended {
        doc.modal = None;
        doc.history.accept_modal();
    }
    for id in gone {
        call.close(&Target::Object(id));
    }
    content_changed(call);
    Ok(())
}

pub(crate) fn get_object(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    let node = call.doc()?.objects.get(&id);
    let node = node.ok_or_else(|| RpcError::about(Code::NotFound, id.clone()))?;
    let kind = node.entity.kind().to_owned();
    call.put_object(Target::Object(id.clone()), &kind, &id);
    Ok(())
}

pub(crate) fn get_objects(call: &mut Call<'_>) -> Done {
    let options = call.args.object(0)?;
    let types: Vec<&str> = options
        .get("qTypes")
        .and_then(Value::as_array)
        .map(|t| t.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let session = options.get("qIncludeSessionObjects") == Some(&Value::Bool(true));
    let data = options.get("qData").cloned().unwrap_or_default();
    let doc = call.doc()?;
    let list: Vec<Value> = doc
        .objects
        .iter()
        .filter(|n| session || !n.session)
        .filter(|n| types.is_empty() || types.contains(&n.entity.kind()))
        .map(|n| lists::entry(doc, &n.entity, &data))
        .collect();
    call.put("qList", list);
    Ok(())
}

pub(crate) fn clone_object(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    let doc = editable(call)?;
    let node = doc.objects.get(&id);
    let node = node.ok_or_else(|| RpcError::about(Code::NotFound, id))?;
    let mut tree = doc.objects.tree(node);
    renew_ids(call, &mut tree);
    let copy = call
        .doc()?
        .objects
        .add_tree(tree, None, false, &mut String::new);
    call.put("qCloneId", copy);
    content_changed(call);
    Ok(())
}

pub(crate) fn get_all_infos(call: &mut Call<'_>) -> Done {
    let doc = call.doc()?;
    let info = |e: &Entity| json!({"qId": e.id(), "qType": e.kind()});
    let mut infos: Vec<Value> = doc.objects.iter().map(|n| info(&n.entity)).collect();
    for kind in [
        Kind::Dimension,
        Kind::Measure,
        Kind::Bookmark,
        Kind::Variable,
    ] {
        infos.extend(doc.items.list(kind).iter().map(info));
    }
    call.put("qInfos", infos);
    Ok(())
}

pub(crate) fn get_field_description(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    let description = lists::field_description(call.doc()?, &name)
        .ok_or_else(|| RpcError::about(Code::NotFound, name))?;
    call.put("qReturn", description);
    Ok(())
}

pub(crate) fn get_matching_fields(call: &mut Call<'_>) -> Done {
    let tags = call.args.texts(0)?;
    let any = matches!(call.args.value(1), Value::Number(n) if n.as_i64() == Some(1));
    let doc = call.doc()?;
    let view = doc.engine.view();
    let names: Vec<Value> = view
        .fields()
        .filter(|f| {
            let facts = view.facts(*f);
            let has = |tag: &String| facts.tags.contains(tag);
            if any {
                tags.iter().any(has)
            } else {
                tags.iter().all(has)
            }
        })
        .map(|f| json!({ "qName": view.model().field(f).name, "qTags": view.facts(f).tags }))
        .collect();
    call.put("qFieldNames", names);
    Ok(())
}

pub(crate) fn get_tables_and_keys(call: &mut Call<'_>) -> Done {
    let synthetic = call.args.flag(3)?;
    let budget = call.budget.clone();
    let (tables, keys) = tables::tables_and_keys(call.doc()?, synthetic, &budget)?;
    call.put("qtr", tables);
    call.put("qk", keys);
    Ok(())
}

pub(crate) fn get_table_data(call: &mut Call<'_>) -> Done {
    let offset = call.args.int(0, 0)?;
    let rows = call.args.int(1, 0)?;
    let name = call.args.text(3)?;
    let budget = call.budget.clone();
    let data = tables::table_data(call.doc()?, &name, offset, rows, &budget)?;
    call.put("qData", data);
    Ok(())
}
