//! The language of conditions: `user.groups = "Sales" and !(resource.name like "Draft*")`.
//!
//! Attributes have any number of values; a comparison holds if it holds for one of them. `=`
//! and `like` compare without regard to case, `==` with it; `!=` and `!==` are their opposites
//! and so hold where there is no value. Reference semantics C2.

use std::fmt;

use satchel_base::matches_wildcard;

use super::{Attributes, Request};

/// Deeper conditions are refused when they are written.
const MAX_DEPTH: usize = 32;

/// Longer ones too.
const MAX_CHARS: usize = 4_096;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Always holds.
    Always,
    /// All hold.
    And(Vec<Condition>),
    /// One holds.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A comparison of two operands.
    Compare(Operand, Operator, Operand),
    /// `resource.stream.HasPrivilege("read")`: the same person may do this to what contains
    /// the resource.
    ContainerAllows(super::Action),
}

/// How to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`, without regard to case.
    Same,
    /// `==`, to the letter.
    Identical,
    /// `!=`
    NotSame,
    /// `!==`
    NotIdentical,
    /// `like`, where `*` stands for any text.
    Like,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A text.
    Text(String),
    /// An attribute.
    Attribute(Owner, String),
}

/// Whose attribute it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The person.
    User,
    /// What is asked for.
    Resource,
    /// What contains it: the stream of an app.
    Container,
    /// How the request comes.
    Environment,
}

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionError {
    /// Position of the character, from 1.
    pub column: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: expected {}", self.column, self.expected)
    }
}

impl Condition {
    /// Whether it holds for a request; `container` tells whether the person may do something
    /// to what contains the resource.
    pub(super) fn holds(
        &self,
        request: &Request<'_>,
        container: &dyn Fn(super::Action) -> bool,
    ) -> bool {
        match self {
            Self::Always => true,
            Self::And(all) => all.iter().all(|c| c.holds(request, container)),
            Self::Or(all) => all.iter().any(|c| c.holds(request, container)),
            Self::Not(inner) => !inner.holds(request, container),
            Self::Compare(left, operator, right) => compare(request, left, *operator, right),
            Self::ContainerAllows(action) => container(*action),
        }
    }
}

impl Condition {
    /// Whether there may be circumstances under which it holds for a person, as of signing in.
    pub fn may_hold_for(&self, user: &Attributes) -> bool {
        self.outcomes(user).0
    }

    /// Whether it may hold, and whether it may not, whatever the environment.
    fn outcomes(&self, user: &Attributes) -> (bool, bool) {
        match self {
            Self::And(all) => all.iter().fold((true, false), |(yes, no), inner| {
                let (may, may_not) = inner.outcomes(user);
                (yes && may, no || may_not)
            }),
            Self::Or(all) => all.iter().fold((false, true), |(yes, no), inner| {
                let (may, may_not) = inner.outcomes(user);
                (yes || may, no && may_not)
            }),
            Self::Not(inner) => {
                let (may, may_not) = inner.outcomes(user);
                (may_not, may)
            }
            Self::Compare(left, _, right) if [left, right].into_iter().any(is_environment) => {
                (true, true)
            }
            Self::Always | Self::Compare(..) | Self::ContainerAllows(_) => {
                let holds = super::is_met(self, user, &Attributes::default());
                (holds, !holds)
            }
        }
    }
}

fn is_environment(operand: &Operand) -> bool {
    matches!(operand, Operand::Attribute(Owner::Environment, _))
}

impl fmt::Display for Condition {
    /// As it is written in rules; reading that again gives the same condition.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |all: &[Self], word: &str| -> String {
            let part = |c: &Self| match c {
                Self::And(_) | Self::Or(_) => format!("({c})"),
                _ => c.to_string(),
            };
            all.iter().map(part).collect::<Vec<_>>().join(word)
        };
        match self {
            Self::Always => Ok(()),
            Self::And(all) => f.write_str(&joined(all, " and ")),
            Self::Or(all) => f.write_str(&joined(all, " or ")),
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::Compare(left, operator, right) => {
                let operator = match operator {
                    Operator::Same => "=",
                    Operator::Identical => "==",
                    Operator::NotSame => "!=",
                    Operator::NotIdentical => "!==",
                    Operator::Like => "like",
                };
                write!(f, "{left} {operator} {right}")
            }
            Self::ContainerAllows(action) => {
                write!(f, "resource.stream.HasPrivilege(\"{action}\")")
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Attribute(owner, name) => {
                let owner = match owner {
                    Owner::User => "user",
                    Owner::Resource => "resource",
                    Owner::Container => "resource.stream",
                    Owner::Environment => "environment",
                };
                write!(f, "{owner}.{name}")
            }
        }
    }
}

