//! One `LOAD`: rows of a source to rows of a table. Filter, repeat, compute, group, sort,
//! distinct; where the result goes is decided in `statements`.

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_base::{Budget, Stop};
use satchel_calc::{Accumulator, AggCall, Mode, Program, RowValues, compile};
use satchel_data::{Frame, FrameColumn, SymbolKey, Value};
use satchel_syntax::{Diagnostic, Expr, Load, LoadField, LoadSource};

use crate::evaluate::{Rows, Source, SourceScope, Surroundings, rewrite};
use crate::group_keys::{FieldGroups, places, places_of_rows};
use crate::held::Held;
use crate::symbol_filter::{BySymbol, by_symbol, first_rows, forget_unused};
use crate::tables::gather;

/// Why a load did not give a table.
pub(crate) enum LoadError {
    /// The statement is wrong; spans are in its expanded text.
    Diagnostics(Vec<Diagnostic>),
    /// It was stopped.
    Stopped(Stop),
}

impl From<Stop> for LoadError {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// A compiled `LOAD`.
struct Plan {
    names: Vec<String>,
    columns: Vec<Program>,
    filter: Option<Program>,
    /// How the filter decides, if the symbols of one field decide it.
    by_symbol: Option<BySymbol>,
    repeat: Option<Program>,
    group_by: Vec<Program>,
    order_by: Vec<(Program, bool)>,
    previous: Vec<Program>,
    is_grouped: bool,
}

/// Runs `load` over the rows of `source`; at most `first` rows of the result if given.
pub(crate) fn run_load(
    load: &Load,
    mut source: Source,
    first: Option<usize>,
    around: &Surroundings<'_>,
    budget: &Budget,
) -> Result<Frame, LoadError> {
    let plan = plan(load, &source).map_err(LoadError::Diagnostics)?;
    budget.charge_rows(source.n_rows as u64)?;
    if !plan.order_by.is_empty() {
        source = Source::of(sort(&source, &plan, around));
    }
    let mut out = if plan.is_grouped {
        grouped(&plan, &source, around, budget)?
    } else if plan.is_plain() {
        by_column(&plan, source, around, &Held::new(budget))?
    } else {
        by_row(&plan, &source, first, around, budget)?
    };
    if load.distinct {
        out = distinct(&out);
    }
    if let Some(first) = first
        && out.n_rows() > first
    {
        for column in &mut out.columns {
            column.codes.truncate(first);
            forget_unused(column);
        }
    }
    Ok(out)
}

impl Plan {
    /// Whether no row depends on another, so that columns can be computed one by one.
    fn is_plain(&self) -> bool {
        self.repeat.is_none()
            && (self.filter.iter()).all(|p| !p.calls_host || self.by_symbol.is_some())
            && self.columns.iter().all(|p| !p.calls_host)
    }
}

fn plan(load: &Load, source: &Source) -> Result<Plan, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    if !load.order_by.is_empty() && !matches!(load.source, LoadSource::Resident(_)) {
        diagnostics.push(
            Diagnostic::error(
                "script.order_by_not_resident",
                load.order_by[0].expr.span,
                "ORDER BY needs a table that is loaded already",
            )
            .with_hint("load the table first, then LOAD … RESIDENT it with ORDER BY"),
        );
    }
    let no_group: Vec<u32> = Vec::new();
    let mut previous = Vec::new();
    let mut compiled = |expr: &Expr, mode: Mode, grouped: &[u32], out: &mut Vec<Diagnostic>| {
        let mut expr = expr.clone();
        rewrite(&mut expr, &mut previous);
        let scope = SourceScope {
            frame: &source.frame,
            grouped,
        };
        let (program, found) = compile(&expr, mode, &scope);
        out.extend(found);
        program
    };
    let filter =
        (load.filter.as_ref()).map(|e| compiled(e, Mode::Row, &no_group, &mut diagnostics));
    let repeat =
        (load.repeat.as_ref()).map(|e| compiled(e, Mode::Row, &no_group, &mut diagnostics));
    let order_by: Vec<(Program, bool)> = (load.order_by.iter())
        .map(|o| {
            let program = compiled(&o.expr, Mode::Row, &no_group, &mut diagnostics);
            (program, o.descending)
        })
        .collect();
    let group_by: Vec<Program> = (load.group_by.iter())
        .map(|e| compiled(e, Mode::Row, &no_group, &mut diagnostics))
        .collect();
    let keys: Vec<u32> = group_by.iter().flat_map(|p| p.fields.clone()).collect();
    let mut exprs: Vec<Option<(&Expr, &str)>> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for field in &load.fields {
        match field {
            LoadField::Star(_) => {
                for column in &source.frame.columns {
                    names.push(column.name.clone());
                    exprs.push(None);
                }
            }
            LoadField::Column { expr, name, .. } => {
                if names.contains(&name.text) {
                    diagnostics.push(
                        Diagnostic::error(
                            "script.duplicate_field",
                            name.span,
                            format!("field `{}` is there twice", name.text),
                        )
                        .with_hint("give one of them another name with AS"),
                    );
                }
                names.push(name.text.clone());
                exprs.push(Some((expr, name.text.as_str())));
            }
        }
    }
    let mut compile_columns = |mode: Mode, out: &mut Vec<Diagnostic>| -> Vec<Program> {
        let mut star = 0;
        (exprs.iter())
            .map(|entry| match entry {
                Some((expr, _)) => compiled(expr, mode, &keys, out),
                None => {
                    let column = &source.frame.columns[star % source.frame.columns.len()];
                    star += 1;
                    let field = Expr {
                        kind: satchel_syntax::ExprKind::Field(column.name.clone()),
                        span: load.span,
                    };
                    compiled(&field, mode, &keys, out)
                }
            })
            .collect()
    };
    let mut found = Vec::new();
    let mut is_grouped = !group_by.is_empty();
    let mode = if is_grouped { Mode::Group } else { Mode::Row };
    let mut columns = compile_columns(mode, &mut found);
    if !is_grouped
        && found
            .iter()
            .any(|d| d.code == "expr.aggregation_not_allowed")
    {
        let mut again = Vec::new();
        columns = compile_columns(Mode::Group, &mut again);
        if columns.iter().any(|c| !c.aggs.is_empty()) {
            is_grouped = true;
            found = again;
        }
    }
    diagnostics.extend(found);
    let scope = SourceScope {
        frame: &source.frame,
        grouped: &no_group,
    };
    let mut programs = Vec::new();
    for expr in &previous {
        let (program, found) = compile(expr, Mode::Row, &scope);
        diagnostics.extend(found);
        programs.push(program);
    }
    for diagnostic in &mut diagnostics {
        if diagnostic.code == "expr.unknown_field" {
            diagnostic.code = "script.unknown_field";
            if diagnostic.hint.is_none() {
                diagnostic.hint = Some(known_fields(&source.frame));
            }
        }
    }
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    let by_symbol = match (&load.filter, &filter) {
        (Some(expr), Some(program)) => {
            let source_names: Vec<&str> = (source.frame.columns.iter())
                .map(|c| c.name.as_str())
                .collect();
            by_symbol(load, expr, program, &source_names)
        }
        _ => None,
    };
    Ok(Plan {
        names,
        columns,
        filter,
        by_symbol,
        repeat,
        group_by,
        order_by,
        previous: programs,
        is_grouped,
    })
}

