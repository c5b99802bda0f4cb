//! A decoded message as JSON, for authors of feeds: what arrived of what they sent.

use alert::{AlarmReport, AlarmSubject};
use decode::Message;
use serde_json::{Value, json};
use transit::{Fix, Journey, Observation, Word};

fn word<W: Word>(word: Option<W>) -> Option<&'static str> {
    word.map(Word::word)
}

/// A message under the keys of the MQTT contract; `type` says which kind it is.
pub(crate) fn message_json(message: &Message) -> Value {
    match message {
        Message::Vehicle(observation) => vehicle(observation),
        Message::Alarm(report) => alarm(report),
        Message::Incident(report) => {
            let mut value = serde_json::to_value(report).unwrap_or_default();
            value["type"] = json!("incident");
            value["id"] = json!(format!("{}/{}", report.key.source, report.key.id));
            value
        }
        Message::Withdrawal(withdrawal) => json!({
            "type": "withdrawal",
            "id": format!("{}/{}", withdrawal.key.source, withdrawal.key.id),
        }),
        Message::Presence(presence) => json!({
            "type": "presence",
            "client": presence.client,
            "online": presence.online,
            "clean": presence.clean,
            "since": presence.since.map(|t| t.to_string()),
        }),
    }
}

/// Merges the members of `b` into `a`.
fn merged(mut a: Value, b: Value) -> Value {
    if let (Value::Object(a), Value::Object(b)) = (&mut a, b) {
        a.extend(b);
    }
    a
}

fn fix(fix: Option<&Fix>) -> Value {
    json!({
        "lat": fix.and_then(|f| f.coordinate).map(transit::Coordinate::lat),
        "lon": fix.and_then(|f| f.coordinate).map(transit::Coordinate::lon),
        "bearing": fix.and_then(|f| f.bearing),
        "speed_mps": fix.and_then(|f| f.speed_mps),
        "accuracy_m": fix.and_then(|f| f.accuracy_m),
        "odometer_m": fix.and_then(|f| f.odometer_m),
        "position_source": fix.and_then(|f| word(f.source)),
    })
}

fn journey(journey: Option<&Journey>) -> Value {
    json!({
        "journey_state": journey.and_then(|j| word(j.state)),
        "route_id": journey.and_then(|j| j.route_id.as_ref()).map(transit::RouteId::as_str),
        "direction_id": journey.and_then(|j| j.direction_id),
        "trip_id": journey.and_then(|j| j.trip_id.as_ref()).map(transit::TripId::as_str),
        "service_date": journey.and_then(|j| j.service_date).map(|d| d.to_string()),
        "start_time": journey.and_then(|j| j.start_time).map(|t| t.to_string()),
        "block_id": journey.and_then(|j| j.block_id.as_ref()).map(transit::BlockId::as_str),
        "consist": journey.and_then(|j| j.consist.as_deref()),
    })
}

fn vehicle(o: &Observation) -> Value {
    let stop = o.stop.as_ref();
    let own = json!({
        "type": "vehicle",
        "id": o.vehicle.to_string(),
        "agency_id": o.vehicle.agency.as_str(),
        "vehicle_id": o.vehicle.vehicle.as_str(),
        "event_time": o.event_time.to_string(),
        "mode": word(o.mode),
        "stop_id": stop.and_then(|s| s.stop_id.as_ref()).map(transit::StopId::as_str),
        "current_stop_sequence": stop.and_then(|s| s.current_stop_sequence),
        "current_status": o.stop_status.as_ref().map(|s| s.status.word()),
        "delay_s": o.delay_s,
        "occupancy_status": o.occupancy.as_ref().and_then(|c| word(c.status)),
        "occupancy_percentage": o.occupancy.as_ref().and_then(|c| c.percentage),
        "doors_open": o.doors_open,
        "boot": o.boot,
        "seq": o.seq,
        "retained": o.retained,
        "upcoming": o.upcoming.as_ref().map(|j| journey(Some(j))),
    });
    merged(merged(own, fix(o.position.as_ref())), journey(o.journey.as_ref()))
}

fn alarm(a: &AlarmReport) -> Value {
    let subject = match &a.subject {
        AlarmSubject::Vehicle(key) => format!("vehicle:{key}"),
        AlarmSubject::Unparsed(head) => format!("unparsed:{head}"),
    };
    json!({
        "type": "alarm",
        "subject": subject,
        "event_id": a.event_id,
        "event_time": a.event_time.map(|t| t.to_string()),
        "kind": a.kind.word(),
        "kind_word": a.kind_word,
        "class": a.kind.class().word(),
        "source": a.source.word(),
        "state": a.phase.word(),
        "covert": a.covert.unwrap_or_else(|| a.kind.covert_by_default()),
        "status": a.status.word(),
        "lat": a.fix.as_ref().and_then(|f| f.coordinate).map(transit::Coordinate::lat),
        "lon": a.fix.as_ref().and_then(|f| f.coordinate).map(transit::Coordinate::lon),
        "text": a.text,
        "passengers": a.passengers,
    })
}
