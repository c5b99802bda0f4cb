//! Warnings in the Common Alerting Protocol, handed in over HTTP.

use std::sync::Arc;

use alert::{Incident, IncidentReport};
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
    views::{IncidentView, incident_id},
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
/// an end, which a person confirms; a Cancel ends it. A message that changes nothing, because a later one is on record
/// or another of the same instant, is answered with 409 and the id of the incident.
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
    let told: Vec<&IncidentReport> = decoded.messages.iter().filter_map(report_of).collect();
    if told.is_empty() {
        let why = if lost.is_empty() { "nothing in it is for the record".to_owned() } else { lost.join("; ") };
        return Err(ApiError::bad_warning(&why));
    }
    if !(shared.sources.recorder)(topic, payload).await {
        return Err(ApiError::not_saved(false));
    }
    let snapshot = shared.newest();
    let mut rows = Vec::new();
    for report in told {
        let key = snapshot.room.find_meant(&report.key, received_at);
        match key.and_then(|key| snapshot.room.find_incident(&key)) {
            None => return Err(ApiError::conflict("no-room", "Not on record", NO_ROOM.to_owned())),
            Some(incident) if incident.report.fingerprint == report.fingerprint => {
                rows.push(IncidentView::of(incident))
            }
            Some(incident) => return Err(passed_over(report, incident)),
        }
    }
    Ok(json(&snapshot, None, &Rows::new(rows.iter())))
}

const NO_ROOM: &str =
    "As many incidents are open as are kept, or the name is the operators' own; nothing was recorded.";

/// Why it changed nothing.
fn passed_over(report: &IncidentReport, incident: &Incident) -> ApiError {
    let newer = incident.report.version > report.version;
    let (code, why) = if newer {
        ("outdated", "a message sent later is on record")
    } else {
        ("conflicting", "another message of the same instant is on record; send what is right with a later sent")
    };
    let id = incident_id(incident);
    ApiError::conflict(code, "Not the newest", format!("Of incident {id} {why}.")).with("incident", id.as_str())
}

fn report_of(message: &Message) -> Option<&IncidentReport> {
    match message {
        Message::Incident(report) => Some(report),
        Message::Withdrawal(_) | Message::Vehicle(_) | Message::Alarm(_) | Message::Presence(_) => None,
    }
}
