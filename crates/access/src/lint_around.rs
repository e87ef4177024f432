//! Pitfalls that only show beside what else is known of an app: its people, its variables and
//! the texts of its charts (reference semantics A8, A10, A12).

use std::sync::Arc;

use rustc_hash::FxHashSet;
use satchel_data::{Model, Value};

use crate::decide::{Decision, Grant, decide, row_access};
use crate::lint::reached_tables;
use crate::reduce::mask;
use crate::rules::{Cell, Finding, Identity, Role, Rules};
use crate::subject::Subject;

/// What is known of an app beside its data.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// Who owns the app.
    pub owner: Option<&'a Subject>,
    /// Everybody the hub knows; none if that says nothing, as where people come from elsewhere.
    pub people: &'a [Subject],
    /// The script's variables, which everybody who opens the app can read.
    pub variables: &'a [(String, Value)],
    /// Texts of the app by where they stand.
    pub texts: &'a [(String, String)],
}

/// Variables that say how numbers and dates are written, or how the script runs.
const OF_THE_SYSTEM: [&str; 18] = [
    "MonthNames",
    "LongMonthNames",
    "DayNames",
    "LongDayNames",
    "ThousandSep",
    "DecimalSep",
    "MoneyThousandSep",
    "MoneyDecimalSep",
    "MoneyFormat",
    "TimeFormat",
    "DateFormat",
    "TimestampFormat",
    "CollationLocale",
    "NumericalAbbreviation",
    "NullInterpret",
    "NullValue",
    "NullDisplay",
    "ScriptErrorList",
];

/// Shorter texts stand in too many names and titles to mean a value.
const MIN_CHARS: usize = 3;

/// What an author should look at beyond [`crate::lint`].
pub fn lint_around(rules: &Rules, model: &Arc<Model>, around: &Around<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    if rules.has_section_access() {
        unmatched_rows(rules, &mut out);
        unknown_people(rules, around.people, &mut out);
        accounts(rules, model, around.owner, &mut out);
        side_tables(rules, model, &mut out);
        carried(rules, model, around, &mut out);
    }
    out
}

fn finding(code: &'static str, place: String, message: String, fix: &str) -> Finding {
    Finding {
        code,
        place,
        message,
        fix: fix.to_owned(),
    }
}

/// Rows that no person can ever match, or that grant nothing to whoever matches.
fn unmatched_rows(rules: &Rules, out: &mut Vec<Finding>) {
    for table in rules.tables.iter().filter(|t| t.admits) {
        let mut blank: Option<(usize, &str)> = None;
        let mut no_role = None;
        let (mut n_blank, mut n_no_role) = (0, 0);
        for (r, row) in table.rows.iter().enumerate() {
            let mut cells = table.roles.iter().zip(row).zip(&table.columns);
            let empty = cells.find(|((role, cell), _)| {
                matches!(role, Role::Identity(_)) && matches!(cell, Cell::Null | Cell::Blank)
            });
            if let Some((_, column)) = empty {
                blank.get_or_insert((r, column.as_str()));
                n_blank += 1;
            } else if table.roles.contains(&Role::Access) && row_access(table, row).is_none() {
                no_role.get_or_insert(r);
                n_no_role += 1;
            }
        }
        if let Some((r, column)) = blank {
            out.push(finding(
                "access.row_matches_nobody",
                format!(
                    "access table {}, row {}, column {column}",
                    table.name,
                    r + 1
                ),
                format!(
                    "{} {} of {} {} a blank identity, which matches nobody",
                    n_blank,
                    if n_blank == 1 { "row" } else { "rows" },
                    table.name,
                    if n_blank == 1 { "has" } else { "have" }
                ),
                "write * where the column is not to be looked at",
            ));
        }
        if let Some(r) = no_role {
            out.push(finding(
                "access.row_without_role",
                format!("access table {}, row {}, column ACCESS", table.name, r + 1),
                format!(
                    "{n_no_role} {} of {} say neither ADMIN nor USER, and admit nobody",
                    if n_no_role == 1 { "row" } else { "rows" },
                    table.name
                ),
                "write ADMIN or USER in the column ACCESS",
            ));
        }
    }
}

