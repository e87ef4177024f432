//! Files of exported data, until they are fetched.
//!
//! `ExportData` answers with an address. What lies there is served once, to the log-in that
//! exported it and to nobody else, and is gone after ten minutes. The bytes are in files that
//! have no name any more, so nothing is left behind however the hub ends.

mod write;

use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use satchel_base::{SubjectId, UnixMillis};
use satchel_qix::{ExportFile, ExportKind, ExportRows};
use satchel_store::TokenHash;

use crate::system::make_uuid;

pub(crate) use write::ExportError;

/// How long an export waits to be fetched.
const KEPT_MS: i64 = 10 * 60_000;

/// Exports of one person that may wait to be fetched; the oldest goes first.
const MAX_PER_PERSON: usize = 10;

/// The largest file: what the documentation of `ExportData` names for workbooks.
const MAX_BYTES: u64 = 800 << 20;

/// Bytes of all exports that wait.
const MAX_BYTES_ALL: u64 = 4 << 30;

/// Who may fetch an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub user: SubjectId,
    /// The log-in; none for connections that come with a certificate.
    pub token: Option<TokenHash>,
}

/// A file that was exported.
pub(crate) struct Export {
    /// What to call it when it is saved.
    pub name: String,
    pub kind: ExportKind,
    pub size: u64,
    pub file: File,
    owner: Owner,
    /// The last part of its address.
    leaf: String,
    made: UnixMillis,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Exports {
    waiting: Mutex<HashMap<String, Export>>,
}

impl Exports {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Export>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a file and keeps it; its address, and how many rows it has. Blocks.
    ///
    /// # Errors
    /// See [`ExportError`]; then nothing is kept.
    pub fn make(
        &self,
        folder: &Path,
        owner: Owner,
        wanted: &ExportFile,
        rows: &mut ExportRows<'_>,
        now: UnixMillis,
    ) -> Result<(String, u64), ExportError> {
        let mut file = nameless(folder)?;
        let n_rows = write::write(&mut file, wanted, rows, MAX_BYTES)?;
        let size = file.metadata()?.len();
        if size > MAX_BYTES {
            return Err(ExportError::TooLarge);
        }
        file.seek(SeekFrom::Start(0))?;
        let (id, leaf) = (
            make_uuid(),
            format!("{}.{}", make_uuid(), wanted.kind.extension()),
        );
        let address = format!("/tempcontent/{id}/{leaf}");
        let export = Export {
            name: file_name(&wanted.name, wanted.kind),
            kind: wanted.kind,
            size,
            file,
            owner,
            leaf,
            made: now,
        };
        let mut waiting = self.lock();
        waiting.retain(|_, e| now.since_ms(e.made) < KEPT_MS);
        make_room(&mut waiting, &export);
        waiting.insert(id, export);
        Ok((address, n_rows))
    }

    /// Hands out an export, once, to its owner. An address that was never given, one that was
    /// used, one that is too old and somebody else's look the same.
    pub fn take(&self, id: &str, leaf: &str, owner: &Owner, now: UnixMillis) -> Option<Export> {
        let mut waiting = self.lock();
        waiting.retain(|_, e| now.since_ms(e.made) < KEPT_MS);
        let fits = waiting
            .get(id)
            .is_some_and(|e| e.leaf == leaf && e.owner == *owner);
        fits.then(|| waiting.remove(id)).flatten()
    }

