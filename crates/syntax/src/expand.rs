//! `$()` expansion: text in, text out, before anything is parsed.
//!
//! Scripts expand statement by statement as they run, charts before they compile. What a
//! name or `=expression` stands for is asked of the caller; this file finds the places,
//! nests, hands out parameters and keeps hostile variables from growing without end.

use crate::lexer::quoted_end;
use crate::{Diagnostic, Span};

/// A variable may hold a variable, this many times.
const MAX_NESTING: u32 = 32;

/// Expansions in one text; more means that variables multiply each other.
const MAX_EXPANSIONS: u32 = 20_000;

/// 8 MiB: more than any script or expression, little enough to hold.
const MAX_BYTES: usize = 8 << 20;

/// An expanded text, and how its places map to the text before.
#[derive(Clone, Debug, Default)]
pub struct Expansion {
    /// The text with every `$()` replaced.
    pub text: String,
    /// Names that stood for nothing; they became empty text.
    pub missing: Vec<String>,
    /// Where they stood in the original text, the outermost `$()` around each.
    pub missing_at: Vec<Span>,
    /// Why expansion stopped early, if it did. The span is in the original text.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether anything was replaced.
    pub changed: bool,
    pieces: Vec<Piece>,
}

/// A stretch of the output: copied text, or what one `$()` became.
#[derive(Clone, Debug)]
struct Piece {
    out_start: usize,
    source: Span,
    copied: bool,
}

impl Expansion {
    /// The span of the original text that `span` of the expanded text came from. A place
    /// inside a replacement maps to the whole `$()`.
    pub fn source_span(&self, span: Span) -> Span {
        let start = self.source_of(span.start as usize, Edge::Start);
        let last = self.source_of((span.end.max(span.start + 1) - 1) as usize, Edge::End);
        if span.is_empty() {
            return Span {
                start: start.start,
                end: start.start,
            };
        }
        start.to(last)
    }

    fn source_of(&self, offset: usize, edge: Edge) -> Span {
        let at = self.pieces.partition_point(|p| p.out_start <= offset);
        let Some(piece) = at.checked_sub(1).and_then(|i| self.pieces.get(i)) else {
            return Span::new(offset, offset);
        };
        if !piece.copied {
            return piece.source;
        }
        let within = piece.source.start as usize + (offset - piece.out_start);
        let within = within.min(piece.source.end as usize);
        match edge {
            Edge::Start => Span::new(within, within),
            Edge::End => Span::new(within, (within + 1).min(piece.source.end as usize)),
        }
    }
}

enum Edge {
    Start,
    End,
}

/// What a name stands for: asked with the text between the parentheses of `$(…)`, which is a
/// variable's name, `#name` (a number in neutral form) or `=expression`, and with the
/// arguments of `$(name(a, b))`. `None` if there is no such variable.
pub type Lookup<'a> = dyn FnMut(&str, &[String]) -> Option<String> + 'a;

/// Replaces every `$(…)` in `text`, the inner ones first. What comes back is expanded again,
/// after `$1`, `$2` … in it are replaced by the arguments.
pub fn expand_dollar(text: &str, lookup: &mut Lookup<'_>) -> Expansion {
    let mut out = Expansion::default();
    let mut run = Run {
        lookup,
        n_expansions: 0,
        n_bytes: text.len(),
        missing: Vec::new(),
        problem: None,
    };
    let mut at = 0;
    while let Some(place) = next_place(text, at) {
        out.copy(text, at, place.start);
        let inner = &text[place.start + 2..place.end - 1];
        let value = run.value(inner, 0);
        let whole = Span::new(place.start, place.end);
        out.missing_at.resize(run.missing.len(), whole);
        out.pieces.push(Piece {
            out_start: out.text.len(),
            source: Span::new(place.start, place.end),
            copied: false,
        });
        out.text.push_str(&value);
        out.changed = true;
        at = place.end;
        if let Some((code, message)) = run.problem.take() {
            out.diagnostics.push(
                Diagnostic::error(code, Span::new(place.start, place.end), message)
                    .with_hint("does a variable contain itself?"),
            );
            break;
        }
    }
    out.copy(text, at, text.len());
    out.missing = run.missing;
    out
}

impl Expansion {
    fn copy(&mut self, text: &str, start: usize, end: usize) {
        if start < end {
            self.pieces.push(Piece {
                out_start: self.text.len(),
                source: Span::new(start, end),
                copied: true,
            });
            self.text.push_str(&text[start..end]);
        }
    }
}

struct Run<'a, 'b> {
    lookup: &'a mut Lookup<'b>,
    n_expansions: u32,
    n_bytes: usize,
    missing: Vec<String>,
    problem: Option<(&'static str, String)>,
}

impl Run<'_, '_> {
    /// What the text between `$(` and `)` stands for, fully expanded.
    fn value(&mut self, inner: &str, nesting: u32) -> String {
        if self.problem.is_some() {
            return String::new();
        }
        self.n_expansions += 1;
        if nesting >= MAX_NESTING || self.n_expansions > MAX_EXPANSIONS {
            self.problem = Some((
                "expand.recursion",
                format!("variables are nested more than {MAX_NESTING} deep"),
            ));
            return String::new();
        }
        let inner = self.expanded(inner, nesting + 1);
        let inner = inner.trim();
        let (name, arguments) = split_arguments(inner);
        let Some(found) = (self.lookup)(name, &arguments) else {
            if !name.is_empty() {
                self.missing.push(name.to_owned());
            }
            return String::new();
        };
        let found = if name.starts_with('=') {
            found
        } else {
            fill_parameters(&found, &arguments)
        };
        if name.starts_with('=') {
            self.charge(found.len());
            return found;
        }
        self.expanded(&found, nesting + 1)
    }

