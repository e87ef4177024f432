//! The lines of a script, indented by the blocks they stand in.
//!
//! Only the blanks before the first word of a statement or of a block's parts change: what
//! goes on over several lines, inline data and comments within it stay as they are written.

use crate::lexer::word_end;
use crate::{Item, ItemKind, Script, parse_script};

/// The text with its statements indented by `step` for each block around them, and without
/// blanks at the ends of the lines it touches. A script that does not parse stays as it is.
pub fn format_script(text: &str, step: &str) -> String {
    let (script, diagnostics) = parse_script(text);
    if !diagnostics.is_empty() {
        return text.to_owned();
    }
    let marks = Marks::of(&script);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lead = line.len() - line.trim_start_matches([' ', '\t']).len();
        match marks.depth(text, at + lead) {
            Some(depth) if !line.trim().is_empty() => {
                out.push_str(&step.repeat(depth));
                out.push_str(&line[lead..]);
            }
            _ => out.push_str(line),
        }
        at += line.len();
    }
    let (again, problems) = parse_script(&out);
    // What a person relies on: the same statements in the same order.
    if problems.is_empty() && same(&script.items, text, &again.items, &out) {
        out
    } else {
        text.to_owned()
    }
}

/// Whether both have the same statements in the same blocks.
fn same(a: &[Item], text_a: &str, b: &[Item], text_b: &str) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(x, y)| {
            std::mem::discriminant(&x.kind) == std::mem::discriminant(&y.kind)
                && (!matches!(x.kind, ItemKind::Statement)
                    || x.span.text(text_a) == y.span.text(text_b))
                && bodies(x).len() == bodies(y).len()
                && (bodies(x).iter().zip(bodies(y))).all(|(p, q)| same(p, text_a, q, text_b))
        })
}

fn bodies(item: &Item) -> Vec<&[Item]> {
    match &item.kind {
        ItemKind::If {
            branches,
            otherwise,
        } => (branches.iter().map(|b| b.body.as_slice()))
            .chain(otherwise.as_deref())
            .collect(),
        ItemKind::Switch {
            cases, otherwise, ..
        } => (cases.iter().map(|c| c.body.as_slice()))
            .chain(otherwise.as_deref())
            .collect(),
        ItemKind::For { body, .. }
        | ItemKind::ForEach { body, .. }
        | ItemKind::Do { body, .. }
        | ItemKind::Sub { body, .. } => vec![body],
        _ => Vec::new(),
    }
}

/// Spans of statements and blocks with their depth, in order of place.
struct Marks {
    statements: Vec<(usize, usize, usize)>,
    blocks: Vec<(usize, usize, usize)>,
}

impl Marks {
    fn of(script: &Script) -> Self {
        let mut marks = Self {
            statements: Vec::new(),
            blocks: Vec::new(),
        };
        marks.items(&script.items, 0);
        marks
    }

    fn items(&mut self, items: &[Item], depth: usize) {
        for item in items {
            let (start, end) = (item.span.start as usize, item.span.end as usize);
            let inner = bodies(item);
            if inner.is_empty() && !matches!(item.kind, ItemKind::Sub { .. }) {
                self.statements.push((start, end, depth));
                continue;
            }
            self.blocks.push((start, end, depth));
            let is_switch = matches!(item.kind, ItemKind::Switch { .. });
            for body in inner {
                self.items(body, depth + 1 + usize::from(is_switch));
            }
        }
    }

    /// How deep the line whose first word is at `at` stands; `None` to leave it.
    fn depth(&self, text: &str, at: usize) -> Option<usize> {
        let found = self
            .statements
            .iter()
            .find(|(s, e, _)| (*s..*e).contains(&at));
        if let Some((start, _, depth)) = found {
            return (*start == at).then_some(*depth);
        }
        let (start, _, depth) = *(self.blocks.iter())
            .filter(|(s, e, _)| (*s..*e).contains(&at))
            .max_by_key(|(s, ..)| *s)?;
        if start == at {
            return Some(depth);
        }
        let word = text[at..word_end(text, at)].to_ascii_lowercase();
        match word.as_str() {
            "end" | "endif" | "endsub" | "endswitch" | "else" | "elseif" | "next" | "loop" => {
                Some(depth)
            }
            "case" | "default" => Some(depth + 1),
            _ => None,
        }
    }
}
