//! The course of a run: items in order, blocks, subs, includes, variables.

mod flow;
mod place;
mod values;

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use satchel_base::Budget;
use satchel_calc::Locale;
use satchel_data::{AccessTable, AccessTables, Frame, ModelBuilder, Value};
use satchel_syntax::{
    Diagnostic, ExitTarget, Expansion, ForceCase, Item, Script, Span, parse_script,
};

pub(crate) use self::place::{Halt, Place, Run, Unit};
use crate::functions::Session;
use crate::host::{Host, SharedHost};
use crate::outcome::{AppData, Failure, LoadResult, Problem, Settings};
use crate::statements::{Definitions, Pending};
use crate::tables::{Loaded, Section, Tables};

/// Includes and calls nested beyond this are refused.
const MAX_NESTING: u32 = 40;

/// Runs the script `text`, whose file is called `file` in messages.
///
/// # Errors
/// [`Failure`] with the problems that stopped it; nothing was published then.
pub fn run(
    file: &str,
    text: &str,
    host: &mut dyn Host,
    settings: &Settings,
    budget: &Budget,
) -> Result<LoadResult, Failure> {
    let mut runner = Runner::new(host, settings, budget);
    let unit = Rc::new(Unit {
        file: file.to_owned(),
        text: text.to_owned(),
    });
    match runner.unit(&unit).and_then(|_| runner.finish(&unit)) {
        Ok(result) => Ok(result),
        Err(halt) => Err(Failure {
            problems: halt.problems,
            log: runner.log,
        }),
    }
}

/// What follows an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Exit(ExitTarget),
}

pub(crate) struct Sub {
    unit: Rc<Unit>,
    parameters: Vec<String>,
    body: Rc<[Item]>,
}

pub(crate) struct Runner<'a> {
    pub(crate) host: SharedHost<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) budget: &'a Budget,
    pub(crate) tables: Tables,
    pub(crate) locale: Locale,
    pub(crate) session: RefCell<Session>,
    pub(crate) section: Section,
    pub(crate) pending: Vec<Pending>,
    /// `QUALIFY` and `UNQUALIFY` patterns; the last that fits decides.
    pub(crate) qualified: Vec<(bool, String)>,
    pub(crate) null_as_value: Vec<(bool, String)>,
    pub(crate) aliases: Vec<(String, String)>,
    /// `MAP … USING` and `UNMAP`: patterns and maps; the last that fits decides.
    pub(crate) mapped: Vec<(String, Option<String>)>,
    pub(crate) force: Option<ForceCase>,
    pub(crate) definitions: Definitions,
    /// Whether anything was loaded yet; `BINARY` must come first.
    pub(crate) has_loaded: bool,
    /// Whether `BINARY` brought access tables, which the script may not add to.
    pub(crate) inherits_access: bool,
    pub(crate) is_connected: bool,
    pub(crate) slept_ms: u64,
    /// Rows in and out of the statement that runs, for a trace.
    pub(crate) step_rows: (u64, u64),
    pub(crate) directory: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) comments: Vec<(bool, String, String)>,
    pub(crate) loose: Vec<String>,
    pub(crate) log: Vec<String>,
    pub(crate) warnings: Vec<Problem>,
    variables: Vec<(String, Value)>,
    variable_at: FxHashMap<String, usize>,
    subs: FxHashMap<String, Rc<Sub>>,
    nesting: u32,
}

