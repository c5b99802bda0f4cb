//! HSL's High-frequency positioning, versions 1 and 2.
//!
//! Who speaks and of which trip stands in the topic; the body's `oper` is who runs the trip, not who owns the vehicle.
//! `dl` is positive when early: the sign is turned here, once. An upcoming trip's message tells where the vehicle is
//! and what it will do next, and nothing of stop or delay, which belong to that next trip. Local times are of the
//! feed's zone. Knows nothing of the other formats.

mod encode;
mod events;
mod passengers;
mod topic;

pub use encode::{LastTopic, Sent, encode};
pub use events::HfpEvent;
use jiff::tz::TimeZone;
use memchr::memmem;
pub use passengers::percentage_status;
use transit::{
    BlockId, Fix, Journey, JourneyState, Mode, Observation, Occupancy, PositionSource, RouteId, ServiceDate,
    ServiceTime, Significance, StopId, StopReference, StopStatusReport, UtcMillis, VehicleId, VehicleKey, Word,
};

use self::{
    events::{Said, StopRule},
    topic::{JourneyType, Topic, Trip},
};
use crate::{
    Frame, Message, ProblemCode,
    feeds::{Out, Source, content_hash},
    fields::{Notes, clean},
    formats::{FormatDef, Lane},
    json::{Raw, object},
};

pub(crate) const FORMAT: FormatDef = FormatDef {
    code: "hfp",
    doc: "HSL High-frequency positioning, versions 1 and 2, all event types and passenger counts.",
    topics: &["/hfp/v1/#", "/hfp/v2/#"],
    timezone: Some("Europe/Helsinki"),
    by_default: true,
    lane: Lane::ByTopic(|_| false),
    decode,
    replaceable: is_replaceable,
};

/// The largest body that is parsed; recorded ones have 550 bytes at most.
const BYTES_MAX: usize = 64 * 1024;

object! {
    /// What stands in the one object of the body.
    Body {
        tst: "tst",
        lat: "lat",
        long: "long",
        spd: "spd",
        hdg: "hdg",
        odo: "odo",
        dl: "dl",
        drst: "drst",
        loc: "loc",
        stop: "stop",
        route: "route",
        dir: "dir",
        oday: "oday",
        start: "start",
        occu: "occu",
        block: "block",
    } ignored {
        "desi", "oper", "veh", "tsi", "acc", "jrn", "line", "seq", "label", "ttarr", "ttdep", "dr-type", "sid",
        "signal-groupid", "tlp-requestid", "tlp-requesttype", "tlp-prioritylevel", "tlp-reason", "tlp-att-seq",
        "tlp-decision", "tlp-protocol", "tlp-frequency", "tlp-signalgroupnbr", "tlp-line-configid",
        "tlp-point-configid", "schemaVersion", "messageId",
    }
}

/// Positions of version 2 and everything of version 1, which has no other events; never a sign-off.
fn is_replaceable(topic: &str, _payload: &[u8]) -> bool {
    Topic::parse(topic).is_ok_and(|t| {
        t.journey_type != JourneyType::Signoff
            && t.event.is_none_or(|event| HfpEvent::find(event) == Some(HfpEvent::Vp))
    })
}

fn decode(source: &Source, frame: &Frame<'_>, out: &mut Out) {
    let topic = match Topic::parse(frame.topic) {
        Ok(topic) => topic,
        Err(why) => return out.notes.reject(ProblemCode::UnknownTopic, Some("topic"), why),
    };
    let Some(vehicle) = vehicle_key(source, &topic, &mut out.notes) else {
        return;
    };
    out.vehicle = Some(vehicle.clone());
    let notes = &mut out.notes;
    if frame.payload.is_empty() {
        return notes.reject(ProblemCode::EmptyBody, None, "the body is empty");
    }
    if frame.payload.len() > BYTES_MAX {
        let detail = format!("{} bytes; at most {BYTES_MAX} are read", frame.payload.len());
        return notes.reject(ProblemCode::Oversized, None, detail);
    }
    let said = match events::read(frame.payload) {
        Ok(said) => said,
        Err(e) => return notes.reject(ProblemCode::Unparsable, None, format!("the body is no HFP object: {e}")),
    };
    notes.unknown_fields = said.unknown.count;
    let Some(event_time) = notes.required_instant("tst", &said.body.tst) else {
        return;
    };
    if frame.retained {
        notes.warn(ProblemCode::Retained, "retain", "a retained position is last known, never fresh");
    }
    let event = event(&topic, &said, notes);
    let observation = observation(source, frame, (&topic, event), &said, (vehicle, event_time), notes);
    out.messages.push(Message::Vehicle(observation));
}

