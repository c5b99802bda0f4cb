//! The condition of one feed: a pure judgement over counts. Knows no vehicle by name except those it waits for.

use std::collections::{BTreeMap, BTreeSet};

use transit::{Now, ServiceHours, UtcMillis, VehicleKey};

use crate::{
    feed::FeedCondition,
    freshness::{AgeLimits, EXPECTED_MS, Phase},
    options::{Expect, FeedPolicy},
    standstill::Standstill,
    tally::{WINDOW_MS, window},
};

/// After start nothing but the link is judged for this long, in milliseconds; so with the share of missing vehicles
/// after every outage.
const GRACE_MS: u64 = 60_000;
/// Least time without a message that is a silence, in milliseconds.
const SILENCE_MIN_MS: u64 = 30_000;
/// A silence is this many median gaps.
const SILENCE_GAPS: u64 = 10;
/// A silence of a feed of which not even one gap is known, in milliseconds.
const SILENCE_UNKNOWN_MS: u64 = 300_000;
/// A silence ends when this many vehicles were heard again, or all if there were fewer.
pub const HEARD_AGAIN: usize = 3;
/// How many times more than usual have to fall silent at once to have done so together.
pub(crate) const STANDS_OUT: f64 = 3.0;
/// At least this many went before, for the last to have followed them ...
pub(crate) const FOLLOWED_MIN: usize = 3;
/// ... and this many may always have followed.
pub(crate) const FOLLOWERS_MIN: f64 = 2.0;
/// Length of the time slices of [`fell_silent_together`], in milliseconds.
pub const SILENCE_SLICE_MS: u64 = WINDOW_MS;
/// A condition has to stay away this long before it is over, in milliseconds.
const CLEAR_MS: u64 = 120_000;

/// Vehicles by the window of receive time in which something last happened to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastSeen(BTreeMap<u32, i64>);

impl LastSeen {
    /// Applies a tally's changes.
    pub(crate) fn apply(&mut self, moves: &[(u32, i64)]) {
        for (window, change) in moves {
            *self.0.entry(*window).or_default() += change;
        }
    }

    /// Vehicles last seen in each window of a range.
    fn by_window(&self, windows: std::ops::Range<u32>) -> Vec<usize> {
        let mut counts = vec![0; windows.len()];
        for (window, count) in self.0.range(windows.clone()) {
            counts[(window - windows.start) as usize] = usize::try_from(*count).unwrap_or(0);
        }
        counts
    }

    /// Vehicles seen in a window or after it.
    fn since(&self, window: u32) -> usize {
        let sum: i64 = self.0.range(window..).map(|(_, count)| *count).sum();
        usize::try_from(sum).unwrap_or(0)
    }

    /// Forgets windows nobody asks for any more.
    fn prune(&mut self, now: u32) {
        // An hour of windows: beyond any interval that a frozen feed is judged by.
        self.0 = self.0.split_off(&now.saturating_sub(120));
    }
}

/// What a feed is judged by.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    expect: Expect,
    hours: Option<ServiceHours>,
    started_mono_ms: u64,
    link_up: bool,
    link_since_mono_ms: u64,
    pub(crate) last_vehicle: Option<Now>,
    pub(crate) heard: LastSeen,
    pub(crate) stamps: Standstill,
    /// Of those in service, by when they were last heard.
    pub(crate) in_service: LastSeen,
    /// Vehicles by phase, and those in service among them.
    pub(crate) by_phase: [usize; 5],
    pub(crate) expected_by_phase: [usize; 5],
    /// Vehicles that became dormant while the feed was partial: still missing, however long it takes.
    missing_for_long: BTreeSet<VehicleKey>,
    silence: Option<Silence>,
    sound_since_mono_ms: u64,
    frozen: Latch,
    /// Since when nearly all stamps have been seen to move on.
    moving_since_mono_ms: Option<u64>,
    partial: Latch,
    condition: FeedCondition,
    condition_since: UtcMillis,
}

