//! Reloads: run the load script, look at what came out, publish it in one step or not at all.
//!
//! A failed or cancelled reload leaves the last published data. So does one whose section
//! access must first be confirmed (DESIGN §3).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use satchel_access::{
    Around, Decision, Finding, Grant, Rules, Subject, decide, lint, lint_around, publication_check,
};
use satchel_base::{AppId, Budget, ByteSize, UnixMillis};
use satchel_data::{AccessTables, Model, Value};
use satchel_qix::Now;
use satchel_script::{AppData, Failure, LoadResult, Problem, Settings};
use satchel_sources::{FileHost, Roots};
use satchel_store::{App, PublishedReload, Store, StoreError, User};
use serde::{Deserialize, Serialize};

use crate::access_tests::{AccessTest, broken};
use crate::apps::subject;
use crate::chart_fields;
use crate::connections::Connections;
use crate::data_image::{DataImage, MAX_DATA_BYTES};
use crate::gain_approval::{self, Limits};
use crate::script_host::{BinaryApp, DOWNLOADS, OtherApps, ScriptHost};
use crate::system::{days, random, serial_day};
use tokio::runtime::Handle;

/// Folders an app's script may use.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Folders {
    /// Where relative paths start.
    pub app: PathBuf,
    /// What `lib://data/` means.
    pub data: PathBuf,
    /// What people must see of the app, checked at each reload.
    #[serde(default)]
    pub access_tests: Vec<AccessTest>,
    /// How much more people may see after a reload without an approval.
    #[serde(default)]
    pub gain_limits: Limits,
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
                access_tests: Vec::new(),
                gain_limits: Limits::default(),
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
    /// A partial reload keeps the app's data, which this account may not see, or not all of it.
    #[error(
        "{who} does not see all data of the app, so a partial reload would lose the rest; give it an ADMIN row with blank reduction cells, or reload in full"
    )]
    SeesPart {
        /// The account.
        who: String,
    },
    /// The section access that came with `BINARY` would protect less here.
    #[error(
        "the section access of the app that BINARY loads names {}, which this app's data no longer has; keep these fields as they are",
        .0.join(", ")
    )]
    Inherited(Vec<String>),
    /// What the author expects of section access is not so.
    #[error(
        "section access does not do what the app's access tests expect:\n  {}",
        .0.join("\n  ")
    )]
    Tests(Vec<String>),
}

impl ReloadError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Script(failure) => failure.problems.first().map_or("script.failed", |p| p.code),
            Self::Store(StoreError::Superseded) => "app.superseded",
            Self::Store(error) if error.is_full() => "storage.full",
            Self::Store(_) | Self::Content => "hub.internal",
            Self::SeesPart { .. } => "reload.sees_part",
            Self::Inherited(_) => "access.inherited_unprotected",
            Self::Tests(_) => "access.tests_failed",
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
    /// The number of the published reload; none if it waits, or was a trial.
    pub reload: Option<u64>,
    /// What must be confirmed before it is published.
    pub pending: Vec<String>,
    /// What people would see that they did not, if that is why it waits.
    pub gains: Vec<String>,
    /// What the lint of section access found.
    pub findings: Vec<Finding>,
    /// Tables and rows.
    pub tables: Vec<(String, usize)>,
}

/// What is to be run, for whom.
pub(crate) struct Task<'a> {
    /// Who reloads; nobody for the scheduler, `INTERNAL\SA_SCHEDULER`.
    pub who: Option<&'a User>,
    /// The present time, and what `Now()` in the script says.
    pub now: Now,
    /// When it is cancelled the script stops and nothing is published.
    pub budget: &'a Budget,
    /// Only loads with `ADD`, `REPLACE` or `MERGE` run, on the data of the last reload.
    pub partial: bool,
    /// The log tells of each statement.
    pub traces: bool,
    /// The most rows of each file: a trial, which is never published.
    pub row_limit: Option<usize>,
}

impl Task<'_> {
    fn subject(&self) -> Subject {
        self.who.map_or_else(Subject::scheduler, subject)
    }
}

/// Runs the script of an app as it is stored and publishes what comes out.
pub(crate) async fn run_and_publish(
    store: &Store,
    id: &AppId,
    task: &Task<'_>,
    log: &mut (dyn FnMut(&str) + Send),
) -> Result<Outcome, ReloadError> {
    let made = make(store, id, task, log).await?;
    if task.row_limit.is_some() {
        return trial(store, &made, log).await;
    }
    publish(store, made, task.now.utc, log).await
}

