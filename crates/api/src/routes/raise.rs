//! An operator raises an alert: most calls come by radio.

use alert::{AlarmKind, OperatorAlert, Order, Priority, Subject};
use axum::response::Response;
use serde::Deserialize;
use transit::{Coordinate, Status};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Routes,
    alerts::AlertAnswer,
    commands::{bodies, instant, word, words_schema},
    subject_of,
};
use crate::{
    orders::{Asked, OrderQuery, Signature, TEXT_MAX, bounded},
    problem::ApiError,
};

/// What the operator was told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Told {
    /// About what: `vehicle:18/423`, `stop:1050109`, `line:402`, or `area:` and a name. A place alone (`lat`, `lon`)
    /// will do.
    #[schema(max_length = 300)]
    subject: Option<String>,
    /// What happened. Required.
    #[schema(schema_with = words_schema::<AlarmKind>, required)]
    kind: Option<String>,
    /// How soon; the kind's own when left away.
    #[schema(schema_with = words_schema::<Priority>)]
    priority: Option<String>,
    /// Meant, drill or test; actual when left away.
    #[schema(schema_with = words_schema::<Status>)]
    status: Option<String>,
    /// In words.
    #[schema(max_length = 2000)]
    text: Option<String>,
    /// Displays stay silent; the kind's own when left away.
    covert: Option<bool>,
    /// Degrees north, with `lon`.
    #[schema(minimum = -90, maximum = 90)]
    lat: Option<f64>,
    /// Degrees east, with `lat`.
    #[schema(minimum = -180, maximum = 180)]
    lon: Option<f64>,
    /// It is over by then unless said otherwise.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

bodies! {
    /// Raises an alert.
    RaiseOrder = Told;
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(raise))
}

/// Raises an alert for a vehicle, stop, route or place. Nobody has it yet: take it like any other.
///
/// The same again while it is open is a further report of it.
#[utoipa::path(post, path = "/v1/alerts", tag = "alerts",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = RaiseOrder, responses((status = 200, description = "It is raised.", body = AlertAnswer)))]
async fn raise(asked: Asked) -> Result<Response, ApiError> {
    let (signed, told): (_, Told) = asked.read().await?;
    let place = match (told.lat, told.lon) {
        (None, None) => None,
        (Some(lat), Some(lon)) => {
            let place = Coordinate::parse(lat, lon);
            Some(place.map_err(|error| ApiError::bad_member("lat", &format!("with lon, {error}")))?)
        }
        (Some(_), None) => return Err(ApiError::bad_member("lon", "is required with lat")),
        (None, Some(_)) => return Err(ApiError::bad_member("lat", "is required with lon")),
    };
    let subject = match (&told.subject, place) {
        (Some(text), _) => subject_of("subject", text)?,
        (None, Some(at)) => Subject::Area(format!("{:.5},{:.5}", at.lat(), at.lon())),
        (None, None) => return Err(ApiError::bad_member("subject", "is required, or a place by lat and lon")),
    };
    let said = OperatorAlert {
        subject,
        kind: word("kind", told.kind.as_deref())?,
        priority: told.priority.map(|said| word("priority", Some(&said))).transpose()?,
        status: told.status.map_or(Ok(Status::Actual), |said| word("status", Some(&said)))?,
        text: bounded("text", told.text, TEXT_MAX)?,
        covert: told.covert,
        lat: place.map(Coordinate::lat),
        lon: place.map(Coordinate::lon),
        expires_at: instant("expires_at", told.expires_at.as_deref())?,
    };
    signed.give(Order::Raise(Box::new(said))).await
}
