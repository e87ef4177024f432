//! The tree of one plain statement, after `$()` expansion.

mod connect;
mod definition;
mod describe;
mod format;
mod load;
mod other;
mod parse;
mod prefix;

use crate::{Expr, Name, Span};

pub use connect::Connect;
pub use definition::{Declare, Derive, DeriveFrom, DerivedField};
pub use format::{FormatSpec, Labels, Quotes, RecordSize};
pub use parse::parse_statement;
pub use prefix::{Buffer, Hierarchy, HierarchyBelongsTo, Merge, PartialKind};

/// A statement with its label and prefixes.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The name before the colon.
    pub label: Option<Name>,
    /// `WHEN c` or `UNLESS c` before or after the statement.
    pub guard: Option<Guard>,
    /// What stands before `LOAD` or `SELECT`, in order.
    pub prefixes: Vec<Prefix>,
    /// What it does.
    pub kind: StatementKind,
    /// The whole statement.
    pub span: Span,
}

/// A condition under which a statement runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// `true` for `WHEN`, `false` for `UNLESS`.
    pub holds: bool,
    /// The condition.
    pub condition: Expr,
}

/// A prefix of a load.
#[derive(Clone, Debug, PartialEq)]
pub struct Prefix {
    /// What it does.
    pub kind: PrefixKind,
    /// Its words.
    pub span: Span,
}

/// What a prefix does.
#[derive(Clone, Debug, PartialEq)]
pub enum PrefixKind {
    /// `MAPPING`: the table becomes a map for `ApplyMap`.
    Mapping,
    /// `CONCATENATE [(table)]`: rows go to that table, or to the one loaded last.
    Concatenate(Option<Name>),
    /// `NOCONCATENATE`: a table of its own even if another has the same fields.
    NoConcatenate,
    /// `[LEFT|RIGHT|INNER|OUTER] JOIN [(table)]`
    Join(JoinKind, Option<Name>),
    /// `LEFT|RIGHT|INNER KEEP [(table)]`
    Keep(JoinKind, Option<Name>),
    /// `FIRST n`: at most so many rows.
    First(Expr),
    /// `SAMPLE p`: each row with that probability.
    Sample(Expr),
    /// `ADD [ONLY]` or `REPLACE [ONLY]`; `true` for `ONLY`: not in a full reload.
    Partial(PartialKind, bool),
    /// `MERGE … ON key`: rows are inserted, updated and deleted.
    Merge(Box<Merge>),
    /// `BUFFER (…)`: what was read may be kept for the next time.
    Buffer(Buffer),
    /// `CROSSTABLE (attribute, data [, n])`: columns become rows.
    Crosstable {
        /// The new field for the names of the columns.
        attribute: Name,
        /// The new field for their values.
        data: Name,
        /// How many columns before them stay; 1 if absent.
        n_keys: Option<Expr>,
    },
    /// `GENERIC`: a table for each value of the last but one column.
    Generic,
    /// `INTERVALMATCH (value, keys …)`: a row for each value in each interval.
    IntervalMatch {
        /// The field of discrete values.
        value: Name,
        /// Further fields that must be equal.
        keys: Vec<Name>,
    },
    /// `HIERARCHY (…)`
    Hierarchy(Box<Hierarchy>),
    /// `HIERARCHYBELONGSTO (…)`
    HierarchyBelongsTo(Box<HierarchyBelongsTo>),
    /// `SEMANTIC`: relations between records.
    Semantic,
    /// Broken; a diagnostic says why.
    Broken,
    /// `BUNDLE`, `INFO` or `IMAGE_SIZE (w, h)`: values are linked to pictures and documents,
    /// in a table that is no part of the data.
    External,
}

