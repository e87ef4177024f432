//! Control statements: `IF`, `FOR`, `DO`, `SUB`, `SWITCH`, `CALL`, `EXIT` and `$(include=…)`.

use super::scan::Until;
use super::{Close, Scanner};
use crate::lexer::{skip_blank, unquote};
use crate::script::{Branch, Condition, ExitTarget, Item, ItemKind};
use crate::{Diagnostic, Span};

impl Scanner<'_> {
    pub(super) fn if_block(&mut self, after: usize) -> Option<ItemKind> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        let mut at = after;
        loop {
            let head = Span::new(at.saturating_sub(2), at);
            let n_found = self.diagnostics.len();
            let mut condition = self.scan(at, Until::Word("then"));
            let is_one_line = !condition.text(self.text).contains('\n');
            if !is_one_line && self.lacks_then(condition) {
                // The line ends the condition, as scripts in the world rely on.
                self.diagnostics.truncate(n_found);
                condition = self.assignment(at);
                self.diagnostics.push(
                    Diagnostic::warning("script.missing_then", head, "this IF has no THEN")
                        .with_hint("write IF condition THEN; its line is taken as the condition"),
                );
            } else if self.text[self.at..].starts_with(';') && !condition.is_empty() {
                // `IF condition;` is written in the world, and means the same.
                self.at += 1;
            } else if !self.word(self.at).eq_ignore_ascii_case("then") {
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
                    let (body, mut close) = self.body(head);
                    otherwise = Some(body);
                    // Whatever came before it, a second ELSE part never runs.
                    while close.is_some_and(|c| c != Close::EndIf) {
                        let span = Span::new(self.at.saturating_sub(4), self.at);
                        self.diagnostics.push(
                            Diagnostic::warning(
                                "script.never_runs",
                                span,
                                "this part comes after the ELSE part and never runs",
                            )
                            .with_hint("put END IF where the IF ends"),
                        );
                        self.line_end_word();
                        if close == Some(Close::ElseIf) {
                            self.scan(self.at, Until::Word("then"));
                            self.at += self.word(self.at).len();
                        }
                        close = self.body(head).1;
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

    /// Whether what was read for a condition of several lines ran into the block: no THEN
    /// follows, or a line of it begins a statement.
    fn lacks_then(&self, condition: Span) -> bool {
        /// Words no line of a condition begins with.
        const BEGINNINGS: [&str; 12] = [
            "if", "for", "call", "do", "sub", "exit", "set", "let", "trace", "drop", "store",
            "load",
        ];
        !self.word(self.at).eq_ignore_ascii_case("then")
            || (condition.text(self.text).lines().skip(1)).any(|line| {
                let line = line.trim_start();
                let n = line.find(|c: char| !crate::lexer::is_word_char(c));
                let word = &line[..n.unwrap_or(line.len())];
                // `if(` calls the function.
                !line[word.len()..].trim_start().starts_with('(')
                    && BEGINNINGS.iter().any(|b| word.eq_ignore_ascii_case(b))
            })
    }

    pub(super) fn for_block(&mut self, after: usize) -> Option<ItemKind> {
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

    pub(super) fn for_each(&mut self, after: usize) -> Option<ItemKind> {
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

    pub(super) fn do_block(&mut self, after: usize) -> Option<ItemKind> {
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

    pub(super) fn loop_condition(&mut self, at: usize) -> Option<Condition> {
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

    pub(super) fn sub_block(&mut self, after: usize) -> Option<ItemKind> {
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

    pub(super) fn switch_block(&mut self, after: usize) -> Option<ItemKind> {
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

    pub(super) fn call(&mut self, after: usize) -> Option<ItemKind> {
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

    pub(super) fn exit(&mut self, target: ExitTarget, after: usize) -> Option<ItemKind> {
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
    pub(super) fn include(&mut self, start: usize) -> Option<Item> {
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
}
