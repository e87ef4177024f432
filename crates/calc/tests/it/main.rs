//! The tables of `corpus/calc`: an expression and the value it has. `UPDATE=1` rewrites them.

use std::fmt::Write as _;
use std::path::Path;

use satchel_calc::{EvalContext, Locale, Mode, NoRow, Scope, compile, eval};
use satchel_syntax::parse_expression;

struct NoFields;

impl Scope for NoFields {
    fn field(&self, _name: &str) -> Option<u32> {
        None
    }
}

/// The value as text; a number beside it where the text does not show it; or the problem.
fn shown(expression: &str) -> String {
    let mut locale = Locale::default();
    locale.set("DateFormat", "YYYY-MM-DD");
    locale.set("TimestampFormat", "YYYY-MM-DD hh:mm:ss");
    locale.set("TimeFormat", "hh:mm:ss");
    let (tree, mut problems) = parse_expression(expression);
    let (program, more) = compile(&tree, Mode::Row, &NoFields);
    problems.extend(more);
    if let Some(problem) = problems.iter().find(|p| p.is_error()) {
        return format!("{}: {}", problem.code, problem.message);
    }
    let value = eval(&program, &NoRow, &EvalContext::new(&locale, 45_000.5));
    match (value.as_text(), value.as_num()) {
        (None, _) => "NULL".to_owned(),
        (Some(text), Some(num)) if num.to_string() != text => format!("{text} ({num})"),
        (Some(text), Some(_)) => text.into_owned(),
        (Some(text), None) => format!("'{text}'"),
    }
}

#[test]
fn expressions_have_the_values_of_the_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/calc");
    let mut n_files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let old = std::fs::read_to_string(&path).unwrap();
        let mut new = String::new();
        for line in old.lines() {
            match line
                .strip_prefix("| `")
                .and_then(|rest| rest.split_once("` | "))
            {
                Some((expression, _)) => {
                    let _ = writeln!(new, "| `{expression}` | {} |", shown(expression));
                }
                None => new = new + line + "\n",
            }
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &new).unwrap();
        } else {
            assert_eq!(old, new, "{}", path.display());
        }
        n_files += 1;
    }
    assert!(n_files > 0);
}
