//! `corpus/script/*.md`: each `## name` has a ```` ```qvs ```` block, perhaps ```` ```file NAME ````
//! blocks and a ```` ```before ```` block (the script of the reload before a partial one)
//! before it, and a ```` ```out ```` block with tables, access tables, traces, stored
//! files, warnings, or the problems that stopped it. `UPDATE=1` rewrites the last.

use std::fmt::Write as _;
use std::path::Path;

use satchel_base::{Budget, CancelToken, Limits};
use satchel_data::{Model, Value};
use satchel_script::{AppData, Failure, LoadResult, Settings, run};

use crate::host::Files;

/// 2024-03-01 12:00.
const NOW: f64 = 45_352.5;

#[test]
fn scripts_give_what_the_corpus_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/script");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut wrong = String::new();
    let mut n_cases = 0;
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut rewritten = String::new();
        for section in split_sections(&text) {
            let blocks = blocks(section);
            let Some((_, script)) = blocks.iter().find(|(info, _)| info == "qvs") else {
                rewritten += section;
                continue;
            };
            n_cases += 1;
            let mut host = Files::default();
            for (info, body) in &blocks {
                if let Some(name) = info.strip_prefix("file ") {
                    host.files.insert(name.to_owned(), body.clone());
                }
            }
            let before = blocks.iter().find(|(info, _)| info == "before");
            let previous = before.map(|(_, script)| {
                let result = execute(script, &mut host, None);
                let result = result.expect("the reload before is good");
                AppData::of(&result.model, result.access)
            });
            let got = outcome(script, &mut host, previous);
            let want = blocks.iter().find(|(info, _)| info == "out");
            let head = section.find("```out").map_or(section, |at| &section[..at]);
            let _ = write!(rewritten, "{}\n\n```out\n{got}```\n\n", head.trim_end());
            if want.map(|(_, body)| body) != Some(&got) {
                let title = section.lines().next().unwrap_or_default();
                let _ = writeln!(wrong, "{}: {title}\n{got}", path.display());
            }
        }
        if std::env::var("UPDATE").is_ok() {
            std::fs::write(&path, format!("{}\n", rewritten.trim_end())).unwrap();
        }
    }
    assert!(n_cases > 40, "only {n_cases} cases were found");
    if std::env::var("UPDATE").is_err() {
        assert!(wrong.is_empty(), "{wrong}");
    }
}

fn split_sections(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = vec![0];
    starts.extend(text.match_indices("\n## ").map(|(at, _)| at + 1));
    starts.push(text.len());
    starts.windows(2).map(|w| &text[w[0]..w[1]]).collect()
}

fn blocks(section: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in section.lines() {
        match &mut open {
            Some(_) if line == "```" => out.extend(open.take()),
            Some((_, body)) => {
                body.push_str(line);
                body.push('\n');
            }
            None => {
                if let Some(info) = line.strip_prefix("```") {
                    open = Some((info.to_owned(), String::new()));
                }
            }
        }
    }
    out
}

fn execute(
    script: &str,
    host: &mut Files,
    previous: Option<AppData>,
) -> Result<LoadResult, Failure> {
    let settings = Settings {
        now: NOW,
        app_name: "Corpus".into(),
        user: "LOCAL\\ANN".into(),
        previous,
        ..Settings::default()
    };
    let limits = Limits {
        rows: 200_000,
        bytes: 50 << 20,
    };
    let budget = Budget::new(limits, CancelToken::default());
    run("main.qvs", script, host, &settings, &budget)
}

fn outcome(script: &str, host: &mut Files, previous: Option<AppData>) -> String {
    match execute(script, host, previous) {
        Ok(result) => show(&result, host),
        Err(failure) => (failure.problems.iter())
            .map(|p| format!("{}\n", p.rendered))
            .collect(),
    }
}

/// The tables of a model as a partial reload gets them.
fn show(result: &LoadResult, host: &Files) -> String {
    let mut out = tables(&result.model);
    for table in &result.access.tables {
        let _ = writeln!(out, "access {}", table.name);
        grid(&mut out, &table.columns, &table.rows);
    }
    for (name, value) in &result.variables {
        if name.starts_with('v') {
            let _ = writeln!(out, "{name} = {}", cell(value));
        }
    }
    for line in &result.log {
        if let Some(line) = line.strip_prefix("> ") {
            let _ = writeln!(out, "trace {line}");
        }
    }
    for (is_table, name, text) in &result.comments {
        let what = if *is_table { "table" } else { "field" };
        let _ = writeln!(out, "comment {what} {name}: {text}");
    }
    for path in &host.stored {
        let _ = write!(out, "stored {path}\n{}", host.files[path]);
    }
    for warning in &result.warnings {
        let _ = writeln!(out, "{}", warning.rendered);
    }
    if out.is_empty() {
        out.push_str("nothing\n");
    }
    out
}

fn tables(model: &Model) -> String {
    let mut out = String::new();
    for (t, table) in model.tables().iter().enumerate() {
        let _ = writeln!(
            out,
            "table {}{}",
            table.name,
            if table.loose { " (loose)" } else { "" }
        );
        let names: Vec<String> = (table.columns.iter())
            .map(|c| model.fields()[c.field.index()].name.clone())
            .collect();
        let rows: Vec<Vec<Value>> = (0..table.n_rows)
            .map(|row| {
                (0..table.columns.len())
                    .map(|c| model_cell(model, t, c, row))
                    .collect()
            })
            .collect();
        grid(&mut out, &names, &rows);
    }
    for field in model.fields() {
        if !field.tags.is_empty() {
            let _ = writeln!(out, "tags {}: {}", field.name, field.tags.join(", "));
        }
    }
    out
}

fn model_cell(model: &Model, table: usize, column: usize, row: usize) -> Value {
    let column = &model.tables()[table].columns[column];
    let field = &model.fields()[column.field.index()];
    field.symbols.value(column.codes.at(row))
}

fn grid(out: &mut String, names: &[String], rows: &[Vec<Value>]) {
    let _ = writeln!(out, "| {} |", names.join(" | "));
    for row in rows {
        let cells: Vec<String> = row.iter().map(cell).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

/// `5` is a number, `'5'` a text, `x(5)` the number 5 that shows `x`, `-` NULL.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Num(_) => value.to_text(),
        Value::Text(text) if text.is_empty() => "''".into(),
        Value::Text(text) if text.parse::<f64>().is_ok() => format!("'{text}'"),
        Value::Text(text) => text.to_string(),
        Value::Dual { num, text } => format!("{text}({num})"),
    }
}
