//! Finding an app by what people call it.

use crate::DeviceError;

/// The app of that id; else the one of that title; else the only one whose title begins so.
/// Titles compare without regard to case.
///
/// # Errors
/// [`DeviceError::Ambiguous`] if several fit equally well.
pub fn find_named<'a, T>(
    apps: &'a [T],
    named: &str,
    id: impl Fn(&T) -> &str,
    title: impl Fn(&T) -> &str,
) -> Result<Option<&'a T>, DeviceError> {
    if let Some(app) = apps.iter().find(|app| id(app) == named) {
        return Ok(Some(app));
    }
    let wanted = named.trim().to_lowercase();
    if wanted.is_empty() {
        return Ok(None);
    }
    let equal = |found: &str| found == wanted;
    let begins = |found: &str| found.starts_with(&wanted);
    for fits in [&equal as &dyn Fn(&str) -> bool, &begins] {
        let fitting = apps.iter().filter(|app| fits(&title(app).to_lowercase()));
        let fitting: Vec<&T> = fitting.collect();
        if fitting.len() > 1 {
            return Err(DeviceError::Ambiguous {
                name: named.to_owned(),
                ids: fitting.iter().map(|app| id(app).to_owned()).collect(),
            });
        }
        if let [only] = fitting[..] {
            return Ok(Some(only));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(named: &str) -> Result<Option<&'static str>, DeviceError> {
        const APPS: [(&str, &str); 5] = [
            ("id-1", "Sales"),
            ("id-2", "Sales of 2024"),
            ("id-3", "Flights from New York"),
            ("id-4", "Twice"),
            ("id-5", "twice"),
        ];
        find_named(&APPS, named, |app| app.0, |app| app.1).map(|app| app.map(|app| app.0))
    }

    #[test]
    fn ids_then_titles_then_beginnings() {
        assert_eq!(find("id-3").ok(), Some(Some("id-3")));
        assert_eq!(find("sales").ok(), Some(Some("id-1")));
        assert_eq!(find("SALES OF").ok(), Some(Some("id-2")));
        assert_eq!(find("flights").ok(), Some(Some("id-3")));
        assert_eq!(find("york").ok(), Some(None));
        assert_eq!(find(" ").ok(), Some(None));
        for (ambiguous, ids) in [("sal", "id-1, id-2"), ("Twice", "id-4, id-5")] {
            let error = find(ambiguous).expect_err("two fit");
            assert_eq!(error.code(), "app.ambiguous");
            assert!(error.to_string().ends_with(ids), "{error}");
        }
    }
}
