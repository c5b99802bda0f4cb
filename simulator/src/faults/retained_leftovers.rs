//! Positions are left in the broker's store, so that whoever connects later takes old news for new. Knows nothing
//! of brokers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RetainedLeftovers {
    /// Share of the messages that are sent with the retain flag, 0 to 1.
    probability: f64,
}

impl Default for RetainedLeftovers {
    fn default() -> Self {
        Self { probability: 0.05 }
    }
}

impl Fault for RetainedLeftovers {
    fn relay(&mut self, mut parcel: Parcel, _: Window, dice: &mut Dice, onward: &mut Vec<Parcel>) {
        parcel.outgoing.retain |= dice.chance(self.probability);
        onward.push(parcel);
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{clean, with};

    #[test]
    fn some_positions_are_retained_which_none_should_be() {
        assert!(clean().iter().all(|m| !m.retain));
        let kept = with("retained_leftovers", "probability = 0.5").iter().filter(|m| m.retain).count() as f64;
        assert!((kept / clean().len() as f64 - 0.5).abs() < 0.05);
    }
}
