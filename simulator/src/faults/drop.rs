//! Messages are lost. Knows nothing of what is in them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Drop {
    /// Share of the messages lost, 0 to 1.
    probability: f64,
}

impl Default for Drop {
    fn default() -> Self {
        Self { probability: 0.1 }
    }
}

impl Fault for Drop {
    fn relay(&mut self, parcel: Parcel, _: Window, dice: &mut Dice, onward: &mut Vec<Parcel>) {
        if !dice.chance(self.probability) {
            onward.push(parcel);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{clean, with};

    #[test]
    fn about_the_asked_share_is_lost() {
        let (all, rest) = (clean().len() as f64, with("drop", "probability = 0.25").len() as f64);
        assert!((rest / all - 0.75).abs() < 0.03, "{rest} of {all}");
    }
}
