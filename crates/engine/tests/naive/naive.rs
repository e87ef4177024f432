//! The naive evaluator: joins everything, looks at every row, remembers nothing.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use satchel_calc::matches_wildcard;
use satchel_data::{Value, number_text, text_order};

use crate::case::{Arg, Base, Case, Kind, Measure, Modifier, Set, Wrap};

/// Selected texts by field.
type Selection = BTreeMap<String, BTreeSet<String>>;

/// A row of the join of a component: a row of each table, or none.
type Joined = Vec<Option<usize>>;

/// Dimension values as texts; NULL is `-`.
type Tuple = Vec<String>;

/// Values to aggregate by dimension values.
type Groups = BTreeMap<Tuple, Vec<Value>>;

struct World<'a> {
    case: &'a Case,
    /// Tables that hang together; a loose table stands alone.
    components: Vec<Vec<usize>>,
    /// The full outer join of each component.
    joins: Vec<Vec<Joined>>,
}

/// What the engine should say: one line a field with the states of its values, then rows and totals of the cube.
pub fn answers(case: &Case) -> Vec<String> {
    let world = World::new(case);
    let current: Selection = case
        .selections
        .iter()
        .map(|(f, (texts, _))| (f.clone(), texts.clone()))
        .collect();
    let mut lines: Vec<String> = case
        .fields()
        .iter()
        .map(|field| world.list(field, &current))
        .collect();
    let dims = &case.dimensions;
    let mut rows: BTreeSet<Tuple> = BTreeSet::new();
    let grouping: Vec<&Measure> = {
        let groups = |m: &&Measure| m.outer_total().is_none();
        case.measures.iter().filter(groups).collect()
    };
    for measure in &grouping {
        rows.extend(world.groups(measure, dims, &current).into_keys());
    }
    if grouping.is_empty() {
        rows = world.combinations(dims, &current);
    }
    if dims.is_empty() {
        rows = BTreeSet::from([Vec::new()]);
    }
    let results: Vec<(Vec<usize>, Groups)> = case
        .measures
        .iter()
        .map(|measure| {
            let kept: Vec<usize> = (0..dims.len())
                .filter(|d| measure.outer_total().is_none_or(|t| t.contains(&dims[*d])))
                .collect();
            let by: Vec<String> = kept.iter().map(|d| dims[*d].clone()).collect();
            (kept, world.groups(measure, &by, &current))
        })
        .collect();
    // Rows as the cube shows them: by the values of the dimensions, NULL last.
    let mut shown: Vec<&Tuple> = rows.iter().collect();
    shown.sort_by(|a, b| world.order(dims, a, b));
    let columns: Vec<BTreeMap<&Tuple, String>> = case
        .measures
        .iter()
        .zip(&results)
        .map(|(measure, (kept, groups))| {
            let value = |tuple: &&Tuple| {
                let part: Tuple = kept.iter().map(|d| tuple[*d].clone()).collect();
                aggregate(measure, groups.get(&part).cloned().unwrap_or_default())
            };
            let plain: Vec<String> = shown.iter().map(value).collect();
            let results = around(measure, &shown, &plain);
            shown.iter().copied().zip(results).collect()
        })
        .collect();
    for tuple in &rows {
        let values: Vec<String> = columns.iter().map(|c| c[tuple].clone()).collect();
        lines.push(format!("row {tuple:?}: {values:?}"));
    }
    let totals: Vec<String> = case
        .measures
        .iter()
        .map(|measure| {
            let mut groups = world.groups(measure, &[], &current);
            match measure.wrap {
                // There are no other rows beside a total.
                Wrap::Rank | Wrap::Above(_) | Wrap::Below(_) => "-".to_owned(),
                Wrap::Running => "0".to_owned(),
                _ => aggregate(measure, groups.remove(&Vec::new()).unwrap_or_default()),
            }
        })
        .collect();
    lines.push(format!("totals: {totals:?}"));
    lines
}

