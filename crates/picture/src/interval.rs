//! How often the vehicles of a feed report, learned from the gaps between their messages: of all of them, and of each
//! mode by itself, because a feed of buses may carry ferries that report once a minute.
//!
//! A histogram over logarithmic buckets: small, mergeable from many workers, and its median does not mind outliers.

use std::collections::BTreeMap;

use transit::Mode;

/// Lower edge of the second bucket in milliseconds; the first holds everything below.
const FIRST_EDGE_MS: f64 = 250.0;
/// Buckets an octave. The mean within the median's bucket is exact for a regular feed.
const PER_OCTAVE: f64 = 4.0;
/// Reaches beyond four hours.
const BUCKETS: usize = 64;
/// Fewer gaps than this teach nothing.
const SAMPLES_MIN: u64 = 5;
/// A new median must differ by this share to replace what was learned.
const HYSTERESIS: f64 = 0.15;
/// After this long the past counts half, in milliseconds.
const HALF_LIFE_MS: u64 = 600_000;
/// The first gaps of a vehicle all count, so that a feed is learned soon ...
const EAGER_SAMPLES: u8 = 4;
/// ... then one a minute, so that frequent reporters do not outvote the others.
const SAMPLE_EVERY_MS: u64 = 60_000;

/// Gaps by length.
#[derive(Debug, Clone)]
pub(crate) struct Gaps {
    buckets: [(u32, u64); BUCKETS],
    total: u64,
}

impl Default for Gaps {
    fn default() -> Self {
        Self { buckets: [(0, 0); BUCKETS], total: 0 }
    }
}

impl Gaps {
    /// Counts one gap.
    pub(crate) fn add(&mut self, gap_ms: u64) {
        let octaves = (gap_ms.max(1) as f64 / FIRST_EDGE_MS).log2() + 1.0 / PER_OCTAVE;
        let (count, sum) = &mut self.buckets[((octaves * PER_OCTAVE).max(0.0) as usize).min(BUCKETS - 1)];
        *count = count.saturating_add(1);
        *sum = sum.saturating_add(gap_ms);
        self.total += 1;
    }

    /// Adds another histogram's gaps.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.total == 0 {
            return;
        }
        for ((count, sum), (more, more_sum)) in self.buckets.iter_mut().zip(&other.buckets) {
            *count = count.saturating_add(*more);
            *sum = sum.saturating_add(*more_sum);
        }
        self.total += other.total;
    }

    /// The median gap in milliseconds; `None` when there is none.
    pub(crate) fn median_ms(&self) -> Option<u64> {
        let mut below = 0;
        for (count, sum) in self.buckets {
            below += u64::from(count);
            if count > 0 && below * 2 >= self.total {
                return Some(sum / u64::from(count));
            }
        }
        None
    }

    fn halve(&mut self) {
        self.total = 0;
        for (count, sum) in &mut self.buckets {
            let mean = if *count == 0 { 0 } else { *sum / u64::from(*count) };
            *count /= 2;
            *sum = mean.saturating_mul(u64::from(*count));
            self.total += u64::from(*count);
        }
    }
}

/// Gaps of vehicles of each mode. A feed has a handful of modes: looking through them beats any map.
#[derive(Debug, Clone, Default)]
pub(crate) struct GapsByMode(Vec<(Mode, Gaps)>);

impl GapsByMode {
    /// Counts one gap of a vehicle of a mode.
    pub(crate) fn add(&mut self, mode: Mode, gap_ms: u64) {
        let at = match self.0.iter().position(|(known, _)| *known == mode) {
            Some(at) => at,
            None => {
                self.0.push((mode, Gaps::default()));
                self.0.len() - 1
            }
        };
        self.0[at].1.add(gap_ms);
    }
}

/// What has been learned of a feed's intervals.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intervals {
    all: Interval,
    by_mode: BTreeMap<Mode, Interval>,
}

impl Intervals {
    /// Takes new gaps into account. Not called while the feed is degraded.
    pub(crate) fn learn(&mut self, gaps: &GapsByMode, mono_ms: u64) {
        for (mode, gaps) in &gaps.0 {
            self.all.learn(gaps, mono_ms);
            self.by_mode.entry(*mode).or_default().learn(gaps, mono_ms);
        }
    }

    /// Of all its vehicles, in milliseconds; `None` until enough was seen.
    pub(crate) fn learned_ms(&self) -> Option<u64> {
        self.all.learned_ms()
    }

