//! One vehicle as of one instant: how old what it said is, and how far its position can be trusted.

use picture::{Freshness, QualityFlag, VehicleRecord};
use transit::{Coordinate, JourneyState, UtcMillis};

use crate::index::position_true_at;

/// Seconds from milliseconds, never negative.
pub(crate) fn seconds(millis: i64) -> f64 {
    millis.max(0) as f64 / 1000.0
}

/// A position read as of an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    pub(crate) coordinate: Coordinate,
    /// Metres the position may be off.
    pub(crate) accuracy_m: f64,
    /// Seconds since the newest message was true.
    pub(crate) age_s: f64,
    /// Seconds since the position was true; never less than `age_s` allows.
    pub(crate) position_age_s: f64,
    /// Something about the position is to be doubted.
    pub(crate) doubtful: bool,
}

impl Reading {
    /// A record at `coordinate`. A vehicle that does not say how well it knows its place is taken at
    /// `accuracy_default_m`, and nobody is believed to be off by more than `accuracy_max_m`.
    pub(crate) fn of(record: &VehicleRecord, coordinate: Coordinate, as_of: UtcMillis, trust: Trust) -> Self {
        let said = record.accuracy_m.map(f64::from).filter(|a| a.is_finite() && *a >= 0.0);
        let age_s = seconds(record.age_ms(as_of));
        Self {
            coordinate,
            accuracy_m: said.unwrap_or(trust.accuracy_default_m).min(trust.accuracy_max_m),
            age_s,
            position_age_s: seconds(as_of.since(position_true_at(record))).max(age_s),
            doubtful: is_doubtful(record),
        }
    }
}

/// What to believe of stated accuracies, in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trust {
    pub(crate) accuracy_default_m: f64,
    pub(crate) accuracy_max_m: f64,
}

/// Whether a flag speaks against the position itself. A wrong clock does not: ages are corrected for it.
pub(crate) fn is_doubtful(record: &VehicleRecord) -> bool {
    [
        QualityFlag::NullIsland,
        QualityFlag::NotFinite,
        QualityFlag::OutOfRange,
        QualityFlag::SwappedAxes,
        QualityFlag::Jump,
        QualityFlag::Retained,
    ]
    .into_iter()
    .any(|flag| record.quality.contains(flag))
}

/// Whether it is heard and on the road: neither stale, nor lost, nor signed off.
pub(crate) fn is_in_use(record: &VehicleRecord) -> bool {
    matches!(record.freshness, Freshness::Live | Freshness::Aging) && !is_signed_off(record)
}

/// Whether its driver has left it.
pub(crate) fn is_signed_off(record: &VehicleRecord) -> bool {
    record.journey.state == Some(JourneyState::SignedOff)
}

/// Whether somebody expects it to speak: in service, or unknown with a route or a trip.
pub(crate) fn is_expected(record: &VehicleRecord) -> bool {
    match record.journey.state {
        Some(state) => state == JourneyState::InService,
        None => record.journey.route_id.is_some() || record.journey.trip_id.is_some(),
    }
}