impl<'a> World<'a> {
    fn new(case: &'a Case) -> Self {
        let n = case.tables.len();
        let mut of: Vec<usize> = (0..n).collect();
        for a in 0..n {
            for b in 0..a {
                let (s, t) = (&case.tables[a], &case.tables[b]);
                let linked = !s.loose && !t.loose && s.fields.iter().any(|f| t.fields.contains(f));
                if linked {
                    let (from, to) = (of[a], of[b]);
                    of.iter_mut().filter(|c| **c == from).for_each(|c| *c = to);
                }
            }
        }
        let components: Vec<Vec<usize>> = (0..n)
            .map(|c| (0..n).filter(|t| of[*t] == c).collect::<Vec<_>>())
            .filter(|tables| !tables.is_empty())
            .collect();
        let joins = components
            .iter()
            .map(|c| full_outer_join(case, c))
            .collect();
        Self {
            case,
            components,
            joins,
        }
    }

    /// The value of a field in the rows of some tables.
    fn value(&self, row: &Joined, tables: &[usize], field: &str) -> Value {
        for t in tables {
            let table = &self.case.tables[*t];
            let at = table.fields.iter().position(|f| f == field);
            if let (Some(at), Some(r)) = (at, row[*t]) {
                let value = &table.rows[r][at];
                if let Some(symbol) = self
                    .case
                    .symbols(field)
                    .into_iter()
                    .find(|s| s.same_symbol(value))
                {
                    return symbol;
                }
            }
        }
        Value::Null
    }

    /// The tables that hold a field and are not loose; the loose one if there is no other.
    fn holders(&self, field: &str) -> Vec<usize> {
        let all = || {
            (0..self.case.tables.len())
                .filter(|t| self.case.tables[*t].fields.iter().any(|f| f == field))
        };
        let tight: Vec<usize> = all().filter(|t| !self.case.tables[*t].loose).collect();
        if tight.is_empty() {
            all().collect()
        } else {
            tight
        }
    }

    /// The holder with the most rows, the first of these.
    fn home(&self, field: &str) -> usize {
        self.largest(&self.holders(field))
    }

    fn largest(&self, tables: &[usize]) -> usize {
        let mut best = tables[0];
        for t in tables {
            if self.case.tables[*t].rows.len() > self.case.tables[best].rows.len() {
                best = *t;
            }
        }
        best
    }

    fn component_of(&self, table: usize) -> usize {
        let holds = |c: &Vec<usize>| c.contains(&table);
        self.components
            .iter()
            .position(holds)
            .expect("each table is in one")
    }

    /// The joined rows of a component that the selections leave.
    fn remaining(&self, component: usize, selection: &Selection) -> Vec<Joined> {
        let tables = &self.components[component];
        let has = |field: &str| {
            tables
                .iter()
                .any(|t| self.case.tables[*t].fields.iter().any(|f| f == field))
        };
        let mut rows = self.joins[component].clone();
        for (field, texts) in selection.iter().filter(|(f, _)| has(f)) {
            rows.retain(|row| {
                let value = self.value(row, tables, field);
                !value.is_null() && texts.contains(&value.to_text())
            });
        }
        rows
    }

    fn possible(&self, field: &str, selection: &Selection) -> BTreeSet<String> {
        let component = self.component_of(self.holders(field)[0]);
        let tables = &self.components[component];
        self.remaining(component, selection)
            .iter()
            .map(|row| self.value(row, tables, field))
            .filter(|v| !v.is_null())
            .map(|v| v.to_text())
            .collect()
    }

    fn list(&self, field: &str, current: &Selection) -> String {
        let mut others = current.clone();
        let own = others.remove(field);
        let locked = self.case.selections.get(field).is_some_and(|s| s.1);
        let possible = self.possible(field, &others);
        let mut cells: Vec<String> = self
            .case
            .symbols(field)
            .iter()
            .map(|symbol| {
                let text = symbol.to_text();
                let selected = own.as_ref().map(|own| own.contains(&text));
                let state = match (selected, possible.contains(&text)) {
                    (None, true) => "Optional",
                    (Some(false), true) => "Alternative",
                    (None | Some(false), false) => "Excluded",
                    (Some(true), true) if locked => "Locked",
                    (Some(true), true) => "Selected",
                    (Some(true), false) if locked => "LockedExcluded",
                    (Some(true), false) => "SelectedExcluded",
                };
                let holders = self.holders(field);
                // Records of keys are counted somewhere, but it is not promised where.
                let n = match holders.as_slice() {
                    [table] => self
                        .remaining(self.component_of(*table), current)
                        .iter()
                        .filter(|row| self.value(row, &holders, field).same_symbol(symbol))
                        .filter_map(|row| row[*table])
                        .collect::<BTreeSet<usize>>()
                        .len()
                        .to_string(),
                    _ => String::new(),
                };
                format!("{text} {state} {n}")
            })
            .collect();
        cells.sort();
        format!("list {field}: {cells:?}")
    }

