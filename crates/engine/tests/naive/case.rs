//! Cases: models, selections and questions made from a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use satchel_data::Value;

/// Tables with their rows; field names say little: `k…` keys, `f…` others.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    pub fields: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    pub loose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sum,
    Count,
    Min,
    Max,
    Avg,
    Only,
    Concat,
    NullCount,
}

#[derive(Clone, Debug)]
pub enum Arg {
    Field(String),
    /// `f * g`
    Product(String, String),
    /// `f & '|' & g`
    Joined(String, String),
    Star,
}

/// `=`, `+=`, `-=` or `*=`.
#[derive(Clone, Debug)]
pub enum Modifier {
    Values(String, &'static str, Vec<String>),
    /// A search with `*`.
    Search(String, String),
    Clear(String),
    Possible(String, Box<Set>),
    Excluded(String, Box<Set>),
    /// `f = B::f`
    OtherState(String),
}

/// What a set starts from: `$`, `1` or the alternate state `B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    Current,
    All,
    OtherState,
}

/// What an aggregation is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrap {
    Plain,
    /// `Sum(Aggr(…, A, B))`; the dimensions hold those of the cube.
    Aggr(Kind, Vec<String>),
    /// `Rank(…, 1, 1)`
    Rank,
    /// `Above(…, n)`
    Above(usize),
    /// `Below(…, n)`
    Below(usize),
    /// `RangeSum(Above(…, 0, 3))`
    Running,
}

#[derive(Clone, Debug)]
pub struct Set {
    pub base: Base,
    pub modifiers: Vec<Modifier>,
}

#[derive(Clone, Debug)]
pub struct Measure {
    pub kind: Kind,
    pub distinct: bool,
    /// `TOTAL`, and the fields of `TOTAL <…>`.
    pub total: Option<Vec<String>>,
    pub set: Option<Set>,
    pub arg: Arg,
    pub wrap: Wrap,
}

impl Measure {
    /// The `TOTAL` that decides which rows of the cube there are.
    pub fn outer_total(&self) -> Option<&Vec<String>> {
        match self.wrap {
            Wrap::Aggr(..) => None,
            _ => self.total.as_ref(),
        }
    }

    /// Whether it looks at other rows of the cube.
    pub fn looks_around(&self) -> bool {
        !matches!(self.wrap, Wrap::Plain | Wrap::Aggr(..))
    }
}