/// People and groups the access tables name and nobody is.
fn unknown_people(rules: &Rules, people: &[Subject], out: &mut Vec<Finding>) {
    /// More are counted, not named.
    const NAMED: usize = 8;
    if people.is_empty() {
        return;
    }
    let users: FxHashSet<String> = (people.iter())
        .map(|s| s.user.as_str().to_uppercase())
        .collect();
    let groups: FxHashSet<String> = (people.iter())
        .flat_map(|s| s.groups.iter().map(|g| g.to_uppercase()))
        .collect();
    for table in rules.tables.iter().filter(|t| t.admits) {
        for (c, (role, column)) in table.roles.iter().zip(&table.columns).enumerate() {
            let Role::Identity(identity) = role else {
                continue;
            };
            let is_known = |text: &str| {
                let user = || {
                    let id = satchel_base::SubjectId::parse(text);
                    text.starts_with("INTERNAL\\") || users.contains(&id.as_str().to_uppercase())
                };
                match identity {
                    Identity::User => user(),
                    Identity::Nt => user() || groups.contains(text),
                    Identity::Group => groups.contains(text),
                    _ => true,
                }
            };
            let mut unknown: Vec<(usize, &str)> = Vec::new();
            for (r, row) in table.rows.iter().enumerate() {
                if let Cell::Value(_, text) = &row[c]
                    && !is_known(text)
                    && !unknown.iter().any(|(_, known)| known == text)
                {
                    unknown.push((r, text.as_str()));
                }
            }
            let Some((first, _)) = unknown.first() else {
                continue;
            };
            let named: Vec<&str> = unknown.iter().take(NAMED).map(|(_, t)| *t).collect();
            let more = unknown.len().saturating_sub(NAMED);
            out.push(finding(
                "access.unknown_person",
                format!(
                    "access table {}, row {}, column {column}",
                    table.name,
                    first + 1
                ),
                format!(
                    "nobody this hub knows has the {column} {}{}",
                    named.join(", "),
                    if more > 0 {
                        format!(" and {more} more")
                    } else {
                        String::new()
                    }
                ),
                "correct the names (a USERID is DIRECTORY\\name), or leave them if these people come later",
            ));
        }
    }
}

/// The owner and the account of scheduled reloads.
fn accounts(rules: &Rules, model: &Arc<Model>, owner: Option<&Subject>, out: &mut Vec<Finding>) {
    let denied = |subject: &Subject| mask(&decide(rules, subject), model.clone()).err();
    if let Some(owner) = owner
        && let Some(why) = denied(owner)
    {
        out.push(finding(
            "access.owner_locked_out",
            "the access section".to_owned(),
            format!(
                "{}, who owns the app, cannot open it: {}",
                owner.user, why.reason
            ),
            "add a row for the owner; without one they can open the app without data to edit the script",
        ));
    }
    if let Decision::Granted(grants) = decide(rules, &Subject::scheduler()) {
        let is_whole = grants.unreduced || grants.fields.values().all(|g| *g == Grant::All);
        if !is_whole || !grants.omit.is_empty() {
            out.push(finding(
                "access.scheduler_reduced",
                "the access section".to_owned(),
                "INTERNAL\\SA_SCHEDULER does not see all data, so its partial reloads fail"
                    .to_owned(),
                "give it an ADMIN row with blank reduction cells and no OMIT",
            ));
        }
    }
}