/// What a script made, before anything is published.
pub(crate) struct Made {
    pub app: App,
    /// The data.
    pub model: Arc<Model>,
    /// The access tables.
    pub access: AccessTables,
    variables: Variables,
    warnings: Vec<Problem>,
    inherits_access: bool,
    script: String,
    folders: Folders,
    from: Option<BinaryApp>,
}

/// Runs the script of an app as it is stored, and publishes nothing.
pub(crate) async fn make(
    store: &Store,
    id: &AppId,
    task: &Task<'_>,
    log: &mut (dyn FnMut(&str) + Send),
) -> Result<Made, ReloadError> {
    let app = store.app(id).await?.ok_or_else(|| StoreError::NotFound {
        what: "app",
        name: id.as_str().to_owned(),
    })?;
    let script = script_of(store, &app)?;
    let folders = Folders::load(store, id);
    let mut settings = Settings {
        now: serial_day(task.now.utc) + days(task.now.offset_minutes),
        utc_offset: days(task.now.offset_minutes),
        seed: u64::from_le_bytes(random()),
        app_name: app.title.clone(),
        user: task.subject().user.as_str().to_owned(),
        traces: task.traces,
        row_limit: task.row_limit,
        ..Settings::default()
    };
    if task.partial {
        match previous(store, &app, &task.subject())? {
            Some((data, variables)) => {
                settings.previous = Some(data);
                settings.variables = variables;
            }
            None => log("the app has no data yet, so this is a full reload"),
        }
    }
    let cancel = task.budget.cancel_token();
    let owner = store.user(&app.owner).await?;
    let connections = match task.who.or(owner.as_ref()) {
        Some(user) => Connections::of(store, user, cancel).await?,
        None => Connections::default(),
    };
    let (result, from) = tokio::task::block_in_place(|| {
        let others = OtherApps {
            store,
            runtime: Handle::current(),
            own: &app,
            who: task.who,
            loaded: None,
        };
        run(
            &script,
            &folders,
            others,
            connections,
            &settings,
            task.budget,
            log,
        )
    })?;
    let LoadResult {
        model,
        access,
        variables,
        warnings,
        inherits_access,
        ..
    } = result;
    Ok(Made {
        app,
        model: Arc::new(model),
        access,
        variables,
        warnings,
        inherits_access,
        script,
        folders,
        from,
    })
}

/// Variables by name.
type Variables = Vec<(String, Value)>;

/// The data of the last reload, if `subject` sees all of it.
fn previous(
    store: &Store,
    app: &App,
    subject: &Subject,
) -> Result<Option<(AppData, Variables)>, ReloadError> {
    let Some(blob) = &app.data else {
        return Ok(None);
    };
    let bytes = store.blobs().read(blob)?;
    let image = DataImage::decode(&bytes).map_err(|_| ReloadError::Content)?;
    let model =
        Model::from_snapshot(&image.snapshot, MAX_DATA_BYTES).map_err(|_| ReloadError::Content)?;
    let (rules, _) = Rules::read(&image.access, &model);
    let sees_all = !rules.has_section_access()
        || match decide(&rules, subject) {
            Decision::Denied(_) => false,
            Decision::Granted(grants) => {
                let is_whole = grants.unreduced || grants.fields.values().all(|g| *g == Grant::All);
                is_whole && grants.omit.is_empty()
            }
        };
    if !sees_all {
        let who = subject.user.to_string();
        return Err(ReloadError::SeesPart { who });
    }
    Ok(Some((AppData::of(&model, image.access), image.variables)))
}

/// What came out of a script that was only tried.
async fn trial(
    store: &Store,
    made: &Made,
    log: &mut (dyn FnMut(&str) + Send),
) -> Result<Outcome, ReloadError> {
    tell(made, log);
    let (rules, _) = Rules::read(&made.access, &made.model);
    Ok(Outcome {
        reload: None,
        pending: Vec::new(),
        gains: Vec::new(),
        findings: findings(store, made, &rules).await?,
        tables: tables_of(&made.model),
    })
}

