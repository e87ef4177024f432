//! The world outside a script that the hub runs: files, and the data of other apps.
//!
//! What `BINARY` hands over is what whoever reloads may see of the other app. A scheduled
//! reload may see what `INTERNAL\SA_SCHEDULER` sees, but no more than the owner of the script
//! does, unless the owner administers the other app too: else a script could show its owner
//! what section access hides.

use std::path::PathBuf;
use std::time::Instant;

use satchel_access::{Pending, Rules, Subject, decide, publication_check, reduce};
use satchel_base::CancelToken;
use satchel_data::{Frame, Model};
use satchel_qix::AppContent;
use satchel_script::{
    AppData, FileInfo, Host, HostError, QvdInfo, ReadRequest, RowSource, Step, StoreRequest,
};
use satchel_sources::FileHost;
use satchel_sources::object::ObjectStore;
use satchel_sources::sql::DatabaseAddress;
use satchel_store::{App, Store, StoreError, User};
use tokio::runtime::Handle;

use crate::apps::{may_edit, may_see, subject};
use crate::connections::Connections;
use crate::data_image::{DataImage, MAX_DATA_BYTES};
use crate::rights::Rights;

/// The name of the folder of downloads; no data folder can have it.
pub(crate) const DOWNLOADS: &str = "$downloads";

/// The host of one run.
pub(crate) struct ScriptHost<'a> {
    files: FileHost<'a>,
    apps: Option<OtherApps<'a>>,
    connections: Connections,
    /// The database taken last.
    database: Option<DatabaseAddress>,
    /// Where files of the web are put while they are read.
    downloads: Option<PathBuf>,
    n_downloads: u32,
    cancel: CancelToken,
    /// When the last step ended.
    since: Instant,
}

/// A file that is not in a folder of the hub.
enum Away {
    /// By its address.
    Site(String),
    /// In an object store, by its path there.
    Object(Box<ObjectStore>, String),
}

/// What a script of the app `own` may know of other apps.
pub(crate) struct OtherApps<'a> {
    pub store: &'a Store,
    pub runtime: Handle,
    pub own: &'a App,
    /// Who reloads; nobody for the scheduler.
    pub who: Option<&'a User>,
    /// What `BINARY` loaded, if it did.
    pub loaded: Option<BinaryApp>,
}

/// An app that `BINARY` loaded.
pub(crate) struct BinaryApp {
    pub app: App,
    /// OMITs of its section access that name what was not handed over, as a publication check
    /// tells them: they have nothing to withhold.
    pub withheld: Vec<String>,
}

impl<'a> ScriptHost<'a> {
    /// A script that sees files only.
    pub fn new(files: FileHost<'a>) -> Self {
        Self {
            files,
            apps: None,
            connections: Connections::default(),
            database: None,
            downloads: None,
            n_downloads: 0,
            cancel: CancelToken::default(),
            since: Instant::now(),
        }
    }

    /// The same, and other apps.
    pub fn with_apps(mut self, apps: OtherApps<'a>) -> Self {
        self.apps = Some(apps);
        self
    }

    /// The same, and connections; `cancel` ends their queries. Files of the web are put into
    /// `downloads`, which the file host knows by the name [`DOWNLOADS`].
    pub fn with_connections(
        mut self,
        connections: Connections,
        downloads: PathBuf,
        cancel: CancelToken,
    ) -> Self {
        self.connections = connections;
        self.downloads = Some(downloads);
        self.cancel = cancel;
        self
    }

    /// The file that a load reads, if it is on the web or in an object store.
    fn away(&self, request: &ReadRequest) -> Option<Away> {
        match &request.format.url {
            Some(url) => Some(Away::Site(url.text.clone())),
            None => self.away_at(&request.path, request.directory.as_deref()),
        }
    }

    fn away_at(&self, path: &str, directory: Option<&str>) -> Option<Away> {
        let path = match directory {
            Some(folder) if !path.contains("://") => {
                format!("{}/{path}", folder.trim_end_matches(['/', '\\']))
            }
            _ => path.to_owned(),
        };
        let web = &self.connections.web;
        match web.object(&path) {
            Some((store, path)) => Some(Away::Object(Box::new(store.clone()), path)),
            None => web.address(&path).map(Away::Site),
        }
    }

    /// The object store and the path in it that a path means.
    fn object_at(&self, path: &str, directory: Option<&str>) -> Option<(Box<ObjectStore>, String)> {
        match self.away_at(path, directory)? {
            Away::Object(store, path) => Some((store, path)),
            Away::Site(_) => None,
        }
    }

