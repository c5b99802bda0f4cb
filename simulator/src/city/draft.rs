//! Draws stops, depots, lines and vehicles on the ground plan. Knows no instant and no message.

use std::collections::BTreeMap;

use transit::Mode;

use super::{
    City, CitySize, Depot, Line, LineStop, Roster, Stop, Timetable, drive,
    names::Names,
    streets::{Corner, Streets, without_loops},
};
use crate::{
    dice::{Dice, Purpose},
    motion::Motion,
    plane::{Plane, Shape, Spot},
};

/// Street lines that share a depot.
const LINES_PER_DEPOT: usize = 12;
/// Depots that share an owner.
const DEPOTS_PER_AGENCY: usize = 3;
/// Seconds a timetable allows at a stop.
const DWELL_S: f64 = 20.0;
/// What a timetable adds to the bare running time, so that most trips can be on time.
const PADDING: f64 = 1.12;
/// Metres between metro stations.
const STATION_M: f64 = 1150.0;

pub(super) fn draw(seed: u64, size: CitySize, plane: Plane) -> City {
    let radius_m = size.radius_m();
    let streets = Streets::lay_out(seed, radius_m);
    let (river, river_width_m) = streets.river();
    let city = City {
        seed,
        size,
        plane,
        radius_m,
        river,
        river_width_m,
        stops: Vec::new(),
        depots: Vec::new(),
        lines: Vec::new(),
        vehicles: Vec::new(),
    };
    let mut draft = Draft {
        city,
        streets,
        names: Names::new(seed),
        stop_at: BTreeMap::new(),
        depot_at: Vec::new(),
        depot_lines: Vec::new(),
        numbers: BTreeMap::new(),
    };
    draft.street_depots();
    draft.street_lines(Mode::Bus, size.bus_lines, size.buses);
    draft.street_lines(Mode::Tram, size.tram_lines, size.trams);
    draft.metro_lines();
    draft.city
}

struct Draft {
    city: City,
    streets: Streets,
    names: Names,
    stop_at: BTreeMap<Corner, usize>,
    depot_at: Vec<Corner>,
    /// Lines at each street depot so far.
    depot_lines: Vec<usize>,
    /// The last number given out, per agency.
    numbers: BTreeMap<String, u32>,
}

impl Draft {
    fn street_depots(&mut self) {
        let lines = self.city.size.bus_lines + self.city.size.tram_lines;
        let mut dice = Dice::new(self.city.seed, Purpose::Lines, 0, 1);
        // Even a small town has two, so that one can fail.
        for i in 0..lines.div_ceil(LINES_PER_DEPOT).max(2) {
            let corner = self.streets.draw_corner(&mut dice, 0.5, 0.95);
            // HFP wants four digits; a gap of ten leaves room, as real operator numbers do.
            let agency = format!("{:04}", 12 + 10 * (i / DEPOTS_PER_AGENCY));
            // Behind the stop, not on it.
            let spot = self.streets.corner_spot(corner).shifted(60.0, 45.0);
            let name = format!("{} depot", self.names.draw());
            self.city.depots.push(Depot { id: format!("D{}", i + 1), name, agency, spot });
            self.depot_at.push(corner);
            self.depot_lines.push(0);
        }
    }

    fn street_lines(&mut self, mode: Mode, lines: usize, vehicles: usize) {
        for i in 0..lines {
            let corners = self.draw_route(mode, i);
            let (shape, along) = self.streets.trace(&corners);
            let stops: Vec<LineStop> =
                corners.iter().zip(along).map(|(c, along_m)| LineStop { stop: self.stop(*c), along_m }).collect();
            let depot = self.nearest_depot(corners[0]);
            let pull_out = self.pull_out(depot, corners[0], i);
            let id = if mode == Mode::Tram { format!("T{}", i + 1) } else { bus_number(i) };
            self.line(Drawing { id, mode, shape, stops, depot, pull_out }, share(vehicles, lines, i));
        }
    }

    /// Two out of five lines cross the city, the others stay in a quarter.
    fn draw_route(&self, mode: Mode, i: usize) -> Vec<Corner> {
        let mut dice = Dice::new(self.city.seed, Purpose::Lines, mode as u64 + 2, i as u64);
        loop {
            let from = self.streets.draw_corner(&mut dice, 0.25, 1.0);
            let (via, to) = if dice.chance(0.4) {
                let centre = self.streets.draw_corner(&mut dice, 0.0, 0.35);
                (centre, self.streets.draw_corner_near(&mut dice, centre, 22.0))
            } else {
                let via = self.streets.draw_corner_near(&mut dice, from, 14.0);
                (via, self.streets.draw_corner_near(&mut dice, via, 12.0))
            };
            let mut path = self.streets.walk(from, via, &mut dice);
            path.extend(self.streets.walk(via, to, &mut dice));
            let path = without_loops(path);
            // 3 to 21 km: what city routes are.
            if (8..=50).contains(&path.len()) {
                return path;
            }
        }
    }

    fn stop(&mut self, corner: Corner) -> usize {
        if let Some(known) = self.stop_at.get(&corner) {
            return *known;
        }
        let index = self.city.stops.len();
        let id = format!("{}", 10_001 + index);
        self.city.stops.push(Stop { id, name: self.names.draw(), spot: self.streets.corner_spot(corner) });
        self.stop_at.insert(corner, index);
        index
    }

