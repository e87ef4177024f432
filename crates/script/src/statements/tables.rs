//! Where a load's rows go, and what DROP and RENAME do to tables.

use satchel_data::{Dict, Frame, Value};
use satchel_syntax::{
    Diagnostic, JoinKind, LoadField, Name, PrefixKind, Renames, Statement, StatementKind,
};

use crate::join::{join, partners};
use crate::run::{Place, Run, Runner};
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
        let label = statement.label.as_ref().map(|l| l.text.clone());
        let mut name = label.clone().unwrap_or_else(|| default_name.to_owned());
        self.rename_columns(statement, &mut frame, &name);
        self.null_values(&mut frame);
        if self.section == Section::Access {
            name = name.to_uppercase();
            upper_case(&mut frame);
        }
        let mut concatenates = None;
        let mut stays_apart = false;
        for prefix in &statement.prefixes {
            match &prefix.kind {
                PrefixKind::Mapping => return self.mapping(place, statement, frame),
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
                PrefixKind::First(_) | PrefixKind::Partial => {}
                PrefixKind::NotSupported(keyword) => {
                    return Err(super::not_supported(
                        place,
                        prefix.span,
                        &keyword.to_uppercase(),
                    ));
                }
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

    /// `NULLASVALUE`
    fn null_values(&self, frame: &mut Frame) {
        let value = self
            .variable("NullValue")
            .map_or_else(String::new, Value::to_text);
        for column in &mut frame.columns {
            let applies = (self.null_as_value.iter().rev())
                .find(|(_, pattern)| satchel_calc::matches_wildcard(&column.name, pattern))
                .is_some_and(|(adds, _)| *adds);
            if applies && column.codes.contains(&satchel_data::NULL_CODE) {
                let code = column.dict.intern(&self.interpreted(&value));
                for cell in &mut column.codes {
                    if *cell == satchel_data::NULL_CODE {
                        *cell = code;
                    }
                }
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

    pub(super) fn drop_tables(&mut self, place: &Place, names: &[Name]) -> Run<()> {
        for name in names {
            let upper = name.text.to_uppercase();
            let at = self.tables.position(&name.text, self.section).or_else(|| {
                (self.section == Section::Access)
                    .then(|| self.tables.position(&upper, self.section))?
            });
            match at {
                Some(at) => {
                    self.tables.list.remove(at);
                }
                None => return Err(self.unknown_table(place, name)),
            }
        }
        Ok(())
    }

    pub(super) fn drop_fields(
        &mut self,
        place: &Place,
        fields: &[Name],
        tables: &[Name],
    ) -> Run<()> {
        for table in tables {
            if self.tables.position(&table.text, self.section).is_none() {
                return Err(self.unknown_table(place, table));
            }
        }
        for field in fields {
            let mut found = false;
            for loaded in &mut self.tables.list {
                let applies = loaded.section == self.section
                    && (tables.is_empty() || tables.iter().any(|t| t.text == loaded.frame.name));
                if applies && let Some(at) = loaded.frame.column_index(&field.text) {
                    loaded.frame.columns.remove(at);
                    found = true;
                }
            }
            if !found {
                return Err(unknown_field(place, field));
            }
        }
        self.tables.list.retain(|t| !t.frame.columns.is_empty());
        Ok(())
    }

    /// Old and new names, from the statement or from a map.
    fn pairs(&self, place: &Place, renames: &Renames) -> Run<Vec<(Name, String, bool)>> {
        match renames {
            Renames::Pairs(pairs) => Ok((pairs.iter())
                .map(|(old, new)| (old.clone(), new.text.clone(), true))
                .collect()),
            Renames::Using(name) => match self.tables.maps.get(&name.text) {
                Some(map) => Ok((map.pairs.iter())
                    .map(|(old, new)| {
                        let old = Name {
                            text: old.clone(),
                            span: name.span,
                        };
                        (old, new.to_text(), false)
                    })
                    .collect()),
                None => Err(place.fail(
                    Diagnostic::error(
                        "script.unknown_map",
                        name.span,
                        format!("there is no mapping table called `{}`", name.text),
                    )
                    .with_hint("load it first with MAPPING LOAD"),
                )),
            },
        }
    }

    pub(super) fn rename_tables(&mut self, place: &Place, renames: &Renames) -> Run<()> {
        for (old, new, must_exist) in self.pairs(place, renames)? {
            match self.tables.position(&old.text, self.section) {
                Some(at) if old.text != new => {
                    if self.tables.position(&new, self.section).is_some() {
                        return Err(place.fail(
                            Diagnostic::error(
                                "script.duplicate_table",
                                old.span,
                                format!("there is a table called `{new}` already"),
                            )
                            .with_hint("drop it first, or choose another name"),
                        ));
                    }
                    self.tables.list[at].frame.name = new;
                }
                None if must_exist => return Err(self.unknown_table(place, &old)),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn rename_fields(&mut self, place: &Place, renames: &Renames) -> Run<()> {
        for (old, new, must_exist) in self.pairs(place, renames)? {
            let mut found = false;
            let section = self.section;
            for loaded in self.tables.list.iter_mut().filter(|t| t.section == section) {
                let Some(at) = loaded.frame.column_index(&old.text) else {
                    continue;
                };
                found = true;
                if old.text != new && loaded.frame.column_index(&new).is_some() {
                    return Err(place.fail(
                        Diagnostic::error(
                            "script.duplicate_field",
                            old.span,
                            format!(
                                "table `{}` has a field called `{new}` already",
                                loaded.frame.name
                            ),
                        )
                        .with_hint("drop it first, or choose another name"),
                    ));
                }
                loaded.frame.columns[at].name.clone_from(&new);
            }
            if !found && must_exist {
                return Err(unknown_field(place, &old));
            }
        }
        Ok(())
    }
}

pub(super) fn unknown_field(place: &Place, name: &Name) -> crate::run::Halt {
    place.fail(
        Diagnostic::error(
            "script.unknown_field",
            name.span,
            format!("no table has a field called `{}`", name.text),
        )
        .with_hint("check the spelling; upper and lower case differ"),
    )
}

/// Names and texts of an access table (DESIGN §3). Columns that become one name are numbered.
fn upper_case(frame: &mut Frame) {
    let names: Vec<String> = (frame.columns.iter())
        .map(|c| c.name.to_uppercase())
        .collect();
    let names = super::distinct_names(&names);
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
