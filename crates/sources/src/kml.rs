//! KML: the placemarks of a document or folder, with their geometry as GeoJSON-like text.
//!
//! `table is 'Document/Folder'` names a folder by its name or by element names; without it all
//! placemarks are rows. Columns: `Name`, `Description`, `Point` (`[lon,lat]`), `Line`
//! (`[[lon,lat],…]`), `Area` (polygons of rings of points), and what `ExtendedData` holds.

use rustc_hash::FxHashMap;
use satchel_script::{HostError, ReadRequest, RowSource};

use crate::delimited::text_of;
use crate::grid::Grid;
use crate::markup::{Element, parse};

/// Opens the file whose content is `bytes`.
pub(crate) fn open(bytes: Vec<u8>, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    let text = text_of(bytes, &request.format)?;
    let root = parse(&text, &request.path)?;
    let table = request.format.table.as_ref().map(|t| t.text.trim());
    let mut rows = Vec::new();
    let mut known = Vec::new();
    collect(&root, "", table, table.is_none(), &mut rows, &mut known);
    if rows.is_empty()
        && let Some(table) = table
        && !known.iter().any(|k| fits(k, table))
    {
        return Err(HostError::new(
            "source.unknown_table",
            format!("`{}` has no folder `{table}`", request.path),
        )
        .with_hint(format!("the folders are {}", known.join(", "))));
    }
    let mut names = Vec::new();
    let mut at = FxHashMap::default();
    let mut grid = Grid::default();
    for fixed in ["Name", "Description", "Point", "Line", "Area"] {
        at.insert(fixed.to_owned(), names.len());
        names.push(fixed.to_owned());
    }
    for (row, placemark) in rows.into_iter().enumerate() {
        grid.reach(row);
        for (name, text) in cells(placemark) {
            let next = names.len();
            let column = *at.entry(name.clone()).or_insert(next);
            if column == next {
                names.push(name);
            }
            if !text.is_empty() {
                grid.put_text(row, column, &text)?;
            }
        }
    }
    Ok(grid.with_names(names, request))
}

/// The placemarks in the folders that `table` names, and the names of all folders.
fn collect<'a>(
    element: &'a Element,
    at: &str,
    table: Option<&str>,
    is_within: bool,
    rows: &mut Vec<&'a Element>,
    known: &mut Vec<String>,
) {
    for child in &element.children {
        match child.name.as_str() {
            "Placemark" if is_within => rows.push(child),
            "Document" | "Folder" => {
                let name = child
                    .child("name")
                    .map_or(child.name.as_str(), |n| n.text.trim());
                let path = match at {
                    "" => name.to_owned(),
                    at => format!("{at}/{name}"),
                };
                known.push(path.clone());
                let within = is_within || table.is_some_and(|table| fits(&path, table));
                collect(child, &path, table, within, rows, known);
            }
            _ => {}
        }
    }
}

/// Whether `table` is the whole path of a folder or its end.
fn fits(path: &str, table: &str) -> bool {
    path == table
        || path
            .strip_suffix(table)
            .is_some_and(|before| before.ends_with('/'))
}

fn cells(placemark: &Element) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for child in &placemark.children {
        match child.name.as_str() {
            "name" => out.push(("Name".to_owned(), child.text.trim().to_owned())),
            "description" => out.push(("Description".to_owned(), child.text.trim().to_owned())),
            "ExtendedData" => extended(child, &mut out),
            _ => {}
        }
    }
    let mut points = Vec::new();
    let mut lines = Vec::new();
    let mut areas = Vec::new();
    geometry(placemark, &mut points, &mut lines, &mut areas);
    let one_or_all = |mut found: Vec<String>| match found.len() {
        0 => String::new(),
        1 => found.remove(0),
        _ => format!("[{}]", found.join(",")),
    };
    out.push(("Point".to_owned(), one_or_all(points)));
    out.push(("Line".to_owned(), one_or_all(lines)));
    if !areas.is_empty() {
        out.push(("Area".to_owned(), format!("[{}]", areas.join(","))));
    }
    out
}

fn extended(data: &Element, out: &mut Vec<(String, String)>) {
    for child in &data.children {
        match child.name.as_str() {
            "SchemaData" => extended(child, out),
            "Data" | "SimpleData" => {
                let Some((_, name)) = child.attributes.iter().find(|(n, _)| n == "name") else {
                    continue;
                };
                let value = child.child("value").unwrap_or(child);
                out.push((name.clone(), value.text.trim().to_owned()));
            }
            _ => {}
        }
    }
}

fn geometry(
    element: &Element,
    points: &mut Vec<String>,
    lines: &mut Vec<String>,
    areas: &mut Vec<String>,
) {
    for child in &element.children {
        let own = || {
            child
                .child("coordinates")
                .map_or_else(Vec::new, |c| coordinates(&c.text))
        };
        match child.name.as_str() {
            "Point" => points.extend(own().into_iter().next()),
            "LineString" | "LinearRing" => lines.push(format!("[{}]", own().join(","))),
            "Polygon" => {
                let rings: Vec<String> = (child.children.iter())
                    .filter(|c| matches!(c.name.as_str(), "outerBoundaryIs" | "innerBoundaryIs"))
                    .flat_map(|boundary| &boundary.children)
                    .filter_map(|ring| ring.child("coordinates"))
                    .map(|c| format!("[{}]", coordinates(&c.text).join(",")))
                    .collect();
                areas.push(format!("[{}]", rings.join(",")));
            }
            "MultiGeometry" => geometry(child, points, lines, areas),
            _ => {}
        }
    }
}

/// `lon,lat[,height]` between blanks, as `[lon,lat]` each; what is no number is left out.
fn coordinates(text: &str) -> Vec<String> {
    (text.split_whitespace())
        .filter_map(|tuple| {
            let mut parts = tuple.split(',');
            let (longitude, latitude) = (parts.next()?.trim(), parts.next()?.trim());
            let is_number = |n: &str| n.parse::<f64>().is_ok_and(f64::is_finite);
            (is_number(longitude) && is_number(latitude))
                .then(|| format!("[{longitude},{latitude}]"))
        })
        .collect()
}
