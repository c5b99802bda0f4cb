//! GTFS-Realtime as one protobuf `FeedMessage` a payload, of any number of entities; protobuf-JSON is read too.
//!
//! Vehicle positions become observations, and so do trip updates that name their vehicle and a delay; alerts become
//! incidents. Proto2's `required` is not enforced by the library: an absent version, a missing latitude that reads 0 and
//! enum numbers from the future are judged here. Knows nothing of the other formats.

mod alerts;

use std::sync::Arc;

use prost::Message as _;
use serde_json::{Map, Value};
use transit::{
    Fix, Journey, JourneyState, Observation, Occupancy, OccupancyStatus, RouteId, ServiceDate, ServiceTime,
    Significance, StopId, StopReference, StopStatus, StopStatusReport, TripId, UtcMillis, VehicleId, VehicleKey, Word,
};

use crate::{
    Frame, Message, ProblemCode,
    feeds::{Out, Source, content_hash},
    fields::{Notes, clean},
    formats::{FormatDef, Lane},
    gtfs_realtime::{
        FeedEntity, FeedMessage, Position, TripDescriptor, TripUpdate, VehicleDescriptor, VehiclePosition,
    },
    json::Raw,
};

pub(crate) const FORMAT: FormatDef = FormatDef {
    code: "gtfs-rt",
    doc: "GTFS-Realtime 1.0 and 2.0 FeedMessages of any entity count, as protobuf or protobuf-JSON.",
    topics: &["{prefix}/v1/gtfs-rt/#"],
    timezone: None,
    by_default: true,
    lane: Lane::ByTopic(alerts::topic_says_alerts),
    decode,
    replaceable: |_, _| false,
};

/// Stamps before 2000 come from clocks that were never set.
const PLAUSIBLE_FROM_S: u64 = 946_684_800;

fn decode(source: &Source, frame: &Frame<'_>, out: &mut Out) {
    if frame.payload.is_empty() {
        return out.notes.reject(ProblemCode::EmptyBody, None, "the body is empty");
    }
    let message = match parse(frame.payload, &mut out.notes) {
        Ok(message) => message,
        Err(why) => return out.notes.reject(ProblemCode::Unparsable, None, why),
    };
    if message.header.gtfs_realtime_version.is_empty() {
        let detail = "is required; an empty or foreign payload reads as a message without it";
        return out.notes.reject(ProblemCode::MissingField, Some("header.gtfs_realtime_version"), detail);
    }
    if frame.retained && message.entity.iter().any(|entity| entity.vehicle.is_some()) {
        out.notes.warn(ProblemCode::Retained, "retain", "retained positions are last known, never fresh");
    }
    for entity in &message.entity {
        let stamped = Stamped { source, frame, entity, header: message.header.timestamp };
        if entity.is_deleted == Some(true) {
            // What was deleted is not said: of anything but an alert there is no record to take back.
            if entity.vehicle.is_none() && entity.trip_update.is_none() {
                out.messages.extend(stamped.withdrawal(&mut out.notes).map(Message::Withdrawal));
            }
            continue;
        }
        if let Some(vehicle) = &entity.vehicle {
            out.messages.extend(stamped.position(vehicle, &mut out.notes).map(Message::Vehicle));
        }
        if let Some(update) = &entity.trip_update {
            out.messages.extend(stamped.delay(update, &mut out.notes).map(Message::Vehicle));
        }
        if let Some(alert) = &entity.alert {
            let incident = stamped.incident(alert, &mut out.notes);
            out.messages.extend(incident.map(|report| Message::Incident(Box::new(report))));
        }
    }
}

fn parse(payload: &[u8], notes: &mut Notes) -> Result<FeedMessage, String> {
    if !payload.trim_ascii_start().starts_with(b"{") {
        return FeedMessage::decode(payload).map_err(|e| format!("the body is no protobuf FeedMessage: {e}"));
    }
    let wrong = |e: serde_json::Error| format!("the body is no protobuf-JSON FeedMessage: {e}");
    let mut json: Value = serde_json::from_slice(payload).map_err(wrong)?;
    forget_unknown_words(&mut json, notes);
    // Through text, because the generated readers borrow from it.
    serde_json::from_slice(json.to_string().as_bytes()).map_err(wrong)
}