impl<'a> Runner<'a> {
    fn new(host: &'a mut dyn Host, settings: &'a Settings, budget: &'a Budget) -> Self {
        let mut runner = Self {
            host: SharedHost::new(host),
            settings,
            budget,
            tables: Tables::default(),
            locale: Locale::default(),
            session: RefCell::new(Session {
                random: settings.seed,
                app_name: settings.app_name.clone(),
                user: settings.user.clone(),
                ..Session::default()
            }),
            section: Section::Application,
            pending: Vec::new(),
            qualified: Vec::new(),
            null_as_value: Vec::new(),
            aliases: Vec::new(),
            mapped: Vec::new(),
            force: None,
            definitions: Definitions::default(),
            has_loaded: false,
            inherits_access: false,
            is_connected: false,
            slept_ms: 0,
            step_rows: (0, 0),
            directory: None,
            tags: Vec::new(),
            comments: Vec::new(),
            loose: Vec::new(),
            log: Vec::new(),
            warnings: Vec::new(),
            variables: Vec::new(),
            variable_at: FxHashMap::default(),
            subs: FxHashMap::default(),
            nesting: 0,
        };
        if let Some(previous) = &settings.previous {
            runner.take_over(previous.clone());
        }
        for (name, value) in &settings.variables {
            runner.set_variable(name, value.clone());
        }
        runner
    }

    /// Takes over what was loaded before, here or by another app.
    pub(crate) fn take_over(&mut self, data: AppData) {
        for frame in data.tables {
            self.tables.list.push(Loaded {
                frame,
                section: Section::Application,
            });
        }
        for table in data.access.tables {
            let mut frame = Frame::new(table.name, table.columns);
            for row in &table.rows {
                frame.push_row(row);
            }
            self.tables.list.push(Loaded {
                frame,
                section: Section::Access,
            });
        }
        self.tags.extend(data.tags);
    }

    /// Whether this is a partial reload.
    pub(crate) fn is_partial(&self) -> bool {
        self.settings.previous.is_some()
    }

    fn finish(&mut self, unit: &Rc<Unit>) -> Run<LoadResult> {
        self.derive_fields()?;
        let mut builder = ModelBuilder::new();
        let mut access = AccessTables::default();
        self.tag_hidden();
        for loaded in std::mem::take(&mut self.tables.list) {
            match loaded.section {
                Section::Application => builder = builder.table(loaded.frame),
                Section::Access => {
                    let frame = loaded.frame;
                    access.tables.push(AccessTable {
                        rows: (0..frame.n_rows())
                            .map(|row| frame.columns.iter().map(|c| c.value(row)).collect())
                            .collect(),
                        columns: frame.columns.iter().map(|c| c.name.clone()).collect(),
                        name: frame.name,
                    });
                }
            }
        }
        for name in &self.loose {
            builder = builder.loosen(name.clone());
        }
        for (field, tag) in &self.tags {
            builder = builder.tag(field.clone(), tag.clone());
        }
        let model = builder.build().map_err(|error| {
            let end = Span::new(unit.text.len(), unit.text.len());
            let place = self.place(unit, Span::default(), Expansion::default());
            place.fail(
                Diagnostic::error("script.too_large", end, error.to_string())
                    .with_hint("load fewer distinct values in one field"),
            )
        })?;
        Ok(LoadResult {
            model,
            access,
            variables: std::mem::take(&mut self.variables),
            log: std::mem::take(&mut self.log),
            warnings: std::mem::take(&mut self.warnings),
            inherits_access: self.inherits_access,
            comments: std::mem::take(&mut self.comments),
        })
    }

    /// `SET HidePrefix` and `HideSuffix`: fields whose names begin or end so are hidden.
    fn tag_hidden(&mut self) {
        let text = |name: &str| {
            let value = self.variable(name).map_or_else(String::new, Value::to_text);
            Some(value).filter(|v| !v.is_empty())
        };
        let (prefix, suffix) = (text("HidePrefix"), text("HideSuffix"));
        if prefix.is_none() && suffix.is_none() {
            return;
        }
        let mut hidden: Vec<String> = Vec::new();
        for table in self.tables.visible(Section::Application) {
            for column in &table.columns {
                let is_hidden = prefix.as_ref().is_some_and(|p| column.name.starts_with(p))
                    || suffix.as_ref().is_some_and(|s| column.name.ends_with(s));
                if is_hidden && !hidden.contains(&column.name) {
                    hidden.push(column.name.clone());
                }
            }
        }
        (self.tags).extend(
            hidden
                .into_iter()
                .map(|field| (field, "$hidden".to_owned())),
        );
    }

