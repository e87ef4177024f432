//! Searches combined in brackets: `(F*|S*)`, `(*a*&*b*)`, `(*a*^*b*)`.
//!
//! `|` is either, `&` both, `^` exactly one; `&` binds tightest, then `^`, then `|`. Brackets
//! without an operator in them are part of what is searched for.

use crate::Search;

/// A search, or several combined.
pub(crate) enum Compound {
    One(Search),
    Any(Vec<Compound>),
    All(Vec<Compound>),
    OddlyMany(Vec<Compound>),
}

/// Brackets within brackets beyond this are taken as text.
const MAX_DEPTH: usize = 32;

const OPERATORS: [char; 3] = ['|', '^', '&'];

impl Compound {
    /// What stands between the double quotes of a set expression.
    pub fn exact(text: &str) -> Self {
        let trimmed = text.trim();
        match inside(trimmed) {
            Some(inner) if inner.contains(OPERATORS) => parts(inner, 0, 0),
            _ => Self::One(Search::exact(text)),
        }
    }

    /// Whether it finds a value.
    pub fn matches(&self, text: &str, num: f64) -> bool {
        let hit = |part: &Self| part.matches(text, num);
        match self {
            Self::One(search) => search.matches(text, num),
            Self::Any(parts) => parts.iter().any(hit),
            Self::All(parts) => parts.iter().all(hit),
            Self::OddlyMany(parts) => parts.iter().filter(|p| hit(p)).count() % 2 == 1,
        }
    }
}

/// What stands between a bracket at the beginning and the one that closes it at the end.
fn inside(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let mut open = 0usize;
    for c in inner.chars() {
        match c {
            '(' => open += 1,
            ')' => open = open.checked_sub(1)?,
            _ => {}
        }
    }
    (open == 0).then_some(inner)
}

/// The parts of a text between the operators from `level` on, the loosest first.
fn parts(text: &str, level: usize, depth: usize) -> Compound {
    let Some(operator) = OPERATORS.get(level) else {
        let trimmed = text.trim();
        return match inside(trimmed) {
            Some(inner) if depth < MAX_DEPTH => parts(inner, 0, depth + 1),
            _ => Compound::One(Search::exact(trimmed)),
        };
    };
    let mut list = Vec::new();
    let (mut from, mut open) = (0, 0usize);
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' => open = open.saturating_sub(1),
            c if c == *operator && open == 0 => {
                list.push(parts(&text[from..at], level + 1, depth));
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    let last = parts(&text[from..], level + 1, depth);
    if list.is_empty() {
        return last;
    }
    list.push(last);
    match operator {
        '|' => Compound::Any(list),
        '&' => Compound::All(list),
        _ => Compound::OddlyMany(list),
    }
}
