//! Master dimensions and measures, variables and bookmarks: making, reading, changing.

use serde_json::{Map, Value, json};

use crate::content::{Entity, Properties, info_member};
use crate::doc::items::{Kind, text};
use crate::doc::methods::{content_changed, editable, new_entity};
use crate::doc::objects::{set_id, set_info};
use crate::doc::selection_methods::selections_changed;
use crate::doc::{Doc, stored};
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::host::Refusal;
use crate::patch::{Patch, patched};
use crate::session::Call;
use crate::wire::{meta, number::num};

type Done = Result<(), RpcError>;

fn target(kind: Kind, id: &str) -> Target {
    let id = id.to_owned();
    match kind {
        Kind::Dimension => Target::Dimension(id),
        Kind::Measure => Target::Measure(id),
        Kind::Variable => Target::Variable(id),
        Kind::Bookmark => Target::Bookmark(id),
    }
}

/// The item behind the handle.
fn this(call: &Call<'_>) -> Result<(Kind, String), RpcError> {
    match &call.target {
        Some(Target::Dimension(id)) => Ok((Kind::Dimension, id.clone())),
        Some(Target::Measure(id)) => Ok((Kind::Measure, id.clone())),
        Some(Target::Variable(id)) => Ok((Kind::Variable, id.clone())),
        Some(Target::Bookmark(id)) => Ok((Kind::Bookmark, id.clone())),
        _ => Err(Code::MethodNotFound.into()),
    }
}

fn entity<'a>(doc: &'a Doc, kind: Kind, id: &str) -> Result<&'a Entity, RpcError> {
    let found = doc.items.get(kind, id);
    found.ok_or_else(|| RpcError::about(Code::NotFound, id))
}

/// Whether the reader may change this item: all of them in an app they may edit, else their
/// own bookmarks and the session's variables.
pub(crate) fn may_change(call: &mut Call<'_>, kind: Kind, id: &str) -> Done {
    let user = call.state.host.user().id;
    let doc = call.doc()?;
    let own = match kind {
        Kind::Bookmark => entity(doc, kind, id)?.meta.owner.as_ref() == Some(&user),
        Kind::Variable => doc.items.is_session(id),
        Kind::Dimension | Kind::Measure => false,
    };
    if own || doc.meta.may_edit {
        Ok(())
    } else {
        Err(Code::AccessDenied.into())
    }
}

fn get(call: &mut Call<'_>, kind: Kind) -> Done {
    let id = call.args.text(0)?;
    let generic = entity(call.doc()?, kind, &id)?.kind().to_owned();
    call.put_object(target(kind, &id), &generic, &id);
    Ok(())
}

pub(crate) fn get_dimension(call: &mut Call<'_>) -> Done {
    get(call, Kind::Dimension)
}

pub(crate) fn get_measure(call: &mut Call<'_>) -> Done {
    get(call, Kind::Measure)
}

pub(crate) fn get_bookmark(call: &mut Call<'_>) -> Done {
    get(call, Kind::Bookmark)
}

pub(crate) fn get_variable_by_id(call: &mut Call<'_>) -> Done {
    get(call, Kind::Variable)
}

pub(crate) fn get_variable_by_name(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    let found = call.doc()?.items.variable(&name);
    let found = found.ok_or_else(|| RpcError::about(Code::NotFound, name))?;
    let (id, kind) = (found.id().to_owned(), found.kind().to_owned());
    call.put_object(Target::Variable(id.clone()), &kind, &id);
    Ok(())
}

fn create(call: &mut Call<'_>, kind: Kind, generic: &str) -> Result<String, RpcError> {
    let mut properties = call.args.object(0)?;
    if info_member(&properties, "qType").is_empty() {
        set_info(&mut properties, "qType", generic);
    }
    let made = new_entity(call, properties)?;
    let (id, generic) = (made.id().to_owned(), made.kind().to_owned());
    call.doc()?.items.add(kind, made);
    call.put_object(target(kind, &id), &generic, &id);
    call.put("qInfo", json!({"qId": id, "qType": generic}));
    content_changed(call);
    Ok(id)
}

pub(crate) fn create_dimension(call: &mut Call<'_>) -> Done {
    editable(call)?;
    create(call, Kind::Dimension, "dimension").map(drop)
}

pub(crate) fn create_measure(call: &mut Call<'_>) -> Done {
    editable(call)?;
    create(call, Kind::Measure, "measure").map(drop)
}

pub(crate) fn create_variable(call: &mut Call<'_>) -> Done {
    editable(call)?;
    new_variable(call).map(drop)
}

