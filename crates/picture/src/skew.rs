//! How far a device's clock is off ours, told apart from how late its messages are. Knows no clock itself.
//!
//! The smallest lag (receipt minus stamp) seen in five to ten minutes is taken for skew: a skewed clock shifts every message,
//! a delay only some. Lags are measured on a steady clock that does not follow steps of the wall clock.

use transit::Now;

/// A lag up to this much is believed at once, in milliseconds: small skew and transport cannot make old data look
/// live by more than the first freshness limits.
const BELIEVED_MS: i64 = 60_000;
/// A greater lag must agree with itself over this much receive time ...
const AGREEMENT_SPAN_MS: u64 = 10_000;
/// ... within this much: a buffer being flushed shrinks its lag by more, a skewed clock does not ...
const AGREEMENT_MS: i64 = 10_000;
/// ... in this many messages.
const AGREEMENT_MESSAGES: u8 = 3;
/// No live vehicle's clock is believed to be this far behind: that is an old recording.
const BEYOND_BELIEF_MS: i64 = 24 * 3_600_000;
/// The smallest lag is remembered for the running and the last bucket of this length.
const BUCKET_MS: u64 = 300_000;

/// The instant of a receipt on a clock that agrees with the wall clock until the latter steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// As received.
    pub(crate) now: Now,
    /// How far the wall clock has stepped since the picture's first message, milliseconds.
    pub(crate) step_ms: i64,
}

impl Receipt {
    /// Milliseconds from a device's stamp to the receipt by the wall clock.
    pub(crate) fn lag_ms(self, event_ms: i64) -> i64 {
        self.now.utc.0.saturating_sub(event_ms)
    }

    /// The same as if the wall clock had never stepped.
    pub(crate) fn steady_lag_ms(self, event_ms: i64) -> i64 {
        self.lag_ms(event_ms).saturating_sub(self.step_ms)
    }
}

/// What the lags of one vehicle say of its clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Skew {
    /// Smallest steady lag in the current and the previous bucket.
    least_ms: [i64; 2],
    bucket: u64,
    /// The run of lags that agree.
    agreeing_from_mono_ms: u64,
    agreeing_ms: (i64, i64),
    agreeing: u8,
    span_reached: bool,
}

impl Default for Skew {
    fn default() -> Self {
        Self {
            least_ms: [i64::MAX; 2],
            bucket: 0,
            agreeing_from_mono_ms: 0,
            agreeing_ms: (0, 0),
            agreeing: 0,
            span_reached: false,
        }
    }
}

/// The verdict on a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Offset {
    /// Add to the device's stamp to have our wall clock, milliseconds; 0 when the lag is not believed to be skew.
    pub(crate) ms: i64,
    /// How far behind the clock runs beyond what is ordinary, once its lags agree that it does, however far; else 0.
    pub(crate) behind_ms: i64,
}

impl Skew {
    /// Takes one more lag and judges. Only messages that advance the vehicle count: copies and leftovers say nothing.
    pub(crate) fn observe(&mut self, event_ms: i64, receipt: Receipt) -> Offset {
        let lag = receipt.steady_lag_ms(event_ms);
        self.remember(lag, receipt.now.mono_ms);
        let least = self.least_ms[0].min(self.least_ms[1]);
        let least_on_wall = least.saturating_add(receipt.step_ms);
        let believed = least.abs() <= BELIEVED_MS || least_on_wall.abs() <= BELIEVED_MS;
        let agreed = (self.agreeing >= AGREEMENT_MESSAGES && self.span_reached).then_some(self.agreeing_ms.0);
        let ms = match agreed {
            _ if believed => least_on_wall,
            Some(skew) if skew.abs() <= BEYOND_BELIEF_MS => skew.saturating_add(receipt.step_ms),
            _ => 0,
        };
        Offset { ms, behind_ms: if believed { 0 } else { agreed.unwrap_or(0) } }
    }

