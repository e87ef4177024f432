//! The aggregations: their names, shapes and what they give.
//!
//! Each family is a table, from which `docs/functions.md` is made; a test runs every example
//! over the table of rows shown there.

mod financial;
mod geospatial;
mod hypothesis;
mod statistics;

use std::fmt;
use std::hash::{Hash, Hasher};

use satchel_data::Value;

use crate::functions;

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
    /// One that keeps the arguments of all rows and computes at the end.
    Whole(Whole),
}

/// An aggregation that keeps the arguments of all rows, NULLs included.
#[derive(Clone, Copy)]
pub struct Whole {
    /// Identifies it.
    signature: &'static str,
    pub(crate) finish: fn(&Rows<'_>) -> Value,
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(functions::name(self.signature))
    }
}

impl PartialEq for Whole {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl Eq for Whole {}

impl Hash for Whole {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.signature.hash(state);
    }
}

/// The arguments of all rows of a group, in row order.
pub(crate) struct Rows<'a> {
    values: &'a [Value],
    width: usize,
}

impl<'a> Rows<'a> {
    /// Rows of `width` arguments each, one after the other.
    pub fn new(values: &'a [Value], width: usize) -> Self {
        Self {
            values,
            width: width.max(1),
        }
    }

    /// Each row's arguments.
    pub fn iter(&self) -> impl Iterator<Item = &'a [Value]> {
        self.values.chunks_exact(self.width)
    }

    /// The numbers of argument `at`; others are passed over.
    pub fn numbers(&self, at: usize) -> Vec<f64> {
        self.iter()
            .filter_map(|row| row.get(at)?.as_num())
            .collect()
    }

    /// The rows in which arguments `a` and `b` both are numbers.
    pub fn pairs(&self, a: usize, b: usize) -> Vec<(f64, f64)> {
        let pair = |row: &[Value]| Some((row.get(a)?.as_num()?, row.get(b)?.as_num()?));
        self.iter().filter_map(pair).collect()
    }

    /// The number that argument `at` has, the same in every row: the first one found.
    pub fn constant(&self, at: usize) -> Option<f64> {
        self.iter().find_map(|row| row.get(at)?.as_num())
    }
}

/// An aggregation and how it is documented.
#[derive(Debug)]
pub(crate) struct Aggregation {
    pub kind: AggKind,
    /// How it is written; `[…]` may be left out.
    pub signature: &'static str,
    /// What it gives.
    pub doc: &'static str,
    /// A call and its value, over the rows of `docs/functions.md`.
    pub example: (&'static str, &'static str),
}

const fn kind(
    kind: AggKind,
    signature: &'static str,
    doc: &'static str,
    example: (&'static str, &'static str),
) -> Aggregation {
    Aggregation {
        kind,
        signature,
        doc,
        example,
    }
}

