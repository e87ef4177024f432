//! Cube and list definitions as clients write them, made into the engine's.

use satchel_engine::{CubeDef, DimensionDef, MeasureDef, SortCriterion, SortOrder};
use serde_json::{Map, Value};

use crate::doc::Doc;
use crate::doc::items::Kind;
use crate::doc::objects::PathState;
use crate::layout::expression_text;

/// How a cube shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Straight,
    Pivot,
    Stack,
}

/// A dimension as a client defined it, with its master item resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dimension {
    /// Definitions of all its fields, as written; one but for drill-down and cyclic ones.
    pub defs: Vec<String>,
    pub labels: Vec<String>,
    pub label_expression: String,
    /// `N`, `H` (drill-down) or `C` (cyclic).
    pub grouping: String,
    /// Which of `defs` is shown.
    pub active: usize,
    pub library: Option<String>,
    /// The master item is not there.
    pub missing: bool,
    pub reverse: bool,
    pub sort: SortCriterion,
    /// `qNumberPresentations[active]`.
    pub format: Option<Value>,
    pub condition: String,
    /// Members we do not know, to pass through.
    pub rest: Map<String, Value>,
    pub attributes: Vec<Value>,
}

/// A measure as a client defined it, with its master item resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measure {
    pub def: String,
    pub label: String,
    pub label_expression: String,
    pub library: Option<String>,
    pub missing: bool,
    pub reverse: bool,
    pub sort: SortCriterion,
    pub format: Option<Value>,
    pub condition: String,
    pub rest: Map<String, Value>,
    pub attributes: Vec<Value>,
}

/// A cube as a client defined it.
#[derive(Clone, Debug)]
pub(crate) struct WireCube {
    pub def: CubeDef,
    pub dimensions: Vec<Dimension>,
    pub measures: Vec<Measure>,
    pub mode: Mode,
    pub n_left: i64,
    pub fully_expanded: bool,
    /// Whether dimensions of numbers are drawn along a continuous axis.
    pub continuous: bool,
    pub condition: String,
    pub condition_message: String,
    pub state: String,
}

fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn flag(value: &Value, name: &str) -> bool {
    match value.get(name) {
        Some(Value::Bool(b)) => *b,
        _ => false,
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    list(value, name)
        .iter()
        .map(|v| v.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// `qSortCriterias[i]` or `qSortBy`.
pub(crate) fn sort(value: Option<&Value>, reverse: bool) -> SortCriterion {
    let Some(value) = value else {
        return SortCriterion::default();
    };
    let sign = |name: &str| {
        let sign = match value.get(name) {
            Some(Value::Number(n)) => n.as_i64().unwrap_or(0).signum(),
            Some(Value::Bool(true)) => 1,
            _ => 0,
        };
        SortOrder::of_sign(if reverse { -sign } else { sign })
    };
    SortCriterion {
        state: sign("qSortByState"),
        by_expression: sign("qSortByExpression"),
        frequency: sign("qSortByFrequency"),
        numeric: sign("qSortByNumeric"),
        ascii: sign("qSortByAscii"),
        load_order: sign("qSortByLoadOrder"),
        expression: value
            .get("qExpression")
            .map(expression_text)
            .filter(|t| !t.trim().is_empty())
            .map(str::to_owned),
    }
}

/// `N`, `A` or `D`.
pub(crate) fn sort_indicator(sort: &SortCriterion) -> &'static str {
    let first = [
        sort.state,
        sort.by_expression,
        sort.frequency,
        sort.numeric,
        sort.ascii,
        sort.load_order,
    ]
    .into_iter()
    .find(|o| *o != SortOrder::None);
    match first {
        None => "N",
        Some(SortOrder::Descending) => "D",
        Some(_) => "A",
    }
}

/// A library id, if one is set.
fn library(value: &Value) -> Option<String> {
    Some(text(value, "qLibraryId")).filter(|id| !id.is_empty())
}

/// Members of a column and its `qDef` that are not the API's own.
fn unknown_members(column: &Value) -> Map<String, Value> {
    let mut rest = Map::new();
    for map in [Some(column), column.get("qDef")]
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
    {
        for (name, value) in map.iter().filter(|(n, _)| !n.starts_with('q')) {
            rest.insert(name.clone(), value.clone());
        }
    }
    rest
}

/// Reads a dimension of a cube or list.
pub(crate) fn dimension(doc: &Doc, column: &Value, active: Option<usize>) -> Dimension {
    let empty = Value::Null;
    let def = column.get("qDef").unwrap_or(&empty);
    let id = library(column);
    let master = id.as_ref().map(|id| doc.items.get(Kind::Dimension, id));
    let source = match &master {
        Some(Some(item)) => item.properties.get("qDim").unwrap_or(&empty),
        _ => def,
    };
    let mut labels = texts(def, "qFieldLabels");
    let mut label_expression = text(def, "qLabelExpression");
    if let Some(Some(item)) = &master {
        if labels.iter().all(String::is_empty) {
            labels = texts(source, "qFieldLabels");
        }
        if label_expression.is_empty() {
            label_expression = text(source, "qLabelExpression");
        }
        let title = item
            .properties
            .get("qMetaDef")
            .map(|m| text(m, "title"))
            .unwrap_or_default();
        if labels.iter().all(String::is_empty) && !title.is_empty() {
            labels = vec![title];
        }
    }
    let defs = texts(source, "qFieldDefs");
    let grouping = match source.get("qGrouping") {
        Some(Value::String(g)) if matches!(g.as_str(), "H" | "C") => g.clone(),
        Some(Value::Number(n)) if n.as_i64() == Some(1) => "H".to_owned(),
        Some(Value::Number(n)) if n.as_i64() == Some(2) => "C".to_owned(),
        _ => "N".to_owned(),
    };
    let of_item = id.as_ref().and_then(|id| doc.items.active.get(id).copied());
    let of_def = def
        .get("qActiveField")
        .and_then(Value::as_u64)
        .and_then(|n| usize::try_from(n).ok());
    let active = active
        .or(of_item)
        .or(of_def)
        .unwrap_or(0)
        .min(defs.len().saturating_sub(1));
    let reverse = flag(def, "qReverseSort");
    let criteria = list(def, "qSortCriterias");
    Dimension {
        active,
        missing: matches!(master, Some(None)),
        library: id,
        reverse,
        sort: sort(criteria.get(active).or(criteria.first()), reverse),
        format: list(def, "qNumberPresentations").get(active).cloned(),
        condition: condition(column),
        rest: unknown_members(column),
        attributes: list(column, "qAttributeExpressions").to_vec(),
        labels,
        label_expression,
        grouping,
        defs,
    }
}

fn measure(doc: &Doc, column: &Value) -> Measure {
    let empty = Value::Null;
    let def = column.get("qDef").unwrap_or(&empty);
    let id = library(column);
    let master = id.as_ref().map(|id| doc.items.get(Kind::Measure, id));
    let mut measure = Measure {
        def: text(def, "qDef"),
        label: text(def, "qLabel"),
        label_expression: text(def, "qLabelExpression"),
        missing: matches!(master, Some(None)),
        library: id,
        reverse: flag(def, "qReverseSort"),
        sort: sort(column.get("qSortBy"), flag(def, "qReverseSort")),
        format: def.get("qNumFormat").cloned(),
        condition: condition(column),
        rest: unknown_members(column),
        attributes: list(column, "qAttributeExpressions").to_vec(),
    };
    if let Some(Some(item)) = &master {
        let source = item.properties.get("qMeasure").unwrap_or(&empty);
        measure.def = text(source, "qDef");
        if measure.label.is_empty() {
            measure.label = text(source, "qLabel");
        }
        if measure.label_expression.is_empty() {
            measure.label_expression = text(source, "qLabelExpression");
        }
        if measure.label.is_empty()
            && let Some(meta) = item.properties.get("qMetaDef")
        {
            measure.label = text(meta, "title");
        }
        let own = measure.format.as_ref().is_some_and(has_format);
        if !own && let Some(format) = source.get("qNumFormat") {
            measure.format = Some(format.clone());
        }
    }
    measure
}

/// Whether a number format says anything.
pub(crate) fn has_format(format: &Value) -> bool {
    match format.get("qType") {
        Some(Value::String(t)) => !matches!(t.as_str(), "" | "U" | "A"),
        Some(Value::Number(n)) => !matches!(n.as_i64(), Some(0 | 1)),
        _ => false,
    }
}

/// `qCalcCondition.qCond` or `qCalcCond`; empty if there is none.
fn condition(value: &Value) -> String {
    let own = value
        .get("qCalcCondition")
        .and_then(|c| c.get("qCond"))
        .map(expression_text)
        .unwrap_or_default();
    if own.is_empty() {
        value
            .get("qCalcCond")
            .map(expression_text)
            .unwrap_or_default()
            .to_owned()
    } else {
        own.to_owned()
    }
}

/// The state of a cube or list: its own, or that of its object.
pub(crate) fn state_of(value: &Value, inherited: &str) -> String {
    match text(value, "qStateName").as_str() {
        "" => inherited.to_owned(),
        own => own.to_owned(),
    }
}

/// Reads `qHyperCubeDef`.
pub(crate) fn cube(doc: &Doc, value: &Value, path: &PathState, inherited: &str) -> WireCube {
    let mode = match value.get("qMode") {
        Some(Value::String(mode)) => match mode.as_str() {
            "P" | "DATA_MODE_PIVOT" => Mode::Pivot,
            "K" | "DATA_MODE_PIVOT_STACK" => Mode::Stack,
            _ => Mode::Straight,
        },
        Some(Value::Number(n)) => match n.as_i64() {
            Some(1) => Mode::Pivot,
            Some(2) => Mode::Stack,
            _ => Mode::Straight,
        },
        _ => Mode::Straight,
    };
    let dimensions: Vec<Dimension> = list(value, "qDimensions")
        .iter()
        .enumerate()
        .map(|(i, d)| dimension(doc, d, path.active.get(&i).copied()))
        .collect();
    let measures: Vec<Measure> = list(value, "qMeasures")
        .iter()
        .map(|m| measure(doc, m))
        .collect();
    let wire_dims = list(value, "qDimensions");
    let attribute_texts = |list: &[Value]| -> Vec<String> {
        list.iter()
            .map(|a| text(a, "qExpression"))
            .filter(|t| !t.trim().is_empty())
            .collect()
    };
    let mut def = CubeDef {
        dimensions: dimensions
            .iter()
            .zip(wire_dims)
            .map(|(d, wire)| DimensionDef {
                def: d.defs.get(d.active).cloned().unwrap_or_default(),
                sort: d.sort.clone(),
                suppress_null: flag(wire, "qNullSuppression"),
                attributes: attribute_texts(&d.attributes),
                show_total: shows_total(wire),
            })
            .collect(),
        measures: measures
            .iter()
            .map(|m| MeasureDef {
                def: m.def.clone(),
                sort: m.sort.clone(),
                attributes: attribute_texts(&m.attributes),
            })
            .collect(),
        sort_order: match mode {
            Mode::Straight => list(value, "qInterColumnSortOrder")
                .iter()
                .filter_map(|v| usize::try_from(crate::params::whole(v)?).ok())
                .collect(),
            Mode::Pivot | Mode::Stack => Vec::new(),
        },
        suppress_zero: flag(value, "qSuppressZero"),
        suppress_missing: flag(value, "qSuppressMissing"),
    };
    // A stack may be sorted by its bars' height instead of by its values.
    let by_height = value
        .get("qSortbyYValue")
        .and_then(Value::as_i64)
        .unwrap_or(0);
    if by_height != 0
        && let (Some(first), Some(measure)) = (def.dimensions.first_mut(), measures.first())
    {
        first.sort = SortCriterion {
            by_expression: SortOrder::of_sign(by_height),
            expression: Some(measure.def.clone()),
            ..SortCriterion::default()
        };
    }
    let condition_message = value
        .get("qCalcCondition")
        .and_then(|c| c.get("qMsg"))
        .map(expression_text)
        .unwrap_or_default()
        .to_owned();
    WireCube {
        def,
        dimensions,
        measures,
        mode,
        n_left: value
            .get("qNoOfLeftDims")
            .and_then(Value::as_i64)
            .unwrap_or(-1),
        fully_expanded: flag(value, "qAlwaysFullyExpanded"),
        continuous: flag(value, "qContinuousAxes"),
        condition: condition(value),
        condition_message,
        state: state_of(value, inherited),
    }
}

/// Whether a dimension shows a total: `qShowTotal`, or a total mode in `qOtherTotalSpec`.
fn shows_total(dimension: &Value) -> bool {
    if flag(dimension, "qShowTotal") {
        return true;
    }
    let mode = dimension
        .get("qOtherTotalSpec")
        .and_then(|s| s.get("qTotalMode"));
    match mode {
        Some(Value::String(mode)) => matches!(mode.as_str(), "TOTAL_EXPR" | "TOTAL_EXPR_TRUE"),
        Some(Value::Number(n)) => n.as_i64() == Some(1),
        _ => false,
    }
}
