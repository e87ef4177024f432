//! Cube and list definitions as clients write them, made into the engine's.

use satchel_engine::{CubeDef, DimensionDef, MeasureDef, PivotAxis, SortCriterion, SortOrder};
use serde_json::{Map, Value};

use crate::doc::items::Kind;
use crate::doc::objects::PathState;
use crate::errors::RpcError;
use crate::layout::{Env, expression_text, limits, trends};
use crate::wire::field_name;

/// How a cube shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Straight,
    Pivot,
    Stack,
    Tree,
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
    pub attribute_dimensions: Vec<Value>,
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
    /// What stands at the left and at the top of a pivot table.
    pub left: Vec<PivotAxis>,
    pub top: Vec<PivotAxis>,
    pub fully_expanded: bool,
    pub totals_first: bool,
    pub indent: bool,
    pub populate_missing: bool,
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
        greyness: sign("qSortByGreyness"),
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
        sort.greyness,
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

/// How many fields of a drill-down group are narrowed to one possible value each, from the
/// first on; the last one counts for none.
fn drilled(env: &Env<'_>, state: &str, defs: &[String]) -> Result<usize, RpcError> {
    let engine = &env.doc.engine;
    let selections = env.query(state).current();
    let mut depth = 0;
    for def in defs.iter().take(defs.len().saturating_sub(1)) {
        let Some(field) = engine.field(field_name(def)) else {
            break;
        };
        let states = engine.field_states(&selections, field, env.budget)?;
        if states.possible().count() != 1 {
            break;
        }
        depth += 1;
    }
    Ok(depth)
}

/// Reads a dimension of a cube or list.
pub(crate) fn dimension(
    env: &Env<'_>,
    column: &Value,
    active: Option<usize>,
    state: &str,
) -> Result<Dimension, RpcError> {
    let doc = env.doc;
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
    let active = match grouping.as_str() {
        "H" => drilled(env, state, &defs)?,
        _ => active.or(of_item).or(of_def).unwrap_or(0),
    };
    let active = active.min(defs.len().saturating_sub(1));
    let reverse = flag(def, "qReverseSort");
    let criteria = list(def, "qSortCriterias");
    Ok(Dimension {
        active,
        missing: matches!(master, Some(None)),
        library: id,
        reverse,
        sort: sort(criteria.get(active).or(criteria.first()), reverse),
        format: list(def, "qNumberPresentations").get(active).cloned(),
        condition: condition(column),
        rest: unknown_members(column),
        attributes: list(column, "qAttributeExpressions").to_vec(),
        attribute_dimensions: list(column, "qAttributeDimensions").to_vec(),
        labels,
        label_expression,
        grouping,
        defs,
    })
}

