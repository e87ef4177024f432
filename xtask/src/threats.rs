//! `docs/security/threats.md`: which attacks were thought of, what stands against each, and
//! which tests show it. Written from [`rows::ROWS`] and from the tests themselves: a test names
//! its rows in a comment above it, `// threat: T-12 T-13`. Nobody edits the page.
//!
//! A row without a test says what is missing, and a row that claims to have none must not have
//! one: the check fails either way, as it does when the page is out of date.

mod rows;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::root;
use rows::{DEVIATIONS, ROWS, Row, Shown};

const MARK: &str = "threat:";

/// Where tests are.
const FOLDERS: [&str; 3] = ["crates", "web/e2e", "fuzz/tests"];

/// A test that names rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    /// From the root of the repository.
    file: String,
    name: String,
}

/// Writes the page anew.
pub fn write() -> Result<()> {
    let path = target();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, page(&found()?)?).with_context(|| path.display().to_string())
}

/// Whether every row has its test or says why not, and the page says what is there.
///
/// # Errors
/// Names every row that is wrong; or the page is out of date.
pub fn check() -> Result<()> {
    let wanted = page(&found()?)?;
    if fs::read_to_string(target()).unwrap_or_default() != wanted {
        bail!("docs/security/threats.md is out of date; run `cargo xtask threats`");
    }
    println!(
        "  ✓ threats: {} rows, each with its tests or what is missing",
        ROWS.len()
    );
    Ok(())
}

fn target() -> PathBuf {
    root().join("docs/security/threats.md")
}

/// The tests by row.
fn found() -> Result<BTreeMap<u32, Vec<Test>>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root().join(folder), &mut files)?;
    }
    let mut by_row: BTreeMap<u32, Vec<Test>> = BTreeMap::new();
    for path in files {
        let file = path
            .strip_prefix(root())
            .unwrap_or(&path)
            .display()
            .to_string();
        let text = fs::read_to_string(&path).with_context(|| file.clone())?;
        for (rows, name) in marked(&text).with_context(|| file.clone())? {
            for row in rows {
                let test = Test {
                    file: file.clone(),
                    name: name.clone(),
                };
                by_row.entry(row).or_default().push(test);
            }
        }
    }
    for tests in by_row.values_mut() {
        tests.sort();
        tests.dedup();
    }
    Ok(by_row)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with("node_modules") && !path.ends_with("target") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|e| e == "rs" || e == "mjs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The tests of a file that name rows, with the rows.
fn marked(text: &str) -> Result<Vec<(Vec<u32>, String)>> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for (at, line) in lines.iter().enumerate() {
        let Some(rows) = line.strip_prefix("//").map(str::trim_start) else {
            continue;
        };
        let Some(rows) = rows.strip_prefix(MARK) else {
            continue;
        };
        let place = || format!("line {}", at + 1);
        let rows = rows
            .split_whitespace()
            .map(row_number)
            .collect::<Result<Vec<_>>>();
        let rows = rows.with_context(place)?;
        let name = lines[at + 1..]
            .iter()
            .take(6)
            .find_map(|line| test_name(line));
        let name = name.with_context(|| format!("{}: no test follows", place()))?;
        found.push((rows, name));
    }
    Ok(found)
}

fn row_number(text: &str) -> Result<u32> {
    let number = text
        .strip_prefix("T-")
        .and_then(|digits| digits.parse().ok());
    match number {
        Some(number) if ROWS.iter().any(|row| row.number == number) => Ok(number),
        _ => bail!("`{text}` is no row; rows are T-01 to T-{:02}", ROWS.len()),
    }
}

/// The name of the test that begins on this line.
fn test_name(line: &str) -> Option<String> {
    if let Some((before, after)) = line.split_once("fn ")
        && (before.is_empty() || before == "async " || before == "pub ")
    {
        return after.split('(').next().map(str::to_owned);
    }
    for call in ["inBrowser(", "test("] {
        let Some(rest) = line.strip_prefix(call) else {
            continue;
        };
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '`'))?;
        return rest[1..].split(quote).next().map(str::to_owned);
    }
    None
}

