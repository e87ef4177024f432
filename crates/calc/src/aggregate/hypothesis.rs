//! Statistical tests: chi-square, Student's t, z.
//!
//! A value that is no number makes the result NULL. The level of significance is that of one
//! tail, 0.025 if not given, so that the confidence interval is one of 95 %. A weight says how
//! often a value counts.

use rustc_hash::FxHashMap;
use satchel_data::{SymbolKey, Value};

use super::{Aggregation, Rows, whole};
use crate::functions::{chi_above, normal_inverse, t_beyond, t_inverse};
use crate::statistics::normal_below;

/// Significance of one tail where none is given.
const SIGNIFICANCE: f64 = 0.025;

pub(super) const AGGREGATIONS: &[Aggregation] = &[
    whole(
        "Chi2Test_chi2(column, row, actual [, expected])",
        "The chi-square value of a table of counts, against expected ones or independence.",
        ("Chi2Test_chi2(Kind, Half, X)", "0.13675213675214"),
        |rows| chi_square(rows, |chi, _| chi),
    ),
    whole(
        "Chi2Test_df(column, row, actual [, expected])",
        "The degrees of freedom of a table of counts.",
        ("Chi2Test_df(Kind, Half, X)", "1"),
        |rows| chi_square(rows, |_, freedom| freedom),
    ),
    whole(
        "Chi2Test_p(column, row, actual [, expected])",
        "The significance of a table of counts, against expected ones or independence.",
        ("Chi2Test_p(Kind, Half, X)", "0.71153141776112"),
        |rows| chi_square(rows, chi_above),
    ),
    whole(
        "TTest_t(group, value [, equal_variances])",
        "The t value of Student's t test of two groups.",
        ("TTest_t(Kind, X)", "-2.3650683683769"),
        |rows| t_test_of_two(rows, Weight::None, Part::T),
    ),
    whole(
        "TTest_df(group, value [, equal_variances])",
        "The degrees of freedom of Student's t test of two groups.",
        ("TTest_df(Kind, X)", "3"),
        |rows| t_test_of_two(rows, Weight::None, Part::Freedom),
    ),
    whole(
        "TTest_sig(group, value [, equal_variances])",
        "The two-tailed significance of Student's t test of two groups.",
        ("TTest_sig(Kind, X)", "0.098944596954024"),
        |rows| t_test_of_two(rows, Weight::None, Part::Significance),
    ),
    whole(
        "TTest_dif(group, value [, equal_variances])",
        "The difference of the means of Student's t test of two groups.",
        ("TTest_dif(Kind, X)", "-2.8333333333333"),
        |rows| t_test_of_two(rows, Weight::None, Part::Difference),
    ),
    whole(
        "TTest_sterr(group, value [, equal_variances])",
        "The standard error of the difference of Student's t test of two groups.",
        ("TTest_sterr(Kind, X)", "1.1979921473804"),
        |rows| t_test_of_two(rows, Weight::None, Part::Error),
    ),
    whole(
        "TTest_conf(group, value [, significance [, equal_variances]])",
        "Half the width of the confidence interval of Student's t test of two groups.",
        ("TTest_conf(Kind, X)", "3.8125456831898"),
        |rows| t_test_of_two(rows, Weight::None, Part::Confidence),
    ),
    whole(
        "TTest_lower(group, value [, significance [, equal_variances]])",
        "The lower end of the confidence interval of Student's t test of two groups.",
        ("TTest_lower(Kind, X)", "-6.6458790165231"),
        |rows| t_test_of_two(rows, Weight::None, Part::Lower),
    ),
    whole(
        "TTest_upper(group, value [, significance [, equal_variances]])",
        "The upper end of the confidence interval of Student's t test of two groups.",
        ("TTest_upper(Kind, X)", "0.97921234985642"),
        |rows| t_test_of_two(rows, Weight::None, Part::Upper),
    ),
    whole(
        "TTestw_t(weight, group, value [, equal_variances])",
        "The t value of Student's t test of two groups of weighted values.",
        ("TTestw_t(W, Kind, X)", "-3.7977726265637"),
        |rows| t_test_of_two(rows, Weight::First, Part::T),
    ),
    whole(
        "TTestw_df(weight, group, value [, equal_variances])",
        "The degrees of freedom of Student's t test of two groups of weighted values.",
        ("TTestw_df(W, Kind, X)", "6"),
        |rows| t_test_of_two(rows, Weight::First, Part::Freedom),
    ),
    whole(
        "TTestw_sig(weight, group, value [, equal_variances])",
        "The two-tailed significance of Student's t test of two groups of weighted values.",
        ("TTestw_sig(W, Kind, X)", "0.0089911987992664"),
        |rows| t_test_of_two(rows, Weight::First, Part::Significance),
    ),
    whole(
        "TTestw_dif(weight, group, value [, equal_variances])",
        "The difference of the means of Student's t test of two groups of weighted values.",
        ("TTestw_dif(W, Kind, X)", "-3.3333333333333"),
        |rows| t_test_of_two(rows, Weight::First, Part::Difference),
    ),
    whole(
        "TTestw_sterr(weight, group, value [, equal_variances])",
        "The standard error of the difference of Student's t test of two groups of weighted values.",
        ("TTestw_sterr(W, Kind, X)", "0.87770745147251"),
        |rows| t_test_of_two(rows, Weight::First, Part::Error),
    ),
    whole(
        "TTestw_conf(weight, group, value [, significance [, equal_variances]])",
        "Half the width of the confidence interval of Student's t test of two groups of weighted values.",
        ("TTestw_conf(W, Kind, X)", "2.1476727648463"),
        |rows| t_test_of_two(rows, Weight::First, Part::Confidence),
    ),
    whole(
        "TTestw_lower(weight, group, value [, significance [, equal_variances]])",
        "The lower end of the confidence interval of Student's t test of two groups of weighted values.",
        ("TTestw_lower(W, Kind, X)", "-5.4810060981797"),
        |rows| t_test_of_two(rows, Weight::First, Part::Lower),
    ),
    whole(
        "TTestw_upper(weight, group, value [, significance [, equal_variances]])",
        "The upper end of the confidence interval of Student's t test of two groups of weighted values.",
        ("TTestw_upper(W, Kind, X)", "-1.185660568487"),
        |rows| t_test_of_two(rows, Weight::First, Part::Upper),
    ),
    whole(
        "TTest1_t(value)",
        "The t value of Student's t test of one series against 0.",
        ("TTest1_t(X)", "3.7199244398022"),
        |rows| t_test(rows, Weight::None, Part::T),
    ),
    whole(
        "TTest1_df(value)",
        "The degrees of freedom of Student's t test of one series against 0.",
        ("TTest1_df(X)", "4"),
        |rows| t_test(rows, Weight::None, Part::Freedom),
    ),
    whole(
        "TTest1_sig(value)",
        "The two-tailed significance of Student's t test of one series against 0.",
        ("TTest1_sig(X)", "0.020475874420911"),
        |rows| t_test(rows, Weight::None, Part::Significance),
    ),
    whole(
        "TTest1_dif(value)",
        "The mean of Student's t test of one series against 0.",
        ("TTest1_dif(X)", "3.2"),
        |rows| t_test(rows, Weight::None, Part::Difference),
    ),
    whole(
        "TTest1_sterr(value)",
        "The standard error of the mean of Student's t test of one series against 0.",
        ("TTest1_sterr(X)", "0.86023252670426"),
        |rows| t_test(rows, Weight::None, Part::Error),
    ),
    whole(
        "TTest1_conf(value [, significance])",
        "Half the width of the confidence interval of Student's t test of one series against 0.",
        ("TTest1_conf(X)", "2.3883883881"),
        |rows| t_test(rows, Weight::None, Part::Confidence),
    ),
    whole(
        "TTest1_lower(value [, significance])",
        "The lower end of the confidence interval of Student's t test of one series against 0.",
        ("TTest1_lower(X)", "0.81161161190002"),
        |rows| t_test(rows, Weight::None, Part::Lower),
    ),
    whole(
        "TTest1_upper(value [, significance])",
        "The upper end of the confidence interval of Student's t test of one series against 0.",
        ("TTest1_upper(X)", "5.5883883881"),
        |rows| t_test(rows, Weight::None, Part::Upper),
    ),
    whole(
        "TTest1w_t(weight, value)",
        "The t value of Student's t test of one weighted series against 0.",
        ("TTest1w_t(W, X)", "5.1667122287038"),
        |rows| t_test(rows, Weight::First, Part::T),
    ),
    whole(
        "TTest1w_df(weight, value)",
        "The degrees of freedom of Student's t test of one weighted series against 0.",
        ("TTest1w_df(W, X)", "7"),
        |rows| t_test(rows, Weight::First, Part::Freedom),
    ),
    whole(
        "TTest1w_sig(weight, value)",
        "The two-tailed significance of Student's t test of one weighted series against 0.",
        ("TTest1w_sig(W, X)", "0.0012997914254368"),
        |rows| t_test(rows, Weight::First, Part::Significance),
    ),
    whole(
        "TTest1w_dif(weight, value)",
        "The mean of Student's t test of one weighted series against 0.",
        ("TTest1w_dif(W, X)", "3.75"),
        |rows| t_test(rows, Weight::First, Part::Difference),
    ),
    whole(
        "TTest1w_sterr(weight, value)",
        "The standard error of the mean of Student's t test of one weighted series against 0.",
        ("TTest1w_sterr(W, X)", "0.72580005117506"),
        |rows| t_test(rows, Weight::First, Part::Error),
    ),
    whole(
        "TTest1w_conf(weight, value [, significance])",
        "Half the width of the confidence interval of Student's t test of one weighted series against 0.",
        ("TTest1w_conf(W, X)", "1.7162444028158"),
        |rows| t_test(rows, Weight::First, Part::Confidence),
    ),
    whole(
        "TTest1w_lower(weight, value [, significance])",
        "The lower end of the confidence interval of Student's t test of one weighted series against 0.",
        ("TTest1w_lower(W, X)", "2.0337555971842"),
        |rows| t_test(rows, Weight::First, Part::Lower),
    ),
    whole(
        "TTest1w_upper(weight, value [, significance])",
        "The upper end of the confidence interval of Student's t test of one weighted series against 0.",
        ("TTest1w_upper(W, X)", "5.4662444028158"),
        |rows| t_test(rows, Weight::First, Part::Upper),
    ),
    whole(
        "ZTest_z(value [, sigma])",
        "The z value of a z test of one series against 0.",
        ("ZTest_z(X)", "3.7199244398022"),
        |rows| z_test(rows, Weight::None, Part::T),
    ),
    whole(
        "ZTest_sig(value [, sigma])",
        "The two-tailed significance of a z test of one series against 0.",
        ("ZTest_sig(X)", "0.00019928238859477"),
        |rows| z_test(rows, Weight::None, Part::Significance),
    ),
    whole(
        "ZTest_dif(value [, sigma])",
        "The mean of a z test of one series against 0.",
        ("ZTest_dif(X)", "3.2"),
        |rows| z_test(rows, Weight::None, Part::Difference),
    ),
    whole(
        "ZTest_sterr(value [, sigma])",
        "The standard error of the mean of a z test of one series against 0.",
        ("ZTest_sterr(X)", "0.86023252670426"),
        |rows| z_test(rows, Weight::None, Part::Error),
    ),
    whole(
        "ZTest_conf(value [, sigma [, significance]])",
        "Half the width of the confidence interval of a z test of one series against 0.",
        ("ZTest_conf(X)", "1.6860247706702"),
        |rows| z_test(rows, Weight::None, Part::Confidence),
    ),
    whole(
        "ZTest_lower(value [, sigma [, significance]])",
        "The lower end of the confidence interval of a z test of one series against 0.",
        ("ZTest_lower(X)", "1.5139752293298"),
        |rows| z_test(rows, Weight::None, Part::Lower),
    ),
    whole(
        "ZTest_upper(value [, sigma [, significance]])",
        "The upper end of the confidence interval of a z test of one series against 0.",
        ("ZTest_upper(X)", "4.8860247706702"),
        |rows| z_test(rows, Weight::None, Part::Upper),
    ),
    whole(
        "ZTestw_z(weight, value [, sigma])",
        "The z value of a z test of one weighted series against 0.",
        ("ZTestw_z(W, X)", "5.1667122287038"),
        |rows| z_test(rows, Weight::First, Part::T),
    ),
    whole(
        "ZTestw_sig(weight, value [, sigma])",
        "The two-tailed significance of a z test of one weighted series against 0.",
        ("ZTestw_sig(W, X)", "2.3824764796548e-07"),
        |rows| z_test(rows, Weight::First, Part::Significance),
    ),
    whole(
        "ZTestw_dif(weight, value [, sigma])",
        "The mean of a z test of one weighted series against 0.",
        ("ZTestw_dif(W, X)", "3.75"),
        |rows| z_test(rows, Weight::First, Part::Difference),
    ),
    whole(
        "ZTestw_sterr(weight, value [, sigma])",
        "The standard error of the mean of a z test of one weighted series against 0.",
        ("ZTestw_sterr(W, X)", "0.72580005117506"),
        |rows| z_test(rows, Weight::First, Part::Error),
    ),
    whole(
        "ZTestw_conf(weight, value [, sigma [, significance]])",
        "Half the width of the confidence interval of a z test of one weighted series against 0.",
        ("ZTestw_conf(W, X)", "1.4225419602804"),
        |rows| z_test(rows, Weight::First, Part::Confidence),
    ),
    whole(
        "ZTestw_lower(weight, value [, sigma [, significance]])",
        "The lower end of the confidence interval of a z test of one weighted series against 0.",
        ("ZTestw_lower(W, X)", "2.3274580397196"),
        |rows| z_test(rows, Weight::First, Part::Lower),
    ),
    whole(
        "ZTestw_upper(weight, value [, sigma [, significance]])",
        "The upper end of the confidence interval of a z test of one weighted series against 0.",
        ("ZTestw_upper(W, X)", "5.1725419602804"),
        |rows| z_test(rows, Weight::First, Part::Upper),
    ),
];

