//! A vehicle as JSON.

use picture::{Freshness, Quality, QualityFlag, TrailPoint, VehicleRecord};
use serde::{Serialize, Serializer};
use transit::{Journey, ServiceDate, ServiceTime, VehicleKey};
use utoipa::ToSchema;

use super::{
    FreshnessWord, JourneyStateWord, ModeWord, OccupancyStatusWord, PositionSourceWord, QualityWord, Shown, Stamp,
    StopStatusWord, seconds,
};
use crate::Snapshot;

/// A vehicle: the position fields as it reported them, and how far they can be trusted.
#[derive(Serialize, ToSchema)]
pub(crate) struct VehicleView<'a> {
    /// `agency/vehicle`, each part percent-encoded where it must be.
    #[schema(value_type = String)]
    id: Shown<&'a VehicleKey>,
    /// Who owns it.
    agency_id: &'a str,
    /// Its number within the agency.
    vehicle_id: &'a str,
    /// The feed of its newest message.
    feed_id: &'a str,
    /// The device's clock in the newest message.
    event_time: Stamp,
    /// When the newest message reached us.
    received_at: Stamp,
    /// Seconds, as of `meta.as_of`, since what is shown was true.
    #[schema(minimum = 0)]
    age_s: f64,
    /// How fresh, against the reporting interval of its feed.
    #[schema(inline)]
    freshness: FreshnessWord,
    /// What to doubt.
    #[schema(value_type = Vec<QualityWord>, inline)]
    quality: Doubts,
    /// Kind of vehicle.
    #[schema(inline)]
    mode: ModeWord,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
    /// Degrees clockwise from north.
    bearing: Option<f32>,
    /// Metres a second.
    speed_mps: Option<f32>,
    /// Radius of uncertainty in metres.
    accuracy_m: Option<f32>,
    /// Metres.
    odometer_m: Option<f64>,
    /// How the position was found.
    #[schema(inline)]
    position_source: Option<PositionSourceWord>,
    /// What it is doing.
    #[schema(inline)]
    journey_state: Option<JourneyStateWord>,
    /// GTFS route.
    route_id: Option<&'a str>,
    /// GTFS direction.
    #[schema(maximum = 1)]
    direction_id: Option<u8>,
    /// GTFS trip.
    trip_id: Option<&'a str>,
    /// Service day, YYYY-MM-DD.
    #[schema(value_type = Option<String>, format = Date)]
    service_date: Option<Shown<ServiceDate>>,
    /// Start of the trip on that day; may pass 24:00:00.
    #[schema(value_type = Option<String>)]
    start_time: Option<Shown<ServiceTime>>,
    /// GTFS block.
    block_id: Option<&'a str>,
    /// The stop it is at or going to.
    stop_id: Option<&'a str>,
    /// Its place in the trip.
    current_stop_sequence: Option<u32>,
    /// How it stands to that stop.
    #[schema(inline)]
    current_status: Option<StopStatusWord>,
    /// Seconds behind the timetable, as reported; negative is early.
    delay_s: Option<i32>,
    /// How full, in words.
    #[schema(inline)]
    occupancy_status: Option<OccupancyStatusWord>,
    /// How full, in percent of capacity; may pass 100.
    occupancy_percentage: Option<u32>,
    /// Any door open.
    doors_open: Option<bool>,
    /// Units of a train, front first.
    #[schema(value_type = Option<Vec<String>>)]
    consist: Option<&'a [std::sync::Arc<str>]>,
    /// The device's restart counter.
    boot: Option<u64>,
    /// The device's message counter.
    seq: Option<u64>,
    /// The trip it announces to do next: beside the present one, not instead of it.
    upcoming: Option<JourneyView<'a>>,
}

/// A trip that is announced.
#[derive(Serialize, ToSchema)]
pub(crate) struct JourneyView<'a> {
    /// What it will be doing.
    #[schema(inline)]
    journey_state: Option<JourneyStateWord>,
    /// GTFS route.
    route_id: Option<&'a str>,
    /// GTFS direction.
    #[schema(maximum = 1)]
    direction_id: Option<u8>,
    /// GTFS trip.
    trip_id: Option<&'a str>,
    /// Service day, YYYY-MM-DD.
    #[schema(value_type = Option<String>, format = Date)]
    service_date: Option<Shown<ServiceDate>>,
    /// Start of the trip on that day; may pass 24:00:00.
    #[schema(value_type = Option<String>)]
    start_time: Option<Shown<ServiceTime>>,
    /// GTFS block.
    block_id: Option<&'a str>,
}

