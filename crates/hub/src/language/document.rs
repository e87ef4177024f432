//! One open script, and what an editor may ask of it.

use std::collections::HashMap;

use lsp_types::{
    CompletionItem, CompletionItemKind, Diagnostic, DiagnosticSeverity, Documentation, Hover,
    HoverContents, Location, MarkupContent, MarkupKind, NumberOrString, Position, Range, TextEdit,
    Uri, WorkspaceEdit,
};
use satchel_calc::{FunctionDoc, function_docs};
use satchel_syntax::{
    NameKind, NameUse, Severity, Span, check_script, format_script, names, parse_script,
};

/// Words that begin statements, clauses and prefixes.
const KEYWORDS: [&str; 62] = [
    "ADD",
    "ALIAS",
    "AS",
    "AUTOGENERATE",
    "AUTONUMBER",
    "BINARY",
    "BUFFER",
    "CALL",
    "CASE",
    "COMMENT",
    "CONCATENATE",
    "CROSSTABLE",
    "DECLARE",
    "DEFAULT",
    "DERIVE",
    "DIRECTORY",
    "DISCONNECT",
    "DISTINCT",
    "DO",
    "DROP",
    "ELSE",
    "ELSEIF",
    "END",
    "EXIT",
    "FIRST",
    "FOR",
    "FROM",
    "GENERIC",
    "GROUP BY",
    "HIERARCHY",
    "IF",
    "INLINE",
    "INNER",
    "INTERVALMATCH",
    "JOIN",
    "KEEP",
    "LEFT",
    "LET",
    "LIB CONNECT TO",
    "LOAD",
    "LOOP",
    "MAP",
    "MAPPING",
    "MERGE",
    "NEXT",
    "NOCONCATENATE",
    "ORDER BY",
    "OUTER",
    "QUALIFY",
    "RENAME",
    "REPLACE",
    "RESIDENT",
    "RIGHT",
    "SECTION ACCESS",
    "SECTION APPLICATION",
    "SET",
    "SQL SELECT",
    "STORE",
    "SUB",
    "TRACE",
    "WHERE",
    "WHILE",
];

/// A script and the names in it.
pub(super) struct Document {
    text: String,
    names: Vec<NameUse>,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Document {
    pub fn new(text: String) -> Self {
        let (script, _) = parse_script(&text);
        Self {
            names: names(&script, &text),
            lines: std::iter::once(0)
                .chain(text.match_indices('\n').map(|(at, _)| at + 1))
                .collect(),
            text,
        }
    }

    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        (check_script(&self.text).into_iter())
            .map(|d| Diagnostic {
                range: self.range(d.span),
                severity: Some(match d.severity {
                    Severity::Error => DiagnosticSeverity::ERROR,
                    Severity::Warning => DiagnosticSeverity::WARNING,
                }),
                code: Some(NumberOrString::String(d.code.to_owned())),
                source: Some("satchel".to_owned()),
                message: match d.hint {
                    Some(hint) => format!("{}\nhint: {hint}", d.message),
                    None => d.message,
                },
                ..Diagnostic::default()
            })
            .collect()
    }

    pub fn hover(&self, at: Position) -> Option<Hover> {
        let offset = self.offset(at);
        let (markdown, span) = match self.name_at(offset) {
            Some(name) => (self.about(name), name.span),
            None => {
                let (word, span) = self.word_at(offset);
                (about_function(&known_function(word)?), span)
            }
        };
        Some(Hover {
            contents: HoverContents::Markup(MarkupContent {
                kind: MarkupKind::Markdown,
                value: markdown,
            }),
            range: Some(self.range(span)),
        })
    }

    pub fn complete(&self, at: Position) -> Vec<CompletionItem> {
        let offset = self.offset(at);
        let before = &self.text[..offset];
        let only_variables = before
            .rfind("$(")
            .is_some_and(|open| !before[open..].contains([')', '\n']));
        let item = |label: &str, kind: CompletionItemKind, detail: &str| CompletionItem {
            label: label.to_owned(),
            kind: Some(kind),
            detail: Some(detail.to_owned()),
            ..CompletionItem::default()
        };
        let mut out: Vec<CompletionItem> = Vec::new();
        for name in self.names.iter().filter(|n| n.defines) {
            let (kind, detail) = match name.kind {
                NameKind::Variable => (CompletionItemKind::VARIABLE, "variable"),
                NameKind::Sub => (CompletionItemKind::FUNCTION, "sub"),
                NameKind::Table => (CompletionItemKind::STRUCT, "table"),
                NameKind::Field => (CompletionItemKind::FIELD, "field"),
            };
            let is_known = out
                .iter()
                .any(|i| i.label == name.name && i.kind == Some(kind));
            if !is_known && (!only_variables || name.kind == NameKind::Variable) {
                let mut found = item(&name.name, kind, detail);
                if name.kind != NameKind::Variable && !only_variables {
                    let bare = name
                        .name
                        .chars()
                        .all(|c| c.is_alphanumeric() || "_%#.".contains(c));
                    found.insert_text = (!bare).then(|| quoted(&name.name));
                }
                out.push(found);
            }
        }
        if only_variables {
            return out;
        }
        for doc in function_docs() {
            let name = doc.signature.split('(').next().unwrap_or_default();
            let mut found = item(name, CompletionItemKind::FUNCTION, doc.signature);
            found.documentation = Some(Documentation::String(doc.doc.to_owned()));
            out.push(found);
        }
        out.extend(KEYWORDS.map(|word| item(word, CompletionItemKind::KEYWORD, "statement")));
        out
    }

    pub fn definition(&self, uri: &Uri, at: Position) -> Vec<Location> {
        let Some(name) = self.name_at(self.offset(at)) else {
            return Vec::new();
        };
        self.locations(uri, |other| other.defines && other.is_of(name))
    }

