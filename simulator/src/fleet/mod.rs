//! A vehicle's day: out of the depot, along its line, at its stops, late or not, and home again. Knows no message
//! format and no fault.
//!
//! A vehicle is always in one [`Phase`] with a known end; between the ends its place follows from the instant alone,
//! so that nothing depends on how often anybody looks. `account` is what it says of itself in a phase.

mod account;

use decode::formats::hfp::HfpEvent;
use transit::{
    AgencyId, BlockId, FeedId, Mode, RouteId, ServiceDate, StopId, TripId, UtcMillis, VehicleId, VehicleKey,
};

pub use self::account::Truth;
use crate::{
    city::{City, Line, Piece, capacity, drive},
    dice::{Dice, Purpose},
    motion::Motion,
    plane::Spot,
};

const SHORT: &str = "a city's own ids are short and plain";

const DAY_MS: i64 = 86_400_000;
/// Switched on before it leaves the depot.
const WAKING_MS: i64 = 240_000;
/// At the first stop before the first departure.
const EARLY_AT_TERMINAL_MS: i64 = 240_000;
/// Signed on to the trip before its departure.
const READY_MS: i64 = 60_000;
/// From "about to arrive" to the stop.
const NEAR_MS: i64 = 12_000;
/// Never leaves a stop earlier than so long before its time.
const EARLY_MS: i64 = 30_000;
/// From signing off to silence.
const SIGN_OFF_MS: i64 = 500;
/// Doors take a moment to open and to close.
const DOORS_MS: i64 = 1500;

/// The clock that the city's timetable lives by.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    /// Noon minus 12 h of the first service day.
    pub(crate) day_start: UtcMillis,
    /// That day and its neighbours: yesterday, today, tomorrow and so on.
    pub(crate) dates: Vec<ServiceDate>,
}

impl Calendar {
    fn start_ms(&self, day: i64) -> i64 {
        self.day_start.0 + day * DAY_MS
    }

    /// `day` counts from -1, yesterday; days beyond the list keep its last date.
    fn date(&self, day: i64) -> ServiceDate {
        let index = usize::try_from(day + 1).unwrap_or(0).min(self.dates.len() - 1);
        self.dates[index]
    }
}

/// What a vehicle is busy with.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Switched off in the depot: silent.
    Off,
    /// Switched on in the depot, before leaving.
    Waking,
    /// From the depot to the first stop.
    PullOut(Motion),
    /// At the terminal between two trips, signed on to none.
    Layover,
    /// At the first stop, signed on, doors open.
    Ready,
    /// From stop `link` to the next.
    Driving { link: usize, motion: Motion, near: bool },
    /// At a stop, doors opening, open, closing.
    Halting { stop: usize, doors: Doors },
    /// Back to the depot.
    PullIn(Motion),
    /// In the depot, still switched on.
    Resting,
    /// Told to switch off, and standing where it was told.
    Halted { spot: Spot, bearing: f64 },
    /// Signed off, about to go silent.
    SigningOff { spot: Spot, bearing: f64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doors {
    Opening,
    Open,
    Closing,
}

/// What a vehicle has to say at the end of a phase.
pub(crate) type Said = &'static [HfpEvent];

/// One vehicle at an instant.
#[derive(Debug, Clone)]
pub(crate) struct Vehicle {
    index: usize,
    phase: Phase,
    /// When the phase ends.
    pub(crate) phase_end: i64,
    /// When it reports next; meaningful while it is switched on.
    pub(crate) next_report: i64,
    day: i64,
    piece: Piece,
    trip: u32,
    key: VehicleKey,
    /// The trip's name, once it has one.
    trip_id: Option<TripId>,
    delay_s: i32,
    passengers: u32,
    odometer_m: f64,
    boot: u64,
    seq: u64,
    /// Reports in HFP instead of the native format.
    pub(crate) speaks_hfp: bool,
    block_id: BlockId,
    /// Where within a second it reports, and how its receiver sways.
    jitter: f64,
}

/// What every vehicle lives in.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) city: City,
    pub(crate) calendar: Calendar,
    pub(crate) seed: u64,
    pub(crate) interval_ms: i64,
    feed: FeedId,
    /// Of every line.
    routes: Vec<RouteId>,
    /// Of every stop.
    stops: Vec<StopId>,
}

