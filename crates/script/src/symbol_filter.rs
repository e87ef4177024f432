//! Filters that the value of one field decides: they are evaluated once for each symbol,
//! whatever the number of rows, and a source may leave out rows before they are unpacked.
//!
//! `Exists` looks at what was loaded so far, the rows before in the same load included. Such a
//! filter still is one of symbols if those rows cannot change its answer.

use rustc_hash::FxHashMap;
use satchel_calc::{Mode, Program, compile};
use satchel_data::{Frame, FrameColumn, SymbolKey};
use satchel_syntax::{Diagnostic, Expr, ExprKind, Load, LoadField, UnaryOp};

use crate::evaluate::{SourceScope, rewrite};
use crate::functions;

/// How a filter that reads a single field decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BySymbol {
    /// Every row with a value passes, or none.
    EveryRow,
    /// Of the rows whose value passes, the first with it does: `NOT Exists(F)` over a field
    /// that is loaded as `F`. NULL always passes.
    FirstRow,
}

/// Whether the symbols of one field decide `filter` of `load`, and how. `name_of` gives the
/// name of a source column by the number in `program`.
pub(crate) fn by_symbol(
    load: &Load,
    filter: &Expr,
    program: &Program,
    source_names: &[&str],
) -> Option<BySymbol> {
    let [slot] = program.fields[..] else {
        return None;
    };
    if load.repeat.is_some() {
        return None;
    }
    let tested = source_names.get(slot as usize)?;
    let mut uses = Vec::new();
    if !only_exists(filter, &mut uses) {
        return None;
    }
    if uses
        .iter()
        .all(|used| !loads_into(load, used, source_names))
    {
        return Some(BySymbol::EveryRow);
    }
    // The rows before add the tested values themselves.
    let (negated, exists) = match &filter.kind {
        ExprKind::Unary {
            op: UnaryOp::Not,
            operand,
        } => (true, operand.as_ref()),
        _ => (false, filter),
    };
    let is_bare = is_exists_of(exists, tested);
    let [used] = &uses[..] else {
        return None;
    };
    let adds_tested = columns_called(load, used, source_names)
        .iter()
        .all(|from| *from == Some(*tested));
    if !is_bare || !adds_tested {
        return None;
    }
    Some(if negated {
        BySymbol::FirstRow
    } else {
        BySymbol::EveryRow
    })
}

/// The filter of `load` over columns of `header` and the one it reads, if that one's symbols
/// decide it. A filter with mistakes is `None`; whoever runs the load tells of them.
pub(crate) fn compiled(load: &Load, filter: &Expr, header: &Frame) -> Option<(Program, usize)> {
    let mut expr = filter.clone();
    rewrite(&mut expr, &mut Vec::new());
    let scope = SourceScope {
        frame: header,
        grouped: &[],
    };
    let (program, diagnostics) = compile(&expr, Mode::Row, &scope);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return None;
    }
    let names: Vec<&str> = header.columns.iter().map(|c| c.name.as_str()).collect();
    by_symbol(load, filter, &program, &names)?;
    let slot = *program.fields.first()? as usize;
    Some((program, slot))
}

/// Whether the fields of `load` do without functions that look at other rows or count them.
pub(crate) fn fields_are_plain(load: &Load) -> bool {
    load.fields.iter().all(|field| match field {
        LoadField::Star(_) => true,
        LoadField::Column { expr, .. } => !calls(expr, &|name| functions::shape(name).is_some()),
    })
}

/// Of `rows` in ascending order, those that are the first with their value in `column`; all
/// where it is NULL.
pub(crate) fn first_rows(column: &FrameColumn, rows: Vec<u32>) -> Vec<u32> {
    // Values that show different texts may be one symbol.
    let mut numbers: FxHashMap<SymbolKey, usize> = FxHashMap::default();
    let number_of: Vec<Option<usize>> = (column.dict.values().iter())
        .map(|value| {
            let next = numbers.len();
            SymbolKey::of(value).map(|key| *numbers.entry(key).or_insert(next))
        })
        .collect();
    let mut seen = vec![false; numbers.len()];
    let is_first = |row: &u32| {
        let code = column.codes[*row as usize] as usize;
        match number_of.get(code).copied().flatten() {
            Some(number) => !std::mem::replace(&mut seen[number], true),
            None => true,
        }
    };
    let mut rows = rows;
    rows.retain(is_first);
    rows
}

