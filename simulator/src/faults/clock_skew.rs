//! The device's clock is wrong, or drifts. Knows nothing of how a stamp is written.

use schemars::JsonSchema;
use serde::Deserialize;
use transit::Observation;

use super::Fault;
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClockSkew {
    /// Seconds the clock is ahead; negative is behind.
    offset_s: f64,
}

impl Default for ClockSkew {
    fn default() -> Self {
        Self { offset_s: 3600.0 }
    }
}

impl Fault for ClockSkew {
    fn distort(&mut self, _: usize, said: &mut Observation, _: &mut Dice) {
        said.event_time = said.event_time.plus_millis((self.offset_s * 1000.0) as i64);
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{stamp, with};

    #[test]
    fn stamps_are_off_by_the_offset() {
        let behind = with("clock_skew", "offset_s = -90");
        assert!(behind.iter().all(|m| m.at.since(stamp(m)) == 90_000));
    }
}
