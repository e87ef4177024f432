//! `SearchObjects`: the app's objects by their titles and by the values their dimensions show.
//!
//! Rules: public documentation of SearchObjects. Titles, descriptions, subtitles, footnotes
//! and types are looked through, and the possible values of the fields that dimensions name.
//! Some kinds of objects are never found. Nothing outside the reader's view and content is
//! looked at.

use std::sync::Arc;

use satchel_engine::Search;
use serde_json::{Value, json};

use crate::content::Properties;
use crate::doc::items::Kind;
use crate::doc::search_methods::{Page, encoding, ranges, terms, texts};
use crate::errors::RpcError;
use crate::layout::{Env, expression_text};
use crate::session::Call;
use crate::wire::field_name;

type Done = Result<(), RpcError>;

/// Kinds of objects that are never found.
const HIDDEN: [&str; 9] = [
    "slideitem",
    "sheet",
    "story",
    "slide",
    "masterobject",
    "snapshot",
    "LoadModel",
    "appprops",
    "searchhistory",
];

/// The texts looked through: a path in the properties, and its name in the answer.
const TEXTS: [(&str, &str); 6] = [
    ("/qMetaDef/title", "qMetaDef/title"),
    ("/title", "title"),
    ("/qMetaDef/description", "qMetaDef/description"),
    ("/subtitle", "subtitle"),
    ("/footnote", "footnote"),
    ("/qInfo/qType", "qInfo/qType"),
];

/// A text that fits some terms.
struct Hit {
    text: String,
    property: &'static str,
    terms: Vec<usize>,
}

pub(crate) fn search(call: &mut Call<'_>) -> Done {
    let options = call.args.object(0)?;
    let terms = terms(call)?;
    let page = Page::read(
        call,
        ["GenericObjectsType", "GENERIC_OBJECTS_GROUP"],
        ["GenericObject", "GENERIC_OBJECT"],
    )?;
    let encoding = encoding(&options);
    let with_property = texts(&options, "qAttributes")
        .iter()
        .any(|a| a == "qProperty");
    let now = call.state.host.now();
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let mut found: Vec<(String, Vec<usize>, Vec<Hit>)> = Vec::new();
    for node in doc.objects.iter() {
        if node.session || HIDDEN.contains(&node.entity.kind()) {
            continue;
        }
        let properties = node.effective()?;
        let mut hits = text_hits(&env, &properties, &terms)?;
        hits.extend(value_hits(&env, &properties, &terms)?);
        let mut fits: Vec<usize> = hits.iter().flat_map(|h| h.terms.clone()).collect();
        fits.sort_unstable();
        fits.dedup();
        if !fits.is_empty() {
            found.push((node.id().to_owned(), fits, hits));
        }
    }
    let mut groups: Vec<Vec<usize>> = found.iter().map(|(_, fits, _)| fits.clone()).collect();
    groups.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    groups.dedup();
    let list: Vec<Value> = page
        .groups
        .take(groups.iter().enumerate())
        .map(|(id, group)| {
            let members: Vec<_> = found.iter().filter(|(_, fits, _)| fits == group).collect();
            let items: Vec<Value> = page
                .items
                .take(&members)
                .map(|(object, fits, hits)| {
                    let matches: Vec<Value> = page
                        .matches
                        .take(hits)
                        .map(|hit| {
                            let attributes = if with_property {
                                json!([{"qKey": "qProperty", "qValue": hit.property}])
                            } else {
                                json!([])
                            };
                            json!({
                                "qText": hit.text,
                                "qAttributes": attributes,
                                "qRanges": ranges(&hit.text, &terms, &hit.terms, encoding),
                            })
                        })
                        .collect();
                    json!({
                        "qItemType": "GenericObject",
                        "qTotalNumberOfMatches": hits.len(),
                        "qIdentifier": object,
                        "qItemMatches": matches,
                        "qSearchTermsMatched": fits,
                    })
                })
                .collect();
            json!({
                "qId": id,
                "qGroupType": "GenericObjectsType",
                "qSearchTermsMatched": group,
                "qTotalNumberOfItems": members.len(),
                "qItems": items,
            })
        })
        .collect();
    let total = groups.len();
    call.put(
        "qResult",
        json!({
            "qSearchTerms": terms,
            "qTotalNumberOfGroups": total,
            "qSearchGroupArray": list,
        }),
    );
    Ok(())
}

fn text_hits(
    env: &Env<'_>,
    properties: &Properties,
    terms: &[String],
) -> Result<Vec<Hit>, RpcError> {
    let root = Value::Object(properties.clone());
    let mut hits = Vec::new();
    for (path, property) in TEXTS {
        let text = match root.pointer(path) {
            Some(Value::String(text)) => env.text("", text)?,
            Some(Value::Object(map)) => match map.get("qStringExpression") {
                Some(expression) => env.value("", expression_text(expression))?.to_text(),
                None => continue,
            },
            _ => continue,
        };
        let fits: Vec<usize> = terms
            .iter()
            .enumerate()
            .filter(|(_, t)| !text.is_empty() && Search::term(t).matches(&text, f64::NAN))
            .map(|(i, _)| i)
            .collect();
        if !fits.is_empty() {
            hits.push(Hit {
                text,
                property,
                terms: fits,
            });
        }
    }
    Ok(hits)
}

/// The possible values of the fields that dimensions of the object name.
fn value_hits(
    env: &Env<'_>,
    properties: &Properties,
    terms: &[String],
) -> Result<Vec<Hit>, RpcError> {
    let doc = env.doc;
    let mut defs: Vec<String> = Vec::new();
    let mut add = |dimension: &Value| {
        let library = dimension.get("qLibraryId").and_then(Value::as_str);
        let library = library.filter(|id| !id.is_empty());
        let list = match library.and_then(|id| doc.items.get(Kind::Dimension, id)) {
            Some(item) => item
                .properties
                .get("qDim")
                .and_then(|d| d.get("qFieldDefs")),
            None => dimension.get("qDef").and_then(|d| d.get("qFieldDefs")),
        };
        defs.extend(
            list.and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned),
        );
    };
    if let Some(list) = properties.get("qListObjectDef") {
        add(list);
    }
    properties
        .get("qHyperCubeDef")
        .and_then(|c| c.get("qDimensions"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .for_each(&mut add);
    let state = properties
        .get("qStateName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let base = doc.history.current().state(state).cloned();
    let base = base.unwrap_or_else(Arc::default);
    let view = doc.engine.view();
    let mut seen = Vec::new();
    let mut hits = Vec::new();
    for def in &defs {
        let Some(field) = doc.engine.field(field_name(def)) else {
            continue;
        };
        if seen.contains(&field) {
            continue;
        }
        seen.push(field);
        for (code, fits) in doc
            .engine
            .values_with_terms(field, terms, &base, env.budget)?
        {
            hits.push(Hit {
                text: view.text(field, code).into_owned(),
                property: "*",
                terms: fits,
            });
        }
    }
    Ok(hits)
}
