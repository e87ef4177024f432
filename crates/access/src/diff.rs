//! What a new version of an app changes for whom.

use std::collections::{BTreeMap, BTreeSet};

use satchel_base::SubjectId;
use satchel_data::Model;

use crate::decide::Refusal;
use crate::rules::{Cell, Identity, Role, Rules};
use crate::sight::sight;
use crate::subject::Subject;

/// Something that is different for a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// They were denied and are admitted.
    Admitted,
    /// They were admitted and are denied.
    Denied(Refusal),
    /// They see another number of rows of a table; none where there is no table.
    Rows {
        /// The table.
        table: String,
        /// Before.
        before: Option<u64>,
        /// After.
        after: Option<u64>,
    },
    /// They see fields they did not.
    FieldsGained(BTreeSet<String>),
    /// They do not see fields they did.
    FieldsLost(BTreeSet<String>),
    /// They see values of a reduction field they did not.
    ValuesGained(String, BTreeSet<String>),
    /// They do not see values of a reduction field they did.
    ValuesLost(String, BTreeSet<String>),
}

/// What is different for `subject` between two versions of an app, each its rules and data.
pub fn diff(before: (&Rules, &Model), after: (&Rules, &Model), subject: &Subject) -> Vec<Change> {
    let wanted: BTreeSet<String> = (before.0.fields.iter())
        .chain(&after.0.fields)
        .map(|f| f.name.clone())
        .collect();
    let old = sight(before.0, before.1, subject, &wanted);
    let new = sight(after.0, after.1, subject, &wanted);
    let (old, new) = match (old, new) {
        (Err(_), Err(_)) => return Vec::new(),
        (Err(_), Ok(_)) => return vec![Change::Admitted],
        (Ok(_), Err(reason)) => return vec![Change::Denied(reason)],
        (Ok(old), Ok(new)) => (old, new),
    };
    let mut out = Vec::new();
    let tables: BTreeSet<&String> = old.rows.keys().chain(new.rows.keys()).collect();
    for table in tables {
        let (before, after) = (old.rows.get(table).copied(), new.rows.get(table).copied());
        if before != after {
            out.push(Change::Rows {
                table: table.clone(),
                before,
                after,
            });
        }
    }
    let minus = |a: &BTreeSet<String>, b: &BTreeSet<String>| -> BTreeSet<String> {
        a.difference(b).cloned().collect()
    };
    let gained = minus(&new.fields, &old.fields);
    let lost = minus(&old.fields, &new.fields);
    out.extend((!gained.is_empty()).then_some(Change::FieldsGained(gained)));
    out.extend((!lost.is_empty()).then_some(Change::FieldsLost(lost)));
    let none = BTreeSet::new();
    for field in &wanted {
        let value = |values: &BTreeMap<String, BTreeSet<String>>| {
            values.get(field).unwrap_or(&none).clone()
        };
        let (old, new) = (value(&old.values), value(&new.values));
        let (gained, lost) = (minus(&new, &old), minus(&old, &new));
        out.extend((!gained.is_empty()).then(|| Change::ValuesGained(field.clone(), gained)));
        out.extend((!lost.is_empty()).then(|| Change::ValuesLost(field.clone(), lost)));
    }
    out
}

impl Rules {
    /// Everybody the access tables name by USERID, and groups by an account of its own that is
    /// in that group alone: whom a change may concern.
    pub fn named_subjects(&self) -> Vec<Subject> {
        let mut users: BTreeSet<&str> = BTreeSet::new();
        let mut groups: BTreeSet<&str> = BTreeSet::new();
        for table in &self.tables {
            for row in &table.rows {
                for (role, cell) in table.roles.iter().zip(row) {
                    match (role, cell) {
                        (Role::Identity(Identity::User), Cell::Value(_, text)) => {
                            users.insert(text);
                        }
                        (Role::Identity(Identity::Group), Cell::Value(_, text)) => {
                            groups.insert(text);
                        }
                        _ => {}
                    }
                }
            }
        }
        let by_id = users.into_iter().map(|u| Subject::new(SubjectId::parse(u)));
        let by_group = groups.into_iter().map(|group| Subject {
            groups: vec![group.to_owned()],
            ..Subject::new(SubjectId::new("GROUP", group))
        });
        by_id.chain(by_group).collect()
    }
}
