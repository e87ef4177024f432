//! What the rules grant a subject.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use satchel_base::SubjectId;
use satchel_data::SymbolKey;

use crate::rules::{Cell, Identity, Role, RuleTable, Rules};
use crate::subject::{Subject, SubjectKind};

/// The kind of access a row gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// A blank reduction cell means no reduction.
    Admin,
    /// A blank reduction cell gives no value.
    User,
}

/// Why a subject is denied. For the audit log and for owners, never for the subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No row applies.
    #[error("no row of the access tables applies")]
    NotListed,
    /// The rows give no value of a reduction field.
    #[error("the rows give no value of {field}")]
    NoValue {
        /// The reduction field.
        field: String,
    },
    /// Strict exclusion: none of the values is in the data.
    #[error("none of the values given for {field} is in the data")]
    ValuesNotInData {
        /// The reduction field.
        field: String,
    },
    /// The values are in the data, but no row has all of them.
    #[error("no row of the data is possible with the values given")]
    NothingLeft,
    /// The decision was made for another model.
    #[error("the data has no field {field} to reduce")]
    FieldMissing {
        /// The field that is missing.
        field: String,
    },
}

/// What is granted of one reduction field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Unconstrained.
    All,
    /// Rows with one of these values, all of which the data has.
    Values(BTreeSet<GrantedValue>),
}

/// A value as it is compared with symbols.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantedValue {
    /// The bits of a number.
    Num(u64),
    /// A text, upper case.
    Text(String),
}

impl GrantedValue {
    pub(crate) fn of(key: &SymbolKey) -> Self {
        match key {
            SymbolKey::Num(bits) => Self::Num(*bits),
            SymbolKey::Text(text) => Self::Text(text.to_string()),
        }
    }
}

/// What a subject may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// By reduction field. Empty if nothing is reduced.
    pub fields: BTreeMap<String, Grant>,
    /// Names of the fields withheld, as the data spells them.
    pub omit: BTreeSet<String>,
    /// Whether every row is visible.
    pub unreduced: bool,
}

/// The answer of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing may be seen.
    Denied(Refusal),
    /// This may be seen.
    Granted(Grants),
}

/// Whether a row's identity columns all match `subject`. A blank or NULL matches nothing.
pub(crate) fn row_matches(table: &RuleTable, row: &[Cell], subject: &Subject) -> bool {
    let mut named = false;
    let all = table.roles.iter().zip(row).all(|(role, cell)| {
        let Role::Identity(identity) = role else {
            return true;
        };
        match cell {
            Cell::Null | Cell::Blank => false,
            Cell::Star => true,
            Cell::Value(_, text) => {
                named = true;
                identity_matches(*identity, text, subject)
            }
        }
    });
    table.admits && all && (named || subject.kind == SubjectKind::Authenticated)
}

/// The first identity column of a row that does not match `subject`.
pub(crate) fn row_differs(table: &RuleTable, row: &[Cell], subject: &Subject) -> Option<String> {
    let differs = |role: &Role, cell: &Cell| match (role, cell) {
        (Role::Identity(_), Cell::Null | Cell::Blank) => true,
        (Role::Identity(identity), Cell::Value(_, text)) => {
            !identity_matches(*identity, text, subject)
        }
        _ => false,
    };
    let mut columns = table.roles.iter().zip(row).zip(&table.columns);
    columns
        .find(|((role, cell), _)| differs(role, cell))
        .map(|(_, name)| name.clone())
}

fn identity_matches(identity: Identity, text: &str, subject: &Subject) -> bool {
    let same = |attribute: &String| !attribute.is_empty() && attribute.to_uppercase() == text;
    let user = || SubjectId::parse(text) == subject.user;
    let group = || subject.groups.iter().any(same);
    match identity {
        Identity::User => user(),
        Identity::Nt => user() || group(),
        Identity::Group => group(),
        Identity::Name => subject.name.as_ref().is_some_and(same),
        Identity::Email => subject.email.as_ref().is_some_and(same),
        Identity::Never => false,
    }
}

/// The access a row gives; none unless it says exactly `ADMIN` or `USER`.
pub(crate) fn row_access(table: &RuleTable, row: &[Cell]) -> Option<Access> {
    let at = table.roles.iter().position(|r| *r == Role::Access)?;
    match &row[at] {
        Cell::Value(_, text) if text == "ADMIN" => Some(Access::Admin),
        Cell::Value(_, text) if text == "USER" => Some(Access::User),
        _ => None,
    }
}

/// What the applying rows together say of one field.
#[derive(Default)]
struct Gathered {
    values: BTreeSet<GrantedValue>,
    /// Some row has a value here, in the data or not.
    filled: bool,
    /// Some ADMIN row has a blank text here.
    admin_blank: bool,
}

struct Gather<'r> {
    rules: &'r Rules,
    fields: Vec<Gathered>,
    omit: BTreeSet<String>,
    seen: FxHashMap<(usize, usize, Option<Access>), bool>,
}

