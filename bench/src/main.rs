//! Our side of the benchmarks; `bench/compare.py` runs it beside the peers.
//!
//! Prints one JSON object. Times are wall-clock milliseconds of one thread.

mod hostile;
mod steps;
mod users;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(not(feature = "cpu-time"))]
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use satchel_base::Budget;
use satchel_calc::Locale;
use satchel_data::{AccessTables, Model, Value, View};
use satchel_engine::{
    Cell, Cube, CubeDef, DEFAULT_STATE, DimensionDef, Engine, ListDef, ListObject, Locks,
    MeasureDef, NoLookup, Query, Rect, Select, Selections, Toggle, ValueState,
};
use satchel_script::{Settings, run};
use satchel_sources::{FileHost, Roots};
use serde_json::{Value as Json, json};

#[derive(Parser)]
struct Command {
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Clicks
    W1 {
        #[command(flatten)]
        input: Input,
        /// What a click recomputes, and the selections
        #[arg(long)]
        work: PathBuf,
    },
    /// A model into a file
    Store {
        #[command(flatten)]
        input: Input,
        /// The file
        #[arg(long)]
        to: PathBuf,
    },
    /// A file with a model to its first list box
    OpenStored {
        /// The file
        #[arg(long)]
        stored: PathBuf,
        /// The field of the list box
        #[arg(long)]
        list: String,
    },
    /// One user's part of a model, as a mask and as a file
    Reduction {
        #[command(flatten)]
        input: Input,
    },
    /// Clicks of many users, each of whom sees another part
    Users {
        #[command(flatten)]
        input: Input,
        /// What a click recomputes, and the selections
        #[arg(long)]
        work: PathBuf,
        /// How many users
        #[arg(long, default_value_t = 100)]
        users: usize,
    },
    /// Work that asks for too much, beside somebody who clicks
    Hostile {
        #[command(flatten)]
        input: Input,
        /// What a click recomputes, and the selections
        #[arg(long)]
        work: PathBuf,
    },
    /// Files into a finished model
    Load {
        #[command(flatten)]
        input: Input,
    },
    /// A stored model to its first list box
    Open {
        #[command(flatten)]
        input: Input,
    },
    /// Each statement of a load script
    Steps {
        #[command(flatten)]
        input: Input,
    },
}

#[derive(Args)]
struct Input {
    /// Folder of the CSV files
    #[arg(long)]
    files: PathBuf,
    /// Load script
    #[arg(long)]
    script: PathBuf,
    /// Measurements of each thing
    #[arg(long, default_value_t = 7)]
    repeats: usize,
}

impl Input {
    fn load(&self) -> Result<Model> {
        self.load_with_access().map(|(model, _)| model)
    }

    fn load_with_access(&self) -> Result<(Model, AccessTables)> {
        let text = std::fs::read_to_string(&self.script)
            .with_context(|| self.script.display().to_string())?;
        let roots = Roots::new(&self.files).with("data", &self.files);
        let mut host = FileHost::new(roots, |_: &str| {});
        let name = self.script.display().to_string();
        match run(
            &name,
            &text,
            &mut host,
            &Settings::default(),
            &Budget::unlimited(),
        ) {
            Ok(result) => Ok((result.model, result.access)),
            Err(failure) => {
                bail!(
                    "{}",
                    failure
                        .problems
                        .iter()
                        .map(|p| &*p.rendered)
                        .collect::<Vec<_>>()
                        .join("\n")
                )
            }
        }
    }
}

fn main() -> Result<()> {
    let result = match Command::parse().work {
        Work::W1 { input, work } => w1(&input, &work)?,
        Work::Steps { input } => {
            let text = std::fs::read_to_string(&input.script)
                .with_context(|| input.script.display().to_string())?;
            let runs: Result<Vec<Json>> = (0..input.repeats)
                .map(|_| steps::steps(&input.files, &text))
                .collect();
            json!({ "runs": runs? })
        }
        Work::Load { input } => {
            let mut ms = Vec::new();
            let (mut n_rows, mut bytes) = (0, 0);
            for _ in 0..input.repeats {
                let start = now();
                let model = input.load()?;
                ms.push(millis(start));
                n_rows = model.tables().iter().map(|t| t.n_rows).sum();
                bytes = model.bytes();
            }
            json!({ "ms": ms, "rows": n_rows, "bytes": bytes, "peak_kib": users::memory("VmHWM")? })
        }
        Work::Open { input } => open(&input)?,
        Work::Store { input, to } => {
            let model = input.load()?;
            let bytes = model.to_snapshot();
            std::fs::write(to, &bytes)?;
            json!({ "bytes": bytes.len(), "memory": model.bytes() })
        }
        Work::OpenStored { stored, list } => {
            let start = now();
            let n_rows = open_once(&std::fs::read(stored)?, &list)?;
            let peak = users::memory("VmHWM")?;
            json!({ "ms": millis(start), "rows": n_rows, "peak_kib": peak })
        }
        Work::Hostile { input, work } => hostile::hostile(&input, &work)?,
        Work::Reduction { input } => users::reduction(&input)?,
        Work::Users { input, work, users } => users::users(&input, &work, users)?,
    };
    println!("{result}");
    Ok(())
}