fn page(tests: &BTreeMap<u32, Vec<Test>>) -> Result<String> {
    let wrong: Vec<String> = ROWS
        .iter()
        .filter_map(|row| {
            let has = tests.contains_key(&row.number);
            match row.shown {
                Shown::NotYet(_) if has => {
                    Some(format!("{} says it has no test, but it has", row.id()))
                }
                Shown::Whole | Shown::Partly(_) if !has => {
                    Some(format!("{} has no test", row.id()))
                }
                _ => None,
            }
        })
        .collect();
    if !wrong.is_empty() {
        bail!("threats without their tests:\n  {}", wrong.join("\n  "));
    }
    let count = |of: fn(&Row) -> bool| ROWS.iter().filter(|row| of(row)).count();
    let mut text = String::from(HEAD);
    writeln!(
        text,
        "Of {} attacks, {} are tested as a whole, {} in part, and {} not yet.\n",
        ROWS.len(),
        count(|row| matches!(row.shown, Shown::Whole)),
        count(|row| matches!(row.shown, Shown::Partly(_))),
        count(|row| matches!(row.shown, Shown::NotYet(_))),
    )?;
    text.push_str("## Where we depart from the standards\n\n");
    for (item, why) in DEVIATIONS {
        writeln!(text, "- **{item}.** {why}")?;
    }
    text.push_str("\n## At a glance\n\n| row | attack | tested | tests | MASVS 2 | ASVS 5 |\n|---|---|---|---|---|---|\n");
    for row in ROWS {
        let tested = match row.shown {
            Shown::Whole => "yes",
            Shown::Partly(_) => "in part",
            Shown::NotYet(_) => "no test yet",
        };
        writeln!(
            text,
            "| [{id}](#{anchor}) | {} | {tested} | {} | {} | {} |",
            row.attack,
            tests.get(&row.number).map_or(0, Vec::len),
            or_dash(row.masvs),
            or_dash(row.asvs),
            id = row.id(),
            anchor = row.id().to_lowercase(),
        )?;
    }
    text.push_str("\n## Row by row\n");
    for row in ROWS {
        writeln!(
            text,
            "\n### {}\n\n**{}.** {}",
            row.id(),
            row.attack,
            row.defence
        )?;
        match row.shown {
            Shown::Whole => {}
            Shown::Partly(missing) => writeln!(text, "\nNot shown by a test: {missing}")?,
            Shown::NotYet(missing) => writeln!(text, "\n**No test yet.** {missing}")?,
        }
        if let Some(tests) = tests.get(&row.number) {
            text.push('\n');
            for test in tests {
                writeln!(text, "- `{}`: {}", test.file, test.name)?;
            }
        }
    }
    Ok(text)
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}

const HEAD: &str = "\
# Threats and their tests

<!-- Written by `cargo xtask threats` from xtask/src/threats/rows.rs and from the tests, which
name their rows; do not edit. -->

What a person who means harm would try, what stands against it, and which automatic tests show
that it stands. Numbers of requirements are those of OWASP MASVS 2 and OWASP ASVS 5.0.0.

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_in_order() {
        for (at, row) in ROWS.iter().enumerate() {
            assert_eq!(row.number as usize, at + 1);
        }
    }

    #[test]
    fn a_mark_belongs_to_the_test_below_it() {
        let text = "// threat: T-01 T-12\n#[test]\nfn one() {\n}\n  // threat: T-02\n  \
                    #[tokio::test(flavor = \"multi_thread\")]\n  async fn two() {\n\
                    // threat: T-03\ninBrowser('it\u{2019}s three', {}, async () => {";
        let found = marked(text).unwrap();
        let want = [
            (vec![1, 12], "one"),
            (vec![2], "two"),
            (vec![3], "it\u{2019}s three"),
        ];
        assert_eq!(found, want.map(|(rows, name)| (rows, name.to_owned())));
        for wrong in [
            "// threat: T-99\nfn x()",
            "// threat: 1\nfn x()",
            "// threat: T-01\nlet x = 1;",
        ] {
            assert!(marked(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_page_says_what_the_tests_say() {
        check().unwrap();
    }
}