const fn whole(
    signature: &'static str,
    doc: &'static str,
    example: (&'static str, &'static str),
    finish: fn(&Rows<'_>) -> Value,
) -> Aggregation {
    kind(
        AggKind::Whole(Whole { signature, finish }),
        signature,
        doc,
        example,
    )
}

const BASIC: &[Aggregation] = &[
    kind(
        AggKind::Sum,
        "Sum(expression)",
        "The sum of the numbers; 0 if there are none.",
        ("Sum(X)", "16"),
    ),
    kind(
        AggKind::Min,
        "Min(expression [, rank])",
        "The smallest number, or the nth smallest.",
        ("Min(X, 2)", "2"),
    ),
    kind(
        AggKind::Max,
        "Max(expression [, rank])",
        "The largest number, or the nth largest.",
        ("Max(X)", "6"),
    ),
    kind(
        AggKind::Avg,
        "Avg(expression)",
        "The mean of the numbers.",
        ("Avg(X)", "3.2"),
    ),
    kind(
        AggKind::Only,
        "Only(expression)",
        "The value, if there is only one.",
        ("Only(Kind)", "NULL"),
    ),
    kind(
        AggKind::Mode,
        "Mode(expression)",
        "The commonest value; NULL if several are.",
        ("Mode(Kind)", "'B'"),
    ),
    kind(
        AggKind::FirstSortedValue,
        "FirstSortedValue(value, sort_weight [, rank])",
        "The value with the lowest, or nth lowest, weight; NULL if several values share it. A negative weight sorts the other way.",
        ("FirstSortedValue(Name, -X)", "'Eve'"),
    ),
    kind(
        AggKind::Count,
        "Count(expression)",
        "How many values are not NULL; `Count(*)` counts rows.",
        ("Count(DISTINCT Kind)", "2"),
    ),
    kind(
        AggKind::NullCount,
        "NullCount(expression)",
        "How many values are NULL.",
        ("NullCount(Payment)", "1"),
    ),
    kind(
        AggKind::NumericCount,
        "NumericCount(expression)",
        "How many values are numbers.",
        ("NumericCount(Payment)", "4"),
    ),
    kind(
        AggKind::TextCount,
        "TextCount(expression)",
        "How many values are texts without a number.",
        ("TextCount(Name)", "5"),
    ),
    kind(
        AggKind::MissingCount,
        "MissingCount(expression)",
        "How many values are no numbers: texts and NULLs.",
        ("MissingCount(Payment)", "1"),
    ),
    kind(
        AggKind::Concat,
        "Concat(text [, delimiter [, sort_weight]])",
        "The texts joined by a delimiter, ordered by a weight, else by value.",
        ("Concat(Name, '-', -X)", "'Eve-Dan-Cid-Bob-Ann'"),
    ),
    kind(
        AggKind::MinString,
        "MinString(expression)",
        "The first text in order.",
        ("MinString(Name)", "'Ann'"),
    ),
    kind(
        AggKind::MaxString,
        "MaxString(expression)",
        "The last text in order.",
        ("MaxString(Name)", "'Eve'"),
    ),
    kind(
        AggKind::FirstValue,
        "FirstValue(expression)",
        "The first value in load order.",
        ("FirstValue(Name)", "'Ann'"),
    ),
    kind(
        AggKind::LastValue,
        "LastValue(expression)",
        "The last value in load order.",
        ("LastValue(Name)", "'Eve'"),
    ),
];

/// Families of aggregations, each with a heading, in the order in which they are documented.
pub(crate) const FAMILIES: &[(&str, &[Aggregation])] = &[
    ("Aggregations", BASIC),
    ("Statistical aggregations", statistics::AGGREGATIONS),
    ("Financial aggregations", financial::AGGREGATIONS),
    ("Statistical tests", hypothesis::AGGREGATIONS),
    ("Geometry aggregations", geospatial::AGGREGATIONS),
];

/// All aggregations.
pub(crate) fn aggregations() -> impl Iterator<Item = &'static Aggregation> {
    FAMILIES.iter().flat_map(|(_, family)| *family)
}

impl AggKind {
    /// The kind with this name (without regard to case), with its fewest and most arguments.
    pub(crate) fn by_name(name: &str) -> Option<(Self, usize, usize)> {
        let known = aggregations()
            .find(|known| functions::name(known.signature).eq_ignore_ascii_case(name))?;
        let (least, most) = functions::counts(known.signature);
        Some((known.kind, least, most))
    }

    /// How many bytes one more row takes, if an aggregation of this kind keeps its rows.
    pub fn bytes_kept(self, args: &[Value]) -> u64 {
        let keeps = matches!(
            self,
            Self::Whole(_)
                | Self::Concat
                | Self::FirstSortedValue
                | Self::Median
                | Self::Fractile
                | Self::Stdev
                | Self::Mode
        );
        if !keeps {
            return 0;
        }
        let bytes = args.iter().map(|value| {
            let text = match value {
                Value::Text(text) | Value::Dual { text, .. } => text.len(),
                Value::Null | Value::Num(_) => 0,
            };
            size_of::<Value>() + text
        });
        bytes.sum::<usize>() as u64
    }

    /// The documented name.
    pub fn name(self) -> &'static str {
        aggregations()
            .find(|known| known.kind == self)
            .map_or("", |known| functions::name(known.signature))
    }
}