    /// Fetches a file; the path by which the file host finds it.
    fn download(&mut self, away: &Away) -> Result<String, HostError> {
        let cannot = |why: &str| {
            HostError::new(
                "source.web_failed",
                format!("the file cannot be put on the disk: {why}"),
            )
        };
        let web = &self.connections.web;
        let (bytes, address) = match away {
            Away::Site(address) => (web.fetch(address)?, address),
            Away::Object(store, path) => (web.fetch_object(store, path)?, path),
        };
        let Some(folder) = &self.downloads else {
            return Err(cannot("there is no folder for it"));
        };
        self.n_downloads += 1;
        // The ending says what kind of file it is; nothing else of the address is needed.
        let last = address.split(['?', '#']).next().unwrap_or_default();
        let ending: String = (last
            .rsplit_once('.')
            .map_or("", |(_, ending)| ending)
            .chars())
        .take_while(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
        let name = format!("{}.{ending}", self.n_downloads);
        std::fs::write(folder.join(&name), bytes).map_err(|e| cannot(&e.to_string()))?;
        Ok(format!("lib://{DOWNLOADS}/{name}"))
    }

    /// The app `BINARY` loaded, if one was.
    pub fn binary_app(self) -> Option<BinaryApp> {
        self.apps?.loaded
    }
}

impl Host for ScriptHost<'_> {
    fn open(&mut self, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
        let Some(away) = self.away(request) else {
            return self.files.open(request);
        };
        let mut here = request.clone();
        here.path = self.download(&away)?;
        here.directory = None;
        self.files.open(&here)
    }

    fn include(&mut self, path: &str) -> Result<String, HostError> {
        match self.away_at(path, None) {
            Some(away) => {
                let here = self.download(&away)?;
                self.files.include(&here)
            }
            None => self.files.include(path),
        }
    }

    fn connect(&mut self, name: &str) -> Result<(), HostError> {
        self.database = Some(self.connections.database(name)?.clone());
        Ok(())
    }

    fn query(&mut self, sql: &str) -> Result<Box<dyn RowSource>, HostError> {
        match &self.database {
            Some(address) => satchel_sources::sql::query(address, sql, &self.cancel),
            None => self.files.query(sql),
        }
    }

    fn disconnect(&mut self) {
        self.database = None;
    }

    fn store(&mut self, request: &StoreRequest, table: &Frame) -> Result<u64, HostError> {
        if (self.object_at(&request.path, request.directory.as_deref())).is_some() {
            return Err(HostError::new(
                "source.cannot_write",
                format!("`{}`: object stores are read, not written", request.path),
            )
            .with_hint("store it in a data folder"));
        }
        self.files.store(request, table)
    }

    fn list_files(
        &mut self,
        mask: &str,
        directory: Option<&str>,
    ) -> Result<Vec<String>, HostError> {
        match self.object_at(mask, directory) {
            Some((store, mask)) => self.connections.web.list_objects(&store, &mask, false),
            None => self.files.list_files(mask, directory),
        }
    }

    fn list_folders(
        &mut self,
        mask: &str,
        directory: Option<&str>,
    ) -> Result<Vec<String>, HostError> {
        match self.object_at(mask, directory) {
            Some((store, mask)) => self.connections.web.list_objects(&store, &mask, true),
            None => self.files.list_folders(mask, directory),
        }
    }

    fn file_info(&mut self, path: &str, directory: Option<&str>) -> Option<FileInfo> {
        match self.object_at(path, directory) {
            Some((store, path)) => self.connections.web.object_info(&store, &path),
            None => self.files.file_info(path, directory),
        }
    }

    fn qvd_info(&mut self, path: &str, directory: Option<&str>) -> Option<QvdInfo> {
        self.files.qvd_info(path, directory)
    }

    fn binary(&mut self, app: &str) -> Result<AppData, HostError> {
        match &mut self.apps {
            Some(apps) => apps.load(app),
            None => self.files.binary(app),
        }
    }

    fn log(&mut self, line: &str) {
        self.files.log(line);
    }

    fn progress(&mut self, path: &str, n_rows: u64) {
        self.files.progress(path, n_rows);
    }

    fn step(&mut self, step: &Step) {
        let took = self.since.elapsed();
        self.files.log(&format!(
            "{}:{:<5} {:>9.1} ms {:>11} rows in {:>11} out {:>10}  {}",
            step.file,
            step.line,
            took.as_secs_f64() * 1000.0,
            step.rows_in,
            step.rows_out,
            satchel_base::ByteSize(step.n_bytes).to_string(),
            step.text
        ));
        self.since = Instant::now();
    }

    fn sleep(&mut self, milliseconds: u64) {
        self.files.sleep(milliseconds);
    }
}