#[derive(Clone, Debug)]
pub struct Case {
    pub tables: Vec<Table>,
    /// Texts of selected values by field, and whether they are locked.
    pub selections: BTreeMap<String, (BTreeSet<String>, bool)>,
    /// Selections of the alternate state `B`.
    pub other: BTreeMap<String, BTreeSet<String>>,
    pub dimensions: Vec<String>,
    pub measures: Vec<Measure>,
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// `0..n`.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// True once in `n`.
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The `i`th value of a field of some flavour; in flavour 4 tables show a number differently.
fn value(flavour: usize, i: usize, table: usize) -> Value {
    let num = i as f64;
    match flavour {
        0 => Value::num(num),
        1 => Value::dual(num, format!("n{i}")),
        2 => Value::text(format!("t{i}")),
        3 if i % 2 == 1 => Value::text(format!("t{i}")),
        3 => Value::num(num - 1.5),
        _ if table % 2 == 1 => Value::dual(num, format!("0{i}")),
        _ => Value::num(num),
    }
}

impl Case {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut tables: Vec<Table> = Vec::new();
        let mut n_fields = 0;
        for t in 0..=dice.below(5) {
            let mut table = Table {
                name: format!("T{t}"),
                fields: Vec::new(),
                rows: Vec::new(),
                loose: false,
            };
            // One in eight is an island.
            if t > 0 && !dice.one_in(8) {
                let parent = dice.below(tables.len());
                let keys: Vec<String> = tables[parent]
                    .fields
                    .iter()
                    .filter(|f| f.starts_with('k'))
                    .cloned()
                    .collect();
                if keys.is_empty() || dice.one_in(2) {
                    let key = format!("k{t}");
                    tables[parent].fields.insert(0, key.clone());
                    table.fields.push(key);
                } else {
                    table.fields.push(dice.pick(&keys).clone());
                }
            }
            for _ in 0..=dice.below(2) {
                table.fields.push(format!("f{n_fields}"));
                n_fields += 1;
            }
            tables.push(table);
        }
        if dice.one_in(5) {
            let keys: Vec<String> = tables
                .iter()
                .flat_map(|t| t.fields.clone())
                .filter(|f| f.starts_with('k'))
                .collect();
            if !keys.is_empty() {
                let key = dice.pick(&keys).clone();
                tables.push(Table {
                    name: "L".to_owned(),
                    fields: vec![key, format!("f{n_fields}")],
                    rows: Vec::new(),
                    loose: true,
                });
            }
        }
        let mut flavours: BTreeMap<String, usize> = BTreeMap::new();
        for t in 0..tables.len() {
            let n_rows = dice.below(7);
            let fields = tables[t].fields.clone();
            for _ in 0..n_rows {
                let mut row = Vec::new();
                for field in &fields {
                    let flavour = *flavours
                        .entry(field.clone())
                        .or_insert_with(|| dice.below(5));
                    let null = dice.one_in(7);
                    let cell = value(flavour, dice.below(4), t);
                    // A loose table brings no value of a key that the others lack.
                    let known = !tables[t].loose
                        || !field.starts_with('k')
                        || tables[..t].iter().any(|other| {
                            let at = other.fields.iter().position(|f| f == field);
                            at.is_some_and(|at| other.rows.iter().any(|r| r[at].same_symbol(&cell)))
                        });
                    row.push(if null || !known { Value::Null } else { cell });
                }
                tables[t].rows.push(row);
            }
        }
        let mut case = Self {
            tables,
            selections: BTreeMap::new(),
            other: BTreeMap::new(),
            dimensions: Vec::new(),
            measures: Vec::new(),
        };
        let fields = case.fields();
        for _ in 0..dice.below(4) {
            let field = dice.pick(&fields).clone();
            let texts = case.texts(&field);
            if !texts.is_empty() {
                let n = 1 + dice.below(2);
                let chosen = (0..n).map(|_| dice.pick(&texts).clone()).collect();
                case.selections.insert(field, (chosen, dice.one_in(4)));
            }
        }
        for _ in 0..dice.below(3) {
            let field = dice.pick(&fields).clone();
            let texts = case.texts(&field);
            if !texts.is_empty() {
                let chosen = BTreeSet::from([dice.pick(&texts).clone()]);
                case.other.insert(field, chosen);
            }
        }
        // A cube is about the tight tables and islands, or about the loose table alone with
        // an island: what a loose table's key means beside its tables is not defined.
        let loose: Vec<String> = case
            .tables
            .iter()
            .filter(|t| t.loose)
            .flat_map(|t| t.fields.clone())
            .collect();
        let usable: Vec<String> = if !loose.is_empty() && dice.one_in(2) {
            let free = |f: &&String| !f.starts_with('k') || !loose.contains(f);
            fields.iter().filter(free).cloned().collect()
        } else {
            let tight = |f: &&String| f.starts_with('k') || !loose.contains(f);
            fields.iter().filter(tight).cloned().collect()
        };
        for _ in 0..dice.below(3) {
            let field = dice.pick(&usable).clone();
            if !case.dimensions.contains(&field) {
                case.dimensions.push(field);
            }
        }
        for _ in 0..1 + dice.below(3) {
            let mut measure = case.measure(&mut dice, &usable);
            measure.wrap = case.wrap(&mut dice, &usable, &measure);
            case.measures.push(measure);
        }
        case
    }

    fn wrap(&self, dice: &mut Dice, usable: &[String], measure: &Measure) -> Wrap {
        let counts = matches!(measure.kind, Kind::Sum | Kind::Count | Kind::NullCount);
        match dice.below(10) {
            0 | 1 if counts && !matches!(measure.arg, Arg::Star) => {
                let mut dims = self.dimensions.clone();
                for _ in 0..1 + dice.below(2) {
                    let field = dice.pick(usable).clone();
                    if !dims.contains(&field) {
                        dims.push(field);
                    }
                }
                let kinds = [Kind::Sum, Kind::Count, Kind::Concat, Kind::NullCount];
                Wrap::Aggr(*dice.pick(&kinds), dims)
            }
            2 if counts => Wrap::Rank,
            3 if counts => Wrap::Above(1 + dice.below(2)),
            4 if counts => Wrap::Below(dice.below(2)),
            5 if counts => Wrap::Running,
            _ => Wrap::Plain,
        }
    }

