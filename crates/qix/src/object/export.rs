//! `ExportData`: an object's table as a file.
//!
//! Rules: public documentation of ExportData. Only what the reader's view shows is exported,
//! and only if they may export at all. With `P` rows of excluded values are left out.

use satchel_base::{Budget, Stop};
use satchel_engine::{CellKind, ListCell, Rect, ValueState};
use serde_json::{Value, json};

use crate::doc::Doc;
use crate::errors::{Code, RpcError};
use crate::export::{ExportCell, ExportFile, ExportKind};
use crate::layout::column::{fallback_title, formatted, measure_title};
use crate::layout::cube_def;
use crate::layout::hypercube::{self, Computed, defined_at, holds};
use crate::layout::list_object::{self, ComputedList};
use crate::layout::{Env, expression_text};
use crate::object::this;
use crate::params::whole;
use crate::session::{Call, State};

type Done = Result<(), RpcError>;

/// Rows that are taken from a table at a time.
const BLOCK: usize = 1_000;

/// "The exported data is truncated."
const TRUNCATED: i64 = 1000;

/// Which values are exported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Possible,
}

pub(crate) fn export_data(call: &mut Call<'_>) -> Done {
    let kind = kind(&call.args.value(0))?;
    let path = call.args.text(1)?;
    let name = call.args.text(2)?;
    let which = which(&call.args.value(3))?;
    let id = this(call)?;
    let now = call.state.host.now();
    let budget = call.budget.clone();
    // Host and app are used together from here on.
    let State { host, doc } = &mut *call.state;
    let doc = doc.as_ref().ok_or(Code::AppNotOpen)?;
    if !doc.meta.may_export {
        return Err(Code::AccessDenied.into());
    }
    let path = match (path.as_str(), kind) {
        ("", ExportKind::Workbook) => default_path(doc, &id)?,
        ("", _) => return Err(RpcError::about(Code::InvalidParameters, "qPath")),
        _ => path,
    };
    let env = Env::new(doc, now, &budget);
    let name = if name.trim().is_empty() {
        title(&env, doc, &id)?
    } else {
        name
    };
    let is_list = defined_at(doc, &id, &path, |_, path, _, _| {
        Ok(path.ends_with("/qListObjectDef"))
    })?;
    let table = if is_list {
        let (list, _) = list_object::at(&env, doc, &id, &path)?;
        Table::of_list(&env, list)?
    } else {
        refuse_if_closed(&env, doc, &id, &path)?;
        Table::of_cube(&env, hypercube::at(&env, doc, &id, &path)?)?
    };
    if table.shown.is_empty() {
        return Err(Code::NothingToExport.into());
    }
    let (max_columns, max_rows) = kind.limits();
    let n_columns = table.shown.len().min(max_columns);
    let n_rows = max_rows.min(kind.max_cells() / n_columns.max(1));
    let file = ExportFile {
        app: doc.meta.id.clone(),
        name,
        kind,
        columns: table.titles.iter().take(n_columns).cloned().collect(),
    };
    let mut rows = Rows {
        env: &env,
        table: &table,
        which,
        n_columns,
        left: n_rows,
        next: 0,
        block: Vec::new().into_iter(),
        truncated: n_columns < table.shown.len(),
        budget: &budget,
    };
    let made = host.export(&file, &mut rows);
    let truncated = rows.truncated;
    // A budget that ended says so, whatever the host made of it.
    budget.check()?;
    call.put("qUrl", made?);
    if truncated {
        call.put("qWarnings", json!([TRUNCATED]));
    }
    Ok(())
}

fn kind(value: &Value) -> Result<ExportKind, RpcError> {
    let wrong = || RpcError::about(Code::InvalidParameters, "qFileType");
    let number = match value {
        Value::Null => 0,
        Value::String(name) => match name.as_str() {
            "CSV_C" | "EXPORT_CSV_C" => 0,
            "CSV_T" | "EXPORT_CSV_T" => 1,
            "OOXML" | "EXPORT_OOXML" => 2,
            _ => return Err(wrong()),
        },
        value => whole(value).ok_or_else(wrong)?,
    };
    match number {
        0 => Ok(ExportKind::Csv),
        1 => Ok(ExportKind::Tsv),
        2 => Ok(ExportKind::Workbook),
        _ => Err(wrong()),
    }
}

