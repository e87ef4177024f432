//! The aggregations: their names and shapes.

/// An aggregation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AggKind {
    /// Sum of the numbers; 0 of none.
    Sum,
    /// Number of values that are not NULL; of rows for `Count(*)`.
    Count,
    /// Smallest number, or the nth smallest.
    Min,
    /// Largest number, or the nth largest.
    Max,
    /// Mean of the numbers.
    Avg,
    /// The value, if there is only one.
    Only,
    /// The texts joined.
    Concat,
    /// First text in order.
    MinString,
    /// Last text in order.
    MaxString,
    /// The commonest value, if one is.
    Mode,
    /// Number of NULLs.
    NullCount,
    /// Number of numbers.
    NumericCount,
    /// Number of values that are texts without a number.
    TextCount,
    /// Number of values that are no numbers: texts and NULLs.
    MissingCount,
    /// The middle number.
    Median,
    /// The number below which a share of the numbers lies.
    Fractile,
    /// Sample standard deviation.
    Stdev,
    /// The value with the lowest sort weight.
    FirstSortedValue,
    /// The first value in load order.
    FirstValue,
    /// The last value in load order.
    LastValue,
}

/// Name, kind, fewest and most arguments, and what it does.
pub(crate) const AGGREGATIONS: &[(&str, AggKind, usize, usize, &str)] = &[
    (
        "Sum",
        AggKind::Sum,
        1,
        1,
        "Sum of the numbers; 0 if there are none.",
    ),
    (
        "Count",
        AggKind::Count,
        1,
        1,
        "Number of values; `Count(*)` of rows.",
    ),
    (
        "Min",
        AggKind::Min,
        1,
        2,
        "Smallest number, or the nth smallest.",
    ),
    (
        "Max",
        AggKind::Max,
        1,
        2,
        "Largest number, or the nth largest.",
    ),
    ("Avg", AggKind::Avg, 1, 1, "Mean of the numbers."),
    (
        "Only",
        AggKind::Only,
        1,
        1,
        "The value, if there is only one.",
    ),
    (
        "Concat",
        AggKind::Concat,
        1,
        3,
        "The texts joined by a delimiter, ordered by a weight.",
    ),
    (
        "MinString",
        AggKind::MinString,
        1,
        1,
        "First text in order.",
    ),
    ("MaxString", AggKind::MaxString, 1, 1, "Last text in order."),
    (
        "Mode",
        AggKind::Mode,
        1,
        1,
        "The commonest value; NULL if several are.",
    ),
    ("NullCount", AggKind::NullCount, 1, 1, "Number of NULLs."),
    (
        "NumericCount",
        AggKind::NumericCount,
        1,
        1,
        "Number of numbers.",
    ),
    (
        "TextCount",
        AggKind::TextCount,
        1,
        1,
        "Number of texts without a number.",
    ),
    (
        "MissingCount",
        AggKind::MissingCount,
        1,
        1,
        "Number of values that are no numbers.",
    ),
    ("Median", AggKind::Median, 1, 1, "The middle number."),
    (
        "Fractile",
        AggKind::Fractile,
        2,
        2,
        "The number below which a share of the numbers lies.",
    ),
    ("Stdev", AggKind::Stdev, 1, 1, "Sample standard deviation."),
    (
        "FirstSortedValue",
        AggKind::FirstSortedValue,
        2,
        3,
        "The value with the lowest (or nth lowest) weight; NULL if several values share it.",
    ),
    (
        "FirstValue",
        AggKind::FirstValue,
        1,
        1,
        "The first value in load order.",
    ),
    (
        "LastValue",
        AggKind::LastValue,
        1,
        1,
        "The last value in load order.",
    ),
];

impl AggKind {
    /// The kind with this name (without regard to case), with its fewest and most arguments.
    pub(crate) fn by_name(name: &str) -> Option<(Self, usize, usize)> {
        AGGREGATIONS
            .iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(name))
            .map(|(_, kind, least, most, _)| (*kind, *least, *most))
    }

    /// The documented name.
    pub fn name(self) -> &'static str {
        AGGREGATIONS
            .iter()
            .find(|(_, kind, ..)| *kind == self)
            .map_or("", |(name, ..)| name)
    }
}
