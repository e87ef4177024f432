//! Reloads: run the load script, look at what came out, publish it in one step or not at all.
//!
//! A failed or cancelled reload leaves the last published data. So does one whose section
//! access must first be confirmed (DESIGN §3).

use std::path::{Path, PathBuf};

use satchel_access::{Finding, Rules, lint, publication_check};
use satchel_base::{AppId, Budget, ByteSize, SubjectId, UnixMillis};
use satchel_script::{Failure, LoadResult, Settings};
use satchel_sources::{FileHost, Roots};
use satchel_store::{App, PublishedReload, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::data_image::DataImage;
use crate::system::{random, serial_day};

/// Folders an app's script may use.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Folders {
    /// Where relative paths start.
    pub app: PathBuf,
    /// What `lib://data/` means.
    pub data: PathBuf,
}

impl Folders {
    fn file(store: &Store, app: &AppId) -> PathBuf {
        store
            .dir()
            .join("app-folders")
            .join(format!("{}.json", app.as_str()))
    }

    /// What was noted at the import; the hub's own folder of the app otherwise.
    pub fn load(store: &Store, app: &AppId) -> Self {
        let own = store.dir().join("app-files").join(app.as_str());
        std::fs::read(Self::file(store, app))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_else(|| Self {
                app: own.clone(),
                data: own,
            })
    }

    /// Notes the folders of an app.
    pub fn save(&self, store: &Store, app: &AppId) -> Result<(), StoreError> {
        let path = Self::file(store, app);
        if let Some(parent) = path.parent()
            && let Err(source) = std::fs::create_dir_all(parent)
        {
            tracing::error!(error = %source, "the folder list cannot be written");
        }
        satchel_store::write_atomically(&path, &serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Why a reload published nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ReloadError {
    /// The script stopped.
    #[error("{}", rendered(.0))]
    Script(Box<Failure>),
    /// The app cannot be read, or its new data not be written.
    #[error("{}", unusable(.0))]
    Store(#[from] StoreError),
    /// The app's content is not what it should be.
    #[error("the app's content is damaged")]
    Content,
}

impl ReloadError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Script(failure) => failure.problems.first().map_or("script.failed", |p| p.code),
            Self::Store(StoreError::Superseded) => "app.superseded",
            Self::Store(error) if error.is_full() => "storage.full",
            Self::Store(_) | Self::Content => "hub.internal",
        }
    }
}

fn unusable(error: &StoreError) -> String {
    if error.is_full() {
        "there is no room left on the hub's disk; make room, then reload again [storage.full]"
            .to_owned()
    } else {
        format!("the app could not be read or written: {error}")
    }
}

fn rendered(failure: &Failure) -> String {
    let all: Vec<&str> = failure
        .problems
        .iter()
        .map(|p| p.rendered.as_str())
        .collect();
    all.join("\n")
}

/// A reload that ran to its end.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The number of the published reload; none if it waits.
    pub reload: Option<u64>,
    /// What must be confirmed before it is published.
    pub pending: Vec<String>,
    /// What the lint of section access found.
    pub findings: Vec<Finding>,
    /// Tables and rows.
    pub tables: Vec<(String, usize)>,
}

/// Runs the script of an app as it is stored and publishes what comes out. When `budget` is
/// cancelled the script stops and nothing is published.
pub(crate) async fn run_and_publish(
    store: &Store,
    id: &AppId,
    who: &SubjectId,
    now: UnixMillis,
    budget: &Budget,
    log: &mut (dyn FnMut(&str) + Send),
) -> Result<Outcome, ReloadError> {
    let app = store.app(id).await?.ok_or_else(|| StoreError::NotFound {
        what: "app",
        name: id.as_str().to_owned(),
    })?;
    let script = script_of(store, &app)?;
    let folders = Folders::load(store, id);
    let settings = Settings {
        now: serial_day(now),
        seed: u64::from_le_bytes(random()),
        app_name: app.title.clone(),
        user: who.as_str().to_owned(),
        ..Settings::default()
    };
    let result =
        tokio::task::block_in_place(|| run(&script, &folders, &app.title, &settings, budget, log))?;
    publish(store, &app, &script, result, now, log).await
}

fn script_of(store: &Store, app: &App) -> Result<String, ReloadError> {
    let bytes = store.blobs().read(&app.content)?;
    let text = String::from_utf8(bytes).map_err(|_| ReloadError::Content)?;
    let content = satchel_qix::AppContent::from_json(&text).map_err(|_| ReloadError::Content)?;
    Ok(content.script)
}

fn run(
    script: &str,
    folders: &Folders,
    title: &str,
    settings: &Settings,
    budget: &Budget,
    log: &mut dyn FnMut(&str),
) -> Result<LoadResult, ReloadError> {
    let roots = Roots::new(&folders.app).with("data", &folders.data);
    let mut host = FileHost::new(roots, log);
    satchel_script::run(title, script, &mut host, settings, budget)
        .map_err(|failure| ReloadError::Script(Box::new(failure)))
}