fn which(value: &Value) -> Result<Which, RpcError> {
    match value {
        Value::Null => Ok(Which::All),
        Value::String(name) => match name.as_str() {
            "P" | "EXPORT_POSSIBLE" => Ok(Which::Possible),
            "" | "A" | "EXPORT_ALL" => Ok(Which::All),
            _ => Err(RpcError::about(Code::InvalidParameters, "qExportState")),
        },
        value => match whole(value) {
            Some(0) => Ok(Which::Possible),
            Some(1) => Ok(Which::All),
            _ => Err(RpcError::about(Code::InvalidParameters, "qExportState")),
        },
    }
}

fn default_path(doc: &Doc, id: &str) -> Result<String, RpcError> {
    let node = doc.objects.get(id);
    let properties = node
        .ok_or_else(|| RpcError::about(Code::NotFound, id))?
        .effective()?;
    ["qHyperCubeDef", "qListObjectDef"]
        .into_iter()
        .find(|name| properties.get(*name).is_some_and(Value::is_object))
        .map(|name| format!("/{name}"))
        .ok_or_else(|| Code::NothingToExport.into())
}

/// What the object is called, for the file's name.
fn title(env: &Env<'_>, doc: &Doc, id: &str) -> Result<String, RpcError> {
    let node = doc.objects.get(id);
    let properties = node
        .ok_or_else(|| RpcError::about(Code::NotFound, id))?
        .effective()?;
    let text = |value: &Value| match value {
        Value::String(text) => env.text("", text),
        value => match value.get("qStringExpression") {
            Some(expression) => Ok(env.value("", expression_text(expression))?.to_text()),
            None => Ok(String::new()),
        },
    };
    let meta = properties.get("qMetaDef").and_then(|m| m.get("title"));
    for value in [properties.get("title"), meta].into_iter().flatten() {
        let title = text(value)?;
        if !title.trim().is_empty() {
            return Ok(title);
        }
    }
    Ok(String::new())
}

/// A cube whose calculation condition is not met shows nothing, so nothing is exported.
fn refuse_if_closed(env: &Env<'_>, doc: &Doc, id: &str, path: &str) -> Done {
    defined_at(doc, id, path, |_, _, state, value| {
        let condition = cube_def::condition(value);
        if holds(env, state, &condition)? {
            Ok(())
        } else {
            Err(Code::NothingToExport.into())
        }
    })
}

enum Source {
    List(Box<ComputedList>),
    Cube(Box<Computed>),
}

/// A table with the columns that are shown, in their order.
struct Table {
    source: Source,
    /// Columns of the source.
    shown: Vec<usize>,
    titles: Vec<String>,
}

impl Table {
    fn of_list(env: &Env<'_>, list: ComputedList) -> Result<Self, RpcError> {
        let dimension = &list.dimension;
        let title = fallback_title(env, &list.state, dimension, dimension.active)?;
        Ok(Self {
            source: Source::List(Box::new(list)),
            shown: vec![0],
            titles: vec![title],
        })
    }

    fn of_cube(env: &Env<'_>, computed: Computed) -> Result<Self, RpcError> {
        let (wire, cube) = (&computed.wire, &computed.cube);
        if let Some(error) = cube.error() {
            return Err(RpcError::about(Code::InvalidParameters, error.to_string()));
        }
        let n_dims = wire.dimensions.len();
        let shown: Vec<usize> = (0..cube.n_columns())
            .filter(|c| !computed.hidden.get(*c).copied().unwrap_or(false))
            .collect();
        let mut titles = Vec::new();
        for column in &shown {
            titles.push(match column.checked_sub(n_dims) {
                None => {
                    let dimension = &wire.dimensions[*column];
                    fallback_title(env, &wire.state, dimension, dimension.active)?
                }
                Some(measure) => measure_title(env, &wire.state, &wire.measures[measure])?,
            });
        }
        Ok(Self {
            shown,
            titles,
            source: Source::Cube(Box::new(computed)),
        })
    }

