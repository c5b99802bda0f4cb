//! An incident message: what happened, where, and whom it hits.
//!
//! Refused without a kind or without any place; every other field that is wrong is lost alone. A field of an `affects`
//! entry is the exception: an entry means all of its fields together, so that dropping one would widen it; the entry
//! goes whole. Knows no defaults by kind: those are applied where incidents are kept.

use std::collections::BTreeMap;

use alert::{ActivePeriod, Affected, IncidentKey, IncidentKind, IncidentPhase, IncidentReport, IncidentWithdrawal};
use serde_json::{Map, Value};
use transit::{Coordinate, Status};

use super::{BODY_BYTES_MAX, geometry, level, position::direction};
use crate::{
    Frame, Message, ProblemCode,
    feeds::{Out, Source, fingerprint},
    fields::{Notes, clean},
    gtfs_realtime::alert::Effect,
    json::{Raw, Unknown},
};

/// Members of an incident.
pub const INCIDENT_MEMBERS: &[&str] = &[
    "version",
    "state",
    "status",
    "kind",
    "subkind",
    "severity",
    "urgency",
    "certainty",
    "effect",
    "active_periods",
    "expected_end",
    "geometry",
    "lat",
    "lon",
    "latitude",
    "longitude",
    "radius_m",
    "affects",
    "title",
    "text",
    "public_title",
    "public_text",
    "road_control",
];

/// Members of an entry of its `affects`.
pub const AFFECTED_MEMBERS: &[&str] = &[
    "agency_id",
    "route_id",
    "route_type",
    "direction_id",
    "trip_id",
    "stop_id",
    "from_stop_id",
    "to_stop_id",
    "vehicle_id",
];

/// Entries kept of `active_periods` and of `affects`.
const ENTRIES_MAX: usize = 1_000;
/// Languages kept of a text.
const LANGUAGES_MAX: usize = 50;
const TITLE_CHARS: usize = 200;
const TEXT_CHARS: usize = 4_000;
const NAME_CHARS: usize = 128;

/// One JSON object of the message, read field by field.
struct Object<'v>(&'v Map<String, Value>);

impl<'v> Object<'v> {
    fn get(&self, name: &str) -> Option<&'v Value> {
        self.0.get(name).filter(|v| !v.is_null())
    }

    fn raw(&self, name: &str) -> Raw<'v> {
        self.get(name).map_or(Raw::Absent, Raw::from)
    }

    fn raw_of(&self, names: [&str; 2]) -> Raw<'v> {
        names.iter().find_map(|name| self.get(name)).map_or(Raw::Absent, Raw::from)
    }

    fn note_unknown(&self, known: &[&str], notes: &mut Notes) {
        let mut unknown = Unknown::default();
        for name in self.0.keys().filter(|name| !known.contains(&name.as_str())) {
            unknown.add(name.as_str().into());
        }
        notes.unknown(&unknown, known);
    }
}

pub(super) fn decode(source: &Source, frame: &Frame<'_>, key: &str, out: &mut Out) {
    let Some(key) = incident_key(key, &mut out.notes) else {
        return;
    };
    if frame.payload.is_empty() {
        let withdrawal = IncidentWithdrawal { key, feed: source.feed.clone(), received_at: frame.received_at };
        return out.messages.push(Message::Withdrawal(withdrawal));
    }
    let Some(body) = body(frame.payload, &mut out.notes) else {
        return;
    };
    if let Some(report) = report(source, frame, key, &Object(&body), &mut out.notes) {
        out.messages.push(Message::Incident(Box::new(report)));
    }
}

fn incident_key(key: &str, notes: &mut Notes) -> Option<IncidentKey> {
    let levels = key.split_once('/').filter(|(_, id)| !id.contains('/'));
    let Some((source, id)) = levels else {
        let detail = "an incident's topic ends with <source>/<incident>, percent-encoded where they hold a slash";
        notes.reject(ProblemCode::BadId, Some("topic"), detail);
        return None;
    };
    // A vehicle id's pattern is every level's pattern: 1 to 64 characters, none of them control characters.
    let mut parsed = |name, text| level(name, text, transit::VehicleId::parse_level(text), notes);
    let (source, id) = (parsed("source", source), parsed("incident", id));
    Some(IncidentKey { source: source?.to_string(), id: id?.to_string() })
}

fn body(payload: &[u8], notes: &mut Notes) -> Option<Map<String, Value>> {
    if payload.len() > BODY_BYTES_MAX {
        let detail = format!("{} bytes; at most {BODY_BYTES_MAX} are read", payload.len());
        notes.reject(ProblemCode::Oversized, None, detail);
        return None;
    }
    match serde_json::from_slice(payload) {
        Ok(body) => Some(body),
        Err(e) => {
            notes.reject(ProblemCode::Unparsable, None, format!("the body is no JSON object: {e}"));
            None
        }
    }
}

