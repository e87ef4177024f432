//! Managed configuration of a computer: a file that only its administrator can write.
//!
//! Format: `docs/formats/policy.md`, `docs/emm/`. What is not as it should be is refused, not
//! passed over: a configuration that cannot be trusted may have forbidden something.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use satchel_contract::Policy;

/// Where an administrator puts the policy of this computer.
pub const MANAGED_FILE: &str = "/etc/satchel/policy.json";

/// Names one more policy, of whoever starts the client. It can only make things stricter.
pub const POLICY_VARIABLE: &str = "SATCHEL_POLICY";

/// 1 MiB: far more than any list of hubs and authorities.
const MAX_BYTES: u64 = 1 << 20;

/// Why a policy is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManagedError {
    /// Others than root may write it.
    NotRootsAlone {
        /// The file or its folder.
        path: PathBuf,
    },
    /// It cannot be read, or is no policy.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl ManagedError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotRootsAlone { .. } => "policy.not_roots_alone",
            Self::Unreadable { .. } => "policy.unreadable",
        }
    }

    /// What to do next, one sentence.
    pub const fn next(&self) -> &'static str {
        match self {
            Self::NotRootsAlone { .. } => {
                "Whoever manages this computer must make root its owner and take the right to write from everybody else."
            }
            Self::Unreadable { .. } => {
                "Whoever manages this computer must put the file right; docs/emm says what each key takes."
            }
        }
    }
}

impl std::fmt::Display for ManagedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotRootsAlone { path } => write!(
                f,
                "the policy of this computer counts only if root alone can write {}",
                path.display()
            ),
            Self::Unreadable { path, reason } => {
                write!(f, "the policy {} cannot be read: {reason}", path.display())
            }
        }
    }
}

impl std::error::Error for ManagedError {}

/// The policies of this computer, each with the name people know it by: what its administrator
/// says, and what whoever starts the client adds.
///
/// # Errors
/// [`ManagedError`].
pub fn managed_policies() -> Result<Vec<(String, Policy)>, ManagedError> {
    let mut sources = Vec::new();
    #[cfg(unix)]
    if let Some(policy) = read_managed(Path::new(MANAGED_FILE))? {
        sources.push((MANAGED_FILE.to_owned(), policy));
    }
    if let Some(path) = std::env::var_os(POLICY_VARIABLE).map(PathBuf::from) {
        let policy = read(&path)?.ok_or_else(|| ManagedError::Unreadable {
            path: path.clone(),
            reason: "it is not there".to_owned(),
        })?;
        sources.push((path.display().to_string(), without_trust(policy)));
    }
    Ok(sources)
}

/// The policy in a file that root alone may write; `None` if there is none.
///
/// # Errors
/// [`ManagedError`].
#[cfg(unix)]
pub fn read_managed(path: &Path) -> Result<Option<Policy>, ManagedError> {
    use std::os::unix::fs::MetadataExt as _;
    let is_roots_alone = |found: &std::fs::Metadata| found.uid() == 0 && found.mode() & 0o022 == 0;
    let unreadable = |error: std::io::Error| ManagedError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    // Whether it is there is asked of the name itself, so that a link that leads nowhere is
    // no way to have none.
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        Ok(found) if !found.is_file() || !is_roots_alone(&found) => {
            return Err(ManagedError::NotRootsAlone {
                path: path.to_owned(),
            });
        }
        Ok(_) => {}
    }
    if let Some(folder) = path.parent() {
        let found = std::fs::metadata(folder).map_err(unreadable)?;
        if !is_roots_alone(&found) {
            return Err(ManagedError::NotRootsAlone {
                path: folder.to_owned(),
            });
        }
    }
    read(path)
}

fn read(path: &Path) -> Result<Option<Policy>, ManagedError> {
    let unreadable = |reason: String| ManagedError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unreadable("it is larger than 1 MiB".to_owned()));
    }
    let policy = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    Ok(Some(policy))
}

/// Without what makes a device trust more: that is its administrator's to say.
fn without_trust(mut policy: Policy) -> Policy {
    use satchel_contract::policy::Key;
    policy.unset(Key::CaCertificates);
    policy.unset(Key::CommonNameHosts);
    policy
}
