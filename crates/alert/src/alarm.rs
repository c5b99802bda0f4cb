//! An alarm as it arrived: every field optional, never refused.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use transit::{FeedId, Fix, Status, UtcMillis, VehicleKey};

use crate::{AlarmKind, AlarmPhase, AlarmSource};

/// First 16 bytes of SHA-256 over topic, a zero byte and payload: two messages with one print are one message.
/// Written as 32 hexadecimal digits, because a JSON number of that size survives few readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        u128::from_str_radix(&text, 16)
            .map(Self)
            .map_err(|e| serde::de::Error::custom(format!("{text:?} is no fingerprint: {e}")))
    }
}

/// Whom an alarm is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmSubject {
    /// A vehicle, known or not.
    Vehicle(VehicleKey),
    /// The topic's ids were outside the pattern; the head of what stood there.
    Unparsed(String),
}

/// One message on an alarm topic.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmReport {
    /// The feed it came by.
    pub feed: FeedId,
    /// Whom it is about, from the topic.
    pub subject: AlarmSubject,
    /// The device's id of this press.
    pub event_id: Option<String>,
    /// The device's clock.
    pub event_time: Option<UtcMillis>,
    /// What happened; [`AlarmKind::Other`] for a word we do not know.
    pub kind: AlarmKind,
    /// The word as sent, when it was not one of ours.
    pub kind_word: Option<String>,
    /// Who pressed.
    pub source: AlarmSource,
    /// Raised, or normal again.
    pub phase: AlarmPhase,
    /// Whether displays must stay silent; the kind's default when absent.
    pub covert: Option<bool>,
    /// Meant, drill or test.
    pub status: Status,
    /// Where, as the alarm says.
    pub fix: Option<Fix>,
    /// Free text, at most 2,000 characters kept.
    pub text: Option<String>,
    /// People on board.
    pub passengers: Option<u32>,
    /// Head of the body when it could not be read at all.
    pub unparsed_head: Option<String>,
    /// Identity of the message.
    pub fingerprint: Fingerprint,
    /// Delivered from the retained store.
    pub retained: bool,
    /// Delivered with the DUP flag.
    pub dup: bool,
    /// When we received it.
    pub received_at: UtcMillis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_keeps_all_its_bits_in_json() {
        for print in [Fingerprint(0), Fingerprint(u128::MAX), Fingerprint(1 << 100)] {
            let json = serde_json::to_string(&print).unwrap();
            assert_eq!(json.len(), 34);
            assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), print);
        }
        assert!(serde_json::from_str::<Fingerprint>(r#""xyz""#).is_err());
    }
}
