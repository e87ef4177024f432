//! Functions that look at other rows of a chart: `Above`, `Rank`, `RowNo` and their kin.
//!
//! Rows stand in *segments*: those that agree in all dimensions but the last one of the axis;
//! with `TOTAL` all rows of the axis. The vertical axis is made of a chart's dimensions, in a
//! pivot table of those at the left; the horizontal one of those at the top. Rules: the public
//! reference of inter-record and ranking functions. In totals they give NULL.

use satchel_base::Stop;
use satchel_calc::within;
use satchel_data::Value;
use satchel_syntax::{Call, Diagnostic, Expr, ExprKind, SetExpr};

use crate::calculate::Calculated;
use crate::dimension::Dim;
use crate::evaluate::measure_values;
use crate::order::Ranking;
use crate::program::{AggSpec, Measure, compile_column, measure_of};
use crate::{CalcError, MeasureDef, Query, SortCriterion};

/// Where the rows of a chart stand.
pub(crate) struct Layout {
    n_dims: usize,
    /// Dimensions of the vertical axis; the others are of the horizontal one.
    n_vertical: usize,
    /// The rows in the order in which they are shown; empty for totals.
    order: Vec<u32>,
}

impl Layout {
    /// For totals, and for expressions that look at no other row.
    pub fn unordered(n_dims: usize) -> Self {
        Self {
            n_dims,
            n_vertical: n_dims,
            order: Vec::new(),
        }
    }

    /// Rows in this order, `n_vertical` of the dimensions at the left.
    pub fn ordered(n_dims: usize, n_vertical: usize, order: Vec<u32>) -> Self {
        Self {
            n_dims,
            n_vertical,
            order,
        }
    }

    /// The layout without some rows.
    pub fn without(mut self, is_out: impl Fn(usize) -> bool) -> Self {
        self.order.retain(|row| !is_out(*row as usize));
        self
    }

    /// Rows sorted by their dimensions, the first one first.
    pub fn sorted(
        query: &Query<'_>,
        dims: &[Dim],
        sorts: &[SortCriterion],
        calculated: &Calculated,
    ) -> Result<Self, CalcError> {
        let mut ranks: Vec<Vec<u32>> = Vec::new();
        let plain = SortCriterion::default();
        for (i, dim) in dims.iter().enumerate() {
            let mut codes: Vec<u32> = (0..calculated.n_rows)
                .map(|r| calculated.tuple(r)[i])
                .collect();
            codes.sort_unstable();
            codes.dedup();
            let sort = sorts.get(i).unwrap_or(&plain);
            Ranking::new(query, dim, sort, None)?.sort(&mut codes);
            let mut rank = vec![0; dim.n_codes + 1];
            for (place, code) in (0u32..).zip(&codes) {
                rank[*code as usize] = place;
            }
            ranks.push(rank);
        }
        let mut order: Vec<u32> = (0..calculated.n_rows as u32).collect();
        let key = |row: u32| {
            let tuple = calculated.tuple(row as usize);
            ranks.iter().zip(tuple).map(|(r, c)| r[*c as usize])
        };
        order.sort_by(|a, b| key(*a).cmp(key(*b)));
        Ok(Self::ordered(dims.len(), dims.len(), order))
    }