pub(crate) fn create_session_variable(call: &mut Call<'_>) -> Done {
    let id = new_variable(call)?;
    call.doc()?.items.mark_session(&id);
    Ok(())
}

fn new_variable(call: &mut Call<'_>) -> Result<String, RpcError> {
    let properties = call.args.object(0)?;
    let name = properties
        .get("qName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if name.is_empty() {
        return Err(RpcError::about(Code::InvalidParameters, "qName"));
    }
    if call.doc()?.items.variable(name).is_some() {
        return Err(RpcError::about(Code::AlreadyExists, name));
    }
    call.args.put_back(0, Value::Object(properties));
    let id = create(call, Kind::Variable, "variable")?;
    selections_changed(call);
    Ok(id)
}

fn destroy(call: &mut Call<'_>, kind: Kind, id: &str) -> Done {
    if call.doc()?.items.get(kind, id).is_none() {
        call.put("qSuccess", false);
        return Ok(());
    }
    may_change(call, kind, id)?;
    let done = call.doc()?.items.remove(kind, id);
    call.close(&target(kind, id));
    call.put("qSuccess", done);
    content_changed(call);
    if kind != Kind::Bookmark {
        selections_changed(call);
    }
    Ok(())
}

pub(crate) fn destroy_dimension(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    destroy(call, Kind::Dimension, &id)
}

pub(crate) fn destroy_measure(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    destroy(call, Kind::Measure, &id)
}

pub(crate) fn destroy_bookmark(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    keeping_bookmarks(call, |call| destroy(call, Kind::Bookmark, &id))
}

/// The most that one reader's bookmarks of one app may take: 1 MiB, some thousands of the
/// usual size.
const MAX_OWN_BOOKMARK_BYTES: usize = 1 << 20;

