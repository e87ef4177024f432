//! The tables a load script's access section produced, as they were loaded.

use crate::Value;

/// All access tables of an app. Empty: the script has no section access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessTables {
    /// In the order they were loaded.
    pub tables: Vec<AccessTable>,
}

/// One access table. Column names and texts are upper case (DESIGN §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTable {
    /// Its label.
    pub name: String,
    /// Column names, upper case, distinct.
    pub columns: Vec<String>,
    /// Rows of as many cells as there are columns.
    pub rows: Vec<Vec<Value>>,
}
