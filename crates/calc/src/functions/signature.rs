//! How functions are written: `Left(text, n)`, `Round(x [, step [, offset]])`.
//!
//! `[…]` may be left out and `…` repeats what stands before it. The number of arguments a call
//! may have is read off the signature, so that hints and checks cannot differ.

use crate::aggregate::aggregations;
use crate::functions::by_name;

/// The name in a signature.
pub(crate) fn name(signature: &'static str) -> &'static str {
    signature
        .split_once('(')
        .map_or(signature, |(name, _)| name)
}

/// Fewest and most arguments a signature allows; `usize::MAX` for any number.
pub(crate) fn counts(signature: &str) -> (usize, usize) {
    let args = signature.split_once('(').map_or("", |(_, args)| args);
    let args = args.strip_suffix(')').unwrap_or(args);
    let (needed, optional) = args.split_once('[').unwrap_or((args, ""));
    let count = |text: &str| {
        let parts = text
            .split(',')
            .map(|part| part.trim_matches([' ', '[', ']']));
        parts.filter(|part| !part.is_empty()).count()
    };
    let least = count(needed);
    if args.contains('…') {
        (least, usize::MAX)
    } else {
        (least, least + count(optional))
    }
}

/// How a function or aggregation is written; case is ignored.
pub(crate) fn signature(called: &str) -> Option<&'static str> {
    by_name(&called.to_lowercase())
        .map(|function| function.signature)
        .or_else(|| {
            aggregations()
                .map(|aggregation| aggregation.signature)
                .find(|signature| name(signature).eq_ignore_ascii_case(called))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_counted() {
        for (signature, want) in [
            ("Pi()", (0, 0)),
            ("Left(text, n)", (2, 2)),
            ("Round(x [, step [, offset]])", (1, 3)),
            ("Now([timer_mode])", (0, 1)),
            ("RangeSum(expression [, …])", (1, usize::MAX)),
        ] {
            assert_eq!(counts(signature), want, "{signature}");
        }
    }
}
