//! Searching values over all fields, and objects by what they show.
//!
//! Everything looks through the reader's view and the content they were given. Matches are
//! found and numbered by the engine, so that `SelectAssociations` finds again what a search
//! called by a number. Shapes: public schema of the API; `qSearchTermsMatched` of
//! `SearchAssociations` is a list of lists, as clients read it.

use std::sync::Arc;

use satchel_data::{FieldId, FieldKind};
use satchel_engine::{MAX_TERMS, Match, Search, StateSelections};
use serde_json::{Map, Value, json};

use crate::doc::Doc;
use crate::doc::selection_methods::selections_changed;
use crate::errors::{Code, RpcError};
use crate::params::whole;
use crate::session::Call;
use crate::wire::number::num;

type Done = Result<(), RpcError>;

/// The most suggestions for one term: what a list under a search box can show.
const MAX_SUGGESTIONS: usize = 10;

/// How positions in texts are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
}

/// `qOptions` and `qTerms` of the searches over fields.
struct Asked {
    fields: Vec<FieldId>,
    terms: Vec<String>,
    base: Arc<StateSelections>,
    encoding: Encoding,
    /// `qNum`, `qElemNum`: what else is wanted of each value.
    attributes: Vec<String>,
}

/// Reads `qTerms`; blank ones are left out.
pub(crate) fn terms(call: &mut Call<'_>) -> Result<Vec<String>, RpcError> {
    let mut terms = call.args.texts(1)?;
    terms.retain(|t| !t.trim().is_empty());
    if terms.len() > MAX_TERMS {
        return Err(RpcError::about(
            Code::InvalidParameters,
            format!("qTerms: at most {MAX_TERMS} terms"),
        ));
    }
    Ok(terms)
}

pub(crate) fn encoding(options: &Map<String, Value>) -> Encoding {
    match options.get("qCharEncoding") {
        Some(Value::String(name)) if name.eq_ignore_ascii_case("utf16") => Encoding::Utf16,
        Some(value) if whole(value) == Some(1) => Encoding::Utf16,
        _ => Encoding::Utf8,
    }
}

pub(crate) fn texts(options: &Map<String, Value>, name: &str) -> Vec<String> {
    options
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
        .collect()
}

fn asked(call: &mut Call<'_>) -> Result<Asked, RpcError> {
    let options = call.args.object(0)?;
    let terms = terms(call)?;
    let names = texts(&options, "qSearchFields");
    let doc = call.doc()?;
    Ok(Asked {
        fields: search_fields(doc, &names),
        terms,
        base: base(doc, options.get("qContext"))?,
        encoding: encoding(&options),
        attributes: texts(&options, "qAttributes"),
    })
}

/// The fields of data among those named; all if none is named.
fn search_fields(doc: &Doc, names: &[String]) -> Vec<FieldId> {
    let view = doc.engine.view();
    let is_data = |f: &FieldId| view.model().field(*f).kind == FieldKind::Data;
    if names.is_empty() {
        return view.fields().filter(is_data).collect();
    }
    names
        .iter()
        .filter_map(|n| doc.engine.field(crate::wire::field_name(n)))
        .filter(is_data)
        .collect()
}

/// The selections a search is made under, by `qContext`.
fn base(doc: &Doc, context: Option<&Value>) -> Result<Arc<StateSelections>, RpcError> {
    let current = doc.history.current().default_state();
    let wrong = || RpcError::about(Code::InvalidParameters, "qContext");
    let number = match context {
        None | Some(Value::Null) => 1,
        Some(Value::String(name)) => match name.to_ascii_lowercase().as_str() {
            "cleared" | "context_cleared" => 0,
            "" | "lockedfieldsonly" | "context_locked_fields_only" => 1,
            "currentselections" | "context_current_selections" => 2,
            _ => return Err(wrong()),
        },
        Some(value) => whole(value).ok_or_else(wrong)?,
    };
    match number {
        0 => Ok(Arc::default()),
        1 => {
            let mut locked = (*current).clone();
            let free: Vec<FieldId> = current
                .fields()
                .filter(|(_, s)| !s.locked)
                .map(|(f, _)| f)
                .collect();
            free.iter().for_each(|f| {
                locked.remove(*f);
            });
            Ok(Arc::new(locked))
        }
        2 => Ok(current),
        _ => Err(wrong()),
    }
}

