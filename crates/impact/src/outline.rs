//! From GeoJSON to the parts of an area. Everything that is wrong is named with its place in the text and the fix.

use geo::Validation;
use geojson::{FeatureCollection, GeoJson, Geometry, GeometryValue, Position};
use transit::Coordinate;

use crate::{
    area::{AreaError, AreaRemark, checked_radius},
    shape::Part,
};

/// The most positions of one area: every vehicle is measured against each of them.
const POSITIONS_MAX: usize = 20_000;
/// A polygon of more positions is not asked whether it crosses itself: the work grows with their square, sources
/// decide how many there are, and what its outline winds around is taken as inside either way.
const SIMPLE_CHECK_MAX: usize = 500;

/// The parts read so far.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// What it covers.
    pub(crate) parts: Vec<Part>,
    /// What was taken with a remark.
    pub(crate) remarks: Vec<AreaRemark>,
    positions: usize,
}

impl Outline {
    /// Reads a geometry, a feature or a collection. `radius_m` widens points and lines; a feature's own property of
    /// that name goes before it.
    pub(crate) fn parse(text: &str, radius_m: Option<f64>) -> Result<Self, AreaError> {
        let parsed = text.parse::<GeoJson>().map_err(|e| AreaError::NotGeoJson(e.to_string()))?;
        let mut outline = Self::default();
        match parsed {
            GeoJson::Geometry(geometry) => outline.read(&geometry.value, radius_m, "geometry")?,
            GeoJson::Feature(feature) => outline.read_feature(&feature, radius_m, "feature")?,
            GeoJson::FeatureCollection(FeatureCollection { features, .. }) => {
                for (at, feature) in features.iter().enumerate() {
                    outline.read_feature(feature, radius_m, &format!("features[{at}]"))?;
                }
            }
        }
        if outline.parts.is_empty() { Err(AreaError::Empty) } else { Ok(outline) }
    }

    /// Reads one geometry that the library has parsed; `path` names it in errors.
    pub(crate) fn read(&mut self, value: &GeometryValue, width: Option<f64>, path: &str) -> Result<(), AreaError> {
        let inner = format!("{path}.coordinates");
        match value {
            GeometryValue::Point { coordinates } => self.circle(coordinates, width, &inner),
            GeometryValue::MultiPoint { coordinates } => {
                each(coordinates, &inner, |position, at| self.circle(position, width, at))
            }
            GeometryValue::LineString { coordinates } => self.corridor(coordinates, width, &inner),
            GeometryValue::MultiLineString { coordinates } => {
                each(coordinates, &inner, |line, at| self.corridor(line, width, at))
            }
            GeometryValue::Polygon { coordinates } => self.region(coordinates, &inner),
            GeometryValue::MultiPolygon { coordinates } => {
                each(coordinates, &inner, |rings, at| self.region(rings, at))
            }
            GeometryValue::GeometryCollection { geometries } => {
                each(geometries, &format!("{path}.geometries"), |geometry: &Geometry, at| {
                    self.read(&geometry.value, width, at)
                })
            }
        }
    }

    /// Whether anything of it has an inside of its own.
    pub(crate) fn has_region(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Region { .. }))
    }

    fn read_feature(&mut self, feature: &geojson::Feature, width: Option<f64>, path: &str) -> Result<(), AreaError> {
        let Some(geometry) = &feature.geometry else {
            return Err(AreaError::NoGeometry(path.to_owned()));
        };
        let own = match feature.property("radius_m") {
            None => None,
            Some(value) if value.is_null() => None,
            Some(value) => {
                let field = format!("{path}.properties.radius_m");
                let number = value
                    .as_f64()
                    .ok_or_else(|| AreaError::Radius { field: field.clone(), found: value.to_string() })?;
                Some(checked_radius(&field, number)?)
            }
        };
        self.read(&geometry.value, own.or(width), &format!("{path}.geometry"))
    }

    fn circle(&mut self, position: &Position, width: Option<f64>, path: &str) -> Result<(), AreaError> {
        let centre = self.coordinate(position, path)?;
        let radius_m = width.ok_or_else(|| AreaError::NoRadius(path.to_owned()))?;
        self.parts.push(Part::Circle { centre, radius_m });
        Ok(())
    }

    fn corridor(&mut self, line: &[Position], width: Option<f64>, path: &str) -> Result<(), AreaError> {
        let places = self.coordinates(line, path)?;
        if places.len() < 2 {
            return Err(AreaError::TooFewPositions { field: path.to_owned(), found: places.len(), needed: 2 });
        }
        let half_width_m = width.ok_or_else(|| AreaError::NoRadius(path.to_owned()))?;
        self.parts.push(Part::corridor(&places, half_width_m));
        Ok(())
    }

    fn region(&mut self, rings: &[Vec<Position>], path: &str) -> Result<(), AreaError> {
        if rings.is_empty() {
            return Err(AreaError::TooFewPositions { field: path.to_owned(), found: 0, needed: 4 });
        }
        let mut read = Vec::new();
        each(rings, path, |ring, at| {
            let places = self.coordinates(ring, at)?;
            // Before the count: three corners that are not closed want closing.
            if places.len() >= 3 && places.first() != places.last() {
                return Err(AreaError::RingNotClosed(at.to_owned()));
            }
            if places.len() < 4 {
                return Err(AreaError::TooFewPositions { field: at.to_owned(), found: places.len(), needed: 4 });
            }
            read.push(places);
            Ok(())
        })?;
        let part = Part::region(&read);
        if let Part::Region { polygon, .. } = &part
            && read.iter().map(Vec::len).sum::<usize>() <= SIMPLE_CHECK_MAX
            && !polygon.is_valid()
        {
            self.remarks.push(AreaRemark::NotSimple(path.to_owned()));
        }
        self.parts.push(part);
        Ok(())
    }

    fn coordinates(&mut self, line: &[Position], path: &str) -> Result<Vec<Coordinate>, AreaError> {
        let mut places = Vec::with_capacity(line.len().min(POSITIONS_MAX));
        each(line, path, |position, at| {
            places.push(self.coordinate(position, at)?);
            Ok(())
        })?;
        Ok(places)
    }

    fn coordinate(&mut self, position: &Position, path: &str) -> Result<Coordinate, AreaError> {
        self.positions += 1;
        if self.positions > POSITIONS_MAX {
            return Err(AreaError::TooManyPositions { field: path.to_owned(), max: POSITIONS_MAX });
        }
        let (Some(lon), Some(lat)) = (position.as_slice().first(), position.as_slice().get(1)) else {
            return Err(AreaError::Position { field: path.to_owned(), found: format!("{:?}", position.as_slice()) });
        };
        let Ok(coordinate) = Coordinate::parse(*lat, *lon) else {
            return Err(AreaError::Position { field: path.to_owned(), found: format!("[{lon}, {lat}]") });
        };
        Ok(coordinate)
    }
}

/// Calls `read` with each item and its place in the text.
fn each<T>(items: &[T], path: &str, mut read: impl FnMut(&T, &str) -> Result<(), AreaError>) -> Result<(), AreaError> {
    items.iter().enumerate().try_for_each(|(at, item)| read(item, &format!("{path}[{at}]")))
}
