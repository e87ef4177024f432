//! Many users of one model, each of whom may see another part of it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use satchel_access::{Rules, Subject, decide, mask, reduce};
use satchel_base::{Budget, SubjectId};
use satchel_calc::Locale;
use satchel_data::Model;
use satchel_engine::{Engine, Selections};
use serde_json::{Value as Json, json};

use crate::{Input, Objects, array, as_json, choose, click, millis, now, query};

/// A script's model with its section access. The users are called `USER0`, `USER1` and so on.
struct App {
    model: Arc<Model>,
    rules: Rules,
}

impl App {
    fn load(input: &Input) -> Result<Self> {
        let (model, tables) = input.load_with_access()?;
        let (rules, _) = Rules::read(&tables, &model);
        Ok(Self {
            model: Arc::new(model),
            rules,
        })
    }

    fn user(n: usize) -> Subject {
        Subject::new(SubjectId::new("BENCH", &format!("USER{n}")))
    }
}

/// One user's part of the model, as a mask and as a model of its own.
pub fn reduction(input: &Input) -> Result<Json> {
    let app = App::load(input)?;
    let user = App::user(0);
    let (mut mask_ms, mut file_ms) = (Vec::new(), Vec::new());
    let (mut rows, mut bytes) = (0, 0);
    // The first time builds the indexes of the keys, which all users share.
    for repeat in 0..=input.repeats {
        let start = now();
        let view = mask(&decide(&app.rules, &user), app.model.clone())?;
        mask_ms.push(millis(start));
        rows = view.tables().map(|t| view.n_rows(t)).sum();
        let start = now();
        let reduced = reduce(&decide(&app.rules, &user), &app.model)?;
        bytes = reduced.model.to_snapshot().len();
        file_ms.push(millis(start));
        if repeat == 0 {
            (mask_ms, file_ms) = (Vec::new(), Vec::new());
        }
    }
    Ok(json!({ "mask_ms": mask_ms, "file_ms": file_ms, "rows": rows, "bytes": bytes }))
}

/// Clicks of many users: each opens the app and clicks once. All stay.
pub fn users(input: &Input, work: &Path, n_users: usize) -> Result<Json> {
    let objects = Objects::read(work)?;
    let app = App::load(input)?;
    let before = memory("VmRSS")?;
    let (locale, budget) = (Locale::default(), Budget::unlimited());
    let states: Vec<&Json> = array(&objects.work["states"]).collect();
    let (mut ms, mut answers, mut engines) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..n_users {
        let start = now();
        let view = mask(&decide(&app.rules, &App::user(n)), app.model.clone())?;
        let engine = Engine::new(Arc::new(view));
        let mut selections = Selections::new();
        let state = states[n % states.len()];
        choose(&engine, &mut selections, &state["select"], &budget)?;
        let query = query(&engine, &selections, &locale, &budget);
        let click = click(&query, &objects)?;
        ms.push(millis(start));
        answers.push(as_json(&click, &objects));
        engines.push(engine.clone());
    }
    let bytes: usize = engines.iter().map(|e| e.bytes()).sum();
    Ok(json!({
        "ms": ms,
        "answers": answers,
        "kib_a_user": (memory("VmRSS")?.saturating_sub(before)) / n_users.max(1),
        "cache_kib_a_user": bytes / 1024 / n_users.max(1),
    }))
}

/// A line of what the system says of this process, in KiB.
pub fn memory(line: &str) -> Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find_map(|l| l.strip_prefix(line));
    let number = found.and_then(|l| l.trim_start_matches(':').split_whitespace().next());
    Ok(number.context("the system does not tell")?.parse()?)
}
