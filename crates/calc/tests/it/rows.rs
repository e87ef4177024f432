//! The tables of `corpus/aggregations`: rows, and what aggregations make of them.

use std::fmt::Write as _;
use std::path::Path;

use satchel_calc::{
    Accumulator, EvalContext, Mode, NoRow, Program, RowValues, Scope, compile, eval, interpret,
};
use satchel_data::Value;
use satchel_syntax::parse_expression;

use crate::{expect_file, expression_of, iso, text_of};

/// A table of rows as Markdown shows it; `-` is NULL.
pub struct Table {
    fields: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    pub fn read(text: &str) -> Self {
        let locale = iso();
        let mut lines = text.lines().filter(|l| l.starts_with('|')).map(|line| {
            let cells = line
                .trim_matches('|')
                .split('|')
                .map(|c| c.trim().to_owned());
            cells.collect::<Vec<String>>()
        });
        let fields = lines.next().unwrap();
        let rows = lines.skip(1).map(|cells| {
            let value = |cell: &String| match cell.as_str() {
                "-" => Value::Null,
                text => interpret(text, &locale),
            };
            cells.iter().map(value).collect()
        });
        Self {
            rows: rows.collect(),
            fields,
        }
    }

    /// The value of an expression that aggregates all rows, or what is wrong with it.
    pub fn aggregate(&self, expression: &str) -> String {
        let locale = iso();
        let context = EvalContext::new(&locale, 45_000.5);
        let (tree, mut problems) = parse_expression(expression);
        let (program, more) = compile(&tree, Mode::Group, self);
        problems.extend(more);
        if let Some(problem) = problems.iter().find(|p| p.is_error()) {
            return format!("{}: {}", problem.code, problem.message);
        }
        let results = Results(
            program
                .aggs
                .iter()
                .map(|agg| {
                    let mut accumulator = Accumulator::new(agg.kind, agg.distinct);
                    for row in &self.rows {
                        let value = |program: &Program| eval(program, &Row(row), &context);
                        accumulator.push(&agg.args.iter().map(value).collect::<Vec<_>>());
                    }
                    accumulator.finish()
                })
                .collect(),
        );
        text_of(&eval(&program, &results, &context))
    }
}

impl Scope for Table {
    fn field(&self, name: &str) -> Option<u32> {
        let at = self.fields.iter().position(|field| field == name)?;
        u32::try_from(at).ok()
    }
}

struct Row<'a>(&'a [Value]);

impl RowValues for Row<'_> {
    fn field(&self, slot: u32) -> Value {
        self.0.get(slot as usize).cloned().unwrap_or(Value::Null)
    }
}

struct Results(Vec<Value>);

impl RowValues for Results {
    fn field(&self, slot: u32) -> Value {
        NoRow.field(slot)
    }

    fn agg(&self, index: usize) -> Value {
        self.0.get(index).cloned().unwrap_or(Value::Null)
    }
}

#[test]
fn aggregations_have_the_values_of_the_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/aggregations");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let old = std::fs::read_to_string(&path).unwrap();
        let (rows, _) = old.split_once("\n| expression |").unwrap();
        let table = Table::read(rows);
        let mut new = String::new();
        for line in old.lines() {
            match expression_of(line) {
                Some(expression) => {
                    let value = table.aggregate(expression);
                    let _ = writeln!(new, "| `{expression}` | {value} |");
                }
                None => new = new + line + "\n",
            }
        }
        expect_file(&path, &new);
    }
}
