//! What a person is asked to confirm or refuse: alerts that may be one thing, and incidents that may be over.

use std::sync::Arc;

use alert::{Alert, Incident};
use axum::{Extension, extract::State, response::Response};
use impact::{GroupOptions, propose_groups};
use publish::Lang;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Routes, sees_covert};
use crate::{
    Principal, Shared, Snapshot,
    answer::{Meta, Onward, Rows, answer, envelope},
    bodies::aside,
    format::Format,
    params::{LANG, Params, query},
    problem::ApiError,
    views::{ProposalView, is_shown, rank},
};

/// Only the most urgent open alerts are compared: each is measured against the fleet.
const ALERTS_MAX: usize = 500;

/// Proposals.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct ProposalsAnswer {
    data: Vec<ProposalView<'static>>,
    meta: Meta,
}

query! {
    ProposalsQuery = &[LANG]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list))
}

/// What a person is asked to confirm or refuse; nothing of it is done by itself.
///
/// First incidents whose source says that they are over (`clear`), then open alerts that may be one thing, by place,
/// time and cause, each with its evidence and how sure that is (`group`, of the 500 most urgent open alerts). Covert
/// alerts are members for operators only.
#[utoipa::path(get, path = "/v1/proposals", tag = "impact", params(ProposalsQuery),
    responses((status = 200, description = "Proposals.", body = ProposalsAnswer)))]
async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    params: Params<ProposalsQuery>,
) -> Result<Response, ApiError> {
    let lang = params.lang()?;
    let snapshot = shared.live()?;
    let see_covert = sees_covert(&principal);
    let read = Arc::clone(&snapshot);
    let body = aside(move || proposals(&read, see_covert, lang)).await?;
    Ok(answer(&snapshot, None, Format::Json.media_type(), body))
}

fn proposals(snapshot: &Snapshot, see_covert: bool, lang: Lang) -> Vec<u8> {
    let mut alerts: Vec<&Alert> = snapshot.room.alerts().map(|a| &**a).filter(|a| is_shown(a, see_covert)).collect();
    alerts.sort_by_key(|alert| rank(alert));
    alerts.truncate(ALERTS_MAX);
    let incidents: Vec<&Incident> = snapshot.room.incidents().map(|i| &**i).collect();
    let found = propose_groups(&alerts, &incidents, &snapshot.view, snapshot.as_of, &GroupOptions::default());
    let tied = |incident: &Incident, alert: &Alert| alert.incident.as_ref() == Some(&incident.report.key);
    let over = incidents.iter().filter_map(|incident| {
        let members = alerts.iter().filter(|alert| tied(incident, alert)).map(|alert| &alert.id);
        ProposalView::of_clear(incident, members)
    });
    let rows: Vec<ProposalView<'_>> =
        over.chain(found.iter().map(|proposal| ProposalView::of(proposal, lang))).collect();
    envelope(snapshot, &Rows::new(rows.iter()), Onward::default(), 0)
}
