//! Evidence: where the vehicles around an emergency were, from an hour before until half an hour after, in a file an
//! alert beside the journal.
//!
//! A task of its own that follows the published snapshots. It holds no lock of the room and nobody waits for it: what
//! it cannot write it counts. Start at [`Recorder::run`]; which vehicles and which points is in `plan`, what a file
//! says in `line`, how it is read back in `reading`.

mod budget;
mod case;
mod folder;
mod line;
mod plan;
mod reading;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use alert::{Alert, AlertId};
use api::{EvidenceSource, Published, Snapshot};
use picture::Picture;
use publish::Recorded;
use tokio_util::sync::CancellationToken;
use transit::{Now, Status, VehicleKey};

use crate::{clock::Clock, config::EvidenceConfig};

use budget::Budget;
use case::{Case, Round, Scene};
pub(crate) use folder::Folder;
use line::Line;

/// How often it looks for new alerts.
const LOOK: Duration = Duration::from_secs(1);
/// Alerts recorded at a time; with more, the newest that are meant go first and the others wait for room.
const ALERTS_MAX: usize = 500;
/// How often old files are looked for, on the clock that never jumps.
const PRUNE_EVERY_MS: u64 = 3_600_000;
/// After a panic in here it rests for so long: a fault of its own must not become load.
const REST_MS: u64 = 60_000;

/// What the task needs, and what it is at.
pub(crate) struct Recorder {
    published: Arc<Published>,
    picture: Arc<Picture>,
    clock: Clock,
    config: EvidenceConfig,
    folder: Folder,
    keep_ms: i64,
    cases: BTreeMap<AlertId, Case>,
    budget: Budget,
    /// Revision of the alerts that were looked through; `None`: they have to be.
    looked_through: Option<u64>,
    /// The highest number of an alert that was counted as left out.
    left_out_through: u64,
    prune_due_ms: u64,
    rests_until_ms: u64,
    failing: bool,
}

/// What reports read from.
pub(crate) fn source(folder: Folder, enabled: bool) -> EvidenceSource {
    Arc::new(move |id, points_max| {
        let recorded = reading::recorded(&folder, id, points_max);
        if recorded == Recorded::Absent && !enabled { Recorded::Off } else { recorded }
    })
}

impl Recorder {
    /// Begins with what is on file.
    pub(crate) fn new(
        published: Arc<Published>,
        picture: Arc<Picture>,
        clock: Clock,
        config: EvidenceConfig,
        folder: Folder,
        keep_ms: i64,
    ) -> Self {
        Self {
            published,
            picture,
            clock,
            config,
            folder,
            keep_ms,
            cases: BTreeMap::new(),
            budget: Budget::new(config.bytes_per_hour),
            looked_through: None,
            left_out_through: 0,
            prune_due_ms: 0,
            rests_until_ms: 0,
            failing: false,
        }
    }