/// Leaves the values that no row holds out of the dictionary; the others keep their order.
pub(crate) fn forget_unused(column: &mut FrameColumn) {
    let n_values = column.dict.len();
    let mut is_used = vec![false; n_values];
    for code in &column.codes {
        if let Some(used) = is_used.get_mut(*code as usize) {
            *used = true;
        }
    }
    if is_used.iter().all(|used| *used) {
        return;
    }
    let mut n_kept = 0;
    let map: Vec<u32> = (is_used.iter())
        .map(|used| {
            n_kept += u32::from(*used);
            n_kept.wrapping_sub(1)
        })
        .collect();
    for code in &mut column.codes {
        if let Some(new) = map.get(*code as usize) {
            *code = *new;
        }
    }
    column.dict.retain(&is_used);
}

/// Whether `expr` calls no function that looks beyond its arguments but `Exists`; the fields
/// that asks for go into `uses`.
fn only_exists<'a>(expr: &'a Expr, uses: &mut Vec<&'a str>) -> bool {
    match &expr.kind {
        ExprKind::Unary { operand, .. } => only_exists(operand, uses),
        ExprKind::Binary { left, right, .. } => only_exists(left, uses) && only_exists(right, uses),
        ExprKind::WithSet { expr, .. } | ExprKind::Sorted { expr, .. } => only_exists(expr, uses),
        ExprKind::Call(call) => {
            let name = call.name.to_lowercase();
            if name == "exists" {
                let Some(ExprKind::Text(field) | ExprKind::Field(field)) =
                    call.args.first().map(|a| &a.kind)
                else {
                    return false;
                };
                uses.push(field);
            } else if functions::shape(&name).is_some() {
                return false;
            }
            call.args.iter().all(|arg| only_exists(arg, uses))
        }
        _ => true,
    }
}

fn calls(expr: &Expr, wanted: &dyn Fn(&str) -> bool) -> bool {
    match &expr.kind {
        ExprKind::Unary { operand, .. } => calls(operand, wanted),
        ExprKind::Binary { left, right, .. } => calls(left, wanted) || calls(right, wanted),
        ExprKind::WithSet { expr, .. } | ExprKind::Sorted { expr, .. } => calls(expr, wanted),
        ExprKind::Call(call) => {
            wanted(&call.name.to_lowercase()) || call.args.iter().any(|arg| calls(arg, wanted))
        }
        _ => false,
    }
}

/// Whether `expr` is `Exists` with the bare field `tested` as the value.
fn is_exists_of(expr: &Expr, tested: &str) -> bool {
    let ExprKind::Call(call) = &expr.kind else {
        return false;
    };
    let value = match &call.args[..] {
        [
            Expr {
                kind: ExprKind::Field(name) | ExprKind::Text(name),
                ..
            },
        ] => name,
        [
            _,
            Expr {
                kind: ExprKind::Field(name),
                ..
            },
        ] => name,
        _ => return false,
    };
    call.name.eq_ignore_ascii_case("exists") && value == tested
}

fn loads_into(load: &Load, field: &str, source_names: &[&str]) -> bool {
    !columns_called(load, field, source_names).is_empty()
}

/// For each column of `load` that is called `name`: the source field it copies, if it does.
fn columns_called<'a>(
    load: &'a Load,
    name: &str,
    source_names: &[&'a str],
) -> Vec<Option<&'a str>> {
    let mut out = Vec::new();
    for field in &load.fields {
        match field {
            LoadField::Star(_) => {
                out.extend(
                    source_names
                        .iter()
                        .filter(|n| **n == name)
                        .map(|n| Some(*n)),
                );
            }
            LoadField::Column {
                expr, name: own, ..
            } if own.text == name => {
                out.push(match &expr.kind {
                    ExprKind::Field(from) => Some(from.as_str()),
                    _ => None,
                });
            }
            LoadField::Column { .. } => {}
        }
    }
    out
}
