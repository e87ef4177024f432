//! Tables with rows enough that the engine keeps what it looks up by row: the answers are those
//! of a look at every record, before and after, for whoever looks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use satchel_base::Budget;
use satchel_calc::Locale;
use satchel_data::{BitSet, Frame, ModelBuilder, Value, View};
use satchel_engine::*;

const FIELDS: [&str; 9] = [
    "OrderKey", "Part", "Mode", "Qty", "Cust", "Prio", "Region", "Brand", "Name",
];
const N_FACTS: u32 = 70_000;
const N_ORDERS: u32 = 9_000;

type Record = [Option<u32>; FIELDS.len()];

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(n)) as u32
    }

    fn maybe(&mut self, n: u32) -> Option<u32> {
        let it = self.below(n + 1);
        (it < n).then_some(it)
    }
}

struct Data {
    /// `OrderKey`, `Part`, `Mode`, `Qty`.
    facts: Vec<[Option<u32>; 4]>,
    /// By `OrderKey`: `Cust`, `Prio`.
    orders: Vec<[Option<u32>; 2]>,
    /// By `Cust`: `Region`.
    customers: Vec<Option<u32>>,
    /// By `Part`: `Brand`.
    parts: Vec<Option<u32>>,
}

impl Data {
    fn new(dice: &mut Dice) -> Self {
        let mut order = 0;
        let facts = (0..N_FACTS)
            .map(|_| {
                order += u32::from(dice.below(8) == 0);
                // Some orders are missing, some lines have none.
                let key = (dice.below(50) > 0).then_some(order % (N_ORDERS + 20));
                [key, dice.maybe(420), dice.maybe(6), Some(dice.below(50))]
            })
            .collect();
        Self {
            facts,
            orders: (0..N_ORDERS)
                .map(|_| [dice.maybe(320), dice.maybe(5)])
                .collect(),
            customers: (0..300).map(|_| dice.maybe(6)).collect(),
            parts: (0..400).map(|_| dice.maybe(25)).collect(),
        }
    }

    fn view(&self, mask: Option<&BitSet>) -> View {
        let value = |v: &Option<u32>| v.map_or(Value::Null, |n| Value::num(f64::from(n)));
        let mut facts = Frame::new("Facts", ["OrderKey", "Part", "Mode", "Qty"]);
        for row in &self.facts {
            facts.push_row(&row.iter().map(value).collect::<Vec<_>>());
        }
        let mut orders = Frame::new("Orders", ["OrderKey", "Cust", "Prio"]);
        for (key, [cust, prio]) in self.orders.iter().enumerate() {
            orders.push_row(&[Value::num(key as f64), value(cust), value(prio)]);
        }
        let mut customers = Frame::new("Customers", ["Cust", "Region", "Name"]);
        for (cust, region) in self.customers.iter().enumerate() {
            let cust = Value::num(cust as f64);
            customers.push_row(&[cust.clone(), value(region), cust]);
        }
        let mut parts = Frame::new("Parts", ["Part", "Brand"]);
        for (part, brand) in self.parts.iter().enumerate() {
            parts.push_row(&[Value::num(part as f64), value(brand)]);
        }
        let tables = ModelBuilder::new()
            .table(facts)
            .table(orders)
            .table(customers)
            .table(parts);
        let model = Arc::new(tables.build().unwrap());
        match mask {
            None => View::unrestricted(model),
            Some(mask) => View::restricted(model, vec![Some(mask.clone()), None, None, None], &[]),
        }
    }

    /// The full outer join of what is visible; the last number is the row of the facts.
    fn records(&self, mask: Option<&BitSet>) -> Vec<(Record, Option<usize>)> {
        let mut had: (BTreeSet<u32>, BTreeSet<u32>, BTreeSet<u32>) = Default::default();
        let mut all = Vec::new();
        for (row, [key, part, mode, qty]) in self.facts.iter().enumerate() {
            if mask.is_some_and(|m| !m.contains(row)) {
                continue;
            }
            let mut record: Record = [*key, *part, *mode, *qty, None, None, None, None, None];
            if let Some([cust, prio]) = key.and_then(|k| self.orders.get(k as usize)) {
                had.0.extend(*key);
                (record[4], record[5]) = (*cust, *prio);
            }
            if let Some(brand) = part.and_then(|p| self.parts.get(p as usize)) {
                had.2.extend(*part);
                record[7] = *brand;
            }
            all.push((record, Some(row)));
        }
        for (key, [cust, prio]) in self.orders.iter().enumerate() {
            if !had.0.contains(&(key as u32)) {
                let key = Some(key as u32);
                all.push((
                    [key, None, None, None, *cust, *prio, None, None, None],
                    None,
                ));
            }
        }
        for (record, _) in &mut all {
            let cust = record[4].filter(|c| (*c as usize) < self.customers.len());
            if let Some(c) = cust {
                had.1.insert(c);
                (record[6], record[8]) = (self.customers[c as usize], Some(c));
            }
        }
        for (cust, region) in self.customers.iter().enumerate() {
            if !had.1.contains(&(cust as u32)) {
                let cust = Some(cust as u32);
                all.push((
                    [None, None, None, None, cust, None, *region, None, cust],
                    None,
                ));
            }
        }
        for (part, brand) in self.parts.iter().enumerate() {
            if !had.2.contains(&(part as u32)) {
                let part = Some(part as u32);
                all.push((
                    [None, part, None, None, None, None, None, *brand, None],
                    None,
                ));
            }
        }
        all
    }
}

