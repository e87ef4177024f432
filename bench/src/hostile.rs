//! Work that asks for too much, beside somebody who clicks: whether it is refused, how soon it
//! ends when it is cancelled, and what the other one's clicks take meanwhile.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use satchel_base::{Budget, CancelToken, Limits};
use satchel_calc::Locale;
use satchel_data::{Model, View};
use satchel_engine::{
    CubeDef, DEFAULT_STATE, DimensionDef, Engine, ListDef, MeasureDef, NoLookup, Query, Selections,
};
use satchel_script::{Settings, run};
use satchel_sources::{FileHost, Roots};
use serde_json::{Value as Json, json};

use crate::{Input, Objects, array, choose, click};

/// Ten million rows, and two tables that nothing connects.
const LARGE: &str = "
Large: LOAD RecNo() AS Id, Mod(RecNo(), 1000) AS Group, 'text ' & Mod(RecNo(), 5000) AS Text AUTOGENERATE 10000000;
Left: LOAD RecNo() AS A, Mod(RecNo(), 7) AS X AUTOGENERATE 100000;
Right: LOAD RecNo() AS B, Mod(RecNo(), 7) AS Y AUTOGENERATE 100000;
";

/// When somebody cancels what goes on for so long.
const PATIENCE: Duration = Duration::from_millis(700);