fn compare(request: &Request<'_>, left: &Operand, operator: Operator, right: &Operand) -> bool {
    let (left, right) = (values(request, left), values(request, right));
    let any =
        |holds: &dyn Fn(&str, &str) -> bool| left.iter().any(|l| right.iter().any(|r| holds(l, r)));
    match operator {
        Operator::Same => any(&same),
        Operator::Identical => any(&|l: &str, r: &str| l == r),
        Operator::NotSame => !any(&same),
        Operator::NotIdentical => !any(&|l: &str, r: &str| l == r),
        Operator::Like => any(&|l: &str, r: &str| like(&l.to_lowercase(), &r.to_lowercase())),
    }
}

fn same(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

fn values<'a>(request: &Request<'a>, operand: &'a Operand) -> Vec<&'a str> {
    let of = |attributes: &'a Attributes, name: &str| -> Vec<&'a str> {
        attributes.all(name).iter().map(String::as_str).collect()
    };
    match operand {
        Operand::Text(text) => vec![text],
        Operand::Attribute(Owner::User, name) => of(request.user, name),
        Operand::Attribute(Owner::Environment, name) => of(request.environment, name),
        Operand::Attribute(Owner::Resource, name) => of(&request.resource.attributes, name),
        Operand::Attribute(Owner::Container, name) => match &request.resource.container {
            Some(container) => of(&container.attributes, name),
            None => Vec::new(),
        },
    }
}

/// `*` stands for any text.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let letters = |s: &str| s.chars().collect::<Vec<char>>();
    matches_wildcard(&letters(text), &letters(pattern), '*', None, |a, b| a == b)
}

impl std::str::FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let chars: Vec<char> = text.chars().collect();
        let mut parser = Parser {
            chars: &chars,
            at: 0,
            depth: 0,
        };
        if chars.len() > MAX_CHARS {
            return Err(parser.expected("a condition of at most 4,096 characters"));
        }
        parser.blanks();
        if parser.at == chars.len() {
            return Ok(Self::Always);
        }
        let condition = parser.or()?;
        match parser.at == chars.len() {
            true => Ok(condition),
            false => Err(parser.expected("`and`, `or` or the end")),
        }
    }
}

struct Parser<'t> {
    chars: &'t [char],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn expected(&self, expected: &'static str) -> ConditionError {
        ConditionError {
            column: self.at + 1,
            expected,
        }
    }

    fn blanks(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    /// Takes a sign, and blanks after it.
    fn takes(&mut self, sign: &str) -> bool {
        let sign: Vec<char> = sign.chars().collect();
        let is_there = self.chars[self.at..].starts_with(&sign);
        if is_there {
            self.at += sign.len();
            self.blanks();
        }
        is_there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let start = self.at;
        let found = self.word();
        if found.eq_ignore_ascii_case(word) {
            self.blanks();
            return true;
        }
        self.at = start;
        false
    }

    fn word(&mut self) -> String {
        let start = self.at;
        let fits = |c: &char| c.is_alphanumeric() || *c == '_' || *c == '@';
        while self.chars.get(self.at).is_some_and(fits) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn or(&mut self) -> Result<Condition, ConditionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.expected("fewer parentheses"));
        }
        let mut all = vec![self.and()?];
        while self.takes("||") || self.takes_word("or") {
            all.push(self.and()?);
        }
        self.depth -= 1;
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Condition::Or(all),
        })
    }

    fn and(&mut self) -> Result<Condition, ConditionError> {
        let mut all = vec![self.not()?];
        while self.takes("&&") || self.takes_word("and") {
            all.push(self.not()?);
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Condition::And(all),
        })
    }

    fn not(&mut self) -> Result<Condition, ConditionError> {
        let mut is_negated = false;
        while self.takes("!") || self.takes_word("not") {
            is_negated = !is_negated;
        }
        let inner = if self.takes("(") {
            let inner = self.or()?;
            if !self.takes(")") {
                return Err(self.expected("`)`"));
            }
            inner
        } else {
            self.comparison()?
        };
        Ok(if is_negated {
            Condition::Not(Box::new(inner))
        } else {
            inner
        })
    }

    fn comparison(&mut self) -> Result<Condition, ConditionError> {
        let left = match self.operand()? {
            Found::Operand(operand) => operand,
            Found::Privilege(action) => return Ok(Condition::ContainerAllows(action)),
        };
        let operator = if self.takes("!==") {
            Operator::NotIdentical
        } else if self.takes("!=") {
            Operator::NotSame
        } else if self.takes("==") {
            Operator::Identical
        } else if self.takes("=") {
            Operator::Same
        } else if self.takes_word("like") {
            Operator::Like
        } else {
            return Err(self.expected("`=`, `==`, `!=`, `!==` or `like`"));
        };
        match self.operand()? {
            Found::Operand(right) => Ok(Condition::Compare(left, operator, right)),
            Found::Privilege(_) => Err(self.expected("a text or an attribute")),
        }
    }

    fn operand(&mut self) -> Result<Found, ConditionError> {
        const WANTED: &str = "a text in quotes, or an attribute of user, resource or environment";
        if self.chars.get(self.at) == Some(&'"') {
            return self.text().map(|t| Found::Operand(Operand::Text(t)));
        }
        let start = self.at;
        let mut owner = match self.word().to_ascii_lowercase().as_str() {
            "user" => Owner::User,
            "resource" => Owner::Resource,
            "environment" => Owner::Environment,
            _ => {
                self.at = start;
                return Err(self.expected(WANTED));
            }
        };
        let mut name = self.member()?;
        if owner == Owner::Resource && name == "stream" && self.chars.get(self.at) == Some(&'.') {
            owner = Owner::Container;
            name = self.member()?;
            if name == "hasprivilege" {
                if !self.takes("(") {
                    return Err(self.expected("`(`"));
                }
                let at = self.at;
                let action = self.text()?.parse().map_err(|_| ConditionError {
                    column: at + 1,
                    expected: "the name of an action in quotes",
                })?;
                if !self.takes(")") {
                    return Err(self.expected("`)`"));
                }
                return Ok(Found::Privilege(action));
            }
        }
        self.blanks();
        Ok(Found::Operand(Operand::Attribute(owner, name)))
    }

    fn member(&mut self) -> Result<String, ConditionError> {
        if self.chars.get(self.at) != Some(&'.') {
            return Err(self.expected("`.` and the name of an attribute"));
        }
        self.at += 1;
        let name = self.word().to_lowercase();
        match name.is_empty() {
            true => Err(self.expected("the name of an attribute")),
            false => Ok(name),
        }
    }

    fn text(&mut self) -> Result<String, ConditionError> {
        if self.chars.get(self.at) != Some(&'"') {
            return Err(self.expected("a text in quotes"));
        }
        let rest = &self.chars[self.at + 1..];
        let Some(end) = rest.iter().position(|c| *c == '"') else {
            return Err(self.expected("a text that ends with a quote"));
        };
        let text = rest[..end].iter().collect();
        self.at += end + 2;
        self.blanks();
        Ok(text)
    }
}

