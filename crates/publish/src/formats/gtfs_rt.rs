//! GTFS-Realtime 2.0 vehicle positions, FULL_DATASET: protobuf, and canonical protobuf-JSON as a debug view.
//!
//! Strangers act on it, so it carries only what we stand behind: vehicles at most 90 s old whose position is neither
//! flawed nor a jump. Everything else is absent, never guessed.

use decode::gtfs_realtime::{
    FeedEntity, FeedHeader, FeedMessage, Position, TripDescriptor, VehicleDescriptor, VehiclePosition,
    feed_header::Incrementality,
    vehicle_position::{OccupancyStatus as WireOccupancy, VehicleStopStatus},
};
use picture::{Freshness, QualityFlag, VehicleRecord};
use prost::Message as _;
use transit::{Journey, JourneyState, OccupancyStatus, StopStatus, UtcMillis};

use crate::FormatDef;

/// The registry entry of the binary form.
pub const PROTOBUF: FormatDef = FormatDef {
    code: "pb",
    media_type: "application/x-protobuf",
    doc: "GTFS-Realtime 2.0 FeedMessage, FULL_DATASET: vehicles at most 90 s old with a trustworthy position.",
    own_route: true,
    vehicles: None,
    alerts: None,
    incidents: None,
    reports: None,
};

/// The registry entry of the text form.
pub const JSON: FormatDef = FormatDef {
    code: "pb-json",
    media_type: "application/json",
    doc: "The same GTFS-Realtime FeedMessage as canonical protobuf-JSON, for people.",
    own_route: true,
    vehicles: None,
    alerts: None,
    incidents: None,
    reports: None,
};

/// Vehicles or positions older than this are not published, as the GTFS-Realtime best practices have it.
const AGE_MS_MAX: i64 = 90_000;

/// What makes a position unfit for strangers.
const SUSPECT: [QualityFlag; 6] = [
    QualityFlag::NullIsland,
    QualityFlag::NotFinite,
    QualityFlag::OutOfRange,
    QualityFlag::SwappedAxes,
    QualityFlag::Jump,
    QualityFlag::Retained,
];

/// The publishable ones among `vehicles`, entity ids being `agency/vehicle`, under a header of the time `at`: `as_of` or
/// later.
pub fn vehicle_positions<'a>(
    vehicles: impl IntoIterator<Item = &'a VehicleRecord>,
    as_of: UtcMillis,
    at: UtcMillis,
) -> FeedMessage {
    FeedMessage {
        header: FeedHeader {
            gtfs_realtime_version: "2.0".to_owned(),
            incrementality: Some(Incrementality::FullDataset.into()),
            timestamp: Some(seconds(at)),
            ..FeedHeader::default()
        },
        entity: vehicles.into_iter().filter_map(|v| entity(v, as_of)).collect(),
    }
}

/// A message as protobuf.
pub fn to_pb(message: &FeedMessage) -> Vec<u8> {
    message.encode_to_vec()
}

/// A message as canonical protobuf-JSON.
pub fn to_json(message: &FeedMessage) -> Vec<u8> {
    serde_json::to_vec(message).expect("the wire types hold nothing that JSON cannot")
}

fn entity(vehicle: &VehicleRecord, as_of: UtcMillis) -> Option<FeedEntity> {
    let fresh = match vehicle.freshness {
        // Its last message can be young and its last position old: without a fix it still says that it lives.
        Freshness::Live | Freshness::Aging => {
            vehicle.age_ms(as_of) <= AGE_MS_MAX && as_of.since(measured_at(vehicle)) <= AGE_MS_MAX
        }
        Freshness::Stale | Freshness::Lost => false,
    };
    if !fresh || SUSPECT.iter().any(|flag| vehicle.quality.contains(*flag)) {
        return None;
    }
    Some(FeedEntity {
        id: vehicle.key.to_string(),
        vehicle: Some(vehicle_position(vehicle, position(vehicle)?, as_of)),
        ..FeedEntity::default()
    })
}

fn position(vehicle: &VehicleRecord) -> Option<Position> {
    let at = vehicle.coordinate?;
    Some(Position {
        // The wire has 32 bits: steps of half a metre.
        latitude: at.lat() as f32,
        longitude: at.lon() as f32,
        bearing: vehicle.bearing,
        odometer: vehicle.odometer_m,
        speed: vehicle.speed_mps,
    })
}

