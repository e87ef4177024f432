//! The tables of `corpus/calc`: an expression and the value it has. `UPDATE=1` rewrites them.

use std::fmt::Write as _;
use std::path::Path;

use satchel_calc::{EvalContext, Locale, Mode, NoRow, Scope, compile, eval, function_names};
use satchel_data::{Value, number_text};
use satchel_syntax::parse_expression;

mod distributions;
mod laws;
mod reference;
mod rows;

/// The fields of `charts.md`; the other tables have none.
struct Fields(&'static [&'static str]);

impl Scope for Fields {
    fn field(&self, name: &str) -> Option<u32> {
        let at = self.0.iter().position(|field| *field == name)?;
        u32::try_from(at).ok()
    }

    fn field_names(&self) -> Vec<String> {
        self.0.iter().map(|field| (*field).to_owned()).collect()
    }
}

/// The locale of the tables: ISO date formats.
fn iso() -> Locale {
    let mut locale = Locale::default();
    locale.set("DateFormat", "YYYY-MM-DD");
    locale.set("TimestampFormat", "YYYY-MM-DD hh:mm:ss");
    locale.set("TimeFormat", "hh:mm:ss");
    locale
}

/// The value as text; a number beside it where the text does not show it; or the problem.
fn shown(expression: &str, mode: Mode) -> String {
    let locale = iso();
    let (tree, mut problems) = parse_expression(expression);
    let fields = if mode == Mode::Chart {
        Fields(&["A", "B", "Date"])
    } else {
        Fields(&[])
    };
    let (program, more) = compile(&tree, mode, &fields);
    problems.extend(more);
    if let Some(problem) = problems.iter().find(|p| p.is_error()) {
        let hint = problem.hint.as_ref();
        let hint = hint.map_or_else(String::new, |hint| format!("; {hint}"));
        return format!("{}: {}{hint}", problem.code, problem.message);
    }
    text_of(&eval(
        &program,
        &NoRow,
        &EvalContext::new(&locale, 45_000.5),
    ))
}

/// A value as the tables show it.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Num(num) => number_text(*num),
        Value::Text(text) => format!("'{text}'"),
        Value::Dual { num, text } => format!("{text} ({})", number_text(*num)),
    }
}

/// The expression of a line of a table.
fn expression_of(line: &str) -> Option<&str> {
    let (expression, _) = line.strip_prefix("| `")?.split_once("` | ")?;
    Some(expression)
}

/// Compares a file with what it should be; `UPDATE=1` rewrites it.
#[expect(
    clippy::disallowed_methods,
    reason = "a test may ask whether to rewrite its corpus"
)]
fn expect_file(path: &Path, want: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, want).unwrap();
    } else {
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(found, want, "{}", path.display());
    }
}

#[test]
fn expressions_have_the_values_of_the_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/calc");
    let mut expressions = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let old = std::fs::read_to_string(&path).unwrap();
        let mut new = String::new();
        let mode = if path.ends_with("charts.md") {
            Mode::Chart
        } else {
            Mode::Row
        };
        for line in old.lines() {
            match expression_of(line) {
                Some(expression) => {
                    let value = shown(expression, mode);
                    let _ = writeln!(new, "| `{expression}` | {value} |");
                    expressions.push_str(&expression.to_lowercase());
                }
                None => new = new + line + "\n",
            }
        }
        expect_file(&path, &new);
    }
    for name in function_names() {
        let call = format!("{name}(");
        assert!(
            expressions.contains(&call),
            "no line of the corpus has {call}"
        );
    }
}
