//! Places on the earth, WGS84.

use geo::{Distance, Haversine, Point};

/// A length or distance in metres.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Metres(pub f64);

/// Why two numbers are no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CoordinateError {
    /// NaN or infinite, after any conversion.
    #[error("is not a finite number")]
    NotFinite,
    /// Latitude outside -90..=90 or longitude outside -180..=180.
    #[error("is outside -90..90 for a latitude or -180..180 for a longitude")]
    OutOfRange,
}

/// A latitude and longitude in degrees that are finite and on the globe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coordinate {
    lat: f64,
    lon: f64,
}

impl Coordinate {
    /// Takes degrees north and degrees east.
    ///
    /// # Errors
    /// See [`CoordinateError`].
    pub fn parse(lat: f64, lon: f64) -> Result<Self, CoordinateError> {
        if !lat.is_finite() || !lon.is_finite() {
            return Err(CoordinateError::NotFinite);
        }
        if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
            return Err(CoordinateError::OutOfRange);
        }
        Ok(Self { lat, lon })
    }

    /// Degrees north, -90..=90.
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// Degrees east, -180..=180.
    pub fn lon(self) -> f64 {
        self.lon
    }

    /// Within a thousandth of a degree (111 m) of 0, 0, where no vehicle of ours drives and broken receivers report.
    pub fn is_null_island(self) -> bool {
        self.lat.abs() < 0.001 && self.lon.abs() < 0.001
    }

    /// Great-circle distance.
    pub fn distance(self, other: Self) -> Metres {
        Metres(Haversine.distance(Point::new(self.lon, self.lat), Point::new(other.lon, other.lat)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_places_on_the_globe_exist() {
        assert!(Coordinate::parse(90.0, -180.0).is_ok());
        assert_eq!(Coordinate::parse(f64::NAN, 0.0), Err(CoordinateError::NotFinite));
        assert_eq!(Coordinate::parse(0.0, f64::INFINITY), Err(CoordinateError::NotFinite));
        assert_eq!(Coordinate::parse(91.0, 0.0), Err(CoordinateError::OutOfRange));
    }

    #[test]
    fn a_hundredth_of_a_degree_north_is_1112_metres() {
        let a = Coordinate::parse(60.0, 25.0).unwrap();
        let b = Coordinate::parse(60.01, 25.0).unwrap();
        assert!((a.distance(b).0 - 1112.0).abs() < 1.0);
    }
}