/// A reduction field all of whose tables stand alone reduces nothing but themselves.
fn side_tables(rules: &Rules, model: &Model, out: &mut Vec<Finding>) {
    for field in &rules.fields {
        let Some(id) = model.field_by_name(&field.name) else {
            continue;
        };
        let own: Vec<_> = model.field(id).columns.iter().map(|(t, _)| *t).collect();
        let links_on = own.iter().any(|t| {
            let table = model.table(*t);
            !table.loose && (table.columns.iter()).any(|c| !model.links(c.field).is_empty())
        });
        let rows = |t: &satchel_data::Table| t.n_rows;
        let mine = own.iter().map(|t| rows(model.table(*t))).max();
        let largest = model.tables().iter().map(rows).max();
        if !links_on && own.len() < model.tables().len() && mine < largest {
            let names: Vec<&str> = (own.iter())
                .map(|t| model.table(*t).name.as_str())
                .collect();
            out.push(finding(
                "access.side_table",
                format!("field {} of the data", field.name),
                format!(
                    "{} stands in {} alone, which links to no other table, so it reduces no facts",
                    field.name,
                    names.join(", ")
                ),
                "link that table to the facts, or reduce on a field of theirs",
            ));
        }
    }
}

/// Variables and texts that show values of reduced rows to everybody.
fn carried(rules: &Rules, model: &Model, around: &Around<'_>, out: &mut Vec<Finding>) {
    if rules.fields.is_empty() {
        return;
    }
    let parts = |text: &str| -> Vec<String> {
        let whole = text.trim().to_owned();
        let pieces = text.split([',', ';', '|', '\n', '\t', '\'', '"', '(', ')', '=']);
        let pieces = pieces.map(|p| p.trim().to_owned());
        (std::iter::once(whole).chain(pieces))
            .filter(|p| p.chars().count() >= MIN_CHARS && p.parse::<f64>().is_err())
            .collect()
    };
    let variables: Vec<(String, Vec<String>)> = (around.variables.iter())
        .filter(|(name, _)| !OF_THE_SYSTEM.iter().any(|s| s.eq_ignore_ascii_case(name)))
        .map(|(name, value)| (format!("variable {name}"), parts(&value.to_text())))
        .collect();
    let words: FxHashSet<&str> = (variables.iter())
        .flat_map(|(_, parts)| parts.iter().map(String::as_str))
        .collect();
    // Every field of a table that is reduced holds what some may not see.
    let reached = reached_tables(rules, model);
    let mut found: FxHashSet<String> = FxHashSet::default();
    for field in model.fields() {
        if !words.is_empty() && (field.columns.iter()).any(|(t, _)| reached[t.index()]) {
            let texts = (0..field.symbols.len() as u32).map(|c| field.symbols.text(c));
            found.extend(
                texts
                    .filter(|t| words.contains(&**t))
                    .map(std::borrow::Cow::into_owned),
            );
        }
    }
    for (place, parts) in &variables {
        if let Some(part) = parts.iter().find(|p| found.contains(*p)) {
            out.push(finding(
                "access.variable_carries",
                place.clone(),
                format!(
                    "{place} holds {part}, a value of the data; everybody who opens the app can read it"
                ),
                "let the variable hold an expression, which is computed for each person, or empty it at the end of the script",
            ));
        }
    }
    let listed: Vec<String> = (rules.fields.iter())
        .filter_map(|f| model.field_by_name(&f.name))
        .flat_map(|id| {
            let symbols = &model.field(id).symbols;
            (0..symbols.len() as u32).map(|c| symbols.text(c).into_owned())
        })
        .filter(|t| t.chars().count() >= MIN_CHARS && t.parse::<f64>().is_err())
        .collect();
    for (place, text) in around.texts {
        if let Some(value) = listed.iter().find(|v| stands_in(text, v)) {
            out.push(finding(
                "access.text_carries",
                place.clone(),
                format!("a text of {place} names {value}, which some people may not know of"),
                "write an expression in place of the text, or leave it if the name is no secret",
            ));
        }
    }
}

/// Whether `value` stands in `text` as words of its own, whatever the case.
fn stands_in(text: &str, value: &str) -> bool {
    let (text, value) = (text.to_uppercase(), value.to_uppercase());
    text.match_indices(&value).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + value.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}
