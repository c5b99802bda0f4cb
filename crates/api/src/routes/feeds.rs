//! Feeds: how well each source speaks, and what of it could not be used.

use std::sync::Arc;

use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use decode::Reject;
use transit::FeedId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Levels, Routes, sees_covert, wait_if_asked};
use crate::{
    Principal, Shared, Snapshot,
    answer::{Meta, Onward, Rows, envelope, json, not_modified, whole},
    bodies::{Encode, Recipe, Whole},
    format::{Format, JSON_ONLY, codes, negotiate},
    params::{NoQuery, Params, Shape, WAIT, many, one as single, query},
    problem::ApiError,
    snapshot::Collection,
    views::{FeedView, RejectView},
};

/// Feeds.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct FeedsAnswer {
    data: Vec<FeedView<'static>>,
    meta: Meta,
}

/// One feed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct FeedAnswer {
    data: FeedView<'static>,
    meta: Meta,
}

/// What could not be used, newest first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct RejectsAnswer {
    data: Vec<RejectView<'static>>,
    meta: Meta,
}

fn formats() -> Vec<&'static str> {
    codes(JSON_ONLY)
}

query! {
    FeedsQuery = &[WAIT, single("f", Shape::Words(formats), "Format.")]
}

query! {
    RejectsQuery = &[
        many("vehicle_id", Shape::Text, "Only of these vehicles: the number, or `agency/number`."),
        single("limit", Shape::Whole(1, 1_000), "At most this many, the newest."),
    ]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one)).routes(routes!(rejects))
}

fn encode(snapshot: &Snapshot, _: Format) -> Vec<u8> {
    envelope(snapshot, &Rows::new(snapshot.feeds.values().map(|f| FeedView::of(f))), Onward::default(), 0)
}

/// Every feed and its health.
#[utoipa::path(get, path = "/v1/feeds", tag = "feeds", params(FeedsQuery),
    responses((status = 200, description = "Feeds.", body = FeedsAnswer)))]
async fn list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    params: Params<FeedsQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let format = negotiate(params.one("f")?, &headers, JSON_ONLY)?;
    let snapshot = wait_if_asked(&shared, snapshot, Collection::Feeds, &params, None, &headers).await?;
    let recipe = Recipe { whole: Whole::Feeds, format, collection: Collection::Feeds, encode: Encode::AsOf(encode) };
    whole(&shared, &snapshot, &recipe, &headers).await
}

fn feed_id(text: &str) -> Result<FeedId, ApiError> {
    FeedId::parse(text).map_err(|e| ApiError::bad_path(&format!("The feed {e}.")))
}

/// One feed and its health.
#[utoipa::path(get, path = "/v1/feeds/{feed}", tag = "feeds",
    params(("feed" = String, Path, description = "Its id.", min_length = 1, max_length = 64), NoQuery),
    responses((status = 200, description = "The feed.", body = FeedAnswer)))]
async fn one(
    State(shared): State<Arc<Shared>>,
    Levels(feed): Levels<String>,
    headers: HeaderMap,
    _: Params<NoQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let record = snapshot.feeds.get(&feed_id(&feed)?).ok_or_else(|| ApiError::not_found("feed", &feed))?;
    let revision = snapshot.changed(Collection::Feeds);
    if let Some(response) = not_modified(&headers, &snapshot, revision) {
        return Ok(response);
    }
    Ok(json(&snapshot, Some(revision), &FeedView::of(record)))
}

fn concerns(reject: &Reject, wanted: &[String]) -> bool {
    wanted.is_empty()
        || reject.vehicle.as_ref().is_some_and(|key| {
            let whole = key.to_string();
            wanted.iter().any(|w| w == key.vehicle.as_str() || *w == whole)
        })
}

/// The newest messages of a feed that something was wrong with, and what.
///
/// Those of alarms, and of topics nobody knows, are for operators: what cannot be read may be covert.
#[utoipa::path(get, path = "/v1/feeds/{feed}/rejects", tag = "feeds",
    params(("feed" = String, Path, description = "Its id.", min_length = 1, max_length = 64), RejectsQuery),
    responses((status = 200, description = "Rejects and warnings, newest first.", body = RejectsAnswer)))]
async fn rejects(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels(feed): Levels<String>,
    params: Params<RejectsQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let id = feed_id(&feed)?;
    let kept = snapshot.rejects.get(&id);
    if kept.is_none() && !snapshot.feeds.contains_key(&id) {
        return Err(ApiError::not_found("feed", &feed));
    }
    let wanted = params.texts("vehicle_id");
    let limit = params.whole("limit", 1, 1_000)?.and_then(|n| usize::try_from(n).ok()).unwrap_or(500);
    let newest_first = kept.into_iter().flat_map(|ring| ring.iter().rev());
    let see_covert = sees_covert(&principal);
    let may_see = |r: &Reject| see_covert || !r.confidential;
    let rows = newest_first.filter(|r| may_see(r) && concerns(r, &wanted)).take(limit).map(|r| RejectView::of(r));
    Ok(json(&snapshot, None, &Rows::new(rows)))
}
