//! Loads and selects: the chain of preceding loads, wildcards in file names, and the prefixes
//! that change the shape of what was loaded.

use satchel_data::{Frame, Value};
use satchel_syntax::{
    Diagnostic, ExprKind, Load, LoadField, LoadSource, Name, PartialKind, Prefix, PrefixKind, Span,
    Statement, StatementKind,
};

use super::Pending;
use super::source::Origin;
use crate::evaluate::Source;
use crate::load::{LoadError, run_load};
use crate::run::{Halt, Place, Run, Runner};
use crate::shape::{Wanted, crosstable, hierarchy, hierarchy_belongs_to, interval_match};
use crate::symbol_filter::forget_unused;
use crate::tables::{Section, gather};

impl Runner<'_> {
    /// Runs a load with a source or a select, and the loads before it that waited for one.
    pub(super) fn load(&mut self, place: Place, statement: Statement) -> Run<()> {
        let mut chain = std::mem::take(&mut self.pending);
        chain.push(Pending { place, statement });
        if !self.runs_now(&chain[0].statement.prefixes) {
            return Ok(());
        }
        self.has_loaded = true;
        let bottom = &chain[chain.len() - 1];
        let mask = match &bottom.statement.kind {
            StatementKind::Load(load) => match &load.source {
                LoadSource::File { path, .. } if is_mask(&path.text) => Some(path.clone()),
                _ => None,
            },
            _ => None,
        };
        let Some(mask) = mask else {
            return self.load_chain(&chain, None);
        };
        let directory = self.directory.clone();
        let files = (self
            .host
            .ask(|host| host.list_files(&mask.text, directory.as_deref())))
        .map_err(|error| bottom.place.host_error(mask.span, error))?;
        if files.is_empty() {
            return Err(bottom.place.fail(
                Diagnostic::error(
                    "source.not_found",
                    mask.span,
                    format!("no file fits `{}`", mask.text),
                )
                .with_hint("check the folder; upper and lower case may differ"),
            ));
        }
        for file in files {
            self.load_chain(&chain, Some(&file))?;
        }
        Ok(())
    }

    /// Whether a load with these prefixes takes part in this reload.
    pub(super) fn runs_now(&self, prefixes: &[Prefix]) -> bool {
        let mut takes_part = !self.is_partial();
        for prefix in prefixes {
            let only = match &prefix.kind {
                PrefixKind::Partial(_, only) => *only,
                PrefixKind::Merge(merge) => merge.only,
                _ => continue,
            };
            takes_part = self.is_partial() || !only;
        }
        takes_part
    }

    fn load_chain(&mut self, chain: &[Pending], file: Option<&str>) -> Run<()> {
        let bottom = &chain[chain.len() - 1];
        let mut dated = self.dated_fields(&bottom.statement.kind);
        let (mut source, origin) = match &bottom.statement.kind {
            StatementKind::Load(load) => self.source(&bottom.place, load, file)?,
            StatementKind::Select(text) => self.select(&bottom.place, text)?,
            _ => return Ok(()),
        };
        self.step_rows.0 += source.n_rows as u64;
        for (depth, step) in chain.iter().enumerate().rev() {
            let first = match self.first(step)? {
                Some(n) if depth == 0 || depth == chain.len() - 1 => Some(n),
                _ => None,
            };
            if let StatementKind::Load(load) = &step.statement.kind {
                dated = dated_by(load, &dated);
                let around = self.around(&origin.file);
                let frame = run_load(load, source, first, &around, self.budget);
                source = Source::of(frame.map_err(|error| match error {
                    LoadError::Diagnostics(found) => step.place.halt(found),
                    LoadError::Stopped(stop) => step.place.stop(stop),
                })?);
            } else if let Some(first) = first {
                for column in &mut source.frame.columns {
                    column.codes.truncate(first);
                    forget_unused(column);
                }
            }
            for prefix in step.statement.prefixes.iter().rev() {
                if let Some(frame) = self.shaped(&step.place, prefix, &source.frame)? {
                    source = Source::of(frame);
                }
            }
        }
        if self.section == Section::Application {
            for entry in dated {
                let is_there = source.frame.column_index(&entry.0).is_some();
                if is_there && !self.tags.contains(&entry) {
                    self.tags.push(entry);
                }
            }
        }
        let top = &chain[0];
        if top
            .statement
            .prefixes
            .iter()
            .any(|p| matches!(p.kind, PrefixKind::Partial(PartialKind::Replace, _)))
        {
            self.replaced(&top.statement, &source.frame, &origin.name);
        }
        self.place_result(&top.place, &top.statement, source.frame, &origin.name)
    }

    /// The fields of a load's source that are tagged as dates.
    fn dated_fields(&self, statement: &StatementKind) -> Vec<(String, String)> {
        let of_tables = match statement {
            StatementKind::Load(load) => matches!(load.source, LoadSource::Resident(_)),
            _ => false,
        };
        let is_date = |(_, tag): &&(String, String)| tag == "$date" || tag == "$timestamp";
        if of_tables {
            self.tags.iter().filter(is_date).cloned().collect()
        } else {
            Vec::new()
        }
    }

    /// The rows of a query.
    fn select(&mut self, place: &Place, text: &str) -> Run<(Source, Origin)> {
        let span = Span::new(0, place.expansion.text.len());
        if !self.is_connected {
            return Err(place.fail(
                Diagnostic::error(
                    "script.not_connected",
                    span,
                    "there is no connection to a database",
                )
                .with_hint("write LIB CONNECT TO 'name' before it"),
            ));
        }
        let rows = (self.host.ask(|host| host.query(text)))
            .map_err(|error| place.host_error(span, error))?;
        let name = table_of_query(text);
        let mut source = self.read_rows(place, span, &name, rows)?;
        // `SET NullDisplay='text'` shows the NULLs of a database as that text.
        let shown = self.variable("NullDisplay").map(Value::to_text);
        if let Some(shown) = shown.filter(|s| !s.is_empty()) {
            for column in &mut source.frame.columns {
                if column.codes.contains(&satchel_data::NULL_CODE) {
                    let code = column.dict.intern(&self.interpreted(&shown));
                    for cell in &mut column.codes {
                        if *cell == satchel_data::NULL_CODE {
                            *cell = code;
                        }
                    }
                }
            }
        }
        let origin = Origin {
            name,
            file: String::new(),
        };
        Ok((source, origin))
    }

    /// `REPLACE`: the table the load would make goes first.
    fn replaced(&mut self, statement: &Statement, frame: &Frame, default_name: &str) {
        let at = match &statement.label {
            Some(label) => self.tables.position(&label.text, self.section),
            None => (self.tables.with_same_fields(frame, self.section))
                .or_else(|| self.tables.position(default_name, self.section)),
        };
        if let Some(at) = at {
            self.tables.list.remove(at);
        }
    }

    fn first(&self, step: &Pending) -> Run<Option<usize>> {
        for prefix in &step.statement.prefixes {
            if let PrefixKind::First(expr) = &prefix.kind {
                let n = self.evaluate(expr, &step.place)?.as_num();
                return Ok(Some(n.unwrap_or(0.0).max(0.0) as usize));
            }
        }
        Ok(None)
    }

    /// What a prefix makes of the loaded rows; `None` if it leaves them as they are.
    fn shaped(&mut self, place: &Place, prefix: &Prefix, frame: &Frame) -> Run<Option<Frame>> {
        let stopped = |stop| place.stop(stop);
        Ok(Some(match &prefix.kind {
            PrefixKind::Crosstable {
                attribute,
                data,
                n_keys,
            } => {
                let n_keys = match n_keys {
                    Some(expr) => self.evaluate(expr, place)?.as_num().unwrap_or(1.0),
                    None => 1.0,
                };
                let n_keys = n_keys.max(0.0) as usize;
                let budget = self.budget;
                crosstable(frame, &attribute.text, &data.text, n_keys, budget).map_err(stopped)?
            }
            PrefixKind::Sample(expr) => {
                let share = self.evaluate(expr, place)?.as_num().unwrap_or(1.0);
                let mut session = self.session.borrow_mut();
                let rows: Vec<u32> = (0..frame.n_rows() as u32)
                    .filter(|_| session.rand() < share)
                    .collect();
                gather(frame, &rows)
            }
            PrefixKind::IntervalMatch { value, keys } => {
                self.interval_match(place, prefix, frame, value, keys)?
            }
            PrefixKind::Hierarchy(h) => {
                let column = |name: &Name| column_of(place, frame, name);
                let (node, parent, name) = (column(&h.node)?, column(&h.parent)?, column(&h.name)?);
                let path_source = h.path_source.as_ref().map_or(Ok(name), column)?;
                let wanted = Wanted {
                    node,
                    parent,
                    name,
                    level: &h.name.text,
                    parent_name: h.parent_name.as_ref().map(|n| n.text.as_str()),
                    path_source,
                    path: h.path_name.as_ref().map(|n| n.text.as_str()),
                    delimiter: h.path_delimiter.as_ref().map_or("/", |n| n.text.as_str()),
                    depth: h.depth.as_ref().map(|n| n.text.as_str()),
                };
                hierarchy(frame, &wanted, self.budget).map_err(stopped)?
            }
            PrefixKind::HierarchyBelongsTo(h) => {
                let column = |name: &Name| column_of(place, frame, name);
                let columns = [column(&h.node)?, column(&h.parent)?, column(&h.name)?];
                let names = [h.ancestor.text.as_str(), h.ancestor_name.text.as_str()];
                let difference = h.depth_difference.as_ref().map(|n| n.text.as_str());
                hierarchy_belongs_to(frame, columns, names, difference, self.budget)
                    .map_err(stopped)?
            }
            PrefixKind::Buffer(_) => {
                self.write_log("BUFFER: read without a buffer".to_owned());
                return Ok(None);
            }
            _ => return Ok(None),
        }))
    }

    fn interval_match(
        &mut self,
        place: &Place,
        prefix: &Prefix,
        frame: &Frame,
        value: &Name,
        keys: &[Name],
    ) -> Run<Frame> {
        if frame.columns.len() < 2 + keys.len() {
            return Err(place.fail(
                Diagnostic::error(
                    "script.interval_needs_limits",
                    prefix.span,
                    format!(
                        "INTERVALMATCH needs a load of {} fields, this one has {}",
                        2 + keys.len(),
                        frame.columns.len()
                    ),
                )
                .with_hint("load the lower limit, the upper limit and then the keys"),
            ));
        }
        let key_columns = (keys.iter())
            .map(|key| column_of(place, frame, key))
            .collect::<Run<Vec<usize>>>()?;
        let mut values: Vec<(Value, Vec<Value>)> = Vec::new();
        let mut is_there = false;
        for table in self.tables.visible(self.section) {
            let columns: Option<Vec<usize>> = (std::iter::once(value).chain(keys))
                .map(|name| table.column_index(&name.text))
                .collect();
            let Some(columns) = columns else { continue };
            is_there = true;
            if keys.is_empty() {
                let dict = table.columns[columns[0]].dict.values();
                values.extend(dict.iter().map(|v| (v.clone(), Vec::new())));
                continue;
            }
            (self.budget.charge_rows(table.n_rows() as u64)).map_err(|stop| place.stop(stop))?;
            for row in 0..table.n_rows() {
                let mut cells = columns.iter().map(|c| table.columns[*c].value(row));
                if let Some(first) = cells.next() {
                    values.push((first, cells.collect()));
                }
            }
        }
        if !is_there {
            return Err(super::tables::unknown_field(place, value));
        }
        let mut seen = rustc_hash::FxHashSet::default();
        values.retain(|(value, key)| {
            let symbols: Vec<_> = (std::iter::once(value).chain(key))
                .map(satchel_data::SymbolKey::of)
                .collect();
            seen.insert(symbols)
        });
        interval_match(frame, &value.text, &key_columns, &values, self.budget)
            .map_err(|stop| place.stop(stop))
    }
}

