//! `corpus/sources/*.md`: each `## name` has a ```` ```qvs ```` block and, before it, the files it
//! reads; a ```` ```out ```` block says what comes of it. `UPDATE=1` rewrites the last.
//!
//! ```` ```file NAME ```` is a text file; in ```` ```bytes NAME ```` `\xNN`, `\t`, `\r`, `\n` and
//! `\\` are written out and line breaks are none; ```` ```part NAME PATH ```` is a part of a
//! spreadsheet, a zip archive; ```` ```hex NAME ```` are bytes in hexadecimal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::Path;

use satchel_script::LoadResult;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{folder, load};

#[test]
fn sources_give_what_the_corpus_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/sources");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.sort();
    let mut wrong = String::new();
    let mut n_cases = 0;
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut rewritten = String::new();
        for section in sections(&text) {
            let blocks = blocks(section);
            let Some((_, script)) = blocks.iter().find(|(info, _)| info == "qvs") else {
                rewritten += section;
                continue;
            };
            n_cases += 1;
            let got = outcome(&files(&blocks), script);
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
    assert!(n_cases > 10, "only {n_cases} cases were found");
    if std::env::var("UPDATE").is_err() {
        assert!(wrong.is_empty(), "{wrong}");
    }
}

/// The files of every case, by name, for tests that damage them.
pub(crate) fn samples() -> Vec<(String, Vec<u8>, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/sources");
    let mut out = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        if path.extension().is_none_or(|e| e != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for section in sections(&text) {
            let blocks = blocks(section);
            let Some((_, script)) = blocks.iter().find(|(info, _)| info == "qvs") else {
                continue;
            };
            for (name, bytes) in files(&blocks) {
                out.push((name, bytes, script.clone()));
            }
        }
    }
    out
}

fn sections(text: &str) -> Vec<&str> {
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

fn files(blocks: &[(String, String)]) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut archives: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (info, body) in blocks {
        let words: Vec<&str> = info.split(' ').collect();
        match words[..] {
            ["file", name] => {
                out.insert(name.to_owned(), body.clone().into_bytes());
            }
            ["bytes", name] => {
                out.insert(name.to_owned(), unescaped(&body.replace('\n', "")));
            }
            ["hex", name] => {
                let digits: String = body.chars().filter(char::is_ascii_hexdigit).collect();
                let bytes = (digits.as_bytes().chunks(2))
                    .map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap())
                    .collect();
                out.insert(name.to_owned(), bytes);
            }
            ["part", name, path] => {
                let parts = archives.entry(name.to_owned()).or_default();
                parts.push((path.to_owned(), body.clone()));
            }
            _ => {}
        }
    }
    for (name, parts) in archives {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, body) in parts {
            zip.start_file(path, SimpleFileOptions::default()).unwrap();
            zip.write_all(body.as_bytes()).unwrap();
        }
        out.insert(name, zip.finish().unwrap().into_inner());
    }
    out
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next().unwrap() {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    out
}

fn outcome(files: &BTreeMap<String, Vec<u8>>, script: &str) -> String {
    let folder = folder();
    for (name, bytes) in files {
        let path = folder.path().join("app").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    match load(folder.path(), script) {
        Ok(result) => shown(&result),
        Err(failure) => failure
            .problems
            .iter()
            .map(|p| format!("{}\n", p.rendered.trim_end()))
            .collect(),
    }
}

/// Every table, cells as `text(number)` where they differ, NULL as `-`, an empty text as `''`.
fn shown(result: &LoadResult) -> String {
    let model = &result.model;
    let mut out = String::new();
    for table in model.tables() {
        let _ = writeln!(out, "table {}", table.name);
        let names: Vec<&str> = (table.columns.iter())
            .map(|c| model.fields()[c.field.index()].name.as_str())
            .collect();
        let _ = writeln!(out, "| {} |", names.join(" | "));
        for row in 0..table.n_rows {
            let cells: Vec<String> = (table.columns.iter())
                .map(|c| {
                    cell(
                        &model.fields()[c.field.index()]
                            .symbols
                            .value(c.codes.at(row)),
                    )
                })
                .collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
    }
    for line in &result.log {
        if let Some(line) = line.strip_prefix("> ") {
            let _ = writeln!(out, "trace {line}");
        }
    }
    for warning in &result.warnings {
        let _ = writeln!(out, "{}", warning.rendered);
    }
    out
}

fn cell(value: &satchel_data::Value) -> String {
    use satchel_data::Value;
    match value {
        Value::Null => "-".to_owned(),
        Value::Dual { num, text } => format!("{text}({num})"),
        Value::Text(text) if text.is_empty() => "''".to_owned(),
        other => other.to_text().replace('\n', "\\n"),
    }
}