/// What works but is probably not meant, to the log.
fn tell(made: &Made, log: &mut (dyn FnMut(&str) + Send)) {
    for warning in &made.warnings {
        log(&warning.rendered);
    }
    for note in made.model.notes() {
        log(&describe(note));
    }
}

/// What an author should look at in the section access.
async fn findings(store: &Store, made: &Made, rules: &Rules) -> Result<Vec<Finding>, StoreError> {
    let mut findings = all_findings(store, &made.app, rules, &made.model, &made.variables).await?;
    if made.inherits_access {
        let from = made
            .from
            .as_ref()
            .map_or("another app", |f| f.app.title.as_str());
        findings.push(Finding {
            code: "access.inherited",
            place: "BINARY".to_owned(),
            message: format!("the section access is that of {from}, as of its last reload"),
            fix: "reload this app after that one, or people keep rights they no longer have"
                .to_owned(),
        });
    }
    for finding in &mut findings {
        if let Some(line) = crate::script_place::line_of(&made.script, &finding.place) {
            finding.place = format!("{} (line {line} of the script)", finding.place);
        }
    }
    Ok(findings)
}

/// What the lint says of an app's data, its people, its variables and its charts.
pub(crate) async fn all_findings(
    store: &Store,
    app: &App,
    rules: &Rules,
    model: &Arc<Model>,
    variables: &[(String, Value)],
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = lint(rules, model);
    if !rules.has_section_access() {
        return Ok(findings);
    }
    let users = store.users().await?;
    let owner = users.iter().find(|u| u.id == app.owner).map(subject);
    let people: Vec<Subject> = users.iter().map(subject).collect();
    let content = (store.blobs().read(&app.content).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| satchel_qix::AppContent::from_json(&text).ok());
    let texts = content.map_or_else(Vec::new, |content| chart_fields::texts(&content));
    let around = Around {
        owner: owner.as_ref(),
        people: &people,
        variables,
        texts: &texts,
    };
    findings.extend(lint_around(rules, model, &around));
    findings.extend(omitted_in_charts(store, app, rules));
    Ok(findings)
}

/// Charts that are incomplete for whoever lacks a field they use.
pub(crate) fn omitted_in_charts(store: &Store, app: &App, rules: &Rules) -> Vec<Finding> {
    let omitted = rules.omitted_fields();
    let content = (store.blobs().read(&app.content).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| satchel_qix::AppContent::from_json(&text).ok());
    let Some(content) = content.filter(|_| !omitted.is_empty()) else {
        return Vec::new();
    };
    (omitted.iter())
        .filter_map(|field| {
            let id = chart_fields::user_of(&content, field)?;
            Some(Finding {
                code: "access.omit_in_charts",
                place: format!("object {id}"),
                message: format!("{id} uses {field}, which OMIT withholds from some"),
                fix: "show another object, by a condition, to who does not see the field"
                    .to_owned(),
            })
        })
        .collect()
}

fn tables_of(model: &Model) -> Vec<(String, usize)> {
    (model.tables().iter())
        .map(|t| (t.name.clone(), t.n_rows))
        .collect()
}

fn script_of(store: &Store, app: &App) -> Result<String, ReloadError> {
    let bytes = store.blobs().read(&app.content)?;
    let text = String::from_utf8(bytes).map_err(|_| ReloadError::Content)?;
    let content = satchel_qix::AppContent::from_json(&text).map_err(|_| ReloadError::Content)?;
    Ok(content.script)
}

/// What came out, and the app whose data `BINARY` loaded.
fn run(
    script: &str,
    folders: &Folders,
    others: OtherApps<'_>,
    connections: Connections,
    settings: &Settings,
    budget: &Budget,
    log: &mut dyn FnMut(&str),
) -> Result<(LoadResult, Option<BinaryApp>), ReloadError> {
    let title = others.own.title.clone();
    let downloads = tempfile::tempdir().map_err(|source| StoreError::File {
        path: std::env::temp_dir(),
        source,
    })?;
    let roots = Roots::new(&folders.app)
        .with("data", &folders.data)
        .with(DOWNLOADS, downloads.path());
    let cancel = budget.cancel_token().clone();
    let mut host = ScriptHost::new(FileHost::new(roots, log))
        .with_apps(others)
        .with_connections(connections, downloads.path().to_owned(), cancel);
    let result = satchel_script::run(&title, script, &mut host, settings, budget)
        .map_err(|failure| ReloadError::Script(Box::new(failure)))?;
    Ok((result, host.binary_app()))
}

