//! Aggregations of geometries. Texts that are no geometry do not take part.

use satchel_data::Value;

use super::{Aggregation, Rows, whole};
use crate::geometry::{Geometry, bounding_box, merged, reduced};

pub(super) const AGGREGATIONS: &[Aggregation] = &[
    whole(
        "GeoAggrGeometry(geometry)",
        "Areas as one, without the borders they share; of points, all of them.",
        (
            "GeoAggrGeometry(GeoMakePoint(Y, X))",
            "'[[1,3],[2,5],[3,4],[4,8],[6,7]]'",
        ),
        |rows| written(merged(&geometries(rows))),
    ),
    whole(
        "GeoBoundingBox(geometry)",
        "The smallest box around all geometries, with its left, right, top and bottom.",
        (
            "GeoBoundingBox(GeoMakePoint(Y, X))",
            "'{\"left\":1,\"right\":6,\"top\":8,\"bottom\":3}'",
        ),
        |rows| bounding_box(&geometries(rows)).map_or(Value::Null, Value::text),
    ),
    whole(
        "GeoReduceGeometry(geometry [, share])",
        "Areas as one, each with its borders but fewer points: share 0 leaves all, 1 as few as can be.",
        (
            "GeoReduceGeometry(DISTINCT '[[[0,0],[2,0.1],[4,0],[4,4],[0,0]]]', 1)",
            "'[[[0,0],[4,0],[4,4],[0,0]]]'",
        ),
        |rows| written(reduced(&geometries(rows), rows.constant(1).unwrap_or(0.0))),
    ),
];

fn geometries(rows: &Rows<'_>) -> Vec<Geometry> {
    let geometry = |row: &[Value]| Geometry::read(row.first()?.as_text()?.as_ref());
    rows.iter().filter_map(geometry).collect()
}

fn written(geometry: Option<Geometry>) -> Value {
    geometry.map_or(Value::Null, |geometry| Value::text(geometry.write()))
}
