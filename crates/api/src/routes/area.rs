//! What an area means: who is inside, who will be, who is unaccounted for.

use std::sync::Arc;

use axum::{Extension, body::Body, extract::State, http::HeaderMap, response::Response};
use impact::{Area, AreaError, AreaName, Reach, ReachOptions};
use picture::VehicleRecord;
use serde_json::Value;
use transit::Coordinate;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Routes, sees_covert};
use crate::{
    Principal, Shared, Snapshot, TrailSource,
    answer::{Meta, Onward, answer, envelope},
    bodies::aside,
    body::read_json,
    desk::with_desk,
    filters::VehicleFilter,
    format::Format,
    params::{Param, Params, Query, Shape, many, one, query, words},
    problem::ApiError,
    views::ReachView,
};

/// The largest radius or half-width that can be asked for, in metres: a metropolis with its surroundings.
const RADIUS_MAX_M: f64 = 200_000.0;
const RADIUS_MIN_M: f64 = 1.0;

/// What an area means for the fleet.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct AreaAnswer {
    data: ReachView<'static>,
    meta: Meta,
}

/// A GeoJSON geometry, feature or collection of features; as a member `radius_m` the width of its points and lines.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct AreaBody {
    /// The GeoJSON type.
    #[schema(example = "LineString")]
    r#type: String,
    /// Positions of a geometry, [longitude, latitude].
    #[schema(value_type = Option<Vec<Value>>)]
    coordinates: Option<Vec<Value>>,
    /// Geometry of a feature.
    #[schema(value_type = Option<Object>)]
    geometry: Option<Value>,
    /// Radius of points and half-width of lines in metres; a feature's property of this name goes first.
    #[schema(example = 50)]
    radius_m: Option<f64>,
}

const CIRCLE: &[Param] = &[
    one("lat", Shape::Number(-90.0, 90.0), "Degrees north of the middle. Required."),
    one("lon", Shape::Number(-180.0, 180.0), "Degrees east of the middle. Required."),
    one("radius_m", Shape::Number(RADIUS_MIN_M, RADIUS_MAX_M), "Radius in metres. Required."),
];

const FILTERS: &[Param] = &[
    many("mode", Shape::Words(words::<transit::Mode>), "Only vehicles of these modes."),
    many("agency_id", Shape::Text, "Only vehicles of these agencies."),
    many("route_id", Shape::Text, "Only vehicles on these routes; those that do not say theirs are left out."),
];

query! {
    CircleQuery = CIRCLE, FILTERS
}

query! {
    ShapeQuery = FILTERS
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(circle, shape))
}

/// What a circle means: who is inside, who will be in 2, 5 and 10 minutes, who has gone dark there.
///
/// A vehicle whose accuracy reaches in counts as inside; a silent one stays in `unaccounted`; one whose position cannot
/// be true is in `unplaced`.
#[utoipa::path(get, path = "/v1/area", tag = "impact", params(CircleQuery),
    responses((status = 200, description = "What it means.", body = AreaAnswer)))]
async fn circle(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    params: Params<CircleQuery>,
) -> Result<Response, ApiError> {
    let number = |name, from, to, needed| {
        params.number(name, from, to)?.ok_or_else(|| ApiError::missing_parameter(name, needed))
    };
    let lat = number("lat", -90.0, 90.0, "degrees north, from -90 to 90, like 37.5665")?;
    let lon = number("lon", -180.0, 180.0, "degrees east, from -180 to 180, like 126.978")?;
    let radius_m = number("radius_m", RADIUS_MIN_M, RADIUS_MAX_M, "metres, from 1 to 200000, like 300")?;
    let found = || ApiError::bad_parameter("lat", &lat.to_string(), "degrees north, from -90 to 90");
    let Ok(centre) = Coordinate::parse(lat, lon) else { return Err(found()) };
    let area = Area::around(AreaName::query(), centre, radius_m).map_err(|e| refused(&e))?;
    reach(&shared, &principal, &params, area).await
}

/// What a shape means: a GeoJSON geometry, feature or collection. Reads; changes nothing.
///
/// Points and lines cover nothing by themselves: `radius_m`, in the body beside `type`, gives them a width.
#[utoipa::path(post, path = "/v1/area", tag = "impact", params(ShapeQuery), request_body = AreaBody,
    responses((status = 200, description = "What it means.", body = AreaAnswer)))]
async fn shape(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    params: Params<ShapeQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let geojson: Value = read_json(&headers, body).await?;
    let given = Some(&geojson["radius_m"]).filter(|given| !given.is_null());
    let width = given.and_then(Value::as_f64).filter(|metres| (RADIUS_MIN_M..=RADIUS_MAX_M).contains(metres));
    if given.is_some() && width.is_none() {
        return Err(ApiError::bad_member("radius_m", "has to be metres from 1 to 200000, like 50"));
    }
    let area = Area::of_geojson(AreaName::query(), &geojson.to_string(), width).map_err(|e| refused(&e))?;
    reach(&shared, &principal, &params, area).await
}

/// What is wrong with an area says so as `field: what and how to repair it`.
fn refused(error: &AreaError) -> ApiError {
    let text = error.to_string();
    let (field, detail) = text.split_once(": ").unwrap_or(("geometry", &text));
    ApiError::bad_member(field, detail)
}

async fn reach<Q: Query>(
    shared: &Shared,
    principal: &Principal,
    params: &Params<Q>,
    area: Area,
) -> Result<Response, ApiError> {
    let filter = VehicleFilter::of(params)?;
    let snapshot = shared.live()?;
    let (read, trail, see_covert) = (Arc::clone(&snapshot), Arc::clone(&shared.sources.trail), sees_covert(principal));
    let body = aside(move || encode(&read, &trail, see_covert, &area, &filter)).await?;
    Ok(answer(&snapshot, None, Format::Json.media_type(), body))
}

fn encode(snapshot: &Snapshot, trail: &TrailSource, see_covert: bool, area: &Area, filter: &VehicleFilter) -> Vec<u8> {
    with_desk(snapshot, trail, see_covert, |desk| {
        let mut reach = Reach::of(area, &desk.scene, &ReachOptions::default());
        let wanted = |record: &VehicleRecord| filter.wants(record, snapshot);
        reach.inside.retain(|row| wanted(&row.vehicle));
        reach.entering.retain(|row| wanted(&row.vehicle));
        reach.unaccounted.retain(|row| wanted(&row.vehicle));
        reach.unplaced.retain(|row| wanted(&row.vehicle));
        envelope(snapshot, &ReachView::of(area, &reach, desk.areas, snapshot), Onward::default(), 0)
    })
}
