//! The Data Interchange Format: a header, then a type and a value for each cell.

use satchel_data::Value;
use satchel_script::{HostError, Labels, ReadRequest, RowSource};

use crate::delimited::text_of;
use crate::grid::{Grid, positions};

/// Opens the file whose content is `bytes`.
pub(crate) fn open(bytes: Vec<u8>, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    let text = text_of(bytes, &request.format)?;
    let mut lines = Lines {
        lines: text.lines(),
        number: 0,
        path: &request.path,
    };
    // `explicit labels`: names that stand in the header.
    let mut labels: Vec<(usize, String)> = Vec::new();
    loop {
        let topic = lines.next("the header")?.trim().to_ascii_uppercase();
        let (vector, _) = lines.numbers()?;
        let shown = lines.next("the header")?;
        match topic.as_str() {
            "DATA" => break,
            "LABEL" => {
                if let Some(column) = (vector as usize).checked_sub(1).filter(|c| *c < 1 << 14) {
                    labels.push((column, unquoted(shown)));
                }
            }
            _ => {}
        }
    }
    let mut grid = Grid::default();
    let mut row = None;
    let mut column = 0;
    loop {
        let (kind, number) = lines.numbers()?;
        let text = lines.next("a cell")?;
        let place = |row: Option<usize>| {
            row.ok_or_else(|| lines.malformed("has a cell before the first row"))
        };
        match kind as i64 {
            -1 if text.trim().eq_ignore_ascii_case("BOT") => {
                row = Some(row.map_or(0, |r| r + 1));
                grid.reach(row.unwrap_or(0));
                column = 0;
            }
            -1 if text.trim().eq_ignore_ascii_case("EOD") => break,
            0 => {
                let value = match text.trim().to_ascii_uppercase().as_str() {
                    "V" => Value::num(number),
                    "TRUE" => Value::boolean(true),
                    "FALSE" => Value::boolean(false),
                    // Not available, or an error.
                    _ => Value::Null,
                };
                grid.put(place(row)?, column, value)?;
                column += 1;
            }
            1 => {
                grid.put_text(place(row)?, column, &unquoted(text))?;
                column += 1;
            }
            _ => return Err(lines.malformed("is none that a cell begins with")),
        }
    }
    if request.format.labels == Some(Labels::Explicit) && !labels.is_empty() {
        let n_columns = grid
            .n_columns()
            .max(labels.iter().map(|(c, _)| c + 1).max().unwrap_or(0));
        let mut names: Vec<String> = (0..n_columns).map(positions).collect();
        for (column, name) in labels {
            names[column] = name;
        }
        return Ok(grid.with_names(names, request));
    }
    Ok(grid.labelled(request, positions))
}

struct Lines<'a> {
    lines: std::str::Lines<'a>,
    /// Of the line read last.
    number: usize,
    path: &'a str,
}

impl<'a> Lines<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str, HostError> {
        self.number += 1;
        self.lines.next().ok_or_else(|| {
            HostError::new(
                "source.malformed",
                format!("`{}` ends in line {} within {what}", self.path, self.number),
            )
            .with_hint("was it written completely, and is it a DIF file?")
        })
    }

    /// A line `a,b`.
    fn numbers(&mut self) -> Result<(f64, f64), HostError> {
        let line = self.next("a cell")?;
        let (first, second) = line.split_once(',').unwrap_or((line, "0"));
        match (first.trim().parse(), second.trim().parse()) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            _ => Err(self.malformed("is not two numbers")),
        }
    }

    fn malformed(&self, why: &str) -> HostError {
        HostError::new(
            "source.malformed",
            format!("line {} of `{}` {why}", self.number, self.path),
        )
        .with_hint("was it written completely, and is it a DIF file?")
    }
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    (text.strip_prefix('"').and_then(|t| t.strip_suffix('"')))
        .map_or_else(|| text.to_owned(), |inner| inner.replace("\"\"", "\""))
}