    /// The segments along an axis, each with its rows in order.
    fn segments(&self, calculated: &Calculated, axis: Axis, reach: Reach) -> Vec<Vec<u32>> {
        let along = match axis {
            Axis::Vertical => 0..self.n_vertical,
            Axis::Horizontal => self.n_vertical..self.n_dims,
        };
        let fixed: Vec<usize> = (0..self.n_dims)
            .filter(|d| !along.contains(d) || (reach == Reach::Segment && d + 1 != along.end))
            .collect();
        let mut places = rustc_hash::FxHashMap::default();
        let mut segments: Vec<Vec<u32>> = Vec::new();
        for row in &self.order {
            let tuple = calculated.tuple(*row as usize);
            let key: Vec<u32> = fixed.iter().map(|d| tuple[*d]).collect();
            let place = *places.entry(key).or_insert(segments.len());
            if place == segments.len() {
                segments.push(Vec::new());
            }
            segments[place].push(*row);
        }
        segments
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Vertical,
    Horizontal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Segment,
    Total,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// So many rows back: `Above`, `Before`.
    Back,
    /// So many rows on: `Below`, `After`.
    On,
    /// Counted from the first row: `Top`, `First`.
    FromFirst,
    /// Counted from the last row: `Bottom`, `Last`.
    FromLast,
    /// The number of the row, from 1.
    Number,
    /// How many rows there are.
    Count,
    Rank,
    /// How many dimensions stand in the row.
    Depth,
    /// A measure of the chart.
    Column,
    /// The value of a dimension that is in no table.
    Made,
}

/// A function over rows with its arguments compiled.
pub(crate) struct OverRows {
    kind: Kind,
    axis: Axis,
    reach: Reach,
    args: Vec<Measure>,
    /// All values of a dimension that is in no table.
    made: Vec<Value>,
}

/// Name, kind, axis, fewest and most arguments.
const FUNCTIONS: &[(&str, Kind, Axis, usize, usize)] = &[
    ("above", Kind::Back, Axis::Vertical, 1, 3),
    ("below", Kind::On, Axis::Vertical, 1, 3),
    ("top", Kind::FromFirst, Axis::Vertical, 1, 3),
    ("bottom", Kind::FromLast, Axis::Vertical, 1, 3),
    ("before", Kind::Back, Axis::Horizontal, 1, 3),
    ("after", Kind::On, Axis::Horizontal, 1, 3),
    ("first", Kind::FromFirst, Axis::Horizontal, 1, 3),
    ("last", Kind::FromLast, Axis::Horizontal, 1, 3),
    ("rowno", Kind::Number, Axis::Vertical, 0, 0),
    ("columnno", Kind::Number, Axis::Horizontal, 0, 0),
    ("noofrows", Kind::Count, Axis::Vertical, 0, 0),
    ("noofcolumns", Kind::Count, Axis::Horizontal, 0, 0),
    ("rank", Kind::Rank, Axis::Vertical, 1, 3),
    ("vrank", Kind::Rank, Axis::Vertical, 1, 3),
    ("hrank", Kind::Rank, Axis::Horizontal, 1, 3),
    ("dimensionality", Kind::Depth, Axis::Vertical, 0, 0),
    (
        "secondarydimensionality",
        Kind::Depth,
        Axis::Horizontal,
        0,
        0,
    ),
    ("column", Kind::Column, Axis::Vertical, 1, 1),
];

impl OverRows {
    /// The function that a call names, if it names one; `set` is the set around it.
    pub fn of_call(
        query: &Query<'_>,
        call: &Call,
        set: Option<&SetExpr>,
        columns: &[MeasureDef],
        aggs: &mut Vec<AggSpec>,
        depth: u32,
    ) -> Option<Result<Self, CalcError>> {
        if let Some(made) = crate::made::values(query, call, depth) {
            return Some(made.map(|made| Self {
                kind: Kind::Made,
                axis: Axis::Vertical,
                reach: Reach::Total,
                args: Vec::new(),
                made,
            }));
        }
        let (_, kind, axis, least, most) = FUNCTIONS
            .iter()
            .find(|(name, ..)| call.name.eq_ignore_ascii_case(name))?;
        // `TOTAL` alone between the brackets is read as a field's name.
        let is_total = |arg: &Expr| matches!(&arg.kind, ExprKind::Field(name) if name.eq_ignore_ascii_case("total"));
        let total_alone = *most == 0 && matches!(call.args.as_slice(), [arg] if is_total(arg));
        let given: &[Expr] = if total_alone { &[] } else { &call.args };
        let n = given.len();
        if n < *least || n > *most {
            let message = format!(
                "`{}` takes {least} to {most} arguments, found {n}",
                call.name
            );
            let problem = Diagnostic::error("expr.arguments", call.name_span, message);
            let hint = "as in Above(Sum(Sales), 1) or Rank(TOTAL Sum(Sales))";
            return Some(Err(wrong(problem.with_hint(hint))));
        }
        let own = call.set.as_ref().map(|own| within(own, set));
        let set = own.as_ref().or(set);
        let mut compile = |arg: &Expr| match (kind, &arg.kind) {
            (Kind::Column, ExprKind::Number(n)) => {
                let Some(column) = columns.get((*n as usize).wrapping_sub(1)) else {
                    let message = format!("the chart has no measure number {n}");
                    let problem = Diagnostic::error("expr.unknown_column", arg.span, message);
                    let hint = "Column(1) is the chart's first measure";
                    return Err(wrong(problem.with_hint(hint)));
                };
                compile_column(query, &column.def, aggs, depth + 1, columns)
            }
            (Kind::Column, _) => {
                let message = "`Column` takes the number of a measure";
                Err(wrong(Diagnostic::error(
                    "expr.arguments",
                    arg.span,
                    message,
                )))
            }
            (_, _) => {
                let arg = match set {
                    None => arg.clone(),
                    Some(set) => Expr {
                        span: arg.span,
                        kind: ExprKind::WithSet {
                            set: Box::new(set.clone()),
                            expr: Box::new(arg.clone()),
                        },
                    },
                };
                measure_of(query, &arg, aggs, depth + 1, columns)
            }
        };
        let args: Result<Vec<_>, _> = given.iter().map(&mut compile).collect();
        Some(args.map(|args| Self {
            kind: *kind,
            axis: *axis,
            reach: if call.total.is_some() || total_alone {
                Reach::Total
            } else {
                Reach::Segment
            },
            args,
            made: Vec::new(),
        }))
    }

