//! Distributions and financial functions against tables another implementation made.

use std::path::Path;

use satchel_calc::{EvalContext, Mode, NoRow, compile, eval};
use satchel_syntax::parse_expression;

use crate::{Fields, expression_of, iso};

/// The largest relative difference.
const NEAR: f64 = 1e-9;

#[test]
fn results_agree_with_an_independent_implementation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/independent");
    let locale = iso();
    let mut n = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let Some(expression) = expression_of(line) else {
                continue;
            };
            let want: f64 = line
                .rsplit("| ")
                .next()
                .unwrap()
                .trim_matches([' ', '|'])
                .parse()
                .unwrap();
            let (tree, _) = parse_expression(expression);
            let (program, problems) = compile(&tree, Mode::Row, &Fields(&[]));
            assert!(problems.is_empty(), "{expression}");
            let found = eval(&program, &NoRow, &EvalContext::new(&locale, 0.0)).as_num();
            n += 1;
            let near = |found: f64| (found - want).abs() <= NEAR * want.abs().max(1e-300);
            if !found.is_some_and(near) {
                wrong.push(format!("{expression} is {found:?}, not {want:e}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} of {n}",
        wrong.join("\n"),
        wrong.len()
    );
    assert!(n > 500);
}
