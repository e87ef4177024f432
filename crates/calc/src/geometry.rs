//! Points, lines and areas in the notation of GeoJSON: `[lon,lat]` and nested lists of such.
//!
//! A geometry is the list of coordinates, or a GeoJSON object that has one. Heights are left
//! out. Areas are taken as plane; nothing is done about the date line and the poles.

mod dissolve;
mod reduce;

use std::fmt::Write as _;

use satchel_data::number_text;

/// The longest text that is read as a geometry: 16 MiB, as for texts that functions make.
const MAX_TEXT: usize = 16 << 20;

/// Metres a radian of longitude in the web Mercator projection.
const EARTH_RADIUS: f64 = 6_378_137.0;

/// Longitude and latitude, or projected coordinates.
pub(crate) type Point = [f64; 2];

/// A ring of points, the last one as the first.
pub(crate) type Ring = Vec<Point>;

/// An area: its outline and its holes.
pub(crate) type Polygon = Vec<Ring>;

/// A geometry as it is nested.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Geometry {
    Point(Point),
    List(Vec<Geometry>),
}

/// How coordinates are projected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Projection {
    /// They stay.
    Unit,
    /// Degrees to metres of the web Mercator projection.
    Mercator,
}

impl Geometry {
    /// Reads a geometry; `None` for other texts.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        let coordinates = match &json {
            serde_json::Value::Object(object) => object.get("coordinates")?,
            other => other,
        };
        Self::of(coordinates)
    }

    fn of(json: &serde_json::Value) -> Option<Self> {
        let list = json.as_array()?;
        if let Some(x) = list.first().and_then(serde_json::Value::as_f64) {
            let y = list.get(1)?.as_f64()?;
            return (x.is_finite() && y.is_finite()).then_some(Self::Point([x, y]));
        }
        let parts: Option<Vec<Self>> = list.iter().map(Self::of).collect();
        parts.filter(|parts| !parts.is_empty()).map(Self::List)
    }

    /// All points in order.
    pub fn points(&self) -> Vec<Point> {
        let mut points = Vec::new();
        self.visit(&mut |point| points.push(*point));
        points
    }

    fn visit(&self, f: &mut impl FnMut(&Point)) {
        match self {
            Self::Point(point) => f(point),
            Self::List(parts) => parts.iter().for_each(|part| part.visit(f)),
        }
    }

    /// The geometry with every point replaced; `None` if one has no place to go.
    pub fn map(&self, f: &impl Fn(Point) -> Point) -> Option<Self> {
        Some(match self {
            Self::Point(point) => {
                let [x, y] = f(*point);
                if !x.is_finite() || !y.is_finite() {
                    return None;
                }
                Self::Point([x, y])
            }
            Self::List(parts) => Self::List(
                parts
                    .iter()
                    .map(|part| part.map(f))
                    .collect::<Option<Vec<_>>>()?,
            ),
        })
    }

    /// The areas: a list of lists of points is one, a list of such lists several.
    pub fn polygons(&self) -> Vec<Polygon> {
        let ring = |part: &Self| match part {
            Self::List(points) => points
                .iter()
                .map(|point| match point {
                    Self::Point(point) => Some(*point),
                    Self::List(_) => None,
                })
                .collect::<Option<Ring>>(),
            Self::Point(_) => None,
        };
        let polygon = |part: &Self| match part {
            Self::List(rings) => rings.iter().map(ring).collect::<Option<Polygon>>(),
            Self::Point(_) => None,
        };
        if let Some(only) = polygon(self) {
            return vec![only];
        }
        match self {
            Self::List(parts) => parts.iter().filter_map(polygon).collect(),
            Self::Point(_) => Vec::new(),
        }
    }

    /// An area, or several, as a geometry.
    pub fn of_polygons(polygons: Vec<Polygon>) -> Option<Self> {
        let ring = |ring: Ring| Self::List(ring.into_iter().map(Self::Point).collect());
        let polygon = |rings: Polygon| Self::List(rings.into_iter().map(ring).collect());
        let mut parts: Vec<Self> = polygons.into_iter().map(polygon).collect();
        match parts.len() {
            0 => None,
            1 => parts.pop(),
            _ => Some(Self::List(parts)),
        }
    }

    /// The middle of the largest area; of a line or of points, their mean.
    pub fn centre(&self) -> Option<Point> {
        let largest = self
            .polygons()
            .into_iter()
            .filter_map(|polygon| {
                let outline = polygon.into_iter().next()?;
                let (area, centre) = centroid(&outline)?;
                Some((area.abs(), centre))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, centre)) = largest {
            return Some(centre);
        }
        let points = self.points();
        let n = points.len() as f64;
        let sum = points
            .iter()
            .fold([0.0, 0.0], |[x, y], [a, b]| [x + a, y + b]);
        Some([sum[0] / n, sum[1] / n]).filter(|c| c[0].is_finite() && c[1].is_finite())
    }

    /// The notation.
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.append(&mut out);
        out
    }

    fn append(&self, out: &mut String) {
        out.push('[');
        match self {
            Self::Point([x, y]) => {
                let _ = write!(out, "{},{}", number_text(*x), number_text(*y));
            }
            Self::List(parts) => {
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    part.append(out);
                }
            }
        }
        out.push(']');
    }
}