fn report(
    source: &Source,
    frame: &Frame<'_>,
    key: IncidentKey,
    body: &Object<'_>,
    notes: &mut Notes,
) -> Option<IncidentReport> {
    body.note_unknown(INCIDENT_MEMBERS, notes);
    let kind = kind(body, notes);
    let place = place(body, notes);
    let affects = affects(body, notes);
    if place.lat.is_none() && place.geometry.is_none() && !affects.iter().any(names_a_place) {
        let detail = "needs one place: geometry, lat and lon, or a stop, route or vehicle in affects";
        notes.reject(ProblemCode::MissingField, Some("geometry"), detail);
        return None;
    }
    let (kind, kind_word) = kind?;
    let name = |field: &str, max: usize, notes: &mut Notes| -> Option<String> {
        notes.name(field, &body.raw(field)).map(|text| clean(&text, max)).filter(|text| !text.is_empty())
    };
    Some(IncidentReport {
        key,
        feed: source.feed.clone(),
        version: notes.counter("version", &body.raw("version")),
        phase: notes.word("state", &body.raw("state")).unwrap_or(IncidentPhase::Active),
        status: notes.word("status", &body.raw("status")).unwrap_or(Status::Actual),
        kind,
        kind_word,
        subkind: name("subkind", NAME_CHARS, notes),
        severity: notes.word("severity", &body.raw("severity")),
        urgency: notes.word("urgency", &body.raw("urgency")),
        certainty: notes.word("certainty", &body.raw("certainty")),
        effect: effect(body, notes),
        active_periods: periods(body, notes),
        expected_end: notes.optional_instant("expected_end", &body.raw("expected_end")),
        lat: place.lat,
        lon: place.lon,
        geometry: place.geometry,
        radius_m: radius(&body.raw("radius_m"), notes),
        affects,
        title: name("title", TITLE_CHARS, notes),
        text: text("text", body, notes),
        public_title: name("public_title", TITLE_CHARS, notes),
        public_text: text("public_text", body, notes),
        road_control: road_control(body, notes),
        areas: Vec::new(),
        cancelled: false,
        proposes_clear: false,
        names: Vec::new(),
        fingerprint: fingerprint(frame.topic, frame.payload),
        retained: frame.retained,
        received_at: frame.received_at,
    })
}

/// The kind, and its word where it is none of ours; the message is lost without one.
fn kind(body: &Object<'_>, notes: &mut Notes) -> Option<(IncidentKind, Option<String>)> {
    let raw = body.raw("kind");
    let Some(word) = notes.name("kind", &raw) else {
        notes.reject(
            ProblemCode::MissingField,
            Some("kind"),
            "is required: a word like crash, or a TOPIS code A01 to A13",
        );
        return None;
    };
    match IncidentKind::find_word_or_code(word.trim()) {
        Some(kind) => Some((kind, None)),
        None => {
            notes.warn(ProblemCode::UnknownWord, "kind", format!("{raw} is not known; taken as other"));
            Some((IncidentKind::Other, Some(clean(&word, NAME_CHARS))))
        }
    }
}

struct Place {
    lat: Option<f64>,
    lon: Option<f64>,
    geometry: Option<String>,
}

fn place(body: &Object<'_>, notes: &mut Notes) -> Place {
    let (lat, lon) = (body.raw_of(["lat", "latitude"]), body.raw_of(["lon", "longitude"]));
    // Null Island is where broken senders report; an incident there would arm an area in the sea.
    let at: Option<Coordinate> =
        notes.fix(["lat", "lon"], &lat, &lon).filter(|fix| fix.flaw.is_none()).and_then(|fix| fix.coordinate);
    let geometry = body.get("geometry").and_then(|value| {
        geometry::check(value).map_err(|why| notes.warn(ProblemCode::BadField, "geometry", why)).ok()
    });
    Place { lat: at.map(Coordinate::lat), lon: at.map(Coordinate::lon), geometry }
}

fn names_a_place(affected: &Affected) -> bool {
    [
        &affected.route_id,
        &affected.trip_id,
        &affected.stop_id,
        &affected.from_stop_id,
        &affected.to_stop_id,
        &affected.vehicle_id,
    ]
    .iter()
    .any(|id| id.is_some())
}

