//! Hypercubes: dimensions, measures, and their rows in order.
//!
//! Dimension values without a record in any measure are left out; NULL is a group of its own
//! unless it is suppressed. A wrong dimension or measure makes that column an error and leaves
//! the others alone.

mod attributes;
mod bins;
mod pivot;
mod show_all;
mod stack;
mod tree;
mod trend;

use std::sync::Arc;

use satchel_data::{FieldId, Value, View};

use crate::calculate::{Calculated, calculate};
use crate::dimension::Dim;
use crate::evaluate::{measure_values, values_by};
use crate::inference::FieldStates;
use crate::limit::{Limit, Limits, calculate_limited};
use crate::order::{Ranking, by_value};
use crate::over_rows::Layout;
use crate::program::{AggSpec, Measure, compile_column};
use crate::{CalcError, Query, Rect, SortCriterion, StateCounts, ValueState};

pub use attributes::{AttributeCell, AttributeDimensionInfo};
pub use bins::{Area, Bin, Binned, MAX_LEVEL, Thinning};
pub use pivot::{Pivot, PivotAxis, PivotCell, PivotDef, PivotKind, PivotNode, PivotPage};
pub use stack::StackNode;
pub use tree::{Tree, TreeKind, TreeNode};
pub use trend::{Trend, TrendDef, TrendKind, TrendLines};

/// A dimension of a cube.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DimensionDef {
    /// A field's name, or an expression over the fields of one record.
    pub def: String,
    /// The order of its values.
    pub sort: SortCriterion,
    /// Leave out rows where it is NULL.
    pub suppress_null: bool,
    /// Expressions evaluated for each of its values.
    pub attributes: Vec<String>,
    /// Fields, or expressions over a record, whose value beside each of its values is told.
    pub attribute_dimensions: Vec<String>,
    /// In a pivot: whether its values have a total beside them.
    pub show_total: bool,
    /// In a pivot: what the total is called; `Totals` if that is empty.
    pub total_label: String,
    /// Which of its values stand by themselves.
    pub limit: Option<Limit>,
    /// Show values that are in the data although the selections exclude them.
    pub show_all: bool,
}

/// A measure of a cube.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeasureDef {
    /// An expression.
    pub def: String,
    /// The order of its values.
    pub sort: SortCriterion,
    /// Expressions evaluated for each row.
    pub attributes: Vec<String>,
    /// Lines through its values.
    pub trends: Vec<TrendDef>,
}

/// A cube.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CubeDef {
    /// Its dimensions.
    pub dimensions: Vec<DimensionDef>,
    /// Its measures.
    pub measures: Vec<MeasureDef>,
    /// Columns to sort by, dimensions first, most important first; unknown ones are ignored.
    /// Columns not named follow in their order.
    pub sort_order: Vec<usize>,
    /// Leave out rows where every measure is 0 or NULL.
    pub suppress_zero: bool,
    /// Leave out rows where every measure is NULL.
    pub suppress_missing: bool,
}

/// What is known of a dimension.
#[derive(Clone, Debug)]
pub struct DimensionInfo {
    /// The field that it is, if it is one.
    pub field: Option<FieldId>,
    /// Why it could not be calculated.
    pub error: Option<CalcError>,
    /// What its expression says of its values: `$date`, `$timestamp`.
    pub tags: &'static [&'static str],
    /// How many values it has in the view.
    pub cardinal: usize,
    /// How many of them are in the cube, NULL not counted.
    pub in_cube: usize,
    /// States of its field's values.
    pub counts: StateCounts,
    /// Smallest number in the cube; NaN if there is none.
    pub min: f64,
    /// Largest number in the cube.
    pub max: f64,
    /// Length of the longest text in the cube, in characters.
    pub longest: usize,
    /// Whether the field's selection is locked.
    pub locked: bool,
    /// Smallest and largest number of each attribute expression, or why there is none.
    pub attributes: Vec<AttributeInfo>,
    /// What is known of each attribute dimension.
    pub attribute_dimensions: Vec<AttributeDimensionInfo>,
}

/// What is known of a measure.
#[derive(Clone, Debug)]
pub struct MeasureInfo {
    /// Why it could not be calculated.
    pub error: Option<CalcError>,
    /// Smallest number in the rows; NaN if there is none.
    pub min: f64,
    /// Largest number in the rows.
    pub max: f64,
    /// Length of the longest text, in characters.
    pub longest: usize,
    /// Smallest and largest number of each attribute expression, or why there is none.
    pub attributes: Vec<AttributeInfo>,
    /// By definition: the lines through its values.
    pub trends: Vec<Vec<Trend>>,
}