/// When something began.
#[cfg(not(feature = "cpu-time"))]
fn now() -> Instant {
    Instant::now()
}

#[cfg(not(feature = "cpu-time"))]
fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// CPU time of this thread in milliseconds.
#[cfg(feature = "cpu-time")]
fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

#[cfg(feature = "cpu-time")]
fn millis(start: f64) -> f64 {
    now() - start
}

fn open(input: &Input) -> Result<Json> {
    let model = input.load()?;
    let memory = model.bytes();
    let bytes = model.to_snapshot();
    drop(model);
    let mut ms = Vec::new();
    for _ in 0..input.repeats {
        let start = now();
        let n_rows = open_once(&bytes, "carrier")?;
        ms.push(millis(start));
        anyhow::ensure!(n_rows > 0, "the list box is empty");
    }
    Ok(json!({ "ms": ms, "bytes": bytes.len(), "memory": memory }))
}

/// The rows of a list box of a stored model.
fn open_once(bytes: &[u8], field: &str) -> Result<usize> {
    let model = Model::from_snapshot(bytes, u64::MAX).context("the snapshot does not open")?;
    let engine = Engine::new(Arc::new(View::unrestricted(Arc::new(model))));
    let selections = Selections::new();
    let (locale, budget) = (Locale::default(), Budget::unlimited());
    let list = query(&engine, &selections, &locale, &budget).list(&ListDef {
        def: field.into(),
        ..ListDef::default()
    })?;
    Ok(list.n_rows())
}

fn query<'a>(
    engine: &'a Engine,
    selections: &'a Selections,
    locale: &'a Locale,
    budget: &'a Budget,
) -> Query<'a> {
    Query {
        engine,
        selections,
        state: DEFAULT_STATE,
        lookup: &NoLookup,
        locale,
        now: 0.0,
        utc_offset: 0.0,
        budget,
    }
}

/// What a click recomputes.
struct Objects {
    work: Json,
    lists: Vec<ListDef>,
    cubes: Vec<(String, CubeDef)>,
}

impl Objects {
    fn read(path: &Path) -> Result<Self> {
        let work: Json = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let lists = array(&work["lists"]).map(|f| ListDef {
            def: text(f),
            ..ListDef::default()
        });
        let cubes = array(&work["cubes"]).map(|c| (text(&c["name"]), cube(c)));
        Ok(Self {
            lists: lists.collect(),
            cubes: cubes.collect(),
            work,
        })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let lists = self.lists.iter().map(|l| l.def.as_str());
        lists.chain(self.cubes.iter().map(|(name, _)| name.as_str()))
    }
}

fn w1(input: &Input, work: &Path) -> Result<Json> {
    let objects = Objects::read(work)?;
    let start = now();
    let model = Arc::new(input.load()?);
    let load_ms = millis(start);
    let engine = Engine::new(Arc::new(View::unrestricted(model.clone())));
    let (locale, budget) = (Locale::default(), Budget::unlimited());
    let mut states = Vec::new();
    for state in array(&objects.work["states"]) {
        let mut ms = Vec::new();
        let mut answers = Json::Null;
        let mut object_ms = vec![f64::INFINITY; objects.names().count()];
        for repeat in 0..=input.repeats {
            let mut selections = Selections::new();
            choose(&engine, &mut selections, &state["select"], &budget)?;
            // A user's click is new: nothing may be remembered of the last time.
            engine.forget();
            let start = now();
            let query = query(&engine, &selections, &locale, &budget);
            let click = click(&query, &objects)?;
            ms.push(millis(start));
            if repeat == 0 {
                answers = as_json(&click, &objects);
            } else {
                for (least, object) in object_ms.iter_mut().zip(&click.object_ms) {
                    *least = least.min(*object);
                }
            }
        }
        ms.remove(0);
        let mut again_ms = Vec::new();
        for _ in 0..input.repeats {
            let mut selections = Selections::new();
            choose(&engine, &mut selections, &state["select"], &budget)?;
            let start = now();
            click(&query(&engine, &selections, &locale, &budget), &objects)?;
            again_ms.push(millis(start));
        }
        let named = objects.names().zip(&object_ms);
        let named: Vec<Json> = named
            .map(|(name, ms)| json!({ "name": name, "ms": ms }))
            .collect();
        states.push(
            json!({ "name": state["name"], "ms": ms, "again_ms": again_ms, "objects": named, "answers": answers }),
        );
    }
    let mib = |bytes: usize| bytes >> 20;
    Ok(json!({
        "load_ms": load_ms,
        "states": states,
        "memory_mib": {
            "model": mib(model.bytes()),
            "derived": mib(engine.shared_bytes()),
            "engine": mib(engine.bytes()),
            "process": users::memory("VmRSS")? >> 10,
            "peak": users::memory("VmHWM")? >> 10,
        },
    }))
}

