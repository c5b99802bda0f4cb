//! The city's plane in metres, and lines drawn on it. Knows nothing of routes or vehicles.

/// Metres of one degree of latitude, on the mean sphere.
const METRES_PER_DEGREE: f64 = 111_195.0;

/// A place on the city's plane: metres east and north of the centre.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spot {
    /// Metres east.
    pub x: f64,
    /// Metres north.
    pub y: f64,
}

impl Spot {
    /// Distance in metres.
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Moved by metres.
    #[must_use]
    pub fn shifted(self, east_m: f64, north_m: f64) -> Self {
        Self { x: self.x + east_m, y: self.y + north_m }
    }
}

/// Where the plane touches the globe.
#[derive(Debug, Clone, Copy)]
pub struct Plane {
    lat: f64,
    lon: f64,
    lon_scale: f64,
}

impl Plane {
    /// A plane around degrees north and east; meant for latitudes below 80.
    pub fn around(lat: f64, lon: f64) -> Self {
        Self { lat, lon, lon_scale: METRES_PER_DEGREE * lat.to_radians().cos() }
    }

    /// Degrees north and east of a spot, to six decimals (a tenth of a metre).
    pub fn degrees(&self, spot: Spot) -> (f64, f64) {
        let six = |degrees: f64| (degrees * 1e6).round() / 1e6;
        (six(self.lat + spot.y / METRES_PER_DEGREE), six(self.lon + spot.x / self.lon_scale))
    }
}

/// A polyline with its length known at every corner.
#[derive(Debug, Clone)]
pub struct Shape {
    points: Vec<Spot>,
    along_m: Vec<f64>,
}

impl Shape {
    /// Joins at least two points; fewer make a shape of no length.
    pub fn through(points: Vec<Spot>) -> Self {
        let mut length = 0.0;
        let mut along_m = Vec::with_capacity(points.len());
        for (i, point) in points.iter().enumerate() {
            if i > 0 {
                length += point.distance(points[i - 1]);
            }
            along_m.push(length);
        }
        Self { points, along_m }
    }

    /// Metres from end to end.
    pub fn length_m(&self) -> f64 {
        self.along_m.last().copied().unwrap_or(0.0)
    }

    /// The corners.
    pub fn points(&self) -> &[Spot] {
        &self.points
    }

    /// Metres from the start to corner `i`.
    pub fn corner_m(&self, i: usize) -> f64 {
        self.along_m[i]
    }

    /// The spot `along_m` metres from the start and the direction there, degrees clockwise from north in 0..360.
    /// Beyond an end it is the end.
    pub fn at(&self, along_m: f64) -> (Spot, f64) {
        let Some(last) = self.points.len().checked_sub(1).filter(|last| *last > 0) else {
            return (self.points.first().copied().unwrap_or_default(), 0.0);
        };
        let end = self.along_m.partition_point(|m| *m <= along_m).clamp(1, last);
        let (a, b) = (self.points[end - 1], self.points[end]);
        let span = self.along_m[end] - self.along_m[end - 1];
        let share = if span > 0.0 { ((along_m - self.along_m[end - 1]) / span).clamp(0.0, 1.0) } else { 0.0 };
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let bearing = dx.atan2(dy).to_degrees().rem_euclid(360.0);
        (a.shifted(dx * share, dy * share), bearing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_knows_its_places_and_directions() {
        let spot = |x, y| Spot { x, y };
        let shape = Shape::through(vec![spot(0.0, 0.0), spot(0.0, 100.0), spot(50.0, 100.0)]);
        assert!((shape.length_m() - 150.0).abs() < 1e-9);
        assert_eq!(shape.at(40.0), (spot(0.0, 40.0), 0.0));
        assert_eq!(shape.at(120.0), (spot(20.0, 100.0), 90.0));
        assert_eq!(shape.at(999.0).0, spot(50.0, 100.0));
    }

    #[test]
    fn the_plane_is_true_to_the_metre() {
        let plane = Plane::around(37.5665, 126.978);
        let (lat, lon) = plane.degrees(Spot { x: 1000.0, y: 1000.0 });
        let place = |lat, lon| transit::Coordinate::parse(lat, lon).unwrap();
        let metres = place(37.5665, 126.978).distance(place(lat, lon)).0;
        assert!((metres - 1414.2).abs() < 1.5, "{metres}");
    }
}
