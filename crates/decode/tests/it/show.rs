//! Prints what came of a frame, one fact a line, so that tests read as text in and text out.

use std::fmt::{Display, Write as _};

use alert::{AlarmReport, AlarmSubject, IncidentReport};
use decode::{Decoded, FeedSpec, Feeds, Frame, Message};
use transit::{FeedId, Fix, Journey, Observation, UtcMillis, Word as _};

pub(crate) fn feeds() -> Feeds {
    Feeds::new("topis", Feeds::defaults()).unwrap()
}

pub(crate) fn frame<'a>(topic: &'a str, payload: &'a [u8]) -> Frame<'a> {
    Frame { topic, payload, retained: false, dup: false, received_at: UtcMillis(1_795_420_800_000) }
}

pub(crate) fn decode(topic: &str, body: &str) -> Decoded {
    feeds().decode(&frame(topic, body.as_bytes()))
}

/// As [`shown`], by a feed of another format that is configured for the topic `x/#`.
pub(crate) fn shown_as(format: &str, body: &str) -> String {
    let spec = FeedSpec { topics: vec!["x/#".to_owned()], ..FeedSpec::new(FeedId::parse("f").unwrap(), format) };
    print(&Feeds::new("topis", vec![spec]).unwrap().decode(&frame("x/y", body.as_bytes())))
}

/// The one observation of a frame.
pub(crate) fn observation(topic: &str, body: &str) -> Observation {
    let decoded = decode(topic, body);
    match decoded.messages.first() {
        Some(Message::Vehicle(o)) => o.clone(),
        other => panic!("{other:?} {:?}", decoded.problems),
    }
}

/// What came of a frame, as text.
pub(crate) fn shown(topic: &str, body: &str) -> String {
    print(&decode(topic, body))
}

pub(crate) fn print(decoded: &Decoded) -> String {
    let mut text = String::new();
    for message in &decoded.messages {
        match message {
            Message::Vehicle(o) => vehicle(&mut text, o),
            Message::Alarm(report) => alarm(&mut text, report),
            Message::Incident(report) => incident(&mut text, report),
            Message::Withdrawal(w) => writeln!(text, "withdrawn {}/{}", w.key.source, w.key.id).unwrap(),
            Message::Presence(p) => {
                writeln!(text, "client {} online={} clean={}", p.client, p.online, p.clean).unwrap();
            }
        }
    }
    for p in &decoded.problems {
        let field = p.field.as_deref().unwrap_or("-");
        writeln!(text, "{} {} {field}: {}", p.grade.word(), p.code.word(), p.detail).unwrap();
    }
    if decoded.unknown_fields > 0 {
        writeln!(text, "unknown fields: {}", decoded.unknown_fields).unwrap();
    }
    text
}

fn put(text: &mut String, name: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        write!(text, " {name}={value}").unwrap();
    }
}

fn vehicle(text: &mut String, o: &Observation) {
    write!(text, "{} {} {:?}", o.vehicle, o.event_time, o.significance).unwrap();
    put(text, "mode", o.mode.map(|m| m.word()));
    put(text, "boot", o.boot);
    put(text, "seq", o.seq);
    put(text, "doors_open", o.doors_open);
    put(text, "delay_s", o.delay_s);
    text.push_str(if o.retained { " retained\n" } else { "\n" });
    if let Some(f) = &o.position {
        fix(text, f);
    }
    if let Some(stop) = &o.stop {
        let id = stop.stop_id.as_ref().map_or("none", |id| id.as_str());
        write!(text, "  stop {id}").unwrap();
        put(text, "sequence", stop.current_stop_sequence);
        text.push('\n');
    }
    if let Some(status) = &o.stop_status {
        let id = status.stop_id.as_ref().map_or("none", |id| id.as_str());
        writeln!(text, "  {} {id}", status.status.word()).unwrap();
    }
    if let Some(occupancy) = &o.occupancy {
        text.push_str("  occupancy");
        put(text, "status", occupancy.status.map(|s| s.word()));
        put(text, "percentage", occupancy.percentage);
        text.push('\n');
    }
    for (name, j) in [("journey", &o.journey), ("upcoming", &o.upcoming)] {
        if let Some(j) = j {
            journey(text, name, j);
        }
    }
}

