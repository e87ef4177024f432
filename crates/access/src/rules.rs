//! Access tables, read and classified.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_data::{AccessTables, FieldKind, Model, SymbolKey, Value};

/// Something an author of access tables should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable, such as `access.unknown_column`.
    pub code: &'static str,
    /// Where: the access table with row and column, the field or the table of the data.
    pub place: String,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// What an identity column is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    User,
    Nt,
    Group,
    Name,
    Email,
    /// `SERIAL`, `NTSID`, `NTDOMAINSID` and `PASSWORD`: no value of theirs ever matches.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Access,
    Identity(Identity),
    Omit,
    /// A reduction field, by position in [`Rules::fields`].
    Reduction(usize),
    /// Only links tables, or is unknown.
    Other,
}

/// A cell in the form rules need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Blank,
    Star,
    Value(SymbolKey, String),
}

impl Cell {
    fn read(value: &Value) -> Self {
        let text = value.to_text().to_uppercase();
        match SymbolKey::of(value) {
            None => Self::Null,
            Some(SymbolKey::Num(bits)) => Self::Value(SymbolKey::Num(bits), text),
            Some(SymbolKey::Text(_)) if text.is_empty() => Self::Blank,
            Some(SymbolKey::Text(_)) if text == "*" => Self::Star,
            Some(SymbolKey::Text(_)) => Self::Value(SymbolKey::Text(text.as_str().into()), text),
        }
    }

    /// What it links by; NULL never links.
    fn link_key(&self) -> Option<SymbolKey> {
        match self {
            Self::Null => None,
            Self::Blank => Some(SymbolKey::Text("".into())),
            Self::Star => Some(SymbolKey::Text("*".into())),
            Self::Value(key, _) => Some(key.clone()),
        }
    }
}

/// Rows of another table, found by the columns shared with it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub child: usize,
    /// Columns of the parent.
    pub by: Vec<usize>,
    pub rows: FxHashMap<Vec<SymbolKey>, Vec<usize>>,
}

impl Link {
    pub fn partners(&self, row: &[Cell]) -> &[usize] {
        let key: Option<Vec<SymbolKey>> = self.by.iter().map(|c| row[*c].link_key()).collect();
        key.and_then(|k| self.rows.get(&k))
            .map_or(&[], Vec::as_slice)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct RuleTable {
    pub name: String,
    pub columns: Vec<String>,
    pub roles: Vec<Role>,
    pub rows: Vec<Vec<Cell>>,
    /// Whether it has an identity column that can match somebody.
    pub admits: bool,
}

/// A field the access tables reduce.
#[derive(Clone, Debug)]
pub(crate) struct ReductionField {
    pub name: String,
    /// Every value any access table lists, but `*`, blanks and NULL.
    pub listed: BTreeMap<String, SymbolKey>,
    /// Those of the listed values that the data has.
    pub present: FxHashSet<SymbolKey>,
}

impl ReductionField {
    /// Listed values the data lacks, as text.
    pub fn absent(&self) -> Vec<String> {
        let listed = self.listed.iter();
        listed
            .filter(|(_, key)| !self.present.contains(key))
            .map(|(shown, _)| shown.trim_matches('\'').to_owned())
            .collect()
    }
}

/// The access tables of one reload, classified against the model of the same reload.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub(crate) tables: Vec<RuleTable>,
    pub(crate) fields: Vec<ReductionField>,
    /// By identity table: the links from each table reached from it. None where the linked
    /// tables form a loop, whose rows then admit nobody.
    pub(crate) links: FxHashMap<usize, Option<FxHashMap<usize, Vec<Link>>>>,
    pub(crate) unknown_columns: Vec<String>,
    /// Names in OMIT cells, upper case, with the fields of the data they mean.
    pub(crate) omits: BTreeMap<String, Vec<String>>,
    /// Whether some OMIT cell is `*`.
    pub(crate) omit_star: bool,
}

impl Rules {
    /// Reads `tables` against the `model` they will guard. Nothing is refused here: what must
    /// stop a publication is told by [`crate::publication_check`].
    pub fn read(tables: &AccessTables, model: &Model) -> (Self, Vec<Finding>) {
        let mut rules = Self::default();
        let mut findings = Vec::new();
        let data_fields: Vec<&str> = model
            .fields()
            .iter()
            .filter(|f| f.kind == FieldKind::Data)
            .map(|f| f.name.as_str())
            .collect();
        for table in &tables.tables {
            let columns: Vec<String> = table.columns.iter().map(|c| c.to_uppercase()).collect();
            let roles: Vec<Role> = columns
                .iter()
                .map(|name| rules.role(name, &data_fields))
                .collect();
            let admits = roles
                .iter()
                .any(|r| matches!(r, Role::Identity(i) if *i != Identity::Never));
            let rows = table
                .rows
                .iter()
                .map(|row| {
                    (0..columns.len())
                        .map(|i| row.get(i).map_or(Cell::Null, Cell::read))
                        .collect()
                })
                .collect();
            rules.tables.push(RuleTable {
                name: table.name.clone(),
                columns,
                roles,
                rows,
                admits,
            });
        }
        rules.find_unknown();
        rules.list_values(model, &data_fields);
        rules.link();
        rules.report(&mut findings);
        (rules, findings)
    }