/// From where and how many; a negative or absent count means all.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    offset: usize,
    count: usize,
}

impl Window {
    const ALL: Self = Self {
        offset: 0,
        count: usize::MAX,
    };

    pub fn of(value: &Value) -> Self {
        let number = |name: &str| value.get(name).and_then(whole);
        Self {
            offset: number("qOffset")
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(0),
            count: number("qCount")
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(usize::MAX),
        }
    }

    pub fn take<T>(self, list: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        list.into_iter().skip(self.offset).take(self.count)
    }
}

/// `qPage`.
pub(crate) struct Page {
    pub groups: Window,
    /// The most values of each field of a match.
    pub max_values: usize,
    pub items: Window,
    pub matches: Window,
}

impl Page {
    /// Reads parameter 2. `group` and `item` are the kinds whose options count.
    pub fn read(call: &mut Call<'_>, group: [&str; 2], item: [&str; 2]) -> Result<Self, RpcError> {
        let page = Value::Object(call.args.object(2)?);
        let options = |list: &str, kind: &str, names: [&str; 2], number: i64| {
            page.get(list)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .find(|o| match o.get(kind) {
                    Some(Value::String(name)) => names.contains(&name.as_str()),
                    Some(value) => whole(value) == Some(number),
                    None => false,
                })
                .map_or(Window::ALL, Window::of)
        };
        // The numbers of both kinds: 0 is what comes from data, 1 from objects.
        let number = i64::from(group[0].starts_with("Generic"));
        Ok(Self {
            groups: Window::of(&page),
            max_values: page
                .get("qMaxNbrFieldMatches")
                .and_then(whole)
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(usize::MAX),
            items: options("qGroupOptions", "qGroupType", group, number),
            matches: options("qGroupItemOptions", "qGroupItemType", item, number),
        })
    }
}

/// `qRanges`: where each of the terms stands in a text.
pub(crate) fn ranges(text: &str, terms: &[String], which: &[usize], encoding: Encoding) -> Value {
    let width = |c: char| match encoding {
        Encoding::Utf8 => c.len_utf8(),
        Encoding::Utf16 => c.len_utf16(),
    };
    let span = |chars: usize| -> usize { text.chars().take(chars).map(width).sum() };
    let mut found = Vec::new();
    for term in which {
        let Some(wanted) = terms.get(*term) else {
            continue;
        };
        for mark in Search::term(wanted).highlights(text) {
            let from = span(mark.start);
            found.push(json!({
                "qCharPos": from,
                "qCharCount": span(mark.start + mark.len) - from,
                "qTerm": term,
            }));
        }
    }
    Value::Array(found)
}

fn field_title(doc: &Doc, field: FieldId) -> String {
    doc.engine.view().model().field(field).name.clone()
}

pub(crate) fn suggest(call: &mut Call<'_>) -> Done {
    let asked = asked(call)?;
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let view = doc.engine.view();
    let mut fields = Vec::new();
    let mut words: Vec<Vec<String>> = vec![Vec::new(); asked.terms.len()];
    for field in &asked.fields {
        let found = doc
            .engine
            .values_with_terms(*field, &asked.terms, &asked.base, &budget)?;
        if found.is_empty() {
            continue;
        }
        fields.push(field_title(doc, *field));
        for (code, fits) in found {
            let text = view.text(*field, code);
            for term in fits {
                let known = &mut words[term];
                if known.len() < MAX_SUGGESTIONS {
                    add_words(&text, &asked.terms[term], known);
                }
            }
        }
    }
    let suggestions: Vec<Value> = words
        .iter()
        .enumerate()
        .flat_map(|(term, words)| {
            words
                .iter()
                .map(move |w| json!({"qValue": w, "qTerm": term}))
        })
        .collect();
    call.put(
        "qResult",
        json!({"qSuggestions": suggestions, "qFieldNames": fields}),
    );
    Ok(())
}

