//! Plain statements: what each does to tables, variables and the world outside.

mod store;
mod tables;

use std::borrow::Cow;
use std::rc::Rc;

use satchel_data::{Frame, Value};
use satchel_syntax::{
    Diagnostic, Expr, ExprKind, Labels, Load, LoadField, LoadSource, Name, Quotes, Span, Statement,
    StatementKind, parse_script, parse_statement,
};

use crate::columns::Reading;
use crate::delimited::{Dialect, split_delimited};
use crate::evaluate::Source;
use crate::host::ReadRequest;
use crate::load::{LoadError, run_load};
use crate::run::{Flow, Place, Run, Runner, Unit};
use crate::tables::Section;

/// A `LOAD` without a source: it waits for the next one.
pub(crate) struct Pending {
    place: Place,
    statement: Statement,
}

/// What a load reads, for the log and as a default name.
struct Origin {
    name: String,
    file: String,
}

impl Runner<'_> {
    /// Expands and runs the statement at `span`.
    pub(crate) fn raw_statement(&mut self, unit: &Rc<Unit>, span: Span) -> Run<Flow> {
        let place = self.expanded(unit, span)?;
        if place.expansion.changed && !is_one_statement(&place.expansion.text) {
            let text = place.expansion.text.clone();
            return self.again(unit, span, text);
        }
        let (statement, diagnostics) = parse_statement(&place.expansion.text);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(place.halt(diagnostics));
        }
        if let Some(guard) = &statement.guard {
            let value = self.evaluate(&guard.condition, &place)?;
            if satchel_calc::truth(&value, &self.locale) != guard.holds {
                return Ok(Flow::Next);
            }
        }
        if !matches!(
            statement.kind,
            StatementKind::Load(_)
                | StatementKind::Nothing
                | StatementKind::Remark
                | StatementKind::NotSupported(_)
        ) {
            self.no_pending()?;
        }
        self.statement(place, statement)?;
        Ok(Flow::Next)
    }

    /// A load that waits for a source must be followed by a load.
    pub(crate) fn no_pending(&mut self) -> Run<()> {
        let Some(pending) = self.pending.pop() else {
            return Ok(());
        };
        self.pending.clear();
        let span = Span::new(0, pending.place.expansion.text.len());
        Err(pending.place.fail(
            Diagnostic::error("script.no_source", span, "this LOAD has no source")
                .with_hint("add FROM, RESIDENT, INLINE or AUTOGENERATE, or let a LOAD follow it"),
        ))
    }

    fn statement(&mut self, place: Place, statement: Statement) -> Run<()> {
        match &statement.kind {
            StatementKind::Nothing | StatementKind::Remark => Ok(()),
            StatementKind::Load(load) => {
                if matches!(load.source, LoadSource::Preceding) {
                    self.pending.push(Pending { place, statement });
                    Ok(())
                } else {
                    self.load(place, statement)
                }
            }
            StatementKind::Set { name, value } => {
                let value = self.interpreted(value);
                self.set_variable(&name.text, value);
                Ok(())
            }
            StatementKind::Let { name, value } => {
                let value = match value {
                    Some(expr) => self.evaluate(expr, &place)?,
                    None => Value::Null,
                };
                self.set_variable(&name.text, value);
                Ok(())
            }
            StatementKind::Trace(text) => {
                self.write_log(text.clone());
                Ok(())
            }
            StatementKind::Sleep(expr) => {
                let value = self.evaluate(expr, &place)?;
                let milliseconds = value.as_num().unwrap_or(0.0).clamp(0.0, 3_600_000.0);
                self.host.sleep(milliseconds as u64);
                Ok(())
            }
            StatementKind::SectionAccess => {
                self.section = Section::Access;
                Ok(())
            }
            StatementKind::SectionApplication => {
                self.section = Section::Application;
                Ok(())
            }
            StatementKind::Qualify(names) => {
                (self.qualified).extend(names.iter().map(|n| (true, n.text.clone())));
                Ok(())
            }
            StatementKind::Unqualify(names) => {
                (self.qualified).extend(names.iter().map(|n| (false, n.text.clone())));
                Ok(())
            }
            StatementKind::NullAsValue(names) => {
                (self.null_as_value).extend(names.iter().map(|n| (true, n.text.clone())));
                Ok(())
            }
            StatementKind::NullAsNull(names) => {
                (self.null_as_value).extend(names.iter().map(|n| (false, n.text.clone())));
                Ok(())
            }
            StatementKind::Alias(pairs) => {
                (self.aliases).extend(pairs.iter().map(|(a, b)| (a.text.clone(), b.text.clone())));
                Ok(())
            }
            StatementKind::Tag { adds, fields, tags } => {
                for field in fields {
                    for tag in tags {
                        let entry = (field.text.clone(), tag.clone());
                        self.tags.retain(|t| *t != entry);
                        if *adds {
                            self.tags.push(entry);
                        }
                    }
                }
                Ok(())
            }
            StatementKind::CommentField { field, text } => {
                self.comments
                    .push((false, field.text.clone(), text.clone()));
                Ok(())
            }
            StatementKind::CommentTable { table, text } => {
                self.comments.push((true, table.text.clone(), text.clone()));
                Ok(())
            }
            StatementKind::Directory(path) => {
                self.directory = path.as_ref().map(|p| p.text.clone());
                Ok(())
            }
            StatementKind::LoosenTables(names) => {
                self.loose.extend(names.iter().map(|n| n.text.clone()));
                Ok(())
            }
            StatementKind::NoEffect(_) => Ok(()),
            StatementKind::NotSupported(keyword) => Err(not_supported(
                &place,
                Span::new(0, place.expansion.text.len()),
                &keyword.to_uppercase(),
            )),
            StatementKind::DropTables(names) => self.drop_tables(&place, names),
            StatementKind::DropFields { fields, tables } => {
                self.drop_fields(&place, fields, tables)
            }
            StatementKind::RenameTables(renames) => self.rename_tables(&place, renames),
            StatementKind::RenameFields(renames) => self.rename_fields(&place, renames),
            StatementKind::Store(store) => self.store(&place, store),
        }
    }

    /// Runs a load with a source, and the loads before it that waited for one.
    fn load(&mut self, place: Place, statement: Statement) -> Run<()> {
        let mut chain = std::mem::take(&mut self.pending);
        chain.push(Pending { place, statement });
        let bottom = &chain[chain.len() - 1];
        let StatementKind::Load(load) = &bottom.statement.kind else {
            return Ok(());
        };
        let (mut source, origin) = self.source(&bottom.place, load)?;
        for (depth, step) in chain.iter().enumerate().rev() {
            let StatementKind::Load(load) = &step.statement.kind else {
                continue;
            };
            let first = match self.first(step)? {
                Some(n) if depth == 0 || depth == chain.len() - 1 => Some(n),
                _ => None,
            };
            let frame = run_load(
                load,
                &source,
                first,
                &self.around(&origin.file),
                self.budget,
            )
            .map_err(|error| match error {
                LoadError::Diagnostics(found) => step.place.halt(found),
                LoadError::Stopped(stop) => step.place.stop(stop),
            })?;
            source = Source::of(frame);
        }
        let top = &chain[0];
        self.place_result(&top.place, &top.statement, source.frame, &origin.name)
    }

    fn first(&self, step: &Pending) -> Run<Option<usize>> {
        for prefix in &step.statement.prefixes {
            if let satchel_syntax::PrefixKind::First(expr) = &prefix.kind {
                let n = self.evaluate(expr, &step.place)?.as_num();
                return Ok(Some(n.unwrap_or(0.0).max(0.0) as usize));
            }
        }
        Ok(None)
    }

    fn source(&mut self, place: &Place, load: &Load) -> Run<(Source, Origin)> {
        let plain = |name: &str| Origin {
            name: name.to_owned(),
            file: String::new(),
        };
        match &load.source {
            LoadSource::Preceding => Ok((Source::default(), plain(""))),
            LoadSource::File { path, .. } => {
                let source = self.file(place, load)?;
                let file = path.text.clone();
                let name = file.rsplit(['/', '\\', ':']).next().unwrap_or(&file);
                let name = name
                    .rsplit_once('.')
                    .map_or(name, |(base, _)| base)
                    .to_owned();
                Ok((source, Origin { name, file }))
            }
            LoadSource::Inline { data, format } => {
                Ok((self.inline(place, data, format)?, plain("Inline")))
            }
            LoadSource::Resident(name) => {
                let frame = self.resident(place, name)?;
                Ok((Source::of(frame), plain(&name.text)))
            }
            LoadSource::Autogenerate(expr) => {
                let value = self.evaluate(expr, place)?;
                let n_rows = value.as_num().unwrap_or(0.0).clamp(0.0, 4e9) as usize;
                (self.budget.charge_rows(n_rows as u64)).map_err(|stop| place.stop(stop))?;
                let source = Source {
                    frame: Frame::default(),
                    n_rows,
                };
                Ok((source, plain("Autogenerate")))
            }
            LoadSource::NotSupported(keyword, span) => Err(not_supported(place, *span, keyword)),
        }
    }

    fn null_text(&self) -> Option<String> {
        self.variable("NullInterpret")
            .filter(|v| !v.is_null())
            .map(Value::to_text)
    }

    fn file(&mut self, place: &Place, load: &Load) -> Run<Source> {
        let LoadSource::File { path, format } = &load.source else {
            return Ok(Source::default());
        };
        let request = ReadRequest {
            path: path.text.clone(),
            directory: self.directory.clone(),
            format: format.clone(),
            wanted: wanted(load),
        };
        let mut rows = (self.host.open(&request)).map_err(|e| place.host_error(path.span, e))?;
        let mut frame = Frame::new("", distinct_names(rows.columns()));
        let null_text = self.null_text();
        let mut n_rows = 0;
        while let Some(batch) = (rows.next_batch()).map_err(|e| place.host_error(path.span, e))? {
            (self.budget.charge_rows(batch.n_rows as u64)).map_err(|stop| place.stop(stop))?;
            let n_cells = (batch.n_rows * frame.columns.len()) as u64;
            (self.budget.charge_bytes(4 * n_cells)).map_err(|stop| place.stop(stop))?;
            let reading = Reading {
                locale: &self.locale,
                null_text: null_text.as_deref(),
            };
            for (column, cells) in frame.columns.iter_mut().zip(&batch.columns) {
                reading.append(column, cells);
            }
            n_rows += batch.n_rows;
            self.host.progress(&request.path, n_rows as u64);
        }
        Ok(Source { frame, n_rows })
    }

    fn inline(
        &mut self,
        place: &Place,
        data: &Name,
        format: &satchel_syntax::FormatSpec,
    ) -> Run<Source> {
        let dialect = Dialect {
            delimiter: format.delimiter.clone().unwrap_or_else(|| ",".to_owned()),
            quotes: format.quotes != Some(Quotes::None),
            trims: true,
            comment: format.comment.clone(),
        };
        let null_text = self.null_text();
        let reading = Reading {
            locale: &self.locale,
            null_text: null_text.as_deref(),
        };
        let has_labels = format.labels != Some(Labels::None);
        let mut frame = Frame::default();
        let mut stopped = None;
        let split = split_delimited(&data.text, &dialect, |number, cells| {
            if number == 1 {
                let names: Vec<String> = if has_labels {
                    cells.iter().map(|c| c.clone().into_owned()).collect()
                } else {
                    (1..=cells.len()).map(|n| format!("@{n}")).collect()
                };
                frame = Frame::new("", distinct_names(&names));
                if has_labels {
                    return true;
                }
            }
            if let Err(stop) = self.budget.charge_rows(1) {
                stopped = Some(stop);
                return false;
            }
            let empty = Cow::Borrowed("");
            for (i, column) in frame.columns.iter_mut().enumerate() {
                column.push(&reading.value(cells.get(i).unwrap_or(&empty)));
            }
            true
        });
        if let Some(stop) = stopped {
            return Err(place.stop(stop));
        }
        if let Err(row) = split {
            return Err(place.fail(
                Diagnostic::error(
                    "script.bad_inline",
                    data.span,
                    format!("in row {row} of the inline table a quote is never closed"),
                )
                .with_hint("write \"\" for a quote inside a quoted cell"),
            ));
        }
        Ok(Source::of(frame))
    }

    fn resident(&self, place: &Place, name: &Name) -> Run<Frame> {
        let own = self.tables.position(&name.text, self.section);
        let application = self.tables.position(&name.text, Section::Application);
        if let Some(at) = own.or(application) {
            return Ok(self.tables.list[at].frame.clone());
        }
        if self.tables.position(&name.text, Section::Access).is_some() {
            return Err(place.fail(
                Diagnostic::error(
                    "script.access_table_resident",
                    name.span,
                    format!("`{}` is a table of the access section", name.text),
                )
                .with_hint("access tables cannot be loaded from outside the access section"),
            ));
        }
        Err(self.unknown_table(place, name))
    }

    pub(crate) fn unknown_table(&self, place: &Place, name: &Name) -> crate::run::Halt {
        let known: Vec<&str> = (self.tables.list.iter())
            .filter(|t| t.section == self.section)
            .map(|t| t.frame.name.as_str())
            .take(12)
            .collect();
        let hint = if known.is_empty() {
            "no table is loaded yet".to_owned()
        } else {
            format!("the tables are {}", known.join(", "))
        };
        place.fail(
            Diagnostic::error(
                "script.unknown_table",
                name.span,
                format!("there is no table called `{}`", name.text),
            )
            .with_hint(hint),
        )
    }
}

