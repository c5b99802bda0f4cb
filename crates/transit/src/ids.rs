//! Identifiers. Cheap to clone, ordered, never empty, never longer than they may be.

use std::fmt;

use ecow::EcoString;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// More characters than the bound.
    #[error("has {found} characters, at most {max} are allowed")]
    TooLong {
        /// Characters found.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// A control character, which would corrupt logs and displays.
    #[error("holds the control character U+{0:04X}")]
    Control(u32),
    /// A percent-encoded level that is not UTF-8 once decoded.
    #[error("is not UTF-8 after percent-decoding")]
    NotUtf8,
}

fn check(text: &str, max: usize) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    // A text of at most `max` bytes cannot have more than `max` characters: the common case counts nothing.
    if text.len() > max {
        let found = text.chars().count();
        if found > max {
            return Err(IdError::TooLong { found, max });
        }
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(IdError::Control(u32::from(c))),
        None => Ok(()),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $max:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(EcoString);

        impl $name {
            /// The most characters one may have.
            pub const MAX_CHARS: usize = $max;

            /// Takes `text` as it is.
            ///
            /// # Errors
            /// Empty, too long, or with a control character.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check(text, Self::MAX_CHARS).map(|()| Self(EcoString::from(text)))
            }

            /// Takes one percent-encoded topic or path level.
            ///
            /// # Errors
            /// As [`Self::parse`], and when the decoded bytes are not UTF-8.
            pub fn parse_level(level: &str) -> Result<Self, IdError> {
                if !level.contains('%') {
                    return Self::parse(level);
                }
                match percent_decode_str(level).decode_utf8() {
                    Ok(text) => Self::parse(&text),
                    Err(_) => Err(IdError::NotUtf8),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    )*};
}

ids! {
    /// Who owns a vehicle (GTFS agency, HFP operator level).
    AgencyId, 64;
    /// A vehicle's own number; unique only together with its agency.
    VehicleId, 64;
    /// A configured source of messages.
    FeedId, 64;
    /// GTFS route_id.
    RouteId, 128;
    /// GTFS trip_id.
    TripId, 128;
    /// GTFS stop_id.
    StopId, 128;
    /// GTFS block_id.
    BlockId, 128;
}

/// What must be escaped in one level of a path or topic.
const LEVEL: &AsciiSet = &CONTROLS.add(b'/').add(b'%').add(b'+').add(b'#').add(b'?').add(b' ');

/// A vehicle: its owner and its number. Displayed as `agency/vehicle`, each part percent-encoded where it must be.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct VehicleKey {
    /// The owner.
    pub agency: AgencyId,
    /// The number within the owner.
    pub vehicle: VehicleId,
}

impl VehicleKey {
    /// Reads the displayed form back.
    ///
    /// # Errors
    /// Not two levels, or a level that is no id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let (agency, vehicle) = text.split_once('/').ok_or(IdError::Empty)?;
        Ok(Self { agency: AgencyId::parse_level(agency)?, vehicle: VehicleId::parse_level(vehicle)? })
    }

    /// As people read it: nothing escaped. Not to be parsed.
    pub fn spoken(&self) -> String {
        format!("{}/{}", self.agency, self.vehicle)
    }
}

impl fmt::Display for VehicleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}",
            utf8_percent_encode(self.agency.as_str(), LEVEL),
            utf8_percent_encode(self.vehicle.as_str(), LEVEL)
        )
    }
}

impl fmt::Debug for VehicleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_level_is_any_utf8_of_1_to_64_characters() {
        let long = "ä".repeat(64);
        assert_eq!(VehicleId::parse_level("Itä 4%2F2").unwrap().as_str(), "Itä 4/2");
        assert_eq!(VehicleId::parse_level(&long).unwrap().as_str(), long);
        assert_eq!(VehicleId::parse(&"x".repeat(65)), Err(IdError::TooLong { found: 65, max: 64 }));
        assert_eq!(VehicleId::parse_level(""), Err(IdError::Empty));
        assert_eq!(VehicleId::parse_level("a%00b"), Err(IdError::Control(0)));
        assert_eq!(VehicleId::parse_level("%ff"), Err(IdError::NotUtf8));
    }

    #[test]
    fn a_key_survives_its_text_form() {
        for (agency, vehicle) in [("0018", "00640"), ("a/b", "c d%"), ("서울", "74사1234")] {
            let key =
                VehicleKey { agency: AgencyId::parse(agency).unwrap(), vehicle: VehicleId::parse(vehicle).unwrap() };
            assert_eq!(key.spoken(), format!("{agency}/{vehicle}"));
            assert_eq!(VehicleKey::parse(&key.to_string()), Ok(key));
        }
    }
}
