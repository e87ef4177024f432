//! Running totals of all groups at once.
//!
//! Plain columns of numbers for the common aggregations over one field or over arithmetic;
//! one [`Accumulator`] a group for the rest. Rows are taken in row order, so that results do
//! not depend on how the rows were found.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use satchel_base::{Budget, Stop};
use satchel_calc::{Accumulator, AggKind, EvalContext, NumProgram, eval, interpret_number};
use satchel_data::{BLOCK, Codes, FieldId, FieldKind, RowNumbers, TableId, Value};

use crate::Query;
use crate::aggr::Virtual;
use crate::dimension::CodeRow;
use crate::graph::Core;
use crate::program::AggSpec;
use crate::scan::{Block, Lane, each_block};

/// At most so many bits for counting distinct values of a field in all groups: 16 MiB.
const MAX_DISTINCT_BITS: usize = 1 << 27;

/// Whole numbers up to here are floats without rounding: 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// What turns a record into the number to aggregate.
enum Input<'a> {
    /// The number of the only field.
    Field(Numbers<'a>),
    /// Arithmetic over several fields.
    Batch {
        program: NumProgram,
        slots: Vec<Numbers<'a>>,
        columns: Vec<[f64; BLOCK]>,
        /// What it comes to in each row of the table that is passed over, if that is kept.
        kept: Option<Arc<Vec<f64>>>,
    },
}

/// Where the numbers of a field come from.
struct Numbers<'a> {
    field: FieldId,
    /// Its place among the fields of the aggregation.
    lane: usize,
    by_code: Cow<'a, [f64]>,
    /// In the table that is passed over.
    in_table: InTable<'a>,
}

/// How a pass over a table finds the numbers of a field.
enum InTable<'a> {
    /// By its code, found by whoever passes.
    No,
    ByRow(&'a RowNumbers),
    ByCode(&'a Codes),
}

impl Numbers<'_> {
    fn read(&self, block: Option<&Block<'_>>, lanes: &[&Lane], n: usize, out: &mut [f64; BLOCK]) {
        let by_code: &[f64] = &self.by_code;
        match (block, &self.in_table) {
            (Some(block), InTable::ByRow(rows)) => block.numbers(rows, out),
            (Some(block), InTable::ByCode(codes)) => {
                block.gather_with(codes, out, |code| by_code[code as usize]);
            }
            _ => {
                for (number, code) in out[..n].iter_mut().zip(&lanes[self.lane][..n]) {
                    *number = by_code[*code as usize];
                }
            }
        }
    }
}

enum State {
    Sum(Vec<f64>),
    Avg(Vec<(f64, u64)>),
    Min(Vec<f64>),
    Max(Vec<f64>),
    /// Values of the only field that are not NULL.
    Count(Vec<u64>),
    /// Rows.
    Rows(Vec<u64>),
    /// Distinct codes of the only field: a row of words a group.
    DistinctBits {
        words: Vec<u64>,
        per_group: usize,
    },
    DistinctSet {
        seen: FxHashSet<u64>,
        counts: Vec<u64>,
    },
    General(Vec<Accumulator>),
}

/// The running totals of one aggregation.
pub(crate) struct Aggregate<'a> {
    spec: &'a AggSpec,
    input: Option<Input<'a>>,
    state: State,
    /// Sum and number of all records that have a number, in their order.
    grand: (f64, u64),
    /// NULL's code of the only field.
    null: u32,
    /// Every sum is a whole number that a float holds exactly, so that order does not matter.
    exact: bool,
    /// The only field is never NULL in the table that is passed over.
    never_null: bool,
}

