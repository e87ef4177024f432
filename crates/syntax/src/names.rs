//! What a script names, and where: variables, subs, tables and fields, for editors.
//!
//! Read from the text as it stands. What only `$()` makes while the script runs is not seen,
//! and a name that is put together by it is no name here.

use crate::lexer::{quoted_end, unquote, word_end};
use crate::{
    Call, Comments, DeriveFrom, Expr, ExprKind, Item, ItemKind, LoadField, LoadSource, Name,
    PrefixKind, Renames, Script, Span, Statement, StatementKind, parse_expression, parse_statement,
};

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// A variable.
    Variable,
    /// A sub.
    Sub,
    /// A table.
    Table,
    /// A field.
    Field,
}

/// A place where a script names something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameUse {
    /// What it is of.
    pub kind: NameKind,
    /// The name without its quotes.
    pub name: String,
    /// Where it stands, quotes included.
    pub span: Span,
    /// Whether it comes into being here.
    pub defines: bool,
    /// The statement around it, or the head of the block.
    pub around: Span,
}

impl NameUse {
    /// Whether both are of the same thing: subs without regard to case, as they are called.
    pub fn is_of(&self, other: &Self) -> bool {
        self.kind == other.kind
            && match self.kind {
                NameKind::Sub => self.name.eq_ignore_ascii_case(&other.name),
                _ => self.name == other.name,
            }
    }
}

/// Every name of a script, in order of place.
pub fn names(script: &Script, text: &str) -> Vec<NameUse> {
    let mut finder = Finder {
        text,
        found: Vec::new(),
    };
    finder.items(&script.items);
    finder.expansions();
    let mut found = finder.found;
    // A field that has a variable's name is the variable where fields are not in reach.
    let variables: Vec<String> = (found.iter())
        .filter(|n| n.kind == NameKind::Variable && n.defines)
        .map(|n| n.name.clone())
        .collect();
    found.retain(|n| n.kind != NameKind::Variable || n.defines || variables.contains(&n.name));
    // A field that is loaded under its own name is used and made in one place.
    found.sort_by_key(|n| (n.span, n.kind, !n.defines));
    found.dedup_by_key(|n| (n.span, n.kind));
    found
}

struct Finder<'a> {
    text: &'a str,
    found: Vec<NameUse>,
}

