//! The output formats, one file each, and their registry.
//!
//! A new format is a file with a `FORMAT` and a line in [`FORMATS`]; the API's routes and OpenAPI document read the list.

use alert::{Alert, Incident};
use picture::VehicleRecord;
use transit::UtcMillis;

use crate::{Lang, report::Report};

pub mod csv;
pub mod geojson;
pub mod gtfs_rt;
pub mod gtfs_rt_alerts;
pub mod markdown;
pub mod text;

/// Vehicles, in the order given, as of an instant.
pub type EncodeVehicles = fn(&mut dyn Iterator<Item = &VehicleRecord>, UtcMillis) -> Vec<u8>;
/// Alerts, in the order given, as of an instant, in a language; each with how many stand behind it.
pub type EncodeAlerts = fn(&mut dyn Iterator<Item = (&Alert, usize)>, UtcMillis, Lang) -> Vec<u8>;
/// Incidents, in the order given.
pub type EncodeIncidents = fn(&mut dyn Iterator<Item = &Incident>) -> Vec<u8>;

/// A report of one alert or incident, in a language.
pub type EncodeReport = fn(&Report<'_>, Lang) -> Vec<u8>;

/// One output format and the collections it can carry.
#[derive(Debug, Clone, Copy)]
pub struct FormatDef {
    /// What `f=` says.
    pub code: &'static str,
    /// `Content-Type`.
    pub media_type: &'static str,
    /// One sentence for the API's documentation.
    pub doc: &'static str,
    /// It has a route of its own, and lists do not offer it: a reader who asks a list for `application/json` means
    /// ours, and the OpenAPI document promises ours.
    pub own_route: bool,
    /// Encoder of vehicles.
    pub vehicles: Option<EncodeVehicles>,
    /// Encoder of alerts.
    pub alerts: Option<EncodeAlerts>,
    /// Encoder of incidents.
    pub incidents: Option<EncodeIncidents>,
    /// Encoder of reports.
    pub reports: Option<EncodeReport>,
}

/// Every output format.
pub const FORMATS: &[FormatDef] =
    &[geojson::FORMAT, csv::FORMAT, text::FORMAT, markdown::FORMAT, gtfs_rt::PROTOBUF, gtfs_rt::JSON];

impl FormatDef {
    /// The format of a code.
    pub fn find(code: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|f| f.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_own_code_a_media_type_and_a_sentence() {
        for (i, format) in FORMATS.iter().enumerate() {
            assert!(FORMATS[..i].iter().all(|f| f.code != format.code), "{}", format.code);
            assert!(format.media_type.contains('/') && format.doc.ends_with('.'), "{}", format.code);
            let of_lists = format.vehicles.is_some() || format.alerts.is_some() || format.incidents.is_some();
            assert!(of_lists || format.reports.is_some() || format.own_route, "{} carries nothing", format.code);
            assert_eq!(FormatDef::find(format.code).unwrap().media_type, format.media_type);
        }
        assert!(FormatDef::find("xlsx").is_none());
    }
}