    fn n_rows(&self) -> usize {
        match &self.source {
            Source::List(list) => list.list.n_rows(),
            Source::Cube(computed) => computed.cube.n_rows(),
        }
    }

    /// Some rows; those left out are `None`.
    fn block(&self, env: &Env<'_>, top: usize, n_columns: usize, which: Which) -> Vec<Row> {
        let rect = |width| Rect {
            left: 0,
            top,
            width,
            height: BLOCK,
        };
        match &self.source {
            Source::List(list) => {
                let format = list.dimension.format.as_ref();
                let (_, cells) = list.list.page(rect(1));
                let row = |cell: &ListCell| {
                    let is_left_out = which == Which::Possible && !is_possible(cell.state);
                    (!is_left_out).then(|| vec![export_cell(env, &cell.value, format, false)])
                };
                cells.iter().map(row).collect()
            }
            Source::Cube(computed) => {
                let (wire, cube) = (&computed.wire, &computed.cube);
                let n_dims = wire.dimensions.len();
                let (_, rows) = cube.page(rect(cube.n_columns()));
                let row = |cells: &Vec<satchel_engine::Cell>| {
                    let excluded = |c: &satchel_engine::Cell| matches!(c.kind, CellKind::Dimension(state) if !is_possible(state));
                    if which == Which::Possible && cells.iter().any(excluded) {
                        return None;
                    }
                    let cell = |column: &usize| {
                        let format = match column.checked_sub(n_dims) {
                            None => wire.dimensions[*column].format.as_ref(),
                            Some(m) => wire.measures[m].format.as_ref(),
                        };
                        export_cell(env, &cells[*column].value, format, *column >= n_dims)
                    };
                    Some(self.shown.iter().take(n_columns).map(cell).collect())
                };
                rows.iter().map(row).collect()
            }
        }
    }
}

type Row = Option<Vec<ExportCell>>;

fn is_possible(state: ValueState) -> bool {
    matches!(
        state,
        ValueState::Selected | ValueState::Locked | ValueState::Optional
    )
}

fn export_cell(
    env: &Env<'_>,
    value: &satchel_data::Value,
    format: Option<&Value>,
    is_measure: bool,
) -> ExportCell {
    if value.is_null() {
        return ExportCell {
            text: String::new(),
            num: None,
        };
    }
    let text = formatted(value, format, &env.locale);
    let num = value.as_num().filter(|n| {
        n.is_finite() && (is_measure || text == satchel_data::Value::num(*n).to_text())
    });
    ExportCell { text, num }
}

/// The rows of a table, a block at a time.
struct Rows<'a> {
    env: &'a Env<'a>,
    table: &'a Table,
    which: Which,
    n_columns: usize,
    /// Rows that may still be handed out.
    left: usize,
    next: usize,
    block: std::vec::IntoIter<Row>,
    truncated: bool,
    budget: &'a Budget,
}

impl Iterator for Rows<'_> {
    type Item = Result<Vec<ExportCell>, Stop>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.block.next() {
                let Some(row) = row else { continue };
                if self.left == 0 {
                    self.truncated = true;
                    return None;
                }
                self.left -= 1;
                return Some(Ok(row));
            }
            if self.next >= self.table.n_rows() || (self.truncated && self.left == 0) {
                return None;
            }
            if let Err(stop) = self.budget.charge_rows(BLOCK as u64) {
                self.next = usize::MAX;
                return Some(Err(stop));
            }
            let rows = self
                .table
                .block(self.env, self.next, self.n_columns, self.which);
            self.next += BLOCK;
            self.block = rows.into_iter();
        }
    }
}
