//! Single fixes lie far away, as when a receiver loses its satellites. Knows nothing of where they should be.

use schemars::JsonSchema;
use serde::Deserialize;
use transit::Observation;

use super::{Fault, put_at};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Teleport {
    /// Share of the fixes that jump, 0 to 1.
    probability: f64,
    /// How far, in kilometres; 82 was seen in a parked bus.
    distance_km: f64,
}

impl Default for Teleport {
    fn default() -> Self {
        Self { probability: 0.05, distance_km: 82.0 }
    }
}

impl Fault for Teleport {
    fn distort(&mut self, _: usize, said: &mut Observation, dice: &mut Dice) {
        let jumps = dice.chance(self.probability);
        let Some(fix) = said.position.as_mut().filter(|_| jumps) else { return };
        if let Some(place) = fix.coordinate {
            // North, where a degree is the same everywhere, and no further than the pole; rounded as receivers do.
            let lat = (place.lat() + self.distance_km / 111.195).min(90.0);
            put_at(fix, (lat * 1e6).round() / 1e6, place.lon());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{native, with};

    #[test]
    fn some_fixes_lie_far_north() {
        let lats: Vec<f64> =
            with("teleport", "").iter().filter_map(native).filter_map(|body| body["lat"].as_f64()).collect();
        let far = lats.iter().filter(|lat| **lat > 38.0).count() as f64;
        assert!((far / lats.len() as f64 - 0.05).abs() < 0.02, "{far} of {}", lats.len());
    }
}
