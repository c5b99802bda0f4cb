//! Which alerts are recorded, which vehicles belong to one, and what is new of a vehicle. Pure: `now` is an argument.

use alert::{Alert, AlertClass};
use impact::{Index, Near};
use picture::{Freshness, Quality, QualityFlag, TrailPoint, VehicleRecord, View};
use publish::{LackKind, PointFrom, RecordedFor, RecordedPoint};
use transit::{Coordinate, UtcMillis, VehicleKey};

const MINUTE_MS: i64 = 60_000;
/// More vehicles than this are not told apart when those near are counted.
const COUNTED_MAX: usize = 1_000;
/// Places that cannot be true.
const FLAWS: [QualityFlag; 4] =
    [QualityFlag::NullIsland, QualityFlag::NotFinite, QualityFlag::OutOfRange, QualityFlag::SwappedAxes];

/// Every emergency is recorded, drills and tests too, until so many minutes after its end.
pub(super) fn is_wanted(alert: &Alert, now: UtcMillis, after_minutes: u32) -> bool {
    alert.class == AlertClass::Emergency && !is_over(alert, now, after_minutes)
}

/// It ended so long ago that nothing more is recorded.
pub(super) fn is_over(alert: &Alert, now: UtcMillis, after_minutes: u32) -> bool {
    alert.closing.as_ref().is_some_and(|closing| now.since(closing.at) >= i64::from(after_minutes) * MINUTE_MS)
}

/// The first instant that is recorded.
pub(super) fn oldest(alert: &Alert, before_minutes: u32) -> UtcMillis {
    alert.raised_at.plus_millis(i64::from(before_minutes) * -MINUTE_MS)
}

/// The vehicles that an alert is about, and why; its subject first.
pub(super) fn concerned(alert: &Alert) -> Vec<(VehicleKey, RecordedFor)> {
    let subject = alert.subject.vehicle().map(|key| (key.clone(), RecordedFor::Subject));
    let members = alert.evidence.iter().flat_map(|evidence| &evidence.members).filter_map(|member| member.vehicle());
    let mut all: Vec<(VehicleKey, RecordedFor)> = subject.into_iter().collect();
    for key in members {
        if all.iter().all(|(known, _)| known != key) {
            all.push((key.clone(), RecordedFor::Member));
        }
    }
    all
}

/// Where an alert is: as the alarm said unless that cannot be true, else where the first of its vehicles is.
pub(super) fn place_of(alert: &Alert, view: &View) -> Option<Coordinate> {
    let is_flawed = |word: &String| FLAWS.iter().any(|flag| transit::Word::word(*flag) == word);
    let said = alert.lat.zip(alert.lon).filter(|_| !alert.quality.iter().any(is_flawed));
    let said = said.and_then(|(lat, lon)| Coordinate::parse(lat, lon).ok());
    said.or_else(|| concerned(alert).iter().find_map(|(key, _)| place_of_vehicle(view.vehicles.get(key)?)))
}

/// Where a vehicle is, unless that cannot be true.
pub(super) fn place_of_vehicle(record: &VehicleRecord) -> Option<Coordinate> {
    record.coordinate.filter(|_| !FLAWS.iter().any(|flag| record.quality.contains(*flag)))
}

/// The vehicles within `radius_m` of `place` that are not `known`, nearest first. One that has been silent for longer
/// than is recorded has no way to record.
pub(super) fn near(
    place: Coordinate,
    radius_m: f64,
    index: &Index,
    known: &dyn Fn(&VehicleKey) -> bool,
    heard_since: UtcMillis,
) -> Vec<Near> {
    let wanted = |record: &VehicleRecord| {
        let within = record.coordinate.is_some_and(|there| place.distance(there).0 <= radius_m);
        within && record.received_at >= heard_since && !known(&record.key)
    };
    index.nearest(place, COUNTED_MAX, wanted)
}

/// Why nothing is known of where a vehicle is now, and since when; `None`: it is known.
pub(super) fn lack_of(
    record: Option<&VehicleRecord>,
    last: Option<UtcMillis>,
) -> Option<(LackKind, Option<UtcMillis>)> {
    match (record, last) {
        (None, None) => Some((LackKind::NeverHeard, None)),
        (None, Some(last)) => Some((LackKind::Silent, Some(last))),
        (Some(record), _) => match record.freshness {
            Freshness::Stale | Freshness::Lost => Some((LackKind::Silent, Some(record.event_time))),
            Freshness::Live | Freshness::Aging => record.coordinate.is_none().then_some((LackKind::NoPosition, None)),
        },
    }
}

/// How far a vehicle's way is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cursor {
    /// Second of the newest point, on the clock that its trail is on.
    second: Option<i64>,
    /// Stamp of the newest point as reported.
    event_time: Option<UtcMillis>,
}

impl Cursor {
    /// Moves to behind a point.
    pub(super) fn pass(&mut self, point: &RecordedPoint) {
        self.second = self.second.max(Some(second_of(point)));
        self.event_time = Some(point.event_time);
    }

    /// Stamp of the newest point.
    pub(super) fn last(self) -> Option<UtcMillis> {
        self.event_time
    }
}

/// The second of a point on the clock that the vehicle's trail is on: that of the device, or ours where the device is
/// ahead of the time.
fn second_of(point: &RecordedPoint) -> i64 {
    let ahead = point.received_at.filter(|_| point.quality.contains(QualityFlag::ClockAhead));
    ahead.unwrap_or(point.event_time).0.div_euclid(1000)
}

/// What is new of a vehicle since `cursor` and not older than `oldest` on our clock, in the order of time: its trail,
/// and its newest report with everything it says of its place.
pub(super) fn newer(
    trail: &[TrailPoint],
    record: Option<&VehicleRecord>,
    cursor: Cursor,
    oldest: UtcMillis,
) -> Vec<RecordedPoint> {
    let ahead = record.is_some_and(|record| record.quality.contains(QualityFlag::ClockAhead));
    let offset_ms = record.filter(|_| !ahead).map_or(0, |record| record.offset_ms);
    let is_new = |second: i64| cursor.second.is_none_or(|last| second > last);
    let is_recent = |second: i64| UtcMillis(second * 1000 + 999).plus_millis(offset_ms) >= oldest;
    let reported = record.and_then(reported_point).filter(|point| cursor.event_time != Some(point.event_time));
    let of_trail = trail.iter().map(|point| RecordedPoint {
        event_time: point.at,
        received_at: None,
        coordinate: point.coordinate,
        bearing: None,
        speed_mps: None,
        quality: Quality::default(),
        from: PointFrom::Trail,
    });
    let known = reported.as_ref().map(second_of);
    let of_trail = of_trail.filter(|point| Some(second_of(point)) != known);
    let mut all: Vec<RecordedPoint> = of_trail.chain(reported.clone()).collect();
    all.retain(|point| is_new(second_of(point)) && is_recent(second_of(point)));
    all.sort_by_key(second_of);
    all
}

fn reported_point(record: &VehicleRecord) -> Option<RecordedPoint> {
    let event_time = record.position_event_time.unwrap_or(record.event_time);
    Some(RecordedPoint {
        event_time,
        // Of a position that came with an earlier message only the stamp is known.
        received_at: (event_time == record.event_time).then_some(record.received_at),
        coordinate: record.coordinate?,
        bearing: record.bearing,
        speed_mps: record.speed_mps,
        quality: record.quality,
        from: PointFrom::Report,
    })
}

#[cfg(test)]
mod tests;
