//! Bodies of the native MQTT contract, as a publisher that knows only the contract would write them.

use jiff::Timestamp;
use serde_json::{Value, json};

/// Now, as publishers write it.
pub fn now() -> String {
    at(0)
}

/// Now and so many milliseconds, as publishers write it.
///
/// # Panics
/// When the instant is beyond the calendar.
pub fn at(offset_ms: i64) -> String {
    let millis = Timestamp::now().as_millisecond() + offset_ms;
    Timestamp::from_millisecond(millis).expect("an instant near now").to_string()
}

/// `topis/v1/vehicle/<agency>/<vehicle>/position`.
pub fn position_topic(agency: &str, vehicle: &str) -> String {
    format!("topis/v1/vehicle/{agency}/{vehicle}/position")
}

/// `topis/v1/vehicle/<agency>/<vehicle>/alarm`.
pub fn alarm_topic(agency: &str, vehicle: &str) -> String {
    format!("topis/v1/vehicle/{agency}/{vehicle}/alarm")
}

/// `topis/v1/incident/<source>/<id>`.
pub fn incident_topic(source: &str, id: &str) -> String {
    format!("topis/v1/incident/{source}/{id}")
}

/// A position of now in service on route 402.
pub fn position(lat: f64, lon: f64) -> Value {
    json!({
        "event_time": now(), "lat": lat, "lon": lon, "bearing": 90.0, "speed_mps": 7.5,
        "route_id": "402", "direction_id": 0, "trip_id": "402-1", "journey_state": "in_service",
    })
}

/// A panic press with an id of its own.
pub fn panic(event_id: &str) -> Value {
    json!({ "event_id": event_id, "event_time": now(), "kind": "panic" })
}

/// An incident of a kind at a place.
pub fn incident(kind: &str, lat: f64, lon: f64, version: u64) -> Value {
    json!({ "kind": kind, "lat": lat, "lon": lon, "version": version, "title": format!("{kind} at the bridge") })
}
