//! HFP's event types, what each says of a stop, and the one-key object that carries them.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use transit::{StopStatus, words};

use super::{Body, passengers::Counts};
use crate::json::{Fields as _, Filler, Key, Slot, Unknown};

words! {
    /// An HFP event type; the passenger counts are siblings that share the level.
    HfpEvent as "hfp_event" {
        /// Position, once a second.
        Vp = "vp",
        /// Soon at the stop.
        Due = "due",
        /// Inside the stop's radius.
        Arr = "arr",
        /// Stopped at the stop.
        Ars = "ars",
        /// Ready to depart.
        Pde = "pde",
        /// Left the stop's radius.
        Dep = "dep",
        /// Passed the stop without stopping.
        Pas = "pas",
        /// Waiting at the stop.
        Wait = "wait",
        /// Doors opened.
        Doo = "doo",
        /// Doors closed.
        Doc = "doc",
        /// Asked a traffic light.
        Tlr = "tlr",
        /// Was answered by a traffic light.
        Tla = "tla",
        /// Driver signed on.
        Da = "da",
        /// Driver signed off.
        Dout = "dout",
        /// Block begun.
        Ba = "ba",
        /// Block ended.
        Bout = "bout",
        /// Signed on to a trip.
        Vja = "vja",
        /// Signed off from a trip.
        Vjout = "vjout",
        /// Passengers counted.
        Apc = "apc",
        /// Passengers counted so far.
        ApcPartial = "apc-partial",
    }
}

/// What an event says of how the vehicle stands to a stop.
pub(super) enum StopRule {
    Silent,
    /// Of the body's stop, else of the topic's next stop.
    OfStop(StopStatus),
    /// Of the body's stop, and nothing when it names none: doors open away from stops too.
    OfStopIfNamed(StopStatus),
    /// Of the topic's next stop.
    OfNext(StopStatus),
}

impl HfpEvent {
    pub(super) fn stop_rule(self) -> StopRule {
        match self {
            Self::Due => StopRule::OfStop(StopStatus::IncomingAt),
            Self::Ars => StopRule::OfStop(StopStatus::StoppedAt),
            Self::Doo | Self::Doc | Self::Wait => StopRule::OfStopIfNamed(StopStatus::StoppedAt),
            Self::Pde | Self::Dep | Self::Pas => StopRule::OfNext(StopStatus::InTransitTo),
            Self::Vp
            | Self::Arr
            | Self::Tlr
            | Self::Tla
            | Self::Da
            | Self::Dout
            | Self::Ba
            | Self::Bout
            | Self::Vja
            | Self::Vjout
            | Self::Apc
            | Self::ApcPartial => StopRule::Silent,
        }
    }
}

/// A body as read.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    /// The one key: the event type in upper case. Empty where the body stood there bare.
    pub(super) key: Cow<'a, str>,
    pub(super) body: Body<'a>,
    pub(super) counts: Counts<'a>,
    pub(super) unknown: Unknown<'a>,
}

/// Reads `{"VP":{..}}`; a bare body, as passenger counts are exported, is read too.
pub(super) fn read(payload: &[u8]) -> Result<Said<'_>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    let said = json.deserialize_map(Outer)?;
    json.end()?;
    Ok(said)
}

struct Outer;

impl<'de> Visitor<'de> for Outer {
    type Value = Said<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the event type as its one key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Said<'de>, A::Error> {
        let mut said = Said::default();
        while let Some(Key(key)) = map.next_key()? {
            let is_event = said.key.is_empty() && !key.is_empty() && !key.bytes().any(|b| b.is_ascii_lowercase());
            if is_event {
                said.key = key;
                map.next_value_seed(Inner(&mut said))?;
            } else {
                Inner(&mut said).field(key, &mut map)?;
            }
        }
        Ok(said)
    }
}

/// Fills a body from the object that comes next: its own fields, and the passenger counts in their object.
struct Inner<'s, 'a>(&'s mut Said<'a>);

impl<'de> Inner<'_, 'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        let Self(said) = self;
        if key.eq_ignore_ascii_case("vehiclecounts") {
            return map.next_value_seed(OrNull(Filler { fields: &mut said.counts, unknown: &mut said.unknown }));
        }
        match said.body.slot(&key) {
            Slot::Known(slot) => *slot = map.next_value()?,
            Slot::Ignored => drop(map.next_value::<IgnoredAny>()?),
            Slot::Unknown => {
                map.next_value::<IgnoredAny>()?;
                said.unknown.add(key);
            }
        }
        Ok(())
    }
}

/// An object that may be null instead.
struct OrNull<S>(S);

impl<'de, S: DeserializeSeed<'de, Value = ()>> DeserializeSeed<'de> for OrNull<S> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> Visitor<'de> for OrNull<S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        self.0.deserialize(d)
    }
}

impl<'de> DeserializeSeed<'de> for Inner<'_, 'de> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Inner<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event's fields")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            self.field(key, &mut map)?;
        }
        Ok(())
    }
}
