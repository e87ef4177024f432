//! Pages: the rectangles a client asks for.

use satchel_engine::Rect;
use serde_json::{Map, Value, json};

use crate::errors::{Code, RpcError};

/// The most cells one answer may have: the limit clients know and keep to.
const MAX_CELLS: usize = 10_000;

/// Reads `qPages` or `qInitialDataFetch`.
pub(crate) fn read(pages: &[Value]) -> Vec<Rect> {
    pages
        .iter()
        .map(|page| {
            let n = |name: &str| {
                page.get(name)
                    .and_then(crate::params::whole)
                    .and_then(|n| usize::try_from(n).ok())
                    .unwrap_or(0)
            };
            Rect {
                left: n("qLeft"),
                top: n("qTop"),
                width: n("qWidth"),
                height: n("qHeight"),
            }
        })
        .collect()
}

/// Refuses pages that together, clipped to the data, have too many cells.
pub(crate) fn check(pages: &[Rect], n_columns: usize, n_rows: usize) -> Result<(), RpcError> {
    let cells = pages.iter().fold(0usize, |n, page| {
        let page = page.clipped(n_columns, n_rows);
        n.saturating_add(page.width.saturating_mul(page.height))
    });
    check_cells(cells)
}

/// Refuses an answer with too many cells.
pub(crate) fn check_cells(cells: usize) -> Result<(), RpcError> {
    if cells > MAX_CELLS {
        return Err(RpcError::about(
            Code::PagesTooLarge,
            format!("{cells} cells asked for, {MAX_CELLS} are the most"),
        ));
    }
    Ok(())
}

/// A page of rows.
pub(crate) fn page(matrix: Vec<Value>, rect: Rect) -> Value {
    // Moved in, not through `json!`, which copies what it is given.
    let mut page = Map::with_capacity(3);
    page.insert("qMatrix".to_owned(), matrix.into());
    page.insert("qTails".to_owned(), json!([{"qUp": 0, "qDown": 0}]));
    page.insert("qArea".to_owned(), area(rect));
    page.into()
}

/// `qArea`.
pub(crate) fn area(rect: Rect) -> Value {
    json!({
        "qLeft": rect.left, "qTop": rect.top, "qWidth": rect.width, "qHeight": rect.height,
    })
}