/// Takes words from the future out of vehicle positions: the JSON mapping would read them as the first of their enum,
/// and `EMPTY` is a claim.
fn forget_unknown_words(json: &mut Value, notes: &mut Notes) {
    let entities = json.get_mut("entity").and_then(Value::as_array_mut).into_iter().flatten();
    for vehicle in entities.filter_map(|entity| entity.get_mut("vehicle")?.as_object_mut()) {
        forget::<OccupancyStatus>(vehicle, ["occupancyStatus", "occupancy_status"], notes);
        forget::<StopStatus>(vehicle, ["currentStatus", "current_status"], notes);
    }
}

fn forget<W: Word>(object: &mut Map<String, Value>, names: [&str; 2], notes: &mut Notes) {
    for name in names {
        let known = object.get(name).and_then(Value::as_str).is_none_or(|word| W::find(word).is_some());
        if !known && let Some(word) = object.remove(name) {
            notes.warn(ProblemCode::UnknownWord, name, format!("{} is no {}", Raw::from(&word), W::NAME));
        }
    }
}

/// One entity with what it inherits.
struct Stamped<'m> {
    source: &'m Source,
    frame: &'m Frame<'m>,
    entity: &'m FeedEntity,
    /// Seconds, of the whole message.
    header: Option<u64>,
}

