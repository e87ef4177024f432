//! Selecting in lists and cubes; modal selecting; searching in lists.

use std::collections::BTreeMap;

use satchel_data::FieldId;
use satchel_engine::{CellKind, NumberRange, PivotKind, Rect, Select, Toggle};
use serde_json::Value;

use crate::doc::field_methods::{elements, locks, select};
use crate::doc::selection_methods::selections_changed;
use crate::doc::{Doc, Modal};
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::layout::Env;
use crate::layout::hypercube::{self, Computed, defined_at};
use crate::layout::list_object::{self, ComputedList};
use crate::layout::pivot::place;
use crate::object::this;
use crate::session::Call;

type Done = Result<(), RpcError>;

pub(crate) fn begin_selections(call: &mut Call<'_>) -> Done {
    let paths = call.args.texts(0)?;
    let id = this(call)?;
    let doc = call.doc()?;
    refuse_other(doc, &id)?;
    if doc.modal.is_none() {
        doc.history.begin_modal();
        doc.modal = Some(Modal {
            object: id.clone(),
            paths,
            before: doc.history.current().clone(),
        });
    } else if let Some(modal) = &mut doc.modal {
        modal.paths = paths;
    }
    call.changed(|t| matches!(t, Target::Object(other) if *other == id));
    Ok(())
}

/// While one object is being selected in, others cannot be.
fn refuse_other(doc: &Doc, id: &str) -> Done {
    match &doc.modal {
        Some(modal) if modal.object != id => {
            Err(RpcError::about(Code::Modal, modal.object.clone()))
        }
        _ => Ok(()),
    }
}

pub(crate) fn end_selections(call: &mut Call<'_>) -> Done {
    let accept = call.args.flag(0)?;
    let id = this(call)?;
    let doc = call.doc()?;
    if doc.modal.as_ref().is_some_and(|m| m.object == id) {
        doc.modal = None;
        if accept {
            doc.history.accept_modal();
        } else {
            doc.history.abort_modal();
        }
        selections_changed(call);
    }
    call.changed(|t| matches!(t, Target::Object(other) if *other == id));
    Ok(())
}

pub(crate) fn reset_made_selections(call: &mut Call<'_>) -> Done {
    let id = this(call)?;
    let doc = call.doc()?;
    if doc.modal.as_ref().is_some_and(|m| m.object == id) {
        doc.history.reset_modal();
        selections_changed(call);
    }
    Ok(())
}

/// What is calculated at a path: a list or a cube.
enum At {
    List(Box<ComputedList>, String),
    Cube(Box<Computed>),
}

impl At {
    fn state(&self) -> String {
        let state = match self {
            Self::List(list, _) => &list.state,
            Self::Cube(cube) => &cube.wire.state,
        };
        if state.is_empty() {
            satchel_engine::DEFAULT_STATE.to_owned()
        } else {
            state.clone()
        }
    }

    /// The field of a column; the only one of a list.
    fn field(&self, column: usize) -> Option<FieldId> {
        match self {
            Self::List(list, _) => Some(list.list.field),
            Self::Cube(cube) => cube.cube.selectable(column, &[]).map(|(f, _)| f),
        }
    }

    fn n_columns(&self) -> usize {
        match self {
            Self::List(..) => 1,
            Self::Cube(cube) => cube.wire.dimensions.len(),
        }
    }
}

fn at(call: &mut Call<'_>, path: &str) -> Result<At, RpcError> {
    let id = this(call)?;
    let now = call.state.host.now();
    let budget = call.budget.clone();
    let doc = call.doc()?;
    refuse_other(doc, &id)?;
    let env = Env::new(doc, now, &budget);
    if is_list(doc, &id, path)? {
        let (list, path) = list_object::at(&env, doc, &id, path)?;
        Ok(At::List(Box::new(list), path))
    } else {
        Ok(At::Cube(Box::new(hypercube::at(&env, doc, &id, path)?)))
    }
}