impl World {
    pub(crate) fn new(city: City, calendar: Calendar, seed: u64, interval_ms: u32) -> Self {
        Self {
            calendar,
            seed,
            interval_ms: i64::from(interval_ms.max(1)),
            feed: FeedId::parse("simulator").expect(SHORT),
            routes: city.lines.iter().map(|line| RouteId::parse(&line.id).expect(SHORT)).collect(),
            stops: city.stops.iter().map(|stop| StopId::parse(&stop.id).expect(SHORT)).collect(),
            city,
        }
    }

    fn line(&self, vehicle: usize) -> &Line {
        &self.city.lines[self.city.vehicles[vehicle].line]
    }
}

impl Vehicle {
    /// The vehicle as it is at `now`, in the middle of whatever it should be doing then.
    pub(crate) fn at(world: &World, index: usize, now: i64, speaks_hfp: bool) -> Self {
        let roster = &world.city.vehicles[index];
        let mut device = Dice::new(world.seed, Purpose::Device, index as u64, 0);
        let jitter = device.unit();
        let mut vehicle = Self {
            index,
            phase: Phase::Off,
            phase_end: i64::MAX,
            next_report: now,
            day: 0,
            piece: Piece { first_s: 0, trips: 0 },
            trip: 0,
            key: VehicleKey {
                agency: AgencyId::parse(&roster.agency).expect(SHORT),
                vehicle: VehicleId::parse(&roster.vehicle).expect(SHORT),
            },
            trip_id: None,
            delay_s: 0,
            passengers: 0,
            odometer_m: 0.0,
            boot: 1 + device.below(900) as u64,
            seq: device.below(50_000) as u64,
            speaks_hfp,
            block_id: BlockId::parse(&format!("{}/{}", world.city.lines[roster.line].id, roster.seat + 1))
                .expect(SHORT),
            jitter,
        };
        vehicle.await_work(world, now, -1);
        vehicle.join_in(world, now);
        while vehicle.phase_end <= now {
            vehicle.turn(world, vehicle.phase_end);
        }
        vehicle.next_report = now + (jitter * world.interval_ms as f64) as i64;
        vehicle
    }

    /// Who it is.
    pub(crate) fn key(&self) -> &VehicleKey {
        &self.key
    }

