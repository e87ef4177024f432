//! What stands before `LOAD`, `SELECT` or `MAP`: `MAPPING`, `LEFT JOIN (T)`, `CROSSTABLE (A, D)` …

use super::{JoinKind, Prefix, PrefixKind};
use crate::lexer::TokenKind;
use crate::parser::Parser;
use crate::{Diagnostic, Expr, Name, Span};

/// `HIERARCHY (NodeID, ParentID, NodeName, …)`: from parent and child to levels and paths.
#[derive(Clone, Debug, PartialEq)]
pub struct Hierarchy {
    /// The field of node ids.
    pub node: Name,
    /// The field of their parents' ids.
    pub parent: Name,
    /// The field of node names.
    pub name: Name,
    /// The new field for the parent's name.
    pub parent_name: Option<Name>,
    /// The field the path is made of; the node's name if absent.
    pub path_source: Option<Name>,
    /// The new field for the path.
    pub path_name: Option<Name>,
    /// What separates the parts of a path; `/` if absent.
    pub path_delimiter: Option<Name>,
    /// The new field for the depth, 1 at the root.
    pub depth: Option<Name>,
}

/// `HIERARCHYBELONGSTO (NodeID, ParentID, NodeName, AncestorID, AncestorName [, DepthDiff])`
#[derive(Clone, Debug, PartialEq)]
pub struct HierarchyBelongsTo {
    /// The field of node ids.
    pub node: Name,
    /// The field of their parents' ids.
    pub parent: Name,
    /// The field of node names.
    pub name: Name,
    /// The new field for the ancestor's id.
    pub ancestor: Name,
    /// The new field for the ancestor's name.
    pub ancestor_name: Name,
    /// The new field for how far above the ancestor is.
    pub depth_difference: Option<Name>,
}

/// `MERGE [ONLY] [(SequenceField [, Variable])] ON Key, … [CONCATENATE [(table)]]`
#[derive(Clone, Debug, PartialEq)]
pub struct Merge {
    /// Only in a partial reload.
    pub only: bool,
    /// The field that orders the changes.
    pub sequence: Option<Name>,
    /// The variable that holds the highest sequence applied so far.
    pub variable: Option<Name>,
    /// The key fields.
    pub keys: Vec<Name>,
    /// `CONCATENATE` behind it: the table to change is named, or the one loaded last.
    pub concatenates: bool,
    /// The table in its parentheses.
    pub table: Option<Name>,
}

/// How long `BUFFER` may keep what it stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buffer {
    /// `incremental`: only what was appended to the file is read.
    pub incremental: bool,
    /// `stale after n days|hours`: in days.
    pub stale_after_days: Option<f64>,
}

/// What a statement with `ADD`, `REPLACE` or `PARTIAL` does to its table in a partial reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartialKind {
    /// Rows are added to it.
    Add,
    /// It is dropped and loaded again, in a full reload too.
    Replace,
}