fn vehicle_position(vehicle: &VehicleRecord, position: Position, as_of: UtcMillis) -> VehiclePosition {
    // A status without a stop is an error to every validator.
    let status = vehicle.current_status.filter(|_| vehicle.stop.stop_id.is_some());
    VehiclePosition {
        trip: trip(&vehicle.journey),
        vehicle: Some(VehicleDescriptor {
            id: Some(vehicle.key.to_string()),
            label: Some(vehicle.key.vehicle.to_string()),
            ..VehicleDescriptor::default()
        }),
        position: Some(position),
        current_stop_sequence: vehicle.stop.current_stop_sequence,
        stop_id: vehicle.stop.stop_id.as_ref().map(ToString::to_string),
        current_status: status.map(|s| stop_status(s).into()),
        timestamp: Some(seconds(measured_at(vehicle).min(as_of))),
        occupancy_status: vehicle.occupancy.status.map(|s| occupancy(s).into()),
        occupancy_percentage: vehicle.occupancy.percentage,
        ..VehiclePosition::default()
    }
}

/// When the position was true on our clock: skewed devices are set right, and one that is ahead counts from receipt.
fn measured_at(vehicle: &VehicleRecord) -> UtcMillis {
    if vehicle.quality.contains(QualityFlag::ClockAhead) {
        return vehicle.received_at;
    }
    vehicle.position_event_time.unwrap_or(vehicle.event_time).plus_millis(vehicle.offset_ms)
}

/// The trip, when it can be told apart: by its id, or by route, direction, date and start together. Only a route is
/// given when that is all there is, for readers take it as "some trip of this route"; a vehicle that carries nobody has
/// none.
fn trip(journey: &Journey) -> Option<TripDescriptor> {
    match journey.state {
        Some(JourneyState::Deadrun | JourneyState::Layover | JourneyState::SignedOff | JourneyState::Upcoming) => {
            return None;
        }
        Some(JourneyState::InService) | None => {}
    }
    let route_id = journey.route_id.as_ref().map(ToString::to_string);
    let whole = TripDescriptor {
        trip_id: journey.trip_id.as_ref().map(ToString::to_string),
        route_id: route_id.clone(),
        direction_id: journey.direction_id.map(u32::from),
        start_date: journey.service_date.map(|d| d.to_string().replace('-', "")),
        start_time: journey.start_time.map(|t| t.to_string()),
        ..TripDescriptor::default()
    };
    let by_schedule = whole.route_id.is_some()
        && whole.direction_id.is_some()
        && whole.start_date.is_some()
        && whole.start_time.is_some();
    if whole.trip_id.is_some() || by_schedule {
        return Some(whole);
    }
    route_id.map(|route_id| TripDescriptor { route_id: Some(route_id), ..TripDescriptor::default() })
}

fn stop_status(status: StopStatus) -> VehicleStopStatus {
    match status {
        StopStatus::IncomingAt => VehicleStopStatus::IncomingAt,
        StopStatus::StoppedAt => VehicleStopStatus::StoppedAt,
        StopStatus::InTransitTo => VehicleStopStatus::InTransitTo,
    }
}

fn occupancy(status: OccupancyStatus) -> WireOccupancy {
    match status {
        OccupancyStatus::Empty => WireOccupancy::Empty,
        OccupancyStatus::ManySeatsAvailable => WireOccupancy::ManySeatsAvailable,
        OccupancyStatus::FewSeatsAvailable => WireOccupancy::FewSeatsAvailable,
        OccupancyStatus::StandingRoomOnly => WireOccupancy::StandingRoomOnly,
        OccupancyStatus::CrushedStandingRoomOnly => WireOccupancy::CrushedStandingRoomOnly,
        OccupancyStatus::Full => WireOccupancy::Full,
        OccupancyStatus::NotAcceptingPassengers => WireOccupancy::NotAcceptingPassengers,
        OccupancyStatus::NoDataAvailable => WireOccupancy::NoDataAvailable,
        OccupancyStatus::NotBoardable => WireOccupancy::NotBoardable,
    }
}