async fn publish(
    store: &Store,
    made: Made,
    now: UnixMillis,
    log: &mut (dyn FnMut(&str) + Send),
) -> Result<Outcome, ReloadError> {
    tell(&made, log);
    let tables = tables_of(&made.model);
    let (rules, _) = Rules::read(&made.access, &made.model);
    let findings = findings(store, &made, &rules).await?;
    let failed = broken(&made.folders.access_tests, &rules, &made.model);
    if !failed.is_empty() {
        return Err(ReloadError::Tests(failed));
    }
    let Made {
        app,
        model,
        access,
        variables,
        inherits_access,
        script,
        folders,
        from,
        ..
    } = made;
    if inherits_access {
        // Only the owner of the app that the access tables are of can confirm anything.
        let confirmed = from.map_or_else(Vec::new, |from| {
            let mut confirmed = confirmed_of(store, &from.app);
            confirmed.extend(from.withheld);
            confirmed
        });
        let unprotected: Vec<String> = (publication_check(&rules, &confirmed).iter())
            .map(ToString::to_string)
            .collect();
        if !unprotected.is_empty() {
            return Err(ReloadError::Inherited(unprotected));
        }
    }
    let section = section_hash(&script);
    let confirmed = if inherits_access {
        publication_check(&rules, &[])
            .iter()
            .map(ToString::to_string)
            .collect()
    } else if app.confirmed_columns.contains(&section) {
        app.confirmed_columns.clone()
    } else {
        Vec::new()
    };
    let mut pending: Vec<String> = publication_check(&rules, &confirmed)
        .iter()
        .map(ToString::to_string)
        .collect();
    if app.access_fingerprint.is_some()
        && !rules.has_section_access()
        && !confirmed.iter().any(|c| c == ACCESS_REMOVED)
    {
        pending.push(ACCESS_REMOVED.to_owned());
    }
    let mut gains = Vec::new();
    if let Some(waiting) = gain_approval::beyond(store, &app, &folders, &rules, &model).await?
        && !app.confirmed_columns.contains(&waiting.key)
    {
        for gain in &waiting.gains {
            log(&format!("note[access.gain]: {gain}"));
        }
        pending.push(waiting.key);
        gains = waiting.gains;
    }
    if !pending.is_empty() {
        let why = serde_json::json!({ "section": section, "confirm": pending, "gains": gains })
            .to_string();
        store.set_pending(&app.id, Some(&why)).await?;
        return Ok(Outcome {
            reload: None,
            pending,
            gains,
            findings,
            tables,
        });
    }
    let image = DataImage {
        access,
        variables,
        snapshot: model.to_snapshot(),
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
    // Confirmed was this removal, and not each that may come.
    let mut lasting = app.confirmed_columns.clone();
    lasting.retain(|c| c != ACCESS_REMOVED && is_readable(&script));
    if lasting != app.confirmed_columns {
        store.set_confirmed_columns(&app.id, &lasting).await?;
    }
    Ok(Outcome {
        reload: Some(number),
        pending,
        gains,
        findings,
        tables,
    })
}

/// What the owner of an app confirmed of its access section as it is now.
fn confirmed_of(store: &Store, app: &App) -> Vec<String> {
    let holds = script_of(store, app)
        .is_ok_and(|script| app.confirmed_columns.contains(&section_hash(&script)));
    if holds {
        app.confirmed_columns.clone()
    } else {
        Vec::new()
    }
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

/// What stands for the end of all section access among the names to confirm.
const ACCESS_REMOVED: &str = "section-access:removed";

/// Whether [`section_hash`] sees every access section of a script. What comes from another file,
/// or follows another statement on its line, changes behind it: of such a script a confirmation
/// counts once.
fn is_readable(script: &str) -> bool {
    script.lines().all(|line| {
        let line = line.trim().to_lowercase();
        let words: Vec<&str> = line.split_whitespace().collect();
        let follows = words
            .windows(2)
            .skip(1)
            .any(|pair| pair[0].ends_with("section") && pair[1].starts_with("access"));
        !follows && !line.contains("include=")
    })
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