impl Parser<'_> {
    /// All prefixes, and a label that stands between or after them.
    pub(super) fn prefixes(&mut self, label: &mut Option<Name>) -> Vec<Prefix> {
        let mut prefixes = Vec::new();
        loop {
            while let Some(prefix) = self.prefix() {
                prefixes.push(prefix);
            }
            if prefixes.is_empty() || label.is_some() {
                return prefixes;
            }
            *label = self.label();
            if label.is_none() {
                return prefixes;
            }
        }
    }

    fn prefix(&mut self) -> Option<Prefix> {
        let first = self.peek();
        if first.kind != TokenKind::Word || self.sign_at(1, "=") || self.sign_at(1, ":") {
            return None;
        }
        let word = self.token_text(first).to_ascii_lowercase();
        let start = first.span;
        let kind = match word.as_str() {
            "join" | "keep" => self.join(JoinKind::Outer),
            "left" | "right" | "inner" | "outer" => {
                // `LEFT` alone is not a prefix, but `LEFT INTERVALMATCH` must not be one either.
                if !self.word_at(1, "join") && !self.word_at(1, "keep") {
                    return None;
                }
                self.bump();
                self.join(match word.as_str() {
                    "left" => JoinKind::Left,
                    "right" => JoinKind::Right,
                    "inner" => JoinKind::Inner,
                    _ => JoinKind::Outer,
                })
            }
            _ => {
                let known = PREFIX_WORDS.contains(&word.as_str());
                if !known {
                    return None;
                }
                self.bump();
                self.prefix_of(&word, start)
            }
        };
        Some(Prefix {
            kind,
            span: self.span_from(start),
        })
    }

    /// The prefix that begins with `word`, which is behind the cursor.
    fn prefix_of(&mut self, word: &str, start: Span) -> PrefixKind {
        match word {
            "mapping" => PrefixKind::Mapping,
            "noconcatenate" => PrefixKind::NoConcatenate,
            "concatenate" => PrefixKind::Concatenate(self.parenthesized_table()),
            "first" => PrefixKind::First(self.expression()),
            "sample" => PrefixKind::Sample(self.expression()),
            "generic" => PrefixKind::Generic,
            "semantic" => PrefixKind::Semantic,
            "add" => PrefixKind::Partial(PartialKind::Add, self.eat_word("only")),
            "replace" => PrefixKind::Partial(PartialKind::Replace, self.eat_word("only")),
            "partial" => {
                self.eat_word("add");
                self.eat_word("only");
                PrefixKind::Partial(PartialKind::Add, true)
            }
            "buffer" => PrefixKind::Buffer(self.buffer()),
            "crosstable" => self.crosstable(start),
            "intervalmatch" => self.interval_match(start),
            "hierarchy" => self.hierarchy(start),
            "hierarchybelongsto" => self.hierarchy_belongs_to(start),
            "merge" => self.merge(),
            // `BUNDLE`, `INFO`, `IMAGE_SIZE`.
            _ => {
                self.skip_parentheses();
                self.external(start);
                PrefixKind::External
            }
        }
    }

    /// Says once that links to pictures are not kept.
    fn external(&mut self, start: Span) {
        const CODE: &str = "script.links_not_kept";
        if self.diagnostics.iter().any(|d| d.code == CODE) {
            return;
        }
        let span = self.span_from(start);
        self.push(
            Diagnostic::warning(
                CODE,
                span,
                "the rows are read, but values are not linked to pictures or documents here",
            )
            .with_hint("load the addresses into a field of their own, and show that as pictures"),
        );
    }

    fn join(&mut self, kind: JoinKind) -> PrefixKind {
        let is_keep = self.is_word("keep");
        self.bump();
        let table = self.parenthesized_table();
        if is_keep {
            PrefixKind::Keep(kind, table)
        } else {
            PrefixKind::Join(kind, table)
        }
    }

    fn parenthesized_table(&mut self) -> Option<Name> {
        if !self.eat_sign("(") {
            return None;
        }
        let name = self.name("a table");
        self.expect_sign(")", "script.unexpected_token");
        name
    }

    /// `(a, , 'b')`: entries may be left out. `None` if there is no list at all.
    fn argument_names(&mut self) -> Option<Vec<Option<Name>>> {
        if !self.eat_sign("(") {
            return None;
        }
        let mut out = Vec::new();
        loop {
            out.push(if self.is_sign(",") || self.is_sign(")") {
                None
            } else {
                self.name_or_sign()
            });
            if !self.eat_sign(",") {
                break;
            }
        }
        self.expect_sign(")", "script.unexpected_token");
        Some(out)
    }

    /// A name, or a sign that stands for itself: a path's delimiter needs no quotes.
    fn name_or_sign(&mut self) -> Option<Name> {
        let token = self.peek();
        if !matches!(token.kind, TokenKind::Sign | TokenKind::Stray) || self.is_sign("(") {
            return self.name("a field");
        }
        self.bump();
        Some(Name {
            text: self.token_text(token).to_owned(),
            span: token.span,
        })
    }

    fn bad_prefix(&mut self, start: Span, usage: &str) -> PrefixKind {
        let span = self.span_from(start);
        self.push(
            Diagnostic::error("script.bad_prefix", span, "this prefix is incomplete")
                .with_hint(format!("write {usage}")),
        );
        PrefixKind::Broken
    }

    fn crosstable(&mut self, start: Span) -> PrefixKind {
        const USAGE: &str = "CROSSTABLE (Attribute, Data [, number of key fields]) LOAD …";
        if !self.eat_sign("(") {
            return self.bad_prefix(start, USAGE);
        }
        let attribute = self.name("the field for the column names");
        let has_data = self.eat_sign(",");
        let data = if has_data {
            self.name("the field for the values")
        } else {
            None
        };
        let n_keys: Option<Expr> = self.eat_sign(",").then(|| self.expression());
        self.expect_sign(")", "script.unexpected_token");
        match (attribute, data) {
            (Some(attribute), Some(data)) => PrefixKind::Crosstable {
                attribute,
                data,
                n_keys,
            },
            _ => self.bad_prefix(start, USAGE),
        }
    }

    fn interval_match(&mut self, start: Span) -> PrefixKind {
        let names: Vec<Name> = (self.argument_names().unwrap_or_default().into_iter())
            .flatten()
            .collect();
        let mut names = names.into_iter();
        match names.next() {
            Some(value) => PrefixKind::IntervalMatch {
                value,
                keys: names.collect(),
            },
            None => self.bad_prefix(
                start,
                "INTERVALMATCH (Field [, Key]) LOAD From, To [, Key] …",
            ),
        }
    }

    fn hierarchy(&mut self, start: Span) -> PrefixKind {
        let mut names = self.argument_names().unwrap_or_default().into_iter();
        let mut next = || names.next().flatten();
        if let (Some(node), Some(parent), Some(name)) = (next(), next(), next()) {
            return PrefixKind::Hierarchy(Box::new(Hierarchy {
                node,
                parent,
                name,
                parent_name: next(),
                path_source: next(),
                path_name: next(),
                path_delimiter: next(),
                depth: next(),
            }));
        }
        self.bad_prefix(
            start,
            "HIERARCHY (NodeID, ParentID, NodeName [, ParentName, PathSource, PathName, PathDelimiter, Depth]) LOAD …",
        )
    }

    fn hierarchy_belongs_to(&mut self, start: Span) -> PrefixKind {
        let mut names = self.argument_names().unwrap_or_default().into_iter();
        let mut next = || names.next().flatten();
        if let (Some(node), Some(parent), Some(name), Some(ancestor), Some(ancestor_name)) =
            (next(), next(), next(), next(), next())
        {
            return PrefixKind::HierarchyBelongsTo(Box::new(HierarchyBelongsTo {
                node,
                parent,
                name,
                ancestor,
                ancestor_name,
                depth_difference: next(),
            }));
        }
        self.bad_prefix(
            start,
            "HIERARCHYBELONGSTO (NodeID, ParentID, NodeName, AncestorID, AncestorName [, DepthDiff]) LOAD …",
        )
    }

    fn merge(&mut self) -> PrefixKind {
        let mut merge = Merge {
            only: self.eat_word("only"),
            sequence: None,
            variable: None,
            keys: Vec::new(),
            concatenates: false,
            table: None,
        };
        if self.is_sign("(") {
            let mut names = self.argument_names().unwrap_or_default().into_iter();
            merge.sequence = names.next().flatten();
            merge.variable = names.next().flatten();
        }
        if self.eat_word("on") {
            merge.keys = self.names("a key field");
        } else {
            let start = self.peek().span;
            return self.bad_prefix(start, "MERGE [(Sequence)] ON Key LOAD Operation, Key, …");
        }
        if self.eat_word("concatenate") {
            merge.concatenates = true;
            merge.table = self.parenthesized_table();
        }
        PrefixKind::Merge(Box::new(merge))
    }

    fn buffer(&mut self) -> Buffer {
        let mut buffer = Buffer::default();
        if !self.eat_sign("(") {
            return buffer;
        }
        while !self.at_end() && !self.is_sign(")") {
            if self.eat_word("incremental") {
                buffer.incremental = true;
            } else if self.eat_word("stale") {
                self.eat_word("after");
                let amount = self.bump();
                let days: Option<f64> = self.token_text(amount).parse().ok();
                let is_hours = self.eat_word("hours") || self.eat_word("hour");
                if !is_hours && !self.eat_word("days") {
                    self.eat_word("day");
                }
                buffer.stale_after_days = days.map(|n| if is_hours { n / 24.0 } else { n });
            } else if !self.eat_sign(",") {
                let span = self.peek().span;
                let found = self.describe_next();
                self.push(
                    Diagnostic::error(
                        "script.unexpected_token",
                        span,
                        format!("{found} is not an option of BUFFER"),
                    )
                    .with_hint("write BUFFER (incremental) or BUFFER (stale after 7 days)"),
                );
                self.bump();
            }
        }
        self.expect_sign(")", "script.unexpected_token");
        buffer
    }
}

/// First words of prefixes but those of joins.
const PREFIX_WORDS: [&str; 19] = [
    "mapping",
    "noconcatenate",
    "concatenate",
    "first",
    "sample",
    "generic",
    "semantic",
    "add",
    "replace",
    "partial",
    "buffer",
    "crosstable",
    "intervalmatch",
    "hierarchy",
    "hierarchybelongsto",
    "merge",
    "bundle",
    "image_size",
    "info",
];
