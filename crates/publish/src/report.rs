//! A report: everything that is on record about an alert, or about an incident and the alerts tied to it.
//!
//! Puts together what others kept and judges nothing: who had it and when follows from the history alone. What was not
//! known is part of it. Knows no format; the encoders are in `formats`.

use alert::{Alert, AlertId, AlertOrigin, Deed, HistoryEntry, Incident, Mark, UNACCOUNTED};
use transit::{UtcMillis, VehicleKey};

use crate::recording::{Lack, LackKind, Recorded, RecordedPoint, RecordedVehicle, Recording};

/// A recording that begins later than this after the raise lacks something, in milliseconds.
const BEGUN_LATE_MS: i64 = 5_000;

/// An alert that was on disk later than this after it reached us was shown without being durable, in milliseconds.
const NOT_DURABLE_MS: i64 = 2_000;

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// As of when.
    pub as_of: UtcMillis,
    /// The incident it is about; `None`: it is about its only alert.
    pub incident: Option<&'a Incident>,
    /// The alerts, oldest first.
    pub alerts: Vec<Reported<'a>>,
    /// Alerts tied to the incident that found no room here.
    pub alerts_left_out: usize,
}

/// One alert with what was recorded around it.
#[derive(Debug, Clone)]
pub struct Reported<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// What was recorded.
    pub recorded: Recorded,
}

/// One line of the timeline.
#[derive(Debug, Clone, Copy)]
pub struct TimelineEntry<'a> {
    /// The alert it happened to; `None`: to the incident.
    pub alert: Option<&'a AlertId>,
    /// What happened.
    pub entry: &'a HistoryEntry,
}

/// A span in which somebody had an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenure<'a> {
    /// The alert.
    pub alert: &'a AlertId,
    /// Who; `None`: passed on to somebody whose name was not kept.
    pub owner: Option<&'a str>,
    /// Their desk.
    pub desk: Option<&'a str>,
    /// Since when.
    pub from: UtcMillis,
    /// Until when; `None`: still.
    pub until: Option<UtcMillis>,
    /// What ended it, as the history says it.
    pub ended_by: Option<&'a str>,
}

/// A step that was marked.
#[derive(Debug, Clone, Copy)]
pub struct Marked<'a> {
    /// The alert.
    pub alert: &'a AlertId,
    /// What happened.
    pub entry: &'a HistoryEntry,
    /// The mark in its parts; `None`: only its words were kept.
    pub mark: Option<&'a Mark>,
}

/// A point of a vehicle's way.
#[derive(Debug, Clone, Copy)]
pub struct Position<'a> {
    /// The alert it is recorded for.
    pub alert: &'a AlertId,
    /// The vehicle.
    pub vehicle: &'a RecordedVehicle,
    /// The point.
    pub point: &'a RecordedPoint,
}

/// What was not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown<'a> {
    /// The alert it is about; `None`: the report as a whole.
    pub alert: Option<&'a AlertId>,
    /// What.
    pub lack: Lack,
}

