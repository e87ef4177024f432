//! Where a load's rows come from: files, inline text, tables, nothing.

use std::borrow::Cow;

use satchel_data::{Frame, RawColumn, Value};
use satchel_syntax::{
    Diagnostic, Expr, ExprKind, Labels, Load, LoadField, LoadSource, Name, Quotes, Span,
};

use crate::columns::Reading;
use crate::delimited::{Dialect, split_delimited};
use crate::evaluate::Source;
use crate::host::{HostError, ReadRequest, RowSource};
use crate::load::truths_of;
use crate::run::{Place, Run, Runner};
use crate::symbol_filter::{compiled, fields_are_plain, forget_unused};
use crate::tables::{Section, append};

/// What a load reads, for the log and as a default name.
pub(super) struct Origin {
    pub(super) name: String,
    pub(super) file: String,
}

impl Runner<'_> {
    pub(super) fn source(
        &mut self,
        place: &Place,
        load: &Load,
        file: Option<&str>,
    ) -> Run<(Source, Origin)> {
        let plain = |name: &str| Origin {
            name: name.to_owned(),
            file: String::new(),
        };
        match &load.source {
            LoadSource::Preceding => Ok((Source::default(), plain(""))),
            LoadSource::File { path, .. } => {
                let file = file.map_or_else(|| path.text.clone(), str::to_owned);
                let source = self.file(place, load, &file)?;
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
                let n_rows = n_rows.min(self.row_limit());
                (self.budget.charge_rows(n_rows as u64)).map_err(|stop| place.stop(stop))?;
                let source = Source {
                    frame: Frame::default(),
                    n_rows,
                };
                Ok((source, plain("Autogenerate")))
            }
            LoadSource::Field {
                table,
                field,
                format,
            } => {
                let source = self.texts_of(place, table, field, format)?;
                Ok((source, plain(&field.text)))
            }
            LoadSource::Extension(span) => Err(place.fail(
                Diagnostic::error(
                    "script.extension_not_available",
                    *span,
                    "EXTENSION asks an analytics plug-in for rows, and a hub has none",
                )
                .with_hint("run the computation before the reload, and load the file it writes"),
            )),
        }
    }

    /// `SET Verbatim=1` keeps the spaces around values.
    fn is_verbatim(&self) -> bool {
        self.variable("Verbatim").and_then(Value::as_num) == Some(1.0)
    }

    pub(super) fn null_text(&self) -> Option<String> {
        self.variable("NullInterpret")
            .filter(|v| !v.is_null())
            .map(Value::to_text)
    }

    pub(super) fn file(&mut self, place: &Place, load: &Load, file: &str) -> Run<Source> {
        let LoadSource::File { path, format } = &load.source else {
            return Ok(Source::default());
        };
        if let Some(filters) = &format.filters {
            return Err(place.fail(
                Diagnostic::error(
                    "script.filters_not_supported",
                    filters.span,
                    "filters() reshapes a sheet before it is read, which is not done here",
                )
                .with_hint("load the sheet as it is, then use WHERE, CROSSTABLE or a second LOAD"),
            ));
        }
        let request = ReadRequest {
            path: file.to_owned(),
            directory: self.directory.clone(),
            format: format.clone(),
            wanted: wanted(load),
            verbatim: self.is_verbatim(),
            budget: self.budget.clone(),
        };
        let mut rows = (self.host.ask(|host| host.open(&request)))
            .map_err(|e| place.host_error(path.span, e))?;
        self.leave_out_rows(load, &request.path, rows.as_mut())
            .map_err(|e| place.host_error(path.span, e))?;
        self.read_rows(place, path.span, &request.path, rows)
    }

    /// Lets a source with symbols leave out the rows whose symbol the filter of `load` refuses.
    fn leave_out_rows(
        &self,
        load: &Load,
        file: &str,
        rows: &mut dyn RowSource,
    ) -> Result<(), HostError> {
        let Some(filter) = &load.filter else {
            return Ok(());
        };
        if rows.whole().is_none() || !fields_are_plain(load) {
            return Ok(());
        }
        let header = Source::of(Frame::new("", distinct_names(rows.columns())));
        let Some((program, slot)) = compiled(load, filter, &header.frame) else {
            return Ok(());
        };
        let around = self.around(file);
        let Some(symbols) = rows.symbols(slot)? else {
            return Ok(());
        };
        let keep = truths_of(&program, symbols, &header, &around);
        rows.keep_rows(slot, &keep)?;
        Ok(())
    }

    /// All rows of an open file or query.
    pub(super) fn read_rows(
        &mut self,
        place: &Place,
        span: Span,
        name: &str,
        mut rows: Box<dyn RowSource>,
    ) -> Run<Source> {
        let names = distinct_names(rows.columns());
        if let Some(size) = rows.whole() {
            (self.budget.charge_rows(size.n_rows)).map_err(|stop| place.stop(stop))?;
            (self.budget.charge_bytes(size.n_bytes)).map_err(|stop| place.stop(stop))?;
            let mut frame = Frame {
                name: String::new(),
                columns: (rows.take_whole()).map_err(|e| place.host_error(span, e))?,
            };
            let limit = self.row_limit();
            for (column, distinct) in frame.columns.iter_mut().zip(names) {
                column.name = distinct;
                column.codes.truncate(limit);
            }
            self.host.ask(|host| host.progress(name, size.n_rows));
            return Ok(Source::of(frame));
        }
        if rows.is_raw() {
            return self.read_raw(place, span, name, names, rows.as_mut());
        }
        let mut frame = Frame::new("", names);
        let null_text = self.null_text();
        let mut n_rows = 0;
        while let Some(batch) = (rows.next_batch()).map_err(|e| place.host_error(span, e))? {
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
            self.host.ask(|host| host.progress(name, n_rows as u64));
            if n_rows >= self.row_limit() {
                n_rows = self.row_limit();
                for column in &mut frame.columns {
                    column.codes.truncate(n_rows);
                }
                break;
            }
        }
        Ok(Source { frame, n_rows })
    }

    /// All rows of a source of raw texts: each distinct text of a column is interpreted once.
    fn read_raw(
        &mut self,
        place: &Place,
        span: Span,
        name: &str,
        names: Vec<String>,
        rows: &mut dyn RowSource,
    ) -> Run<Source> {
        let mut columns: Vec<RawColumn> = names.iter().map(|_| RawColumn::new()).collect();
        let (mut n_rows, mut n_bytes) = (0, 0);
        while (rows.read_raw(&mut columns)).map_err(|e| place.host_error(span, e))? {
            let all_rows = columns.first().map_or(0, RawColumn::n_rows);
            let all_bytes: usize = columns.iter().map(RawColumn::bytes).sum();
            (self.budget.charge_rows((all_rows - n_rows) as u64))
                .map_err(|stop| place.stop(stop))?;
            (self
                .budget
                .charge_bytes(all_bytes.saturating_sub(n_bytes) as u64))
            .map_err(|stop| place.stop(stop))?;
            (n_rows, n_bytes) = (all_rows, all_bytes);
            self.host.ask(|host| host.progress(name, n_rows as u64));
            if n_rows >= self.row_limit() {
                n_rows = self.row_limit();
                break;
            }
        }
        let null_text = self.null_text();
        let reading = Reading {
            locale: &self.locale,
            null_text: null_text.as_deref(),
        };
        let mut frame = Frame::default();
        for (mut column, name) in columns.into_iter().zip(names) {
            self.budget.check().map_err(|stop| place.stop(stop))?;
            let is_cut = column.n_rows() > n_rows;
            column.truncate(n_rows);
            let mut column = column.into_column(name, |text| reading.read(text));
            if is_cut {
                forget_unused(&mut column);
            }
            frame.columns.push(column);
        }
        Ok(Source { frame, n_rows })
    }

    fn row_limit(&self) -> usize {
        self.settings.row_limit.unwrap_or(usize::MAX)
    }

    pub(super) fn inline(
        &mut self,
        place: &Place,
        data: &Name,
        format: &satchel_syntax::FormatSpec,
    ) -> Run<Source> {
        let mut frame = Frame::default();
        self.delimited(place, data, format, Labels::Embedded, &mut frame)?;
        Ok(Source::of(frame))
    }

    /// `FROM_FIELD`: each text of a field is a small file; their rows follow each other.
    pub(super) fn texts_of(
        &mut self,
        place: &Place,
        table: &Name,
        field: &Name,
        format: &satchel_syntax::FormatSpec,
    ) -> Run<Source> {
        let kind = format.kind.as_ref().map_or("txt", |k| k.text.as_str());
        if !matches!(kind, "txt" | "csv") {
            return Err(super::not_supported(
                place,
                format.span,
                &format!("FROM_FIELD with texts of kind {kind}"),
            ));
        }
        let from = self.resident(place, table)?;
        let Some(c) = from.column_index(&field.text) else {
            return Err(super::tables::unknown_field(place, field));
        };
        let mut out = Frame::default();
        for row in 0..from.n_rows() {
            let text = Name {
                text: from.columns[c].value(row).to_text(),
                span: field.span,
            };
            let mut frame = Frame::default();
            self.delimited(place, &text, format, Labels::None, &mut frame)?;
            append(&mut out, frame);
        }
        Ok(Source::of(out))
    }

    /// The rows of delimited text, into `frame`.
    fn delimited(
        &mut self,
        place: &Place,
        data: &Name,
        format: &satchel_syntax::FormatSpec,
        default_labels: Labels,
        frame: &mut Frame,
    ) -> Run<()> {
        let dialect = Dialect {
            delimiter: format.delimiter.clone().unwrap_or_else(|| ",".to_owned()),
            quotes: format.quotes != Some(Quotes::None),
            single_quotes: !self.is_verbatim(),
            lines_in_single: true,
            spaces: format.delimiter_is_spaces,
            trims: !self.is_verbatim(),
            comment: format.comment.clone(),
        };
        let null_text = self.null_text();
        let reading = Reading {
            locale: &self.locale,
            null_text: null_text.as_deref(),
        };
        let has_labels = format.labels.unwrap_or(default_labels) != Labels::None;
        let mut stopped = None;
        let split = split_delimited(&data.text, &dialect, |number, cells| {
            if number == 1 {
                let names: Vec<String> = if has_labels {
                    cells.iter().map(|c| c.clone().into_owned()).collect()
                } else {
                    (1..=cells.len()).map(|n| format!("@{n}")).collect()
                };
                *frame = Frame::new("", distinct_names(&names));
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
        Ok(())
    }

    pub(super) fn resident(&self, place: &Place, name: &Name) -> Run<Frame> {
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
}

/// Names of which none is there twice: a second `A` becomes `A1`.
pub(super) fn distinct_names(names: &[String]) -> Vec<String> {
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
    // Columns by number need all of them, and a load of constants needs the rows. Where a
    // record is cut, as `@1:4` says, only the load knows.
    if out.is_empty() || (out.iter()).any(|f| f.starts_with('@') && !f.contains(':')) {
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
        ExprKind::WithSet { expr, .. } | ExprKind::Sorted { expr, .. } => fields_of(expr, out),
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
