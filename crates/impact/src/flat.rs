//! A flat map of a small part of the globe, in metres, on which the library's plane geometry can work.

use geo::{Coord, HaversineMeasure};
use transit::Coordinate;

/// The radius of the sphere of the great-circle distances.
pub(crate) const EARTH_RADIUS_M: f64 = HaversineMeasure::GRS80_MEAN_RADIUS.radius();
/// Metres a degree of latitude.
const M_PER_DEGREE: f64 = EARTH_RADIUS_M * std::f64::consts::PI / 180.0;

/// Brings a difference of longitudes into -180..180.
pub(crate) fn wrapped(degrees: f64) -> f64 {
    (degrees + 180.0).rem_euclid(360.0) - 180.0
}

/// An equirectangular map around a centre: straight lines between coordinates stay straight, as GeoJSON wants its
/// edges. Within 50 km of the centre distances are right to half a percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Flat {
    centre: Coordinate,
    east_scale: f64,
}

impl Flat {
    /// The map around `centre`.
    pub(crate) fn around(centre: Coordinate) -> Self {
        // At the poles there is no east; a millionth keeps the way back finite.
        Self { centre, east_scale: centre.lat().to_radians().cos().max(1e-6) }
    }

    /// East and north of the centre, in metres.
    pub(crate) fn metres(&self, c: Coordinate) -> Coord<f64> {
        Coord {
            x: wrapped(c.lon() - self.centre.lon()) * self.east_scale * M_PER_DEGREE,
            y: (c.lat() - self.centre.lat()) * M_PER_DEGREE,
        }
    }

    /// The place so many metres east and north of the centre, held on the globe.
    pub(crate) fn coordinate(&self, metres: Coord<f64>) -> Coordinate {
        let lat = (self.centre.lat() + metres.y / M_PER_DEGREE).clamp(-90.0, 90.0);
        let lon = wrapped(self.centre.lon() + metres.x / (self.east_scale * M_PER_DEGREE));
        Coordinate::parse(lat, lon).unwrap_or(self.centre)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metres_on_the_map_are_metres_on_the_globe_within_a_city() {
        let seoul = Coordinate::parse(37.5665, 126.978).unwrap();
        let flat = Flat::around(seoul);
        for (x, y) in [(0.0, 0.0), (1_000.0, 0.0), (0.0, -1_000.0), (-12_000.0, 9_000.0), (20_000.0, 20_000.0)] {
            let there = flat.coordinate(Coord { x, y });
            let back = flat.metres(there);
            assert!((back.x - x).abs() < 1e-3 && (back.y - y).abs() < 1e-3, "{back:?}");
            let real = seoul.distance(there).0;
            assert!((real - x.hypot(y)).abs() <= 0.005 * real + 1e-6, "{real} {}", x.hypot(y));
        }
    }

    #[test]
    fn the_date_line_and_the_poles_are_no_edges() {
        let fiji = Flat::around(Coordinate::parse(-17.0, 179.99).unwrap());
        let across = fiji.metres(Coordinate::parse(-17.0, -179.99).unwrap());
        assert!((across.x - 2_127.0).abs() < 3.0, "{across:?}");
        let pole = Flat::around(Coordinate::parse(90.0, 0.0).unwrap());
        assert!(pole.coordinate(Coord { x: 5.0, y: 5.0 }).lat() <= 90.0);
    }
}