    /// Whether the script has a section access at all. Without one everybody sees everything.
    pub fn has_section_access(&self) -> bool {
        !self.tables.is_empty()
    }

    /// The fields of the data that some OMIT withholds, as the data spells them.
    pub fn omitted_fields(&self) -> Vec<String> {
        self.omits.values().flatten().cloned().collect()
    }

    fn role(&mut self, name: &str, data_fields: &[&str]) -> Role {
        match name {
            "ACCESS" => Role::Access,
            "USERID" => Role::Identity(Identity::User),
            "NTNAME" => Role::Identity(Identity::Nt),
            "GROUP" => Role::Identity(Identity::Group),
            "USER.NAME" => Role::Identity(Identity::Name),
            "USER.EMAIL" => Role::Identity(Identity::Email),
            "SERIAL" | "NTSID" | "NTDOMAINSID" | "PASSWORD" => Role::Identity(Identity::Never),
            "OMIT" => Role::Omit,
            _ if data_fields.contains(&name) => {
                let at = self.fields.iter().position(|f| f.name == name);
                Role::Reduction(at.unwrap_or_else(|| {
                    self.fields.push(ReductionField {
                        name: name.to_owned(),
                        listed: BTreeMap::new(),
                        present: FxHashSet::default(),
                    });
                    self.fields.len() - 1
                }))
            }
            _ => Role::Other,
        }
    }

    /// A column that is neither a system field nor a field of the data is known only if it
    /// links: it stands in another table, and not in identity tables alone, which are united.
    fn find_unknown(&mut self) {
        for table in &self.tables {
            for (name, role) in table.columns.iter().zip(&table.roles) {
                let mut with = self.tables.iter().filter(|t| t.columns.contains(name));
                let links = with.clone().count() > 1 && with.any(|t| !t.admits);
                if *role == Role::Other && !links && !self.unknown_columns.contains(name) {
                    self.unknown_columns.push(name.clone());
                }
            }
        }
    }

    fn list_values(&mut self, model: &Model, data_fields: &[&str]) {
        for table in &self.tables {
            for row in &table.rows {
                for (role, cell) in table.roles.iter().zip(row) {
                    match (role, cell) {
                        (Role::Reduction(f), Cell::Value(key, text)) => {
                            let shown = match key {
                                SymbolKey::Num(bits) => {
                                    satchel_data::number_text(f64::from_bits(*bits))
                                }
                                SymbolKey::Text(_) => format!("'{text}'"),
                            };
                            self.fields[*f].listed.insert(shown, key.clone());
                        }
                        (Role::Omit, Cell::Value(_, text)) => {
                            self.omits.entry(text.clone()).or_default();
                        }
                        (Role::Omit, Cell::Star) => self.omit_star = true,
                        _ => {}
                    }
                }
            }
        }
        for (name, fields) in &mut self.omits {
            let named = data_fields.iter().filter(|f| f.to_uppercase() == *name);
            *fields = named.map(|f| (*f).to_owned()).collect();
        }
        for field in &mut self.fields {
            let listed: FxHashSet<&SymbolKey> = field.listed.values().collect();
            let Some(id) = model.field_by_name(&field.name) else {
                continue;
            };
            let symbols = &model.field(id).symbols;
            let keys = (0..symbols.len() as u32).filter_map(|c| SymbolKey::of(&symbols.value(c)));
            field.present = keys.filter(|k| listed.contains(k)).collect();
        }
    }

