//! A message in, what we would make of it out. Nothing of it reaches the picture.

use std::sync::Arc;

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use decode::{Decoded, Frame, Grade, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    Shared,
    answer::{Meta, json},
    body::read_json,
    params::{NoQuery, Params},
    problem::ApiError,
    views::{GradeWord, ReasonWord, message_json},
};

const TOPIC_MAX: usize = 65_535;

/// A message to be checked: `body` or `body_base64`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ValidateBody {
    /// The MQTT topic it would be published on.
    #[schema(example = "topis/v1/vehicle/18/423/position")]
    topic: String,
    /// The body: a text as it is, or any other JSON value as its JSON text.
    #[schema(value_type = Option<Value>)]
    body: Option<Value>,
    /// The body, base64: for protobuf.
    body_base64: Option<String>,
    /// The feed it is meant for; an error when the topic belongs to another.
    feed: Option<String>,
    /// As if delivered from the retained store.
    retained: Option<bool>,
}

/// What we would make of a message.
#[derive(Serialize, ToSchema)]
struct VerdictView {
    /// The feed the topic belongs to.
    feed_id: String,
    /// Nothing of it would be lost.
    accepted: bool,
    /// What it says in our words; `type` is vehicle, alarm, incident, withdrawal or presence.
    #[schema(value_type = Vec<Object>)]
    messages: Vec<Value>,
    /// What is wrong with it.
    problems: Vec<ProblemView>,
}

impl VerdictView {
    fn of(decoded: &Decoded) -> Self {
        Self {
            feed_id: decoded.feed.to_string(),
            accepted: decoded.problems.iter().all(|p| p.grade != Grade::Reject),
            messages: decoded.messages.iter().map(message_json).collect(),
            problems: decoded.problems.iter().map(ProblemView::of).collect(),
        }
    }
}

/// One thing wrong with a message.
#[derive(Serialize, ToSchema)]
struct ProblemView {
    /// `reject` when something would be lost, `warning` when not.
    #[schema(inline)]
    grade: GradeWord,
    /// Why.
    #[schema(inline)]
    reason: ReasonWord,
    /// The field or topic level.
    field: Option<String>,
    /// What was found and how to repair it.
    detail: String,
}

impl ProblemView {
    fn of(problem: &Problem) -> Self {
        Self {
            grade: GradeWord(problem.grade),
            reason: ReasonWord(problem.code),
            field: problem.field.clone(),
            detail: problem.detail.clone(),
        }
    }
}

/// What we would make of a message.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct VerdictAnswer {
    data: VerdictView,
    meta: Meta,
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(validate))
}

/// Checks a message without any effect: what we would make of it, and what is wrong with it.
#[utoipa::path(post, path = "/v1/validate", tag = "feeds", params(NoQuery), request_body = ValidateBody,
    responses((status = 200, description = "The verdict, also when it is a bad one.", body = VerdictAnswer)))]
async fn validate(
    State(shared): State<Arc<Shared>>,
    _: Params<NoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked: ValidateBody = read_json(&headers, body).await?;
    if asked.topic.is_empty() || asked.topic.len() > TOPIC_MAX {
        return Err(ApiError::bad_member("topic", "has to have 1 to 65,535 bytes"));
    }
    let payload = match (asked.body, asked.body_base64) {
        (Some(Value::String(text)), None) => text.into_bytes(),
        (Some(value), None) => value.to_string().into_bytes(),
        (None, Some(text)) => BASE64_STANDARD
            .decode(text.trim())
            .map_err(|e| ApiError::bad_member("body_base64", &format!("is no base64: {e}")))?,
        (None, None) => Vec::new(),
        (Some(_), Some(_)) => return Err(ApiError::bad_member("body_base64", "excludes body; send one of them")),
    };
    let frame = Frame {
        topic: &asked.topic,
        payload: &payload,
        retained: asked.retained.unwrap_or(false),
        dup: false,
        received_at: (shared.sources.clock)().utc,
    };
    let decoded = (shared.sources.decoder)(&frame);
    if let Some(feed) = asked.feed.filter(|feed| feed != decoded.feed.as_str()) {
        let detail = format!("is {feed:?}, but the topic belongs to feed {:?}", decoded.feed.as_str());
        return Err(ApiError::bad_member("feed", &detail));
    }
    Ok(json(&shared.newest(), None, &VerdictView::of(&decoded)))
}

/// What `POST /v1/validate` answers as `data`, for whoever checks a message without a service.
pub fn verdict_json(decoded: &Decoded) -> Value {
    serde_json::to_value(VerdictView::of(decoded)).unwrap_or_default()
}
