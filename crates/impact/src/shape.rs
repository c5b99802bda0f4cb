//! What an area covers: circles, corridors along lines, polygons, or several of them together.
//!
//! Parses nothing; what comes in is sound. Distances to circles are great-circle distances, those to lines and
//! polygons are taken on a flat map around the part.

use geo::{BoundingRect, Intersects, Line, LineString, Point, Polygon, Rect};
use rstar::{PointDistance, RTree};
use transit::Coordinate;

use crate::flat::{Flat, wrapped};

/// Beyond this no circle is put around an area: on that scale straight edges and great circles part.
const BOUNDED_M: f64 = 1_000_000.0;
/// Farther apart than any two places.
const EVERYWHERE_M: f64 = 21_000_000.0;

/// The edges of a line or polygon, in a tree: an area may have thousands.
#[derive(Debug, Clone)]
pub(crate) struct Edges(RTree<Line<f64>>);

impl Edges {
    fn of<'a>(lines: impl IntoIterator<Item = &'a LineString<f64>>) -> Self {
        Self(RTree::bulk_load(lines.into_iter().flat_map(LineString::lines).collect()))
    }

    fn distance_m(&self, point: Point<f64>) -> f64 {
        self.0.nearest_neighbor(&point).map_or(f64::INFINITY, |edge| edge.distance_2(&point).max(0.0).sqrt())
    }
}

/// Edges follow from what they are made of.
impl PartialEq for Edges {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().eq(other.0.iter())
    }
}

/// One part of an area.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// All places within a distance of a point.
    Circle { centre: Coordinate, radius_m: f64 },
    /// All places within a distance of a line.
    Corridor { flat: Flat, line: LineString<f64>, edges: Edges, half_width_m: f64 },
    /// A polygon with its holes.
    Region { flat: Flat, polygon: Polygon<f64>, edges: Edges, bounds: Option<Rect<f64>> },
}

impl Part {
    /// A corridor along `line`, which has at least two positions.
    pub(crate) fn corridor(line: &[Coordinate], half_width_m: f64) -> Self {
        let flat = Flat::around(middle(line));
        let line = flattened(&flat, line);
        Self::Corridor { flat, edges: Edges::of([&line]), line, half_width_m }
    }

    /// A polygon; the first ring is its outside, the others are holes, all closed.
    pub(crate) fn region(rings: &[Vec<Coordinate>]) -> Self {
        let outside = rings.first().map_or(&[][..], Vec::as_slice);
        let flat = Flat::around(middle(outside));
        let holes = rings.iter().skip(1).map(|ring| flattened(&flat, ring)).collect();
        let polygon = Polygon::new(flattened(&flat, outside), holes);
        let edges = Edges::of([polygon.exterior()].into_iter().chain(polygon.interiors()));
        Self::Region { flat, edges, bounds: polygon.bounding_rect(), polygon }
    }

    fn distance_m(&self, c: Coordinate) -> f64 {
        match self {
            Self::Circle { centre, radius_m } => (centre.distance(c).0 - radius_m).max(0.0),
            Self::Corridor { flat, edges, half_width_m, .. } => {
                (edges.distance_m(Point(flat.metres(c))) - half_width_m).max(0.0)
            }
            Self::Region { flat, polygon, edges, bounds } => {
                let point = Point(flat.metres(c));
                // The box first: whether a polygon holds a point is the dearer question.
                if bounds.is_some_and(|b| b.intersects(&point)) && polygon.intersects(&point) {
                    return 0.0;
                }
                edges.distance_m(point)
            }
        }
    }

    /// Places that span it, and how far it reaches beyond them.
    fn span(&self) -> (Vec<Coordinate>, f64) {
        match self {
            Self::Circle { centre, radius_m } => (vec![*centre], *radius_m),
            Self::Corridor { flat, line, half_width_m, .. } => {
                (line.coords().map(|c| flat.coordinate(*c)).collect(), *half_width_m)
            }
            Self::Region { flat, polygon, .. } => {
                (polygon.exterior().coords().map(|c| flat.coordinate(*c)).collect(), 0.0)
            }
        }
    }
}

fn flattened(flat: &Flat, line: &[Coordinate]) -> LineString<f64> {
    line.iter().map(|c| flat.metres(*c)).collect()
}