/// Several geometries as one: areas side by side, or all points.
pub(crate) fn together(geometries: &[Geometry]) -> Option<Geometry> {
    let polygons: Vec<Polygon> = geometries.iter().flat_map(Geometry::polygons).collect();
    if !polygons.is_empty() {
        return Geometry::of_polygons(polygons);
    }
    let points: Vec<Point> = geometries.iter().flat_map(Geometry::points).collect();
    match points.as_slice() {
        [] => None,
        [point] => Some(Geometry::Point(*point)),
        _ => Some(Geometry::List(
            points.into_iter().map(Geometry::Point).collect(),
        )),
    }
}

/// Several geometries as one, without the borders that areas share.
pub(crate) fn merged(geometries: &[Geometry]) -> Option<Geometry> {
    let polygons: Vec<Polygon> = geometries.iter().flat_map(Geometry::polygons).collect();
    if polygons.is_empty() {
        return together(geometries);
    }
    Geometry::of_polygons(dissolve::dissolve(&polygons))
}

/// Several geometries as one with fewer points: `share` 0 leaves all, 1 as few as can be.
pub(crate) fn reduced(geometries: &[Geometry], share: f64) -> Option<Geometry> {
    let mut polygons: Vec<Polygon> = geometries.iter().flat_map(Geometry::polygons).collect();
    if polygons.is_empty() {
        return together(geometries);
    }
    for ring in polygons.iter_mut().flatten() {
        *ring = reduce::reduce(ring, share);
    }
    Geometry::of_polygons(polygons)
}

/// The smallest box around all points: left, right, top and bottom as a JSON object.
pub(crate) fn bounding_box(geometries: &[Geometry]) -> Option<String> {
    let mut bounds: Option<[f64; 4]> = None;
    for geometry in geometries {
        geometry.visit(&mut |[x, y]| {
            let [left, right, top, bottom] = bounds.unwrap_or([*x, *x, *y, *y]);
            bounds = Some([left.min(*x), right.max(*x), top.max(*y), bottom.min(*y)]);
        });
    }
    let [left, right, top, bottom] = bounds?.map(number_text);
    Some(format!(
        r#"{{"left":{left},"right":{right},"top":{top},"bottom":{bottom}}}"#
    ))
}

impl Projection {
    /// The projection called `name`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "" | "unit" => Some(Self::Unit),
            "mercator" => Some(Self::Mercator),
            _ => None,
        }
    }

    /// Projects a point of degrees.
    pub fn forward(self, [x, y]: Point) -> Point {
        match self {
            Self::Unit => [x, y],
            // The poles lie infinitely far away.
            Self::Mercator if y.abs() >= 90.0 => [x, f64::NAN],
            Self::Mercator => [
                x.to_radians() * EARTH_RADIUS,
                y.to_radians().tan().asinh() * EARTH_RADIUS,
            ],
        }
    }

    /// Undoes [`Projection::forward`].
    pub fn inverse(self, [x, y]: Point) -> Point {
        match self {
            Self::Unit => [x, y],
            Self::Mercator => [
                (x / EARTH_RADIUS).to_degrees(),
                (y / EARTH_RADIUS).sinh().atan().to_degrees(),
            ],
        }
    }
}