/// The entries of a list of objects, each with its field name for notes; one object stands for a list of one.
fn entries<'v>(field: &str, body: &Object<'v>, notes: &mut Notes) -> Vec<(String, Object<'v>)> {
    let values: &[Value] = match body.get(field) {
        None => &[],
        Some(Value::Array(list)) => list,
        Some(one) => std::slice::from_ref(one),
    };
    if values.len() > ENTRIES_MAX {
        notes.warn(ProblemCode::BadField, field, format!("has {} entries; {ENTRIES_MAX} are kept", values.len()));
    }
    let mut objects = Vec::new();
    for (i, value) in values.iter().take(ENTRIES_MAX).enumerate() {
        let label = format!("{field}[{i}]");
        if let Value::Object(map) = value {
            objects.push((label, Object(map)));
        } else {
            notes.warn(ProblemCode::BadField, &label, format!("{} is not an object", Raw::from(value)));
        }
    }
    objects
}

fn affects(body: &Object<'_>, notes: &mut Notes) -> Vec<Affected> {
    let mut kept = Vec::new();
    for (label, entry) in entries("affects", body, notes) {
        let before = notes.problems.len();
        let affected = affected(&entry, notes);
        let lost = notes.problems.len() > before;
        entry.note_unknown(AFFECTED_MEMBERS, notes);
        if lost {
            notes.warn(ProblemCode::BadField, &label, "was dropped whole: without the wrong field it would mean more");
        } else if affected == Affected::default() {
            notes.warn(ProblemCode::BadField, &label, "names nothing");
        } else {
            kept.push(affected);
        }
    }
    kept
}

fn affected(entry: &Object<'_>, notes: &mut Notes) -> Affected {
    let mut name = |field: &str| notes.name(field, &entry.raw(field)).map(|id| clean(&id, NAME_CHARS));
    let affected = Affected {
        agency_id: name("agency_id"),
        route_id: name("route_id"),
        trip_id: name("trip_id"),
        stop_id: name("stop_id"),
        from_stop_id: name("from_stop_id"),
        to_stop_id: name("to_stop_id"),
        vehicle_id: name("vehicle_id"),
        ..Affected::default()
    };
    Affected {
        route_type: notes.whole("route_type", &entry.raw("route_type"), 0..=1_800),
        direction_id: direction(&entry.raw("direction_id"), notes),
        ..affected
    }
}

/// Metres. A circle of nothing would be an area that nobody is ever in.
fn radius(raw: &Raw<'_>, notes: &mut Notes) -> Option<f64> {
    let said = notes.number("radius_m", raw, 0.0..=500_000.0)?;
    if said == 0.0 {
        notes.warn(ProblemCode::BadField, "radius_m", "is 0, which is no area; the default of the kind holds");
        return None;
    }
    Some(said)
}

fn periods(body: &Object<'_>, notes: &mut Notes) -> Vec<ActivePeriod> {
    let mut kept = Vec::new();
    for (label, entry) in entries("active_periods", body, notes) {
        let period = ActivePeriod {
            start: notes.optional_instant(&format!("{label}.start"), &entry.raw("start")),
            end: notes.optional_instant(&format!("{label}.end"), &entry.raw("end")),
        };
        match (period.start, period.end) {
            // Read as open it would begin at once.
            (None, _) if entry.raw("start").is_present() => {}
            (Some(start), Some(end)) if end < start => {
                notes.warn(ProblemCode::BadField, &label, "ends before it starts; dropped");
            }
            _ => kept.push(period),
        }
    }
    kept
}

/// `{language: text}`, or one text in no said language.
fn text(field: &str, body: &Object<'_>, notes: &mut Notes) -> BTreeMap<String, String> {
    match body.get(field) {
        Some(Value::Object(map)) => {
            let pairs = map.iter().take(LANGUAGES_MAX);
            pairs
                .filter_map(|(language, value)| {
                    let (language, raw) = (clean(language, 16), Raw::from(value));
                    let text = notes.name(&format!("{field}.{language}"), &raw)?;
                    Some((language, clean(&text, TEXT_CHARS)))
                })
                .collect()
        }
        _ => {
            let text = notes.name(field, &body.raw(field)).map(|text| clean(&text, TEXT_CHARS));
            text.into_iter().map(|text| (String::new(), text)).collect()
        }
    }
}

fn effect(body: &Object<'_>, notes: &mut Notes) -> Option<String> {
    let raw = body.raw("effect");
    let word = notes.name("effect", &raw)?.to_ascii_uppercase();
    let effect = Effect::from_str_name(&word);
    if effect.is_none() {
        notes.warn(ProblemCode::UnknownWord, "effect", format!("{raw} is no GTFS-Realtime effect; taken as unknown"));
    }
    Some(effect.unwrap_or(Effect::UnknownEffect).as_str_name().to_owned())
}

fn road_control(body: &Object<'_>, notes: &mut Notes) -> Option<String> {
    let raw = body.raw("road_control");
    let word = notes.name("road_control", &raw)?.to_ascii_lowercase();
    if matches!(word.as_str(), "full" | "partial") {
        return Some(word);
    }
    notes.warn(ProblemCode::UnknownWord, "road_control", format!("{raw} is neither full nor partial"));
    None
}
