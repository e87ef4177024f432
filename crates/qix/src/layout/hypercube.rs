//! Hypercubes: straight tables in full, and what all modes share.

use std::collections::BTreeSet;
use std::sync::Arc;

use satchel_engine::{
    AttributeCell, CalcError, Cell, CellKind, Cube, Pivot, PivotAxis, PivotDef, Rect, Tree,
    ValueState,
};
use serde_json::{Map, Value, json};

use crate::doc::Doc;
use crate::doc::objects::{Node, PathState};
use crate::errors::{Code, RpcError};
use crate::layout::column::{CONDITION_FAILED, dimension_info, formatted, measure_info};
use crate::layout::cube_def::{self, Mode, WireCube};
use crate::layout::{Env, pages, pivot, stack};
use crate::wire::number::num;

/// A cube with its definition, calculated.
pub(crate) struct Computed {
    pub wire: WireCube,
    pub cube: Arc<Cube>,
    /// Only in pivot mode.
    pub pivot: Option<Arc<Pivot>>,
    /// Only in tree mode.
    pub tree: Option<Arc<Tree>>,
    /// Columns whose calculation condition is not met.
    pub hidden: Vec<bool>,
}

/// The session's doings at a path of an object.
pub(crate) fn path_state(node: &Node, path: &str) -> PathState {
    node.paths.get(path).cloned().unwrap_or_default()
}

/// Finds the definition at a path: the path names it with or without its `Def`.
pub(crate) fn definition<'a>(
    properties: &'a Value,
    path: &str,
) -> Result<(&'a Value, String), RpcError> {
    for path in [path.to_owned(), format!("{path}Def")] {
        if path.ends_with("Def")
            && let Some(value) = properties.pointer(&path).filter(|v| v.is_object())
        {
            return Ok((value, path));
        }
    }
    Err(RpcError::about(Code::InvalidPath, path))
}

/// Calculates a cube as a client defined it, with what the session did to it.
pub(crate) fn compute(
    env: &Env<'_>,
    node: &Node,
    path: &str,
    state: &str,
    value: &Value,
) -> Result<Computed, CalcFailure> {
    let session = path_state(node, path);
    let mut wire = cube_def::cube(env, value, &session, state)?;
    let conditions = wire
        .dimensions
        .iter()
        .map(|d| &d.condition)
        .chain(wire.measures.iter().map(|m| &m.condition));
    let mut hidden = Vec::new();
    for condition in conditions {
        hidden.push(!holds(env, &wire.state, condition)?);
    }
    // A hidden column stays in its place but is not calculated.
    let n_dims = wire.def.dimensions.len();
    for (i, _) in hidden.iter().enumerate().filter(|(_, h)| **h) {
        match i.checked_sub(n_dims) {
            None => {
                wire.def.dimensions[i].def = "=null()".to_owned();
                wire.def.dimensions[i].limit = None;
                wire.left.retain(|a| *a != PivotAxis::Dimension(i));
                wire.top.retain(|a| *a != PivotAxis::Dimension(i));
            }
            Some(m) => wire.def.measures[m].def = "=null()".to_owned(),
        }
    }
    let query = env.query(&wire.state);
    let cube = env
        .doc
        .cache
        .cube(env.doc, &wire, env.now, || query.cube(&wire.def))?;
    let pivot = match wire.mode {
        Mode::Pivot if cube.error().is_none() => {
            let def = pivot_def(&wire, &session);
            Some(Arc::new(query.pivot(&def)?))
        }
        _ => None,
    };
    let tree = match wire.mode {
        Mode::Tree if cube.error().is_none() => Some(Arc::new(query.tree(&wire.def, &cube)?)),
        _ => None,
    };
    Ok(Computed {
        wire,
        cube,
        pivot,
        tree,
        hidden,
    })
}

/// Why a cube could not be calculated.
pub(crate) enum CalcFailure {
    Calc(CalcError),
    Rpc(RpcError),
}

impl From<CalcError> for CalcFailure {
    fn from(error: CalcError) -> Self {
        Self::Calc(error)
    }
}

