//! Behaviour on a small model that a person can check by eye.

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};
use satchel_base::{Budget, CancelToken, Limits};
use satchel_calc::Locale;
use satchel_data::{Frame, ModelBuilder, Value, View};
use satchel_engine::*;

const SALES: &str = "Id|Country|Product|Amount|Cust\n1|GERMANY|MACHINES|10|C1\n2|GERMANY|FOOD|20|C2\n3|FRANCE|MACHINES|30|C1\n4|FRANCE|FOOD|40|C3\n5|SWEDEN|FOOD|50|C4\n6||FOOD|60|C5";
const CUSTOMERS: &str = "Cust|Name\nC1|Alpha\nC2|Beta\nC3|Gamma\nC4|Delta\nC5|Eps\nC6|Zeta";

fn frame(name: &str, text: &str) -> Frame {
    let mut lines = text.lines().map(|l| l.split('|').collect::<Vec<_>>());
    let mut frame = Frame::new(name, lines.next().unwrap());
    for line in lines {
        let row: Vec<Value> = line
            .iter()
            .map(|cell| match cell.parse::<f64>() {
                _ if cell.is_empty() => Value::Null,
                Ok(n) => Value::num(n),
                Err(_) => Value::text(*cell),
            })
            .collect();
        frame.push_row(&row);
    }
    frame
}

pub(crate) struct App {
    engine: Arc<Engine>,
    history: History,
    budget: Budget,
    locale: Locale,
}

struct Names<'a>(&'a App);

impl Lookup for Names<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "vYear" => Some("2013".to_owned()),
            "vTotal" => Some("=Sum(Amount)".to_owned()),
            "vLoop" => Some("=$(vLoop)".to_owned()),
            "vSum" => Some("Sum(Amount)".to_owned()),
            "vOops" => Some("Sum(Oops)".to_owned()),
            "vBad" => Some("=Sum(Oops)".to_owned()),
            _ => None,
        }
    }

    fn bookmark(&self, name: &str) -> Option<Arc<StateSelections>> {
        let mut selections = Selections::new();
        self.0.select_in(&mut selections, "Country", &["FRANCE"]);
        (name == "Francophile").then(|| selections.default_state())
    }

    fn step(&self, state: &str, n: i64) -> Option<Arc<StateSelections>> {
        let steps = n.unsigned_abs() as usize;
        if n > 0 {
            self.0.history.steps_back(state, steps)
        } else {
            self.0.history.steps_forward(state, steps)
        }
    }
}

impl App {
    /// Sales and customers; `selections` as `Country=GERMANY,FRANCE Product=FOOD`.
    pub(crate) fn new(selections: &str) -> Self {
        let model = ModelBuilder::new()
            .table(frame("Sales", SALES))
            .table(frame("Customers", CUSTOMERS))
            .build()
            .unwrap();
        let mut app = Self {
            engine: Engine::new(Arc::new(View::unrestricted(Arc::new(model)))),
            history: History::default(),
            budget: Budget::unlimited(),
            locale: Locale::default(),
        };
        for part in selections.split_whitespace() {
            let (field, values) = part.split_once('=').unwrap();
            let values: Vec<&str> = values.split(',').collect();
            let mut next = app.history.current().clone();
            app.select_in(&mut next, field, &values);
            app.history.apply(next);
        }
        app
    }

    /// The app with an alternate state `B` that has selections of its own.
    pub(crate) fn with_state(selections: &str, other: &str) -> Self {
        let mut app = Self::new(selections);
        let mut next = app.history.current().clone();
        next.add_state("B");
        for part in other.split_whitespace() {
            let (field, values) = part.split_once('=').unwrap();
            let values: Vec<&str> = values.split(',').collect();
            app.select_state(&mut next, "B", field, &values);
        }
        app.history.apply(next);
        app
    }

    /// The app one step back in its history.
    pub(crate) fn back(mut self) -> Self {
        assert!(self.history.back());
        self
    }