/// Makes a `change` to bookmarks and has the host keep the reader's own. If that fails there
/// was no change.
pub(crate) fn keeping_bookmarks(
    call: &mut Call<'_>,
    change: impl FnOnce(&mut Call<'_>) -> Done,
) -> Done {
    let before = call.doc()?.items.clone();
    let done = change(call).and_then(|()| keep_own_bookmarks(call));
    if done.is_err() {
        call.doc()?.items = before;
    }
    done
}

fn keep_own_bookmarks(call: &mut Call<'_>) -> Done {
    let user = call.state.host.user().id;
    let doc = call.doc()?;
    let app = doc.meta.id.clone();
    let mut own = doc.items.bookmarks();
    own.retain(|b| b.is_own(&user));
    let own = serde_json::to_string(&own)
        .map_err(|e| RpcError::about(Code::AppSaveFailed, e.to_string()))?;
    if own.len() > MAX_OWN_BOOKMARK_BYTES {
        let message = "your bookmarks of this app would take more than 1 MiB; remove some first";
        return Err(RpcError::about(Code::AppSaveFailed, message));
    }
    match call.state.host.keep_bookmarks(&app, &own) {
        Ok(()) | Err(Refusal::NotHere) => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}

pub(crate) fn destroy_variable_by_id(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    destroy(call, Kind::Variable, &id)
}

pub(crate) fn destroy_variable_by_name(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    let id = call
        .doc()?
        .items
        .variable(&name)
        .map(|v| v.id().to_owned())
        .unwrap_or_default();
    destroy(call, Kind::Variable, &id)
}

fn clone(call: &mut Call<'_>, kind: Kind) -> Done {
    let id = call.args.text(0)?;
    if kind != Kind::Bookmark {
        editable(call)?;
    }
    let doc = call.doc()?;
    let mut copy = entity(doc, kind, &id)?.properties.clone();
    let stored = doc.items.stored(&id).cloned();
    set_id(&mut copy, "");
    let made = new_entity(call, copy)?;
    let new_id = made.id().to_owned();
    let doc = call.doc()?;
    doc.items.add(kind, made);
    if let (Kind::Bookmark, Some(stored)) = (kind, stored) {
        doc.items.set_stored(&new_id, stored);
    }
    call.put("qCloneId", new_id);
    content_changed(call);
    Ok(())
}

pub(crate) fn clone_dimension(call: &mut Call<'_>) -> Done {
    clone(call, Kind::Dimension)
}

pub(crate) fn clone_measure(call: &mut Call<'_>) -> Done {
    clone(call, Kind::Measure)
}

pub(crate) fn clone_bookmark(call: &mut Call<'_>) -> Done {
    keeping_bookmarks(call, |call| clone(call, Kind::Bookmark))
}

pub(crate) fn get_info(call: &mut Call<'_>) -> Done {
    let (kind, id) = this(call)?;
    let found = entity(call.doc()?, kind, &id)?;
    let info = json!({"qId": id, "qType": found.kind()});
    call.put("qInfo", info);
    Ok(())
}

pub(crate) fn get_properties(call: &mut Call<'_>) -> Done {
    let (kind, id) = this(call)?;
    let properties = entity(call.doc()?, kind, &id)?.properties.clone();
    call.put("qProp", properties);
    Ok(())
}

pub(crate) fn set_properties(call: &mut Call<'_>) -> Done {
    let properties = call.args.object(0)?;
    change_and_keep(call, properties)
}

pub(crate) fn apply_patches(call: &mut Call<'_>) -> Done {
    let list = call.args.list(0)?;
    let patches: Vec<Patch> = list.iter().map(Patch::read).collect::<Result<_, _>>()?;
    let (kind, id) = this(call)?;
    let properties = patched(&entity(call.doc()?, kind, &id)?.properties, &patches)?;
    change_and_keep(call, properties)
}

fn change_and_keep(call: &mut Call<'_>, properties: Properties) -> Done {
    match this(call)? {
        (Kind::Bookmark, _) => keeping_bookmarks(call, |call| change(call, properties)),
        _ => change(call, properties),
    }
}

/// Replaces the properties; id and type cannot be changed.
fn change(call: &mut Call<'_>, mut properties: Properties) -> Done {
    let (kind, id) = this(call)?;
    may_change(call, kind, &id)?;
    let now = call.state.host.now().utc;
    let doc = call.doc()?;
    let generic = entity(doc, kind, &id)?.kind().to_owned();
    set_id(&mut properties, &id);
    set_info(&mut properties, "qType", &generic);
    if let Some(entity) = doc.items.get_mut(kind, &id) {
        entity.properties = properties;
        entity.meta.modified = Some(now);
    }
    let own = target(kind, &id);
    call.changed(|t| *t == own);
    content_changed(call);
    if kind != Kind::Bookmark {
        selections_changed(call);
    }
    Ok(())
}

pub(crate) fn get_layout(call: &mut Call<'_>) -> Done {
    let (kind, id) = this(call)?;
    let doc = call.doc()?;
    let found = entity(doc, kind, &id)?;
    let mut layout = Map::new();
    layout.insert(
        "qInfo".to_owned(),
        json!({"qId": found.id(), "qType": found.kind()}),
    );
    layout.insert(
        "qMeta".to_owned(),
        meta::entity(found, &doc.meta, &doc.privileges_on(found)),
    );
    match kind {
        Kind::Dimension => {
            layout.insert("qDim".to_owned(), dimension(doc, found));
            layout.insert("qDimInfos".to_owned(), dim_infos(doc, found));
        }
        Kind::Measure => {
            layout.insert("qMeasure".to_owned(), measure(found));
        }
        Kind::Bookmark => {
            let stored = doc.items.stored(&id).cloned().unwrap_or_default();
            let stored = stored::visible(&doc.engine, &stored);
            layout.insert("qBookmark".to_owned(), bookmark(&stored));
            layout.insert("qFieldInfos".to_owned(), field_infos(&stored));
        }
        Kind::Variable => {
            let definition = text(found, "qDefinition");
            let number: Option<f64> = definition.trim().parse().ok();
            layout.insert("qText".to_owned(), definition.clone().into());
            layout.insert("qNum".to_owned(), num(number.unwrap_or(f64::NAN)));
            layout.insert("qIsScriptCreated".to_owned(), false.into());
        }
    }
    for (name, value) in &found.properties {
        if !name.starts_with('q') {
            layout.insert(name.clone(), value.clone());
        }
    }
    call.put("qLayout", layout);
    Ok(())
}

/// `qDim` with its defaults filled in.
pub(crate) fn dimension(doc: &Doc, entity: &Entity) -> Value {
    let mut dim = match entity.properties.get("qDim") {
        Some(Value::Object(dim)) => dim.clone(),
        _ => Map::new(),
    };
    for (name, default) in [
        ("qGrouping", json!("N")),
        ("qFieldDefs", json!([])),
        ("qFieldLabels", json!([])),
        ("qLabelExpression", json!("")),
    ] {
        dim.entry(name).or_insert(default);
    }
    if let Some(active) = doc.items.active.get(entity.id()) {
        dim.insert("qActiveField".to_owned(), json!(active));
    }
    Value::Object(dim)
}

fn dim_infos(doc: &Doc, entity: &Entity) -> Value {
    let view = doc.engine.view();
    let defs = entity
        .properties
        .get("qDim")
        .and_then(|d| d.get("qFieldDefs"))
        .and_then(Value::as_array);
    let infos: Vec<Value> = defs
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|def| {
            let name = crate::wire::field_name(def);
            let facts = doc.engine.field(name).map(|f| view.facts(f));
            json!({
                "qTags": facts.map(|f| f.tags.clone()).unwrap_or_default(),
                "qIsSemantic": false,
            })
        })
        .collect();
    Value::Array(infos)
}

/// `qMeasure` with its defaults filled in.
fn measure(entity: &Entity) -> Value {
    let mut measure = match entity.properties.get("qMeasure") {
        Some(Value::Object(measure)) => measure.clone(),
        _ => Map::new(),
    };
    for (name, default) in [
        ("qLabel", json!("")),
        ("qDef", json!("")),
        ("qGrouping", json!("N")),
        ("qExpressions", json!([])),
        ("qActiveExpression", json!(0)),
        ("qLabelExpression", json!("")),
        (
            "qNumFormat",
            json!({"qType": "U", "qnDec": 0, "qUseThou": 0}),
        ),
    ] {
        measure.entry(name).or_insert(default);
    }
    Value::Object(measure)
}

fn bookmark(stored: &crate::StoredSelections) -> Value {
    let states: Vec<Value> = stored
        .states
        .iter()
        .map(|state| {
            let fields: Vec<Value> = state
                .fields
                .iter()
                .map(|f| {
                    let values: Vec<Value> = f
                        .values
                        .iter()
                        .map(|v| match v {
                            Value::String(t) => json!({"qText": t, "qType": 0}),
                            n => json!({"qText": n.to_string(), "qNumber": n, "qType": 1}),
                        })
                        .collect();
                    json!({
                        "qDef": {"qName": f.field, "qType": "PRESENT"},
                        "qLocked": f.locked,
                        "qValues": values,
                        "qExcludedValues": [],
                        "qAndMode": false,
                        "qOneAndOnlyOne": false,
                    })
                })
                .collect();
            json!({"qStateName": state.state, "qFieldItems": fields})
        })
        .collect();
    let variables: Vec<Value> = stored
        .variables
        .iter()
        .map(|v| json!({"qName": v.name, "qDefinition": v.definition}))
        .collect();
    json!({"qStateData": states, "qVariableItems": variables})
}

fn field_infos(stored: &crate::StoredSelections) -> Value {
    let infos: Vec<Value> = stored
        .states
        .iter()
        .flat_map(|s| &s.fields)
        .map(|f| {
            json!({
                "qFieldName": f.field,
                "qValuesCount": f.values.len(),
                "qExcludedValuesCount": 0,
            })
        })
        .collect();
    Value::Array(infos)
}

pub(crate) fn get_dim(call: &mut Call<'_>) -> Done {
    let (kind, id) = this(call)?;
    let doc = call.doc()?;
    let dim = dimension(doc, entity(doc, kind, &id)?);
    call.put("qDim", dim);
    Ok(())
}

pub(crate) fn get_meas(call: &mut Call<'_>) -> Done {
    let (kind, id) = this(call)?;
    let measure = measure(entity(call.doc()?, kind, &id)?);
    call.put("qMeasure", measure);
    Ok(())
}

pub(crate) fn get_measure_with_label(call: &mut Call<'_>) -> Done {
    let label = call.args.text(0)?;
    let found = call.doc()?.items.measures.iter().find(|m| {
        m.properties.get("qMeasure").and_then(|m| m.get("qLabel"))
            == Some(&Value::String(label.clone()))
    });
    let found = found.ok_or_else(|| RpcError::about(Code::NotFound, label.clone()))?;
    let (id, kind) = (found.id().to_owned(), found.kind().to_owned());
    call.put_object(Target::Measure(id.clone()), &kind, &id);
    Ok(())
}

/// Objects that use the item by its library id.
pub(crate) fn get_linked_objects(call: &mut Call<'_>) -> Done {
    let (_, id) = this(call)?;
    let doc = call.doc()?;
    let items: Vec<Value> = doc
        .objects
        .iter()
        .filter(|n| mentions(&Value::Object(n.entity.properties.clone()), &id))
        .map(|n| {
            json!({
                "qInfo": {"qId": n.id(), "qType": n.entity.kind()},
                "qRootPath": "",
            })
        })
        .collect();
    call.put("qItems", items);
    Ok(())
}

fn mentions(value: &Value, id: &str) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| {
            (name == "qLibraryId" && value.as_str() == Some(id)) || mentions(value, id)
        }),
        Value::Array(list) => list.iter().any(|v| mentions(v, id)),
        _ => false,
    }
}

