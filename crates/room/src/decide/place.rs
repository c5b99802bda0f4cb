//! Where an incident is that is told as a shape: a place for its alert, and the box around it.

use alert::IncidentReport;
use serde_json::Value;

/// Degrees north and east: where the incident says it is, else the middle of the box around its geometry.
pub(super) fn place_of(report: &IncidentReport) -> Option<(f64, f64)> {
    report.lat.zip(report.lon).or_else(|| middle_of(report.geometry.as_deref()?))
}

/// The box around everything that an incident says of where it is, in degrees. East is never below west and may lie
/// beyond 180 where the box crosses the date line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Degrees north.
    pub south: f64,
    /// Degrees north.
    pub north: f64,
    /// Degrees east.
    pub west: f64,
    /// Degrees east.
    pub east: f64,
}

/// The box around the incident's point and geometry; `None` where it says neither.
pub fn extent_of(report: &IncidentReport) -> Option<Extent> {
    let mut bounds = None;
    if let Some((lat, lon)) = report.lat.zip(report.lon) {
        take_in(lat, lon, &mut bounds);
    }
    if let Some(shape) = report.geometry.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
        stretch(&shape, &mut bounds);
    }
    let Bounds { first_lon, south, north, west, east } = bounds?;
    Some(Extent { south, north, west: first_lon + west, east: first_lon + east })
}

/// The box around some positions. Longitudes count from the first one: a shape across the date line has its middle there.
struct Bounds {
    first_lon: f64,
    south: f64,
    north: f64,
    west: f64,
    east: f64,
}

fn middle_of(geometry: &str) -> Option<(f64, f64)> {
    let mut bounds = None;
    stretch(&serde_json::from_str(geometry).ok()?, &mut bounds);
    let Bounds { first_lon, south, north, west, east } = bounds?;
    Some((f64::midpoint(south, north), wrapped(first_lon + f64::midpoint(west, east))))
}

/// Takes in every position of a geometry, feature or collection. The parser bounds how deep that goes.
fn stretch(value: &Value, bounds: &mut Option<Bounds>) {
    match value {
        Value::Object(fields) => {
            let parts = ["geometry", "geometries", "features", "coordinates"];
            parts.into_iter().filter_map(|name| fields.get(name)).for_each(|part| stretch(part, bounds));
        }
        Value::Array(items) => match (items.first().and_then(Value::as_f64), items.get(1).and_then(Value::as_f64)) {
            (Some(lon), Some(lat)) => take_in(lat, lon, bounds),
            _ => items.iter().for_each(|item| stretch(item, bounds)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn take_in(lat: f64, lon: f64, bounds: &mut Option<Bounds>) {
    if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
        return;
    }
    let known = bounds.get_or_insert(Bounds { first_lon: lon, south: lat, north: lat, west: 0.0, east: 0.0 });
    let east = wrapped(lon - known.first_lon);
    (known.south, known.north) = (known.south.min(lat), known.north.max(lat));
    (known.west, known.east) = (known.west.min(east), known.east.max(east));
}

fn wrapped(degrees: f64) -> f64 {
    (degrees + 180.0).rem_euclid(360.0) - 180.0
}

#[cfg(test)]
mod tests {
    use super::middle_of;

    #[test]
    fn the_middle_of_a_shape_is_that_of_the_box_around_it() {
        let square = r#"{"type":"Polygon","coordinates":[[[24,60],[25,60],[25,61],[24,61],[24,60]]]}"#;
        let feature = format!(r#"{{"type":"Feature","properties":{{"coordinates":[1,1]}},"geometry":{square}}}"#);
        let both = format!(r#"{{"type":"FeatureCollection","features":[{feature},{feature}]}}"#);
        for text in [square, &feature, &both] {
            assert_eq!(middle_of(text), Some((60.5, 24.5)), "{text}");
        }
        let strait = r#"{"type":"LineString","coordinates":[[179,-17],[-179,-17]]}"#;
        assert_eq!(middle_of(strait), Some((-17.0, -180.0)));
    }

    #[test]
    fn what_has_no_positions_has_no_middle() {
        for text in ["", "{", "[]", "{}", r#"{"type":"Point","coordinates":[24,600]}"#, &"[".repeat(100_000)] {
            assert_eq!(middle_of(text), None);
        }
    }
}
