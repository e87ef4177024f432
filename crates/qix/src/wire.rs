//! From our values to JSON as clients read it.

pub(crate) mod meta;
pub(crate) mod number;
pub(crate) mod time;

/// The field a definition names, without brackets, quotes and a leading `=`; the definition
/// itself if it is an expression.
pub(crate) fn field_name(def: &str) -> &str {
    let def = def.trim();
    let bare = def.strip_prefix('=').unwrap_or(def).trim();
    for (open, close) in [('[', ']'), ('"', '"'), ('`', '`')] {
        if let Some(inner) = bare.strip_prefix(open).and_then(|d| d.strip_suffix(close))
            && !inner.contains(close)
        {
            return inner;
        }
    }
    bare
}
