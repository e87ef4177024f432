//! Limits of dimensions, values that selections exclude, pivot axes, trees and trend lines, on
//! the small model.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use satchel_engine::*;

use crate::readable::{App, check_cube, cube, show_pivot};

fn limit(keep: Keep) -> Limit {
    Limit {
        keep,
        from: End::Largest,
        expression: None,
        others: Others::Shown,
        label: "Others".to_owned(),
        global: false,
        collapse_inner: false,
        keep_texts: true,
    }
}

/// Amounts by country and customer's name, limited by the first dimension or the second.
fn limited(dims: &[&str], at: usize, limit: Limit) -> CubeDef {
    let mut def = cube(dims, &["Sum(Amount)", "Count(DISTINCT Cust)"]);
    def.dimensions[at].limit = Some(limit);
    def
}

// Sums by country: FRANCE 70, none 60, SWEDEN 50, GERMANY 30.

#[test]
fn the_largest_stay_and_the_rest_is_aggregated_anew() {
    // C2 and C1 bought in Germany, C4 in Sweden: three customers, not a sum of counts.
    check_cube(
        "",
        limited(&["Country"], 0, limit(Keep::Count(2))),
        expect![[r#"
            FRANCE#1 Optional | 70 | 2
            -#-2 | 60 | 2
            Others#-3 | 80 | 3
            total 210 | 6
        "#]],
    );
    let mut smallest = limit(Keep::Count(1));
    smallest.from = End::Smallest;
    smallest.label = "The others".to_owned();
    let mut def = limited(&["Country"], 0, smallest);
    def.dimensions[0].suppress_null = true;
    // NULL is suppressed, so it is not among the others.
    check_cube(
        "",
        def,
        expect![[r#"
        GERMANY#0 Optional | 30 | 2
        The others#-3 | 120 | 3
        total 210 | 6
    "#]],
    );
}

#[test]
fn others_come_last_whatever_the_order_and_may_be_hidden() {
    let mut def = limited(&["Country"], 0, limit(Keep::Count(1)));
    def.sort_order = vec![1, 0];
    check_cube(
        "",
        def,
        expect![[r#"
        FRANCE#1 Optional | 70 | 2
        Others#-3 | 140 | 5
        total 210 | 6
    "#]],
    );
    let mut hidden = limit(Keep::Count(1));
    hidden.others = Others::Hidden;
    check_cube(
        "",
        limited(&["Country"], 0, hidden),
        expect![[r#"
        FRANCE#1 Optional | 70 | 2
        total 210 | 6
    "#]],
    );
}

#[test]
fn limits_by_value_share_and_accumulated_share() {
    let each = |comparison, amount| limited(&["Country"], 0, limit(Keep::Each(comparison, amount)));
    let until =
        |comparison, amount| limited(&["Country"], 0, limit(Keep::Until(comparison, amount)));
    check_cube(
        "",
        each(Comparison::AtLeast, Amount::Absolute(60.0)),
        expect![[r#"
            FRANCE#1 Optional | 70 | 2
            -#-2 | 60 | 2
            Others#-3 | 80 | 3
            total 210 | 6
        "#]],
    );
    check_cube(
        "",
        each(Comparison::Above, Amount::Absolute(60.0)),
        expect![[r#"
            FRANCE#1 Optional | 70 | 2
            Others#-3 | 140 | 5
            total 210 | 6
        "#]],
    );
    check_cube(
        "",
        each(Comparison::Below, Amount::Absolute(50.0)),
        expect![[r#"
            GERMANY#0 Optional | 30 | 2
            Others#-3 | 180 | 5
            total 210 | 6
        "#]],
    );
    check_cube(
        "",
        each(Comparison::AtMost, Amount::Share(0.25)),
        expect![[r#"
            GERMANY#0 Optional | 30 | 2
            SWEDEN#2 Optional | 50 | 1
            Others#-3 | 130 | 4
            total 210 | 6
        "#]],
    );
    // 70 of 210 is a third, 130 nearly two thirds: the value that reaches half stays or not.
    check_cube(
        "",
        until(Comparison::AtLeast, Amount::Share(0.5)),
        expect![[r#"
            FRANCE#1 Optional | 70 | 2
            -#-2 | 60 | 2
            Others#-3 | 80 | 3
            total 210 | 6
        "#]],
    );
    check_cube(
        "",
        until(Comparison::AtMost, Amount::Share(0.5)),
        expect![[r#"
            FRANCE#1 Optional | 70 | 2
            Others#-3 | 140 | 5
            total 210 | 6
        "#]],
    );
    check_cube(
        "",
        until(Comparison::AtLeast, Amount::Absolute(70.0)),
        expect![[r#"
            FRANCE#1 Optional | 70 | 2
            Others#-3 | 140 | 5
            total 210 | 6
        "#]],
    );
    check_cube(
        "",
        until(Comparison::Above, Amount::Absolute(70.0)),
        expect![[r#"
            FRANCE#1 Optional | 70 | 2
            -#-2 | 60 | 2
            Others#-3 | 80 | 3
            total 210 | 6
        "#]],
    );
    check_cube(
        "",
        until(Comparison::Below, Amount::Absolute(70.0)),
        expect![[r#"
            Others#-3 | 210 | 6
            total 210 | 6
        "#]],
    );
}

#[test]
fn an_inner_dimension_is_limited_within_the_outer_ones_or_globally() {
    check_cube(
        "Country=GERMANY,FRANCE",
        limited(&["Country", "Product"], 1, limit(Keep::Count(1))),
        expect![[r#"
            FRANCE#1 Selected | FOOD#1 Optional | 40 | 1
            FRANCE#1 Selected | Others#-3 | 30 | 1
            GERMANY#0 Selected | FOOD#1 Optional | 20 | 1
            GERMANY#0 Selected | Others#-3 | 10 | 1
            total 100 | 3
        "#]],
    );
    let mut global = limit(Keep::Count(1));
    global.global = true;
    check_cube(
        "",
        limited(&["Country", "Product"], 1, global),
        expect![[r#"
            FRANCE#1 Optional | FOOD#1 Optional | 40 | 1
            FRANCE#1 Optional | Others#-3 | 30 | 1
            GERMANY#0 Optional | FOOD#1 Optional | 20 | 1
            GERMANY#0 Optional | Others#-3 | 10 | 1
            SWEDEN#2 Optional | FOOD#1 Optional | 50 | 1
            -#-2 | FOOD#1 Optional | 60 | 1
            -#-2 | Others#-3 | 0 | 1
            total 210 | 6
        "#]],
    );
    // Both limited: the second one is chosen anew among the others of the first.
    let mut def = limited(&["Country", "Name"], 0, limit(Keep::Count(1)));
    def.dimensions[1].limit = Some(limit(Keep::Count(1)));
    check_cube(
        "",
        def,
        expect![[r#"
        FRANCE#1 Optional | Gamma#2 Optional | 40 | 1
        FRANCE#1 Optional | Others#-3 | 30 | 1
        Others#-3 | Eps#4 Optional | 60 | 1
        Others#-3 | Others#-3 | 80 | 4
        total 210 | 6
    "#]],
    );
    let mut collapsed = limit(Keep::Count(1));
    collapsed.collapse_inner = true;
    check_cube(
        "",
        limited(&["Country", "Product"], 0, collapsed),
        expect![[r#"
            FRANCE#1 Optional | FOOD#1 Optional | 40 | 1
            FRANCE#1 Optional | MACHINES#0 Optional | 30 | 1
            Others#-3 | #-3 | 140 | 5
            total 210 | 6
        "#]],
    );
}

#[test]
fn a_limit_may_be_by_another_expression_and_total_keeps_its_dimension() {
    let mut by_count = limit(Keep::Count(1));
    by_count.expression = Some("Min(Amount)".to_owned());
    let mut def = cube(
        &["Country"],
        &[
            "Sum(Amount)",
            "Sum(TOTAL <Country> Amount)",
            "Sum(TOTAL Amount)",
        ],
    );
    def.dimensions[0].limit = Some(by_count.clone());
    check_cube(
        "",
        def.clone(),
        expect![[r#"
        -#-2 | 60 | 60 | 210
        Others#-3 | 150 | 150 | 210
        total 210 | 210 | 210
    "#]],
    );
    by_count.expression = Some("Min(Oops)".to_owned());
    def.dimensions[0].limit = Some(by_count);
    check_cube(
        "",
        def,
        expect![[r#"
        error: expr.unknown_field
        total  |  | 
    "#]],
    );
}

#[test]
fn other_rows_are_looked_at_across_the_others() {
    let mut def = cube(
        &["Country"],
        &["Sum(Amount)", "RangeSum(Above(Sum(Amount), 0, RowNo()))"],
    );
    def.dimensions[0].limit = Some(limit(Keep::Count(2)));
    def.sort_order = vec![1];
    check_cube(
        "",
        def,
        expect![[r#"
        FRANCE#1 Optional | 70 | 70
        -#-2 | 60 | 130
        Others#-3 | 80 | 210
        total 210 | 0
    "#]],
    );
}

#[test]
fn all_values_are_shown_with_their_states() {
    let mut def = cube(&["Country"], &["Sum(Amount)", "Sum(TOTAL Amount)"]);
    def.dimensions[0].show_all = true;
    check_cube(
        "Country=FRANCE",
        def,
        expect![[r#"
        FRANCE#1 Selected | 70 | 70
        GERMANY#0 Alternative | 0 | 70
        SWEDEN#2 Alternative | 0 | 70
        total 70 | 70
    "#]],
    );
    let mut def = cube(&["Country", "Product"], &["Sum(Amount)"]);
    def.dimensions[0].show_all = true;
    // The products are those that are left.
    check_cube(
        "Country=SWEDEN",
        def,
        expect![[r#"
        FRANCE#1 Alternative | FOOD#1 Optional | 0
        GERMANY#0 Alternative | FOOD#1 Optional | 0
        SWEDEN#2 Selected | FOOD#1 Optional | 50
        total 50
    "#]],
    );
}

#[test]
fn grey_values_come_last_or_first() {
    let mut def = cube(&["Country"], &["Sum(Amount)"]);
    def.dimensions[0].show_all = true;
    def.dimensions[0].sort = SortCriterion {
        greyness: SortOrder::Descending,
        ascii: SortOrder::Ascending,
        ..SortCriterion::default()
    };
    check_cube(
        "Name=Gamma Country=FRANCE",
        def,
        expect![[r#"
        GERMANY#0 Excluded | 0
        SWEDEN#2 Excluded | 0
        FRANCE#1 Selected | 40
        total 40
    "#]],
    );
}

#[track_caller]
fn check_pivot(selections: &str, def: &PivotDef, want: Expect) {
    want.assert_eq(&show_pivot(&App::new(selections), def));
}

fn pivot(left: &[i64], top: &[i64], measures: &[&str]) -> PivotDef {
    let axis = |list: &[i64]| {
        let entry = |n: &i64| usize::try_from(*n).map_or(PivotAxis::Measures, PivotAxis::Dimension);
        list.iter().map(entry).collect()
    };
    PivotDef {
        cube: cube(&["Country", "Product", "Name"], measures),
        left: axis(left),
        top: axis(top),
        ..PivotDef::default()
    }
}

#[test]
fn measures_stand_where_they_are_put() {
    let mut def = pivot(&[0, -1, 1], &[], &["Sum(Amount)", "Count(Amount)"]);
    check_pivot(
        "Country=GERMANY,FRANCE",
        &def,
        expect![[r#"
            +FRANCE#1
             Sum(Amount)#0
             Count(Amount)#1
            +GERMANY#0
             Sum(Amount)#0
             Count(Amount)#1
            top
            [70]
            [2]
            [30]
            [2]
        "#]],
    );
    def.expanded_left.insert(vec![0]);
    check_pivot(
        "Country=GERMANY,FRANCE",
        &def,
        expect![[r#"
            +FRANCE#1
             Sum(Amount)#0
              #-4
             Count(Amount)#1
              #-4
            -GERMANY#0
             Sum(Amount)#0
              FOOD#1
              MACHINES#0
             Count(Amount)#1
              FOOD#1
              MACHINES#0
            top
            [70]
            [2]
            [20]
            [10]
            [1]
            [1]
        "#]],
    );
    let def = pivot(&[-1, 1], &[0], &["Sum(Amount)", "Count(Amount)"]);
    check_pivot(
        "Country=GERMANY,FRANCE",
        &def,
        expect![[r#"
            Sum(Amount)#0
             FOOD#1
             MACHINES#0
            Count(Amount)#1
             FOOD#1
             MACHINES#0
            top
            FRANCE#1
            GERMANY#0
            [40,20]
            [30,10]
            [1,1]
            [1,1]
        "#]],
    );
    // Nowhere: last at the top.
    let def = pivot(&[1], &[0], &["Sum(Amount)", "Count(Amount)"]);
    check_pivot(
        "Country=SWEDEN",
        &def,
        expect![[r#"
            FOOD#1
            top
            SWEDEN#2
             Sum(Amount)#0
             Count(Amount)#1
            [50,1]
        "#]],
    );
}

#[test]
fn totals_stand_first_or_last_and_have_a_name() {
    let mut def = pivot(&[0, 1], &[], &["Sum(Amount)"]);
    def.fully_expanded = true;
    def.cube.dimensions[0].show_total = true;
    def.cube.dimensions[0].total_label = "All".to_owned();
    def.cube.dimensions[1].show_total = true;
    check_pivot(
        "Country=GERMANY,FRANCE",
        &def,
        expect![[r#"
            FRANCE#1
             FOOD#1
             MACHINES#0
             Totals#-1
            GERMANY#0
             FOOD#1
             MACHINES#0
             Totals#-1
            All#-1
             #-4
            top
            [40]
            [30]
            [70]
            [20]
            [10]
            [30]
            [100]
        "#]],
    );
    def.totals_first = true;
    check_pivot(
        "Country=GERMANY",
        &def,
        expect![[r#"
            All#-1
             #-4
            GERMANY#0
             Totals#-1
             FOOD#1
             MACHINES#0
            top
            [30]
            [30]
            [20]
            [10]
        "#]],
    );
}

#[test]
fn indented_values_have_a_row_of_their_own() {
    let mut def = pivot(&[0, 1], &[], &["Sum(Amount)"]);
    def.indent = true;
    def.expanded_left.insert(vec![1]);
    check_pivot(
        "Country=GERMANY,FRANCE",
        &def,
        expect![[r#"
            -FRANCE#1
             Totals#-1
             FOOD#1
             MACHINES#0
            +GERMANY#0
             #-4
            top
            [70]
            [40]
            [30]
            [30]
        "#]],
    );
}

#[test]
fn a_pivot_leaves_out_zeros_and_groups_others() {
    let mut def = pivot(&[0], &[1], &["Sum({<Product={MACHINES}>} Amount)"]);
    check_pivot(
        "",
        &def,
        expect![[r#"
        FRANCE#1
        GERMANY#0
        top
        MACHINES#0
        [30]
        [10]
    "#]],
    );
    def.cube.suppress_zero = true;
    check_pivot(
        "",
        &def,
        expect![[r#"
        FRANCE#1
        GERMANY#0
        top
        MACHINES#0
        [30]
        [10]
    "#]],
    );
    let mut def = pivot(&[0], &[1], &["Sum(Amount)"]);
    def.populate_missing = true;
    def.cube.dimensions[0].limit = Some(limit(Keep::Count(2)));
    check_pivot(
        "",
        &def,
        expect![[r#"
        FRANCE#1
        -#-2
        Others#-3
        top
        FOOD#1
        MACHINES#0
        [40,30]
        [60,0]
        [70,10]
    "#]],
    );
}

#[track_caller]
fn check_tree(selections: &str, def: &CubeDef, want: Expect) {
    fn show(node: &TreeNode, depth: usize, out: &mut String) {
        let values: Vec<String> = node.values.iter().map(|v| v.to_text()).collect();
        writeln!(
            out,
            "{}{}#{} {} (row {}, up {:?}, down {:?})",
            " ".repeat(depth),
            node.value.to_text(),
            node.element,
            values.join(","),
            node.row,
            node.max_positive,
            node.min_negative
        )
        .unwrap();
        node.children.iter().for_each(|c| show(c, depth + 1, out));
    }
    let app = App::new(selections);
    let tree = app.ask(|q| q.tree(def, &q.cube(def)?)).unwrap();
    let mut out = format!("{:?}\n", tree.n_nodes);
    show(&tree.root, 0, &mut out);
    want.assert_eq(&out);
}

#[test]
fn a_tree_has_the_measures_of_every_level() {
    let mut def = cube(&["Country", "Product"], &["Avg(Amount)", "Sum(-Amount)"]);
    check_tree(
        "Country=GERMANY,FRANCE",
        &def,
        expect![[r#"
        [2, 4]
        #-1 25,-100 (row 0, up [50.0, 0.0], down [0.0, -100.0])
         FRANCE#1 35,-70 (row 0, up [70.0, 0.0], down [0.0, -70.0])
          FOOD#1 40,-40 (row 0, up [0.0, 0.0], down [0.0, 0.0])
          MACHINES#0 30,-30 (row 1, up [0.0, 0.0], down [0.0, 0.0])
         GERMANY#0 15,-30 (row 1, up [30.0, 0.0], down [0.0, -30.0])
          FOOD#1 20,-20 (row 2, up [0.0, 0.0], down [0.0, 0.0])
          MACHINES#0 10,-10 (row 3, up [0.0, 0.0], down [0.0, 0.0])
    "#]],
    );
    def.dimensions[0].limit = Some(limit(Keep::Count(1)));
    check_tree(
        "Country=GERMANY,FRANCE,SWEDEN",
        &def,
        expect![[r#"
        [2, 3]
        #-1 30,-150 (row 0, up [75.0, 0.0], down [0.0, -150.0])
         SWEDEN#2 50,-50 (row 0, up [50.0, 0.0], down [0.0, -50.0])
          FOOD#1 50,-50 (row 0, up [0.0, 0.0], down [0.0, 0.0])
         Others#-3 25,-100 (row 1, up [50.0, 0.0], down [0.0, -100.0])
          FOOD#1 30,-60 (row 1, up [0.0, 0.0], down [0.0, 0.0])
          MACHINES#0 20,-40 (row 2, up [0.0, 0.0], down [0.0, 0.0])
    "#]],
    );
}

#[test]
fn trend_lines_run_along_places_numbers_and_measures() {
    let line = |along, by_number, lines| TrendDef {
        kind: TrendKind::Linear,
        along,
        by_number,
        lines,
        with_r2: true,
    };
    let each = TrendLines::Each;
    let mut def = cube(&["Id"], &["Sum(Amount)", "Sum(Amount) * 2"]);
    // Ids 1 to 6 have 10 to 60: places count from 0, numbers are the ids.
    def.measures[0].trends = vec![
        line(Some(0), false, each),
        line(Some(0), true, each),
        line(None, false, each),
    ];
    def.measures[1].trends = vec![line(Some(1), false, each)];
    let app = App::new("");
    let show = |def: &CubeDef| {
        let cube = app.ask(|q| q.cube(def)).unwrap();
        let mut out = String::new();
        for trend in cube.measures.iter().flat_map(|m| m.trends.iter().flatten()) {
            let rounded: Option<Vec<f64>> = trend
                .coefficients
                .as_ref()
                .map(|c| c.iter().map(|c| (c * 1e6).round() / 1e6).collect());
            writeln!(
                out,
                "#{} {rounded:?} {:?}",
                trend.element,
                trend.r2.map(|r| (r * 1e6).round() / 1e6)
            )
            .unwrap();
        }
        out
    };
    expect![[r#"
        #-1 Some([10.0, 10.0]) Some(1.0)
        #-1 Some([0.0, 10.0]) Some(1.0)
        #-1 Some([10.0, 10.0]) Some(1.0)
        #-1 Some([0.0, 2.0]) Some(1.0)
    "#]]
    .assert_eq(&show(&def));
    let mut def = cube(&["Country", "Product"], &["Sum(Amount)"]);
    def.dimensions[0].suppress_null = true;
    def.measures[0].trends = vec![
        line(Some(0), false, each),
        line(Some(0), false, TrendLines::Sum),
    ];
    expect![[r#"
        #1 Some([31.666667, 5.0]) Some(0.107143)
        #0 Some([30.0, -20.0]) Some(1.0)
        #-1 Some([60.0, -10.0]) Some(0.25)
    "#]]
    .assert_eq(&show(&def));
}

#[test]
fn attribute_dimensions_tell_the_one_value_beside() {
    let mut def = cube(&["Cust"], &["Sum(Amount)"]);
    def.dimensions[0].attribute_dimensions =
        vec!["Name".to_owned(), "Country".to_owned(), "Oops".to_owned()];
    let cube = App::new("").ask(|q| q.cube(&def)).unwrap();
    let mut out = String::new();
    for info in &cube.dimensions[0].attribute_dimensions {
        let error = info.error.as_ref().map(CalcError::code);
        writeln!(out, "{} {error:?}", info.cardinal).unwrap();
    }
    let all = Rect {
        width: 9,
        height: 99,
        ..Rect::default()
    };
    for row in cube.page(all).1 {
        let beside: Vec<String> = row[0]
            .attribute_dimensions
            .iter()
            .map(|c| format!("{}#{}", c.value.to_text(), c.element))
            .collect();
        writeln!(out, "{}: {}", row[0].text(), beside.join(", ")).unwrap();
    }
    // C1 bought in two countries, and nobody knows where Eps did.
    expect![[r#"
        6 None
        3 None
        0 Some("expr.unknown_field")
        C1: Alpha#0, #-2, #-2
        C2: Beta#1, GERMANY#0, #-2
        C3: Gamma#2, FRANCE#1, #-2
        C4: Delta#3, SWEDEN#2, #-2
        C5: Eps#4, #-2, #-2
    "#]]
    .assert_eq(&out);
}
