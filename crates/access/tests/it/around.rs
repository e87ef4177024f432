//! Lints beside people, variables and texts, and gains that wait for approval.

use std::sync::Arc;

use satchel_access::{Around, Finding, Gain, GainLimits, Rules, Subject, gains, lint_around};
use satchel_base::SubjectId;
use satchel_data::{AccessTables, Model, ModelBuilder, Value};

use crate::support::{access_table, frame};

fn model() -> Arc<Model> {
    let sales = [
        "COUNTRY|CUST|AMOUNT",
        "GERMANY|C1|1",
        "FRANCE|C2|2",
        "SWEDEN|C3|3",
    ];
    let customers = ["CUST|NAME", "C1|Alpha", "C2|Beta", "C3|Gamma"];
    let model = ModelBuilder::new()
        .table(frame("SALES", &sales))
        .table(frame("CUSTOMERS", &customers));
    Arc::new(model.build().expect("small"))
}

fn rules(model: &Model, lines: &[&str]) -> Rules {
    let tables = AccessTables {
        tables: vec![access_table("SA", lines)],
    };
    Rules::read(&tables, model).0
}

fn subject(name: &str, groups: &[&str]) -> Subject {
    Subject {
        groups: groups.iter().map(|g| (*g).to_owned()).collect(),
        ..Subject::new(SubjectId::parse(name))
    }
}

#[track_caller]
fn only(found: &[Finding], code: &str) -> Finding {
    let fits: Vec<&Finding> = found.iter().filter(|f| f.code == code).collect();
    assert_eq!(fits.len(), 1, "{code} in {found:?}");
    fits[0].clone()
}

#[test]
fn people_nobody_is_and_rows_nobody_matches_are_named() {
    let model = model();
    let rules = rules(
        &model,
        &[
            "ACCESS|USERID|GROUP|COUNTRY",
            "USER|D\\ANN|*|GERMANY",
            "USER|D\\ANNE|*|GERMANY",
            "USER||SALES|FRANCE",
            "READER|D\\ANN|*|FRANCE",
            "USER|*|SALE|FRANCE",
            "ADMIN|INTERNAL\\SA_SCHEDULER|*|FRANCE",
        ],
    );
    let people = [subject("D\\ann", &["sales"])];
    let owner = subject("D\\root", &[]);
    let around = Around {
        owner: Some(&owner),
        people: &people,
        ..Around::default()
    };
    let found = lint_around(&rules, &model, &around);
    let blank = only(&found, "access.row_matches_nobody");
    assert_eq!(blank.place, "access table SA, row 3, column USERID");
    let role = only(&found, "access.row_without_role");
    assert_eq!(role.place, "access table SA, row 4, column ACCESS");
    let unknown: Vec<(&str, &str)> = (found.iter())
        .filter(|f| f.code == "access.unknown_person")
        .map(|f| (f.place.as_str(), f.message.as_str()))
        .collect();
    assert_eq!(
        unknown,
        [
            (
                "access table SA, row 2, column USERID",
                "nobody this hub knows has the USERID D\\ANNE"
            ),
            (
                "access table SA, row 5, column GROUP",
                "nobody this hub knows has the GROUP SALE"
            ),
        ]
    );
    let locked = only(&found, "access.owner_locked_out");
    assert!(locked.message.contains("D\\ROOT"), "{locked:?}");
    only(&found, "access.scheduler_reduced");
    // Where the hub knows nobody, nobody is unknown.
    let found = lint_around(&rules, &model, &Around::default());
    assert!(!found.iter().any(|f| f.code == "access.unknown_person"));
}

#[test]
fn a_field_in_a_table_of_its_own_reduces_no_facts() {
    let sales = ["CUST|AMOUNT", "C1|1", "C2|2", "C3|3"];
    let side = ["REGION|BOSS", "NORTH|X", "SOUTH|Y"];
    let build = |side: &[&str]| {
        let model = ModelBuilder::new()
            .table(frame("SALES", &sales))
            .table(frame("SIDE", side));
        Arc::new(model.build().expect("small"))
    };
    let lines = ["ACCESS|USERID|REGION", "USER|D\\ANN|NORTH"];
    let alone = build(&side);
    let found = lint_around(&rules(&alone, &lines), &alone, &Around::default());
    let finding = only(&found, "access.side_table");
    assert_eq!(finding.place, "field REGION of the data");
    let linked = build(&["REGION|CUST", "NORTH|C1", "SOUTH|C2"]);
    let found = lint_around(&rules(&linked, &lines), &linked, &Around::default());
    assert!(
        !found.iter().any(|f| f.code == "access.side_table"),
        "{found:?}"
    );
}