impl<'a> Report<'a> {
    /// Everything that happened, in the order of the record.
    pub fn timeline(&self) -> Vec<TimelineEntry<'a>> {
        let own = self.incident.iter().flat_map(|incident| &incident.history);
        let own = own.map(|entry| TimelineEntry { alert: None, entry });
        let of_alerts = self.alerts.iter().flat_map(|reported| {
            let alert = reported.alert;
            alert.history.iter().map(|entry| TimelineEntry { alert: Some(&alert.id), entry })
        });
        let mut all: Vec<_> = own.chain(of_alerts).collect();
        all.sort_by_key(|line| (line.entry.seq, line.alert));
        all
    }

    /// Who had each alert, and when.
    pub fn owners(&self) -> Vec<Tenure<'a>> {
        self.alerts.iter().flat_map(|reported| tenures(reported.alert)).collect()
    }

    /// The steps that were marked.
    pub fn marks(&self) -> Vec<Marked<'a>> {
        let is_mark = |line: &TimelineEntry<'a>| line.entry.reason == "mark";
        let marked = |line: TimelineEntry<'a>| {
            let mark = match line.entry.deed.as_deref() {
                Some(Deed::Mark(mark)) => Some(mark),
                Some(_) | None => None,
            };
            Some(Marked { alert: line.alert?, entry: line.entry, mark })
        };
        self.timeline().into_iter().filter(is_mark).filter_map(marked).collect()
    }

    /// Every point there is, by alert and vehicle.
    pub fn positions(&self) -> impl Iterator<Item = Position<'_>> {
        self.recordings().flat_map(|(alert, recording)| {
            recording.vehicles.iter().flat_map(move |vehicle| {
                vehicle.points.iter().map(move |point| Position { alert: &alert.id, vehicle, point })
            })
        })
    }

    /// The recordings there are.
    pub fn recordings(&self) -> impl Iterator<Item = (&'a Alert, &Recording)> {
        self.alerts.iter().filter_map(|reported| Some((reported.alert, reported.recorded.kept()?)))
    }

    /// What was not known, and what is not in here.
    pub fn unknown(&self) -> Vec<Unknown<'a>> {
        let mut all: Vec<Unknown<'a>> = Vec::new();
        if self.alerts_left_out > 0 {
            let count = u64::try_from(self.alerts_left_out).ok();
            all.push(Unknown { alert: None, lack: Lack { count, ..Lack::of(LackKind::AlertsLeftOut) } });
        }
        for reported in &self.alerts {
            let mut lacks = lacks_of_alert(reported.alert);
            lacks_of_recording(reported, &mut lacks);
            all.extend(lacks.into_iter().map(|lack| Unknown { alert: Some(&reported.alert.id), lack }));
        }
        all
    }
}

/// Whether the standing that history writes says that nobody had it.
fn is_nobodys(standing: &str) -> bool {
    standing.split('/').any(|word| word == "unacknowledged")
}

fn tenures(alert: &Alert) -> Vec<Tenure<'_>> {
    let mut all: Vec<Tenure<'_>> = Vec::new();
    let mut held = false;
    for entry in &alert.history {
        let free = is_nobodys(&entry.to);
        let passed_on = entry.reason == "handover";
        let taken = !free && (!held || passed_on);
        let ended = held && (free || passed_on);
        if ended && let Some(last) = all.last_mut() {
            (last.until, last.ended_by) = (Some(entry.at), Some(entry.reason.as_str()));
        }
        if taken {
            let (owner, desk) = match entry.deed.as_deref() {
                Some(Deed::Handover { to, desk }) => (Some(to.as_str()), desk.as_deref()),
                Some(_) | None if passed_on => (None, None),
                Some(_) | None => (Some(entry.actor.as_str()), entry.desk.as_deref()),
            };
            all.push(Tenure { alert: &alert.id, owner, desk, from: entry.at, until: None, ended_by: None });
        }
        held = !free;
    }
    if let (Some(closing), Some(last)) = (&alert.closing, all.last_mut())
        && last.until.is_none()
    {
        (last.until, last.ended_by) = (Some(closing.at), Some("closed"));
    }
    all
}

