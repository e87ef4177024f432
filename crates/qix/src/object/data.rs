//! Pages of data of an object's lists and cubes.

use satchel_base::Budget;
use satchel_engine::Rect;
use serde_json::Value;

use crate::doc::Doc;
use crate::errors::{Code, RpcError};
use crate::host::Now;
use crate::layout::cube_def::Mode;
use crate::layout::hypercube::{self, Computed};
use crate::layout::{Env, list_object, pages, pivot, stack, tree};
use crate::object::this;
use crate::session::Call;

type Done = Result<(), RpcError>;

/// The most cells of a reduced answer.
const MAX_REDUCED_CELLS: usize = 20_000;

/// Path, pages, and what is needed to answer.
pub(crate) fn request(
    call: &mut Call<'_>,
) -> Result<(String, String, Vec<Rect>, Now, Budget), RpcError> {
    let path = call.args.text(0)?;
    let rects = pages::read(&call.args.list(1)?);
    let id = this(call)?;
    Ok((id, path, rects, call.state.host.now(), call.budget.clone()))
}

fn computed(
    doc: &Doc,
    env: &Env<'_>,
    id: &str,
    path: &str,
    rects: &[Rect],
) -> Result<Computed, RpcError> {
    let computed = hypercube::at(env, doc, id, path)?;
    let (columns, rows) = hypercube::extent(&computed);
    pages::check(rects, columns, rows)?;
    Ok(computed)
}

pub(crate) fn get_list_object_data(call: &mut Call<'_>) -> Done {
    let (id, path, rects, now, budget) = request(call)?;
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let (list, _) = list_object::at(&env, doc, &id, &path)?;
    let pages = list_object::fetch(&env, &list, &rects)?;
    call.put("qDataPages", pages);
    Ok(())
}

pub(crate) fn get_hypercube_data(call: &mut Call<'_>) -> Done {
    let (id, path, rects, now, budget) = request(call)?;
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let computed = computed(doc, &env, &id, &path, &rects)?;
    if computed.wire.mode != Mode::Straight {
        return Err(RpcError::about(Code::InvalidObjectState, path));
    }
    let pages = hypercube::data_pages(&env, &computed, &rects);
    call.put("qDataPages", pages);
    Ok(())
}

/// The first rows, for overviews.
pub(crate) fn get_hypercube_reduced_data(call: &mut Call<'_>) -> Done {
    let (id, path, rects, now, budget) = request(call)?;
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let computed = hypercube::at(&env, doc, &id, &path)?;
    let n = rects.len().max(1);
    let n_dims = computed.wire.dimensions.len();
    let mut cut = Vec::new();
    // An overview of a stack shows its bars: asked for from column 1 on, a row is a bar's
    // dimension and the measures, and the inner dimensions are left out.
    let bars = computed.wire.mode == Mode::Stack && n_dims > 1;
    let rects: Vec<Rect> = rects
        .into_iter()
        .map(|r| {
            let mut r = r.clipped(computed.cube.n_columns(), computed.cube.n_rows());
            if bars && r.left > 0 {
                r.left = 0;
                r.width = computed.cube.n_columns();
            }
            let asked = r.height;
            r.height = r.height.min(MAX_REDUCED_CELLS / n / r.width.max(1));
            cut.push(r.height < asked);
            r
        })
        .collect();
    let mut pages = hypercube::data_pages(&env, &computed, &rects);
    for (page, cut) in pages.as_array_mut().into_iter().flatten().zip(cut) {
        let Value::Object(page) = page else { continue };
        if bars && let Some(Value::Array(rows)) = page.get_mut("qMatrix") {
            for cells in rows.iter_mut().filter_map(Value::as_array_mut) {
                if cells.len() > n_dims {
                    cells.drain(1..n_dims);
                }
            }
        }
        page.insert("qIsReduced".to_owned(), cut.into());
    }
    call.put("qDataPages", pages);
    Ok(())
}

pub(crate) fn get_hypercube_pivot_data(call: &mut Call<'_>) -> Done {
    let (id, path, rects, now, budget) = request(call)?;
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let computed = computed(doc, &env, &id, &path, &rects)?;
    if computed.wire.mode != Mode::Pivot {
        return Err(RpcError::about(Code::InvalidObjectState, path));
    }
    let pages = pivot::pages(&env, &computed, &rects);
    call.put("qDataPages", pages);
    Ok(())
}

pub(crate) fn get_hypercube_stack_data(call: &mut Call<'_>) -> Done {
    let (id, path, rects, now, budget) = request(call)?;
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let computed = computed(doc, &env, &id, &path, &rects)?;
    if computed.wire.mode != Mode::Stack {
        return Err(RpcError::about(Code::InvalidObjectState, path));
    }
    let pages = stack::pages(&env, &computed, &rects);
    call.put("qDataPages", pages);
    Ok(())
}

pub(crate) fn get_hypercube_tree_data(call: &mut Call<'_>) -> Done {
    let path = call.args.text(0)?;
    let part = tree::Part::read(&call.args.value(1));
    let id = this(call)?;
    let (now, budget) = (call.state.host.now(), call.budget.clone());
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let computed = hypercube::at(&env, doc, &id, &path)?;
    let Some(whole) = &computed.tree else {
        return Err(RpcError::about(Code::InvalidObjectState, path));
    };
    let cells = tree::size(whole, &part) * computed.wire.measures.len().max(1);
    pages::check_cells(cells)?;
    let nodes = tree::nodes(&env, &computed, whole, &part);
    call.put("qNodes", nodes);
    Ok(())
}