    /// The product of the remaining rows of the components that hold records and dimensions;
    /// of each component those with a record, or a dimension if it has no records, or one of
    /// NULLs if there is none.
    fn universe(&self, base: &[usize], dims: &[usize], selection: &Selection) -> Vec<Joined> {
        let tables = [base, dims].concat();
        let components: BTreeSet<usize> = tables.iter().map(|t| self.component_of(*t)).collect();
        let nothing: Joined = vec![None; self.case.tables.len()];
        let mut all = vec![nothing.clone()];
        for component in components {
            let mut rows = self.remaining(component, selection);
            let has_base = base.iter().any(|t| self.component_of(*t) == component);
            let needed = if has_base { base } else { dims };
            rows.retain(|row| {
                let mut here = needed
                    .iter()
                    .filter(|t| self.component_of(**t) == component);
                here.any(|t| row[*t].is_some())
            });
            if rows.is_empty() {
                rows.push(nothing.clone());
            }
            all = all
                .iter()
                .flat_map(|a| {
                    rows.iter()
                        .map(|b| a.iter().zip(b).map(|(x, y)| x.or(*y)).collect())
                        .collect::<Vec<Joined>>()
                })
                .collect();
        }
        all
    }

    /// The tables with those that lie between them.
    fn connected(&self, tables: &[usize]) -> Vec<usize> {
        let mut all: BTreeSet<usize> = tables.iter().copied().collect();
        for from in tables {
            for to in tables {
                all.extend(self.path(*from, *to, &mut vec![*from]).unwrap_or_default());
            }
        }
        all.into_iter().collect()
    }

    /// The shortest way between two tables over shared fields.
    fn path(&self, from: usize, to: usize, walked: &mut Vec<usize>) -> Option<Vec<usize>> {
        if from == to {
            return Some(walked.clone());
        }
        let linked = |t: usize| {
            let (a, b) = (&self.case.tables[from], &self.case.tables[t]);
            !a.loose && !b.loose && a.fields.iter().any(|f| b.fields.contains(f))
        };
        let mut best: Option<Vec<usize>> = None;
        for next in 0..self.case.tables.len() {
            if !linked(next) || walked.contains(&next) {
                continue;
            }
            walked.push(next);
            if let Some(way) = self.path(next, to, walked)
                && best.as_ref().is_none_or(|b| way.len() < b.len())
            {
                best = Some(way);
            }
            walked.pop();
        }
        best
    }

    fn tuple(&self, row: &Joined, dims: &[String]) -> Tuple {
        dims.iter()
            .map(|d| {
                self.value(row, &self.holders(d), d)
                    .as_text()
                    .map_or_else(|| "-".to_owned(), |t| t.into_owned())
            })
            .collect()
    }