    fn measure(&self, dice: &mut Dice, usable: &[String]) -> Measure {
        let kinds = [
            Kind::Sum,
            Kind::Count,
            Kind::Min,
            Kind::Max,
            Kind::Avg,
            Kind::Only,
            Kind::Concat,
            Kind::NullCount,
        ];
        let field = dice.pick(usable).clone();
        let mut other = dice.pick(usable).clone();
        // Not defined: fields of two islands together, and how often a key counts beside
        // another key or the field of another table.
        let together = |t: &Table| t.fields.contains(&field) && t.fields.contains(&other);
        let n_keys = [&field, &other]
            .iter()
            .filter(|f| f.starts_with('k'))
            .count();
        let defined = match n_keys {
            0 => self.linked(&field, &other),
            1 => self.tables.iter().any(together),
            _ => false,
        };
        if !defined {
            other.clone_from(&field);
        }
        let arg = match dice.below(8) {
            0 if field != other => Arg::Product(field, other),
            1 if field != other => Arg::Joined(field, other),
            2 if self.tables.iter().all(|t| !t.loose) => Arg::Star,
            _ => Arg::Field(field),
        };
        let star = matches!(arg, Arg::Star);
        let kind = if star {
            Kind::Count
        } else {
            *dice.pick(&kinds)
        };
        let total = match dice.below(6) {
            _ if star => None,
            0 => Some(Vec::new()),
            1 if !self.dimensions.is_empty() => Some(vec![dice.pick(&self.dimensions).clone()]),
            _ => None,
        };
        Measure {
            kind,
            distinct: !star && dice.one_in(4),
            total,
            set: dice.one_in(3).then(|| self.set(dice, 0)),
            arg,
            wrap: Wrap::Plain,
        }
    }

    /// Whether shared fields lead from one field to the other.
    fn linked(&self, from: &str, to: &str) -> bool {
        let mut reached = vec![from.to_owned()];
        loop {
            let n = reached.len();
            for table in self.tables.iter().filter(|t| !t.loose) {
                if table.fields.iter().any(|f| reached.contains(f)) {
                    let more = table.fields.iter().filter(|f| !reached.contains(f));
                    let more: Vec<String> = more.cloned().collect();
                    reached.extend(more);
                }
            }
            if reached.len() == n {
                return reached.iter().any(|f| f == to);
            }
        }
    }

    fn set(&self, dice: &mut Dice, depth: usize) -> Set {
        let fields = self.fields();
        let mut modifiers = Vec::new();
        for _ in 0..dice.below(3) {
            let field = dice.pick(&fields).clone();
            let texts = self.texts(&field);
            modifiers.push(match dice.below(7) {
                4 => Modifier::OtherState(field),
                0 => Modifier::Clear(field),
                1 => Modifier::Search(field, (*dice.pick(&["t*", "*1", "n?", "*"])).to_owned()),
                2 if depth == 0 => Modifier::Possible(field, Box::new(self.set(dice, 1))),
                3 if depth == 0 => Modifier::Excluded(field, Box::new(self.set(dice, 1))),
                _ => {
                    let op = *dice.pick(&["=", "=", "+=", "-=", "*="]);
                    let mut chosen: Vec<String> = Vec::new();
                    for _ in 0..1 + dice.below(2) {
                        chosen.push(match texts.is_empty() || dice.one_in(9) {
                            true => "nothing".to_owned(),
                            false => dice.pick(&texts).clone(),
                        });
                    }
                    Modifier::Values(field, op, chosen)
                }
            });
        }
        Set {
            base: *dice.pick(&[Base::Current, Base::Current, Base::All, Base::OtherState]),
            modifiers,
        }
    }

