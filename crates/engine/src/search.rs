//! Search texts: what list boxes and set expressions look values up with.
//!
//! - `*` any characters, `?` any single one: the whole text must match.
//! - `>10`, `<=20`, `>10<=20`: the number must lie within.
//! - Plain text, as typed into a search box: words separated by blanks; a value matches if one
//!   of them stands anywhere in its text. In quotes (`"New York"`) blanks belong to the word.
//! - A term of a search over all fields: a word of the text begins with it.
//!
//! Letters compare without regard to case. Expression searches (`=Sum(X)>10`) are not for here.

use satchel_base::matches_wildcard;

/// A search text, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    /// Stands anywhere in the text.
    Contains(Vec<char>),
    /// A word of the text begins with it.
    WordStart(Vec<char>),
    /// Matches the whole text.
    Pattern(Vec<char>),
    /// The number is between these; the flags tell whether the ends belong.
    Range { low: (f64, bool), high: (f64, bool) },
}

/// A stretch of a text that made it match, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Highlight {
    /// Where it begins.
    pub start: usize,
    /// How long it is.
    pub len: usize,
}

impl Search {
    /// Understands what somebody typed into a search box: several terms, any of which may match.
    pub fn typed(text: &str) -> Self {
        let mut terms = Vec::new();
        for word in words(text) {
            terms.push(Term::of(&word, true));
        }
        Self { terms }
    }

    /// Understands the text of one search in a set expression: one term; without wildcards
    /// the whole text must match.
    pub fn exact(text: &str) -> Self {
        Self {
            terms: vec![Term::of(text, false)],
        }
    }

    /// Understands one term of a search over all fields: without wildcards a word of the text
    /// must begin with it. Blanks and quotes around it do not count.
    pub fn term(text: &str) -> Self {
        let text = text.trim().trim_matches('"').trim();
        let mut terms = Vec::new();
        if !text.is_empty() {
            terms.push(match Term::of(text, true) {
                Term::Contains(part) => Term::WordStart(part),
                other => other,
            });
        }
        Self { terms }
    }

    /// Whether there is nothing to search for; then everything matches.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a value with this text and number (NaN for none) matches.
    pub fn matches(&self, text: &str, num: f64) -> bool {
        if self.terms.is_empty() {
            return true;
        }
        let mut folded: Option<Vec<char>> = None;
        self.terms.iter().any(|term| match term {
            Term::Range { low, high } => in_range(num, *low, *high),
            Term::Contains(part) => {
                find(folded.get_or_insert_with(|| fold(text)), part, 0).is_some()
            }
            Term::WordStart(part) => {
                find_word(folded.get_or_insert_with(|| fold(text)), part, 0).is_some()
            }
            Term::Pattern(pattern) => like(folded.get_or_insert_with(|| fold(text)), pattern),
        })
    }

    /// The stretches of a matching text that the terms found, ascending and apart.
    pub fn highlights(&self, text: &str) -> Vec<Highlight> {
        let folded = fold(text);
        let mut marked = vec![false; folded.len()];
        for term in &self.terms {
            let seek = match term {
                Term::WordStart(_) => find_word,
                _ => find,
            };
            let parts: Vec<&[char]> = match term {
                Term::Contains(part) | Term::WordStart(part) => vec![part],
                Term::Pattern(pattern) => pattern
                    .split(|c| matches!(c, '*' | '?'))
                    .filter(|p| !p.is_empty())
                    .collect(),
                Term::Range { .. } => Vec::new(),
            };
            for part in parts {
                let mut from = 0;
                while let Some(at) = seek(&folded, part, from) {
                    marked[at..at + part.len()].fill(true);
                    from = at + part.len();
                }
            }
        }
        let mut found: Vec<Highlight> = Vec::new();
        for (i, _) in marked.iter().enumerate().filter(|(_, m)| **m) {
            match found.last_mut() {
                Some(last) if last.start + last.len == i => last.len += 1,
                _ => found.push(Highlight { start: i, len: 1 }),
            }
        }
        found
    }
}

impl Term {
    fn of(word: &str, contains: bool) -> Self {
        if let Some((low, high)) = range(word) {
            return Self::Range { low, high };
        }
        let folded = fold(word);
        if word.contains(['*', '?']) || !contains {
            Self::Pattern(folded)
        } else {
            Self::Contains(folded)
        }
    }
}