/// Adds the words of `text` that begin with `term`; a term with blanks takes the whole text.
fn add_words(text: &str, term: &str, known: &mut Vec<String>) {
    let search = Search::term(term);
    let whole = term.trim().contains(char::is_whitespace) || term.contains(['*', '?', '<', '>']);
    let parts: Vec<&str> = if whole {
        vec![text]
    } else {
        text.split(|c: char| c.is_whitespace())
            .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()))
            .collect()
    };
    for part in parts {
        let fits = !part.is_empty() && (whole || search.matches(part, f64::NAN));
        let is_new = || {
            !known
                .iter()
                .any(|k| k.to_lowercase() == part.to_lowercase())
        };
        if fits && known.len() < MAX_SUGGESTIONS && is_new() {
            known.push(part.to_owned());
        }
    }
}

fn matches(call: &mut Call<'_>, asked: &Asked) -> Result<Vec<Match>, RpcError> {
    let budget = call.budget.clone();
    let doc = call.doc()?;
    Ok(doc
        .engine
        .associations(&asked.fields, &asked.terms, &asked.base, &budget)?)
}

pub(crate) fn associations(call: &mut Call<'_>) -> Done {
    let asked = asked(call)?;
    let page = Page::read(call, DATA_GROUP, FIELD_ITEM)?;
    let found = matches(call, &asked)?;
    let doc = call.doc()?;
    let view = doc.engine.view();
    let mut fields: Vec<FieldId> = Vec::new();
    // By field, the values that are told, each once.
    let mut told: Vec<Vec<u32>> = Vec::new();
    let mut combinations = Vec::new();
    for (id, one) in page.groups.take(found.iter().enumerate()) {
        let mut parts = Vec::new();
        for part in &one.fields {
            let at = match fields.iter().position(|f| *f == part.field) {
                Some(at) => at,
                None => {
                    fields.push(part.field);
                    told.push(Vec::new());
                    fields.len() - 1
                }
            };
            let values: Vec<usize> = part
                .codes
                .iter()
                .take(page.max_values)
                .map(|code| match told[at].iter().position(|c| c == code) {
                    Some(place) => place,
                    None => {
                        told[at].push(*code);
                        told[at].len() - 1
                    }
                })
                .collect();
            parts.push(json!({
                "qField": at,
                "qValues": values,
                "qTerms": part.terms,
                "qNoOfMatches": part.codes.len(),
            }));
        }
        combinations.push(json!({"qId": id, "qFieldMatches": parts}));
    }
    let every: Vec<usize> = (0..asked.terms.len()).collect();
    let dictionaries: Vec<Value> = fields
        .iter()
        .zip(&told)
        .enumerate()
        .map(|(at, (field, codes))| {
            let values: Vec<Value> = codes
                .iter()
                .map(|code| {
                    let text = view.text(*field, *code);
                    json!({
                        "qText": text,
                        "qElemNumber": view.elem_of(*field, *code),
                        "qRanges": ranges(&text, &asked.terms, &every, asked.encoding),
                    })
                })
                .collect();
            json!({"qField": at, "qResult": values})
        })
        .collect();
    let names: Vec<String> = fields.iter().map(|f| field_title(doc, *f)).collect();
    let groups = if combinations.is_empty() {
        json!([])
    } else {
        json!([combinations])
    };
    let total = found.len();
    call.put(
        "qResults",
        json!({
            "qFieldNames": names,
            "qSearchTerms": asked.terms,
            "qFieldDictionaries": dictionaries,
            "qSearchTermsMatched": groups,
            "qTotalSearchResults": total,
        }),
    );
    Ok(())
}

const DATA_GROUP: [&str; 2] = ["DatasetType", "DATASET_GROUP"];
const FIELD_ITEM: [&str; 2] = ["Field", "FIELD"];