/// The area of a ring, positive if it goes against the clock, and its centre.
fn centroid(ring: &[Point]) -> Option<(f64, Point)> {
    let area = signed_area(ring);
    // Sums near the first point lose less.
    let [x0, y0] = *ring.first()?;
    let (mut x, mut y) = (0.0, 0.0);
    for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let (ax, ay, bx, by) = (a[0] - x0, a[1] - y0, b[0] - x0, b[1] - y0);
        let cross = ax * by - bx * ay;
        x += (ax + bx) * cross;
        y += (ay + by) * cross;
    }
    let centre = [x0 + x / (6.0 * area), y0 + y / (6.0 * area)];
    (centre[0].is_finite() && centre[1].is_finite()).then_some((area, centre))
}

/// The area of a ring, positive if it goes against the clock.
fn signed_area(ring: &[Point]) -> f64 {
    let Some([x0, y0]) = ring.first() else {
        return 0.0;
    };
    let terms = ring.iter().zip(ring.iter().cycle().skip(1));
    terms
        .map(|(a, b)| (a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0))
        .sum::<f64>()
        / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(geometries: &[&str], f: impl Fn(&[Geometry]) -> Option<Geometry>, want: &str) {
        let geometries: Vec<Geometry> = geometries
            .iter()
            .map(|text| Geometry::read(text).unwrap())
            .collect();
        assert_eq!(f(&geometries).unwrap().write(), want);
    }

    const LEFT: &str = "[[[0,0],[1,0],[1,1],[0,1],[0,0]]]";
    const RIGHT: &str = "[[[1,0],[2,0],[2,1],[1,1],[1,0]]]";
    const AWAY: &str = "[[[5,0],[6,0],[6,1],[5,0]]]";

    #[test]
    fn neighbours_lose_their_common_border() {
        check(
            &[LEFT, RIGHT],
            merged,
            "[[[0,0],[1,0],[2,0],[2,1],[1,1],[0,1],[0,0]]]",
        );
        check(
            &[LEFT, AWAY],
            merged,
            "[[[[0,0],[1,0],[1,1],[0,1],[0,0]]],[[[5,0],[6,0],[6,1],[5,0]]]]",
        );
        // The other way round, the same.
        check(
            &["[[[0,0],[0,1],[1,1],[1,0],[0,0]]]", RIGHT],
            merged,
            "[[[0,0],[1,0],[2,0],[2,1],[1,1],[0,1],[0,0]]]",
        );
    }

    #[test]
    fn a_ring_of_areas_keeps_its_hole() {
        let squares = [
            (0, 0),
            (1, 0),
            (2, 0),
            (2, 1),
            (2, 2),
            (1, 2),
            (0, 2),
            (0, 1),
        ];
        let texts: Vec<String> = squares
            .iter()
            .map(|(x, y)| {
                let (r, t) = (x + 1, y + 1);
                format!("[[[{x},{y}],[{r},{y}],[{r},{t}],[{x},{t}],[{x},{y}]]]")
            })
            .collect();
        let geometries: Vec<Geometry> = texts.iter().map(|t| Geometry::read(t).unwrap()).collect();
        let polygons = merged(&geometries).unwrap().polygons();
        assert_eq!(polygons.len(), 1);
        assert_eq!(polygons[0].len(), 2);
        assert!((signed_area(&polygons[0][0]) - 9.0).abs() < 1e-12);
        assert!((signed_area(&polygons[0][1]) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn reducing_drops_the_points_that_matter_least() {
        let ring = "[[[0,0],[2,0.01],[4,0],[4,4],[0,4],[0,0]]]";
        check(&[ring], |g| reduced(g, 0.0), ring);
        check(
            &[ring],
            |g| reduced(g, 0.5),
            "[[[0,0],[4,0],[4,4],[0,4],[0,0]]]",
        );
        check(&[AWAY], |g| reduced(g, 1.0), AWAY);
    }

    #[test]
    fn texts_that_are_no_geometries_are_none() {
        for text in [
            "",
            "1",
            "[]",
            "[1]",
            "[[]]",
            "[1,\"a\"]",
            "{}",
            "[[1,2],3]",
            "null",
        ] {
            assert_eq!(Geometry::read(text), None, "{text}");
        }
        assert!(Geometry::read(&"[".repeat(100_000)).is_none());
    }
}