/// Whole seconds since 1970; 0 before.
fn seconds(instant: UtcMillis) -> u64 {
    u64::try_from(instant.0 / 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use transit::RouteId;

    use super::*;
    use crate::samples::{self, NOW};

    fn entities(vehicle: &VehicleRecord) -> Vec<FeedEntity> {
        let bytes = to_pb(&vehicle_positions([vehicle], NOW, NOW));
        FeedMessage::decode(bytes.as_slice()).unwrap().entity
    }

    fn trip_of(journey: Journey) -> Option<TripDescriptor> {
        entities(&VehicleRecord { journey, ..samples::bus() }).remove(0).vehicle.unwrap().trip
    }

    #[test]
    fn a_full_vehicle_as_protobuf_json() {
        let bus = samples::bus();
        let bytes = to_json(&vehicle_positions([&bus], NOW, NOW));
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        expect![[r#"
            {
              "entity": [
                {
                  "id": "22/800",
                  "vehicle": {
                    "currentStatus": "IN_TRANSIT_TO",
                    "currentStopSequence": 7,
                    "occupancyPercentage": 70,
                    "occupancyStatus": "FEW_SEATS_AVAILABLE",
                    "position": {
                      "bearing": 271.3,
                      "latitude": 60.17012,
                      "longitude": 24.94011,
                      "odometer": 18250.0,
                      "speed": 11.9
                    },
                    "stopId": "1020450",
                    "timestamp": "1795420797",
                    "trip": {
                      "directionId": 1,
                      "routeId": "1059",
                      "startDate": "20261122",
                      "startTime": "25:10:00",
                      "tripId": "T-17"
                    },
                    "vehicle": {
                      "id": "22/800",
                      "label": "800"
                    }
                  }
                }
              ],
              "header": {
                "gtfsRealtimeVersion": "2.0",
                "incrementality": "FULL_DATASET",
                "timestamp": "1795420800"
              }
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn only_what_we_stand_behind_goes_out() {
        assert_eq!(entities(&samples::bus()).len(), 1);
        assert_eq!(entities(&samples::silent_tram()).len(), 0, "no position");
        for freshness in [Freshness::Stale, Freshness::Lost] {
            assert_eq!(entities(&VehicleRecord { freshness, ..samples::bus() }).len(), 0);
        }
        for flag in SUSPECT {
            let mut bus = samples::bus();
            bus.quality.insert(flag);
            assert_eq!(entities(&bus).len(), 0, "{flag:?}");
        }
        for (age_ms, count) in [(90_000, 1), (90_001, 0)] {
            let event_time = NOW.plus_millis(-age_ms);
            let bus = VehicleRecord { offset_ms: 0, freshness: Freshness::Aging, ..samples::bus() };
            assert_eq!(entities(&VehicleRecord { event_time, ..bus.clone() }).len(), count, "message {age_ms}");
            let position_event_time = Some(event_time);
            assert_eq!(entities(&VehicleRecord { position_event_time, ..bus }).len(), count, "position {age_ms}");
        }
    }

    #[test]
    fn a_status_goes_only_with_a_stop() {
        let mut bus = samples::bus();
        bus.stop.stop_id = None;
        assert_eq!(entities(&bus)[0].vehicle.as_ref().unwrap().current_status, None);
    }

    #[test]
    fn a_trip_is_named_whole_or_not_at_all() {
        let known = samples::bus().journey;
        let trip = trip_of(known.clone()).unwrap();
        assert_eq!(trip.start_time.as_deref(), Some("25:10:00"));
        assert_eq!(trip.start_date.as_deref(), Some("20261122"));

        let by_schedule = trip_of(Journey { trip_id: None, ..known.clone() }).unwrap();
        assert_eq!(by_schedule.direction_id, Some(1));

        let route_only = trip_of(Journey { trip_id: None, start_time: None, ..known.clone() }).unwrap();
        assert_eq!(route_only, TripDescriptor { route_id: Some("1059".to_owned()), ..TripDescriptor::default() });

        assert_eq!(trip_of(Journey::default()), None);
        for state in [JourneyState::Deadrun, JourneyState::SignedOff] {
            assert_eq!(trip_of(Journey { state: Some(state), ..known.clone() }), None, "{state:?}");
        }
        assert!(trip_of(Journey { route_id: RouteId::parse("1").ok(), ..Journey::default() }).is_some());
    }

    #[test]
    fn no_stamp_lies_ahead_of_the_header() {
        let mut bus = samples::bus();
        bus.offset_ms = 60_000;
        let stamp = |bus: &VehicleRecord| entities(bus)[0].vehicle.as_ref().unwrap().timestamp.unwrap();
        assert_eq!(stamp(&bus), seconds(NOW));
        bus.quality.insert(QualityFlag::ClockAhead);
        assert_eq!(stamp(&bus), seconds(bus.received_at));
    }
}
