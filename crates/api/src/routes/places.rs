//! Places the control room needs, as configured, and the standing ones among them armed by one call.

use std::sync::Arc;

use alert::{IncidentDeed, IncidentKind, Severity};
use axum::{extract::State, response::Response};
use impact::{Place, PlaceKind};
use serde::Deserialize;
use serde_json::{Map, Value, json as object};
use transit::{Status, Word as _};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Levels, Routes,
    commands::{PlainOrder, bodies, instant, word, words_schema},
    incident_orders::{deed, report_of},
    incidents::IncidentAnswer,
};
use crate::{
    Shared,
    answer::{Meta, Rows, json},
    orders::{Asked, NothingMore, OrderQuery, Signature, Signed},
    params::{Params, Shape, many, query, words},
    problem::ApiError,
    views::PlaceView,
};

/// Places.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct PlacesAnswer {
    data: Vec<PlaceView<'static>>,
    meta: Meta,
}

/// What a standing place is armed for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Hazard {
    /// What happened there; `flood` when left away.
    #[schema(schema_with = words_schema::<IncidentKind>)]
    kind: Option<String>,
    /// How bad; the kind's default when left away.
    #[schema(schema_with = words_schema::<Severity>)]
    severity: Option<String>,
    /// Meant or a drill; `actual` when left away.
    #[schema(schema_with = words_schema::<Status>)]
    status: Option<String>,
    /// It is disarmed by itself then, at most 31 days ahead: RFC 3339 with an offset. When left away somebody disarms it.
    #[schema(format = DateTime)]
    until: Option<String>,
}

bodies! {
    /// Arms a standing place.
    ArmOrder = Hazard;
}

query! {
    PlacesQuery = &[many("kind", Shape::Words(words::<PlaceKind>), "Places of these kinds.")]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(arm)).routes(routes!(disarm))
}

/// Places of the configured file, in its order: hospitals, depots, turn-backs, cameras, contacts and more.
#[utoipa::path(get, path = "/v1/places", tag = "impact", params(PlacesQuery),
    responses((status = 200, description = "Places.", body = PlacesAnswer)))]
async fn list(State(shared): State<Arc<Shared>>, params: Params<PlacesQuery>) -> Result<Response, ApiError> {
    let kinds: Vec<PlaceKind> = params.words("kind")?;
    let snapshot = shared.live()?;
    let wanted = |kind| kinds.is_empty() || kinds.contains(&kind);
    let rows = snapshot.guide.places.all().iter().filter(|place| wanted(place.kind));
    Ok(json(&snapshot, None, &Rows::new(rows.map(|place| PlaceView::of(place, None, &snapshot)))))
}

/// The standing place of an id, as configured.
fn standing(signed: &Signed, id: &str) -> Result<Place, ApiError> {
    let snapshot = signed.shared.newest();
    let place = snapshot.guide.places.find(id).ok_or_else(|| ApiError::not_found("place", id))?;
    if !place.standing {
        let detail = format!(
            "{id} is not kept ready to be armed: give it \"standing\": true in the places file, and a width or a polygon."
        );
        return Err(ApiError::conflict("not-standing", "Not kept ready", detail));
    }
    Ok(place.clone())
}

/// The incident that `place` is while it is armed, as a source would publish it.
fn incident_of(place: &Place, hazard: &Hazard) -> Result<Map<String, Value>, ApiError> {
    let kind: IncidentKind = hazard.kind.as_ref().map_or(Ok(IncidentKind::Flood), |k| word("kind", Some(k)))?;
    let severity: Option<Severity> = hazard.severity.as_ref().map(|s| word("severity", Some(s))).transpose()?;
    let status: Status = hazard.status.as_ref().map_or(Ok(Status::Actual), |s| word("status", Some(s)))?;
    let mut said = Map::new();
    said.insert("kind".to_owned(), object!(kind.word()));
    said.insert("status".to_owned(), object!(status.word()));
    said.insert("title".to_owned(), object!(format!("{}: {}", place.name, kind.word())));
    said.insert("geometry".to_owned(), serde_json::from_str(&place.geometry).unwrap_or_default());
    if let Some(width_m) = place.width_m {
        said.insert("radius_m".to_owned(), object!(width_m));
    }
    if let Some(severity) = severity {
        said.insert("severity".to_owned(), object!(severity.word()));
    }
    Ok(said)
}

/// Arms a standing place by one call: from then on it is an incident of operators with the place's area.
///
/// Vehicles inside and heading there are alerts, cards know of it, and it is on record as any incident is. Repeating
/// it changes nothing; whoever armed it may change how; for others it is armed already (409 `already-armed`).
#[utoipa::path(post, path = "/v1/places/{id}/arm", tag = "impact",
    params(("id" = String, Path, description = "Its id in the places file."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = ArmOrder, responses((status = 200, description = "It is armed.", body = IncidentAnswer)))]
async fn arm(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, hazard): (_, Hazard) = asked.read().await?;
    let until = instant("until", hazard.until.as_deref())?;
    let place = standing(&signed, &id)?;
    let key = place.incident_key();
    let report = report_of(&signed, &key, &incident_of(&place, &hazard)?)?;
    deed(signed, key, IncidentDeed::Arm { report, until }).await
}

/// Disarms a standing place: its incident is closed.
///
/// As closing that incident does. Repeating it changes nothing; what was never armed has no incident (404).
#[utoipa::path(post, path = "/v1/places/{id}/disarm", tag = "impact",
    params(("id" = String, Path, description = "Its id in the places file."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder, responses((status = 200, description = "It is not armed.", body = IncidentAnswer)))]
async fn disarm(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    let key = standing(&signed, &id)?.incident_key();
    deed(signed, key, IncidentDeed::Close).await
}