    pub fn references(&self, uri: &Uri, at: Position) -> Vec<Location> {
        let Some(name) = self.name_at(self.offset(at)) else {
            return Vec::new();
        };
        self.locations(uri, |other| other.is_of(name))
    }

    /// The edits that call the thing at `at` by `new` wherever the script names it.
    pub fn rename(&self, uri: &Uri, at: Position, new: &str) -> Result<WorkspaceEdit, String> {
        let name = (self.name_at(self.offset(at)))
            .ok_or("there is no variable, sub, table or field here")?;
        let is_word = |c: char| c.is_alphanumeric() || "_.#%@".contains(c);
        let is_plain = !new.is_empty() && new.chars().all(is_word);
        let takes_words_only = matches!(name.kind, NameKind::Variable | NameKind::Sub);
        if new.is_empty() || takes_words_only && !is_plain {
            return Err(format!(
                "`{new}` is no name for it: use letters, digits and _"
            ));
        }
        let taken = (self.names.iter())
            .any(|n| n.kind == name.kind && n.name == new && n.defines && !n.is_of(name));
        if taken && name.kind != NameKind::Field {
            return Err(format!("the script has a `{new}` already"));
        }
        let edits = (self.names.iter())
            .filter(|other| other.is_of(name))
            .map(|other| TextEdit {
                range: self.range(other.span),
                new_text: written_like(other.span.text(&self.text), new, is_plain),
            })
            .collect();
        #[expect(
            clippy::mutable_key_type,
            reason = "the protocol's type has addresses as keys"
        )]
        let changes = HashMap::from([(uri.clone(), edits)]);
        Ok(WorkspaceEdit {
            changes: Some(changes),
            ..WorkspaceEdit::default()
        })
    }

    pub fn format(&self, step: &str) -> Vec<TextEdit> {
        let formatted = format_script(&self.text, step);
        if formatted == self.text {
            return Vec::new();
        }
        vec![TextEdit {
            range: self.range(Span::new(0, self.text.len())),
            new_text: formatted,
        }]
    }

    fn locations(&self, uri: &Uri, wanted: impl Fn(&NameUse) -> bool) -> Vec<Location> {
        (self.names.iter())
            .filter(|n| wanted(n))
            .map(|n| Location {
                uri: uri.clone(),
                range: self.range(n.span),
            })
            .collect()
    }

    fn name_at(&self, offset: usize) -> Option<&NameUse> {
        let offset = u32::try_from(offset).ok()?;
        (self.names.iter())
            .filter(|n| n.span.start <= offset && offset <= n.span.end)
            .min_by_key(|n| n.span.end - n.span.start)
    }

    fn word_at(&self, offset: usize) -> (&str, Span) {
        let is_part = |c: char| c.is_alphanumeric() || c == '#' || c == '_';
        let start = self.text[..offset].rfind(|c| !is_part(c)).map_or(0, |at| {
            at + self.text[at..].chars().next().map_or(1, char::len_utf8)
        });
        let end = self.text[offset..]
            .find(|c| !is_part(c))
            .map_or(self.text.len(), |n| offset + n);
        (&self.text[start..end], Span::new(start, end))
    }

    /// What is known of a name: what it is, and the statement that makes it.
    fn about(&self, name: &NameUse) -> String {
        /// Lines of a statement that are shown.
        const SHOWN: usize = 12;
        let what = match name.kind {
            NameKind::Variable => "variable",
            NameKind::Sub => "sub",
            NameKind::Table => "table",
            NameKind::Field => "field",
        };
        let made = self.names.iter().find(|n| n.defines && n.is_of(name));
        let mut out = format!("{what} `{}`", name.name);
        if let Some(made) = made {
            let around = made.around.text(&self.text);
            let lines: Vec<&str> = around.lines().take(SHOWN).collect();
            let line = self.range(made.span).start.line + 1;
            out += &format!(", line {line}\n\n```qvs\n{}\n```", lines.join("\n"));
        }
        out
    }

    fn offset(&self, at: Position) -> usize {
        let Some(start) = self.lines.get(at.line as usize).copied() else {
            return self.text.len();
        };
        let line = self.text[start..].split('\n').next().unwrap_or_default();
        let mut units = 0;
        for (n, c) in line.char_indices() {
            if units >= at.character {
                return start + n;
            }
            units += c.len_utf16() as u32;
        }
        start + line.len()
    }

    fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.lines.partition_point(|start| *start <= offset) - 1;
        let before = &self.text[self.lines[line]..offset];
        Position {
            line: line as u32,
            character: before.chars().map(|c| c.len_utf16() as u32).sum(),
        }
    }

    fn range(&self, span: Span) -> Range {
        Range {
            start: self.position(span.start as usize),
            end: self.position(span.end as usize),
        }
    }
}

fn known_function(word: &str) -> Option<FunctionDoc> {
    (function_docs().into_iter()).find(|doc| {
        let name = doc.signature.split('(').next().unwrap_or_default();
        name.eq_ignore_ascii_case(word)
    })
}

fn about_function(doc: &FunctionDoc) -> String {
    format!(
        "```qvs\n{}\n```\n{}\n\n`{}` gives `{}`",
        doc.signature, doc.doc, doc.example, doc.value
    )
}

fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// `new` in the quotes that `old` has; in brackets if it needs some and has none.
fn written_like(old: &str, new: &str, is_plain: bool) -> String {
    match old.chars().next() {
        Some('[') => quoted(new),
        Some(quote @ ('\'' | '"' | '`')) => {
            let doubled: String = [quote, quote].iter().collect();
            format!("{quote}{}{quote}", new.replace(quote, &doubled))
        }
        _ if is_plain => new.to_owned(),
        _ => quoted(new),
    }
}
