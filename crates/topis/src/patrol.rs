//! The patrol's task: looks at the published picture once a second, hands what began and ended to the room's owner, and
//! shows what is merely out of order.

use std::{sync::Arc, time::Duration};

use alert::{Alert, AlertOrigin, Finding, IncidentPhase};
use api::Published;
use detect::{AccountedFor, OpenAlert, Patrol, Rulebook, Scene};
use impact::{Area, ArmedAreas};
use picture::{Picture, TrailPoint};
use room::ControlRoom;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use transit::{Now, VehicleKey};

use crate::{board::Board, clock::Clock, health::FeedLinks};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);

/// What the task needs.
pub(crate) struct PatrolTask {
    pub(crate) patrol: Patrol,
    pub(crate) published: Arc<Published>,
    pub(crate) board: Arc<Board>,
    pub(crate) picture: Arc<Picture>,
    pub(crate) links: FeedLinks,
    pub(crate) findings: mpsc::Sender<Vec<Finding>>,
    pub(crate) depots: Vec<Area>,
    pub(crate) areas: ArmedAreas,
    pub(crate) clock: Clock,
    pub(crate) started: Now,
}

/// A patrol that knows which of its alerts are open, so that they can end.
pub(crate) fn resumed(rules: Rulebook, room: &ControlRoom) -> Patrol {
    let open = room.alerts().filter(|alert| alert.is_open() && alert.origin == AlertOrigin::Detector);
    let known = open.map(|alert| OpenAlert {
        rule: alert.rule.clone(),
        subject: alert.subject.clone(),
        status: alert.status,
        priority: alert.priority,
        members: alert.evidence.as_ref().map(|evidence| evidence.members.clone()).unwrap_or_default(),
        figures: alert.evidence.as_ref().map(|evidence| evidence.figures.clone()).unwrap_or_default(),
    });
    Patrol::new(rules, known.collect::<Vec<_>>())
}

/// Whom persons accounted for, of those that the alert missed.
fn accounted_of(alert: &Alert) -> impl Iterator<Item = AccountedFor> {
    alert.accounted.iter().map(|known| AccountedFor {
        about: alert.subject.clone(),
        status: alert.status,
        member: known.member.clone(),
        at: known.at,
    })
}

impl PatrolTask {
    /// Looks until told to stop. Runs on a thread of its own, because a look is work.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut looks = tokio::time::interval(self.clock.pause(LOOK));
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => {}
            }
            let findings = self.look();
            if findings.is_empty() {
                continue;
            }
            // A finding is told once and must not be lost: while the owner cannot take it, the patrol waits.
            tokio::select! {
                () = stop.cancelled() => return,
                sent = self.findings.send(findings) => if sent.is_err() { return },
            }
        }
    }

    fn look(&mut self) -> Vec<Finding> {
        let snapshot = self.published.load();
        let now = self.clock.now();
        // The snapshot knows its wall time alone; its age on the clock that never jumps is the same.
        let age_ms = u64::try_from(now.utc.since(snapshot.as_of)).unwrap_or(0);
        let as_of = Now { utc: snapshot.as_of, mono_ms: now.mono_ms.saturating_sub(age_ms) };
        let open = |incident: &&Arc<alert::Incident>| incident.phase == IncidentPhase::Active;
        let incidents: Vec<_> = snapshot.room.incidents().filter(open).cloned().collect();
        let accounted: Vec<AccountedFor> = snapshot.room.accounting().flat_map(|alert| accounted_of(alert)).collect();
        let links = self.links.look(now);
        let emergency = self.links.look_at_emergency(now);
        let trail = |key: &VehicleKey| -> Vec<TrailPoint> { self.picture.trail(key).unwrap_or_default() };
        let round = self.patrol.step(&Scene {
            now,
            started: self.started,
            as_of,
            view: &snapshot.view,
            feeds: &snapshot.feeds,
            links: &links,
            emergency: emergency.as_ref(),
            incidents: &incidents,
            areas: self.areas.follow(&incidents),
            accounted: &accounted,
            open: Some(&|rule, subject, status| snapshot.room.is_open(rule, subject, status)),
            depots: &self.depots,
            trail: Some(&trail),
        });
        for broken in &round.broken {
            metrics::counter!("topis_rule_panics_total", "rule" => broken.rule).increment(1);
            tracing::error!(rule = broken.rule, count = broken.count, message = %broken.message, "a rule panicked");
        }
        if round.exceptions_changed {
            self.board.post_exceptions(round.exceptions, now);
        }
        round.findings
    }
}