async fn publish(
    store: &Store,
    app: &App,
    script: &str,
    result: LoadResult,
    now: UnixMillis,
    log: &mut (dyn FnMut(&str) + Send),
) -> Result<Outcome, ReloadError> {
    for warning in &result.warnings {
        log(&warning.rendered);
    }
    for note in result.model.notes() {
        log(&describe(note));
    }
    let tables = result
        .model
        .tables()
        .iter()
        .map(|t| (t.name.clone(), t.n_rows))
        .collect::<Vec<_>>();
    let (rules, mut findings) = Rules::read(&result.access, &result.model);
    findings.extend(lint(&rules, &result.model));
    let section = section_hash(script);
    let confirmed = if app.confirmed_columns.contains(&section) {
        app.confirmed_columns.clone()
    } else {
        Vec::new()
    };
    let mut pending: Vec<String> = publication_check(&rules, &confirmed)
        .iter()
        .map(ToString::to_string)
        .collect();
    let removed = "section-access:removed".to_owned();
    if app.access_fingerprint.is_some()
        && !rules.has_section_access()
        && !confirmed.contains(&removed)
    {
        pending.push(removed);
    }
    if !pending.is_empty() {
        let why = serde_json::json!({ "section": section, "confirm": pending }).to_string();
        store.set_pending(&app.id, Some(&why)).await?;
        return Ok(Outcome {
            reload: None,
            pending,
            findings,
            tables,
        });
    }
    let image = DataImage {
        access: result.access,
        variables: result.variables,
        snapshot: result.model.to_snapshot(),
    };
    let access_fingerprint = rules
        .has_section_access()
        .then(|| blake3::hash(&image.access_bytes()).to_hex().to_string());
    let bytes = image.encode();
    let data = store.blobs().put(&bytes)?;
    let reload = PublishedReload {
        after: app.reload,
        data,
        data_size: ByteSize(bytes.len() as u64),
        data_as_of: now,
        access_fingerprint,
    };
    let number = store.publish_reload(&app.id, &reload, now).await?;
    store.set_pending(&app.id, None).await?;
    Ok(Outcome {
        reload: Some(number),
        pending,
        findings,
        tables,
    })
}

/// Confirms what a waiting reload named, for as long as the script's access section stays.
pub(crate) async fn confirm(store: &Store, app: &App, names: &[String]) -> Result<(), ReloadError> {
    let section = section_hash(&script_of(store, app)?);
    let mut confirmed = vec![section.clone()];
    if app.confirmed_columns.contains(&section) {
        confirmed.extend(
            app.confirmed_columns
                .iter()
                .filter(|c| **c != section)
                .cloned(),
        );
    }
    confirmed.extend(names.iter().cloned());
    store.set_confirmed_columns(&app.id, &confirmed).await?;
    Ok(())
}

/// A name for the text of all access sections of a script: `section:<hash>`.
fn section_hash(script: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut inside = false;
    for line in script.lines() {
        let words = line.trim().to_lowercase();
        let mut words = words.split_whitespace();
        if words.next() == Some("section") {
            match words.next().map(|w| w.trim_end_matches(';')) {
                Some("access") => inside = true,
                Some("application") => inside = false,
                _ => {}
            }
        }
        if inside {
            hasher.update(line.trim().as_bytes());
            hasher.update(b"\n");
        }
    }
    format!("section:{}", &hasher.finalize().to_hex()[..16])
}

fn describe(note: &satchel_data::ModelNote) -> String {
    use satchel_data::ModelNote;
    match note {
        ModelNote::SyntheticKey {
            key,
            fields,
            tables,
        } => format!(
            "warning[model.synthetic_key]: the tables {} share the fields {}; they are linked by the synthetic key {key}",
            tables.join(", "),
            fields.join(", ")
        ),
        ModelNote::LooseTable { table, tables } => format!(
            "warning[model.loop]: the tables {} form a loop; {table} was made loosely coupled, and selections and section access do not pass through it",
            tables.join(", ")
        ),
    }
}

/// The folder as an absolute path.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_lasts_until_the_access_section_changes() {
        let a = "LOAD 1 AS X AUTOGENERATE 1;\nSECTION ACCESS;\nLOAD * INLINE [\nACCESS\n];\nsection application;\nLET v = 1;";
        let same = a.replace("LET v = 1;", "LET v = 2;");
        let other = a.replace("ACCESS\n]", "ACCESS, OMIT\n]");
        assert_eq!(section_hash(a), section_hash(&same));
        assert_ne!(section_hash(a), section_hash(&other));
    }
}
