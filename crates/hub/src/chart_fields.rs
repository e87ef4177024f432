//! Which fields the charts of an app use, for the lint of section access.

use satchel_qix::AppContent;
use serde_json::Value;

/// The first object, master dimension or master measure whose expressions name `field`; its id.
pub(crate) fn user_of(content: &AppContent, field: &str) -> Option<String> {
    let json: Value = serde_json::from_str(&content.to_json()).ok()?;
    ["objects", "dimensions", "measures"]
        .iter()
        .filter_map(|part| json.get(part))
        .find_map(|part| find(part, "", field))
}

/// Titles and texts of the objects that are no expressions, by where they stand.
pub(crate) fn texts(content: &AppContent) -> Vec<(String, String)> {
    let json: Value = serde_json::from_str(&content.to_json()).unwrap_or_default();
    let mut out = Vec::new();
    for part in ["objects", "dimensions", "measures"] {
        if let Some(part) = json.get(part) {
            collect(part, "", &mut out);
        }
    }
    out
}

fn collect(value: &Value, id: &str, out: &mut Vec<(String, String)>) {
    /// Properties people read as they are.
    const SHOWN: [&str; 7] = [
        "title",
        "subtitle",
        "footnote",
        "description",
        "markdown",
        "qFallbackTitle",
        "qLabel",
    ];
    match value {
        Value::Array(all) => all.iter().for_each(|v| collect(v, id, out)),
        Value::Object(members) => {
            let own = value.pointer("/qInfo/qId").and_then(Value::as_str);
            let id = own.unwrap_or(id);
            for (key, inner) in members {
                match inner {
                    Value::String(text)
                        if SHOWN.contains(&key.as_str()) && !text.starts_with('=') =>
                    {
                        out.push((format!("object {id}"), text.clone()));
                    }
                    _ => collect(inner, id, out),
                }
            }
        }
        _ => {}
    }
}

/// Looks through what is under an object with the id `id`.
fn find(value: &Value, id: &str, field: &str) -> Option<String> {
    match value {
        Value::Array(all) => all.iter().find_map(|v| find(v, id, field)),
        Value::Object(members) => {
            let own = value.pointer("/qInfo/qId").and_then(Value::as_str);
            let id = own.unwrap_or(id);
            members
                .iter()
                .find_map(|(key, inner)| match (key.as_str(), inner) {
                    ("qDef", Value::String(text)) if names(text, field) => Some(id.to_owned()),
                    ("qFieldDefs" | "qFieldExpressions", Value::Array(all)) => {
                        let texts = all.iter().filter_map(Value::as_str);
                        texts
                            .into_iter()
                            .any(|t| names(t, field))
                            .then(|| id.to_owned())
                    }
                    _ => find(inner, id, field),
                })
        }
        _ => None,
    }
}

/// Whether an expression names the field, in brackets, quotes or bare.
fn names(expression: &str, field: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || "_.#%@$".contains(c);
    expression.match_indices(field).any(|(at, _)| {
        let before = expression[..at].chars().next_back();
        let after = expression[at + field.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_field_is_named_as_a_whole() {
        for good in ["Sum(Margin)", "[Margin]", "=\"Margin\" * 2", "Margin"] {
            assert!(names(good, "Margin"), "{good}");
        }
        for other in ["Sum(Margins)", "[NetMargin]", "x.Margin"] {
            assert!(!names(other, "Margin"), "{other}");
        }
    }
}
