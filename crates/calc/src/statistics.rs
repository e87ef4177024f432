//! Statistics of lists of numbers and of pairs, shared by aggregations and range functions.
//!
//! Functions that need more numbers than there are give NaN, which becomes NULL.

use std::f64::consts;

/// The sum, in an order that does not change with the values.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.sum()
}

/// The mean; NaN of none.
pub(crate) fn mean(numbers: &[f64]) -> f64 {
    sum(numbers.iter().copied()) / numbers.len() as f64
}

/// The number below which `share` (0 to 1) of the numbers lies, the least and the greatest
/// included; interpolated between neighbours.
pub(crate) fn fractile(mut numbers: Vec<f64>, share: f64) -> f64 {
    if numbers.is_empty() || !(0.0..=1.0).contains(&share) {
        return f64::NAN;
    }
    numbers.sort_by(f64::total_cmp);
    between(&numbers, share * (numbers.len() - 1) as f64)
}

/// As [`fractile`], but the least and the greatest number are within the range, not its ends:
/// shares too near to 0 or 1 for the count have no result.
pub(crate) fn fractile_exclusive(mut numbers: Vec<f64>, share: f64) -> f64 {
    let place = share * (numbers.len() + 1) as f64 - 1.0;
    if numbers.is_empty() || !(0.0..=(numbers.len() - 1) as f64).contains(&place) {
        return f64::NAN;
    }
    numbers.sort_by(f64::total_cmp);
    between(&numbers, place)
}

/// The value at a place between two numbers.
fn between(sorted: &[f64], place: f64) -> f64 {
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * part
}

/// Sample variance; NaN of fewer than two numbers.
pub(crate) fn sample_variance(numbers: &[f64]) -> f64 {
    if numbers.len() < 2 {
        return f64::NAN;
    }
    let mean = mean(numbers);
    sum(numbers.iter().map(|x| (x - mean).powi(2))) / (numbers.len() - 1) as f64
}

/// Sample standard deviation; NaN of fewer than two numbers.
pub(crate) fn sample_stdev(numbers: &[f64]) -> f64 {
    sample_variance(numbers).sqrt()
}

/// Standard error of the mean.
pub(crate) fn standard_error(numbers: &[f64]) -> f64 {
    sample_stdev(numbers) / (numbers.len() as f64).sqrt()
}

/// The sum of the deviations, in standard deviations, to a power.
fn moment(numbers: &[f64], power: i32) -> f64 {
    let (mean, stdev) = (mean(numbers), sample_stdev(numbers));
    sum(numbers.iter().map(|x| ((x - mean) / stdev).powi(power)))
}

/// Skewness of a sample; NaN of fewer than three numbers or equal ones.
pub(crate) fn skewness(numbers: &[f64]) -> f64 {
    if numbers.len() < 3 {
        return f64::NAN;
    }
    let n = numbers.len() as f64;
    n / ((n - 1.0) * (n - 2.0)) * moment(numbers, 3)
}

/// Excess kurtosis of a sample; NaN of fewer than four numbers or equal ones.
pub(crate) fn kurtosis(numbers: &[f64]) -> f64 {
    if numbers.len() < 4 {
        return f64::NAN;
    }
    let n = numbers.len() as f64;
    n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0)) * moment(numbers, 4)
        - 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0))
}

/// Correlation coefficient of pairs.
pub(crate) fn correlation(pairs: &[(f64, f64)]) -> f64 {
    if pairs.len() < 2 {
        return f64::NAN;
    }
    let n = pairs.len() as f64;
    let (mean_a, mean_b) = (
        sum(pairs.iter().map(|p| p.0)) / n,
        sum(pairs.iter().map(|p| p.1)) / n,
    );
    let both = sum(pairs.iter().map(|p| (p.0 - mean_a) * (p.1 - mean_b)));
    let squares_a = sum(pairs.iter().map(|p| (p.0 - mean_a).powi(2)));
    let squares_b = sum(pairs.iter().map(|p| (p.1 - mean_b).powi(2)));
    (both / (squares_a.sqrt() * squares_b.sqrt())).clamp(-1.0, 1.0)
}

