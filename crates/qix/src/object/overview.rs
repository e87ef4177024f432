//! Overviews of cubes with many rows: points counted in the cells of a grid, lines thinned
//! along a continuous axis.
//!
//! Rules: the public reference of the API, `GetHyperCubeBinnedData` and
//! `GetHyperCubeContinuousData`; what the unmodified scatter plot and line chart read.

use satchel_engine::{Area, Bin, Binned, MAX_LEVEL, Rect, Thinning};
use serde_json::{Value, json};

use crate::errors::{Code, RpcError};
use crate::layout::hypercube::{self, Computed};
use crate::layout::{Env, pages};
use crate::object::data::request;
use crate::session::Call;
use crate::wire::number::num;

type Done = Result<(), RpcError>;

/// The most cells of a grid, and the most points shown one by one: what a scatter plot may be
/// set to show.
const MAX_POINTS: usize = 50_000;

/// The most rows of a thinned line: some twenty times the columns of a screen.
const MAX_LINE_ROWS: usize = 50_000;

fn member(value: &Value, name: &str) -> f64 {
    value.get(name).and_then(Value::as_f64).unwrap_or(0.0)
}

/// `qDataRanges`: the top is the largest value and the height goes down from it.
fn area(range: &Value) -> Area {
    let (left, width) = (member(range, "qLeft"), member(range, "qWidth"));
    let (top, height) = (member(range, "qTop"), member(range, "qHeight"));
    Area {
        left: left.min(left + width),
        right: left.max(left + width),
        bottom: top.min(top - height),
        top: top.max(top - height),
    }
}

/// Points of a scatter in the cells of a grid, or one by one when they are few.
pub(crate) fn get_hypercube_binned_data(call: &mut Call<'_>) -> Done {
    let range = match call.args.value(3) {
        Value::Array(list) => list.into_iter().next().unwrap_or_default(),
        one => one,
    };
    let wanted = call.args.int(4, 0)?;
    let level = call.args.int(5, 0)?;
    let method = call.args.int(6, 0)?;
    // Hexagons are another grid than the one we keep; it is said, not drawn as squares.
    if !matches!(method, 0 | 2) {
        return Err(RpcError::about(Code::InvalidParameters, "qBinningMethod"));
    }
    let level = u32::try_from(level).ok().filter(|l| *l <= MAX_LEVEL);
    let level = level.ok_or_else(|| RpcError::about(Code::InvalidParameters, "qQueryLevel"))?;
    let max_cells = usize::try_from(wanted).unwrap_or(0).min(MAX_POINTS);
    let (id, path, rects, now, budget) = request(call)?;
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let computed = hypercube::at(&env, doc, &id, &path)?;
    if computed.cube.measures.len() < 2 {
        return Err(RpcError::about(Code::InvalidObjectState, path));
    }
    let binned = computed
        .cube
        .binned(area(&range), level, max_cells, &budget)?;
    let page = rects.first().copied();
    let (bins, points) = match binned {
        Binned::Cells(cells) => (bin_page(&cells), point_page(&env, &computed, &[], page)),
        Binned::Rows(rows) => (bin_page(&[]), point_page(&env, &computed, &rows, page)),
    };
    call.put("qDataPages", json!([bins, points]));
    Ok(())
}

/// The fullest cell's count first, then the cells: `[left, top, right, bottom]` and the count.
fn bin_page(bins: &[Bin]) -> Value {
    let mut matrix = Vec::with_capacity(bins.len() + 1);
    if let Some(fullest) = bins.first() {
        matrix.push(json!([{"qNum": fullest.count, "qElemNumber": 0, "qState": "L"}]));
    }
    matrix.extend(bins.iter().map(|bin| {
        let Area {
            left,
            right,
            bottom,
            top,
        } = bin.area;
        let corners = json!([num(left), num(top), num(right), num(bottom)]);
        json!([{
            "qText": corners.to_string(),
            "qNum": bin.count,
            "qElemNumber": bin.number,
            "qState": "L",
        }])
    }));
    page_of(matrix, 1)
}

/// The asked columns and rows of the points, as in a straight table.
fn point_page(env: &Env<'_>, computed: &Computed, rows: &[usize], page: Option<Rect>) -> Value {
    let n_columns = computed.cube.n_columns();
    let page = page.unwrap_or(Rect {
        left: 0,
        top: 0,
        width: n_columns,
        height: rows.len(),
    });
    let page = page.clipped(n_columns, rows.len());
    let rows = &rows[page.top..page.top + page.height];
    let cells: Vec<Vec<_>> = computed
        .cube
        .rows(rows)
        .into_iter()
        .map(|row| row.into_iter().skip(page.left).take(page.width).collect())
        .collect();
    pages::page(hypercube::matrix(env, computed, page.left, &cells), page)
}

fn page_of(matrix: Vec<Value>, width: usize) -> Value {
    let height = matrix.len();
    let width = if height == 0 { 0 } else { width };
    pages::page(
        matrix,
        Rect {
            left: 0,
            top: 0,
            width,
            height,
        },
    )
}

/// Lines along a continuous axis, thinned to what shapes them.
pub(crate) fn get_hypercube_continuous_data(call: &mut Call<'_>) -> Done {
    let options = Value::Object(call.args.object(1)?);
    let reverse = call.args.flag(2)?;
    let count = |name: &str| {
        options
            .get(name)
            .and_then(crate::params::whole)
            .and_then(|n| usize::try_from(n).ok())
    };
    let end = |name: &str, open: f64| options.get(name).and_then(Value::as_f64).unwrap_or(open);
    let (start, end) = (end("qStart", f64::NEG_INFINITY), end("qEnd", f64::INFINITY));
    let n_bins = count("qNbrPoints").unwrap_or(0);
    let max_lines = count("qMaxNumberLines").filter(|n| *n > 0);
    call.args.put_back(1, Value::Null);
    let (id, path, _, now, budget) = request(call)?;
    let doc = call.doc()?;
    let env = Env::new(doc, now, &budget);
    let computed = hypercube::at(&env, doc, &id, &path)?;
    let Some(axis) = computed.cube.dimensions.first() else {
        return Err(RpcError::about(Code::InvalidObjectState, path));
    };
    // An open end is that of the axis: stretches need a length.
    let (start, end) = (start.max(axis.min), end.min(axis.max));
    let n_measures = computed.cube.measures.len();
    let n_lines = computed.cube.dimensions.get(1).map_or(1, |d| d.in_cube + 1);
    let n_lines = n_lines.min(max_lines.unwrap_or(usize::MAX)).max(1);
    let most = MAX_LINE_ROWS / (n_lines * (2 + 2 * n_measures)).max(1);
    let how = Thinning {
        start,
        end,
        n_bins: match n_bins {
            0 if computed.cube.n_rows() <= MAX_LINE_ROWS => 0,
            0 => most.max(1),
            n => n.min(most.max(1)),
        },
        max_lines: n_lines,
    };
    let mut rows = computed.cube.along_axis(&how, &budget)?;
    if reverse {
        rows.reverse();
    }
    let n_columns = computed.cube.n_columns();
    let matrix = hypercube::matrix(&env, &computed, 0, &computed.cube.rows(&rows));
    let page = page_of(matrix, n_columns);
    call.put("qDataPages", json!([page]));
    // Ticks are those of fields derived from the axis; a script cannot derive any yet, and a
    // chart then makes its own.
    call.put("qAxisData", json!({ "qAxis": [] }));
    Ok(())
}
