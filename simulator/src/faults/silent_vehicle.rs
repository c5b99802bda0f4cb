//! Vehicles fall silent without signing off. Knows nothing of why.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options: none; whom it strikes is the selection.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SilentVehicle {}

impl Fault for SilentVehicle {
    fn relay(&mut self, _: Parcel, _: Window, _: &mut Dice, _: &mut Vec<Parcel>) {}
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{clean, with_entry};

    #[test]
    fn only_the_selected_vehicle_is_silent_and_only_in_the_window() {
        let clean = clean();
        let (topic, name) = clean
            .iter()
            .find_map(|m| {
                Some((m.topic.clone(), m.topic.strip_prefix("topis/v1/vehicle/")?.strip_suffix("/position")?))
            })
            .unwrap();
        let silent = with_entry(&format!(
            "code = 'silent_vehicle'\nfrom_s = 10\nuntil_s = 20\nselect = {{ vehicles = ['{name}'] }}"
        ));
        let start = clean[0].at.0 / 1000;
        let expected: Vec<_> = clean
            .into_iter()
            .filter(|m| m.topic != topic || !(10_000..20_000).contains(&(m.at.0 - start * 1000)))
            .collect();
        assert_eq!(silent, expected);
    }
}
