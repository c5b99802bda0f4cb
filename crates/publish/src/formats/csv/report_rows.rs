//! The rows of a report as one table: five sorts of row, each filling the columns it has.

use alert::HistoryEntry;
use serde_json::{Value, json};

use crate::{
    columns::shortest,
    report::{Marked, Position, Report, Tenure, TimelineEntry, Unknown},
};

/// A row: columns with their values; the others are empty.
pub(super) type Row = Vec<(&'static str, Value)>;

/// The columns; only ever added at the end.
pub(super) const COLUMNS: &[&str] = &[
    "row",
    "alert_id",
    "at",
    "until",
    "seq",
    "reason",
    "actor_kind",
    "actor",
    "desk",
    "from",
    "to",
    "comment",
    "step",
    "party",
    "reference",
    "reached_at",
    "agency_id",
    "vehicle_id",
    "recorded_for",
    "event_time",
    "received_at",
    "lat",
    "lon",
    "bearing",
    "speed_mps",
    "quality",
    "point_from",
    "count",
    "detail",
];

/// Hands every row on: what happened, who had it, what was marked, what was not known, and where everybody went.
pub(super) fn each(report: &Report<'_>, push: &mut dyn FnMut(Row)) {
    report.timeline().iter().map(of_timeline).for_each(&mut *push);
    report.owners().iter().map(of_owner).for_each(&mut *push);
    report.marks().iter().map(of_mark).for_each(&mut *push);
    report.unknown().iter().map(of_unknown).for_each(&mut *push);
    report.positions().map(|position| of_position(&position)).for_each(push);
}

fn of_entry(sort: &'static str, entry: &HistoryEntry) -> Row {
    vec![
        ("row", json!(sort)),
        ("at", json!(entry.at.to_string())),
        ("seq", json!(entry.seq)),
        ("actor_kind", json!(entry.actor_kind)),
        ("actor", json!(entry.actor)),
        ("desk", json!(entry.desk)),
        ("comment", json!(entry.comment)),
    ]
}

fn of_timeline(line: &TimelineEntry<'_>) -> Row {
    let mut row = of_entry("timeline", line.entry);
    row.extend([
        ("alert_id", json!(line.alert.map(ToString::to_string))),
        ("reason", json!(line.entry.reason)),
        ("from", json!(line.entry.from)),
        ("to", json!(line.entry.to)),
    ]);
    row
}

fn of_owner(owner: &Tenure<'_>) -> Row {
    vec![
        ("row", json!("owner")),
        ("alert_id", json!(owner.alert.to_string())),
        ("at", json!(owner.from.to_string())),
        ("until", json!(owner.until.map(|at| at.to_string()))),
        ("reason", json!(owner.ended_by)),
        ("actor_kind", json!("person")),
        ("actor", json!(owner.owner)),
        ("desk", json!(owner.desk)),
    ]
}

fn of_mark(marked: &Marked<'_>) -> Row {
    let mut row = of_entry("mark", marked.entry);
    row.extend([
        ("alert_id", json!(marked.alert.to_string())),
        ("step", json!(marked.mark.map(|mark| mark.step))),
        ("party", json!(marked.mark.map(|mark| &mark.party))),
        ("reference", json!(marked.mark.map(|mark| &mark.reference))),
        ("reached_at", json!(marked.mark.and_then(|mark| mark.time).map(|time| time.to_string()))),
    ]);
    row
}

fn of_unknown(unknown: &Unknown<'_>) -> Row {
    let lack = &unknown.lack;
    vec![
        ("row", json!("unknown")),
        ("alert_id", json!(unknown.alert.map(ToString::to_string))),
        ("at", json!(lack.since.map(|at| at.to_string()))),
        ("until", json!(lack.until.map(|at| at.to_string()))),
        ("reason", json!(lack.what)),
        ("agency_id", json!(lack.vehicle.as_ref().map(|key| &key.agency))),
        ("vehicle_id", json!(lack.vehicle.as_ref().map(|key| &key.vehicle))),
        ("count", json!(lack.count)),
        ("detail", json!(lack.detail)),
    ]
}

fn of_position(position: &Position<'_>) -> Row {
    let Position { alert, vehicle, point } = position;
    vec![
        ("row", json!("position")),
        ("alert_id", json!(alert.to_string())),
        ("agency_id", json!(vehicle.key.agency)),
        ("vehicle_id", json!(vehicle.key.vehicle)),
        ("recorded_for", json!(vehicle.why)),
        ("event_time", json!(point.event_time.to_string())),
        ("received_at", json!(point.received_at.map(|at| at.to_string()))),
        ("lat", json!(point.coordinate.lat())),
        ("lon", json!(point.coordinate.lon())),
        ("bearing", json!(point.bearing.map(shortest))),
        ("speed_mps", json!(point.speed_mps.map(shortest))),
        ("quality", json!(point.quality.iter().collect::<Vec<_>>())),
        ("point_from", json!(point.from)),
    ]
}