/// Which number of a test is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    T,
    Freedom,
    Significance,
    Difference,
    Error,
    Confidence,
    Lower,
    Upper,
}

impl Part {
    /// Whether the part takes a level of significance.
    fn is_interval(self) -> bool {
        matches!(self, Self::Confidence | Self::Lower | Self::Upper)
    }
}

/// Whether the first argument says how often a value counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    None,
    First,
}

/// Count, mean and sample variance of weighted values.
struct Sample {
    n: f64,
    mean: f64,
    variance: f64,
}

impl Sample {
    /// Of `(weight, value)`; `None` for weights below zero.
    fn of(values: &[(f64, f64)]) -> Option<Self> {
        if values.iter().any(|(weight, _)| *weight < 0.0) {
            return None;
        }
        let n: f64 = values.iter().map(|(weight, _)| weight).sum();
        let mean = values
            .iter()
            .map(|(weight, value)| weight * value)
            .sum::<f64>()
            / n;
        let squares: f64 = values
            .iter()
            .map(|(weight, value)| weight * (value - mean).powi(2))
            .sum();
        Some(Self {
            n,
            mean,
            variance: squares / (n - 1.0),
        })
    }
}

/// The weight and the value of a row, if both are numbers.
fn weighted(row: &[Value], weight: Weight, value: usize) -> Option<(f64, f64)> {
    let weight = match weight {
        Weight::None => 1.0,
        Weight::First => row.first()?.as_num()?,
    };
    Some((weight, row.get(value)?.as_num()?))
}