/// Lower case, character by character, so that positions stay.
fn fold(text: &str) -> Vec<char> {
    text.chars()
        .map(|c| c.to_lowercase().next().unwrap_or(c))
        .collect()
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|w| !w.is_empty());
    words
}

fn find(text: &[char], part: &[char], from: usize) -> Option<usize> {
    if part.is_empty() || text.len() < part.len() || from > text.len() {
        return None;
    }
    (from..=text.len() - part.len()).find(|at| text[*at..*at + part.len()] == *part)
}

/// Like [`find`], at the beginnings of words only.
fn find_word(text: &[char], part: &[char], mut from: usize) -> Option<usize> {
    while let Some(at) = find(text, part, from) {
        if at == 0 || !text[at - 1].is_alphanumeric() {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Whether the whole of `text` matches `pattern`; both are folded.
fn like(text: &[char], pattern: &[char]) -> bool {
    matches_wildcard(text, pattern, '*', Some('?'), |a, b| a == b)
}

type End = (f64, bool);

fn in_range(num: f64, low: End, high: End) -> bool {
    let above = num > low.0 || (low.1 && num == low.0);
    let below = num < high.0 || (high.1 && num == high.0);
    above && below
}

/// `>a`, `>=a`, `<b`, `<=b` or one of each.
fn range(text: &str) -> Option<(End, End)> {
    let mut low = (f64::NEG_INFINITY, true);
    let mut high = (f64::INFINITY, true);
    let mut rest = text.trim();
    if !rest.starts_with(['<', '>']) {
        return None;
    }
    while let Some(sign) = rest.chars().next() {
        if !matches!(sign, '<' | '>') {
            return None;
        }
        rest = &rest[1..];
        let closed = rest.starts_with('=');
        rest = rest[usize::from(closed)..].trim_start();
        let end = rest.find(['<', '>']).unwrap_or(rest.len());
        let num: f64 = rest[..end]
            .trim()
            .parse()
            .ok()
            .filter(|n: &f64| !n.is_nan())?;
        if sign == '>' {
            low = (num, closed);
        } else {
            high = (num, closed);
        }
        rest = &rest[end..];
    }
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(search: &str, hits: &[&str]) {
        let values = ["New York", "Newark", "york", "10", "20", "15.5", "a*b"];
        let search = Search::typed(search);
        let found: Vec<&str> = values
            .into_iter()
            .filter(|v| search.matches(v, v.parse().unwrap_or(f64::NAN)))
            .collect();
        assert_eq!(found, hits);
    }

    #[test]
    fn words_stand_anywhere_and_any_will_do() {
        check("york", &["New York", "york"]);
        check("wark yor", &["New York", "Newark", "york"]);
        check("\"new york\"", &["New York"]);
        check("zzz", &[]);
    }

    #[test]
    fn wildcards_match_the_whole_text() {
        check("new*", &["New York", "Newark"]);
        check("?ork", &["york"]);
        check("*a*", &["Newark", "a*b"]);
    }

    #[test]
    fn ranges_compare_numbers() {
        check(">10", &["20", "15.5"]);
        check(">=10<20", &["10", "15.5"]);
        check("<11 york", &["New York", "york", "10"]);
        check(">x", &[]);
    }

    #[test]
    fn a_term_begins_a_word() {
        let finds = |term: &str, text: &str| Search::term(term).matches(text, f64::NAN);
        assert!(finds("yo", "New York"));
        assert!(finds("\"new yo\"", "New York"));
        assert!(!finds("ork", "New York"));
        assert!(finds("read", "Proof-reading"));
        assert!(!finds("read", "Bread"));
        assert!(finds("*ork", "New York"));
        let marks = Search::term("an").highlights("Banana and Anna");
        assert_eq!(marks.iter().map(|m| m.start).collect::<Vec<_>>(), [7, 11]);
    }

    #[test]
    fn hits_are_shown() {
        let marks = Search::typed("or ew").highlights("New York");
        assert_eq!(
            marks,
            [
                Highlight { start: 1, len: 2 },
                Highlight { start: 5, len: 2 }
            ]
        );
    }

    #[test]
    fn a_set_search_without_wildcards_is_the_whole_text() {
        assert!(Search::exact("new york").matches("New York", f64::NAN));
        assert!(!Search::exact("york").matches("New York", f64::NAN));
    }
}