impl From<RpcError> for CalcFailure {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<CalcFailure> for RpcError {
    fn from(failure: CalcFailure) -> Self {
        match failure {
            CalcFailure::Rpc(error) => error,
            CalcFailure::Calc(CalcError::Stop(stop)) => stop.into(),
            CalcFailure::Calc(error) => Self::about(Code::InvalidParameters, error.to_string()),
        }
    }
}

/// Whether a calculation condition is met; an empty one is.
pub(crate) fn holds(env: &Env<'_>, state: &str, condition: &str) -> Result<bool, RpcError> {
    if condition.trim().is_empty() {
        return Ok(true);
    }
    Ok(env
        .value(state, condition)?
        .as_num()
        .is_some_and(|n| n != 0.0))
}

fn pivot_def(wire: &WireCube, session: &PathState) -> PivotDef {
    let open = |list: &[Vec<i64>]| -> BTreeSet<Vec<i64>> { list.iter().cloned().collect() };
    PivotDef {
        cube: wire.def.clone(),
        left: wire.left.clone(),
        top: wire.top.clone(),
        totals_first: wire.totals_first,
        indent: wire.indent,
        populate_missing: wire.populate_missing,
        fully_expanded: wire.fully_expanded,
        expanded_left: open(&session.left),
        expanded_top: open(&session.top),
    }
}

/// `qHyperCube`.
pub(crate) fn layout(
    env: &Env<'_>,
    node: &Node,
    path: &str,
    state: &str,
    value: &Value,
) -> Result<Value, RpcError> {
    let session = path_state(node, path);
    let wire = cube_def::cube(env, value, &session, state)?;
    let mut out = Map::new();
    if !wire.state.is_empty() {
        out.insert("qStateName".to_owned(), wire.state.clone().into());
    }
    if !holds(env, &wire.state, &wire.condition)? {
        let message = env.text(&wire.state, &wire.condition_message)?;
        out.insert("qCalcCondMsg".to_owned(), message.into());
        return Ok(failed(out, &wire, CONDITION_FAILED));
    }
    let computed = match compute(env, node, path, state, value) {
        Ok(computed) => computed,
        Err(failure) => {
            let error = RpcError::from(failure);
            // Cancelled work is asked for again; what is too large or wrong is shown in place.
            return match error.code {
                Code::Aborted => Err(error),
                Code::TooLarge => Ok(failed(out, &wire, Code::TooLarge.number())),
                _ => Ok(failed(out, &wire, crate::layout::column::INVALID_DEF)),
            };
        }
    };
    let (wire, cube) = (&computed.wire, &computed.cube);
    let n_dims = wire.dimensions.len();
    out.insert("qSize".to_owned(), size(&computed));
    let dimensions = wire
        .dimensions
        .iter()
        .zip(&cube.dimensions)
        .zip(&computed.hidden)
        .map(|((d, info), hidden)| dimension_info(env, wire, d, info, *hidden))
        .collect::<Result<Vec<_>, _>>()?;
    out.insert("qDimensionInfo".to_owned(), dimensions.into());
    let measures = wire
        .measures
        .iter()
        .zip(&cube.measures)
        .zip(computed.hidden.get(n_dims..).unwrap_or_default())
        .zip(
            value
                .get("qMeasures")
                .and_then(Value::as_array)
                .into_iter()
                .flatten(),
        )
        .map(|(((m, info), hidden), def)| {
            let mut shown = measure_info(env, &wire.state, m, info, *hidden)?;
            shown["qTrendLines"] = crate::layout::trends::infos(def, &info.trends);
            Ok(shown)
        })
        .collect::<Result<Vec<_>, RpcError>>()?;
    out.insert("qMeasureInfo".to_owned(), measures.into());
    let mut order: Vec<i64> = cube.sort_order.iter().map(|c| *c as i64).collect();
    if wire.mode == Mode::Pivot {
        let axis = |a: &PivotAxis| match a {
            PivotAxis::Dimension(at) => *at as i64,
            PivotAxis::Measures => -1,
        };
        order = wire.left.iter().chain(&wire.top).map(axis).collect();
        if wire.measures.len() > 1 && !order.contains(&-1) {
            order.push(-1);
        }
    }
    out.insert("qEffectiveInterColumnSortOrder".to_owned(), json!(order));
    out.insert("qGrandTotalRow".to_owned(), totals(env, &computed));
    let fetch = value
        .get("qInitialDataFetch")
        .and_then(Value::as_array)
        .map(|p| pages::read(p))
        .unwrap_or_default();
    let mut lists = [
        ("qDataPages", json!([])),
        ("qPivotDataPages", json!([])),
        ("qStackedDataPages", json!([])),
    ];
    let (columns, rows) = extent(&computed);
    if cube.error().is_none() {
        if pages::check(&fetch, columns, rows).is_err() {
            out.insert("qError".to_owned(), json!({"qErrorCode": 7009}));
        } else {
            match wire.mode {
                Mode::Straight => lists[0].1 = data_pages(env, &computed, &fetch),
                Mode::Pivot => lists[1].1 = pivot::pages(env, &computed, &fetch),
                Mode::Stack => lists[2].1 = stack::pages(env, &computed, &fetch),
                Mode::Tree => {}
            }
        }
    }
    for (name, value) in lists {
        out.insert(name.to_owned(), value);
    }
    close(&mut out, wire);
    if let Some(tree) = &computed.tree {
        out.insert("qTreeNodesOnDim".to_owned(), json!(tree.n_nodes));
    }
    pass_through(&mut out, value);
    Ok(Value::Object(out))
}

/// The members at the end.
fn close(out: &mut Map<String, Value>, wire: &WireCube) {
    let mode = match wire.mode {
        Mode::Straight => "S",
        Mode::Pivot => "P",
        Mode::Stack => "K",
        Mode::Tree => "T",
    };
    out.insert("qMode".to_owned(), mode.into());
    out.insert("qNoOfLeftDims".to_owned(), wire.n_left.into());
    out.insert("qTreeNodesOnDim".to_owned(), json!([]));
    if wire.fully_expanded {
        out.insert("qAlwaysFullyExpanded".to_owned(), true.into());
    }
}

/// Members of a cube's definition that are not ours, and those shown as they are.
fn pass_through(out: &mut Map<String, Value>, value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let shown = matches!(name.as_str(), "qColumnOrder" | "qTitle" | "qIndentMode");
        if shown || !name.starts_with('q') {
            out.insert(name.clone(), value.clone());
        }
    }
    out.entry("qColumnOrder").or_insert_with(|| json!([]));
}

