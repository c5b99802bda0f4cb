//! The round that looks at everything once a second: runs the rules, keeps what stands, tells what began and ended.
//!
//! Owns all that detection remembers between looks. A rule that panics is contained, counted and told.

use std::{
    any::Any,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use alert::{Evidence, Finding, FindingVerdict, Priority, Subject};
use transit::{FeedId, Now, Status, UtcMillis};

use crate::{
    judgement::{Judgement, Judgements, Verdict},
    registry::{Annunciate, Habits},
    rulebook::{ConfiguredRule, Rulebook},
    scene::Scene,
    standing::{Raised, Standing, Step},
    survey::{Survey, is_blind},
};

/// Readers of a picture older than this read about the past; rules judge nothing by it, in milliseconds.
const PICTURE_AGE_MAX_MS: u64 = 5_000;

/// What was told is open in the room after so many looks at the latest, however busy the room is.
const LOOKS_UNTIL_OPEN: u64 = 60;

/// The state of detection.
#[derive(Debug)]
pub struct Patrol {
    rules: Rulebook,
    /// What stands, a map a rule.
    standing: Vec<BTreeMap<Subject, Standing>>,
    exceptions: Vec<BTreeMap<Subject, Arc<Exception>>>,
    /// When a feed was last blind, on the monotonic clock.
    blind_until: BTreeMap<FeedId, u64>,
    broken: BTreeMap<&'static str, BrokenRule>,
    look: u64,
}

/// An alert of a rule that was open when the process began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAlert {
    /// The rule's code.
    pub rule: String,
    /// What it is about.
    pub subject: Subject,
    /// Meant, or a drill.
    pub status: Status,
    /// As told.
    pub priority: Priority,
    /// As told.
    pub members: Vec<Subject>,
    /// As told.
    pub figures: BTreeMap<String, String>,
}

/// What one look brought.
#[derive(Debug, Clone, Default)]
pub struct Round {
    /// What began, changed and ended, of conditions that are alerts. Each is told once: whoever takes them must not
    /// lose one.
    pub findings: Vec<Finding>,
    /// All that is out of order now but needs no owner, by rule and subject.
    pub exceptions: Vec<Arc<Exception>>,
    /// The list of exceptions differs from that of the last round.
    pub exceptions_changed: bool,
    /// Rules that panicked at this look.
    pub broken: Vec<BrokenRule>,
}

/// One condition that is out of order but needs no owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Exception {
    /// Stable while it lasts: rule and subject.
    pub id: String,
    /// The rule's code.
    pub rule: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// How bad, as an alert would be.
    pub priority: Priority,
    /// Since when it holds.
    pub since: UtcMillis,
    /// What it rests on, as of when it was told.
    pub evidence: Evidence,
    /// The feed it concerns.
    pub feed: Option<FeedId>,
    /// The vehicles it concerns.
    pub vehicles: Vec<transit::VehicleKey>,
}

/// A rule that panicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRule {
    /// Its code.
    pub rule: &'static str,
    /// How often since start.
    pub count: u64,
    /// Last at.
    pub last: Now,
    /// What it said.
    pub message: String,
}

impl Patrol {
    /// A patrol by these rules; `open` are the rule alerts that are open, so that they can end.
    pub fn new(rules: Rulebook, open: impl IntoIterator<Item = OpenAlert>) -> Self {
        let mut standing = vec![BTreeMap::new(); rules.rules.len()];
        for alert in open {
            if let Some(at) = rules.rules.iter().position(|r| r.def.code == alert.rule && r.status == alert.status) {
                standing[at].insert(alert.subject, Standing::resumed(alert.priority, alert.members, alert.figures));
            }
        }
        let exceptions = vec![BTreeMap::new(); rules.rules.len()];
        Self { rules, standing, exceptions, blind_until: BTreeMap::new(), broken: BTreeMap::new(), look: 0 }
    }

    /// Looks at everything once. To be called about once a second.
    pub fn step(&mut self, scene: &Scene<'_>) -> Round {
        self.look += 1;
        self.note_blind_feeds(scene);
        self.note_what_people_ended(scene);
        let broken_before = self.broken.clone();
        let mut survey = Survey::of(scene, &self.blind_until, &broken_before);
        let still = scene.now.mono_ms.saturating_sub(scene.as_of.mono_ms) > PICTURE_AGE_MAX_MS;
        let mut round = Round::default();
        for at in 0..self.rules.rules.len() {
            let configured = &self.rules.rules[at];
            if still && !configured.rule.judges_a_still_picture() {
                continue;
            }
            let is_partial = configured.def.code == crate::rules::FEED_PARTIAL;
            if is_partial {
                // Until they are judged, those of the look before.
                survey.missing_scopes = raised_subjects(&self.standing[at]);
            }
            match examine(configured, &survey, &self.standing[at]) {
                Ok(judgements) => self.settle(at, judgements, &survey, &mut round),
                Err(message) => self.note_broken(at, message, scene.now, &mut round),
            }
            if is_partial {
                survey.missing_scopes = raised_subjects(&self.standing[at]);
            }
        }
        round.exceptions = self.exceptions.iter().flat_map(BTreeMap::values).cloned().collect();
        round
    }