impl<'a> JourneyView<'a> {
    fn of(journey: &'a Journey) -> Self {
        Self {
            journey_state: journey.state.map(JourneyStateWord),
            route_id: journey.route_id.as_ref().map(transit::RouteId::as_str),
            direction_id: journey.direction_id,
            trip_id: journey.trip_id.as_ref().map(transit::TripId::as_str),
            service_date: journey.service_date.map(Shown),
            start_time: journey.start_time.map(Shown),
            block_id: journey.block_id.as_ref().map(transit::BlockId::as_str),
        }
    }
}

/// Flags as words.
pub(crate) struct Doubts(pub(crate) Quality);

impl Serialize for Doubts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|flag: QualityFlag| QualityWord(flag)))
    }
}

/// The record's freshness; but never `live` beyond the limit of its feed, should the picture be late to say so.
pub(crate) fn freshness_as_of(record: &VehicleRecord, snapshot: &Snapshot) -> Freshness {
    if record.freshness != Freshness::Live {
        return record.freshness;
    }
    let age_ms = record.age_ms(snapshot.as_of);
    // Below the least limit any feed can have there is nothing to look up.
    if age_ms <= 30_000 {
        return Freshness::Live;
    }
    let interval_s = snapshot.feeds.get(&record.feed).and_then(|feed| feed.interval_s_of(record.mode)).unwrap_or(0.0);
    let limit_s = (2.0 * interval_s).max(30.0);
    if seconds(age_ms) > limit_s { Freshness::Aging } else { Freshness::Live }
}

impl<'a> VehicleView<'a> {
    /// Of a record as of a snapshot.
    pub(crate) fn of(record: &'a VehicleRecord, snapshot: &Snapshot) -> Self {
        let journey = &record.journey;
        Self {
            id: Shown(&record.key),
            agency_id: record.key.agency.as_str(),
            vehicle_id: record.key.vehicle.as_str(),
            feed_id: record.feed.as_str(),
            event_time: Stamp(record.event_time),
            received_at: Stamp(record.received_at),
            age_s: seconds(record.age_ms(snapshot.as_of)),
            freshness: FreshnessWord(freshness_as_of(record, snapshot)),
            quality: Doubts(record.quality),
            mode: ModeWord(record.mode),
            lat: record.coordinate.map(transit::Coordinate::lat),
            lon: record.coordinate.map(transit::Coordinate::lon),
            bearing: record.bearing,
            speed_mps: record.speed_mps,
            accuracy_m: record.accuracy_m,
            odometer_m: record.odometer_m,
            position_source: record.position_source.map(PositionSourceWord),
            journey_state: journey.state.map(JourneyStateWord),
            route_id: journey.route_id.as_ref().map(transit::RouteId::as_str),
            direction_id: journey.direction_id,
            trip_id: journey.trip_id.as_ref().map(transit::TripId::as_str),
            service_date: journey.service_date.map(Shown),
            start_time: journey.start_time.map(Shown),
            block_id: journey.block_id.as_ref().map(transit::BlockId::as_str),
            stop_id: record.stop.stop_id.as_ref().map(transit::StopId::as_str),
            current_stop_sequence: record.stop.current_stop_sequence,
            current_status: record.current_status.map(StopStatusWord),
            delay_s: record.delay_s,
            occupancy_status: record.occupancy.status.map(OccupancyStatusWord),
            occupancy_percentage: record.occupancy.percentage,
            doors_open: record.doors_open,
            consist: journey.consist.as_deref(),
            boot: record.boot,
            seq: record.seq,
            upcoming: record.upcoming.as_deref().map(JourneyView::of),
        }
    }

    /// Its keys, in their order.
    pub(crate) const KEYS: &'static [&'static str] = &[
        "id",
        "agency_id",
        "vehicle_id",
        "feed_id",
        "event_time",
        "received_at",
        "age_s",
        "freshness",
        "quality",
        "mode",
        "lat",
        "lon",
        "bearing",
        "speed_mps",
        "accuracy_m",
        "odometer_m",
        "position_source",
        "journey_state",
        "route_id",
        "direction_id",
        "trip_id",
        "service_date",
        "start_time",
        "block_id",
        "stop_id",
        "current_stop_sequence",
        "current_status",
        "delay_s",
        "occupancy_status",
        "occupancy_percentage",
        "doors_open",
        "consist",
        "boot",
        "seq",
        "upcoming",
    ];
}

/// One place on a vehicle's way.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrailView {
    /// The device's clock.
    event_time: Stamp,
    /// Degrees north.
    lat: f64,
    /// Degrees east.
    lon: f64,
}

impl TrailView {
    /// Of a point.
    pub(crate) fn of(point: &TrailPoint) -> Self {
        Self { event_time: Stamp(point.at), lat: point.coordinate.lat(), lon: point.coordinate.lon() }
    }
}