fn is_list(doc: &Doc, id: &str, path: &str) -> Result<bool, RpcError> {
    defined_at(doc, id, path, |_, path, _, _| {
        Ok(path.ends_with("/qListObjectDef"))
    })
}

/// Selects in some fields of a state; whether all could be.
fn select_fields(
    call: &mut Call<'_>,
    state: &str,
    fields: BTreeMap<FieldId, Vec<u32>>,
    toggle: Toggle,
    soft: bool,
) -> Result<bool, RpcError> {
    let mut done = !fields.is_empty();
    for (field, elements) in fields {
        let what = Select::Elements(elements, toggle);
        done &= select(call, state, field, &what, locks(soft))?;
    }
    Ok(done)
}

fn toggle(flip: bool) -> Toggle {
    if flip { Toggle::Flip } else { Toggle::Replace }
}

/// Selects in the list at the first parameter.
fn in_list(call: &mut Call<'_>, what: Select, soft: bool) -> Done {
    let path = call.args.text(0)?;
    let at = at(call, &path)?;
    let state = at.state();
    let done = match at.field(0) {
        Some(field) => select(call, &state, field, &what, locks(soft))?,
        None => false,
    };
    call.put("qSuccess", done);
    Ok(())
}

pub(crate) fn select_list_values(call: &mut Call<'_>) -> Done {
    let elements = elements(&call.args.ints(1)?);
    let flip = call.args.flag(2)?;
    let soft = call.args.flag(3)?;
    in_list(call, Select::Elements(elements, toggle(flip)), soft)
}

pub(crate) fn select_list_possible(call: &mut Call<'_>) -> Done {
    let soft = call.args.flag(1)?;
    match found(call)? {
        Some(what) => in_list(call, what, soft),
        None => in_list(call, Select::Possible, soft),
    }
}

pub(crate) fn select_list_all(call: &mut Call<'_>) -> Done {
    let soft = call.args.flag(1)?;
    match found(call)? {
        Some(what) => in_list(call, what, soft),
        None => in_list(call, Select::All, soft),
    }
}

/// While a list is searched, "all" means all that is found.
fn found(call: &mut Call<'_>) -> Result<Option<Select>, RpcError> {
    let path = call.args.text(0)?;
    call.args.put_back(0, path.clone().into());
    let id = this(call)?;
    let found = at(call, &path)?;
    let At::List(list, path) = found else {
        return Ok(None);
    };
    let searched = call
        .doc()?
        .objects
        .get(&id)
        .and_then(|n| n.paths.get(&path))
        .is_some_and(|p| p.search.is_some());
    Ok(searched.then(|| Select::Elements(list.list.elements(), Toggle::Add)))
}

pub(crate) fn select_list_excluded(call: &mut Call<'_>) -> Done {
    let soft = call.args.flag(1)?;
    in_list(call, Select::Excluded, soft)
}

pub(crate) fn select_list_alternative(call: &mut Call<'_>) -> Done {
    let soft = call.args.flag(1)?;
    in_list(call, Select::Alternative, soft)
}

/// `qMin`, `qMax` and whether they belong; `"NaN"` or an absent end is open.
fn range(value: &Value) -> NumberRange {
    let end = |name: &str, open: f64| value.get(name).and_then(Value::as_f64).unwrap_or(open);
    let flag = |name: &str| value.get(name) == Some(&Value::Bool(true));
    NumberRange {
        low: end("qMin", f64::NEG_INFINITY),
        low_inclusive: flag("qMinInclEq"),
        high: end("qMax", f64::INFINITY),
        high_inclusive: flag("qMaxInclEq"),
    }
}

pub(crate) fn select_list_range(call: &mut Call<'_>) -> Done {
    let ranges = call.args.list(1)?.iter().map(range).collect();
    let soft = call.args.flag(2)?;
    in_list(call, Select::Ranges(ranges, Toggle::Replace), soft)
}

