//! A report as JSON: what a chief reads afterwards, row by row, every key always present.

use publish::{Lang, Marked, Position, Report, Reported, Tenure, TimelineEntry, Unknown};
use serde::Serialize;
use transit::VehicleKey;
use utoipa::ToSchema;

use super::{
    AlertView, IncidentView, LackWord, MarkStepWord, PointFromWord, RecordedForWord, Shown, Stamp, incident_id,
    vehicle::Doubts,
};
use crate::Snapshot;

/// Everything on record about an alert, or about an incident and the alerts tied to it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportView<'a> {
    /// What it is about: `alert` or `incident`.
    about: &'static str,
    /// The id of the alert or incident.
    id: String,
    /// The alert as `/v1/alerts/{id}` has it; null of an incident.
    alert: Option<AlertView<'a>>,
    /// The incident; null of an alert.
    incident: Option<IncidentView<'a>>,
    /// The alerts tied to the incident, oldest first; empty of an alert.
    alerts: Vec<AlertView<'a>>,
    /// What happened, in the order of the record.
    timeline: Vec<TimelineRow<'a>>,
    /// Who had which alert, and when.
    owners: Vec<OwnerRow<'a>>,
    /// Steps that were marked.
    marks: Vec<MarkRow<'a>>,
    /// What was recorded of the surroundings, by alert.
    recordings: Vec<RecordingRow<'a>>,
    /// The vehicles recorded, by alert, its subject first.
    vehicles: Vec<RecordedVehicleRow<'a>>,
    /// Where they were, by alert and vehicle, oldest first.
    positions: Vec<PositionRow<'a>>,
    /// What was not known, and what is not in here.
    unknown: Vec<LackRow<'a>>,
}

/// One line of the timeline.
#[derive(Serialize, ToSchema)]
pub(crate) struct TimelineRow<'a> {
    /// The alert it happened to; null: to the incident itself.
    #[schema(value_type = Option<String>)]
    alert_id: Option<Shown<&'a alert::AlertId>>,
    /// Journal sequence.
    seq: u64,
    /// When.
    at: Stamp,
    /// `person`, `source`, `detector` or `timer`.
    actor_kind: &'a str,
    /// Who or what.
    actor: &'a str,
    /// Desk of a person.
    desk: Option<&'a str>,
    /// State before; `none` at the beginning.
    from: &'a str,
    /// State after.
    to: &'a str,
    /// What happened, as a stable code.
    reason: &'a str,
    /// Free text.
    comment: Option<&'a str>,
}

/// A span in which somebody had an alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnerRow<'a> {
    /// The alert.
    #[schema(value_type = String)]
    alert_id: Shown<&'a alert::AlertId>,
    /// Who; null: passed on to somebody whose name was not kept apart.
    owner: Option<&'a str>,
    /// Their desk.
    desk: Option<&'a str>,
    /// Since when.
    from: Stamp,
    /// Until when; null: still.
    until: Option<Stamp>,
    /// What ended it, as the timeline's `reason`.
    ended_by: Option<&'a str>,
}

/// A step that was marked.
#[derive(Serialize, ToSchema)]
pub(crate) struct MarkRow<'a> {
    /// The alert.
    #[schema(value_type = String)]
    alert_id: Shown<&'a alert::AlertId>,
    /// Which step; null: only its words were kept, in `comment`.
    #[schema(inline)]
    step: Option<MarkStepWord>,
    /// Who reached it.
    party: Option<&'a str>,
    /// Their number of it.
    reference: Option<&'a str>,
    /// When it was reached, as told.
    reached_at: Option<Stamp>,
    /// When it was marked.
    at: Stamp,
    /// Who marked it.
    actor: &'a str,
    /// Their desk.
    desk: Option<&'a str>,
    /// Step, party, reference, time and free text as one.
    comment: Option<&'a str>,
}

/// What was recorded around one alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordingRow<'a> {
    /// The alert.
    #[schema(value_type = String)]
    alert_id: Shown<&'a alert::AlertId>,
    /// `kept`, `absent`, `unreadable`, `off`, or `not_meant`: only emergencies are recorded.
    state: &'static str,
    /// Since when it was recorded; the ways themselves reach back further.
    begun_at: Option<Stamp>,
    /// When that ended; null: it goes on, or was cut.
    ended_at: Option<Stamp>,
    /// Degrees north of the alert when the vehicles near were chosen.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
    /// What counted as near, in metres.
    radius_m: Option<f64>,
    /// How far back before the raise, in minutes.
    before_minutes: Option<u32>,
}

