//! Plain statements: what each does to tables, variables and the world outside.

mod definitions;
mod load;
mod source;
mod store;
mod tables;
mod target;
mod values;

use std::rc::Rc;

use satchel_data::Value;
use satchel_syntax::{
    Comments, Diagnostic, LoadSource, Name, Span, Statement, StatementKind, parse_script,
    parse_statement,
};

pub(crate) use self::definitions::Definitions;
use crate::host::Step;
use crate::run::{Flow, Place, Run, Runner, Unit};
use crate::tables::Section;

/// A fifth of a second: how soon a sleeping script hears that it is to end.
const NAP_MS: u64 = 200;

/// One hour: what a whole run may sleep, so that a loop of short sleeps ends too.
const MAX_SLEEP_MS: u64 = 3_600_000;

/// A `LOAD` without a source: it waits for the next one.
pub(crate) struct Pending {
    place: Place,
    statement: Statement,
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
        for diagnostic in diagnostics {
            let problem = place.problem(diagnostic);
            self.warn(problem);
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
                | StatementKind::Select(_)
                | StatementKind::Nothing
                | StatementKind::Remark
        ) {
            self.no_pending()?;
        }
        self.step_rows = (0, 0);
        self.statement(place, statement)?;
        if self.settings.traces {
            self.tell_step(unit, span);
        }
        Ok(Flow::Next)
    }

    fn tell_step(&mut self, unit: &Unit, span: Span) {
        /// What fits a terminal's line beside the numbers.
        const SHOWN: usize = 60;
        /// A value of a dictionary: two words, and for texts the letters. A guess that costs
        /// nothing beats a count of every letter after every statement.
        const VALUE_BYTES: usize = 40;
        let words: Vec<&str> = span.text(&unit.text).split_whitespace().collect();
        let whole = words.join(" ");
        let mut text: String = whole.chars().take(SHOWN).collect();
        if text.len() < whole.len() {
            text.push('…');
        }
        let columns = self.tables.list.iter().flat_map(|t| &t.frame.columns);
        let n_bytes: usize = columns
            .map(|c| 4 * c.codes.len() + VALUE_BYTES * c.dict.len())
            .sum();
        let step = Step {
            file: unit.file.clone(),
            line: satchel_syntax::line_col(&unit.text, span.start as usize).0,
            text,
            rows_in: self.step_rows.0,
            rows_out: self.step_rows.1,
            n_bytes: n_bytes as u64,
        };
        self.host.ask(|host| host.step(&step));
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
            StatementKind::Select(_) => self.load(place, statement),
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
                let wanted = value.as_num().unwrap_or(0.0).max(0.0) as u64;
                let milliseconds = wanted.min(MAX_SLEEP_MS.saturating_sub(self.slept_ms));
                self.slept_ms += milliseconds;
                // In short naps, so that who cancels or whose time is up need not wait.
                let mut left = milliseconds;
                while left > 0 {
                    self.budget.check().map_err(|stop| place.stop(stop))?;
                    let nap = left.min(NAP_MS);
                    self.host.ask(|host| host.sleep(nap));
                    left -= nap;
                }
                Ok(())
            }
            StatementKind::SectionAccess => {
                // Rows added to inherited access tables could show more than those do.
                if self.inherits_access {
                    return Err(place.fail(
                        Diagnostic::error(
                            "script.access_inherited",
                            statement.span,
                            "the app that BINARY loads has a section access, which holds here too",
                        )
                        .with_hint(
                            "change it in that app, or let that app STORE what this one may load",
                        ),
                    ));
                }
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
            StatementKind::TagUsing { adds, map } => self.tag_using(&place, *adds, map),
            StatementKind::Comment { is_table, comments } => {
                self.comment(&place, *is_table, comments)
            }
            StatementKind::MapUsing { fields, map } => {
                if !self.runs_now(&statement.prefixes) {
                    return Ok(());
                }
                self.map_using(&place, fields, map)
            }
            StatementKind::Unmap(names) => {
                (self.mapped).extend(names.iter().map(|n| (n.text.clone(), None)));
                Ok(())
            }
            StatementKind::AutoNumber { fields, counter } => {
                self.auto_number(&place, fields, counter.as_ref())
            }
            StatementKind::Star(symbol) => {
                if symbol.is_some() && self.section == Section::Application {
                    let whole = Span::new(0, place.expansion.text.len());
                    let note = Diagnostic::warning(
                        "script.star_in_application",
                        whole,
                        "a star stands for all values in the access section only",
                    )
                    .with_hint("in the application section the symbol is loaded as it is");
                    let problem = place.problem(note);
                    self.warn(problem);
                }
                Ok(())
            }
            StatementKind::Force(case) => {
                if self.section == Section::Application {
                    self.force = *case;
                }
                Ok(())
            }
            StatementKind::Binary(app) => self.binary(&place, app),
            StatementKind::Connect(connect) => self.connect(&place, connect),
            StatementKind::Disconnect => {
                self.host.ask(|host| host.disconnect());
                self.is_connected = false;
                Ok(())
            }
            StatementKind::Declare(declare) => self.declare(&place, &statement, declare),
            StatementKind::Derive(derive) => {
                let derive = derive.clone();
                self.derive(place, &derive)
            }
            StatementKind::Stop(text) => Err(place.fail(
                Diagnostic::error(
                    "script.stopped",
                    Span::new(0, place.expansion.text.len()),
                    format!("the script stops itself: {text}"),
                )
                .with_hint("the lines before it say when that happens"),
            )),
            StatementKind::Execute => Err(place.fail(
                Diagnostic::error(
                    "script.execute_refused",
                    Span::new(0, place.expansion.text.len()),
                    "EXECUTE is refused: a script may not run programs on the hub",
                )
                .with_hint("run the program before the reload, and load the file it writes"),
            )),
            StatementKind::Directory(path) => {
                self.directory = path.as_ref().map(|p| p.text.clone());
                Ok(())
            }
            StatementKind::LoosenTables(names) => {
                self.loose.extend(names.iter().map(|n| n.text.clone()));
                Ok(())
            }
            StatementKind::NoEffect(_) => Ok(()),
            StatementKind::DropTables(names) => self.drop_tables(&place, names),
            StatementKind::DropFields { fields, tables } => {
                self.drop_fields(&place, fields, tables)
            }
            StatementKind::RenameTables(renames) => self.rename_tables(&place, renames),
            StatementKind::RenameFields(renames) => self.rename_fields(&place, renames),
            StatementKind::Store(store) => self.store(&place, store),
        }
    }

    /// Keeps a warning; a reload with very many is not read.
    pub(crate) fn warn(&mut self, problem: crate::outcome::Problem) {
        /// More than that is noise.
        const MOST: usize = 100;
        if self.warnings.len() < MOST {
            self.warnings.push(problem);
        }
    }

    fn connect(&mut self, place: &Place, connect: &satchel_syntax::Connect) -> Run<()> {
        if !connect.is_defined {
            return Err(place.fail(
                Diagnostic::error(
                    "script.connection_not_defined",
                    connect.name.span,
                    "a script may only use connections that are defined on the hub",
                )
                .with_hint(
                    "write LIB CONNECT TO 'name'; an administrator defines what `name` means",
                ),
            ));
        }
        let name = connect.name.text.as_str();
        self.is_connected = false;
        (self.host.ask(|host| host.connect(name)))
            .map_err(|error| place.host_error(connect.name.span, error))?;
        self.is_connected = true;
        Ok(())
    }

    fn binary(&mut self, place: &Place, app: &Name) -> Run<()> {
        if self.has_loaded || self.section == Section::Access {
            return Err(place.fail(
                Diagnostic::error(
                    "script.binary_not_first",
                    app.span,
                    "BINARY must stand before everything that loads",
                )
                .with_hint("move it to the beginning of the script"),
            ));
        }
        self.has_loaded = true;
        // A partial reload keeps what the last full one took over.
        if let Some(previous) = &self.settings.previous {
            self.inherits_access = !previous.access.tables.is_empty();
            return Ok(());
        }
        let data = (self.host.ask(|host| host.binary(&app.text)))
            .map_err(|error| place.host_error(app.span, error))?;
        self.inherits_access = !data.access.tables.is_empty();
        let n_rows: usize = data.tables.iter().map(satchel_data::Frame::n_rows).sum();
        let line = format!(
            "{}: {} tables, {n_rows} rows{}",
            app.text,
            data.tables.len(),
            if self.inherits_access {
                ", and its section access"
            } else {
                ""
            }
        );
        self.take_over(data);
        self.write_log(line);
        Ok(())
    }

    fn tag_using(&mut self, place: &Place, adds: bool, map: &Name) -> Run<()> {
        let Some(found) = self.tables.maps.get(&map.text) else {
            return Err(values::unknown_map(place, map));
        };
        let pairs: Vec<(String, String)> = (found.pairs.iter())
            .map(|(field, tag)| (field.clone(), tag.to_text()))
            .collect();
        for entry in pairs {
            self.tags.retain(|t| *t != entry);
            if adds {
                self.tags.push(entry);
            }
        }
        Ok(())
    }

    fn comment(&mut self, place: &Place, is_table: bool, comments: &Comments) -> Run<()> {
        match comments {
            Comments::Text(names, text) => {
                (self.comments)
                    .extend((names.iter()).map(|n| (is_table, n.text.clone(), text.clone())));
            }
            Comments::Using(map) => {
                let Some(found) = self.tables.maps.get(&map.text) else {
                    return Err(values::unknown_map(place, map));
                };
                (self.comments).extend(
                    (found.pairs.iter())
                        .map(|(name, text)| (is_table, name.clone(), text.to_text())),
                );
            }
        }
        Ok(())
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
            format!("{keyword} is not supported"),
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