impl Gather<'_> {
    /// Takes up a row and those linked to it. Whether some joined row from here has nothing
    /// but blank texts in its reduction cells.
    ///
    /// Without `access` only OMITs are taken up.
    fn row(&mut self, start: usize, table: usize, row: usize, access: Option<Access>) -> bool {
        if let Some(known) = self.seen.get(&(table, row, access)) {
            return *known;
        }
        let rules = self.rules;
        let at = &rules.tables[table];
        let cells = &at.rows[row];
        let mut blank = true;
        for (role, cell) in at.roles.iter().zip(cells) {
            match role {
                Role::Omit => self.take_omit(cell),
                Role::Reduction(f) => {
                    blank &= *cell == Cell::Blank;
                    if let Some(access) = access {
                        self.take_value(*f, cell, access);
                    }
                }
                _ => {}
            }
        }
        if let Some(Some(links)) = rules.links.get(&start) {
            for link in links.get(&table).into_iter().flatten() {
                let partners = link.partners(cells);
                let mut any = partners.is_empty() && !rules.reduces_from(start, link.child);
                for partner in partners {
                    any |= self.row(start, link.child, *partner, access);
                }
                blank &= any;
            }
        }
        self.seen.insert((table, row, access), blank);
        blank
    }

    fn take_omit(&mut self, cell: &Cell) {
        let omits = &self.rules.omits;
        match cell {
            Cell::Value(_, name) => self
                .omit
                .extend(omits.get(name).into_iter().flatten().cloned()),
            Cell::Star => self.omit.extend(omits.values().flatten().cloned()),
            Cell::Null | Cell::Blank => {}
        }
    }

    fn take_value(&mut self, field: usize, cell: &Cell, access: Access) {
        let known = &self.rules.fields[field];
        let got = &mut self.fields[field];
        match cell {
            Cell::Null => {}
            Cell::Blank => got.admin_blank |= access == Access::Admin,
            Cell::Star => {
                got.filled = true;
                got.values
                    .extend(known.present.iter().map(GrantedValue::of));
            }
            Cell::Value(key, _) => {
                got.filled = true;
                if known.present.contains(key) {
                    got.values.insert(GrantedValue::of(key));
                }
            }
        }
    }
}

impl Rules {
    /// Whether `table`, or one linked from it, has a reduction column.
    fn reduces_from(&self, start: usize, table: usize) -> bool {
        let own = self.tables[table]
            .roles
            .iter()
            .any(|r| matches!(r, Role::Reduction(_)));
        let links = self.links.get(&start).and_then(Option::as_ref);
        own || links
            .and_then(|l| l.get(&table))
            .is_some_and(|children| children.iter().any(|c| self.reduces_from(start, c.child)))
    }
}

/// What `rules` grant `subject`: rows are united, values of a field ORed, fields ANDed.
pub fn decide(rules: &Rules, subject: &Subject) -> Decision {
    if !rules.has_section_access() {
        return Decision::Granted(Grants {
            unreduced: true,
            ..Grants::default()
        });
    }
    let mut gather = Gather {
        rules,
        fields: rules.fields.iter().map(|_| Gathered::default()).collect(),
        omit: BTreeSet::new(),
        seen: FxHashMap::default(),
    };
    let (mut listed, mut unreduced) = (false, rules.fields.is_empty());
    for (t, table) in rules.tables.iter().enumerate().filter(|(_, t)| t.admits) {
        if matches!(rules.links.get(&t), Some(None)) {
            continue;
        }
        gather.seen.clear();
        for (r, row) in table.rows.iter().enumerate() {
            if !row_matches(table, row, subject) {
                continue;
            }
            let access = row_access(table, row);
            listed |= access.is_some();
            let blank = gather.row(t, t, r, access);
            unreduced |= blank && access == Some(Access::Admin) && rules.reduces_from(t, t);
        }
    }
    if !listed {
        return Decision::Denied(Refusal::NotListed);
    }
    let mut grants = Grants {
        fields: BTreeMap::new(),
        omit: gather.omit,
        unreduced,
    };
    if unreduced {
        return Decision::Granted(grants);
    }
    for (field, got) in rules.fields.iter().zip(gather.fields) {
        let grant = match (got.values.is_empty(), got.filled, got.admin_blank) {
            (false, _, _) => Grant::Values(got.values),
            (true, true, _) => {
                let field = field.name.clone();
                return Decision::Denied(Refusal::ValuesNotInData { field });
            }
            (true, false, true) => Grant::All,
            (true, false, false) => {
                let field = field.name.clone();
                return Decision::Denied(Refusal::NoValue { field });
            }
        };
        grants.fields.insert(field.name.clone(), grant);
    }
    Decision::Granted(grants)
}

/// The decision as 64 hexadecimal digits: equal for subjects who see the same, so it can key
/// caches and stand in a manifest. It says nothing of the model: pair it with the reload.
pub fn fingerprint(decision: &Decision) -> String {
    let mut hash = blake3::Hasher::new();
    let mut put = |tag: u8, bytes: &[u8]| {
        hash.update(&[tag]);
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    match decision {
        Decision::Denied(_) => put(0, b""),
        Decision::Granted(grants) => {
            put(1, &[u8::from(grants.unreduced)]);
            for (field, grant) in &grants.fields {
                let Grant::Values(values) = grant else {
                    continue;
                };
                put(2, field.as_bytes());
                for value in values {
                    match value {
                        GrantedValue::Num(bits) => put(3, &bits.to_le_bytes()),
                        GrantedValue::Text(text) => put(4, text.as_bytes()),
                    }
                }
            }
            grants.omit.iter().for_each(|name| put(5, name.as_bytes()));
        }
    }
    hash.finalize().to_hex().to_string()
}