/// A vehicle that was recorded.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordedVehicleRow<'a> {
    /// The alert it was recorded for.
    #[schema(value_type = String)]
    alert_id: Shown<&'a alert::AlertId>,
    /// `agency/vehicle`.
    #[schema(value_type = String)]
    id: Shown<&'a VehicleKey>,
    /// Who owns it.
    agency_id: &'a str,
    /// Its number within the agency.
    vehicle_id: &'a str,
    /// Why.
    #[schema(inline)]
    recorded_for: RecordedForWord,
    /// Metres from the alert when it was chosen.
    distance_m: Option<f64>,
    /// Points on file.
    points: u64,
    /// Of them, how many are in `positions`.
    points_listed: usize,
    /// Of those on file, how many are doubtful.
    points_doubtful: u64,
}

/// Where a vehicle was.
#[derive(Serialize, ToSchema)]
pub(crate) struct PositionRow<'a> {
    /// The alert it was recorded for.
    #[schema(value_type = String)]
    alert_id: Shown<&'a alert::AlertId>,
    /// The vehicle's owner.
    agency_id: &'a str,
    /// Its number within the agency.
    vehicle_id: &'a str,
    /// The device's clock.
    event_time: Stamp,
    /// When it reached us; null: not kept.
    received_at: Option<Stamp>,
    /// Degrees north.
    lat: f64,
    /// Degrees east.
    lon: f64,
    /// Degrees clockwise from north.
    bearing: Option<f32>,
    /// Metres a second.
    speed_mps: Option<f32>,
    /// What to doubt.
    #[schema(value_type = Vec<super::QualityWord>, inline)]
    quality: Doubts,
    /// How it is known.
    #[schema(inline)]
    point_from: PointFromWord,
}

/// What was not known, or is not in here.
#[derive(Serialize, ToSchema)]
pub(crate) struct LackRow<'a> {
    /// The alert; null: the report as a whole.
    #[schema(value_type = Option<String>)]
    alert_id: Option<Shown<&'a alert::AlertId>>,
    /// What.
    #[schema(inline)]
    what: LackWord,
    /// Of which vehicle: its owner.
    agency_id: Option<String>,
    /// Its number within the agency.
    vehicle_id: Option<String>,
    /// Since when; null: always, or not said.
    since: Option<Stamp>,
    /// Until when; null: still, or not said.
    until: Option<Stamp>,
    /// How many.
    count: Option<u64>,
    /// Names of fields, flags or reasons.
    detail: Option<String>,
}

impl<'a> ReportView<'a> {
    /// Of a report.
    pub(crate) fn of(report: &'a Report<'a>, snapshot: &'a Snapshot, lang: Lang) -> Self {
        let mut alerts: Vec<AlertView<'a>> =
            report.alerts.iter().map(|reported| AlertView::of(reported.alert, snapshot, lang)).collect();
        let (about, id, alert) = match (report.incident, report.alerts.first()) {
            (Some(incident), _) => ("incident", incident_id(incident), None),
            (None, first) => ("alert", first.map(|r| r.alert.id.to_string()).unwrap_or_default(), alerts.pop()),
        };
        let vehicles = report.recordings().flat_map(|(alert, recording)| {
            recording.vehicles.iter().map(|vehicle| RecordedVehicleRow::of(&alert.id, vehicle))
        });
        Self {
            about,
            id,
            alert,
            incident: report.incident.map(IncidentView::of),
            alerts,
            timeline: report.timeline().iter().map(TimelineRow::of).collect(),
            owners: report.owners().iter().map(OwnerRow::of).collect(),
            marks: report.marks().iter().map(MarkRow::of).collect(),
            recordings: report.alerts.iter().map(RecordingRow::of).collect(),
            vehicles: vehicles.collect(),
            positions: report.positions().map(|position| PositionRow::of(&position)).collect(),
            unknown: report.unknown().into_iter().map(LackRow::of).collect(),
        }
    }
}

