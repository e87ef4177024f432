//! Lists of what is in an app: objects, items, variables, fields, tables.

use satchel_data::{FieldId, FieldKind, TableKind};
use serde_json::{Map, Value, json};

use crate::content::Entity;
use crate::doc::Doc;
use crate::doc::items::{Kind, text};
use crate::doc::objects::Node;
use crate::wire::meta;

/// Whether an object lists what is in the app.
pub(crate) fn lists_content(node: &Node) -> bool {
    mentions(&node.entity.properties, &|name| {
        matches!(
            name,
            "qAppObjectListDef"
                | "qDimensionListDef"
                | "qMeasureListDef"
                | "qBookmarkListDef"
                | "qVariableListDef"
                | "qChildListDef"
                | "qUndoInfoDef"
        )
    })
}

/// Whether an object's layout depends on selections.
pub(crate) fn shows_data(node: &Node) -> bool {
    mentions(&node.entity.properties, &|name| {
        matches!(
            name,
            "qHyperCubeDef"
                | "qListObjectDef"
                | "qSelectionObjectDef"
                | "qStringExpression"
                | "qValueExpression"
        )
    })
}

fn mentions(map: &Map<String, Value>, is_wanted: &dyn Fn(&str) -> bool) -> bool {
    fn inside(value: &Value, is_wanted: &dyn Fn(&str) -> bool) -> bool {
        match value {
            Value::Object(map) => mentions(map, is_wanted),
            Value::Array(list) => list.iter().any(|v| inside(v, is_wanted)),
            _ => false,
        }
    }
    map.iter()
        .any(|(name, value)| is_wanted(name) || inside(value, is_wanted))
}

/// `qData`: for each member of the definition, what its pointer finds in the properties.
fn data(properties: &Map<String, Value>, def: &Value) -> Value {
    let mut out = Map::new();
    let root = Value::Object(properties.clone());
    for (name, pointer) in def.as_object().into_iter().flatten() {
        let Some(pointer) = pointer.as_str() else {
            continue;
        };
        // Some clients write `propertyName` or `/propertyName/` for `/propertyName`.
        let pointer = format!("/{}", pointer.trim_matches('/'));
        if let Some(found) = root.pointer(&pointer) {
            out.insert(name.clone(), found.clone());
        }
    }
    Value::Object(out)
}

/// An object or item in a list.
pub(crate) fn entry(doc: &Doc, entity: &Entity, def: &Value) -> Value {
    json!({
        "qInfo": {"qId": entity.id(), "qType": entity.kind()},
        "qMeta": meta::entity(entity, &doc.meta, &doc.privileges_on(entity)),
        "qData": data(&entity.properties, def),
    })
}

fn data_def(def: &Value) -> Value {
    def.get("qData").cloned().unwrap_or_default()
}

pub(crate) fn app_objects(doc: &Doc, def: &Value) -> Value {
    let kind = def.get("qType").and_then(Value::as_str).unwrap_or_default();
    let data = data_def(def);
    let items: Vec<Value> = doc
        .objects
        .iter()
        .filter(|n| !n.session && (kind.is_empty() || n.entity.kind() == kind))
        .map(|n| entry(doc, &n.entity, &data))
        .collect();
    json!({ "qItems": items })
}

pub(crate) fn children(doc: &Doc, node: &Node, def: &Value) -> Value {
    let data = data_def(def);
    let items: Vec<Value> = node
        .children
        .iter()
        .filter_map(|id| doc.objects.get(id))
        .map(|n| entry(doc, &n.entity, &data))
        .collect();
    json!({ "qItems": items })
}

fn items(doc: &Doc, kind: Kind, def: &Value) -> Value {
    let data = data_def(def);
    let items: Vec<Value> = doc
        .items
        .list(kind)
        .iter()
        .map(|e| entry(doc, e, &data))
        .collect();
    json!({ "qItems": items })
}

pub(crate) fn dimensions(doc: &Doc, def: &Value) -> Value {
    items(doc, Kind::Dimension, def)
}

pub(crate) fn measures(doc: &Doc, def: &Value) -> Value {
    items(doc, Kind::Measure, def)
}

pub(crate) fn bookmarks(doc: &Doc, def: &Value) -> Value {
    items(doc, Kind::Bookmark, def)
}

pub(crate) fn variables(doc: &Doc, def: &Value) -> Value {
    let data_def = data_def(def);
    let session = def.get("qShowSession") != Some(&Value::Bool(false));
    let items: Vec<Value> = doc
        .items
        .variables
        .iter()
        .filter(|v| session || !doc.items.is_session(v.id()))
        .map(|v| {
            json!({
                "qName": text(v, "qName"),
                "qDefinition": text(v, "qDefinition"),
                "qMeta": meta::entity(v, &doc.meta, &doc.privileges()),
                "qInfo": {"qId": v.id(), "qType": v.kind()},
                "qData": data(&v.properties, &data_def),
                "qDescription": text(v, "qComment"),
            })
        })
        .collect();
    json!({ "qItems": items })
}

