//! What we know, as bytes for others: GeoJSON, CSV, text, GTFS-Realtime, and reports in Markdown.
//!
//! Knows no HTTP and no clock: `as_of` is an argument. The JSON views of the API are `api`'s. Whoever calls has chosen
//! what its reader may see; nothing is filtered here for secrecy. Start at [`FORMATS`].

mod advisory;
mod columns;
pub mod formats;
mod incident_words;
mod labels;
mod phrases;
mod recording;
mod report;
#[cfg(test)]
mod samples;

pub use advisory::{Advisory, Withheld, concerns_somebody};
pub use formats::{
    EncodeAlerts, EncodeIncidents, EncodeReport, EncodeVehicles, FORMATS, FormatDef,
    gtfs_rt_alerts::service_alerts,
    text::{DegradedLine, StatusFigures, status_text},
};
pub use phrases::{HEADLINE_CHARS, Lang, headline, headline_args, headline_code, place_text, position_text};
pub use recording::{Lack, LackKind, PointFrom, Recorded, RecordedFor, RecordedPoint, RecordedVehicle, Recording};
pub use report::{Marked, Position, Report, Reported, Tenure, TimelineEntry, Unknown};
