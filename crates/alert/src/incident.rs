//! Incidents: what a source says happened in the world, and what is kept of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use transit::{FeedId, Status, UtcMillis, Word};

use crate::{
    Arming, Certainty, ClearProposal, Fingerprint, HistoryEntry, IncidentKind, IncidentPhase, Severity, Urgency,
    record::is_default,
};

/// Which incident: its source and the source's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IncidentKey {
    /// The source.
    pub source: String,
    /// The id within the source.
    pub id: String,
}

impl std::fmt::Display for IncidentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.source, self.id)
    }
}

/// One span in which an incident matters; open where a side is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivePeriod {
    /// From.
    pub start: Option<UtcMillis>,
    /// Until.
    pub end: Option<UtcMillis>,
}

/// Whom or what an incident hits: all named parts together (AND); several entries are alternatives (OR).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Affected {
    /// GTFS agency.
    pub agency_id: Option<String>,
    /// GTFS route.
    pub route_id: Option<String>,
    /// GTFS route_type number.
    pub route_type: Option<i32>,
    /// 0 or 1.
    pub direction_id: Option<u8>,
    /// GTFS trip.
    pub trip_id: Option<String>,
    /// GTFS stop.
    pub stop_id: Option<String>,
    /// A stretch: from this stop,
    pub from_stop_id: Option<String>,
    /// to this one.
    pub to_stop_id: Option<String>,
    /// A vehicle, as `agency/vehicle` or within `agency_id`.
    pub vehicle_id: Option<String>,
}

/// An incident as its source reports it, defaults not yet applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentReport {
    /// Which.
    pub key: IncidentKey,
    /// The feed it came by.
    pub feed: FeedId,
    /// The source's version; a higher one replaces.
    pub version: Option<u64>,
    /// Active or closed.
    pub phase: IncidentPhase,
    /// Meant, drill or test.
    pub status: Status,
    /// What happened.
    pub kind: IncidentKind,
    /// The word as sent, when it was not one of ours.
    pub kind_word: Option<String>,
    /// The source's finer kind.
    pub subkind: Option<String>,
    /// How bad, as said.
    pub severity: Option<Severity>,
    /// CAP urgency.
    pub urgency: Option<Urgency>,
    /// CAP certainty.
    pub certainty: Option<Certainty>,
    /// GTFS-Realtime effect word, upper case.
    pub effect: Option<String>,
    /// When it matters; empty = always.
    pub active_periods: Vec<ActivePeriod>,
    /// When the source expects the end; not an end.
    pub expected_end: Option<UtcMillis>,
    /// Degrees north, with `lon`.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// GeoJSON geometry text, checked at the edge.
    pub geometry: Option<String>,
    /// Radius or half-width in metres, as said.
    pub radius_m: Option<f64>,
    /// Whom it hits.
    pub affects: Vec<Affected>,
    /// Short text.
    pub title: Option<String>,
    /// Long text by language ("" = not said).
    pub text: std::collections::BTreeMap<String, String>,
    /// Title fit for the public.
    pub public_title: Option<String>,
    /// Text fit for the public by language.
    pub public_text: std::collections::BTreeMap<String, String>,
    /// `full` or `partial`.
    pub road_control: Option<String>,
    /// Named areas as the source writes them, its codes in brackets: text for people, matched with nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<String>,
    /// The source takes the incident back with this message: closed as withdrawn, and what the message does not say
    /// again is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// The words say that it is over, which is no end: it stands as a proposal that a person confirms or refuses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proposes_clear: bool,
    /// Other ids by which its source calls it: of this message and of earlier ones, in the same source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Identity of the message.
    pub fingerprint: Fingerprint,
    /// Delivered from the retained store.
    pub retained: bool,
    /// When we received it.
    pub received_at: UtcMillis,
}

impl IncidentReport {
    /// Whether it says anything of where or of what, beyond its kind.
    fn describes_anything(&self) -> bool {
        self.lat.is_some()
            || self.geometry.is_some()
            || self.title.is_some()
            || !self.affects.is_empty()
            || !self.areas.is_empty()
            || !self.text.is_empty()
    }
}

/// A zero-byte payload: the source withdraws the incident, which closes it and never erases it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentWithdrawal {
    /// Which.
    pub key: IncidentKey,
    /// The feed it came by.
    pub feed: FeedId,
    /// When we received it.
    pub received_at: UtcMillis,
}

