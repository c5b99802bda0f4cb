//! Closed vocabularies. Each has one table from which parsing, printing and `/v1/meta/enums` all read.

/// A closed vocabulary with a fixed order.
pub trait Word: Copy + Eq + 'static {
    /// The vocabulary's name, as in the API.
    const NAME: &'static str;
    /// Every word in its order.
    const ALL: &'static [Self];

    /// The canonical spelling.
    fn word(self) -> &'static str;

    /// Reads a word in any case.
    fn find(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|w| w.word().eq_ignore_ascii_case(text))
    }
}

/// Declares a vocabulary: an enum, its words and their order. Exported for the other pure crates.
#[macro_export]
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident as $label:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $crate::Word for $name {
            const NAME: &'static str = $label;
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str($crate::Word::word(*self))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                <Self as $crate::Word>::find(&text).ok_or_else(|| {
                    let known: Vec<&str> = <Self as $crate::Word>::ALL.iter().map(|w| $crate::Word::word(*w)).collect();
                    serde::de::Error::custom(format!("{text:?} is none of {}", known.join(", ")))
                })
            }
        }
    )*};
}

words! {
    /// GTFS route_type in words, and what runs outside GTFS.
    Mode as "mode" {
        /// Street-level rail.
        Tram = "tram",
        /// Underground or elevated rail.
        Metro = "metro",
        /// Intercity or suburban rail.
        Rail = "rail",
        /// Bus.
        Bus = "bus",
        /// Boat.
        Ferry = "ferry",
        /// Cable tram.
        CableTram = "cable_tram",
        /// Gondola.
        AerialLift = "aerial_lift",
        /// Funicular.
        Funicular = "funicular",
        /// Trolleybus.
        Trolleybus = "trolleybus",
        /// Monorail.
        Monorail = "monorail",
        /// Taxi: positions and emergencies only.
        Taxi = "taxi",
        /// Not said.
        Unknown = "unknown",
    }

    /// GTFS-Realtime VehicleStopStatus.
    StopStatus as "current_status" {
        /// Just about to arrive.
        IncomingAt = "INCOMING_AT",
        /// Standing at the stop.
        StoppedAt = "STOPPED_AT",
        /// Departed and in transit to the next stop.
        InTransitTo = "IN_TRANSIT_TO",
    }

    /// GTFS-Realtime OccupancyStatus. The order is the proto's and is no scale of crowding.
    OccupancyStatus as "occupancy_status" {
        /// Nobody.
        Empty = "EMPTY",
        /// Many seats.
        ManySeatsAvailable = "MANY_SEATS_AVAILABLE",
        /// Few seats.
        FewSeatsAvailable = "FEW_SEATS_AVAILABLE",
        /// Standing only.
        StandingRoomOnly = "STANDING_ROOM_ONLY",
        /// Crushed.
        CrushedStandingRoomOnly = "CRUSHED_STANDING_ROOM_ONLY",
        /// Full.
        Full = "FULL",
        /// Not taking passengers.
        NotAcceptingPassengers = "NOT_ACCEPTING_PASSENGERS",
        /// Not known to the sender.
        NoDataAvailable = "NO_DATA_AVAILABLE",
        /// Never boardable.
        NotBoardable = "NOT_BOARDABLE",
    }

    /// Where a position comes from.
    PositionSource as "position_source" {
        /// Satellite.
        Gps = "gps",
        /// Distance along the route.
        Odometer = "odometer",
        /// Entered by a person.
        Manual = "manual",
        /// Inertial.
        DeadReckoning = "dead_reckoning",
        /// Rail occupancy.
        TrackCircuit = "track_circuit",
        /// Placed at a stop.
        Stop = "stop",
        /// Not said, or a word we do not know.
        Unknown = "unknown",
    }

    /// What a vehicle is doing.
    JourneyState as "journey_state" {
        /// Carrying passengers on a trip.
        InService = "in_service",
        /// Announced for a trip that has not begun.
        Upcoming = "upcoming",
        /// Running empty.
        Deadrun = "deadrun",
        /// Waiting between trips.
        Layover = "layover",
        /// Signed off.
        SignedOff = "signed_off",
    }

    /// CAP status: whether something is meant.
    Status as "status" {
        /// Meant.
        Actual = "actual",
        /// A drill.
        Exercise = "exercise",
        /// A technical test.
        Test = "test",
    }
}

impl Mode {
    /// The mode of a feed's word: ours, GTFS's second names, and HFP's.
    pub fn find_alias(text: &str) -> Option<Self> {
        let alias = |word: &str| text.eq_ignore_ascii_case(word);
        Self::find(text).or_else(|| {
            if alias("subway") {
                Some(Self::Metro)
            } else if alias("train") {
                Some(Self::Rail)
            } else if alias("ubus") || alias("robot") {
                Some(Self::Bus)
            } else if alias("streetcar") || alias("light_rail") {
                Some(Self::Tram)
            } else {
                None
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_word_reads_back<W: Word + std::fmt::Debug>() {
        for word in W::ALL {
            assert_eq!(W::find(&word.word().to_lowercase()), Some(*word));
            assert_eq!(W::find(&word.word().to_uppercase()), Some(*word));
        }
    }

    #[test]
    fn words_are_read_in_any_case() {
        every_word_reads_back::<Mode>();
        every_word_reads_back::<StopStatus>();
        every_word_reads_back::<OccupancyStatus>();
        every_word_reads_back::<PositionSource>();
        every_word_reads_back::<JourneyState>();
        every_word_reads_back::<Status>();
        assert_eq!(Mode::find_alias("SUBWAY"), Some(Mode::Metro));
    }
}
