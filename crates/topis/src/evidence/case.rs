//! One alert's evidence: what is on file already, and what a round adds. Pure: a round makes text and the case as it is
//! once that text is on disk; who calls writes it.

use alert::{Alert, AlertId};
use impact::Index;
use picture::{TrailPoint, View};
use publish::{Lack, LackKind, RecordedFor};
use transit::{Now, UtcMillis, VehicleKey};

use super::{
    budget::{Budget, Worth},
    line::{Chosen, Fix, Head, Line, Missing, Spot, Stamp, VERSION},
    plan::{self, Cursor},
};
use crate::config::EvidenceConfig;

/// How often a case looks at its vehicles, on the clock that never jumps.
pub(super) const ROUND_MS: u64 = 15_000;

/// What a round sees.
pub(super) struct Scene<'a> {
    pub(super) now: Now,
    pub(super) view: &'a View,
    pub(super) index: &'a dyn Fn() -> &'a Index,
    pub(super) trail: &'a dyn Fn(&VehicleKey) -> Vec<TrailPoint>,
    pub(super) config: &'a EvidenceConfig,
}

/// A vehicle that is recorded.
#[derive(Debug, Clone, PartialEq)]
struct Watched {
    key: VehicleKey,
    why: RecordedFor,
    cursor: Cursor,
    /// What was last told not to be known of it.
    lack: Option<LackKind>,
    /// The record that was last looked at.
    revision: Option<u64>,
}

/// One alert's evidence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Case {
    pub(super) id: AlertId,
    /// Bytes on file that count.
    pub(super) len: u64,
    /// When it is looked at next, on the clock that never jumps.
    pub(super) due_mono_ms: u64,
    begun: bool,
    /// Those near are chosen.
    placed: bool,
    told_no_place: bool,
    told_left_out: bool,
    vehicles: Vec<Watched>,
    /// Points that the budget left no room for and that the file does not tell yet.
    dropped: u64,
    /// Nothing was recorded since then, and why.
    interrupted: Option<(UtcMillis, &'static str)>,
    newest_at: Option<UtcMillis>,
}

/// What a round made.
pub(super) struct Round {
    /// The case once `text` is on disk.
    pub(super) next: Case,
    /// The budget once it is.
    pub(super) budget: Budget,
    /// What to append.
    pub(super) text: Vec<u8>,
    /// Positions in it.
    pub(super) points: u64,
    /// Positions that the budget left no room for.
    pub(super) dropped: u64,
    /// Vehicles that were near and found no room.
    pub(super) left_out: u64,
    /// It was the last.
    pub(super) ended: bool,
}

impl Case {
    /// Of an alert without anything on file.
    pub(super) fn new(id: AlertId) -> Self {
        Self {
            id,
            len: 0,
            due_mono_ms: 0,
            begun: false,
            placed: false,
            told_no_place: false,
            told_left_out: false,
            vehicles: Vec::new(),
            dropped: 0,
            interrupted: None,
            newest_at: None,
        }
    }

    /// Takes a line that is on file, so that nothing is written twice.
    pub(super) fn resume(&mut self, line: &Line) {
        match line {
            Line::Evidence(head) => {
                self.begun = true;
                self.newest_at = Some(head.begun_at.0);
            }
            Line::Vehicle(chosen) => {
                self.newest_at = self.newest_at.max(Some(chosen.at.0));
                self.vehicles.push(Watched::new(chosen.key(), chosen.why));
            }
            Line::Place(spot) => {
                self.placed = true;
                self.newest_at = self.newest_at.max(Some(spot.at.0));
            }
            Line::Position(fix) => {
                let key = fix.key();
                if let (Some(watched), Some(point)) = (self.vehicles.iter_mut().find(|v| v.key == key), fix.point()) {
                    watched.cursor.pass(&point);
                    watched.lack = None;
                    self.newest_at = self.newest_at.max(point.received_at);
                }
            }
            Line::Unknown(missing) => self.resume_lack(missing),
            Line::End { at } => self.newest_at = self.newest_at.max(Some(at.0)),
        }
    }

    fn resume_lack(&mut self, missing: &Missing) {
        self.newest_at = self.newest_at.max(Some(missing.at.0));
        let lack = missing.clone().lack();
        self.told_no_place |= lack.what == LackKind::NoPlace;
        self.told_left_out |= lack.what == LackKind::VehiclesLeftOut;
        if let Some(watched) = lack.vehicle.and_then(|key| self.vehicles.iter_mut().find(|v| v.key == key)) {
            watched.lack = Some(lack.what);
        }
    }

