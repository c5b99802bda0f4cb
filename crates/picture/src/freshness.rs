//! From age to freshness, by a feed's reporting interval.

use crate::Freshness;

/// Stages of a vehicle's silence: the four that readers see, and one more for the health of its feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Live,
    Aging,
    Stale,
    Lost,
    /// Lost for so long that it is no longer expected.
    Dormant,
}

impl Phase {
    /// As readers see it.
    pub(crate) fn freshness(self) -> Freshness {
        match self {
            Self::Live => Freshness::Live,
            Self::Aging => Freshness::Aging,
            Self::Stale => Freshness::Stale,
            Self::Lost | Self::Dormant => Freshness::Lost,
        }
    }
}

/// The greatest age of each phase but the last, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AgeLimits([u64; 4]);

/// A vehicle is expected to speak when it did so within this long before a silence.
pub(crate) const EXPECTED_MS: u64 = 15 * 60_000;

impl AgeLimits {
    /// For a feed whose vehicles report every `interval_s` seconds; `None`: not known yet.
    pub(crate) fn of(interval_s: Option<f64>) -> Self {
        // Anything that is no sensible interval saturates or is beaten by the floors.
        let interval_ms = (interval_s.unwrap_or(0.0).max(0.0) * 1000.0) as u64;
        let limit = |floor_s: u64, intervals: u64| (floor_s * 1000).max(interval_ms.saturating_mul(intervals));
        let lost_ms = limit(360, 10);
        Self([limit(30, 2), limit(90, 4), lost_ms, EXPECTED_MS.max(lost_ms.saturating_add(EXPECTED_MS / 3))])
    }

    /// The phase at an age.
    pub(crate) fn phase(self, age_ms: u64) -> Phase {
        const ORDER: [Phase; 4] = [Phase::Live, Phase::Aging, Phase::Stale, Phase::Lost];
        self.0.iter().zip(ORDER).find(|(limit, _)| age_ms <= **limit).map_or(Phase::Dormant, |(_, phase)| phase)
    }

    /// The first age beyond a phase; `None` for the last.
    pub(crate) fn end_of(self, phase: Phase) -> Option<u64> {
        self.0.get(phase as usize).map(|limit| limit.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_follows_age_and_interval() {
        use Phase::{Aging, Dormant, Live, Lost, Stale};
        let table = [
            (None, [(0, Live), (30, Live), (31, Aging), (90, Aging), (91, Stale), (360, Stale), (361, Lost)]),
            (Some(1.0), [(0, Live), (30, Live), (31, Aging), (90, Aging), (91, Stale), (360, Stale), (361, Lost)]),
            (
                Some(20.0),
                [(40, Live), (41, Aging), (90, Aging), (91, Stale), (360, Stale), (361, Lost), (901, Dormant)],
            ),
            (
                Some(120.0),
                [(240, Live), (241, Aging), (480, Aging), (481, Stale), (1200, Stale), (1201, Lost), (1501, Dormant)],
            ),
            (Some(f64::NAN), [(0, Live), (30, Live), (31, Aging), (90, Aging), (91, Stale), (360, Stale), (361, Lost)]),
        ];
        for (interval, rows) in table {
            let limits = AgeLimits::of(interval);
            for (age_s, expected) in rows {
                assert_eq!(limits.phase(age_s * 1000), expected, "interval {interval:?}, age {age_s} s");
            }
            for phase in [Live, Aging, Stale, Lost] {
                let end = limits.end_of(phase).unwrap();
                assert!(limits.phase(end) > phase && limits.phase(end - 1) == phase);
            }
            assert_eq!(limits.end_of(Dormant), None);
        }
    }

    #[test]
    fn an_absurd_interval_never_overflows() {
        assert_eq!(AgeLimits::of(Some(f64::INFINITY)).phase(u64::MAX), Phase::Live);
    }
}
