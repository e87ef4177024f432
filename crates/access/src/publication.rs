//! What must be confirmed by an owner before a reload is published.

use std::fmt;

use crate::Rules;

/// Something in the access tables that would silently protect nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pending {
    /// A column that is no system field, no field of the data and no link.
    Column(String),
    /// An OMIT that names no field of the data; `*` where nothing is listed.
    Omit(String),
}

/// The key to record a confirmation under: `column:NAME` or `omit:NAME`.
impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => write!(f, "column:{name}"),
            Self::Omit(name) => write!(f, "omit:{name}"),
        }
    }
}

/// What stops publication and is not among `confirmed` (keys as [`Pending`] displays them).
/// Empty: publish.
pub fn publication_check(rules: &Rules, confirmed: &[String]) -> Vec<Pending> {
    let columns = rules.unknown_columns.iter().cloned().map(Pending::Column);
    let omits = rules.omits.iter().filter(|(_, fields)| fields.is_empty());
    let star = (rules.omit_star && rules.omits.is_empty()).then(|| "*".to_owned());
    columns
        .chain(
            omits
                .map(|(name, _)| name.clone())
                .chain(star)
                .map(Pending::Omit),
        )
        .filter(|p| !confirmed.contains(&p.to_string()))
        .collect()
}