pub(crate) fn select_cube_values(call: &mut Call<'_>) -> Done {
    let path = call.args.text(0)?;
    let dimension = call.args.int(1, 0)?;
    let values = call.args.ints(2)?;
    let flip = call.args.flag(3)?;
    let at = at(call, &path)?;
    let state = at.state();
    let At::Cube(computed) = at else {
        return Err(RpcError::about(Code::InvalidPath, path));
    };
    let chosen = usize::try_from(dimension)
        .ok()
        .and_then(|d| computed.cube.selectable(d, &values));
    let done = match chosen {
        Some((field, elements)) => {
            let what = Select::Elements(elements, toggle(flip));
            select(call, &state, field, &what, locks(false))?
        }
        None => false,
    };
    call.put("qSuccess", done);
    Ok(())
}

pub(crate) fn select_cube_cells(call: &mut Call<'_>) -> Done {
    let path = call.args.text(0)?;
    let rows = call.args.ints(1)?;
    let columns = call.args.ints(2)?;
    let soft = call.args.flag(3)?;
    let at = at(call, &path)?;
    let state = at.state();
    let At::Cube(computed) = at else {
        return Err(RpcError::about(Code::InvalidPath, path));
    };
    let mut fields: BTreeMap<FieldId, Vec<u32>> = BTreeMap::new();
    for column in columns.iter().filter_map(|c| usize::try_from(*c).ok()) {
        let chosen: Vec<i64> = rows
            .iter()
            .filter_map(|r| usize::try_from(*r).ok())
            .filter_map(|row| element(&computed, row, column))
            .collect();
        if let Some((field, elements)) = computed.cube.selectable(column, &chosen) {
            fields.entry(field).or_default().extend(elements);
        }
    }
    let done = select_fields(call, &state, fields, Toggle::Replace, soft)?;
    call.put("qSuccess", done);
    Ok(())
}

/// The element of a dimension in a row.
fn element(computed: &Computed, row: usize, column: usize) -> Option<i64> {
    let rect = Rect {
        left: column,
        top: row,
        width: 1,
        height: 1,
    };
    let (_, cells) = computed.cube.page(rect);
    let cell = cells.first()?.first()?;
    matches!(cell.kind, CellKind::Dimension(_)).then_some(cell.element)
}

pub(crate) fn select_pivot_cells(call: &mut Call<'_>) -> Done {
    let path = call.args.text(0)?;
    let cells = call.args.list(1)?;
    let soft = call.args.flag(2)?;
    let at = at(call, &path)?;
    let state = at.state();
    let At::Cube(computed) = at else {
        return Err(RpcError::about(Code::InvalidPath, path));
    };
    let Some(pivot) = computed.pivot.clone() else {
        return Err(RpcError::about(Code::InvalidObjectState, path));
    };
    let mut chosen: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    let mut take = |nodes, leaf, level, whole: bool| {
        let Some(steps) = place(nodes, leaf, level) else {
            return;
        };
        // A header cell selects its own dimension; a data cell all those it stands under.
        let from = if whole { 0 } else { level };
        for step in steps.iter().skip(from) {
            if step.kind == PivotKind::Normal {
                chosen.entry(step.column).or_default().push(step.element);
            }
        }
    };
    for cell in &cells {
        let n = |name: &str| {
            cell.get(name)
                .and_then(crate::params::whole)
                .and_then(|n| usize::try_from(n).ok())
        };
        let (Some(row), Some(column)) = (n("qRow"), n("qCol")) else {
            continue;
        };
        match cell.get("qType") {
            Some(Value::String(t)) if t == "L" => take(&pivot.left, row, column, false),
            Some(Value::String(t)) if t == "T" => take(&pivot.top, column, row, false),
            _ => {
                take(&pivot.left, row, depth(&pivot.left, row), true);
                take(&pivot.top, column, depth(&pivot.top, column), true);
            }
        }
    }
    let mut fields: BTreeMap<FieldId, Vec<u32>> = BTreeMap::new();
    for (dimension, elements) in chosen {
        if let Some((field, elements)) = computed.cube.selectable(dimension, &elements) {
            fields.entry(field).or_default().extend(elements);
        }
    }
    let done = select_fields(call, &state, fields, Toggle::Replace, soft)?;
    call.put("qSuccess", done);
    Ok(())
}

