//! What a vehicle says of itself at an instant, and where it truly is. Knows no message format, and nothing of what
//! comes next.

use decode::formats::hfp::{HfpEvent, Sent, percentage_status};
use transit::{
    Fix, Journey, JourneyState, Mode, Observation, Occupancy, PositionSource, ServiceTime, Significance, StopReference,
    StopStatus, StopStatusReport, UtcMillis,
};

use super::{DAY_MS, Doors, Phase, Vehicle, World, stop_m};
use crate::{
    city::{Line, capacity},
    plane::Spot,
};

/// Announces its next trip from so long before it signs on.
const ANNOUNCE_MS: i64 = 60_000;

/// Where a vehicle truly is: the ground truth that no fault touches.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Index into [`crate::City::vehicles`].
    pub vehicle: usize,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Metres a second.
    pub speed_mps: f64,
    /// What it is doing.
    pub journey: JourneyState,
    /// Seconds late at its last stop.
    pub delay_s: i32,
    /// Passengers on board.
    pub passengers: u32,
    /// False while it is switched off and silent.
    pub switched_on: bool,
}

impl Vehicle {
    /// Carrying passengers on a trip.
    pub(crate) fn in_service(&self) -> bool {
        self.journey() == JourneyState::InService
    }

    fn journey(&self) -> JourneyState {
        match self.phase {
            Phase::Off | Phase::SigningOff { .. } => JourneyState::SignedOff,
            Phase::Waking | Phase::PullOut(_) | Phase::PullIn(_) | Phase::Resting | Phase::Halted { .. } => {
                JourneyState::Deadrun
            }
            Phase::Layover => JourneyState::Layover,
            Phase::Ready | Phase::Driving { .. } | Phase::Halting { .. } => JourneyState::InService,
        }
    }

    /// Spot, direction in degrees, metres a second.
    pub(super) fn place(&self, world: &World, at: i64) -> (Spot, f64, f64) {
        let line = world.line(self.index);
        let backwards = |bearing: f64| (bearing + 180.0) % 360.0;
        let on_line = |along_m: f64, speed: f64| {
            if self.direction() == 0 {
                let (spot, bearing) = line.shape.at(along_m);
                (spot, bearing, speed)
            } else {
                let (spot, bearing) = line.shape.at(line.shape.length_m() - along_m);
                (spot, backwards(bearing), speed)
            }
        };
        match self.phase {
            Phase::Off | Phase::Waking | Phase::Resting => (line.pull_out.at(0.0).0, 0.0, 0.0),
            Phase::PullOut(motion) => {
                let (driven, speed) = motion.at(at);
                let (spot, bearing) = line.pull_out.at(driven);
                (spot, bearing, speed)
            }
            Phase::PullIn(motion) => {
                let (driven, speed) = motion.at(at);
                let (spot, bearing) = line.pull_out.at(motion.distance_m() - driven);
                (spot, backwards(bearing), speed)
            }
            Phase::Layover | Phase::Ready => on_line(0.0, 0.0),
            Phase::Driving { link, motion, .. } => {
                let (driven, speed) = motion.at(at);
                on_line(stop_m(line, self.direction(), link) + driven, speed)
            }
            Phase::Halting { stop, .. } => on_line(stop_m(line, self.direction(), stop), 0.0),
            Phase::Halted { spot, bearing } | Phase::SigningOff { spot, bearing } => (spot, bearing, 0.0),
        }
    }

    /// Where it truly is.
    pub(crate) fn truth(&self, world: &World, at: i64) -> Truth {
        let (spot, _, speed_mps) = self.place(world, at);
        let (lat, lon) = world.city.plane.degrees(spot);
        Truth {
            vehicle: self.index,
            lat,
            lon,
            speed_mps,
            journey: self.journey(),
            delay_s: self.delay_s,
            passengers: self.passengers,
            switched_on: self.is_on(),
        }
    }

    /// Whether an announcement of the next trip goes with the report at `at`: every tenth in the minute before
    /// signing on.
    pub(crate) fn announces(&self, world: &World, at: i64) -> bool {
        matches!(self.phase, Phase::Layover) && self.phase_end - at <= ANNOUNCE_MS && (at / world.interval_ms) % 10 == 0
    }

