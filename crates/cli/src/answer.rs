//! One question to an app's data: measures by dimensions, under selections.

use std::sync::Arc;

use satchel_base::{Budget, CancelToken, Limits};
use satchel_calc::Locale;
use satchel_data::{Model, Value, View};
use satchel_engine::{
    CalcError, Cell, CubeDef, DEFAULT_STATE, DimensionDef, Engine, Locks, MeasureDef, NoLookup,
    Query, Rect, Select, Selections, SortCriterion, Toggle,
};
use serde_json::{Value as Json, json};

use crate::output::Failure;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Expressions, such as `Sum(Sales)`.
    pub measures: Vec<String>,
    /// Fields or expressions over them.
    pub by: Vec<String>,
    /// `Field=Value`; several values of one field are united.
    pub selections: Vec<String>,
    /// At most this many rows are shown.
    pub max_rows: usize,
    /// The present local time in serial days, for date functions.
    pub now: f64,
    /// Local time minus UTC, in days.
    pub utc_offset: f64,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Heads of the columns: dimensions, then measures.
    pub columns: Vec<String>,
    /// Rows, sorted by dimensions.
    pub rows: Vec<Vec<Value>>,
    /// Rows there are, shown or not.
    pub n_rows: usize,
    /// The measures over everything selected.
    pub totals: Vec<Value>,
}

/// Answers a question.
pub fn answer(model: Model, question: &Question) -> Result<Answer, Failure> {
    let engine = Engine::new(Arc::new(View::unrestricted(Arc::new(model))));
    let budget = Budget::new(Limits::INTERACTIVE, CancelToken::default());
    let selections = selected(&engine, &question.selections, &budget)?;
    let locale = Locale::default();
    let query = Query {
        engine: &engine,
        selections: &selections,
        state: DEFAULT_STATE,
        lookup: &NoLookup,
        locale: &locale,
        now: question.now,
        utc_offset: question.utc_offset,
        budget: &budget,
    };
    let dimension = |def: &String| DimensionDef {
        def: def.clone(),
        sort: SortCriterion::ascending(),
        ..DimensionDef::default()
    };
    let measure = |def: &String| MeasureDef {
        def: def.clone(),
        ..MeasureDef::default()
    };
    let cube = query
        .cube(&CubeDef {
            dimensions: question.by.iter().map(dimension).collect(),
            measures: question.measures.iter().map(measure).collect(),
            ..CubeDef::default()
        })
        .map_err(|error| wrong(&error, ""))?;
    let columns: Vec<String> = [&question.by[..], &question.measures[..]].concat();
    let dimension_errors = cube.dimensions.iter().map(|d| d.error.as_ref());
    let measure_errors = cube.measures.iter().map(|m| m.error.as_ref());
    for (error, text) in dimension_errors.chain(measure_errors).zip(&columns) {
        if let Some(error) = error {
            return Err(wrong(error, text));
        }
    }
    let (_, cells) = cube.page(Rect {
        left: 0,
        top: 0,
        width: columns.len(),
        height: question.max_rows,
    });
    let rows = if question.by.is_empty() {
        Vec::new()
    } else {
        let values = |row: Vec<Cell>| row.into_iter().map(|cell| cell.value).collect();
        cells.into_iter().map(values).collect()
    };
    Ok(Answer {
        columns,
        n_rows: if question.by.is_empty() {
            0
        } else {
            cube.n_rows()
        },
        rows,
        totals: cube.totals,
    })
}

/// The selections that the arguments say.
fn selected(engine: &Engine, wanted: &[String], budget: &Budget) -> Result<Selections, Failure> {
    let mut selections = Selections::new();
    for text in wanted {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Failure::new(
                "select.malformed",
                format!("{text} does not say what to select"),
                "Write --select Field=Value.",
            ));
        };
        let Some(field) = engine.field(name.trim()) else {
            return Err(Failure::new(
                "field.unknown",
                format!("there is no field called {}", name.trim()),
                "Check its spelling; names of fields are case-sensitive.",
            ));
        };
        let value = value.trim();
        let mut found = false;
        let as_text = Some(Value::Text(value.into()));
        let as_number = value.parse().ok().filter(|n: &f64| n.is_finite());
        for candidate in [as_text, as_number.map(Value::Num)].into_iter().flatten() {
            let select = Select::Values(vec![candidate], Toggle::Add);
            found |= engine
                .select(
                    &mut selections,
                    DEFAULT_STATE,
                    field,
                    &select,
                    Locks::Respect,
                    budget,
                )
                .map_err(|error| {
                    Failure::new("select.refused", error.to_string(), "Select less at once.")
                })?;
        }
        if !found {
            return Err(Failure::new(
                "select.no_such_value",
                format!("{} has no value {value}, or it is named twice", name.trim()),
                "See the values there are: --by with the field.",
            ));
        }
    }
    Ok(selections)
}

