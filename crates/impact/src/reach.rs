//! What an area means for the fleet: who is inside, who comes in, who has gone dark.
//!
//! Every list names vehicles with the age of what it rests on. Inside and entering hold vehicles that still speak;
//! one that has gone silent is in `unaccounted` as long as it was last seen inside or heading in. Nobody is dropped
//! for a doubtful position.

use std::sync::Arc;

use picture::{QualityFlag, TrailPoint, VehicleRecord};
use transit::{Coordinate, JourneyState, UtcMillis};

use crate::{
    Area, Index, Intervals,
    index::{Placed, Unit},
    motion::{self, CourseFrom, Going, Meeting, Motion, MotionOptions, TrailLookup},
    reading::{Reading, Trust, is_doubtful, is_expected, seconds},
};

/// Who will be in within 2, 5 and 10 minutes.
pub const HORIZONS_S: [f64; 3] = [120.0, 300.0, 600.0];
/// The last of them.
const HORIZON_MAX_S: f64 = HORIZONS_S[2];
/// A vehicle that stands, or does not say how fast it goes, is thought to do this when it goes, in metres a second.
const USUAL_MPS: f64 = 14.0;

/// What an answer is made from.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The vehicles.
    pub index: &'a Index,
    /// How often their feeds report.
    pub intervals: &'a Intervals,
    /// As of when ages count, by our clock.
    pub as_of: UtcMillis,
    /// Depot areas: vehicles there are parked.
    pub depots: &'a [Area],
    /// Where vehicles were; `None`: only what they say counts.
    pub trail: Option<TrailLookup<'a>>,
}

/// What can be tuned in an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReachOptions {
    /// How far courses are believed.
    pub motion: MotionOptions,
    /// A vehicle that gives no accuracy is taken to be within this, in metres.
    pub accuracy_default_m: f64,
    /// No stated accuracy counts for more than this, in metres.
    pub accuracy_max_m: f64,
    /// Silent is a position older than this, in seconds,
    pub silent_floor_s: f64,
    /// and than so many reporting intervals of its feed.
    pub silent_intervals: f64,
    /// Heading in: its course meets the area within this, in seconds,
    pub heading_s: f64,
    /// or within this, in metres.
    pub heading_m: f64,
    /// A vehicle that was heading in is missed for this long, in seconds; one that was inside for ever.
    pub heading_missed_s: f64,
}

impl Default for ReachOptions {
    fn default() -> Self {
        Self {
            motion: MotionOptions::default(),
            accuracy_default_m: 15.0,
            accuracy_max_m: 200.0,
            silent_floor_s: 60.0,
            silent_intervals: 3.0,
            heading_s: 300.0,
            heading_m: 1_500.0,
            heading_missed_s: 3_600.0,
        }
    }
}

/// Why a vehicle is not going anywhere by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parked {
    /// It signed off.
    SignedOff,
    /// It is in the depot of this label.
    Depot(String),
}

/// A vehicle inside.
#[derive(Debug, Clone)]
pub struct Within {
    /// The vehicle.
    pub vehicle: Arc<VehicleRecord>,
    /// Its position itself is inside; else only its accuracy reaches in.
    pub certain: bool,
    /// Metres from its position to the area; 0 when certain.
    pub distance_m: f64,
    /// Seconds since its newest message was true.
    pub age_s: f64,
    /// Seconds since its position was true.
    pub position_age_s: f64,
    /// Its position is to be doubted; `vehicle.quality` says why.
    pub doubtful: bool,
    /// It is parked there.
    pub parked: Option<Parked>,
}

/// Why a vehicle is thought to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its course meets the area.
    OnCourse,
    /// Its course passes near: a bend of the road is enough.
    NearCourse,
    /// It stands, but went a moment ago towards the area: a stop or a light.
    Paused,
}

/// A vehicle outside that will be in within 10 minutes if it goes on as it goes.
#[derive(Debug, Clone)]
pub struct Entering {
    /// The vehicle.
    pub vehicle: Arc<VehicleRecord>,
    /// Seconds until it is in, from `as_of`; 0: it may be in by now.
    pub eta_s: f64,
    /// The same if it goes at its fastest and the road bends towards the area.
    pub earliest_s: f64,
    /// Metres from its position straight to the area.
    pub distance_m: f64,
    /// Metres along its course.
    pub along_m: f64,
    /// Why it is thought so.
    pub why: Why,
    /// Degrees clockwise from north.
    pub course_deg: f64,
    /// Where the course is from.
    pub course_from: CourseFrom,
    /// The speed reckoned with, metres a second.
    pub speed_mps: f64,
    /// Seconds since its newest message was true.
    pub age_s: f64,
    /// Seconds since its position was true.
    pub position_age_s: f64,
    /// Its position is to be doubted.
    pub doubtful: bool,
}

