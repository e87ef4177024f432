//! Who asks.

use satchel_base::SubjectId;

/// How far a subject's identity is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// Signed in, or an internal account.
    Authenticated,
    /// Not signed in: `*` does not name them, only a row that does so explicitly.
    Anonymous,
}

/// A user with what the identity provider says of them. Everything compares without case.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `DIRECTORY\user`.
    pub user: SubjectId,
    /// The attribute compared with `USER.NAME`.
    pub name: Option<String>,
    /// The attribute compared with `USER.EMAIL`.
    pub email: Option<String>,
    /// Groups, in any order.
    pub groups: Vec<String>,
    /// Whether they signed in.
    pub kind: SubjectKind,
}

impl Subject {
    /// A signed-in user without attributes or groups.
    pub fn new(user: SubjectId) -> Self {
        Self {
            user,
            name: None,
            email: None,
            groups: Vec::new(),
            kind: SubjectKind::Authenticated,
        }
    }

    /// The account scheduled reloads run as.
    pub fn scheduler() -> Self {
        Self::new(SubjectId::new("INTERNAL", "SA_SCHEDULER"))
    }
}