    /// How two rows of a cube stand: numbers by size, then texts, then NULL.
    fn order(&self, dims: &[String], a: &Tuple, b: &Tuple) -> Ordering {
        let mut order = Ordering::Equal;
        for (dim, (x, y)) in dims.iter().zip(a.iter().zip(b)) {
            let symbols = self.case.symbols(dim);
            let value = |text: &str| symbols.iter().find(|s| s.to_text() == text);
            order = order.then_with(|| match (value(x), value(y)) {
                (None, None) => Ordering::Equal,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(x), Some(y)) => match (x.as_num(), y.as_num()) {
                    (Some(x), Some(y)) => x.total_cmp(&y),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (None, None) => text_order(&x.to_text(), &y.to_text()),
                },
            });
        }
        order
    }

    /// The values of an `Aggr` by tuple: one for each combination of its dimensions.
    fn aggregated(
        &self,
        measure: &Measure,
        by: &[String],
        dims: &[String],
        current: &Selection,
    ) -> Groups {
        let inner = Measure {
            wrap: Wrap::Plain,
            ..measure.clone()
        };
        let kept: Vec<usize> = (0..by.len())
            .filter(|d| inner.total.as_ref().is_none_or(|t| t.contains(&by[*d])))
            .collect();
        let part = |tuple: &Tuple| kept.iter().map(|d| tuple[*d].clone()).collect::<Tuple>();
        let fields: Vec<String> = kept.iter().map(|d| by[*d].clone()).collect();
        let known = self.groups(&inner, &fields, current);
        // Without `TOTAL`, combinations without a record have no value.
        let of = |tuple: &Tuple| match (known.get(&part(tuple)), &inner.total) {
            (Some(values), _) => aggregate_value(&inner, values.clone()),
            (None, Some(_)) => aggregate_value(&inner, Vec::new()),
            (None, None) => Value::Null,
        };
        let mut groups = Groups::new();
        for tuple in self.combinations(by, current) {
            let shown: Tuple = dims
                .iter()
                .filter_map(|d| Some(tuple[by.iter().position(|b| b == d)?].clone()))
                .collect();
            groups.entry(shown).or_default().push(of(&tuple));
        }
        groups
    }

    /// The combinations of dimension values that remain.
    fn combinations(&self, dims: &[String], selection: &Selection) -> BTreeSet<Tuple> {
        let tables: Vec<usize> = dims.iter().flat_map(|d| self.holders(d)).collect();
        self.universe(&[], &tables, selection)
            .iter()
            .filter(|row| tables.iter().any(|t| row[*t].is_some()))
            .map(|row| self.tuple(row, dims))
            .collect()
    }

    /// The values to aggregate by tuple: each record once a tuple it is associated with.
    fn groups(&self, measure: &Measure, dims: &[String], current: &Selection) -> Groups {
        if let Wrap::Aggr(_, by) = &measure.wrap {
            return self.aggregated(measure, by, dims, current);
        }
        let selection = match &measure.set {
            None => current.clone(),
            Some(set) => self.selection_of(set, current),
        };
        let idempotent =
            measure.distinct || matches!(measure.kind, Kind::Only | Kind::Min | Kind::Max);
        let base: Vec<usize> = match &measure.arg {
            Arg::Star => vec![self.largest(&(0..self.case.tables.len()).collect::<Vec<_>>())],
            Arg::Field(field) if idempotent => self.holders(field),
            Arg::Field(field) => vec![self.home(field)],
            Arg::Product(a, b) | Arg::Joined(a, b) => {
                // A key is taken from a table that is needed anyway, if one holds it.
                let order = self.case.fields();
                let mut fields = [a, b];
                fields.sort_by_key(|f| {
                    (
                        self.holders(f).len() > 1,
                        order.iter().position(|o| o == *f),
                    )
                });
                let mut base: Vec<usize> = Vec::new();
                for field in fields {
                    if !self.holders(field).iter().any(|t| base.contains(t)) {
                        base.push(self.home(field));
                    }
                }
                base
            }
        };
        // A row of the join is told from another by the rows that connect it, too.
        let connected = self.connected(&base);
        let dim_tables: Vec<usize> = dims.iter().flat_map(|d| self.holders(d)).collect();
        let mut seen = BTreeSet::new();
        let mut groups = Groups::new();
        for row in self.universe(&base, &dim_tables, &selection) {
            if base.iter().all(|t| row[*t].is_none()) {
                continue;
            }
            let record: Vec<Option<usize>> = connected.iter().map(|t| row[*t]).collect();
            let tuple = self.tuple(&row, dims);
            if !seen.insert((record, tuple.clone())) {
                continue;
            }
            let value = |field: &str| self.value(&row, &connected, field);
            let value = match &measure.arg {
                Arg::Star => Value::num(1.0),
                Arg::Field(field) => value(field),
                Arg::Product(a, b) => match (value(a).as_num(), value(b).as_num()) {
                    (Some(x), Some(y)) => Value::num(x * y),
                    _ => Value::Null,
                },
                Arg::Joined(a, b) => {
                    Value::text(format!("{}|{}", value(a).to_text(), value(b).to_text()))
                }
            };
            groups.entry(tuple).or_default().push(value);
        }
        groups
    }

    /// The selections that a set expression stands for.
    fn selection_of(&self, set: &Set, current: &Selection) -> Selection {
        let base = match set.base {
            Base::Current => current.clone(),
            Base::All => Selection::new(),
            Base::OtherState => self.case.other.clone(),
        };
        let mut selection = base.clone();
        for modifier in &set.modifiers {
            let (Modifier::Values(field, ..)
            | Modifier::Search(field, _)
            | Modifier::Clear(field)
            | Modifier::Possible(field, _)
            | Modifier::OtherState(field)
            | Modifier::Excluded(field, _)) = modifier;
            let all: BTreeSet<String> = self
                .case
                .symbols(field)
                .iter()
                .map(Value::to_text)
                .collect();
            let (op, named) = match modifier {
                Modifier::Clear(_) => {
                    selection.remove(field);
                    continue;
                }
                Modifier::Values(_, op, texts) => (*op, texts.iter().cloned().collect()),
                Modifier::Search(_, pattern) => {
                    let hit = |t: &&String| matches_wildcard(t, pattern);
                    (
                        "=",
                        all.iter().filter(hit).cloned().collect::<BTreeSet<_>>(),
                    )
                }
                Modifier::OtherState(_) => (
                    "=",
                    match self.case.other.get(field) {
                        Some(selected) => selected.clone(),
                        None => self.possible(field, &self.case.other),
                    },
                ),
                Modifier::Possible(_, inner) => {
                    let inner = self.selection_of(inner, current);
                    ("=", self.possible(field, &inner))
                }
                Modifier::Excluded(_, inner) => {
                    let inner = self.selection_of(inner, current);
                    let possible = self.possible(field, &inner);
                    ("=", all.difference(&possible).cloned().collect())
                }
            };
            let present = selection.get(field).cloned().unwrap_or_else(|| all.clone());
            let chosen: BTreeSet<String> = match op {
                "+=" => present.union(&named).cloned().collect(),
                "-=" => present.difference(&named).cloned().collect(),
                "*=" => present.intersection(&named).cloned().collect(),
                _ => named,
            };
            selection.insert(field.clone(), chosen);
        }
        selection
    }
}