enum Found {
    Operand(Operand),
    Privilege(super::Action),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) -> String {
        text.parse::<Condition>()
            .expect_err("no condition")
            .to_string()
    }

    #[test]
    fn mistakes_say_where_they_are() {
        assert_eq!(
            refused("user.name"),
            "column 10: expected `=`, `==`, `!=`, `!==` or `like`"
        );
        assert_eq!(
            refused("person.name = \"x\""),
            "column 1: expected a text in quotes, or an attribute of user, resource or environment"
        );
        assert_eq!(
            refused("user.name = \"x"),
            "column 13: expected a text that ends with a quote"
        );
        assert_eq!(refused("(user.name = \"x\""), "column 17: expected `)`");
        assert_eq!(
            refused("user.name = \"x\" user"),
            "column 17: expected `and`, `or` or the end"
        );
        assert_eq!(
            refused("resource.stream.HasPrivilege(\"fly\")"),
            "column 30: expected the name of an action in quotes"
        );
        assert!(
            refused(&"(".repeat(10_000)).contains("fewer")
                || refused(&"(".repeat(10_000)).contains("4,096")
        );
        assert!(refused(&format!("{}user.a=\"b\"", "(".repeat(100))).contains("fewer"));
        assert!(refused(&"!".repeat(100)).contains("a text in quotes"));
    }

    #[test]
    fn what_may_hold_is_told_without_knowing_the_circumstances() {
        let ann = Attributes::default()
            .with("groups", "Finance")
            .with("directory", "CORP");
        for (text, may) in [
            ("", true),
            (r#"user.groups = "finance""#, true),
            (r#"user.groups = "Sales""#, false),
            (r#"not (user.groups = "finance")"#, false),
            (r#"environment.ip like "10.*""#, true),
            (r#"not (environment.ip like "10.*")"#, true),
            (
                r#"user.groups = "Sales" and environment.ip like "10.*""#,
                false,
            ),
            (
                r#"user.groups = "Sales" or environment.ip like "10.*""#,
                true,
            ),
            (
                r#"not (user.groups = "Finance" or environment.ip like "10.*")"#,
                false,
            ),
            (
                r#"not (user.groups = "Sales" and environment.ip like "10.*")"#,
                true,
            ),
        ] {
            let condition: Condition = text.parse().unwrap();
            assert_eq!(condition.may_hold_for(&ann), may, "{text}");
        }
    }

    #[test]
    fn like_takes_stars() {
        for (text, pattern, is) in [
            ("abc", "a*", true),
            ("abc", "*c", true),
            ("abc", "a*c*", true),
            ("abc", "*", true),
            ("", "*", true),
            ("", "", true),
            ("abc", "b*", false),
            ("abc", "", false),
            ("aXbXc", "a*b*c", true),
            ("ab", "a*b*c", false),
        ] {
            assert_eq!(like(text, pattern), is, "{text} {pattern}");
        }
        assert!(!like(
            &"a".repeat(4_000),
            &format!("{}b", "a*".repeat(1_000))
        ));
    }
}