/// A silence under way.
#[derive(Debug, Clone, Copy)]
struct Silence {
    /// Vehicles in service when it began.
    expected: usize,
    /// The window after that of the last message.
    from_window: u32,
}

/// A condition that begins at once and ends after it stayed away for a while.
#[derive(Debug, Clone, Copy, Default)]
struct Latch {
    on: bool,
    away_since_mono_ms: Option<u64>,
}

impl Latch {
    fn judge(&mut self, raise: bool, away: bool, mono_ms: u64) -> bool {
        if !self.on {
            self.on = raise;
            self.away_since_mono_ms = None;
        } else if !away {
            self.away_since_mono_ms = None;
        } else {
            let since = *self.away_since_mono_ms.get_or_insert(mono_ms);
            self.on = mono_ms.saturating_sub(since) < CLEAR_MS;
        }
        self.on
    }
}

/// Learned figures that thresholds follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Milliseconds between two reports of a vehicle.
    pub(crate) interval_ms: Option<u64>,
    /// Milliseconds between two messages of the feed.
    pub(crate) gap_ms: Option<u64>,
}

impl Health {
    /// At start: link up, nothing heard.
    pub(crate) fn new(policy: &FeedPolicy, started: Now) -> Self {
        Self {
            expect: policy.expect,
            hours: policy.hours.clone(),
            started_mono_ms: started.mono_ms,
            link_up: true,
            link_since_mono_ms: started.mono_ms,
            last_vehicle: None,
            heard: LastSeen::default(),
            stamps: Standstill::default(),
            in_service: LastSeen::default(),
            by_phase: [0; 5],
            expected_by_phase: [0; 5],
            missing_for_long: BTreeSet::new(),
            silence: None,
            sound_since_mono_ms: started.mono_ms,
            frozen: Latch::default(),
            moving_since_mono_ms: None,
            partial: Latch::default(),
            condition: FeedCondition::Unheard,
            condition_since: started.utc,
        }
    }

    /// The verdict and since when it stands.
    pub(crate) fn condition(&self) -> (FeedCondition, UtcMillis) {
        (self.condition, self.condition_since)
    }

    /// Whether nearly all stamps have been seen to move on from message to message for long enough to say that the feed
    /// is not frozen, whatever was before the process began.
    pub(crate) fn stamps_move(&self, now: Now) -> bool {
        self.moving_since_mono_ms.is_some_and(|since| now.mono_ms.saturating_sub(since) >= CLEAR_MS)
    }

    /// Whether figures learned now would be those of a healthy feed.
    pub(crate) fn may_learn(&self) -> bool {
        match self.condition {
            FeedCondition::Good | FeedCondition::Quiet | FeedCondition::Unheard => true,
            FeedCondition::Partial | FeedCondition::Frozen | FeedCondition::Silent | FeedCondition::LinkDown => false,
        }
    }

    /// The session behind the feed came up or went down.
    pub(crate) fn link(&mut self, up: bool, since: Now) {
        if self.link_up != up {
            self.link_up = up;
            self.link_since_mono_ms = since.mono_ms;
        }
    }

    /// A vehicle in service moved between phases, or left (`None`).
    pub(crate) fn moved(&mut self, key: &VehicleKey, to: Option<Phase>) {
        if self.partial.on && to == Some(Phase::Dormant) {
            self.missing_for_long.insert(key.clone());
        } else {
            self.missing_for_long.remove(key);
        }
    }

    /// Judges. Says whether the condition changed.
    pub(crate) fn judge(&mut self, now: Now, pace: Pace) -> bool {
        let window = window(now.mono_ms);
        self.heard.prune(window);
        self.in_service.prune(window);
        let condition = self.find_condition(now, pace);
        match condition {
            FeedCondition::Good | FeedCondition::Partial | FeedCondition::Frozen => {}
            FeedCondition::Quiet | FeedCondition::Unheard | FeedCondition::Silent | FeedCondition::LinkDown => {
                self.moving_since_mono_ms = None;
            }
        }
        let changed = condition != self.condition;
        if changed {
            self.condition = condition;
            self.condition_since = now.utc;
        }
        changed
    }

