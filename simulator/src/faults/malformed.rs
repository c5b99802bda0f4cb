//! Messages arrive broken, in every way that was seen in the wild. Knows nothing of who reads them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Malformed {
    /// Share of the messages that are broken, 0 to 1.
    probability: f64,
    /// In which ways; all of them when empty.
    ways: Vec<Way>,
}

/// One way of being broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// Cut off in the middle.
    Truncated,
    /// Nothing at all.
    Empty,
    /// Not JSON.
    Text,
    /// Bytes that are no UTF-8.
    Binary,
    /// A hundred thousand opening brackets.
    Brackets,
    /// A number beyond single precision.
    Huge,
    /// A time without an offset.
    NaiveTime,
    /// A topic with a level too many.
    Topic,
}

const WAYS: [Way; 8] =
    [Way::Truncated, Way::Empty, Way::Text, Way::Binary, Way::Brackets, Way::Huge, Way::NaiveTime, Way::Topic];

impl Default for Malformed {
    fn default() -> Self {
        Self { probability: 0.05, ways: Vec::new() }
    }
}

impl Fault for Malformed {
    fn relay(&mut self, mut parcel: Parcel, _: Window, dice: &mut Dice, onward: &mut Vec<Parcel>) {
        if dice.chance(self.probability) {
            let ways: &[Way] = if self.ways.is_empty() { &WAYS } else { &self.ways };
            let message = &mut parcel.outgoing;
            match ways[dice.below(ways.len())] {
                Way::Truncated => message.payload.truncate(message.payload.len() / 2),
                Way::Empty => message.payload.clear(),
                Way::Text => message.payload = b"bus 31 all well, over".to_vec(),
                Way::Binary => message.payload = vec![0xff, 0xfe, 0x00, 0x80],
                Way::Brackets => message.payload = vec![b'['; 100_000],
                Way::Huge => {
                    message.payload = br#"{"event_time":"2026-11-24T08:00:00Z","lat":1e39,"lon":1e39}"#.to_vec()
                }
                Way::NaiveTime => {
                    message.payload = br#"{"event_time":"2026-11-24T08:00:00","lat":37.5,"lon":127}"#.to_vec()
                }
                Way::Topic => message.topic.push_str("/extra"),
            }
        }
        onward.push(parcel);
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{clean, with};

    #[test]
    fn the_asked_share_is_broken_and_in_the_asked_way() {
        let broken = with("malformed", "probability = 1\nways = ['brackets']");
        assert_eq!(broken.len(), clean().len());
        assert!(broken.iter().all(|m| m.payload.len() == 100_000 && m.payload.iter().all(|b| *b == b'[')));
    }

    #[test]
    fn by_default_few_are_broken_in_many_ways() {
        let clean = clean();
        let broken: Vec<_> = with("malformed", "").into_iter().filter(|m| !clean.contains(m)).collect();
        let share = broken.len() as f64 / clean.len() as f64;
        assert!((0.02..0.09).contains(&share), "{share}");
        assert!(broken.iter().any(|m| m.payload.is_empty()));
        assert!(broken.iter().any(|m| m.topic.ends_with("/extra")));
    }
}
