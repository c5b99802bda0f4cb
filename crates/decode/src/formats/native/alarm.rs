//! An alarm message. Reading one is total: whatever the topic's ids and the body look like, an alarm comes out.
//!
//! What cannot be read is said in warnings and, when nothing could be, kept as the head of the body. Knows nothing of
//! what an alarm leads to.

use std::borrow::Cow;

use alert::{AlarmKind, AlarmPhase, AlarmReport, AlarmSource, AlarmSubject, AlertClass};
use transit::{Fix, Status, VehicleId, VehicleKey};

use super::{BODY_BYTES_MAX, position::scalar_after};
use crate::{
    Frame, Message, ProblemCode,
    feeds::{Out, Source, fingerprint},
    fields::{Notes, clean, head},
    json::{Fields, Raw, object, read},
};

/// Characters kept of the free text.
const TEXT_CHARS: usize = 2_000;
/// Characters kept of ids, of unknown kinds, and of topic levels that are no ids.
const NAME_CHARS: usize = 128;
/// Characters kept of a body that could not be read.
const HEAD_CHARS: usize = 256;

object! {
    /// The body.
    Body {
        event_id: "event_id",
        event_time: "event_time" | "timestamp",
        kind: "kind",
        source: "source",
        state: "state",
        covert: "covert",
        status: "status",
        lat: "lat" | "latitude",
        lon: "lon" | "longitude",
        bearing: "bearing",
        speed_mps: "speed_mps" | "speed",
        accuracy_m: "accuracy_m",
        text: "text",
        passengers: "passengers",
    } ignored { "agency", "agency_id", "vehicle", "vehicle_id", "route_id", "trip_id", }
}

pub(super) fn decode(source: &Source, frame: &Frame<'_>, between: &str, out: &mut Out) {
    let notes = &mut out.notes;
    let subject = subject(source, between, notes);
    if let AlarmSubject::Vehicle(key) = &subject {
        out.vehicle = Some(key.clone());
    }
    if !frame.topic.ends_with("/alarm") {
        let detail = "is all but the topic of an alarm and was taken as one; end it with /alarm";
        notes.warn(ProblemCode::UnknownTopic, "topic", detail);
    }
    let body = body(frame, notes);
    let unparsed_head = body.is_none().then(|| head(frame.payload, HEAD_CHARS));
    let body = body.unwrap_or_default();
    let (kind, kind_word) = match &unparsed_head {
        Some(_) => (emergency_in(frame.payload).unwrap_or(AlarmKind::Other), None),
        None => kind(&body.kind, notes),
    };
    let report = AlarmReport {
        feed: source.feed.clone(),
        subject,
        event_id: notes.name("event_id", &body.event_id).map(|id| clean(&id, NAME_CHARS)).filter(|id| !id.is_empty()),
        event_time: notes.optional_instant("event_time", &body.event_time),
        kind,
        kind_word,
        source: notes.word("source", &body.source).unwrap_or(AlarmSource::Driver),
        phase: notes.word("state", &body.state).unwrap_or(AlarmPhase::Raised),
        covert: notes.flag("covert", &body.covert),
        status: notes.word("status", &body.status).unwrap_or(Status::Actual),
        fix: fix(&body, notes),
        text: notes.name("text", &body.text).map(|text| clean(&text, TEXT_CHARS)),
        passengers: notes.whole("passengers", &body.passengers, 0..=100_000).and_then(|n| u32::try_from(n).ok()),
        unparsed_head,
        fingerprint: fingerprint(frame.topic, frame.payload),
        retained: frame.retained,
        dup: frame.dup,
        received_at: frame.received_at,
    };
    out.messages.push(Message::Alarm(Box::new(report)));
}

