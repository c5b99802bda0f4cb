//! Messages arrive far too long. Knows nothing of who reads them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Oversized {
    /// Share of the messages, 0 to 1.
    probability: f64,
    /// Their length in bytes.
    bytes: usize,
}

impl Default for Oversized {
    fn default() -> Self {
        Self { probability: 0.01, bytes: 70_000 }
    }
}

impl Fault for Oversized {
    fn relay(&mut self, mut parcel: Parcel, _: Window, dice: &mut Dice, onward: &mut Vec<Parcel>) {
        let payload = &mut parcel.outgoing.payload;
        if dice.chance(self.probability) && payload.len() < self.bytes {
            // Spaces before the closing brace: still the same JSON, only too much of it.
            let brace = payload.pop();
            payload.resize(self.bytes - 1, b' ');
            payload.extend(brace);
        }
        onward.push(parcel);
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{clean, native, with};

    #[test]
    fn a_long_message_says_the_same() {
        let long = with("oversized", "probability = 1\nbytes = 20000");
        for (long, plain) in long.iter().zip(clean()) {
            assert_eq!(long.payload.len(), 20_000);
            assert_eq!(native(long), native(&plain));
        }
    }
}