    /// What it says of itself at `at`. `announced` asks for the next trip instead of the present.
    pub(crate) fn observation(&self, world: &World, at: i64, announced: bool) -> Observation {
        let line = world.line(self.index);
        let state = if announced { JourneyState::Upcoming } else { self.journey() };
        let on_trip = state == JourneyState::InService;
        let journey = Some(match on_trip || announced {
            true => self.trip_words(world, state),
            false => Journey { state: Some(state), ..Journey::default() },
        });
        let (journey, upcoming) = if announced { (None, journey) } else { (journey, None) };
        let at_stop = self.at_stop();
        let stop_id = at_stop.map(|(stop, _)| world.stops[line_stop(line, self.direction(), stop)].clone());
        Observation {
            vehicle: self.key.clone(),
            feed: world.feed.clone(),
            event_time: UtcMillis(at),
            boot: Some(self.boot),
            seq: Some(self.seq),
            significance: Significance::Plain,
            content: 0,
            mode: Some(line.mode),
            // Metro trains do not know where they are.
            position: (line.mode != Mode::Metro).then(|| self.fix(world, at)),
            doors_open: Some(self.doors_open()),
            stop_status: at_stop.map(|(_, status)| StopStatusReport { stop_id: stop_id.clone(), status }),
            stop: at_stop
                .map(|(stop, _)| StopReference { stop_id, current_stop_sequence: u32::try_from(stop + 1).ok() }),
            delay_s: on_trip.then_some(self.delay_s),
            occupancy: on_trip.then(|| self.occupancy(line)),
            journey,
            upcoming,
            retained: false,
        }
    }

    /// What an HFP device adds to `event`.
    pub(crate) fn hfp_words<'w>(&self, world: &'w World, event: HfpEvent) -> Sent<'w> {
        let line = world.line(self.index);
        let last = line_stop(line, self.direction(), line.stops.len() - 1);
        Sent { event, headsign: &world.city.stops[last].name, desi: &line.id, jrn: Some(self.trip + 1) }
    }

    /// The receiver's fix: right to 3 m, swaying slowly as satellites move, so that a parked bus never stands quite
    /// still and a driving one never jumps.
    fn fix(&self, world: &World, at: i64) -> Fix {
        let (spot, bearing, speed_mps) = self.place(world, at);
        let driven_m = match self.phase {
            Phase::PullOut(motion) | Phase::PullIn(motion) | Phase::Driving { motion, .. } => motion.at(at).0,
            Phase::Off | Phase::Waking | Phase::Layover | Phase::Ready => 0.0,
            Phase::Halting { .. } | Phase::Resting | Phase::Halted { .. } | Phase::SigningOff { .. } => 0.0,
        };
        let t = (at % DAY_MS) as f64 / 1000.0;
        let sway = |period_s: f64| (t / period_s + self.jitter * 7.0).sin() * 2.2;
        let (lat, lon) = world.city.plane.degrees(spot.shifted(sway(23.0), sway(17.0)));
        Fix {
            bearing: Some(bearing.round() as f32 % 360.0),
            speed_mps: Some(((speed_mps * 100.0).round() / 100.0) as f32),
            odometer_m: Some((self.odometer_m + driven_m).floor()),
            source: Some(PositionSource::Gps),
            ..Fix::at(lat, lon)
        }
    }

    fn doors_open(&self) -> bool {
        match self.phase {
            Phase::Ready => true,
            Phase::Halting { doors, .. } => doors == Doors::Open,
            Phase::Off | Phase::Waking | Phase::PullOut(_) | Phase::Layover | Phase::Driving { .. } => false,
            Phase::PullIn(_) | Phase::Resting | Phase::Halted { .. } | Phase::SigningOff { .. } => false,
        }
    }

    fn occupancy(&self, line: &Line) -> Occupancy {
        let percentage = self.passengers * 100 / capacity(line.mode);
        if self.speaks_hfp {
            // Most of these know only "full" and "not full".
            return Occupancy { status: None, percentage: Some(if percentage >= 95 { 100 } else { 0 }) };
        }
        Occupancy { status: Some(percentage_status(percentage)), percentage: Some(percentage) }
    }

    fn at_stop(&self) -> Option<(usize, StopStatus)> {
        match self.phase {
            Phase::Layover | Phase::Ready => Some((0, StopStatus::StoppedAt)),
            Phase::Driving { link, near: false, .. } => Some((link + 1, StopStatus::InTransitTo)),
            Phase::Driving { link, near: true, .. } => Some((link + 1, StopStatus::IncomingAt)),
            Phase::Halting { stop, .. } => Some((stop, StopStatus::StoppedAt)),
            Phase::Off | Phase::Waking | Phase::PullOut(_) => None,
            Phase::PullIn(_) | Phase::Resting | Phase::Halted { .. } | Phase::SigningOff { .. } => None,
        }
    }

    fn trip_words(&self, world: &World, state: JourneyState) -> Journey {
        Journey {
            state: Some(state),
            route_id: Some(world.routes[world.city.vehicles[self.index].line].clone()),
            direction_id: u8::try_from(self.direction()).ok(),
            trip_id: self.trip_id.clone(),
            service_date: Some(world.calendar.date(self.day)),
            start_time: Some(ServiceTime(self.start_s(world))),
            block_id: Some(self.block_id.clone()),
            consist: None,
        }
    }
}

/// Index of the `stop`th stop in a direction.
fn line_stop(line: &Line, direction: usize, stop: usize) -> usize {
    let place = if direction == 0 { stop } else { line.stops.len() - 1 - stop };
    line.stops[place].stop
}