impl<'a> Aggregate<'a> {
    /// Totals for `n_groups` groups; more can come later.
    pub fn new(query: &Query<'a>, spec: &'a AggSpec, n_groups: usize) -> Result<Self, Stop> {
        let core: &'a Core = &query.engine.core;
        let plain = |f: &FieldId| core.model().field(*f).kind == FieldKind::Data;
        let single = spec.single_field();
        let null = single.map_or(0, |f| core.n_symbols(f) as u32);
        let mut input = None;
        let numeric = matches!(
            spec.kind,
            AggKind::Sum | AggKind::Avg | AggKind::Min | AggKind::Max
        ) && spec.args.len() == 1
            && !spec.distinct
            && spec.virtuals.is_empty();
        if numeric && spec.fields.iter().all(plain) {
            if let Some(field) = single {
                input = Some(Input::Field(Numbers {
                    field,
                    lane: 0,
                    by_code: core.model().field(field).symbols.nums().into(),
                    in_table: InTable::No,
                }));
            } else if let Some(program) = spec.args[0].as_numeric().filter(|_| {
                // Extremes keep the text of a value; numbers made by arithmetic have none.
                !spec.fields.is_empty()
            }) {
                let fields = program.slots().iter().map(|s| FieldId(*s));
                let slots: Vec<Numbers<'a>> = fields
                    .filter_map(|field| {
                        Some(Numbers {
                            field,
                            lane: spec.fields.iter().position(|g| *g == field)?,
                            by_code: read_numbers(query, field),
                            in_table: InTable::No,
                        })
                    })
                    .collect();
                input = Some(Input::Batch {
                    columns: vec![[0.0; BLOCK]; slots.len()],
                    slots,
                    program,
                    kept: None,
                });
            }
        }
        let extreme_keeps_text = single.is_some();
        let state = match spec.kind {
            AggKind::Sum if input.is_some() => State::Sum(Vec::new()),
            AggKind::Avg if input.is_some() => State::Avg(Vec::new()),
            AggKind::Min if input.is_some() && !extreme_keeps_text => State::Min(Vec::new()),
            AggKind::Max if input.is_some() && !extreme_keeps_text => State::Max(Vec::new()),
            AggKind::Min if input.is_some() && no_own_text(query, single) => State::Min(Vec::new()),
            AggKind::Max if input.is_some() && no_own_text(query, single) => State::Max(Vec::new()),
            AggKind::Count if spec.args.is_empty() => State::Rows(Vec::new()),
            AggKind::Count if single.is_some() && !spec.distinct => State::Count(Vec::new()),
            AggKind::Count if single.is_some() => {
                let per_group = (null as usize + 1).div_ceil(64);
                if per_group.saturating_mul(n_groups) <= MAX_DISTINCT_BITS / 64 {
                    State::DistinctBits {
                        words: Vec::new(),
                        per_group,
                    }
                } else {
                    State::DistinctSet {
                        seen: FxHashSet::default(),
                        counts: Vec::new(),
                    }
                }
            }
            _ => State::General(Vec::new()),
        };
        let exact = match (&input, single.and_then(|f| core.home(f))) {
            (Some(Input::Field(numbers)), Some((table, _))) => {
                let n_rows = core.model().table(table).n_rows as f64;
                numbers
                    .by_code
                    .iter()
                    .all(|n| n.is_nan() || (*n == n.trunc() && n.abs() * n_rows < MAX_EXACT))
            }
            _ => false,
        };
        let mut aggregate = Self {
            spec,
            input,
            state,
            grand: (0.0, 0),
            null,
            exact,
            never_null: false,
        };
        aggregate.grow(n_groups, query.budget)?;
        Ok(aggregate)
    }

