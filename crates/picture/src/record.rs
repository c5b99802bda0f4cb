//! What readers see of a vehicle, and of all of them.

use std::sync::Arc;

use imbl::OrdMap;
use transit::{
    Coordinate, FeedId, Journey, JourneyState, Mode, Occupancy, PositionSource, StopReference, StopStatus, UtcMillis,
    VehicleKey, Word,
};

use crate::{Freshness, Quality};

/// A vehicle as published: immutable, shared by every reader of a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct VehicleRecord {
    /// Which.
    pub key: VehicleKey,
    /// The feed of the message with the greatest order key.
    pub feed: FeedId,
    /// Kind of vehicle.
    pub mode: Mode,
    /// The device's clock in the newest message.
    pub event_time: UtcMillis,
    /// When the newest message reached us.
    pub received_at: UtcMillis,
    /// Clock offset in milliseconds: event time plus this is our clock.
    pub offset_ms: i64,
    /// How fresh, as of the publication that last changed it.
    pub freshness: Freshness,
    /// What to doubt.
    pub quality: Quality,
    /// Where; `None` when never reported or no place on the globe.
    pub coordinate: Option<Coordinate>,
    /// The device's clock of that position.
    pub position_event_time: Option<UtcMillis>,
    /// Degrees clockwise from north, 0..360.
    pub bearing: Option<f32>,
    /// Metres a second.
    pub speed_mps: Option<f32>,
    /// Metres.
    pub accuracy_m: Option<f32>,
    /// Metres.
    pub odometer_m: Option<f64>,
    /// How the position was found.
    pub position_source: Option<PositionSource>,
    /// Any door open.
    pub doors_open: Option<bool>,
    /// The stop it is at or going to.
    pub stop: StopReference,
    /// How it stands to that stop.
    pub current_status: Option<StopStatus>,
    /// Seconds behind the timetable.
    pub delay_s: Option<i32>,
    /// How full.
    pub occupancy: Occupancy,
    /// What it is doing.
    pub journey: Journey,
    /// What it announces to do next. Boxed, because few vehicles announce anything.
    pub upcoming: Option<Box<Journey>>,
    /// Device restart counter of the newest message.
    pub boot: Option<u64>,
    /// Device message counter of the newest message.
    pub seq: Option<u64>,
    /// The publication at which it last changed.
    pub revision: u64,
}

impl VehicleRecord {
    /// A vehicle of which nothing is known yet.
    pub fn unknown(key: VehicleKey, feed: FeedId) -> Self {
        Self {
            key,
            feed,
            mode: Mode::Unknown,
            event_time: UtcMillis(0),
            received_at: UtcMillis(0),
            offset_ms: 0,
            freshness: Freshness::Lost,
            quality: Quality::default(),
            coordinate: None,
            position_event_time: None,
            bearing: None,
            speed_mps: None,
            accuracy_m: None,
            odometer_m: None,
            position_source: None,
            doors_open: None,
            stop: StopReference::default(),
            current_status: None,
            delay_s: None,
            occupancy: Occupancy::default(),
            journey: Journey::default(),
            upcoming: None,
            boot: None,
            seq: None,
            revision: 0,
        }
    }

    /// Milliseconds since the newest message was true: `as_of` minus event time on our clock, never less than the
    /// time since we received it, never negative.
    pub fn age_ms(&self, as_of: UtcMillis) -> i64 {
        let by_device = as_of.since(self.event_time.plus_millis(self.offset_ms));
        by_device.max(as_of.since(self.received_at)).max(0)
    }
}

/// How many vehicles there are of each sort, kept up to date with every change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All.
    pub vehicles: usize,
    /// By freshness, in its order.
    pub by_freshness: [usize; 4],
    /// By journey state, in its order; last: not said.
    pub by_journey_state: [usize; 6],
    /// Of them, with a clock flagged ahead or behind.
    pub skewed: usize,
    /// Of them, beyond the cap of unknown vehicles.
    pub overflow: usize,
}

impl Counts {
    /// Vehicles of one freshness.
    pub fn of_freshness(&self, freshness: Freshness) -> usize {
        self.by_freshness[freshness as usize]
    }

    /// Vehicles of one journey state; `None`: not said.
    pub fn of_journey_state(&self, state: Option<JourneyState>) -> usize {
        self.by_journey_state[journey_state_index(state)]
    }
}

/// Where a journey state is counted.
pub(crate) fn journey_state_index(state: Option<JourneyState>) -> usize {
    state.map_or(JourneyState::ALL.len(), |s| s as usize)
}

/// Every vehicle as of one publication. Cheap to clone: it shares all that did not change.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// By id, sorted.
    pub vehicles: OrdMap<VehicleKey, Arc<VehicleRecord>>,
    /// How many of each sort.
    pub counts: Counts,
}

/// A view of given records, counted: for tests and for those who build a picture of their own.
impl FromIterator<VehicleRecord> for View {
    fn from_iter<I: IntoIterator<Item = VehicleRecord>>(records: I) -> Self {
        let vehicles: OrdMap<VehicleKey, Arc<VehicleRecord>> =
            records.into_iter().map(|r| (r.key.clone(), Arc::new(r))).collect();
        let mut counts = Counts { vehicles: vehicles.len(), ..Counts::default() };
        for record in vehicles.values() {
            counts.by_freshness[record.freshness as usize] += 1;
            counts.by_journey_state[journey_state_index(record.journey.state)] += 1;
            counts.skewed += usize::from(record.quality.is_skewed());
            counts.overflow += usize::from(record.quality.contains(crate::QualityFlag::Overflow));
        }
        Self { vehicles, counts }
    }
}