/// The fields of a load that are dates, by what makes them or by the fields they are.
fn dated_by(load: &Load, source: &[(String, String)]) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for field in &load.fields {
        match field {
            LoadField::Star(_) => all.extend(source.iter().cloned()),
            LoadField::Column { expr, name, .. } => {
                let made = satchel_calc::date_tags(expr)
                    .iter()
                    .map(|t| (*t).to_owned());
                all.extend(made.map(|tag| (name.text.clone(), tag)));
                if let ExprKind::Field(from) = &expr.kind {
                    let same = source.iter().filter(|(field, _)| field == from);
                    all.extend(same.map(|(_, tag)| (name.text.clone(), tag.clone())));
                }
            }
        }
    }
    all
}

/// The column of `frame` that a prefix names.
pub(super) fn column_of(place: &Place, frame: &Frame, name: &Name) -> Run<usize> {
    frame.column_index(&name.text).ok_or_else(|| -> Halt {
        let known: Vec<&str> = frame
            .columns
            .iter()
            .take(12)
            .map(|c| c.name.as_str())
            .collect();
        place.fail(
            Diagnostic::error(
                "script.unknown_field",
                name.span,
                format!("the load has no field called `{}`", name.text),
            )
            .with_hint(format!("it has {}", known.join(", "))),
        )
    })
}

fn is_mask(path: &str) -> bool {
    // A `?` in a web address begins its parameters.
    path.contains('*') || path.contains('?') && !path.contains("://") || {
        path.starts_with("lib://") && path.contains('?')
    }
}

/// What stands after FROM in a query, without schema and quotes.
fn table_of_query(text: &str) -> String {
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("from") {
            let table = words.next().unwrap_or_default();
            let name = table.rsplit('.').next().unwrap_or(table);
            return name
                .trim_matches(['"', '[', ']', '`', '\'', ';', ','])
                .to_owned();
        }
    }
    "Query".to_owned()
}
