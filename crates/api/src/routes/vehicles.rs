//! Vehicles: all of them, one, and where one has been.

use std::{cmp::Ordering, cmp::Reverse, sync::Arc};

use axum::{extract::State, http::HeaderMap, response::Response};
use picture::VehicleRecord;
use transit::{AgencyId, VehicleId, VehicleKey};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Levels, Page, Routes, cut,
    list::{Order, sort_words},
    order_asked, page_params, wait_if_asked,
};
use crate::{
    Shared, Snapshot,
    answer::{Meta, Onward, Picked, Rows, answer, envelope, json, not_modified, whole},
    bodies::{Encode, Recipe, Whole, aside},
    filters::{VehicleFilter, order_of},
    format::{Format, OF_VEHICLES, codes, negotiate},
    params::{NoQuery, PAGING, Params, VEHICLE_FILTERS, WAIT, query},
    problem::ApiError,
    snapshot::Collection,
    views::{TrailView, VehicleView},
};

/// Bytes a vehicle takes in JSON, so that a fleet's body grows once.
const JSON_BYTES: usize = 900;

/// Vehicles.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct VehiclesAnswer {
    data: Vec<VehicleView<'static>>,
    meta: Meta,
}

/// One vehicle.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct VehicleAnswer {
    data: VehicleView<'static>,
    meta: Meta,
}

/// Where a vehicle has been, oldest first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct TrailAnswer {
    data: Vec<TrailView>,
    meta: Meta,
}

fn formats() -> Vec<&'static str> {
    codes(OF_VEHICLES)
}

query! {
    VehiclesQuery = VEHICLE_FILTERS, PAGING, &page_params(sorts, formats), &[WAIT]
}

fn sorts() -> Vec<&'static str> {
    sort_words(ORDERS)
}

const ORDERS: &[Order<Arc<VehicleRecord>>] = &[
    ("id", "-id", |_, _| Ordering::Equal),
    ("age_s", "-age_s", |a, b| true_at(a).cmp(&true_at(b))),
    ("event_time", "-event_time", |a, b| a.event_time.cmp(&b.event_time)),
    ("received_at", "-received_at", |a, b| a.received_at.cmp(&b.received_at)),
    ("delay_s", "-delay_s", |a, b| a.delay_s.cmp(&b.delay_s)),
    ("route_id", "-route_id", |a, b| a.journey.route_id.cmp(&b.journey.route_id)),
    ("mode", "-mode", |a, b| a.mode.cmp(&b.mode)),
    ("freshness", "-freshness", |a, b| order_of(a.freshness).cmp(&order_of(b.freshness))),
];

/// The newer, the smaller the age.
fn true_at(record: &VehicleRecord) -> Reverse<transit::UtcMillis> {
    Reverse(record.event_time.plus_millis(record.offset_ms).min(record.received_at))
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one)).routes(routes!(trail))
}

/// The whole fleet.
pub(super) fn encode(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    let vehicles = &snapshot.view.vehicles;
    match format {
        Format::Json => {
            let rows = Rows::new(vehicles.values().map(|v| VehicleView::of(v, snapshot)));
            envelope(snapshot, &rows, Onward::default(), vehicles.len() * JSON_BYTES)
        }
        Format::Other(def) => {
            def.vehicles.map_or_else(Vec::new, |encode| encode(&mut vehicles.values().map(|v| &**v), snapshot.as_of))
        }
    }
}

/// Vehicles that are known, by id.
///
/// Without filters the whole fleet. A vehicle is never left out because it is silent: look at `freshness`.
#[utoipa::path(get, path = "/v1/vehicles", tag = "vehicles", params(VehiclesQuery),
    responses((status = 200, description = "Vehicles.", body = VehiclesAnswer)))]
async fn list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    params: Params<VehiclesQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let format = negotiate(params.one("f")?, &headers, OF_VEHICLES)?;
    if params.is_plain() {
        let recipe =
            Recipe { whole: Whole::Vehicles, format, collection: Collection::Vehicles, encode: Encode::AsOf(encode) };
        return whole(&shared, &snapshot, &recipe, &headers).await;
    }
    let filter = VehicleFilter::of(&params)?;
    let page = Page::of(&params, &snapshot, None, VehicleView::KEYS)?;
    let (order, reverse) = order_asked(&params, ORDERS)?;
    if !page.fields.is_empty() && !matches!(format, Format::Json) {
        return Err(ApiError::bad_parameter("fields", &page.fields.join(","), "fields with f=json only"));
    }
    let snapshot = wait_if_asked(&shared, snapshot, Collection::Vehicles, &params, None, &headers).await?;
    let revision = (!filter.moves_with_time()).then(|| snapshot.changed(Collection::Vehicles));
    if let Some(response) = revision.and_then(|r| not_modified(&headers, &snapshot, r)) {
        return Ok(response);
    }
    let read = Arc::clone(&snapshot);
    let body = aside(move || {
        let order = |a: &Arc<VehicleRecord>, b: &Arc<VehicleRecord>| {
            let by_key = order(a, b).then_with(|| a.key.cmp(&b.key));
            if reverse { by_key.reverse() } else { by_key }
        };
        select(&read, &filter, &page, format, order)
    })
    .await??;
    Ok(answer(&snapshot, revision, format.media_type(), body))
}