    fn find_condition(&mut self, now: Now, pace: Pace) -> FeedCondition {
        let in_grace = now.mono_ms.saturating_sub(self.started_mono_ms) < GRACE_MS;
        if !self.link_up {
            self.sound_since_mono_ms = now.mono_ms;
            return FeedCondition::LinkDown;
        }
        let silent = self.is_silent(now, pace);
        if let Some(expected) = silent.filter(|_| !in_grace) {
            self.sound_since_mono_ms = now.mono_ms;
            return if expected { FeedCondition::Silent } else { FeedCondition::Quiet };
        }
        if self.last_vehicle.is_none() {
            return FeedCondition::Unheard;
        }
        if self.is_frozen(now, pace, in_grace) {
            self.sound_since_mono_ms = now.mono_ms;
            return FeedCondition::Frozen;
        }
        // Until the vehicles had time to report again, those missing are those of the outage that just ended.
        let grace_ms = pace.interval_ms.map_or(SILENCE_UNKNOWN_MS, |interval| GRACE_MS.max(interval.saturating_mul(3)));
        let sound = now.mono_ms.saturating_sub(self.sound_since_mono_ms) >= grace_ms;
        let (raise, away) = self.missing_share(window(now.mono_ms), pace);
        if self.partial.judge(raise && sound, away, now.mono_ms) {
            return FeedCondition::Partial;
        }
        self.missing_for_long.clear();
        // Of no vehicle nothing is known, which is not good.
        if self.by_phase.iter().sum::<usize>() == 0 { FeedCondition::Unheard } else { FeedCondition::Good }
    }

    /// `Some(whether service is expected)` while nothing arrives though the link is up.
    fn is_silent(&mut self, now: Now, pace: Pace) -> Option<bool> {
        let quiet_since = self.last_vehicle.map_or(self.started_mono_ms, |n| n.mono_ms).max(self.link_since_mono_ms);
        let limit = pace.gap_ms.map_or(SILENCE_UNKNOWN_MS, |gap| gap.saturating_mul(SILENCE_GAPS).max(SILENCE_MIN_MS));
        let long = now.mono_ms.saturating_sub(quiet_since) > limit;
        // At the beginning of service nobody is late yet: only a silence within it counts.
        let owed = self.expected_for_ms(now).is_some_and(|expected_ms| expected_ms > limit);
        if self.last_vehicle.is_none() {
            return (long && owed).then_some(true);
        }
        match (self.silence, self.last_vehicle) {
            (None, Some(last)) if long => {
                // Decided at its beginning and kept: later nobody will have been heard for 15 minutes.
                let expected: usize = self.expected_by_phase[..Phase::Dormant as usize].iter().sum();
                let last_window = window(last.mono_ms);
                let expected = if self.has_gone_home(last_window, pace) { 0 } else { expected };
                self.silence = Some(Silence { expected, from_window: last_window + 1 });
            }
            (Some(silence), _) if !long => {
                let heard = self.heard.since(silence.from_window);
                if heard >= HEARD_AGAIN.min(silence.expected.max(1)) {
                    self.silence = None;
                }
            }
            _ => {}
        }
        self.silence.as_ref().map(|silence| match self.expect {
            Expect::Recent => silence.expected > 0,
            Expect::Hours | Expect::Always => owed,
        })
    }

    /// For how long service has been expected whatever is known of vehicles, in milliseconds; `None`: it is not.
    fn expected_for_ms(&self, now: Now) -> Option<u64> {
        match self.expect {
            Expect::Recent => None,
            Expect::Always => Some(u64::MAX),
            Expect::Hours => {
                let open_ms = self.hours.as_ref()?.open_for_ms(now.utc)?;
                Some(u64::try_from(open_ms).unwrap_or(0))
            }
        }
    }

