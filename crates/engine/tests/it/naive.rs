//! The ten-line version: materialize the full outer join and look.

use std::collections::{BTreeMap, BTreeSet};

use satchel_data::{Frame, Model, ModelBuilder, Value};

/// Tables of small numbers; `None` is NULL.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: &'static str,
    pub fields: Vec<&'static str>,
    pub rows: Vec<Vec<Option<u8>>>,
}

pub fn model(tables: &[Table]) -> Model {
    let mut builder = ModelBuilder::new();
    for table in tables {
        let mut frame = Frame::new(table.name, table.fields.iter().copied());
        for row in &table.rows {
            let row: Vec<Value> = row
                .iter()
                .map(|v| v.map_or(Value::Null, |n| Value::num(f64::from(n))))
                .collect();
            frame.push_row(&row);
        }
        builder = builder.table(frame);
    }
    builder.build().unwrap()
}

/// A row of the full outer join: field values, and which row of each table it is made of.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    pub values: BTreeMap<&'static str, u8>,
    pub rows: BTreeMap<&'static str, usize>,
}

/// The full outer join; each table shares at most one field with those before it.
pub fn full_outer_join(tables: &[Table]) -> Vec<Joined> {
    let mut all: Vec<Joined> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for table in tables {
        let alone: Vec<Joined> = table
            .rows
            .iter()
            .enumerate()
            .map(|(i, row)| Joined {
                values: table
                    .fields
                    .iter()
                    .zip(row)
                    .filter_map(|(f, v)| v.map(|v| (*f, v)))
                    .collect(),
                rows: BTreeMap::from([(table.name, i)]),
            })
            .collect();
        let key = table.fields.iter().find(|f| known.contains(*f));
        known.extend(&table.fields);
        let Some(key) = key else {
            assert!(all.is_empty(), "tables come connected");
            all = alone;
            continue;
        };
        let mut next = Vec::new();
        let mut matched = BTreeSet::new();
        for row in &all {
            let mut any = false;
            for (i, other) in alone.iter().enumerate() {
                let same =
                    row.values.contains_key(key) && row.values.get(key) == other.values.get(key);
                if same {
                    any = true;
                    matched.insert(i);
                    let mut both = row.clone();
                    both.values.extend(&other.values);
                    both.rows.extend(&other.rows);
                    next.push(both);
                }
            }
            if !any {
                next.push(row.clone());
            }
        }
        next.extend(
            alone
                .iter()
                .enumerate()
                .filter(|(i, _)| !matched.contains(i))
                .map(|(_, r)| r.clone()),
        );
        all = next;
    }
    all
}

pub type Selection = BTreeMap<&'static str, BTreeSet<u8>>;

pub fn satisfies(row: &Joined, selection: &Selection, aside: Option<&str>) -> bool {
    selection
        .iter()
        .filter(|(f, _)| Some(**f) != aside)
        .all(|(f, set)| row.values.get(f).is_some_and(|v| set.contains(v)))
}

/// The values of `field` possible with its own selection left aside.
pub fn possible(all: &[Joined], field: &str, selection: &Selection) -> BTreeSet<u8> {
    all.iter()
        .filter(|r| satisfies(r, selection, Some(field)))
        .filter_map(|r| r.values.get(field).copied())
        .collect()
}

/// Records of the join of `base` tables by dimension tuple: each record once a tuple, as the
/// values of `fields`.
pub fn grouped(
    all: &[Joined],
    selection: &Selection,
    dims: &[&str],
    base: &[&'static str],
    fields: &[&str],
) -> BTreeMap<Vec<Option<u8>>, Vec<Vec<Option<u8>>>> {
    let mut seen = BTreeSet::new();
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in all.iter().filter(|r| satisfies(r, selection, None)) {
        let record: Vec<Option<usize>> = base.iter().map(|t| row.rows.get(t).copied()).collect();
        if record.iter().all(Option::is_none) {
            continue;
        }
        let value = |f: &&str| row.values.get(*f).copied();
        let tuple: Vec<Option<u8>> = dims.iter().map(value).collect();
        if seen.insert((record, tuple.clone())) {
            groups
                .entry(tuple)
                .or_default()
                .push(fields.iter().map(value).collect());
        }
    }
    groups
}
