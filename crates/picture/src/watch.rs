//! One feed as the publisher sees it: what the workers counted, what was learned, and the record made of it.

use std::{collections::VecDeque, sync::Arc};

use transit::{FeedId, Mode, Now, UtcMillis};

use crate::{
    feed::FeedRecord,
    freshness::AgeLimits,
    health::{Health, Pace},
    interval::{Gaps, Interval, Intervals},
    options::FeedPolicy,
    tally::FeedTally,
};

/// Rates and lags are shown anew this often, in milliseconds: counters change with every message.
const FIGURES_EVERY_MS: u64 = 1_000;
/// Rates are over this long, in milliseconds ...
const RATE_SPAN_MS: u64 = 60_000;
/// ... in slices of this.
const RATE_SLICE_MS: u64 = 5_000;
/// The smallest lag is remembered for the running and the last bucket of this length.
const LAG_BUCKET_MS: u64 = 300_000;
/// Share of a new second's mean lag in the typical one: settles in half a minute.
const LAG_WEIGHT: f64 = 0.1;

/// Everything kept of a feed.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) id: FeedId,
    configured_ms: Option<u64>,
    pub(crate) health: Health,
    intervals: Intervals,
    /// Gaps between messages of the feed as a whole.
    arrivals: Interval,
    totals: Totals,
    rate: VecDeque<(u64, u64)>,
    first_message_mono_ms: Option<u64>,
    lag_min: [Option<i64>; 2],
    lag_bucket: u64,
    lag_typical: Option<f64>,
    pub(crate) skewed: usize,
    record: Option<Arc<FeedRecord>>,
    shown_mono_ms: Option<u64>,
}

/// Counters since start.
#[derive(Debug, Default)]
struct Totals {
    received: u64,
    duplicates: u64,
    out_of_order: u64,
    rejected: u64,
    warned: u64,
    retained: u64,
    last_message_at: Option<UtcMillis>,
    last_advance_at: Option<UtcMillis>,
}

impl Watch {
    /// A feed nothing was heard of.
    pub(crate) fn new(policy: &FeedPolicy, started: Now) -> Self {
        // Anything that is no interval is none.
        let configured_ms = policy.interval_s.filter(|s| *s > 0.0).map(|s| (s * 1000.0) as u64);
        let health = Health::new(policy, started);
        Self {
            id: policy.id.clone(),
            configured_ms,
            health,
            intervals: Intervals::default(),
            arrivals: Interval::default(),
            totals: Totals::default(),
            rate: VecDeque::new(),
            first_message_mono_ms: None,
            lag_min: [None; 2],
            lag_bucket: 0,
            lag_typical: None,
            skewed: 0,
            record: None,
            shown_mono_ms: None,
        }
    }

    /// The age limits of its vehicles of a mode.
    pub(crate) fn limits(&self, mode: Mode) -> AgeLimits {
        limits_of(self.configured_ms.or_else(|| self.intervals.learned_of(mode)))
    }

    /// The age limits of its vehicles, and of the modes for which they are others.
    pub(crate) fn all_limits(&self) -> (AgeLimits, Vec<(Mode, AgeLimits)>) {
        let all = limits_of(self.interval_ms());
        let by_mode = self.by_mode().map(|(mode, ms)| (mode, limits_of(Some(ms))));
        (all, by_mode.filter(|(_, limits)| *limits != all).collect())
    }

    fn interval_ms(&self) -> Option<u64> {
        self.configured_ms.or_else(|| self.intervals.learned_ms())
    }

    /// What was learned of each mode; nothing where the interval is configured.
    fn by_mode(&self) -> impl Iterator<Item = (Mode, u64)> {
        self.intervals.learned_by_mode().filter(|_| self.configured_ms.is_none())
    }

    /// As published last.
    pub(crate) fn record(&self) -> Option<&Arc<FeedRecord>> {
        self.record.as_ref()
    }

    /// Takes a worker's counts.
    pub(crate) fn absorb(&mut self, tally: &FeedTally) {
        let t = &mut self.totals;
        t.received += tally.received;
        t.duplicates += tally.duplicates;
        t.out_of_order += tally.out_of_order;
        t.rejected += tally.rejected;
        t.warned += tally.warned;
        t.retained += tally.retained;
        t.last_message_at = t.last_message_at.max(tally.last_message.map(|n| n.utc));
        t.last_advance_at = t.last_advance_at.max(tally.last_advance.map(|n| n.utc));
        self.health.heard.apply(&tally.heard);
        self.health.stamps.apply(&tally.stamps);
        if let Some(last) = tally.last_message {
            self.first_message_mono_ms.get_or_insert(last.mono_ms);
            self.count_rate(last.mono_ms, tally.received);
        }
        if let Some(last) = tally.last_vehicle {
            self.count_arrival(last);
        }
        if self.health.may_learn()
            && let Some(last) = tally.last_message
        {
            self.intervals.learn(&tally.gaps, last.mono_ms);
        }
        if let (Some(least), Some(last)) = (tally.lag_ms_min, tally.last_message) {
            self.count_lag(least, tally, last.mono_ms);
        }
    }

