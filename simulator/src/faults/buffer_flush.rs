//! A radio gap: a vehicle keeps its messages and sends them all at the gap's end. Knows nothing of what is in them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BufferFlush {
    /// Seconds that a gap lasts, counted from the beginning of the window; gap follows gap.
    hold_s: f64,
}

impl Default for BufferFlush {
    fn default() -> Self {
        Self { hold_s: 60.0 }
    }
}

impl Fault for BufferFlush {
    fn relay(&mut self, mut parcel: Parcel, window: Window, _: &mut Dice, onward: &mut Vec<Parcel>) {
        let hold_ms = ((self.hold_s * 1000.0) as i64).max(1);
        let gap = (parcel.outgoing.at.0 - window.from) / hold_ms + 1;
        // The end of the window also ends the gap.
        parcel.outgoing.at.0 = (window.from + gap * hold_ms).min(window.until);
        onward.push(parcel);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::faults::trial::{START, clean, stamp, with};

    #[test]
    fn a_minute_of_messages_comes_at_once_and_in_order() {
        let flushed = with("buffer_flush", "hold_s = 15");
        let instants: BTreeSet<i64> = flushed.iter().map(|m| m.at.since(START)).collect();
        assert_eq!(instants.into_iter().collect::<Vec<_>>(), [15_000, 30_000, 45_000]);
        assert!(flushed.windows(2).all(|pair| stamp(&pair[0]) <= stamp(&pair[1])));
        assert!(flushed.len() > clean().len() / 2);
    }
}