    /// Records until told to stop. Runs on a thread of its own, because it writes files; whatever goes wrong in here
    /// ends nothing else.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => {}
            }
            let now = self.clock.now();
            if now.mono_ms < self.rests_until_ms {
                continue;
            }
            if catch_unwind(AssertUnwindSafe(|| self.look(now))).is_err() {
                metrics::counter!("topis_evidence_panics_total").increment(1);
                tracing::error!("recording evidence panicked; it begins anew from its files");
                self.cases.clear();
                self.looked_through = None;
                self.rests_until_ms = now.mono_ms + REST_MS;
            }
        }
    }

    fn look(&mut self, now: Now) {
        let snapshot = self.published.load();
        if self.looked_through != Some(snapshot.revisions.alerts) {
            self.looked_through = Some(snapshot.revisions.alerts);
            self.find_new(&snapshot, now);
        }
        let due: Vec<AlertId> =
            self.cases.iter().filter(|(_, case)| case.due_mono_ms <= now.mono_ms).map(|(id, _)| id.clone()).collect();
        for id in due {
            if let Some(case) = self.cases.remove(&id)
                && let Some(case) = self.write(case, &snapshot, now)
            {
                self.cases.insert(id, case);
            }
        }
        metrics::gauge!("topis_evidence_alerts").set(self.cases.len() as f64);
        self.prune(now);
    }

    /// Begins, or goes on with, what is not being recorded yet.
    fn find_new(&mut self, snapshot: &Snapshot, now: Now) {
        let after = self.config.after_minutes;
        let is_new = |alert: &&Alert| {
            plan::is_wanted(alert, now.utc, after) && alert.durable && !self.cases.contains_key(&alert.id)
        };
        let mut new: Vec<&Alert> = snapshot.room.alerts().map(|alert| &**alert).filter(is_new).collect();
        new.sort_by_key(|alert| (alert.status != Status::Actual, std::cmp::Reverse(alert.id.number)));
        let room = ALERTS_MAX.saturating_sub(self.cases.len());
        let left_out = new.split_off(room.min(new.len()));
        for alert in new {
            let case = self.open(&alert.id, now);
            self.cases.insert(alert.id.clone(), case);
        }
        let known = self.left_out_through;
        let counted = left_out.iter().filter(|alert| alert.id.number > known).count();
        metrics::counter!("topis_evidence_dropped_total", "reason" => "alerts").increment(counted as u64);
        self.left_out_through = left_out.iter().map(|alert| alert.id.number).max().unwrap_or(0).max(known);
    }

    /// As far as its file goes.
    fn open(&self, id: &AlertId, now: Now) -> Case {
        let mut case = Case::new(id.clone());
        match self.folder.read(id, &mut |bytes| Line::parse(bytes).iter().for_each(|line| case.resume(line))) {
            Ok(Some(extent)) => {
                case.len = extent.whole;
                case.resumed(now);
            }
            Ok(None) => {}
            // Appending will say so again, and count it.
            Err(error) => tracing::warn!(alert.id = %id, %error, "evidence cannot be read"),
        }
        case
    }

    /// A round of one alert; `None` when it was the last.
    fn write(&mut self, case: Case, snapshot: &Snapshot, now: Now) -> Option<Case> {
        let trail = |key: &VehicleKey| self.picture.trail(key).unwrap_or_default();
        let index = || snapshot.placed();
        let scene = Scene { now, view: &snapshot.view, index: &index, trail: &trail, config: &self.config };
        let alert = snapshot.room.find_alert(&case.id).map(|alert| &**alert);
        let Round { mut next, budget, text, points, dropped, left_out, ended } =
            case.round(alert, &scene, &self.budget);
        if !text.is_empty() {
            match self.folder.append(&case.id, case.len, &text) {
                Ok(len) => next.len = len,
                Err(error) => return Some(self.refused(case, &error, now)),
            }
        }
        self.fails(false);
        self.budget = budget;
        metrics::counter!("topis_evidence_bytes_total").increment(text.len() as u64);
        metrics::counter!("topis_evidence_points_total").increment(points);
        metrics::counter!("topis_evidence_dropped_total", "reason" => "budget").increment(dropped);
        metrics::counter!("topis_evidence_dropped_total", "reason" => "vehicles").increment(left_out);
        if ended {
            // There may be room for one that waits.
            self.looked_through = None;
            return None;
        }
        Some(next)
    }

    /// The disk did not take a round: the case stays as it was, and the next round tries with all that is new by then.
    fn refused(&mut self, mut case: Case, error: &std::io::Error, now: Now) -> Case {
        metrics::counter!("topis_evidence_failures_total").increment(1);
        if !self.failing {
            tracing::warn!(alert.id = %case.id, %error, "evidence cannot be written");
        }
        self.fails(true);
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            // What is no longer on file is written anew, as far back as trails go.
            return self.open(&case.id, now);
        }
        case.interrupt("the disk refused; ways go on as far back as trails do", now.utc);
        case.due_mono_ms = now.mono_ms + case::ROUND_MS;
        case
    }

    fn fails(&mut self, fails: bool) {
        self.failing = fails;
        metrics::gauge!("topis_evidence_failing").set(if fails { 1.0 } else { 0.0 });
    }

    fn prune(&mut self, now: Now) {
        if now.mono_ms < self.prune_due_ms {
            return;
        }
        self.prune_due_ms = now.mono_ms + PRUNE_EVERY_MS;
        match self.folder.prune(now.utc.plus_millis(-self.keep_ms), &|id| self.cases.contains_key(id)) {
            Ok(0) => {}
            Ok(removed) => tracing::info!(evidence.removed = removed, "old evidence is removed"),
            Err(error) => tracing::warn!(%error, "old evidence is not removed"),
        }
    }
}
