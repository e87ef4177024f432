//! Access types: what a person's licence lets them do (DESIGN §3).

use serde::{Deserialize, Serialize};

/// The access type in force for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccessType {
    /// A named person who may do everything their rights allow.
    Professional,
    /// A named person who consumes apps.
    Analyzer,
    /// A named person under a token licence.
    User,
    /// A share of a pool counted in units of six minutes per calendar month.
    AnalyzerCapacity,
    /// Passes of sixty minutes, ten to a token.
    Login,
    /// Nobody signed in.
    Anonymous,
    /// Signed in, but nothing is assigned and no pool has room.
    None,
}

impl AccessType {
    /// All types, in the order of the enum.
    pub const ALL: [Self; 7] = [
        Self::Professional,
        Self::Analyzer,
        Self::User,
        Self::AnalyzerCapacity,
        Self::Login,
        Self::Anonymous,
        Self::None,
    ];

    /// Whether this type may enrol a device, download and renew (DESIGN §3).
    pub const fn may_use_device(self) -> bool {
        matches!(self, Self::Professional | Self::Analyzer | Self::User)
    }

    /// The type as it is written in JSON and in commands: `analyzer_capacity`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Professional => "professional",
            Self::Analyzer => "analyzer",
            Self::User => "user",
            Self::AnalyzerCapacity => "analyzer_capacity",
            Self::Login => "login",
            Self::Anonymous => "anonymous",
            Self::None => "none",
        }
    }

    /// The type called `name`, with `-` and `_` alike and without regard to case.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|t| t.name().eq_ignore_ascii_case(&name))
    }

    /// The type as people read it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Professional => "Professional",
            Self::Analyzer => "Analyzer",
            Self::User => "User",
            Self::AnalyzerCapacity => "Analyzer capacity",
            Self::Login => "Login",
            Self::Anonymous => "Anonymous",
            Self::None => "no access type",
        }
    }
}
