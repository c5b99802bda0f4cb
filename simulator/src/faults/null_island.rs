//! The receiver reports 0, 0, as it does before its first fix. Knows nothing of where it should be.

use schemars::JsonSchema;
use serde::Deserialize;
use transit::Observation;

use super::{Fault, put_at};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NullIsland {
    /// Share of the fixes, 0 to 1.
    probability: f64,
}

impl Default for NullIsland {
    fn default() -> Self {
        Self { probability: 1.0 }
    }
}

impl Fault for NullIsland {
    fn distort(&mut self, _: usize, said: &mut Observation, dice: &mut Dice) {
        let lost = dice.chance(self.probability);
        if let Some(fix) = said.position.as_mut().filter(|_| lost) {
            put_at(fix, 0.0, 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{native, with};

    #[test]
    fn every_fix_is_null_and_what_has_none_keeps_none() {
        let bodies: Vec<_> = with("null_island", "").iter().filter_map(native).collect();
        assert!(bodies.iter().all(|body| body["lat"].is_null() || body["lat"] == 0.0));
        assert!(bodies.iter().any(|body| body["lat"] == 0.0));
    }
}