    /// Switched on, and so heard.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self.phase, Phase::Off)
    }

    /// Counts one more message of the device.
    pub(crate) fn count(&mut self) {
        self.seq += 1;
    }

    /// The next instant at which anything happens.
    pub(crate) fn next_wake(&self) -> i64 {
        if self.is_on() { self.phase_end.min(self.next_report) } else { self.phase_end }
    }

    /// Stands still from `now` on, and switches off at `at`.
    pub(crate) fn switch_off(&mut self, world: &World, now: i64, at: i64) {
        if self.is_on() {
            let (spot, bearing, _) = self.place(world, now);
            self.phase = Phase::Halted { spot, bearing };
            self.phase_end = at;
        }
    }

    /// Off until the first piece of work, from `day` on, that is not over at `now`.
    fn await_work(&mut self, world: &World, now: i64, day: i64) {
        let line = world.line(self.index);
        let pieces = line.timetable.pieces(world.city.vehicles[self.index].seat);
        self.phase = Phase::Off;
        self.phase_end = i64::MAX;
        for day in day.. {
            for piece in &pieces {
                let ends =
                    world.calendar.start_ms(day) + seconds(piece.first_s + piece.trips * line.timetable.half_cycle_s);
                if ends + pull_motion(line, 0).end_ms() > now {
                    (self.day, self.piece, self.trip) = (day, *piece, 0);
                    self.phase_end =
                        self.scheduled_start(world) - EARLY_AT_TERMINAL_MS - pull_motion(line, 0).end_ms() - WAKING_MS;
                    return;
                }
            }
            if pieces.is_empty() {
                return;
            }
        }
    }

    /// Skips the trips of its work that are over at `now`: nobody saw them.
    fn join_in(&mut self, world: &World, now: i64) {
        let half_cycle_ms = seconds(world.line(self.index).timetable.half_cycle_s);
        let since_first = now - self.scheduled_start(world);
        if since_first < 0 || self.phase_end > now {
            return;
        }
        let trip = u32::try_from(since_first / half_cycle_ms).unwrap_or(u32::MAX);
        self.trip = trip.min(self.piece.trips - 1);
        self.odometer_m = world.line(self.index).shape.length_m() * f64::from(self.trip);
        let signs_on = self.scheduled_start(world) - READY_MS;
        self.lay_over(world, signs_on, &[]);
    }

    /// When the timetable wants the current trip to start.
    fn scheduled_start(&self, world: &World) -> i64 {
        world.calendar.start_ms(self.day) + seconds(self.start_s(world))
    }

    fn start_s(&self, world: &World) -> u32 {
        self.piece.first_s + self.trip * world.line(self.index).timetable.half_cycle_s
    }

    fn direction(&self) -> usize {
        (self.trip % 2) as usize
    }

    /// Ends the phase at `at` and begins the next; what the vehicle says of it.
    pub(crate) fn turn(&mut self, world: &World, at: i64) -> Said {
        let line = world.line(self.index);
        match self.phase {
            Phase::Off => {
                (self.boot, self.seq, self.odometer_m, self.passengers) = (self.boot + 1, 0, 0.0, 0);
                self.next_report = at;
                self.begin(Phase::Waking, at + WAKING_MS, &[])
            }
            Phase::Waking => {
                let motion = pull_motion(line, at);
                self.begin(Phase::PullOut(motion), motion.end_ms(), &[])
            }
            Phase::PullOut(motion) => {
                self.odometer_m += motion.distance_m();
                let signs_on = (self.scheduled_start(world) - READY_MS).max(at + 1000);
                self.lay_over(world, signs_on, &[])
            }
            Phase::Layover => self.sign_on(world, at),
            Phase::Ready => {
                self.delay_s = delay(at, self.scheduled_start(world));
                self.depart(world, 0, at, &[HfpEvent::Doc, HfpEvent::Dep])
            }
            Phase::Driving { link, motion, near: false } => {
                self.begin(Phase::Driving { link, motion, near: true }, motion.end_ms(), &[HfpEvent::Due])
            }
            Phase::Driving { link, motion, near: true } => {
                self.odometer_m += motion.distance_m();
                let stop = link + 1;
                let due = self.scheduled_start(world) + seconds(line.timetable.arrival_s[self.direction()][stop]);
                self.delay_s = delay(at, due);
                self.begin(
                    Phase::Halting { stop, doors: Doors::Opening },
                    at + DOORS_MS,
                    &[HfpEvent::Arr, HfpEvent::Ars],
                )
            }
            Phase::Halting { stop, doors } => self.turn_at_stop(world, stop, doors, at),
            Phase::PullIn(motion) => {
                self.odometer_m += motion.distance_m();
                let cleaning_s = self.dice(world, u64::MAX).between(60.0, 480.0);
                self.begin(Phase::Resting, at + (cleaning_s * 1000.0) as i64, &[])
            }
            Phase::Resting => {
                let spot = line.pull_out.at(0.0).0;
                self.begin(Phase::SigningOff { spot, bearing: 0.0 }, at + SIGN_OFF_MS, &[HfpEvent::Dout])
            }
            Phase::Halted { spot, bearing } => {
                self.begin(Phase::SigningOff { spot, bearing }, at + SIGN_OFF_MS, &[HfpEvent::Dout])
            }
            Phase::SigningOff { .. } => {
                // Its work is done for this piece, wherever it was switched off.
                let first = world.calendar.start_ms(self.day) + seconds(self.piece.first_s);
                let trips_ms = seconds(line.timetable.half_cycle_s * self.piece.trips);
                let home = first + trips_ms + pull_motion(line, 0).end_ms();
                self.await_work(world, at.max(home), self.day);
                self.phase_end = self.phase_end.max(at + WAKING_MS);
                &[]
            }
        }
    }

    fn begin(&mut self, phase: Phase, end: i64, said: Said) -> Said {
        (self.phase, self.phase_end) = (phase, end);
        said
    }

    /// Waits for the next trip, whose name is known from now on.
    fn lay_over(&mut self, world: &World, signs_on: i64, said: Said) -> Said {
        let (line, start_s) = (&world.line(self.index).id, self.start_s(world));
        let seat = world.city.vehicles[self.index].seat + 1;
        let name = format!("{line}-{}-{:02}{:02}-{seat}", self.direction(), start_s / 3600, start_s / 60 % 60);
        self.trip_id = Some(TripId::parse(&name).expect(SHORT));
        self.begin(Phase::Layover, signs_on, said)
    }

    fn sign_on(&mut self, world: &World, at: i64) -> Said {
        self.passengers = 0;
        // Most drivers leave within seconds of their time, some are held up.
        let mut dice = self.dice(world, u64::MAX - 1);
        let held_s = if dice.chance(0.1) { dice.between(20.0, 150.0) } else { dice.between(0.0, 20.0) };
        let ready = (at + READY_MS / 2).max(self.scheduled_start(world));
        self.begin(Phase::Ready, ready + (held_s * 1000.0) as i64, &[HfpEvent::Vja, HfpEvent::Doo])
    }

    fn turn_at_stop(&mut self, world: &World, stop: usize, doors: Doors, at: i64) -> Said {
        let line = world.line(self.index);
        let is_last = stop + 1 == line.stops.len();
        let mut dice = self.dice(world, 1_000_000 + stop as u64);
        match doors {
            Doors::Opening => {
                self.exchange_passengers(line.mode, is_last, &mut dice);
                let due = self.scheduled_start(world) + seconds(line.timetable.arrival_s[self.direction()][stop]);
                let dwell = at + (dice.between(7.0, 30.0) * 1000.0) as i64;
                let leave = if is_last { dwell } else { dwell.max(due - EARLY_MS) };
                self.begin(Phase::Halting { stop, doors: Doors::Open }, leave, &[HfpEvent::Doo])
            }
            Doors::Open => self.begin(Phase::Halting { stop, doors: Doors::Closing }, at + DOORS_MS, &[HfpEvent::Doc]),
            Doors::Closing if is_last => self.end_trip(world, at),
            Doors::Closing => self.depart(world, stop, at, &[HfpEvent::Pde, HfpEvent::Dep]),
        }
    }

    fn exchange_passengers(&mut self, mode: Mode, is_last: bool, dice: &mut Dice) {
        let capacity = f64::from(capacity(mode));
        let leaving = if is_last { 1.0 } else { dice.between(0.0, 0.35) };
        let stayed = f64::from(self.passengers) * (1.0 - leaving);
        let boarding = if is_last { 0.0 } else { dice.between(0.0, 0.13) * capacity };
        self.passengers = (stayed + boarding).min(capacity * 1.05) as u32;
    }

    fn depart(&mut self, world: &World, stop: usize, at: i64, said: Said) -> Said {
        let line = world.line(self.index);
        let drive = drive(line.mode);
        let mut dice = self.dice(world, stop as u64);
        // Traffic: a tenth of the links is slow, the rest about as the timetable expects.
        let pace = if dice.chance(0.1) { dice.between(0.45, 0.75) } else { dice.between(0.8, 1.3) };
        let cruise_mps = (drive.cruise_mps * pace).min(drive.cruise_mps_max);
        let motion = Motion::new(at, link_m(line, self.direction(), stop), cruise_mps, drive.accel);
        let near_from = (motion.end_ms() - NEAR_MS).max(at + 1);
        self.begin(Phase::Driving { link: stop, motion, near: false }, near_from, said)
    }

    fn end_trip(&mut self, world: &World, at: i64) -> Said {
        if self.trip + 1 == self.piece.trips {
            let motion = pull_motion(world.line(self.index), at);
            return self.begin(Phase::PullIn(motion), motion.end_ms(), &[HfpEvent::Vjout]);
        }
        self.trip += 1;
        let signs_on = (self.scheduled_start(world) - READY_MS).max(at + 1000);
        self.lay_over(world, signs_on, &[HfpEvent::Vjout])
    }

    /// Draws for one moment of the current trip.
    fn dice(&self, world: &World, moment: u64) -> Dice {
        let trip = (self.day + 1) as u64 * 100_000 + u64::from(self.piece.first_s) + u64::from(self.trip);
        let purpose = if moment >= 1_000_000 { Purpose::Trip } else { Purpose::Link };
        Dice::new(world.seed ^ trip.rotate_left(32), purpose, self.index as u64, moment)
    }
}

fn seconds(s: u32) -> i64 {
    i64::from(s) * 1000
}

fn delay(at: i64, due: i64) -> i32 {
    i32::try_from((at - due) / 1000).unwrap_or(0)
}

/// Metres from a stop to the next.
fn link_m(line: &Line, direction: usize, stop: usize) -> f64 {
    stop_m(line, direction, stop + 1) - stop_m(line, direction, stop)
}

/// Metres driven in a direction until its `stop`th stop.
fn stop_m(line: &Line, direction: usize, stop: usize) -> f64 {
    if direction == 0 {
        line.stops[stop].along_m
    } else {
        line.shape.length_m() - line.stops[line.stops.len() - 1 - stop].along_m
    }
}

/// The way between the depot and the first stop.
fn pull_motion(line: &Line, at: i64) -> Motion {
    let drive = drive(line.mode);
    Motion::new(at, line.pull_out.length_m(), drive.cruise_mps_max * 0.8, drive.accel)
}
