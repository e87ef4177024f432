//! Methods of an app that change selections: back, forward, clear, lock, states, bookmarks.

use std::sync::Arc;

use satchel_engine::{DEFAULT_STATE, Locks};
use serde_json::{Value, json};

use crate::content::StoredVariable;
use crate::doc::Doc;
use crate::doc::items::{Kind, text};
use crate::doc::master_methods::{keeping_bookmarks, may_change};
use crate::doc::methods::{content_changed, editable, new_entity};
use crate::doc::stored;
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::layout::lists;
use crate::session::Call;

type Done = Result<(), RpcError>;

/// After selections changed: every layout that shows data is out of date. Fields have none.
pub(crate) fn selections_changed(call: &mut Call<'_>) {
    let Some(doc) = &call.state.doc else { return };
    let fixed: Vec<String> = doc
        .objects
        .iter()
        .filter(|n| !lists::shows_data(n))
        .map(|n| n.id().to_owned())
        .collect();
    call.changed(|t| match t {
        Target::Object(id) => !fixed.contains(id),
        Target::Doc
        | Target::Dimension(_)
        | Target::Measure(_)
        | Target::Bookmark(_)
        | Target::Variable(_)
        | Target::Field { .. } => false,
    });
}

pub(crate) fn back(call: &mut Call<'_>) -> Done {
    let doc = call.doc()?;
    doc.refuse_if_modal()?;
    if doc.history.back() {
        selections_changed(call);
    }
    call.put("qReturn", true);
    Ok(())
}

pub(crate) fn forward(call: &mut Call<'_>) -> Done {
    let doc = call.doc()?;
    doc.refuse_if_modal()?;
    if doc.history.forward() {
        selections_changed(call);
    }
    call.put("qReturn", true);
    Ok(())
}

pub(crate) fn back_count(call: &mut Call<'_>) -> Done {
    let n = call.doc()?.history.n_back();
    call.put("qReturn", n);
    Ok(())
}

pub(crate) fn forward_count(call: &mut Call<'_>) -> Done {
    let n = call.doc()?.history.n_forward();
    call.put("qReturn", n);
    Ok(())
}

/// A state's name as it is asked for; an unknown one is an error.
pub(crate) fn known_state(doc: &Doc, name: String) -> Result<String, RpcError> {
    if name.is_empty() || name == DEFAULT_STATE {
        return Ok(DEFAULT_STATE.to_owned());
    }
    if doc.history.current().state(&name).is_none() {
        return Err(RpcError::about(Code::NotFound, name));
    }
    Ok(name)
}

pub(crate) fn clear_all(call: &mut Call<'_>) -> Done {
    let locks = if call.args.flag(0)? {
        Locks::Override
    } else {
        Locks::Respect
    };
    let state = call.args.text(1)?;
    let doc = call.doc()?;
    doc.refuse_if_modal()?;
    let all = state.is_empty();
    let state = known_state(doc, state)?;
    let mut next = doc.history.current().clone();
    let names: Vec<String> = if all {
        next.state_names().map(str::to_owned).collect()
    } else {
        vec![state]
    };
    for name in names {
        if let Some(state) = next.state_mut(&name) {
            state.clear(locks);
        }
    }
    doc.history.apply(next);
    selections_changed(call);
    Ok(())
}

pub(crate) fn lock_all(call: &mut Call<'_>) -> Done {
    set_locks(call, true)
}

pub(crate) fn unlock_all(call: &mut Call<'_>) -> Done {
    set_locks(call, false)
}

fn set_locks(call: &mut Call<'_>, locked: bool) -> Done {
    let state = call.args.text(0)?;
    let doc = call.doc()?;
    let state = known_state(doc, state)?;
    let mut next = doc.history.current().clone();
    if let Some(state) = next.state_mut(&state) {
        let fields: Vec<_> = state.fields().map(|(f, _)| f).collect();
        for field in fields {
            state.set_locked(field, locked);
        }
    }
    doc.history.apply(next);
    selections_changed(call);
    Ok(())
}

