//! A script's outline: which statements there are and which blocks hold them.
//!
//! `$()` is expanded while a script runs, so the outline keeps spans of raw text: a plain
//! statement is expanded and then given to [`parse_statement`](crate::parse_statement),
//! a condition or bound is expanded and then parsed as an expression.

mod outline;

use crate::{Diagnostic, Name, Span, parse_expression, parse_statement};

pub use outline::parse_script;

/// A script's items in order, and its sections as an editor shows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// Statements and blocks.
    pub items: Vec<Item>,
    /// The `///$tab` markers in order.
    pub tabs: Vec<Tab>,
}

/// A `///$tab Name` marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// The name.
    pub name: String,
    /// The marker's line.
    pub span: Span,
}

/// A statement or block, with its whole span.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// From the first character to the last, the closing `;` not included.
    pub span: Span,
}

impl Item {
    /// Whether nothing after it is read: `EXIT SCRIPT` without a condition.
    pub fn leaves_script(&self) -> bool {
        matches!(
            self.kind,
            ItemKind::Exit {
                target: ExitTarget::Script,
                condition: None,
            }
        )
    }
}

/// What an item is. All spans are raw text before `$()` expansion.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// A plain statement: the item's span is its text.
    Statement,
    /// `$(include=path)` or `$(must_include=path)`.
    Include {
        /// The path.
        path: Span,
        /// A missing file is an error.
        required: bool,
    },
    /// `IF … THEN … ELSEIF … ELSE … END IF`
    If {
        /// Conditions with what follows them, in order.
        branches: Vec<Branch>,
        /// What follows `ELSE`.
        otherwise: Option<Vec<Item>>,
    },
    /// `FOR i = a TO b [STEP c] … NEXT`
    For {
        /// The counting variable.
        variable: Name,
        /// First value, an expression.
        from: Span,
        /// Last value, an expression.
        to: Span,
        /// The step, an expression; 1 if absent.
        step: Option<Span>,
        /// What is repeated.
        body: Vec<Item>,
    },
    /// `FOR EACH v IN list … NEXT`
    ForEach {
        /// The variable.
        variable: Name,
        /// Values, separated by commas.
        list: Span,
        /// What is repeated.
        body: Vec<Item>,
    },
    /// `DO [WHILE|UNTIL c] … LOOP [WHILE|UNTIL c]`
    Do {
        /// Checked before each turn.
        head: Option<Condition>,
        /// What is repeated.
        body: Vec<Item>,
        /// Checked after each turn.
        tail: Option<Condition>,
    },
    /// `SUB name(a, b) … END SUB`
    Sub {
        /// Its name.
        name: Name,
        /// The parameters.
        parameters: Vec<String>,
        /// What a call runs.
        body: Vec<Item>,
    },
    /// `CALL name(arguments)`
    Call {
        /// The sub.
        name: Name,
        /// What stands between the parentheses.
        arguments: Span,
    },
    /// `EXIT SCRIPT|SUB|FOR|DO [WHEN|UNLESS c]`
    Exit {
        /// What is left.
        target: ExitTarget,
        /// Only if this holds.
        condition: Option<Condition>,
    },
    /// `SWITCH e … CASE a, b … DEFAULT … END SWITCH`
    Switch {
        /// The expression whose value chooses.
        subject: Span,
        /// Values with what follows them.
        cases: Vec<Branch>,
        /// What follows `DEFAULT`.
        otherwise: Option<Vec<Item>>,
    },
}

/// A condition (or list of values of a `CASE`) and what it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The condition, an expression; for `CASE` values separated by commas.
    pub condition: Span,
    /// What runs.
    pub body: Vec<Item>,
}

/// A condition that must hold, or must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it must hold (`WHILE`, `WHEN`) or not (`UNTIL`, `UNLESS`).
    pub holds: bool,
    /// The expression.
    pub span: Span,
}

/// What `EXIT` leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitTarget {
    /// The whole script.
    Script,
    /// The sub that runs.
    Sub,
    /// The innermost `FOR`.
    For,
    /// The innermost `DO`.
    Do,
}

/// Everything that can be said about a script without running it, as an editor shows it: its
/// outline, and those statements and conditions that have no `$()` to expand.
pub fn check_script(text: &str) -> Vec<Diagnostic> {
    let (script, mut diagnostics) = parse_script(text);
    check_items(&script.items, text, &mut diagnostics);
    diagnostics.sort_by_key(|d| d.span);
    diagnostics
}

fn check_items(items: &[Item], text: &str, out: &mut Vec<Diagnostic>) {
    let mut check = |span: Span, is_statement: bool| {
        let part = span.text(text);
        if part.contains("$(") {
            return;
        }
        let found = if is_statement {
            parse_statement(part).1
        } else {
            parse_expression(part).1
        };
        out.extend(found.into_iter().map(|d| d.shifted(span.start)));
    };
    let mut bodies: Vec<&[Item]> = Vec::new();
    for item in items {
        if item.leaves_script() {
            break;
        }
        match &item.kind {
            ItemKind::Statement => check(item.span, true),
            ItemKind::If {
                branches,
                otherwise,
            } => {
                for branch in branches {
                    check(branch.condition, false);
                    bodies.push(&branch.body);
                }
                bodies.extend(otherwise.as_deref());
            }
            ItemKind::For {
                from,
                to,
                step,
                body,
                ..
            } => {
                check(*from, false);
                check(*to, false);
                if let Some(step) = step {
                    check(*step, false);
                }
                bodies.push(body);
            }
            ItemKind::Do { head, body, tail } => {
                for condition in [head, tail].into_iter().flatten() {
                    check(condition.span, false);
                }
                bodies.push(body);
            }
            ItemKind::ForEach { body, .. } | ItemKind::Sub { body, .. } => bodies.push(body),
            ItemKind::Switch {
                subject,
                cases,
                otherwise,
            } => {
                check(*subject, false);
                bodies.extend(cases.iter().map(|c| c.body.as_slice()));
                bodies.extend(otherwise.as_deref());
            }
            ItemKind::Exit { condition, .. } => {
                if let Some(condition) = condition {
                    check(condition.span, false);
                }
            }
            ItemKind::Include { .. } | ItemKind::Call { .. } => {}
        }
    }
    for body in bodies {
        check_items(body, text, out);
    }
}
