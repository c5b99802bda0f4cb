//! Suppressions: what is out of order by design, and raises no alarm for a while.

use std::sync::Arc;

use alert::{Order, SuppressionRequest};
use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Levels, Routes,
    commands::{PlainOrder, bodies, instant},
    subject_of,
};
use crate::{
    Shared,
    answer::{Meta, Rows, json},
    orders::{Asked, NothingMore, OrderQuery, Signature, TEXT_MAX, required},
    params::{NoQuery, Params},
    problem::ApiError,
    views::SuppressionView,
};

/// Rules in one suppression.
const RULES_MAX: usize = 64;

/// Suppressions.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct SuppressionsAnswer {
    data: Vec<SuppressionView<'static>>,
    meta: Meta,
}

/// One suppression.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct SuppressionAnswer {
    data: SuppressionView<'static>,
    meta: Meta,
}

/// What is to be silent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Silence {
    /// Of what, like `vehicle:18/423`, `feed:native`, `line:402`; everything when left away.
    #[schema(max_length = 300)]
    subject: Option<String>,
    /// Rules by code, or by the head of the code and a star (`VEH.*`); all when left away.
    #[serde(default)]
    #[schema(max_items = 64)]
    rules: Vec<String>,
    /// Ends by itself then: RFC 3339 with an offset. Required.
    #[schema(format = DateTime, required, nullable = false)]
    until: Option<String>,
    /// Why: strike, snow, holiday plan. Required.
    #[schema(max_length = 2000, required, nullable = false)]
    why: Option<String>,
}

bodies! {
    /// Makes something silent.
    SuppressionOrder = Silence;
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list, start)).routes(routes!(end))
}

/// Suppressions, ended ones too, oldest first.
#[utoipa::path(get, path = "/v1/suppressions", tag = "alerts", params(NoQuery),
    responses((status = 200, description = "Suppressions.", body = SuppressionsAnswer)))]
async fn list(State(shared): State<Arc<Shared>>, _: Params<NoQuery>) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let rows = Rows::new(snapshot.room.suppressions().map(|s| SuppressionView::of(s)));
    Ok(json(&snapshot, None, &rows))
}

/// Makes alerts silent by design for a while. Never an emergency.
#[utoipa::path(post, path = "/v1/suppressions", tag = "alerts",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = SuppressionOrder,
    responses((status = 200, description = "They are silent.", body = SuppressionAnswer)))]
async fn start(asked: Asked) -> Result<Response, ApiError> {
    let (signed, Silence { subject, rules, until, why }) = asked.read().await?;
    let until = instant("until", until.as_deref())?.ok_or_else(|| ApiError::bad_member("until", "is required"))?;
    if rules.len() > RULES_MAX || rules.iter().any(|rule| rule.is_empty() || rule.len() > 64) {
        return Err(ApiError::bad_member("rules", "has to be at most 64 codes like VEH.SILENT or VEH.*"));
    }
    if let Some(rule) = rules.iter().find(|rule| rule.starts_with("EMG")) {
        let detail = format!("{rule} is an emergency, which nothing silences; leave it out");
        return Err(ApiError::bad_member("rules", &detail));
    }
    let subject = subject.map(|text| subject_of("subject", &text)).transpose()?;
    let request = SuppressionRequest { subject, rules, until, why: required("why", why, TEXT_MAX)? };
    signed.give(Order::Suppress(Box::new(request))).await
}

/// Ends a suppression before its time.
#[utoipa::path(post, path = "/v1/suppressions/{id}/end", tag = "alerts",
    params(("id" = u64, Path, description = "Its id."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder,
    responses((status = 200, description = "It has ended.", body = SuppressionAnswer)))]
async fn end(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    let id = id.parse().ok().ok_or_else(|| ApiError::not_found("suppression", &id))?;
    let comment = signed.comment.clone();
    signed.give(Order::EndSuppression { id, comment }).await
}