    /// Runs a whole file.
    pub(crate) fn unit(&mut self, unit: &Rc<Unit>) -> Run<Flow> {
        let script = self.outline(unit)?;
        let flow = self.items(unit, &script.items)?;
        self.no_pending()?;
        Ok(flow)
    }

    /// The statements and blocks of a file; what is odd but no mistake is a warning.
    fn outline(&mut self, unit: &Unit) -> Run<Script> {
        let (script, diagnostics) = parse_script(&unit.text);
        let (errors, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
            diagnostics.into_iter().partition(Diagnostic::is_error);
        let problem = |d| Problem::new(d, &unit.file, &unit.text);
        if !errors.is_empty() {
            return Err(Halt {
                problems: errors.into_iter().map(problem).collect(),
                is_stop: false,
            });
        }
        for warning in warnings {
            self.warn(problem(warning));
        }
        Ok(script)
    }

    pub(crate) fn items(&mut self, unit: &Rc<Unit>, items: &[Item]) -> Run<Flow> {
        for item in items {
            let flow = match self.item(unit, item) {
                Err(halt) if !halt.is_stop && self.error_mode() == 0 => {
                    self.go_on_after(halt);
                    Flow::Next
                }
                other => other?,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// `SET ErrorMode=0` goes on after an error.
    fn error_mode(&self) -> i64 {
        self.variable("ErrorMode")
            .and_then(Value::as_num)
            .map_or(1, |n| n as i64)
    }

    fn go_on_after(&mut self, halt: Halt) {
        self.pending.clear();
        let text = |runner: &Self, name: &str| {
            runner
                .variable(name)
                .map_or_else(String::new, Value::to_text)
        };
        let first = halt.problems.first();
        let message = first.map_or("", |p| p.message.as_str()).to_owned();
        let count = (self.variable("ScriptErrorCount").and_then(Value::as_num)).unwrap_or(0.0);
        let mut list = text(self, "ScriptErrorList");
        if !list.is_empty() {
            list.push('\n');
        }
        list.push_str(&message);
        let number = first.map_or(1.0, |p| error_number(p.code));
        self.set_variable("ScriptErrorCount", Value::num(count + 1.0));
        self.set_variable("ScriptErrorList", Value::text(list));
        self.set_variable("ScriptErrorDetails", Value::text(message.as_str()));
        self.set_variable("ScriptError", Value::dual(number, error_name(number)));
        self.warnings.extend(halt.problems);
    }

    pub(crate) fn write_log(&mut self, line: String) {
        self.host.log(&line);
        self.log.push(line);
    }

    /// Runs a text that an expansion made of one statement.
    pub(crate) fn again(&mut self, unit: &Rc<Unit>, span: Span, text: String) -> Run<Flow> {
        let inner = Rc::new(Unit {
            file: format!("{} (expanded)", unit.file),
            text,
        });
        self.nested(unit, span, |runner| {
            let script = runner.outline(&inner)?;
            runner.items(&inner, &script.items)
        })
    }
}

/// The number `ScriptError` has for a problem with this code: 3 is a mistake in the text, 8 a
/// file that is not there, 10 and 11 a table or field that is not, 1 anything else.
fn error_number(code: &str) -> f64 {
    match code {
        "source.not_found" => 8.0,
        "script.unknown_table" => 10.0,
        "script.unknown_field" => 11.0,
        "source.connection_unknown" | "script.not_connected" => 4.0,
        "source.format_not_supported" => 6.0,
        _ if code.starts_with("syntax.") || code.starts_with("expr.") => 3.0,
        "script.unexpected_token" | "script.unknown_statement" => 3.0,
        _ => 1.0,
    }
}

fn error_name(number: f64) -> &'static str {
    match number as u32 {
        3 => "Syntax error",
        4 => "General ODBC error",
        6 => "General XML error",
        8 => "File not found",
        10 => "Table not found",
        11 => "Field not found",
        _ => "General error",
    }
}