pub(crate) fn results(call: &mut Call<'_>) -> Done {
    let asked = asked(call)?;
    let page = Page::read(call, DATA_GROUP, FIELD_ITEM)?;
    let found = matches(call, &asked)?;
    let doc = call.doc()?;
    let view = doc.engine.view();
    let groups: Vec<Value> = page
        .groups
        .take(found.iter().enumerate())
        .map(|(id, one)| {
            let items: Vec<Value> = page
                .items
                .take(&one.fields)
                .map(|part| {
                    let values: Vec<Value> = page
                        .matches
                        .take(&part.codes)
                        .take(page.max_values)
                        .map(|code| {
                            let text = view.text(part.field, *code);
                            json!({
                                "qText": text,
                                "qAttributes": attributes(doc, &asked, part.field, *code),
                                "qRanges": ranges(&text, &asked.terms, &part.terms, asked.encoding),
                            })
                        })
                        .collect();
                    json!({
                        "qItemType": "Field",
                        "qTotalNumberOfMatches": part.codes.len(),
                        "qIdentifier": field_title(doc, part.field),
                        "qItemMatches": values,
                        "qSearchTermsMatched": part.terms,
                    })
                })
                .collect();
            json!({
                "qId": id,
                "qGroupType": "DatasetType",
                "qSearchTermsMatched": one.terms(),
                "qTotalNumberOfItems": one.fields.len(),
                "qItems": items,
            })
        })
        .collect();
    let total = found.len();
    call.put(
        "qResult",
        json!({
            "qSearchTerms": asked.terms,
            "qTotalNumberOfGroups": total,
            "qSearchGroupArray": groups,
        }),
    );
    Ok(())
}

/// What else is wanted of a value.
fn attributes(doc: &Doc, asked: &Asked, field: FieldId, code: u32) -> Vec<Value> {
    let view = doc.engine.view();
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    asked
        .attributes
        .iter()
        .filter_map(|key| {
            let value = match key.as_str() {
                "qNum" => text(num(view.num(field, code))),
                "qElemNum" => view.elem_of(field, code)?.to_string(),
                _ => return None,
            };
            Some(json!({"qKey": key, "qValue": value}))
        })
        .collect()
}

pub(crate) fn select(call: &mut Call<'_>) -> Done {
    let asked = asked(call)?;
    let at = call.args.int(2, 0)?;
    call.doc()?.refuse_if_modal()?;
    let found = matches(call, &asked)?;
    let chosen = usize::try_from(at).ok().and_then(|at| found.get(at));
    let chosen = chosen.ok_or_else(|| RpcError::about(Code::InvalidParameters, "qMatchIx"))?;
    let doc = call.doc()?;
    let state = doc.engine.with_match(&asked.base, chosen);
    let mut next = doc.history.current().clone();
    next.set_state(satchel_engine::DEFAULT_STATE, Arc::new(state));
    doc.history.apply(next);
    selections_changed(call);
    Ok(())
}

/// `SearchValues`: the values of each field that fit the terms, without combining.
pub(crate) fn values(call: &mut Call<'_>) -> Done {
    let options = call.args.object(0)?;
    let terms = terms(call)?;
    let page = Page::read(call, DATA_GROUP, FIELD_ITEM)?;
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let fields = search_fields(doc, &texts(&options, "qSearchFields"));
    let view = doc.engine.view();
    let mut found = Vec::new();
    for field in fields {
        let hits = doc
            .engine
            .values_with_terms(field, &terms, &Arc::default(), &budget)?;
        if !hits.is_empty() {
            found.push((field, hits));
        }
    }
    let list: Vec<Value> = page
        .groups
        .take(&found)
        .map(|(field, hits)| {
            let values: Vec<Value> = hits
                .iter()
                .take(page.max_values)
                .map(|(code, fits)| {
                    json!({
                        "qText": view.text(*field, *code),
                        "qElemNo": view.elem_of(*field, *code),
                        "qSearchTermsMatched": fits,
                    })
                })
                .collect();
            json!({"qFieldName": field_title(doc, *field), "qValues": values})
        })
        .collect();
    call.put(
        "qResult",
        json!({"qSearchTerms": terms, "qFieldMatches": list}),
    );
    Ok(())
}