/// An incident as kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The newest version's report.
    pub report: IncidentReport,
    /// Severity with the kind's default applied.
    pub severity: Severity,
    /// `severity` is the kind's default.
    pub severity_defaulted: bool,
    /// Radius in metres with the kind's default applied.
    pub radius_m: f64,
    /// `radius_m` is the kind's default.
    pub radius_defaulted: bool,
    /// Active or closed, whatever closed it.
    pub phase: IncidentPhase,
    /// The source withdrew it.
    pub withdrawn: bool,
    /// First recorded.
    pub opened_at: UtcMillis,
    /// Last changed.
    pub updated_at: UtcMillis,
    /// Closed since.
    pub closed_at: Option<UtcMillis>,
    /// Planned: it begins then, and is listed and silent before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub starts_at: Option<UtcMillis>,
    /// What an operator told the public.
    #[serde(default, skip_serializing_if = "is_default")]
    pub publication: Option<Publication>,
    /// Its source's words say that it is over; a person confirms it or refuses.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clear_proposed: Option<ClearProposal>,
    /// A person armed its area by one call.
    #[serde(default, skip_serializing_if = "is_default")]
    pub armed: Option<Arming>,
    /// Everything that happened to it, the middle of a long one left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub history: Vec<HistoryEntry>,
    /// Journal sequence of the last change.
    pub seq: u64,
}

/// What an operator told the public of an incident. The source's later words do not replace it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Title.
    pub title: Option<String>,
    /// Text by language ("" = not said).
    pub text: std::collections::BTreeMap<String, String>,
    /// Who.
    pub by: String,
    /// When.
    pub at: UtcMillis,
}

/// Entries of an incident's history kept at most.
const HISTORY_MAX: usize = 400;

/// What came of an incident's report or withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentOutcome {
    /// It is on record.
    Recorded,
    /// The very message that is on record.
    Same,
    /// Other content under the version on record: ignored, because one of the two is wrong and nobody can say which.
    SameVersion,
    /// A version older than the one on record: ignored.
    Older,
    /// Taken back by its source: closed, kept.
    Withdrawn,
    /// Nothing by that name to take back.
    Unknown,
    /// More open incidents than may be kept: ignored, to be counted and shown.
    NoRoom,
}

/// No area reaches further than this, half the earth's circumference.
const RADIUS_MAX_M: f64 = 20_000_000.0;

impl IncidentReport {
    /// The same, fit to be recorded: figures to what any JSON reader keeps bit for bit, so that replay is exact.
    #[must_use]
    pub fn kept(&self) -> Self {
        let round = |number: f64, scale: f64| (number * scale).round() / scale;
        let degrees = |d: Option<f64>| d.filter(|d| d.abs() <= 180.0).map(|d| round(d, 1e7));
        let radius_m = self.radius_m.filter(|r| (0.0..=RADIUS_MAX_M).contains(r)).map(|r| round(r, 1e3));
        Self { lat: degrees(self.lat), lon: degrees(self.lon), radius_m, ..self.clone() }
    }
}

impl Incident {
    /// What a report does to what is on record: a higher version replaces, and a source that gives no versions
    /// replaces by any new content. An incident taken back returns with a higher version, or with any when it has none.
    /// `report.names` are those that the record does not know yet.
    pub fn judge(known: Option<&Self>, report: &IncidentReport) -> IncidentOutcome {
        let Some(known) = known else { return IncidentOutcome::Recorded };
        match (report.version, known.report.version) {
            (Some(new), Some(old)) if new > old => IncidentOutcome::Recorded,
            (Some(new), Some(old)) if new < old => IncidentOutcome::Older,
            (_, None) if known.withdrawn => IncidentOutcome::Recorded,
            _ if report.fingerprint == known.report.fingerprint => IncidentOutcome::Same,
            // Versions may be no finer than a second, and a cancellation is meant to be the last word of its second.
            (Some(_), Some(_)) if report.cancelled && !known.withdrawn => IncidentOutcome::Recorded,
            // So is a message that the record has never heard named: an update of the same second.
            (Some(_), Some(_)) if !report.names.is_empty() && !known.withdrawn => IncidentOutcome::Recorded,
            (Some(_), Some(_)) => IncidentOutcome::SameVersion,
            (None, _) | (_, None) => IncidentOutcome::Recorded,
        }
    }

