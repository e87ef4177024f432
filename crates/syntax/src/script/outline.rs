//! Finds statements and blocks in a script's text.
//!
//! Plain statements end at a `;` outside quotes. Control statements end at a `;` or at the
//! end of their line (`IF` at its `THEN`, whatever lines that takes).

mod control;
mod scan;

use self::scan::Until;
use super::{ExitTarget, Item, ItemKind, Script, Tab};
use crate::expression::MAX_DEPTH;
use crate::lexer::skip_blank;
use crate::{Diagnostic, Span};

/// The outline of a script. Never fails: what is broken is left out and has a diagnostic.
pub fn parse_script(text: &str) -> (Script, Vec<Diagnostic>) {
    let mut scanner = Scanner {
        text,
        at: 0,
        open: Vec::new(),
        diagnostics: Vec::new(),
    };
    let mut items = Vec::new();
    let mut reached = text.len();
    loop {
        let (more, closer) = scanner.block();
        items.extend(more);
        // What follows is never read, so scripts keep notes and unfinished parts there.
        if let Some(exit) = items.iter().find(|item: &&Item| item.leaves_script()) {
            reached = exit.span.end as usize;
        }
        match closer {
            None => break,
            Some(closer) => {
                let message = format!("`{}` without a block it belongs to", closer.words());
                scanner.error("script.unexpected_block_end", closer.span, message);
                scanner.line_end();
            }
        }
    }
    let script = Script {
        items,
        tabs: tabs(text),
    };
    let mut diagnostics = scanner.diagnostics;
    diagnostics.retain(|d| d.span.start as usize <= reached);
    (script, diagnostics)
}

fn tabs(text: &str) -> Vec<Tab> {
    let mut out = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.trim_start().strip_prefix("///$tab") {
            out.push(Tab {
                name: name.trim().to_owned(),
                span: Span::new(at, at + line.trim_end().len()),
            });
        }
        at += line.len();
    }
    out
}

/// A word that ends a block or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Close {
    ElseIf,
    Else,
    EndIf,
    Next,
    Loop,
    EndSub,
    Case,
    Default,
    EndSwitch,
}

struct Closer {
    close: Close,
    span: Span,
}

impl Closer {
    fn words(&self) -> &'static str {
        match self.close {
            Close::ElseIf => "ELSEIF",
            Close::Else => "ELSE",
            Close::EndIf => "END IF",
            Close::Next => "NEXT",
            Close::Loop => "LOOP",
            Close::EndSub => "END SUB",
            Close::Case => "CASE",
            Close::Default => "DEFAULT",
            Close::EndSwitch => "END SWITCH",
        }
    }
}

/// A block that is open: its closers and how to name it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    If,
    For,
    Do,
    Sub,
    Switch,
}

impl Block {
    fn closers(self) -> &'static [Close] {
        match self {
            Self::If => &[Close::ElseIf, Close::Else, Close::EndIf],
            Self::For => &[Close::Next],
            Self::Do => &[Close::Loop],
            Self::Sub => &[Close::EndSub],
            Self::Switch => &[Close::Case, Close::Default, Close::EndSwitch],
        }
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::If => ("IF", "END IF"),
            Self::For => ("FOR", "NEXT"),
            Self::Do => ("DO", "LOOP"),
            Self::Sub => ("SUB", "END SUB"),
            Self::Switch => ("SWITCH", "END SWITCH"),
        }
    }
}

/// Words that begin or end blocks, or stand alone on their line.
const CONTROL_WORDS: [&str; 17] = [
    "end",
    "endif",
    "endsub",
    "endswitch",
    "else",
    "elseif",
    "next",
    "loop",
    "case",
    "default",
    "if",
    "for",
    "do",
    "sub",
    "call",
    "exit",
    "switch",
];

fn is_operator_word(word: &str) -> bool {
    ["and", "or", "xor", "not", "like"]
        .iter()
        .any(|w| word.eq_ignore_ascii_case(w))
}

