//! The areas of a CAP message as one GeoJSON geometry, or a point with its radius. Knows polygons and circles only.
//!
//! CAP writes latitude first and radii in kilometres; several areas mean their union.

use geo::{Destination as _, Haversine, Point};
use serde_json::{Value, json};
use transit::Coordinate;

use super::xml::Element;
use crate::{
    ProblemCode,
    fields::{Notes, clean},
    formats::native::geometry,
};

/// Corners of the polygon that stands for a circle beside other shapes.
const CIRCLE_CORNERS: u32 = 36;
/// No circle reaches further, in kilometres: half the earth's circumference.
const RADIUS_KM_MAX: f64 = 20_000.0;
/// Area descriptions kept.
const AREAS_MAX: usize = 1_000;
const AREA_CHARS: usize = 500;

/// Where a message applies.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) lat: Option<f64>,
    pub(super) lon: Option<f64>,
    pub(super) radius_m: Option<f64>,
    pub(super) geometry: Option<String>,
    /// Descriptions with their codes.
    pub(super) areas: Vec<String>,
}

/// A circle as said: centre and radius in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Circle {
    centre: Coordinate,
    radius_m: f64,
}

/// The union of the areas. An area that cannot be used is noted as lost; when shapes were given and none of them can
/// be used, there is no place to tell anybody of, and the answer is `None`.
pub(super) fn place(areas: &[&Element], notes: &mut Notes) -> Option<Place> {
    let (mut rings, mut circles, mut given) = (Vec::new(), Vec::new(), 0_usize);
    let mut place = Place::default();
    for area in areas.iter().take(AREAS_MAX) {
        let named = described(area);
        if !named.is_empty() && !place.areas.contains(&named) {
            place.areas.push(named);
        }
        for (name, shape) in
            area.all("polygon").map(|e| ("polygon", e)).chain(area.all("circle").map(|e| ("circle", e)))
        {
            given += 1;
            let lost = match name {
                "polygon" => ring(&shape.text).map(|ring| keep(&mut rings, ring)),
                _ => circle(&shape.text).map(|circle| keep(&mut circles, circle)),
            };
            if let Err(why) = lost {
                notes.reject(ProblemCode::BadField, Some(&format!("area.{name}")), why);
            }
        }
    }
    if given > 0 && rings.is_empty() && circles.is_empty() {
        return None;
    }
    match (rings.as_slice(), circles.as_slice()) {
        ([], []) => {}
        ([], [circle]) => {
            (place.lat, place.lon) = (Some(circle.centre.lat()), Some(circle.centre.lon()));
            // A radius of nothing is how a source says that it knows none.
            place.radius_m = Some(circle.radius_m).filter(|metres| *metres > 0.0);
        }
        _ => {
            rings.extend(circles.iter().map(|circle| circle.ring()));
            place.geometry = geometry::check(&union(rings))
                .map_err(|why| notes.reject(ProblemCode::BadField, Some("area"), why))
                .ok();
            place.geometry.as_ref()?;
        }
    }
    Some(place)
}

/// One shape once, however often it is said: messages in several languages repeat their areas.
fn keep<T: PartialEq>(kept: &mut Vec<T>, new: T) {
    if !kept.contains(&new) {
        kept.push(new);
    }
}

fn union(mut rings: Vec<Vec<[f64; 2]>>) -> Value {
    if rings.len() == 1 {
        return json!({"type": "Polygon", "coordinates": [rings.remove(0)]});
    }
    let polygons: Vec<[Vec<[f64; 2]>; 1]> = rings.into_iter().map(|ring| [ring]).collect();
    json!({"type": "MultiPolygon", "coordinates": polygons})
}

/// An area's description with its codes: `Lewis and Clark (FIPS6 030049, UGC MTZ014)`.
fn described(area: &Element) -> String {
    let description = area.text_of("areaDesc").unwrap_or_default();
    let codes: Vec<String> = area
        .all("geocode")
        .filter_map(|code| Some(format!("{} {}", code.text_of("valueName")?, code.text_of("value")?)))
        .collect();
    let text = match (description, codes.as_slice()) {
        (text, []) => text.to_owned(),
        ("", codes) => codes.join(", "),
        (text, codes) => format!("{text} ({})", codes.join(", ")),
    };
    clean(&text, AREA_CHARS)
}