    /// Nothing more is on file: it goes on at the next round, in which vehicles were heard again.
    pub(super) fn resumed(&mut self, now: Now) {
        if self.begun {
            self.due_mono_ms = now.mono_ms + ROUND_MS;
            self.interrupt("the service was not running", now.utc);
        }
    }

    /// Nothing could be recorded from the last round until the next that can.
    pub(super) fn interrupt(&mut self, why: &'static str, now: UtcMillis) {
        let since = self.newest_at.unwrap_or(now);
        self.interrupted.get_or_insert((since, why));
    }

    /// Looks at everything and writes what is new.
    pub(super) fn round(&self, alert: Option<&Alert>, scene: &Scene<'_>, budget: &Budget) -> Round {
        let mut sheet = Sheet {
            case: Self { due_mono_ms: scene.now.mono_ms + ROUND_MS, ..self.clone() },
            budget: budget.clone(),
            now: scene.now,
            text: Vec::new(),
            points: 0,
            dropped: 0,
            left_out: 0,
        };
        let over = alert.is_none_or(|alert| plan::is_over(alert, scene.now.utc, scene.config.after_minutes));
        if let Some(alert) = alert.filter(|_| self.begun || !over) {
            sheet.fill(alert, scene);
        }
        sheet.tell_dropped();
        let ended = over && (!sheet.case.begun || sheet.line(&Line::End { at: Stamp(scene.now.utc) }));
        if !sheet.text.is_empty() {
            sheet.case.newest_at = Some(scene.now.utc);
        }
        let Sheet { case: next, budget, text, points, dropped, left_out, .. } = sheet;
        Round { next, budget, text, points, dropped, left_out, ended }
    }
}

impl Watched {
    fn new(key: VehicleKey, why: RecordedFor) -> Self {
        Self { key, why, cursor: Cursor::default(), lack: None, revision: None }
    }

    fn worth(&self) -> Worth {
        match self.why {
            RecordedFor::Subject | RecordedFor::Member => Worth::Subject,
            RecordedFor::Near => Worth::Near,
        }
    }
}

/// A round being written.
struct Sheet {
    case: Case,
    budget: Budget,
    now: Now,
    text: Vec<u8>,
    points: u64,
    dropped: u64,
    left_out: u64,
}

impl Sheet {
    fn fill(&mut self, alert: &Alert, scene: &Scene<'_>) {
        if !self.begin(alert, scene.config) {
            return;
        }
        if let Some((since, why)) = self.case.interrupted {
            let (since, until, detail) = (Some(since), Some(self.now.utc), Some(why.to_owned()));
            if self.lack(Lack { since, until, detail, ..Lack::of(LackKind::NotRecorded) }) {
                self.case.interrupted = None;
            }
        }
        self.choose(alert, scene);
        let oldest = plan::oldest(alert, scene.config.before_minutes);
        for at in 0..self.case.vehicles.len() {
            let mut watched = self.case.vehicles[at].clone();
            self.follow(&mut watched, scene, oldest);
            self.case.vehicles[at] = watched;
        }
    }

    /// Writes the head, once.
    fn begin(&mut self, alert: &Alert, config: &EvidenceConfig) -> bool {
        if self.case.begun {
            return true;
        }
        let head = Head {
            version: VERSION,
            alert_id: alert.id.clone(),
            rule: alert.rule.clone(),
            subject: alert.subject.to_string(),
            status: alert.status,
            raised_at: Stamp(alert.raised_at),
            begun_at: Stamp(self.now.utc),
            radius_m: config.radius_m,
            vehicles_max: config.vehicles_max,
            before_minutes: config.before_minutes,
            after_minutes: config.after_minutes,
        };
        self.case.begun = self.line(&Line::Evidence(head));
        self.case.begun
    }

