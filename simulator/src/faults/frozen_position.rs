//! The position stands still while the vehicle drives on. Knows nothing of where it should be.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use transit::{Fix, Observation, UtcMillis};

use super::Fault;
use crate::dice::Dice;

/// Options.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FrozenPosition {
    /// The stamp stands still too, as in a feed that repeats its last answer.
    stamps: bool,
    #[serde(skip)]
    held: BTreeMap<usize, (UtcMillis, Option<Fix>)>,
}

impl Fault for FrozenPosition {
    fn distort(&mut self, vehicle: usize, said: &mut Observation, _: &mut Dice) {
        let (stamp, fix) = self.held.entry(vehicle).or_insert_with(|| (said.event_time, said.position.clone()));
        // The wheels turn on.
        let odometer_m = said.position.as_ref().and_then(|fix| fix.odometer_m);
        said.position = fix.clone().map(|fix| Fix { odometer_m, ..fix });
        if self.stamps {
            said.event_time = *stamp;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use crate::faults::trial::{native, stamp, with};

    fn fixes_and_stamps(options: &str) -> (usize, usize) {
        let mut by_topic: BTreeMap<String, (BTreeSet<String>, BTreeSet<i64>)> = BTreeMap::new();
        for (message, body) in with("frozen_position", options).iter().filter_map(|m| native(m).map(|body| (m, body))) {
            let seen = by_topic.entry(message.topic.clone()).or_default();
            seen.0.insert(format!("{} {}", body["lat"], body["lon"]));
            seen.1.insert(stamp(message).0);
        }
        let most = |count: fn(&(BTreeSet<String>, BTreeSet<i64>)) -> usize| by_topic.values().map(count).max().unwrap();
        (most(|seen| seen.0.len()), most(|seen| seen.1.len()))
    }

    #[test]
    fn one_position_and_many_stamps_or_one_of_both() {
        let (fixes, stamps) = fixes_and_stamps("");
        assert!(fixes == 1 && stamps > 50, "{fixes} {stamps}");
        assert_eq!(fixes_and_stamps("stamps = true"), (1, 1));
    }
}