fn known_fields(frame: &Frame) -> String {
    /// More than that is no help.
    const MOST: usize = 12;
    if frame.columns.is_empty() {
        return "the source has no fields".to_owned();
    }
    let names: Vec<&str> = (frame.columns.iter().take(MOST))
        .map(|c| c.name.as_str())
        .collect();
    let more = if frame.columns.len() > MOST {
        ", …"
    } else {
        ""
    };
    format!("the source has {}{more}", names.join(", "))
}

/// Rows of the source in the order of `ORDER BY`; equal ones stay in place.
fn sort(source: &Source, plan: &Plan, around: &Surroundings<'_>) -> Frame {
    let rows = Rows::new(source, Vec::new(), Frame::default());
    let mut columns: Vec<Option<Vec<u32>>> = (plan.order_by.iter())
        .map(|(program, _)| {
            let slot = program.as_single_field()? as usize;
            Some(places_of_rows(source.frame.columns.get(slot)?))
        })
        .collect();
    let mut values: Vec<Vec<Value>> = vec![Vec::new(); columns.len()];
    if columns.contains(&None) {
        // Row by row: an expression may depend on the rows before.
        for row in 0..source.n_rows {
            rows.row.set(row);
            for (i, (program, _)) in plan.order_by.iter().enumerate() {
                if columns[i].is_none() {
                    values[i].push(around.eval(program, &rows, Some(&rows)));
                }
            }
        }
    }
    for (column, values) in columns.iter_mut().zip(values) {
        column.get_or_insert_with(|| places(&values));
    }
    let keys: Vec<(Vec<u32>, bool)> = (columns.into_iter().flatten())
        .zip(plan.order_by.iter().map(|(_, descending)| *descending))
        .collect();
    let mut order: Vec<u32> = (0..source.n_rows as u32).collect();
    order.sort_by(|a, b| {
        (keys.iter())
            .map(|(places, descending)| {
                let order = places[*a as usize].cmp(&places[*b as usize]);
                if *descending { order.reverse() } else { order }
            })
            .find(|o| o.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    gather(&source.frame, &order)
}

/// Column by column: a bare field is taken over, what depends on one field is computed once
/// per distinct value.
fn by_column(
    plan: &Plan,
    mut source: Source,
    around: &Surroundings<'_>,
    held: &Held<'_>,
) -> Result<Frame, Stop> {
    let kept = match &plan.filter {
        Some(filter) => Some(passing(plan, filter, &source, around, held)?),
        None => None,
    };
    let mut columns: Vec<Option<FrameColumn>> = (plan.columns.iter())
        .map(|program| match program.as_single_field() {
            Some(_) => Ok(None),
            None => computed(program, &source, kept.as_deref(), around, held).map(Some),
        })
        .collect::<Result<_, Stop>>()?;
    // Nothing reads the source any more: the last of the columns that take a field has it.
    let slots: Vec<Option<usize>> = (plan.columns.iter())
        .map(|program| program.as_single_field().map(|slot| slot as usize))
        .collect();
    for (i, slot) in slots.iter().enumerate() {
        let Some(slot) = *slot else { continue };
        let from = &mut source.frame.columns[slot];
        let mut column = if slots[i + 1..].contains(&Some(slot)) {
            from.clone()
        } else {
            std::mem::take(from)
        };
        if let Some(kept) = &kept {
            column.codes = kept.iter().map(|r| column.codes[*r as usize]).collect();
        }
        columns[i] = Some(column);
    }
    let mut out = Frame::default();
    for (column, name) in columns.into_iter().flatten().zip(&plan.names) {
        let mut column = column;
        column.name.clone_from(name);
        if kept.is_some() {
            forget_unused(&mut column);
        }
        out.columns.push(column);
    }
    Ok(out)
}

/// The rows that pass `filter`, in order.
fn passing(
    plan: &Plan,
    filter: &Program,
    source: &Source,
    around: &Surroundings<'_>,
    held: &Held<'_>,
) -> Result<Vec<u32>, Stop> {
    let rows = Rows::new(source, Vec::new(), Frame::default());
    let truths = per_value(filter, source, |value| {
        Ok(around.truth(filter, &OneValue(value), Some(&rows)))
    })?;
    let mut passing = Vec::new();
    for row in 0..source.n_rows {
        let passes = match &truths {
            Some((codes, truths)) => truths[value_index(codes[row], truths.len())],
            None => {
                held.turn(row)?;
                rows.row.set(row);
                around.truth(filter, &rows, Some(&rows))
            }
        };
        if passes {
            passing.push(row as u32);
        }
    }
    Ok(match (plan.by_symbol, &filter.fields[..]) {
        (Some(BySymbol::FirstRow), [slot]) => {
            first_rows(&source.frame.columns[*slot as usize], passing)
        }
        _ => passing,
    })
}

/// The values of `program` in the rows that are `kept`, or in all.
fn computed(
    program: &Program,
    source: &Source,
    kept: Option<&[u32]>,
    around: &Surroundings<'_>,
    held: &Held<'_>,
) -> Result<FrameColumn, Stop> {
    held.bytes(4 * kept.map_or(source.n_rows, <[u32]>::len) as u64)?;
    let mut column = FrameColumn::default();
    let values = per_value(program, source, |value| {
        let value = around.eval(program, &OneValue(value), None);
        held.value(&value)?;
        Ok(value)
    })?;
    if let Some((codes, values)) = values {
        let map: Vec<u32> = values.iter().map(|v| column.dict.intern(v)).collect();
        let code = |code: &u32| map[value_index(*code, map.len())];
        column.codes = match kept {
            Some(kept) => kept.iter().map(|r| code(&codes[*r as usize])).collect(),
            None => codes.iter().map(code).collect(),
        };
        // What only NULL gives is in no row if no cell is NULL.
        forget_unused(&mut column);
        return Ok(column);
    }
    let rows = Rows::new(source, Vec::new(), Frame::default());
    let mut push = |row: usize| {
        held.turn(row)?;
        rows.row.set(row);
        let value = around.eval(program, &rows, Some(&rows));
        let n_known = column.dict.len();
        column.push(&value);
        if column.dict.len() > n_known {
            held.value(&value)?;
        }
        Ok(())
    };
    match kept {
        Some(kept) => kept.iter().try_for_each(|r| push(*r as usize)),
        None => (0..source.n_rows).try_for_each(push),
    }?;
    Ok(column)
}

/// What [`per_value`] finds: the codes of the field, and what its values give.
type PerValue<'a, T> = Option<(&'a [u32], Vec<T>)>;

/// The value of a program that reads a single field, for each of that field's values and, last,
/// for NULL; with the field's codes. `None` if it reads several fields or none.
fn per_value<'a, T>(
    program: &Program,
    source: &'a Source,
    compute: impl Fn(Value) -> Result<T, Stop>,
) -> Result<PerValue<'a, T>, Stop> {
    let [slot] = program.fields[..] else {
        return Ok(None);
    };
    let column = &source.frame.columns[slot as usize];
    if column.dict.len() >= source.n_rows {
        return Ok(None);
    }
    let values = column.dict.values().iter().cloned();
    let out: Result<Vec<T>, Stop> = values.chain([Value::Null]).map(compute).collect();
    Ok(Some((&column.codes, out?)))
}

