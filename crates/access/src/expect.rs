//! Expectations: what an author says that somebody must see. They are checked at each reload,
//! and data that breaks one is not published.

use std::collections::{BTreeMap, BTreeSet};

use satchel_data::Model;

use crate::rules::Rules;
use crate::sight::sight;
use crate::subject::Subject;

/// What one subject must see. What is not mentioned is not checked.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Who.
    pub subject: Subject,
    /// Whether they must be denied.
    pub denied: bool,
    /// Rows they must see, by table.
    pub rows: BTreeMap<String, u64>,
    /// The values they must see, all of them and no other, by field.
    pub values: BTreeMap<String, BTreeSet<String>>,
    /// Fields they must see.
    pub fields: BTreeSet<String>,
    /// Fields that must not exist for them.
    pub withheld: BTreeSet<String>,
}

/// How what `rules` grant of `model` differs from what is expected, in words; empty if it
/// does not.
pub fn unmet(expectation: &Expectation, rules: &Rules, model: &Model) -> Vec<String> {
    let wanted = expectation.values.keys().cloned().collect();
    let who = &expectation.subject.user;
    let seen = match sight(rules, model, &expectation.subject, &wanted) {
        Ok(_) if expectation.denied => return vec![format!("{who} is admitted, not denied")],
        Ok(seen) => seen,
        Err(_) if expectation.denied => return Vec::new(),
        Err(reason) => return vec![format!("{who} is denied: {reason}")],
    };
    let mut out = Vec::new();
    for (table, want) in &expectation.rows {
        match seen.rows.get(table) {
            Some(got) if got == want => {}
            Some(got) => out.push(format!("{who} sees {got} rows of {table}, not {want}")),
            None => out.push(format!("{who} sees no table {table}")),
        }
    }
    for (field, want) in &expectation.values {
        let Some(got) = seen.values.get(field) else {
            out.push(format!("{who} does not see the field {field}"));
            continue;
        };
        let names = |set: Vec<&String>| {
            let texts: Vec<&str> = set.iter().map(|s| s.as_str()).collect();
            texts.join(", ")
        };
        let more: Vec<&String> = got.difference(want).collect();
        let less: Vec<&String> = want.difference(got).collect();
        if !more.is_empty() {
            out.push(format!("{who} sees {} of {field} too", names(more)));
        }
        if !less.is_empty() {
            out.push(format!("{who} does not see {} of {field}", names(less)));
        }
    }
    for field in &expectation.fields {
        if !seen.fields.contains(field) {
            out.push(format!("{who} does not see the field {field}"));
        }
    }
    for field in &expectation.withheld {
        if seen.fields.contains(field) {
            out.push(format!(
                "{who} sees the field {field}, which must be withheld"
            ));
        }
    }
    out
}
