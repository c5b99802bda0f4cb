//! A recording read back for a report: line by line, bounded, and with everything said that is not in it.

use alert::AlertId;
use picture::Quality;
use publish::{Lack, LackKind, Recorded, RecordedPoint, RecordedVehicle, Recording};
use transit::{Coordinate, UtcMillis, VehicleKey};

use super::{
    folder::{Extent, Folder},
    line::{Head, Line},
};

/// Things not known that are listed of one recording; more are counted.
const LACKS_MAX: usize = 1_000;
/// Fewer points a vehicle tell nothing.
const POINTS_MIN: usize = 20;

/// What is on file of an alert, with about `points_max` points at most.
pub(super) fn recorded(folder: &Folder, id: &AlertId, points_max: usize) -> Recorded {
    let mut reading = Reading::new(points_max);
    match folder.read(id, &mut |line| reading.take(line)) {
        Ok(Some(extent)) => reading.finish(extent),
        Ok(None) => Recorded::Absent,
        Err(error) => {
            tracing::warn!(alert.id = %id, %error, "evidence cannot be read");
            Recorded::Unreadable
        }
    }
}

/// A recording being read.
struct Reading {
    points_max: usize,
    head: Option<Head>,
    place: Option<Coordinate>,
    ended_at: Option<UtcMillis>,
    vehicles: Vec<Way>,
    lacks: Vec<Lack>,
    lacks_left_out: u64,
    unreadable: u64,
}

impl Reading {
    fn new(points_max: usize) -> Self {
        Self {
            points_max,
            head: None,
            place: None,
            ended_at: None,
            vehicles: Vec::new(),
            lacks: Vec::new(),
            lacks_left_out: 0,
            unreadable: 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let Some(line) = Line::parse(bytes) else {
            self.unreadable += 1;
            return;
        };
        match line {
            Line::Evidence(head) => self.head = Some(head),
            Line::Vehicle(chosen) => {
                let most = self.head.as_ref().map_or(1, |head| head.vehicles_max.max(1));
                let points_max = (self.points_max / most).max(POINTS_MIN);
                let vehicle = RecordedVehicle {
                    key: chosen.key(),
                    why: chosen.why,
                    distance_m: chosen.distance_m,
                    points: Vec::new(),
                    recorded: 0,
                    doubtful: 0,
                    doubts: Quality::default(),
                };
                self.vehicles.push(Way { vehicle, points_max, stride: 1, newest: None });
            }
            Line::Place(spot) => {
                self.place = spot.coordinate();
                let unplaced = self.lacks.iter_mut().filter(|lack| lack.what == LackKind::NoPlace);
                unplaced.for_each(|lack| lack.until = Some(spot.at.0));
            }
            Line::Position(fix) => {
                let key: VehicleKey = fix.key();
                match (self.vehicles.iter_mut().find(|way| way.vehicle.key == key), fix.point()) {
                    (Some(way), Some(point)) => way.add(point),
                    _ => self.unreadable += 1,
                }
            }
            Line::Unknown(missing) if self.lacks.len() < LACKS_MAX => self.lacks.push(missing.lack()),
            Line::Unknown(_) => self.lacks_left_out += 1,
            Line::End { at } => self.ended_at = Some(at.0),
        }
    }

    fn finish(mut self, extent: Extent) -> Recorded {
        let Some(head) = self.head else { return Recorded::Unreadable };
        let mut lack = |count: u64, detail: &str| {
            if count > 0 {
                let detail = Some(detail.to_owned());
                self.lacks.push(Lack { count: Some(count), detail, ..Lack::of(LackKind::Unreadable) });
            }
        };
        lack(self.unreadable, "lines");
        lack(self.lacks_left_out, "further things that were not known");
        lack(u64::from(extent.too_long), "the file is too long, its end is left out");
        Recorded::Kept(Box::new(Recording {
            begun_at: head.begun_at.0,
            ended_at: self.ended_at,
            place: self.place,
            radius_m: head.radius_m,
            before_minutes: head.before_minutes,
            vehicles: self.vehicles.into_iter().map(Way::finish).collect(),
            lacks: self.lacks,
        }))
    }
}

/// A vehicle's points, every `stride`-th of them: when there are too many, every other one goes.
struct Way {
    vehicle: RecordedVehicle,
    points_max: usize,
    stride: u64,
    /// The newest, where it is not among those kept.
    newest: Option<RecordedPoint>,
}

impl Way {
    fn add(&mut self, point: RecordedPoint) {
        let vehicle = &mut self.vehicle;
        let mut doubts = point.doubts().peekable();
        vehicle.doubtful += u64::from(doubts.peek().is_some());
        doubts.for_each(|flag| vehicle.doubts.insert(flag));
        let number = vehicle.recorded;
        vehicle.recorded += 1;
        if !number.is_multiple_of(self.stride) {
            self.newest = Some(point);
            return;
        }
        self.newest = None;
        vehicle.points.push(point);
        if vehicle.points.len() > self.points_max {
            let mut keep = false;
            if vehicle.points.len().is_multiple_of(2) {
                self.newest = vehicle.points.last().cloned();
            }
            vehicle.points.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
        }
    }

