//! The catalogue of downloads. Lives in the vault: titles are nobody else's business.
//!
//! A package is fetched into a file of its own, checked, and only then takes its place; the
//! catalogue names the file that counts. A file no catalogue names is an orphan of a kill and
//! is removed at the next start.

use satchel_base::{AppId, ByteSize, UnixMillis};
use satchel_contract::Manifest;
use serde::{Deserialize, Serialize};

/// Begins the names of complete packages.
pub(crate) const PACKAGE_PREFIX: &str = "package-";
/// Begins the names of packages being fetched.
pub(crate) const PART_PREFIX: &str = "part-";

/// A complete download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The app.
    pub app: AppId,
    /// Its file.
    pub file: String,
    /// Its size.
    pub size: ByteSize,
    /// The verified manifest.
    pub manifest: Manifest,
    /// When it was complete, by this device's clock.
    pub downloaded_at: UnixMillis,
}

/// A download that is not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// The app.
    pub app: AppId,
    /// The download's id at the hub.
    pub download: String,
    /// Its file.
    pub file: String,
    /// Size of the whole.
    pub size: ByteSize,
    /// BLAKE3 of the whole, hex.
    pub blake3: String,
}

/// What one account has on this device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Complete downloads, by app; at most one each.
    #[serde(default)]
    pub entries: Vec<Entry>,
    /// Downloads under way; at most one for each app.
    #[serde(default)]
    pub partials: Vec<Partial>,
}

impl Catalogue {
    /// The complete download of an app.
    pub fn entry(&self, app: &AppId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.app == *app)
    }

    /// The download of an app that is under way.
    pub fn partial(&self, app: &AppId) -> Option<&Partial> {
        self.partials.iter().find(|partial| partial.app == *app)
    }

    /// Notes that a download began; the file of an abandoned one is returned for removal.
    pub fn begin(&mut self, partial: Partial) -> Option<String> {
        let abandoned = self.abandon(&partial.app);
        self.partials.push(partial);
        abandoned
    }

    /// Forgets the download of `app` that is under way; its file is returned for removal.
    pub fn abandon(&mut self, app: &AppId) -> Option<String> {
        let at = self.partials.iter().position(|part| part.app == *app)?;
        Some(self.partials.swap_remove(at).file)
    }

    /// Puts a complete download in its place; the file it replaces is returned for removal.
    pub fn complete(&mut self, entry: Entry) -> Option<String> {
        self.partials.retain(|partial| partial.app != entry.app);
        let old = self.forget(&entry.app);
        self.entries.push(entry);
        self.entries.sort_by(|a, b| a.app.cmp(&b.app));
        old
    }

    /// Forgets the complete download of `app`; its file is returned for removal.
    pub fn forget(&mut self, app: &AppId) -> Option<String> {
        let at = self.entries.iter().position(|entry| entry.app == *app)?;
        Some(self.entries.remove(at).file)
    }

    /// Names of all files that belong here.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter().map(|entry| entry.file.as_str());
        let partials = self.partials.iter().map(|partial| partial.file.as_str());
        entries.chain(partials)
    }
}

/// Whether a file name is one of a package, complete or not.
pub(crate) fn is_package_file(name: &str) -> bool {
    name.starts_with(PACKAGE_PREFIX) || name.starts_with(PART_PREFIX)
}
