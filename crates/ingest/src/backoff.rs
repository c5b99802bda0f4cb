//! How long to wait before the next connection attempt: full jitter, so that a fleet of services does not come
//! back in step after a broker restart.

use std::time::Duration;

/// Never wait less: a broker that accepts and drops us at once would be hammered.
const FLOOR: Duration = Duration::from_millis(200);
/// Never wait more: a returned broker must have us back within 5 s.
const CEILING: Duration = Duration::from_secs(3);

/// The waiting times of one session. The same seed gives the same times.
#[derive(Debug)]
pub(crate) struct Backoff {
    random: u64,
    failures: u32,
}

impl Backoff {
    /// Starts over from `seed`, which should differ between processes; `salt` tells the sessions of one apart.
    pub(crate) fn new(seed: u64, salt: &str) -> Self {
        let salt = salt.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3) // FNV-1a: any spread will do
        });
        Self { random: seed ^ salt, failures: 0 }
    }

    /// The next waiting time: evenly spread from the floor to a bound that doubles with every failure in a row.
    pub(crate) fn next(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let bound = FLOOR.saturating_mul(1 << self.failures.min(5)).min(CEILING);
        let spread = u64::try_from((bound - FLOOR).as_millis()).expect("the ceiling is seconds");
        FLOOR + Duration::from_millis(self.draw() % (spread + 1))
    }

    /// The connection held: the next failure is the first again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// SplitMix64 (Steele, Lea, Flood 2014). Jitter needs spread, not secrecy.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_port_is_tried_at_most_once_a_second_on_average() {
        for seed in 0..100 {
            let mut backoff = Backoff::new(seed, "topis-telemetry");
            let waits: Vec<Duration> = (0..60).map(|_| backoff.next()).collect();
            assert!(waits.iter().all(|wait| (FLOOR..=CEILING).contains(wait)));
            assert!(waits.iter().sum::<Duration>() >= Duration::from_secs(60), "seed {seed}");
        }
    }

    #[test]
    fn the_first_attempts_are_quick_and_sessions_are_not_in_step() {
        let mut telemetry = Backoff::new(7, "topis-telemetry");
        let mut emergency = Backoff::new(7, "topis-emergency");
        assert!(telemetry.next() <= Duration::from_millis(400));
        assert_ne!(telemetry.next(), emergency.next());
        for _ in 0..10 {
            telemetry.next();
        }
        telemetry.reset();
        assert!(telemetry.next() <= Duration::from_millis(400));
    }
}