    fn finish(mut self) -> RecordedVehicle {
        self.vehicle.points.extend(self.newest);
        self.vehicle
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use tempfile::TempDir;

    use super::*;

    fn id() -> AlertId {
        AlertId { date: 20_261_123, number: 417 }
    }

    const HEAD: &str = r#"{"row":"evidence","version":1,"alert_id":"20261123-417","rule":"EMG.PANIC","subject":"vehicle:22/800","status":"actual","raised_at":"2026-11-23T08:00:00.000Z","begun_at":"2026-11-23T08:00:01.000Z","radius_m":2000.0,"vehicles_max":2,"before_minutes":60,"after_minutes":30}
{"row":"vehicle","at":"2026-11-23T08:00:01.000Z","agency_id":"22","vehicle_id":"800","why":"subject"}
"#;

    fn position(second: usize) -> String {
        format!(
            "{{\"row\":\"position\",\"agency_id\":\"22\",\"vehicle_id\":\"800\",\"event_time\":\
             \"2026-11-23T08:{:02}:{:02}.000Z\",\"lat\":60.0,\"lon\":25.0,\"from\":\"trail\"}}\n",
            second / 60,
            second % 60
        )
    }

    fn read(text: &str, points_max: usize) -> Recorded {
        let place = TempDir::new().unwrap();
        let folder = Folder::beside(&place.path().join("journal.db"));
        assert_eq!(recorded(&folder, &id(), points_max), Recorded::Absent);
        folder.append(&id(), 0, text.as_bytes()).unwrap();
        recorded(&folder, &id(), points_max)
    }

    #[test]
    fn too_many_points_are_thinned_evenly_and_the_newest_stays() {
        let mut told = String::new();
        for count in [0, 1, 20, 21, 22, 40, 41, 100, 1_000] {
            let text: String = HEAD.to_owned() + &(0..count).map(position).collect::<String>();
            let recorded = read(&text, 40);
            let vehicle = &recorded.kept().unwrap().vehicles[0];
            let second = |p: &RecordedPoint| p.event_time.since(vehicle.points[0].event_time) / 1000;
            let last: Vec<i64> = vehicle.points.iter().rev().take(3).map(second).collect();
            told.push_str(&format!("{} of {}: .. {last:?}\n", vehicle.points.len(), vehicle.recorded));
        }
        expect![[r#"
            0 of 0: .. []
            1 of 1: .. [0]
            20 of 20: .. [19, 18, 17]
            11 of 21: .. [20, 18, 16]
            12 of 22: .. [21, 20, 18]
            21 of 40: .. [39, 38, 36]
            11 of 41: .. [40, 36, 32]
            14 of 100: .. [99, 96, 88]
            17 of 1000: .. [999, 960, 896]
        "#]]
        .assert_eq(&told);
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_the_rest_stands() {
        let torn = HEAD.to_owned() + "{\"row\":\"posi\n" + &position(1) + &position(2).replace("800", "801") + "{\"row";
        let recorded = read(&torn, 40);
        let kept = recorded.kept().unwrap();
        assert_eq!(kept.vehicles[0].points.len(), 1);
        assert_eq!((kept.lacks[0].what, kept.lacks[0].count), (LackKind::Unreadable, Some(2)));
        assert_eq!(read("no head\n", 40), Recorded::Unreadable);
    }
}
