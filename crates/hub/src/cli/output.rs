//! What commands print: plain words and tables, or JSON.

use serde_json::{Value, json};

use super::Common;

/// One sentence about what was done.
pub(crate) fn done(common: &Common, sentence: &str) {
    if common.json {
        println!("{}", json!({ "done": sentence }));
    } else {
        println!("{sentence}");
    }
}

/// Rows under titles, or a list of objects with the titles as names.
pub(crate) fn table(common: &Common, titles: &[&str], rows: &[Vec<String>]) {
    if common.json {
        let objects: Vec<Value> = rows
            .iter()
            .map(|row| {
                titles
                    .iter()
                    .zip(row)
                    .map(|(t, v)| (t.replace(' ', "_"), Value::String(v.clone())))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            })
            .collect();
        println!("{}", Value::Array(objects));
        return;
    }
    let mut widths: Vec<usize> = titles.iter().map(|t| t.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        println!("{}", padded.join("  ").trim_end());
    };
    line(titles.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}

/// A time as people read it, UTC: `2026-11-24 10:05`.
pub(crate) fn time(at: satchel_base::UnixMillis) -> String {
    let day = crate::system::serial_day(at);
    satchel_calc::format_date(day, "YYYY-MM-DD hh:mm", &satchel_calc::Locale::default())
        .unwrap_or_else(|| at.0.to_string())
}