pub(crate) fn abort_modal(call: &mut Call<'_>) -> Done {
    let accept = call.args.flag(0)?;
    let doc = call.doc()?;
    if doc.modal.take().is_some() {
        if accept {
            doc.history.accept_modal();
        } else {
            doc.history.abort_modal();
        }
        selections_changed(call);
    }
    Ok(())
}

pub(crate) fn add_alternate_state(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    editable(call)?;
    add_state(call, &name, false)
}

pub(crate) fn add_session_alternate_state(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    let source = call.args.text(1)?;
    let source = match source.as_str() {
        "" => None,
        _ => Some(known_state(call.doc()?, source)?),
    };
    add_state(call, &name, true)?;
    if let Some(source) = source {
        let doc = call.doc()?;
        let mut next = doc.history.current().clone();
        if let Some(from) = next.state(&source).cloned() {
            next.set_state(&name, from);
        }
        doc.history.apply(next);
    }
    Ok(())
}

fn add_state(call: &mut Call<'_>, name: &str, session: bool) -> Done {
    let doc = call.doc()?;
    doc.refuse_if_modal()?;
    if name.is_empty() || name.starts_with('$') {
        return Err(RpcError::about(Code::InvalidParameters, name));
    }
    let mut next = doc.history.current().clone();
    if !next.add_state(name) {
        return Err(RpcError::about(Code::AlreadyExists, name));
    }
    if session {
        doc.items.mark_session(name);
    }
    doc.history.apply(next);
    call.changed(|t| *t == Target::Doc);
    selections_changed(call);
    Ok(())
}

pub(crate) fn remove_alternate_state(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    editable(call)?;
    if remove_state(call, &name)? {
        Ok(())
    } else {
        Err(RpcError::about(Code::NotFound, name))
    }
}

pub(crate) fn remove_session_alternate_state(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    let own = call.doc()?.items.is_session(&name);
    let removed = own && remove_state(call, &name)?;
    call.put("qSuccess", removed);
    Ok(())
}

fn remove_state(call: &mut Call<'_>, name: &str) -> Result<bool, RpcError> {
    let doc = call.doc()?;
    doc.refuse_if_modal()?;
    let mut next = doc.history.current().clone();
    let removed = next.remove_state(name);
    if removed {
        doc.history.apply(next);
        call.changed(|t| *t == Target::Doc);
        selections_changed(call);
    }
    Ok(removed)
}

pub(crate) fn create_bookmark(call: &mut Call<'_>) -> Done {
    keeping_bookmarks(call, new_bookmark)
}

fn new_bookmark(call: &mut Call<'_>) -> Done {
    let mut properties = call.args.object(0)?;
    let variables = properties.get("qIncludeVariables") == Some(&Value::Bool(true));
    if crate::content::info_member(&properties, "qType").is_empty() {
        crate::doc::objects::set_info(&mut properties, "qType", "bookmark");
    }
    let entity = new_entity(call, properties)?;
    let id = entity.id().to_owned();
    let kind = entity.kind().to_owned();
    let doc = call.doc()?;
    let stored = snapshot(doc, variables);
    doc.items.add(Kind::Bookmark, entity);
    doc.items.set_stored(&id, stored);
    call.put_object(Target::Bookmark(id.clone()), &kind, &id);
    call.put("qInfo", json!({"qId": id, "qType": kind}));
    content_changed(call);
    Ok(())
}

pub(crate) fn replace_bookmark(call: &mut Call<'_>) -> Done {
    keeping_bookmarks(call, write_bookmark_anew)
}

fn write_bookmark_anew(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    may_change(call, Kind::Bookmark, &id)?;
    let doc = call.doc()?;
    let entity = doc.items.get(Kind::Bookmark, &id);
    let entity = entity.ok_or_else(|| RpcError::about(Code::NotFound, id.clone()))?;
    let variables = entity.properties.get("qIncludeVariables") == Some(&Value::Bool(true));
    let kind = entity.kind().to_owned();
    let stored = snapshot(doc, variables);
    doc.items.set_stored(&id, stored);
    call.put_object(Target::Bookmark(id.clone()), &kind, &id);
    call.put("qInfo", json!({"qId": id, "qType": kind}));
    call.changed(|t| *t == Target::Bookmark(id.clone()));
    Ok(())
}

