//! List objects: the values of one field with their states.

use satchel_engine::{ListDef, ListObject, Rect};
use serde_json::{Map, Value, json};

use crate::doc::Doc;
use crate::doc::objects::Node;
use crate::errors::{Code, RpcError};
use crate::layout::column::{
    CONDITION_FAILED, INVALID_DEF, column_error, fallback_title, formatted, state_counts,
};
use crate::layout::cube_def::{self, Dimension, has_format, sort_indicator, state_of};
use crate::layout::hypercube::{defined_at, path_state, state_letter};
use crate::layout::{Env, pages};
use crate::wire::number::num;

/// A list with its definition, calculated.
pub(crate) struct ComputedList {
    pub dimension: Dimension,
    pub state: String,
    pub frequencies: bool,
    pub list: ListObject,
}

fn compute(
    env: &Env<'_>,
    node: &Node,
    path: &str,
    inherited: &str,
    value: &Value,
) -> Result<Result<ComputedList, (Dimension, String)>, RpcError> {
    let session = path_state(node, path);
    // A list object is its own column: `qDef` and `qLibraryId` stand in it directly.
    let state = state_of(value, inherited);
    let dimension = cube_def::dimension(env, value, session.active.get(&0).copied(), &state)?;
    let frequencies = match value.get("qFrequencyMode") {
        Some(Value::String(mode)) => !matches!(mode.as_str(), "" | "N" | "NX_FREQUENCY_NONE"),
        Some(Value::Number(n)) => n.as_i64() != Some(0),
        _ => false,
    };
    let def = ListDef {
        def: dimension
            .defs
            .get(dimension.active)
            .cloned()
            .unwrap_or_default(),
        sort: dimension.sort.clone(),
        search: session.search,
        frequencies,
    };
    let query = env.query(&state);
    match query.list(&def) {
        Ok(list) => Ok(Ok(ComputedList {
            dimension,
            state,
            frequencies,
            list,
        })),
        Err(satchel_engine::CalcError::Stop(stop)) => Err(stop.into()),
        Err(_) => Ok(Err((dimension, state))),
    }
}

/// `qListObject`.
pub(crate) fn layout(
    env: &Env<'_>,
    node: &Node,
    path: &str,
    inherited: &str,
    value: &Value,
) -> Result<Value, RpcError> {
    let mut out = Map::new();
    let state = state_of(value, inherited);
    let shown_state = if state.is_empty() { "$" } else { &state };
    let computed = compute(env, node, path, inherited, value)?;
    match &computed {
        Ok(computed) => {
            out.insert(
                "qSize".to_owned(),
                json!({"qcx": 1, "qcy": computed.list.n_rows()}),
            );
            out.insert("qDimensionInfo".to_owned(), dimension_info(env, computed)?);
            let fetch = value
                .get("qInitialDataFetch")
                .and_then(Value::as_array)
                .map(|p| pages::read(p))
                .unwrap_or_default();
            out.insert("qExpressions".to_owned(), json!([]));
            out.insert("qStateName".to_owned(), shown_state.into());
            let list = if pages::check(&fetch, 1, computed.list.n_rows()).is_err() {
                out.insert("qError".to_owned(), json!({"qErrorCode": 7009}));
                json!([])
            } else {
                data_pages(env, computed, &fetch)
            };
            out.insert("qDataPages".to_owned(), list);
        }
        Err((dimension, state)) => {
            let code = if dimension.missing { 7001 } else { INVALID_DEF };
            let title = fallback_title(env, state, dimension, dimension.active)?;
            out.insert("qSize".to_owned(), json!({"qcx": 0, "qcy": 0}));
            out.insert(
                "qDimensionInfo".to_owned(),
                json!({
                    "qFallbackTitle": title,
                    "qApprMaxGlyphCount": 0, "qCardinal": 0, "qSortIndicator": "N",
                    "qGroupFallbackTitles": [title], "qGroupPos": 0,
                    "qStateCounts": state_counts(&satchel_engine::StateCounts::default()),
                    "qTags": [], "qDimensionType": "D", "qGrouping": "N",
                    "qNumFormat": {}, "qIsAutoFormat": true,
                    "qGroupFieldDefs": dimension.defs,
                    "qMin": "NaN", "qMax": "NaN", "qAttrExprInfo": [], "qAttrDimInfo": [],
                    "qError": {"qErrorCode": code},
                }),
            );
            out.insert("qError".to_owned(), json!({"qErrorCode": code}));
            out.insert("qExpressions".to_owned(), json!([]));
            out.insert("qStateName".to_owned(), shown_state.into());
            out.insert("qDataPages".to_owned(), json!([]));
        }
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        if !name.starts_with('q') || name == "qOtherTotalSpec" {
            out.insert(name.clone(), value.clone());
        }
    }
    Ok(Value::Object(out))
}

