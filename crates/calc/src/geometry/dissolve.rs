//! Areas to one area: the borders that two of them share go away.
//!
//! A border is shared if both areas have the same two points one after the other, as areas
//! drawn from one map do. Where borders only nearly meet, both stay.

use rustc_hash::FxHashMap;

use super::{Point, Polygon, Ring, signed_area};

/// The bits of a point, with one zero.
type Key = [u64; 2];

fn key([x, y]: Point) -> Key {
    [(x + 0.0).to_bits(), (y + 0.0).to_bits()]
}

/// The areas without the borders they share, outlines against the clock and holes with it.
pub(super) fn dissolve(polygons: &[Polygon]) -> Vec<Polygon> {
    // Edges in order, each taken away again if another area has it the other way round.
    let mut edges: Vec<Option<(Point, Point)>> = Vec::new();
    let mut at: FxHashMap<(Key, Key), Vec<usize>> = FxHashMap::default();
    for polygon in polygons {
        for (i, ring) in polygon.iter().enumerate() {
            let mut ring = ring.clone();
            if (signed_area(&ring) < 0.0) == (i == 0) {
                ring.reverse();
            }
            for pair in ring.windows(2) {
                let (a, b) = (key(pair[0]), key(pair[1]));
                if a == b {
                    continue;
                }
                let back = at.get_mut(&(b, a)).and_then(Vec::pop);
                if let Some(back) = back {
                    edges[back] = None;
                } else {
                    at.entry((a, b)).or_default().push(edges.len());
                    edges.push(Some((pair[0], pair[1])));
                }
            }
        }
    }
    let rings = rings(&mut edges);
    let (mut outlines, holes): (Vec<Ring>, Vec<Ring>) =
        rings.into_iter().partition(|ring| signed_area(ring) >= 0.0);
    outlines.retain(|ring| ring.len() > 3);
    let mut polygons: Vec<Polygon> = outlines.into_iter().map(|ring| vec![ring]).collect();
    for hole in holes {
        // The smallest outline around it.
        let around = polygons
            .iter()
            .enumerate()
            .filter(|(_, polygon)| contains(&polygon[0], inner_point(&hole)))
            .min_by(|(_, a), (_, b)| signed_area(&a[0]).total_cmp(&signed_area(&b[0])))
            .map(|(i, _)| i);
        if let Some(i) = around {
            polygons[i].push(hole);
        }
    }
    polygons
}

/// The edges put end to end; each is used once.
fn rings(edges: &mut [Option<(Point, Point)>]) -> Vec<Ring> {
    let mut leaving: FxHashMap<Key, Vec<usize>> = FxHashMap::default();
    for (i, edge) in edges.iter().enumerate().rev() {
        if let Some((from, _)) = edge {
            leaving.entry(key(*from)).or_default().push(i);
        }
    }
    let mut rings = Vec::new();
    for start in 0..edges.len() {
        let Some((first, second)) = edges[start].take() else {
            continue;
        };
        let mut ring = vec![first, second];
        let mut end = second;
        while key(end) != key(first) {
            let next = leaving.get_mut(&key(end)).and_then(|ways| {
                // Ways that were taken already are still listed.
                while let Some(i) = ways.pop() {
                    if let Some((_, to)) = edges[i].take() {
                        return Some(to);
                    }
                }
                None
            });
            let Some(to) = next else {
                break;
            };
            ring.push(to);
            end = to;
        }
        if key(end) == key(first) && ring.len() > 3 {
            rings.push(ring);
        }
    }
    rings
}

/// A point just inside the first edge of a hole.
fn inner_point(ring: &[Point]) -> Point {
    match ring {
        [a, b, ..] => [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0],
        _ => [f64::NAN; 2],
    }
}

/// Whether a point lies within a ring, by how many edges a ray from it crosses.
fn contains(ring: &[Point], [x, y]: Point) -> bool {
    let crosses = |a: &Point, b: &Point| {
        (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]
    };
    ring.windows(2)
        .filter(|pair| crosses(&pair[0], &pair[1]))
        .count()
        % 2
        == 1
}