/// Joins table by table; each but the first shares one field with those before it.
fn full_outer_join(case: &Case, tables: &[usize]) -> Vec<Joined> {
    let n = case.tables.len();
    let cell = |row: &Joined, field: &str| -> Value {
        for t in tables {
            let at = case.tables[*t].fields.iter().position(|f| f == field);
            if let (Some(at), Some(r)) = (at, row[*t])
                && !case.tables[*t].rows[r][at].is_null()
            {
                return case.tables[*t].rows[r][at].clone();
            }
        }
        Value::Null
    };
    let mut done: Vec<usize> = Vec::new();
    let mut all: Vec<Joined> = Vec::new();
    while done.len() < tables.len() {
        let shared = |t: &usize| {
            let known = |f: &&String| done.iter().any(|d| case.tables[*d].fields.contains(f));
            case.tables[*t].fields.iter().find(known).cloned()
        };
        let next = tables
            .iter()
            .filter(|t| !done.contains(t))
            .find(|t| done.is_empty() || shared(t).is_some())
            .copied()
            .expect("the tables hang together");
        let key = shared(&next);
        let alone = |r: usize| -> Joined { (0..n).map(|t| (t == next).then_some(r)).collect() };
        let rows: Vec<Joined> = (0..case.tables[next].rows.len()).map(alone).collect();
        let mut matched = BTreeSet::new();
        let mut joined: Vec<Joined> = Vec::new();
        for left in &all {
            let mut partners = 0;
            for (r, right) in rows.iter().enumerate() {
                let key = key.as_deref().unwrap_or_default();
                if cell(left, key).same_symbol(&cell(right, key)) {
                    joined.push(left.iter().zip(right).map(|(a, b)| a.or(*b)).collect());
                    matched.insert(r);
                    partners += 1;
                }
            }
            if partners == 0 {
                joined.push(left.clone());
            }
        }
        joined.extend(
            rows.into_iter()
                .enumerate()
                .filter(|(r, _)| !matched.contains(r))
                .map(|(_, row)| row),
        );
        all = joined;
        done.push(next);
    }
    all
}

