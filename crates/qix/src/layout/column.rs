//! `qDimensionInfo`, `qMeasureInfo` and the texts of cells.

use satchel_calc::{Locale, format_date, format_interval, format_number};
use satchel_data::Value as Data;
use satchel_engine::{
    AttributeDimensionInfo, AttributeInfo, CalcError, DimensionInfo, MeasureInfo, StateCounts,
};
use serde_json::{Map, Value, json};

use crate::doc::Doc;
use crate::errors::RpcError;
use crate::layout::Env;
use crate::layout::cube_def::{Dimension, Measure, WireCube, has_format, sort_indicator};
use crate::wire::{field_name, number::num};

/// The definition of a column is wrong.
pub(crate) const INVALID_DEF: i64 = 7000;
/// A master item is not in the library.
const NOT_IN_LIBRARY: i64 = 7001;
/// The calculation condition is not met.
pub(crate) const CONDITION_FAILED: i64 = 7005;

/// `qStateCounts`.
pub(crate) fn state_counts(counts: &StateCounts) -> Value {
    json!({
        "qLocked": counts.locked,
        "qSelected": counts.selected,
        "qOption": counts.optional,
        "qDeselected": 0,
        "qAlternative": counts.alternative,
        "qExcluded": counts.excluded,
        "qSelectedExcluded": counts.selected_excluded,
        "qLockedExcluded": counts.locked_excluded,
    })
}

/// A number format with nothing set.
fn no_format() -> Value {
    json!({"qType": "U", "qnDec": 0, "qUseThou": 0})
}

/// The text of a number in `qNumFormat`; the value's own text if that says nothing.
pub(crate) fn formatted(value: &Data, format: Option<&Value>, locale: &Locale) -> String {
    if value.is_null() {
        return "-".to_owned();
    }
    let (Some(n), Some(format)) = (value.as_num(), format.filter(|f| has_format(f))) else {
        return value.to_text();
    };
    let pattern = format
        .get("qFmt")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut own = locale.clone();
    for (name, variable) in [("qDec", "DecimalSep"), ("qThou", "ThousandSep")] {
        if let Some(text) = format.get(name).and_then(Value::as_str)
            && !text.is_empty()
        {
            own.set(variable, text);
        }
    }
    let kind = match format.get("qType") {
        Some(Value::String(t)) => t.as_str(),
        Some(Value::Number(n)) => match n.as_i64() {
            Some(6) => "D",
            Some(7) => "T",
            Some(8) => "TS",
            Some(9) => "IV",
            _ => "F",
        },
        _ => "F",
    };
    let pattern = match (kind, pattern) {
        ("D", "") => own.get("DateFormat").unwrap_or_default().to_owned(),
        ("T", "") => own.get("TimeFormat").unwrap_or_default().to_owned(),
        ("TS", "") => own.get("TimestampFormat").unwrap_or_default().to_owned(),
        ("M", "") => own.get("MoneyFormat").unwrap_or_default().to_owned(),
        (_, pattern) => pattern.to_owned(),
    };
    match kind {
        _ if pattern.is_empty() => value.to_text(),
        "D" | "T" | "TS" => format_date(n, &pattern, &own).unwrap_or_else(|| value.to_text()),
        "IV" => format_interval(n, &pattern).unwrap_or_else(|| value.to_text()),
        _ => format_number(n, &pattern, &own),
    }
}

/// `qError` of a column, if there is one.
pub(crate) fn column_error(
    error: Option<&CalcError>,
    missing: bool,
    hidden: bool,
) -> Option<Value> {
    let (code, context) = if hidden {
        (CONDITION_FAILED, String::new())
    } else if missing {
        (NOT_IN_LIBRARY, String::new())
    } else {
        (INVALID_DEF, error?.to_string())
    };
    Some(json!({"qErrorCode": code, "qContext": context, "qExtendedMessage": ""}))
}

/// What to call a dimension's field when nothing else is set.
pub(crate) fn fallback_title(
    env: &Env<'_>,
    state: &str,
    dimension: &Dimension,
    at: usize,
) -> Result<String, RpcError> {
    if dimension.grouping == "N" && !dimension.label_expression.is_empty() {
        return env.text(state, &dimension.label_expression);
    }
    match dimension.labels.get(at).filter(|l| !l.is_empty()) {
        Some(label) => env.text(state, label),
        None => Ok(dimension
            .defs
            .get(at)
            .map(|d| field_name(d).to_owned())
            .unwrap_or_default()),
    }
}