/// A wrong expression, with the place in it.
fn wrong(error: &CalcError, text: &str) -> Failure {
    let message = match error {
        CalcError::Expression(all) => all
            .iter()
            .find(|diagnostic| diagnostic.is_error())
            .map(|diagnostic| diagnostic.render("expression", text)),
        _ => None,
    };
    Failure::new(
        error.code(),
        message.map_or_else(|| error.to_string(), |text| text.trim_end().to_owned()),
        "Correct the expression and ask again.",
    )
}

impl Answer {
    /// A table for people.
    pub fn to_text(&self) -> String {
        let mut lines: Vec<Vec<String>> = vec![self.columns.clone()];
        let shown = |row: &Vec<Value>| row.iter().map(shown).collect::<Vec<_>>();
        lines.extend(self.rows.iter().map(shown));
        let n_dimensions = self.columns.len() - self.totals.len();
        let mut total = vec![String::new(); n_dimensions];
        if let Some(first) = total.first_mut() {
            "Total".clone_into(first);
        }
        total.extend(self.totals.iter().map(self::shown));
        lines.push(total);
        let width = |column: usize| {
            let widths = lines.iter().map(|line| line[column].chars().count());
            widths.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            for (column, cell) in line.iter().enumerate() {
                let gap = " ".repeat(widths[column] - cell.chars().count());
                if column > 0 {
                    text.push_str("  ");
                }
                // Names to the left, figures to the right.
                if column < n_dimensions {
                    text.push_str(cell);
                    text.push_str(&gap);
                } else {
                    text.push_str(&gap);
                    text.push_str(cell);
                }
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        if self.n_rows > self.rows.len() {
            text.push_str(&format!("{} of {} rows\n", self.rows.len(), self.n_rows));
        }
        text
    }

    /// For programs: numbers as numbers, NULL as null.
    pub fn to_json(&self) -> Json {
        let row = |row: &Vec<Value>| row.iter().map(cell_json).collect::<Vec<_>>();
        json!({
            "columns": self.columns,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "n_rows": self.n_rows,
            "totals": row(&self.totals),
        })
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() {
        "-".to_owned()
    } else {
        value.to_text()
    }
}

fn cell_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Num(num) => json!(num),
        Value::Text(text) => json!(&**text),
        Value::Dual { num, text } => json!({ "num": num, "text": &**text }),
    }
}

#[cfg(test)]
mod tests {
    use satchel_data::{Frame, ModelBuilder};

    use super::*;

    fn model() -> Model {
        let mut sales = Frame::new("Sales", ["Region", "Year", "Amount"]);
        for (region, year, amount) in [
            ("North", 2023.0, 10.0),
            ("North", 2024.0, 20.0),
            ("South", 2024.0, 5.0),
        ] {
            let row = [
                Value::Text(region.into()),
                Value::Num(year),
                Value::Num(amount),
            ];
            sales.push_row(&row);
        }
        ModelBuilder::new().table(sales).build().unwrap()
    }

    fn ask(measures: &[&str], by: &[&str], selections: &[&str]) -> Result<String, String> {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let question = Question {
            measures: owned(measures),
            by: owned(by),
            selections: owned(selections),
            max_rows: 10,
            now: 46_000.0,
            utc_offset: 0.0,
        };
        answer(model(), &question)
            .map(|answer| answer.to_text())
            .map_err(|failure| failure.0.code)
    }

    #[test]
    fn measures_by_dimensions() {
        assert_eq!(
            ask(&["Sum(Amount)", "Count(Year)"], &["Region"], &[]).unwrap(),
            "Region  Sum(Amount)  Count(Year)\n\
             North            30            2\n\
             South             5            1\n\
             Total            35            3\n"
        );
    }

    #[test]
    fn selections_narrow_and_unite() {
        let total = |selections: &[&str]| ask(&["Sum(Amount)"], &[], selections).unwrap();
        assert_eq!(total(&["Year=2024"]), "Sum(Amount)\n         25\n");
        assert_eq!(
            total(&["Year=2023", "Year=2024", "Region=North"]),
            "Sum(Amount)\n         30\n"
        );
    }

    #[test]
    fn mistakes_have_codes() {
        let code = |measure, selection: &[&str]| ask(&[measure], &[], selection).unwrap_err();
        assert_eq!(code("Sum(Amount)", &["Town=x"]), "field.unknown");
        assert_eq!(code("Sum(Amount)", &["Year=1999"]), "select.no_such_value");
        assert_eq!(code("Sum(Amount)", &["Year"]), "select.malformed");
        assert!(code("Sum(", &[]).starts_with("expr."));
    }

    #[test]
    fn rows_beyond_the_limit_are_counted() {
        let question = Question {
            measures: vec!["Sum(Amount)".into()],
            by: vec!["Region".into()],
            max_rows: 1,
            ..Question::default()
        };
        let answer = answer(model(), &question).unwrap();
        assert_eq!((answer.rows.len(), answer.n_rows), (1, 2));
        assert!(answer.to_text().ends_with("1 of 2 rows\n"));
    }
}