    fn expanded(&mut self, text: &str, nesting: u32) -> String {
        self.charge(text.len());
        let mut out = String::new();
        let mut at = 0;
        while self.problem.is_none()
            && let Some(place) = next_place(text, at)
        {
            out.push_str(&text[at..place.start]);
            let value = self.value(&text[place.start + 2..place.end - 1], nesting);
            out.push_str(&value);
            at = place.end;
        }
        out.push_str(&text[at..]);
        out
    }

    fn charge(&mut self, n_bytes: usize) {
        self.n_bytes = self.n_bytes.saturating_add(n_bytes);
        if self.n_bytes > MAX_BYTES && self.problem.is_none() {
            self.problem = Some((
                "expand.too_large",
                format!("the expanded text is larger than {} MiB", MAX_BYTES >> 20),
            ));
        }
    }
}

/// The next `$(…)` at or after `from`.
fn next_place(text: &str, mut from: usize) -> Option<std::ops::Range<usize>> {
    while let Some(n) = text.get(from..)?.find("$(") {
        let start = from + n;
        match closing(text, start + 2) {
            Some(end) => return Some(start..end),
            None => from = start + 2,
        }
    }
    None
}

/// Offset after the `)` that closes the parenthesis before `at`. Quotes hide parentheses,
/// unless that leaves nothing closed.
fn closing(text: &str, at: usize) -> Option<usize> {
    closing_with(text, at, true).or_else(|| closing_with(text, at, false))
}

fn closing_with(text: &str, at: usize, mind_quotes: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = 0;
    let mut i = at;
    while i < bytes.len() {
        match bytes[i] {
            b'(' => open += 1,
            b')' if open == 0 => return Some(i + 1),
            b')' => open -= 1,
            b'\'' | b'"' | b'[' if mind_quotes => {
                i = quoted_end(text, i)?;
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    None
}

/// `name(a, b)` into its parts. An `=expression` has no arguments.
fn split_arguments(inner: &str) -> (&str, Vec<String>) {
    if inner.starts_with('=') || inner.contains('=') && !inner.ends_with(')') {
        return (inner, Vec::new());
    }
    let Some(open) = inner.find('(') else {
        return (inner, Vec::new());
    };
    let Some(list) = inner[open + 1..].strip_suffix(')') else {
        return (inner, Vec::new());
    };
    (inner[..open].trim(), split_list(list))
}

/// Splits at commas outside parentheses and quotes; trims the parts.
pub fn split_list(list: &str) -> Vec<String> {
    let bytes = list.as_bytes();
    let mut out = Vec::new();
    let (mut start, mut open, mut i) = (0, 0_i32, 0);
    while i < bytes.len() {
        match bytes[i] {
            b'(' | b'{' => open += 1,
            b')' | b'}' => open -= 1,
            b',' if open <= 0 => {
                out.push(list[start..i].trim().to_owned());
                start = i + 1;
            }
            b'\'' | b'"' | b'[' => {
                if let Some(end) = quoted_end(list, i) {
                    i = end;
                    continue;
                }
            }
            _ => {}
        }
        i += 1;
    }
    let last = list[start..].trim();
    if !last.is_empty() || !out.is_empty() {
        out.push(last.to_owned());
    }
    out
}

/// Replaces `$1` … `$9` by the arguments; those without one become empty when any argument
/// was given, and stay when none was.
fn fill_parameters(text: &str, arguments: &[String]) -> String {
    if arguments.is_empty() {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(n) = rest.find('$') {
        out.push_str(&rest[..n]);
        let after = &rest[n + 1..];
        match after.chars().next().and_then(|c| c.to_digit(10)) {
            Some(digit) if digit > 0 => {
                if let Some(argument) = arguments.get(digit as usize - 1) {
                    out.push_str(argument);
                }
                rest = &after[1..];
            }
            _ => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(name: &str, _: &[String]) -> Option<String> {
        Some(
            match name {
                "v" => "5",
                "i" => "1",
                "v1" => "one",
                "f" => "($1 + $2) * $(v)",
                "loop" => "$(loop)",
                "bomb" => "$(bomb2)$(bomb2)$(bomb2)$(bomb2)",
                "bomb2" => "$(bomb3)$(bomb3)$(bomb3)$(bomb3)",
                "bomb3" => "$(bomb)$(bomb)",
                "=1+(2)" => "3",
                "='a)'" => "a)",
                _ => return None,
            }
            .to_owned(),
        )
    }

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(expand_dollar(text, &mut variables).text, want);
    }

    #[test]
    fn expansions_nest_and_take_parameters() {
        check("a $(v) b", "a 5 b");
        check("$(v$(i))", "one");
        check("$(f(x, g(1,2)))", "(x + g(1,2)) * 5");
        check("$(=1+(2)) $(='a)')", "3 a)");
        check("[$(nothing)]", "[]");
        check("$(v", "$(v");
        check("$v $1", "$v $1");
    }

    #[test]
    fn endless_variables_are_stopped() {
        for name in ["$(loop)", "$(bomb)"] {
            let out = expand_dollar(name, &mut variables);
            assert_eq!(out.diagnostics[0].code, "expand.recursion");
        }
    }

    #[test]
    fn places_map_back() {
        let out = expand_dollar("ab $(v1) cd", &mut variables);
        assert_eq!(out.text, "ab one cd");
        assert_eq!(out.source_span(Span::new(7, 9)), Span::new(9, 11));
        assert_eq!(out.source_span(Span::new(4, 5)), Span::new(3, 8));
        assert_eq!(out.source_span(Span::new(0, 9)), Span::new(0, 11));
    }
}
