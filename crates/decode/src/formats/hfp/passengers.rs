//! Automatic passenger counts: how full a vehicle is.
//!
//! Both spellings that are recorded, `vehicleloadratio` on the wire and `vehicleLoadRatio` in exports. A partial count
//! has no ratio, and a count that could not be made has -1 as its load.

use transit::OccupancyStatus;

use crate::json::{Raw, object};

object! {
    /// `vehiclecounts`.
    Counts {
        ratio: "vehicleloadratio" | "vehicleLoadRatio",
        load: "vehicleload" | "vehicleLoad",
    } ignored {
        "countquality", "countQuality", "doorcounts", "doorCounts", "totalpassengersin", "totalpassengersout",
    }
}

/// Percent of capacity, where it was counted.
pub(super) fn percentage(counts: &Counts<'_>) -> Option<u32> {
    if matches!(counts.load, Raw::Signed(_)) {
        return None;
    }
    let ratio = match counts.ratio {
        Raw::Float(ratio) => ratio,
        Raw::Unsigned(whole) => whole as f64,
        Raw::Absent | Raw::Bool(_) | Raw::Signed(_) | Raw::Text(_) | Raw::List(_) | Raw::Object => return None,
    };
    (0.0..=10.0).contains(&ratio).then(|| (ratio * 100.0).round() as u32)
}

/// HSL's own steps from percent to words.
pub fn percentage_status(percentage: u32) -> OccupancyStatus {
    match percentage {
        0..5 => OccupancyStatus::Empty,
        5..20 => OccupancyStatus::ManySeatsAvailable,
        20..50 => OccupancyStatus::FewSeatsAvailable,
        50..70 => OccupancyStatus::StandingRoomOnly,
        70..90 => OccupancyStatus::CrushedStandingRoomOnly,
        90.. => OccupancyStatus::Full,
    }
}
