//! Tables from text, and views written out for comparison.

use std::fmt::Write as _;

use satchel_data::{AccessTable, Frame, TableId, Value, View};

/// `NULL`, a number (with its text), or a text.
pub fn value(text: &str) -> Value {
    match text.parse::<f64>() {
        _ if text == "NULL" => Value::Null,
        Ok(num) => Value::dual(num, text),
        Err(_) => Value::text(text),
    }
}

pub fn frame(name: &str, lines: &[&str]) -> Frame {
    let mut frame = Frame::new(name, lines[0].split('|'));
    for line in &lines[1..] {
        frame.push_row(&line.split('|').map(value).collect::<Vec<_>>());
    }
    frame
}

pub fn access_table(name: &str, lines: &[&str]) -> AccessTable {
    AccessTable {
        name: name.to_owned(),
        columns: lines[0].split('|').map(str::to_owned).collect(),
        rows: lines[1..]
            .iter()
            .map(|line| line.split('|').map(value).collect())
            .collect(),
    }
}

/// Texts of the visible values of a field, in element order.
pub fn values(view: &View, field: &str) -> Option<Vec<String>> {
    let id = view.field_by_name(field)?;
    let codes = (0..view.cardinality(id) as u32).filter_map(|e| view.code_of(id, e));
    Some(codes.map(|c| view.text(id, c).into_owned()).collect())
}

pub fn table(view: &View, name: &str) -> Option<TableId> {
    view.tables().find(|t| view.model().table(*t).name == name)
}

/// The sum over the visible rows of the first table that has the field.
pub fn sum(view: &View, field: &str) -> Option<f64> {
    let id = view.field_by_name(field)?;
    let (table, at) = view.model().field(id).columns[0];
    let data = view.model().table(table);
    let rows = (0..data.n_rows).filter(|r| view.row_is_visible(table, *r as u32));
    let nums = rows.map(|r| view.num(id, data.columns[at].codes.at(r)));
    Some(nums.filter(|n| !n.is_nan()).sum())
}

/// Everything a view tells.
pub fn show(view: &View) -> String {
    let mut out = String::new();
    for id in view.fields() {
        let field = view.model().field(id);
        let _ = writeln!(out, "{} {:?}", field.name, view.facts(id));
        for elem in 0..view.cardinality(id) as u32 {
            let code = view.code_of(id, elem).expect("below cardinality");
            let _ = writeln!(
                out,
                " {elem} {} {:?}",
                view.text(id, code),
                view.value(id, code)
            );
        }
    }
    for id in view.tables() {
        let table = view.model().table(id);
        let _ = writeln!(out, "{} {}", table.name, view.n_rows(id));
        for row in (0..table.n_rows).filter(|r| view.row_is_visible(id, *r as u32)) {
            for column in table.columns.iter().filter(|c| view.is_visible(c.field)) {
                let _ = write!(
                    out,
                    " {:?}",
                    view.elem_of(column.field, column.codes.at(row))
                );
            }
            out.push('\n');
        }
    }
    out
}
