//! Expanding and collapsing pivot tables; drilling up.

use satchel_engine::PivotNode;

use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::layout::Env;
use crate::layout::hypercube::{self, definition};
use crate::layout::pivot::place;
use crate::object::this;
use crate::session::Call;

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
        paths.push(place(nodes, leaf, level).ok_or_else(wrong)?.elements);
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

/// The paths of all nodes at a level.
fn at_level(nodes: &[PivotNode], level: usize, path: &mut Vec<i64>, out: &mut Vec<Vec<i64>>) {
    for node in nodes {
        path.push(node.element);
        if level == 0 {
            out.push(path.clone());
        } else {
            at_level(&node.children, level - 1, path, out);
        }
        path.pop();
    }
}

pub(crate) fn drill_up(call: &mut Call<'_>) -> Done {
    let path = call.args.text(0)?;
    let dimension = call.args.int(1, 0)?;
    let steps = call.args.int(2, 1)?.max(1);
    let id = this(call)?;
    let doc = call.doc()?;
    let node = doc.objects.get_mut(&id);
    let node = node.ok_or_else(|| RpcError::about(Code::NotFound, id.clone()))?;
    let properties = serde_json::Value::Object(node.effective()?);
    let (_, path) = definition(&properties, &path)?;
    let dimension = usize::try_from(dimension)
        .map_err(|_| RpcError::about(Code::InvalidParameters, "qDimNo"))?;
    if let Some(active) = node
        .paths
        .entry(path)
        .or_default()
        .active
        .get_mut(&dimension)
    {
        *active = active.saturating_sub(usize::try_from(steps).unwrap_or(0));
    }
    call.changed(|t| matches!(t, Target::Object(other) if *other == id));
    Ok(())
}
