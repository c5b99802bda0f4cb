//! The city: its ground plan, stops, depots, lines and vehicles, all from a seed. Knows no instant and no message.
//!
//! Start at [`City::generate`]; `streets` lays out the ground, `draft` draws the lines on it, `timetable` says when
//! they run.

mod draft;
mod names;
mod sizes;
mod streets;
mod timetable;

use serde_json::{Value, json};
use transit::{Mode, Word};

pub(crate) use self::timetable::Piece;
pub use self::{
    sizes::{CitySize, SIZES, SizeDef},
    timetable::Timetable,
};
use crate::{
    motion::Drive,
    plane::{Plane, Shape, Spot},
};

/// Where a city lies when nobody says otherwise: Seoul's city hall.
pub const DEFAULT_CENTRE: (f64, f64) = (37.5665, 126.978);

/// A place where passengers board. Street stops serve both directions.
#[derive(Debug, Clone)]
pub struct Stop {
    /// GTFS stop_id; digits on the street, as HFP wants them.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub spot: Spot,
}

/// Where vehicles spend the night.
#[derive(Debug, Clone)]
pub struct Depot {
    /// Its id, `D1` and up.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The agency that owns its vehicles: four digits on the street, as HFP wants them.
    pub agency: String,
    /// Where it is.
    pub spot: Spot,
}

/// A stop's place on a line.
#[derive(Debug, Clone, Copy)]
pub struct LineStop {
    /// Index into [`City::stops`].
    pub stop: usize,
    /// Metres from the start of the shape.
    pub along_m: f64,
}

/// A route with its way there and back.
#[derive(Debug, Clone)]
pub struct Line {
    /// GTFS route_id, also the public number.
    pub id: String,
    /// Kind of vehicle.
    pub mode: Mode,
    /// The way in direction 0; direction 1 drives it backwards.
    pub shape: Shape,
    /// Its stops in direction 0; at least two, the first at 0 and the last at the end.
    pub stops: Vec<LineStop>,
    /// Index into [`City::depots`].
    pub depot: usize,
    /// From the depot to the first stop.
    pub pull_out: Shape,
    /// When it runs.
    pub timetable: Timetable,
}

/// A vehicle and the work it belongs to.
#[derive(Debug, Clone)]
pub struct Roster {
    /// Its owner.
    pub agency: String,
    /// Its number: five digits on the street.
    pub vehicle: String,
    /// Index into [`City::lines`].
    pub line: usize,
    /// Its place among the line's vehicles, from 0.
    pub seat: u32,
}

/// A whole city.
#[derive(Debug, Clone)]
pub struct City {
    /// What it grew from.
    pub seed: u64,
    /// Its makings.
    pub size: CitySize,
    /// Where it lies on the globe.
    pub plane: Plane,
    /// From the centre to the edge, metres.
    pub radius_m: f64,
    /// The middle of its river from west to east.
    pub river: Vec<Spot>,
    /// The river's width in metres.
    pub river_width_m: f64,
    /// Every stop.
    pub stops: Vec<Stop>,
    /// Every depot.
    pub depots: Vec<Depot>,
    /// Every line.
    pub lines: Vec<Line>,
    /// Every vehicle, line by line.
    pub vehicles: Vec<Roster>,
}

impl City {
    /// Grows the city of that seed and size around Seoul's city hall.
    pub fn generate(seed: u64, size: CitySize) -> Self {
        let (lat, lon) = DEFAULT_CENTRE;
        Self::generate_at(seed, size, lat, lon)
    }

    /// The same around another place; meant for latitudes below 80.
    pub fn generate_at(seed: u64, size: CitySize, lat: f64, lon: f64) -> Self {
        draft::draw(seed, size, Plane::around(lat, lon))
    }

    /// The whole city as JSON: what `topis-sim city` prints.
    pub fn describe(&self) -> Value {
        let place = |spot: Spot| self.plane.degrees(spot);
        let stop = |stop: &Stop| {
            let (lat, lon) = place(stop.spot);
            json!({"stop_id": stop.id, "name": stop.name, "lat": lat, "lon": lon})
        };
        let depot = |depot: &Depot| {
            let (lat, lon) = place(depot.spot);
            json!({"depot_id": depot.id, "name": depot.name, "agency_id": depot.agency, "lat": lat, "lon": lon})
        };
        json!({
            "seed": self.seed,
            "size": self.size,
            "vehicles": self.vehicles.len(),
            "radius_m": self.radius_m.round(),
            "depots": self.depots.iter().map(depot).collect::<Vec<_>>(),
            "stops": self.stops.iter().map(stop).collect::<Vec<_>>(),
            "lines": (0..self.lines.len()).map(|line| self.describe_line(line)).collect::<Vec<_>>(),
        })
    }

    fn describe_line(&self, index: usize) -> Value {
        let line = &self.lines[index];
        let stops: Vec<&str> = line.stops.iter().map(|at| self.stops[at.stop].id.as_str()).collect();
        let vehicles: Vec<String> = self
            .vehicles
            .iter()
            .filter(|roster| roster.line == index)
            .map(|roster| format!("{}/{}", roster.agency, roster.vehicle))
            .collect();
        json!({
            "route_id": line.id,
            "mode": line.mode.word(),
            "depot_id": self.depots[line.depot].id,
            "length_m": line.shape.length_m().round(),
            "headway_s": line.timetable.headway_s,
            "half_cycle_s": line.timetable.half_cycle_s,
            "arrival_s": line.timetable.arrival_s,
            "stops": stops,
            "vehicles": vehicles,
        })
    }