    /// Lets go of what nobody fetched in time.
    pub fn sweep(&self, now: UnixMillis) {
        self.lock().retain(|_, e| now.since_ms(e.made) < KEPT_MS);
    }
}

/// Drops the oldest until another fits.
fn make_room(waiting: &mut HashMap<String, Export>, next: &Export) {
    loop {
        let own = |e: &Export| e.owner.user == next.owner.user;
        let n_own = waiting.values().filter(|e| own(e)).count();
        let bytes: u64 = waiting.values().map(|e| e.size).sum();
        let too_many = n_own >= MAX_PER_PERSON;
        if !too_many && bytes.saturating_add(next.size) <= MAX_BYTES_ALL {
            return;
        }
        let oldest = waiting
            .iter()
            .filter(|(_, e)| !too_many || own(e))
            .min_by_key(|(_, e)| e.made)
            .map(|(id, _)| id.clone());
        match oldest {
            Some(id) => waiting.remove(&id),
            None => return,
        };
    }
}

/// A file without a name: gone when it is closed, whoever closes it.
fn nameless(folder: &Path) -> std::io::Result<File> {
    let path = folder.join(format!("export-{}.tmp", make_uuid()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// A name to save a file under: without what means something to a file system.
fn file_name(wanted: &str, kind: ExportKind) -> String {
    let wanted = wanted.trim();
    let ending = format!(".{}", kind.extension());
    let wanted = wanted.strip_suffix(ending.as_str()).unwrap_or(wanted);
    let plain: String = wanted
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            c if c.is_control() => '_',
            c => c,
        })
        .take(100)
        .collect();
    let plain = plain.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let plain = if plain.is_empty() { "export" } else { plain };
    format!("{plain}{ending}")
}

#[cfg(test)]
mod tests {
    use satchel_qix::ExportCell;

    use super::*;

    fn owner(name: &str, token: u8) -> Owner {
        Owner {
            user: SubjectId::new("T", name),
            token: Some(TokenHash([token; 32])),
        }
    }

    fn make(exports: &Exports, folder: &Path, owner: &Owner, now: i64) -> (String, String) {
        let wanted = ExportFile {
            app: "a".into(),
            name: "Sales".into(),
            kind: ExportKind::Csv,
            columns: vec!["A".into()],
        };
        let mut rows = std::iter::once(Ok(vec![ExportCell {
            text: "1".into(),
            num: Some(1.0),
        }]));
        let (address, n) = exports
            .make(folder, owner.clone(), &wanted, &mut rows, UnixMillis(now))
            .unwrap();
        assert_eq!(n, 1);
        let mut parts = address.strip_prefix("/tempcontent/").unwrap().split('/');
        (
            parts.next().unwrap().to_owned(),
            parts.next().unwrap().to_owned(),
        )
    }

    // threat: T-19
    #[test]
    fn an_export_is_served_once_and_only_to_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let exports = Exports::default();
        let (ann, other_log_in, bob) = (owner("ann", 1), owner("ann", 2), owner("bob", 1));
        let (id, leaf) = make(&exports, folder.path(), &ann, 0);
        // Nothing lies in the folder that somebody could read meanwhile.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let now = UnixMillis(1);
        assert!(exports.take(&id, &leaf, &bob, now).is_none());
        assert!(exports.take(&id, &leaf, &other_log_in, now).is_none());
        assert!(exports.take(&id, "x.csv", &ann, now).is_none());
        let export = exports.take(&id, &leaf, &ann, now).unwrap();
        assert_eq!(export.name, "Sales.csv");
        assert!(exports.take(&id, &leaf, &ann, now).is_none());
    }

    #[test]
    fn exports_end_by_time_and_by_number() {
        let folder = tempfile::tempdir().unwrap();
        let exports = Exports::default();
        let ann = owner("ann", 1);
        let (id, leaf) = make(&exports, folder.path(), &ann, 0);
        assert!(
            exports
                .take(&id, &leaf, &ann, UnixMillis(KEPT_MS))
                .is_none()
        );
        let made: Vec<_> = (0..=MAX_PER_PERSON as i64)
            .map(|i| make(&exports, folder.path(), &ann, i))
            .collect();
        let now = UnixMillis(20);
        assert!(exports.take(&made[0].0, &made[0].1, &ann, now).is_none());
        assert!(exports.take(&made[1].0, &made[1].1, &ann, now).is_some());
    }

    #[test]
    fn names_hold_nothing_that_means_something_to_a_file_system() {
        assert_eq!(file_name("../a/b\r\n", ExportKind::Csv), "_a_b.csv");
        assert_eq!(file_name("  ", ExportKind::Workbook), "export.xlsx");
        assert_eq!(
            file_name("Übersicht.xlsx", ExportKind::Workbook),
            "Übersicht.xlsx"
        );
    }
}