#[test]
fn variables_and_texts_that_carry_values_are_named() {
    let model = model();
    let rules = rules(&model, &["ACCESS|USERID|COUNTRY", "USER|D\\ANN|GERMANY"]);
    let variable = |name: &str, text: &str| (name.to_owned(), Value::text(text));
    let variables = [
        variable("vAll", "'GERMANY','SWEDEN'"),
        variable("vBest", "Gamma"),
        variable("vTitle", "Sales of the year"),
        variable("MonthNames", "Gamma;Beta"),
        variable("vShort", "C1"),
        ("vCount".to_owned(), Value::num(3.0)),
    ];
    let texts = [
        ("object a".to_owned(), "Sales in Sweden".to_owned()),
        ("object b".to_owned(), "Swedenborg".to_owned()),
    ];
    let around = Around {
        variables: &variables,
        texts: &texts,
        ..Around::default()
    };
    let found = lint_around(&rules, &model, &around);
    let places: Vec<(&str, &str)> = (found.iter())
        .filter(|f| f.code.ends_with("_carries"))
        .map(|f| (f.code, f.place.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            ("access.variable_carries", "variable vAll"),
            ("access.variable_carries", "variable vBest"),
            ("access.text_carries", "object a"),
        ]
    );
}

#[test]
fn gains_beyond_the_limits_are_told_and_others_are_not() {
    let model = model();
    let before = rules(
        &model,
        &[
            "ACCESS|USERID|COUNTRY|OMIT",
            "USER|D\\ANN|GERMANY|AMOUNT",
            "USER|D\\BO|FRANCE|",
            "ADMIN|D\\ROOT||",
        ],
    );
    let after = rules(
        &model,
        &[
            "ACCESS|USERID|COUNTRY|OMIT",
            "USER|D\\ANN|GERMANY|",
            "USER|D\\BO|FRANCE|",
            "USER|D\\BO|SWEDEN|",
            "USER|D\\CY|SWEDEN|",
            "ADMIN|D\\ROOT||",
        ],
    );
    let people: Vec<Subject> = (["D\\ANN", "D\\BO", "D\\CY", "D\\ROOT", "D\\ZED"].iter())
        .map(|name| subject(name, &[]))
        .collect();
    let told = |limits: GainLimits| gains((&before, &model), (&after, &model), &people, &limits);
    let shown = |limits: GainLimits| -> Vec<String> {
        told(limits).iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        shown(GainLimits {
            people: 0,
            rows: 30.0,
            fields: 0
        }),
        [
            "1 people who were denied are admitted: D\\CY",
            "D\\ANN sees AMOUNT, which was withheld from them",
            "D\\BO saw 33 % of the rows of SALES and sees 67 %",
            "D\\BO saw 33 % of the rows of CUSTOMERS and sees 67 %",
        ]
    );
    let none = GainLimits {
        people: 1,
        rows: 34.0,
        fields: 1,
    };
    assert_eq!(told(none), Vec::<Gain>::new());
    // The other way round only ANN loses, and nobody gains.
    let lost = gains(
        (&after, &model),
        (&before, &model),
        &people,
        &GainLimits::default(),
    );
    assert_eq!(lost, Vec::<Gain>::new());
    // More rows of a table, of which somebody sees the same share, are no gain.
    let more = [
        "COUNTRY|CUST|AMOUNT",
        "GERMANY|C1|1",
        "FRANCE|C2|2",
        "GERMANY|C3|3",
        "FRANCE|C4|4",
    ];
    let grown = ModelBuilder::new().table(frame("SALES", &more)).build();
    let grown = Arc::new(grown.expect("small"));
    let same = rules(&grown, &["ACCESS|USERID|COUNTRY", "USER|D\\BO|FRANCE"]);
    let was = rules(&model, &["ACCESS|USERID|COUNTRY", "USER|D\\BO|FRANCE"]);
    let grew = gains(
        (&was, &model),
        (&same, &grown),
        &people,
        &GainLimits::default(),
    );
    assert_eq!(grew, Vec::<Gain>::new());
}
