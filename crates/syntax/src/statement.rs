//! The tree of one plain statement, after `$()` expansion.

mod format;
mod load;
mod other;
mod parse;

use crate::{Expr, Name, Span};

pub use parse::parse_statement;

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
    /// `ADD`, `REPLACE`: only different from nothing in a partial reload.
    Partial,
    /// A prefix of the language that is not supported yet, by its keyword.
    NotSupported(&'static str),
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
    Store(Store),
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
    /// `COMMENT FIELD a WITH 'text'`
    CommentField {
        /// The field.
        field: Name,
        /// The text.
        text: String,
    },
    /// `COMMENT TABLE a WITH 'text'`
    CommentTable {
        /// The table.
        table: Name,
        /// The text.
        text: String,
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
    /// Nothing to do here: `FLUSHLOG`, `DISCONNECT`, `STAR IS`, `SEARCH`.
    NoEffect(&'static str),
    /// A statement of the language that is not supported yet, by its keyword.
    NotSupported(&'static str),
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
    /// `FROM_FIELD (table, field) (format)` and `EXTENSION`: not supported yet.
    NotSupported(&'static str, Span),
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

/// A format specification: what stands in parentheses after a file name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FormatSpec {
    /// The kind of file: `txt`, `parquet` … in lower case.
    pub kind: Option<Name>,
    /// `embedded labels`, `no labels`, `explicit labels`
    pub labels: Option<Labels>,
    /// `delimiter is ','`; several characters are one delimiter.
    pub delimiter: Option<String>,
    /// `no quotes`, `msq`
    pub quotes: Option<Quotes>,
    /// `codepage is 1252`, `utf8`, in lower case: `utf8`, `utf16`, `ansi`, `1252`, `28591` …
    pub codepage: Option<Name>,
    /// `header is 2 lines`: lines to skip.
    pub header_lines: u32,
    /// `comment is #`: lines that start so are skipped.
    pub comment: Option<String>,
    /// `table is [Sheet1]`
    pub table: Option<Name>,
    /// The parentheses.
    pub span: Span,
}

/// Where column names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Labels {
    /// In the first row.
    Embedded,
    /// Nowhere: columns are `@1`, `@2` …
    None,
    /// In the first row, in a file of a kind that names types too; read as embedded.
    Explicit,
}

/// How values are quoted in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quotes {
    /// `"…"` around a value, `""` within for one quote.
    Standard,
    /// As standard, and line breaks may stand within.
    Modern,
    /// Quotes are ordinary characters.
    None,
}