    fn is_frozen(&mut self, now: Now, pace: Pace, in_grace: bool) -> bool {
        let window = window(now.mono_ms);
        let verdict = self.stamps.judge(window, pace.interval_ms);
        let frozen = self.frozen.judge(verdict.frozen && !in_grace, verdict.thawed, now.mono_ms);
        self.stamps.settle(frozen, window, pace.interval_ms);
        let since = self.moving_since_mono_ms.unwrap_or(now.mono_ms);
        self.moving_since_mono_ms = verdict.moving.then_some(since);
        frozen
    }

    /// Whether those who fell silent last only followed others, as at the end of a day.
    fn has_gone_home(&self, last_window: u32, pace: Pace) -> bool {
        let span = span_of(pace.interval_ms);
        let burst_from = last_window.saturating_sub(span.saturating_sub(1));
        let quarter = (EXPECTED_MS / WINDOW_MS) as u32;
        let sum = |windows| self.in_service.by_window(windows).iter().sum::<usize>();
        let last = sum(burst_from..last_window + 1);
        let before = sum(burst_from.saturating_sub(quarter)..burst_from);
        let usual = before as f64 * f64::from(span) / f64::from(quarter);
        before >= FOLLOWED_MIN && last as f64 <= (usual * STANDS_OUT).max(FOLLOWERS_MIN)
    }

    /// How many of the vehicles missing now fell silent together.
    fn fell_together(&self, window: u32, pace: Pace) -> usize {
        let limits = AgeLimits::of(pace.interval_ms.map(|ms| ms as f64 / 1000.0));
        let windows = |phase| u32::try_from(limits.end_of(phase).unwrap_or(0) / WINDOW_MS).unwrap_or(u32::MAX);
        let (from, to) = (windows(Phase::Lost), windows(Phase::Aging));
        let silences = self.in_service.by_window(window.saturating_sub(from)..window.saturating_sub(to) + 1);
        fell_silent_together(&silences, span_of(pace.interval_ms) as usize)
    }

    /// Whether enough expected vehicles are missing to call the feed partial, and few enough to call it whole.
    fn missing_share(&self, window: u32, pace: Pace) -> (bool, bool) {
        let by = &self.expected_by_phase;
        let missing = by[Phase::Stale as usize] + by[Phase::Lost as usize] + self.missing_for_long.len();
        let expected = by[Phase::Live as usize] + by[Phase::Aging as usize] + missing;
        let are_many = |n: usize| (n >= 20 && n * 10 >= expected * 2) || (n >= 3 && n * 2 >= expected);
        // Those who went home before do not count, or the last of an evening would always be missing many.
        (are_many(missing) && are_many(self.fell_together(window, pace)), missing * 10 < expected)
    }
}

/// Windows over which the vehicles of one outage were last heard.
fn span_of(interval_ms: Option<u64>) -> u32 {
    // One more, because an outage does not wait for the end of a window.
    u32::try_from(interval_ms.unwrap_or(0).div_ceil(WINDOW_MS) + 1).unwrap_or(u32::MAX)
}

/// How many of the vehicles that are silent fell silent together, as in an outage; 0 where they did so one after another,
/// as at the end of a day. They did together when some `span` slices of time that stand side by side hold far more of
/// them than the others do.
///
/// `by_slice` counts them by when they were last heard, in slices of [`SILENCE_SLICE_MS`].
pub fn fell_silent_together(by_slice: &[usize], span: usize) -> usize {
    let span = span.clamp(1, by_slice.len().max(1));
    let peak: usize = by_slice.windows(span).map(|side_by_side| side_by_side.iter().sum()).max().unwrap_or(0);
    let usual = by_slice.iter().sum::<usize>() as f64 * span as f64 / by_slice.len().max(1) as f64;
    if peak as f64 > (usual * STANDS_OUT).max(1.0) { peak } else { 0 }
}