    fn select_in(&self, selections: &mut Selections, field: &str, values: &[&str]) {
        self.select_state(selections, "$", field, values);
    }

    fn select_state(&self, selections: &mut Selections, state: &str, field: &str, values: &[&str]) {
        let field = self.engine.field(field).unwrap();
        let values = values.iter().map(|v| Value::text(*v)).collect();
        self.engine
            .select(
                selections,
                state,
                field,
                &Select::Values(values, Toggle::Replace),
                Locks::Respect,
                &self.budget,
            )
            .unwrap();
    }

    pub(crate) fn ask<R>(&self, with: impl FnOnce(&Query<'_>) -> R) -> R {
        with(&Query {
            engine: &self.engine,
            selections: self.history.current(),
            state: "$",
            lookup: &Names(self),
            locale: &self.locale,
            now: 45000.5,
            utc_offset: 0.0,
            budget: &self.budget,
        })
    }

    fn states(&self) -> String {
        let mut out = String::new();
        for field in ["Country", "Product", "Name"] {
            let list = self
                .ask(|q| {
                    q.list(&ListDef {
                        def: field.to_owned(),
                        ..ListDef::default()
                    })
                })
                .unwrap();
            write!(out, "{field}:").unwrap();
            for cell in list.page(ALL).1 {
                let letter = match cell.state {
                    ValueState::Selected => "S",
                    ValueState::Optional => "O",
                    ValueState::Alternative => "A",
                    ValueState::Excluded => "X",
                    ValueState::SelectedExcluded => "XS",
                    ValueState::Locked => "L",
                    ValueState::LockedExcluded => "XL",
                };
                write!(out, " {}={letter}", cell.value.to_text()).unwrap();
            }
            out.push('\n');
        }
        out
    }
}

const ALL: Rect = Rect {
    left: 0,
    top: 0,
    width: 99,
    height: 999,
};

#[track_caller]
fn check_states(selections: &str, want: Expect) {
    want.assert_eq(&App::new(selections).states());
}

#[test]
fn states_spread_both_ways() {
    check_states(
        "Country=GERMANY",
        expect![[r#"
            Country: GERMANY=S FRANCE=A SWEDEN=A
            Product: MACHINES=O FOOD=O
            Name: Alpha=O Beta=O Gamma=X Delta=X Eps=X Zeta=X
        "#]],
    );
    check_states(
        "Name=Gamma,Zeta",
        expect![[r#"
            Country: GERMANY=X FRANCE=O SWEDEN=X
            Product: MACHINES=X FOOD=O
            Name: Alpha=A Beta=A Gamma=S Delta=A Eps=A Zeta=S
        "#]],
    );
    check_states(
        "Country=SWEDEN,FRANCE Product=MACHINES",
        expect![[r#"
            Country: GERMANY=A FRANCE=S SWEDEN=XS
            Product: MACHINES=S FOOD=A
            Name: Alpha=O Beta=X Gamma=X Delta=X Eps=X Zeta=X
        "#]],
    );
}

#[track_caller]
pub(crate) fn check(selections: &str, expression: &str, want: &str) {
    check_in(&App::new(selections), expression, want);
}

#[track_caller]
pub(crate) fn check_in(app: &App, expression: &str, want: &str) {
    let got = match app.ask(|q| q.evaluate(expression)) {
        Ok(value) => value.to_text(),
        Err(error) => format!("{}: {error}", error.code()),
    };
    assert_eq!(got, want, "{expression}");
}

#[test]
fn aggregations_follow_selections() {
    check("", "Sum(Amount)", "210");
    check("Country=GERMANY", "=Sum(Amount)", "30");
    check("Country=GERMANY", "Count(Name)", "2");
    check("", "Count(DISTINCT Cust)", "6");
    check("", "Concat(DISTINCT Product, ',')", "FOOD,MACHINES");
    check("Country=SWEDEN", "Only(Name) & '!'", "Delta!");
    check("Country=SWEDEN", "Name", "Delta");
    check("", "Avg(Amount)", "35");
    check(
        "Country=GERMANY",
        "Min(Amount) & '-' & Max(Amount)",
        "10-20",
    );
    check("", "Count(*)", "6");
    check("", "Sum(1)", "1");
    check("", "If(Sum(Amount) > 200, 'big', 'small')", "big");
    check("", "Sum(If(Product = 'FOOD', Amount, 0))", "170");
}

#[test]
fn sets_change_the_selections() {
    check("Country=GERMANY", "Sum({1} Amount)", "210");
    check("Country=GERMANY", "Sum({$} Amount)", "30");
    check("Country=GERMANY", "Sum({<Country={FRANCE}>} Amount)", "70");
    check(
        "Country=GERMANY",
        "Sum({<Country={'FRANCE','SWEDEN'}>} Amount)",
        "120",
    );
    check("Country=GERMANY", "Sum({<Country=>} Amount)", "210");
    check(
        "Country=GERMANY",
        "Sum({<Country+={FRANCE}>} Amount)",
        "100",
    );
    check(
        "Country=GERMANY,FRANCE",
        "Sum({<Country-={FRANCE}>} Amount)",
        "30",
    );
    check(
        "Country=GERMANY,FRANCE",
        "Sum({<Country*={FRANCE,SWEDEN}>} Amount)",
        "70",
    );
    check(
        "Country=GERMANY,FRANCE",
        "Sum({<Country/={FRANCE,SWEDEN}>} Amount)",
        "80",
    );
    check("", "Sum({<Country={\"*R*\"}>} Amount)", "100");
    check("", "Sum({<Amount={\">20<=40\"}>} Amount)", "70");
    check("", "Sum({<Country={\"=Sum(Amount)>40\"}>} Amount)", "120");
    check("", "Sum({<Country={}>} Amount)", "0");
    check("Country=GERMANY", "Sum({1-$} Amount)", "180");
    check(
        "Country=GERMANY",
        "Sum({$+1<Country={SWEDEN}>} Amount)",
        "80",
    );
    check("Country=GERMANY", "Sum({1<Name=P({$} Name)>} Amount)", "60");
    check(
        "Country=GERMANY",
        "Sum({1<Name=E({$} Name)>} Amount)",
        "150",
    );
    check("Country=GERMANY Country=FRANCE", "Sum({$1} Amount)", "30");
    check("Country=GERMANY", "Sum({Francophile} Amount)", "70");
    check(
        "Country=GERMANY",
        "{<Country={FRANCE}>} Sum(Amount) + Sum({1} Amount)",
        "280",
    );
    check(
        "",
        "Sum({Nowhere} Amount)",
        "expr.unknown_set: the expression is not valid: `Nowhere` is neither an alternate state nor a bookmark",
    );
}

#[test]
fn functions_tell_about_selections() {
    check("Country=GERMANY,FRANCE", "GetSelectedCount(Country)", "2");
    check("Country=GERMANY", "GetPossibleCount(Name)", "2");
    check("Country=GERMANY", "GetFieldSelections(Country)", "GERMANY");
    check(
        "Country=GERMANY",
        "GetCurrentSelections()",
        "Country: GERMANY",
    );
    check("", "Floor(Now())", "45000");
}

#[test]
fn dollars_expand_first() {
    check("", "$(vSum) + $(vYear)", "2223");
    check("Country=GERMANY", "'$(vTotal)' & '$(=Count(Name))'", "302");
    check(
        "",
        "$(vLoop)",
        "expr.too_deep: the expression is not valid: expressions evaluate each other more than 8 levels deep",
    );
}

#[test]
fn mistakes_are_told() {
    check(
        "",
        "Sum(Nothing)",
        "expr.unknown_field: the expression is not valid: field not found: Nothing",
    );
    check(
        "",
        "Sum(Amount",
        "expr.unclosed_parenthesis: the expression is not valid: this `(` is never closed",
    );
}

#[track_caller]
pub(crate) fn check_cube(selections: &str, def: CubeDef, want: Expect) {
    let app = App::new(selections);
    let cube = app.ask(|q| q.cube(&def)).unwrap();
    let mut out = String::new();
    if let Some(error) = cube.error() {
        writeln!(out, "error: {}", error.code()).unwrap();
    }
    for row in cube.page(ALL).1 {
        let cells: Vec<String> = row
            .iter()
            .map(|c| match c.kind {
                CellKind::Dimension(state) => format!("{}#{} {state:?}", c.text(), c.element),
                CellKind::Null => format!("-#{}", c.element),
                CellKind::Others => format!("{}#{}", c.text(), c.element),
                CellKind::Measure => c.text(),
            })
            .collect();
        writeln!(out, "{}", cells.join(" | ")).unwrap();
    }
    let totals: Vec<String> = cube.totals.iter().map(Value::to_text).collect();
    writeln!(out, "total {}", totals.join(" | ")).unwrap();
    want.assert_eq(&out);
}

pub(crate) fn cube(dims: &[&str], measures: &[&str]) -> CubeDef {
    CubeDef {
        dimensions: dims
            .iter()
            .map(|d| DimensionDef {
                def: (*d).to_owned(),
                sort: SortCriterion::ascending(),
                ..DimensionDef::default()
            })
            .collect(),
        measures: measures
            .iter()
            .map(|m| MeasureDef {
                def: (*m).to_owned(),
                sort: SortCriterion::descending(),
                ..MeasureDef::default()
            })
            .collect(),
        ..CubeDef::default()
    }
}

#[test]
fn a_null_group_stays_and_totals_count_every_record_once() {
    check_cube(
        "",
        cube(&["Country"], &["Sum(Amount)", "Count(DISTINCT Cust)"]),
        expect![[r#"
        FRANCE#1 Optional | 70 | 2
        GERMANY#0 Optional | 30 | 2
        SWEDEN#2 Optional | 50 | 1
        -#-2 | 60 | 2
        total 210 | 6
    "#]],
    );
    let mut def = cube(&["Country"], &["Sum(Amount)"]);
    def.dimensions[0].suppress_null = true;
    def.sort_order = vec![1, 0];
    check_cube(
        "Product=FOOD",
        def,
        expect![[r#"
        SWEDEN#2 Optional | 50
        FRANCE#1 Optional | 40
        GERMANY#0 Optional | 20
        total 170
    "#]],
    );
}

#[test]
fn totals_within_a_cube() {
    check_cube(
        "",
        cube(
            &["Country", "Product"],
            &[
                "Sum(Amount)",
                "Sum(TOTAL Amount)",
                "Sum(TOTAL <Country> Amount)",
            ],
        ),
        expect![[r#"
            FRANCE#1 Optional | FOOD#1 Optional | 40 | 210 | 70
            FRANCE#1 Optional | MACHINES#0 Optional | 30 | 210 | 70
            GERMANY#0 Optional | FOOD#1 Optional | 20 | 210 | 30
            GERMANY#0 Optional | MACHINES#0 Optional | 10 | 210 | 30
            SWEDEN#2 Optional | FOOD#1 Optional | 50 | 210 | 50
            -#-2 | FOOD#1 Optional | 60 | 210 | 60
            total 210 | 210 | 210
        "#]],
    );
}

#[test]
fn calculated_dimensions_and_broken_columns() {
    check_cube(
        "Country=GERMANY",
        cube(&["=Left(Name, 1)"], &["Sum(Amount)", "Sum(Oops)"]),
        expect![[r#"
        error: expr.unknown_field
        A#0 Optional | 10 | -
        B#1 Optional | 20 | -
        total 30 | 
    "#]],
    );
    check_cube(
        "",
        cube(&["=Oops"], &["Sum(Amount)"]),
        expect![[r#"
        error: expr.unknown_field
        total 
    "#]],
    );
    check_cube(
        "",
        cube(
            &["Country"],
            &["Sum({1<Country={FRANCE}>} Amount)", "Sum(0)"],
        ),
        expect![[r#"
        FRANCE#1 Optional | 70 | 0
        GERMANY#0 Optional | 0 | 0
        SWEDEN#2 Optional | 0 | 0
        -#-2 | 0 | 0
        total 70 | 0
    "#]],
    );
}

/// The headers and the cells of a pivot table.
pub(crate) fn show_pivot(app: &App, def: &PivotDef) -> String {
    let pivot = app.ask(|q| q.pivot(def)).unwrap();
    let page = pivot.page(ALL);
    let mut out = String::new();
    fn header(nodes: &[PivotNode], depth: usize, out: &mut String) {
        for node in nodes {
            let sign = match (node.can_expand, node.can_collapse) {
                (true, _) => "+",
                (_, true) => "-",
                _ => "",
            };
            writeln!(
                out,
                "{}{sign}{}#{}",
                " ".repeat(depth),
                node.text,
                node.element
            )
            .unwrap();
            header(&node.children, depth + 1, out);
        }
    }
    header(&page.left, 0, &mut out);
    out.push_str("top\n");
    header(&page.top, 0, &mut out);
    for line in &page.data {
        let cells: Vec<String> = line.iter().map(|c| c.value.to_text()).collect();
        writeln!(out, "[{}]", cells.join(",")).unwrap();
    }
    out
}

#[track_caller]
pub(crate) fn check_pivot(def: PivotDef, want: Expect) {
    want.assert_eq(&show_pivot(&App::new(""), &def));
}

#[test]
fn a_pivot_expands_where_told() {
    let mut def = PivotDef {
        cube: cube(&["Country", "Product", "Name"], &["Sum(Amount)"]),
        left: vec![PivotAxis::Dimension(0), PivotAxis::Dimension(1)],
        top: vec![PivotAxis::Dimension(2)],
        ..PivotDef::default()
    };
    let app = App::new("Product=FOOD");
    let show = |def: &PivotDef| show_pivot(&app, def);
    expect![[r#"
        +FRANCE#1
        +GERMANY#0
        +SWEDEN#2
        +-#-2
        top
        Beta#1
        Delta#3
        Eps#4
        Gamma#2
        [,,,40]
        [20,,,]
        [,50,,]
        [,,60,]
    "#]]
    .assert_eq(&show(&def));
    def.expanded_left.insert(vec![0]);
    def.cube.dimensions[0].show_total = true;
    expect![[r#"
        +FRANCE#1
         #-4
        -GERMANY#0
         FOOD#1
        +SWEDEN#2
         #-4
        +-#-2
         #-4
        Totals#-1
         #-4
        top
        Beta#1
        Delta#3
        Eps#4
        Gamma#2
        [,,,40]
        [20,,,]
        [,50,,]
        [,,60,]
        [20,50,60,40]
    "#]]
    .assert_eq(&show(&def));
}

#[test]
fn a_stack_sums_what_is_below() {
    let app = App::new("");
    let cube = app
        .ask(|q| q.cube(&cube(&["Product", "Country"], &["Sum(Amount)"])))
        .unwrap();
    let (_, nodes) = cube.stacked(ALL);
    let shape: Vec<(String, f64, usize)> = nodes
        .iter()
        .map(|n| (n.value.to_text(), n.max_positive, n.children.len()))
        .collect();
    assert_eq!(
        shape,
        [
            ("FOOD".to_owned(), 170.0, 4),
            ("MACHINES".to_owned(), 40.0, 2)
        ]
    );
    assert_eq!(cube.stacked_size(), (4, 2));
}

#[test]
fn lists_search_sort_and_count() {
    let app = App::new("Product=FOOD");
    let list = |search: Option<&str>, sort: SortCriterion| {
        let list = app
            .ask(|q| {
                q.list(&ListDef {
                    def: "[Country]".to_owned(),
                    sort,
                    search: search.map(str::to_owned),
                    frequencies: true,
                })
            })
            .unwrap();
        let cells = list.page(ALL).1;
        cells
            .iter()
            .map(|c| format!("{}:{}", c.value.to_text(), c.frequency.unwrap()))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        list(None, SortCriterion::ascending()),
        "FRANCE:1 GERMANY:1 SWEDEN:1"
    );
    assert_eq!(
        list(Some("ran swe"), SortCriterion::descending()),
        "SWEDEN:1 FRANCE:1"
    );
    assert_eq!(
        list(Some("=Sum(Amount)>30"), SortCriterion::ascending()),
        "FRANCE:1 SWEDEN:1"
    );
    let by = SortCriterion {
        by_expression: SortOrder::Descending,
        expression: Some("Sum(Amount)".to_owned()),
        ..SortCriterion::default()
    };
    assert_eq!(list(None, by), "SWEDEN:1 FRANCE:1 GERMANY:1");
}

#[test]
fn locked_selections_refuse_and_conflicts_are_dropped() {
    let app = App::new("Country=GERMANY");
    let mut selections = app.history.current().clone();
    let country = app.engine.field("Country").unwrap();
    let name = app.engine.field("Name").unwrap();
    let delta = Select::Values(vec![Value::text("Delta")], Toggle::Replace);
    let change = |selections: &mut Selections, field, select: &Select| {
        app.engine
            .select(selections, "$", field, select, Locks::Respect, &app.budget)
    };
    selections.state_mut("$").unwrap().set_locked(country, true);
    assert_eq!(
        change(&mut selections, country, &Select::Clear),
        Err(SelectError::Locked)
    );
    assert_eq!(change(&mut selections, name, &delta), Ok(true));
    assert_eq!(
        app.engine
            .drop_conflicts(&mut selections, "$", name, &app.budget),
        Ok(false)
    );
    selections
        .state_mut("$")
        .unwrap()
        .set_locked(country, false);
    assert_eq!(
        app.engine
            .drop_conflicts(&mut selections, "$", name, &app.budget),
        Ok(true)
    );
    assert!(selections.default_state().field(country).is_none());
    assert_eq!(change(&mut selections, name, &Select::Excluded), Ok(true));
    assert_eq!(
        selections
            .default_state()
            .field(name)
            .unwrap()
            .codes
            .count(),
        5
    );
    assert_eq!(
        change(
            &mut selections,
            name,
            &Select::Elements(vec![0, 99], Toggle::Flip)
        ),
        Ok(true)
    );
    assert_eq!(
        selections
            .default_state()
            .field(name)
            .unwrap()
            .codes
            .count(),
        4
    );
}

#[test]
fn a_budget_ends_work_with_an_error() {
    let mut app = App::new("");
    for limits in [
        Limits {
            rows: 5,
            bytes: u64::MAX,
        },
        Limits {
            rows: u64::MAX,
            bytes: 10,
        },
    ] {
        app.budget = Budget::new(limits, CancelToken::default());
        let result = app.ask(|q| q.cube(&cube(&["Country", "Name"], &["Sum(Amount)"])));
        assert!(matches!(result, Err(CalcError::Stop(_))), "{limits:?}");
    }
}

#[test]
fn many_columns_are_told_apart_and_too_many_refused() {
    let app = App::new("");
    // 7^60 combinations do not fit a number of 128 bits.
    let mut def = cube(&["Id"; 60], &["Sum(Amount)", "Count({1} Amount)"]);
    let wide = app.ask(|q| q.cube(&def)).unwrap();
    assert_eq!(wide.n_rows(), 6);
    assert!(wide.page(ALL).1.iter().all(|r| r[0].value == r[59].value));
    def.dimensions = vec![def.dimensions[0].clone(); 300];
    let error = app.ask(|q| q.cube(&def)).unwrap_err();
    assert_eq!(error.code(), "cube.too_many_columns");
}
