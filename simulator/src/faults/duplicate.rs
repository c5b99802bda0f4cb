//! Messages arrive more than once, as from mirrored brokers. Knows nothing of what is in them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Duplicate {
    /// Share of the messages that are repeated, 0 to 1.
    probability: f64,
    /// How often, beside the first.
    copies: u32,
    /// Greatest lateness of a copy in seconds.
    lag_s: f64,
}

impl Default for Duplicate {
    fn default() -> Self {
        Self { probability: 1.0, copies: 1, lag_s: 0.2 }
    }
}

impl Fault for Duplicate {
    fn relay(&mut self, parcel: Parcel, _: Window, dice: &mut Dice, onward: &mut Vec<Parcel>) {
        if dice.chance(self.probability) {
            for _ in 0..self.copies {
                let mut copy = parcel.clone();
                copy.outgoing.at = copy.outgoing.at.plus_millis((dice.between(0.0, self.lag_s) * 1000.0) as i64);
                onward.push(copy);
            }
        }
        onward.push(parcel);
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{clean, with};

    #[test]
    fn every_message_comes_three_times_and_unchanged() {
        let mut thrice: Vec<_> = with("duplicate", "copies = 2\nlag_s = 0").into_iter().map(|m| m.payload).collect();
        let mut once: Vec<_> = clean().into_iter().map(|m| m.payload).collect();
        thrice.sort();
        once.sort();
        assert_eq!(thrice.len(), once.len() * 3);
        assert!(thrice.chunks(3).zip(&once).all(|(three, one)| three.iter().all(|copy| copy == one)));
    }
}