/// What a measure that looks at other rows makes of its values in the rows as shown.
fn around(measure: &Measure, rows: &[&Tuple], plain: &[String]) -> Vec<String> {
    if !measure.looks_around() {
        return plain.to_vec();
    }
    // Rows are together that agree in all dimensions but the last one.
    let segment = |at: usize| {
        let n = rows[at].len().saturating_sub(1);
        &rows[at][..n]
    };
    let number = |at: usize| plain[at].parse::<f64>().ok();
    (0..rows.len())
        .map(|at| {
            let peers: Vec<usize> = (0..rows.len())
                .filter(|p| segment(*p) == segment(at))
                .collect();
            let place = peers.iter().position(|p| *p == at).unwrap_or_default();
            let there = |place: Option<usize>| {
                let peer = place.and_then(|p| peers.get(p));
                peer.map_or_else(|| "-".to_owned(), |p| plain[*p].clone())
            };
            match measure.wrap {
                // A cube without dimensions has no other rows.
                Wrap::Running if rows[at].is_empty() => "0".to_owned(),
                _ if rows[at].is_empty() => "-".to_owned(),
                Wrap::Above(n) => there(place.checked_sub(n)),
                Wrap::Below(n) => there(Some(place + n)),
                Wrap::Running => {
                    let from = place.saturating_sub(2);
                    number_text(peers[from..=place].iter().filter_map(|p| number(*p)).sum())
                }
                Wrap::Rank => match number(at) {
                    None => "-".to_owned(),
                    Some(own) => {
                        let larger = peers.iter().filter_map(|p| number(*p));
                        (1 + larger.filter(|n| *n > own).count()).to_string()
                    }
                },
                Wrap::Plain | Wrap::Aggr(..) => plain[at].clone(),
            }
        })
        .collect()
}

/// The result of an aggregation over values as a value.
fn aggregate_value(measure: &Measure, values: Vec<Value>) -> Value {
    let text = aggregate(measure, values);
    match text.parse::<f64>() {
        _ if text == "-" => Value::Null,
        Ok(num) if !matches!(measure.kind, Kind::Concat) => Value::num(num),
        _ => Value::text(text),
    }
}

/// The text of an aggregation over values; `-` is NULL.
fn aggregate(measure: &Measure, mut values: Vec<Value>) -> String {
    // The outer aggregation of an `Aggr` takes its values as they are.
    if let Wrap::Aggr(kind, _) = measure.wrap {
        let outer = Measure {
            kind,
            distinct: false,
            wrap: Wrap::Plain,
            ..measure.clone()
        };
        return aggregate(&outer, values);
    }
    if measure.kind == Kind::NullCount {
        return values.iter().filter(|v| v.is_null()).count().to_string();
    }
    values.retain(|v| !v.is_null());
    if measure.distinct {
        let mut kept: Vec<Value> = Vec::new();
        for value in values {
            if !kept.iter().any(|k| k.same_symbol(&value)) {
                kept.push(value);
            }
        }
        values = kept;
    }
    let numbers: Vec<f64> = values.iter().filter_map(Value::as_num).collect();
    let sum: f64 = numbers.iter().sum();
    let extreme = |better: fn(f64, f64) -> bool| {
        let mut best: Option<&Value> = None;
        for value in values.iter().filter(|v| v.as_num().is_some()) {
            let num = |v: &Value| v.as_num().unwrap_or_default();
            if best.is_none_or(|b| better(num(value), num(b))) {
                best = Some(value);
            }
        }
        best.map_or_else(|| "-".to_owned(), Value::to_text)
    };
    match measure.kind {
        Kind::Sum => number_text(sum),
        Kind::Count => values.len().to_string(),
        Kind::Avg if numbers.is_empty() => "-".to_owned(),
        Kind::Avg => number_text(sum / numbers.len() as f64),
        Kind::Min => extreme(|a, b| a < b),
        Kind::Max => extreme(|a, b| a > b),
        Kind::Only => match values.first() {
            Some(first) if values.iter().all(|v| v.same_symbol(first)) => first.to_text(),
            _ => "-".to_owned(),
        },
        Kind::Concat if values.is_empty() => "-".to_owned(),
        Kind::Concat => {
            values.sort_by(Value::order);
            let texts: Vec<String> = values.iter().map(Value::to_text).collect();
            texts.join(";")
        }
        Kind::NullCount => String::new(),
    }
}
