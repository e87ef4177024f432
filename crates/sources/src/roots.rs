//! Which files a script may touch.

use std::path::{Component, Path, PathBuf};

use satchel_script::HostError;

/// The folders a script may use: one it starts in, and some by name.
#[derive(Clone, Debug)]
pub struct Roots {
    app: PathBuf,
    named: Vec<(String, PathBuf)>,
}

impl Roots {
    /// Relative paths start in `app`.
    pub fn new(app: impl Into<PathBuf>) -> Self {
        Self {
            app: app.into(),
            named: Vec::new(),
        }
    }

    /// `lib://name/…` starts in `folder`. Names compare without regard to case.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        self.named.push((name.into(), folder.into()));
        self
    }

    /// The existing file that `path` names; `directory` is where relative paths start.
    pub(crate) fn existing(
        &self,
        path: &str,
        directory: Option<&str>,
    ) -> Result<PathBuf, HostError> {
        let (root, inner) = self.split(path, directory)?;
        let root = canonical_root(root)?;
        let full = root.join(inner);
        let real = full.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                HostError::new("source.not_found", format!("there is no file `{path}`"))
                    .with_hint("check the path; upper and lower case may differ")
            }
            _ => HostError::new(
                "source.cannot_read",
                format!("cannot read `{path}`: {error}"),
            ),
        })?;
        if !real.starts_with(&root) {
            return Err(outside(path));
        }
        if !real.is_file() {
            return Err(HostError::new(
                "source.not_found",
                format!("`{path}` is not a file"),
            ));
        }
        Ok(real)
    }

    /// The folder that `path` names; `None` if it is not there.
    pub(crate) fn existing_folder(
        &self,
        path: &str,
        directory: Option<&str>,
    ) -> Result<Option<PathBuf>, HostError> {
        let (root, inner) = self.split(path, directory)?;
        let root = canonical_root(root)?;
        match root.join(inner).canonicalize() {
            Ok(real) if !real.starts_with(&root) => Err(outside(path)),
            Ok(real) => Ok(Some(real).filter(|r| r.is_dir())),
            Err(_) => Ok(None),
        }
    }

    /// Where a new file `path` goes. Missing folders are made inside the root.
    pub(crate) fn target(&self, path: &str, directory: Option<&str>) -> Result<PathBuf, HostError> {
        let (root, inner) = self.split(path, directory)?;
        let root = canonical_root(root)?;
        let cannot = |error: std::io::Error| {
            HostError::new(
                "source.cannot_write",
                format!("cannot write `{path}`: {error}"),
            )
        };
        let Some(name) = inner.file_name() else {
            return Err(HostError::new(
                "source.cannot_write",
                format!("`{path}` names no file"),
            ));
        };
        let mut folder = root.clone();
        for part in inner.parent().into_iter().flat_map(Path::components) {
            folder.push(part);
            if !folder.exists() {
                std::fs::create_dir(&folder).map_err(cannot)?;
            }
            if !folder.canonicalize().map_err(cannot)?.starts_with(&root) {
                return Err(outside(path));
            }
        }
        Ok(folder.join(name))
    }

    /// The root and the path inside it, without looking at the disk.
    fn split(&self, path: &str, directory: Option<&str>) -> Result<(&Path, PathBuf), HostError> {
        let clean = path.trim().replace('\\', "/");
        if let Some(rest) = strip_scheme(&clean, "lib") {
            let (name, inner) = rest.split_once('/').unwrap_or((rest, ""));
            let found =
                (self.named.iter()).find(|(known, _)| known.to_lowercase() == name.to_lowercase());
            let Some((_, folder)) = found else {
                let known: Vec<&str> = self.named.iter().map(|(n, _)| n.as_str()).collect();
                let hint = if known.is_empty() {
                    "ask the administrator for a data folder".to_owned()
                } else {
                    format!("the folders are {}", known.join(", "))
                };
                return Err(HostError::new(
                    "source.unknown_folder",
                    format!("there is no data folder called `{name}`"),
                )
                .with_hint(hint));
            };
            return Ok((folder, inside(inner, path)?));
        }
        if clean.contains("://") {
            return Err(HostError::new(
                "source.format_not_supported",
                format!("`{path}`: addresses are not supported yet"),
            )
            .with_hint("load from a file: lib://folder/file.csv"));
        }
        if let Some(directory) = directory
            && !clean.starts_with('/')
        {
            let joined = format!("{}/{clean}", directory.trim_end_matches(['/', '\\']));
            return self.split(&joined, None);
        }
        Ok((&self.app, inside(&clean, path)?))
    }
}

fn strip_scheme<'a>(path: &'a str, scheme: &str) -> Option<&'a str> {
    let rest = path.get(scheme.len()..)?.strip_prefix("://")?;
    path[..scheme.len()]
        .eq_ignore_ascii_case(scheme)
        .then_some(rest)
}

/// A relative path without `..`.
fn inside(inner: &str, shown: &str) -> Result<PathBuf, HostError> {
    let has_drive = inner.as_bytes().get(1) == Some(&b':');
    let mut out = PathBuf::new();
    for part in Path::new(inner).components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(outside(shown));
            }
        }
    }
    if has_drive {
        return Err(outside(shown));
    }
    Ok(out)
}

fn canonical_root(root: &Path) -> Result<PathBuf, HostError> {
    root.canonicalize().map_err(|_| {
        HostError::new("source.not_found", "the data folder itself is not there")
            .with_hint("ask the administrator to check the folder's setting")
    })
}

fn outside(path: &str) -> HostError {
    HostError::new(
        "source.outside_root",
        format!("`{path}` leads out of the folders a script may use"),
    )
    .with_hint("use lib://folder/path, or a path inside the app's own folder")
}
