//! GTFS-Realtime, as the rest of the world reads us.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use publish::{FormatDef, formats::gtfs_rt};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Routes, vehicles::encode};
use crate::{
    Shared,
    answer::whole,
    bodies::{Recipe, Whole},
    format::Format,
    params::{NoQuery, Params},
    problem::ApiError,
    snapshot::Collection,
};

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(protobuf)).routes(routes!(json))
}

async fn feed(shared: &Shared, headers: &HeaderMap, def: &'static FormatDef) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let recipe =
        Recipe { whole: Whole::Vehicles, format: Format::Other(def), collection: Collection::Vehicles, encode };
    whole(shared, &snapshot, &recipe, headers).await
}

/// Vehicle positions as a GTFS-Realtime 2.0 FeedMessage, FULL_DATASET, protobuf.
#[utoipa::path(get, path = "/gtfs-rt/vehicle-positions.pb", tag = "gtfs-rt", params(NoQuery),
    responses((status = 200, description = "FeedMessage.", body = Vec<u8>, content_type = "application/x-protobuf")))]
async fn protobuf(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    _: Params<NoQuery>,
) -> Result<Response, ApiError> {
    feed(&shared, &headers, &gtfs_rt::PROTOBUF).await
}

/// Vehicle positions as a GTFS-Realtime 2.0 FeedMessage, FULL_DATASET, canonical protobuf-JSON.
#[utoipa::path(get, path = "/gtfs-rt/vehicle-positions.json", tag = "gtfs-rt", params(NoQuery),
    responses((status = 200, description = "FeedMessage.", body = Object, content_type = "application/json")))]
async fn json(State(shared): State<Arc<Shared>>, headers: HeaderMap, _: Params<NoQuery>) -> Result<Response, ApiError> {
    feed(&shared, &headers, &gtfs_rt::JSON).await
}