/// What is known of an attribute expression.
#[derive(Clone, Debug)]
pub struct AttributeInfo {
    /// Why it could not be calculated.
    pub error: Option<CalcError>,
    /// Smallest number; NaN if there is none.
    pub min: f64,
    /// Largest number.
    pub max: f64,
}

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// A dimension value, with the state of the field's value.
    Dimension(ValueState),
    /// NULL in a dimension.
    Null,
    /// The values that a limit leaves out, or what is collapsed below them.
    Others,
    /// A measure.
    Measure,
}

/// A cell of a straight table.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What it is.
    pub kind: CellKind,
    /// Its value.
    pub value: Value,
    /// The view's element number; -2 for NULL, -3 for the others, 0 for a measure.
    pub element: i64,
    /// Values of the column's attribute expressions.
    pub attributes: Vec<Value>,
    /// Values of the column's attribute dimensions.
    pub attribute_dimensions: Vec<AttributeCell>,
}

impl Cell {
    /// The text to show: `-` for NULL.
    pub fn text(&self) -> String {
        shown(&self.value)
    }

    /// The number; NaN if there is none.
    pub fn num(&self) -> f64 {
        self.value.as_num().unwrap_or(f64::NAN)
    }
}

/// The text to show: `-` for NULL.
pub(crate) fn shown(value: &Value) -> String {
    if value.is_null() {
        "-".to_owned()
    } else {
        value.to_text()
    }
}

/// A dimension with all that its cells need.
#[derive(Debug)]
pub(crate) struct CubeDim {
    dim: Dim,
    states: Option<FieldStates>,
    /// Place in the order of values, by code.
    ranks: Vec<u32>,
    /// By attribute expression: values by code.
    attributes: Vec<Vec<Value>>,
    /// By attribute dimension: values by code.
    attribute_dimensions: Vec<Vec<AttributeCell>>,
    /// What the values that a limit leaves out are called.
    others: String,
}

impl CubeDim {
    /// The code of the values that a limit leaves out.
    fn others_code(&self) -> u32 {
        self.dim.null() + 1
    }

    fn kind(&self, code: u32) -> CellKind {
        if code == self.dim.null() {
            CellKind::Null
        } else if code == self.others_code() {
            CellKind::Others
        } else {
            CellKind::Dimension(self.state(code))
        }
    }

    /// Value and element number.
    fn value(&self, view: &View, code: u32) -> (Value, i64) {
        if code == self.others_code() {
            return (Value::text(self.others.as_str()), -3);
        }
        (self.dim.value(view, code), self.dim.element(view, code))
    }

    fn state(&self, code: u32) -> ValueState {
        match (&self.states, self.dim.plain_field()) {
            (Some(states), Some(_)) => states.of(code),
            _ => ValueState::Optional,
        }
    }
}

/// A calculated cube. Holds no reference to the engine; meaningful with its view.
#[derive(Debug)]
pub struct Cube {
    /// Its dimensions.
    pub dimensions: Vec<DimensionInfo>,
    /// Its measures.
    pub measures: Vec<MeasureInfo>,
    /// The measures over all records.
    pub totals: Vec<Value>,
    /// The columns in the order in which they sort.
    pub sort_order: Vec<usize>,
    view: Arc<View>,
    dims: Vec<CubeDim>,
    /// Dimension codes, row by row, in order.
    codes: Vec<u32>,
    /// By measure: values by row.
    values: Vec<Vec<Value>>,
    /// By measure and attribute expression: values by row.
    attributes: Vec<Vec<Vec<Value>>>,
    n_rows: usize,
}

/// A measure and its attribute expressions; none where the text is wrong.
type Compiled = (Option<Measure>, Vec<(Option<Measure>, Option<CalcError>)>);

