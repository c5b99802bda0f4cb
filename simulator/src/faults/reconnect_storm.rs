//! Many clients connect and leave at once, as after a power cut. Knows nothing of connections themselves.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Control, Fault, Window};

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReconnectStorm {
    /// Clients in each wave.
    clients: u32,
    /// Waves.
    waves: u32,
    /// Seconds from wave to wave.
    every_s: f64,
}

impl Default for ReconnectStorm {
    fn default() -> Self {
        Self { clients: 200, waves: 5, every_s: 2.0 }
    }
}

impl Fault for ReconnectStorm {
    fn controls(&self, window: Window) -> Vec<(i64, Control)> {
        (0..self.waves)
            .map(|wave| window.from + (f64::from(wave) * self.every_s * 1000.0) as i64)
            .take_while(|at| *at < window.until)
            .map(|at| (at, Control::Storm { clients: self.clients }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Control,
        faults::trial::{START, with},
    };

    #[test]
    fn waves_come_beside_the_messages() {
        let waves: Vec<_> = with("reconnect_storm", "clients = 9\nwaves = 3\nevery_s = 4")
            .into_iter()
            .filter_map(|m| m.control.map(|control| (m.at.since(START), control)))
            .collect();
        let wave = Control::Storm { clients: 9 };
        assert_eq!(waves, [(0, wave), (4000, wave), (8000, wave)]);
    }
}
