//! Expanding and collapsing pivot tables; drilling up.

use satchel_engine::{PivotNode, Select};

use crate::doc::field_methods::{locks, select};
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::layout::Env;
use crate::layout::cube_def::{dimension, state_of};
use crate::layout::hypercube::{self, defined_at, definition};
use crate::layout::pivot::place;
use crate::object::this;
use crate::session::Call;
use crate::wire::field_name;

type Done = Result<(), RpcError>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Top,
}

pub(crate) fn expand_left(call: &mut Call<'_>) -> Done {
    set_open(call, Side::Left, true)
}

pub(crate) fn expand_top(call: &mut Call<'_>) -> Done {
    set_open(call, Side::Top, true)
}

pub(crate) fn collapse_left(call: &mut Call<'_>) -> Done {
    set_open(call, Side::Left, false)
}

pub(crate) fn collapse_top(call: &mut Call<'_>) -> Done {
    set_open(call, Side::Top, false)
}

fn set_open(call: &mut Call<'_>, side: Side, open: bool) -> Done {
    let path = call.args.text(0)?;
    let row = call.args.int(1, 0)?;
    let column = call.args.int(2, 0)?;
    let all = call.args.flag(3)?;
    let id = this(call)?;
    let now = call.state.host.now();
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let computed = hypercube::at(&env, doc, &id, &path)?;
    let Some(pivot) = &computed.pivot else {
        return Err(RpcError::about(Code::InvalidObjectState, path));
    };
    let (nodes, leaf, level) = match side {
        Side::Left => (&pivot.left, row, column),
        Side::Top => (&pivot.top, column, row),
    };
    let wrong = || RpcError::about(Code::InvalidParameters, "qRow, qCol");
    let leaf = usize::try_from(leaf).map_err(|_| wrong())?;
    let level = usize::try_from(level).map_err(|_| wrong())?;
    let mut paths = Vec::new();
    if all {
        at_level(nodes, level, &mut Vec::new(), &mut paths);
    } else {
        let steps = place(nodes, leaf, level).ok_or_else(wrong)?;
        paths.push(steps.iter().map(|s| s.element).collect());
    }
    let path = {
        let node = doc.objects.get(&id);
        let node = node.ok_or_else(|| RpcError::about(Code::NotFound, id.clone()))?;
        let properties = serde_json::Value::Object(node.effective()?);
        definition(&properties, &path)?.1
    };
    if let Some(node) = doc.objects.get_mut(&id) {
        let state = node.paths.entry(path).or_default();
        let list = match side {
            Side::Left => &mut state.left,
            Side::Top => &mut state.top,
        };
        // Collapsing a value collapses everything below it too.
        list.retain(|p| !paths.iter().any(|gone| p.starts_with(gone)));
        if open {
            list.extend(paths);
        }
    }
    call.changed(|t| matches!(t, Target::Object(other) if *other == id));
    Ok(())
}

/// The paths of all nodes at a level that can be expanded or collapsed.
fn at_level(nodes: &[PivotNode], level: usize, path: &mut Vec<i64>, out: &mut Vec<Vec<i64>>) {
    for node in nodes {
        path.push(node.element);
        if level == 0 {
            if node.can_expand || node.can_collapse {
                out.push(path.clone());
            }
        } else {
            at_level(&node.children, level - 1, path, out);
        }
        path.pop();
    }
}

/// Goes up in a drill-down dimension: what is selected in the fields it comes from is cleared.
/// In a cyclic one it goes back to an earlier field.
pub(crate) fn drill_up(call: &mut Call<'_>) -> Done {
    let path = call.args.text(0)?;
    let column = call.args.int(1, 0)?;
    let steps = usize::try_from(call.args.int(2, 1)?.max(1)).unwrap_or(1);
    let id = this(call)?;
    let now = call.state.host.now();
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let wrong = || RpcError::about(Code::InvalidParameters, "qDimNo");
    let column = usize::try_from(column).map_err(|_| wrong())?;
    let (dimension, state) = defined_at(doc, &id, &path, |node, path, state, value| {
        let session = hypercube::path_state(node, path);
        let state = state_of(value, state);
        let list = value
            .get("qDimensions")
            .and_then(serde_json::Value::as_array);
        // A list object is its own column.
        let of = match list {
            Some(list) => list.get(column).ok_or_else(wrong)?,
            None => value,
        };
        let active = session.active.get(&column).copied();
        Ok((dimension(&env, of, active, &state)?, state))
    })?;
    if dimension.grouping == "H" {
        let from = dimension.active.saturating_sub(steps);
        let state = match state.as_str() {
            "" => satchel_engine::DEFAULT_STATE.to_owned(),
            state => state.to_owned(),
        };
        for def in dimension
            .defs
            .get(from..dimension.active)
            .unwrap_or_default()
        {
            if let Some(field) = call.doc()?.engine.field(field_name(def)) {
                select(call, &state, field, &Select::Clear, locks(false))?;
            }
        }
    } else {
        let path = defined_at(call.doc()?, &id, &path, |_, path, _, _| Ok(path.to_owned()))?;
        let node = call.doc()?.objects.get_mut(&id);
        let node = node.ok_or_else(|| RpcError::about(Code::NotFound, id.clone()))?;
        let active = node.paths.entry(path).or_default().active.get_mut(&column);
        if let Some(active) = active {
            *active = active.saturating_sub(steps);
        }
    }
    call.changed(|t| matches!(t, Target::Object(other) if *other == id));
    Ok(())
}
