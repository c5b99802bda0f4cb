//! Places the control room needs, as configured.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use impact::PlaceKind;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    Shared,
    answer::{Meta, Rows, json},
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

query! {
    PlacesQuery = &[many("kind", Shape::Words(words::<PlaceKind>), "Places of these kinds.")]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list))
}

/// Places of the configured file, in its order: hospitals, depots, turn-backs, cameras, contacts and more.
#[utoipa::path(get, path = "/v1/places", tag = "impact", params(PlacesQuery),
    responses((status = 200, description = "Places.", body = PlacesAnswer)))]
async fn list(State(shared): State<Arc<Shared>>, params: Params<PlacesQuery>) -> Result<Response, ApiError> {
    let kinds: Vec<PlaceKind> = params.words("kind")?;
    let snapshot = shared.live()?;
    let wanted = |kind| kinds.is_empty() || kinds.contains(&kind);
    let rows = snapshot.guide.places.all().iter().filter(|place| wanted(place.kind));
    Ok(json(&snapshot, None, &Rows::new(rows.map(|place| PlaceView::of(place, None)))))
}
