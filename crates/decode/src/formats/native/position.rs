//! A vehicle's position message: every field but `event_time` optional, each lost alone when it is wrong.
//!
//! Groups of facts are given or not given as a whole: a position when `lat` or `lon` is there, a stop when `stop_id` or
//! `current_stop_sequence` is, a journey when any of its fields is. Knows nothing of topics.

use std::sync::Arc;

use memchr::memmem;
use transit::{
    BlockId, Fix, Journey, JourneyState, Mode, Observation, Occupancy, PositionSource, RouteId, ServiceDate,
    ServiceTime, Significance, StopId, StopReference, StopStatusReport, TripId, VehicleKey, Word,
};

use crate::{
    Frame, Message, ProblemCode,
    feeds::{Out, Source, content_hash},
    fields::{Notes, clean},
    json::{Fields, Raw, object, read},
};

/// The largest position that is parsed; a broker should let through a quarter of it.
const BYTES_MAX: usize = 64 * 1024;

/// Units of a train that are kept.
const CONSIST_MAX: usize = 64;

object! {
    /// The body.
    Body {
        event_time: "event_time" | "timestamp",
        lat: "lat" | "latitude",
        lon: "lon" | "longitude",
        bearing: "bearing",
        speed_mps: "speed_mps" | "speed",
        accuracy_m: "accuracy_m",
        odometer_m: "odometer_m",
        mode: "mode",
        route_id: "route_id",
        direction_id: "direction_id",
        trip_id: "trip_id",
        service_date: "service_date" | "start_date",
        start_time: "start_time",
        block_id: "block_id",
        stop_id: "stop_id",
        current_stop_sequence: "current_stop_sequence",
        current_status: "current_status",
        delay_s: "delay_s",
        occupancy_status: "occupancy_status",
        occupancy_percentage: "occupancy_percentage",
        doors_open: "doors_open",
        position_source: "position_source",
        journey_state: "journey_state",
        consist: "consist",
        boot: "boot",
        seq: "seq",
        agency: "agency" | "agency_id",
        vehicle: "vehicle" | "vehicle_id",
    } ignored {}
}

pub(super) fn decode(source: &Source, frame: &Frame<'_>, vehicle: VehicleKey, out: &mut Out) {
    let notes = &mut out.notes;
    if frame.payload.is_empty() {
        return notes.reject(ProblemCode::EmptyBody, None, "the body is empty; a position needs at least event_time");
    }
    if frame.payload.len() > BYTES_MAX {
        let detail = format!("{} bytes; at most {BYTES_MAX} are read", frame.payload.len());
        return notes.reject(ProblemCode::Oversized, None, detail);
    }
    let (body, unknown) = match read::<Body<'_>>(frame.payload) {
        Ok(read) => read,
        Err(e) => return notes.reject(ProblemCode::Unparsable, None, format!("the body is no JSON object: {e}")),
    };
    if unknown.count > 0 {
        notes.unknown(&unknown, Body::KNOWN);
    }
    let Some(event_time) = notes.required_instant("event_time", &body.event_time) else {
        return;
    };
    identity(&body, &vehicle, notes);
    if frame.retained {
        notes.warn(
            ProblemCode::Retained,
            "retain",
            "a retained position is last known, never fresh; publish without retain",
        );
    }
    let position = position(&body, notes);
    let (journey, upcoming) = match journey(&body, notes) {
        Some(journey) if journey.state == Some(JourneyState::Upcoming) => (None, Some(journey)),
        journey => (journey, None),
    };
    let signed_off = journey.as_ref().is_some_and(|j| j.state == Some(JourneyState::SignedOff));
    let (stop, stop_status) = stop(&body, notes);
    let observation = Observation {
        vehicle,
        feed: source.feed.clone(),
        event_time,
        boot: notes.counter("boot", &body.boot),
        seq: notes.counter("seq", &body.seq),
        // A 1 Hz position repeats stop and journey all the time: only what cannot be a plain position is an event.
        significance: if position.is_none() || signed_off { Significance::Event } else { Significance::Plain },
        content: content_hash(frame.topic, frame.payload),
        mode: mode(&body, source, notes),
        position,
        doors_open: notes.flag("doors_open", &body.doors_open),
        stop,
        stop_status,
        delay_s: notes.whole("delay_s", &body.delay_s, -604_800..=604_800),
        occupancy: occupancy(&body, notes),
        journey,
        upcoming,
        retained: frame.retained,
    };
    out.messages.push(Message::Vehicle(observation));
}

/// The topic says who speaks; a body that says otherwise is told so.
fn identity(body: &Body<'_>, vehicle: &VehicleKey, notes: &mut Notes) {
    for (field, raw, topic) in
        [("agency", &body.agency, vehicle.agency.as_str()), ("vehicle", &body.vehicle, vehicle.vehicle.as_str())]
    {
        if !raw.is_present() {
            continue;
        }
        let said = notes.name(field, raw);
        if said.is_some_and(|said| said != topic) {
            let detail = format!("{raw} is not the topic's {topic:?}; the topic was believed");
            notes.warn(ProblemCode::BadField, field, detail);
        }
    }
}

