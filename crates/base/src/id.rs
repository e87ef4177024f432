//! Identities as newtypes, so that one cannot be handed in where another is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps `text` as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// An app: a lower-case UUID with hyphens.
    AppId
}
text_id! {
    /// An enrolled device: a lower-case UUID with hyphens.
    DeviceId
}

/// Who is asking, in the form section access compares: `DIRECTORY\user`.
///
/// Two ids that differ only in case are equal (DESIGN §3: identities compare without
/// regard to case), so the text is kept in upper case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectId(String);

impl SubjectId {
    /// `directory\name`, upper-cased.
    pub fn new(directory: &str, name: &str) -> Self {
        Self(format!("{directory}\\{name}").to_uppercase())
    }

    /// Reads `DIRECTORY\user`; text without a backslash is a name in the directory `LOCAL`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('\\') {
            Some((directory, name)) => Self::new(directory, name),
            None => Self::new("LOCAL", text),
        }
    }

    /// The whole id, upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the backslash.
    pub fn directory(&self) -> &str {
        self.0.split_once('\\').map_or("", |(d, _)| d)
    }

    /// The part after the backslash.
    pub fn name(&self) -> &str {
        self.0.split_once('\\').map_or(&self.0, |(_, n)| n)
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_compare_without_case() {
        assert_eq!(SubjectId::new("d", "Ann"), SubjectId::parse("D\\ANN"));
        assert_eq!(SubjectId::parse("ann").as_str(), "LOCAL\\ANN");
    }
}