/// A number of a t test, from the difference, its standard error and the degrees of freedom.
fn part_of_t(part: Part, difference: f64, error: f64, freedom: f64, significance: f64) -> Value {
    let t = difference / error;
    let confidence = || t_inverse(2.0 * significance, freedom) * error;
    Value::num(match part {
        Part::T => t,
        Part::Freedom => freedom,
        Part::Significance => t_beyond(t, freedom),
        Part::Difference => difference,
        Part::Error => error,
        Part::Confidence => confidence(),
        Part::Lower => difference - confidence(),
        Part::Upper => difference + confidence(),
    })
}

fn t_test_of_two(rows: &Rows<'_>, weight: Weight, part: Part) -> Value {
    let at = usize::from(weight == Weight::First);
    let mut groups: Vec<(SymbolKey, Vec<(f64, f64)>)> = Vec::new();
    for row in rows.iter() {
        let (Some(key), Some(value)) = (
            row.get(at).and_then(SymbolKey::of),
            weighted(row, weight, at + 1),
        ) else {
            return Value::Null;
        };
        match groups.iter().position(|(known, _)| *known == key) {
            Some(group) => groups[group].1.push(value),
            None if groups.len() < 2 => groups.push((key, vec![value])),
            None => return Value::Null,
        }
    }
    let samples: Vec<Sample> = groups
        .iter()
        .filter_map(|(_, values)| Sample::of(values))
        .collect();
    let [a, b] = samples.as_slice() else {
        return Value::Null;
    };
    let (significance, equal) = if part.is_interval() {
        (
            rows.constant(at + 2).unwrap_or(SIGNIFICANCE),
            rows.constant(at + 3),
        )
    } else {
        (SIGNIFICANCE, rows.constant(at + 2))
    };
    let (share_a, share_b) = (a.variance / a.n, b.variance / b.n);
    let (error, freedom) = if equal.is_none_or(|equal| equal != 0.0) {
        let freedom = a.n + b.n - 2.0;
        let pooled = ((a.n - 1.0) * a.variance + (b.n - 1.0) * b.variance) / freedom;
        ((pooled * (1.0 / a.n + 1.0 / b.n)).sqrt(), freedom)
    } else {
        let freedom = (share_a + share_b).powi(2)
            / (share_a.powi(2) / (a.n - 1.0) + share_b.powi(2) / (b.n - 1.0));
        ((share_a + share_b).sqrt(), freedom)
    };
    part_of_t(part, a.mean - b.mean, error, freedom, significance)
}