    /// Gets ready for a pass over `n_wanted` rows of `table`: the numbers of its columns are read
    /// by row where that is faster. Which fields of the aggregation need no codes then.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn pass_over(
        &mut self,
        core: &'a Core,
        table: TableId,
        n_wanted: usize,
        budget: &Budget,
    ) -> Result<Vec<FieldId>, Stop> {
        let data = core.model().table(table);
        self.never_null = false;
        if let (State::Count(_), Some(field)) = (&self.state, self.spec.single_field()) {
            let column = data.column_of(field);
            self.never_null = column.is_some_and(|c| !core.model().has_nulls(table, c));
            return Ok(self.never_null.then_some(field).into_iter().collect());
        }
        let by_code_too = !matches!(
            self.state,
            State::Sum(_) | State::Avg(_) | State::Min(_) | State::Max(_)
        );
        let slots = match &mut self.input {
            Some(Input::Field(numbers)) => std::slice::from_mut(numbers),
            Some(Input::Batch { slots, .. }) => slots.as_mut_slice(),
            None => &mut [],
        };
        let mut without_codes = Vec::new();
        // Numbers of the model itself: not of other tables, and without texts that are read.
        let mut pure = true;
        for numbers in slots {
            let Some(column) = data.column_of(numbers.field) else {
                numbers.in_table = InTable::No;
                pure = false;
                continue;
            };
            // Texts that read as numbers are not among the numbers of rows.
            let by_row = match &numbers.by_code {
                Cow::Borrowed(_) => core.model().row_numbers(table, column),
                Cow::Owned(_) => {
                    pure = false;
                    None
                }
            };
            numbers.in_table = match by_row {
                Some(rows) => InTable::ByRow(rows),
                None => InTable::ByCode(&data.columns[column].codes),
            };
            if !by_code_too {
                without_codes.push(numbers.field);
            }
        }
        if let Some(Input::Batch {
            program,
            slots,
            columns,
            kept,
        }) = &mut self.input
        {
            *kept = None;
            if pure {
                let expression = format!("{program:?}");
                let make = || calculated(program, slots, columns, data.n_rows, budget);
                *kept = (core.model()).derived_numbers(table, &expression, n_wanted, make)?;
            }
        }
        Ok(without_codes)
    }

    /// Makes room for `n` groups.
    pub fn grow(&mut self, n: usize, budget: &Budget) -> Result<(), Stop> {
        let (have, size) = match &self.state {
            State::Sum(v) | State::Min(v) | State::Max(v) => (v.len(), 8),
            State::Avg(v) => (v.len(), 16),
            State::Count(v) | State::Rows(v) => (v.len(), 8),
            State::DistinctBits { words, per_group } => (words.len() / per_group, 8 * per_group),
            State::DistinctSet { counts, .. } => (counts.len(), 8),
            State::General(v) => (v.len(), size_of::<Accumulator>()),
        };
        if n <= have {
            return Ok(());
        }
        budget.charge_bytes(((n - have) * size) as u64)?;
        match &mut self.state {
            State::Sum(v) => v.resize(n, 0.0),
            State::Min(v) | State::Max(v) => v.resize(n, f64::NAN),
            State::Avg(v) => v.resize(n, (0.0, 0)),
            State::Count(v) | State::Rows(v) => v.resize(n, 0),
            State::DistinctBits { words, per_group } => words.resize(n * *per_group, 0),
            State::DistinctSet { counts, .. } => counts.resize(n, 0),
            State::General(v) => {
                v.resize(n, Accumulator::new(self.spec.kind, self.spec.distinct));
            }
        }
        Ok(())
    }

    /// Takes one record given by the codes of fields, with the virtual fields that have a value
    /// in it. Only for aggregations over virtual fields.
    pub fn push_record(
        &mut self,
        query: &Query<'_>,
        ctx: &EvalContext<'_>,
        group: u32,
        codes: &[(FieldId, u32)],
        virtuals: &[(u32, Arc<Virtual>)],
    ) {
        if let State::General(all) = &mut self.state {
            let row = CodeRow {
                query,
                codes,
                virtuals,
            };
            let args: Vec<Value> = self.spec.args.iter().map(|a| eval(a, &row, ctx)).collect();
            all[group as usize].push(&args);
        }
    }

    /// Takes `n` records: their groups, with the group if all are in one, and, one lane a field of
    /// the aggregation, their codes. `block` has their rows, if [`Self::pass_over`] told the table.
    pub fn push(
        &mut self,
        query: &Query<'_>,
        ctx: &EvalContext<'_>,
        (groups, one_group): (&Lane, Option<u32>),
        lanes: &[&Lane],
        block: Option<&Block<'_>>,
        n: usize,
    ) -> Result<(), Stop> {
        let mut numbers = [0.0f64; BLOCK];
        let groups = &groups[..n];
        match &mut self.input {
            Some(Input::Field(source)) => source.read(block, lanes, n, &mut numbers),
            Some(Input::Batch {
                program,
                slots,
                columns,
                kept,
            }) => match (block, kept) {
                (Some(block), Some(kept)) => block.derived(kept, &mut numbers),
                _ => {
                    for (source, column) in slots.iter().zip(columns.iter_mut()) {
                        source.read(block, lanes, n, column);
                    }
                    let columns: Vec<&[f64]> = columns.iter().map(|c| &c[..n]).collect();
                    program.eval_batch(&columns, &mut numbers[..n]);
                }
            },
            None => {}
        }
        let numbers = &mut numbers[..n];
        match &mut self.state {
            State::Sum(sums) => match one_group {
                Some(group) if self.exact => sums[group as usize] += whole_sum(numbers).0,
                _ => {
                    only_finite(numbers);
                    self.grand.0 = add(sums, groups, one_group, numbers, self.grand.0);
                }
            },
            State::Avg(sums) if self.exact && one_group.is_some() => {
                let (sum, known) = whole_sum(numbers);
                let slot = &mut sums[groups[0] as usize];
                slot.0 += sum;
                slot.1 += known;
            }
            State::Avg(sums) => {
                let mut grand = self.grand;
                for (group, number) in groups.iter().zip(numbers) {
                    let known = number.is_finite();
                    let number = if known { *number } else { 0.0 };
                    let slot = &mut sums[*group as usize];
                    slot.0 += number;
                    slot.1 += u64::from(known);
                    grand.0 += number;
                    grand.1 += u64::from(known);
                }
                self.grand = grand;
            }
            State::Min(least) => {
                for (group, number) in groups.iter().zip(numbers) {
                    let slot = &mut least[*group as usize];
                    *slot = slot.min(*number);
                }
            }
            State::Max(most) => {
                for (group, number) in groups.iter().zip(numbers) {
                    let slot = &mut most[*group as usize];
                    *slot = slot.max(*number);
                }
            }
            State::Count(counts) => {
                let never_null = self.never_null && block.is_some();
                if let Some(group) = one_group {
                    let known = match never_null {
                        true => n,
                        false => lanes[0][..n].iter().filter(|c| **c != self.null).count(),
                    };
                    counts[group as usize] += known as u64;
                } else if never_null {
                    for group in groups {
                        counts[*group as usize] += 1;
                    }
                } else {
                    for (group, code) in groups.iter().zip(&lanes[0][..n]) {
                        counts[*group as usize] += u64::from(*code != self.null);
                    }
                }
            }
            State::Rows(counts) => {
                for group in groups {
                    counts[*group as usize] += 1;
                }
            }
            State::DistinctBits { words, per_group } => {
                for (group, code) in groups.iter().zip(&lanes[0][..n]) {
                    let at = *group as usize * *per_group + (*code as usize >> 6);
                    words[at] |= 1 << (code & 63);
                }
            }
            State::DistinctSet { seen, counts } => {
                for (group, code) in groups.iter().zip(&lanes[0][..n]) {
                    if *code != self.null && seen.insert(u64::from(*group) << 32 | u64::from(*code))
                    {
                        counts[*group as usize] += 1;
                    }
                }
            }
            State::General(all) => {
                let mut kept = 0;
                let mut record = Vec::with_capacity(lanes.len());
                let mut args: Vec<Value> = Vec::with_capacity(self.spec.args.len());
                for (i, group) in groups.iter().enumerate() {
                    record.clear();
                    record.extend(self.spec.fields.iter().zip(lanes).map(|(f, l)| (*f, l[i])));
                    let row = CodeRow {
                        query,
                        codes: &record,
                        virtuals: &self.spec.virtuals,
                    };
                    args.clear();
                    args.extend(self.spec.args.iter().map(|a| eval(a, &row, ctx)));
                    kept += self.spec.kind.bytes_kept(&args);
                    all[*group as usize].push(&args);
                }
                query.budget.charge_bytes(kept.max(16 * n as u64))?;
            }
        }
        Ok(())
    }

    /// The result over all groups together, if each record was taken once. It is the one that a
    /// pass without groups would give, bit for bit.
    pub fn total(&self) -> Option<Value> {
        let count = |v: &[u64]| Value::num(v.iter().sum::<u64>() as f64);
        match &self.state {
            // Whole sums may have been taken in another order, and come to the same.
            State::Sum(v) if self.exact => Some(Value::num(v.iter().sum())),
            State::Sum(_) => Some(Value::num(self.grand.0)),
            State::Avg(v) => {
                let (sum, n) = match self.exact {
                    true => v.iter().fold((0.0, 0), |t, s| (t.0 + s.0, t.1 + s.1)),
                    false => self.grand,
                };
                Some(if n == 0 {
                    Value::Null
                } else {
                    Value::num(sum / n as f64)
                })
            }
            State::Min(v) => Some(Value::num(v.iter().copied().fold(f64::NAN, f64::min))),
            State::Max(v) => Some(Value::num(v.iter().copied().fold(f64::NAN, f64::max))),
            State::Count(v) | State::Rows(v) => Some(count(v)),
            State::DistinctBits { words, per_group } => {
                let mut all = vec![0u64; *per_group];
                for group in words.chunks(*per_group) {
                    for (word, more) in all.iter_mut().zip(group) {
                        *word |= more;
                    }
                }
                all[self.null as usize >> 6] &= !(1 << (self.null & 63));
                Some(count(
                    &all.iter()
                        .map(|w| u64::from(w.count_ones()))
                        .collect::<Vec<_>>(),
                ))
            }
            _ => None,
        }
    }

    /// The results of the groups asked for, in their order.
    pub fn finish(self, groups: impl Iterator<Item = u32>) -> Vec<Value> {
        let number = |n: f64| Value::num(n);
        let count = |n: u64| Value::num(n as f64);
        match self.state {
            State::Sum(v) | State::Min(v) | State::Max(v) => {
                groups.map(|g| number(v[g as usize])).collect()
            }
            State::Avg(v) => groups
                .map(|g| match v[g as usize] {
                    (_, 0) => Value::Null,
                    (sum, n) => number(sum / n as f64),
                })
                .collect(),
            State::Count(v) | State::Rows(v) | State::DistinctSet { counts: v, .. } => {
                groups.map(|g| count(v[g as usize])).collect()
            }
            State::DistinctBits {
                mut words,
                per_group,
            } => groups
                .map(|g| {
                    let words = &mut words[g as usize * per_group..(g as usize + 1) * per_group];
                    words[self.null as usize >> 6] &= !(1 << (self.null & 63));
                    count(words.iter().map(|w| u64::from(w.count_ones())).sum())
                })
                .collect(),
            State::General(mut v) => groups
                .map(|g| {
                    let fresh = Accumulator::new(self.spec.kind, self.spec.distinct);
                    std::mem::replace(&mut v[g as usize], fresh).finish()
                })
                .collect(),
        }
    }
}