/// How a silent vehicle was last seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SilentWhy {
    /// Inside, or with an accuracy that reaches in.
    Inside,
    /// On its way in; seconds from its last position to the area at its speed then.
    HeadingIn {
        /// Seconds.
        eta_s: f64,
    },
}

/// A vehicle that nobody can account for.
#[derive(Debug, Clone)]
pub struct Unaccounted {
    /// The vehicle.
    pub vehicle: Arc<VehicleRecord>,
    /// When its last position was true, by our clock.
    pub last_seen_at: UtcMillis,
    /// Seconds since then.
    pub position_age_s: f64,
    /// Seconds since its newest message of any kind was true.
    pub age_s: f64,
    /// It should have spoken within this, in seconds.
    pub limit_s: f64,
    /// How it was last seen.
    pub why: SilentWhy,
    /// Metres from its last position to the area.
    pub distance_m: f64,
    /// In service, or with a route or trip: somebody expects it to speak.
    pub expected: bool,
    /// Its last position is to be doubted.
    pub doubtful: bool,
}

/// A vehicle whose reported position says nothing about this area: it may be anywhere it could have driven to.
#[derive(Debug, Clone)]
pub struct Unplaced {
    /// The vehicle; its quality says what is wrong.
    pub vehicle: Arc<VehicleRecord>,
    /// Seconds since its newest message was true.
    pub age_s: f64,
    /// Its last good position and when that was true, where a trail knows one.
    pub last_good: Option<TrailPoint>,
    /// Metres from there to the area.
    pub distance_m: Option<f64>,
}

/// Vehicles near enough to matter that could not be judged, counted by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unjudged {
    /// No position was ever reported, anywhere in the fleet.
    pub no_position: usize,
    /// Near, outside, and without a course.
    pub no_course: usize,
    /// Near, outside, and without a speed.
    pub no_speed: usize,
}

/// What an area means for the fleet.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Inside, nearest the heart of certainty first: certain ones, then by distance.
    pub inside: Vec<Within>,
    /// Coming in within 10 minutes, soonest first.
    pub entering: Vec<Entering>,
    /// Gone dark inside or on the way in: expected ones first, then the longest silent.
    pub unaccounted: Vec<Unaccounted>,
    /// With a position that cannot be true.
    pub unplaced: Vec<Unplaced>,
    /// Not judged.
    pub unjudged: Unjudged,
}

impl Reach {
    /// Judges the whole fleet against an area.
    pub fn of(area: &Area, scene: &Scene<'_>, options: &ReachOptions) -> Self {
        let survey = Survey { area, scene, options, centre: Unit::of(area.centre()) };
        let mut reach = Self::default();
        for placed in scene.index.placed() {
            if survey.is_near(placed) {
                survey.judge(placed, &mut reach);
            }
        }
        for record in scene.index.suspect() {
            survey.judge_suspect(record, &mut reach);
        }
        reach.unjudged.no_position = scene.index.without_position();
        reach.inside.sort_by(|a, b| {
            b.certain
                .cmp(&a.certain)
                .then(a.distance_m.total_cmp(&b.distance_m))
                .then_with(|| a.vehicle.key.cmp(&b.vehicle.key))
        });
        reach.entering.sort_by(|a, b| a.eta_s.total_cmp(&b.eta_s).then_with(|| a.vehicle.key.cmp(&b.vehicle.key)));
        reach.unaccounted.sort_by(|a, b| {
            let longest = b.position_age_s.total_cmp(&a.position_age_s);
            b.expected.cmp(&a.expected).then(longest).then_with(|| a.vehicle.key.cmp(&b.vehicle.key))
        });
        reach
    }

    /// Those that will be in within `horizon_s` seconds, soonest first.
    pub fn entering_within(&self, horizon_s: f64) -> &[Entering] {
        let end = self.entering.partition_point(|e| e.eta_s <= horizon_s);
        self.entering.get(..end).unwrap_or_default()
    }
}

/// One area against one scene.
struct Survey<'a> {
    area: &'a Area,
    scene: &'a Scene<'a>,
    options: &'a ReachOptions,
    centre: Unit,
}