fn select(
    snapshot: &Snapshot,
    filter: &VehicleFilter,
    page: &Page,
    format: Format,
    order: impl Fn(&Arc<VehicleRecord>, &Arc<VehicleRecord>) -> Ordering,
) -> Result<Vec<u8>, ApiError> {
    let after = match &page.after {
        Some(id) => {
            let found = VehicleKey::parse(id).ok().and_then(|key| snapshot.view.vehicles.get(&key));
            Some(found.ok_or_else(|| ApiError::gone("The vehicle this page ended with is gone; begin anew."))?)
        }
        None => None,
    };
    let wanted: Vec<Arc<VehicleRecord>> =
        snapshot.view.vehicles.values().filter(|v| filter.wants(v, snapshot)).cloned().collect();
    let (rows, onward) = cut(wanted, after, page, order, |v| v.key.to_string(), snapshot);
    let capacity = rows.len() * JSON_BYTES;
    Ok(match format {
        Format::Other(def) => {
            def.vehicles.map_or_else(Vec::new, |encode| encode(&mut rows.iter().map(|v| &**v), snapshot.as_of))
        }
        Format::Json if page.fields.is_empty() => {
            envelope(snapshot, &Rows::new(rows.iter().map(|v| VehicleView::of(v, snapshot))), onward, capacity)
        }
        Format::Json => {
            let picked = rows.iter().map(|v| Picked::of(&VehicleView::of(v, snapshot), &page.fields));
            envelope(snapshot, &Rows::new(picked), onward, capacity)
        }
    })
}

pub(super) fn key_of(agency: &str, vehicle: &str) -> Result<VehicleKey, ApiError> {
    let agency = AgencyId::parse(agency).map_err(|e| ApiError::bad_path(&format!("The agency {e}.")))?;
    let vehicle = VehicleId::parse(vehicle).map_err(|e| ApiError::bad_path(&format!("The vehicle {e}.")))?;
    Ok(VehicleKey { agency, vehicle })
}

/// One vehicle.
#[utoipa::path(get, path = "/v1/vehicles/{agency}/{vehicle}", tag = "vehicles",
    params(("agency" = String, Path, description = "Its agency.", min_length = 1, max_length = 64),
           ("vehicle" = String, Path, description = "Its number within the agency.", min_length = 1, max_length = 64),
           NoQuery),
    responses((status = 200, description = "The vehicle.", body = VehicleAnswer)))]
async fn one(
    State(shared): State<Arc<Shared>>,
    Levels((agency, vehicle)): Levels<(String, String)>,
    headers: HeaderMap,
    _: Params<NoQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let key = key_of(&agency, &vehicle)?;
    let record = snapshot.view.vehicles.get(&key);
    let record = record.ok_or_else(|| ApiError::not_found("vehicle", &key.to_string()))?;
    let revision = record.revision.max(snapshot.revisions.status);
    if let Some(response) = not_modified(&headers, &snapshot, revision) {
        return Ok(response);
    }
    Ok(json(&snapshot, Some(revision), &VehicleView::of(record, &snapshot)))
}

/// Where a vehicle has been in the last 60 minutes, thinned, oldest first.
#[utoipa::path(get, path = "/v1/vehicles/{agency}/{vehicle}/trail", tag = "vehicles",
    params(("agency" = String, Path, description = "Its agency.", min_length = 1, max_length = 64),
           ("vehicle" = String, Path, description = "Its number within the agency.", min_length = 1, max_length = 64),
           NoQuery),
    responses((status = 200, description = "Its places.", body = TrailAnswer)))]
async fn trail(
    State(shared): State<Arc<Shared>>,
    Levels((agency, vehicle)): Levels<(String, String)>,
    _: Params<NoQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let key = key_of(&agency, &vehicle)?;
    let unknown = || ApiError::not_found("vehicle", &key.to_string());
    if !snapshot.view.vehicles.contains_key(&key) {
        return Err(unknown());
    }
    let points = (shared.sources.trail)(&key).ok_or_else(unknown)?;
    Ok(json(&snapshot, None, &Rows::new(points.iter().map(TrailView::of))))
}
