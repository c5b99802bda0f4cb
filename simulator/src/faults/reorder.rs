//! A message arrives after its successor. Knows nothing of what is in it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Reorder {
    /// Share of the messages that are held back, 0 to 1.
    probability: f64,
    /// For how long, in seconds: a little more than the reporting interval lets one pass.
    hold_s: f64,
}

impl Default for Reorder {
    fn default() -> Self {
        Self { probability: 0.3, hold_s: 1.5 }
    }
}

impl Fault for Reorder {
    fn relay(&mut self, mut parcel: Parcel, _: Window, dice: &mut Dice, onward: &mut Vec<Parcel>) {
        if dice.chance(self.probability) {
            parcel.outgoing.at = parcel.outgoing.at.plus_millis((self.hold_s * 1000.0) as i64);
        }
        onward.push(parcel);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::faults::trial::{stamp, with};

    #[test]
    fn some_messages_of_one_vehicle_overtake_each_other() {
        let mut newest = BTreeMap::new();
        let mut overtaken = 0;
        for message in with("reorder", "") {
            let seen = newest.entry(message.topic.clone()).or_insert(stamp(&message));
            overtaken += u32::from(*seen > stamp(&message));
            *seen = (*seen).max(stamp(&message));
        }
        assert!(overtaken > 100, "{overtaken}");
    }
}
