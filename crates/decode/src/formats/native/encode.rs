//! The other direction: messages of ours as a publisher writes them. The simulator and the CLI speak with it.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use transit::{
    JourneyState, Mode, Observation, OccupancyStatus, PositionSource, ServiceDate, ServiceTime, StopStatus, UtcMillis,
    VehicleKey,
};

use crate::text::Text;

/// A body of plain numbers, texts and lists cannot fail to become JSON.
const PLAIN: &str = "plain values are JSON";

/// What must be escaped in one level of a topic.
const LEVEL: AsciiSet = CONTROLS.add(b'/').add(b'%').add(b'+').add(b'#').add(b'?').add(b' ');

/// The topic of a vehicle's positions.
pub fn position_topic(prefix: &str, vehicle: &VehicleKey) -> String {
    format!("{prefix}/v1/vehicle/{vehicle}/position")
}

/// The topic of a vehicle's alarms.
pub fn alarm_topic(prefix: &str, vehicle: &VehicleKey) -> String {
    format!("{prefix}/v1/vehicle/{vehicle}/alarm")
}

/// The topic of an incident; both levels are percent-encoded where they must be.
pub fn incident_topic(prefix: &str, source: &str, incident: &str) -> String {
    let level = |text| percent_encoding::utf8_percent_encode(text, &LEVEL).to_string();
    format!("{prefix}/v1/incident/{}/{}", level(source), level(incident))
}

/// What an alarm says; the vehicle is in the topic. Every field may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AlarmBody {
    /// Id of this press.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// RFC 3339 or epoch text as the test wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_time: Option<String>,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// driver, passenger, device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// raised, ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Silent on displays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covert: Option<bool>,
    /// actual, exercise, test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// People on board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passengers: Option<u32>,
    /// Fields that are not named here, as they are.
    #[serde(flatten)]
    pub further: Map<String, Value>,
}

/// What an incident says; source and id are in the topic. `kind` and one place are required.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IncidentBody {
    /// What happened, a word or a TOPIS code.
    pub kind: String,
    /// Higher replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// active, closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// actual, exercise, test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// minor, moderate, severe, extreme, unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
    /// GeoJSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geometry: Option<Value>,
    /// Metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius_m: Option<f64>,
    /// Whom it hits; ids by the contract's field names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affects: Vec<BTreeMap<String, Value>>,
    /// Short text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Long text: one, or an object with one by language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Value>,
    /// Fields that are not named here, as they are.
    #[serde(flatten)]
    pub further: Map<String, Value>,
}

/// An alarm's body.
pub fn encode_alarm(body: &AlarmBody) -> Vec<u8> {
    serde_json::to_vec(body).expect(PLAIN)
}

/// An incident's body.
pub fn encode_incident(body: &IncidentBody) -> Vec<u8> {
    serde_json::to_vec(body).expect(PLAIN)
}

/// A position's body; the vehicle is in the topic, see [`position_topic`].
pub fn encode_position(o: &Observation) -> Vec<u8> {
    // A full one has about 600 bytes: the one allocation.
    let mut bytes = Vec::with_capacity(640);
    serde_json::to_writer(&mut bytes, &PositionBody::of(o)).expect(PLAIN);
    bytes
}

#[derive(Serialize)]
struct PositionBody<'o> {
    event_time: Text<UtcMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lat: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lon: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bearing: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed_mps: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy_m: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    odometer_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position_source: Option<PositionSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    journey_state: Option<JourneyState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route_id: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction_id: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trip_id: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_date: Option<Text<ServiceDate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<Text<ServiceTime>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_id: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_id: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_stop_sequence: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_status: Option<StopStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_s: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occupancy_status: Option<OccupancyStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occupancy_percentage: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doors_open: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consist: Option<&'o [std::sync::Arc<str>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

