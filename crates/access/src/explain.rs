//! Who sees what and why, for owners and administrators.

use satchel_data::{Model, number_text};

use crate::decide::{
    Access, Decision, Grant, GrantedValue, decide, row_access, row_differs, row_matches,
};
use crate::reduce::{TableCount, reduce};
use crate::rules::{Cell, Role, Rules};
use crate::subject::Subject;

/// Why a row applies or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It applies.
    Applies(Access),
    /// ACCESS is neither `ADMIN` nor `USER`; OMITs of the row still hold.
    NoAccess,
    /// This identity column is blank or names somebody else.
    Differs {
        /// The column.
        column: String,
    },
    /// It names everybody by `*`, and the subject is anonymous.
    OnlyStars,
    /// Its table has linked tables that form a loop.
    LinkLoop,
}

/// A row of an identity table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowUse {
    /// The access table.
    pub table: String,
    /// From 1.
    pub row: usize,
    /// Whether it applies.
    pub why: Why,
}

/// What came out for a reduction field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldUse {
    /// The field.
    pub field: String,
    /// Texts of the granted values; none for "unconstrained".
    pub granted: Option<Vec<String>>,
    /// Values the access tables list for anybody and the data lacks.
    pub absent: Vec<String>,
}

/// The whole answer.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The decision, with its reason where it denies.
    pub decision: Decision,
    /// Every row of every identity table, in order.
    pub rows: Vec<RowUse>,
    /// By reduction field; empty if nothing is reduced.
    pub fields: Vec<FieldUse>,
    /// Fields withheld.
    pub omitted: Vec<String>,
    /// Rows kept by table; none if denied.
    pub tables: Option<Vec<TableCount>>,
}

/// Explains what `rules` grant `subject` of `model`.
pub fn explain(rules: &Rules, subject: &Subject, model: &Model) -> Explanation {
    let mut decision = decide(rules, subject);
    let mut rows = Vec::new();
    for (t, table) in rules.tables.iter().enumerate().filter(|(_, t)| t.admits) {
        for (r, row) in table.rows.iter().enumerate() {
            let why = if matches!(rules.links.get(&t), Some(None)) {
                Why::LinkLoop
            } else if let Some(column) = row_differs(table, row, subject) {
                Why::Differs { column }
            } else if !row_matches(table, row, subject) {
                Why::OnlyStars
            } else {
                row_access(table, row).map_or(Why::NoAccess, Why::Applies)
            };
            rows.push(RowUse {
                table: table.name.clone(),
                row: r + 1,
                why,
            });
        }
    }
    let (mut fields, mut omitted) = (Vec::new(), Vec::new());
    if let Decision::Granted(grants) = &decision {
        omitted.extend(grants.omit.iter().cloned());
        for (name, grant) in &grants.fields {
            let known = rules.fields.iter().find(|f| f.name == *name);
            fields.push(FieldUse {
                field: name.clone(),
                granted: match grant {
                    Grant::All => None,
                    Grant::Values(values) => Some(values.iter().map(show).collect()),
                },
                absent: known.map_or_else(Vec::new, |f| f.absent()),
            });
        }
    }
    let tables = match reduce(&decision, model) {
        Ok(reduced) => Some(reduced.tables),
        Err(denied) => {
            decision = Decision::Denied(denied.reason);
            None
        }
    };
    Explanation {
        decision,
        rows,
        fields,
        omitted,
        tables,
    }
}

fn show(value: &GrantedValue) -> String {
    match value {
        GrantedValue::Num(bits) => number_text(f64::from_bits(*bits)),
        GrantedValue::Text(text) => text.clone(),
    }
}

/// Whether every identity cell of a row is `*`.
pub(crate) fn only_stars(roles: &[Role], row: &[Cell]) -> bool {
    let mut cells = roles
        .iter()
        .zip(row)
        .filter(|(r, _)| matches!(r, Role::Identity(_)));
    cells.all(|(_, c)| *c == Cell::Star)
}