/// An expression in each row of a table.
fn calculated(
    program: &NumProgram,
    slots: &[Numbers<'_>],
    columns: &mut [[f64; BLOCK]],
    n_rows: usize,
    budget: &Budget,
) -> Result<Vec<f64>, Stop> {
    budget.charge_bytes(8 * n_rows as u64)?;
    let mut all = vec![0.0; n_rows];
    each_block(n_rows, None, budget, |block| {
        let n = block.n();
        for (source, column) in slots.iter().zip(columns.iter_mut()) {
            source.read(Some(block), &[], n, column);
        }
        let columns: Vec<&[f64]> = columns.iter().map(|c| &c[..n]).collect();
        let start = block.row(0);
        program.eval_batch(&columns, &mut all[start..start + n]);
        Ok(true)
    })?;
    Ok(all)
}

/// Puts 0 in the place of what is no number.
fn only_finite(numbers: &mut [f64]) {
    for number in numbers {
        *number = if number.is_finite() { *number } else { 0.0 };
    }
}

/// Adds numbers to the sums of their groups, in their order, and to that of all, which it gives.
fn add(
    sums: &mut [f64],
    groups: &[u32],
    one_group: Option<u32>,
    numbers: &[f64],
    mut grand: f64,
) -> f64 {
    if let Some(group) = one_group {
        let mut sum = sums[group as usize];
        for number in numbers {
            sum += number;
            grand += number;
        }
        sums[group as usize] = sum;
        return grand;
    }
    for (group, number) in groups.iter().zip(numbers) {
        sums[*group as usize] += number;
        grand += number;
    }
    grand
}

/// Sum and number of those that are numbers, in any order.
fn whole_sum(numbers: &[f64]) -> (f64, u64) {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let mut known = [0u32; LANES];
    let chunks = numbers.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (i, number) in chunk.iter().enumerate() {
            let is = number.is_finite();
            sums[i] += if is { *number } else { 0.0 };
            known[i] += u32::from(is);
        }
    }
    for number in rest.iter().filter(|n| n.is_finite()) {
        sums[0] += number;
        known[0] += 1;
    }
    (sums.iter().sum(), known.iter().map(|k| u64::from(*k)).sum())
}

/// The result over no record.
pub(crate) fn of_nothing(spec: &AggSpec) -> Value {
    Accumulator::new(spec.kind, spec.distinct).finish()
}

/// Whether no symbol of the field shows another text than its number.
fn no_own_text(query: &Query<'_>, field: Option<FieldId>) -> bool {
    field.is_some_and(|f| {
        let symbols = &query.engine.core.model().field(f).symbols;
        !symbols.has_texts()
            || (0..symbols.len() as u32)
                .all(|c| symbols.num(c).is_nan() || symbols.own_text(c).is_none())
    })
}

/// Numbers by code; texts that read as a number count as one, as in any arithmetic.
fn read_numbers<'a>(query: &Query<'a>, field: FieldId) -> Cow<'a, [f64]> {
    let core: &'a Core = &query.engine.core;
    let symbols = &core.model().field(field).symbols;
    let mut nums = Cow::Borrowed(symbols.nums());
    if !symbols.has_texts() {
        return nums;
    }
    for code in 0..symbols.len() as u32 {
        if symbols.num(code).is_nan()
            && let Some(text) = symbols.own_text(code)
            && let Some(num) = interpret_number(text, query.locale)
        {
            nums.to_mut()[code as usize] = num;
        }
    }
    nums
}