fn last_word(text: &str) -> &str {
    text.rsplit(|c: char| !crate::lexer::is_word_char(c))
        .next()
        .unwrap_or_default()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Block>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Scanner<'a> {
    /// Items up to a closer of any block, or the end of the text.
    fn block(&mut self) -> (Vec<Item>, Option<Closer>) {
        let mut items = Vec::new();
        loop {
            self.at = skip_blank(self.text, self.at);
            if self.at >= self.text.len() {
                return (items, None);
            }
            if self.text.as_bytes()[self.at] == b';' {
                self.at += 1;
                continue;
            }
            let start = self.at;
            let word = self.word(start).to_ascii_lowercase();
            if !self.is_label_or_assignment(start + word.len()) {
                if let Some(closer) = self.closer(&word) {
                    if !self.is_mine_or_outer(closer.close) && !self.open.is_empty() {
                        let message = format!("`{}` without a block it belongs to", closer.words());
                        self.error("script.unexpected_block_end", closer.span, message);
                        self.line_end();
                        continue;
                    }
                    return (items, Some(closer));
                }
                if let Some(item) = self.control(&word, start) {
                    items.extend(item);
                    debug_assert!(self.at > start);
                    continue;
                }
            }
            if self.text[start..].starts_with("$(")
                && let Some(item) = self.include(start)
            {
                items.push(item);
                continue;
            }
            items.push(self.statement(start, &word));
        }
    }

    /// `name = …` without `LET`.
    fn is_assignment(&self, start: usize) -> bool {
        let name = self.name(start);
        let after = skip_blank(self.text, name.span.end as usize);
        !name.text.is_empty() && self.text[after..].starts_with('=')
    }

    /// Without `LET` an assignment may end with its line, unless that leaves it unfinished.
    fn assignment(&mut self, start: usize) -> Span {
        let mut span = self.scan(start, Until::LineEnd);
        while self.text[self.at..].starts_with('\n') {
            let next = skip_blank(self.text, self.at);
            let goes_on = span.text(self.text).ends_with(|c| "=&+-*/<>,".contains(c))
                || self.text[next..].starts_with(|c| ";&+-*/<>=,)^".contains(c))
                || is_operator_word(last_word(span.text(self.text)))
                || is_operator_word(self.word(next));
            if !goes_on {
                break;
            }
            span = span.to(self.scan(next, Until::LineEnd));
        }
        span
    }

    /// `$(v)` on a line of its own needs no `;` where a control word follows: the variable
    /// holds whole statements.
    fn lone_expansion(&mut self, start: usize) -> Option<Span> {
        let line = self.text[start..].lines().next().unwrap_or_default();
        let end = start + line.trim_end().len();
        let inner = self.text[start..end]
            .strip_prefix("$(")?
            .strip_suffix(')')?;
        if inner.contains([')', ';', '\'', '"']) {
            return None;
        }
        let next = skip_blank(self.text, end);
        let word = self.word(next).to_ascii_lowercase();
        let is_control = CONTROL_WORDS.contains(&word.as_str())
            && !self.is_label_or_assignment(next + word.len());
        is_control.then(|| {
            self.at = next;
            Span::new(start, end)
        })
    }

    fn is_mine_or_outer(&self, close: Close) -> bool {
        self.open.iter().any(|b| b.closers().contains(&close))
    }

    /// `Case: LOAD …` labels a table and `next = 5` sets a variable, whatever the word.
    fn is_label_or_assignment(&self, after_word: usize) -> bool {
        let rest = &self.text[skip_blank(self.text, after_word)..];
        rest.starts_with(':') || rest.starts_with('=')
    }

    /// If `word` at the cursor ends a block: moves behind it.
    fn closer(&mut self, word: &str) -> Option<Closer> {
        let start = self.at;
        let (next_at, next) = self.next_word(start + word.len());
        let (close, end) = match (word, next.as_str()) {
            ("end", "if") => (Close::EndIf, next_at + 2),
            ("end", "sub") => (Close::EndSub, next_at + 3),
            ("end", "switch") => (Close::EndSwitch, next_at + 6),
            ("endif", _) => (Close::EndIf, start + 5),
            ("endsub", _) => (Close::EndSub, start + 6),
            ("endswitch", _) => (Close::EndSwitch, start + 9),
            ("else", _) => (Close::Else, start + 4),
            ("elseif", _) => (Close::ElseIf, start + 6),
            ("next", _) => (Close::Next, start + 4),
            ("loop", _) => (Close::Loop, start + 4),
            ("case", _) => (Close::Case, start + 4),
            ("default", _) => (Close::Default, start + 7),
            _ => return None,
        };
        self.at = end;
        Some(Closer {
            close,
            span: Span::new(start, end),
        })
    }

    /// If `word` begins a control statement: the item, or nothing if it was broken.
    fn control(&mut self, word: &str, start: usize) -> Option<Option<Item>> {
        let (next_at, next) = self.next_word(start + word.len());
        let kind = match (word, next.as_str()) {
            ("if", _) => self.opened(Block::If, start, |s| s.if_block(start + 2)),
            ("for", "each") => self.opened(Block::For, start, |s| s.for_each(next_at + 4)),
            ("for", _) => self.opened(Block::For, start, |s| s.for_block(start + 3)),
            ("do", _) => self.opened(Block::Do, start, |s| s.do_block(start + 2)),
            ("sub", _) => self.opened(Block::Sub, start, |s| s.sub_block(start + 3)),
            ("switch", _) => self.opened(Block::Switch, start, |s| s.switch_block(start + 6)),
            ("call", _) => self.call(start + 4),
            ("exit", "script") => self.exit(ExitTarget::Script, next_at + 6),
            ("exit", "sub") => self.exit(ExitTarget::Sub, next_at + 3),
            ("exit", "for") => self.exit(ExitTarget::For, next_at + 3),
            ("exit", "do") => self.exit(ExitTarget::Do, next_at + 2),
            _ => return None,
        };
        let end = start + self.text[start..self.at].trim_end().len();
        Some(kind.map(|kind| Item {
            kind,
            span: Span::new(start, end),
        }))
    }

    fn opened(
        &mut self,
        block: Block,
        start: usize,
        inner: impl FnOnce(&mut Self) -> Option<ItemKind>,
    ) -> Option<ItemKind> {
        if self.open.len() >= MAX_DEPTH as usize {
            let span = Span::new(start, start + 1);
            self.error(
                "script.too_deep",
                span,
                "blocks are nested too deeply".to_owned(),
            );
            self.at = self.text.len();
            return None;
        }
        self.open.push(block);
        let kind = inner(self);
        self.open.pop();
        kind
    }

    /// Items of the present block up to one of its closers, which is eaten. `None` if the
    /// block is never closed; the closer of an outer block then stays.
    fn body(&mut self, head: Span) -> (Vec<Item>, Option<Close>) {
        let block = *self.open.last().expect("a body is read inside a block");
        let (items, closer) = self.block();
        match closer {
            Some(closer) if block.closers().contains(&closer.close) => (items, Some(closer.close)),
            other => {
                if let Some(closer) = other {
                    self.at = closer.span.start as usize;
                }
                let (name, end) = block.names();
                let message = format!("this {name} is never closed");
                // Scripts of the world leave out a last END IF, and run.
                let found = if block == Block::If && self.at >= self.text.len() {
                    Diagnostic::warning("script.unclosed_block", head, message)
                        .with_hint(format!("put `{end}` where it ends; it reaches to the end"))
                } else {
                    Diagnostic::error("script.unclosed_block", head, message)
                        .with_hint(format!("put `{end}` where the block ends"))
                };
                self.diagnostics.push(found);
                (items, None)
            }
        }
    }

    fn statement(&mut self, start: usize, word: &str) -> Item {
        let span = if matches!(word, "rem" | "trace") {
            self.scan(start, Until::FirstSemicolon)
        } else if self.is_assignment(start) {
            self.assignment(start)
        } else if let Some(span) = self.lone_expansion(start) {
            span
        } else {
            self.scan(start, Until::Semicolon)
        };
        if self.text[self.at..].starts_with(';') {
            self.at += 1;
        }
        Item {
            kind: ItemKind::Statement,
            span,
        }
    }
}
