//! Fewer points for a ring: those whose loss changes the area least go first (Visvalingam and
//! Whyatt).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Point, Ring};

/// A ring needs three corners and the first again.
const FEWEST: usize = 4;

/// An area with an order; NaN comes last.
#[derive(PartialEq)]
struct Area(f64);

impl Eq for Area {}

impl PartialOrd for Area {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Area {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// The ring with a share of the points that it can do without taken away. Its ends stay.
pub(super) fn reduce(ring: &[Point], share: f64) -> Ring {
    let spare = ring.len().saturating_sub(FEWEST);
    let mut left = (spare as f64 * share.clamp(0.0, 1.0)).round() as usize;
    let mut before: Vec<usize> = (0..ring.len()).map(|i| i.saturating_sub(1)).collect();
    let mut after: Vec<usize> = (1..=ring.len()).collect();
    let mut gone = vec![false; ring.len()];
    let mut least: Vec<f64> = vec![0.0; ring.len()];
    let mut queue = BinaryHeap::new();
    for i in 1..ring.len().saturating_sub(1) {
        least[i] = triangle(ring[i - 1], ring[i], ring[i + 1]);
        queue.push(Reverse((Area(least[i]), i)));
    }
    while left > 0
        && let Some(Reverse((area, i))) = queue.pop()
    {
        // Entries of points whose neighbours changed since are out of date.
        if gone[i] || area.0.to_bits() != least[i].to_bits() {
            continue;
        }
        gone[i] = true;
        left -= 1;
        let (a, b) = (before[i], after[i]);
        (after[a], before[b]) = (b, a);
        for j in [a, b] {
            if j > 0 && j < ring.len() - 1 {
                least[j] = triangle(ring[before[j]], ring[j], ring[after[j]]).max(area.0);
                queue.push(Reverse((Area(least[j]), j)));
            }
        }
    }
    ring.iter()
        .zip(gone)
        .filter(|(_, gone)| !gone)
        .map(|(point, _)| *point)
        .collect()
}

fn triangle(a: Point, b: Point, c: Point) -> f64 {
    ((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])).abs() / 2.0
}
