//! Where a vehicle was in the last hour: thinned points at five bytes each. Knows nothing of doubts; it is only given
//! good fixes.

use std::collections::VecDeque;

use transit::{Coordinate, UtcMillis};

/// Seconds between two points of plain driving.
const SPACING_S: i64 = 15;
/// Seconds between two points at stop events: doors and arrival of one stop come together.
const STOP_SPACING_S: i64 = 5;
/// Units a degree: 1.1 m or less.
const PER_DEGREE: f64 = 1e5;
/// Marks a step that only lets time pass; a real step is shorter.
const WAIT_S: u8 = u8::MAX;
/// The ring grows by this many steps: doubling would waste up to half of it for good.
const GROW_BY: usize = 40;

/// A point of a trail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrailPoint {
    /// When, to the second, on the clock that the vehicle's stamps are on.
    pub at: UtcMillis,
    /// Where, to the nearest 1e-5 degree.
    pub coordinate: Coordinate,
}

/// From one point to the next: seconds, then north and east in 1e-5 degrees, little endian.
#[derive(Debug, Clone, Copy)]
struct Step([u8; 5]);

impl Step {
    fn new(seconds: u8, north: i16, east: i16) -> Self {
        let ([a, b], [c, d]) = (north.to_le_bytes(), east.to_le_bytes());
        Self([seconds, a, b, c, d])
    }

    fn seconds(self) -> u8 {
        self.0[0]
    }

    fn north(self) -> i32 {
        i32::from(i16::from_le_bytes([self.0[1], self.0[2]]))
    }

    fn east(self) -> i32 {
        i32::from(i16::from_le_bytes([self.0[3], self.0[4]]))
    }
}

/// A point in the trail's own units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Knot {
    second: i64,
    north: i32,
    east: i32,
}

impl Knot {
    fn of(coordinate: Coordinate, at_ms: i64) -> Self {
        let unit = |degrees: f64| (degrees * PER_DEGREE).round() as i32;
        Self { second: at_ms.div_euclid(1000), north: unit(coordinate.lat()), east: unit(coordinate.lon()) }
    }

    fn after(self, step: Step) -> Self {
        Self {
            second: self.second + i64::from(step.seconds()),
            north: self.north + step.north(),
            east: self.east + step.east(),
        }
    }

    fn point(self) -> TrailPoint {
        let coordinate = Coordinate::parse(f64::from(self.north) / PER_DEGREE, f64::from(self.east) / PER_DEGREE)
            .expect("a knot is rounded from a coordinate and the limits are whole units");
        TrailPoint { at: UtcMillis(self.second.saturating_mul(1000)), coordinate }
    }
}

/// The trail's limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrailLimits {
    /// How far back it goes.
    pub(crate) minutes: u32,
    /// Its most points.
    pub(crate) points_max: usize,
}

/// What made the vehicle report a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Driving.
    Plain,
    /// Something at a stop.
    StopEvent,
}

/// The points, oldest first, as an absolute first and last one and the steps between.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail {
    ends: Option<(Knot, Knot)>,
    steps: VecDeque<Step>,
}

impl Trail {
    /// Adds a good fix when it is due. Stamps that do not advance are left out.
    pub(crate) fn add(&mut self, coordinate: Coordinate, at_ms: i64, occasion: Occasion, limits: TrailLimits) {
        let knot = Knot::of(coordinate, at_ms);
        let Some((_, last)) = self.ends else {
            self.ends = Some((knot, knot));
            return;
        };
        let spacing = match occasion {
            Occasion::Plain => SPACING_S,
            Occasion::StopEvent => STOP_SPACING_S,
        };
        let gone = knot.second.saturating_sub(last.second);
        if gone < spacing {
            return;
        }
        if gone > i64::from(limits.minutes) * 60 {
            *self = Self { ends: Some((knot, knot)), steps: VecDeque::new() };
            return;
        }
        let (Ok(north), Ok(east)) = (i16::try_from(knot.north - last.north), i16::try_from(knot.east - last.east))
        else {
            // 36 km in one step: another drive begins (a vehicle was carried, or three fixes outvoted the anchor).
            *self = Self { ends: Some((knot, knot)), steps: VecDeque::new() };
            return;
        };
        let wait = i64::from(WAIT_S);
        for _ in 0..(gone - 1) / wait {
            self.push(Step::new(WAIT_S, 0, 0));
        }
        let rest = ((gone - 1) % wait + 1) as u8;
        if rest == WAIT_S {
            // Exactly the mark: as two steps, the first of which only waits.
            self.push(Step::new(WAIT_S, 0, 0));
            self.push(Step::new(0, north, east));
        } else {
            self.push(Step::new(rest, north, east));
        }
        if let Some((_, last)) = &mut self.ends {
            *last = knot;
        }
        self.trim(limits);
    }