    /// Rules that panicked since start.
    pub fn broken(&self) -> impl Iterator<Item = &BrokenRule> {
        self.broken.values()
    }

    /// An alert that a person ended although its condition stood is told anew where it still holds, and forgotten where
    /// that is not seen.
    fn note_what_people_ended(&mut self, scene: &Scene<'_>) {
        let Some(is_open) = scene.open else { return };
        for (configured, standing) in self.rules.rules.iter().zip(&mut self.standing) {
            for (subject, entry) in standing {
                let Some(raised) = &mut entry.raised else { continue };
                let settled = raised.is_alert && !raised.untold && self.look > raised.told_at + LOOKS_UNTIL_OPEN;
                raised.untold |= settled && !is_open(configured.def.code, subject, configured.status);
            }
        }
    }

    fn note_blind_feeds(&mut self, scene: &Scene<'_>) {
        for (id, record) in scene.feeds {
            if is_blind(record.condition) {
                self.blind_until.insert(id.clone(), scene.now.mono_ms);
            }
        }
    }

    fn note_broken(&mut self, at: usize, message: String, now: Now, round: &mut Round) {
        let rule = self.rules.rules[at].def.code;
        let count = self.broken.get(rule).map_or(0, |b| b.count) + 1;
        let broken = BrokenRule { rule, count, last: now, message };
        self.broken.insert(rule, broken.clone());
        round.broken.push(broken);
    }

    /// Brings what stands in line with the judgements of this look.
    fn settle(&mut self, at: usize, judgements: Vec<Judgement>, survey: &Survey<'_>, round: &mut Round) {
        let configured = &self.rules.rules[at];
        let (standing, exceptions) = (&mut self.standing[at], &mut self.exceptions[at]);
        let look = self.look;
        for judgement in judgements {
            let entry = match standing.get_mut(&judgement.subject) {
                Some(entry) => entry,
                None => standing.entry(judgement.subject.clone()).or_default(),
            };
            entry.look = look;
            let step = entry.take(&judgement, &configured.habits, survey.now());
            if !tell(configured, &judgement, step, entry, survey, exceptions, round) {
                standing.remove(&judgement.subject);
            }
        }
        standing.retain(|subject, entry| {
            // What holds was told anew by now. Of the rest a person said that it is over: it hides nothing any more.
            if entry.raised.as_ref().is_some_and(|raised| raised.untold) {
                return false;
            }
            if entry.look == look {
                return true;
            }
            entry.skip();
            let Some(raised) = &entry.raised else { return false };
            // An exception of a vehicle that the picture has forgotten is of nobody any more.
            let gone = subject.vehicle().is_some_and(|key| !survey.scene.view.vehicles.contains_key(key));
            if gone && !raised.is_alert {
                exceptions.remove(subject);
                round.exceptions_changed = true;
                return false;
            }
            true
        });
    }
}

/// Runs one rule; a panic is an answer too.
fn examine(
    configured: &ConfiguredRule,
    survey: &Survey<'_>,
    standing: &BTreeMap<Subject, Standing>,
) -> Result<Vec<Judgement>, String> {
    // What the rule looks at is read-only, so that nothing is left half-written.
    catch_unwind(AssertUnwindSafe(|| {
        let mut out = Judgements::new(configured.status, standing);
        configured.rule.examine(survey, &mut out);
        out.list
    }))
    .map_err(|panic| words_of(panic.as_ref()))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panicked".to_owned())
}

fn raised_subjects(standing: &BTreeMap<Subject, Standing>) -> Vec<Subject> {
    standing.iter().filter(|(_, s)| s.raised.is_some()).map(|(subject, _)| subject.clone()).collect()
}

