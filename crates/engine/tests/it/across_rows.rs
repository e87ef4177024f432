//! `Aggr`, functions over other rows, and sets within sets, on the small model.

use expect_test::expect;
use satchel_engine::*;

use crate::readable::{check, check_cube, cube};

#[test]
fn aggr_calculates_by_its_own_dimensions() {
    // 30, 70, 50 and 60 without a country.
    check("", "Max(Aggr(Sum(Amount), Country))", "70");
    check("", "Avg(Aggr(Sum(Amount), Country))", "52.5");
    check("", "Count(Aggr(Sum(Amount), Country, Product))", "6");
    check("", "Sum(Aggr(Sum(Amount), Country, Product))", "210");
    check("Product=FOOD", "Min(Aggr(Sum(Amount), Country))", "20");
    check(
        "",
        "Max({<Product={FOOD}>} Aggr(Sum(Amount), Country))",
        "70",
    );
    check(
        "",
        "Max(Aggr({<Product={FOOD}>} Sum(Amount), Country))",
        "60",
    );
    check(
        "",
        "Concat(Aggr(If(Sum(Amount) > 40, Country), Country), ',')",
        "FRANCE,SWEDEN",
    );
    check(
        "",
        "Sum(Aggr(Max(Aggr(Sum(Amount), Country, Product)), Country))",
        "170",
    );
    check("", "Only(Aggr(Sum(Amount), Country))", "");
    check("Country=SWEDEN", "Aggr(Sum(Amount), Country)", "50");
}

#[test]
fn aggr_takes_an_order_for_functions_over_rows() {
    // By amount of the country's rows: Id 1 to 6 have 10 to 60.
    let last = "Sum(Aggr(If(RowNo() = 1, Id), (Id, (NUMERIC, DESCENDING))))";
    check("", last, "6");
    check("", "Sum(Aggr(If(RowNo() = 1, Id), (Id, (NUMERIC))))", "1");
    check(
        "",
        "Max(Aggr(RangeSum(Above(Sum(Amount), 0, RowNo())), (Id, (NUMERIC, ASCENDING))))",
        "210",
    );
    check(
        "",
        "Sum(Aggr(1, (Id, (SIDEWAYS))))",
        "expr.unknown_order: the expression is not valid: `SIDEWAYS` is no order",
    );
}

#[test]
fn records_have_the_values_of_nodistinct_and_total() {
    // Amounts above the mean of all, which is 35.
    check("", "Count(If(Amount > Avg(TOTAL Amount), Amount))", "3");
    check("", "Sum(If(Amount = Max(TOTAL Amount), Amount))", "60");
    // Above the mean of their country: 20, 40.
    check(
        "",
        "Sum(If(Amount > Aggr(NODISTINCT Avg(Amount), Country), Amount))",
        "60",
    );
    check(
        "",
        "Sum(Sum(Amount))",
        "expr.not_supported: the expression is not valid: `Sum` stands inside `Sum`, and \
         aggregations do not nest",
    );
    check(
        "",
        "Aggr(Sum(Amount))",
        "expr.arguments: the expression is not valid: `Aggr` takes an expression and at least \
         one dimension",
    );
}

