//! Trend lines: curves with the least squared distance from a measure's values.

use super::{CellKind, Cube};

/// A line to draw through the values of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrendDef {
    /// Its shape.
    pub kind: TrendKind,
    /// The column along which it runs. Without one, and for a dimension whose numbers are not
    /// asked for, the place of the value counts, from 0.
    pub along: Option<usize>,
    /// Whether the numbers of a dimension count rather than the places of its values.
    pub by_number: bool,
    /// With two dimensions, whether each value of the other one has a line.
    pub lines: TrendLines,
    /// Whether to tell how well it fits.
    pub with_r2: bool,
}

/// The shape of a trend line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrendKind {
    /// `c0`
    Average,
    /// `c0 + c1·x`
    Linear,
    /// `c0 + c1·x + … + cn·xⁿ`, n from 2 to 4.
    Polynomial(usize),
    /// `c0 · e^(c1·x)`
    Exponential,
    /// `c0 · x^c1`
    Power,
    /// `c0 + c1·ln x`
    Logarithmic,
}

/// How many lines two dimensions have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrendLines {
    /// One for each value of the dimension it does not run along.
    Each,
    /// One through the sums over that dimension.
    Sum,
}

/// A trend line.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    /// The element number of the other dimension's value; -1 if there is none.
    pub element: i64,
    /// From c0 on; `None` if there are too few points, or some where it is not defined.
    pub coefficients: Option<Vec<f64>>,
    /// How much of the variance it explains, 0 to 1, if that was asked for.
    pub r2: Option<f64>,
}

impl Cube {
    /// The lines of a definition through the values of a measure.
    pub(super) fn trend(&self, measure: usize, def: &TrendDef) -> Vec<Trend> {
        let n_dims = self.dims.len();
        let along_dim = def.along.filter(|c| *c < n_dims);
        let other = match (n_dims, along_dim) {
            (2, Some(at)) => Some(1 - at),
            (2, None) if def.along.is_none() => Some(1),
            _ => None,
        };
        // By value of the other dimension: points in the order of the rows.
        let mut groups: Vec<(i64, Vec<(f64, f64)>)> = Vec::new();
        let mut places: rustc_hash::FxHashMap<u32, f64> = rustc_hash::FxHashMap::default();
        let mut order: Vec<(u32, u32)> = Vec::new();
        let along = along_dim.or((n_dims > 0 && def.along.is_none()).then_some(0));
        if let Some(at) = along {
            for row in 0..self.n_rows {
                let code = self.codes[row * n_dims + at];
                order.push((self.dims[at].ranks[code as usize], code));
            }
            // A cube of one dimension shows its values in the order of its rows.
            if n_dims > 1 {
                order.sort_unstable();
            }
            for (_, code) in order {
                let next = places.len() as f64;
                places.entry(code).or_insert(next);
            }
        }
        for row in 0..self.n_rows {
            let Some(y) = self.values[measure].get(row).and_then(|v| v.as_num()) else {
                continue;
            };
            let x = match (def.along, along) {
                (Some(column), None) => self
                    .values
                    .get(column - n_dims)
                    .and_then(|v| v.get(row)?.as_num()),
                (_, Some(at)) => {
                    let cell = self.cell(row, at);
                    match (def.by_number, cell.kind) {
                        (true, CellKind::Dimension(_)) => cell.value.as_num(),
                        (true, _) => None,
                        _ => places.get(&self.codes[row * n_dims + at]).copied(),
                    }
                }
                (None, None) => Some(row as f64),
            };
            let Some(x) = x.filter(|x| x.is_finite() && y.is_finite()) else {
                continue;
            };
            let element = match (other, def.lines) {
                (Some(at), TrendLines::Each) => self.cell(row, at).element,
                _ => -1,
            };
            match groups.iter_mut().find(|(e, _)| *e == element) {
                Some((_, points)) => points.push((x, y)),
                None => groups.push((element, vec![(x, y)])),
            }
        }
        if def.lines == TrendLines::Sum && other.is_some() {
            for (_, points) in &mut groups {
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                points.dedup_by(|b, a| {
                    let same = a.0 == b.0;
                    if same {
                        a.1 += b.1;
                    }
                    same
                });
            }
        }
        groups
            .into_iter()
            .map(|(element, points)| {
                let coefficients = fit(def.kind, &points);
                let r2 = coefficients
                    .as_ref()
                    .filter(|_| def.with_r2)
                    .map(|c| explained(def.kind, c, &points));
                Trend {
                    element,
                    coefficients,
                    r2,
                }
            })
            .collect()
    }
}

