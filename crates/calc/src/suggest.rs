//! "Did you mean": the nearest of the names a reader may see.

/// The candidate nearest to `name` within a third of its letters, without regard to case.
/// Ties go to one with the same first letter, then to the first in alphabetical order, so that
/// the answer does not depend on the order of input.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let name: Vec<char> = fold(name);
    if name.len() > 64 {
        return None;
    }
    let most = (name.len() / 3).clamp(1, 3);
    candidates
        .filter_map(|candidate| {
            let folded = fold(candidate);
            if folded.len().abs_diff(name.len()) > most {
                return None;
            }
            let distance = edits(&name, &folded);
            let starts_differ = folded.first() != name.first();
            (distance <= most).then_some((distance, starts_differ, candidate))
        })
        .min()
        .map(|(.., candidate)| candidate)
}

fn fold(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Levenshtein distance.
pub(crate) fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
