//! Matching a whole text against a pattern with wildcards.

/// Whether the whole of `text` matches `pattern`, in which `any` stands for any number of
/// letters and `one`, where there is one, for a single letter. Letters match as `same` says.
///
/// Greedy matching that goes back to the last `any` only: time is at most text × pattern.
pub fn matches_wildcard<T: Copy + PartialEq>(
    text: &[T],
    pattern: &[T],
    any: T,
    one: Option<T>,
    same: impl Fn(T, T) -> bool,
) -> bool {
    matches_wildcard_while(text, pattern, (any, one), same, |_| true)
}

/// As [`matches_wildcard`] with `any` and `one`, for as long as `goes_on` says so, which is told
/// of comparisons as they are made; false when it ended that.
pub fn matches_wildcard_while<T: Copy + PartialEq>(
    text: &[T],
    pattern: &[T],
    (any, one): (T, Option<T>),
    same: impl Fn(T, T) -> bool,
    goes_on: impl Fn(u64) -> bool,
) -> bool {
    /// Comparisons between two questions: less than a millisecond.
    const BOOKED: u64 = 1 << 16;
    let (mut t, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut n_made = 0u64;
    while t < text.len() {
        n_made += 1;
        if n_made.is_multiple_of(BOOKED) && !goes_on(BOOKED) {
            return false;
        }
        if p < pattern.len() && pattern[p] == any {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (Some(pattern[p]) == one || same(pattern[p], text[t])) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == any)
}