    /// The record a report makes, in place of `known`.
    pub fn record(known: Option<&Self>, report: &IncidentReport, at: UtcMillis) -> Self {
        let report = Self::said_again(known, report);
        let facts = report.kind.facts();
        let said = report.severity.filter(|s| *s != Severity::Unknown);
        let kept = report.kept();
        let radius = kept.radius_m;
        let is_over = over_at(&report).is_some_and(|over| over <= at);
        let phase = if is_over { IncidentPhase::Closed } else { report.phase };
        let closed_at = (phase == IncidentPhase::Closed).then(|| known.and_then(|known| known.closed_at).unwrap_or(at));
        Self {
            // Only a kind that nobody knows and of which nobody says how bad it is ranks severe: it may be anything.
            severity: said.unwrap_or(if report.kind_word.is_some() {
                Severity::Severe
            } else {
                facts.default_severity
            }),
            severity_defaulted: said.is_none(),
            radius_m: radius.unwrap_or(facts.default_radius_m),
            radius_defaulted: radius.is_none(),
            phase,
            withdrawn: report.cancelled,
            opened_at: known.map_or(at, |known| known.opened_at),
            updated_at: at,
            closed_at,
            starts_at: starts_after(&report, at),
            // Words about what is over are not said again of what comes under its name.
            publication: known
                .filter(|known| known.phase == IncidentPhase::Active)
                .and_then(|known| known.publication.clone()),
            clear_proposed: ClearProposal::after(known, &report, at),
            armed: known.and_then(|known| known.armed.clone()).filter(|_| phase == IncidentPhase::Active),
            history: Vec::new(),
            seq: 0,
            report: kept,
        }
    }

    /// A cancellation that describes nothing keeps what was described before.
    fn said_again<'r>(known: Option<&Self>, report: &'r IncidentReport) -> Cow<'r, IncidentReport> {
        match known {
            Some(known) if report.cancelled && !report.describes_anything() => Cow::Owned(IncidentReport {
                feed: report.feed.clone(),
                version: report.version,
                phase: report.phase,
                cancelled: true,
                names: report.names.clone(),
                fingerprint: report.fingerprint,
                retained: report.retained,
                received_at: report.received_at,
                ..known.report.clone()
            }),
            Some(_) | None => Cow::Borrowed(report),
        }
    }

    /// Carries out the source's withdrawal: closed, never erased.
    pub fn withdraw(&mut self, at: UtcMillis) {
        self.withdrawn = true;
        self.end(at);
    }

    /// It goes on now: open, and its time has come where it is planned.
    pub fn is_live(&self) -> bool {
        self.phase == IncidentPhase::Active && self.starts_at.is_none()
    }

    /// In the order of the journal: condition, publicity and what is proposed in words, as history writes them.
    pub fn standing(&self) -> String {
        let marks = [
            (self.starts_at.is_some(), "/upcoming"),
            (self.publication.is_some(), "/public"),
            (self.armed.is_some(), "/armed"),
            (self.clear_proposed.is_some(), "/clear_proposed"),
        ];
        let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        format!("{}/{}{marks}", self.phase.word(), self.severity.word())
    }

    /// Adds a line to its history; of a long one the middle is left out.
    pub fn note(&mut self, entry: HistoryEntry) {
        self.history.push(entry);
        if self.history.len() > HISTORY_MAX {
            self.history.remove(HISTORY_MAX / 2);
        }
    }
}

/// When the last of its periods ends; `None` where it has none or one is open. An expected end is no such end.
pub(crate) fn over_at(report: &IncidentReport) -> Option<UtcMillis> {
    let ends: Option<Vec<UtcMillis>> = report.active_periods.iter().map(|period| period.end).collect();
    ends?.into_iter().max()
}

/// The end of the periods that run at `at`, one into the other; `None` where it has none or one of them is open.
pub(crate) fn stretch_end(report: &IncidentReport, at: UtcMillis) -> Option<UtcMillis> {
    if report.active_periods.is_empty() {
        return None;
    }
    let mut end = at;
    loop {
        let runs = |period: &&ActivePeriod| {
            period.start.is_none_or(|start| start <= end) && period.end.is_none_or(|over| over > end)
        };
        match report.active_periods.iter().find(runs) {
            None => return Some(end),
            Some(period) => end = period.end?,
        }
    }
}

/// The start of the first period to come, where none runs at `at` and none is open.
pub(crate) fn starts_after(report: &IncidentReport, at: UtcMillis) -> Option<UtcMillis> {
    let began = |period: &ActivePeriod| period.start.is_none_or(|start| start <= at);
    let over = |period: &ActivePeriod| period.end.is_some_and(|end| end <= at);
    if report.active_periods.iter().any(|period| began(period) && !over(period)) {
        return None;
    }
    report.active_periods.iter().filter(|period| !over(period)).filter_map(|period| period.start).min()
}
