//! `qMeta`: who made something, when, and what the reader may do with it.

use satchel_base::SubjectId;
use serde_json::{Map, Value, json};

use crate::content::{Entity, EntityMeta};
use crate::image::AppMeta;
use crate::wire::time::iso;

/// An owner as clients read it.
pub(crate) fn owner(id: &SubjectId, name: &str) -> Value {
    json!({
        "id": id.as_str(),
        "userId": id.name(),
        "userDirectory": id.directory(),
        "name": if name.is_empty() { id.name() } else { name },
    })
}

fn times(map: &mut Map<String, Value>, meta: &EntityMeta, app: &AppMeta) {
    let created = meta.created.or(app.created);
    let modified = meta.modified.or(meta.created).or(app.modified);
    map.insert("createdDate".into(), created.map_or("".into(), iso).into());
    map.insert(
        "modifiedDate".into(),
        modified.map_or("".into(), iso).into(),
    );
}

/// `qMeta` of something in an app: its own `qMetaDef`, then what the hub knows.
pub(crate) fn entity(entity: &Entity, app: &AppMeta, privileges: &[&str]) -> Value {
    let mut map = Map::new();
    map.insert("title".into(), "".into());
    map.insert("description".into(), "".into());
    if let Some(Value::Object(def)) = entity.properties.get("qMetaDef") {
        for (name, value) in def {
            map.insert(name.clone(), value.clone());
        }
    }
    times(&mut map, &entity.meta, app);
    map.insert("published".into(), entity.meta.published.into());
    map.insert("approved".into(), entity.meta.approved.into());
    let owned = match &entity.meta.owner {
        Some(id) if *id != app.owner => owner(id, ""),
        _ => owner(&app.owner, &app.owner_name),
    };
    map.insert("owner".into(), owned);
    map.insert("privileges".into(), json!(privileges));
    Value::Object(map)
}

/// `qMeta` of an app, in lists and in its layout.
pub(crate) fn app(app: &AppMeta) -> Value {
    let mut privileges = vec!["read"];
    if app.may_edit {
        privileges.push("update");
    }
    if app.may_export {
        privileges.push("exportdata");
    }
    let text = |time: Option<_>| time.map_or(String::new(), iso);
    json!({
        "createdDate": text(app.created),
        "modifiedDate": text(app.modified.or(app.created)),
        "published": app.published.is_some(),
        "publishTime": text(app.published),
        "privileges": privileges,
        "description": app.description,
        "qStaticByteSize": app.data_bytes,
        "dynamicColor": "",
        "create": Value::Null,
        "stream": app.stream.as_ref().map(|s| json!({"id": s.id, "name": s.name})),
        "owner": owner(&app.owner, &app.owner_name),
        "canCreateDataConnections": false,
        "hasSectionAccess": app.has_section_access,
    })
}
