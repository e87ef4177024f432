//! Set analysis, rule by rule, on the small model:
//!
//! ```text
//! Id Country Product  Amount Cust       Cust Name
//! 1  GERMANY MACHINES 10     C1         C1   Alpha
//! 2  GERMANY FOOD     20     C2         C2   Beta
//! 3  FRANCE  MACHINES 30     C1         C3   Gamma
//! 4  FRANCE  FOOD     40     C3         C4   Delta
//! 5  SWEDEN  FOOD     50     C4         C5   Eps
//! 6  -       FOOD     60     C5         C6   Zeta
//! ```

use satchel_engine::CalcError;

use crate::readable::{App, check, check_in};

#[test]
fn identifiers_name_sets_of_records() {
    check("Country=GERMANY", "Sum({$} Amount)", "30");
    check("Country=GERMANY", "Sum({1} Amount)", "210");
    check("Country=GERMANY", "Sum({0} Amount)", "0");
    check("Country=GERMANY", "Sum({} Amount)", "30");
    // Bookmarks by name, alone and with modifiers.
    check("Country=GERMANY", "Sum({Francophile} Amount)", "70");
    check(
        "Country=GERMANY",
        "Sum({Francophile<Product={FOOD}>} Amount)",
        "40",
    );
    check("Country=GERMANY", "Sum({[Francophile]} Amount)", "70");
}

#[test]
fn steps_back_and_forward_in_the_history() {
    let steps = "Country=GERMANY Country=FRANCE Country=SWEDEN";
    check(steps, "Sum({$0} Amount)", "50");
    check(steps, "Sum({$1} Amount)", "70");
    check(steps, "Sum({$2} Amount)", "30");
    check(steps, "Sum({$3} Amount)", "210");
    // There is nothing further back, and nothing ahead.
    check(steps, "Sum({$4} Amount)", "0");
    check(steps, "Sum({$_1} Amount)", "0");
    let app = App::new(steps).back().back();
    check_in(&app, "Sum({$} Amount)", "30");
    check_in(&app, "Sum({$_1} Amount)", "70");
    check_in(&app, "Sum({$_2<Product={FOOD}>} Amount)", "50");
}

#[test]
fn alternate_states_are_sets() {
    let app = App::with_state("Country=GERMANY", "Country=FRANCE,SWEDEN Product=FOOD");
    check_in(&app, "Sum({B} Amount)", "90");
    check_in(&app, "Sum({B<Product=>} Amount)", "120");
    // The selections of a field in another state, by name or in the default one.
    check_in(&app, "Sum({<Country=B::Country>} Amount)", "120");
    check_in(&app, "Sum({B<Country=$::Country>} Amount)", "20");
    check_in(&app, "Sum({1<Cust=P({B} Cust)>} Amount)", "90");
    // What is not selected there stands for what is possible.
    check_in(&app, "Sum({1<Cust=B::Cust>} Amount)", "90");
    check_in(
        &app,
        "Sum({Nowhere} Amount)",
        "expr.unknown_set: the expression is not valid: `Nowhere` is neither an alternate state nor a bookmark",
    );
}

#[test]
fn sets_are_united_cut_and_taken_away() {
    let app = App::with_state("Country=GERMANY,FRANCE", "Product=FOOD");
    // $: 10 20 30 40, B: 20 40 50 60.
    check_in(&app, "Sum({$+B} Amount)", "210");
    check_in(&app, "Sum({$*B} Amount)", "60");
    check_in(&app, "Sum({$-B} Amount)", "40");
    check_in(&app, "Sum({$/B} Amount)", "150");
    check_in(&app, "Sum({1-$} Amount)", "110");
    // `*` binds tighter than `-`, brackets tighter than both.
    check_in(&app, "Sum({1-$*B} Amount)", "150");
    check_in(&app, "Sum({(1-$)*B} Amount)", "110");
    check_in(
        &app,
        "Sum({$<Product={FOOD}>+1<Country={SWEDEN}>} Amount)",
        "110",
    );
}

#[test]
fn modifiers_change_the_selection_of_a_field() {
    check("Country=GERMANY", "Sum({<Country={FRANCE}>} Amount)", "70");
    check("Country=GERMANY", "Sum({<Country=>} Amount)", "210");
    check("Country=GERMANY", "Sum({<Country>} Amount)", "210");
    check("Country=GERMANY", "Sum({<Country={}>} Amount)", "0");
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
    // Without a selection all values count as selected.
    check("", "Sum({<Country-={FRANCE}>} Amount)", "80");
    check("", "Sum({<Country*={FRANCE}>} Amount)", "70");
    // Several fields are ANDed, and other selections stay.
    check("Product=FOOD", "Sum({<Country={FRANCE}>} Amount)", "40");
    check(
        "",
        "Sum({<Country={FRANCE}, Product={MACHINES}>} Amount)",
        "30",
    );
}

#[test]
fn value_lists_are_combined_too() {
    check("", "Sum({<Country={FRANCE}+{SWEDEN}>} Amount)", "120");
    check("", "Sum({<Country={FRANCE,SWEDEN}-{SWEDEN}>} Amount)", "70");
    check("", "Sum({<Country={FRANCE,SWEDEN}*{SWEDEN}>} Amount)", "50");
    check("", "Sum({<Country=-{FRANCE}>} Amount)", "80");
}