type Wanted = BTreeMap<usize, BTreeSet<u32>>;

fn fits(record: &Record, wanted: &Wanted, aside: Option<usize>) -> bool {
    let mut fields = wanted.iter().filter(|(f, _)| Some(**f) != aside);
    fields.all(|(f, set)| record[*f].is_some_and(|v| set.contains(&v)))
}

fn check(data: &Data, mask: Option<&BitSet>, dice: &mut Dice) {
    let engine = Engine::new(Arc::new(data.view(mask)));
    let records = data.records(mask);
    let (budget, locale) = (Budget::unlimited(), Locale::default());
    for turn in 0..24 {
        let mut wanted = Wanted::new();
        for _ in 0..dice.below(4) {
            let field = dice.below(FIELDS.len() as u32) as usize;
            let values: BTreeSet<u32> = records.iter().filter_map(|(r, _)| r[field]).collect();
            let values: Vec<u32> = values.into_iter().collect();
            let few = dice.below(2) == 0;
            let n = 1 + dice.below(if few { 2 } else { values.len() as u32 });
            let chosen = (0..n).map(|_| values[dice.below(values.len() as u32) as usize]);
            wanted.insert(field, chosen.collect());
        }
        let mut selections = Selections::new();
        for (field, set) in &wanted {
            let field = engine.field(FIELDS[*field]).unwrap();
            let values = set.iter().map(|v| Value::num(f64::from(*v))).collect();
            let select = Select::Values(values, Toggle::Replace);
            engine
                .select(
                    &mut selections,
                    "$",
                    field,
                    &select,
                    Locks::Respect,
                    &budget,
                )
                .unwrap();
        }
        if turn % 3 == 0 {
            engine.forget();
        }
        let query = Query {
            engine: &engine,
            selections: &selections,
            state: "$",
            lookup: &NoLookup,
            locale: &locale,
            now: 45_000.0,
            utc_offset: 0.0,
            budget: &budget,
        };
        for (f, name) in FIELDS.iter().enumerate() {
            let field = engine.field(name).unwrap();
            let states = engine
                .field_states(&selections.default_state(), field, &budget)
                .unwrap();
            let view = engine.view();
            let got: BTreeSet<u32> = view
                .codes(field)
                .iter()
                .filter(|c| states.without_own.contains(**c as usize))
                .map(|c| view.num(field, *c) as u32)
                .collect();
            let possible = records.iter().filter(|(r, _)| fits(r, &wanted, Some(f)));
            let want: BTreeSet<u32> = possible.filter_map(|(r, _)| r[f]).collect();
            assert_eq!(got, want, "{name} under {wanted:?}, turn {turn}");
        }
        for dim in [2, 5, 6, 7] {
            let cube = query
                .cube(&CubeDef {
                    dimensions: vec![DimensionDef {
                        def: FIELDS[dim].to_owned(),
                        ..DimensionDef::default()
                    }],
                    measures: vec![MeasureDef {
                        def: "Sum(Qty)".to_owned(),
                        ..MeasureDef::default()
                    }],
                    ..CubeDef::default()
                })
                .unwrap();
            let all = Rect {
                left: 0,
                top: 0,
                width: 2,
                height: cube.n_rows(),
            };
            let got: BTreeMap<u32, f64> = (cube.page(all).1.iter())
                .filter_map(|row| Some((row[0].value.as_num()? as u32, row[1].value.as_num()?)))
                .filter(|(_, sum)| *sum != 0.0)
                .collect();
            let mut want: BTreeMap<u32, f64> = BTreeMap::new();
            for (r, _) in records
                .iter()
                .filter(|(r, row)| row.is_some() && fits(r, &wanted, None))
            {
                if let (Some(group), Some(qty)) = (r[dim], r[3]) {
                    *want.entry(group).or_default() += f64::from(qty);
                }
            }
            want.retain(|_, sum| *sum != 0.0);
            assert_eq!(
                got, want,
                "by {} under {wanted:?}, turn {turn}",
                FIELDS[dim]
            );
        }
    }
    assert!(
        engine.shared_bytes() > N_FACTS as usize,
        "nothing was kept by row"
    );
}

#[test]
fn what_is_kept_by_row_changes_no_answer() {
    let n = if std::env::var_os("SLOW").is_some() {
        40
    } else {
        2
    };
    for seed in 0..n {
        let mut dice = Dice(seed * 977 + 5);
        let data = Data::new(&mut dice);
        check(&data, None, &mut dice);
        let mask: BitSet = (0..N_FACTS).map(|_| dice.below(20) == 0).collect();
        check(&data, Some(&mask), &mut dice);
    }
}