/// The value of a curve.
fn curve(kind: TrendKind, c: &[f64], x: f64) -> f64 {
    let at = |i: usize| c.get(i).copied().unwrap_or(0.0);
    match kind {
        TrendKind::Average => at(0),
        TrendKind::Linear | TrendKind::Polynomial(_) => {
            c.iter().rev().fold(0.0, |sum, c| sum * x + c)
        }
        TrendKind::Exponential => at(0) * (at(1) * x).exp(),
        TrendKind::Power => at(0) * x.powf(at(1)),
        TrendKind::Logarithmic => at(0) + at(1) * x.ln(),
    }
}

/// How much of the variance of the points a curve explains.
fn explained(kind: TrendKind, c: &[f64], points: &[(f64, f64)]) -> f64 {
    let mean = points.iter().map(|p| p.1).sum::<f64>() / points.len() as f64;
    let total: f64 = points.iter().map(|p| (p.1 - mean).powi(2)).sum();
    let rest: f64 = points
        .iter()
        .map(|p| (p.1 - curve(kind, c, p.0)).powi(2))
        .sum();
    if total == 0.0 {
        return if rest == 0.0 { 1.0 } else { 0.0 };
    }
    (1.0 - rest / total).clamp(0.0, 1.0)
}

/// The coefficients of the curve nearest to the points.
fn fit(kind: TrendKind, points: &[(f64, f64)]) -> Option<Vec<f64>> {
    let logs = |x: bool, y: bool| -> Option<Vec<(f64, f64)>> {
        let log = |on: bool, n: f64| match on {
            false => Some(n),
            true if n > 0.0 => Some(n.ln()),
            true => None,
        };
        points
            .iter()
            .map(|p| Some((log(x, p.0)?, log(y, p.1)?)))
            .collect()
    };
    let grown = |c: Vec<f64>| vec![c[0].exp(), c[1]];
    match kind {
        TrendKind::Average => polynomial(0, points),
        TrendKind::Linear => polynomial(1, points),
        TrendKind::Polynomial(degree) => polynomial(degree.clamp(1, 4), points),
        TrendKind::Logarithmic => polynomial(1, &logs(true, false)?),
        TrendKind::Exponential => polynomial(1, &logs(false, true)?).map(grown),
        TrendKind::Power => polynomial(1, &logs(true, true)?).map(grown),
    }
}