    /// The results in each row.
    pub fn column(
        &self,
        query: &Query<'_>,
        calculated: &Calculated,
        layout: &Layout,
    ) -> Result<Column, Stop> {
        let n_rows = calculated.n_rows;
        let args = self
            .args
            .iter()
            .map(|a| measure_values(query, calculated, a, layout))
            .collect::<Result<Vec<_>, _>>()?;
        query.budget.charge_rows(n_rows as u64)?;
        query.budget.charge_bytes(64 * n_rows as u64)?;
        let depth = match self.axis {
            Axis::Vertical => layout.n_vertical,
            Axis::Horizontal => layout.n_dims - layout.n_vertical,
        };
        let mut column = Column {
            values: Vec::new(),
            ranges: vec![None; n_rows],
        };
        match self.kind {
            Kind::Depth => {
                return Ok(Column::of(vec![Value::num(depth as f64); n_rows]));
            }
            Kind::Column => return Ok(Column::of(args.into_iter().next().unwrap_or_default())),
            Kind::Made => return Ok(Column::of(calculated.made_values(&self.made))),
            // There is no column beside another where nothing stands at the top.
            _ if depth == 0 => return Ok(column),
            _ => {}
        }
        for segment in layout.segments(calculated, self.axis, self.reach) {
            self.fill(query, &segment, &args, &mut column)?;
        }
        Ok(column)
    }