    fn remember(&mut self, lag: i64, mono_ms: u64) {
        let bucket = mono_ms / BUCKET_MS;
        if bucket != self.bucket {
            let follows = bucket == self.bucket + 1;
            self.least_ms = [i64::MAX, if follows { self.least_ms[0] } else { i64::MAX }];
            self.bucket = bucket;
        }
        self.least_ms[0] = self.least_ms[0].min(lag);

        let (low, high) = (self.agreeing_ms.0.min(lag), self.agreeing_ms.1.max(lag));
        if self.agreeing > 0 && high.saturating_sub(low) < AGREEMENT_MS {
            self.agreeing_ms = (low, high);
            self.agreeing = self.agreeing.saturating_add(1);
            self.span_reached |= mono_ms.saturating_sub(self.agreeing_from_mono_ms) >= AGREEMENT_SPAN_MS;
        } else {
            self.agreeing_from_mono_ms = mono_ms;
            self.agreeing_ms = (lag, lag);
            self.agreeing = 1;
            self.span_reached = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transit::UtcMillis;

    /// Feeds (receipt second, stamp second) pairs and returns the offset in seconds after each.
    fn offsets(messages: &[(i64, i64)], steps: impl Fn(i64) -> i64) -> Vec<i64> {
        let mut skew = Skew::default();
        messages
            .iter()
            .map(|(received, event)| {
                let step_ms = steps(*received) * 1000;
                let now = Now { utc: UtcMillis(received * 1000 + step_ms), mono_ms: *received as u64 * 1000 };
                skew.observe(event * 1000, Receipt { now, step_ms }).ms / 1000
            })
            .collect()
    }

    #[test]
    fn small_skew_is_believed_at_once() {
        assert_eq!(offsets(&[(100, 98), (101, 100), (102, 92)], |_| 0), [2, 1, 1]);
        assert_eq!(offsets(&[(100, 140)], |_| 0), [-40]);
    }

    #[test]
    fn a_clock_an_hour_behind_is_believed_once_its_lags_agree_for_ten_seconds() {
        let t: Vec<_> = (0..13).map(|n| (10_000 + n, 6_400 + n)).collect();
        let found = offsets(&t, |_| 0);
        assert_eq!(found[..10], [0; 10]);
        assert_eq!(found[10..], [3600; 3]);
    }

    #[test]
    fn a_flushed_buffer_is_not_believed() {
        // 600 s of stamps arrive within 12 s.
        let t: Vec<_> = (0..60).map(|n| (10_000 + n / 5, 9_300 + n * 10)).collect();
        let found = offsets(&t, |_| 0);
        assert!(found.iter().all(|o| *o <= 60), "{found:?}");
        assert_eq!(found[0], 0);
    }

    #[test]
    fn a_recording_of_years_ago_is_never_live() {
        let t: Vec<_> = (0..30).map(|n| (200_000_000 + n, n)).collect();
        assert!(offsets(&t, |_| 0).iter().all(|o| *o == 0));
    }

    #[test]
    fn a_delay_after_good_messages_stays_a_delay() {
        let found = offsets(&[(1000, 999), (1190, 1000), (1490, 1100)], |_| 0);
        assert_eq!(found, [1, 1, 1]);
        // An outage longer than that leaves nothing to compare with: not believed, the age is the true one.
        assert_eq!(offsets(&[(1000, 999), (3000, 1000)], |_| 0), [1, 0]);
    }

    #[test]
    fn a_step_of_our_own_clock_is_no_skew_of_theirs() {
        let t: Vec<_> = (0..20).map(|n| (10_000 + n, 9_999 + n)).collect();
        let found = offsets(&t, |received| if received >= 10_010 { 3600 } else { 0 });
        assert_eq!((found[9], found[10]), (1, 3601));
        let back = offsets(&t, |received| if received >= 10_010 { -3600 } else { 0 });
        assert_eq!((back[9], back[10]), (1, -3599));
    }
}
