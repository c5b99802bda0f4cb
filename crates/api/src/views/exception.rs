//! An exception as JSON.

use std::collections::BTreeMap;

use detect::Exception;
use serde::Serialize;
use utoipa::ToSchema;

use super::{PriorityWord, Stamp};

/// One condition that is out of order.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExceptionView<'a> {
    /// Stable while it lasts.
    #[schema(example = "VEH.SILENT:vehicle:18/423")]
    id: &'a str,
    /// The rule's code.
    rule: &'a str,
    /// What it is about.
    subject: String,
    /// How bad, as an alert would be.
    #[schema(inline)]
    priority: PriorityWord,
    /// Since when it holds.
    since: Stamp,
    /// The feed it concerns.
    feed_id: Option<&'a str>,
    /// The vehicles it concerns, `agency/number`.
    vehicles: Vec<String>,
    /// Thresholds and measured values, with their unit in the name.
    figures: &'a BTreeMap<String, String>,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
}

impl<'a> ExceptionView<'a> {
    /// Of an exception.
    pub(crate) fn of(exception: &'a Exception) -> Self {
        Self {
            id: &exception.id,
            rule: exception.rule,
            subject: exception.subject.to_string(),
            priority: PriorityWord(exception.priority),
            since: Stamp(exception.since),
            feed_id: exception.feed.as_ref().map(transit::FeedId::as_str),
            vehicles: exception.vehicles.iter().map(ToString::to_string).collect(),
            figures: &exception.evidence.figures,
            lat: exception.evidence.lat,
            lon: exception.evidence.lon,
        }
    }
}
