//! Where in a load script something stands that a finding names by its table.

/// The line, from 1, for a place such as `access table SA, row 3` or `table Sales of the data`.
/// `None` if the script does not say the name as a label, as when it loads in a loop.
pub(crate) fn line_of(script: &str, place: &str) -> Option<usize> {
    if place == "the access section" {
        return sections(script)
            .find(|(_, _, starts)| *starts)
            .map(|(n, ..)| n);
    }
    let (name, in_access) = if let Some(rest) = place.strip_prefix("access table ") {
        (rest.split(", ").next()?, true)
    } else {
        let rest = place.strip_prefix("table ")?;
        (rest.strip_suffix(" of the data")?, false)
    };
    let label = |text: &str| {
        let (label, _) = text.split_once(':')?;
        let label = label.trim().trim_matches(['[', ']', '"']);
        Some(label.to_uppercase() == name.to_uppercase())
    };
    let mut lines = script.lines();
    let labelled = sections(script).find(|(_, inside, _)| {
        let text = lines.next().unwrap_or_default();
        *inside == in_access && label(text) == Some(true)
    });
    // A table without a label is in the access section at any rate.
    let section = || sections(script).find(|(_, _, starts)| *starts);
    labelled
        .or_else(|| if in_access { section() } else { None })
        .map(|(n, ..)| n)
}

/// Each line's number, whether it is in the access section, and whether it begins that.
fn sections(script: &str) -> impl Iterator<Item = (usize, bool, bool)> + '_ {
    let mut inside = false;
    script.lines().enumerate().map(move |(n, line)| {
        let words: Vec<String> = line
            .split([' ', '\t', ';'])
            .filter(|w| !w.is_empty())
            .map(str::to_lowercase)
            .collect();
        let mut starts = false;
        if let [first, second, ..] = &words[..]
            && first == "section"
        {
            starts = second == "access";
            inside = starts;
        }
        (n + 1, inside, starts)
    })
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn a_place_is_found_in_its_section() {
        let script =
            "Users:\nLOAD 1 AS A;\nSection Access;\n[Users]:\nLOAD *;\nsection application;\n";
        assert_eq!(line_of(script, "access table USERS, row 2"), Some(4));
        assert_eq!(line_of(script, "table Users of the data"), Some(1));
        assert_eq!(line_of(script, "the access section"), Some(3));
        assert_eq!(line_of(script, "access table INLINE, row 1"), Some(3));
        assert_eq!(line_of(script, "table Others of the data"), None);
    }
}