    /// Lines, stops, depots and the river as a GeoJSON FeatureCollection, to be looked at on a map.
    pub fn geojson(&self) -> Value {
        let at = |spot: Spot| {
            let (lat, lon) = self.plane.degrees(spot);
            json!([lon, lat])
        };
        let path = |points: &[Spot]| points.iter().map(|spot| at(*spot)).collect::<Vec<_>>();
        let feature = |kind: &str, id: &str, geometry: Value| {
            json!({"type": "Feature", "id": format!("{kind}:{id}"), "geometry": geometry,
                "properties": {"kind": kind, "id": id}})
        };
        let line = |kind, id, points| feature(kind, id, json!({"type": "LineString", "coordinates": path(points)}));
        let point = |kind, id, spot| feature(kind, id, json!({"type": "Point", "coordinates": at(spot)}));
        let mut features = vec![line("river", "river", &self.river)];
        features.extend(self.lines.iter().map(|l| line(l.mode.word(), &l.id, l.shape.points())));
        features.extend(self.stops.iter().map(|s| point("stop", &s.id, s.spot)));
        features.extend(self.depots.iter().map(|d| point("depot", &d.id, d.spot)));
        json!({"type": "FeatureCollection", "features": features})
    }
}

/// How vehicles of a mode drive here.
pub(crate) fn drive(mode: Mode) -> Drive {
    match mode {
        Mode::Metro | Mode::Rail | Mode::Monorail => Drive { accel: 0.9, cruise_mps: 19.0, cruise_mps_max: 22.0 },
        Mode::Tram => Drive { accel: 0.9, cruise_mps: 10.0, cruise_mps_max: 14.0 },
        Mode::Bus
        | Mode::Ferry
        | Mode::CableTram
        | Mode::AerialLift
        | Mode::Funicular
        | Mode::Trolleybus
        | Mode::Taxi
        | Mode::Unknown => Drive { accel: 1.0, cruise_mps: 10.5, cruise_mps_max: 15.0 },
    }
}

/// Places in a vehicle of a mode.
pub(crate) fn capacity(mode: Mode) -> u32 {
    match mode {
        Mode::Metro | Mode::Rail | Mode::Monorail => 1200,
        Mode::Tram => 180,
        Mode::Bus
        | Mode::Ferry
        | Mode::CableTram
        | Mode::AerialLift
        | Mode::Funicular
        | Mode::Trolleybus
        | Mode::Taxi
        | Mode::Unknown => 75,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_metropolis_has_370_bus_routes_7400_buses_and_8_metro_lines() {
        let size = CitySize::find("metropolis").unwrap();
        let city = City::generate(1, size);
        let lines = |mode| city.lines.iter().filter(|line| line.mode == mode).count();
        let vehicles = |mode| city.vehicles.iter().filter(|v| city.lines[v.line].mode == mode).count();
        assert_eq!((lines(Mode::Bus), vehicles(Mode::Bus)), (370, 7400));
        assert_eq!((lines(Mode::Metro), vehicles(Mode::Metro)), (8, 400));
    }

    #[test]
    fn a_size_in_vehicles_is_met_exactly() {
        for vehicles in [1, 7, 199, 200, 5000, 9000] {
            let city = City::generate(3, CitySize::of_vehicles(vehicles));
            assert_eq!(city.vehicles.len(), vehicles);
        }
        assert_eq!(CitySize::find("river-town").unwrap().lines(), 10);
    }

    #[test]
    fn ids_are_unique_and_fit_both_formats() {
        let city = City::generate(5, CitySize::of_vehicles(2000));
        let keys: BTreeSet<_> = city.vehicles.iter().map(|v| (&v.agency, &v.vehicle)).collect();
        assert_eq!(keys.len(), city.vehicles.len());
        for ids in [
            city.stops.iter().map(|s| &s.id).collect::<Vec<_>>(),
            city.lines.iter().map(|l| &l.id).collect(),
            city.depots.iter().map(|d| &d.id).collect(),
        ] {
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        }
        for v in city.vehicles.iter().filter(|v| city.lines[v.line].mode == Mode::Bus) {
            assert!(v.agency.len() == 4 && v.agency.parse::<u32>().is_ok(), "{}", v.agency);
            assert!(v.vehicle.len() == 5 && v.vehicle.parse::<u32>().is_ok(), "{}", v.vehicle);
        }
    }

    #[test]
    fn lines_run_from_stop_to_stop_and_no_line_runs_in_the_water_but_on_a_bridge() {
        let city = City::generate(9, CitySize::find("county-seat").unwrap());
        for line in &city.lines {
            assert!(line.stops.len() >= 2, "{}", line.id);
            assert!(line.stops[0].along_m.abs() < f64::EPSILON);
            assert!((line.stops[line.stops.len() - 1].along_m - line.shape.length_m()).abs() < 1.0, "{}", line.id);
            for at in &line.stops {
                let off = line.shape.at(at.along_m).0.distance(city.stops[at.stop].spot);
                assert!(off < 1.0, "stop {} is {off} m off line {}", city.stops[at.stop].id, line.id);
            }
            assert!(line.stops.windows(2).all(|pair| pair[1].along_m > pair[0].along_m), "{}", line.id);
        }
        let wet = |spot: Spot| {
            city.river.iter().map(|at| at.distance(spot)).fold(f64::INFINITY, f64::min) < city.river_width_m * 0.3
        };
        assert!(!city.stops.iter().filter(|s| !s.id.starts_with('M')).any(|s| wet(s.spot)));
    }

    #[test]
    fn the_same_seed_grows_the_same_city() {
        let grow = |seed| City::generate(seed, CitySize::of_vehicles(60)).describe().to_string();
        assert_eq!(grow(4), grow(4));
        assert_ne!(grow(4), grow(5));
    }
}