impl OtherApps<'_> {
    fn load(&mut self, name: &str) -> Result<AppData, HostError> {
        let title = title_of(name);
        let unknown = || {
            HostError::new(
                "source.app_unknown",
                format!("there is no app `{title}` that this script may load"),
            )
            .with_hint("name it by its title or id; the owner of this app must be able to see it")
        };
        let (other, rights, owner) = (self.runtime.block_on(async {
            let other = match self.store.find_app(&title).await {
                Ok(app) => Some(app),
                Err(StoreError::NotFound { .. } | StoreError::Ambiguous { .. }) => None,
                Err(error) => return Err(error),
            };
            let rights = Rights::load(self.store).await?;
            Ok((other, rights, self.store.user(&self.own.owner).await?))
        }))
        .map_err(|error| failed(&error))?;
        let asker = self.who.or(owner.as_ref()).ok_or_else(unknown)?;
        let other = other
            .filter(|other| may_see(other, asker, &rights))
            .ok_or_else(unknown)?;
        self.must_not_be_prohibited(&other)?;
        let Some(blob) = &other.data else {
            return Err(HostError::new(
                "source.app_without_data",
                format!("the app `{title}` has no data yet"),
            )
            .with_hint("reload it first"));
        };
        let unreadable = || {
            HostError::new(
                "source.cannot_read",
                format!("the data of the app `{title}` cannot be read"),
            )
            .with_hint("reload it, then this app again")
        };
        let bytes = self.store.blobs().read(blob).map_err(|e| failed(&e))?;
        let image = DataImage::decode(&bytes).map_err(|_| unreadable())?;
        let mut model =
            Model::from_snapshot(&image.snapshot, MAX_DATA_BYTES).map_err(|_| unreadable())?;
        for asker in self.subjects(&other, asker, &rights) {
            let (rules, _) = Rules::read(&image.access, &model);
            if !rules.has_section_access() {
                break;
            }
            let decision = decide(&rules, &asker);
            let reduced = reduce(&decision, &model).map_err(|_| {
                HostError::new(
                    "source.app_denied",
                    format!("{} may not read the data of the app `{title}`", asker.user),
                )
                .with_hint("its section access must admit whom this reload runs for")
            })?;
            model = reduced.model;
        }
        let (rules, _) = Rules::read(&image.access, &model);
        let withheld = (publication_check(&rules, &[]).into_iter())
            .filter(|p| matches!(p, Pending::Omit(_)))
            .map(|p| p.to_string())
            .collect();
        self.loaded = Some(BinaryApp {
            app: other,
            withheld,
        });
        Ok(AppData::of(&model, image.access))
    }

    /// Whose views of `other` the script may see: what is in all of them.
    fn subjects(&self, other: &App, asker: &User, rights: &Rights) -> Vec<Subject> {
        match self.who {
            Some(user) => vec![subject(user)],
            None if may_edit(other, asker, rights) => vec![Subject::scheduler()],
            None => vec![Subject::scheduler(), subject(asker)],
        }
    }

    /// An app may forbid that others load it.
    fn must_not_be_prohibited(&self, other: &App) -> Result<(), HostError> {
        let content = (self.store.blobs().read(&other.content))
            .map_err(|error| failed(&error))
            .map(|bytes| String::from_utf8(bytes).unwrap_or_default())?;
        // An app that cannot be read says nothing, so it allows nothing.
        let prohibits = AppContent::from_json(&content).map_or(true, |content| {
            content.properties.get("qProhibitBinaryLoad") == Some(&serde_json::Value::Bool(true))
        });
        if prohibits {
            return Err(HostError::new(
                "source.binary_prohibited",
                format!(
                    "the app `{}` does not let others load its data",
                    other.title
                ),
            )
            .with_hint("ask its owner, or load the files it stores"));
        }
        Ok(())
    }
}

/// `[lib://Apps/Sales.qvf]` and `Sales.qvf` name the app `Sales`.
fn title_of(name: &str) -> String {
    let last = name.trim().rsplit(['/', '\\']).next().unwrap_or_default();
    let lower = last.to_ascii_lowercase();
    let ends = [".qvf", ".qvw"].iter().any(|e| lower.ends_with(e));
    last[..last.len() - if ends { 4 } else { 0 }].to_owned()
}

fn failed(error: &StoreError) -> HostError {
    tracing::error!(%error, "the repository failed during a reload");
    HostError::new("hub.internal", "the hub's repository cannot be read now")
        .with_hint("try again; tell the administrator if it stays so")
}

#[cfg(test)]
mod tests {
    use super::title_of;

    #[test]
    fn apps_are_named_as_files_are() {
        for name in [
            "Sales",
            "Sales.qvf",
            "lib://Apps/Sales.QVF",
            "c:\\x\\Sales.qvw",
        ] {
            assert_eq!(title_of(name), "Sales");
        }
    }
}
