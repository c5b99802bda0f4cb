//! Exceptions: what is out of order but needs no owner.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Routes, wait_if_asked};
use crate::{
    Shared,
    answer::{Meta, Rows, json, not_modified},
    params::{Param, Params, Shape, WAIT, many, query, words},
    problem::ApiError,
    snapshot::Collection,
    views::ExceptionView,
};

/// Exceptions.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct ExceptionsAnswer {
    data: Vec<ExceptionView<'static>>,
    meta: Meta,
}

const FILTERS: &[Param] = &[
    many("rule", Shape::Text, "Exceptions of these rules."),
    many("subject", Shape::Text, "Exceptions about these subjects, like `vehicle:18/423`."),
    many("feed_id", Shape::Text, "Exceptions of these feeds."),
    many("priority", Shape::Words(words::<alert::Priority>), "Exceptions of these priorities."),
    WAIT,
];

query! {
    ExceptionsQuery = FILTERS
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list))
}

fn is_wanted(wanted: &[String], found: Option<&str>) -> bool {
    wanted.is_empty() || found.is_some_and(|found| wanted.iter().any(|w| w == found))
}

/// What is out of order now without needing an owner: silent, fast, crowded, with a wrong clock. No sound, nothing to
/// acknowledge; it goes away by itself.
#[utoipa::path(get, path = "/v1/exceptions", tag = "alerts", params(ExceptionsQuery),
    responses((status = 200, description = "Exceptions, by rule and subject.", body = ExceptionsAnswer)))]
async fn list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    params: Params<ExceptionsQuery>,
) -> Result<Response, ApiError> {
    let (rules, subjects, feeds) = (params.texts("rule"), params.texts("subject"), params.texts("feed_id"));
    let priorities: Vec<alert::Priority> = params.words("priority")?;
    let snapshot = shared.live()?;
    let snapshot = wait_if_asked(&shared, snapshot, Collection::Exceptions, &params, None, &headers).await?;
    let revision = snapshot.changed(Collection::Exceptions);
    if let Some(response) = not_modified(&headers, &snapshot, revision) {
        return Ok(response);
    }
    let wanted = snapshot.exceptions.iter().map(|noted| &noted.exception).filter(|e| {
        is_wanted(&rules, Some(e.rule))
            && is_wanted(&subjects, Some(&e.subject.to_string()))
            && is_wanted(&feeds, e.feed.as_ref().map(transit::FeedId::as_str))
            && (priorities.is_empty() || priorities.contains(&e.priority))
    });
    Ok(json(&snapshot, Some(revision), &Rows::new(wanted.map(|e| ExceptionView::of(e)))))
}
