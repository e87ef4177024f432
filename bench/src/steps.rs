//! The statements of a load script, each with its own time.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use satchel_base::Budget;
use satchel_data::Frame;
use satchel_script::{
    FileInfo, Host, HostError, QvdInfo, ReadRequest, RowSource, Settings, Step, StoreRequest, run,
};
use satchel_sources::{FileHost, Roots};
use serde_json::{Value as Json, json};

/// Does as the files do, and notes when statements end.
struct Watching<'a> {
    files: FileHost<'a>,
    last: Instant,
    steps: Vec<(f64, Step)>,
}

impl Host for Watching<'_> {
    fn open(&mut self, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
        self.files.open(request)
    }

    fn include(&mut self, path: &str) -> Result<String, HostError> {
        self.files.include(path)
    }

    fn store(&mut self, request: &StoreRequest, table: &Frame) -> Result<u64, HostError> {
        self.files.store(request, table)
    }

    fn file_info(&mut self, path: &str, directory: Option<&str>) -> Option<FileInfo> {
        self.files.file_info(path, directory)
    }

    fn qvd_info(&mut self, path: &str, directory: Option<&str>) -> Option<QvdInfo> {
        self.files.qvd_info(path, directory)
    }

    fn log(&mut self, _: &str) {}

    fn step(&mut self, step: &Step) {
        let now = Instant::now();
        let ms = (now - self.last).as_secs_f64() * 1e3;
        self.last = now;
        self.steps.push((ms, step.clone()));
    }

    fn sleep(&mut self, _: u64) {}
}

/// Runs a script and tells of each statement: how it begins, its line, milliseconds, rows out.
pub(crate) fn steps(folder: &Path, script: &str) -> Result<Json> {
    let roots = Roots::new(folder).with("data", folder);
    let mut host = Watching {
        files: FileHost::new(roots, |_: &str| {}),
        last: Instant::now(),
        steps: Vec::new(),
    };
    let settings = Settings {
        traces: true,
        ..Settings::default()
    };
    let begun = Instant::now();
    let outcome = run("script", script, &mut host, &settings, &Budget::unlimited());
    let all = begun.elapsed().as_secs_f64() * 1e3;
    let result = match outcome {
        Ok(result) => result,
        Err(failure) => {
            let all: Vec<&str> = failure.problems.iter().map(|p| &*p.rendered).collect();
            bail!("{}", all.join("\n"));
        }
    };
    let steps: Vec<Json> = (host.steps.iter())
        .map(|(ms, step)| {
            json!({ "line": step.line, "text": step.text, "ms": ms, "rows": step.rows_out })
        })
        .collect();
    let facts: Vec<Json> = (result.variables.iter())
        .filter(|(name, _)| name.starts_with("check"))
        .map(|(name, value)| json!({ "name": name, "value": value.as_num() }))
        .collect();
    Ok(json!({ "ms": all, "steps": steps, "checks": facts }))
}