/// A cube that shows an error instead of data.
fn failed(mut out: Map<String, Value>, wire: &WireCube, code: i64) -> Value {
    for (name, value) in [
        ("qSize", json!({"qcx": 0, "qcy": 0})),
        ("qError", json!({"qErrorCode": code})),
        ("qDimensionInfo", json!([])),
        ("qMeasureInfo", json!([])),
        ("qEffectiveInterColumnSortOrder", json!([])),
        ("qGrandTotalRow", json!([])),
        ("qDataPages", json!([])),
        ("qPivotDataPages", json!([])),
        ("qStackedDataPages", json!([])),
        ("qColumnOrder", json!([])),
    ] {
        out.insert(name.to_owned(), value);
    }
    close(&mut out, wire);
    Value::Object(out)
}

/// `qAttrDims`.
fn attribute_dimensions(cells: &[AttributeCell]) -> Value {
    let values: Vec<Value> = cells
        .iter()
        .map(|c| {
            let text = match c.value.is_null() {
                true => "-".to_owned(),
                false => c.value.to_text(),
            };
            json!({"qText": text, "qElemNo": c.element})
        })
        .collect();
    json!({ "qValues": values })
}

/// Columns and rows of what pages cut from.
pub(crate) fn extent(computed: &Computed) -> (usize, usize) {
    match (computed.wire.mode, &computed.pivot) {
        (Mode::Pivot, Some(pivot)) => {
            let (rows, columns) = pivot.size();
            (columns, rows)
        }
        (Mode::Stack, _) => computed.cube.stacked_size(),
        _ => (computed.cube.n_columns(), computed.cube.n_rows()),
    }
}

fn size(computed: &Computed) -> Value {
    let (columns, rows) = extent(computed);
    json!({"qcx": columns, "qcy": rows})
}

fn totals(env: &Env<'_>, computed: &Computed) -> Value {
    let cells: Vec<Value> = computed
        .cube
        .totals
        .iter()
        .zip(&computed.wire.measures)
        .map(|(total, measure)| {
            json!({
                "qText": formatted(total, measure.format.as_ref(), &env.locale),
                "qNum": num(total.as_num().unwrap_or(f64::NAN)),
                "qElemNumber": -1,
                "qState": "X",
                "qIsTotalCell": true,
            })
        })
        .collect();
    Value::Array(cells)
}