pub(crate) fn get_active_field(call: &mut Call<'_>) -> Done {
    let (_, id) = this(call)?;
    let at = call.doc()?.items.active.get(&id).copied().unwrap_or(0);
    call.put("qReturn", at);
    Ok(())
}

pub(crate) fn set_active_field(call: &mut Call<'_>) -> Done {
    let at = call.args.int(0, 0)?;
    activate(call, |_, n| (0..n).contains(&at).then_some(at))
}

pub(crate) fn step_cycle(call: &mut Call<'_>) -> Done {
    let step = call.args.int(0, 1)?;
    activate(call, |now, n| {
        (n > 0).then(|| now.wrapping_add(step).rem_euclid(n))
    })
}

fn activate(call: &mut Call<'_>, next: impl Fn(i64, i64) -> Option<i64>) -> Done {
    let (kind, id) = this(call)?;
    let doc = call.doc()?;
    let n = entity(doc, kind, &id)?
        .properties
        .get("qDim")
        .and_then(|d| d.get("qFieldDefs"))
        .and_then(Value::as_array)
        .map_or(0, Vec::len) as i64;
    let now = doc.items.active.get(&id).copied().unwrap_or(0) as i64;
    let next = next(now, n).and_then(|at| usize::try_from(at).ok());
    let next = next.ok_or_else(|| RpcError::about(Code::InvalidParameters, "qIx"))?;
    doc.items.active.insert(id.clone(), next);
    call.changed(|t| *t == Target::Dimension(id.clone()));
    selections_changed(call);
    Ok(())
}

