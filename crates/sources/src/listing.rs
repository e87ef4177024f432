//! Which files and folders fit a mask, and what is known of a file.

use std::time::UNIX_EPOCH;

use satchel_script::{FileInfo, HostError, matches_wildcard};

use crate::Roots;

/// More entries in one folder than a script can mean to load.
const MOST: usize = 100_000;

/// 1970-01-01 in serial days.
const UNIX_EPOCH_DAY: f64 = 25_569.0;

/// What a mask looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entries {
    Files,
    Folders,
}

impl Roots {
    /// The entries that fit `mask`, whose last part may hold `*` and `?`: paths as the mask
    /// begins, in order of names. A folder that is not there has none.
    pub(crate) fn list(
        &self,
        mask: &str,
        directory: Option<&str>,
        entries: Entries,
    ) -> Result<Vec<String>, HostError> {
        let at = mask.rfind(['/', '\\']).map_or(0, |n| n + 1);
        let (folder, pattern) = mask.split_at(at);
        if folder.contains(['*', '?']) {
            return Err(mask_in_folder(mask));
        }
        let Some(real) = self.existing_folder(folder, directory)? else {
            return Ok(Vec::new());
        };
        let cannot = |error: std::io::Error| {
            HostError::new(
                "source.cannot_read",
                format!("cannot list `{folder}`: {error}"),
            )
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(real).map_err(cannot)?.take(MOST) {
            let entry = entry.map_err(cannot)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let is_wanted = match entries {
                Entries::Files => entry.path().is_file(),
                Entries::Folders => entry.path().is_dir(),
            };
            if is_wanted && (pattern.is_empty() || matches_wildcard(&name, pattern)) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names.into_iter().map(|n| format!("{folder}{n}")).collect())
    }

    /// Size and time of an existing file; `None` if it is not there or out of reach.
    pub(crate) fn info(&self, path: &str, directory: Option<&str>) -> Option<FileInfo> {
        let real = self.existing(path, directory).ok()?;
        let facts = std::fs::metadata(real).ok()?;
        let since = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(FileInfo {
            n_bytes: facts.len(),
            modified: UNIX_EPOCH_DAY + since.as_secs_f64() / 86_400.0,
        })
    }
}

pub(crate) fn mask_in_folder(mask: &str) -> HostError {
    HostError::new(
        "source.mask_in_folder",
        format!("`{mask}`: only the last part of a path may hold * and ?"),
    )
    .with_hint("list the folders with DirList, then the files of each")
}