/// The deepest level of a header at a leaf.
fn depth(nodes: &[satchel_engine::PivotNode], leaf: usize) -> usize {
    (0..)
        .take_while(|level| place(nodes, leaf, *level).is_some())
        .last()
        .unwrap_or(0)
}

/// A box of measure ranges and the dimensions to select in.
struct RangeSet {
    ranges: Vec<(usize, NumberRange)>,
    /// The dimensions to select in; none named means in all.
    columns: Vec<i64>,
}

fn range_set(ranges: &[Value], columns: Vec<i64>) -> RangeSet {
    RangeSet {
        ranges: ranges
            .iter()
            .filter_map(|r| {
                let measure = r
                    .get("qMeasureIx")
                    .and_then(crate::params::whole)
                    .unwrap_or(0);
                Some((usize::try_from(measure).ok()?, range(r.get("qRange")?)))
            })
            .collect(),
        columns,
    }
}

pub(crate) fn range_select(call: &mut Call<'_>) -> Done {
    let ranges = call.args.list(1)?;
    let columns = call.args.ints(2)?;
    let any = call.args.flag(3)?;
    select_ranges(call, &[range_set(&ranges, columns)], any)
}

pub(crate) fn multi_range_select(call: &mut Call<'_>) -> Done {
    let sets: Vec<RangeSet> = call
        .args
        .list(1)?
        .iter()
        .map(|set| {
            let list = |name: &str| {
                set.get(name)
                    .and_then(Value::as_array)
                    .map_or(&[][..], Vec::as_slice)
            };
            let columns = list("qColumnsToSelect")
                .iter()
                .filter_map(crate::params::whole)
                .collect();
            range_set(list("qRanges"), columns)
        })
        .collect();
    let any = call.args.flag(2)?;
    select_ranges(call, &sets, any)
}

/// Selects the dimension values of the rows whose measures lie in the ranges.
fn select_ranges(call: &mut Call<'_>, sets: &[RangeSet], any: bool) -> Done {
    let path = call.args.text(0)?;
    let at = at(call, &path)?;
    let state = at.state();
    let At::Cube(computed) = at else {
        return Err(RpcError::about(Code::InvalidPath, path));
    };
    let (cube, n_dims) = (&computed.cube, computed.wire.dimensions.len());
    call.budget.charge_rows(cube.n_rows() as u64)?;
    let mut chosen: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for row in 0..cube.n_rows() {
        let (_, cells) = cube.page(Rect {
            left: 0,
            top: row,
            width: cube.n_columns(),
            height: 1,
        });
        let Some(cells) = cells.first() else { continue };
        for set in sets {
            let lies = |(measure, range): &(usize, NumberRange)| {
                cells
                    .get(n_dims + measure)
                    .is_some_and(|c| within(range, c.num()))
            };
            let hit = if any {
                set.ranges.iter().any(lies)
            } else {
                !set.ranges.is_empty() && set.ranges.iter().all(lies)
            };
            if !hit {
                continue;
            }
            for (column, cell) in cells.iter().enumerate().take(n_dims) {
                if set.columns.is_empty() || set.columns.contains(&(column as i64)) {
                    chosen.entry(column).or_default().push(cell.element);
                }
            }
        }
    }
    let mut fields: BTreeMap<FieldId, Vec<u32>> = BTreeMap::new();
    for (dimension, elements) in chosen {
        if let Some((field, elements)) = cube.selectable(dimension, &elements) {
            fields.entry(field).or_default().extend(elements);
        }
    }
    let done = select_fields(call, &state, fields, Toggle::Replace, false)?;
    call.put("qSuccess", done);
    Ok(())
}

fn within(range: &NumberRange, n: f64) -> bool {
    (n > range.low || (range.low_inclusive && n == range.low))
        && (n < range.high || (range.high_inclusive && n == range.high))
}