/// The selections of now, and the variables' definitions if wanted.
fn snapshot(doc: &Doc, variables: bool) -> crate::StoredSelections {
    let mut stored = stored::write_down(&doc.engine, doc.history.current());
    if variables {
        stored.variables = doc
            .items
            .variables
            .iter()
            .map(|v| StoredVariable {
                name: text(v, "qName"),
                definition: text(v, "qDefinition"),
            })
            .collect();
    }
    stored
}

pub(crate) fn apply_bookmark(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    apply(call, &id)
}

pub(crate) fn apply_this(call: &mut Call<'_>) -> Done {
    let Some(Target::Bookmark(id)) = call.target.clone() else {
        return Err(Code::MethodNotFound.into());
    };
    apply(call, &id)
}

fn apply(call: &mut Call<'_>, id: &str) -> Done {
    let doc = call.doc()?;
    doc.refuse_if_modal()?;
    let Some(stored) = doc.items.stored(id).cloned() else {
        call.put("qSuccess", false);
        return Ok(());
    };
    let mut next = doc.history.current().clone();
    // A bookmark is the whole of the selections: states it does not name are cleared.
    let names: Vec<String> = next.state_names().map(str::to_owned).collect();
    for name in names {
        next.set_state(&name, Arc::default());
    }
    stored::read_into(&doc.engine, &mut next, &stored);
    doc.history.apply(next);
    for variable in &stored.variables {
        let id = doc
            .items
            .variable(&variable.name)
            .map(|v| v.id().to_owned());
        if let Some(entity) = id.and_then(|id| doc.items.get_mut(Kind::Variable, &id)) {
            entity
                .properties
                .insert("qDefinition".to_owned(), variable.definition.clone().into());
        }
    }
    call.put("qSuccess", true);
    selections_changed(call);
    Ok(())
}

/// The selected (or, if asked for, excluded) values of a field in a bookmark.
pub(crate) fn get_field_values(call: &mut Call<'_>) -> Done {
    let Some(Target::Bookmark(id)) = call.target.clone() else {
        return Err(Code::MethodNotFound.into());
    };
    let field = call.args.text(0)?;
    let doc = call.doc()?;
    let stored = doc.items.stored(&id);
    let stored = stored.ok_or_else(|| RpcError::about(Code::NotFound, id))?;
    let stored = stored::visible(&doc.engine, stored);
    let values: Vec<Value> = stored
        .states
        .iter()
        .filter(|s| s.state.is_empty() || s.state == DEFAULT_STATE)
        .flat_map(|s| &s.fields)
        .filter(|f| f.field == field)
        .flat_map(|f| &f.values)
        .map(|v| match v {
            Value::String(text) => json!({"qText": text, "qIsNumeric": false, "qNumber": 0}),
            number => json!({"qText": number.to_string(), "qIsNumeric": true, "qNumber": number}),
        })
        .collect();
    call.put("qFieldValues", values);
    Ok(())
}

pub(crate) fn get_set_analysis(call: &mut Call<'_>) -> Done {
    let state = call.args.text(0)?;
    let bookmark = call.args.text(1)?;
    let doc = call.doc()?;
    let state = known_state(doc, state)?;
    let stored = match bookmark.as_str() {
        "" => stored::write_down(&doc.engine, doc.history.current()),
        id => {
            let stored = doc.items.stored(id);
            let stored = stored.ok_or_else(|| RpcError::about(Code::NotFound, id))?;
            stored::visible(&doc.engine, stored)
        }
    };
    let modifiers: Vec<String> = stored
        .states
        .iter()
        .filter(|s| s.state == state)
        .flat_map(|s| &s.fields)
        .map(|f| {
            let values: Vec<String> = f
                .values
                .iter()
                .map(|v| match v {
                    Value::String(text) => format!("'{}'", text.replace('\'', "''")),
                    number => number.to_string(),
                })
                .collect();
            format!("[{}]={{{}}}", f.field.replace(']', "]]"), values.join(","))
        })
        .collect();
    let modifiers = if modifiers.is_empty() {
        String::new()
    } else {
        format!("<{}>", modifiers.join(","))
    };
    call.put("qSetExpression", format!("{{{state}{modifiers}}}"));
    Ok(())
}
