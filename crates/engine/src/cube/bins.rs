//! Overviews of many rows: points of a scatter counted in the cells of a grid, and rows along
//! a continuous axis thinned to those that shape its line.
//!
//! The grid is a quadtree over the extent of the first two measures in the whole cube, so a
//! cell keeps its place and number while somebody looks closer. Rules: the public reference of
//! the API, `GetHyperCubeBinnedData` and `GetHyperCubeContinuousData`.

use std::collections::BTreeMap;

use satchel_base::{Budget, Stop};
use satchel_data::Value;

use super::{Cell, Cube};

/// The finest grid: 2^20 cells a side, the most the API's reference allows.
pub const MAX_LEVEL: u32 = 20;

/// A part of the plane of the first two measures, borders included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Smallest value of the first measure.
    pub left: f64,
    /// Largest value of the first measure.
    pub right: f64,
    /// Smallest value of the second measure.
    pub bottom: f64,
    /// Largest value of the second measure.
    pub top: f64,
}

impl Area {
    fn contains(&self, x: f64, y: f64) -> bool {
        self.left <= x && x <= self.right && self.bottom <= y && y <= self.top
    }
}

/// A cell of the grid with points in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Its number in the quadtree: levels count from the root, cells of a level in Z order.
    pub number: i64,
    /// How many of the asked rows lie in it; at least one.
    pub count: u64,
    /// Where it lies.
    pub area: Area,
}

/// The rows of an area: in cells if they are many, else one by one.
#[derive(Clone, Debug, PartialEq)]
pub enum Binned {
    /// All of one size, the fullest first.
    Cells(Vec<Bin>),
    /// Row numbers, in the order of the cube.
    Rows(Vec<usize>),
}

/// What to keep of the rows along a continuous axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thinning {
    /// Smallest value of the first dimension.
    pub start: f64,
    /// Largest value of the first dimension.
    pub end: f64,
    /// Into how many stretches the axis is cut; 0 keeps every row.
    pub n_bins: usize,
    /// At most so many values of the second dimension, in its order.
    pub max_lines: usize,
}

/// The extent of a measure; a single value or none has a length of one.
fn extent(min: f64, max: f64) -> (f64, f64) {
    match (min.is_finite() && max.is_finite(), max - min) {
        (true, length) if length > 0.0 && length.is_finite() => (min, length),
        (true, _) => (min, 1.0),
        (false, _) => (0.0, 1.0),
    }
}

fn place(value: f64, (min, length): (f64, f64), n: u64) -> u64 {
    let at = ((value - min) / length * n as f64).floor();
    // Casts saturate: what lies below is in the first cell, what lies above in the last.
    (at as u64).min(n - 1)
}

/// Bits of `x` at even places and of `y` at odd ones.
fn interleave(x: u64, y: u64) -> u64 {
    (0..MAX_LEVEL).fold(0, |z, i| {
        z | (x >> i & 1) << (2 * i) | (y >> i & 1) << (2 * i + 1)
    })
}

/// Undoes [`interleave`].
fn separate(z: u64) -> (u64, u64) {
    (0..MAX_LEVEL).fold((0, 0), |(x, y), i| {
        (x | (z >> (2 * i) & 1) << i, y | (z >> (2 * i + 1) & 1) << i)
    })
}

/// Sorted cells with how often each is there.
fn counted(sorted: &[u64], shift: u32) -> Vec<(u64, u64)> {
    let mut cells: Vec<(u64, u64)> = Vec::new();
    for cell in sorted.iter().map(|c| c >> shift) {
        match cells.last_mut() {
            Some((last, n)) if *last == cell => *n += 1,
            _ => cells.push((cell, 1)),
        }
    }
    cells
}