fn vehicle_key(source: &Source, topic: &Topic<'_>, notes: &mut Notes) -> Option<VehicleKey> {
    let mut bad = |field: &str, level: &str, e: transit::IdError| {
        notes.reject(ProblemCode::BadId, Some(field), format!("the topic level {:?} {e}", clean(level, 64)));
    };
    let agency = source.agency_of(topic.operator).map_err(|e| bad("operator", topic.operator, e)).ok();
    let vehicle = VehicleId::parse_level(topic.vehicle).map_err(|e| bad("vehicle", topic.vehicle, e)).ok();
    Some(VehicleKey { agency: agency?, vehicle: vehicle? })
}

/// The event: the topic's in version 2, the body's key in version 1.
fn event(topic: &Topic<'_>, said: &Said<'_>, notes: &mut Notes) -> Option<HfpEvent> {
    let word = topic.event.unwrap_or(&said.key);
    let event = HfpEvent::find(word);
    if event.is_none() {
        let detail = format!("{:?} is no event of HFP; taken as one that says nothing of stops", clean(word, 32));
        notes.warn(ProblemCode::UnknownWord, "event_type", detail);
    }
    event
}

fn observation(
    source: &Source,
    frame: &Frame<'_>,
    (topic, event): (&Topic<'_>, Option<HfpEvent>),
    said: &Said<'_>,
    (vehicle, event_time): (VehicleKey, UtcMillis),
    notes: &mut Notes,
) -> Observation {
    let body = &said.body;
    let next_trip = topic.upcoming && topic.journey_type == JourneyType::Journey;
    let on_trip = topic.journey_type == JourneyType::Journey && !next_trip;
    let stop = topic.trip.as_ref().filter(|_| on_trip).map(|trip| stop(trip, notes));
    let journey = journey(topic, event, body, (event_time, &source.zone), notes);
    let (journey, upcoming) = if next_trip { (None, journey) } else { (journey, None) };
    Observation {
        vehicle,
        feed: source.feed.clone(),
        event_time,
        boot: None,
        seq: None,
        significance: if event == Some(HfpEvent::Vp) { Significance::Plain } else { Significance::Event },
        content: content_hash(frame.topic, frame.payload),
        mode: mode(topic.mode, source, notes),
        position: position(body, notes),
        doors_open: doors(body, event, notes),
        stop_status: stop_status(event, body, stop.as_ref(), notes).filter(|_| on_trip),
        stop,
        delay_s: if on_trip { notes.whole("dl", &body.dl, -604_800..=604_800).map(|early| -early) } else { None },
        occupancy: occupancy(said, notes),
        journey,
        upcoming,
        retained: frame.retained,
    }
}

/// The mode level may be empty; a word we do not know is kept as unknown.
fn mode(level: &str, source: &Source, notes: &mut Notes) -> Option<Mode> {
    if level.is_empty() {
        return source.mode;
    }
    Mode::find_alias(level).or_else(|| {
        notes.warn(ProblemCode::UnknownWord, "mode", format!("{:?} is no mode of HFP", clean(level, 32)));
        source.mode.or(Some(Mode::Unknown))
    })
}

fn position(body: &Body<'_>, notes: &mut Notes) -> Option<Fix> {
    let fix = notes.fix(["lat", "long"], &body.lat, &body.long)?;
    Some(Fix {
        bearing: notes.bearing("hdg", &body.hdg),
        // -1 is recorded where the odometer counted and no speed was known.
        speed_mps: notes.number("spd", &body.spd, -1.0..=500.0).filter(|n| *n >= 0.0).map(|n| n as f32),
        odometer_m: notes.number("odo", &body.odo, -1e10..=1e10),
        source: body.loc.given().map(|raw| location_source(&notes.name("loc", raw).unwrap_or_default())),
        ..fix
    })
}

/// `N/A`, and any word to come, is a source we do not know.
fn location_source(loc: &str) -> PositionSource {
    match loc {
        "GPS" => PositionSource::Gps,
        "ODO" => PositionSource::Odometer,
        "MAN" => PositionSource::Manual,
        "DR" => PositionSource::DeadReckoning,
        _ => PositionSource::Unknown,
    }
}

fn doors(body: &Body<'_>, event: Option<HfpEvent>, notes: &mut Notes) -> Option<bool> {
    let said = notes.whole("drst", &body.drst, 0..=1).map(|n| n == 1);
    said.or(match event {
        Some(HfpEvent::Doo) => Some(true),
        Some(HfpEvent::Doc) => Some(false),
        Some(_) | None => None,
    })
}

/// The next stop of the topic; `EOL` and an empty level say that there is none.
fn stop(trip: &Trip<'_>, notes: &mut Notes) -> StopReference {
    let next = match trip.next_stop {
        "" | "EOL" => None,
        level => StopId::parse_level(level)
            .map_err(|e| notes.warn(ProblemCode::BadField, "next_stop", format!("{:?} {e}", clean(level, 64))))
            .ok(),
    };
    StopReference { stop_id: next, current_stop_sequence: None }
}

fn stop_status(
    event: Option<HfpEvent>,
    body: &Body<'_>,
    next: Option<&StopReference>,
    notes: &mut Notes,
) -> Option<StopStatusReport> {
    let at = notes.id("stop", &body.stop, StopId::parse);
    let next = next.and_then(|reference| reference.stop_id.clone());
    let (stop_id, status) = match event?.stop_rule() {
        StopRule::Silent => return None,
        StopRule::OfStop(status) => (at.or(next), status),
        StopRule::OfStopIfNamed(status) => (Some(at?), status),
        StopRule::OfNext(status) => (next, status),
    };
    Some(StopStatusReport { stop_id, status })
}

fn occupancy(said: &Said<'_>, notes: &mut Notes) -> Option<Occupancy> {
    if let Some(counted) = passengers::percentage(&said.counts) {
        return Some(Occupancy { status: Some(percentage_status(counted)), percentage: Some(counted) });
    }
    let percentage = notes.whole("occu", &said.body.occu, 0..=100).and_then(|n| u32::try_from(n).ok())?;
    // Most vehicles send 100 when full and else 0, which says "not full" and not "empty".
    let status = (percentage > 0).then(|| percentage_status(percentage));
    Some(Occupancy { status, percentage: Some(percentage) })
}

fn journey(
    topic: &Topic<'_>,
    event: Option<HfpEvent>,
    body: &Body<'_>,
    clock: (UtcMillis, &TimeZone),
    notes: &mut Notes,
) -> Option<Journey> {
    let only = |state| Some(Journey { state: Some(state), ..Journey::default() });
    match topic.journey_type {
        JourneyType::Deadrun => return only(JourneyState::Deadrun),
        JourneyType::Signoff => return only(JourneyState::SignedOff),
        JourneyType::Journey if event == Some(HfpEvent::Vjout) => return only(JourneyState::SignedOff),
        JourneyType::Journey => {}
    }
    // A passenger count has no trip in its topic, and nothing that the vehicle does not say elsewhere.
    let trip = topic.trip.as_ref()?;
    let route_id = if trip.route.is_empty() {
        notes.id("route", &body.route, RouteId::parse)
    } else {
        let bad = |e| notes.warn(ProblemCode::BadField, "route", format!("{:?} {e}", clean(trip.route, 64)));
        RouteId::parse_level(trip.route).map_err(bad).ok()
    };
    let direction_id = match trip.direction {
        "1" => Some(0),
        "2" => Some(1),
        "" => None,
        level => {
            notes.warn(ProblemCode::BadField, "direction", format!("{:?} is neither 1 nor 2", clean(level, 16)));
            None
        }
    };
    let service_date = notes.parsed("oday", &body.oday, ServiceDate::parse);
    let written = notes.parsed("start", &Raw::Text(trip.start.into()), |text| {
        if text.is_empty() { Ok(None) } else { ServiceTime::parse(text).map(Some) }
    });
    Some(Journey {
        state: Some(if topic.upcoming { JourneyState::Upcoming } else { JourneyState::InService }),
        route_id,
        direction_id,
        trip_id: None,
        service_date,
        start_time: written.flatten().map(|start| service_time(start, service_date, clock)),
        block_id: notes.id("block", &body.block, BlockId::parse),
        consist: None,
    })
}

/// A start on a 24 h clock as a time of its operating day, which goes on to half past four in the morning.
///
/// Once the local clock stands 20 h or more after the start as written, the start after midnight is meant: it has
/// just begun, or is to begin within 4 h.
fn service_time(start: ServiceTime, day: Option<ServiceDate>, (at, zone): (UtcMillis, &TimeZone)) -> ServiceTime {
    const DAY_S: u32 = 24 * 3600;
    let Some(day) = day else {
        return start;
    };
    let local = zone.to_datetime(at.timestamp());
    let Ok(midnight) = local.date().since(day.0) else {
        return start;
    };
    let clock = i64::from(local.hour()) * 3600 + i64::from(local.minute()) * 60 + i64::from(local.second());
    let since_start = i64::from(midnight.get_days()) * i64::from(DAY_S) + clock - i64::from(start.0);
    // A stamp days off its operating day is a broken clock, not a trip past midnight.
    if start.0 < DAY_S && (20 * 3600..=48 * 3600).contains(&since_start) { ServiceTime(start.0 + DAY_S) } else { start }
}

/// The rest of a topic behind `/hfp/`, wherever a bridge has put it.
fn below_hfp(topic: &str) -> Option<&str> {
    let at = memmem::find(topic.as_bytes(), b"hfp/")?;
    let (before, below) = topic.split_at_checked(at)?;
    (before.is_empty() || before.ends_with('/')).then(|| below.strip_prefix("hfp/"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(written: &str, day: &str, now: &str) -> String {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let day = ServiceDate::parse(day).ok();
        service_time(ServiceTime::parse(written).unwrap(), day, (UtcMillis::parse_rfc3339(now).unwrap(), &zone))
            .to_string()
    }

    #[test]
    fn a_start_after_midnight_belongs_to_the_day_before() {
        for (written, now, expected) in [
            ("07:32", "2026-11-23T07:40:00+02:00", "07:32:00"),
            ("23:50", "2026-11-24T00:05:00+02:00", "23:50:00"),
            ("00:10", "2026-11-24T00:30:00+02:00", "24:10:00"),
            ("00:10", "2026-11-24T00:05:00+02:00", "24:10:00"),
            ("00:10", "2026-11-23T23:50:00+02:00", "24:10:00"),
            ("04:10", "2026-11-24T04:29:00+02:00", "28:10:00"),
            ("05:30", "2026-11-23T18:00:00+02:00", "05:30:00"),
            ("05:30", "2027-11-23T18:00:00+02:00", "05:30:00"),
        ] {
            assert_eq!(start(written, "2026-11-23", now), expected, "{written} at {now}");
        }
    }

    #[test]
    fn the_operating_day_ends_right_across_a_clock_change() {
        assert_eq!(start("03:30", "2026-10-24", "2026-10-25T03:40:00+02:00"), "27:30:00");
    }
}
