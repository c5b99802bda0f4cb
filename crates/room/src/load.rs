//! The load on operators: how many alerts sound at a desk, how fast they are taken.
//!
//! Follows from the alerts as they change; is no part of the record. Figures after EEMUA 191 and IEC 62682. Drills and
//! tests are not counted.

use std::{collections::BTreeMap, sync::Arc};

use alert::{Alert, AlertCondition, AlertId, Priority};
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use transit::{Status, UtcMillis};

use crate::{Desk, indexes::agency_of};

/// The desk that counts everything.
pub const EVERYWHERE: &str = "all";

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Soundings and answers remembered at most for each desk; beyond it the oldest go, and figures say less than is true.
const KEPT_MAX: usize = 20_000;
/// A flood begins with so many in ten minutes and ends below half of it.
const FLOOD_STARTS: usize = 10;
const FLOOD_ENDS: usize = 5;

/// One alert that sounded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sounding {
    at: UtcMillis,
    rule: String,
    priority: Priority,
}

/// One alert that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Answer {
    at: UtcMillis,
    priority: Priority,
    after_ms: i64,
}

/// What one desk heard and did within a day.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Log {
    soundings: Vector<Sounding>,
    raises: Vector<UtcMillis>,
    answers: Vector<Answer>,
    chattering: u64,
    expired_unacknowledged: u64,
}

/// What all desks heard and did within a day.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Load {
    desks: OrdMap<String, Log>,
}

/// The figures of one desk. Shares are 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeskLoad {
    /// The desk; `all` counts everything.
    pub desk: String,
    /// Sounded in the last ten minutes.
    pub last_10_min: usize,
    /// Sounded in the last hour.
    pub last_hour: usize,
    /// Sounded in the last day.
    pub last_day: usize,
    /// Sounded in ten minutes, on average over the last day.
    pub average_10_min: f64,
    /// Most in one minute of the last day.
    pub peak_minute: usize,
    /// Most in one hour of the last day.
    pub peak_hour: usize,
    /// Ten-minute periods of the last day with more than ten.
    pub periods_over_10: usize,
    /// Hours of the last day with more than thirty.
    pub hours_over_30: usize,
    /// A flood goes on: ten in ten minutes, until fewer than five.
    pub flood: bool,
    /// Share of the last day in flood.
    pub flood_share: f64,
    /// Raised in the last ten minutes, what never sounded included.
    pub raised_10_min: usize,
    /// Raised in the last hour.
    pub raised_hour: usize,
    /// Raised in the last day.
    pub raised_day: usize,
    /// Most raised in one minute of the last day.
    pub raised_peak_minute: usize,
    /// The ten rules that sounded most in the last day, most first.
    pub top_rules: Vec<(String, usize)>,
    /// Their share.
    pub top_rules_share: f64,
    /// Sounded in the last day by priority, P1 first.
    pub by_priority: [usize; 4],
    /// Milliseconds from sounding to taking in the last day: half were faster.
    pub ack_p50_ms: Option<i64>,
    /// Nineteen of twenty were faster.
    pub ack_p95_ms: Option<i64>,
    /// The same half by priority, P1 first.
    pub ack_p50_by_priority_ms: [Option<i64>; 4],
    /// Times an alert began to chatter.
    pub chattering: u64,
    /// Alerts whose time passed with nobody having taken them.
    pub expired_unacknowledged: u64,
    /// Active for more than a day.
    pub stale: usize,
    /// On the shelf now.
    pub shelved: usize,
    /// Open now and on the list, by priority, P1 first.
    pub standing: [usize; 4],
    /// Of them, those that nobody has.
    pub unacknowledged: [usize; 4],
}

fn push<T: Clone>(kept: &mut Vector<T>, value: T, at: UtcMillis, time: impl Fn(&T) -> UtcMillis) {
    kept.push_back(value);
    while kept.len() > KEPT_MAX || kept.front().is_some_and(|first| at.since(time(first)) > DAY_MS) {
        kept.pop_front();
    }
}

fn desks_of<'a>(desks: &'a [Desk], alert: &'a Alert) -> impl Iterator<Item = &'a str> {
    let covering = desks.iter().filter(|desk| desk.covers(alert)).map(|desk| desk.name.as_str());
    std::iter::once(EVERYWHERE).chain(covering)
}

impl Desk {
    /// Whether `alert` sounds at this desk.
    pub fn covers(&self, alert: &Alert) -> bool {
        let agency = agency_of(&alert.subject);
        let of_agency = self.agencies.is_empty() || agency.is_some_and(|a| self.agencies.iter().any(|d| d == a));
        let of_rule = self.rules.is_empty() || self.rules.iter().any(|head| alert.rule.starts_with(head.as_str()));
        of_agency && of_rule
    }
}