pub(crate) fn get_raw_content(call: &mut Call<'_>) -> Done {
    let (kind, id) = this(call)?;
    let definition = text(entity(call.doc()?, kind, &id)?, "qDefinition");
    call.put("qReturn", definition);
    Ok(())
}

pub(crate) fn set_string_value(call: &mut Call<'_>) -> Done {
    let value = call.args.text(0)?;
    set_value(call, value)
}

pub(crate) fn set_num_value(call: &mut Call<'_>) -> Done {
    let value = call.args.num(0)?;
    set_value(call, num(value).to_string())
}

pub(crate) fn set_dual_value(call: &mut Call<'_>) -> Done {
    let value = call.args.text(0)?;
    call.args.num(1)?;
    set_value(call, value)
}

/// A variable's value belongs to the session until the app is saved by who may edit it.
fn set_value(call: &mut Call<'_>, definition: String) -> Done {
    let (kind, id) = this(call)?;
    let doc = call.doc()?;
    let found = doc.items.get_mut(kind, &id);
    let found = found.ok_or_else(|| RpcError::about(Code::NotFound, id.clone()))?;
    found
        .properties
        .insert("qDefinition".to_owned(), definition.into());
    call.changed(|t| *t == Target::Variable(id.clone()));
    content_changed(call);
    selections_changed(call);
    Ok(())
}

pub(crate) fn get_variables(call: &mut Call<'_>) -> Done {
    let def = call.args.value(0);
    let items = crate::layout::lists::variables(call.doc()?, &def);
    call.put("qList", items);
    Ok(())
}

pub(crate) fn get_bookmarks(call: &mut Call<'_>) -> Done {
    let options = call.args.object(0)?;
    let data = options.get("qData").cloned().unwrap_or_default();
    let doc = call.doc()?;
    let items: Vec<Value> = doc
        .items
        .list(Kind::Bookmark)
        .iter()
        .map(|e| crate::layout::lists::entry(doc, e, &data))
        .collect();
    call.put("qList", items);
    Ok(())
}

/// Selections as they are now, kept under an id until the session ends.
pub(crate) fn create_temporary_bookmark(call: &mut Call<'_>) -> Done {
    let id = call.make_id();
    let doc = call.doc()?;
    let stored = stored::write_down(&doc.engine, doc.history.current());
    doc.temporary.insert(id.clone(), stored);
    call.put("qId", id);
    call.put("qReturn", true);
    Ok(())
}

pub(crate) fn apply_temporary_bookmark(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    let doc = call.doc()?;
    doc.refuse_if_modal()?;
    let stored = doc.temporary.get(&id).cloned();
    let stored = stored.ok_or_else(|| RpcError::about(Code::NotFound, id))?;
    let mut next = doc.history.current().clone();
    stored::read_into(&doc.engine, &mut next, &stored);
    doc.history.apply(next);
    call.put("qReturn", true);
    selections_changed(call);
    Ok(())
}