/// The sample of a test of one series.
fn one_sample(rows: &Rows<'_>, weight: Weight) -> Option<Sample> {
    let at = usize::from(weight == Weight::First);
    let values: Option<Vec<_>> = rows.iter().map(|row| weighted(row, weight, at)).collect();
    Sample::of(&values?)
}

fn t_test(rows: &Rows<'_>, weight: Weight, part: Part) -> Value {
    let Some(sample) = one_sample(rows, weight) else {
        return Value::Null;
    };
    let at = usize::from(weight == Weight::First);
    let significance = rows.constant(at + 1).unwrap_or(SIGNIFICANCE);
    let error = (sample.variance / sample.n).sqrt();
    part_of_t(part, sample.mean, error, sample.n - 1.0, significance)
}

fn z_test(rows: &Rows<'_>, weight: Weight, part: Part) -> Value {
    let Some(sample) = one_sample(rows, weight) else {
        return Value::Null;
    };
    let at = usize::from(weight == Weight::First);
    let deviation = rows.constant(at + 1).unwrap_or(sample.variance.sqrt());
    let significance = rows.constant(at + 2).unwrap_or(SIGNIFICANCE);
    let error = deviation / sample.n.sqrt();
    let z = sample.mean / error;
    let confidence = || -normal_inverse(significance) * error;
    Value::num(match part {
        Part::T => z,
        Part::Freedom => f64::NAN,
        Part::Significance => 2.0 * normal_below(-z.abs()),
        Part::Difference => sample.mean,
        Part::Error => error,
        Part::Confidence => confidence(),
        Part::Lower => sample.mean - confidence(),
        Part::Upper => sample.mean + confidence(),
    })
}