/// Tells what a step did; says whether the condition is to be kept.
fn tell(
    configured: &ConfiguredRule,
    judgement: &Judgement,
    step: Step,
    entry: &mut Standing,
    survey: &Survey<'_>,
    exceptions: &mut BTreeMap<Subject, Arc<Exception>>,
    round: &mut Round,
) -> bool {
    match (step, &judgement.verdict) {
        (Step::Nothing, _) => true,
        (Step::Forget, _) => false,
        (Step::Raise { since, onset_mono_ms }, Verdict::Raised { priority, evidence, members }) => {
            let is_alert = is_alert(&configured.habits, &judgement.subject, survey);
            let members = members.clone().unwrap_or_default();
            entry.raised = Some(Raised {
                onset_mono_ms,
                last_held_mono_ms: survey.now().mono_ms,
                priority: *priority,
                members,
                is_alert,
                told_at: entry.look,
                untold: false,
                told_before: None,
            });
            let evidence = evidence.clone().unwrap_or_default();
            if is_alert {
                round.findings.push(finding(
                    configured,
                    judgement,
                    FindingVerdict::Raised,
                    *priority,
                    evidence,
                    survey,
                ));
            } else {
                list(
                    exception(configured, judgement, *priority, since, evidence, survey),
                    configured,
                    exceptions,
                    round,
                );
            }
            true
        }
        (Step::Change, Verdict::Raised { priority, evidence, members }) => {
            let Some(raised) = &mut entry.raised else { return true };
            raised.priority = raised.priority.min(*priority);
            raised.tell_again(entry.look);
            if let Some(members) = members {
                raised.members.clone_from(members);
            }
            let (priority, evidence) = (raised.priority, evidence.clone().unwrap_or_default());
            if raised.is_alert {
                round.findings.push(finding(configured, judgement, FindingVerdict::Raised, priority, evidence, survey));
            } else if let Some(told) = exceptions.get(&judgement.subject) {
                let since = told.since;
                list(
                    exception(configured, judgement, priority, since, evidence, survey),
                    configured,
                    exceptions,
                    round,
                );
            }
            true
        }
        (Step::Clear, _) => {
            let Some(raised) = &entry.raised else { return false };
            if raised.is_alert {
                let told = raised.priority;
                let verdict = FindingVerdict::Cleared;
                round.findings.push(finding(configured, judgement, verdict, told, Evidence::default(), survey));
            }
            round.exceptions_changed |= exceptions.remove(&judgement.subject).is_some();
            false
        }
        (Step::Raise { .. } | Step::Change, Verdict::Cleared) => true,
    }
}

/// Lists an exception. One of a drill is nothing out of order.
fn list(
    exception: Exception,
    configured: &ConfiguredRule,
    exceptions: &mut BTreeMap<Subject, Arc<Exception>>,
    round: &mut Round,
) {
    if configured.status == Status::Actual {
        exceptions.insert(exception.subject.clone(), Arc::new(exception));
        round.exceptions_changed = true;
    }
}

fn is_alert(habits: &Habits, subject: &Subject, survey: &Survey<'_>) -> bool {
    if habits.annunciate == Annunciate::Alert {
        return true;
    }
    let vehicle = subject.vehicle().and_then(|key| survey.scene.view.vehicles.get(key));
    vehicle.is_some_and(|v| {
        let by_route = v.journey.route_id.as_ref().is_some_and(|route| habits.promote_routes.contains(route));
        by_route || habits.promote_modes.contains(&v.mode)
    })
}

fn finding(
    configured: &ConfiguredRule,
    judgement: &Judgement,
    verdict: FindingVerdict,
    priority: Priority,
    evidence: Evidence,
    survey: &Survey<'_>,
) -> Finding {
    let def = configured.def;
    Finding {
        rule: def.code.to_owned(),
        subject: judgement.subject.clone(),
        status: configured.status,
        verdict,
        class: def.class,
        priority,
        latched: false,
        evidence,
        parents: (def.parents)(survey, &judgement.subject),
    }
}

fn exception(
    configured: &ConfiguredRule,
    judgement: &Judgement,
    priority: Priority,
    since: UtcMillis,
    evidence: Evidence,
    survey: &Survey<'_>,
) -> Exception {
    let subject = &judgement.subject;
    let rule = configured.def.code;
    let of_vehicle = subject.vehicle().and_then(|key| survey.scene.view.vehicles.get(key)).map(|v| v.feed.clone());
    let of_feed = if let Subject::Feed { feed, .. } = subject { Some(feed.clone()) } else { None };
    let vehicles = subject.vehicle().into_iter().chain(evidence.members.iter().filter_map(Subject::vehicle));
    Exception {
        id: format!("{rule}:{subject}"),
        rule,
        subject: subject.clone(),
        priority,
        since,
        feed: of_vehicle.or(of_feed),
        vehicles: vehicles.cloned().collect(),
        evidence,
    }
}