    /// Finds, for each identity table, the tables that link to it, outwards.
    fn link(&mut self) {
        for start in (0..self.tables.len()).filter(|t| self.tables[*t].admits) {
            let mut found: FxHashMap<usize, Vec<Link>> = FxHashMap::default();
            let mut reached = vec![start];
            let mut next = 0;
            let mut looped = false;
            while let Some(parent) = reached.get(next).copied() {
                next += 1;
                for child in 0..self.tables.len() {
                    if self.tables[child].admits || reached.contains(&child) {
                        continue;
                    }
                    let shared = |a: usize| -> Vec<usize> {
                        let columns = self.tables[child].columns.iter().enumerate();
                        columns
                            .filter(|(i, c)| {
                                matches!(
                                    self.tables[child].roles[*i],
                                    Role::Other | Role::Reduction(_)
                                ) && self.tables[a].columns.contains(c)
                            })
                            .map(|(i, _)| i)
                            .collect()
                    };
                    let with = shared(parent);
                    if with.is_empty() {
                        continue;
                    }
                    looped |= reached
                        .iter()
                        .any(|t| shared(*t).iter().any(|c| !with.contains(c)));
                    let by = with
                        .iter()
                        .filter_map(|c| {
                            let name = &self.tables[child].columns[*c];
                            self.tables[parent].columns.iter().position(|p| p == name)
                        })
                        .collect();
                    let mut rows: FxHashMap<Vec<SymbolKey>, Vec<usize>> = FxHashMap::default();
                    for (r, row) in self.tables[child].rows.iter().enumerate() {
                        let key: Option<Vec<_>> = with.iter().map(|c| row[*c].link_key()).collect();
                        if let Some(key) = key {
                            rows.entry(key).or_default().push(r);
                        }
                    }
                    found
                        .entry(parent)
                        .or_default()
                        .push(Link { child, by, rows });
                    reached.push(child);
                }
            }
            self.links.insert(start, (!looped).then_some(found));
        }
    }

    /// The access tables with this column.
    pub(crate) fn column_place(&self, column: &str) -> String {
        let tables: Vec<&str> = (self.tables.iter())
            .filter(|t| t.columns.iter().any(|c| c == column))
            .map(|t| t.name.as_str())
            .collect();
        format!("access table {}, column {column}", tables.join(", "))
    }

    /// The first row that names this field in OMIT.
    fn omit_place(&self, name: &str) -> String {
        for table in &self.tables {
            for (r, row) in table.rows.iter().enumerate() {
                let names = (table.roles.iter().zip(row)).any(|(role, cell)| {
                    *role == Role::Omit && matches!(cell, Cell::Value(_, text) if text == name)
                });
                if names {
                    return format!("access table {}, row {}, column OMIT", table.name, r + 1);
                }
            }
        }
        "the access section".to_owned()
    }

    pub(crate) fn report(&self, findings: &mut Vec<Finding>) {
        let mut add = |code, place: String, message: String, fix: &str| {
            findings.push(Finding {
                code,
                place,
                message,
                fix: fix.to_owned(),
            });
        };
        for name in &self.unknown_columns {
            add(
                "access.unknown_column",
                self.column_place(name),
                format!(
                    "column {name} of the access tables is neither a system field nor a field of the data, so it reduces nothing"
                ),
                "load the field under this name in upper case, drop the column, or confirm it",
            );
        }
        for name in self.omits.iter().filter(|o| o.1.is_empty()).map(|o| o.0) {
            add(
                "access.unknown_omit",
                self.omit_place(name),
                format!(
                    "OMIT names {name}, which is no field of the data, so it withholds nothing"
                ),
                "correct the name, drop it, or confirm it",
            );
        }
        for (t, table) in self.tables.iter().enumerate() {
            if table.roles.contains(&Role::Identity(Identity::Never)) {
                add(
                    "access.never_matches",
                    format!("access table {}", table.name),
                    format!(
                        "access table {} uses SERIAL, NTSID, NTDOMAINSID or PASSWORD, whose values never match",
                        table.name
                    ),
                    "name users by USERID, GROUP, USER.EMAIL or USER.NAME, and put * in the old column or drop it",
                );
            }
            if table.admits && !table.roles.contains(&Role::Access) {
                add(
                    "access.no_access_column",
                    format!("access table {}", table.name),
                    format!(
                        "access table {} has no column ACCESS, so its rows admit nobody",
                        table.name
                    ),
                    "add the column ACCESS with ADMIN or USER",
                );
            }
            if matches!(self.links.get(&t), Some(None)) {
                add(
                    "access.link_loop",
                    format!("access table {}", table.name),
                    format!(
                        "the tables linked to access table {} form a loop, so its rows admit nobody",
                        table.name
                    ),
                    "link each table by one path only",
                );
            }
        }
        if !self.tables.is_empty() && !self.tables.iter().any(|t| t.admits) {
            add(
                "access.no_identity",
                "the access section".to_owned(),
                "no access table has an identity column, so nobody is admitted".to_owned(),
                "add USERID, GROUP, USER.EMAIL or USER.NAME",
            );
        }
    }
}
