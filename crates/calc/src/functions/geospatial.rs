//! Functions of one geometry. Coordinates are in the order longitude, latitude.

use satchel_data::{Value, number_text};

use super::{Function, function, num, text};
use crate::geometry::{Geometry, Point, Projection, bounding_box};

/// Applies a projection, or its inverse, to the geometry in the second argument.
macro_rules! projected {
    ($signature:literal, $doc:literal, $example:expr, $way:ident) => {
        function($signature, $doc, $example, |args, _| {
            project(args, |projection, point| projection.$way(point))
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "GeoMakePoint(latitude, longitude)",
        "A point, written as longitude and latitude.",
        ("GeoMakePoint(55.7, 13.19)", "'[13.19,55.7]'"),
        |args, context| match (num(args, 0, context), num(args, 1, context)) {
            (Some(latitude), Some(longitude)) => Value::text(format!(
                "[{},{}]",
                number_text(longitude),
                number_text(latitude)
            )),
            _ => Value::Null,
        },
    ),
    function(
        "GeoCountVertex(geometry)",
        "How many points a geometry has.",
        ("GeoCountVertex('[[[0,0],[4,0],[4,2],[0,0]]]')", "4"),
        |args, _| match geometry(args, 0) {
            Some(geometry) => Value::num(geometry.points().len() as f64),
            None => Value::Null,
        },
    ),
    function(
        "GeoGetBoundingBox(geometry)",
        "The smallest box around a geometry, with its left, right, top and bottom.",
        (
            "GeoGetBoundingBox('[[[0,0],[4,0],[4,2],[0,0]]]')",
            "'{\"left\":0,\"right\":4,\"top\":2,\"bottom\":0}'",
        ),
        |args, _| {
            let geometry = geometry(args, 0);
            let bounds = geometry.and_then(|geometry| bounding_box(&[geometry]));
            bounds.map_or(Value::Null, Value::text)
        },
    ),
    function(
        "GeoGetPolygonCenter(geometry)",
        "The middle of the largest area of a geometry.",
        (
            "GeoGetPolygonCenter('[[[0,0],[4,0],[4,2],[0,2],[0,0]]]')",
            "'[2,1]'",
        ),
        |args, _| {
            let centre = geometry(args, 0).and_then(|geometry| geometry.centre());
            centre.map_or(Value::Null, |centre| {
                Value::text(Geometry::Point(centre).write())
            })
        },
    ),
    projected!(
        "GeoProject(type, geometry)",
        "A geometry projected: type is 'unit', which leaves it, or 'mercator', which gives metres.",
        ("GeoProject('mercator', '[0,45]')", "'[0,5621521.4861921]'"),
        forward
    ),
    projected!(
        "GeoProjectGeometry(type, geometry)",
        "A geometry projected, as `GeoProject`.",
        (
            "GeoProjectGeometry('mercator', '[180,0]')",
            "'[20037508.342789,0]'"
        ),
        forward
    ),
    projected!(
        "GeoInvProjectGeometry(type, geometry)",
        "A projected geometry back in degrees.",
        (
            "GeoInvProjectGeometry('mercator', '[0,5621521.4861920401]')",
            "'[0,45]'"
        ),
        inverse
    ),
];

fn geometry(args: &[Value], i: usize) -> Option<Geometry> {
    Geometry::read(&text(args, i)?)
}

fn project(args: &[Value], way: fn(Projection, Point) -> Point) -> Value {
    let projection = text(args, 0).and_then(|name| Projection::by_name(&name));
    let (Some(projection), Some(geometry)) = (projection, geometry(args, 1)) else {
        return Value::Null;
    };
    let projected = geometry.map(&|point| way(projection, point));
    projected.map_or(Value::Null, |geometry| Value::text(geometry.write()))
}