/// Least squares for a polynomial. Numbers are moved and scaled to -1…1 first, so that dates
/// as serial numbers lose no precision, and the coefficients carried back.
fn polynomial(degree: usize, points: &[(f64, f64)]) -> Option<Vec<f64>> {
    let n = degree + 1;
    let mut distinct: Vec<u64> = points.iter().map(|p| p.0.to_bits()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < n {
        return None;
    }
    let low = points.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
    let (middle, half) = (
        (low + high) / 2.0,
        ((high - low) / 2.0).max(f64::MIN_POSITIVE),
    );
    let half = if high > low { half } else { 1.0 };
    let mut matrix = vec![vec![0.0; n + 1]; n];
    for (x, y) in points {
        let t = (x - middle) / half;
        let powers: Vec<f64> = (0..n).map(|i| t.powi(i as i32)).collect();
        for (row, line) in matrix.iter_mut().enumerate() {
            for (column, cell) in line.iter_mut().take(n).enumerate() {
                *cell += powers[row] * powers[column];
            }
            line[n] += powers[row] * y;
        }
    }
    let scaled = solve(matrix)?;
    // Σ s_i ((x - m) / h)^i, multiplied out.
    let mut result = vec![0.0; n];
    let mut power = vec![1.0];
    for s in scaled {
        for (sum, p) in result.iter_mut().zip(&power) {
            *sum += s * p;
        }
        let mut next = vec![0.0; power.len() + 1];
        for (i, p) in power.iter().enumerate() {
            next[i] -= p * middle / half;
            next[i + 1] += p / half;
        }
        power = next;
    }
    result.iter().all(|c| c.is_finite()).then_some(result)
}

/// Solves linear equations, the right side in the last column.
fn solve(mut matrix: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let n = matrix.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|a, b| {
            let size = |r: usize| matrix[r][column].abs();
            size(*a).total_cmp(&size(*b))
        })?;
        matrix.swap(column, pivot);
        if matrix[column][column].abs() < 1e-12 {
            return None;
        }
        let above = matrix[column].clone();
        for (row, line) in matrix.iter_mut().enumerate() {
            if row != column {
                let factor = line[column] / above[column];
                for (cell, a) in line.iter_mut().zip(&above) {
                    *cell -= factor * a;
                }
            }
        }
    }
    Some((0..n).map(|i| matrix[i][n] / matrix[i][i]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: TrendKind, points: &[(f64, f64)], want: &[f64]) {
        let got = fit(kind, points).expect("the points have a curve");
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6 * b.abs().max(1.0);
        assert!(
            got.len() == want.len() && got.iter().zip(want).all(near),
            "{got:?} is not {want:?}"
        );
        assert!((explained(kind, &got, points) - 1.0).abs() < 1e-6 || kind == TrendKind::Average);
    }

    #[test]
    fn curves_are_found_again() {
        let points = |f: &dyn Fn(f64) -> f64| {
            (1..7)
                .map(|x| (f64::from(x), f(f64::from(x))))
                .collect::<Vec<_>>()
        };
        check(TrendKind::Average, &points(&|x| x), &[3.5]);
        check(TrendKind::Linear, &points(&|x| 2.0 + 3.0 * x), &[2.0, 3.0]);
        check(
            TrendKind::Polynomial(2),
            &points(&|x| 1.0 - x + 2.0 * x * x),
            &[1.0, -1.0, 2.0],
        );
        check(
            TrendKind::Polynomial(4),
            &points(&|x| x.powi(4) - 1.0),
            &[-1.0, 0.0, 0.0, 0.0, 1.0],
        );
        check(
            TrendKind::Exponential,
            &points(&|x| 2.0 * (0.5 * x).exp()),
            &[2.0, 0.5],
        );
        check(
            TrendKind::Power,
            &points(&|x| 3.0 * x.powf(1.5)),
            &[3.0, 1.5],
        );
        check(
            TrendKind::Logarithmic,
            &points(&|x| 1.0 + 4.0 * x.ln()),
            &[1.0, 4.0],
        );
        let dates: Vec<(f64, f64)> = (0..9)
            .map(|d| (45_000.0 + f64::from(d), f64::from(d)))
            .collect();
        check(TrendKind::Linear, &dates, &[-45_000.0, 1.0]);
    }

    #[test]
    fn too_few_points_and_impossible_ones_have_no_curve() {
        assert_eq!(fit(TrendKind::Linear, &[(1.0, 2.0)]), None);
        assert_eq!(fit(TrendKind::Linear, &[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(fit(TrendKind::Average, &[]), None);
        assert_eq!(
            fit(TrendKind::Exponential, &[(1.0, 2.0), (2.0, -3.0)]),
            None
        );
        assert_eq!(fit(TrendKind::Power, &[(0.0, 2.0), (2.0, 3.0)]), None);
    }
}