impl Query<'_> {
    /// Calculates a cube.
    ///
    /// # Errors
    /// [`CalcError::Stop`] when the budget ends; wrong expressions are errors of their column.
    pub fn cube(&self, def: &CubeDef) -> Result<Cube, CalcError> {
        check_size(def)?;
        let mut dims = Vec::new();
        let mut dimension_infos = Vec::new();
        for dimension in &def.dimensions {
            let (dim, error) = keep_error(Dim::of_text(self, &dimension.def, 0))?;
            let mut info = empty_dimension(error);
            if dim.as_ref().is_some_and(|d| d.plain_field().is_none()) {
                info.tags = crate::program::date_tags_of(self, &dimension.def);
            }
            dimension_infos.push(info);
            dims.extend(dim);
        }
        let mut aggs: Vec<AggSpec> = Vec::new();
        let mut compiled = Vec::new();
        let mut measure_infos = Vec::new();
        let mut compile =
            |text: &str| keep_error(compile_column(self, text, &mut aggs, 0, &def.measures));
        for measure in &def.measures {
            let (program, error) = compile(&measure.def)?;
            let attributes = measure
                .attributes
                .iter()
                .map(|text| compile(text))
                .collect::<Result<Vec<_>, _>>()?;
            measure_infos.push(MeasureInfo {
                error,
                min: f64::NAN,
                max: f64::NAN,
                longest: 0,
                attributes: attributes
                    .iter()
                    .map(|(_, e)| empty_attribute(e.clone()))
                    .collect(),
                trends: Vec::new(),
            });
            compiled.push((program, attributes));
        }
        let mut cube = Cube {
            dimensions: dimension_infos,
            measures: measure_infos,
            totals: vec![Value::Null; def.measures.len()],
            sort_order: sort_order(def),
            view: self.engine.view().clone(),
            dims: Vec::new(),
            codes: Vec::new(),
            values: vec![Vec::new(); def.measures.len()],
            attributes: vec![Vec::new(); def.measures.len()],
            n_rows: 0,
        };
        if dims.len() < def.dimensions.len() {
            return Ok(cube);
        }
        let limits = limits(def, dims.len());
        let calculated = match keep_error(calculate_limited(self, &dims, &limits, &aggs))? {
            (Some(calculated), _) => calculated,
            // The expression of a limit is wrong: that dimension cannot be shown.
            (None, error) => {
                let limited = def.dimensions.iter().position(|d| d.limit.is_some());
                if let Some(at) = limited {
                    cube.dimensions[at].error = error;
                }
                return Ok(cube);
            }
        };
        let calculated = self.with_all(def, &dims, &aggs, calculated)?;
        let n_columns = dims.len() + compiled.len();
        self.budget
            .charge_bytes((calculated.n_rows * n_columns * 32) as u64)?;
        cube.dims = self.rank(def, dims, &calculated)?;
        let values = |c: &Calculated, m: &Option<Measure>, layout: &Layout| match m {
            Some(measure) => measure_values(self, c, measure, layout),
            None => Ok(vec![Value::Null; c.n_rows]),
        };
        let layout = self.layout(def, &cube, &calculated, &compiled)?;
        let columns = compiled
            .iter()
            .map(|(m, _)| values(&calculated, m, &layout))
            .collect::<Result<Vec<_>, _>>()?;
        let attributes = compiled
            .iter()
            .map(|(_, all)| {
                all.iter()
                    .map(|(m, _)| values(&calculated, m, &layout))
                    .collect::<Result<Vec<_>, _>>()
            })
            .collect::<Result<Vec<_>, _>>()?;
        if !compiled.is_empty() {
            let total = if cube.dims.is_empty() {
                None
            } else {
                match calculated.total_row() {
                    Some(row) => Some(row),
                    None => Some(calculate(self, &[], &aggs)?),
                }
            };
            let total = total.as_ref().unwrap_or(&calculated);
            for (place, (measure, _)) in cube.totals.iter_mut().zip(&compiled) {
                let value = values(total, measure, &Layout::unordered(0))?;
                *place = value.into_iter().next().unwrap_or(Value::Null);
            }
        }
        let order = cube.order(def, &calculated, &columns);
        cube.n_rows = order.len();
        for row in &order {
            cube.codes.extend_from_slice(calculated.tuple(*row));
        }
        let pick =
            |column: &Vec<Value>| order.iter().map(|r| column[*r].clone()).collect::<Vec<_>>();
        cube.values = columns.iter().map(pick).collect();
        cube.attributes = attributes
            .iter()
            .map(|all| all.iter().map(pick).collect())
            .collect();
        self.describe(def, &mut cube)?;
        Ok(cube)
    }

    /// Where the rows stand for functions that look at other rows. They are sorted as shown, but
    /// not by measures that look at other rows themselves.
    fn layout(
        &self,
        def: &CubeDef,
        cube: &Cube,
        calculated: &Calculated,
        compiled: &[Compiled],
    ) -> Result<Layout, CalcError> {
        let n_dims = cube.dims.len();
        let looks = |m: &Option<Measure>| m.as_ref().is_some_and(|m| !m.over_rows.is_empty());
        let any =
            |(m, more): &(Option<Measure>, Vec<_>)| looks(m) || more.iter().any(|(m, _)| looks(m));
        if !compiled.iter().any(any) {
            return Ok(Layout::unordered(n_dims));
        }
        let plain = Layout::unordered(n_dims);
        let columns = compiled
            .iter()
            .map(|(m, _)| match m {
                Some(measure) if measure.over_rows.is_empty() => {
                    measure_values(self, calculated, measure, &plain)
                }
                _ => Ok(vec![Value::Null; calculated.n_rows]),
            })
            .collect::<Result<Vec<_>, _>>()?;
        // Rows without values are kept until all measures are known.
        let unsuppressed = CubeDef {
            suppress_zero: false,
            suppress_missing: false,
            ..def.clone()
        };
        let order = cube.order(&unsuppressed, calculated, &columns);
        let order = order.into_iter().map(|row| row as u32).collect();
        Ok(Layout::ordered(n_dims, n_dims, order))
    }

    /// The dimensions with the ranks of the values in the cube.
    fn rank(
        &self,
        def: &CubeDef,
        dims: Vec<Dim>,
        calculated: &Calculated,
    ) -> Result<Vec<CubeDim>, CalcError> {
        let mut ranked = Vec::new();
        for (i, dim) in dims.into_iter().enumerate() {
            self.budget.charge_bytes(5 * (dim.n_codes as u64 + 2))?;
            let mut present = vec![false; dim.n_codes + 2];
            for row in 0..calculated.n_rows {
                present[calculated.tuple(row)[i] as usize] = true;
            }
            let mut codes: Vec<u32> = (0u32..)
                .zip(&present)
                .filter(|(_, p)| **p)
                .map(|(c, _)| c)
                .filter(|c| *c <= dim.null())
                .collect();
            let states = match dim.plain_field() {
                Some(field) => Some(self.engine.field_states(
                    &self.current(),
                    field,
                    self.budget,
                )?),
                None => None,
            };
            match Ranking::new(self, &dim, &def.dimensions[i].sort, states.as_ref()) {
                Ok(ranking) => ranking.sort(&mut codes),
                Err(CalcError::Expression(_)) => {
                    let plain = SortCriterion::default();
                    Ranking::new(self, &dim, &plain, None)?.sort(&mut codes);
                }
                Err(stop) => return Err(stop),
            }
            let mut ranks = vec![0; dim.n_codes + 2];
            for (rank, code) in codes.iter().enumerate() {
                ranks[*code as usize] = rank as u32;
            }
            // The others come last, whatever the order.
            ranks[dim.n_codes + 1] = codes.len() as u32;
            let limit = def.dimensions[i].limit.as_ref();
            ranked.push(CubeDim {
                dim,
                states,
                ranks,
                attributes: Vec::new(),
                attribute_dimensions: Vec::new(),
                others: limit.map_or_else(String::new, |l| l.label.clone()),
            });
        }
        Ok(ranked)
    }

    fn describe(&self, def: &CubeDef, cube: &mut Cube) -> Result<(), CalcError> {
        let n_dims = cube.dims.len();
        for (i, info) in cube.dimensions.iter_mut().enumerate() {
            let view = self.engine.view();
            let column = &mut cube.dims[i];
            let mut codes: Vec<u32> = cube.codes.iter().skip(i).step_by(n_dims).copied().collect();
            codes.sort_unstable();
            codes.dedup();
            codes.retain(|c| *c < column.dim.null());
            info.field = column.dim.plain_field();
            info.cardinal = column.dim.cardinality(view);
            info.in_cube = codes.len();
            for code in &codes {
                let value = column.dim.value(view, *code);
                widen(&mut info.min, &mut info.max, &value);
                info.longest = info.longest.max(shown(&value).chars().count());
            }
            match &column.states {
                Some(states) => {
                    info.counts = states.counts(info.cardinal);
                    info.locked = states.locked;
                }
                None => info.counts.optional = info.cardinal as u64,
            }
            for text in &def.dimensions[i].attributes {
                let (values, error) = keep_error(values_by(self, &column.dim, text))?;
                let mut attribute = empty_attribute(error);
                let values = values.unwrap_or_else(|| vec![Value::Null; column.dim.n_codes + 1]);
                for code in &codes {
                    widen(
                        &mut attribute.min,
                        &mut attribute.max,
                        &values[*code as usize],
                    );
                }
                info.attributes.push(attribute);
                column.attributes.push(values);
            }
            for text in &def.dimensions[i].attribute_dimensions {
                let (known, values) = self.attribute_dimension(&column.dim, text)?;
                info.attribute_dimensions.push(known);
                column.attribute_dimensions.push(values);
            }
        }
        for (i, info) in cube.measures.iter_mut().enumerate() {
            for value in &cube.values[i] {
                widen(&mut info.min, &mut info.max, value);
                info.longest = info.longest.max(shown(value).chars().count());
            }
            for (attribute, values) in info.attributes.iter_mut().zip(&cube.attributes[i]) {
                for value in values {
                    widen(&mut attribute.min, &mut attribute.max, value);
                }
            }
        }
        for (i, measure) in def.measures.iter().enumerate() {
            let trends = measure.trends.iter().map(|t| cube.trend(i, t)).collect();
            cube.measures[i].trends = trends;
        }
        Ok(())
    }
}