#[test]
fn aggr_as_a_dimension_and_beside_dimensions() {
    check_cube(
        "",
        cube(
            &["=Aggr(If(Sum(Amount) > 40, 'big', 'small'), Country)"],
            &["Sum(Amount)", "Count(DISTINCT Country)"],
        ),
        expect![[r#"
            big#1 Optional | 180 | 2
            small#0 Optional | 30 | 1
            total 210 | 3
        "#]],
    );
    check_cube(
        "",
        cube(
            &["Country"],
            &[
                "Max(Aggr(Sum(Amount), Country, Product))",
                "Sum(Aggr(Sum(Amount), Cust))",
            ],
        ),
        expect![[r#"
            FRANCE#1 Optional | 40 | 40
            GERMANY#0 Optional | 20 | 60
            SWEDEN#2 Optional | 50 | 50
            -#-2 | 60 | 60
            total 60 | 210
        "#]],
    );
}

#[test]
fn functions_look_at_other_rows() {
    check_cube(
        "",
        cube(
            &["Country"],
            &[
                "Sum(Amount)",
                "Above(Sum(Amount))",
                "Below(Sum(Amount))",
                "RangeSum(Above(Sum(Amount), 0, RowNo()))",
                "Top(Sum(Amount))",
                "Bottom(Sum(Amount))",
                "RowNo()",
                "NoOfRows()",
                "Rank(Sum(Amount))",
                "Before(Sum(Amount))",
                "Column(1) / 10",
            ],
        ),
        expect![[r#"
            FRANCE#1 Optional | 70 | - | 30 | 70 | 70 | 60 | 1 | 4 | 1 | - | 7
            GERMANY#0 Optional | 30 | 70 | 50 | 100 | 70 | 60 | 2 | 4 | 4 | - | 3
            SWEDEN#2 Optional | 50 | 30 | 60 | 150 | 70 | 60 | 3 | 4 | 3 | - | 5
            -#-2 | 60 | 50 | - | 210 | 70 | 60 | 4 | 4 | 2 | - | 6
            total 210 |  |  | 0 |  |  |  |  |  |  | 21
        "#]],
    );
}

#[test]
fn segments_end_where_the_first_dimension_changes() {
    check_cube(
        "",
        cube(
            &["Country", "Product"],
            &[
                "Above(Sum(Amount))",
                "Above(TOTAL Sum(Amount))",
                "RowNo()",
                "RowNo(TOTAL)",
                "Rank(TOTAL Sum(Amount))",
                "Dimensionality()",
            ],
        ),
        expect![[r#"
            FRANCE#1 Optional | FOOD#1 Optional | - | - | 1 | 1 | 3 | 2
            FRANCE#1 Optional | MACHINES#0 Optional | 40 | 40 | 2 | 2 | 4 | 2
            GERMANY#0 Optional | FOOD#1 Optional | - | 30 | 1 | 3 | 5 | 2
            GERMANY#0 Optional | MACHINES#0 Optional | 20 | 20 | 2 | 4 | 6 | 2
            SWEDEN#2 Optional | FOOD#1 Optional | - | 10 | 1 | 5 | 2 | 2
            -#-2 | FOOD#1 Optional | - | 50 | 1 | 6 | 1 | 2
            total  |  |  |  |  | 0
        "#]],
    );
}

#[test]
fn ranks_share_places_as_told() {
    // Two countries with two products, two with one.
    let by = |mode: &str| {
        format!(
            "Rank(Count(DISTINCT Product){mode}) & ' ' & (0 + Rank(Count(DISTINCT Product){mode}))"
        )
    };
    let measures: Vec<String> = ["", ", 1", ", 2", ", 3", ", 4", ", 4, 1", ", 1, 2"]
        .map(by)
        .to_vec();
    let measures: Vec<&str> = measures.iter().map(String::as_str).collect();
    check_cube(
        "",
        cube(&["Country"], &measures),
        expect![[r#"
            FRANCE#1 Optional | 1-2 1 | 1-2 1 | 1-2 1.5 | 1-2 2 | 1-2 1 | 1 1 | 1 1
            GERMANY#0 Optional | 1-2 1 | 1-2 1 | 1-2 1.5 | 1-2 2 | 1-2 2 | 1 2 |  1
            SWEDEN#2 Optional | 3-4 4 | 3-4 3 | 3-4 3.5 | 3-4 4 | 3-4 3 | 3 3 | 3 3
            -#-2 | 3-4 4 | 3-4 3 | 3-4 3.5 | 3-4 4 | 3-4 4 | 3 4 |  3
            total   |   |   |   |   |   |  
        "#]],
    );
}

#[test]
fn sorting_by_a_measure_moves_what_is_above() {
    let mut def = cube(&["Country"], &["Sum(Amount)", "Above(Sum(Amount))"]);
    def.sort_order = vec![1, 0];
    check_cube(
        "",
        def,
        expect![[r#"
        FRANCE#1 Optional | 70 | -
        -#-2 | 60 | 70
        SWEDEN#2 Optional | 50 | 60
        GERMANY#0 Optional | 30 | 50
        total 210 | 
    "#]],
    );
}

#[test]
fn a_search_may_rank() {
    check(
        "",
        "Concat({<Country={\"=Rank(Sum(Amount)) <= 2\"}>} DISTINCT Country, ',')",
        "FRANCE,SWEDEN",
    );
}

#[test]
fn sets_stand_within_sets() {
    check("", "{<Country={FRANCE}>} Sum(Amount) + Count(Amount)", "72");
    check(
        "",
        "({<Country={FRANCE}>} Sum(Amount)) + Count(Amount)",
        "76",
    );
    // The inner modifier is added to the outer set, an identifier takes its place.
    check(
        "",
        "{<Country={FRANCE}>} Sum({<Product={FOOD}>} Amount)",
        "40",
    );
    check(
        "",
        "{<Country={FRANCE}>} Sum({$<Product={FOOD}>} Amount)",
        "170",
    );
    check("", "{<Country={FRANCE}>} Sum({1} Amount)", "210");
    check(
        "",
        "{<Country={FRANCE}>} Sum({<Country={SWEDEN}>} Amount)",
        "50",
    );
    check(
        "",
        "{<Country={FRANCE}>} Sum({<Country+={SWEDEN}>} Amount)",
        "120",
    );
    check(
        "",
        "{<Country={FRANCE}> + <Country={SWEDEN}>} Sum({<Product={FOOD}>} Amount)",
        "90",
    );
}

#[test]
fn a_pivot_ranks_along_both_sides() {
    let def = PivotDef {
        cube: cube(
            &["Country", "Product"],
            &[
                "Sum(Amount)",
                "Above(Sum(Amount))",
                "Before(Sum(Amount))",
                "HRank(Sum(Amount))",
                "Rank(Sum(Amount))",
            ],
        ),
        left: vec![PivotAxis::Dimension(0)],
        top: vec![PivotAxis::Dimension(1), PivotAxis::Measures],
        fully_expanded: true,
        ..PivotDef::default()
    };
    crate::readable::check_pivot(
        def,
        expect![[r#"
            FRANCE#1
            GERMANY#0
            SWEDEN#2
            -#-2
            top
            FOOD#1
             Sum(Amount)#0
             Above(Sum(Amount))#1
             Before(Sum(Amount))#2
             HRank(Sum(Amount))#3
             Rank(Sum(Amount))#4
            MACHINES#0
             Sum(Amount)#0
             Above(Sum(Amount))#1
             Before(Sum(Amount))#2
             HRank(Sum(Amount))#3
             Rank(Sum(Amount))#4
            [40,,,1,3,30,,40,2,1]
            [20,40,,1,4,10,30,20,2,2]
            [50,20,,1,2,,,,,]
            [60,50,,1,1,,,,,]
        "#]],
    );
}