fn dimension_info(env: &Env<'_>, computed: &ComputedList) -> Result<Value, RpcError> {
    let (dimension, list) = (&computed.dimension, &computed.list);
    let titles = (0..dimension.defs.len().max(1))
        .map(|i| fallback_title(env, &computed.state, dimension, i))
        .collect::<Result<Vec<_>, _>>()?;
    let tags = &env.doc.engine.view().facts(list.field).tags;
    let numeric = tags.iter().any(|t| t == "$numeric");
    let format = dimension
        .format
        .clone()
        .unwrap_or_else(|| json!({"qType": "U", "qnDec": 0, "qUseThou": 0}));
    let possible = list.counts.possible();
    let mut out = Map::new();
    for (name, value) in [
        (
            "qFallbackTitle",
            json!(titles.get(dimension.active).cloned().unwrap_or_default()),
        ),
        ("qApprMaxGlyphCount", json!(list.longest)),
        ("qCardinal", json!(list.cardinal)),
        ("qSortIndicator", json!(sort_indicator(&dimension.sort))),
        ("qGroupFallbackTitles", json!(titles)),
        ("qGroupPos", json!(dimension.active)),
        ("qStateCounts", state_counts(&list.counts)),
        ("qTags", json!(tags)),
        ("qDimensionType", json!(if numeric { "N" } else { "D" })),
        ("qGrouping", json!(dimension.grouping)),
        ("qIsAutoFormat", json!(!has_format(&format))),
        ("qNumFormat", format),
        ("qGroupFieldDefs", json!(dimension.defs)),
        ("qMin", num(list.min)),
        ("qMax", num(list.max)),
        ("qAttrExprInfo", json!([])),
        ("qAttrDimInfo", json!([])),
        (
            "qCardinalities",
            json!({
                "qCardinal": list.cardinal,
                "qHypercubeCardinal": possible,
                "qAllValuesCardinal": -1,
            }),
        ),
    ] {
        out.insert(name.to_owned(), value);
    }
    if list.locked {
        out.insert("qLocked".to_owned(), true.into());
    }
    if let Some(id) = &dimension.library {
        out.insert("qLibraryId".to_owned(), id.clone().into());
    }
    for (name, value) in &dimension.rest {
        out.insert(name.clone(), value.clone());
    }
    let hidden = !dimension.condition.is_empty()
        && env
            .value(&computed.state, &dimension.condition)?
            .as_num()
            .is_none_or(|n| n == 0.0);
    if let Some(error) = column_error(None, false, hidden).filter(|_| hidden) {
        debug_assert_eq!(error["qErrorCode"], CONDITION_FAILED);
        out.insert("qError".to_owned(), error);
    }
    Ok(Value::Object(out))
}

/// `qDataPages` of a list.
fn data_pages(env: &Env<'_>, computed: &ComputedList, fetch: &[Rect]) -> Value {
    let format = computed.dimension.format.as_ref();
    let list: Vec<Value> = fetch
        .iter()
        .map(|rect| {
            let (area, cells) = computed.list.page(*rect);
            let matrix: Vec<Value> = cells
                .iter()
                .map(|cell| {
                    let mut out = Map::with_capacity(4);
                    let text = formatted(&cell.value, format, &env.locale);
                    out.insert("qText".to_owned(), text.into());
                    let n = cell.value.as_num().unwrap_or(f64::NAN);
                    out.insert("qNum".to_owned(), num(n));
                    out.insert("qElemNumber".to_owned(), cell.element.into());
                    out.insert("qState".to_owned(), state_letter(cell.state).into());
                    if computed.frequencies {
                        let n = cell.frequency.unwrap_or(0);
                        out.insert("qFrequency".to_owned(), n.to_string().into());
                    }
                    if !cell.highlights.is_empty() {
                        let ranges: Vec<Value> = cell
                            .highlights
                            .iter()
                            .map(|h| json!({"qCharPos": h.start, "qCharCount": h.len}))
                            .collect();
                        out.insert("qHighlightRanges".to_owned(), json!({ "qRanges": ranges }));
                    }
                    Value::Array(vec![out.into()])
                })
                .collect();
            pages::page(matrix, area)
        })
        .collect();
    Value::Array(list)
}

/// A list at a path of an object, calculated for a request.
pub(crate) fn at(
    env: &Env<'_>,
    doc: &Doc,
    id: &str,
    path: &str,
) -> Result<(ComputedList, String), RpcError> {
    defined_at(doc, id, path, |node, path, state, value| {
        match compute(env, node, path, state, value)? {
            Ok(computed) => Ok((computed, path.to_owned())),
            Err((dimension, _)) => Err(RpcError::about(
                Code::InvalidParameters,
                dimension.defs.first().cloned().unwrap_or_default(),
            )),
        }
    })
}

/// `GetListObjectData`.
pub(crate) fn fetch(
    env: &Env<'_>,
    computed: &ComputedList,
    rects: &[Rect],
) -> Result<Value, RpcError> {
    pages::check(rects, 1, computed.list.n_rows())?;
    Ok(data_pages(env, computed, rects))
}