fn not_supported(place: &Place, span: Span, keyword: &str) -> crate::run::Halt {
    place.fail(
        Diagnostic::error(
            "script.not_supported",
            span,
            format!("{keyword} is not supported yet"),
        )
        .with_hint("remove it, or load the data from a file"),
    )
}

/// Whether an expansion left one plain statement.
fn is_one_statement(text: &str) -> bool {
    let (script, _) = parse_script(text);
    match &script.items[..] {
        [] => true,
        [item] => matches!(item.kind, satchel_syntax::ItemKind::Statement),
        _ => false,
    }
}

/// Names of which none is there twice: a second `A` becomes `A1`.
fn distinct_names(names: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let mut fresh = name.clone();
        let mut n = 0;
        while out.contains(&fresh) {
            n += 1;
            fresh = format!("{name}{n}");
        }
        out.push(fresh);
    }
    out
}

/// The fields a load reads from its source; `None` for all.
fn wanted(load: &Load) -> Option<Vec<String>> {
    let mut out = Vec::new();
    for field in &load.fields {
        match field {
            LoadField::Star(_) => return None,
            LoadField::Column { expr, .. } => fields_of(expr, &mut out),
        }
    }
    let others = (load.filter.iter())
        .chain(&load.repeat)
        .chain(&load.group_by)
        .chain(load.order_by.iter().map(|o| &o.expr));
    for expr in others {
        fields_of(expr, &mut out);
    }
    // Columns by position need all of them, and a load of constants needs the rows.
    if out.is_empty() || out.iter().any(|f| f.starts_with('@')) {
        return None;
    }
    Some(out)
}

fn fields_of(expr: &Expr, out: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Field(name) if !out.contains(name) => {
            out.push(name.clone());
        }
        ExprKind::Unary { operand, .. } => fields_of(operand, out),
        ExprKind::Binary { left, right, .. } => {
            fields_of(left, out);
            fields_of(right, out);
        }
        ExprKind::WithSet { expr, .. } => fields_of(expr, out),
        ExprKind::Call(call) => {
            for arg in &call.args {
                fields_of(arg, out);
            }
            // `Exists('F')` reads the field it names.
            if let [
                Expr {
                    kind: ExprKind::Text(name),
                    ..
                },
            ] = &call.args[..]
                && call.name.eq_ignore_ascii_case("exists")
            {
                out.push(name.clone());
            }
        }
        _ => {}
    }
}