fn fix(text: &mut String, f: &Fix) {
    match f.coordinate {
        Some(c) => write!(text, "  at {} {}", c.lat(), c.lon()).unwrap(),
        None => text.push_str("  at no place"),
    }
    put(text, "flaw", f.flaw.map(|flaw| format!("{flaw:?}")));
    put(text, "bearing", f.bearing);
    put(text, "speed_mps", f.speed_mps);
    put(text, "accuracy_m", f.accuracy_m);
    put(text, "odometer_m", f.odometer_m);
    put(text, "source", f.source.map(|s| s.word()));
    text.push('\n');
}

fn journey(text: &mut String, name: &str, j: &Journey) {
    write!(text, "  {name}").unwrap();
    put(text, "state", j.state.map(|s| s.word()));
    put(text, "route", j.route_id.as_ref());
    put(text, "direction", j.direction_id);
    put(text, "trip", j.trip_id.as_ref());
    put(text, "date", j.service_date);
    put(text, "start", j.start_time);
    put(text, "block", j.block_id.as_ref());
    put(text, "consist", j.consist.as_ref().map(|c| c.join("+")));
    text.push('\n');
}

fn alarm(text: &mut String, a: &AlarmReport) {
    match &a.subject {
        AlarmSubject::Vehicle(key) => write!(text, "ALARM {key}").unwrap(),
        AlarmSubject::Unparsed(head) => write!(text, "ALARM unparsed:{head}").unwrap(),
    }
    write!(text, " {} {} {} {}", a.kind.word(), a.source.word(), a.phase.word(), a.status.word()).unwrap();
    put(text, "word", a.kind_word.as_ref());
    put(text, "event_id", a.event_id.as_ref());
    put(text, "event_time", a.event_time);
    put(text, "covert", a.covert);
    put(text, "passengers", a.passengers);
    put(text, "text", a.text.as_ref().map(|t| format!("{t:?}")));
    put(text, "head", a.unparsed_head.as_ref().map(|t| format!("{t:?}")));
    text.push('\n');
    if let Some(f) = &a.fix {
        fix(text, f);
    }
}

fn incident(text: &mut String, i: &IncidentReport) {
    write!(text, "INCIDENT {}/{} {} {} {}", i.key.source, i.key.id, i.kind.word(), i.phase.word(), i.status.word())
        .unwrap();
    put(text, "word", i.kind_word.as_ref());
    put(text, "version", i.version);
    put(text, "severity", i.severity.map(|s| s.word()));
    put(text, "urgency", i.urgency.map(|s| s.word()));
    put(text, "certainty", i.certainty.map(|s| s.word()));
    put(text, "effect", i.effect.as_ref());
    put(text, "lat", i.lat);
    put(text, "lon", i.lon);
    put(text, "radius_m", i.radius_m);
    put(text, "expected_end", i.expected_end);
    put(text, "geometry", i.geometry.as_ref());
    put(text, "title", i.title.as_ref().map(|t| format!("{t:?}")));
    put(text, "road_control", i.road_control.as_ref());
    put(text, "subkind", i.subkind.as_ref());
    put(text, "cancelled", i.cancelled.then_some(true));
    put(text, "proposes_clear", i.proposes_clear.then_some(true));
    text.push('\n');
    for area in &i.areas {
        writeln!(text, "  area {area}").unwrap();
    }
    for a in &i.affects {
        text.push_str("  affects");
        put(text, "agency", a.agency_id.as_ref());
        put(text, "route", a.route_id.as_ref());
        put(text, "route_type", a.route_type);
        put(text, "direction", a.direction_id);
        put(text, "trip", a.trip_id.as_ref());
        put(text, "stop", a.stop_id.as_ref());
        put(text, "from", a.from_stop_id.as_ref());
        put(text, "to", a.to_stop_id.as_ref());
        put(text, "vehicle", a.vehicle_id.as_ref());
        text.push('\n');
    }
    for p in &i.active_periods {
        text.push_str("  period");
        put(text, "start", p.start);
        put(text, "end", p.end);
        text.push('\n');
    }
    for (name, texts) in [("text", &i.text), ("public_text", &i.public_text)] {
        for (language, value) in texts {
            writeln!(text, "  {name}[{language}]={value:?}").unwrap();
        }
    }
}