/// The chi-square value and degrees of freedom of `(column, row, actual [, expected])`.
fn chi_square(rows: &Rows<'_>, part: fn(f64, f64) -> f64) -> Value {
    let mut columns: FxHashMap<SymbolKey, f64> = FxHashMap::default();
    let mut lines: FxHashMap<SymbolKey, f64> = FxHashMap::default();
    let mut cells: FxHashMap<(SymbolKey, SymbolKey), f64> = FxHashMap::default();
    let mut order = Vec::new();
    let (mut all, mut against_expected, mut expects) = (0.0, 0.0, false);
    for row in rows.iter() {
        let [column, line, actual, expected @ ..] = row else {
            return Value::Null;
        };
        let (Some(column), Some(line), Some(actual)) =
            (SymbolKey::of(column), SymbolKey::of(line), actual.as_num())
        else {
            return Value::Null;
        };
        if let Some(expected) = expected.first() {
            let Some(expected) = expected.as_num() else {
                return Value::Null;
            };
            expects = true;
            against_expected += (actual - expected).powi(2) / expected;
        }
        all += actual;
        *columns.entry(column.clone()).or_default() += actual;
        *lines.entry(line.clone()).or_default() += actual;
        let key = (column, line);
        if !cells.contains_key(&key) {
            order.push(key.clone());
        }
        *cells.entry(key).or_default() += actual;
    }
    let freedom = match (columns.len(), lines.len()) {
        (0, _) | (1, 1) => return Value::Null,
        (1, n) | (n, 1) => n as f64 - 1.0,
        (a, b) => (a as f64 - 1.0) * (b as f64 - 1.0),
    };
    let chi = if expects {
        against_expected
    } else {
        // The sum of squares over expected counts, less what is expected: empty cells add nothing.
        let terms = order.iter().map(|key| {
            let expected = columns[&key.0] * lines[&key.1] / all;
            cells[key].powi(2) / expected
        });
        terms.sum::<f64>() - all
    };
    Value::num(part(chi, freedom))
}
