//! Roles: who administers what. A role never widens what section access shows.

use std::fmt;
use std::str::FromStr;

/// A role at the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything an administrator can do.
    RootAdmin,
    /// Apps and streams of everybody.
    ContentAdmin,
    /// People, rules and ways to sign in.
    SecurityAdmin,
    /// Devices, access types and connections.
    DeploymentAdmin,
    /// See how everything is set up, and the audit log.
    AuditAdmin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [
        Self::RootAdmin,
        Self::ContentAdmin,
        Self::SecurityAdmin,
        Self::DeploymentAdmin,
        Self::AuditAdmin,
    ];

    /// The name in commands and in the repository.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RootAdmin => "RootAdmin",
            Self::ContentAdmin => "ContentAdmin",
            Self::SecurityAdmin => "SecurityAdmin",
            Self::DeploymentAdmin => "DeploymentAdmin",
            Self::AuditAdmin => "AuditAdmin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|r| r.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                format!(
                    "there is no role '{text}'; roles are RootAdmin, ContentAdmin, SecurityAdmin, \
                     DeploymentAdmin and AuditAdmin"
                )
            })
    }
}
