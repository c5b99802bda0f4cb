//! A fact, or why it is not known. Nothing is guessed and nothing is left out without a word.

use transit::words;

words! {
    /// Why a fact is not known.
    Reason as "unknown_reason" {
        /// It follows from the timetable or the network, and there is none.
        NoTimetable = "no_timetable",
        /// The vehicle did not say.
        NotReported = "not_reported",
        /// The subject is no vehicle.
        NoVehicle = "no_vehicle",
        /// The vehicle was never heard.
        NeverHeard = "never_heard",
        /// Nobody knows where it is.
        NoPosition = "no_position",
        /// Nobody knows which way it goes.
        NoCourse = "no_course",
        /// Nobody knows on which route it runs.
        NoRoute = "no_route",
        /// The place on the map cannot be read.
        NoArea = "no_area",
    }
}

/// A fact, or why it is not known.
#[derive(Debug, Clone, PartialEq)]
pub enum Known<T> {
    /// It is so.
    Known(T),
    /// Nobody can say, because.
    Unknown(Reason),
}

impl<T> Known<T> {
    /// What was reported, if it was.
    pub fn reported(fact: Option<T>) -> Self {
        fact.map_or(Self::Unknown(Reason::NotReported), Self::Known)
    }

    /// The fact.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::Unknown(_) => None,
        }
    }

    /// Why there is none.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(reason) => Some(*reason),
        }
    }
}
