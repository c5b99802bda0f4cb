//! Alerts of a GTFS-Realtime message as incident reports.
//!
//! An alert has no version and its message's header moves all the time: what tells a changed alert from the same one is
//! its content. A kind is read from the cause, the cause's own word is kept as the subkind. An alert that vanished from
//! a full data set is no end: only a source that marks it deleted takes it back.

use std::collections::BTreeMap;

use alert::{
    ActivePeriod, Affected, IncidentKey, IncidentKind, IncidentPhase, IncidentReport, IncidentWithdrawal, Severity,
};
use prost::Message as _;
use transit::{Status, UtcMillis};

use super::Stamped;
use crate::{
    ProblemCode,
    feeds::fingerprint,
    fields::{Notes, clean},
    gtfs_realtime::{
        Alert, EntitySelector, TimeRange, TranslatedString,
        alert::{Cause, Effect, SeverityLevel},
    },
};

/// Selectors and periods kept of one alert.
const ENTRIES_MAX: usize = 1_000;
/// Languages kept of a text.
const LANGUAGES_MAX: usize = 50;
const TITLE_CHARS: usize = 200;
const TEXT_CHARS: usize = 4_000;
const NAME_CHARS: usize = 128;

/// Whether a topic is one of alerts by its own words: they belong to the emergency lane.
pub(super) fn topic_says_alerts(topic: &str) -> bool {
    topic.split('/').any(|level| level.to_ascii_lowercase().contains("alert"))
}

impl Stamped<'_> {
    /// The incident of a deleted entity.
    pub(super) fn withdrawal(&self, notes: &mut Notes) -> Option<IncidentWithdrawal> {
        let (feed, received_at) = (self.source.feed.clone(), self.frame.received_at);
        Some(IncidentWithdrawal { key: self.incident_key(notes)?, feed, received_at })
    }

    fn incident_key(&self, notes: &mut Notes) -> Option<IncidentKey> {
        let id = clean(&self.entity.id, NAME_CHARS);
        if id.is_empty() {
            notes.reject(
                ProblemCode::MissingField,
                Some("entity.id"),
                "is required and the same for as long as the alert",
            );
            return None;
        }
        Some(IncidentKey { source: self.source.agency.to_string(), id })
    }

    /// The alert as an incident; noted and `None` where it names nothing of the network.
    pub(super) fn incident(&self, said: &Alert, notes: &mut Notes) -> Option<IncidentReport> {
        let key = self.incident_key(notes)?;
        let selectors = said.informed_entity.iter().take(ENTRIES_MAX);
        let affects: Vec<Affected> = selectors.map(affected).filter(|a| *a != Affected::default()).collect();
        if affects.is_empty() {
            let detail = "names no agency, route, trip or stop: nobody knows whom the alert concerns";
            notes.reject(ProblemCode::MissingField, Some(&self.field("informed_entity")), detail);
            return None;
        }
        for (name, count) in
            [("informed_entity", said.informed_entity.len()), ("active_period", said.active_period.len())]
        {
            if count > ENTRIES_MAX {
                let detail = format!("has {count} entries; {ENTRIES_MAX} are kept");
                notes.warn(ProblemCode::BadField, &self.field(name), detail);
            }
        }
        let cause = said.cause.and_then(|number| Cause::try_from(number).ok());
        let effect = said.effect.and_then(|number| Effect::try_from(number).ok());
        let title = first(said.header_text.as_ref(), TITLE_CHARS);
        let text = by_language(said.description_text.as_ref());
        Some(IncidentReport {
            key,
            feed: self.source.feed.clone(),
            version: None,
            phase: IncidentPhase::Active,
            status: Status::Actual,
            kind: kind(cause),
            kind_word: None,
            subkind: cause.map(|c| c.as_str_name().to_owned()),
            severity: severity(said.severity_level),
            urgency: None,
            certainty: None,
            effect: effect.filter(|e| *e != Effect::UnknownEffect).map(|e| e.as_str_name().to_owned()),
            active_periods: said.active_period.iter().take(ENTRIES_MAX).map(period).collect(),
            expected_end: None,
            lat: None,
            lon: None,
            geometry: None,
            radius_m: None,
            affects,
            // Words that are already outside are fit for the public.
            public_title: title.clone(),
            public_text: text.clone(),
            title,
            text,
            road_control: None,
            areas: Vec::new(),
            cancelled: false,
            proposes_clear: false,
            names: Vec::new(),
            fingerprint: fingerprint(&self.entity.id, &said.encode_to_vec()),
            retained: self.frame.retained,
            received_at: self.frame.received_at,
        })
    }
}

fn kind(cause: Option<Cause>) -> IncidentKind {
    match cause {
        Some(Cause::TechnicalProblem) => IncidentKind::Breakdown,
        Some(Cause::Strike) => IncidentKind::Strike,
        Some(Cause::Demonstration) => IncidentKind::Rally,
        Some(Cause::Accident) => IncidentKind::Crash,
        Some(Cause::Holiday) => IncidentKind::Notice,
        Some(Cause::Weather) => IncidentKind::Weather,
        Some(Cause::Maintenance | Cause::Construction) => IncidentKind::RoadWorks,
        Some(Cause::PoliceActivity) => IncidentKind::PoliceActivity,
        Some(Cause::MedicalEmergency) => IncidentKind::Medical,
        Some(Cause::SpecialEvent) => IncidentKind::SpecialEvent,
        Some(Cause::UnknownCause | Cause::OtherCause) | None => IncidentKind::Other,
    }
}

fn severity(level: Option<i32>) -> Option<Severity> {
    match SeverityLevel::try_from(level?).ok()? {
        SeverityLevel::UnknownSeverity => None,
        SeverityLevel::Info => Some(Severity::Minor),
        SeverityLevel::Warning => Some(Severity::Moderate),
        SeverityLevel::Severe => Some(Severity::Severe),
    }
}

/// An open side is absent; 0 is how some senders write that.
fn period(range: &TimeRange) -> ActivePeriod {
    let instant = |seconds: Option<u64>| {
        let seconds = seconds.filter(|s| *s > 0)?;
        UtcMillis::parse_epoch(seconds as f64).ok()
    };
    ActivePeriod { start: instant(range.start), end: instant(range.end) }
}

fn affected(selector: &EntitySelector) -> Affected {
    let text = |value: Option<&String>| value.filter(|id| !id.is_empty()).map(|id| clean(id, NAME_CHARS));
    let trip = selector.trip.as_ref();
    let direction = selector.direction_id.or(trip.and_then(|t| t.direction_id));
    Affected {
        agency_id: text(selector.agency_id.as_ref()),
        route_id: text(selector.route_id.as_ref()).or(text(trip.and_then(|t| t.route_id.as_ref()))),
        route_type: selector.route_type,
        direction_id: direction.and_then(|d| u8::try_from(d).ok()).filter(|d| *d <= 1),
        trip_id: text(trip.and_then(|t| t.trip_id.as_ref())),
        stop_id: text(selector.stop_id.as_ref()),
        ..Affected::default()
    }
}

fn first(text: Option<&TranslatedString>, max: usize) -> Option<String> {
    text?.translation.iter().map(|t| clean(&t.text, max)).find(|text| !text.is_empty())
}

fn by_language(text: Option<&TranslatedString>) -> BTreeMap<String, String> {
    let translations = text.into_iter().flat_map(|t| &t.translation).take(LANGUAGES_MAX);
    translations
        .map(|t| (clean(t.language.as_deref().unwrap_or_default(), 16), clean(&t.text, TEXT_CHARS)))
        .filter(|(_, text)| !text.is_empty())
        .collect()
}
