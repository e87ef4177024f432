//! Explanations and lint.

use satchel_access::{Access, Decision, Refusal, Rules, Subject, Why, explain, lint};
use satchel_base::SubjectId;
use satchel_data::{AccessTables, Model, ModelBuilder};

use crate::support::{access_table, frame};

fn model() -> Model {
    let sales = ["COUNTRY|AMOUNT", "GERMANY|1", "France|2", "NULL|3"];
    let budget = ["YEAR|PLAN", "2024|1"];
    ModelBuilder::new()
        .table(frame("SALES", &sales))
        .table(frame("BUDGET", &budget))
        .build()
        .expect("small")
}

fn rules(lines: &[&str]) -> Rules {
    let tables = AccessTables {
        tables: vec![access_table("SA", lines)],
    };
    Rules::read(&tables, &model()).0
}

#[test]
fn an_explanation_names_rows_values_and_counts() {
    let rules = rules(&[
        "ACCESS|USERID|COUNTRY|OMIT",
        "USER|D\\ANN|GERMANY|AMOUNT",
        "USER|D\\BO|FRANCE|",
        "NONE|D\\ANN|*|",
    ]);
    let told = explain(&rules, &Subject::new(SubjectId::parse("d\\ann")), &model());
    let why: Vec<&Why> = told.rows.iter().map(|r| &r.why).collect();
    let differs = Why::Differs {
        column: "USERID".into(),
    };
    assert_eq!(why, [&Why::Applies(Access::User), &differs, &Why::NoAccess]);
    assert_eq!(told.omitted, ["AMOUNT"]);
    assert_eq!(told.fields[0].granted, Some(vec!["GERMANY".to_owned()]));
    assert_eq!(told.fields[0].absent, ["FRANCE"]);
    let counts: Vec<_> = told
        .tables
        .expect("granted")
        .iter()
        .map(|t| (t.rows_in, t.rows_out))
        .collect();
    assert_eq!(counts, [(3, 1), (1, 1)]);
    let bo = explain(&rules, &Subject::new(SubjectId::parse("D\\BO")), &model());
    assert_eq!(
        bo.decision,
        Decision::Denied(Refusal::ValuesNotInData {
            field: "COUNTRY".into()
        })
    );
}

#[test]
fn the_lint_finds_each_pitfall_and_nothing_in_good_rules() {
    let codes = |lines: &[&str]| {
        let found = lint(&rules(lines), &model());
        found.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    let bad = codes(&[
        "ACCESS|USERID|COUNTRY|REGION",
        "USER|*|*|X",
        "USER|D\\BO |FRANCE|X",
    ]);
    for code in [
        "access.unknown_column",
        "access.everybody",
        "access.spaces",
        "access.value_not_in_data",
        "access.value_case",
        "access.star_not_all",
        "access.null_rows",
        "access.not_linked",
    ] {
        assert!(bad.contains(&code), "{code} in {bad:?}");
    }
    assert!(codes(&["ACCESS|USERID", "USER|D\\ANN"]).contains(&"access.no_scheduler"));
    let good = codes(&[
        "ACCESS|USERID",
        "USER|D\\ANN",
        "ADMIN|INTERNAL\\SA_SCHEDULER",
    ]);
    assert_eq!(good, Vec::<&str>::new());
}

#[test]
fn pitfalls_of_names_signs_and_kinds_have_a_place() {
    let sales = ["Country|CODE|CITY", "GERMANY|'1|BONN", "FRANCE|'2|PARIS"];
    let model = ModelBuilder::new()
        .table(frame("SALES", &sales))
        .build()
        .expect("small");
    let tables = AccessTables {
        tables: vec![access_table(
            "SA",
            &[
                "ACCESS|USERID|COUNTRY|CODE|CITY",
                "USER|D\\ANN|GERMANY|1|\u{feff}BONN",
                "ADMIN|INTERNAL\\SA_SCHEDULER|||",
            ],
        )],
    };
    let (rules, _) = Rules::read(&tables, &model);
    let found = lint(&rules, &model);
    let place = |code: &str| {
        let finding = found.iter().find(|f| f.code == code);
        finding
            .map(|f| f.place.as_str())
            .unwrap_or_else(|| panic!("{code} in {found:?}"))
    };
    assert_eq!(place("access.field_case"), "field Country of the data");
    assert_eq!(
        place("access.spaces"),
        "access table SA, row 1, column CITY"
    );
    assert_eq!(
        place("access.unknown_column"),
        "access table SA, column COUNTRY"
    );
    assert_eq!(
        place("access.synthetic_key"),
        "access table SA, columns CODE, CITY"
    );
}