/// `qDimensionInfo` of one dimension.
pub(crate) fn dimension_info(
    env: &Env<'_>,
    cube: &WireCube,
    dimension: &Dimension,
    info: &DimensionInfo,
    hidden: bool,
) -> Result<Value, RpcError> {
    let mut out = Map::new();
    let titles = (0..dimension.defs.len().max(1))
        .map(|i| fallback_title(env, &cube.state, dimension, i))
        .collect::<Result<Vec<_>, _>>()?;
    let tags = field_tags(env.doc, info);
    let numeric = tags.iter().any(|t| t == "$numeric");
    let has_numbers = info.min.is_finite();
    let format = dimension.format.clone().unwrap_or_else(no_format);
    let auto = !has_format(&format);
    for (name, value) in [
        (
            "qFallbackTitle",
            json!(titles.get(dimension.active).cloned().unwrap_or_default()),
        ),
        ("qApprMaxGlyphCount", json!(info.longest)),
        ("qCardinal", json!(info.cardinal)),
        (
            "qCardinalities",
            json!({
                "qCardinal": info.cardinal,
                "qHypercubeCardinal": info.in_cube,
                "qAllValuesCardinal": -1,
            }),
        ),
        ("qSortIndicator", json!(sort_indicator(&dimension.sort))),
        ("qGroupFallbackTitles", json!(titles)),
        ("qGroupPos", json!(dimension.active)),
        ("qStateCounts", state_counts(&info.counts)),
        ("qTags", json!(tags)),
        (
            "qDimensionType",
            json!(if numeric || (info.field.is_none() && has_numbers) {
                "N"
            } else {
                "D"
            }),
        ),
        ("qGrouping", json!(dimension.grouping)),
        ("qNumFormat", format),
        ("qIsAutoFormat", json!(auto)),
        ("qGroupFieldDefs", json!(dimension.defs)),
        ("qMin", num(info.min)),
        ("qMax", num(info.max)),
        (
            "qAttrExprInfo",
            attribute_infos(&dimension.attributes, &info.attributes),
        ),
        (
            "qAttrDimInfo",
            attribute_dimension_infos(
                env,
                &dimension.attribute_dimensions,
                &info.attribute_dimensions,
            ),
        ),
    ] {
        out.insert(name.to_owned(), value);
    }
    if info.locked {
        out.insert("qLocked".to_owned(), true.into());
    }
    if cube.continuous && has_numbers {
        out.insert("qContinuousAxes".to_owned(), true.into());
    }
    if info.field.is_none() && info.error.is_none() {
        out.insert("qIsCalculated".to_owned(), true.into());
    }
    finish(
        &mut out,
        dimension.reverse,
        dimension.library.as_ref(),
        &dimension.rest,
    );
    if let Some(error) = column_error(info.error.as_ref(), dimension.missing, hidden) {
        out.insert("qError".to_owned(), error);
    }
    Ok(Value::Object(out))
}

fn field_tags(doc: &Doc, info: &DimensionInfo) -> Vec<String> {
    match info.field {
        Some(field) => doc.engine.view().facts(field).tags.clone(),
        None => {
            let numeric = (!info.tags.is_empty() && info.min.is_finite()).then_some("$numeric");
            let tags = numeric.into_iter().chain(info.tags.iter().copied());
            tags.map(str::to_owned).collect()
        }
    }
}

/// What is set only sometimes, and what passes through.
fn finish(
    out: &mut Map<String, Value>,
    reverse: bool,
    library: Option<&String>,
    rest: &Map<String, Value>,
) {
    if reverse {
        out.insert("qReverseSort".to_owned(), true.into());
    }
    if let Some(id) = library {
        out.insert("qLibraryId".to_owned(), id.clone().into());
    }
    for (name, value) in rest {
        out.insert(name.clone(), value.clone());
    }
}