/// Whether the filter `program`, which reads a single field of `header`, holds for each of
/// `symbols` and, last, for NULL.
pub(crate) fn truths_of(
    program: &Program,
    symbols: &[Value],
    header: &Source,
    around: &Surroundings<'_>,
) -> Vec<bool> {
    let rows = Rows::new(header, Vec::new(), Frame::default());
    (symbols.iter().chain([&Value::Null]))
        .map(|value| around.truth(program, &OneValue(value.clone()), Some(&rows)))
        .collect()
}

fn value_index(code: u32, n_values: usize) -> usize {
    (code as usize).min(n_values - 1)
}

/// A row in which every field has one value.
struct OneValue(Value);

impl RowValues for OneValue {
    fn field(&self, _slot: u32) -> Value {
        self.0.clone()
    }
}

fn by_row(
    plan: &Plan,
    source: &Source,
    first: Option<usize>,
    around: &Surroundings<'_>,
    budget: &Budget,
) -> Result<Frame, Stop> {
    let out = Frame::new("", plan.names.clone());
    let rows = Rows::new(source, plan.previous.clone(), out);
    let mut cells = Vec::with_capacity(plan.columns.len());
    let held = Held::new(budget);
    let mut n_rows = 0;
    'rows: for row in 0..source.n_rows {
        rows.row.set(row);
        let mut turn = 1;
        let mut is_kept = false;
        loop {
            rows.turn.set(turn);
            if let Some(repeat) = &plan.repeat {
                budget.charge_rows(1)?;
                if !around.truth(repeat, &rows, Some(&rows)) {
                    break;
                }
            }
            let passes = (plan.filter.as_ref())
                .is_none_or(|filter| around.truth(filter, &rows, Some(&rows)));
            if passes {
                cells.clear();
                for program in &plan.columns {
                    cells.push(around.eval(program, &rows, Some(&rows)));
                }
                held.bytes(4 * plan.columns.len() as u64)?;
                if rows.push(&cells) {
                    cells.iter().try_for_each(|cell| held.value(cell))?;
                }
                is_kept = true;
                n_rows += 1;
                if first.is_some_and(|first| n_rows >= first) {
                    break 'rows;
                }
            }
            if plan.repeat.is_none() {
                break;
            }
            turn += 1;
        }
        if is_kept || plan.repeat.is_none() && plan.filter.is_none() {
            rows.previous_row.set(Some(row));
        }
        held.turn(row)?;
    }
    Ok(rows.out.into_inner())
}

