//! Warnings in the Common Alerting Protocol, handed in over HTTP.

use std::sync::Arc;

use alert::{IncidentKey, IncidentReport};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use decode::{Frame, Grade, Message};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    Shared,
    answer::{Meta, Rows, json},
    body::read_bytes,
    params::{NoQuery, Params},
    problem::ApiError,
    views::IncidentView,
};

/// The largest warning, in bytes: as over MQTT.
const WARNING_MAX: usize = 256 * 1024;
const MEDIA: [&str; 3] = ["application/cap+xml", "application/xml", "text/xml"];

/// The incidents that the warning is now on record as.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct CapAnswer {
    data: Vec<IncidentView<'static>>,
    meta: Meta,
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(post))
}

/// Takes a CAP 1.2 warning, update or cancellation as an incident; 200 only when it is on disk.
///
/// Document types are refused. Severity is the sender's. A later message that says a warning is lifted only proposes
/// an end, which a person confirms; a Cancel ends it.
#[utoipa::path(post, path = "/v1/cap", tag = "incidents", params(NoQuery),
    request_body(content = String, content_type = "application/cap+xml", description = "One CAP alert."),
    responses((status = 200, description = "It is on record.", body = CapAnswer)))]
async fn post(
    State(shared): State<Arc<Shared>>,
    _: Params<NoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !MEDIA.iter().any(|known| media.eq_ignore_ascii_case(known)) {
        return Err(ApiError::not_xml());
    }
    let payload = read_bytes(body, WARNING_MAX).await?;
    let topic = format!("{}/v1/cap/http", shared.sources.prefix);
    let received_at = (shared.sources.clock)().utc;
    let frame = Frame { topic: &topic, payload: &payload, retained: false, dup: false, received_at };
    let decoded = (shared.sources.decoder)(&frame);
    let lost: Vec<String> = decoded
        .problems
        .iter()
        .filter(|problem| problem.grade == Grade::Reject)
        .map(|problem| match &problem.field {
            Some(field) => format!("{field}: {}", problem.detail),
            None => problem.detail.clone(),
        })
        .collect();
    let keys: Vec<IncidentKey> = decoded.messages.iter().filter_map(key_of).collect();
    if keys.is_empty() {
        let why = if lost.is_empty() { "nothing in it is for the record".to_owned() } else { lost.join("; ") };
        return Err(ApiError::bad_warning(&why));
    }
    if !(shared.sources.recorder)(topic, payload).await {
        return Err(ApiError::not_saved(false));
    }
    let snapshot = shared.newest();
    let rows = keys.iter().filter_map(|key| snapshot.room.find_incident(key)).map(|i| IncidentView::of(i));
    Ok(json(&snapshot, None, &Rows::new(rows)))
}

fn key_of(message: &Message) -> Option<IncidentKey> {
    match message {
        Message::Incident(report) => {
            let IncidentReport { key, .. } = &**report;
            Some(key.clone())
        }
        Message::Withdrawal(withdrawal) => Some(withdrawal.key.clone()),
        Message::Vehicle(_) | Message::Alarm(_) | Message::Presence(_) => None,
    }
}