    /// All field names, each once.
    pub fn fields(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for field in self.tables.iter().flat_map(|t| &t.fields) {
            if !names.contains(field) {
                names.push(field.clone());
            }
        }
        names
    }

    /// The distinct values of a field in load order; the first text of a number stays.
    pub fn symbols(&self, field: &str) -> Vec<Value> {
        let mut symbols: Vec<Value> = Vec::new();
        for table in &self.tables {
            let Some(at) = table.fields.iter().position(|f| f == field) else {
                continue;
            };
            for row in &table.rows {
                let value = &row[at];
                if !value.is_null() && !symbols.iter().any(|s| s.same_symbol(value)) {
                    symbols.push(value.clone());
                }
            }
        }
        symbols
    }

    fn texts(&self, field: &str) -> Vec<String> {
        self.symbols(field).iter().map(Value::to_text).collect()
    }

    /// Cases with one part less.
    pub fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut push = |change: &dyn Fn(&mut Self)| {
            let mut case = self.clone();
            change(&mut case);
            all.push(case);
        };
        for m in 0..self.measures.len() {
            push(&|c| drop(c.measures.remove(m)));
            push(&|c| c.measures[m].set = None);
            push(&|c| c.measures[m].wrap = Wrap::Plain);
            if let Wrap::Aggr(_, dims) = &self.measures[m].wrap {
                for d in 0..dims.len() {
                    // Those of the cube stay.
                    if !self.dimensions.contains(&dims[d]) && dims.len() > 1 {
                        push(&|c| {
                            if let Wrap::Aggr(_, dims) = &mut c.measures[m].wrap {
                                dims.remove(d);
                            }
                        });
                    }
                }
            }
            push(&|c| c.measures[m].total = None);
            push(&|c| c.measures[m].distinct = false);
            if let Some(set) = &self.measures[m].set {
                for i in 0..set.modifiers.len() {
                    push(&|c| {
                        if let Some(set) = &mut c.measures[m].set {
                            set.modifiers.remove(i);
                        }
                    });
                }
            }
        }
        for d in 0..self.dimensions.len() {
            push(&|c| drop(c.dimensions.remove(d)));
        }
        for field in self.selections.keys() {
            push(&|c| drop(c.selections.remove(field)));
        }
        for field in self.other.keys() {
            push(&|c| drop(c.other.remove(field)));
        }
        for t in 0..self.tables.len() {
            for r in 0..self.tables[t].rows.len() {
                push(&|c| drop(c.tables[t].rows.remove(r)));
            }
        }
        for field in self.fields() {
            if !self.mentions(&field) {
                push(&|c| {
                    for table in &mut c.tables {
                        if let Some(at) = table.fields.iter().position(|f| *f == field) {
                            table.fields.remove(at);
                            table.rows.iter_mut().for_each(|r| drop(r.remove(at)));
                        }
                    }
                    c.tables.retain(|t| !t.fields.is_empty());
                });
            }
        }
        // What was not reduced is not smaller; without it the search would not end.
        let size = self.size();
        all.retain(|c| c.size() < size && c.is_sound());
        all
    }

    /// Whether each value of a key in a loose table is in another table too.
    fn is_sound(&self) -> bool {
        let has = |table: &Table, field: &str, value: &Value| {
            let at = table.fields.iter().position(|f| f == field);
            at.is_some_and(|at| table.rows.iter().any(|r| r[at].same_symbol(value)))
        };
        self.tables.iter().filter(|t| t.loose).all(|table| {
            table.rows.iter().all(|row| {
                table.fields.iter().zip(row).all(|(field, value)| {
                    let others = || self.tables.iter().filter(|t| !t.loose);
                    value.is_null()
                        || !field.starts_with('k')
                        || others().any(|t| has(t, field, value))
                })
            })
        })
    }

    fn mentions(&self, field: &str) -> bool {
        self.selections.contains_key(field)
            || self.other.contains_key(field)
            || self.dimensions.iter().any(|d| d == field)
            || self
                .measures
                .iter()
                .any(|m| format!("{m:?}").contains(&format!("\"{field}\"")))
    }

    fn size(&self) -> usize {
        let rows: usize = self
            .tables
            .iter()
            .map(|t| t.rows.len() + t.fields.len())
            .sum();
        let measures: usize = self.measures.iter().map(|m| format!("{m}").len() + 1).sum();
        rows + self.selections.len() + self.other.len() + self.dimensions.len() + measures
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = match self.base {
            Base::Current => "$",
            Base::All => "1",
            Base::OtherState => "B",
        };
        write!(f, "{{{base}")?;
        for (i, modifier) in self.modifiers.iter().enumerate() {
            f.write_str(if i == 0 { "<" } else { "," })?;
            match modifier {
                Modifier::Values(field, op, texts) => {
                    let quoted: Vec<String> = texts.iter().map(|t| format!("'{t}'")).collect();
                    write!(f, "{field}{op}{{{}}}", quoted.join(","))?;
                }
                Modifier::Search(field, pattern) => write!(f, "{field}={{\"{pattern}\"}}")?,
                Modifier::Clear(field) => write!(f, "{field}=")?,
                Modifier::Possible(field, set) => write!(f, "{field}=P({set} {field})")?,
                Modifier::OtherState(field) => write!(f, "{field}=B::{field}")?,
                Modifier::Excluded(field, set) => write!(f, "{field}=E({set} {field})")?,
            }
        }
        f.write_str(if self.modifiers.is_empty() { "}" } else { ">}" })
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wrap {
            Wrap::Plain => {}
            Wrap::Aggr(kind, _) => write!(f, "{kind:?}(Aggr(")?,
            Wrap::Rank => f.write_str("Rank(")?,
            Wrap::Above(_) => f.write_str("Above(")?,
            Wrap::Below(_) => f.write_str("Below(")?,
            Wrap::Running => f.write_str("RangeSum(Above(")?,
        }
        write!(f, "{:?}(", self.kind)?;
        if let Some(set) = &self.set {
            write!(f, "{set} ")?;
        }
        if self.distinct {
            f.write_str("DISTINCT ")?;
        }
        match &self.total {
            None => {}
            Some(fields) if fields.is_empty() => f.write_str("TOTAL ")?,
            Some(fields) => write!(f, "TOTAL <{}> ", fields.join(","))?,
        }
        match &self.arg {
            Arg::Field(field) => f.write_str(field)?,
            Arg::Product(a, b) => write!(f, "{a}*{b}")?,
            Arg::Joined(a, b) => write!(f, "{a}&'|'&{b}")?,
            Arg::Star => f.write_str("*")?,
        }
        f.write_str(if self.kind == Kind::Concat {
            ",';')"
        } else {
            ")"
        })?;
        match &self.wrap {
            Wrap::Plain => Ok(()),
            Wrap::Aggr(Kind::Concat, dims) => write!(f, ",{}),';')", dims.join(",")),
            Wrap::Aggr(_, dims) => write!(f, ",{}))", dims.join(",")),
            Wrap::Rank => f.write_str(",1,1)"),
            Wrap::Above(n) | Wrap::Below(n) => write!(f, ",{n})"),
            Wrap::Running => f.write_str(",0,3))"),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            let loose = if table.loose { " (loose)" } else { "" };
            writeln!(f, "{}{loose}: {}", table.name, table.fields.join(" | "))?;
            for row in &table.rows {
                let cells: Vec<String> = row
                    .iter()
                    .map(|v| match (v, v.as_num()) {
                        (Value::Null, _) => "NULL".to_owned(),
                        (Value::Dual { text, .. }, Some(num)) => format!("{num}={text}"),
                        _ => v.to_text(),
                    })
                    .collect();
                writeln!(f, "    {}", cells.join(" | "))?;
            }
        }
        for (field, (texts, locked)) in &self.selections {
            let lock = if *locked { " locked" } else { "" };
            writeln!(f, "selected{lock} {field}: {texts:?}")?;
        }
        for (field, texts) in &self.other {
            writeln!(f, "in B {field}: {texts:?}")?;
        }
        let measures: Vec<String> = self.measures.iter().map(ToString::to_string).collect();
        write!(f, "by {:?}: {}", self.dimensions, measures.join("  "))
    }
}