/// The middle of the box around some places, right across the date line too; the first one of none is 0, 0.
fn middle(places: &[Coordinate]) -> Coordinate {
    let Some(first) = places.first() else {
        return Coordinate::parse(0.0, 0.0).expect("on the globe");
    };
    let (mut south, mut north, mut west, mut east) = (first.lat(), first.lat(), 0.0_f64, 0.0_f64);
    for place in places {
        let lon = wrapped(place.lon() - first.lon());
        (south, north) = (south.min(place.lat()), north.max(place.lat()));
        (west, east) = (west.min(lon), east.max(lon));
    }
    let lon = wrapped(first.lon() + f64::midpoint(west, east));
    Coordinate::parse(f64::midpoint(south, north), lon).unwrap_or(*first)
}

/// All an area covers, and a circle around it for quick refusals.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    parts: Vec<Part>,
    centre: Coordinate,
    extent_m: f64,
}

impl Shape {
    /// The union of some parts; at least one.
    pub(crate) fn of(parts: Vec<Part>) -> Self {
        let spans: Vec<(Vec<Coordinate>, f64)> = parts.iter().map(Part::span).collect();
        let all: Vec<Coordinate> = spans.iter().flat_map(|(places, _)| places.iter().copied()).collect();
        let centre = middle(&all);
        let reach = |(places, beyond): &(Vec<Coordinate>, f64)| {
            places.iter().map(|c| centre.distance(*c).0).fold(0.0, f64::max) + beyond
        };
        // A hundredth for what the flat map and the globe disagree about.
        let extent_m = spans.iter().map(reach).fold(0.0, f64::max) * 1.01 + 1.0;
        Self { parts, centre, extent_m: if extent_m > BOUNDED_M { EVERYWHERE_M } else { extent_m } }
    }

    /// Metres from `c` to the nearest place of the area; 0 inside.
    pub(crate) fn distance_m(&self, c: Coordinate) -> f64 {
        self.parts.iter().map(|part| part.distance_m(c)).fold(f64::INFINITY, f64::min)
    }

    /// The middle of the circle around it.
    pub(crate) fn centre(&self) -> Coordinate {
        self.centre
    }

    /// The radius of the circle around it.
    pub(crate) fn extent_m(&self) -> f64 {
        self.extent_m
    }

    /// Its parts.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(lat: f64, lon: f64) -> Coordinate {
        Coordinate::parse(lat, lon).unwrap()
    }

    fn metres(shape: &Shape, lat: f64, lon: f64) -> i64 {
        shape.distance_m(c(lat, lon)).round() as i64
    }

    #[test]
    fn a_circle_a_corridor_and_a_polygon_with_a_hole() {
        let circle = Shape::of(vec![Part::Circle { centre: c(37.5, 127.0), radius_m: 100.0 }]);
        assert_eq!([metres(&circle, 37.5, 127.0), metres(&circle, 37.51, 127.0)], [0, 1012]);
        let road = Shape::of(vec![Part::corridor(&[c(37.5, 127.0), c(37.5, 127.01)], 20.0)]);
        assert_eq!([metres(&road, 37.5001, 127.005), metres(&road, 37.51, 127.005)], [0, 1092]);
        let square = |d: f64| {
            vec![
                c(37.5 - d, 127.0 - d),
                c(37.5 - d, 127.0 + d),
                c(37.5 + d, 127.0 + d),
                c(37.5 + d, 127.0 - d),
                c(37.5 - d, 127.0 - d),
            ]
        };
        let ring = Shape::of(vec![Part::region(&[square(0.01), square(0.005)])]);
        assert_eq!(
            [metres(&ring, 37.5075, 127.0), metres(&ring, 37.5, 127.0), metres(&ring, 37.52, 127.0)],
            [0, 441, 1112]
        );
    }

    #[test]
    fn several_parts_are_one_area_and_the_circle_holds_them_all() {
        let parts = vec![
            Part::Circle { centre: c(37.5, 127.0), radius_m: 100.0 },
            Part::corridor(&[c(37.6, 127.0), c(37.6, 127.1)], 50.0),
        ];
        let both = Shape::of(parts);
        assert_eq!([metres(&both, 37.5, 127.0), metres(&both, 37.6, 127.05)], [0, 0]);
        for edge in [c(37.4991, 127.0), c(37.6004, 127.1)] {
            assert!(both.centre().distance(edge).0 <= both.extent_m());
        }
    }

    #[test]
    fn a_circle_across_the_date_line_holds_both_sides() {
        let fiji = Shape::of(vec![Part::Circle { centre: c(-17.0, 179.999), radius_m: 500.0 }]);
        assert_eq!(metres(&fiji, -17.0, -179.999), 0);
        let strait = Shape::of(vec![Part::corridor(&[c(-17.0, 179.99), c(-17.0, -179.99)], 10.0)]);
        assert_eq!(metres(&strait, -17.0, 180.0), 0);
        assert!(strait.extent_m() < 2_000.0);
    }
}
