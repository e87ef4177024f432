//! Where a text stands in its file, and how a mistake in it becomes a problem of the file.

use std::rc::Rc;

use satchel_base::Stop;
use satchel_syntax::{Diagnostic, Expansion, Span};

use crate::host::HostError;
use crate::outcome::Problem;

/// A script file.
pub(crate) struct Unit {
    pub(crate) file: String,
    pub(crate) text: String,
}

/// Where an expanded text stands in its file.
pub(crate) struct Place {
    pub(crate) unit: Rc<Unit>,
    pub(crate) start: u32,
    pub(crate) expansion: Expansion,
}

impl Place {
    /// A diagnostic about the expanded text as a problem of the file.
    pub(crate) fn problem(&self, mut diagnostic: Diagnostic) -> Problem {
        let source = self
            .expansion
            .source_span(diagnostic.span)
            .shifted(self.start);
        if self.expansion.changed && source.text(&self.unit.text).contains("$(") {
            /// A line of a terminal.
            const SHOWN: usize = 80;
            let mut reads: String = self.expansion.text.chars().take(SHOWN).collect();
            if reads.len() < self.expansion.text.len() {
                reads.push('…');
            }
            let note = format!("after expansion it reads `{}`", reads.replace('\n', " "));
            diagnostic.hint = Some(match diagnostic.hint {
                Some(hint) => format!("{hint}; {note}"),
                None => note,
            });
        }
        diagnostic.span = source;
        Problem::new(diagnostic, &self.unit.file, &self.unit.text)
    }

    pub(crate) fn halt(&self, diagnostics: Vec<Diagnostic>) -> Halt {
        Halt {
            problems: (diagnostics.into_iter().filter(Diagnostic::is_error))
                .map(|d| self.problem(d))
                .collect(),
            is_stop: false,
        }
    }

    pub(crate) fn fail(&self, diagnostic: Diagnostic) -> Halt {
        self.halt(vec![diagnostic])
    }

    pub(crate) fn host_error(&self, span: Span, error: HostError) -> Halt {
        let is_stop = error.is_stop();
        let mut diagnostic = Diagnostic::error(error.code, span, error.message);
        diagnostic.hint = error.hint;
        let mut halt = self.fail(diagnostic);
        halt.is_stop = is_stop;
        halt
    }

    pub(crate) fn stop(&self, stop: Stop) -> Halt {
        self.host_error(Span::default(), stop.into())
    }
}

/// Why the run does not go on.
pub(crate) struct Halt {
    pub(crate) problems: Vec<Problem>,
    /// Stopped from outside; no error mode lets it go on.
    pub(crate) is_stop: bool,
}

pub(crate) type Run<T> = Result<T, Halt>;
