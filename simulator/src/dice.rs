//! Seeded draws. Every draw names what it is for, so that a draw more in one place changes nothing in another.
//! Knows nothing of what is drawn.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// What a stream of draws is for: streams of different purposes are independent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    River = 1,
    Streets = 2,
    Names = 3,
    Lines = 4,
    Link = 5,
    Trip = 6,
    Device = 7,
    Format = 8,
    FaultChoice = 9,
    Fault = 10,
    Script = 11,
    Shuffle = 12,
}

/// One stream of draws.
#[derive(Debug, Clone)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of `purpose` for the thing that `a` and `b` number.
    pub(crate) fn new(seed: u64, purpose: Purpose, a: u64, b: u64) -> Self {
        let mut key = [0_u8; 32];
        for (bytes, word) in key.chunks_exact_mut(8).zip([seed, purpose as u64, a, b]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        // 53 bits fill a double's mantissa.
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `low..high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `n`, and 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_repeats_and_differs_by_purpose() {
        let draw = |purpose, a| Dice::new(7, purpose, a, 0).below(1 << 40);
        assert_eq!(draw(Purpose::Link, 1), draw(Purpose::Link, 1));
        assert_ne!(draw(Purpose::Link, 1), draw(Purpose::Link, 2));
        assert_ne!(draw(Purpose::Link, 1), draw(Purpose::Trip, 1));
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut dice = Dice::new(1, Purpose::Link, 0, 0);
        for _ in 0..1000 {
            assert!((0.0..1.0).contains(&dice.unit()));
            assert!(dice.below(3) < 3);
        }
        assert_eq!(dice.below(0), 0);
    }
}