pub(crate) fn continuous_range(call: &mut Call<'_>) -> Done {
    let path = call.args.text(0)?;
    let ranges = call.args.list(1)?;
    let soft = call.args.flag(2)?;
    let at = at(call, &path)?;
    let state = at.state();
    let mut by_field: BTreeMap<FieldId, Vec<NumberRange>> = BTreeMap::new();
    for entry in &ranges {
        let dimension = entry
            .get("qDimIx")
            .and_then(crate::params::whole)
            .unwrap_or(0);
        let field = usize::try_from(dimension).ok().and_then(|d| at.field(d));
        if let (Some(field), Some(r)) = (field, entry.get("qRange")) {
            by_field.entry(field).or_default().push(range(r));
        }
    }
    let mut done = !by_field.is_empty();
    for (field, ranges) in by_field {
        let what = Select::Ranges(ranges, Toggle::Replace);
        done &= select(call, &state, field, &what, locks(soft))?;
    }
    call.put("qSuccess", done);
    Ok(())
}

/// The fields of the columns named, or of all columns.
fn fields_of(call: &mut Call<'_>) -> Result<(String, Vec<FieldId>), RpcError> {
    let path = call.args.text(0)?;
    let columns = call.args.ints(1)?;
    let at = at(call, &path)?;
    let columns: Vec<usize> = if columns.is_empty() {
        (0..at.n_columns()).collect()
    } else {
        columns
            .iter()
            .filter_map(|c| usize::try_from(*c).ok())
            .collect()
    };
    let fields = columns.into_iter().filter_map(|c| at.field(c)).collect();
    Ok((at.state(), fields))
}

pub(crate) fn clear_selections(call: &mut Call<'_>) -> Done {
    let (state, fields) = fields_of(call)?;
    for field in fields {
        select(call, &state, field, &Select::Clear, locks(false))?;
    }
    Ok(())
}

pub(crate) fn lock(call: &mut Call<'_>) -> Done {
    set_locked(call, true)
}

pub(crate) fn unlock(call: &mut Call<'_>) -> Done {
    set_locked(call, false)
}

fn set_locked(call: &mut Call<'_>, locked: bool) -> Done {
    let (state, fields) = fields_of(call)?;
    let doc = call.doc()?;
    let mut next = doc.history.current().clone();
    if let Some(state) = next.state_mut(&state) {
        for field in fields {
            state.set_locked(field, locked);
        }
    }
    doc.history.apply(next);
    selections_changed(call);
    Ok(())
}

pub(crate) fn search(call: &mut Call<'_>) -> Done {
    let text = call.args.text(1)?;
    let done = set_search(call, Some(text).filter(|t| !t.is_empty()))?;
    call.put("qSuccess", done);
    Ok(())
}

pub(crate) fn abort_search(call: &mut Call<'_>) -> Done {
    set_search(call, None)?;
    Ok(())
}

fn set_search(call: &mut Call<'_>, text: Option<String>) -> Result<bool, RpcError> {
    let path = call.args.text(0)?;
    let id = this(call)?;
    let now = call.state.host.now();
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let (_, path) = list_object::at(&env, doc, &id, &path)?;
    if let Some(node) = doc.objects.get_mut(&id) {
        node.paths.entry(path).or_default().search = text;
    }
    call.changed(|t| matches!(t, Target::Object(other) if *other == id));
    Ok(true)
}

/// Selects what is found and ends the search.
pub(crate) fn accept_search(call: &mut Call<'_>) -> Done {
    let path = call.args.text(0)?;
    let flip = call.args.flag(1)?;
    let soft = call.args.flag(2)?;
    let found = at(call, &path)?;
    let state = found.state();
    if let At::List(list, _) = found {
        let toggle = if flip { Toggle::Add } else { Toggle::Replace };
        let what = Select::Elements(list.list.elements(), toggle);
        select(call, &state, list.list.field, &what, locks(soft))?;
    }
    call.args.put_back(0, path.into());
    set_search(call, None)?;
    Ok(())
}
