//! What the flat formats say of a vehicle, an alert and an incident: one table each, in a fixed order.
//!
//! CSV takes its header and GeoJSON its properties from here, so that both have the keys of the API's records. Columns
//! are only ever added at the end.

use alert::{Alert, Incident};
use picture::VehicleRecord;
use serde_json::{Map, Value, json};
use transit::{Journey, UtcMillis, Word};

use crate::{Lang, headline, place_text};

/// One key and how its value is found; `null` is unknown.
pub(crate) struct Column<R: ?Sized, A> {
    /// The key.
    pub(crate) key: &'static str,
    /// The value in one record, as of or for what `A` says.
    pub(crate) of: fn(&R, A) -> Value,
}

macro_rules! columns {
    ($(#[$doc:meta])* $name:ident: $record:ty, $arg:ty = |$r:ident, $a:pat_param| { $($key:literal => $value:expr,)* }) => {
        $(#[$doc])*
        pub(crate) const $name: &[Column<$record, $arg>] = &[$(Column { key: $key, of: |$r, $a| json!($value) },)*];
    };
}

columns! {
    /// A vehicle as of an instant.
    VEHICLE: VehicleRecord, UtcMillis = |v, _as_of| {
        "id" => v.key.to_string(),
        "agency_id" => v.key.agency,
        "vehicle_id" => v.key.vehicle,
        "feed_id" => v.feed,
        "event_time" => v.event_time.to_string(),
        "received_at" => v.received_at.to_string(),
        "age_s" => seconds(v.age_ms(_as_of)),
        "freshness" => v.freshness,
        "quality" => v.quality.iter().map(Word::word).collect::<Vec<_>>(),
        "lat" => v.coordinate.map(|c| c.lat()),
        "lon" => v.coordinate.map(|c| c.lon()),
        "bearing" => v.bearing.map(shortest),
        "speed_mps" => v.speed_mps.map(shortest),
        "accuracy_m" => v.accuracy_m.map(shortest),
        "odometer_m" => v.odometer_m,
        "mode" => v.mode,
        "route_id" => v.journey.route_id,
        "direction_id" => v.journey.direction_id,
        "trip_id" => v.journey.trip_id,
        "service_date" => v.journey.service_date.map(|d| d.to_string()),
        "start_time" => v.journey.start_time.map(|t| t.to_string()),
        "block_id" => v.journey.block_id,
        "stop_id" => v.stop.stop_id,
        "current_stop_sequence" => v.stop.current_stop_sequence,
        "current_status" => v.current_status,
        "delay_s" => v.delay_s,
        "occupancy_status" => v.occupancy.status,
        "occupancy_percentage" => v.occupancy.percentage,
        "doors_open" => v.doors_open,
        "position_source" => v.position_source,
        "journey_state" => v.journey.state,
        "consist" => v.journey.consist,
        "boot" => v.boot,
        "seq" => v.seq,
        "upcoming" => v.upcoming.as_deref().map(journey),
    }
}

columns! {
    /// An alert in a language.
    ALERT: Alert, Lang = |a, _lang| {
        "id" => a.id.to_string(),
        "number" => a.id.number,
        "priority" => a.priority,
        "class" => a.class,
        "rule" => a.rule,
        "kind" => a.kind,
        "headline" => headline(a, _lang),
        "place_text" => place_text(a, _lang),
        "subject" => a.subject.to_string(),
        "feed_id" => a.feed,
        "event_id" => a.event_id,
        "agency_id" => vehicle(a).map(|k| &k.agency),
        "vehicle_id" => vehicle(a).map(|k| &k.vehicle),
        "lat" => a.lat,
        "lon" => a.lon,
        "quality" => a.quality,
        "event_at" => a.event_at.map(|t| t.to_string()),
        "received_at" => a.received_at.to_string(),
        "raised_at" => a.raised_at.to_string(),
        "late_by_s" => a.event_at.map(|t| seconds(a.received_at.since(t).max(0))),
        "state" => a.condition,
        "acknowledged" => a.acknowledged(),
        "owner" => a.acknowledgement.as_ref().map(|k| &k.by),
        "owner_since" => a.acknowledgement.as_ref().map(|k| k.at.to_string()),
        "count" => a.count,
        "status" => a.status,
        "covert" => a.covert,
        "durable" => a.durable,
        "closed_at" => a.closing.as_ref().map(|c| c.at.to_string()),
        "close_reason" => a.closing.as_ref().map(|c| c.reason),
        "source" => a.source,
        "text" => a.text,
        "passengers" => a.passengers,
    }
}

columns! {
    /// An incident.
    INCIDENT: Incident, () = |i, ()| {
        "id" => format!("{}/{}", i.report.key.source, i.report.key.id),
        "source" => i.report.key.source,
        "incident_id" => i.report.key.id,
        "feed_id" => i.report.feed,
        "version" => i.report.version,
        "state" => i.phase,
        "starts_at" => i.starts_at.map(|t| t.to_string()),
        "status" => i.report.status,
        "kind" => i.report.kind,
        "subkind" => i.report.subkind,
        "severity" => i.severity,
        "severity_defaulted" => i.severity_defaulted,
        "urgency" => i.report.urgency,
        "certainty" => i.report.certainty,
        "effect" => i.report.effect,
        "lat" => i.report.lat,
        "lon" => i.report.lon,
        "radius_m" => i.radius_m,
        "radius_defaulted" => i.radius_defaulted,
        "title" => i.report.title,
        "text" => i.report.text,
        "road_control" => i.report.road_control,
        "expected_end" => i.report.expected_end.map(|t| t.to_string()),
        "withdrawn" => i.withdrawn,
        "opened_at" => i.opened_at.to_string(),
        "updated_at" => i.updated_at.to_string(),
        "closed_at" => i.closed_at.map(|t| t.to_string()),
    }
}

/// One record as a flat object.
pub(crate) fn object<R: ?Sized, A: Copy>(columns: &[Column<R, A>], record: &R, argument: A) -> Map<String, Value> {
    columns.iter().map(|c| (c.key.to_owned(), (c.of)(record, argument))).collect()
}

/// The vehicle an alert is about.
pub(crate) fn vehicle(alert: &Alert) -> Option<&transit::VehicleKey> {
    alert.subject.vehicle()
}

fn journey(j: &Journey) -> Value {
    json!({
        "journey_state": j.state,
        "route_id": j.route_id,
        "direction_id": j.direction_id,
        "trip_id": j.trip_id,
        "service_date": j.service_date.map(|d| d.to_string()),
        "start_time": j.start_time.map(|t| t.to_string()),
        "block_id": j.block_id,
        "consist": j.consist,
    })
}

fn seconds(millis: i64) -> f64 {
    // Exact for every span below 285,000 years.
    millis as f64 / 1000.0
}

/// The shortest number that reads back as `number`: 12.3, not 12.300000190734863.
pub(crate) fn shortest(number: f32) -> Value {
    number.to_string().parse::<f64>().map_or(Value::Null, |wide| json!(wide))
}