fn choose(
    engine: &Engine,
    selections: &mut Selections,
    wanted: &Json,
    budget: &Budget,
) -> Result<()> {
    for (field, values) in wanted.as_object().into_iter().flatten() {
        let field = engine
            .field(field)
            .with_context(|| format!("no field {field}"))?;
        let values: Vec<Value> = array(values)
            .map(|v| v.as_f64().map_or_else(|| Value::text(text(v)), Value::num))
            .collect();
        let select = Select::Values(values, Toggle::Replace);
        engine.select(
            selections,
            DEFAULT_STATE,
            field,
            &select,
            Locks::Respect,
            budget,
        )?;
    }
    Ok(())
}

/// Rows of a list that a screen shows at most.
const SHOWN: usize = 1000;

/// Every object of a click.
struct Click {
    lists: Vec<ListObject>,
    cubes: Vec<Cube>,
    /// How long each took, in milliseconds.
    object_ms: Vec<f64>,
}

/// Calculates every object: of a list the states of all values and the cells that a screen
/// shows, of a cube all rows and cells.
fn click(query: &Query<'_>, objects: &Objects) -> Result<Click> {
    let mut click = Click {
        lists: Vec::new(),
        cubes: Vec::new(),
        object_ms: Vec::new(),
    };
    for def in &objects.lists {
        let start = now();
        let list = query.list(def)?;
        black_box(list.page(rect(1, SHOWN)));
        click.lists.push(list);
        click.object_ms.push(millis(start));
    }
    for (_, def) in &objects.cubes {
        let start = now();
        let cube = query.cube(def)?;
        black_box(cube.page(rect(cube.n_columns(), cube.n_rows())));
        click.cubes.push(cube);
        click.object_ms.push(millis(start));
    }
    Ok(click)
}

fn rect(width: usize, height: usize) -> Rect {
    Rect {
        left: 0,
        top: 0,
        width,
        height,
    }
}

fn as_json(click: &Click, objects: &Objects) -> Json {
    let value = |v: &Value| match v.as_num() {
        Some(num) => json!(num),
        None if v.is_null() => Json::Null,
        None => json!(v.to_text()),
    };
    let mut all = serde_json::Map::new();
    for (def, list) in objects.lists.iter().zip(&click.lists) {
        let (_, cells) = list.page(rect(1, list.n_rows()));
        let possible = cells
            .iter()
            .filter(|c| c.state.is_possible() || c.state == ValueState::Alternative);
        let rows = possible.map(|c| json!([value(&c.value)])).collect();
        all.insert(def.def.clone(), rows);
    }
    for ((name, def), cube) in objects.cubes.iter().zip(&click.cubes) {
        let rows = if def.dimensions.is_empty() {
            json!([cube.totals.iter().map(value).collect::<Json>()])
        } else {
            let (_, rows) = cube.page(rect(cube.n_columns(), cube.n_rows()));
            let cells = |r: &Vec<Cell>| r.iter().map(|c| value(&c.value)).collect::<Json>();
            rows.iter().map(cells).collect()
        };
        all.insert(name.clone(), rows);
    }
    Json::Object(all)
}

fn cube(def: &Json) -> CubeDef {
    let measure = |m: &Json| {
        let field = text(&m[1]);
        let def = match m[0].as_str() {
            Some("count") => format!("Count([{field}])"),
            Some("count_distinct") => format!("Count(DISTINCT [{field}])"),
            Some("avg") => format!("Avg([{field}])"),
            Some("revenue") => "Sum(l_extendedprice * (1 - l_discount))".to_owned(),
            _ => format!("Sum([{field}])"),
        };
        MeasureDef {
            def,
            ..MeasureDef::default()
        }
    };
    CubeDef {
        dimensions: array(&def["by"])
            .map(|f| DimensionDef {
                def: format!("[{}]", text(f)),
                ..DimensionDef::default()
            })
            .collect(),
        measures: array(&def["measures"]).map(measure).collect(),
        ..CubeDef::default()
    }
}

fn array(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}