impl Cube {
    /// The calculated rows to show, in order.
    fn order(&self, def: &CubeDef, calculated: &Calculated, columns: &[Vec<Value>]) -> Vec<usize> {
        let n_dims = self.dims.len();
        let suppressed = |row: usize| {
            let tuple = calculated.tuple(row);
            let is_null = |i: usize| tuple[i] == self.dims[i].dim.null();
            let zero = |c: &Vec<Value>| c[row].is_null() || c[row].as_num() == Some(0.0);
            (0..n_dims).any(|i| def.dimensions[i].suppress_null && is_null(i))
                || (n_dims > 0 && !columns.is_empty())
                    && ((def.suppress_zero && columns.iter().all(zero))
                        || (def.suppress_missing && columns.iter().all(|c| c[row].is_null())))
        };
        let mut rows: Vec<usize> = (0..calculated.n_rows).filter(|r| !suppressed(*r)).collect();
        let is_others = |row: usize| {
            let tuple = calculated.tuple(row);
            (0..n_dims).any(|i| tuple[i] == self.dims[i].others_code())
        };
        rows.sort_by(|a, b| {
            let mut order = std::cmp::Ordering::Equal;
            for column in &self.sort_order {
                order = order.then_with(|| match column.checked_sub(n_dims) {
                    None => {
                        let rank = |r: usize| {
                            self.dims[*column].ranks[calculated.tuple(r)[*column] as usize]
                        };
                        rank(*a).cmp(&rank(*b))
                    }
                    Some(measure) => {
                        let sort = &def.measures[measure].sort;
                        let by = if sort.numeric == crate::SortOrder::None {
                            sort.ascii
                        } else {
                            sort.numeric
                        };
                        is_others(*a).cmp(&is_others(*b)).then_with(|| {
                            by_value(by, &columns[measure][*a], &columns[measure][*b])
                        })
                    }
                });
            }
            order
        });
        rows
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// How many columns there are: dimensions, then measures.
    pub fn n_columns(&self) -> usize {
        self.dimensions.len() + self.measures.len()
    }

    /// Whether a column could not be calculated.
    pub fn error(&self) -> Option<&CalcError> {
        let dims = self.dimensions.iter().filter_map(|d| d.error.as_ref());
        dims.chain(self.measures.iter().filter_map(|m| m.error.as_ref()))
            .next()
    }

    /// The cells of a rectangle, clipped to what there is, row by row.
    pub fn page(&self, rect: Rect) -> (Rect, Vec<Vec<Cell>>) {
        let rect = rect.clipped(self.n_columns(), self.n_rows);
        let rows = (rect.top..rect.top + rect.height)
            .map(|row| {
                (rect.left..rect.left + rect.width)
                    .map(|column| self.cell(row, column))
                    .collect()
            })
            .collect();
        (rect, rows)
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let n_dims = self.dims.len();
        if let Some(measure) = column.checked_sub(self.dimensions.len()) {
            return Cell {
                kind: CellKind::Measure,
                value: self.values[measure]
                    .get(row)
                    .cloned()
                    .unwrap_or(Value::Null),
                element: 0,
                attributes: self.attributes[measure]
                    .iter()
                    .map(|a| a.get(row).cloned().unwrap_or(Value::Null))
                    .collect(),
                attribute_dimensions: Vec::new(),
            };
        }
        let dim = &self.dims[column];
        let code = self.codes[row * n_dims + column];
        let (value, element) = dim.value(&self.view, code);
        Cell {
            kind: dim.kind(code),
            value,
            element,
            attributes: dim
                .attributes
                .iter()
                .map(|a| a.get(code as usize).cloned().unwrap_or(Value::Null))
                .collect(),
            attribute_dimensions: dim
                .attribute_dimensions
                .iter()
                .map(|a| a.get(code as usize).cloned().unwrap_or_default())
                .collect(),
        }
    }

    /// What selecting elements of a dimension means: the field and its element numbers. For an
    /// expression over one field, all values for which it gives one of the elements' values.
    pub fn selectable(&self, dimension: usize, elements: &[i64]) -> Option<(FieldId, Vec<u32>)> {
        let dim = &self.dims.get(dimension)?.dim;
        let field = dim.field()?;
        let wanted: Vec<u32> = elements
            .iter()
            .filter_map(|e| u32::try_from(*e).ok())
            .collect();
        let crate::dimension::Source::Mapped(_, map) = &dim.source else {
            return Some((field, wanted));
        };
        let n = self.view.model().field(field).symbols.len() as u32;
        let chosen = (0..n)
            .filter(|c| wanted.contains(&map[*c as usize]))
            .filter_map(|c| self.view.elem_of(field, c))
            .collect();
        Some((field, chosen))
    }
}

/// Keeps the error of a wrong expression beside; the end of the budget ends the calculation.
fn keep_error<T>(
    result: Result<T, CalcError>,
) -> Result<(Option<T>, Option<CalcError>), CalcError> {
    match result {
        Ok(value) => Ok((Some(value), None)),
        Err(error @ CalcError::Expression(_)) => Ok((None, Some(error))),
        Err(stop) => Err(stop),
    }
}

/// At most so many columns: more than any screen, few enough to nest as levels of a tree.
const MAX_COLUMNS: usize = 250;

fn check_size(def: &CubeDef) -> Result<(), CalcError> {
    let n = def.dimensions.len() + def.measures.len();
    if n <= MAX_COLUMNS {
        return Ok(());
    }
    let message = format!("a cube has at most {MAX_COLUMNS} columns, not {n}");
    let place = satchel_syntax::Span::default();
    Err(CalcError::Expression(vec![
        satchel_syntax::Diagnostic::error("cube.too_many_columns", place, message),
    ]))
}

fn sort_order(def: &CubeDef) -> Vec<usize> {
    let n = def.dimensions.len() + def.measures.len();
    let mut order: Vec<usize> = Vec::with_capacity(n);
    for column in def.sort_order.iter().copied().chain(0..n) {
        if column < n && !order.contains(&column) {
            order.push(column);
        }
    }
    order
}

fn empty_dimension(error: Option<CalcError>) -> DimensionInfo {
    DimensionInfo {
        field: None,
        error,
        tags: &[],
        cardinal: 0,
        in_cube: 0,
        counts: StateCounts::default(),
        min: f64::NAN,
        max: f64::NAN,
        longest: 0,
        locked: false,
        attributes: Vec::new(),
        attribute_dimensions: Vec::new(),
    }
}

/// The limits of a cube whose dimensions stand on one axis.
fn limits(def: &CubeDef, second_axis: usize) -> Limits<'_> {
    Limits {
        limits: def.dimensions.iter().map(|d| d.limit.as_ref()).collect(),
        suppress_null: def.dimensions.iter().map(|d| d.suppress_null).collect(),
        second_axis,
        measures: &def.measures,
    }
}

fn empty_attribute(error: Option<CalcError>) -> AttributeInfo {
    AttributeInfo {
        error,
        min: f64::NAN,
        max: f64::NAN,
    }
}

fn widen(min: &mut f64, max: &mut f64, value: &Value) {
    if let Some(num) = value.as_num() {
        *min = min.min(num);
        *max = max.max(num);
    }
}