impl Cube {
    /// The rows whose first two measures lie in `area`: one by one if they are at most
    /// `max_cells`, else counted in a grid of `2^level` cells a side, or of the next coarser
    /// one that has at most `max_cells` cells with points. Rows without two numbers lie nowhere.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn binned(
        &self,
        area: Area,
        level: u32,
        max_cells: usize,
        budget: &Budget,
    ) -> Result<Binned, Stop> {
        let (Some(x_info), Some(y_info)) = (self.measures.first(), self.measures.get(1)) else {
            return Ok(Binned::Rows(Vec::new()));
        };
        budget.charge_rows(self.n_rows as u64)?;
        let number = |measure: usize, row: usize| -> Option<f64> {
            let n = self.values.get(measure)?.get(row)?.as_num()?;
            n.is_finite().then_some(n)
        };
        let point = |row: usize| -> Option<(f64, f64)> {
            let (x, y) = (number(0, row)?, number(1, row)?);
            area.contains(x, y).then_some((x, y))
        };
        let n_points = (0..self.n_rows).filter(|r| point(*r).is_some()).count();
        budget.charge_bytes(24 * n_points as u64)?;
        if n_points <= max_cells {
            return Ok(Binned::Rows(
                (0..self.n_rows).filter(|r| point(*r).is_some()).collect(),
            ));
        }
        let (across, up) = (
            extent(x_info.min, x_info.max),
            extent(y_info.min, y_info.max),
        );
        let mut level = level.min(MAX_LEVEL);
        let finest = level;
        let mut places: Vec<u64> = (0..self.n_rows)
            .filter_map(point)
            .map(|(x, y)| interleave(place(x, across, 1 << finest), place(y, up, 1 << finest)))
            .collect();
        budget.check()?;
        places.sort_unstable();
        let mut cells = counted(&places, 0);
        while cells.len() > max_cells.max(1) && level > 0 {
            budget.check()?;
            level -= 1;
            cells = counted(&places, 2 * (finest - level));
        }
        let side = (1u64 << level) as f64;
        // The levels above this one have a third of (4^level - 1) cells.
        let first = ((1i64 << (2 * level)) - 1) / 3;
        let mut bins: Vec<Bin> = cells
            .into_iter()
            .map(|(cell, count)| {
                let (x, y) = separate(cell);
                let at = |(min, length): (f64, f64), n: u64| min + length * n as f64 / side;
                Bin {
                    number: first + cell as i64,
                    count,
                    area: Area {
                        left: at(across, x),
                        right: at(across, x + 1),
                        bottom: at(up, y),
                        top: at(up, y + 1),
                    },
                }
            })
            .collect();
        bins.sort_by_key(|b| (std::cmp::Reverse(b.count), b.number));
        Ok(Binned::Cells(bins))
    }

    /// The rows along the first dimension's numbers from `start` to `end`, ascending. Of each
    /// line and stretch of the axis the first and last row and those with the smallest and
    /// largest value of each measure are kept: they give the same picture as all of them.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn along_axis(&self, how: &Thinning, budget: &Budget) -> Result<Vec<usize>, Stop> {
        let n_dims = self.dims.len();
        let Some(axis) = self.dims.first() else {
            return Ok(Vec::new());
        };
        budget.charge_rows(self.n_rows as u64)?;
        budget.charge_bytes(64 * self.n_rows as u64)?;
        let mut lines: BTreeMap<u32, Vec<(f64, usize)>> = BTreeMap::new();
        for row in 0..self.n_rows {
            let x = axis
                .dim
                .value(&self.view, self.codes[row * n_dims])
                .as_num();
            let Some(x) = x.filter(|x| how.start <= *x && *x <= how.end) else {
                continue;
            };
            let line = match self.dims.get(1) {
                Some(dim) => dim.ranks[self.codes[row * n_dims + 1] as usize],
                None => 0,
            };
            lines.entry(line).or_default().push((x, row));
        }
        let mut kept: Vec<(f64, usize, usize)> = Vec::new();
        for (at, points) in lines.values_mut().take(how.max_lines.max(1)).enumerate() {
            budget.check()?;
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let rows: Vec<usize> = points.iter().map(|(_, r)| *r).collect();
            let mut keep = vec![how.n_bins == 0; points.len()];
            if how.n_bins > 0 {
                for stretch in self.stretches(points, how) {
                    self.mark(&rows, stretch, &mut keep);
                }
            }
            kept.extend(
                points
                    .iter()
                    .zip(keep)
                    .filter(|(_, k)| *k)
                    .map(|((x, row), _)| (*x, at, *row)),
            );
        }
        kept.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        Ok(kept.into_iter().map(|(_, _, row)| row).collect())
    }

    /// Points that share a stretch of the axis, as ranges of `points`.
    fn stretches(&self, points: &[(f64, usize)], how: &Thinning) -> Vec<std::ops::Range<usize>> {
        let axis = (how.start, (how.end - how.start).max(f64::MIN_POSITIVE));
        let bin = |x: f64| place(x, axis, how.n_bins as u64);
        let mut all = Vec::new();
        let mut from = 0;
        for i in 1..=points.len() {
            if i == points.len() || bin(points[i].0) != bin(points[from].0) {
                all.push(from..i);
                from = i;
            }
        }
        all
    }

    /// Marks what shapes the line in one stretch.
    fn mark(&self, rows: &[usize], stretch: std::ops::Range<usize>, keep: &mut [bool]) {
        keep[stretch.start] = true;
        keep[stretch.end - 1] = true;
        for values in &self.values {
            let numbers = || {
                let of = |i: usize| values.get(rows[i]).and_then(Value::as_num);
                stretch.clone().filter_map(move |i| Some((i, of(i)?)))
            };
            let lowest = numbers().min_by(|a, b| a.1.total_cmp(&b.1));
            let highest = numbers().max_by(|a, b| a.1.total_cmp(&b.1));
            for (i, _) in lowest.into_iter().chain(highest) {
                keep[i] = true;
            }
        }
    }

    /// The cells of some rows; rows that are not there are left out.
    pub fn rows(&self, rows: &[usize]) -> Vec<Vec<Cell>> {
        rows.iter()
            .filter(|row| **row < self.n_rows)
            .map(|row| (0..self.n_columns()).map(|c| self.cell(*row, c)).collect())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_interleaved_and_found_again() {
        for (x, y) in [(0, 0), (1, 0), (0, 1), (5, 9), ((1 << 20) - 1, 1 << 19)] {
            assert_eq!(separate(interleave(x, y)), (x, y));
        }
        assert_eq!(interleave(1, 0), 1);
        assert_eq!(interleave(0, 1), 2);
    }

    #[test]
    fn what_lies_on_the_far_border_is_in_the_last_cell() {
        let axis = extent(0.0, 10.0);
        assert_eq!(place(10.0, axis, 4), 3);
        assert_eq!(place(0.0, axis, 4), 0);
        assert_eq!(place(f64::NAN, axis, 4), 0);
        assert_eq!(extent(f64::NAN, f64::NAN), (0.0, 1.0));
        assert_eq!(extent(3.0, 3.0), (3.0, 1.0));
    }
}
