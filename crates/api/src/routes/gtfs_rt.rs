//! GTFS-Realtime, as the rest of the world reads us.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use publish::{
    Advisory, FormatDef,
    formats::{gtfs_rt, gtfs_rt_alerts},
};
use transit::UtcMillis;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    Shared, Snapshot,
    answer::whole,
    bodies::{Encode, Recipe, Whole},
    format::Format,
    params::{NoQuery, Params},
    problem::ApiError,
    snapshot::Collection,
};

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(protobuf))
        .routes(routes!(json))
        .routes(routes!(alerts_protobuf))
        .routes(routes!(alerts_json))
}

fn is_protobuf(format: Format) -> bool {
    matches!(format, Format::Other(def) if def.code == gtfs_rt::PROTOBUF.code)
}

fn vehicles(snapshot: &Snapshot, format: Format, stamp: UtcMillis) -> Vec<u8> {
    let vehicles = snapshot.view.vehicles.values().map(|vehicle| &**vehicle);
    let message = gtfs_rt::vehicle_positions(vehicles, snapshot.as_of, stamp);
    if is_protobuf(format) { gtfs_rt::to_pb(&message) } else { gtfs_rt::to_json(&message) }
}

async fn feed(shared: &Shared, headers: &HeaderMap, def: &'static FormatDef) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let recipe = Recipe {
        whole: Whole::Vehicles,
        format: Format::Other(def),
        collection: Collection::Vehicles,
        encode: Encode::Stamped(vehicles),
    };
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

/// What operators have told the public, and no more than that.
fn advisories(snapshot: &Snapshot, format: Format, stamp: UtcMillis) -> Vec<u8> {
    let public: Vec<Advisory> = snapshot.room.incidents().filter_map(|incident| Advisory::of(incident).ok()).collect();
    let message = gtfs_rt_alerts::service_alerts(&public, stamp);
    if is_protobuf(format) { gtfs_rt::to_pb(&message) } else { gtfs_rt::to_json(&message) }
}

async fn alerts(shared: &Shared, headers: &HeaderMap, def: &'static FormatDef) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let (format, collection) = (Format::Other(def), Collection::Incidents);
    let recipe = Recipe { whole: Whole::Advisories, format, collection, encode: Encode::Stamped(advisories) };
    whole(shared, &snapshot, &recipe, headers).await
}

/// Service alerts that operators have published, as a GTFS-Realtime 2.0 FeedMessage, FULL_DATASET, protobuf.
#[utoipa::path(get, path = "/gtfs-rt/alerts.pb", tag = "gtfs-rt", params(NoQuery),
    responses((status = 200, description = "FeedMessage.", body = Vec<u8>, content_type = "application/x-protobuf")))]
async fn alerts_protobuf(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    _: Params<NoQuery>,
) -> Result<Response, ApiError> {
    alerts(&shared, &headers, &gtfs_rt::PROTOBUF).await
}

/// Service alerts that operators have published, as canonical protobuf-JSON.
#[utoipa::path(get, path = "/gtfs-rt/alerts.json", tag = "gtfs-rt", params(NoQuery),
    responses((status = 200, description = "FeedMessage.", body = Object, content_type = "application/json")))]
async fn alerts_json(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    _: Params<NoQuery>,
) -> Result<Response, ApiError> {
    alerts(&shared, &headers, &gtfs_rt::JSON).await
}