impl<'o> PositionBody<'o> {
    fn of(o: &'o Observation) -> Self {
        let fix = o.position.as_ref();
        let at = fix.and_then(|f| f.coordinate);
        // A message has room for one journey: what is done now goes before what comes next.
        let journey = o.journey.as_ref().or(o.upcoming.as_ref());
        let stop = o.stop.as_ref();
        let said_of = o.stop_status.as_ref().and_then(|s| s.stop_id.as_ref());
        Self {
            event_time: Text(o.event_time),
            lat: at.map(transit::Coordinate::lat),
            lon: at.map(transit::Coordinate::lon),
            bearing: fix.and_then(|f| f.bearing),
            speed_mps: fix.and_then(|f| f.speed_mps),
            accuracy_m: fix.and_then(|f| f.accuracy_m),
            odometer_m: fix.and_then(|f| f.odometer_m),
            position_source: fix.and_then(|f| f.source),
            mode: o.mode,
            journey_state: journey.and_then(|j| j.state),
            route_id: journey.and_then(|j| j.route_id.as_ref()).map(transit::RouteId::as_str),
            direction_id: journey.and_then(|j| j.direction_id),
            trip_id: journey.and_then(|j| j.trip_id.as_ref()).map(transit::TripId::as_str),
            service_date: journey.and_then(|j| j.service_date).map(Text),
            start_time: journey.and_then(|j| j.start_time).map(Text),
            block_id: journey.and_then(|j| j.block_id.as_ref()).map(transit::BlockId::as_str),
            stop_id: stop.and_then(|s| s.stop_id.as_ref()).or(said_of).map(transit::StopId::as_str),
            current_stop_sequence: stop.and_then(|s| s.current_stop_sequence),
            current_status: o.stop_status.as_ref().map(|s| s.status),
            delay_s: o.delay_s,
            occupancy_status: o.occupancy.as_ref().and_then(|p| p.status),
            occupancy_percentage: o.occupancy.as_ref().and_then(|p| p.percentage),
            doors_open: o.doors_open,
            consist: journey.and_then(|j| j.consist.as_deref()),
            boot: o.boot,
            seq: o.seq,
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use transit::{
        BlockId, FeedId, Fix, Journey, Occupancy, RouteId, Significance, StopId, StopReference, StopStatusReport,
        TripId,
    };

    use super::*;

    fn observation() -> Observation {
        let stop_id = StopId::parse("10040").ok();
        Observation {
            vehicle: VehicleKey::parse("0012/00031").unwrap(),
            feed: FeedId::parse("native").unwrap(),
            event_time: UtcMillis(1_795_420_800_123),
            boot: Some(1),
            seq: Some(77),
            significance: Significance::Plain,
            content: 0,
            mode: Some(Mode::Bus),
            position: Some(Fix {
                bearing: Some(359.0),
                speed_mps: Some(8.25),
                odometer_m: Some(1234.0),
                source: Some(PositionSource::Gps),
                ..Fix::at(37.566_612, 126.978_041)
            }),
            doors_open: Some(true),
            stop: Some(StopReference { stop_id: stop_id.clone(), current_stop_sequence: Some(4) }),
            stop_status: Some(StopStatusReport { stop_id, status: StopStatus::StoppedAt }),
            delay_s: Some(95),
            occupancy: Some(Occupancy { status: Some(OccupancyStatus::FewSeatsAvailable), percentage: Some(41) }),
            journey: Some(Journey {
                state: Some(JourneyState::InService),
                route_id: RouteId::parse("101").ok(),
                direction_id: Some(0),
                trip_id: TripId::parse("101-0-2440-3").ok(),
                service_date: ServiceDate::parse("2026-11-23").ok(),
                start_time: Some(ServiceTime(88_800)),
                block_id: BlockId::parse("101/3").ok(),
                consist: None,
            }),
            upcoming: None,
            retained: false,
        }
    }

    #[test]
    fn a_position_says_all_a_vehicle_knows() {
        expect![[r#"{"event_time":"2026-11-23T08:00:00.123Z","lat":37.566612,"lon":126.978041,"bearing":359.0,"speed_mps":8.25,"odometer_m":1234.0,"position_source":"gps","mode":"bus","journey_state":"in_service","route_id":"101","direction_id":0,"trip_id":"101-0-2440-3","service_date":"2026-11-23","start_time":"24:40:00","block_id":"101/3","stop_id":"10040","current_stop_sequence":4,"current_status":"STOPPED_AT","delay_s":95,"occupancy_status":"FEW_SEATS_AVAILABLE","occupancy_percentage":41,"doors_open":true,"boot":1,"seq":77}"#]].assert_eq(std::str::from_utf8(&encode_position(&observation())).unwrap());
    }

    #[test]
    fn fields_of_no_name_here_are_written_as_they_were_read() {
        let body: AlarmBody = serde_json::from_str(r#"{"kind":"panic","lat":37,"weather":"fog"}"#).unwrap();
        let written = encode_alarm(&body);
        assert_eq!(std::str::from_utf8(&written), Ok(r#"{"kind":"panic","lat":37.0,"weather":"fog"}"#));
    }
}