/// Whether a body says of itself, beyond doubt, that it is no emergency. Its raise and its end are of one kind, so both
/// get one answer; an end that names no kind is told from the order of events by their times.
pub(super) fn may_wait(payload: &[u8]) -> bool {
    /// Fails on a kind that is given twice.
    #[derive(serde::Deserialize)]
    struct Kind<'a> {
        #[serde(borrow)]
        kind: Cow<'a, str>,
    }
    // A list would do for serde too.
    if payload.len() > BODY_BYTES_MAX || !payload.trim_ascii_start().starts_with(b"{") {
        return false;
    }
    let kind: Option<AlarmKind> =
        serde_json::from_slice::<Kind<'_>>(payload).ok().and_then(|Kind { kind }| transit::Word::find(kind.trim()));
    kind.is_some_and(|kind| kind.class() != AlertClass::Emergency)
}

fn subject(source: &Source, between: &str, notes: &mut Notes) -> AlarmSubject {
    let key = between.split_once('/').filter(|(_, vehicle)| !vehicle.contains('/')).and_then(|(agency, vehicle)| {
        Some(VehicleKey { agency: source.agency_of(agency).ok()?, vehicle: VehicleId::parse_level(vehicle).ok()? })
    });
    key.map_or_else(
        || {
            let shown = clean(between, NAME_CHARS);
            notes.warn(ProblemCode::BadId, "topic", format!("{shown:?} is no agency and vehicle; raised all the same"));
            AlarmSubject::Unparsed(shown)
        },
        AlarmSubject::Vehicle,
    )
}

fn body<'a>(frame: &Frame<'a>, notes: &mut Notes) -> Option<Body<'a>> {
    if frame.payload.is_empty() {
        notes.warn(ProblemCode::EmptyBody, "body", "is empty; raised all the same");
        return None;
    }
    if frame.payload.len() > BODY_BYTES_MAX {
        let detail = format!("{} bytes, at most {BODY_BYTES_MAX} are read; raised all the same", frame.payload.len());
        notes.warn(ProblemCode::Oversized, "body", detail);
        return None;
    }
    match read::<Body<'a>>(frame.payload) {
        Ok((body, unknown)) => {
            notes.unknown(&unknown, Body::KNOWN);
            Some(body)
        }
        Err(e) => {
            notes.warn(ProblemCode::Unparsable, "body", format!("is no JSON object: {e}; raised all the same"));
            None
        }
    }
}

/// The kind of emergency that a body names which is no JSON, for one bad number or a broken end: a display that must be
/// silent for a covert one is silent then too. What is named as less than an emergency may be more.
fn emergency_in(payload: &[u8]) -> Option<AlarmKind> {
    let payload = payload.get(..BODY_BYTES_MAX.min(payload.len()))?;
    let word = scalar_after(payload, b"\"kind\"")?.strip_prefix(b"\"")?;
    let word = word.split(|byte| *byte == b'"').next()?;
    let kind: AlarmKind = transit::Word::find(std::str::from_utf8(word).ok()?.trim())?;
    (kind.class() == AlertClass::Emergency).then_some(kind)
}

/// The kind, and the word for it where it is none of ours: what we do not know ranks as an emergency.
fn kind(raw: &Raw<'_>, notes: &mut Notes) -> (AlarmKind, Option<String>) {
    let Some(word) = notes.name("kind", raw) else {
        return (AlarmKind::Other, None);
    };
    match transit::Word::find(word.trim()) {
        Some(kind) => (kind, None),
        None => {
            notes.warn(ProblemCode::UnknownWord, "kind", format!("{raw} is not known; taken as other"));
            (AlarmKind::Other, Some(clean(&word, NAME_CHARS)))
        }
    }
}

fn fix(body: &Body<'_>, notes: &mut Notes) -> Option<Fix> {
    let fix = notes.fix(["lat", "lon"], &body.lat, &body.lon)?;
    Some(Fix {
        bearing: notes.bearing("bearing", &body.bearing),
        speed_mps: notes.number("speed_mps", &body.speed_mps, 0.0..=500.0).map(|n| n as f32),
        accuracy_m: notes.number("accuracy_m", &body.accuracy_m, 0.0..=40_000_000.0).map(|n| n as f32),
        ..fix
    })
}