/// One group while it is being collected.
struct Group {
    first_row: usize,
    /// By column, then by aggregation of the column's program.
    accumulators: Vec<Vec<Accumulator>>,
}

/// The row of a finished group.
struct GroupRow<'a> {
    source: &'a Source,
    first_row: usize,
    aggs: Vec<Value>,
}

impl RowValues for GroupRow<'_> {
    fn field(&self, slot: u32) -> Value {
        let column = self.source.frame.columns.get(slot as usize);
        column.map_or(Value::Null, |c| c.value(self.first_row))
    }

    fn agg(&self, index: usize) -> Value {
        self.aggs.get(index).cloned().unwrap_or(Value::Null)
    }
}

fn grouped(
    plan: &Plan,
    source: &Source,
    around: &Surroundings<'_>,
    budget: &Budget,
) -> Result<Frame, Stop> {
    let rows = Rows::new(source, plan.previous.clone(), Frame::default());
    let mut groups: Vec<Group> = Vec::new();
    let mut by_key: FxHashMap<Vec<Option<SymbolKey>>, usize> = FxHashMap::default();
    let mut by_field = FieldGroups::new(&plan.group_by, source);
    // The column behind each aggregation of a bare field: its values need no copy.
    let direct: Vec<Vec<Option<&FrameColumn>>> = (plan.columns.iter())
        .map(|column| {
            let of = |agg: &AggCall| match &agg.args[..] {
                [arg] => source.frame.columns.get(arg.as_single_field()? as usize),
                _ => None,
            };
            column.aggs.iter().map(of).collect()
        })
        .collect();
    let mut args = Vec::new();
    let fresh = |first_row: usize| Group {
        first_row,
        accumulators: (plan.columns.iter())
            .map(|c| {
                (c.aggs.iter())
                    .map(|a| Accumulator::new(a.kind, a.distinct))
                    .collect()
            })
            .collect(),
    };
    // Aggregations over everything give a row even if there is nothing.
    if plan.group_by.is_empty() {
        by_key.insert(Vec::new(), 0);
        groups.push(fresh(0));
    }
    for row in 0..source.n_rows {
        rows.row.set(row);
        if let Some(filter) = &plan.filter
            && !around.truth(filter, &rows, Some(&rows))
        {
            continue;
        }
        rows.previous_row.set(Some(row));
        let at = if let Some(groups) = &mut by_field {
            groups.of(row)
        } else {
            let key: Vec<Option<SymbolKey>> = (plan.group_by.iter())
                .map(|program| SymbolKey::of(&around.eval(program, &rows, Some(&rows))))
                .collect();
            *by_key.entry(key).or_insert(groups.len())
        };
        if at == groups.len() {
            budget.charge_bytes(64 * (1 + plan.columns.len()) as u64)?;
            groups.push(fresh(row));
        }
        let group = &mut groups[at];
        let mut kept = 0;
        for (c, accumulators) in group.accumulators.iter_mut().enumerate() {
            let aggs = plan.columns[c].aggs.iter().zip(&direct[c]);
            for ((agg, direct), accumulator) in aggs.zip(accumulators) {
                if let Some(column) = direct {
                    let values = column.dict.values();
                    let value = values.get(column.codes[row] as usize);
                    let args = std::slice::from_ref(value.unwrap_or(&Value::Null));
                    kept += agg.kind.bytes_kept(args);
                    accumulator.push(args);
                    continue;
                }
                args.clear();
                for arg in &agg.args {
                    args.push(around.eval(arg, &rows, Some(&rows)));
                }
                kept += agg.kind.bytes_kept(&args);
                accumulator.push(&args);
            }
        }
        if kept > 0 {
            budget.charge_bytes(kept)?;
        }
        if row % 65_536 == 0 {
            budget.check()?;
        }
    }
    let mut out = Frame::new("", plan.names.clone());
    for group in groups {
        let mut cells = Vec::with_capacity(plan.columns.len());
        for (column, accumulators) in plan.columns.iter().zip(group.accumulators) {
            let values = GroupRow {
                source,
                first_row: group.first_row,
                aggs: accumulators.into_iter().map(Accumulator::finish).collect(),
            };
            rows.row.set(group.first_row);
            cells.push(around.eval(column, &values, Some(&rows)));
        }
        out.push_row(&cells);
    }
    Ok(out)
}

/// The first of each set of equal rows.
fn distinct(frame: &Frame) -> Frame {
    let mut seen: FxHashSet<Vec<u32>> = FxHashSet::default();
    let kept: Vec<u32> = (0..frame.n_rows() as u32)
        .filter(|row| {
            let key: Vec<u32> = frame
                .columns
                .iter()
                .map(|c| c.codes[*row as usize])
                .collect();
            seen.insert(key)
        })
        .collect();
    gather(frame, &kept)
}