    /// The results in the rows of one segment.
    fn fill(
        &self,
        query: &Query<'_>,
        segment: &[u32],
        args: &[Vec<Value>],
        column: &mut Column,
    ) -> Result<(), Stop> {
        let n = segment.len();
        let base = column.values.len();
        let number = |arg: usize, row: u32| {
            let given = args.get(arg)?;
            Some(given.get(row as usize)?.as_num().map_or(0, |n| n as i64))
        };
        match self.kind {
            Kind::Number | Kind::Count => {
                for (i, row) in segment.iter().enumerate() {
                    let number = if self.kind == Kind::Number { i + 1 } else { n };
                    column.ranges[*row as usize] = Some((column.values.len(), 1));
                    column.values.push(Value::num(number as f64));
                }
            }
            Kind::Rank => {
                let first = segment.first().copied().unwrap_or(0);
                let mode = number(1, first).unwrap_or(0);
                let format = number(2, first).unwrap_or(0);
                let numbers: Vec<Option<f64>> = segment
                    .iter()
                    .map(|r| args[0][*r as usize].as_num().filter(|n| !n.is_nan()))
                    .collect();
                for (row, value) in segment.iter().zip(ranks(&numbers, mode, format)) {
                    column.ranges[*row as usize] = Some((column.values.len(), 1));
                    column.values.push(value);
                }
            }
            _ => {
                column
                    .values
                    .extend(segment.iter().map(|r| args[0][*r as usize].clone()));
                for (i, row) in segment.iter().enumerate() {
                    let offset = number(1, *row).unwrap_or(1);
                    let count = number(2, *row).unwrap_or(1).max(0);
                    let place = i as i64;
                    let (from, to) = match self.kind {
                        // The nearest row is the first of several.
                        Kind::Back => (place - offset - count + 1, place - offset + 1),
                        Kind::On => (place + offset, place + offset + count),
                        Kind::FromFirst => (offset - 1, offset - 1 + count),
                        _ => (n as i64 - offset - count + 1, n as i64 - offset + 1),
                    };
                    let (from, to) = (from.max(0), to.min(n as i64));
                    if from < to {
                        query.budget.charge_rows((to - from) as u64)?;
                        column.ranges[*row as usize] =
                            Some((base + from as usize, (to - from) as usize));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The results of a function over rows.
pub(crate) struct Column {
    values: Vec<Value>,
    /// By row: the first of its results and how many; `None` is NULL.
    ranges: Vec<Option<(usize, usize)>>,
}

impl Column {
    fn of(values: Vec<Value>) -> Self {
        Self {
            ranges: (0..values.len()).map(|i| Some((i, 1))).collect(),
            values,
        }
    }

    /// The results in a row.
    pub fn results(&self, row: usize) -> &[Value] {
        match self.ranges.get(row) {
            Some(Some((from, n))) => &self.values[*from..*from + *n],
            _ => &[],
        }
    }
}

/// The ranks of numbers, the largest first; none where there is no number.
///
/// `mode` chooses the number of those that share a rank: 1 the lowest, 2 the mean, 3 the
/// highest, 4 each its own; 0 the lowest in the better half, the highest in the worse half, the
/// mean of all ranks across the middle. `format` chooses the text: 0 all shared ranks (`3-4`),
/// 1 the lowest, 2 the lowest once.
fn ranks(numbers: &[Option<f64>], mode: i64, format: i64) -> Vec<Value> {
    let mut by_size: Vec<(usize, f64)> = numbers
        .iter()
        .enumerate()
        .filter_map(|(i, n)| n.map(|n| (i, n)))
        .collect();
    by_size.sort_by(|a, b| b.1.total_cmp(&a.1));
    let n = by_size.len();
    let middle = (n as f64 + 1.0) / 2.0;
    let mut values = vec![Value::Null; numbers.len()];
    let mut start = 0;
    while start < n {
        let size = by_size[start].1;
        let shared = by_size[start..]
            .iter()
            .take_while(|(_, x)| *x == size)
            .count();
        let (low, high) = ((start + 1) as f64, (start + shared) as f64);
        for (i, (place, _)) in by_size[start..start + shared].iter().enumerate() {
            let number = match mode {
                1 => low,
                2 => (low + high) / 2.0,
                3 => high,
                4 => low + i as f64,
                _ if high <= middle => low,
                _ if low >= middle => high,
                _ => middle,
            };
            let text = match format {
                1 => low.to_string(),
                2 if i > 0 => String::new(),
                2 => low.to_string(),
                _ if shared == 1 => low.to_string(),
                _ => format!("{low}-{high}"),
            };
            let plain = text == number.to_string();
            values[*place] = if plain {
                Value::num(number)
            } else {
                Value::dual(number, text)
            };
        }
        start += shared;
    }
    values
}

fn wrong(problem: Diagnostic) -> CalcError {
    CalcError::Expression(vec![problem])
}
