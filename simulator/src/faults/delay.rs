//! Messages arrive late, each by its own time. Knows nothing of what is in them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Delay {
    /// Share of the messages that are late, 0 to 1.
    probability: f64,
    /// Least lateness in seconds.
    min_s: f64,
    /// Greatest lateness in seconds.
    max_s: f64,
}

impl Default for Delay {
    fn default() -> Self {
        Self { probability: 1.0, min_s: 0.2, max_s: 8.0 }
    }
}

impl Fault for Delay {
    fn relay(&mut self, mut parcel: Parcel, _: Window, dice: &mut Dice, onward: &mut Vec<Parcel>) {
        if dice.chance(self.probability) {
            let late_s = dice.between(self.min_s, self.max_s).max(0.0);
            parcel.outgoing.at = parcel.outgoing.at.plus_millis((late_s * 1000.0) as i64);
        }
        onward.push(parcel);
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{clean, stamp, with};

    #[test]
    fn messages_come_after_their_stamp_and_out_of_order() {
        let late = with("delay", "min_s = 1\nmax_s = 5");
        assert!(late.len() < clean().len(), "the last ones are still on their way");
        assert!(late.iter().all(|m| (1000..=5000).contains(&m.at.since(stamp(m)))));
        assert!(late.windows(2).any(|pair| stamp(&pair[0]) > stamp(&pair[1])));
        assert!(late.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }
}