impl Load {
    /// Notes what changed about an alert.
    pub(crate) fn note(&mut self, desks: &[Desk], before: Option<&Alert>, after: &Alert) {
        if after.status != Status::Actual {
            return;
        }
        let sounded = after.annunciations > before.map_or(0, |alert| alert.annunciations);
        let taken = after.acknowledgement.as_ref().filter(|_| before.is_some_and(|alert| !alert.acknowledged()));
        let chatters = after.flap.held() && before.is_some_and(|alert| !alert.flap.held());
        let expired = before.is_some_and(Alert::is_open)
            && after.closing.as_ref().is_some_and(|c| c.reason == alert::CloseReason::Expired)
            && !after.acknowledged();
        if before.is_some() && !sounded && taken.is_none() && !chatters && !expired {
            return;
        }
        for desk in desks_of(desks, after) {
            let log = self.desks.entry(desk.to_owned()).or_default();
            if before.is_none() {
                push(&mut log.raises, after.raised_at, after.raised_at, |at| *at);
            }
            if sounded {
                let (at, rule, priority) = (after.annunciated_at, after.rule.clone(), after.priority);
                push(&mut log.soundings, Sounding { at, rule, priority }, at, |s| s.at);
            }
            if let Some(taken) = taken {
                let after_ms = taken.at.since(after.annunciated_at).max(0);
                let answer = Answer { at: taken.at, priority: after.priority, after_ms };
                push(&mut log.answers, answer, taken.at, |a| a.at);
            }
            log.chattering += u64::from(chatters);
            log.expired_unacknowledged += u64::from(expired);
        }
    }

    /// The figures of every desk at `now`, given the kept alerts.
    pub(crate) fn figures(
        &self,
        desks: &[Desk],
        alerts: &OrdMap<AlertId, Arc<Alert>>,
        now: UtcMillis,
    ) -> Vec<DeskLoad> {
        let names = std::iter::once(None).chain(desks.iter().map(Some));
        names
            .map(|desk| {
                let is_here = |alert: &&Arc<Alert>| {
                    alert.is_open() && alert.status == Status::Actual && desk.is_none_or(|desk| desk.covers(alert))
                };
                let here: Vec<&Arc<Alert>> = alerts.values().filter(is_here).collect();
                let is_stale = |alert: &&&Arc<Alert>| {
                    alert.condition == AlertCondition::Active && now.since(alert.raised_at) > DAY_MS
                };
                let stale = here.iter().filter(is_stale).count();
                let shelved = here.iter().filter(|alert| alert.silence.shelf.is_some()).count();
                let name = desk.map_or(EVERYWHERE, |desk| desk.name.as_str());
                let empty = Log::default();
                let figures = self.desks.get(name).unwrap_or(&empty).figures(name, now);
                let listed = |alert: &&&Arc<Alert>| alert.silence.is_none();
                let standing = by_priority(here.iter().filter(listed));
                let unacknowledged = by_priority(here.iter().filter(listed).filter(|alert| !alert.acknowledged()));
                DeskLoad { stale, shelved, standing, unacknowledged, ..figures }
            })
            .collect()
    }

    pub(crate) fn to_parts(&self) -> LoadParts {
        self.desks.iter().map(|(name, log)| (name.clone(), log.clone())).collect()
    }

    pub(crate) fn from_parts(parts: LoadParts) -> Self {
        Self { desks: parts.into_iter().collect() }
    }
}

/// The load as it is written into a snapshot.
pub(crate) type LoadParts = Vec<(String, Log)>;

