//! `DECLARE FIELD DEFINITION` and `DERIVE FIELDS`: fields made from other fields, such as
//! the year of a date.

use super::StatementKind;
use crate::parser::Parser;
use crate::{Diagnostic, Expr, Name};

/// What `DECLARE` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Declare {
    /// Tags of the fields it is meant for.
    pub tags: Vec<String>,
    /// Parameters and their values, which fields may use by name.
    pub parameters: Vec<(Name, Expr)>,
    /// The definition this one takes over, for `USING other WITH …`.
    pub using: Option<Name>,
    /// The derived fields; `$1` in them is the field they are derived from.
    pub fields: Vec<DerivedField>,
}

/// One derived field of a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivedField {
    /// Its expression.
    pub expr: Expr,
    /// Its name, which follows the names of the source field and the definition.
    pub name: Name,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What `DERIVE` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Derive {
    /// From which fields.
    pub from: DeriveFrom,
    /// The definition.
    pub using: Name,
}

/// The fields a definition is applied to.
#[derive(Clone, Debug, PartialEq)]
pub enum DeriveFrom {
    /// These.
    Fields(Vec<Name>),
    /// Those with one of these tags.
    Explicit(Vec<Name>),
    /// Those with a tag of the definition.
    Implicit,
}

impl Parser<'_> {
    /// The rest after `DECLARE`.
    pub(super) fn declare(&mut self) -> StatementKind {
        let has_field = self.eat_word("field") || self.eat_word("fields");
        if !has_field || !(self.eat_word("definition") || self.eat_word("definitions")) {
            return self.expected(
                "FIELD DEFINITION",
                "write Name: DECLARE FIELD DEFINITION TAGGED '$date' FIELDS Year($1) AS Year",
            );
        }
        let mut declare = Declare {
            tags: Vec::new(),
            parameters: Vec::new(),
            using: None,
            fields: Vec::new(),
        };
        loop {
            if self.eat_word("tagged") {
                declare.tags = self.tag_list();
            } else if self.eat_word("using") {
                declare.using = self.name("a definition");
            } else if self.eat_word("parameters") || self.eat_word("with") {
                declare.parameters = self.parameters();
            } else if self.eat_word("fields") || self.eat_word("field") {
                declare.fields = self.derived_fields();
            } else if self.eat_word("groups") || self.eat_word("group") {
                // Groups are drill-downs made of the fields; the fields are there without them.
                self.skip_rest();
            } else {
                break;
            }
        }
        StatementKind::Declare(Box::new(declare))
    }

    fn parameters(&mut self) -> Vec<(Name, Expr)> {
        let mut out = Vec::new();
        loop {
            let Some(name) = self.name("a parameter") else {
                return out;
            };
            if !self.expect_sign("=", "script.unexpected_token") {
                return out;
            }
            out.push((name, self.expression()));
            if !self.eat_sign(",") {
                return out;
            }
        }
    }

    fn derived_fields(&mut self) -> Vec<DerivedField> {
        let mut out = Vec::new();
        loop {
            let before = self.position();
            let expr = self.expression();
            if !self.eat_word("as") {
                let span = self.peek().span;
                let found = self.describe_next();
                self.push(
                    Diagnostic::error(
                        "script.unexpected_token",
                        span,
                        format!("expected AS and a name, found {found}"),
                    )
                    .with_hint("write Year($1) AS Year"),
                );
                return out;
            }
            let Some(name) = self.name("the derived field's name") else {
                return out;
            };
            let tags = if self.eat_word("tagged") {
                self.tag_list()
            } else {
                Vec::new()
            };
            out.push(DerivedField { expr, name, tags });
            if !self.eat_sign(",") || self.position() == before {
                return out;
            }
        }
    }

    /// `'a'`, `('a', 'b')`; without parentheses a list of quoted names.
    fn tag_list(&mut self) -> Vec<String> {
        let has_parenthesis = self.eat_sign("(");
        let mut out = Vec::new();
        while let Some(name) = self.name("a 'tag'") {
            out.push(name.text);
            let more = if has_parenthesis {
                self.is_sign(",")
            } else {
                // Without parentheses a comma may also end the field.
                self.is_sign(",") && self.is_quoted_at(1) && !self.sign_at(2, "(")
            };
            if !more {
                break;
            }
            self.bump();
        }
        if has_parenthesis {
            self.expect_sign(")", "script.unexpected_token");
        }
        out
    }

    /// The rest after `DERIVE`.
    pub(super) fn derive(&mut self) -> StatementKind {
        const USAGE: &str = "write DERIVE FIELDS FROM FIELDS OrderDate USING Calendar";
        if !self.eat_word("fields") {
            self.eat_word("field");
        }
        if !self.eat_word("from") {
            return self.expected("FROM", USAGE);
        }
        let from = if self.eat_word("explicit") {
            let _ = self.eat_word("tags") || self.eat_word("tag");
            let has_parenthesis = self.eat_sign("(");
            let tags = self.names("a tag");
            if has_parenthesis {
                self.expect_sign(")", "script.unexpected_token");
            }
            DeriveFrom::Explicit(tags)
        } else if self.eat_word("implicit") {
            let _ = self.eat_word("tags") || self.eat_word("tag");
            DeriveFrom::Implicit
        } else {
            if !self.eat_word("fields") {
                self.eat_word("field");
            }
            DeriveFrom::Fields(self.names("a field"))
        };
        if !self.eat_word("using") {
            return self.expected("USING", USAGE);
        }
        match self.name("a definition") {
            Some(using) => StatementKind::Derive(Derive { from, using }),
            None => StatementKind::Nothing,
        }
    }
}
