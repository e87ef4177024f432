//! Expectations about section access, written beside the script as `access-tests.json`.
//!
//! ```json
//! [
//!   { "user": "CORP\\ann", "groups": ["SALES"],
//!     "rows": { "Sales": 12 }, "values": { "REGION": ["NORTH"] },
//!     "fields": ["Amount"], "withheld": ["Margin"] },
//!   { "user": "CORP\\zed", "denied": true }
//! ]
//! ```

use std::collections::{BTreeMap, BTreeSet};

use satchel_access::{Expectation, Rules, Subject, unmet};
use satchel_base::SubjectId;
use satchel_data::Model;
use serde::{Deserialize, Serialize};

/// The file beside `load.qvs`.
pub(crate) const FILE: &str = "access-tests.json";

/// One expectation as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccessTest {
    /// `DIRECTORY\name`; need not be known to the hub.
    pub user: String,
    /// What the identity provider says of them.
    pub groups: Vec<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    /// They must be denied.
    pub denied: bool,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// All values by field.
    pub values: BTreeMap<String, BTreeSet<String>>,
    /// Fields they see.
    pub fields: BTreeSet<String>,
    /// Fields that do not exist for them.
    pub withheld: BTreeSet<String>,
}

impl AccessTest {
    fn expectation(&self) -> Expectation {
        Expectation {
            subject: Subject {
                name: self.name.clone(),
                email: self.email.clone(),
                groups: self.groups.clone(),
                ..Subject::new(SubjectId::parse(&self.user))
            },
            denied: self.denied,
            rows: self.rows.clone(),
            values: self.values.clone(),
            fields: self.fields.clone(),
            withheld: self.withheld.clone(),
        }
    }
}

/// Reads the file's text.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn parse(text: &str) -> Result<Vec<AccessTest>, String> {
    let tests: Vec<AccessTest> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    match tests.iter().position(|t| t.user.is_empty()) {
        Some(n) => Err(format!("test {} names no user", n + 1)),
        None => Ok(tests),
    }
}

/// What the rules and the data break, in words.
pub(crate) fn broken(tests: &[AccessTest], rules: &Rules, model: &Model) -> Vec<String> {
    (tests.iter())
        .flat_map(|test| unmet(&test.expectation(), rules, model))
        .collect()
}
