//! Where a load's rows go: a new table, an old one, a map.

use satchel_data::{Dict, Frame, Value};
use satchel_syntax::{
    Diagnostic, JoinKind, LoadField, Merge, Name, PartialKind, PrefixKind, Statement, StatementKind,
};

use super::load::column_of;
use crate::join::{join, partners};
use crate::run::{Place, Run, Runner};
use crate::shape::{Change, generic, merge as apply_changes};
use crate::tables::{Loaded, Map, Section, append, gather};

impl Runner<'_> {
    /// Puts the rows of a load where its prefixes and label say.
    pub(super) fn place_result(
        &mut self,
        place: &Place,
        statement: &Statement,
        mut frame: Frame,
        default_name: &str,
    ) -> Run<()> {
        self.step_rows.1 += frame.n_rows() as u64;
        let label = statement.label.as_ref().map(|l| l.text.clone());
        let mut name = label.clone().unwrap_or_else(|| default_name.to_owned());
        self.rename_columns(statement, &mut frame, &name);
        self.change_values(&mut frame);
        if self.section == Section::Access {
            name = name.to_uppercase();
            upper_case(&mut frame);
        }
        let mut concatenates = None;
        let mut stays_apart = false;
        for prefix in &statement.prefixes {
            match &prefix.kind {
                PrefixKind::Mapping => return self.mapping(place, statement, frame),
                PrefixKind::External => {
                    let n_rows = frame.n_rows();
                    self.write_log(format!("{default_name}: {n_rows} links, not kept"));
                    return Ok(());
                }
                PrefixKind::Concatenate(table) => {
                    concatenates = Some(self.target(place, table.as_ref(), prefix.span)?);
                }
                PrefixKind::NoConcatenate => stays_apart = true,
                PrefixKind::Join(kind, table) => {
                    let at = self.target(place, table.as_ref(), prefix.span)?;
                    return self.join_into(place, at, &frame, *kind);
                }
                PrefixKind::Keep(kind, table) => {
                    let at = self.target(place, table.as_ref(), prefix.span)?;
                    frame = self.keep(place, at, frame, *kind)?;
                    stays_apart = true;
                }
                PrefixKind::Generic => {
                    return self.generic(&name, &frame);
                }
                PrefixKind::Merge(merge) => {
                    let merge = merge.clone();
                    return self.merge(place, statement, &merge, frame, &name);
                }
                PrefixKind::Semantic => {
                    stays_apart = true;
                    let note = Diagnostic::warning(
                        "script.semantic_as_table",
                        prefix.span,
                        "a SEMANTIC load is a plain table here",
                    )
                    .with_hint("its relations are rows; they cannot be followed by selecting");
                    let problem = place.problem(note);
                    self.warn(problem);
                }
                PrefixKind::Partial(PartialKind::Add, _) if self.is_partial() => {
                    concatenates = (label.as_ref())
                        .and_then(|name| self.tables.position(name, self.section))
                        .or(concatenates);
                }
                _ => {}
            }
        }
        let n_rows = frame.n_rows();
        let n_fields = frame.columns.len();
        if concatenates.is_none() && !stays_apart {
            concatenates = self.tables.with_same_fields(&frame, self.section);
        }
        let name = match concatenates {
            Some(at) => {
                let target = &mut self.tables.list[at].frame;
                append(target, frame);
                let line = format!(
                    "{} << {default_name}: {n_rows} rows added, {} in all",
                    target.name,
                    target.n_rows()
                );
                self.write_log(line);
                return Ok(());
            }
            None => self.tables.free_name(&name, self.section),
        };
        self.write_log(format!(
            "{name} << {default_name}: {n_rows} rows, {n_fields} fields"
        ));
        frame.name = name;
        self.tables.list.push(Loaded {
            frame,
            section: self.section,
        });
        Ok(())
    }

    /// `ALIAS` and `QUALIFY`.
    fn rename_columns(&self, statement: &Statement, frame: &mut Frame, table: &str) {
        let renamed: Vec<&str> = match &statement.kind {
            StatementKind::Load(load) => (load.fields.iter())
                .filter_map(|f| match f {
                    LoadField::Column {
                        name,
                        renamed: true,
                        ..
                    } => Some(name.text.as_str()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        for column in &mut frame.columns {
            if !renamed.contains(&column.name.as_str())
                && let Some((_, new)) = self.aliases.iter().rev().find(|(a, _)| *a == column.name)
            {
                column.name.clone_from(new);
            }
            let is_qualified = (self.qualified.iter().rev())
                .find(|(_, pattern)| satchel_calc::matches_wildcard(&column.name, pattern))
                .is_some_and(|(adds, _)| *adds);
            if is_qualified {
                column.name = format!("{table}.{}", column.name);
            }
        }
    }

    fn mapping(&mut self, place: &Place, statement: &Statement, frame: Frame) -> Run<()> {
        let Some(label) = &statement.label else {
            return Err(place.fail(
                Diagnostic::error(
                    "script.mapping_needs_label",
                    statement.span,
                    "a MAPPING table needs a name",
                )
                .with_hint("write Name: MAPPING LOAD key, value …"),
            ));
        };
        if frame.columns.len() != 2 {
            return Err(place.fail(
                Diagnostic::error(
                    "script.mapping_needs_two_fields",
                    statement.span,
                    format!(
                        "a MAPPING table has two fields, this one {}",
                        frame.columns.len()
                    ),
                )
                .with_hint("the first is what is looked up, the second what it becomes"),
            ));
        }
        self.write_log(format!("{}: map of {} rows", label.text, frame.n_rows()));
        self.tables.maps.insert(label.text.clone(), Map::of(&frame));
        Ok(())
    }

    /// The table a prefix names, or the one loaded last.
    fn target(
        &self,
        place: &Place,
        table: Option<&Name>,
        prefix: satchel_syntax::Span,
    ) -> Run<usize> {
        match table {
            Some(name) => {
                let upper = name.text.to_uppercase();
                let found = self.tables.position(&name.text, self.section).or_else(|| {
                    (self.section == Section::Access)
                        .then(|| self.tables.position(&upper, self.section))?
                });
                found.ok_or_else(|| self.unknown_table(place, name))
            }
            None => (self.tables.list.iter())
                .rposition(|t| t.section == self.section)
                .ok_or_else(|| {
                    place.fail(
                        Diagnostic::error(
                            "script.unknown_table",
                            prefix,
                            "there is no table yet that this could go to",
                        )
                        .with_hint("load a table first"),
                    )
                }),
        }
    }

    fn join_into(&mut self, place: &Place, at: usize, frame: &Frame, kind: JoinKind) -> Run<()> {
        let joined = join(&self.tables.list[at].frame, frame, kind, self.budget)
            .map_err(|stop| place.stop(stop))?;
        self.write_log(format!(
            "{} joined: {} rows, {} fields",
            joined.name,
            joined.n_rows(),
            joined.columns.len()
        ));
        self.tables.list[at].frame = joined;
        Ok(())
    }

    fn keep(&mut self, place: &Place, at: usize, frame: Frame, kind: JoinKind) -> Run<Frame> {
        let target = &self.tables.list[at].frame;
        let (left, right) =
            partners(target, &frame, self.budget).map_err(|stop| place.stop(stop))?;
        if matches!(kind, JoinKind::Right | JoinKind::Inner) {
            let kept = gather(target, &left);
            self.tables.list[at].frame = kept;
        }
        Ok(match kind {
            JoinKind::Left | JoinKind::Inner => gather(&frame, &right),
            JoinKind::Right | JoinKind::Outer => frame,
        })
    }

    /// `GENERIC`: a table for each attribute.
    fn generic(&mut self, name: &str, frame: &Frame) -> Run<()> {
        for mut part in generic(frame) {
            let wanted = format!("{name}.{}", part.name);
            part.name = self.tables.free_name(&wanted, self.section);
            self.write_log(format!("{}: {} rows", part.name, part.n_rows()));
            self.tables.list.push(Loaded {
                frame: part,
                section: self.section,
            });
        }
        Ok(())
    }

    /// `MERGE`: the first column says what each row does.
    fn merge(
        &mut self,
        place: &Place,
        statement: &Statement,
        merge: &Merge,
        mut log: Frame,
        default_name: &str,
    ) -> Run<()> {
        let mut changes = Vec::with_capacity(log.n_rows());
        if let Some(operation) = log.columns.first() {
            for row in 0..log.n_rows() {
                let value = operation.value(row);
                changes.push(Change::of(&value).ok_or_else(|| {
                    place.fail(
                        Diagnostic::error(
                            "script.unknown_operation",
                            statement.span,
                            format!("row {} of the log has no operation", row + 1),
                        )
                        .with_hint(
                            "the first field of a MERGE is Insert, Update or Delete for each row",
                        ),
                    )
                })?);
            }
            log.columns.remove(0);
        }
        let log_keys = (merge.keys.iter())
            .map(|key| column_of(place, &log, key))
            .collect::<Run<Vec<usize>>>()?;
        let sequence = (merge.sequence.as_ref())
            .map(|field| column_of(place, &log, field))
            .transpose()?;
        if let (Some(c), Some(variable)) = (sequence, &merge.variable) {
            let highest = (log.columns[c].dict.values().iter())
                .max_by(|a, b| a.order(b))
                .cloned();
            if let Some(highest) = highest {
                self.set_variable(&variable.text, highest);
            }
        }
        let at = match (&merge.table, merge.concatenates) {
            (Some(table), _) => Some(self.target(place, Some(table), table.span)?),
            (None, true) => Some(self.target(place, None, statement.span)?),
            (None, false) => (self.tables.with_same_fields(&log, self.section)).or_else(|| {
                let label = statement.label.as_ref()?;
                self.tables.position(&label.text, self.section)
            }),
        };
        let at = match at {
            Some(at) => at,
            None => {
                let name = self.tables.free_name(default_name, self.section);
                let columns: Vec<&str> = log.columns.iter().map(|c| c.name.as_str()).collect();
                self.tables.list.push(Loaded {
                    frame: Frame::new(name, columns),
                    section: self.section,
                });
                self.tables.list.len() - 1
            }
        };
        let target = &self.tables.list[at].frame;
        let target_keys = (merge.keys.iter())
            .map(|key| column_of(place, target, key))
            .collect::<Run<Vec<usize>>>()?;
        let merged = apply_changes(target, &target_keys, &log, &log_keys, sequence, &changes);
        self.write_log(format!(
            "{} merged: {} changes, {} rows in all",
            merged.name,
            changes.len(),
            merged.n_rows()
        ));
        self.tables.list[at].frame = merged;
        Ok(())
    }
}

/// Names and texts of an access table (DESIGN §3). Columns that become one name are numbered.
fn upper_case(frame: &mut Frame) {
    let names: Vec<String> = (frame.columns.iter())
        .map(|c| c.name.to_uppercase())
        .collect();
    let names = super::source::distinct_names(&names);
    for (column, name) in frame.columns.iter_mut().zip(names) {
        column.name = name;
        let mut dict = Dict::default();
        let map: Vec<u32> = (column.dict.values().iter())
            .map(|value| {
                dict.intern(&match value {
                    Value::Text(text) => Value::text(text.to_uppercase()),
                    Value::Dual { num, text } => Value::dual(*num, text.to_uppercase()),
                    other => other.clone(),
                })
            })
            .collect();
        for code in &mut column.codes {
            if let Some(new) = map.get(*code as usize) {
                *code = *new;
            }
        }
        column.dict = dict;
    }
}