    /// Takes in who belongs to it: those it is about whenever they come, those near once, when there is a place.
    fn choose(&mut self, alert: &Alert, scene: &Scene<'_>) {
        let place = plan::place_of(alert, scene.view);
        let mut left_out = 0;
        for (key, why) in plan::concerned(alert) {
            if !self.knows(&key) {
                let there = scene.view.vehicles.get(&key).and_then(|record| plan::place_of_vehicle(record));
                let distance_m = place.zip(there).map(|(place, there)| place.distance(there).0);
                left_out += u64::from(!self.take_in(key, why, distance_m, scene.config));
            }
        }
        if self.case.placed {
            return self.tell_left_out(left_out);
        }
        let Some(place) = place else {
            if !self.case.told_no_place {
                self.case.told_no_place = self.lack(Lack { since: Some(self.now.utc), ..Lack::of(LackKind::NoPlace) });
            }
            return self.tell_left_out(left_out);
        };
        self.case.placed = self.line(&Line::Place(Spot::of(place, self.now.utc)));
        if !self.case.placed {
            return self.tell_left_out(left_out);
        }
        let heard_since = plan::oldest(alert, scene.config.before_minutes);
        let near = plan::near(place, scene.config.radius_m, (scene.index)(), &|key| self.knows(key), heard_since);
        for near in near {
            let (key, distance_m) = (near.vehicle.key.clone(), Some(near.distance_m));
            left_out += u64::from(!self.take_in(key, RecordedFor::Near, distance_m, scene.config));
        }
        self.tell_left_out(left_out);
    }

    fn knows(&self, key: &VehicleKey) -> bool {
        self.case.vehicles.iter().any(|watched| watched.key == *key)
    }

    /// False when there is no room.
    fn take_in(&mut self, key: VehicleKey, why: RecordedFor, distance_m: Option<f64>, config: &EvidenceConfig) -> bool {
        let watched = Watched::new(key, why);
        let chosen = Chosen {
            at: Stamp(self.now.utc),
            agency_id: watched.key.agency.clone(),
            vehicle_id: watched.key.vehicle.clone(),
            why,
            // A decimetre is finer than any fix.
            distance_m: distance_m.map(|metres| (metres * 10.0).round() / 10.0),
        };
        let taken = self.case.vehicles.len() < config.vehicles_max && self.line(&Line::Vehicle(chosen));
        if taken {
            self.case.vehicles.push(watched);
        }
        taken
    }

    fn tell_left_out(&mut self, count: u64) {
        if count > 0 && !self.case.told_left_out {
            self.left_out += count;
            let lack = Lack { count: Some(count), ..Lack::of(LackKind::VehiclesLeftOut) };
            self.case.told_left_out = self.lack(lack);
        }
    }

    /// Writes what is new of a vehicle, or that nothing is known.
    fn follow(&mut self, watched: &mut Watched, scene: &Scene<'_>, oldest: UtcMillis) {
        let record = scene.view.vehicles.get(&watched.key).map(|record| &**record);
        let revision = record.map(|record| record.revision);
        if revision.is_some() && revision == watched.revision {
            return;
        }
        let trail = if record.is_some() { (scene.trail)(&watched.key) } else { Vec::new() };
        for point in plan::newer(&trail, record, watched.cursor, oldest) {
            // What does not fit is gone: the file tells how many.
            watched.cursor.pass(&point);
            if self.write(&Line::Position(Fix::of(&watched.key, &point)), watched.worth()) {
                self.points += 1;
            } else {
                self.dropped += 1;
            }
        }
        watched.revision = revision;
        let lack = plan::lack_of(record, watched.cursor.last());
        let what = lack.map(|(what, _)| what);
        if what == watched.lack {
            return;
        }
        let told = lack.is_none_or(|(what, since)| {
            self.lack(Lack { vehicle: Some(watched.key.clone()), since, ..Lack::of(what) })
        });
        if told {
            watched.lack = what;
        }
    }

    fn tell_dropped(&mut self) {
        let count = self.case.dropped + self.dropped;
        let told = count > 0 && self.lack(Lack { count: Some(count), ..Lack::of(LackKind::PointsDropped) });
        self.case.dropped = if told { 0 } else { count };
    }

    fn lack(&mut self, lack: Lack) -> bool {
        self.line(&Line::Unknown(Missing::of(lack, self.now.utc)))
    }

    /// Writes a line of the alert itself.
    fn line(&mut self, line: &Line) -> bool {
        self.write(line, Worth::Subject)
    }

    fn write(&mut self, line: &Line, worth: Worth) -> bool {
        let bytes = line.to_bytes();
        let fits = self.budget.take(bytes.len() as u64, worth, self.now);
        if fits {
            self.text.extend(bytes);
        }
        fits
    }
}

#[cfg(test)]
mod tests;