/// The line `y = m x + b` that fits pairs of y and x best.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub slope: f64,
    pub intercept: f64,
    /// Degrees of freedom.
    pub freedom: f64,
    /// Sum of squares that the line explains.
    pub explained: f64,
    /// Sum of squares that is left.
    pub residual: f64,
    /// Sum of squared distances of x from where the line is pinned, or from their mean.
    spread: f64,
    /// Where x is pinned: the mean, or the point the line must pass through.
    centre: f64,
    n: f64,
    pinned: bool,
}

impl Line {
    /// The line through pairs of y and x; `through` is a point of y and x it must pass.
    pub fn fit(pairs: &[(f64, f64)], through: Option<(f64, f64)>) -> Option<Self> {
        let n = pairs.len() as f64;
        let (height, centre) = through.unwrap_or((
            sum(pairs.iter().map(|p| p.0)) / n,
            sum(pairs.iter().map(|p| p.1)) / n,
        ));
        if pairs.len() < if through.is_some() { 1 } else { 2 } {
            return None;
        }
        let spread = sum(pairs.iter().map(|p| (p.1 - centre).powi(2)));
        let slope = sum(pairs.iter().map(|p| (p.1 - centre) * (p.0 - height))) / spread;
        let intercept = height - slope * centre;
        Some(Self {
            slope,
            intercept,
            freedom: n - if through.is_some() { 1.0 } else { 2.0 },
            explained: sum(pairs
                .iter()
                .map(|p| (slope * p.1 + intercept - height).powi(2))),
            residual: sum(pairs
                .iter()
                .map(|p| (p.0 - slope * p.1 - intercept).powi(2))),
            spread,
            centre,
            n,
            pinned: through.is_some(),
        })
    }

    /// The share of the squares that the line explains.
    pub fn determination(self) -> f64 {
        self.explained / (self.explained + self.residual)
    }

    /// The F statistic.
    pub fn f_statistic(self) -> f64 {
        self.explained / (self.residual / self.freedom)
    }

    /// Standard error of an estimated y; NaN without degrees of freedom.
    pub fn error_of_y(self) -> f64 {
        (self.residual / self.freedom).sqrt()
    }

    /// Standard error of the slope.
    pub fn error_of_slope(self) -> f64 {
        self.error_of_y() / self.spread.sqrt()
    }

    /// Standard error of the intercept.
    pub fn error_of_intercept(self) -> f64 {
        let constant = if self.pinned { 0.0 } else { 1.0 / self.n };
        self.error_of_y() * (constant + self.centre.powi(2) / self.spread).sqrt()
    }
}

/// The share of a standard normal distribution below `z`.
pub(crate) fn normal_below(z: f64) -> f64 {
    libm::erfc(-z / consts::SQRT_2) / 2.0
}

/// Solves `f(x) = target` for an `f` that rises, or falls, from `low` to `high`, by halving.
/// The ends themselves are results where `target` lies beyond what `f` gives there.
pub(crate) fn bisect(f: impl Fn(f64) -> f64, target: f64, mut low: f64, mut high: f64) -> f64 {
    let rises = f(low) <= f(high);
    // Enough to halve the widest range of floats down to neighbours.
    for _ in 0..2100 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        let value = f(middle);
        if value.is_nan() {
            return f64::NAN;
        }
        if (value < target) == rises {
            low = middle;
        } else {
            high = middle;
        }
        if high - low <= f64::EPSILON * middle.abs() / 4.0 {
            break;
        }
    }
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_a_point_passes_it() {
        let pairs = [(3.0, 1.0), (5.0, 2.0), (8.0, 3.0)];
        let line = Line::fit(&pairs, Some((1.0, 0.0))).unwrap();
        assert!((line.intercept - 1.0).abs() < 1e-12);
        assert!(Line::fit(&pairs[..1], None).is_none());
        assert!(Line::fit(&pairs[..1], Some((0.0, 0.0))).is_some());
    }

    #[test]
    fn halving_finds_the_place() {
        assert!((bisect(|x| x * x, 2.0, 0.0, 2.0) - consts::SQRT_2).abs() < 1e-15);
        assert!((bisect(|x| 1.0 / x, 0.25, 1.0, 100.0) - 4.0).abs() < 1e-12);
    }
}
