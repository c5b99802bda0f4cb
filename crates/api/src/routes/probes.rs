//! For those who run the service: is it alive, is it ready, what does it count.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    Shared,
    answer::answer,
    bodies::aside,
    format::Format,
    params::{NoQuery, Params},
    problem::ApiError,
};

/// Whether requests can be served, check by check.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// Every check is.
    ready: bool,
    /// The checks.
    checks: Vec<Check>,
}

/// One check.
#[derive(Serialize, ToSchema)]
struct Check {
    /// Its name.
    name: String,
    /// It is.
    ready: bool,
    /// In words.
    detail: String,
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(livez)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// Alive: the picture advances. Open to everybody.
#[utoipa::path(get, path = "/livez", tag = "probes", security(()), params(NoQuery),
    responses((status = 200, description = "Alive.", body = String, content_type = "text/plain; charset=utf-8")))]
async fn livez(State(shared): State<Arc<Shared>>, _: Params<NoQuery>) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    Ok(answer(&snapshot, None, "text/plain; charset=utf-8", "alive\n"))
}

/// Ready: every check passes. A silent feed is degraded, never not-ready. Open to everybody.
#[utoipa::path(get, path = "/readyz", tag = "probes", security(()), params(NoQuery),
    responses((status = 200, description = "Ready.", body = Readiness),
              (status = 503, description = "Not ready; the checks say why.", body = Readiness)))]
async fn readyz(State(shared): State<Arc<Shared>>, _: Params<NoQuery>) -> Response {
    let snapshot = shared.newest();
    let check = |(name, ready, detail): &(String, bool, String)| Check {
        name: name.clone(),
        ready: *ready,
        detail: detail.clone(),
    };
    let mut checks: Vec<Check> = snapshot.checks.iter().map(check).collect();
    let moving = shared.is_moving();
    let detail = if moving { "advances" } else { "has not advanced for 5 s" };
    checks.push(Check { name: "picture".to_owned(), ready: moving, detail: detail.to_owned() });
    let ready = checks.iter().all(|c| c.ready);
    let body = serde_json::to_vec(&Readiness { ready, checks }).unwrap_or_default();
    let mut response = answer(&snapshot, None, Format::Json.media_type(), body);
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

/// What the service counts, as Prometheus text.
#[utoipa::path(get, path = "/metrics", tag = "probes", params(NoQuery),
    responses((status = 200, description = "Metrics.", body = String, content_type = "text/plain; version=0.0.4")))]
async fn metrics(State(shared): State<Arc<Shared>>, _: Params<NoQuery>) -> Result<Response, ApiError> {
    let text = aside(move || (shared.sources.metrics_text)()).await?;
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}
