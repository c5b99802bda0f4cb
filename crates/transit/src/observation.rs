//! What a vehicle said of itself in one message, whatever format it came in.

use crate::{
    BlockId, Coordinate, FeedId, JourneyState, Mode, OccupancyStatus, PositionSource, RouteId, ServiceDate,
    ServiceTime, StopId, StopStatus, TripId, UtcMillis, VehicleKey,
};

/// One message of a vehicle, format left behind.
///
/// Facts come in groups that are replaced whole: a group that is `None` was not spoken of and leaves what is known;
/// a group that is `Some` replaces all of it, unknown parts included.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Who speaks. From the topic where the format has an identity there, never from the body.
    pub vehicle: VehicleKey,
    /// The feed it came by.
    pub feed: FeedId,
    /// The device's clock.
    pub event_time: UtcMillis,
    /// The device's restart counter; 0 in the order when absent.
    pub boot: Option<u64>,
    /// The device's message counter; 0 in the order when absent.
    pub seq: Option<u64>,
    /// Event messages go before plain positions of the same stamp.
    pub significance: Significance,
    /// Stable hash of topic and payload (of the entity's bytes where one payload holds many): equal messages are
    /// equal, whichever broker delivered them.
    pub content: u64,
    /// Kind of vehicle: said in the message, else the feed's default.
    pub mode: Option<Mode>,
    /// Where it is; `None` when the message had no position.
    pub position: Option<Fix>,
    /// Any door open.
    pub doors_open: Option<bool>,
    /// The stop it is at or going to.
    pub stop: Option<StopReference>,
    /// How it stands to a stop. Kept apart from `stop`, because HFP says it in other messages.
    pub stop_status: Option<StopStatusReport>,
    /// Seconds behind the timetable; negative is early.
    pub delay_s: Option<i32>,
    /// How full it is.
    pub occupancy: Option<Occupancy>,
    /// What it is doing now.
    pub journey: Option<Journey>,
    /// The trip it announces to do next: a second fact, which does not replace `journey`.
    pub upcoming: Option<Journey>,
    /// Delivered from the broker's retained store: last known, never fresh.
    pub retained: bool,
}

/// Rank between messages of one stamp; the greater wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Significance {
    /// A plain position.
    Plain,
    /// Stop, door, sign-on, sign-off.
    Event,
}

/// A reported position with what belongs to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fix {
    /// The place; `None` only when what was reported is no place on the globe (then `flaw` says why).
    pub coordinate: Option<Coordinate>,
    /// What is wrong with the numbers themselves.
    pub flaw: Option<Flaw>,
    /// Degrees clockwise from north, 0..360.
    pub bearing: Option<f32>,
    /// Metres a second.
    pub speed_mps: Option<f32>,
    /// Radius of uncertainty in metres.
    pub accuracy_m: Option<f32>,
    /// Metres since the start the vehicle counts from.
    pub odometer_m: Option<f64>,
    /// How it was found.
    pub source: Option<PositionSource>,
}

/// What is wrong with reported coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// 0, 0 or next to it.
    NullIsland,
    /// NaN or infinite.
    NotFinite,
    /// Off the globe.
    OutOfRange,
    /// Off the globe as given, on it with the axes swapped.
    SwappedAxes,
}

impl Fix {
    /// A fix at what was reported, flawed or not.
    pub fn at(lat: f64, lon: f64) -> Self {
        let (coordinate, flaw) = match Coordinate::parse(lat, lon) {
            Ok(c) if c.is_null_island() => (Some(c), Some(Flaw::NullIsland)),
            Ok(c) => (Some(c), None),
            Err(crate::CoordinateError::NotFinite) => (None, Some(Flaw::NotFinite)),
            Err(crate::CoordinateError::OutOfRange) if Coordinate::parse(lon, lat).is_ok() => {
                (None, Some(Flaw::SwappedAxes))
            }
            Err(crate::CoordinateError::OutOfRange) => (None, Some(Flaw::OutOfRange)),
        };
        Self { coordinate, flaw, ..Self::default() }
    }
}

/// The stop a vehicle refers to; all unknown when it says that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StopReference {
    /// The stop.
    pub stop_id: Option<StopId>,
    /// Its place in the trip.
    pub current_stop_sequence: Option<u32>,
}

/// How a vehicle stands to a stop, and to which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopStatusReport {
    /// The stop it was said of.
    pub stop_id: Option<StopId>,
    /// What was said.
    pub status: StopStatus,
}

/// How full a vehicle is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Occupancy {
    /// In words.
    pub status: Option<OccupancyStatus>,
    /// In percent of capacity; may pass 100.
    pub percentage: Option<u32>,
}

/// What a vehicle is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journey {
    /// In a word.
    pub state: Option<JourneyState>,
    /// Route.
    pub route_id: Option<RouteId>,
    /// 0 or 1.
    pub direction_id: Option<u8>,
    /// Trip, where the feed knows it.
    pub trip_id: Option<TripId>,
    /// Service day.
    pub service_date: Option<ServiceDate>,
    /// Start of the trip on that day; may pass 24:00:00.
    pub start_time: Option<ServiceTime>,
    /// Block.
    pub block_id: Option<BlockId>,
    /// Units of a train, front first.
    pub consist: Option<std::sync::Arc<[std::sync::Arc<str>]>>,
}