fn position(body: &Body<'_>, notes: &mut Notes) -> Option<Fix> {
    let fix = notes.fix(["lat", "lon"], &body.lat, &body.lon)?;
    Some(Fix {
        bearing: notes.bearing("bearing", &body.bearing),
        speed_mps: notes.number("speed_mps", &body.speed_mps, 0.0..=500.0).map(|n| n as f32),
        accuracy_m: notes.number("accuracy_m", &body.accuracy_m, 0.0..=40_000_000.0).map(|n| n as f32),
        odometer_m: notes.number("odometer_m", &body.odometer_m, -1e10..=1e10),
        source: body
            .position_source
            .given()
            .map(|raw| notes.word("position_source", raw).unwrap_or(PositionSource::Unknown)),
        ..fix
    })
}

fn mode(body: &Body<'_>, source: &Source, notes: &mut Notes) -> Option<Mode> {
    let said = notes.word_by("mode", &body.mode, Mode::find_alias);
    said.or(source.mode).or(body.mode.is_present().then_some(Mode::Unknown))
}

fn stop(body: &Body<'_>, notes: &mut Notes) -> (Option<StopReference>, Option<StopStatusReport>) {
    let stop_id = notes.id("stop_id", &body.stop_id, StopId::parse);
    let sequence = notes.whole("current_stop_sequence", &body.current_stop_sequence, 0..=i32::MAX);
    let reference =
        StopReference { stop_id: stop_id.clone(), current_stop_sequence: sequence.and_then(|n| u32::try_from(n).ok()) };
    // A stop that could not be read is not the word that there is none.
    let reference = (reference != StopReference::default()).then_some(reference);
    let status = notes.word("current_status", &body.current_status);
    (reference, status.map(|status| StopStatusReport { stop_id, status }))
}

fn occupancy(body: &Body<'_>, notes: &mut Notes) -> Option<Occupancy> {
    let status = notes.word("occupancy_status", &body.occupancy_status);
    let percentage = notes.whole("occupancy_percentage", &body.occupancy_percentage, 0..=1_000);
    let percentage = percentage.and_then(|n| u32::try_from(n).ok());
    (status.is_some() || percentage.is_some()).then_some(Occupancy { status, percentage })
}

fn journey(body: &Body<'_>, notes: &mut Notes) -> Option<Journey> {
    let fields = [
        &body.journey_state,
        &body.route_id,
        &body.direction_id,
        &body.trip_id,
        &body.service_date,
        &body.start_time,
        &body.block_id,
        &body.consist,
    ];
    if !fields.iter().any(|raw| raw.is_present()) {
        return None;
    }
    let journey = Journey {
        state: notes.word("journey_state", &body.journey_state),
        route_id: notes.id("route_id", &body.route_id, RouteId::parse),
        direction_id: direction(&body.direction_id, notes),
        trip_id: notes.id("trip_id", &body.trip_id, TripId::parse),
        service_date: notes.parsed("service_date", &body.service_date, ServiceDate::parse),
        start_time: notes.parsed("start_time", &body.start_time, ServiceTime::parse),
        block_id: notes.id("block_id", &body.block_id, BlockId::parse),
        consist: consist(&body.consist, notes),
    };
    (journey != Journey::default()).then_some(journey)
}

/// 0 or 1, as a number or as text.
pub(super) fn direction(raw: &Raw<'_>, notes: &mut Notes) -> Option<u8> {
    let name = notes.name("direction_id", raw)?;
    match name.as_ref() {
        "0" => Some(0),
        "1" => Some(1),
        _ => {
            notes.warn(ProblemCode::BadField, "direction_id", format!("{raw} is neither 0 nor 1"));
            None
        }
    }
}

fn consist(raw: &Raw<'_>, notes: &mut Notes) -> Option<Arc<[Arc<str>]>> {
    let listed = if let Raw::List(list) = raw { list.as_slice() } else { std::slice::from_ref(raw) };
    let named = listed.iter().take(CONSIST_MAX).filter_map(|unit| notes.name("consist", unit));
    let units: Vec<Arc<str>> = named.map(|unit| Arc::from(clean(&unit, 64))).collect();
    (!units.is_empty()).then(|| units.into())
}

/// A plain position: it has one, and says nothing that would be missed if a newer one took its place. A door open, a
/// stop reached or about to be, and a journey state other than in service would be missed.
pub(super) fn is_replaceable(topic: &str, payload: &[u8]) -> bool {
    let says = |key: &[u8], matches: fn(&[u8]) -> bool| scalar_after(payload, key).is_some_and(matches);
    let given = |value: &[u8]| !value.starts_with(b"null");
    let has_position = says(b"\"lat\"", given) || says(b"\"latitude\"", given);
    topic.ends_with("/position")
        && has_position
        && !says(b"\"doors_open\"", |value| value.starts_with(b"true"))
        && !says(b"\"current_status\"", |value| {
            ["\"stopped_at\"", "\"incoming_at\""].iter().any(|word| starts_with_word(value, word))
        })
        && !says(b"\"journey_state\"", |value| {
            JourneyState::ALL.iter().any(|state| {
                *state != JourneyState::InService && starts_with_word(value.get(1..).unwrap_or_default(), state.word())
            })
        })
}

fn starts_with_word(value: &[u8], word: &str) -> bool {
    value.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
}

/// What follows `"key" :`, blanks skipped.
pub(super) fn scalar_after<'p>(payload: &'p [u8], key: &[u8]) -> Option<&'p [u8]> {
    let behind = payload.get(memmem::find(payload, key)? + key.len()..)?;
    Some(behind.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}