/// Which rows a join keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// Matched rows and those of the first table.
    Left,
    /// Matched rows and those of the second table.
    Right,
    /// Matched rows.
    Inner,
    /// All rows.
    Outer,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// Nothing: blank text, or broken beyond recognition (then a diagnostic says so).
    Nothing,
    /// `LOAD …`
    Load(Box<Load>),
    /// `SET name = text`
    Set {
        /// The variable.
        name: Name,
        /// The text, one pair of surrounding quotes removed.
        value: String,
    },
    /// `LET name = expression`
    Let {
        /// The variable.
        name: Name,
        /// The expression; `None` makes the variable NULL.
        value: Option<Expr>,
    },
    /// `TRACE text`
    Trace(String),
    /// `REM text`
    Remark,
    /// `DROP TABLE a, b`
    DropTables(Vec<Name>),
    /// `DROP FIELD a, b [FROM t, u]`
    DropFields {
        /// The fields.
        fields: Vec<Name>,
        /// The tables to drop them from; all if empty.
        tables: Vec<Name>,
    },
    /// `RENAME TABLE a TO b, …` or `RENAME TABLES USING map`
    RenameTables(Renames),
    /// `RENAME FIELD a TO b, …` or `RENAME FIELDS USING map`
    RenameFields(Renames),
    /// `STORE [fields FROM] table INTO path [(format)]`
    Store(Box<Store>),
    /// `SECTION ACCESS`
    SectionAccess,
    /// `SECTION APPLICATION`
    SectionApplication,
    /// `QUALIFY a, b*`: fields are named `table.field` from now on.
    Qualify(Vec<Name>),
    /// `UNQUALIFY a, b*`
    Unqualify(Vec<Name>),
    /// `TAG FIELD[S] a, b WITH 't', 'u'` (or `UNTAG`)
    Tag {
        /// `true` for `TAG`, `false` for `UNTAG`.
        adds: bool,
        /// The fields.
        fields: Vec<Name>,
        /// The tags.
        tags: Vec<String>,
    },
    /// `TAG FIELDS USING map` (or `UNTAG`)
    TagUsing {
        /// `true` for `TAG`, `false` for `UNTAG`.
        adds: bool,
        /// The mapping table: fields to tags.
        map: Name,
    },
    /// `COMMENT FIELD|TABLE a WITH 'text'` or `… USING map`
    Comment {
        /// Tables rather than fields.
        is_table: bool,
        /// What is said of which.
        comments: Comments,
    },
    /// `NULLASVALUE a, *`: NULL in these fields becomes the value of `NullValue`.
    NullAsValue(Vec<Name>),
    /// `NULLASNULL a, *`
    NullAsNull(Vec<Name>),
    /// `ALIAS a AS b, …`: fields loaded later are renamed.
    Alias(Vec<(Name, Name)>),
    /// `DIRECTORY [path]`: where relative paths start.
    Directory(Option<Name>),
    /// `SLEEP milliseconds`
    Sleep(Expr),
    /// `LOOSEN TABLE a, b`
    LoosenTables(Vec<Name>),
    /// `MAP a, b* USING map`: these fields are mapped as they are loaded.
    MapUsing {
        /// The fields; patterns with `*` and `?`.
        fields: Vec<Name>,
        /// The mapping table.
        map: Name,
    },
    /// `UNMAP a, b*`
    Unmap(Vec<Name>),
    /// `AUTONUMBER a, b* [USING 'counter']`: the values become whole numbers.
    AutoNumber {
        /// The fields; patterns with `*` and `?`.
        fields: Vec<Name>,
        /// The counter; one for each field if absent.
        counter: Option<Name>,
    },
    /// `STAR IS *`: the text that stands for all values listed; `None` ends that.
    Star(Option<String>),
    /// `FORCE CAPITALIZATION` and its kin; `None` for `MIXED`, as written.
    Force(Option<ForceCase>),
    /// `BINARY [app]`: the data of another app.
    Binary(Name),
    /// `LIB CONNECT TO 'name'` and its kin.
    Connect(Connect),
    /// `DISCONNECT`
    Disconnect,
    /// `SQL text` or `SELECT text`: rows from the connection.
    Select(String),
    /// `DECLARE FIELD DEFINITION …`; the label is its name.
    Declare(Box<Declare>),
    /// `DERIVE FIELDS FROM … USING definition`
    Derive(Derive),
    /// Text that is no statement, such as `[text]` alone, `throw` or a sentence: the script stops
    /// here with it as its message.
    Stop(String),
    /// `EXECUTE …`: refused always.
    Execute,
    /// Nothing to do here: `FLUSHLOG`, `SEARCH`.
    NoEffect(&'static str),
}

/// How `FORCE` changes the case of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForceCase {
    /// The first letter of each word is upper case.
    Capital,
    /// All letters are upper case.
    Upper,
    /// All letters are lower case.
    Lower,
}

/// What `COMMENT` says.
#[derive(Clone, Debug, PartialEq)]
pub enum Comments {
    /// This text, of these.
    Text(Vec<Name>, String),
    /// By a mapping table: names to texts.
    Using(Name),
}

/// `a TO b` pairs, or a mapping table.
#[derive(Clone, Debug, PartialEq)]
pub enum Renames {
    /// Old and new names.
    Pairs(Vec<(Name, Name)>),
    /// The mapping table that holds them.
    Using(Name),
}

/// A `LOAD`.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// `DISTINCT`
    pub distinct: bool,
    /// The fields in order.
    pub fields: Vec<LoadField>,
    /// Where the rows come from.
    pub source: LoadSource,
    /// `WHERE`
    pub filter: Option<Expr>,
    /// `WHILE`
    pub repeat: Option<Expr>,
    /// `GROUP BY`
    pub group_by: Vec<Expr>,
    /// `ORDER BY`
    pub order_by: Vec<OrderBy>,
    /// From `LOAD` on.
    pub span: Span,
}

/// One entry of a field list.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadField {
    /// `*`: all fields of the source.
    Star(Span),
    /// An expression and the name of its column.
    Column {
        /// The expression.
        expr: Expr,
        /// The name after `AS`, or the field's own name, or the text of the expression.
        name: Name,
        /// Whether `AS` was written.
        renamed: bool,
    },
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadSource {
    /// The statement that follows.
    Preceding,
    /// `FROM path [(format)]`
    File {
        /// The path as written, without quotes.
        path: Name,
        /// The format.
        format: FormatSpec,
    },
    /// `INLINE [text] [(format)]`
    Inline {
        /// The text between the brackets or quotes.
        data: Name,
        /// The format.
        format: FormatSpec,
    },
    /// `RESIDENT table`
    Resident(Name),
    /// `AUTOGENERATE n`
    Autogenerate(Expr),
    /// `FROM_FIELD (table, field) (format)`: the texts of a field are files.
    Field {
        /// The table.
        table: Name,
        /// The field.
        field: Name,
        /// How its texts are written.
        format: FormatSpec,
    },
    /// `EXTENSION plugin.function()`: a hub has no such plug-ins.
    Extension(Span),
}

/// One entry of `ORDER BY`.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy {
    /// The expression.
    pub expr: Expr,
    /// `DESC`
    pub descending: bool,
}

/// A `STORE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// The fields and their names in the file; all if empty.
    pub fields: Vec<(Name, Name)>,
    /// The table.
    pub table: Name,
    /// The file.
    pub path: Name,
    /// The format.
    pub format: FormatSpec,
}