    /// The nearest depot that has room for one more line.
    fn nearest_depot(&mut self, corner: Corner) -> usize {
        let spot = self.streets.corner_spot(corner);
        let lines = self.city.size.bus_lines + self.city.size.tram_lines;
        let room = lines.div_ceil(self.depot_at.len());
        let away = |index: &usize| self.city.depots[*index].spot.distance(spot);
        let with_room = (0..self.depot_at.len()).filter(|index| self.depot_lines[*index] < room);
        let nearest = with_room.min_by(|a, b| away(a).total_cmp(&away(b))).unwrap_or(0);
        self.depot_lines[nearest] += 1;
        nearest
    }

    fn pull_out(&self, depot: usize, to: Corner, line: usize) -> Shape {
        let mut dice = Dice::new(self.city.seed, Purpose::Streets, 1, line as u64);
        let gate = self.city.depots[depot].spot;
        let mut points = vec![gate];
        let corners = self.streets.walk(self.depot_at[depot], to, &mut dice);
        points.extend(self.streets.trace(&corners).0.points());
        Shape::through(points)
    }

    fn metro_lines(&mut self) {
        let size = self.city.size;
        for i in 0..size.metro_lines {
            let shape = self.metro_shape(i);
            let stations = (shape.length_m() / STATION_M).round().max(2.0);
            let stops: Vec<LineStop> = (0..=stations as usize)
                .map(|n| {
                    let along_m = shape.length_m() * n as f64 / stations;
                    let stop = self.city.stops.len();
                    let (spot, name) = (shape.at(along_m).0, format!("{} (M)", self.names.draw()));
                    self.city.stops.push(Stop { id: format!("M{}-{:02}", i + 1, n + 1), name, spot });
                    LineStop { stop, along_m }
                })
                .collect();
            let depot = self.city.depots.len();
            let spot = shape.at(0.0).0.shifted(300.0, 200.0);
            let pull_out = Shape::through(vec![spot, shape.at(0.0).0]);
            let name = format!("{} yard", self.names.draw());
            self.city.depots.push(Depot { id: format!("D{}", depot + 1), name, agency: "metro".to_owned(), spot });
            let drawing = Drawing { id: format!("M{}", i + 1), mode: Mode::Metro, shape, stops, depot, pull_out };
            self.line(drawing, share(size.trains, size.metro_lines, i));
        }
    }

    /// The second line is a ring, as in Seoul; the others cross near the centre.
    fn metro_shape(&self, i: usize) -> Shape {
        let mut dice = Dice::new(self.city.seed, Purpose::Lines, 1, i as u64);
        let reach = self.city.radius_m * 0.92;
        let steps = (reach * 2.0 / 220.0) as usize;
        let lean = std::f64::consts::PI * (i as f64 + dice.between(-0.3, 0.3)) / self.city.size.metro_lines as f64;
        let (aside, sway, phase) = (
            dice.between(-0.12, 0.12) * reach,
            dice.between(0.04, 0.12) * reach,
            dice.between(0.0, std::f64::consts::TAU),
        );
        let point = |step: usize| {
            let t = step as f64 / steps as f64;
            if i == 1 {
                // Not quite closed: its two ends are neighbouring stations.
                let angle = t * std::f64::consts::TAU * 0.97 + phase;
                return Spot { x: angle.cos() * reach * 0.48, y: angle.sin() * reach * 0.42 };
            }
            let along = (t * 2.0 - 1.0) * reach;
            let across = aside + sway * (t * 4.0 + phase).sin();
            Spot { x: along * lean.cos() - across * lean.sin(), y: along * lean.sin() + across * lean.cos() }
        };
        Shape::through((0..=steps).map(point).collect())
    }

    fn line(&mut self, drawing: Drawing, vehicles: usize) {
        let Drawing { id, mode, shape, stops, depot, pull_out } = drawing;
        let there: Vec<f64> = stops.iter().map(|at| at.along_m).collect();
        let back: Vec<f64> = stops.iter().rev().map(|at| shape.length_m() - at.along_m).collect();
        let seats = u32::try_from(vehicles).unwrap_or(u32::MAX);
        let timetable = Timetable::new([arrivals(mode, &there), arrivals(mode, &back)], seats);
        let line = self.city.lines.len();
        let agency = self.city.depots[depot].agency.clone();
        for seat in 0..seats {
            let number = self.numbers.entry(agency.clone()).or_insert(0);
            *number += 1;
            let vehicle = format!("{number:05}");
            self.city.vehicles.push(Roster { agency: agency.clone(), vehicle, line, seat });
        }
        self.city.lines.push(Line { id, mode, shape, stops, depot, pull_out, timetable });
    }
}

/// A line before it has a timetable.
struct Drawing {
    id: String,
    mode: Mode,
    shape: Shape,
    stops: Vec<LineStop>,
    depot: usize,
    pull_out: Shape,
}

/// What the `i`th of `parts` gets of `whole`, so that all get about the same and nothing is left.
fn share(whole: usize, parts: usize, i: usize) -> usize {
    whole * (i + 1) / parts - whole * i / parts
}

/// Public numbers as cities give them: 101, 102, ... with a night's worth of gaps.
fn bus_number(i: usize) -> String {
    format!("{}", 101 + i + i / 40 * 60)
}

/// Timetabled seconds from departure to each stop at these metres.
fn arrivals(mode: Mode, along_m: &[f64]) -> Vec<u32> {
    let drive = drive(mode);
    let mut at_s = 0.0;
    let mut arrivals = vec![0];
    for (i, pair) in along_m.windows(2).enumerate() {
        let run_s = Motion::new(0, pair[1] - pair[0], drive.cruise_mps, drive.accel).duration_s() * PADDING;
        at_s += run_s + if i > 0 { DWELL_S } else { 0.0 };
        arrivals.push(at_s as u32);
    }
    arrivals
}
