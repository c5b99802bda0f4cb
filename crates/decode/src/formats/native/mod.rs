//! Our own format: JSON under `<prefix>/v1/`, one object a message. Here: which topic means what.
//!
//! Knows nothing of the other formats. The bodies are read in `position`, `alarm`, `incident` and `status`.

mod alarm;
mod encode;
pub(crate) mod geometry;
mod incident;
mod position;
mod status;

pub use encode::{
    AlarmBody, IncidentBody, alarm_topic, encode_alarm, encode_incident, encode_position, incident_topic,
    position_topic,
};
pub use incident::{AFFECTED_MEMBERS, INCIDENT_MEMBERS};
use transit::{IdError, VehicleId, VehicleKey};

use crate::{
    Frame, ProblemCode,
    feeds::{Out, Source},
    fields::{Notes, clean},
    formats::{FormatDef, Lane},
    topic::nearest_template,
};

/// The word for this format, and the id of its default feed.
pub const CODE: &str = "native";

pub(crate) const FORMAT: FormatDef = FormatDef {
    code: CODE,
    doc: "Positions, alarms, incidents and client status as JSON under <prefix>/v1/.",
    topics: &["{prefix}/#"],
    timezone: None,
    by_default: true,
    lane: Lane::ByTopic(|_| false),
    decode,
    replaceable: position::is_replaceable,
};

/// What the emergency session subscribes to below a root. Alarms are taken with too few and too many levels as well:
/// a driver's alarm is not lost to a misspelled id.
pub(crate) const EMERGENCY_FILTERS: &[&str] = &[
    "v1/vehicle/+/+/alarm",
    "v1/vehicle/alarm",
    "v1/vehicle/+/alarm",
    "v1/vehicle/+/+/+/alarm",
    "v1/vehicle/+/+/+/+/alarm",
    "v1/incident/#",
];

/// The largest body of an alarm or incident that is parsed: four times what a broker should let through.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// The topics below the prefix, as they are shown to somebody who missed them.
const TEMPLATES: &[&str] = &[
    "v1/vehicle/<agency>/<vehicle>/position",
    "v1/vehicle/<agency>/<vehicle>/alarm",
    "v1/incident/<source>/<incident>",
    "v1/status/<client>",
    "v1/receipt/<agency>/<vehicle>",
    "v1/gtfs-rt/<feed>",
];

/// What a topic below a root means.
enum Meaning<'t> {
    Position { agency: &'t str, vehicle: &'t str },
    Alarm { between: &'t str },
    Incident { key: &'t str },
    Status { client: &'t str },
    Receipt,
    Unknown,
}

fn meaning(below_root: &str) -> Meaning<'_> {
    let Some(rest) = below_root.strip_prefix("v1/") else {
        return Meaning::Unknown;
    };
    let (kind, rest) = rest.split_once('/').unwrap_or((rest, ""));
    match kind {
        "vehicle" => match rest.rsplit_once('/') {
            Some((between, "position")) => match between.split_once('/') {
                Some((agency, vehicle)) if !vehicle.contains('/') => Meaning::Position { agency, vehicle },
                Some(_) | None => Meaning::Unknown,
            },
            Some(_) | None => alarm_under(rest),
        },
        "vehicles" => alarm_under(rest),
        "incident" => Meaning::Incident { key: rest },
        "status" if !rest.is_empty() => Meaning::Status { client: rest },
        "receipt" => Meaning::Receipt,
        _ => Meaning::Unknown,
    }
}

/// An alarm all but named as one is one: its sender was told that it arrived.
fn alarm_under(rest: &str) -> Meaning<'_> {
    let rest = rest.trim_end_matches('/');
    let (between, last) = rest.rsplit_once('/').unwrap_or(("", rest));
    if ["alarm", "alarms"].iter().any(|name| last.eq_ignore_ascii_case(name)) {
        Meaning::Alarm { between }
    } else {
        Meaning::Unknown
    }
}

/// Whether a topic below a root carries an alarm or an incident, well-formed or not.
pub(crate) fn is_emergency(below_root: &str) -> bool {
    match meaning(below_root) {
        Meaning::Alarm { .. } | Meaning::Incident { .. } => true,
        Meaning::Position { .. } | Meaning::Status { .. } | Meaning::Receipt | Meaning::Unknown => false,
    }
}

/// Whether presses overtake a frame that [`is_emergency`].
pub(crate) fn may_wait(below_root: &str, payload: &[u8]) -> bool {
    !matches!(meaning(below_root), Meaning::Alarm { .. }) || alarm::may_wait(payload)
}

/// The topic of ours that is nearest to `topic`.
pub(crate) fn nearest(prefix: &str, topic: &str) -> String {
    let below = topic.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/'));
    // Somebody who missed the prefix has the levels below it right: compare those.
    let below = below.or_else(|| topic.split_once('/').map(|(_, rest)| rest)).unwrap_or(topic);
    format!("{prefix}/{}", nearest_template(below, TEMPLATES).unwrap_or_default())
}

fn decode(source: &Source, frame: &Frame<'_>, out: &mut Out) {
    let below = source.roots.iter().filter_map(|root| root.strip(frame.topic)).find(|below| below.starts_with("v1/"));
    match below.map_or(Meaning::Unknown, meaning) {
        Meaning::Position { agency, vehicle } => {
            if let Some(key) = vehicle_key(source, agency, vehicle, out) {
                out.vehicle = Some(key.clone());
                position::decode(source, frame, key, out);
            }
        }
        Meaning::Alarm { between } => alarm::decode(source, frame, between, out),
        Meaning::Incident { key } => incident::decode(source, frame, key, out),
        Meaning::Status { client } => status::decode(frame, client, out),
        Meaning::Receipt => {}
        Meaning::Unknown => {
            let prefix = source.roots.first().map(|root| root.joined("")).unwrap_or_default();
            let near = nearest(prefix.trim_end_matches('/'), frame.topic);
            out.notes.reject(
                ProblemCode::UnknownTopic,
                Some("topic"),
                format!("is none of ours; the nearest is {near}"),
            );
        }
    }
}

fn vehicle_key(source: &Source, agency: &str, vehicle: &str, out: &mut Out) -> Option<VehicleKey> {
    let agency = level("agency", agency, source.agency_of(agency), &mut out.notes);
    let vehicle = level("vehicle", vehicle, VehicleId::parse_level(vehicle), &mut out.notes);
    Some(VehicleKey { agency: agency?, vehicle: vehicle? })
}

/// A topic level as an id; the message is lost without it.
fn level<T>(name: &str, text: &str, parsed: Result<T, IdError>, notes: &mut Notes) -> Option<T> {
    parsed
        .map_err(|e| {
            let shown = clean(text, 64);
            notes.reject(ProblemCode::BadId, Some(name), format!("the topic level {shown:?} {e}"));
        })
        .ok()
}
