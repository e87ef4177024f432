//! Finds statements and blocks in a script's text.
//!
//! Plain statements end at a `;` outside quotes. Control statements end at a `;` or at the
//! end of their line (`IF` at its `THEN`, whatever lines that takes).

use super::{Branch, Condition, ExitTarget, Item, ItemKind, Script, Tab};
use crate::expression::MAX_DEPTH;
use crate::lexer::{comment_end, quoted_end, skip_blank, unclosed, unquote, word_end};
use crate::{Diagnostic, Name, Span};

/// The outline of a script. Never fails: what is broken is left out and has a diagnostic.
pub fn parse_script(text: &str) -> (Script, Vec<Diagnostic>) {
    let mut scanner = Scanner {
        text,
        at: 0,
        open: Vec::new(),
        diagnostics: Vec::new(),
    };
    let mut items = Vec::new();
    loop {
        let (more, closer) = scanner.block();
        items.extend(more);
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
    (script, scanner.diagnostics)
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

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Block>,
    diagnostics: Vec<Diagnostic>,
}

/// Where a scan stops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// At a `;`.
    Semicolon,
    /// At a `;`, whatever quotes stand before it.
    FirstSemicolon,
    /// At a `;` or line end outside parentheses.
    LineEnd,
    /// At the word outside parentheses, or at a `;`.
    Word(&'static str),
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

    fn is_mine_or_outer(&self, close: Close) -> bool {
        self.open.iter().any(|b| b.closers().contains(&close))
    }

    fn word(&self, at: usize) -> &'a str {
        &self.text[at..word_end(self.text, at)]
    }

    fn next_word(&self, at: usize) -> (usize, String) {
        let start = skip_blank(self.text, at);
        (start, self.word(start).to_ascii_lowercase())
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
                self.diagnostics.push(
                    Diagnostic::error(
                        "script.unclosed_block",
                        head,
                        format!("this {name} is never closed"),
                    )
                    .with_hint(format!("put `{end}` where the block ends")),
                );
                (items, None)
            }
        }
    }

    fn if_block(&mut self, after: usize) -> Option<ItemKind> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        let mut at = after;
        loop {
            let head = Span::new(at.saturating_sub(2), at);
            let condition = self.scan(at, Until::Word("then"));
            if !self.word(self.at).eq_ignore_ascii_case("then") {
                self.diagnostics.push(
                    Diagnostic::error("script.missing_then", head, "this IF has no THEN")
                        .with_hint("write IF condition THEN"),
                );
            } else {
                self.at += 4;
            }
            let (body, close) = self.body(head);
            branches.push(Branch { condition, body });
            match close {
                Some(Close::ElseIf) => at = self.at,
                Some(Close::Else) => {
                    let (body, close) = self.body(head);
                    otherwise = Some(body);
                    if close.is_some_and(|c| c != Close::EndIf) {
                        let span = Span::new(self.at.saturating_sub(4), self.at);
                        self.error(
                            "script.unexpected_block_end",
                            span,
                            "only END IF may follow the ELSE part".to_owned(),
                        );
                        self.line_end();
                    }
                    break;
                }
                _ => break,
            }
        }
        self.line_end_word();
        Some(ItemKind::If {
            branches,
            otherwise,
        })
    }

    fn for_block(&mut self, after: usize) -> Option<ItemKind> {
        let head = Span::new(after - 3, after);
        let name_at = skip_blank(self.text, after);
        let variable = self.name(name_at);
        let equals = skip_blank(self.text, variable.span.end as usize);
        let mut is_good = !variable.text.is_empty() && self.text[equals..].starts_with('=');
        let from = self.scan(equals + usize::from(is_good), Until::Word("to"));
        is_good &= self.word(self.at).eq_ignore_ascii_case("to");
        let after_to = self.at + if is_good { 2 } else { 0 };
        let line = self.scan(after_to, Until::LineEnd);
        if !is_good {
            self.diagnostics.push(
                Diagnostic::error("script.bad_for", head, "this FOR is incomplete")
                    .with_hint("write FOR i = 1 TO 10 [STEP 2]"),
            );
        }
        let (to, step) = self.split_at_word(line, "step");
        let (body, _) = self.body(head);
        self.line_end();
        is_good.then_some(ItemKind::For {
            variable,
            from,
            to,
            step,
            body,
        })
    }

    fn for_each(&mut self, after: usize) -> Option<ItemKind> {
        let head = Span::new(after - 4, after);
        let variable = self.name(skip_blank(self.text, after));
        let (in_at, word) = self.next_word(variable.span.end as usize);
        let is_good = !variable.text.is_empty() && word == "in";
        let mut list = self.scan(in_at + if is_good { 2 } else { 0 }, Until::LineEnd);
        // A list may go on in the next line after a comma.
        while list.text(self.text).ends_with(',') {
            let next_line = skip_blank(self.text, self.at);
            let more = self.scan(next_line, Until::LineEnd);
            if more.is_empty() {
                break;
            }
            list = list.to(more);
        }
        if !is_good {
            self.diagnostics.push(
                Diagnostic::error("script.bad_for", head, "this FOR EACH is incomplete")
                    .with_hint("write FOR EACH v IN 'a', 'b'"),
            );
        }
        let (body, _) = self.body(head);
        self.line_end();
        is_good.then_some(ItemKind::ForEach {
            variable,
            list,
            body,
        })
    }

    fn do_block(&mut self, after: usize) -> Option<ItemKind> {
        let head_span = Span::new(after - 2, after);
        let head = self.loop_condition(after);
        let (body, close) = self.body(head_span);
        let tail = if close.is_some() {
            self.loop_condition(self.at)
        } else {
            None
        };
        Some(ItemKind::Do { head, body, tail })
    }

    fn loop_condition(&mut self, at: usize) -> Option<Condition> {
        let rest = self.scan(at, Until::LineEnd);
        if rest.is_empty() {
            return None;
        }
        let word = self.word(rest.start as usize).to_ascii_lowercase();
        let holds = match word.as_str() {
            "while" => true,
            "until" => false,
            _ => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "script.bad_loop",
                        rest,
                        "expected WHILE or UNTIL here, or nothing",
                    )
                    .with_hint("write DO WHILE condition … LOOP"),
                );
                return None;
            }
        };
        let start = skip_blank(self.text, rest.start as usize + word.len());
        Some(Condition {
            holds,
            span: Span::new(start, (rest.end as usize).max(start)),
        })
    }

    fn sub_block(&mut self, after: usize) -> Option<ItemKind> {
        let head = Span::new(after - 3, after);
        let name = self.name(skip_blank(self.text, after));
        let mut parameters = Vec::new();
        let line = self.scan(name.span.end as usize, Until::LineEnd);
        let list = line.text(self.text);
        if let Some(list) = list.strip_prefix('(').and_then(|l| l.strip_suffix(')')) {
            parameters = crate::expand::split_list(list)
                .iter()
                .map(|p| unquote(p))
                .collect();
        } else if !list.is_empty() {
            self.error(
                "script.bad_sub",
                line,
                "expected the parameters in parentheses, or nothing".to_owned(),
            );
        }
        let (body, _) = self.body(head);
        self.line_end_word();
        if name.text.is_empty() {
            self.error("script.bad_sub", head, "this SUB has no name".to_owned());
            return None;
        }
        Some(ItemKind::Sub {
            name,
            parameters,
            body,
        })
    }

    fn switch_block(&mut self, after: usize) -> Option<ItemKind> {
        let head = Span::new(after - 6, after);
        let subject = self.scan(after, Until::LineEnd);
        let mut cases = Vec::new();
        let mut otherwise = None;
        let (stray, mut close) = self.body(head);
        if let Some(first) = stray.first() {
            self.error(
                "script.bad_switch",
                first.span,
                "statements before the first CASE never run".to_owned(),
            );
        }
        loop {
            match close {
                Some(Close::Case) => {
                    let condition = self.scan(self.at, Until::LineEnd);
                    let (body, next) = self.body(head);
                    cases.push(Branch { condition, body });
                    close = next;
                }
                Some(Close::Default) => {
                    let (body, next) = self.body(head);
                    otherwise = Some(body);
                    close = next;
                }
                _ => break,
            }
        }
        self.line_end_word();
        Some(ItemKind::Switch {
            subject,
            cases,
            otherwise,
        })
    }

    fn call(&mut self, after: usize) -> Option<ItemKind> {
        let name = self.name(skip_blank(self.text, after));
        let line = self.scan(name.span.end as usize, Until::LineEnd);
        let inner = line.text(self.text);
        let is_list = inner.starts_with('(') && inner.ends_with(')') && inner.len() > 1;
        if name.text.is_empty() || !(is_list || inner.is_empty()) {
            self.diagnostics.push(
                Diagnostic::error("script.bad_call", line, "this CALL is incomplete")
                    .with_hint("write CALL Name or CALL Name(argument, argument)"),
            );
            return None;
        }
        let arguments = if is_list {
            Span {
                start: line.start + 1,
                end: line.end - 1,
            }
        } else {
            line
        };
        Some(ItemKind::Call { name, arguments })
    }

    fn exit(&mut self, target: ExitTarget, after: usize) -> Option<ItemKind> {
        let rest = self.scan(after, Until::LineEnd);
        let mut condition = None;
        if !rest.is_empty() {
            let word = self.word(rest.start as usize).to_ascii_lowercase();
            if word != "when" && word != "unless" {
                self.error(
                    "script.bad_exit",
                    rest,
                    "expected WHEN or UNLESS here, or nothing".to_owned(),
                );
                return None;
            }
            let start = skip_blank(self.text, rest.start as usize + word.len());
            condition = Some(Condition {
                holds: word == "when",
                span: Span::new(start, (rest.end as usize).max(start)),
            });
        }
        Some(ItemKind::Exit { target, condition })
    }

    /// `$(include=…)` or `$(must_include=…)`, with or without `;`.
    fn include(&mut self, start: usize) -> Option<Item> {
        let (word_at, word) = self.next_word(start + 2);
        let required = match word.as_str() {
            "include" => false,
            "must_include" => true,
            _ => return None,
        };
        let equals = skip_blank(self.text, word_at + word.len());
        if !self.text[equals..].starts_with('=') {
            return None;
        }
        let mut end = equals + 1;
        let mut open = 0_u32;
        loop {
            match self.text.as_bytes().get(end)? {
                b'(' => open += 1,
                b')' if open == 0 => break,
                b')' => open -= 1,
                b'\n' => return None,
                _ => {}
            }
            end += 1;
        }
        let raw = &self.text[equals + 1..end];
        let path_start = equals + 1 + (raw.len() - raw.trim_start().len());
        self.at = end + 1;
        Some(Item {
            kind: ItemKind::Include {
                path: Span::new(path_start, path_start + raw.trim().len()),
                required,
            },
            span: Span::new(start, end + 1),
        })
    }

    fn statement(&mut self, start: usize, word: &str) -> Item {
        let until = if matches!(word, "rem" | "trace") {
            Until::FirstSemicolon
        } else {
            Until::Semicolon
        };
        let span = self.scan(start, until);
        if self.text[self.at..].starts_with(';') {
            self.at += 1;
        }
        Item {
            kind: ItemKind::Statement,
            span,
        }
    }

    /// A name at `at`: a word, or anything in quotes. Empty if there is none.
    fn name(&self, at: usize) -> Name {
        let end = match self.text[at..].chars().next() {
            Some('\'' | '"' | '[' | '`') => quoted_end(self.text, at).unwrap_or(at),
            _ => {
                // A name may be made of expansions: `$(v)_x`.
                let mut end = word_end(self.text, at);
                while self.text[..end].ends_with('$') && self.text[end..].starts_with('(') {
                    match self.text[end..].find(')') {
                        Some(n) => end = word_end(self.text, end + n + 1),
                        None => break,
                    }
                }
                end
            }
        };
        Name {
            text: unquote(&self.text[at..end]),
            span: Span::new(at, end),
        }
    }

    /// Moves from `start` to where `until` says; the trimmed text between. Always moves on
    /// by whole characters and never past the end.
    fn scan(&mut self, start: usize, until: Until) -> Span {
        let bytes = self.text.as_bytes();
        let mut i = start.min(self.text.len());
        let mut open = 0_i32;
        let mut content_end = i;
        let mut is_word_start = true;
        while i < bytes.len() {
            let byte = bytes[i];
            if byte == b';' || byte == b'\n' && until == Until::LineEnd && open <= 0 {
                break;
            }
            if until != Until::FirstSemicolon {
                if matches!(byte, b'/')
                    && let Some(end) = comment_end(self.text, i)
                {
                    i = end;
                    is_word_start = true;
                    continue;
                }
                if matches!(byte, b'\'' | b'"' | b'[' | b'`') {
                    match quoted_end(self.text, i) {
                        Some(end) => {
                            i = end;
                            content_end = i;
                            is_word_start = true;
                            continue;
                        }
                        None => {
                            if self.diagnostics.len() < 200 {
                                self.diagnostics.push(unclosed(self.text, i));
                            }
                            // One report is enough: read on without minding quotes.
                            let stop = self.text[i..].find(';').map_or(self.text.len(), |n| i + n);
                            content_end = stop;
                            i = stop;
                            break;
                        }
                    }
                }
                match byte {
                    b'(' => open += 1,
                    b')' => open -= 1,
                    _ => {}
                }
                if let Until::Word(word) = until
                    && is_word_start
                    && open <= 0
                    && self.word(i).eq_ignore_ascii_case(word)
                {
                    break;
                }
            }
            let c = self.text[i..].chars().next().unwrap_or(' ');
            i += c.len_utf8();
            is_word_start = !crate::lexer::is_word_char(c);
            if !c.is_whitespace() {
                content_end = i;
            }
        }
        self.at = i;
        let first = skip_blank(self.text, start.min(self.text.len())).min(content_end.max(start));
        Span::new(first, content_end.max(first))
    }

    /// `a STEP b` into its two parts.
    fn split_at_word(&self, span: Span, word: &str) -> (Span, Option<Span>) {
        let text = span.text(self.text);
        let mut i = 0;
        let mut open = 0_i32;
        while i < text.len() {
            let c = text[i..].chars().next().unwrap_or(' ');
            if matches!(c, '\'' | '"' | '[' | '`')
                && let Some(end) = quoted_end(text, i)
            {
                i = end;
                continue;
            }
            match c {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if crate::lexer::is_word_char(c) {
                let end = word_end(text, i);
                if open <= 0 && text[i..end].eq_ignore_ascii_case(word) {
                    let start = span.start as usize;
                    let first = text[..i].trim_end().len();
                    let second = skip_blank(text, end);
                    return (
                        Span::new(start, start + first),
                        Some(Span::new(start + second, start + text.len())),
                    );
                }
                i = end;
                continue;
            }
            i += c.len_utf8();
        }
        (span, None)
    }

    /// Ends a control statement: skips the rest of its line, up to a `;`.
    fn line_end(&mut self) {
        self.scan(self.at, Until::LineEnd);
    }

    /// Ends `END IF` and the like: only a `;` is skipped, so a statement may follow at once.
    fn line_end_word(&mut self) {
        let next = skip_blank(self.text, self.at);
        if self.text[next..].starts_with(';') {
            self.at = next + 1;
        }
    }

    fn error(&mut self, code: &'static str, span: Span, message: String) {
        if self.diagnostics.len() < 200 {
            self.diagnostics
                .push(Diagnostic::error(code, span, message));
        }
    }
}