    /// The points within the hour before the last one, oldest first.
    pub(crate) fn points(&self) -> Vec<TrailPoint> {
        let Some((first, _)) = self.ends else {
            return Vec::new();
        };
        let mut points = vec![first.point()];
        let mut at = first;
        for step in &self.steps {
            at = at.after(*step);
            if step.seconds() != WAIT_S {
                points.push(at.point());
            }
        }
        points
    }

    fn push(&mut self, step: Step) {
        if self.steps.len() == self.steps.capacity() {
            self.steps.reserve_exact(GROW_BY);
        }
        self.steps.push_back(step);
    }

    fn trim(&mut self, limits: TrailLimits) {
        let Some((first, last)) = &mut self.ends else {
            return;
        };
        let oldest = last.second - i64::from(limits.minutes) * 60;
        let mut waits = false;
        while first.second < oldest || self.steps.len() >= limits.points_max.max(2) || waits {
            let Some(step) = self.steps.pop_front() else {
                break;
            };
            *first = first.after(step);
            // A trail begins at a point, not in the middle of a wait.
            waits = step.seconds() == WAIT_S;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: TrailLimits = TrailLimits { minutes: 60, points_max: 240 };

    fn add(trail: &mut Trail, second: i64, lat: f64, lon: f64) {
        trail.add(Coordinate::parse(lat, lon).unwrap(), second * 1000, Occasion::Plain, LIMITS);
    }

    fn seconds(trail: &Trail) -> Vec<i64> {
        trail.points().iter().map(|p| p.at.0 / 1000).collect()
    }

    #[test]
    fn a_point_every_15_seconds_and_the_last_hour_only() {
        let mut trail = Trail::default();
        for second in 0..7200 {
            add(&mut trail, second, 60.0 + second as f64 * 1e-4, 25.0 - second as f64 * 1e-4);
        }
        let points = trail.points();
        assert_eq!(points.len(), 240);
        assert_eq!(points[0].at, UtcMillis(3_600_000));
        let last = points[239];
        assert_eq!(last.at, UtcMillis(7_185_000));
        assert!((last.coordinate.lat() - 60.7185).abs() < 1e-9, "{last:?}");
        assert!((last.coordinate.lon() - 24.2815).abs() < 1e-9, "{last:?}");
    }

    #[test]
    fn a_step_takes_five_bytes() {
        let mut trail = Trail::default();
        for second in 0..7200 {
            add(&mut trail, second, 60.0, 25.0);
        }
        assert!(trail.steps.capacity() * size_of::<Step>() <= 1_200, "{} steps", trail.steps.capacity());
        assert!(size_of::<Trail>() <= 72, "{}", size_of::<Trail>());
    }

    #[test]
    fn waits_of_any_length_keep_their_time() {
        for gap in [15, 254, 255, 256, 509, 510, 511, 3599, 3600] {
            let mut trail = Trail::default();
            add(&mut trail, 0, 60.0, 25.0);
            add(&mut trail, gap, 60.001, 25.0);
            add(&mut trail, gap + 20, 60.002, 25.0);
            let expected = if gap + 20 > 3600 { vec![gap, gap + 20] } else { vec![0, gap, gap + 20] };
            assert_eq!(seconds(&trail), expected, "gap {gap}");
            assert!((trail.points().last().unwrap().coordinate.lat() - 60.002).abs() < 1e-9);
        }
    }

    #[test]
    fn an_hour_without_points_and_a_leap_of_40_km_begin_a_new_trail() {
        let mut trail = Trail::default();
        add(&mut trail, 0, 60.0, 25.0);
        add(&mut trail, 3601, 60.0, 25.0);
        assert_eq!(seconds(&trail), [3601]);
        add(&mut trail, 3700, 60.4, 25.0);
        assert_eq!(seconds(&trail), [3700]);
    }

    #[test]
    fn a_stop_event_is_worth_a_point_after_5_seconds() {
        let mut trail = Trail::default();
        let here = Coordinate::parse(60.0, 25.0).unwrap();
        add(&mut trail, 0, 60.0, 25.0);
        for second in [2, 6, 8, 14] {
            trail.add(here, second * 1000, Occasion::StopEvent, LIMITS);
        }
        add(&mut trail, 20, 60.0, 25.0);
        assert_eq!(seconds(&trail), [0, 6, 14]);
    }

    #[test]
    fn stamps_at_the_ends_of_time_do_no_harm() {
        let mut trail = Trail::default();
        for at_ms in [i64::MIN, i64::MAX, 0, i64::MIN] {
            trail.add(Coordinate::parse(-90.0, 180.0).unwrap(), at_ms, Occasion::Plain, LIMITS);
        }
        assert!(!trail.points().is_empty());
    }
}