    /// Of the modes of which enough was seen.
    pub(crate) fn learned_by_mode(&self) -> impl Iterator<Item = (Mode, u64)> {
        self.by_mode.iter().filter_map(|(mode, interval)| Some((*mode, interval.learned_ms()?)))
    }

    /// Of the vehicles of a mode, else of all.
    pub(crate) fn learned_of(&self, mode: Mode) -> Option<u64> {
        self.by_mode.get(&mode).and_then(Interval::learned_ms).or(self.learned_ms())
    }
}

/// What has been learned of one interval.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interval {
    gaps: Gaps,
    learned_ms: Option<u64>,
    halved_mono_ms: Option<u64>,
}

impl Interval {
    /// Takes new gaps into account. Not called while the feed is degraded: what is learned then is its trouble.
    pub(crate) fn learn(&mut self, gaps: &Gaps, mono_ms: u64) {
        if gaps.total == 0 {
            return;
        }
        self.gaps.merge(gaps);
        if mono_ms.saturating_sub(*self.halved_mono_ms.get_or_insert(mono_ms)) >= HALF_LIFE_MS {
            self.gaps.halve();
            self.halved_mono_ms = Some(mono_ms);
        }
        if self.gaps.total < SAMPLES_MIN {
            return;
        }
        let Some(median) = self.gaps.median_ms() else {
            return;
        };
        let moved = self.learned_ms.is_none_or(|old| old.abs_diff(median) as f64 > HYSTERESIS * old as f64);
        if moved {
            self.learned_ms = Some(median);
        }
    }

    /// Milliseconds; `None` until enough was seen.
    pub(crate) fn learned_ms(&self) -> Option<u64> {
        self.learned_ms
    }

    /// The best guess so far, from however little; `None` only when nothing was seen.
    pub(crate) fn guess_ms(&self) -> Option<u64> {
        self.learned_ms.or_else(|| self.gaps.median_ms())
    }
}

/// Which gaps of one vehicle are counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sampler {
    eager: u8,
    armed: bool,
    minute: u32,
}

impl Sampler {
    /// Whether the gap that this message ends is one to count. The choice is made at a gap's beginning, not at its
    /// end, or long gaps would be counted too often.
    pub(crate) fn ends_sample(&mut self, mono_ms: u64) -> bool {
        let counted = self.armed;
        let minute = (mono_ms / SAMPLE_EVERY_MS) as u32;
        self.armed = self.eager < EAGER_SAMPLES || minute != self.minute;
        self.eager = self.eager.saturating_add(1).min(EAGER_SAMPLES);
        self.minute = minute;
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(gaps_s: &[f64]) -> Option<u64> {
        let mut interval = Interval::default();
        for gap in gaps_s {
            let mut one = Gaps::default();
            one.add((gap * 1000.0) as u64);
            interval.learn(&one, 1);
        }
        interval.learned_ms()
    }

    #[test]
    fn a_regular_feed_is_learned_exactly_and_outliers_do_not_matter() {
        assert_eq!(learn(&[30.0; 4]), None);
        assert_eq!(learn(&[30.0; 5]), Some(30_000));
        assert_eq!(learn(&[1.0, 1.0, 1.0, 1.0, 3600.0, 1.0, 0.0]), Some(1_000));
        assert_eq!(learn(&[100_000.0; 6]), Some(100_000_000));
        assert_eq!(learn(&[0.0; 6]), Some(0));
    }

    #[test]
    fn a_changed_interval_is_learned_after_a_while() {
        let mut interval = Interval::default();
        for minute in 0..200_u64 {
            let mut gaps = Gaps::default();
            for _ in 0..10 {
                gaps.add(if minute < 100 { 10_000 } else { 60_000 });
            }
            interval.learn(&gaps, minute * 60_000);
            if minute == 99 {
                assert_eq!(interval.learned_ms(), Some(10_000));
            }
        }
        assert_eq!(interval.learned_ms(), Some(60_000));
    }

    #[test]
    fn a_vehicle_is_sampled_once_a_minute_after_its_first_gaps() {
        let mut sampler = Sampler::default();
        let counted = (0..600).filter(|second| sampler.ends_sample(second * 1000)).count();
        assert!((12..=15).contains(&counted), "{counted}");
    }
}
