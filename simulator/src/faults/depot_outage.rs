//! One depot's gateway is down: none of its vehicles is heard. Knows nothing of why.
//!
//! Which depot is the selection's `depot`; without one, every depot is down.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DepotOutage {
    /// Share of its vehicles that still come through by a neighbour's gateway, 0 to 1.
    leak: f64,
}

impl Default for DepotOutage {
    fn default() -> Self {
        Self { leak: 0.0 }
    }
}

impl Fault for DepotOutage {
    fn relay(&mut self, parcel: Parcel, _: Window, dice: &mut Dice, onward: &mut Vec<Parcel>) {
        if dice.chance(self.leak) {
            onward.push(parcel);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{city, clean, with_entry};

    #[test]
    fn only_vehicles_of_the_depot_are_missing() {
        let city = city();
        let depot = &city.depots[0].id;
        let topics: Vec<String> = city
            .vehicles
            .iter()
            .filter(|v| city.depots[city.lines[v.line].depot].id == *depot)
            .map(|v| format!("/{}/{}", v.agency, v.vehicle))
            .collect();
        let from_depot = |topic: &str| topics.iter().any(|own| topic.contains(own.as_str()));
        let expected: Vec<_> = clean().into_iter().filter(|m| !from_depot(&m.topic)).collect();
        assert!(!expected.is_empty() && expected.len() < clean().len());
        assert_eq!(with_entry(&format!("code = 'depot_outage'\nselect = {{ depot = '{depot}' }}")), expected);
    }
}