impl Log {
    fn figures(&self, desk: &str, now: UtcMillis) -> DeskLoad {
        let day: Vec<&Sounding> = self.soundings.iter().filter(|s| within(s.at, now, DAY_MS)).collect();
        let times: Vec<UtcMillis> = day.iter().map(|s| s.at).collect();
        let last = |span| times.iter().filter(|at| within(**at, now, span)).count();
        let mut by_rule: BTreeMap<&str, usize> = BTreeMap::new();
        let mut by_priority = [0; 4];
        for sounding in &day {
            *by_rule.entry(&sounding.rule).or_default() += 1;
            by_priority[sounding.priority as usize] += 1;
        }
        let mut top_rules: Vec<(String, usize)> = by_rule.iter().map(|(rule, n)| ((*rule).to_owned(), *n)).collect();
        top_rules.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        top_rules.truncate(10);
        let top: usize = top_rules.iter().map(|(_, n)| n).sum();
        let counts = |span| counts_by_span(&times, span);
        let raises: Vec<UtcMillis> = self.raises.iter().filter(|at| within(**at, now, DAY_MS)).copied().collect();
        let raised = |span| raises.iter().filter(|at| within(**at, now, span)).count();
        let answers: Vec<&Answer> = self.answers.iter().filter(|a| within(a.at, now, DAY_MS)).collect();
        let waits = |priority: Option<Priority>| {
            let of = answers.iter().filter(|a| priority.is_none_or(|p| a.priority == p)).map(|a| a.after_ms);
            let mut waits: Vec<i64> = of.collect();
            waits.sort_unstable();
            waits
        };
        let (flood, flood_ms) = flood(&times, now);
        let priorities = [Priority::P1, Priority::P2, Priority::P3, Priority::P4];
        DeskLoad {
            desk: desk.to_owned(),
            last_10_min: last(10 * MINUTE_MS),
            last_hour: last(HOUR_MS),
            last_day: day.len(),
            average_10_min: share(day.len(), 144),
            peak_minute: counts(MINUTE_MS).into_values().max().unwrap_or(0),
            peak_hour: counts(HOUR_MS).into_values().max().unwrap_or(0),
            periods_over_10: counts(10 * MINUTE_MS).into_values().filter(|n| *n > 10).count(),
            hours_over_30: counts(HOUR_MS).into_values().filter(|n| *n > 30).count(),
            flood,
            flood_share: share(usize::try_from(flood_ms).unwrap_or(0), usize::try_from(DAY_MS).unwrap_or(1)),
            raised_10_min: raised(10 * MINUTE_MS),
            raised_hour: raised(HOUR_MS),
            raised_day: raises.len(),
            raised_peak_minute: counts_by_span(&raises, MINUTE_MS).into_values().max().unwrap_or(0),
            top_rules_share: share(top, day.len()),
            top_rules,
            by_priority,
            ack_p50_ms: quantile(&waits(None), 50),
            ack_p95_ms: quantile(&waits(None), 95),
            ack_p50_by_priority_ms: priorities.map(|priority| quantile(&waits(Some(priority)), 50)),
            chattering: self.chattering,
            expired_unacknowledged: self.expired_unacknowledged,
            stale: 0,
            shelved: 0,
            standing: [0; 4],
            unacknowledged: [0; 4],
        }
    }
}

fn by_priority<'a>(alerts: impl Iterator<Item = &'a &'a Arc<Alert>>) -> [usize; 4] {
    let mut counts = [0; 4];
    for alert in alerts {
        counts[alert.priority as usize] += 1;
    }
    counts
}

fn within(at: UtcMillis, now: UtcMillis, span_ms: i64) -> bool {
    (0..span_ms).contains(&now.since(at))
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |n: usize| u32::try_from(n).map_or(f64::from(u32::MAX), f64::from);
    if whole == 0 { 0.0 } else { number(part) / number(whole) }
}

/// How many fall in each span of the clock, so that a figure does not change with the moment it is asked for.
fn counts_by_span(times: &[UtcMillis], span_ms: i64) -> BTreeMap<i64, usize> {
    let mut counts = BTreeMap::new();
    for at in times {
        *counts.entry(at.0.div_euclid(span_ms)).or_default() += 1;
    }
    counts
}

/// The value below which `percent` of the sorted lie, by nearest rank.
fn quantile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// Whether a flood goes on at `now`, and for how many milliseconds of the day one did: it begins when the tenth in ten
/// minutes sounds, and ends when fewer than five are left.
fn flood(times: &[UtcMillis], now: UtcMillis) -> (bool, i64) {
    let window = 10 * MINUTE_MS;
    let mut since: Option<UtcMillis> = None;
    let mut total = 0;
    for (n, at) in times.iter().enumerate() {
        // With none further, fewer than five are left when the fifth from the end is ten minutes old.
        let left = n.checked_sub(FLOOD_ENDS).and_then(|i| times.get(i)).map(|then| then.plus_millis(window));
        if let (Some(start), Some(end)) = (since, left)
            && end <= *at
        {
            total += end.since(start);
            since = None;
        }
        let tenth = (n + 1).checked_sub(FLOOD_STARTS).and_then(|i| times.get(i));
        if since.is_none() && tenth.is_some_and(|then| at.since(*then) < window) {
            since = Some(*at);
        }
    }
    let Some(start) = since else { return (false, total) };
    let last = times.len().checked_sub(FLOOD_ENDS).and_then(|i| times.get(i)).map(|then| then.plus_millis(window));
    match last.filter(|end| *end <= now) {
        Some(end) => (false, total + end.since(start)),
        None => (true, total + now.since(start)),
    }
}