impl Survey<'_> {
    /// Whether it can matter at all: cheap, and never wrong to say yes.
    fn is_near(&self, placed: &Placed) -> bool {
        let o = self.options;
        let silent_s = seconds(self.scene.as_of.since(placed.true_at));
        let speed = placed.speed_mps.map_or(USUAL_MPS, |v| f64::from(v).max(USUAL_MPS));
        let way_m = (speed * (HORIZON_MAX_S + silent_s.min(o.silent_floor_s))).max(o.heading_m);
        let margin_m = o.accuracy_max_m + o.motion.corridor_max_m;
        placed.unit.chord_m(self.centre) <= self.area.extent_m() + way_m + margin_m
    }

    fn reading(&self, record: &VehicleRecord, coordinate: Coordinate) -> Reading {
        let o = self.options;
        let trust = Trust { accuracy_default_m: o.accuracy_default_m, accuracy_max_m: o.accuracy_max_m };
        Reading::of(record, coordinate, self.scene.as_of, trust)
    }

    /// Seconds after which silence means something.
    fn silent_limit_s(&self, record: &VehicleRecord) -> f64 {
        let interval_s = self.scene.intervals.find(&record.feed, record.mode).unwrap_or(0.0);
        self.options.silent_floor_s.max(self.options.silent_intervals * interval_s)
    }

    fn judge(&self, placed: &Placed, reach: &mut Reach) {
        let record = &placed.record;
        let reading = self.reading(record, placed.coordinate);
        // From outside the circle around the area its distance matters only to those who come in: measured then.
        let at_least_m = placed.unit.chord_m(self.centre) - self.area.extent_m();
        let exact_m = (at_least_m <= self.options.heading_m.max(reading.accuracy_m))
            .then(|| self.area.distance_m(placed.coordinate));
        if let Some(distance_m) = exact_m.filter(|metres| *metres <= reading.accuracy_m) {
            self.judge_inside(record, &reading, distance_m, reach);
            return;
        }
        self.judge_outside(placed, &reading, exact_m.unwrap_or(at_least_m), reach);
    }

    fn judge_inside(&self, record: &Arc<VehicleRecord>, reading: &Reading, distance_m: f64, reach: &mut Reach) {
        let parked = self.parked(record, reading.coordinate);
        let limit_s = self.silent_limit_s(record);
        if reading.position_age_s > limit_s && parked.is_none() {
            reach.unaccounted.push(self.unaccounted(record, reading, distance_m, SilentWhy::Inside));
            return;
        }
        reach.inside.push(Within {
            vehicle: Arc::clone(record),
            certain: distance_m <= 0.0,
            distance_m,
            age_s: reading.age_s,
            position_age_s: reading.position_age_s,
            doubtful: reading.doubtful,
            parked,
        });
    }

    fn unaccounted(
        &self,
        record: &Arc<VehicleRecord>,
        reading: &Reading,
        distance_m: f64,
        why: SilentWhy,
    ) -> Unaccounted {
        Unaccounted {
            vehicle: Arc::clone(record),
            last_seen_at: self.scene.as_of.plus_millis(-((reading.position_age_s * 1000.0) as i64)),
            position_age_s: reading.position_age_s,
            age_s: reading.age_s,
            limit_s: self.silent_limit_s(record),
            why,
            distance_m,
            expected: is_expected(record),
            doubtful: reading.doubtful,
        }
    }

    /// `at_least_m`: no nearer than this to the area, and exactly this where that is within `heading_m`.
    fn judge_outside(&self, placed: &Placed, reading: &Reading, at_least_m: f64, reach: &mut Reach) {
        let (record, o) = (&placed.record, self.options);
        let silent = reading.position_age_s > self.silent_limit_s(record);
        if silent && reading.position_age_s > o.heading_missed_s {
            return;
        }
        let near = at_least_m <= o.heading_m;
        let stands = record.speed_mps.is_some_and(|v| f64::from(v) < o.motion.standing_mps);
        if stands && (!near || self.scene.trail.is_none()) {
            return;
        }
        // A trail costs a look-up: asked for where it can change the answer.
        let wanted = near || record.bearing.is_none() || record.speed_mps.is_none();
        let look = |trail| motion::motion_of(record, placed.coordinate, trail, &o.motion);
        let motion = look(self.scene.trail.filter(|_| wanted));
        let met = match &motion {
            Motion::Standing => None,
            Motion::NoCourse => {
                reach.unjudged.no_course += usize::from(near);
                None
            }
            Motion::NoSpeed => {
                reach.unjudged.no_speed += usize::from(near);
                None
            }
            Motion::Going(going) => self.meets(reading, going, at_least_m).map(|meeting| (going.clone(), meeting)),
        };
        let Some((mut going, meeting)) = met else { return };
        let distance_m = if near { at_least_m } else { self.area.distance_m(placed.coordinate) };
        if self.parked(record, placed.coordinate).is_some() {
            return;
        }
        if !wanted
            && self.scene.trail.is_some()
            && let Motion::Going(refined) = look(self.scene.trail)
        {
            going = refined;
        }
        if silent {
            let eta_s = meeting.along_m / going.speed_mps;
            if eta_s <= o.heading_s || near {
                reach.unaccounted.push(self.unaccounted(record, reading, distance_m, SilentWhy::HeadingIn { eta_s }));
            }
            return;
        }
        reach.entering.extend(self.entering(record, reading, distance_m, &going, &meeting));
    }

    /// Where it meets the area, as far as it gets in the longest horizon from its own time on.
    fn meets(&self, reading: &Reading, going: &Going, at_least_m: f64) -> Option<Meeting> {
        let reach_m = going.speed_max_mps * (HORIZON_MAX_S + reading.position_age_s.min(HORIZON_MAX_S));
        let motion = &self.options.motion;
        if at_least_m > reach_m + motion.corridor_max_m.max(reading.accuracy_m) {
            return None;
        }
        motion::meeting(self.area.shape(), reading.coordinate, reading.accuracy_m, going, reach_m, motion)
    }

    fn entering(
        &self,
        record: &Arc<VehicleRecord>,
        reading: &Reading,
        distance_m: f64,
        going: &Going,
        meeting: &Meeting,
    ) -> Option<Entering> {
        let from_now_s = |metres: f64, mps: f64| (metres / mps - reading.position_age_s).max(0.0);
        let eta_s = from_now_s(meeting.along_m, going.speed_mps);
        if eta_s > HORIZON_MAX_S {
            return None;
        }
        Some(Entering {
            vehicle: Arc::clone(record),
            eta_s,
            earliest_s: from_now_s(meeting.touch_m.min(distance_m), going.speed_max_mps).min(eta_s),
            distance_m,
            along_m: meeting.along_m,
            why: match (going.paused, meeting.direct) {
                (true, _) => Why::Paused,
                (false, true) => Why::OnCourse,
                (false, false) => Why::NearCourse,
            },
            course_deg: meeting.course_deg,
            course_from: meeting.course_from,
            speed_mps: going.speed_mps,
            age_s: reading.age_s,
            position_age_s: reading.position_age_s,
            doubtful: reading.doubtful,
        })
    }

    fn parked(&self, record: &VehicleRecord, at: Coordinate) -> Option<Parked> {
        if record.journey.state == Some(JourneyState::SignedOff) {
            return Some(Parked::SignedOff);
        }
        let depot = self.scene.depots.iter().find(|depot| depot.may_hold(at, 0.0))?;
        Some(Parked::Depot(depot.name().label.clone()))
    }

    /// A position that cannot be true: read the other way round where its axes look exchanged, else the vehicle may
    /// be anywhere it can have driven to from its last good position.
    fn judge_suspect(&self, record: &Arc<VehicleRecord>, reach: &mut Reach) {
        let as_of = self.scene.as_of;
        if record.quality.contains(QualityFlag::SwappedAxes)
            && let Some(c) = record.coordinate.and_then(|c| Coordinate::parse(c.lon(), c.lat()).ok())
        {
            let reading = self.reading(record, c);
            let distance_m = self.area.distance_m(c);
            if distance_m <= reading.accuracy_m {
                self.judge_inside(record, &reading, distance_m, reach);
                return;
            }
        }
        debug_assert!(is_doubtful(record), "only doubtful positions come here");
        if record.quality.contains(QualityFlag::Jump)
            && let Some(c) = record.coordinate
            && self.area.distance_m(c) <= self.reading(record, c).accuracy_m
        {
            // Where it says it is it is listed already.
            return;
        }
        let last_good = self.scene.trail.and_then(|look| look(&record.key).last().copied());
        let distance_m = last_good.map(|p| self.area.distance_m(p.coordinate));
        if let (Some(point), Some(metres)) = (last_good, distance_m) {
            let gone_s = seconds(as_of.since(point.at.plus_millis(record.offset_ms))) + HORIZON_MAX_S;
            if metres > gone_s * USUAL_MPS {
                return;
            }
        }
        let age_s = seconds(record.age_ms(as_of));
        reach.unplaced.push(Unplaced { vehicle: Arc::clone(record), age_s, last_good, distance_m });
    }
}

#[cfg(test)]
mod tests;