    fn count_rate(&mut self, mono_ms: u64, received: u64) {
        let slice = mono_ms / RATE_SLICE_MS;
        match self.rate.back_mut() {
            Some((last, count)) if *last >= slice => *count += received,
            _ => self.rate.push_back((slice, received)),
        }
    }

    fn count_arrival(&mut self, last: Now) {
        let before = self.health.last_vehicle;
        if before.is_some_and(|b| b.mono_ms >= last.mono_ms) {
            return;
        }
        if let Some(before) = before
            && self.health.may_learn()
        {
            let mut gap = Gaps::default();
            gap.add(last.mono_ms - before.mono_ms);
            self.arrivals.learn(&gap, last.mono_ms);
        }
        self.health.last_vehicle = Some(last);
    }

    fn count_lag(&mut self, least: i64, tally: &FeedTally, mono_ms: u64) {
        let bucket = mono_ms / LAG_BUCKET_MS;
        if bucket != self.lag_bucket {
            self.lag_min = [None, self.lag_min[0].filter(|_| bucket == self.lag_bucket + 1)];
            self.lag_bucket = bucket;
        }
        self.lag_min[0] = Some(self.lag_min[0].map_or(least, |known| known.min(least)));
        let mean = tally.lag_ms_sum as f64 / f64::from(tally.lags.max(1));
        self.lag_typical = Some(self.lag_typical.map_or(mean, |t| t + (mean - t) * LAG_WEIGHT));
    }

    /// Judges the feed and makes its record anew when something worth showing changed; says whether.
    pub(crate) fn publish(&mut self, now: Now, revision: u64) -> bool {
        let pace = Pace { interval_ms: self.interval_ms(), gap_ms: self.arrivals.guess_ms().or(self.configured_ms) };
        let judged_anew = self.health.judge(now, pace);
        let due = self.shown_mono_ms.is_none_or(|shown| now.mono_ms.saturating_sub(shown) >= FIGURES_EVERY_MS);
        if !judged_anew && !due {
            return false;
        }
        self.shown_mono_ms = Some(now.mono_ms);
        let mut record = self.make_record(now);
        if let Some(shown) = &self.record {
            record.revision = shown.revision;
            if record == **shown {
                return false;
            }
        }
        record.revision = revision;
        self.record = Some(Arc::new(record));
        true
    }

    fn make_record(&mut self, now: Now) -> FeedRecord {
        self.drop_old_rates(now.mono_ms);
        let t = &self.totals;
        let (condition, condition_since) = self.health.condition();
        let phases = self.health.by_phase;
        let interval_ms = self.interval_ms();
        FeedRecord {
            id: self.id.clone(),
            condition,
            condition_since,
            vehicles: phases.iter().sum(),
            by_freshness: [phases[0], phases[1], phases[2], phases[3] + phases[4]],
            rate_per_s: self.rate_per_s(now.mono_ms),
            interval_s: interval_ms.map(|ms| ms as f64 / 1000.0),
            interval_s_by_mode: self.by_mode().map(|(mode, ms)| (mode, ms as f64 / 1000.0)).collect(),
            interval_configured: self.configured_ms.is_some(),
            lag_ms_min: self.lag_min.iter().flatten().min().copied(),
            lag_ms_typical: self.lag_typical.map(|lag| lag as i64),
            skewed_vehicles: self.skewed,
            received: t.received,
            duplicates: t.duplicates,
            out_of_order: t.out_of_order,
            rejected: t.rejected,
            warned: t.warned,
            retained: t.retained,
            last_message_at: t.last_message_at,
            last_advance_at: t.last_advance_at,
            stamps_move: self.health.stamps_move(now),
            revision: 0,
        }
    }

    fn drop_old_rates(&mut self, mono_ms: u64) {
        let oldest = mono_ms.saturating_sub(RATE_SPAN_MS) / RATE_SLICE_MS;
        while self.rate.front().is_some_and(|(slice, _)| *slice < oldest) {
            self.rate.pop_front();
        }
    }

    /// Messages a second over the last minute, or since the first one when that is less long ago.
    fn rate_per_s(&self, mono_ms: u64) -> f64 {
        let Some(first) = self.first_message_mono_ms else {
            return 0.0;
        };
        let messages: u64 = self.rate.iter().map(|(_, count)| count).sum();
        let span_ms = mono_ms.saturating_sub(first).clamp(1_000, RATE_SPAN_MS);
        (messages as f64 * 1e4 / span_ms as f64).round() / 10.0
    }
}

fn limits_of(interval_ms: Option<u64>) -> AgeLimits {
    AgeLimits::of(interval_ms.map(|ms| ms as f64 / 1000.0))
}