impl<'a> TimelineRow<'a> {
    fn of(line: &TimelineEntry<'a>) -> Self {
        let entry = line.entry;
        Self {
            alert_id: line.alert.map(Shown),
            seq: entry.seq,
            at: Stamp(entry.at),
            actor_kind: &entry.actor_kind,
            actor: &entry.actor,
            desk: entry.desk.as_deref(),
            from: &entry.from,
            to: &entry.to,
            reason: &entry.reason,
            comment: entry.comment.as_deref(),
        }
    }
}

impl<'a> OwnerRow<'a> {
    fn of(tenure: &Tenure<'a>) -> Self {
        Self {
            alert_id: Shown(tenure.alert),
            owner: tenure.owner,
            desk: tenure.desk,
            from: Stamp(tenure.from),
            until: tenure.until.map(Stamp),
            ended_by: tenure.ended_by,
        }
    }
}

impl<'a> MarkRow<'a> {
    fn of(marked: &Marked<'a>) -> Self {
        Self {
            alert_id: Shown(marked.alert),
            step: marked.mark.map(|mark| MarkStepWord(mark.step)),
            party: marked.mark.and_then(|mark| mark.party.as_deref()),
            reference: marked.mark.and_then(|mark| mark.reference.as_deref()),
            reached_at: marked.mark.and_then(|mark| mark.time).map(Stamp),
            at: Stamp(marked.entry.at),
            actor: &marked.entry.actor,
            desk: marked.entry.desk.as_deref(),
            comment: marked.entry.comment.as_deref(),
        }
    }
}

impl<'a> RecordingRow<'a> {
    fn of(reported: &Reported<'a>) -> Self {
        let kept = reported.recorded.kept();
        let place = kept.and_then(|kept| kept.place);
        Self {
            alert_id: Shown(&reported.alert.id),
            state: reported.recorded.word(),
            begun_at: kept.map(|kept| Stamp(kept.begun_at)),
            ended_at: kept.and_then(|kept| kept.ended_at).map(Stamp),
            lat: place.map(transit::Coordinate::lat),
            lon: place.map(transit::Coordinate::lon),
            radius_m: kept.map(|kept| kept.radius_m),
            before_minutes: kept.map(|kept| kept.before_minutes),
        }
    }
}

impl<'a> RecordedVehicleRow<'a> {
    fn of(alert: &'a alert::AlertId, vehicle: &'a publish::RecordedVehicle) -> Self {
        Self {
            alert_id: Shown(alert),
            id: Shown(&vehicle.key),
            agency_id: vehicle.key.agency.as_str(),
            vehicle_id: vehicle.key.vehicle.as_str(),
            recorded_for: RecordedForWord(vehicle.why),
            distance_m: vehicle.distance_m,
            points: vehicle.recorded,
            points_listed: vehicle.points.len(),
            points_doubtful: vehicle.doubtful,
        }
    }
}

impl<'a> PositionRow<'a> {
    fn of(position: &Position<'a>) -> Self {
        let Position { alert, vehicle, point } = position;
        Self {
            alert_id: Shown(alert),
            agency_id: vehicle.key.agency.as_str(),
            vehicle_id: vehicle.key.vehicle.as_str(),
            event_time: Stamp(point.event_time),
            received_at: point.received_at.map(Stamp),
            lat: point.coordinate.lat(),
            lon: point.coordinate.lon(),
            bearing: point.bearing,
            speed_mps: point.speed_mps,
            quality: Doubts(point.quality),
            point_from: PointFromWord(point.from),
        }
    }
}

impl<'a> LackRow<'a> {
    fn of(unknown: Unknown<'a>) -> Self {
        let Unknown { alert, lack } = unknown;
        let (agency_id, vehicle_id) =
            lack.vehicle.map(|key| (key.agency.as_str().to_owned(), key.vehicle.as_str().to_owned())).unzip();
        Self {
            alert_id: alert.map(Shown),
            what: LackWord(lack.what),
            agency_id,
            vehicle_id,
            since: lack.since.map(Stamp),
            until: lack.until.map(Stamp),
            count: lack.count,
            detail: lack.detail,
        }
    }
}
