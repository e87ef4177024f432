//! Dimensions that are in no table, functions of selections, and dates.

use expect_test::expect;
use satchel_engine::{Rect, SortCriterion};

use crate::readable::{App, check, check_cube, check_in, cube};

#[test]
fn a_list_of_values_stands_beside_the_other_dimensions() {
    let measure = "If(ValueList('Sum', 'Count') = 'Sum', Sum(Amount), Count(Amount))";
    let mut def = cube(
        &["=ValueList('Sum', 'Count', 'Sum')"],
        &[measure, "ValueList('Sum', 'Count')"],
    );
    // In the order in which they are written.
    def.dimensions[0].sort = SortCriterion::default();
    check_cube(
        "",
        def,
        expect![[r#"
        Sum#0 Optional | 210 | Sum
        Count#1 Optional | 6 | Count
        total 6 | 
    "#]],
    );
    let def = cube(
        &["Country", "=ValueLoop(1, 2)"],
        &[
            "Sum(Amount) * ValueLoop(1, 2)",
            "Sum(TOTAL <Country> Amount)",
        ],
    );
    check_cube(
        "Product=FOOD Country=FRANCE,SWEDEN",
        def,
        expect![[r#"
        FRANCE#1 Selected | 1#0 Optional | 40 | 40
        FRANCE#1 Selected | 2#1 Optional | 80 | 40
        SWEDEN#2 Selected | 1#0 Optional | 50 | 50
        SWEDEN#2 Selected | 2#1 Optional | 100 | 50
        total  | 90
    "#]],
    );
}

#[test]
fn a_loop_counts_from_one_number_to_another() {
    check_cube(
        "",
        cube(&["=ValueLoop(10, 4, -3)"], &["Sum(Amount)"]),
        expect![[r#"
            4#2 Optional | 210
            7#1 Optional | 210
            10#0 Optional | 210
            total 210
        "#]],
    );
    check_cube(
        "",
        cube(&["=ValueLoop($(=Max(Id)))"], &["1"]),
        expect![[r#"
            6#0 Optional | 1
            total 1
        "#]],
    );
    // Nothing lies between.
    check_cube(
        "",
        cube(&["=ValueLoop(3, 1)"], &["1"]),
        expect![[r#"
        total 1
    "#]],
    );
}

#[test]
fn made_values_that_cannot_be_are_refused() {
    for def in [
        "=ValueLoop(1, 3, 0)",
        "=ValueLoop(1, 1e9)",
        "=ValueList()",
        "=ValueList(Country)",
        "=ValueLoop('a')",
    ] {
        let app = App::new("");
        let shown = app.ask(|q| q.cube(&cube(&[def], &["1"]))).unwrap();
        assert!(shown.error().is_some(), "{def}");
    }
    // Another list than that of the dimension has no value in the row; a total has none either.
    check("", "ValueList('A')", "");
    check(
        "",
        "Sum(ValueList('A'))",
        "expr.not_supported: the expression is not valid: `ValueList` is not supported here",
    );
}

#[test]
fn functions_of_selections_tell_of_any_state() {
    let app = App::with_state("Country=GERMANY,FRANCE Product=MACHINES", "Country=SWEDEN");
    check_in(&app, "GetFieldSelections(Country)", "GERMANY, FRANCE");
    check_in(&app, "GetFieldSelections(Country, '|')", "GERMANY|FRANCE");
    check_in(&app, "GetFieldSelections(Country, '|', 1)", "2 of 3");
    check_in(&app, "GetFieldSelections(Country, '|', 6, 'B')", "SWEDEN");
    check_in(&app, "GetFieldSelections(Country, '|', 6, 'Nowhere')", "");
    check_in(&app, "GetSelectedCount(Country)", "2");
    check_in(&app, "GetSelectedCount(Country, True(), 'B')", "1");
    check_in(
        &app,
        "GetPossibleCount(Product) & GetAlternativeCount(Product) & GetExcludedCount(Product)",
        "111",
    );
    check_in(
        &app,
        "GetCurrentSelections('; ', '=', '+')",
        "Country=GERMANY+FRANCE; Product=MACHINES",
    );
    check_in(
        &app,
        "GetCurrentSelections('; ', '=', '+', 6, 'B')",
        "Country=SWEDEN",
    );
    // Selected values that other fields exclude count only if that is asked for.
    let app = App::new("Country=GERMANY,SWEDEN Product=MACHINES");
    check_in(&app, "GetSelectedCount(Country)", "1");
    check_in(&app, "GetSelectedCount(Country, True())", "2");
    check_in(&app, "GetExcludedCount(Country)", "2");
}

#[test]
fn all_records_are_counted_in_total() {
    check("Country=GERMANY", "Count(TOTAL *)", "2");
    check("Country=GERMANY", "Count({1} TOTAL *)", "6");
    check(
        "",
        "Sum(TOTAL * 2)",
        "expr.unknown_field: the expression is not valid: field not found: TOTAL",
    );
}

#[test]
fn a_dimension_of_dates_says_so() {
    let tags = |def: &str| {
        let cube = App::new("").ask(|q| q.cube(&cube(&[def], &["1"]))).unwrap();
        let all = Rect {
            width: 1,
            height: 1,
            ..Rect::default()
        };
        assert_eq!(cube.page(all).1.len(), 1);
        cube.dimensions[0].tags
    };
    assert_eq!(tags("=Date(45000 + Id)"), ["$timestamp", "$date"]);
    assert_eq!(tags("=MonthStart(45000 + Id)"), ["$timestamp", "$date"]);
    assert_eq!(tags("=Timestamp(45000 + Id)"), ["$timestamp"]);
    assert!(tags("=Id + 1").is_empty());
    assert!(tags("Id").is_empty());
}
