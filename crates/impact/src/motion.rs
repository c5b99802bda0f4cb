//! Where a vehicle goes from its course and speed, and whether that meets an area.
//!
//! No timetable and no road: a course is a straight line inside a corridor that widens with the way, because streets
//! bend. Knows no ages and no lists; it answers for one vehicle from its own position on.

use geo::{Bearing, Coord, Haversine, Point};
use picture::{TrailPoint, VehicleRecord};
use transit::{Coordinate, UtcMillis, VehicleKey};

use crate::{flat::Flat, shape::Shape};

/// Looks up where a vehicle was, oldest first, on its own clock; empty where nothing is known.
pub type TrailLookup<'a> = &'a dyn Fn(&VehicleKey) -> Vec<TrailPoint>;

/// A miss by less than this is none: receivers know no better.
const TOUCH_M: f64 = 5.0;
/// The least step along a course.
const STEP_MIN_M: f64 = 5.0;
/// More steps than this are taken along an edge only, which is as good as a meeting.
const STEPS_MAX: usize = 200;
/// A trail point nearer than this gives no course.
const COURSE_FROM_M: f64 = 25.0;

/// How far a course is believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionOptions {
    /// Slower than this is standing, in metres a second.
    pub standing_mps: f64,
    /// Half-width of the corridor at the vehicle, in metres.
    pub corridor_m: f64,
    /// How fast the corridor widens to each side, in degrees.
    pub spread_deg: f64,
    /// The most it widens to, in metres.
    pub corridor_max_m: f64,
    /// The part of the trail that gives course and mean speed, in seconds.
    pub trail_span_s: f64,
    /// A vehicle that stands but moved this recently, in seconds, is at a stop or a light and will go on; needs a trail.
    pub pause_s: f64,
}

impl Default for MotionOptions {
    fn default() -> Self {
        Self {
            standing_mps: 0.8,
            corridor_m: 30.0,
            spread_deg: 12.0,
            corridor_max_m: 300.0,
            trail_span_s: 180.0,
            pause_s: 90.0,
        }
    }
}

/// Where a course comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CourseFrom {
    /// The vehicle says so.
    Reported,
    /// From its last positions.
    Trail,
}

/// How a vehicle moves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Motion {
    /// It stands.
    Standing,
    /// It says no course and no trail gives one.
    NoCourse,
    /// It says no speed and no trail gives one.
    NoSpeed,
    /// It goes.
    Going(Going),
}

/// A vehicle that goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Going {
    /// Courses to believe, degrees clockwise from north; two when it turns.
    pub(crate) courses: Vec<(f64, CourseFrom)>,
    /// To expect, metres a second: the mean of its trail, stops included, else as reported.
    pub(crate) speed_mps: f64,
    /// The fastest to reckon with.
    pub(crate) speed_max_mps: f64,
    /// It stands now and went a moment ago.
    pub(crate) paused: bool,
}

/// What the last minutes of a trail say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Path {
    course_deg: Option<f64>,
    mean_mps: Option<f64>,
    elsewhere_s_ago: Option<f64>,
}

impl Path {
    /// `end` at `at` closes the trail; both are on the vehicle's clock.
    fn of(trail: &[TrailPoint], end: Coordinate, at: UtcMillis, span_s: f64) -> Self {
        let ago_s = |p: &TrailPoint| at.since(p.at) as f64 / 1000.0;
        let recent: Vec<&TrailPoint> = trail.iter().filter(|p| (0.0..=span_s).contains(&ago_s(p))).collect();
        let Some(first) = recent.first() else { return Self::default() };
        let ends = recent.iter().skip(1).map(|p| p.coordinate).chain([end]);
        let length_m: f64 = recent.iter().zip(ends).map(|(a, b)| a.coordinate.distance(b).0).sum();
        let elsewhere = recent.iter().rev().find(|p| p.coordinate.distance(end).0 >= COURSE_FROM_M);
        Self {
            course_deg: elsewhere.map(|p| bearing_deg(p.coordinate, end)),
            mean_mps: Some(ago_s(first)).filter(|s| *s >= 10.0).map(|s| length_m / s),
            elsewhere_s_ago: elsewhere.map(|p| ago_s(p)),
        }
    }
}

/// Degrees clockwise from north, 0..360.
pub(crate) fn bearing_deg(from: Coordinate, to: Coordinate) -> f64 {
    let point = |c: Coordinate| Point::new(c.lon(), c.lat());
    Haversine.bearing(point(from), point(to)).rem_euclid(360.0)
}

/// The angle between two courses, 0..=180.
pub(crate) fn turn_deg(a: f64, b: f64) -> f64 {
    let d = (a - b).rem_euclid(360.0);
    d.min(360.0 - d)
}