/// `lat,lon lat,lon ..`, closed, at least four pairs; as GeoJSON positions.
fn ring(text: &str) -> Result<Vec<[f64; 2]>, String> {
    let ring = text.split_whitespace().map(pair).collect::<Result<Vec<Coordinate>, String>>()?;
    if ring.len() < 4 {
        return Err(format!("has {} pairs; a polygon needs at least four, the last like the first", ring.len()));
    }
    if ring.first() != ring.last() {
        return Err("is not closed: write the first pair again at the end".to_owned());
    }
    Ok(ring.into_iter().map(|at| [at.lon(), at.lat()]).collect())
}

/// `lat,lon radius`, the radius in kilometres.
fn circle(text: &str) -> Result<Circle, String> {
    let shown = clean(text, 64);
    let mut parts = text.split_whitespace();
    let (Some(centre), Some(radius), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format!("{shown:?} is not written like 37.56,126.97 2.5, the radius in kilometres"));
    };
    let km: f64 = radius
        .parse()
        .ok()
        .filter(|km| (0.0..=RADIUS_KM_MAX).contains(km))
        .ok_or_else(|| format!("{shown:?} has no radius within 0 to {RADIUS_KM_MAX} kilometres"))?;
    Ok(Circle { centre: pair(centre)?, radius_m: km * 1000.0 })
}

fn pair(text: &str) -> Result<Coordinate, String> {
    let shown = || clean(text, 64);
    let numbers = text.split_once(',').and_then(|(lat, lon)| Some((lat.parse().ok()?, lon.parse().ok()?)));
    let (lat, lon): (f64, f64) = numbers.ok_or_else(|| format!("{:?} is no pair like 37.56,126.97", shown()))?;
    Coordinate::parse(lat, lon).map_err(|e| {
        let swapped = Coordinate::parse(lon, lat).is_ok();
        let hint = if swapped { "; CAP writes latitude first" } else { "" };
        format!("{:?} {e}{hint}", shown())
    })
}

impl Circle {
    /// The circle's corners on the sphere, closed.
    fn ring(self) -> Vec<[f64; 2]> {
        let centre = Point::new(self.centre.lon(), self.centre.lat());
        let corner = |step: u32| {
            let bearing = f64::from(step % CIRCLE_CORNERS) * (360.0 / f64::from(CIRCLE_CORNERS));
            let corner = Haversine.destination(centre, bearing, self.radius_m.max(1.0));
            let round = |degrees: f64| (degrees * 1e6).round() / 1e6;
            [round(corner.x()), round(corner.y())]
        };
        (0..=CIRCLE_CORNERS).map(corner).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polygon_is_turned_to_longitude_first() {
        let [lon, lat] = ring("37.5,127 37.6,127 37.6,127.1 37.5,127").unwrap()[1];
        assert!((lon - 127.0).abs() < 1e-9 && (lat - 37.6).abs() < 1e-9);
    }

    #[test]
    fn broken_shapes_say_how_to_repair_them() {
        for (text, expected) in [
            ("1,2 3,4 1,2", "has 3 pairs; a polygon needs at least four, the last like the first"),
            ("1,2 3,4 5,6 7,8", "is not closed: write the first pair again at the end"),
            ("1,2 3;4 5,6 1,2", "\"3;4\" is no pair like 37.56,126.97"),
        ] {
            assert_eq!(ring(text).unwrap_err(), expected);
        }
        assert!(ring("127,37 127,38 128,38 127,37").unwrap_err().ends_with("CAP writes latitude first"));
        for text in ["1,2", "1,2 x", "1,2 -1", "1,2 3 4", "1,2 NaN", "1,2 inf", ""] {
            assert!(circle(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_circle_is_round_and_closed() {
        let circle = circle("37.5,127 10").unwrap();
        let ring = circle.ring();
        assert_eq!((ring.len(), ring.first()), (37, ring.last()));
        // 10 km are 0.0899 degrees of latitude, and at 37.5 degrees north 0.1134 of longitude.
        assert!((ring[0][1] - 37.5899).abs() < 1e-3 && (ring[9][0] - 127.1134).abs() < 1e-3, "{ring:?}");
    }
}