impl Stamped<'_> {
    fn position(&self, said: &VehiclePosition, notes: &mut Notes) -> Option<Observation> {
        let Some(vehicle) = self.vehicle(said.vehicle.as_ref()) else {
            notes.reject(ProblemCode::MissingField, Some(&self.field("vehicle.id")), "the entity names no vehicle");
            return None;
        };
        let event_time = self.event_time(said.timestamp, notes)?;
        let position = said.position.as_ref().map(|p| self.fix(p, notes));
        let stop_id = self.id("stop_id", said.stop_id.as_deref(), StopId::parse, notes);
        let stop = (said.stop_id.is_some() || said.current_stop_sequence.is_some())
            .then(|| StopReference { stop_id: stop_id.clone(), current_stop_sequence: said.current_stop_sequence });
        let status = self.word("current_status", said.current_status, notes);
        Some(Observation {
            position,
            stop,
            stop_status: status.map(|status: StopStatus| StopStatusReport { stop_id, status }),
            occupancy: self.occupancy(said, notes),
            // No trip is a fact too: the vehicle is on none.
            journey: Some(self.journey(said, notes)),
            ..self.observation(vehicle, event_time)
        })
    }

    /// A trip update is of use here only for the delay it gives to a vehicle that it names.
    fn delay(&self, update: &TripUpdate, notes: &mut Notes) -> Option<Observation> {
        let (delay_s, vehicle) = (update.delay?, self.vehicle(update.vehicle.as_ref())?);
        let event_time = self.event_time(update.timestamp, notes)?;
        Some(Observation { delay_s: Some(delay_s), ..self.observation(vehicle, event_time) })
    }

    /// An observation that says nothing yet.
    fn observation(&self, vehicle: VehicleKey, event_time: UtcMillis) -> Observation {
        Observation {
            vehicle,
            feed: self.source.feed.clone(),
            event_time,
            boot: None,
            seq: None,
            significance: Significance::Plain,
            content: content_hash(self.frame.topic, &self.entity.encode_to_vec()),
            mode: self.source.mode,
            position: None,
            doors_open: None,
            stop: None,
            stop_status: None,
            delay_s: None,
            occupancy: None,
            journey: None,
            upcoming: None,
            retained: self.frame.retained,
        }
    }

    /// The vehicle's id, else its label.
    fn vehicle(&self, said: Option<&VehicleDescriptor>) -> Option<VehicleKey> {
        let said = said?;
        let name = [said.id.as_deref(), said.label.as_deref()].into_iter().flatten().find(|name| !name.is_empty())?;
        Some(VehicleKey { agency: self.source.agency.clone(), vehicle: VehicleId::parse(name).ok()? })
    }

    /// The entity's stamp, else the message's.
    fn event_time(&self, stamp: Option<u64>, notes: &mut Notes) -> Option<UtcMillis> {
        let plausible = |s: &u64| *s >= PLAUSIBLE_FROM_S;
        let Some(seconds) = stamp.filter(plausible).or(self.header.filter(plausible)) else {
            let detail = "neither the entity nor the header has a time after 1999";
            notes.reject(ProblemCode::MissingField, Some(&self.field("timestamp")), detail);
            return None;
        };
        UtcMillis::parse_epoch(seconds as f64)
            .map_err(|e| notes.reject(ProblemCode::BadField, Some(&self.field("timestamp")), format!("{seconds} {e}")))
            .ok()
    }

    fn fix(&self, said: &Position, notes: &mut Notes) -> Fix {
        let fix = Fix::at(widened(said.latitude), widened(said.longitude));
        notes.flaw(&self.field("position"), &fix);
        let float = |value: Option<f32>| value.map_or(Raw::Absent, |v| Raw::Float(f64::from(v)));
        Fix {
            bearing: notes.bearing(&self.field("bearing"), &float(said.bearing)),
            speed_mps: notes.number(&self.field("speed"), &float(said.speed), 0.0..=500.0).map(|n| n as f32),
            odometer_m: said.odometer.filter(|m| m.is_finite()),
            ..fix
        }
    }

    fn occupancy(&self, said: &VehiclePosition, notes: &mut Notes) -> Option<Occupancy> {
        let status: Option<OccupancyStatus> = self.word("occupancy_status", said.occupancy_status, notes);
        let percentage = said.occupancy_percentage;
        (status.is_some() || percentage.is_some()).then_some(Occupancy { status, percentage })
    }

    fn journey(&self, said: &VehiclePosition, notes: &mut Notes) -> Journey {
        let units = said.multi_carriage_details.iter().filter_map(|c| c.label.as_ref().or(c.id.as_ref()));
        let consist: Vec<Arc<str>> = units.take(64).map(|unit| Arc::from(clean(unit, 64))).collect();
        let consist = (!consist.is_empty()).then(|| consist.into());
        match &said.trip {
            Some(trip) if trip.trip_id.is_some() || trip.route_id.is_some() => {
                Journey { consist, ..self.trip(trip, notes) }
            }
            Some(_) | None => Journey { consist, ..Journey::default() },
        }
    }

    fn trip(&self, trip: &TripDescriptor, notes: &mut Notes) -> Journey {
        let text = |value: &Option<String>| match value.as_deref() {
            None | Some("") => Raw::Absent,
            Some(text) => Raw::Text(text.to_owned().into()),
        };
        Journey {
            state: Some(JourneyState::InService),
            route_id: self.id("route_id", trip.route_id.as_deref(), RouteId::parse, notes),
            direction_id: trip.direction_id.and_then(|d| u8::try_from(d).ok()).filter(|d| *d <= 1),
            trip_id: self.id("trip_id", trip.trip_id.as_deref(), TripId::parse, notes),
            service_date: notes.parsed("start_date", &text(&trip.start_date), ServiceDate::parse),
            start_time: notes.parsed("start_time", &text(&trip.start_time), ServiceTime::parse),
            block_id: None,
            consist: None,
        }
    }

    fn id<T>(
        &self,
        name: &str,
        value: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, transit::IdError>,
        notes: &mut Notes,
    ) -> Option<T> {
        let text = value.filter(|text| !text.is_empty())?;
        parse(text).map_err(|e| notes.warn(ProblemCode::BadField, &self.field(name), format!("it {e}"))).ok()
    }

    /// A word by its number, which is its place in the vocabulary.
    fn word<W: Word>(&self, name: &str, number: Option<i32>, notes: &mut Notes) -> Option<W> {
        let number = number?;
        let word = usize::try_from(number).ok().and_then(|n| W::ALL.get(n)).copied();
        if word.is_none() {
            notes.warn(ProblemCode::UnknownWord, &self.field(name), format!("{number} is no {}", W::NAME));
        }
        word
    }

    fn field(&self, name: &str) -> String {
        format!("entity[{}].{name}", clean(&self.entity.id, 40))
    }
}

/// A coordinate widened from 32 bits, rounded to what 32 bits can tell: their steps here are half a metre.
fn widened(degrees: f32) -> f64 {
    (f64::from(degrees) * 1e6).round() / 1e6
}