impl Finder<'_> {
    fn add(&mut self, kind: NameKind, name: &Name, base: u32, defines: bool, around: Span) {
        let is_made = name.text.contains("$(") || name.text.is_empty();
        if !is_made {
            self.found.push(NameUse {
                kind,
                name: name.text.clone(),
                span: name.span.shifted(base),
                defines,
                around,
            });
        }
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            let line = self.text[item.span.start as usize..].lines().next();
            let start = item.span.start as usize;
            let head = Span::new(start, start + line.map_or(0, |l| l.trim_end().len()));
            match &item.kind {
                ItemKind::Statement => self.statement(item.span),
                ItemKind::Include { .. } => {}
                ItemKind::If {
                    branches,
                    otherwise,
                } => {
                    for branch in branches {
                        self.variables_of(branch.condition);
                        self.items(&branch.body);
                    }
                    self.items(otherwise.as_deref().unwrap_or_default());
                }
                ItemKind::For {
                    variable,
                    from,
                    to,
                    step,
                    body,
                } => {
                    self.add(NameKind::Variable, variable, 0, true, head);
                    for bound in [Some(*from), Some(*to), *step].into_iter().flatten() {
                        self.variables_of(bound);
                    }
                    self.items(body);
                }
                ItemKind::ForEach { variable, body, .. } => {
                    self.add(NameKind::Variable, variable, 0, true, head);
                    self.items(body);
                }
                ItemKind::Do { head, body, tail } => {
                    for condition in [head, tail].into_iter().flatten() {
                        self.variables_of(condition.span);
                    }
                    self.items(body);
                }
                ItemKind::Sub { name, body, .. } => {
                    self.add(NameKind::Sub, name, 0, true, head);
                    self.items(body);
                }
                ItemKind::Call { name, .. } => {
                    self.add(NameKind::Sub, name, 0, false, head);
                }
                ItemKind::Exit { condition, .. } => {
                    if let Some(condition) = condition {
                        self.variables_of(condition.span);
                    }
                }
                ItemKind::Switch {
                    subject,
                    cases,
                    otherwise,
                } => {
                    self.variables_of(*subject);
                    for case in cases {
                        self.items(&case.body);
                    }
                    self.items(otherwise.as_deref().unwrap_or_default());
                }
            }
        }
    }

    /// The names in an expression that has no fields in reach.
    fn variables_of(&mut self, span: Span) {
        let (expr, _) = parse_expression(span.text(self.text));
        self.expression(&expr, NameKind::Variable, span.start, span);
    }

    fn statement(&mut self, span: Span) {
        let part = span.text(self.text);
        let (statement, _) = parse_statement(part);
        let base = span.start;
        self.prefixes(&statement, base, span);
        let tables = |finder: &mut Self, names: &[Name]| {
            for name in names {
                finder.add(NameKind::Table, name, base, false, span);
            }
        };
        match &statement.kind {
            StatementKind::Set { name, .. } | StatementKind::Let { name, value: None } => {
                self.add(NameKind::Variable, name, base, true, span);
            }
            StatementKind::Let {
                name,
                value: Some(value),
            } => {
                self.add(NameKind::Variable, name, base, true, span);
                self.expression(value, NameKind::Variable, base, span);
            }
            StatementKind::Load(load) => {
                self.label(&statement, base, span);
                for field in &load.fields {
                    if let LoadField::Column {
                        expr,
                        name,
                        renamed,
                    } = field
                    {
                        self.expression(expr, NameKind::Field, base, span);
                        // What another load made only passes through.
                        let passes =
                            matches!(load.source, LoadSource::Resident(_) | LoadSource::Preceding);
                        let is_name = matches!(expr.kind, ExprKind::Field(_)) && !passes;
                        if *renamed || is_name {
                            self.add(NameKind::Field, name, base, true, span);
                        }
                    }
                }
                match &load.source {
                    LoadSource::Resident(table) => tables(self, std::slice::from_ref(table)),
                    LoadSource::Field { table, field, .. } => {
                        tables(self, std::slice::from_ref(table));
                        self.add(NameKind::Field, field, base, false, span);
                    }
                    LoadSource::Autogenerate(expr) => {
                        self.expression(expr, NameKind::Variable, base, span);
                    }
                    LoadSource::Inline { data, format } => {
                        self.inline(data, format.delimiter.as_deref().unwrap_or(","), base, span);
                    }
                    _ => {}
                }
                let others = (load.filter.iter())
                    .chain(&load.repeat)
                    .chain(&load.group_by)
                    .chain(load.order_by.iter().map(|o| &o.expr));
                for expr in others {
                    self.expression(expr, NameKind::Field, base, span);
                }
            }
            StatementKind::Select(_) => self.label(&statement, base, span),
            StatementKind::DropTables(names) | StatementKind::LoosenTables(names) => {
                tables(self, names);
            }
            StatementKind::DropFields { fields, tables: of } => {
                for field in fields {
                    self.add(NameKind::Field, field, base, false, span);
                }
                tables(self, of);
            }
            StatementKind::RenameTables(Renames::Pairs(pairs)) => {
                for (old, new) in pairs {
                    self.add(NameKind::Table, old, base, false, span);
                    self.add(NameKind::Table, new, base, true, span);
                }
            }
            StatementKind::RenameFields(Renames::Pairs(pairs)) => {
                for (old, new) in pairs {
                    self.add(NameKind::Field, old, base, false, span);
                    self.add(NameKind::Field, new, base, true, span);
                }
            }
            StatementKind::RenameTables(Renames::Using(map))
            | StatementKind::RenameFields(Renames::Using(map))
            | StatementKind::TagUsing { map, .. } => tables(self, std::slice::from_ref(map)),
            StatementKind::Store(store) => {
                tables(self, std::slice::from_ref(&store.table));
                for (field, _) in &store.fields {
                    self.add(NameKind::Field, field, base, false, span);
                }
            }
            StatementKind::Tag { fields, .. } | StatementKind::AutoNumber { fields, .. } => {
                for field in fields {
                    self.add(NameKind::Field, field, base, false, span);
                }
            }
            StatementKind::MapUsing { fields, map } => {
                for field in fields {
                    self.add(NameKind::Field, field, base, false, span);
                }
                tables(self, std::slice::from_ref(map));
            }
            StatementKind::Comment { is_table, comments } => match comments {
                Comments::Text(names, _) => {
                    let kind = if *is_table {
                        NameKind::Table
                    } else {
                        NameKind::Field
                    };
                    for name in names {
                        self.add(kind, name, base, false, span);
                    }
                }
                Comments::Using(map) => tables(self, std::slice::from_ref(map)),
            },
            StatementKind::Derive(derive) => {
                if let DeriveFrom::Fields(fields) = &derive.from {
                    for field in fields {
                        self.add(NameKind::Field, field, base, false, span);
                    }
                }
            }
            StatementKind::Sleep(expr) => self.expression(expr, NameKind::Variable, base, span),
            _ => {}
        }
    }

    fn label(&mut self, statement: &Statement, base: u32, around: Span) {
        if let Some(label) = &statement.label {
            self.add(NameKind::Table, label, base, true, around);
        }
    }

    fn prefixes(&mut self, statement: &Statement, base: u32, around: Span) {
        for prefix in &statement.prefixes {
            match &prefix.kind {
                PrefixKind::Concatenate(Some(table))
                | PrefixKind::Join(_, Some(table))
                | PrefixKind::Keep(_, Some(table)) => {
                    self.add(NameKind::Table, table, base, false, around);
                }
                PrefixKind::Crosstable {
                    attribute, data, ..
                } => {
                    self.add(NameKind::Field, attribute, base, true, around);
                    self.add(NameKind::Field, data, base, true, around);
                }
                PrefixKind::IntervalMatch { value, keys } => {
                    self.add(NameKind::Field, value, base, false, around);
                    for key in keys {
                        self.add(NameKind::Field, key, base, false, around);
                    }
                }
                PrefixKind::Merge(merge) => {
                    for key in merge.keys.iter().chain(&merge.sequence) {
                        self.add(NameKind::Field, key, base, false, around);
                    }
                    if let Some(table) = &merge.table {
                        self.add(NameKind::Table, table, base, false, around);
                    }
                }
                _ => {}
            }
        }
        if let Some(guard) = &statement.guard {
            self.expression(&guard.condition, NameKind::Variable, base, around);
        }
    }

    /// The names in the first row of inline data.
    fn inline(&mut self, data: &Name, delimiter: &str, base: u32, around: Span) {
        let whole = data.span.shifted(base);
        let raw = whole.text(self.text);
        let Some(body) = raw.get(1..) else { return };
        let lead = body.len() - body.trim_start().len();
        let line = body.trim_start().lines().next().unwrap_or_default();
        let line = line.trim_end_matches([']', '\'', '"', '`']);
        let mut at = whole.start as usize + 1 + lead;
        for cell in line.split(delimiter) {
            let blank = cell.len() - cell.trim_start().len();
            let name = cell.trim();
            let span = Span::new(at + blank, at + blank + name.len());
            let name = Name {
                text: unquote(name),
                span,
            };
            self.add(NameKind::Field, &name, 0, true, around);
            at += cell.len() + delimiter.len();
        }
    }

    fn expression(&mut self, expr: &Expr, kind: NameKind, base: u32, around: Span) {
        match &expr.kind {
            ExprKind::Field(text) => {
                let name = Name {
                    text: text.clone(),
                    span: expr.span,
                };
                self.add(kind, &name, base, false, around);
            }
            ExprKind::Unary { operand, .. } => self.expression(operand, kind, base, around),
            ExprKind::Binary { left, right, .. } => {
                self.expression(left, kind, base, around);
                self.expression(right, kind, base, around);
            }
            ExprKind::WithSet { expr, .. } | ExprKind::Sorted { expr, .. } => {
                self.expression(expr, kind, base, around);
            }
            ExprKind::Call(call) => self.call(call, kind, base, around),
            _ => {}
        }
    }

    fn call(&mut self, call: &Call, kind: NameKind, base: u32, around: Span) {
        let name = call.name.to_ascii_lowercase();
        for (n, arg) in call.args.iter().enumerate() {
            let named = match (&arg.kind, name.as_str(), n) {
                (ExprKind::Text(_), "applymap" | "mapsubstring", 0) => Some(NameKind::Table),
                (ExprKind::Text(_), "noofrows" | "nooffields" | "tablenumber", 0) => {
                    Some(NameKind::Table)
                }
                (ExprKind::Text(_), "fieldname" | "fieldnumber", 1) => Some(NameKind::Table),
                (ExprKind::Text(_), "peek", 2) | (ExprKind::Text(_), "lookup", 3) => {
                    Some(NameKind::Table)
                }
                (ExprKind::Text(_), "peek" | "lookup" | "exists" | "fieldvalue", 0)
                | (ExprKind::Text(_), "fieldvaluecount" | "fieldnumber", 0) => {
                    Some(NameKind::Field)
                }
                _ => None,
            };
            match (&arg.kind, named) {
                (ExprKind::Text(text), Some(kind)) => {
                    let name = Name {
                        text: text.clone(),
                        span: arg.span,
                    };
                    self.add(kind, &name, base, false, around);
                }
                _ => self.expression(arg, kind, base, around),
            }
        }
    }

    /// `$(name)` and `$(name(…))` anywhere in the text but in comments.
    fn expansions(&mut self) {
        let mut at = 0;
        while at < self.text.len() {
            if let Some(end) = crate::lexer::comment_end(self.text, at) {
                at = end;
                continue;
            }
            let rest = &self.text[at..];
            if let Some(inner) = rest.strip_prefix("$(") {
                let blank = inner.len() - inner.trim_start().len();
                let start = at + 2 + blank + usize::from(inner.trim_start().starts_with('#'));
                let quoted = self.text[start..].starts_with('[');
                let end = if quoted {
                    quoted_end(self.text, start).unwrap_or(start)
                } else {
                    word_end(self.text, start)
                };
                let name = &self.text[start..end];
                let after = self.text[end..].trim_start();
                let is_include = after.starts_with('=');
                if !is_include && !name.is_empty() && !name.ends_with('$') {
                    let name = Name {
                        text: unquote(name),
                        span: Span::new(start, end),
                    };
                    self.add(NameKind::Variable, &name, 0, false, name.span);
                }
                at += 2;
                continue;
            }
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
}