#[test]
fn quotes_decide_how_a_value_is_meant() {
    // Single quotes: exactly this. Bare: without regard to case.
    check("", "Sum({<Country={'FRANCE'}>} Amount)", "70");
    check("", "Sum({<Country={'France'}>} Amount)", "0");
    check("", "Sum({<Country={france}>} Amount)", "70");
    check("", "Sum({<Id={1,2}>} Amount)", "30");
    // Double quotes: a search.
    check("", "Sum({<Country={\"F*\"}>} Amount)", "70");
    check("", "Sum({<Country={\"?WEDEN\"}>} Amount)", "50");
    check("", "Sum({<Country={\"*\"}>} Amount)", "150");
    check("", "Sum({<Amount={\">=20<40\"}>} Amount)", "50");
    check("", "Sum({<Amount={\"<=20\",\">50\"}>} Amount)", "90");
}

#[test]
fn searches_are_compounded() {
    check("", "Sum({<Country={\"(F*|S*)\"}>} Amount)", "120");
    check("", "Sum({<Country={\"(*R*&G*)\"}>} Amount)", "30");
    check("", "Sum({<Country={\"(*E*^*R*)\"}>} Amount)", "50");
    check("", "Sum({<Amount={\"(<20|(>30&<60))\"}>} Amount)", "100");
    // Brackets without an operator are part of the value.
    check("", "Sum({<Country={\"(FRANCE)\"}>} Amount)", "0");
}

#[test]
fn an_expression_finds_the_values_for_which_it_is_true() {
    check("", "Sum({<Country={\"=Sum(Amount)>40\"}>} Amount)", "120");
    check(
        "",
        "Count({<Cust={\"=Count(DISTINCT Country)>1\"}>} Id)",
        "2",
    );
    check(
        "Product=FOOD",
        "Sum({<Country={\"=Sum(Amount)>=40\"}>} Amount)",
        "90",
    );
    check(
        "Product=FOOD",
        "Sum({<Country={\"=Sum({1} Amount)>60\"}>} Amount)",
        "40",
    );
    check(
        "",
        "Sum({<Country={\"=Rank(Sum(Amount))=1\"}>} Amount)",
        "70",
    );
}

#[test]
fn possible_and_excluded_values_of_another_set() {
    // Who bought machines: C1.
    check(
        "",
        "Sum({<Cust=P({<Product={MACHINES}>} Cust)>} Amount)",
        "40",
    );
    check("", "Sum({<Cust=P({<Product={MACHINES}>})>} Amount)", "40");
    check(
        "",
        "Sum({<Cust=E({<Product={MACHINES}>} Cust)>} Amount)",
        "170",
    );
    check("Product=MACHINES", "Sum({1<Cust=P(Cust)>} Amount)", "40");
    check(
        "",
        "Sum({<Cust=P({1<Country={GERMANY}>} Cust)*P({1<Country={FRANCE}>} Cust)>} Amount)",
        "40",
    );
}

#[test]
fn an_outer_set_reaches_inwards() {
    check("", "{<Country={FRANCE}>} Sum(Amount) / Count(Amount)", "35");
    check(
        "",
        "{<Country={FRANCE}>} Sum({<Product={FOOD}>} Amount)",
        "40",
    );
    // An identifier within stands for itself.
    check(
        "Product=FOOD",
        "{<Country={FRANCE}>} Sum({$} Amount)",
        "170",
    );
    check("Product=FOOD", "{1<Country={FRANCE}>} Sum(Amount)", "70");
    check(
        "",
        "{<Country={FRANCE}>} (Sum(Amount) + Sum({1} Amount))",
        "280",
    );
    check(
        "",
        "{<Country={FRANCE}>} Avg(Aggr(Sum({<Product={FOOD}>} Amount), Country))",
        "40",
    );
}

#[test]
fn dollars_are_replaced_before_the_set_is_read() {
    check("", "Sum({<Amount={$(=Max(Amount))}>} Amount)", "60");
    check("", "Sum({<Amount={\">$(=Avg(Amount))\"}>} Amount)", "150");
    check("", "Sum({<Id={$(=Concat(Id, ','))}>} Amount)", "210");
}

/// The part of the author's text that is said to be wrong, and what is said.
#[track_caller]
fn check_place(text: &str, place: &str, code: &str) {
    let Err(CalcError::Expression(all)) = App::new("").ask(|q| q.evaluate(text)) else {
        panic!("{text} is not wrong");
    };
    let problem = all.iter().find(|d| d.is_error()).unwrap();
    let span = problem.span;
    assert_eq!(
        &text[span.start as usize..span.end as usize],
        place,
        "{text}"
    );
    assert_eq!(problem.code, code);
}

#[test]
fn what_is_wrong_is_shown_in_the_author_s_text() {
    check_place("1 + Sum(Oops)", "Oops", "expr.unknown_field");
    check_place("$(vYear) + Sum(Oops)", "Oops", "expr.unknown_field");
    check_place("1 + $(vOops) + 1", "$(vOops)", "expr.unknown_field");
    check_place("1 + $(vBad) + 1", "$(vBad)", "expr.unknown_field");
    check_place(
        "$(vNone)1 + $(=Sum(Oops)) + 1",
        "$(=Sum(Oops))",
        "expr.unknown_field",
    );
    check_place(
        "$(vYear) + Sum({<Oops={1}>} Amount)",
        "Oops",
        "expr.unknown_field",
    );
    check_place(
        "Sum({<Country={\"=Sum(Oops)>1\"}>} Amount)",
        "\"=Sum(Oops)>1\"",
        "expr.unknown_field",
    );
    check_place("Sum({Nowhere} Amount)", "{Nowhere}", "expr.unknown_set");
    check_place("Sum({<Country={FRANCE} Amount)", "Amount", "expr.bad_set");
}