fn measure(env: &Env<'_>, column: &Value) -> Measure {
    let doc = env.doc;
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
pub(crate) fn condition(value: &Value) -> String {
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

/// The definition of an attribute dimension: its own, or that of its master item.
pub(crate) fn attribute_dimension(env: &Env<'_>, attribute: &Value) -> String {
    let own = text(attribute, "qDef");
    let master = || {
        let item = env.doc.items.get(Kind::Dimension, &library(attribute)?)?;
        texts(item.properties.get("qDim")?, "qFieldDefs")
            .into_iter()
            .next()
    };
    if own.is_empty() {
        master().unwrap_or_default()
    } else {
        own
    }
}

/// What stands at the left and at the top of a pivot table: the entries of
/// `qInterColumnSortOrder`, of which `qNoOfLeftDims` stand at the left; -1 is the measures.
/// Dimensions that are not named follow at the top.
fn axes(value: &Value, n_dims: usize, n_measures: usize) -> (Vec<PivotAxis>, Vec<PivotAxis>) {
    let mut order: Vec<PivotAxis> = Vec::new();
    let several = n_measures > 1;
    for entry in list(value, "qInterColumnSortOrder")
        .iter()
        .filter_map(crate::params::whole)
    {
        let entry = match usize::try_from(entry) {
            Ok(at) if at < n_dims => PivotAxis::Dimension(at),
            Err(_) if several => PivotAxis::Measures,
            _ => continue,
        };
        if !order.contains(&entry) {
            order.push(entry);
        }
    }
    for at in 0..n_dims {
        if !order.contains(&PivotAxis::Dimension(at)) {
            // Behind the dimensions, before measures that stand last.
            let end = order.len() - usize::from(order.last() == Some(&PivotAxis::Measures));
            order.insert(end, PivotAxis::Dimension(at));
        }
    }
    let n_left = value
        .get("qNoOfLeftDims")
        .and_then(crate::params::whole)
        .and_then(|n| usize::try_from(n).ok());
    let n_left = match n_left {
        Some(n) => n.min(order.len()),
        // All dimensions; the measures stand at the top.
        None => {
            order.retain(|e| *e != PivotAxis::Measures);
            order.len()
        }
    };
    let top = order.split_off(n_left);
    (order, top)
}

/// Reads `qHyperCubeDef`.
pub(crate) fn cube(
    env: &Env<'_>,
    value: &Value,
    path: &PathState,
    inherited: &str,
) -> Result<WireCube, RpcError> {
    let state = state_of(value, inherited);
    let mode = match value.get("qMode") {
        Some(Value::String(mode)) => match mode.as_str() {
            "P" | "DATA_MODE_PIVOT" => Mode::Pivot,
            "K" | "DATA_MODE_PIVOT_STACK" => Mode::Stack,
            "T" | "DATA_MODE_TREE" => Mode::Tree,
            _ => Mode::Straight,
        },
        Some(Value::Number(n)) => match n.as_i64() {
            Some(1) => Mode::Pivot,
            Some(2) => Mode::Stack,
            Some(3) => Mode::Tree,
            _ => Mode::Straight,
        },
        _ => Mode::Straight,
    };
    let dimensions: Vec<Dimension> = list(value, "qDimensions")
        .iter()
        .enumerate()
        .map(|(i, d)| dimension(env, d, path.active.get(&i).copied(), &state))
        .collect::<Result<_, _>>()?;
    let measures: Vec<Measure> = list(value, "qMeasures")
        .iter()
        .map(|m| measure(env, m))
        .collect();
    let wire_measures = list(value, "qMeasures");
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
            .map(|(d, wire)| {
                let attribute = |a: &Value| attribute_dimension(env, a);
                Ok(DimensionDef {
                    def: d.defs.get(d.active).cloned().unwrap_or_default(),
                    sort: d.sort.clone(),
                    suppress_null: flag(wire, "qNullSuppression"),
                    attributes: attribute_texts(&d.attributes),
                    attribute_dimensions: d.attribute_dimensions.iter().map(attribute).collect(),
                    show_total: shows_total(wire),
                    total_label: env.text(&state, label(wire, "qTotalLabel", "totalLabel"))?,
                    limit: limits::limit(env, &state, wire, &measures)?,
                    show_all: flag(wire, "qShowAll"),
                })
            })
            .collect::<Result<_, RpcError>>()?,
        measures: measures
            .iter()
            .zip(wire_measures)
            .map(|(m, wire)| MeasureDef {
                def: m.def.clone(),
                sort: m.sort.clone(),
                attributes: attribute_texts(&m.attributes),
                trends: trends::definitions(wire)
                    .into_iter()
                    .map(|t| t.def)
                    .collect(),
            })
            .collect(),
        sort_order: match mode {
            Mode::Straight => list(value, "qInterColumnSortOrder")
                .iter()
                .filter_map(|v| usize::try_from(crate::params::whole(v)?).ok())
                .collect(),
            Mode::Pivot | Mode::Stack | Mode::Tree => Vec::new(),
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
    let (left, top) = axes(value, dimensions.len(), measures.len());
    Ok(WireCube {
        def,
        dimensions,
        measures,
        mode,
        left,
        top,
        totals_first: flag(value, "qShowTotalsAbove"),
        indent: flag(value, "qIndentMode"),
        populate_missing: flag(value, "qPopulateMissing"),
        n_left: value
            .get("qNoOfLeftDims")
            .and_then(Value::as_i64)
            .unwrap_or(-1),
        fully_expanded: flag(value, "qAlwaysFullyExpanded"),
        continuous: flag(value, "qContinuousAxes"),
        condition: condition(value),
        condition_message,
        state,
    })
}

/// A label of a dimension: the API's own member, or the one that Sense's charts write.
pub(crate) fn label<'a>(dimension: &'a Value, own: &str, charts: &str) -> &'a str {
    let own = dimension.get(own).map(expression_text).unwrap_or_default();
    if !own.is_empty() {
        return own;
    }
    let def = dimension.get("qDef").and_then(|d| d.get(charts));
    match def {
        Some(Value::String(text)) => text,
        Some(other) => other
            .get("qStringExpression")
            .map(expression_text)
            .unwrap_or_default(),
        None => "",
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