/// Reads a vehicle's motion from what it says and, when there is one, from its trail.
pub(crate) fn motion_of(
    record: &VehicleRecord,
    at: Coordinate,
    trail: Option<TrailLookup<'_>>,
    options: &MotionOptions,
) -> Motion {
    let position_time = record.position_event_time.unwrap_or(record.event_time);
    let path =
        trail.map_or(Path::default(), |look| Path::of(&look(&record.key), at, position_time, options.trail_span_s));
    let said = record.speed_mps.map(f64::from).filter(|v| v.is_finite() && *v >= 0.0);
    let mean = path.mean_mps.filter(|v| *v >= options.standing_mps);
    let paused = match said {
        Some(v) if v >= options.standing_mps => false,
        Some(_) if path.elsewhere_s_ago.is_some_and(|ago| ago <= options.pause_s) && mean.is_some() => true,
        Some(_) => return Motion::Standing,
        None if path.mean_mps.is_some() && mean.is_none() => return Motion::Standing,
        None if mean.is_some() => false,
        None => return Motion::NoSpeed,
    };
    let Some(speed_mps) = mean.or(said) else { return Motion::NoSpeed };
    let reported = record.bearing.map(f64::from).filter(|b| b.is_finite()).map(|b| (b, CourseFrom::Reported));
    let driven = path.course_deg.map(|b| (b, CourseFrom::Trail));
    let courses: Vec<(f64, CourseFrom)> = match (reported, driven) {
        // One that stands turns its compass freely.
        (_, Some(driven)) if paused => vec![driven],
        (Some(said), Some(driven)) if turn_deg(said.0, driven.0) > options.spread_deg => vec![said, driven],
        (Some(course), _) | (None, Some(course)) => vec![course],
        (None, None) => return Motion::NoCourse,
    };
    Motion::Going(Going { courses, speed_mps, speed_max_mps: said.map_or(speed_mps, |v| v.max(speed_mps)), paused })
}

/// Where a course meets an area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Meeting {
    /// Metres along the course to the area.
    pub(crate) along_m: f64,
    /// Metres after which the corridor first touches it.
    pub(crate) touch_m: f64,
    /// The line itself meets it, not only the corridor.
    pub(crate) direct: bool,
    /// The course, degrees.
    pub(crate) course_deg: f64,
    /// Where the course is from.
    pub(crate) course_from: CourseFrom,
}

/// The nearest meeting of any of its courses with the area within `reach_m`.
pub(crate) fn meeting(
    shape: &Shape,
    from: Coordinate,
    accuracy_m: f64,
    going: &Going,
    reach_m: f64,
    options: &MotionOptions,
) -> Option<Meeting> {
    let meet = |(course_deg, course_from): &(f64, CourseFrom)| {
        let ray = Ray::new(shape, from, *course_deg);
        let widest_m = options.corridor_max_m.max(accuracy_m);
        let (begin_m, end_m) = ray.window(reach_m, widest_m)?;
        let widen = options.spread_deg.to_radians().tan();
        let width_m = |s: f64| (options.corridor_m.max(accuracy_m) + widen * s).min(widest_m);
        let touch_m = ray.first_touch(begin_m, end_m, width_m, widen)?;
        let straight = ray.first_touch(touch_m, end_m + options.corridor_max_m, |_| 0.0, 0.0);
        let last_m = straight.unwrap_or(touch_m);
        let along_m = last_m + shape.distance_m(ray.at(last_m));
        Some(Meeting {
            along_m,
            touch_m,
            direct: straight.is_some(),
            course_deg: *course_deg,
            course_from: *course_from,
        })
    };
    going.courses.iter().filter_map(meet).min_by(|a, b| a.along_m.total_cmp(&b.along_m))
}

/// A straight course from a place.
struct Ray<'a> {
    shape: &'a Shape,
    flat: Flat,
    direction: Coord<f64>,
}

impl<'a> Ray<'a> {
    fn new(shape: &'a Shape, from: Coordinate, course_deg: f64) -> Self {
        let course = course_deg.to_radians();
        Self { shape, flat: Flat::around(from), direction: Coord { x: course.sin(), y: course.cos() } }
    }

    fn at(&self, along_m: f64) -> Coordinate {
        self.flat.coordinate(self.direction * along_m)
    }

    /// The stretch up to `reach_m` on which the area can be within `margin_m`: where the course crosses the circle
    /// around it, with a hundredth for what the flat map gets wrong; `None`: it passes by.
    fn window(&self, reach_m: f64, margin_m: f64) -> Option<(f64, f64)> {
        let centre = self.flat.metres(self.shape.centre());
        let along_m = centre.x * self.direction.x + centre.y * self.direction.y;
        let across_m = (centre.x * self.direction.y - centre.y * self.direction.x).abs();
        let radius_m = self.shape.extent_m() + margin_m + 0.01 * along_m.hypot(across_m);
        let half_m = (radius_m * radius_m - across_m * across_m).max(0.0).sqrt();
        let (begin_m, end_m) = ((along_m - half_m).max(0.0), (along_m + half_m).min(reach_m));
        (across_m <= radius_m && begin_m <= end_m).then_some((begin_m, end_m))
    }

    /// The first place from `from_m` to `to_m` that is within `width_m` of the area. A step never leaps over one:
    /// distance shrinks by at most a metre a metre, and the width grows by at most `widen`.
    fn first_touch(&self, from_m: f64, to_m: f64, width_m: impl Fn(f64) -> f64, widen: f64) -> Option<f64> {
        let mut along_m = from_m;
        for _ in 0..STEPS_MAX {
            if along_m > to_m {
                return None;
            }
            let gap_m = self.shape.distance_m(self.at(along_m)) - width_m(along_m);
            if gap_m <= TOUCH_M {
                return Some(along_m);
            }
            along_m += (gap_m / (1.0 + widen)).max(STEP_MIN_M);
        }
        Some(along_m)
    }
}