/// Names of the visible tables a field is in.
fn tables_of(doc: &Doc, field: FieldId) -> Vec<&str> {
    let view = doc.engine.view();
    let model = view.model();
    model
        .field(field)
        .columns
        .iter()
        .map(|(t, _)| model.table(*t))
        .filter(|t| t.kind == TableKind::Data)
        .map(|t| t.name.as_str())
        .collect()
}

pub(crate) fn fields(doc: &Doc, def: &Value) -> Value {
    let view = doc.engine.view();
    let system = def.get("qShowSystem") == Some(&Value::Bool(true));
    let items: Vec<Value> = view
        .fields()
        .filter(|f| system || view.model().field(*f).kind == FieldKind::Data)
        .map(|f| {
            let facts = view.facts(f);
            let field = view.model().field(f);
            let mut out = Map::new();
            out.insert("qName".to_owned(), json!(field.name));
            out.insert("qCardinal".to_owned(), json!(view.cardinality(f)));
            out.insert("qTags".to_owned(), json!(facts.tags));
            if field.kind != FieldKind::Data {
                out.insert("qIsSystem".to_owned(), true.into());
            }
            out.insert("qSrcTables".to_owned(), json!(tables_of(doc, f)));
            Value::Object(out)
        })
        .collect();
    json!({ "qItems": items })
}

/// `GetFieldDescription`.
pub(crate) fn field_description(doc: &Doc, name: &str) -> Option<Value> {
    let field = doc.engine.field(name)?;
    let view = doc.engine.view();
    let facts = view.facts(field);
    Some(json!({
        // Its place among the fields the reader sees: the model's own would tell of others.
        "qInternalNumber": view.fields().position(|f| f == field),
        "qName": name,
        "qSrcTables": tables_of(doc, field),
        "qIsSystem": view.model().field(field).kind != FieldKind::Data,
        "qIsHidden": false,
        "qIsSemantic": false,
        "qDistinctOnly": false,
        "qCardinal": view.cardinality(field),
        "qTotalCount": facts.n_present,
        "qPossibleCount_OBSOLETE": 0,
        "qHasInfo_OBSOLETE": false,
        "qIsLocked": doc.history.current().default_state().is_locked(field),
        "qAlwaysOneSelected": false,
        "qAndMode": false,
        "qIsNumeric": facts.tags.iter().any(|t| t == "$numeric"),
        "qComment": "",
        "qTags": facts.tags,
        "qByteSize": 0,
    }))
}

/// `qLocaleInfo`: the number interpretation variables of the app.
pub(crate) fn locale_info(doc: &Doc, now: crate::Now) -> Value {
    let locale = doc.cache.locale(doc);
    let text = |name: &str| locale.get(name).unwrap_or_default().to_owned();
    let names = |name: &str| -> Vec<String> {
        text(name)
            .split(';')
            .map(str::to_owned)
            .filter(|n| !n.is_empty())
            .collect()
    };
    let number = |name: &str| text(name).trim().parse::<i64>().unwrap_or(0);
    let year: i64 = crate::wire::time::iso(now.utc)
        .get(..4)
        .and_then(|y| y.parse().ok())
        .unwrap_or(1970);
    json!({
        "qDecimalSep": text("DecimalSep"),
        "qThousandSep": text("ThousandSep"),
        "qListSep": if text("DecimalSep") == "," { ";" } else { "," },
        "qMoneyDecimalSep": text("MoneyDecimalSep"),
        "qMoneyThousandSep": text("MoneyThousandSep"),
        "qCurrentYear": year,
        "qMoneyFmt": text("MoneyFormat"),
        "qTimeFmt": text("TimeFormat"),
        "qDateFmt": text("DateFormat"),
        "qTimestampFmt": text("TimestampFormat"),
        "qCalendarStrings": {
            "qDayNames": names("DayNames"),
            "qMonthNames": names("MonthNames"),
            "qLongDayNames": names("LongDayNames"),
            "qLongMonthNames": names("LongMonthNames"),
        },
        "qFirstWeekDay": number("FirstWeekDay"),
        "qBrokenWeeks": number("BrokenWeeks") != 0,
        "qReferenceDay": number("ReferenceDay"),
        "qFirstMonthOfYear": 1,
        "qCollation": "en-US",
        "qNumericalAbbreviation": text("NumericalAbbreviation"),
    })
}