/// What somebody asks for.
enum Asked {
    /// Dimensions and a measure.
    Cube(&'static [&'static str], String),
    /// A search in the list of a field.
    Search(&'static str, String),
    Expression(String),
    Script(&'static str),
}

fn cases() -> Vec<(&'static str, Asked)> {
    let mut nested = "Sum(X)".to_owned();
    for level in 0..10 {
        nested = format!("Sum(Aggr({nested} + {level}, A))");
    }
    let bomb = "WildMatch(Repeat('a', 16000000), '*' & Repeat('a', 8000000) & 'b')";
    vec![
        (
            "cube of 10 M rows",
            Asked::Cube(&["Id"], "Sum(Group)".to_owned()),
        ),
        (
            "its texts",
            Asked::Cube(&["Id"], "Concat(Repeat(Text, 40))".to_owned()),
        ),
        (
            "two dimensions of it",
            Asked::Cube(&["Id", "Text"], "Sum(Group) + 1".to_owned()),
        ),
        (
            "product of islands",
            Asked::Cube(&["A", "B"], "Sum(X * Y)".to_owned()),
        ),
        ("ten levels of Aggr", Asked::Cube(&["X"], nested)),
        (
            "search by expression",
            Asked::Search("Id", "=Len(Repeat(Text, 100000)) > 5".to_owned()),
        ),
        ("pattern bomb", Asked::Expression(bomb.to_owned())),
        (
            "values without end",
            Asked::Cube(&["ValueLoop(1, 1000000000000)"], "Sum(X)".to_owned()),
        ),
        (
            "long texts",
            Asked::Expression("Sum(Len(Repeat('a', 4000000 + A)))".to_owned()),
        ),
        (
            "endless loop in a script",
            Asked::Script("DO WHILE 1 = 1\nLET v = 1;\nLOOP"),
        ),
        (
            "endless load in a script",
            Asked::Script("T: LOAD 1 AS N AUTOGENERATE 1 WHILE 1 = 1;"),
        ),
    ]
}

/// What one of them may use: as much as an interactive request; of a script, which a hub lets
/// run for hours, a hundredth of that.
fn limits(asked: &Asked) -> Limits {
    let all = Limits::INTERACTIVE;
    match asked {
        Asked::Script(_) => Limits {
            rows: all.rows / 100,
            bytes: all.bytes / 100,
        },
        _ => all,
    }
}

/// The model of a script that reads no files.
fn load(text: &str, budget: &Budget) -> Result<Model> {
    let mut host = FileHost::new(Roots::new(Path::new(".")), |_: &str| {});
    match run("hostile", text, &mut host, &Settings::default(), budget) {
        Ok(result) => Ok(result.model),
        Err(failure) => {
            let problems: Vec<&str> = failure.problems.iter().map(|p| &*p.message).collect();
            bail!("{}", problems.join("; "))
        }
    }
}

/// Does what is asked; what was wrong with it, if it is refused.
fn carry_out(engine: &Engine, asked: &Asked, budget: &Budget) -> Option<String> {
    let (selections, locale) = (Selections::new(), Locale::default());
    let query = Query {
        engine,
        selections: &selections,
        state: DEFAULT_STATE,
        lookup: &NoLookup,
        locale: &locale,
        now: 0.0,
        utc_offset: 0.0,
        budget,
    };
    match asked {
        Asked::Cube(dims, measure) => {
            let dimensions = dims.iter().map(|d| DimensionDef {
                def: (*d).to_owned(),
                ..DimensionDef::default()
            });
            let def = CubeDef {
                dimensions: dimensions.collect(),
                measures: vec![MeasureDef {
                    def: measure.clone(),
                    ..MeasureDef::default()
                }],
                ..CubeDef::default()
            };
            let cube = query.cube(&def);
            cube.map(|c| black_box(c.n_rows()))
                .err()
                .map(|e| e.to_string())
        }
        Asked::Search(field, text) => {
            let def = ListDef {
                def: (*field).to_owned(),
                search: Some(text.clone()),
                ..ListDef::default()
            };
            let list = query.list(&def);
            list.map(|l| black_box(l.n_rows()))
                .err()
                .map(|e| e.to_string())
        }
        Asked::Expression(text) => query.evaluate(text).err().map(|e| e.to_string()),
        Asked::Script(text) => load(text, budget).err().map(|e| e.to_string()),
    }
}

/// Clicks until told to stop; how long each took, in milliseconds.
fn clicks(
    engine: &Engine,
    objects: &Objects,
    states: &[Json],
    stop: &AtomicBool,
) -> Result<Vec<f64>> {
    let (locale, budget) = (Locale::default(), Budget::unlimited());
    let mut ms = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        for state in states {
            let mut selections = Selections::new();
            choose(engine, &mut selections, &state["select"], &budget)?;
            engine.forget();
            let start = Instant::now();
            click(
                &crate::query(engine, &selections, &locale, &budget),
                objects,
            )?;
            ms.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(ms)
}

fn mean(ms: &[f64]) -> f64 {
    ms.iter().sum::<f64>() / ms.len().max(1) as f64
}

/// Each case twice: until the limits of an interactive request refuse it, and cancelled.
pub fn hostile(input: &Input, work: &Path) -> Result<Json> {
    let objects = Objects::read(work)?;
    let states: Vec<Json> = array(&objects.work["states"]).cloned().collect();
    let victim = Engine::new(Arc::new(View::unrestricted(Arc::new(input.load()?))));
    let large = load(LARGE, &Budget::unlimited())?;
    let large = Engine::new(Arc::new(View::unrestricted(Arc::new(large))));
    let alone = |rounds: Duration| -> Result<Vec<f64>> {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(rounds);
                stop.store(true, Ordering::Relaxed);
            });
            clicks(&victim, &objects, &states, &stop)
        })
    };
    alone(Duration::from_secs(1))?;
    let usual = mean(&alone(Duration::from_secs(2))?);
    let mut results = Vec::new();
    for (name, asked) in cases() {
        let stop = AtomicBool::new(false);
        let mut case = serde_json::Map::new();
        case.insert("name".to_owned(), name.into());
        let beside = std::thread::scope(|scope| -> Result<Vec<f64>> {
            let other = scope.spawn(|| clicks(&victim, &objects, &states, &stop));
            large.forget();
            let budget = Budget::new(limits(&asked), CancelToken::default());
            let start = Instant::now();
            let refused = carry_out(&large, &asked, &budget);
            case.insert(
                "ms".to_owned(),
                (start.elapsed().as_secs_f64() * 1e3).into(),
            );
            case.insert("refused".to_owned(), json!(refused));
            large.forget();
            let token = CancelToken::default();
            let budget = Budget::new(Limits::UNLIMITED, token.clone());
            let done = AtomicBool::new(false);
            let late = std::thread::scope(|scope| {
                let waiting = scope.spawn(|| {
                    let start = Instant::now();
                    while start.elapsed() < PATIENCE && !done.load(Ordering::Relaxed) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    token.cancel();
                    Instant::now()
                });
                let ended = carry_out(&large, &asked, &budget);
                let end = Instant::now();
                done.store(true, Ordering::Relaxed);
                let cancelled = waiting.join().unwrap_or(end);
                // Work that was done by then was not cancelled.
                ended.map(|_| end.saturating_duration_since(cancelled))
            });
            let late = late.map(|l| l.as_secs_f64() * 1e3);
            case.insert("cancelled_after_ms".to_owned(), json!(late));
            stop.store(true, Ordering::Relaxed);
            match other.join() {
                Ok(ms) => ms,
                Err(_) => bail!("the clicks ended early"),
            }
        })?;
        case.insert("click_ratio".to_owned(), json!(mean(&beside) / usual));
        results.push(Json::Object(case));
    }
    Ok(json!({ "usual_click_ms": usual, "cases": results }))
}
