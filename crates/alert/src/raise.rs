//! From an alarm as it arrived to a new alert, or to a further press of one: priority, doubts, place.
//!
//! Refuses nothing: whatever an alarm lacks or has wrong becomes a mark in `quality`.

use transit::{Fix, Flaw, Now, UtcMillis};

use crate::{
    AlarmKind, AlarmReport, AlarmSource, Alert, AlertClass, AlertCondition, AlertId, AlertOrigin, Due, Flap, Press,
    Priority, Silence, Subject,
};

/// 2020-01-01: device clocks that lost their battery say less.
const EARLIEST: UtcMillis = UtcMillis(1_577_836_800_000);
/// A device clock further ahead than a day is not a clock.
const AHEAD_MAX_MS: i64 = 24 * 3_600_000;
/// Ahead by more than this is marked `clock_ahead`.
const CLOCK_AHEAD_MS: i64 = 60_000;
/// Older than this at receipt is marked `late`.
const LATE_MS: i64 = 5 * 60_000;

/// Whether an alarm's own time can be true: from 2020 to a day after its receipt.
pub fn has_plausible_time(report: &AlarmReport) -> bool {
    report.event_time.is_some_and(|t| is_plausible(t, report.received_at))
}

fn is_plausible(event_at: UtcMillis, received_at: UtcMillis) -> bool {
    event_at >= EARLIEST && event_at.since(received_at) <= AHEAD_MAX_MS
}

/// How urgent an alarm is by itself. A passenger's emergency button has its own priority, because most of those
/// presses are mistakes; it is never suppressed.
pub fn priority_of(report: &AlarmReport, passenger_priority: Priority) -> Priority {
    priority_of_kind(report.kind, report.source, report.passengers, passenger_priority)
}

/// How urgent an alarm of `kind` is from `source` with so many on board.
pub(crate) fn priority_of_kind(
    kind: AlarmKind,
    source: AlarmSource,
    passengers: Option<u32>,
    passenger_priority: Priority,
) -> Priority {
    match kind {
        AlarmKind::Breakdown if passengers.is_some_and(|n| n > 0) => Priority::P2,
        AlarmKind::Breakdown => Priority::P3,
        AlarmKind::CallPriority => Priority::P2,
        AlarmKind::CallRequest => Priority::P4,
        AlarmKind::Panic
        | AlarmKind::Assault
        | AlarmKind::Fire
        | AlarmKind::Evacuation
        | AlarmKind::Collision
        | AlarmKind::SuspiciousItem
        | AlarmKind::Medical
        | AlarmKind::Other => match source {
            AlarmSource::Passenger => passenger_priority,
            AlarmSource::Driver | AlarmSource::Device => Priority::P1,
        },
    }
}

/// What is doubtful about an alarm, in a fixed order.
fn quality_of(report: &AlarmReport) -> Vec<String> {
    let mut marks = Vec::new();
    let mut mark = |is: bool, word: &str| {
        if is {
            marks.push(word.to_owned());
        }
    };
    mark(report.unparsed_head.is_some() || matches!(report.subject, crate::AlarmSubject::Unparsed(_)), "unparsed");
    mark(report.kind_word.is_some(), "unknown_kind");
    if let Some(event_at) = report.event_time {
        let plausible = is_plausible(event_at, report.received_at);
        mark(!plausible, "implausible_time");
        mark(plausible && event_at.since(report.received_at) > CLOCK_AHEAD_MS, "clock_ahead");
        mark(plausible && report.received_at.since(event_at) > LATE_MS, "late");
    }
    let flaw = report.fix.as_ref().and_then(|fix| fix.flaw);
    mark(flaw == Some(Flaw::NullIsland), "null_island");
    mark(flaw == Some(Flaw::NotFinite), "not_finite");
    mark(flaw == Some(Flaw::OutOfRange), "out_of_range");
    mark(flaw == Some(Flaw::SwappedAxes), "swapped_axes");
    mark(report.retained, "retained");
    marks
}

/// A place to seven decimals, a centimetre: that many digits survive any JSON reader bit for bit, so that replay is
/// exact.
fn place_of(fix: Option<&Fix>) -> (Option<f64>, Option<f64>) {
    let round = |degrees: f64| (degrees * 1e7).round() / 1e7;
    match fix.and_then(|f| f.coordinate) {
        Some(c) => (Some(round(c.lat())), Some(round(c.lon()))),
        None => (None, None),
    }
}

fn text_of(report: &AlarmReport) -> Option<String> {
    report.text.clone().or_else(|| report.unparsed_head.clone())
}

impl Press {
    /// What `report` adds to an open alert.
    pub fn of(report: &AlarmReport, identified: bool, passenger_priority: Priority) -> Self {
        let (lat, lon) = place_of(report.fix.as_ref());
        Self {
            fingerprint: report.fingerprint,
            identified,
            event_id: report.event_id.clone(),
            event_at: report.event_time,
            plausible: has_plausible_time(report),
            received_at: report.received_at,
            source: report.source,
            priority: priority_of(report, passenger_priority),
            covert: report.covert.unwrap_or(report.kind.covert_by_default()),
            retained: report.retained,
            lat,
            lon,
            quality: quality_of(report),
            text: text_of(report),
            passengers: report.passengers,
        }
    }
}

impl Alert {
    /// The alert that `report` raises. History and sequence come with the change that records it.
    pub fn raise(id: AlertId, subject: Subject, report: &AlarmReport, passenger_priority: Priority, now: Now) -> Self {
        let (lat, lon) = place_of(report.fix.as_ref());
        let class = report.kind.class();
        Self {
            id,
            rule: report.kind.rule().to_owned(),
            subject,
            priority: priority_of(report, passenger_priority),
            class,
            kind: Some(report.kind),
            kind_word: report.kind_word.clone(),
            source: Some(report.source),
            feed: Some(report.feed.clone()),
            event_id: report.event_id.clone(),
            event_at: report.event_time,
            last_event_at: report.event_time.filter(|_| has_plausible_time(report)),
            received_at: report.received_at,
            raised_at: now.utc,
            last_seen_at: report.received_at,
            annunciated_at: now.utc,
            condition: AlertCondition::Active,
            latched: class == AlertClass::Emergency,
            source_normal_at: None,
            acknowledgement: None,
            previous_owner: None,
            count: 1,
            re_alarmed_count: None,
            status: report.status,
            covert: report.covert.unwrap_or(report.kind.covert_by_default()),
            retained: report.retained,
            lat,
            lon,
            quality: quality_of(report),
            text: text_of(report),
            passengers: report.passengers,
            closing: None,
            history: Vec::new(),
            repeats_folded: 0,
            origin: AlertOrigin::DeviceEvent,
            evidence: None,
            accounted: Vec::new(),
            parents: Vec::new(),
            silence: Silence::default(),
            flap: Flap::default(),
            due: Due::default(),
            incident: None,
            annunciations: 0,
            cleared_at: None,
            hidden_seq: None,
            seq: 0,
            durable: true,
        }
    }

    /// Milliseconds between the first press and its receipt; `None` without a plausible device time, 0 when the
    /// device's clock is ahead.
    pub fn late_by_ms(&self) -> Option<i64> {
        let event_at = self.event_at.filter(|t| is_plausible(*t, self.received_at))?;
        Some(self.received_at.since(event_at).max(0))
    }
}