fn attribute_infos(defs: &[Value], infos: &[AttributeInfo]) -> Value {
    let usable = defs.iter().filter(|d| {
        d.get("qExpression")
            .and_then(Value::as_str)
            .is_some_and(|t| !t.trim().is_empty())
    });
    let list: Vec<Value> = usable
        .zip(infos)
        .map(|(def, info)| {
            let mut out = Map::new();
            out.insert("qMin".to_owned(), num(info.min));
            out.insert("qMax".to_owned(), num(info.max));
            out.insert("qMinText".to_owned(), "".into());
            out.insert("qMaxText".to_owned(), "".into());
            out.insert("qContinuous".to_owned(), false.into());
            out.insert(
                "qNumFormat".to_owned(),
                def.get("qNumFormat").cloned().unwrap_or_else(no_format),
            );
            out.insert("qIsAutoFormat".to_owned(), true.into());
            let title = def.get("qExpression").cloned().unwrap_or_default();
            out.insert("qFallbackTitle".to_owned(), title);
            if let Some(error) = column_error(info.error.as_ref(), false, false) {
                out.insert("qError".to_owned(), error);
            }
            for (name, value) in def.as_object().into_iter().flatten() {
                if !name.starts_with('q') {
                    out.insert(name.clone(), value.clone());
                }
            }
            // Clients tell attributes apart by their id, which is one of ours.
            if let Some(id) = def.get("id") {
                out.insert("id".to_owned(), id.clone());
            }
            Value::Object(out)
        })
        .collect();
    Value::Array(list)
}

fn attribute_dimension_infos(
    env: &Env<'_>,
    defs: &[Value],
    infos: &[AttributeDimensionInfo],
) -> Value {
    let list: Vec<Value> = defs
        .iter()
        .zip(infos)
        .map(|(def, info)| {
            let text = crate::layout::cube_def::attribute_dimension(env, def);
            let mut out = Map::new();
            out.insert("qCardinal".to_owned(), json!(info.cardinal));
            out.insert("qSize".to_owned(), json!({"qcx": 1, "qcy": info.cardinal}));
            out.insert("qFallbackTitle".to_owned(), field_name(&text).into());
            if info.locked {
                out.insert("qLocked".to_owned(), true.into());
            }
            if info.field.is_none() && info.error.is_none() {
                out.insert("qIsCalculated".to_owned(), true.into());
            }
            if let Some(error) = column_error(info.error.as_ref(), false, false) {
                out.insert("qError".to_owned(), error);
            }
            for (name, value) in def.as_object().into_iter().flatten() {
                if !name.starts_with('q') {
                    out.insert(name.clone(), value.clone());
                }
            }
            Value::Object(out)
        })
        .collect();
    Value::Array(list)
}

/// What to call a measure.
pub(crate) fn measure_title(
    env: &Env<'_>,
    state: &str,
    measure: &Measure,
) -> Result<String, RpcError> {
    if !measure.label_expression.is_empty() {
        return env.text(state, &measure.label_expression);
    }
    if !measure.label.is_empty() {
        return env.text(state, &measure.label);
    }
    let def = measure.def.trim();
    Ok(def.strip_prefix('=').unwrap_or(def).trim().to_owned())
}

/// `qMeasureInfo` of one measure.
pub(crate) fn measure_info(
    env: &Env<'_>,
    state: &str,
    measure: &Measure,
    info: &MeasureInfo,
    hidden: bool,
) -> Result<Value, RpcError> {
    let format = measure.format.clone().unwrap_or_else(no_format);
    let auto = !has_format(&format);
    let mut out = Map::new();
    for (name, value) in [
        ("qFallbackTitle", json!(measure_title(env, state, measure)?)),
        ("qApprMaxGlyphCount", json!(info.longest)),
        ("qCardinal", json!(0)),
        ("qSortIndicator", json!(sort_indicator(&measure.sort))),
        ("qNumFormat", format),
        ("qMin", num(info.min)),
        ("qMax", num(info.max)),
        ("qIsAutoFormat", json!(auto)),
        (
            "qAttrExprInfo",
            attribute_infos(&measure.attributes, &info.attributes),
        ),
        ("qAttrDimInfo", json!([])),
        ("qTrendLines", json!([])),
    ] {
        out.insert(name.to_owned(), value);
    }
    finish(
        &mut out,
        measure.reverse,
        measure.library.as_ref(),
        &measure.rest,
    );
    if let Some(error) = column_error(info.error.as_ref(), measure.missing, hidden) {
        out.insert("qError".to_owned(), error);
    }
    Ok(Value::Object(out))
}