fn lacks_of_alert(alert: &Alert) -> Vec<Lack> {
    let mut lacks = Vec::new();
    if alert.origin != AlertOrigin::Detector {
        let fields = [
            ("event_time", alert.event_at.is_none() && alert.origin == AlertOrigin::DeviceEvent),
            ("event_id", alert.event_id.is_none() && alert.origin == AlertOrigin::DeviceEvent),
            ("place", alert.lat.is_none() || alert.lon.is_none()),
            ("passengers", alert.passengers.is_none()),
            ("text", alert.text.is_none()),
        ];
        let missing: Vec<&str> = fields.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            lacks.push(Lack { detail: Some(missing.join(", ")), ..Lack::of(LackKind::NeverSaid) });
        }
    }
    if !alert.quality.is_empty() {
        lacks.push(Lack { detail: Some(alert.quality.join(", ")), ..Lack::of(LackKind::Doubtful) });
    }
    // What cannot be recorded is decided anew when it can, and carries the time of that.
    let recorded_at = alert.durable.then_some(alert.raised_at);
    if recorded_at.is_none_or(|at| at.since(alert.received_at) > NOT_DURABLE_MS) {
        lacks.push(Lack { since: Some(alert.received_at), until: recorded_at, ..Lack::of(LackKind::NotDurable) });
    }
    if alert.rule == UNACCOUNTED {
        let missed = alert.evidence.iter().flat_map(|evidence| &evidence.members).filter_map(|member| member.vehicle());
        let (since, until) = (Some(alert.raised_at), alert.closing.as_ref().map(|closing| closing.at));
        let lack =
            |key: &VehicleKey| Lack { vehicle: Some(key.clone()), since, until, ..Lack::of(LackKind::Unaccounted) };
        lacks.extend(missed.map(lack));
    }
    if alert.repeats_folded > 0 {
        lacks.push(Lack { count: Some(alert.repeats_folded.into()), ..Lack::of(LackKind::RepeatsFolded) });
    }
    lacks
}

fn lacks_of_recording(reported: &Reported<'_>, lacks: &mut Vec<Lack>) {
    let recording = match &reported.recorded {
        Recorded::Kept(recording) => recording,
        Recorded::NotMeant => return,
        Recorded::Off => return lacks.push(Lack::of(LackKind::RecordingOff)),
        Recorded::Absent => return lacks.push(Lack::of(LackKind::NoRecording)),
        Recorded::Unreadable => return lacks.push(Lack::of(LackKind::Unreadable)),
    };
    let raised_at = reported.alert.raised_at;
    if recording.begun_at.since(raised_at) > BEGUN_LATE_MS {
        let (since, until) = (Some(raised_at), Some(recording.begun_at));
        lacks.push(Lack { since, until, ..Lack::of(LackKind::NotRecorded) });
    }
    lacks.extend(recording.lacks.iter().cloned().map(|lack| with_its_end(lack, recording)));
    for vehicle in &recording.vehicles {
        lacks_of_vehicle(vehicle, lacks);
    }
}

/// A silence ended with the next point of its vehicle.
fn with_its_end(lack: Lack, recording: &Recording) -> Lack {
    let ends = matches!(lack.what, LackKind::Silent | LackKind::NoPosition | LackKind::NeverHeard);
    let (Some(key), Some(since), None) = (lack.vehicle.as_ref().filter(|_| ends), lack.since, lack.until) else {
        return lack;
    };
    let points = recording.vehicles.iter().filter(|v| v.key == *key).flat_map(|v| &v.points);
    let until = points.map(|point| point.event_time).find(|at| *at > since);
    Lack { until, ..lack }
}

fn lacks_of_vehicle(vehicle: &RecordedVehicle, lacks: &mut Vec<Lack>) {
    let key: Option<VehicleKey> = Some(vehicle.key.clone());
    if vehicle.doubtful > 0 {
        let flags: Vec<&str> = vehicle.doubts.iter().map(transit::Word::word).collect();
        let (count, detail) = (Some(vehicle.doubtful), Some(flags.join(", ")));
        lacks.push(Lack { vehicle: key.clone(), count, detail, ..Lack::of(LackKind::Doubtful) });
    }
    let thinned = vehicle.recorded.saturating_sub(u64::try_from(vehicle.points.len()).unwrap_or(u64::MAX));
    if thinned > 0 {
        lacks.push(Lack { vehicle: key, count: Some(thinned), ..Lack::of(LackKind::PointsThinned) });
    }
}

#[cfg(test)]
pub(crate) mod tests;