/// The letter of a state.
pub(crate) fn state_letter(state: ValueState) -> &'static str {
    match state {
        ValueState::Locked => "L",
        ValueState::Selected => "S",
        ValueState::Optional => "O",
        ValueState::Alternative => "A",
        ValueState::Excluded => "X",
        ValueState::SelectedExcluded => "XS",
        ValueState::LockedExcluded => "XL",
    }
}

/// `qAttrExps`.
pub(crate) fn attributes(values: &[satchel_data::Value]) -> Value {
    let values: Vec<Value> = values
        .iter()
        .map(|v| json!({"qText": v.to_text(), "qNum": num(v.as_num().unwrap_or(f64::NAN))}))
        .collect();
    json!({ "qValues": values })
}

fn cell(env: &Env<'_>, computed: &Computed, column: usize, cell: &Cell) -> Value {
    let wire = &computed.wire;
    let n_dims = wire.dimensions.len();
    let format = match column.checked_sub(n_dims) {
        None => wire.dimensions.get(column).and_then(|d| d.format.as_ref()),
        Some(m) => wire.measures.get(m).and_then(|m| m.format.as_ref()),
    };
    let mut out = Map::with_capacity(5);
    out.insert(
        "qText".to_owned(),
        formatted(&cell.value, format, &env.locale).into(),
    );
    out.insert("qNum".to_owned(), num(cell.num()));
    out.insert("qElemNumber".to_owned(), cell.element.into());
    let state = match cell.kind {
        CellKind::Dimension(state) => state_letter(state),
        CellKind::Null | CellKind::Others => "O",
        CellKind::Measure => "L",
    };
    out.insert("qState".to_owned(), state.into());
    if cell.kind == CellKind::Null || (cell.kind == CellKind::Measure && cell.value.is_null()) {
        out.insert("qIsNull".to_owned(), true.into());
    }
    if cell.kind == CellKind::Others {
        out.insert("qIsOtherCell".to_owned(), true.into());
    }
    if !cell.attributes.is_empty() {
        out.insert("qAttrExps".to_owned(), attributes(&cell.attributes));
    }
    if !cell.attribute_dimensions.is_empty() {
        let values = attribute_dimensions(&cell.attribute_dimensions);
        out.insert("qAttrDims".to_owned(), values);
    }
    Value::Object(out)
}

/// `qDataPages` of a straight table.
pub(crate) fn data_pages(env: &Env<'_>, computed: &Computed, fetch: &[Rect]) -> Value {
    let pages: Vec<Value> = fetch
        .iter()
        .map(|rect| {
            let (area, rows) = computed.cube.page(*rect);
            pages::page(matrix(env, computed, area.left, &rows), area)
        })
        .collect();
    Value::Array(pages)
}

/// `qMatrix` of rows whose first cell is in column `left`.
pub(crate) fn matrix(
    env: &Env<'_>,
    computed: &Computed,
    left: usize,
    rows: &[Vec<Cell>],
) -> Vec<Value> {
    rows.iter()
        .map(|row| {
            row.iter()
                .enumerate()
                .map(|(i, c)| cell(env, computed, left + i, c))
                .collect()
        })
        .collect()
}

/// A cube at a path of an object, calculated for a data request.
pub(crate) fn at(env: &Env<'_>, doc: &Doc, id: &str, path: &str) -> Result<Computed, RpcError> {
    defined_at(doc, id, path, |node, path, state, value| {
        Ok(compute(env, node, path, state, value)?)
    })
}

/// Hands the definition at a path of an object to `f`: the object, the path as it is written
/// in its properties, the object's state, and the definition.
pub(crate) fn defined_at<T>(
    doc: &Doc,
    id: &str,
    path: &str,
    f: impl FnOnce(&Node, &str, &str, &Value) -> Result<T, RpcError>,
) -> Result<T, RpcError> {
    let node = doc
        .objects
        .get(id)
        .ok_or_else(|| RpcError::about(Code::NotFound, id))?;
    let properties = Value::Object(node.effective()?);
    let (value, path) = definition(&properties, path)?;
    let state = properties
        .get("qStateName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    f(node, &path, state, value)
}
